package cpu

import (
	"os"
	"unsafe"

	"golang.org/x/sys/cpu"

	v2 "github.com/mlx-go/mlx_go/backends/cpu/isa/v2"
	v3 "github.com/mlx-go/mlx_go/backends/cpu/isa/v3"
	v4 "github.com/mlx-go/mlx_go/backends/cpu/isa/v4"
)

// table holds the range kernels compiled for the best level this processor has.
// MLX_GO_ISA=v2, v3 or v4 lowers it; the tests run every level that way.
var entries, isaName = chooseISA(os.Getenv("MLX_GO_ISA"))

func chooseISA(limit string) (unsafe.Pointer, string) {
	x := &cpu.X86
	hasV3 := x.HasAVX2 && x.HasFMA && x.HasBMI1 && x.HasBMI2
	hasV4 := hasV3 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL &&
		x.HasAVX512VNNI && x.HasAVX512BF16
	switch {
	case hasV4 && limit != "v3" && limit != "v2":
		return v4.Table(), "x86-64-v4"
	case hasV3 && limit != "v2":
		return v3.Table(), "x86-64-v3"
	}
	return v2.Table(), "x86-64-v2"
}
