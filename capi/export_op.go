package capi

/*
#define CAPI_GO
#include "capi.h"
*/
import "C"

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

//export goFindRow
func goFindRow(name *C.char) C.int32_t {
	if r := table.FindRow(C.GoString(name)); r != nil {
		return C.int32_t(r.Index)
	}
	raise(errs.Errorf(errs.RuntimeError, "internal error: no op %s", C.GoString(name)))
	return -1
}

//export goBinary
func goBinary(row C.int32_t, a, b C.uint32_t, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	x, y := core.ByID(uint32(a)), core.ByID(uint32(b))
	if core.Recording() {
		return rowRequest(row, []core.Arg{{Kind: core.ArgArray, Array: x}, {Kind: core.ArgArray, Array: y}})
	}
	return handle(core.Binary(table.Rows[row], x, y))
}

//export goBinaryScalar
func goBinaryScalar(row C.int32_t, id C.uint32_t, kind C.int, i C.int64_t, re, im C.double, reversed C.int,
	frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	var args [2]core.Arg
	x, s := 0, 1
	if reversed != 0 {
		x, s = 1, 0
	}
	args[x].Kind, args[x].Array = core.ArgArray, core.ByID(uint32(id))
	args[s] = core.Arg{Kind: core.ArgKind(kind), Int: int64(i), Float: float64(re), Imag: float64(im)}
	if core.Recording() {
		return rowRequest(row, slices.Clone(args[:]))
	}
	return handle(core.ApplyRow(table.Rows[row], args[:]))
}

// rowRequest is a row's result where the call is recorded.
func rowRequest(row C.int32_t, args []core.Arg) C.capi_handle {
	return handle(core.Do(&core.Request{Op: core.RowRequest, Row: table.Rows[row], Args: args})[0])
}

//export goUnary
func goUnary(row C.int32_t, id C.uint32_t, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	args := [1]core.Arg{{Kind: core.ArgArray, Array: core.ByID(uint32(id))}}
	if core.Recording() {
		return rowRequest(row, slices.Clone(args[:]))
	}
	return handle(core.ApplyRow(table.Rows[row], args[:]))
}

var matmulFunc, divmodFunc *core.Func

//export goMatmul
func goMatmul(a, b C.uint32_t, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	if matmulFunc == nil {
		matmulFunc = core.FuncNamed("matmul")
	}
	args := []core.Arg{{Kind: core.ArgArray, Array: core.ByID(uint32(a))},
		{Kind: core.ArgArray, Array: core.ByID(uint32(b))}}
	if core.Recording() {
		return handle(core.Do(&core.Request{Op: core.FuncRequest, Func: matmulFunc, Args: args})[0])
	}
	return handle(core.CallFunc(matmulFunc, args)[0])
}

//export goDivmod
func goDivmod(args *C.capi_arg, out *C.capi_ids, frees *C.uint32_t, n C.uint64_t) (failed C.int) {
	failed = -1
	enter(frees, n)
	defer leave()
	if divmodFunc == nil {
		divmodFunc = core.FuncNamed("divmod")
	}
	list := decode(args, 2)
	defer clear(list)
	giveIDs(out, core.Do(&core.Request{Op: core.FuncRequest, Func: divmodFunc, Args: list}))
	return 0
}

// goStack joins elements of a list that are arrays themselves, promoting their dtypes. It sets now as goCopy does.
//
//export goStack
func goStack(ids *C.uint32_t, count C.int64_t, want C.int, now *C.int, frees *C.uint32_t,
	n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	as := byIDs(ids, count)
	*now = 1
	for _, a := range as {
		if !a.InMemory() {
			*now = 0
		}
	}
	q := core.Request{Op: core.StackRequest, Numbers: []int{int(want)}, Lists: [][]*core.Array{as}}
	return handle(core.Do(&q)[0])
}

//export goAsType
func goAsType(id C.uint32_t, d C.int, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	return handle(core.DoOne(core.AsTypeRequest, core.ByID(uint32(id)), int(d)))
}

//export goBitcast
func goBitcast(id C.uint32_t, d C.int, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	return handle(core.DoOne(core.BitcastRequest, core.ByID(uint32(id)), int(d)))
}

//export goContiguous
func goContiguous(id C.uint32_t, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	return handle(core.DoOne(core.ContiguousRequest, core.ByID(uint32(id)), 0))
}

