package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

var softmaxOp, logSumExpOp, layerNormOp, rmsNormOp Def

// expanded gives an op that exists for speed the derivatives of the composed form it stands for.
// The form is traced over stand-ins for all inputs, so that its walk stays inside of it.
func expanded(form func(y *Array, xs []*Array) *Array) (
	func(y, ct *Array, want []bool) []*Array, func(y *Array, tangents []*Array) *Array) {
	vjp := func(y, ct *Array, want []bool) []*Array {
		ins := y.inputs()
		xs, grads := Tracers(ins), make([]*Array, len(ins))
		var wanted []*Array
		for i, x := range xs {
			if want[i] && x.dtype.IsInexact() {
				wanted = append(wanted, x)
			}
		}
		for i, g := range VJP([]*Array{form(y, xs)}, wanted, []*Array{ct}) {
			grads[slices.Index(xs, wanted[i])] = g
		}
		return grads
	}
	jvp := func(y *Array, tangents []*Array) *Array {
		xs := Tracers(y.inputs())
		var moved, by []*Array
		for i, t := range tangents {
			if t != nil {
				moved, by = append(moved, xs[i]), append(by, t)
			}
		}
		return JVP([]*Array{form(y, xs)}, moved, by)[0]
	}
	return vjp, jvp
}

func init() {
	rowwise := func(y *Array, ins []*Array, mapped []bool, n int) *Array {
		if slices.Contains(mapped[1:], true) {
			return vmapWeights(y, ins, mapped)
		}
		return newArray(y.op, y.dtype, withBatch(n, y.shape), y.attr, ins...)
	}
	cost := func(*Array) int { return 8 }
	define(&softmaxOp, Def{Name: "softmax", Specs: shapedAs(0), Kind: device.KindSoftmax, Cost: cost, VMap: rowwise,
		VJP: func(y, ct *Array, want []bool) []*Array {
			g := mul(ct, y)
			return []*Array{sub(g, mul(y, lastSum(g)))}
		},
		JVP: func(y *Array, t []*Array) *Array {
			g := mul(t[0], y)
			return sub(g, mul(y, lastSum(g)))
		},
	})
	softmaxOf := func(y *Array) *Array {
		x := y.in[0]
		last := len(x.shape) - 1
		return apply("exp", sub(x, unsqueeze(y, last)))
	}
	define(&logSumExpOp, Def{Name: "logsumexp", Specs: func(_ *Array, ins []*Array) []Spec {
		return oneSpec(ins[0].dtype, dropAxes(ins[0].shape, len(ins[0].shape)-1))
	}, Kind: device.KindLogSumExp,
		Cost: func(y *Array) int { return 8 * max(y.in[0].Size()/max(y.Size(), 1), 1) },
		VMap: rowwise,
		VJP: func(y, ct *Array, want []bool) []*Array {
			return []*Array{mul(unsqueeze(ct, len(ct.shape)), softmaxOf(y))}
		},
		JVP: func(y *Array, t []*Array) *Array {
			return reduce(device.ReduceSum, mul(t[0], softmaxOf(y)), []int{len(y.shape)})
		},
	})
	define(&layerNormOp,
		Def{Name: "layer_norm", Specs: shapedAs(0), Kind: device.KindLayerNorm, Cost: cost, VMap: rowwise})
	layerNormOp.VJP, layerNormOp.JVP = expanded(func(y *Array, xs []*Array) *Array {
		x, last := wide(xs[0]), []int{len(y.shape) - 1}
		d := sub(x, expandAt(mean(x, last), x, last))
		v := expandAt(mean(apply("square", d), last), x, last)
		n := mul(d, apply("rsqrt", add(v, like(v, y.attr.(device.NormAttr).Eps))))
		return add(mul(AsType(n, y.dtype), xs[1]), xs[2])
	})
	define(&rmsNormOp, Def{Name: "rms_norm", Specs: shapedAs(0), Kind: device.KindRMSNorm, Cost: cost, VMap: rowwise})
	rmsNormOp.VJP, rmsNormOp.JVP = expanded(func(y *Array, xs []*Array) *Array {
		x, last := wide(xs[0]), []int{len(y.shape) - 1}
		v := expandAt(mean(apply("square", x), last), x, last)
		n := mul(x, apply("rsqrt", add(v, like(v, y.attr.(device.NormAttr).Eps))))
		return mul(AsType(n, y.dtype), xs[1])
	})
}

func init() {
	register(
		Func{Name: "softmax",
			Sig: "(a: array, /, axis: None | int | Sequence[int] = None, *, precise: bool = False) -> array",
			Call: callN(func(a *Args) *Array {
				x := floated(a.array(by.a))
				if x.NDim() == 0 && a.given(by.axis) {
					a.axes(by.axis, 0)
				}
				return overAxes(x, a.axes(by.axis, x.NDim()), softmaxLast, true)
			})},
		Func{Name: "logsumexp", Method: true,
			Sig: "(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False) -> array",
			Call: callN(func(a *Args) *Array {
				x := floated(a.array(by.a))
				axes := a.axes(by.axis, x.NDim())
				return keepDims(overAxes(x, axes, logSumExpLast, false), x, axes, a.bool(by.keepdims))
			})},
		Func{Name: "fast.layer_norm", Sig: "(x: array, weight: array | None, bias: array | None, eps: float) -> array",
			Call: callN(func(a *Args) *Array { return norm(a, &layerNormOp, by.weight, by.bias) })},
		Func{Name: "fast.rms_norm", Sig: "(x: array, weight: array | None, eps: float) -> array",
			Call: callN(func(a *Args) *Array { return norm(a, &rmsNormOp, by.weight) })},
	)
}

