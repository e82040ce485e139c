package reference

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func scan(k *device.Kernel) {
	at := k.Attr.(device.ScanAttr)
	in, out := &k.In[0], &k.Out[0]
	combine, start := fold(at.Op, in.Dtype)
	lines(k, in.Shape, at.Axis, func(idx []int) {
		acc := start
		n := in.Shape[at.Axis]
		for i := range n {
			idx[at.Axis] = i
			if at.Reverse {
				idx[at.Axis] = n - 1 - i
			}
			next := combine(acc, cast(load(in, idx), acc.d))
			if at.Inclusive {
				store(out, idx, next)
			} else {
				store(out, idx, acc)
			}
			acc = next
		}
	})
}

// fold is the scan's operation and its identity. Float values are not rounded on the way.
func fold(op device.ScanOp, d dtype.Dtype) (combine func(a, b value) value, start value) {
	switch op {
	case device.ScanSum:
		return add, value{d: wide(d)}
	case device.ScanProd:
		return mul, cast(float(1), wide(d))
	case device.ScanMin:
		return minimum, unrounded(highest(d))
	case device.ScanMax:
		return maximum, unrounded(lowest(d))
	}
	return logAddExp, value{d: wide(d), f: math.Inf(-1), c: complex(math.Inf(-1), 0)}
}

// lines calls f for every line along axis, with the index of the line's start; f may change the index
// along the axis.
func lines(k *device.Kernel, shape []int, axis int, f func(idx []int)) {
	outer := append([]int{}, shape...)
	outer[axis] = 1
	each(k, outer, func(idx []int) {
		f(idx)
		idx[axis] = 0
	})
}