// goCopy makes an array that shares memory with no other, of dtype d, or of the same for -1. It sets now if what is
// copied lies in memory, where others may write to it.
//
//export goCopy
func goCopy(id C.uint32_t, d C.int, now *C.int, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	a := core.ByID(uint32(id))
	if a.InMemory() {
		*now = 1
	}
	return handle(core.DoOne(core.CopyRequest, a, int(d)))
}

//export goView
func goView(id C.uint32_t, which C.int, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	return handle(core.DoOne(core.ViewRequest, core.ByID(uint32(id)), int(which)))
}

// call is the call in progress, and scratch what its arguments are decoded to, if they are few. The graph lock guards
// them, and the GIL while an op gives that up to evaluate.
var (
	call    core.Args
	scratch [64]core.Arg
)

// decode reads the pool that the C parser filled: count arguments, and behind them what is in lists.
func decode(first *C.capi_arg, count int) (args []core.Arg) {
	pool := unsafe.Slice(first, poolSize(first, count))
	args = scratch[:]
	if len(pool) > len(scratch) {
		args = make([]core.Arg, len(pool))
	}
	args = args[:len(pool)]
	for i := range args {
		p, a := &pool[i], &args[i]
		a.Kind = core.ArgKind(p.kind)
		switch p.kind {
		case C.ARG_FLOAT, C.ARG_COMPLEX:
			a.Float, a.Imag = float64(p.re), float64(p.im)
		case C.ARG_STRING:
			a.Str = C.GoStringN(p.s, C.int(p.n))
		case C.ARG_ARRAY:
			a.Array = core.ByID(uint32(p.id))
		case C.ARG_LIST:
			a.List = args[p.list : int(p.list)+int(p.n) : int(p.list)+int(p.n)]
		default:
			a.Int = int64(p.n)
		}
	}
	return args
}

//export goCall
func goCall(index C.int, args *C.capi_arg, count C.uint32_t, out *C.capi_ids, frees *C.uint32_t,
	n C.uint64_t) (failed C.int) {
	failed = -1
	enter(frees, n)
	defer leave()
	e := &functions[index]
	all := decode(args, int(count))
	defer clear(all)
	list := all[:count]
	for i := range list {
		if list[i].Kind == C.ARG_MISSING {
			list[i] = e.fn.Defaults[i] // arguments of rows are never missing
		}
	}
	if core.Recording() {
		q := core.Request{Op: core.FuncRequest, Func: e.fn, Row: e.row, Args: list}
		if e.row != nil {
			q.Op = core.RowRequest
		}
		giveIDs(out, core.Do(&q))
	} else if e.row != nil {
		giveIDs(out, []*core.Array{core.ApplyRow(e.row, list)})
	} else {
		call = core.Args{Func: e.fn, List: list}
		giveIDs(out, e.fn.Call(&call))
	}
	return 0
}

// poolSize is how far the pool reaches: lists lie behind what refers to them.
func poolSize(args *C.capi_arg, n int) int {
	end := n
	for at := 0; at < end; at++ {
		p := (*C.capi_arg)(unsafe.Add(unsafe.Pointer(args), uintptr(at)*unsafe.Sizeof(*args)))
		if p.kind == C.ARG_LIST {
			end = max(end, int(p.list)+int(p.n))
		}
	}
	return end
}

// constants of Python scalars

//export goConstant
func goConstant(d C.int, bits C.uint64_t, frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	a, p := core.Empty(dtype.Dtype(d), nil)
	b := uint64(bits)
	copy(unsafe.Slice((*byte)(p), a.NBytes()), unsafe.Slice((*byte)(unsafe.Pointer(&b)), 8))
	return handle(a)
}

// goEinsumPath gives the order of contractions as positions with a space behind each and a line for each step, an empty
// line, and the report on its cost.
//
//export goEinsumPath
func goEinsumPath(subscripts *C.char, size C.int64_t, ids *C.uint32_t, n C.int64_t) (path *C.char) {
	enter(nil, 0)
	defer leave()
	steps, report := core.EinsumPath(C.GoStringN(subscripts, C.int(size)), byIDs(ids, n))
	var b strings.Builder
	for _, step := range steps {
		for _, position := range step {
			fmt.Fprintf(&b, "%d ", position)
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(report)
	return C.CString(b.String())
}
