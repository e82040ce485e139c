package capi

/*
#define CAPI_GO
#include "capi.h"
*/
import "C"

import (
	"math"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/internal/park"
)

// jobs are the evaluations that Python threads wait for, holding neither the GIL nor the graph lock.
var jobs numbered[*core.Job]

func init() {
	core.Threads.Graph = new(park.Mutex)
	core.Threads.Parker = parker
	ended := (*atomic.Uint32)(unsafe.Pointer(&C.jobs_ended))
	waiting := (*atomic.Uint32)(unsafe.Pointer(&C.jobs_waiting))
	core.Threads.Ended = func() {
		if ended.Add(1); waiting.Load() > 0 {
			park.Wake(ended, math.MaxInt32)
		}
	}
}

// parker is how an executor sleeps, on a thread of its own, until there is work.
func parker() (sleep, wake func()) {
	var (
		work   atomic.Uint32 // changes when there is some
		asleep atomic.Bool   // the executor waits for that
		seen   uint32
		lock   sync.Once
	)
	sleep = func() {
		lock.Do(func() { park.Lock() })
		for seen == work.Load() {
			asleep.Store(true)
			park.Wait(&work, seen, 0)
			asleep.Store(false)
		}
		seen = work.Load()
	}
	wake = func() {
		if work.Add(1); asleep.Load() {
			park.Wake(&work, 1)
		}
	}
	return sleep, wake
}

// goEval starts evaluating; 0 when all is computed, for EVAL_READ also in the host's memory, else a job to wait for
// before asking again. -1 on an error.
//
//export goEval
func goEval(ids *C.uint32_t, count C.int64_t, how C.int, frees *C.uint32_t, n C.uint64_t) (number C.int64_t) {
	number = -1
	enter(frees, n)
	defer leave()
	return startEval(byIDs(ids, count), how)
}

func startEval(outs []*core.Array, how C.int) C.int64_t {
	var j *core.Job
	core.BindTo(outs)
	switch how {
	case C.EVAL_READ:
		j = core.StartRead(outs)
	case C.EVAL_ASYNC:
		core.StartEval(outs, true)
	default:
		j = core.StartEval(outs, false)
	}
	if j == nil {
		return 0
	}
	number := C.int64_t(jobs.add(j))
	if j.Lent() {
		number |= C.JOB_LENT
	}
	return number
}

// goEvalAll is goEval for arrays that may be among those that died, or die while the GIL is released: as long as there
// is a job to wait for it holds them, until they come back by goRelease.
//
//export goEvalAll
func goEvalAll(ids *C.uint32_t, count C.int64_t, how C.int, frees *C.uint32_t, n C.uint64_t) (number C.int64_t) {
	number = -1
	core.Lock()
	defer leave()
	var few [8]*core.Array
	outs := appendIDs(few[:0], ids, count)
	for _, a := range outs {
		a.Hold()
	}
	defer func() {
		if number <= 0 {
			core.ReleaseIDs(unsafe.Slice((*uint32)(ids), int(count)))
		}
	}()
	entered(frees, n)
	return startEval(outs, how)
}

// goPending is the job to wait for until nothing runs on the call's stream, or on any for all; 0 when nothing does, -1
// if an asynchronous evaluation failed.
//
//export goPending
func goPending(all C.int, frees *C.uint32_t, n C.uint64_t) (number C.int64_t) {
	number = -1
	enter(frees, n)
	defer leave()
	stream := int(uint16(n >> 32))
	if all != 0 {
		stream = -1
	}
	if j := core.Pending(stream); j != nil {
		return C.int64_t(jobs.add(j))
	}
	if err := core.TakeAsyncError(); err != nil {
		panic(err)
	}
	return 0
}

// goShutdown is the job to wait for before the process ends, 0 when nothing is under way on devices.
//
//export goShutdown
func goShutdown() C.int64_t {
	enter(nil, 0)
	defer leave()
	if j := core.Shutdown(); j != nil {
		return C.int64_t(jobs.add(j))
	}
	return 0
}

// goJobHelp computes a short job that nobody began. The GIL is not held.
//
//export goJobHelp
func goJobHelp(number C.uint32_t) { jobs.get(uint32(number)).Help() }

//export goJobOver
func goJobOver(number C.uint32_t) C.int {
	if jobs.get(uint32(number)).Over() {
		return 1
	}
	return 0
}

//export goJobCancel
func goJobCancel(number C.uint32_t) { jobs.get(uint32(number)).Cancel() }

//export goJobForget
func goJobForget(number C.uint32_t) { jobs.take(uint32(number)) }

// goJobFinish ends the wait for a job that is over; 0 says to ask again whether all is in memory.
//
//export goJobFinish
func goJobFinish(number C.uint32_t) C.int {
	// Who cancels does not come here: if this was canceled, others gave it up, and the caller asks again.
	if err := jobs.take(uint32(number)).Err(); err != nil && err.Kind != errs.Interrupted {
		raise(err)
		return -1
	}
	return 0
}
