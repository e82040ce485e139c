package cpu

import "github.com/mlx-go/mlx_go/backends/cpu/isa/neon"

// table holds the range kernels; every arm64 processor has NEON.
var table, isaName = neon.Table(), "neon"
