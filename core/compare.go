package core

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Comparisons of whole arrays, and elementwise functions with options.

func init() {
	const stream = ", stream: StreamOrDevice = None) -> "
	const closeSig = "(a: array, b: array, /, rtol: float = 1e-05, atol: float = 1e-08, *, equal_nan: bool = False" + stream + "array"
	const closeArgs = "\n\nArgs:\n    a: First array.\n    b: Second array, the reference.\n    rtol: Tolerance relative to ``b``.\n    atol: Absolute tolerance.\n    equal_nan: Whether NaN is close to NaN.\n\nReturns:\n    "
	register(
		Func{Name: "isclose", Sig: closeSig, Call: callN(isClose),
			Doc: "Element-wise abs(a - b) <= atol + rtol * abs(b). Infinities are close to themselves only." + closeArgs + "A bool array of the broadcast shape.\n\nExample:\n    >>> mx.isclose(mx.array([1.0, 2.0]), mx.array([1.0, 2.1]))\n    array([True, False], dtype=bool)"},
		Func{Name: "allclose", Sig: closeSig,
			Call: callN(func(a *Args) *Array {
				c := isClose(a)
				return reduce(device.ReduceAnd, c, allAxes(len(c.shape)))
			}),
			Doc: "Whether all elements are close, as :func:`isclose` tells." + closeArgs + "A bool scalar.\n\nExample:\n    >>> mx.allclose(mx.array([1.0]), mx.array([1.0]))\n    array(True, dtype=bool)"},
		Func{Name: "array_equal", Sig: "(a: scalar | array, b: scalar | array, equal_nan: bool = False" + stream + "array", Call: callN(arrayEqual),
			Doc: "Whether two arrays have one shape and equal elements.\n\nArgs:\n    a: First array or scalar.\n    b: Second array or scalar.\n    equal_nan: Whether NaN equals NaN.\n\nReturns:\n    A bool scalar.\n\nExample:\n    >>> mx.array_equal(mx.array([1, 2]), mx.array([1, 2]))\n    array(True, dtype=bool)"},
		Func{Name: "clip", Sig: "(a: array, /, a_min: scalar | array | None, a_max: scalar | array | None, *" + stream + "array", Call: callN(clip),
			Doc: "Element-wise restriction to an interval: minimum(maximum(a, a_min), a_max).\n\nArgs:\n    a: Input array.\n    a_min: Lower bound, or None.\n    a_max: Upper bound, or None; one of them must be given.\n\nReturns:\n    An array of the broadcast shape and promoted dtype.\n\nExample:\n    >>> mx.clip(mx.array([1, 5, 9]), 2, 6)\n    array([2, 5, 6], dtype=int32)"},
		Func{Name: "nan_to_num", Sig: "(a: scalar | array, nan: float = 0, posinf: float | None = None, neginf: float | None = None, *" + stream + "array", Call: callN(nanToNum),
			Doc: "Array with NaN and infinities replaced.\n\nArgs:\n    a: Input array or scalar.\n    nan: What replaces NaN.\n    posinf: What replaces positive infinity, the largest finite value if None.\n    neginf: What replaces negative infinity, the smallest finite value if None.\n\nReturns:\n    An array of the same shape and dtype.\n\nExample:\n    >>> mx.nan_to_num(mx.array([1.0, float('nan')]))\n    array([1, 0], dtype=float32)"},
		Func{Name: "round", Sig: "(a: array, /, decimals: int = 0" + stream + "array", Method: true,
			Call: callN(func(a *Args) *Array { return round(a.array(0), a.int(1, 0)) }),
			Doc:  "Element-wise rounding to a number of decimals, ties to even.\n\nArgs:\n    a: Input array.\n    decimals: Places behind the point; negative ones round to tens, hundreds, ...\n\nReturns:\n    An array of the same shape and dtype.\n\nExample:\n    >>> mx.round(mx.array([1.25, 2.5]), 1)\n    array([1.2, 2.5], dtype=float32)"},
		Func{Name: "divmod", Sig: "(a: scalar | array, b: scalar | array" + stream + "tuple[array, array]",
			Call: func(a *Args) []*Array {
				x, y := a.pair(0)
				if x.dtype == dtype.Complex64 {
					errs.Throw(errs.ValueError, "[divmod] complex64 is not supported")
				}
				return []*Array{apply("floor_divide", x, y), apply("remainder", x, y)}
			},
			Doc: "Element-wise quotient rounded down, and remainder.\n\nArgs:\n    a: Dividend.\n    b: Divisor.\n\nReturns:\n    The pair (floor_divide(a, b), remainder(a, b)).\n\nExample:\n    >>> mx.divmod(mx.array(7), mx.array(2))\n    (array(3, dtype=int32), array(1, dtype=int32))"},
	)
}

