package core

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Rotary position embedding (Su et al., 2021): the pairs of a row's elements turn by angles that grow with its
// position.

var ropeOp Def

func init() {
	define(&ropeOp, Def{Name: "rope", Kind: device.KindRope, Specs: shapedAs(0),
		Cost: func(*Array) int { return 4 },
		VJP: func(y, ct *Array, want []bool) []*Array {
			at := y.attr.(device.RopeAttr)
			ins := y.inputs()
			out := make([]*Array, len(ins))
			if want[0] { // a rotation's transpose rotates back
				back := at
				back.Inverse = !at.Inverse
				out[0] = newArray(&ropeOp, ct.dtype, ct.shape, back, append([]*Array{ct}, ins[1:]...)...)
			}
			if last := len(ins) - 1; at.HasFreqs && want[last] {
				xs := Tracers(ins)
				out[last] = VJP([]*Array{rotated(at, xs)}, xs[last:], []*Array{ct})[0]
			}
			return out
		},
		JVP: func(y *Array, t []*Array) *Array {
			at := y.attr.(device.RopeAttr)
			ins := y.inputs()
			var sum *Array
			if t[0] != nil {
				sum = newArray(&ropeOp, y.dtype, y.shape, at, append([]*Array{t[0]}, ins[1:]...)...)
			}
			if last := len(ins) - 1; at.HasFreqs && t[last] != nil {
				xs := Tracers(ins)
				by := JVP([]*Array{rotated(at, xs)}, xs[last:], t[last:])[0]
				if sum == nil {
					return by
				}
				sum = add(sum, by)
			}
			return sum
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			xs := batchAll(ins, mapped, n)
			for i, x := range xs { // every input has the examples as its first axis
				xs[i] = Reshape(x, append(layout.Shape{n * x.shape[1]}, x.shape[2:]...))
			}
			return Reshape(newArray(&ropeOp, y.dtype, xs[0].shape, y.attr, xs...), withBatch(n, y.shape))
		},
	})
	register(Func{Name: "fast.rope", Sig: "(a: array, dims: int, *, traditional: bool, base: float | None, " +
		"scale: float, offset: int | array, freqs: array | None = None) -> array", Call: callN(rope)})
}

func rope(a *Args) *Array {
	const op = "rope"
	x, dims := a.array(by.a), a.int(by.dims)
	rank := len(x.shape)
	if !x.dtype.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] the input must be floating point, not %s", op, x.dtype)
	}
	if rank < 3 {
		errs.Throw(errs.ValueError, "[%s] the input must have at least 3 axes, (B, ..., T, D), not shape %s", op,
			layout.Format(x.shape))
	}
	if d := x.shape[rank-1]; dims <= 0 || dims%2 != 0 || dims > d {
		errs.Throw(errs.ValueError, "[%s] dims must be positive, even and at most the last axis of shape %s, not %d",
			op, layout.Format(x.shape), dims)
	}
	if a.given(by.base) == a.given(by.freqs) {
		errs.Throw(errs.ValueError, "[%s] exactly one of base and freqs must be given", op)
	}
	at := device.RopeAttr{Dims: dims, Traditional: a.bool(by.traditional), Scale: a.float(by.scale),
		HasFreqs: a.given(by.freqs)}
	rows := Reshape(x, layout.Shape{x.shape[0], layout.Size(x.shape[1 : rank-2]), x.shape[rank-2], x.shape[rank-1]})
	ins := []*Array{rows}
	if offset := a.arg(by.offset); offset.Kind == ArgArray {
		at.HasOffset = true
		ins = append(ins, ropeOffsets(op, offset.Array, x))
	} else if offset.Kind == ArgFloat {
		errs.Throw(errs.ValueError, "[%s] offset must be an integer, not %v", op, offset.Float)
	} else {
		at.Offset = a.int(by.offset)
	}
	if at.HasFreqs {
		ins = append(ins, ropeFreqs(op, a.array(by.freqs), x, dims))
	} else {
		at.Base = a.float(by.base)
	}
	return Reshape(newArray(&ropeOp, x.dtype, rows.shape, at, ins...), x.shape)
}

// ropeOffsets are the offsets of the examples.
func ropeOffsets(op string, offset, x *Array) *Array {
	if !offset.dtype.IsInteger() {
		errs.Throw(errs.ValueError, "[%s] offset must be an integer, not %s", op, offset.dtype)
	}
	if n := layout.Size(offset.shape); len(offset.shape) > 1 || n != 1 && n != x.shape[0] {
		errs.Throw(errs.ValueError, "[%s] offset must be a scalar or a vector of %d elements, one for each example of "+
			"shape %s, not of shape %s", op, x.shape[0], layout.Format(x.shape), layout.Format(offset.shape))
	}
	return BroadcastTo(offset, layout.Shape{x.shape[0]})
}

// ropeFreqs are the frequencies of the pairs for every example.
func ropeFreqs(op string, freqs, x *Array, dims int) *Array {
	if len(freqs.shape) != 1 || freqs.shape[0] != dims/2 {
		errs.Throw(errs.ValueError, "[%s] freqs must have shape (%d), half of dims %d, not %s", op, dims/2, dims,
			layout.Format(freqs.shape))
	}
	if freqs.dtype == dtype.Complex64 {
		errs.Throw(errs.ValueError, "[%s] freqs must be real, not %s", op, freqs.dtype)
	}
	return BroadcastTo(AsType(freqs, x.dtype.Compute()), layout.Shape{x.shape[0], dims / 2})
}

// rotated is the composed form of the op, for derivatives by frequencies.
func rotated(at device.RopeAttr, xs []*Array) *Array {
	x, freqs := wide(xs[0]), xs[len(xs)-1]
	half := at.Dims / 2
	steps := add(arange(dtype.Int64, x.shape[2]), intScalar(dtype.Int64, int64(at.Offset)))
	if at.HasOffset {
		steps = add(unsqueeze(AsType(xs[1], dtype.Int64), 1), steps)
	}
	scale := at.Scale
	if at.Inverse {
		scale = -scale
	}
	turns := unsqueeze(mul(AsType(steps, x.dtype), like(x, scale)), len(steps.shape))
	if !at.HasOffset {
		turns = unsqueeze(turns, 0)
	}
	angle := unsqueeze(div(turns, unsqueeze(freqs, 1)), 1) // B, 1, T, pairs
	cos, sin := apply("cos", angle), apply("sin", angle)
	turning, rest := sliceAxis(x, 3, 0, at.Dims), sliceAxis(x, 3, at.Dims, x.shape[3])
	pairs, axis := layout.Shape{x.shape[0], x.shape[1], x.shape[2], 2, half}, 3
	if at.Traditional {
		pairs, axis = layout.Shape{x.shape[0], x.shape[1], x.shape[2], half, 2}, 4
	}
	split := Reshape(turning, pairs)
	part := func(i int) *Array { return Reshape(sliceAxis(split, axis, i, i+1), append(pairs[:3:3], half)) }
	a, b := part(0), part(1)
	turned := joined("rope", []*Array{unsqueeze(sub(mul(a, cos), mul(b, sin)), axis),
		unsqueeze(add(mul(a, sin), mul(b, cos)), axis)}, axis)
	y := joined("rope", []*Array{Reshape(turned, turning.shape), rest}, 3)
	return AsType(y, xs[0].dtype)
}
