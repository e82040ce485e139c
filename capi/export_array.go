package capi

/*
#define CAPI_GO
#include "capi.h"
*/
import "C"

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

//export goFacts
func goFacts(page C.uint32_t) (facts *C.capi_facts) {
	enter(nil, 0)
	defer leave()
	return (*C.capi_facts)(core.FactsOf(int(page)))
}

func writeDims(to *C.int64_t, from []int) {
	if len(from) > C.CAPI_MAXDIM {
		errs.Throw(errs.ValueError, "[array] Python sees at most %d axes, not %d", C.CAPI_MAXDIM, len(from))
	}
	for i, d := range from {
		unsafe.Slice(to, len(from))[i] = C.int64_t(d)
	}
}

//export goShape
func goShape(id C.uint32_t, shape *C.int64_t) (ndim C.int) {
	ndim = -1
	enter(nil, 0)
	defer leave()
	s := core.ByID(uint32(id)).Shape()
	writeDims(shape, s)
	return C.int(len(s))
}

// goInfo describes memory that the host may read, and gives 0. It evaluates the array for that: a job is to be waited
// for before asking again, and the array is held once more for it. -1 on an error.
//
//export goInfo
func goInfo(id C.uint32_t, info *C.capi_info, frees *C.uint32_t, n C.uint64_t) (number C.int64_t) {
	number = -1
	enter(frees, n)
	defer leave()
	a := core.ByID(uint32(id))
	if !a.Read() {
		if number := startEval([]*core.Array{a}, C.EVAL_READ); number > 0 {
			a.Hold()
			return number
		}
	}
	info.data = C.uintptr_t(uintptr(a.Data()))
	info.size, info.dtype, info.ndim = C.int64_t(a.Size()), C.int32_t(a.Dtype()), C.int32_t(a.NDim())
	writeDims(&info.shape[0], a.Shape())
	writeDims(&info.strides[0], a.Strides())
	return 0
}

// texts are those that C is reading.
var texts numbered[*core.Text]

// goText begins the text of a ready array; 0 on an error.
//
//export goText
func goText(id C.uint32_t) (number C.uint32_t) {
	enter(nil, 0)
	defer leave()
	return C.uint32_t(texts.add(core.NewText(core.ByID(uint32(id)))))
}

// goTextNext writes the next part and returns its length, 0 at the end. It needs no lock.
//
//export goTextNext
func goTextNext(number C.uint32_t, to *C.char, n C.int64_t) C.int64_t {
	return C.int64_t(texts.get(uint32(number)).Next(unsafe.Slice((*byte)(unsafe.Pointer(to)), int(n))))
}

//export goTextEnd
func goTextEnd(number C.uint32_t) {
	enter(nil, 0)
	defer leave()
	texts.take(uint32(number)).Close()
}

//export goSetPrecision
func goSetPrecision(digits C.int) {
	enter(nil, 0)
	defer leave()
	core.PrintPrecision = int(digits)
}

//export goEmpty
func goEmpty(d, ndim C.int, shape *C.int64_t, frees *C.uint32_t, n C.uint64_t) (made C.capi_empty) {
	enter(frees, n)
	defer leave()
	a, p := core.Empty(dtype.Dtype(d), dims(shape, C.int32_t(ndim)))
	return C.capi_empty{handle: handle(a), data: C.uintptr_t(uintptr(p))}
}

//export goExternal
func goExternal(p unsafe.Pointer, d, ndim C.int, shape, strides *C.int64_t, owner unsafe.Pointer, locked C.int,
	frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	s, steps := dims(shape, C.int32_t(ndim)), dims(strides, C.int32_t(ndim))
	return handle(core.External(p, dtype.Dtype(d), s, steps, locked != 0, func() { C.capi_decref_later(owner) }))
}

// goExport says whether others may write to the memory of a ready array that they are given: 0 if so, 1 if they may
// only read, and -1 if they must not get it.
//
//export goExport
func goExport(id C.uint32_t) (locked C.int) {
	locked = -1
	enter(nil, 0)
	defer leave()
	a := core.ByID(uint32(id))
	if a.Differentiated() {
		errs.Throw(errs.ValueError,
			"[array] NumPy and others cannot take an array of shape %s and dtype %s inside of the function that is "+
				"being differentiated with respect to what it derives from: its gradient would be lost. Use "+
				"functions of mlx_go.core, or stop_gradient, item or tolist to look at its values",
			layout.Format(a.Shape()), a.Dtype())
	}
	if a.ReadOnly() {
		return 1
	}
	return 0
}

// goExported is a hold on a ready array for somebody who may write to its memory, until that is released.
//
//export goExported
func goExported(id C.uint32_t) (h C.capi_handle) {
	enter(nil, 0)
	defer leave()
	return handle(core.ByID(uint32(id)).Exported())
}

// ---- indexing ----

//export goIndexInt
func goIndexInt(id C.uint32_t, i C.int64_t, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	items := [1]core.IndexItem{{Kind: core.IndexInt, Int: int(i)}}
	if core.Recording() {
		return handle(core.Do(indexRequest(core.IndexRequest, slices.Clone(items[:]), id))[0])
	}
	return handle(core.Index(core.ByID(uint32(id)), items[:]))
}

func indexItems(list []C.capi_index) []core.IndexItem {
	out := make([]core.IndexItem, len(list))
	for i := range out {
		c := &list[i]
		it := &out[i]
		it.Kind = core.IndexKind(c.kind)
		switch it.Kind {
		case core.IndexInt, core.IndexBool:
			it.Int = int(c.start)
		case core.IndexSlice:
			it.HasStart, it.HasStop, it.HasStep = c.has_start != 0, c.has_stop != 0, c.has_step != 0
			it.Start, it.Stop, it.Step = int(c.start), int(c.stop), int(c.step)
		case core.IndexArray:
			it.Array = core.ByID(uint32(c.id))
			if c.count != 0 {
				it.Count = core.ByID(uint32(c.count))
			}
		}
	}
	return out
}

// indexRequest asks for a part of the first array, or to update it by the second.
func indexRequest(op core.RequestOp, items []core.IndexItem, ids ...C.uint32_t) *core.Request {
	return &core.Request{Op: op, Items: items, Lists: [][]*core.Array{byIDs(&ids[0], C.int64_t(len(ids)))}}
}

// indexed is the handle of a, or where core asks for the counts of masks, 0 without an exception: then the items have
// the counts, which C evaluates before it asks again.
func indexed(a *core.Array, list []C.capi_index, items []core.IndexItem) C.capi_handle {
	if a != nil {
		return handle(a)
	}
	for i := range items {
		if c := items[i].Count; c != nil && list[i].count == 0 {
			list[i].count = C.uint32_t(c.Hold())
		}
	}
	return 0
}

//export goIndex
func goIndex(id C.uint32_t, first *C.capi_index, count C.int, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	list := unsafe.Slice(first, int(count))
	items := indexItems(list)
	if core.Recording() {
		return indexed(core.Do(indexRequest(core.IndexRequest, items, id))[0], list, items)
	}
	return indexed(core.Index(core.ByID(uint32(id)), items), list, items)
}

//export goIndexUpdate
func goIndexUpdate(id C.uint32_t, first *C.capi_index, count C.int, value C.uint32_t, op C.int,
	frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	list := unsafe.Slice(first, int(count))
	items := indexItems(list)
	q := indexRequest(core.UpdateRequest, items, id, value)
	q.Numbers = []int{int(op)}
	return indexed(core.Do(q)[0], list, items)
}