// vmapWeights is a normalization in which every example has its own weight or bias: the kernel normalizes with
// neutral ones, in float32 for halves as it does alone, and the rows of the table apply the rest.
func vmapWeights(y *Array, ins []*Array, mapped []bool) *Array {
	x := wide(ins[0])
	neutral := []*Array{x}
	for i := range ins[1:] {
		neutral = append(neutral, BroadcastTo(like(x, float64(1-i)), y.shape[len(y.shape)-1:]))
	}
	z := newArray(y.op, x.dtype, x.shape, y.attr, neutral...)
	for i, row := range []string{"multiply", "add"}[:len(ins)-1] {
		w := AsType(ins[i+1], x.dtype)
		if mapped[i+1] {
			w = insertOnes(w, len(y.shape)+1)
		}
		z = apply(row, z, w)
	}
	return AsType(z, y.dtype)
}

// wide is x in at least float32.
func wide(x *Array) *Array {
	if x.dtype.IsHalf() {
		return AsType(x, dtype.Float32)
	}
	return x
}

// lastSum sums the last axis and keeps it.
func lastSum(x *Array) *Array {
	last := []int{len(x.shape) - 1}
	return expandAt(reduce(device.ReduceSum, x, last), x, last)
}

// overAxes brings axes together as the last one, applies f there, and, if f keeps that axis,
// puts them back.
func overAxes(x *Array, axes []int, f func(*Array) *Array, keeps bool) *Array {
	rank := len(x.shape)
	if len(axes) == 0 && rank > 0 || rank == 0 {
		y := f(Reshape(x, append(append([]int{}, x.shape...), 1)))
		return Reshape(y, x.shape)
	}
	if len(axes) == 1 && axes[0] == rank-1 {
		return f(x)
	}
	var perm []int
	for i := range rank {
		if len(axes) > 0 && slices.Contains(axes, i) {
			continue
		}
		perm = append(perm, i)
	}
	kept := len(perm)
	perm = append(perm, axes...)
	moved := Transpose(x, perm)
	y := f(Reshape(moved, append(append([]int{}, moved.shape[:kept]...), countOf(x, axes))))
	if !keeps {
		return y
	}
	inverse := make([]int, rank)
	for i, p := range perm {
		inverse[p] = i
	}
	return Transpose(Reshape(y, moved.shape), inverse)
}

func softmaxLast(x *Array) *Array {
	if x.dtype == dtype.Complex64 {
		e := apply("exp",
			sub(x, expandAt(reduce(device.ReduceMax, x, []int{len(x.shape) - 1}), x, []int{len(x.shape) - 1})))
		return div(e, lastSum(e))
	}
	return newArray(&softmaxOp, x.dtype, x.shape, nil, x)
}

func logSumExpLast(x *Array) *Array {
	last := len(x.shape) - 1
	if x.dtype == dtype.Complex64 {
		top := reduce(device.ReduceMax, x, []int{last})
		return add(top, apply("log", reduce(device.ReduceSum, apply("exp", sub(x, unsqueeze(top, last))), []int{last})))
	}
	return newArray(&logSumExpOp, x.dtype, x.shape[:last:last], nil, x)
}

// norm builds a normalization by the named weight and bias.
func norm(a *Args, op *Def, weights ...param) *Array {
	x := a.array(by.x)
	if !x.dtype.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] the input must be floating point, not %s", op.Name, x.dtype)
	}
	if x.NDim() == 0 {
		errs.Throw(errs.ValueError, "[%s] the input must have at least one axis", op.Name)
	}
	d := x.shape[len(x.shape)-1]
	ins := []*Array{x}
	for i, p := range weights {
		w := a.optional(p)
		switch {
		case w == nil:
			w = BroadcastTo(like(x, float64(1-i)), []int{d}) // weight 1, bias 0
		case w.NDim() != 1 || w.shape[0] != d:
			errs.Throw(errs.ValueError,
				"[%s] a weight or bias of shape %s does not match the last axis of the input, shape %s",
				op.Name, layout.Format(w.shape), layout.Format(x.shape))
		default:
			// As in MLX, a bias alone is cast to the input's dtype instead of widening it.
			if d := dtype.Promote(x.dtype, w.dtype); d != x.dtype && a.given(by.weight) {
				x = AsType(x, d)
				ins[0] = x
			}
		}
		ins = append(ins, w)
	}
	for i, w := range ins {
		ins[i] = AsType(w, x.dtype)
	}
	return newArray(op, x.dtype, x.shape, device.NormAttr{Eps: a.float(by.eps)}, ins...)
}
