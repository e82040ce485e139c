package cpu

/*
#include "kernels/abi.h"

#cgo noescape mlx_go_call
#cgo nocallback mlx_go_call
static void mlx_go_call(uintptr_t table, int id, const int64_t *args, int64_t lo, int64_t hi, uintptr_t room) {
	((const mlx_go_entry *)table)[id](args, lo, hi, (void *)room);
}
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	_ "github.com/mlx-go/mlx_go/backends/cpu/kernels" // rebuild when a header changes
	"github.com/mlx-go/mlx_go/core/errs"
)

// call runs the range kernel id (C.ENTRY_name) over [lo, hi). args points to the
// kernel's args struct; it may lie on the goroutine's stack, since C keeps no reference.
// The pointer is handed over as one to integers, and those to memory of C as numbers: cgo's checks for Go pointers
// would cost more than a small kernel.
func call(id int, args unsafe.Pointer, lo, hi int) {
	room := takeRoom()
	C.mlx_go_call(C.uintptr_t(uintptr(entries)), C.int(id), (*C.int64_t)(args), C.int64_t(lo), C.int64_t(hi),
		C.uintptr_t(uintptr(unsafe.Pointer(room))))
	room.giveBack()
}

// callBare is call for launches that keep no tiles.
func callBare(id int, args unsafe.Pointer, lo, hi int) {
	C.mlx_go_call(C.uintptr_t(uintptr(entries)), C.int(id), (*C.int64_t)(args), C.int64_t(lo), C.int64_t(hi), 0)
}

// room is where a call keeps its tiles. There are as many as calls run at once: one a thread.
type room [C.SCRATCH_BYTES]byte

// idleRooms holds the rooms that no call has.
var idleRooms [64]atomic.Pointer[room]

// takeRoom gives a room, or panics with a MemoryError, which Launch returns.
func takeRoom() *room {
	for i := range idleRooms {
		if idleRooms[i].Load() == nil {
			continue
		}
		if r := idleRooms[i].Swap(nil); r != nil {
			return r
		}
	}
	p := Backend{}.Allocate(C.SCRATCH_BYTES)
	if p == nil && dropSpare() {
		p = Backend{}.Allocate(C.SCRATCH_BYTES)
	}
	if p == nil {
		errs.Throw(errs.MemoryError, "cannot allocate %d bytes for the tiles of a kernel", C.SCRATCH_BYTES)
	}
	return (*room)(p)
}

func (r *room) giveBack() {
	for i := range idleRooms {
		if idleRooms[i].Load() == nil && idleRooms[i].CompareAndSwap(nil, r) {
			return
		}
	}
	Backend{}.Free(unsafe.Pointer(r), C.SCRATCH_BYTES)
}
