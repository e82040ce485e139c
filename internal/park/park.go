// Package park puts threads to sleep until a word changes, outside Go's scheduler.
//
// A goroutine that waits in Go makes the scheduler wake further threads to look for work, when it is woken and when
// it yields. On few cores they push those that compute off their core: matrix products took up to twice their time.
package park

/*
#include "park.h"

#cgo nocallback mlx_go_park_watch
#cgo nocallback mlx_go_park_wait
#cgo nocallback mlx_go_park_wake
#cgo nocallback mlx_go_park_core
#cgo nocallback mlx_go_park_avoid
*/
import "C"

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// Watch keeps the core busy until w is other than seen, for d at most, and returns whether it is. It reads w once more
// in Go: the race detector does not see what C reads, and thus who waited for whom.
func Watch(w *atomic.Uint32, seen uint32, d time.Duration) bool {
	C.mlx_go_park_watch(word(w), C.uint32_t(seen), C.int64_t(d))
	return w.Load() != seen
}

// Wait sleeps until Wake chooses this thread, which it reports; at most for d, unless d is 0, and not at all if w is
// other than seen.
func Wait(w *atomic.Uint32, seen uint32, d time.Duration) (woken bool) {
	return C.mlx_go_park_wait(word(w), C.uint32_t(seen), C.int64_t(d)) != 0
}

// Wake wakes up to n of the threads that sleep on w. Change w first, or they may go back to sleep.
func Wake(w *atomic.Uint32, n int) { C.mlx_go_park_wake(word(w), C.int(n)) }

func word(w *atomic.Uint32) *C.uint32_t { return (*C.uint32_t)(unsafe.Pointer(w)) }

// Prepare makes Go start the threads for n goroutines that are all in C: later, in a process without memory for
// another, the runtime would end it. It does not wait for them.
func Prepare(n int) {
	var here, all atomic.Uint32
	for range n {
		go func() {
			if here.Add(1) == uint32(n) {
				all.Store(1)
				Wake(&all, n)
			}
			Wait(&all, 0, 100*time.Millisecond)
		}()
	}
}

// A Mutex is a lock whose waiters sleep by Wait (U. Drepper, Futexes Are Tricky, 2011, section 5).
type Mutex struct{ state atomic.Uint32 }

const (
	free = iota
	held
	contended // held, and somebody may sleep
)

// patience is how long Lock stays awake: most of those who hold a lock are about to give it back.
const patience = 5 * time.Microsecond

func (m *Mutex) Lock() {
	if m.state.CompareAndSwap(free, held) || Watch(&m.state, held, patience) && m.state.CompareAndSwap(free, held) {
		return
	}
	for m.state.Swap(contended) != free {
		Wait(&m.state, contended, 0)
	}
}

func (m *Mutex) Unlock() {
	switch m.state.Swap(free) {
	case free:
		panic("park: unlock of a free Mutex")
	case contended:
		Wake(&m.state, 1)
	}
}

// A Thread is one that others tell which core to leave alone.
type Thread struct {
	id    C.int
	avoid int
}

// Lock keeps the calling goroutine, which computes, on its thread, and returns that.
func Lock() *Thread {
	runtime.LockOSThread()
	return &Thread{C.mlx_go_park_thread(), -1}
}

// Core is the number of the core that the caller runs on, -1 if the system does not tell.
func Core() int { return int(C.mlx_go_park_core()) }

// Avoid keeps t off one of the cores that the process may use. The Linux scheduler may leave a thread that wakes up
// waiting behind the one that woke it for milliseconds while another core idles, when these have been busy.
// If the caller may use no other core, t stays where it is, and the next caller may have more to choose from.
func (t *Thread) Avoid(core int) {
	if t.avoid != core && C.mlx_go_park_avoid(t.id, C.int(core)) != 0 {
		t.avoid = core
	}
}
