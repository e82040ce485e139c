package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Scaled dot-product attention (Vaswani et al., 2017) whose scores are never in memory as a whole. Query heads that
// share a head of keys lie side by side (grouped queries, Ainslie et al., 2023).

var attentionOp Def

var vjpAttended, jvpAttended = expanded(attended)

func init() {
	define(&attentionOp, Def{Name: "scaled_dot_product_attention", Kind: device.KindAttention,
		Cost: func(y *Array) int { return max(y.inputs()[1].shape[2]/2, 1) },
		Specs: func(_ *Array, ins []*Array) []Spec {
			return oneSpec(ins[0].dtype, attentionShape(ins[0], ins[2]))
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			xs := batchAll(ins, mapped, n)
			for i, x := range xs { // every input has the examples as its first axis
				xs[i] = Reshape(x, append(layout.Shape{n * x.shape[1]}, x.shape[2:]...))
			}
			z := newArray(&attentionOp, y.dtype, attentionShape(xs[0], xs[2]), y.attr, xs...)
			return Reshape(z, withBatch(n, y.shape))
		},
	})
	attentionOp.VJP, attentionOp.JVP = attentionVJP, jvpAttended
	register(Func{Name: "fast.scaled_dot_product_attention", Sig: "(q: array, k: array, v: array, *, scale: float, " +
		"mask: None | str | array = None, sinks: array | None = None, force_fused: bool = False) -> array",
		Call: callN(attention)})
}

func attentionShape(q, v *Array) layout.Shape {
	return append(slices.Clone(q.shape[:3]), v.shape[3])
}

func attention(a *Args) *Array {
	const op = "scaled_dot_product_attention"
	q, k, v := attentionOperands(op, []*Array{a.array(by.q), a.array(by.k), a.array(by.v)})
	at := device.AttentionAttr{Scale: a.float(by.scale)}
	ins := []*Array{q, k, v}
	scores := append(slices.Clone(q.shape[:3]), k.shape[2])
	switch mask := a.arg(by.mask); mask.Kind {
	case ArgNone:
	case ArgString:
		if mask.Str != "causal" {
			errs.Throw(errs.ValueError, "[%s] mask must be None, an array or \"causal\", not %q", op, mask.Str)
		}
		at.Causal = true
	default:
		at.HasMask = true
		ins = append(ins, attentionMask(op, a.array(by.mask), scores, q.dtype))
	}
	if a.given(by.sinks) {
		sinks := a.array(by.sinks)
		if !layout.Equal(sinks.shape, q.shape[1:2]) {
			errs.Throw(errs.ValueError, "[%s] sinks must have shape (%d), one for each head of the queries, not %s", op,
				q.shape[1], layout.Format(sinks.shape))
		}
		if dtype.Promote(sinks.dtype, q.dtype) != q.dtype {
			errs.Throw(errs.ValueError, "[%s] sinks of %s do not promote to %s", op, sinks.dtype, q.dtype)
		}
		at.HasSinks = true
		ins = append(ins, BroadcastTo(AsType(sinks, q.dtype), q.shape[:2]))
	}
	a.bool(by.forceFused) // the kernel is always fused
	return newArray(&attentionOp, q.dtype, attentionShape(q, v), at, ins...)
}

// attentionOperands are queries, keys and values in one dtype, with shapes that belong together.
func attentionOperands(op string, xs []*Array) (q, k, v *Array) {
	for _, x := range xs {
		if len(x.shape) != 4 {
			errs.Throw(errs.ValueError, "[%s] queries, keys and values must have 4 axes, (B, H, T, D), not shape %s",
				op, layout.Format(x.shape))
		}
	}
	shapes := func() string {
		return layout.Format(xs[0].shape) + ", " + layout.Format(xs[1].shape) + " and " + layout.Format(xs[2].shape)
	}
	q, k, v = xs[0], xs[1], xs[2]
	switch heads := k.shape[1]; {
	case q.shape[0] != k.shape[0] || k.shape[0] != v.shape[0]:
		errs.Throw(errs.ValueError, "[%s] queries, keys and values differ in their batch: shapes %s", op, shapes())
	case q.shape[3] != k.shape[3]:
		errs.Throw(errs.ValueError, "[%s] queries and keys differ in their last axis: shapes %s", op, shapes())
	case k.shape[1] != v.shape[1] || k.shape[2] != v.shape[2]:
		errs.Throw(errs.ValueError, "[%s] keys and values differ in heads or length: shapes %s", op, shapes())
	case heads == 0 && q.shape[1] != 0 || heads != 0 && q.shape[1]%heads != 0:
		errs.Throw(errs.ValueError, "[%s] the heads of queries must be a multiple of those of keys: shapes %s", op,
			shapes())
	}
	p := promoted(xs)
	if !p[0].dtype.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] queries, keys and values must be floating point, not %s", op, p[0].dtype)
	}
	return p[0], p[1], p[2]
}

