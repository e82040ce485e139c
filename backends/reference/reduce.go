package reference

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// wide is the dtype whose wide type a fold of d's runs in without rounding on the way.
func wide(d dtype.Dtype) dtype.Dtype {
	if d.IsFloat() {
		return dtype.Float64
	}
	return d
}

// unrounded relabels a value so that rounding keeps its wide type's accuracy. complex64 is the only
// complex dtype: its folds round only when they are stored.
func unrounded(v value) value {
	v.d = wide(v.d)
	return v
}

func reduce(k *device.Kernel) {
	at := k.Attr.(device.ReduceAttr)
	in, out := &k.In[0], &k.Out[0]
	var kept, folded []int // axes, and the extents of the folded ones
	var extents []int
	for a, n := range in.Shape {
		if slices.Contains(at.Axes, a) {
			folded, extents = append(folded, a), append(extents, n)
		} else {
			kept = append(kept, a)
		}
	}
	idx := make([]int, len(in.Shape))
	each(k, out.Shape, func(o []int) {
		for i, a := range kept {
			idx[a] = o[i]
		}
		acc := identity(at.Op, in.Dtype, out.Dtype)
		each(k, extents, func(r []int) {
			for i, a := range folded {
				idx[a] = r[i]
			}
			x := load(in, idx)
			switch at.Op {
			case device.ReduceSum:
				acc = add(acc, cast(x, acc.d))
			case device.ReduceProd:
				acc = mul(acc, cast(x, acc.d))
			case device.ReduceMin:
				acc = minimum(acc, cast(x, acc.d))
			case device.ReduceMax:
				acc = maximum(acc, cast(x, acc.d))
			case device.ReduceAnd:
				acc = truth(nonzero(acc) && nonzero(x))
			case device.ReduceOr:
				acc = truth(nonzero(acc) || nonzero(x))
			}
		})
		store(out, o, acc)
	})
}

// identity is where a fold starts; sums and products run in the output's kind, without rounding.
func identity(op device.ReduceOp, in, out dtype.Dtype) value {
	one := cast(float(1), wide(out))
	switch op {
	case device.ReduceSum:
		return value{d: wide(out)}
	case device.ReduceProd:
		return one
	case device.ReduceMin:
		return unrounded(highest(in))
	case device.ReduceMax:
		return unrounded(lowest(in))
	}
	return truth(op == device.ReduceAnd)
}

func argReduce(k *device.Kernel) {
	at := k.Attr.(device.ArgReduceAttr)
	in, out := &k.In[0], &k.Out[0]
	each(k, out.Shape, func(o []int) {
		idx := slices.Insert(slices.Clone(o), at.Axis, 0)
		var best value
		where := 0
		for i := range in.Shape[at.Axis] {
			idx[at.Axis] = i
			x := load(in, idx)
			better := i == 0
			if i > 0 && !isNaN(best) {
				better = isNaN(x) || at.Max && less(best, x) || !at.Max && less(x, best)
			}
			if better {
				best, where = x, i
			}
		}
		store(out, o, unsigned(uint64(where)))
	})
}
