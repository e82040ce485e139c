package core

import (
	"slices"
	"strings"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

var reduceOp, argReduceOp Def

var reduceNames = [device.ReduceOpCount]string{"sum", "prod", "min", "max", "all", "any"}

func init() {
	define(&reduceOp, Def{Name: "reduce", Specs: specsOfReduce,
		NameOf: func(at any) string { return reduceNames[at.(device.ReduceAttr).Op] },
		Kind:   device.KindReduce, VJP: vjpReduce, JVP: jvpReduce,
		Cost: func(y *Array) int { return max(y.in[0].Size()/max(y.Size(), 1), 1) },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(device.ReduceAttr)
			axes := make([]int, len(at.Axes))
			for i, a := range at.Axes {
				axes[i] = a + 1
			}
			return newArray(&reduceOp, y.dtype, withBatch(n, y.shape), device.ReduceAttr{Op: at.Op, Axes: axes}, ins[0])
		},
	})
	define(&argReduceOp, Def{Name: "argreduce", Specs: specsOfArgReduce,
		NameOf: func(at any) string { return argReduceName(at.(device.ArgReduceAttr).Max) },
		NoGrad: "the result is an integer", Kind: device.KindArgReduce,
		Cost: reduceOp.Cost,
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(device.ArgReduceAttr)
			return argReduce(ins[0], at.Axis+1, at.Max)
		},
	})
}

func init() {
	const sig = "(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False) -> array"
	const argSig = "(a: array, /, axis: None | int = None, keepdims: bool = False) -> array"
	const ddofSig = "(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, ddof: int = 0, " +
		"*, correction: int | None = None) -> array"
	fold := func(op device.ReduceOp) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			x := a.array(by.a)
			axes := a.axes(by.axis, x.NDim())
			return keepDims(reduce(op, x, axes), x, axes, a.bool(by.keepdims))
		})
	}
	over := func(f func(x *Array, axes []int) *Array) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			x := a.array(by.a)
			axes := a.axes(by.axis, x.NDim())
			return keepDims(f(x, axes), x, axes, a.bool(by.keepdims))
		})
	}
	spread := func(f func(x *Array, axes []int, ddof int) *Array) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			x := a.array(by.a)
			axes := a.axes(by.axis, x.NDim())
			return keepDims(f(x, axes, a.intOr(by.correction, a.int(by.ddof))), x, axes, a.bool(by.keepdims))
		})
	}
	position := func(max bool) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			x := a.array(by.a)
			if !a.given(by.axis) {
				y := argReduce(Reshape(x, []int{-1}), 0, max)
				return keepDims(y, x, allAxes(x.NDim()), a.bool(by.keepdims))
			}
			axis := a.axis(by.axis, x.NDim())
			return keepDims(argReduce(x, axis, max), x, []int{axis}, a.bool(by.keepdims))
		})
	}
	register(numpyMethods(
		Func{Name: "sum", Sig: sig, Call: fold(device.ReduceSum)},
		Func{Name: "prod", Sig: sig, Call: fold(device.ReduceProd)},
		Func{Name: "min", Sig: sig, Call: fold(device.ReduceMin)},
		Func{Name: "max", Sig: sig, Call: fold(device.ReduceMax)},
		Func{Name: "all", Sig: sig, Call: fold(device.ReduceAnd)},
		Func{Name: "any", Sig: sig, Call: fold(device.ReduceOr)},
		Func{Name: "mean", Sig: sig, Call: over(mean)},
		Func{Name: "median", Sig: sig, Call: over(median)},
		Func{Name: "count_nonzero",
			Sig: "(a: array, /, axis: None | int | Sequence[int] = None, *, keepdims: bool = False) -> array",
			Call: over(func(x *Array, axes []int) *Array {
				return reduce(device.ReduceSum, AsType(apply("not_equal", x, scalarOf(x.dtype, 0)), dtype.Int32), axes)
			})},
		Func{Name: "var", Sig: ddofSig, Call: spread(variance)},
		Func{Name: "std", Sig: ddofSig, Call: spread(deviation)},
		Func{Name: "minmax",
			Sig: strings.Replace(sig, "-> array", "-> tuple[array, array]", 1),
			Call: func(a *Args) []*Array {
				return append(fold(device.ReduceMin)(a), fold(device.ReduceMax)(a)...)
			}},
		Func{Name: "argmin", Sig: argSig, Method: true, Call: position(false)},
		Func{Name: "argmax", Sig: argSig, Method: true, Call: position(true)},
	)...)
}

