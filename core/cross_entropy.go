package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Cross entropy with class indices, whose softmax is never in memory: of logits over a vocabulary, that would be as
// large again.

var crossEntropyOp, crossEntropyGradOp Def

func init() {
	batch := func(y *Array, ins []*Array, mapped []bool, n int) *Array {
		return newArray(y.op, y.dtype, withBatch(n, y.shape), nil, batchAll(ins, mapped, n)...)
	}
	cost := func(y *Array) int { return 8 * max(y.inputs()[0].Size()/max(y.Size(), 1), 1) }
	define(&crossEntropyOp, Def{Name: "cross_entropy", Kind: device.KindCrossEntropy, Cost: cost, VMap: batch,
		Specs: func(_ *Array, ins []*Array) []Spec { return oneSpec(dtype.Float32, ins[1].shape) },
		VJP: func(y, ct *Array, want []bool) []*Array {
			return []*Array{crossEntropyGrad(y.in[0], y.in[1], ct), nil}
		},
		JVP: func(y *Array, t []*Array) *Array {
			x := y.in[0]
			ones := BroadcastTo(scalarOf(dtype.Float32, 1), y.shape)
			moved := mul(AsType(crossEntropyGrad(wide(x), y.in[1], ones), wide(x).dtype), wide(t[0]))
			return AsType(reduce(device.ReduceSum, moved, []int{len(y.shape)}), y.dtype)
		},
	})
	define(&crossEntropyGradOp, Def{Name: "cross_entropy", Kind: device.KindCrossEntropyGrad, Cost: cost, VMap: batch,
		Specs: shapedAs(0)})
	crossEntropyGradOp.VJP, crossEntropyGradOp.JVP = expanded(func(y *Array, xs []*Array) *Array {
		x, last := wide(xs[0]), len(y.shape)-1
		classes := x.shape[last]
		// Reading the numbers of the classes at the indices counts those from the end.
		at := gather(arange(dtype.Int32, classes), []*Array{xs[1]}, []int{0}, []int{1})
		hit := AsType(apply("equal", at, arange(dtype.Int32, classes)), x.dtype)
		scale := AsType(unsqueeze(xs[2], last), x.dtype)
		return AsType(mul(sub(softmaxLast(x), hit), scale), y.dtype)
	})
	register(Func{Name: "fast.cross_entropy", Sig: "(logits: array, targets: array) -> array",
		Call: callN(crossEntropy)})
}

func crossEntropyGrad(logits, targets, ct *Array) *Array {
	return newArray(&crossEntropyGradOp, logits.dtype, logits.shape, nil, logits, targets, ct)
}

func crossEntropy(a *Args) *Array {
	const op = "cross_entropy"
	logits, targets := a.array(by.logits), a.array(by.targets)
	if !logits.dtype.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] logits must be floating point, not %s", op, logits.dtype)
	}
	if !targets.dtype.IsInteger() {
		errs.Throw(errs.ValueError, "[%s] targets must be integers, the indices of classes, not %s", op, targets.dtype)
	}
	last := len(logits.shape) - 1
	if last < 0 || !slices.Equal(targets.shape, logits.shape[:last]) {
		errs.Throw(errs.ValueError, "[%s] targets must have the shape of logits without the last axis, but shapes "+
			"are %s and %s", op, layout.Format(targets.shape), layout.Format(logits.shape))
	}
	checkNonempty(op, logits, []*Array{targets}, []int{last})
	return newArray(&crossEntropyOp, dtype.Float32, targets.shape, nil, logits, targets)
}
