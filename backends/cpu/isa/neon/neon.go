//go:build arm64

// Package neon holds the kernels compiled for arm64 with NEON.
package neon

/*
#cgo CFLAGS: -O3 -g0 -Wall -Wextra -fno-strict-aliasing
#cgo LDFLAGS: -lm
extern void *const mlx_go_table_neon[];
*/
import "C"

import (
	"unsafe"

	_ "github.com/mlx-go/mlx_go/backends/cpu/kernels" // rebuild when a header changes
)

// Table is the array of range kernels, in the order of kernels/entries.h.
func Table() unsafe.Pointer { return unsafe.Pointer(&C.mlx_go_table_neon) }
