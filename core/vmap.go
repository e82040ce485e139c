package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// placeholder is the op of arguments that have a shape but no value.
var placeholder = define(new(Def), Def{Name: "placeholder", Specs: noInputs, NoGrad: "it has no value"})

// NoAxis marks an argument or result that vmap does not batch.
const NoAxis = math.MinInt32

// Placeholders makes arguments of the same shapes and dtypes without values, for the transform that BeginTrace gave
// that number.
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
	return WalkVMap(ins, placeholders, axes, outs, outAxes).finish()
}

// WalkVMap is VMapOutputs where rules may be Python's.
func WalkVMap(ins, placeholders []*Array, axes []int, outs []*Array, outAxes []int) *Walk {
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
	f := follow(outs, from, all, nil)
	b := &batching{f: f, outs: outs, outAxes: outAxes, n: n, batched: make([]*Array, len(f.order)), at: f.heads}
	copy(b.batched, batches)
	w := &Walk{}
	w.push(b)
	return w
}

// batching is the stage that goes forwards through a flow with batches.
type batching struct {
	f       *flow
	outs    []*Array
	outAxes []int
	n       int
	batched []*Array   // what each node became
	parts   [][]*Array // what the results of nodes became that have several
	at      int        // the next node
}

func (b *batching) step(w *Walk) bool {
	for b.at < len(b.f.order) {
		i := b.at
		b.at++
		y, from := b.f.order[i], b.f.inputs(i)
		if y.op == &pickOp && b.parts != nil {
			if slot := from[y.nin-1]; slot >= 0 && b.parts[slot] != nil {
				b.set(i, b.parts[slot][y.attr.(int)])
				continue
			}
		}
		xs := slices.Clone(y.inputs())
		mapped := make([]bool, len(xs))
		for k, slot := range from {
			if slot >= 0 {
				xs[k], mapped[k] = b.batched[slot], true
			}
		}
		graph.stream = y.stream
		switch {
		case y.op.VMap != nil:
			b.set(i, y.op.VMap(y, xs, mapped, b.n))
		case y.op.Several != nil:
			if b.parts == nil {
				b.parts = make([][]*Array, len(b.f.order))
			}
			b.batched[i] = y // no pick looks at it
			y.op.Several.VMap(w, y, xs, mapped, b.n, func(results []*Array) { b.parts[i] = results })
			return true
		default:
			b.set(i, vmapLoop(y, xs, mapped, b.n))
		}
	}
	w.outs = make([]*Array, len(b.outs))
	for i, y := range b.outs {
		graph.stream = y.stream
		w.outs[i] = b.out(y, b.f.outs[i], b.outAxes[i])
	}
	return false
}

// set says what node i became.
func (b *batching) set(i int, z *Array) {
	y := b.f.order[i]
	if !layout.Equal(z.shape[1:], y.shape) || z.shape[0] != b.n {
		errs.Throw(errs.RuntimeError, "internal error: vmap of %s gave shape %s for %d times %s", y.op.Name,
			layout.Format(z.shape), b.n, layout.Format(y.shape))
	}
	b.batched[i] = z
}

// out is the result y, which has become the node in that slot, with the batch axis where it is wanted.
func (b *batching) out(y *Array, slot int32, axis int) *Array {
	var z *Array
	if slot >= 0 {
		z = b.batched[slot]
	}
	if axis == NoAxis {
		if z == nil {
			return y
		}
		return Reshape(sliceAxis(z, 0, 0, min(b.n, 1)), y.shape)
	}
	if z == nil {
		z = BroadcastTo(y, withBatch(b.n, y.shape))
	}
	return moveAxis(z, 0, normAxis("vmap", axis, len(z.shape)))
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