// reduceDtype is what a fold of d's gives.
func reduceDtype(op device.ReduceOp, d dtype.Dtype) dtype.Dtype {
	switch {
	case op == device.ReduceAnd || op == device.ReduceOr:
		return dtype.Bool
	case op == device.ReduceMin || op == device.ReduceMax:
		return d
	case d == dtype.Bool:
		return dtype.Int32
	case d.IsInteger() && d.Size() < 4 && d.Group() == dtype.GroupSigned:
		return dtype.Int32
	case d.IsInteger() && d.Size() < 4:
		return dtype.Uint32
	}
	return d
}

// reduce folds the given ascending axes and drops them.
func reduce(op device.ReduceOp, x *Array, axes []int) *Array {
	d := reduceDtype(op, x.dtype)
	if len(axes) == 0 {
		if op == device.ReduceAnd || op == device.ReduceOr {
			return apply("not_equal", x, scalarOf(x.dtype, 0))
		}
		return AsType(x, d)
	}
	shape := make([]int, 0, len(x.shape))
	for i, n := range x.shape {
		if !slices.Contains(axes, i) {
			shape = append(shape, n)
		} else if n == 0 && (op == device.ReduceMin || op == device.ReduceMax) {
			errs.Throw(errs.ValueError, "[%s] axis %d of shape %s is empty and has no %s", reduceNames[op], i,
				layout.Format(x.shape), reduceNames[op])
		}
	}
	return newArray(&reduceOp, d, shape, device.ReduceAttr{Op: op, Axes: axes}, x)
}

func argReduceName(largest bool) string {
	if largest {
		return "argmax"
	}
	return "argmin"
}

func argReduce(x *Array, axis int, largest bool) *Array {
	name := argReduceName(largest)
	if x.shape[axis] == 0 {
		errs.Throw(errs.ValueError, "[%s] axis %d of shape %s is empty", name, axis, layout.Format(x.shape))
	}
	checkPositions(name, x.shape, axis)
	if x.dtype == dtype.Complex64 {
		// The first place that holds the extreme, or a NaN: where there is one, the extreme is NaN and equals nothing.
		op := device.ReduceMin
		if largest {
			op = device.ReduceMax
		}
		extreme := expandAt(reduce(op, x, []int{axis}), x, []int{axis})
		x = apply("logical_or", apply("equal", x, extreme), apply("isnan", x))
		largest = true
	}
	shape := slices.Delete(slices.Clone(x.shape), axis, axis+1)
	return newArray(&argReduceOp, dtype.Uint32, shape, device.ArgReduceAttr{Max: largest, Axis: axis}, x)
}

// keepDims puts the reduced axes back with extent 1, if wanted.
func keepDims(y, x *Array, axes []int, keep bool) *Array {
	if !keep {
		return y
	}
	return expandAt(y, x, axes)
}

// expandAt reshapes y, which lacks axes of x, to x's rank.
func expandAt(y, x *Array, axes []int) *Array {
	shape := slices.Clone(x.shape)
	for _, a := range axes {
		shape[a] = 1
	}
	return Reshape(y, shape)
}

func vjpReduce(y, ct *Array, want []bool) []*Array {
	x, at := y.in[0], y.attr.(device.ReduceAttr)
	ct = expandAt(ct, x, at.Axes)
	switch at.Op {
	case device.ReduceSum:
		return []*Array{BroadcastTo(AsType(ct, x.dtype), x.shape)}
	case device.ReduceProd:
		return []*Array{mul(ct, conj(prodOfOthers(x, at.Axes)))}
	case device.ReduceMin, device.ReduceMax:
		mask := wide(AsType(apply("equal", x, expandAt(y, x, at.Axes)), ct.dtype)) // a half holds no count above 65504
		count := expandAt(reduce(device.ReduceSum, mask, at.Axes), x, at.Axes)
		return []*Array{mul(ct, AsType(div(mask, count), ct.dtype))}
	}
	return []*Array{nil}
}

func jvpReduce(y *Array, tangents []*Array) *Array {
	x, t, at := y.in[0], tangents[0], y.attr.(device.ReduceAttr)
	switch at.Op {
	case device.ReduceSum:
		return newArray(&reduceOp, y.dtype, y.shape, at, t)
	case device.ReduceProd:
		return reduce(device.ReduceSum, mul(t, prodOfOthers(x, at.Axes)), at.Axes)
	case device.ReduceMin, device.ReduceMax:
		mask := wide(AsType(apply("equal", x, expandAt(y, x, at.Axes)), t.dtype))
		return AsType(div(reduce(device.ReduceSum, mul(wide(t), mask), at.Axes),
			reduce(device.ReduceSum, mask, at.Axes)), t.dtype)
	}
	return nil
}

