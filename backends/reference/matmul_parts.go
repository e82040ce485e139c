package reference

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// product sums a[i, p] * b[p, j] over p from lo to hi, where the leading axes are at la and lb.
func product(a, b *device.Tensor, la, lb []int, i, j, lo, hi int) complex128 {
	var sum complex128
	for p := lo; p < hi; p++ {
		sum += complex(load(a, slices.Concat(la, []int{i, p})).f*load(b, slices.Concat(lb, []int{p, j})).f, 0)
	}
	return sum
}

func gatherMatMul(k *device.Kernel) {
	a, b, indices, out := &k.In[0], &k.In[1], &k.In[2], &k.Out[0]
	outer, rank := len(b.Shape)-3, len(out.Shape)
	experts, inner := b.Shape[outer], b.Shape[outer+1]
	which := func(at []int) int { return place(k, load(indices, at), outer, experts, 1, b.Shape) }
	each(k, indices.Shape, func(at []int) { which(at) })
	each(k, out.Shape, func(idx []int) {
		at, i, j := idx[:rank-2], idx[rank-2], idx[rank-1]
		matrix := append(slices.Clone(at[:outer]), which(at))
		storeNumber(out, idx, product(a, b, at, matrix, i, j, 0, inner))
	})
}

func segmentedMatMul(k *device.Kernel) {
	a, b, segments, out := &k.In[0], &k.In[1], &k.In[2], &k.Out[0]
	outer, rank := len(a.Shape)-2, len(out.Shape)
	inner := b.Shape[outer]
	bound := func(at []int, end int) int {
		v := position(load(segments, append(slices.Clone(at), end)))
		if v < 0 || v > inner {
			panic(errs.Errorf(errs.IndexError, device.SegmentMessage, k.Op, v, inner, layout.Format(a.Shape)))
		}
		return v
	}
	each(k, segments.Shape, func(at []int) { bound(at[:len(at)-1], at[len(at)-1]) })
	each(k, out.Shape, func(idx []int) {
		at, i, j := idx[:rank-2], idx[rank-2], idx[rank-1]
		storeNumber(out, idx, product(a, b, at[:outer], at[:outer], i, j, bound(at, 0), bound(at, 1)))
	})
}