// attentionMask is the mask for every score: bool, or in the dtype of the scores.
func attentionMask(op string, mask *Array, scores layout.Shape, d dtype.Dtype) *Array {
	if len(mask.shape) > 4 || !layout.CanBroadcastTo(mask.shape, scores) {
		errs.Throw(errs.ValueError, "[%s] a mask of shape %s cannot be broadcast to the scores, shape %s", op,
			layout.Format(mask.shape), layout.Format(scores))
	}
	if mask.dtype != dtype.Bool {
		if dtype.Promote(mask.dtype, d) != d {
			errs.Throw(errs.ValueError, "[%s] a mask of %s does not promote to %s", op, mask.dtype, d)
		}
		mask = AsType(mask, d)
	}
	return BroadcastTo(mask, scores)
}

// attended is the composed form of the op, for derivatives.
func attended(y *Array, xs []*Array) *Array {
	at := y.attr.(device.AttentionAttr)
	q, k, v := wide(xs[0]), wide(xs[1]), wide(xs[2])
	heads, keys := k.shape[1], k.shape[2]
	rows := func(x *Array) *Array { // the query heads of a head of keys as rows of one matrix
		return Reshape(x, layout.Shape{x.shape[0], heads, x.shape[1] / max(heads, 1) * x.shape[2], x.shape[3]})
	}
	shape := append(slices.Clone(q.shape[:3]), keys)
	scores := Reshape(matMul(rows(mul(q, like(q, at.Scale))), swapLast(k)), shape)
	lowest := like(scores, -math.MaxFloat32)
	if scores.dtype == dtype.Float64 {
		lowest = like(scores, -math.MaxFloat64)
	}
	if at.HasMask {
		if mask := xs[3]; mask.dtype == dtype.Bool {
			scores = where(mask, scores, lowest)
		} else {
			scores = add(scores, wide(mask))
		}
	}
	if at.Causal {
		seen := diagonalMask("greater_equal", q.shape[2], keys, keys-q.shape[2])
		scores = where(seen, scores, lowest)
	}
	if at.HasSinks {
		sinks := wide(xs[len(xs)-1])
		sinks = BroadcastTo(Reshape(sinks, layout.Shape{q.shape[0], q.shape[1], 1, 1}), append(shape[:3:3], 1))
		scores = joined(y.op.Name, []*Array{scores, sinks}, 3)
	}
	p := sliceAxis(softmaxLast(scores), 3, 0, keys)
	return AsType(Reshape(matMul(rows(p), v), y.shape), y.dtype)
}

// attentionGradScores is how many scores the gradient has in memory at once, where the queries of one row have fewer.
var attentionGradScores = 1 << 23

// attentionVJP takes queries some at a time, so that the scores of all are never in memory together.
func attentionVJP(y, ct *Array, want []bool) []*Array {
	at, ins := y.attr.(device.AttentionAttr), y.inputs()
	queries, keys := ins[0].shape[2], ins[1].shape[2]
	rows := max(attentionGradScores/max(ins[0].shape[0]*ins[0].shape[1]*keys, 1), 16)
	if rows >= queries || at.Causal && keys < queries { // with more queries than keys, some see nothing
		return vjpAttended(y, ct, want)
	}
	narrow := ins
	ins = slices.Clone(ins)
	for i, x := range ins { // sums of the parts are those of float32
		ins[i] = wide(x)
	}
	parts, sums := make([][]*Array, len(ins)), make([]*Array, len(ins))
	for lo := 0; lo < queries; lo += rows {
		hi := min(lo+rows, queries)
		xs, seen := slices.Clone(ins), keys
		if at.Causal {
			seen = hi + keys - queries
		}
		xs[0] = sliceAxis(ins[0], 2, lo, hi)
		xs[1], xs[2] = sliceAxis(ins[1], 2, 0, seen), sliceAxis(ins[2], 2, 0, seen)
		if at.HasMask {
			xs[3] = sliceAxis(sliceAxis(ins[3], 2, lo, hi), 3, 0, seen)
		}
		part := newArray(&attentionOp, xs[0].dtype, attentionShape(xs[0], xs[2]), at, xs...)
		for i, g := range vjpAttended(part, AsType(sliceAxis(ct, 2, lo, hi), part.dtype), want) {
			switch {
			case g == nil:
			case i == 0 || at.HasMask && i == 3:
				parts[i] = append(parts[i], padEnd(g, len(g.shape)-1, ins[i].shape[len(g.shape)-1]))
			case sums[i] == nil:
				sums[i] = padEnd(g, 2, ins[i].shape[len(g.shape)-2])
			default:
				sums[i] = add(sums[i], padEnd(g, 2, ins[i].shape[len(g.shape)-2]))
			}
		}
	}
	for i, list := range parts {
		if list != nil {
			sums[i] = joined(y.op.Name, list, 2)
		}
		if sums[i] != nil {
			sums[i] = AsType(sums[i], narrow[i].dtype)
		}
	}
	return sums
}

// padEnd is x with zeros behind it, up to extent n along the axis; x itself where it has none such.
func padEnd(x *Array, axis, n int) *Array {
	if axis >= len(x.shape) || x.shape[axis] == n {
		return x
	}
	rest := slices.Clone(x.shape)
	rest[axis] = n - x.shape[axis]
	return joined("pad", []*Array{x, zeros(x.dtype, rest)}, axis)
}