func conj(x *Array) *Array {
	if x.dtype != dtype.Complex64 {
		return x
	}
	return apply("conjugate", x)
}

// prodOfOthers is, for every element, the product of the others along axes. Products from both
// sides avoid the division that zeros would break.
func prodOfOthers(x *Array, axes []int) *Array {
	rest := make([]int, 0, len(x.shape))
	for i := range x.shape {
		if !slices.Contains(axes, i) {
			rest = append(rest, i)
		}
	}
	perm := append(rest, axes...)
	moved := Transpose(wide(x), perm) // halves hold the product of the others more often than those of both sides
	flat := Reshape(moved, append(slices.Clone(moved.shape[:len(rest)]), -1))
	last := len(flat.shape) - 1
	others := mul(scan(device.ScanProd, flat, last, false, false), scan(device.ScanProd, flat, last, true, false))
	inverse := make([]int, len(perm))
	for i, p := range perm {
		inverse[p] = i
	}
	return AsType(Transpose(Reshape(others, moved.shape), inverse), x.dtype)
}

// countOf is the number of elements folded over axes.
func countOf(x *Array, axes []int) int {
	n := 1
	for _, a := range axes {
		n *= x.shape[a]
	}
	return n
}

// wideSum is the sum in at least float32: kernels add halves up in more than that anyway.
func wideSum(x *Array, axes []int) *Array {
	y := reduce(device.ReduceSum, x, axes)
	switch {
	case !x.dtype.IsHalf():
		return y
	case y.op != &reduceOp:
		return wide(x)
	}
	return newArray(&reduceOp, dtype.Float32, y.shape, y.attr, x)
}

// wideMean is the mean in at least float32, which the sum of halves often needs though the mean fits them.
func wideMean(x *Array, axes []int) *Array {
	s := wideSum(floated(x), axes)
	return div(s, like(s, float64(countOf(x, axes))))
}

func mean(x *Array, axes []int) *Array {
	return AsType(wideMean(x, axes), x.dtype.ToFloat())
}

// wideVariance is the variance in at least float32.
func wideVariance(x *Array, axes []int, ddof int) *Array {
	x = floated(x)
	d := sub(wide(x), expandAt(wideMean(x, axes), x, axes))
	if d.dtype == dtype.Complex64 {
		d = apply("abs", d)
	}
	s := reduce(device.ReduceSum, apply("square", d), axes)
	return div(s, like(s, float64(max(countOf(x, axes)-ddof, 0))))
}

// narrowed is y, computed from x, in the dtype that results of x's have: x's own if that is a half.
func narrowed(y, x *Array) *Array {
	if x.dtype.IsHalf() {
		return AsType(y, x.dtype)
	}
	return y
}

func variance(x *Array, axes []int, ddof int) *Array { return narrowed(wideVariance(x, axes, ddof), x) }

// deviation is rounded to a half after the root only: at +-512 a float16 holds it, but not the variance.
func deviation(x *Array, axes []int, ddof int) *Array {
	return narrowed(apply("sqrt", wideVariance(x, axes, ddof)), x)
}

func median(x *Array, axes []int) *Array {
	x = floated(x)
	n := countOf(x, axes)
	if n == 0 {
		errs.Throw(errs.ValueError, "[median] axes %s of shape %s are empty", layout.Format(axes),
			layout.Format(x.shape))
	}
	rest := make([]int, 0, len(x.shape))
	shape := make([]int, 0, len(x.shape)+1)
	for i, d := range x.shape {
		if !slices.Contains(axes, i) {
			rest = append(rest, i)
			shape = append(shape, d)
		}
	}
	last := len(rest)
	flat := sortAxis(Reshape(Transpose(x, append(rest, axes...)), append(shape, n)), last, -1)
	pick := func(i int) *Array { return Reshape(sliceAxis(flat, last, i, i+1), shape) }
	m := pick(n / 2)
	if n%2 == 0 {
		a, b := wide(pick(n/2-1)), wide(m)
		m = narrowed(mul(add(a, b), like(b, 0.5)), m)
	}
	// NaN sorts last, and one is enough to make the median NaN.
	end := pick(n - 1)
	return where(apply("isnan", end), end, m)
}
