package core

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Arrays from nothing: one value everywhere, or an arithmetic progression.

var fillOp, arangeOp Def

func init() {
	define(&fillOp, Def{Name: "full", Linear: true, Kind: device.KindFill, Specs: shapeHeld,
		VJP: func(y, ct *Array, want []bool) []*Array { return []*Array{sumTo(ct, scalarShape)} },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			return BroadcastTo(insertOnes(ins[0], len(y.shape)+1), withBatch(n, y.shape))
		},
	})
	define(&arangeOp, Def{Name: "arange", Specs: noInputs, NoGrad: "it has no inputs", Kind: device.KindArange})

	filled := func(v float64) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			return fill(scalarOf(a.dtype(by.dtype), complex(v, 0)),
				a.shape(by.shape))
		})
	}
	filledLike := func(v float64) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			x := a.array(by.a)
			return fill(scalarOf(a.dtypeOr(by.dtype, x.dtype), complex(v, 0)), x.shape)
		})
	}
	const sig = "(shape: int | Sequence[int], dtype: Dtype | None = float32) -> array"
	const likeSig = "(a: array, /, dtype: Dtype | None = None) -> array"
	register(
		Func{Name: "zeros", Sig: sig, Call: filled(0)},
		Func{Name: "ones", Sig: sig, Call: filled(1)},
		Func{Name: "zeros_like", Sig: likeSig, Call: filledLike(0)},
		Func{Name: "ones_like", Sig: likeSig, Call: filledLike(1)},
		Func{Name: "full",
			Sig: "(shape: int | Sequence[int], vals: scalar | array, dtype: Dtype | None = None) -> array",
			Call: callN(func(a *Args) *Array {
				return full(a, a.shape(by.shape), a.dtypeOr(by.dtype, AsArray(a.arg(by.vals)).dtype))
			})},
		Func{Name: "full_like", Sig: "(a: array, vals: scalar | array, dtype: Dtype | None = None) -> array",
			Call: callN(func(a *Args) *Array {
				x := a.array(by.a)
				return full(a, x.shape, a.dtypeOr(by.dtype, x.dtype))
			})},
		Func{Name: "eye", Sig: "(n: int, m: int | None = None, k: int = 0, dtype: Dtype | None = float32) -> array",
			Call: callN(func(a *Args) *Array { return eye(a, a.int(by.n), a.intOr(by.m, a.int(by.n)), a.int(by.k)) })},
		Func{Name: "identity", Sig: "(n: int, dtype: Dtype | None = float32) -> array",
			Call: callN(func(a *Args) *Array { return eye(a, a.int(by.n), a.int(by.n), 0) })},
		Func{Name: "tri", Sig: "(n: int, m: int | None = None, k: int = 0, dtype: Dtype | None = None) -> array",
			Call: callN(func(a *Args) *Array {
				n := a.int(by.n)
				return AsType(diagonalMask("greater_equal", max(n, 0), max(a.intOr(by.m, n), 0), a.int(by.k)),
					a.dtypeOr(by.dtype, dtype.Float32))
			})},
		Func{Name: "arange",
			Sig: "(start: None | int | float = None, stop: None | int | float = None, " +
				"step: None | int | float | Dtype = None, dtype: Dtype | None = None) -> array",
			Call: callN(arangeCall)},
		Func{Name: "linspace",
			Sig: "(start: scalar, stop: scalar, num: int | None = 50, endpoint: bool = True, " +
				"dtype: Dtype | None = float32) -> array", Stream: byPosition,
			Call: callN(linspace)},
	)
}

// fill is an array with memory of its own that holds the scalar v everywhere.
func fill(v *Array, shape layout.Shape) *Array {
	if len(shape) == 0 {
		return v
	}
	if _, ok := layout.CheckedSize(shape, v.dtype.Size()); !ok {
		errs.Throw(errs.ValueError, "[full] shape %s is too large", layout.Format(shape))
	}
	return newArray(&fillOp, v.dtype, shape, nil, v)
}

