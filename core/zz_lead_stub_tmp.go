package core
import "github.com/mlx-go/mlx_go/core/dtype"
func arange(d dtype.Dtype, n int) *Array { panic(1) }
func Concatenate(p []*Array, axis int) *Array { panic(1) }
func sliceUpdate(x, u *Array, at *sliceAttr) *Array { panic(1) }
func TransposeAll(x *Array) *Array { panic(1) }
