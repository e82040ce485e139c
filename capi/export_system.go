package capi

/*
#define CAPI_GO
#include "capi.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

//export goMemory
func goMemory(op C.int, value C.int64_t, frees *C.uint32_t, n C.uint64_t) (r C.int64_t) {
	r = -1
	enter(frees, n)
	defer leave()
	switch op {
	case C.MEMORY_ACTIVE:
		return C.int64_t(core.ActiveMemory())
	case C.MEMORY_PEAK:
		return C.int64_t(core.PeakMemory())
	case C.MEMORY_RESET_PEAK:
		core.ResetPeakMemory()
	case C.MEMORY_CACHE:
		return C.int64_t(core.CacheMemory())
	case C.MEMORY_LIMIT:
		return C.int64_t(core.MemoryLimit())
	case C.MEMORY_SET_LIMIT:
		return C.int64_t(core.SetMemoryLimit(int(value)))
	case C.MEMORY_SET_CACHE_LIMIT:
		return C.int64_t(core.SetCacheLimit(int(value)))
	case C.MEMORY_CLEAR:
		core.ClearCache()
	}
	return 0
}

//export goPromote
func goPromote(a, b C.int) C.int { return C.int(dtype.Promote(dtype.Dtype(a), dtype.Dtype(b))) }

//export goRandomState
func goRandomState(frees *C.uint32_t, n C.uint64_t) (h C.capi_handle) {
	enter(frees, n)
	defer leave()
	return handle(core.RandomState())
}

//export goSetRandomState
func goSetRandomState(id C.uint32_t) (failed C.int) {
	failed = -1
	enter(nil, 0)
	defer leave()
	key := core.ByID(uint32(id))
	if s := key.Shape(); key.Dtype() != dtype.Uint32 || len(s) != 1 || s[0] != 2 {
		errs.Throw(errs.ValueError, "[random] the state must be a uint32 array of shape (2,)")
	}
	core.SetRandomState(key)
	return 0
}

// ---- transforms ----

// traces are the graphs that compiled functions keep; guarded by the graph lock.
var traces = map[int64]*core.Trace{}
var lastTrace int64

//export goBeginTrace
func goBeginTrace(frees *C.uint32_t, n C.uint64_t) C.uint64_t {
	enter(frees, n)
	defer leave()
	return C.uint64_t(core.StartTransform())
}

//export goEndTrace
func goEndTrace(began C.uint64_t, frees *C.uint32_t, n C.uint64_t) {
	enter(frees, n)
	defer leave()
	core.EndTransform(uint64(began))
}

//export goBorn
func goBorn(frees *C.uint32_t, n C.uint64_t) C.int64_t {
	enter(frees, n)
	defer leave()
	return C.int64_t(core.Moment())
}

func addTrace(t *core.Trace) C.int64_t {
	lastTrace++
	traces[lastTrace] = t
	return C.int64_t(lastTrace)
}

//export goTraceFree
func goTraceFree(number C.int64_t) {
	enter(nil, 0)
	defer leave()
	if t := traces[int64(number)]; t != nil {
		delete(traces, int64(number))
		t.Free()
	}
}

// goTransform gives 0, a number that its operation gives, or that of a walk that waits for the rule which call names.
//
//export goTransform
func goTransform(op C.int, ids *C.uint32_t, counts *C.int64_t, lists C.int, axes *C.int64_t, number C.int64_t,
	out *C.capi_ids, call *C.capi_call, frees *C.uint32_t, n C.uint64_t) (r C.int64_t) {
	r = -1
	enter(frees, n)
	defer leave()
	var in [4][]*core.Array
	for i, c := range unsafe.Slice(counts, int(lists)) {
		in[i] = byIDs(ids, c)
		ids = (*C.uint32_t)(unsafe.Add(unsafe.Pointer(ids), 4*int(c)))
	}
	takeAxes := func(count int) []int {
		a := dims(axes, C.int32_t(count))
		axes = (*C.int64_t)(unsafe.Add(unsafe.Pointer(axes), 8*count))
		return a
	}
	switch op {
	case C.TRANSFORM_COPIES:
		giveIDs(out, in[0])
	case C.TRANSFORM_TRACERS:
		giveIDs(out, core.Do(&core.Request{Op: core.TracersRequest, Numbers: []int{int(number)}, Lists: in[:1]}))
	case C.TRANSFORM_PLACEHOLDERS:
		giveIDs(out, core.Do(&core.Request{Op: core.PlaceholdersRequest, Numbers: []int{int(number)}, Lists: in[:1]}))
	case C.TRANSFORM_VJP:
		return walk(&core.Request{Op: core.VJPRequest, Lists: in[:3]}, out, call)
	case C.TRANSFORM_GRAD:
		return walk(&core.Request{Op: core.GradRequest, Lists: in[:2]}, out, call)
	case C.TRANSFORM_JVP:
		return walk(&core.Request{Op: core.JVPRequest, Lists: in[:3]}, out, call)
	case C.TRANSFORM_TRACE:
		core.Unrecorded()
		return addTrace(core.NewTrace(in[0], in[1]))
	case C.TRANSFORM_CALL:
		core.Unrecorded()
		giveIDs(out, traces[int64(number)].Call(in[0]))
	case C.TRANSFORM_CHECKPOINT:
		giveIDs(out, core.Do(&core.Request{Op: core.CheckpointRequest, Numbers: []int{int(number)}, Lists: in[:1]}))
	case C.TRANSFORM_VMAP_IN:
		numbers := append([]int{int(number)}, takeAxes(len(in[0]))...)
		giveIDs(out, core.Do(&core.Request{Op: core.VMapInputsRequest, Numbers: numbers, Lists: in[:1]}))
	case C.TRANSFORM_VMAP_OUT:
		axes := takeAxes(len(in[0]) + len(in[2]))
		return walk(&core.Request{Op: core.VMapOutputsRequest, Numbers: axes, Lists: in[:3]}, out, call)
	}
	return 0
}

// walks are transforms that wait for rules written in Python.
var walks numbered[*core.Walk]

// walk begins the walk that is asked for.
func walk(q *core.Request, out *C.capi_ids, call *C.capi_call) C.int64_t {
	w, c := core.StartWalk(q)
	return goOn(w, c, out, call)
}

// goOn gives what the walk comes to, and 0, or its number, and in call what it waits for.
func goOn(w *core.Walk, c *core.Call, out *C.capi_ids, call *C.capi_call) C.int64_t {
	if c == nil {
		giveIDs(out, w.Outs())
		return 0
	}
	w.Pause()
	var all []*core.Array
	call.rules, call.which, call.depth = C.uintptr_t(c.Rules.Owner), C.int32_t(c.Which), C.int32_t(c.Depth)
	for i := range call.counts {
		call.counts[i] = -1
		if i < len(c.Lists) {
			call.counts[i] = C.int64_t(len(c.Lists[i]))
			all = append(all, c.Lists[i]...)
		}
	}
	giveIDs(out, all)
	return C.int64_t(walks.add(w))
}

// goAnswer goes on with what the rule gave; id 0 is None. The result is that of goTransform.
//
//export goAnswer
func goAnswer(number C.int64_t, ids *C.uint32_t, count C.int64_t, out *C.capi_ids, call *C.capi_call, frees *C.uint32_t,
	n C.uint64_t) (r C.int64_t) {
	r = -1
	w := walks.take(uint32(number))
	enter(frees, n)
	defer leave()
	w.Resume()
	answer := make([]*core.Array, int(count))
	for i, id := range unsafe.Slice((*uint32)(ids), int(count)) {
		if id != 0 {
			answer[i] = core.ByID(id)
		}
	}
	return goOn(w, w.GoOn(answer), out, call)
}

// goEndWalk gives up a walk whose rule gave nothing.
//
//export goEndWalk
func goEndWalk(number C.int64_t) {
	w := walks.take(uint32(number))
	enter(nil, 0)
	defer leave()
	w.Resume()
}

// goCustom makes the values that a function computed of its arguments the results of a node with rules: mask says for
// which transforms. It takes over a reference to the object.
//
//export goCustom
func goCustom(ids *C.uint32_t, counts *C.int64_t, object unsafe.Pointer, mask C.int, out *C.capi_ids, frees *C.uint32_t,
	n C.uint64_t) (failed C.int) {
	failed = -1
	enter(frees, n)
	defer leave()
	rules := &core.Rules{Owner: uintptr(object)}
	for kind := range rules.Has {
		rules.Has[kind] = mask>>kind&1 != 0
	}
	r := core.NewRules(rules, func() { C.capi_decref_later(object) })
	c := unsafe.Slice(counts, 2)
	args := byIDs(ids, c[0])
	values := byIDs((*C.uint32_t)(unsafe.Add(unsafe.Pointer(ids), 4*int(c[0]))), c[1])
	giveIDs(out, core.Do(&core.Request{Op: core.CustomRequest, Lists: [][]*core.Array{args, values, {r}}}))
	return 0
}
