package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// placeholder is the op of arguments that have a shape but no value.
var placeholder = &Def{Name: "placeholder", NoGrad: "it has no value"}

// NoAxis marks an argument or result that vmap does not batch.
const NoAxis = math.MinInt32

// Placeholders makes arguments of the same shapes and dtypes without values, for the transform that BeginTrace gave that number.
func Placeholders(began uint64, like []*Array) []*Array {
	out := make([]*Array, len(like))
	for i, x := range like {
		out[i] = newArray(placeholder, x.dtype, x.shape, nil)
		out[i].derivesFrom(began)
	}
	return out
}

// VMapInputs makes the arguments for one example: placeholders without the batch axis. Arguments
// that are not mapped are passed as they are.
func VMapInputs(began uint64, ins []*Array, axes []int) []*Array {
	out := make([]*Array, len(ins))
	n := -1
	for i, x := range ins {
		if axes[i] == NoAxis {
			out[i] = x
			continue
		}
		axis := normAxis("vmap", axes[i], len(x.shape))
		switch {
		case n < 0:
			n = x.shape[axis]
		case n != x.shape[axis]:
			errs.Throw(errs.ValueError, "[vmap] the mapped axes differ in size: %d and %d", n, x.shape[axis])
		}
		shape := slices.Delete(slices.Clone(x.shape), axis, axis+1)
		out[i] = newArray(placeholder, x.dtype, shape, nil)
		out[i].derivesFrom(began)
	}
	if n < 0 {
		errs.Throw(errs.ValueError, "[vmap] at least one argument must have an axis to map over")
	}
	return out
}

// VMapOutputs turns the results for one example into those of the batch, by running every
// node that depends on a placeholder once more, on batches.
func VMapOutputs(ins, placeholders []*Array, axes []int, outs []*Array, outAxes []int) []*Array {
	defer UseStream(graph.stream)
	var from []*Array
	var batches []*Array
	n := 0
	for i, p := range placeholders {
		if axes[i] == NoAxis {
			continue
		}
		axis := normAxis("vmap", axes[i], len(ins[i].shape))
		n = ins[i].shape[axis]
		from = append(from, p)
		graph.stream = p.stream
		batches = append(batches, moveAxis(ins[i], axis, 0))
	}
	f := follow(outs, from, all)
	batched := make([]*Array, len(f.order))
	copy(batched, batches)
	for i := f.heads; i < len(f.order); i++ {
		y := f.order[i]
		xs := slices.Clone(y.inputs())
		mapped := make([]bool, len(xs))
		for k, slot := range f.inputs(i) {
			if slot >= 0 {
				xs[k], mapped[k] = batched[slot], true
			}
		}
		graph.stream = y.stream
		if y.op.VMap != nil {
			batched[i] = y.op.VMap(y, xs, mapped, n)
		} else {
			batched[i] = vmapLoop(y, xs, mapped, n)
		}
		if !layout.Equal(batched[i].shape[1:], y.shape) || batched[i].shape[0] != n {
			errs.Throw(errs.RuntimeError, "internal error: vmap of %s gave shape %s for %d times %s", y.op.Name,
				layout.Format(batched[i].shape), n, layout.Format(y.shape))
		}
	}
	out := make([]*Array, len(outs))
	for i, y := range outs {
		var b *Array
		if slot := f.outs[i]; slot >= 0 {
			b = batched[slot]
		}
		graph.stream = y.stream
		switch {
		case outAxes[i] == NoAxis:
			if b != nil {
				b = sliceAxis(b, 0, 0, min(n, 1))
				out[i] = Reshape(b, y.shape)
				continue
			}
			out[i] = y
		default:
			if b == nil {
				b = BroadcastTo(y, withBatch(n, y.shape))
			}
			out[i] = moveAxis(b, 0, normAxis("vmap", outAxes[i], len(b.shape)))
		}
	}
	return out
}

// vmapLoop applies the op to one example after the other: right for every op, and the way for those whose Loop
// says why.
func vmapLoop(y *Array, ins []*Array, mapped []bool, n int) *Array {
	parts := make([]*Array, n)
	for b := range parts {
		xs := make([]*Array, len(ins))
		for k, x := range ins {
			if xs[k] = x; mapped[k] {
				xs[k] = Reshape(sliceAxis(x, 0, b, b+1), x.shape[1:])
			}
		}
		parts[b] = Reshape(remake(y, xs), withBatch(1, y.shape))
	}
	if n == 0 {
		return zeros(y.dtype, withBatch(0, y.shape))
	}
	return Concatenate(parts, 0)
}

// batchAll gives every input the batch axis, stretching those that are not mapped.
func batchAll(ins []*Array, mapped []bool, n int) []*Array {
	out := make([]*Array, len(ins))
	for i, x := range ins {
		if out[i] = x; !mapped[i] {
			out[i] = BroadcastTo(Reshape(x, withBatch(1, x.shape)), withBatch(n, x.shape))
		}
	}
	return out
}