func isClose(a *Args) *Array {
	x, y := a.pair(0)
	broadcastShapes(a.name(), x.shape, y.shape)
	rtol, atol, nan := a.float(2, 1e-5), a.float(3, 1e-8), a.bool(4, false)
	// Exact equality settles infinities, and integers too large for a float.
	out := apply("equal", x, y)
	x, y = wide(floated(x)), wide(floated(y))
	size, distance := apply("abs", y), apply("abs", sub(x, y))
	near := apply("less_equal", distance, add(like(size, atol), mul(size, like(size, rtol))))
	out = apply("logical_or", out, apply("logical_and", near, apply("isfinite", y)))
	if nan {
		out = apply("logical_or", out, bothNaN(x, y))
	}
	return out
}

func bothNaN(x, y *Array) *Array { return apply("logical_and", apply("isnan", x), apply("isnan", y)) }

func arrayEqual(a *Args) *Array {
	x, y := a.pair(0)
	if !layout.Equal(x.shape, y.shape) {
		return intScalar(dtype.Bool, 0)
	}
	same := apply("equal", x, y)
	if a.bool(2, false) && x.dtype.IsInexact() {
		same = apply("logical_or", same, bothNaN(x, y))
	}
	return reduce(device.ReduceAnd, same, allAxes(len(x.shape)))
}

func clip(a *Args) *Array {
	if !a.given(1) && !a.given(2) {
		errs.Throw(errs.ValueError, "[clip] at most one of a_min and a_max may be None")
	}
	args := []Arg{*a.arg(0)}
	for i := 1; i < 3; i++ {
		if a.given(i) {
			args = append(args, *a.arg(i))
		}
	}
	x := a.arg(0).Array
	if x == nil {
		x = a.weak(0, resultDtype("clip", args))
	}
	y := x
	for i, op := range []string{"maximum", "minimum"} {
		if !a.given(i + 1) {
			continue
		}
		bound := a.arg(i + 1).Array
		if bound == nil { // a scalar is weak beside a, not beside the other bound
			bound = a.weak(i+1, resultDtype("clip", []Arg{{Kind: ArgArray, Array: x}, *a.arg(i + 1)}))
		}
		y = apply(op, y, bound)
	}
	return y
}

// largest is the largest finite value of a floating-point dtype.
func largest(d dtype.Dtype) float64 {
	switch d {
	case dtype.Float16:
		return 65504
	case dtype.BFloat16:
		return 0x1.fep127
	case dtype.Float64:
		return math.MaxFloat64
	}
	return math.MaxFloat32
}

func nanToNum(a *Args) *Array {
	x := a.array(0)
	replace := func(x *Array) *Array {
		top := largest(x.dtype)
		y := where(apply("isposinf", x), like(x, a.float(2, top)), x)
		y = where(apply("isneginf", x), like(x, a.float(3, -top)), y)
		return where(apply("isnan", x), like(x, a.float(1, 0)), y)
	}
	switch {
	case !x.dtype.IsInexact():
		return x
	case x.dtype == dtype.Complex64:
		return byParts(x, replace)
	}
	return replace(x)
}

// byParts applies f to the real and to the imaginary part.
func byParts(x *Array, f func(*Array) *Array) *Array {
	return add(f(apply("real", x)), apply("imaginary", f(apply("imag", x))))
}

func round(x *Array, decimals int) *Array {
	switch {
	case decimals == 0:
		return apply("rint", x)
	case x.dtype == dtype.Complex64:
		return byParts(x, func(p *Array) *Array { return round(p, decimals) })
	case x.dtype.IsFloat():
		// Rounding is flat, and so is the choice below.
		return StopGradient(AsType(roundFloat(wide(x), decimals), x.dtype))
	case decimals > 0:
		return x
	}
	return roundInteger(x, -decimals)
}

func roundFloat(x *Array, decimals int) *Array {
	whole := 0x1p23 // from here on every float is an integer
	if x.dtype == dtype.Float64 {
		whole = 0x1p52
	}
	if decimals < 0 {
		unit := math.Pow(10, float64(-decimals))
		if unit > largest(x.dtype) {
			return mul(x, like(x, 0))
		}
		return mul(apply("rint", div(x, like(x, unit))), like(x, unit))
	}
	unit := like(x, math.Pow(10, float64(decimals)))
	scaled := mul(x, unit)
	fine := apply("less", apply("abs", scaled), like(x, whole))
	return where(fine, div(apply("rint", scaled), unit), x)
}

// roundInteger rounds to multiples of 10^places, ties to even multiples.
func roundInteger(x *Array, places int) *Array {
	zero := scalarOf(x.dtype, 0)
	unit := int64(1)
	for range places {
		if unit > math.MaxInt64/10 {
			unit = 0
			break
		}
		unit *= 10
	}
	if x.dtype == dtype.Bool || unit == 0 || !intFits(unit, x.dtype) {
		return apply("multiply", x, zero)
	}
	u := intScalar(x.dtype, unit)
	q := apply("floor_divide", x, u)
	r := sub(x, mul(q, u))
	rest := sub(u, r) // compared with r, since 2r may not fit
	odd := apply("not_equal", apply("bitwise_and", q, intScalar(x.dtype, 1)), zero)
	up := apply("logical_or", apply("greater", r, rest), apply("logical_and", apply("equal", r, rest), odd))
	return mul(add(q, AsType(up, x.dtype)), u)
}
