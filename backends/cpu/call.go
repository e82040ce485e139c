package cpu

/*
#include "kernels/abi.h"

#cgo noescape mlx_go_call
#cgo nocallback mlx_go_call
static void mlx_go_call(void *const *table, int id, const int64_t *args, int64_t lo, int64_t hi) {
	((const mlx_go_entry *)table)[id](args, lo, hi);
}
*/
import "C"

import (
	"unsafe"

	_ "github.com/mlx-go/mlx_go/backends/cpu/kernels" // rebuild when a header changes
)

// call runs the range kernel id (C.ENTRY_name) over [lo, hi). args points to the
// kernel's args struct; it may lie on the goroutine's stack, since C keeps no reference.
// The pointer is handed over as one to integers: cgo's check for Go pointers inside would
// cost more than a small kernel.
func call(id int, args unsafe.Pointer, lo, hi int) {
	C.mlx_go_call((*unsafe.Pointer)(table), C.int(id), (*C.int64_t)(args), C.int64_t(lo), C.int64_t(hi))
}
