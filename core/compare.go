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
	const closeSig = "(a: array, b: array, /, rtol: float = 1e-05, atol: float = 1e-08, *, " +
		"equal_nan: bool = False) -> array"
	register(
		Func{Name: "isclose", Sig: closeSig, Call: callN(isClose)},
		Func{Name: "allclose", Sig: closeSig,
			Call: callN(func(a *Args) *Array {
				c := isClose(a)
				return reduce(device.ReduceAnd, c, allAxes(len(c.shape)))
			})},
		Func{Name: "array_equal", Sig: "(a: scalar | array, b: scalar | array, equal_nan: bool = False) -> array",
			Stream: byPosition, Call: callN(arrayEqual)},
		Func{Name: "clip", Sig: "(a: array, /, a_min: scalar | array | None, a_max: scalar | array | None) -> array",
			Call: callN(clip)},
		Func{Name: "nan_to_num",
			Sig: "(a: scalar | array, nan: float = 0, posinf: float | None = None, " +
				"neginf: float | None = None) -> array", Call: callN(nanToNum)},
		Func{Name: "round", Sig: "(a: array, /, decimals: int = 0) -> array", Stream: byPosition, Method: true,
			Call: callN(func(a *Args) *Array { return round(a.array(by.a), a.int(by.decimals)) })},
		Func{Name: "divmod", Sig: "(a: scalar | array, b: scalar | array) -> tuple[array, array]", Stream: byPosition,
			Call: func(a *Args) []*Array {
				x, y := a.pair(by.a, by.b)
				return applyRows(divmodRows, x, y)
			}},
	)
}

func isClose(a *Args) *Array {
	x, y := a.pair(by.a, by.b)
	broadcastShapes(a.name(), x.shape, y.shape)
	rtol, atol, nan := a.float(by.rtol), a.float(by.atol), a.bool(by.equalNan)
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
	x, y := a.pair(by.a, by.b)
	if !layout.Equal(x.shape, y.shape) {
		return intScalar(dtype.Bool, 0)
	}
	same := apply("equal", x, y)
	if a.bool(by.equalNan) && x.dtype.IsInexact() {
		same = apply("logical_or", same, bothNaN(x, y))
	}
	return reduce(device.ReduceAnd, same, allAxes(len(x.shape)))
}

func clip(a *Args) *Array {
	if !a.given(by.aMin) && !a.given(by.aMax) {
		errs.Throw(errs.ValueError, "[clip] at most one of a_min and a_max may be None")
	}
	args := []Arg{*a.arg(by.a)}
	bounds := [2]param{by.aMin, by.aMax}
	for _, p := range bounds {
		if a.given(p) {
			args = append(args, *a.arg(p))
		}
	}
	x := a.arg(by.a).Array
	if x == nil {
		x = a.weak(by.a, resultDtype("clip", args))
	}
	y := x
	for i, op := range []string{"maximum", "minimum"} {
		if !a.given(bounds[i]) {
			continue
		}
		bound := a.arg(bounds[i]).Array
		if bound == nil { // a scalar is weak beside a, not beside the other bound
			bound = a.weak(bounds[i], resultDtype("clip", []Arg{{Kind: ArgArray, Array: x}, *a.arg(bounds[i])}))
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
	x := a.array(by.a)
	replace := func(x *Array) *Array {
		top := largest(x.dtype)
		y := where(apply("isposinf", x), like(x, a.floatOr(by.posinf, top)), x)
		y = where(apply("isneginf", x), like(x, a.floatOr(by.neginf, -top)), y)
		return where(apply("isnan", x), like(x, a.float(by.nan)), y)
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