// full spreads the argument vals, converted to d, over shape.
func full(a *Args, shape layout.Shape, d dtype.Dtype) *Array {
	return filledWith(a.name(), a.weak(by.vals, d), shape)
}

// filledWith is v stretched to shape in memory of its own.
func filledWith(op string, v *Array, shape layout.Shape) *Array {
	if !layout.CanBroadcastTo(v.shape, shape) {
		errs.Throw(errs.ValueError, "[%s] a value of shape %s cannot be broadcast to shape %s", op,
			layout.Format(v.shape), layout.Format(shape))
	}
	if v.Size() == 1 {
		return fill(Reshape(v, scalarShape), shape)
	}
	return Contiguous(BroadcastTo(v, shape))
}

// diagonalMask compares, at row i and column j of an n by m matrix, i + k with j.
func diagonalMask(row string, n, m, k int) *Array {
	k = min(max(k, -n), m) // beyond the corners nothing changes, and int32 holds it
	i := progression(dtype.Int32, int64(k), 1, n)
	return apply(row, Reshape(i, []int{n, 1}), Reshape(arange(dtype.Int32, m), []int{1, m}))
}

func eye(a *Args, n, m, k int) *Array {
	if n < 0 || m < 0 {
		errs.Throw(errs.ValueError, "[%s] the number of rows and columns must not be negative, as in (%d,%d)", a.name(),
			n, m)
	}
	return AsType(diagonalMask("equal", n, m, k), a.dtype(by.dtype))
}

// arange is 0, 1, ..., n-1.
func arange(d dtype.Dtype, n int) *Array { return progression(d, 0, 1, n) }

// progression is start, start + step, ... in integers, converted to d.
func progression(d dtype.Dtype, start, step int64, n int) *Array {
	return arangeWith(d, device.ArangeAttr{StartInt: start, StepInt: step, Start: float64(start), Step: float64(step)},
		n)
}

func arangeWith(d dtype.Dtype, at device.ArangeAttr, n int) *Array {
	if _, ok := layout.CheckedSize([]int{n}, 16); !ok {
		errs.Throw(errs.ValueError, "[arange] %d elements are too many", n)
	}
	if d == dtype.Complex64 {
		return AsType(arangeWith(dtype.Float32, at, n), d)
	}
	return newArray(&arangeOp, d, []int{n}, at)
}

// arangeCall sorts out the forms (stop), (stop, step, dtype), (start, stop, step, dtype).
func arangeCall(a *Args) *Array {
	zero, one := Arg{Kind: ArgInt}, Arg{Kind: ArgInt, Int: 1}
	start, stop, step, kind := a.arg(by.start), a.arg(by.stop), a.arg(by.step), a.arg(by.dtype)
	switch {
	case step.Kind == ArgDtype:
		if kind.Kind != ArgNone {
			errs.Throw(errs.TypeError, "[arange] the dtype is given twice")
		}
		start, stop, step, kind = &zero, start, stop, step
	case stop.Kind == ArgNone:
		start, stop = &zero, start
	case start.Kind == ArgNone:
		start = &zero
	}
	if step.Kind == ArgNone {
		step = &one
	}
	whole := true
	for _, x := range []*Arg{start, stop, step} {
		switch x.Kind {
		case ArgBool, ArgInt:
		case ArgFloat:
			whole = false
		case ArgNone:
			errs.Throw(errs.TypeError, "[arange] the bound stop is missing")
		default:
			errs.Throw(errs.TypeError, "[arange] start, stop and step must be numbers of int64 or float range")
		}
	}
	d := resultDtype("arange", []Arg{*start, *stop, *step})
	if start == &zero && step == &one {
		d = weakDtype(stop)
	}
	if kind.Kind != ArgNone {
		d = dtype.Dtype(kind.Int)
	}
	if d == dtype.Bool {
		errs.Throw(errs.ValueError, "[arange] bool is not supported; give integers or another dtype")
	}
	if whole {
		return progression(d, start.Int, step.Int, wholeSteps(start.Int, stop.Int, step.Int))
	}
	number := func(x *Arg) float64 {
		if x.Kind == ArgFloat {
			return x.Float
		}
		return float64(x.Int)
	}
	return floatProgression(d, number(start), number(stop), number(step))
}

