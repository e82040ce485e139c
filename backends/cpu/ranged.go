package cpu

import (
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
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

// scratch returns n bytes for the time of one kernel, aligned for any dtype.
func scratch(n int) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(make([]uint64, n/8+1)))
}

// scratchTensor is a contiguous tensor that lives for one kernel.
func scratchTensor(d dtype.Dtype, shape layout.Shape) core.Tensor {
	return core.Tensor{Data: scratch(layout.Size(shape) * d.Size()), Dtype: d, Shape: shape, Strides: layout.Strides(shape)}
}

// cast writes from to out, of the same shape, on behalf of k.
func cast(k *core.Kernel, out, from core.Tensor) error {
	return launchers[core.KindCopy](&core.Kernel{Kind: core.KindCopy, Op: k.Op,
		Out: []core.Tensor{out}, In: []core.Tensor{from}, Cancel: k.Cancel})
}

// castTo returns t as a contiguous scratch tensor of dtype d.
func castTo(k *core.Kernel, t core.Tensor, d dtype.Dtype) (core.Tensor, error) {
	tmp := scratchTensor(d, t.Shape)
	return tmp, cast(k, tmp, t)
}
