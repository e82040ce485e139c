package reference

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// place resolves the index v on an axis of extent n for a slice of extent size, or panics.
func place(k *device.Kernel, v value, axis, n, size int, shape []int) int {
	given := position(v)
	i := given
	if i < 0 {
		i += n
	}
	if i < 0 || i+size > n || i+size < i {
		panic(errs.Errorf(errs.IndexError, "[%s] index %d is out of bounds for axis %d of shape %s", k.Op, given, axis,
			layout.Format(shape)))
	}
	return i
}

// corners calls f with every index position of the index arrays and the corner that they give. Every
// corner is checked before the first call, so that a bad index changes nothing.
func corners(k *device.Kernel, indices []device.Tensor, axes, shape, sizes []int, f func(at, corner []int)) {
	var extent []int
	if len(indices) > 0 {
		extent = indices[0].Shape
	}
	walk := func(f func(at, corner []int)) {
		each(k, extent, func(at []int) {
			corner := make([]int, len(shape))
			for i, a := range axes {
				corner[a] = place(k, load(&indices[i], at), a, shape[a], sizes[a], shape)
			}
			f(at, corner)
		})
	}
	walk(func(_, _ []int) {})
	walk(f)
}

func sum(a, b []int) []int {
	s := make([]int, len(a))
	for i := range a {
		s[i] = a[i] + b[i]
	}
	return s
}

func gather(k *device.Kernel) {
	at := k.Attr.(device.GatherAttr)
	in, out := &k.In[0], &k.Out[0]
	corners(k, k.In[1:], at.Axes, in.Shape, at.SliceSizes, func(i, corner []int) {
		each(k, at.SliceSizes, func(s []int) {
			store(out, slices.Concat(i, s), load(in, sum(corner, s)))
		})
	})
}

func scatter(k *device.Kernel) {
	at := k.Attr.(device.ScatterAttr)
	n := len(k.In) - 1
	out, updates := &k.Out[0], &k.In[n]
	sizes := updates.Shape[len(updates.Shape)-len(out.Shape):]
	corners(k, k.In[:n], at.Axes, out.Shape, sizes, func(i, corner []int) {
		each(k, sizes, func(s []int) {
			to := sum(corner, s)
			store(out, to, combine(at.Op, load(out, to), load(updates, slices.Concat(i, s))))
		})
	})
}

func combine(op device.ScatterOp, old, update value) value {
	switch op {
	case device.ScatterAdd:
		return add(old, update)
	case device.ScatterProd:
		return mul(old, update)
	case device.ScatterMax:
		return maximum(old, update)
	case device.ScatterMin:
		return minimum(old, update)
	}
	return update
}

func gatherAxis(k *device.Kernel) {
	axis := k.Attr.(device.AxisAttr).Axis
	in, indices, out := &k.In[0], &k.In[1], &k.Out[0]
	each(k, out.Shape, func(idx []int) {
		from := slices.Clone(idx)
		from[axis] = place(k, load(indices, idx), axis, in.Shape[axis], 1, in.Shape)
		store(out, idx, load(in, from))
	})
}

func scatterAxis(k *device.Kernel) {
	at := k.Attr.(device.ScatterAxisAttr)
	indices, updates, out := &k.In[0], &k.In[1], &k.Out[0]
	to := func(idx []int) []int {
		to := slices.Clone(idx)
		to[at.Axis] = place(k, load(indices, idx), at.Axis, out.Shape[at.Axis], 1, out.Shape)
		return to
	}
	each(k, indices.Shape, func(idx []int) { to(idx) }) // a bad index changes nothing
	op := device.ScatterSet
	if at.Add {
		op = device.ScatterAdd
	}
	each(k, indices.Shape, func(idx []int) {
		i := to(idx)
		store(out, i, combine(op, load(out, i), load(updates, idx)))
	})
}

func places(k *device.Kernel) {
	at := k.Attr.(device.NonzeroAttr)
	mask, out := &k.In[0], &k.Out[0]
	each(k, mask.Shape[:at.Batch], func(example []int) {
		found := 0
		each(k, mask.Shape[at.Batch:], func(idx []int) {
			if !nonzero(load(mask, slices.Concat(example, idx))) {
				return
			}
			if n := len(out.Shape) - 1; !at.Count && found < out.Shape[n] {
				for axis, i := range idx {
					store(out, slices.Concat(example, []int{axis, found}), unsigned(uint64(i)))
				}
			}
			found++
		})
		if at.Count {
			store(out, example, unsigned(uint64(found)))
		} else if n := out.Shape[len(out.Shape)-1]; found != n {
			panic(errs.Errorf(errs.ValueError, device.CountMessage, k.Op, n, found))
		}
	})
}