// wholeSteps counts start, start+step, ... before stop. Differences of int64 are exact as uint64.
func wholeSteps(start, stop, step int64) int {
	if step == 0 {
		errs.Throw(errs.ValueError, "[arange] step must not be zero")
	}
	way, stride := uint64(stop)-uint64(start), uint64(step)
	if step < 0 {
		way, stride = -way, -stride
	}
	if (step > 0) != (stop > start) || stop == start {
		return 0
	}
	n := (way-1)/stride + 1
	if n > math.MaxInt64 {
		errs.Throw(errs.ValueError, "[arange] from %d to %d by %d is too many elements", start, stop, step)
	}
	return int(n)
}

func floatProgression(d dtype.Dtype, start, stop, step float64) *Array {
	var n int
	switch length := math.Ceil((stop - start) / step); {
	case step == 0:
		errs.Throw(errs.ValueError, "[arange] step must not be zero")
	case math.IsNaN(length), math.IsInf(length, 0), math.IsInf(start, 0), math.IsInf(stop, 0), length >= 1<<60:
		errs.Throw(errs.ValueError, "[arange] from %g to %g by %g is no finite number of elements", start, stop, step)
	case math.IsInf(step, 0):
		if stop != start && (stop > start) == (step > 0) {
			n = 1
		}
		step = 0 // the second element is never reached, and infinity times 0 is NaN
	default:
		n = int(max(length, 0))
	}
	if d.IsInteger() {
		// As in NumPy, the first two values are converted and give the step.
		first := int64(start)
		return progression(d, first, int64(start+step)-first, n)
	}
	return arangeWith(d, device.ArangeAttr{Start: start, Step: step}, n)
}

func linspace(a *Args) *Array {
	n, end, d := a.int(by.num), a.bool(by.endpoint), a.dtype(by.dtype)
	if n < 0 {
		errs.Throw(errs.ValueError, "[linspace] the number of samples must not be negative, as %d", n)
	}
	parts := n
	if end {
		parts--
	}
	if a.arg(by.start).Array != nil || a.arg(by.stop).Array != nil {
		return between(a, n, max(parts, 1), d)
	}
	start, stop, step := a.float(by.start), a.float(by.stop), 0.0
	if n > 1 {
		step = (stop - start) / float64(parts)
	}
	work := d
	switch {
	case d == dtype.Bool || d.IsInteger():
		work = dtype.Float64
	case !d.IsFloat():
		work = dtype.Float32
	}
	y := arangeWith(work, device.ArangeAttr{Start: start, Step: step}, n)
	if end && n > 1 {
		// start + (n-1)*step may miss stop by a rounding.
		y = sliceUpdate(y, scalarUpdate(work, stop), &sliceAttr{[]int{n - 1}, []int{1}})
	}
	return AsType(y, d)
}

// between is linspace for bounds that are arrays, whose values are not known yet: a weighted mean,
// which is exact at both ends.
func between(a *Args, n, parts int, d dtype.Dtype) *Array {
	work := dtype.Float32
	if d == dtype.Float64 || d == dtype.Complex64 {
		work = d
	}
	start, stop := AsType(a.array(by.start), work), AsType(a.array(by.stop), work)
	if start.Size() != 1 || stop.Size() != 1 {
		errs.Throw(errs.ValueError, "[linspace] the bounds must be scalars, not of shapes %s and %s",
			layout.Format(start.shape), layout.Format(stop.shape))
	}
	t := div(arange(work, n), scalarOf(work, complex(float64(parts), 0)))
	rest := sub(like(t, 1), t)
	return AsType(add(mul(Reshape(start, scalarShape), rest), mul(Reshape(stop, scalarShape), t)), d)
}

func scalarUpdate(d dtype.Dtype, v float64) *Array {
	return Reshape(scalarOf(d, complex(v, 0)), []int{1})
}
