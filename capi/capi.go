// Package capi is the CPython extension mlx_go._core: PyInit__core in C, for the shared library that
// capi/extension makes of it. The C files know Python, the Go files know core, and
// one crossing carries each call.
package capi

/*
#cgo CFLAGS: -O2 -fvisibility=hidden -Wall
#cgo linux LDFLAGS: -Wl,-z,now -ldl
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#define CAPI_GO
#include "capi.h"
#include <stdlib.h>
*/
import "C"

import (
	"runtime"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/cpu"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/internal/park"
)

// ballast counts as live, is never touched and so takes no memory: it lets some 16 MiB of nodes' shapes become garbage
// before Go collects them, not 4. Slicing and taking are a third faster for it.
var ballast = make([]byte, 16<<20)

func init() {
	_ = ballast
	// With busy workers, an executor and no spare P, a call from Python would wait for one.
	n := cpu.Threads()
	runtime.GOMAXPROCS(n + 3)
	time.AfterFunc(time.Hour, func() {}).Stop() // Go opens the files that its timers need, while it can
	park.Prepare(min(2*n+3, 32))                // those who sleep in C, and as many as may run
}

// enter takes the graph lock and drops the references that Python gave up since the last crossing: the lower half of n
// says how many, and the upper half on which stream the call is, and by which recorder it is written down. Every export
// but the waiting ones runs between enter and leave.
func enter(frees *C.uint32_t, n C.uint64_t) {
	core.Lock()
	entered(frees, n)
}

// entered is the rest of enter, for who has the lock.
func entered(frees *C.uint32_t, n C.uint64_t) {
	core.UseStream(uint16(n >> 32))
	core.UseRecorder(uint16(n >> 48))
	if n := uint32(n); n > 0 {
		core.ReleaseIDs(unsafe.Slice((*uint32)(frees), int(n)))
	}
}

// leave gives the lock back and turns a panic into a Python exception: only then, since
// raising may run code that comes back here.
func leave() {
	r := recover()
	if r != nil {
		core.Bind() // Python may catch it, and go another way at other shapes
	}
	core.Unlock()
	if r != nil {
		raise(errs.Catch(r))
	}
}

func raise(err *errs.Error) {
	if err.Errno != 0 {
		path := C.CString(err.Path)
		defer C.free(unsafe.Pointer(path))
		C.capi_raise_os(C.int(err.Errno), path)
		return
	}
	msg := err.Msg
	C.capi_raise(C.int(err.Kind), (*C.char)(unsafe.Pointer(unsafe.StringData(msg))), C.int64_t(len(msg)))
}

// handle holds a for Python; nil is 0.
func handle(a *core.Array) C.capi_handle {
	if a == nil {
		return 0
	}
	kb := a.NBytes() >> 10
	if kb > 1<<31 {
		kb = 1 << 31
	}
	return C.capi_handle(a.Hold()) | C.capi_handle(kb)<<32
}

func byIDs(ids *C.uint32_t, n C.int64_t) []*core.Array {
	return appendIDs(make([]*core.Array, 0, int(n)), ids, n)
}

func appendIDs(out []*core.Array, ids *C.uint32_t, n C.int64_t) []*core.Array {
	for _, id := range unsafe.Slice((*uint32)(ids), int(n)) {
		out = append(out, core.ByID(id))
	}
	return out
}

func giveIDs(out *C.capi_ids, as []*core.Array) {
	out.n = C.int64_t(len(as))
	list := out.few[:]
	if len(as) > len(list) {
		more := C.malloc(C.size_t(8 * len(as)))
		out.more = address((*byte)(more))
		list = unsafe.Slice((*C.capi_handle)(more), len(as))
	}
	for i, a := range as {
		list[i] = handle(a)
	}
}

func dims(p *C.int64_t, n C.int32_t) layout.Shape {
	shape := make(layout.Shape, int(n))
	for i, d := range unsafe.Slice((*int64)(p), int(n)) {
		shape[i] = int(d)
	}
	return shape
}

// goMeet is the first crossing of a thread.
//
//export goMeet
func goMeet() { deepen(0) }

// deepen makes the goroutine's stack grow.
//
//go:noinline
func deepen(i int) byte {
	var room [64 << 10]byte
	return room[i]
}

//export goRelease
func goRelease(frees *C.uint32_t, n C.uint64_t) {
	enter(frees, n)
	defer leave()
}

//export goHold
func goHold(id C.uint32_t) (h C.capi_handle) {
	enter(nil, 0)
	defer leave()
	return handle(core.ByID(uint32(id)))
}

//export goHoldAll
func goHoldAll(ids *C.uint32_t, n C.int64_t) {
	enter(nil, 0)
	defer leave()
	for _, a := range byIDs(ids, n) {
		a.Hold()
	}
}

// address is p as Go stores it in memory of C: a number.
func address[T any](p *T) C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(p))) }

// text is s as a C string that is never freed.
func text(s string) C.uintptr_t { return address(C.CString(s)) }
