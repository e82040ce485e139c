//go:build amd64

// Package v2 holds the kernels compiled for x86-64-v2: SSE4.2, every processor since 2009.
package v2

/*
#cgo CFLAGS: -O3 -g0 -Wall -Wextra -fno-strict-aliasing -march=nehalem
#cgo LDFLAGS: -lm
extern void *const mlx_go_table_v2[];
*/
import "C"

import (
	"unsafe"

	_ "github.com/mlx-go/mlx_go/backends/cpu/kernels" // rebuild when a header changes
)

// Table is the array of range kernels, in the order of kernels/entries.h.
func Table() unsafe.Pointer { return unsafe.Pointer(&C.mlx_go_table_v2) }
