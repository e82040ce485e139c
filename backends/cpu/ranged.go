package cpu

/*
#include "kernels/abi.h"
*/
import "C"

import (
	"iter"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// ranged runs the range kernel id over [0, n) in pieces of about grain. The args of a kernel
// that is split move to the heap, so that those of a small one can stay on the stack.
func ranged[T any](id int, args *T, n, grain int, cancel *atomic.Bool) {
	grain = max(grain, 1)
	if n <= grain {
		call(id, unsafe.Pointer(args), 0, n)
		return
	}
	shared := new(T)
	*shared = *args
	parallel(n, grain, cancel, func(lo, hi int) { call(id, unsafe.Pointer(shared), lo, hi) })
}

// stopOf is what kernels look at to see whether the caller gave up: the word inside of the flag.
func stopOf(k *device.Kernel) *C.uint32_t { return (*C.uint32_t)(unsafe.Pointer(k.Cancel)) }

var _ = [1]struct{}{}[unsafe.Sizeof(atomic.Bool{})-4] // an atomic.Bool is that word

// canceled is STOPPED of kernels/abi.h for loops in Go.
func canceled(cancel *atomic.Bool) bool { return cancel != nil && cancel.Load() && givenUp(cancel) }

func givenUp(cancel *atomic.Bool) bool {
	return C.mlx_go_given_up((*C.uint32_t)(unsafe.Pointer(cancel))) != 0
}

// pieces cuts [0, n) for long loops in Go, and ends early when the caller gives up.
func pieces(n int, cancel *atomic.Bool) iter.Seq2[int, int] {
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < n && !canceled(cancel) && yield(lo, min(lo+C.STOP_WORK, n)); lo += C.STOP_WORK {
		}
	}
}

// inPlace runs fn over [0, n), from where an earlier launch stopped, in blocks that are always finished.
func inPlace(k *device.Kernel, n, block int, fn func(lo, hi int) error) error {
	for *k.Done < n {
		if canceled(k.Cancel) {
			return errs.ErrCanceled
		}
		hi := min(*k.Done+max(block, 1), n)
		if err := fn(*k.Done, hi); err != nil {
			return err
		}
		*k.Done = hi
	}
	return nil
}
