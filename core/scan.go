package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

var scanOp Def

var scanNames = [device.ScanOpCount]string{"cumsum", "cumprod", "cummin", "cummax", "logcumsumexp"}

func init() {
	define(&scanOp, Def{Name: "scan", Specs: shapedAs(0),
		NameOf: func(at any) string { return scanNames[at.(device.ScanAttr).Op] },
		Kind:   device.KindScan, VJP: vjpScan, JVP: jvpScan,
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(device.ScanAttr)
			at.Axis++
			return newArray(&scanOp, y.dtype, ins[0].shape, at, ins[0])
		},
	})
	cum := func(op device.ScanOp, prepare func(x *Array, a *Args) *Array) func(*Args) []*Array {
		return callN(func(a *Args) *Array {
			x := prepare(a.array(by.a), a)
			axis := 0
			if a.given(by.axis) {
				axis = a.axis(by.axis, x.NDim())
			} else {
				x = Reshape(x, []int{-1})
			}
			return scan(op, x, axis, a.bool(by.reverse), a.bool(by.inclusive))
		})
	}
	summand := func(x *Array, a *Args) *Array {
		d := x.dtype
		if d == dtype.Bool {
			d = dtype.Int32
		}
		return AsType(x, a.dtypeOr(by.dtype, d))
	}
	factor := func(x *Array, a *Args) *Array { return AsType(x, a.dtypeOr(by.dtype, x.dtype)) }
	same := func(x *Array, a *Args) *Array { return x }
	const sigDtype = "(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, " +
		"dtype: Dtype | None = None) -> array"
	const sig = "(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True) -> array"
	register(
		Func{Name: "cumsum", Sig: sigDtype, Method: true, Call: cum(device.ScanSum, summand)},
		Func{Name: "cumprod", Sig: sigDtype, Method: true, Call: cum(device.ScanProd, factor)},
		Func{Name: "cummax", Sig: sig, Method: true, Call: cum(device.ScanMax, same)},
		Func{Name: "cummin", Sig: sig, Method: true, Call: cum(device.ScanMin, same)},
		Func{Name: "logcumsumexp", Sig: sig, Method: true,
			Call: cum(device.ScanLogAddExp, func(x *Array, a *Args) *Array { return floated(x) })},
		Func{Name: "diff", Sig: "(a: array, /, n: int = 1, axis: int = -1) -> array", Call: callN(func(a *Args) *Array {
			x, n := a.array(by.a), a.int(by.n)
			axis := a.axis(by.axis, x.NDim())
			if n < 0 {
				errs.Throw(errs.ValueError, "[diff] the order must be non-negative, not %d", n)
			}
			for range min(n, x.shape[axis]) {
				k := x.shape[axis]
				hi, lo := sliceAxis(x, axis, min(1, k), k), sliceAxis(x, axis, 0, max(k-1, 0))
				if x.dtype == dtype.Bool {
					x = apply("not_equal", hi, lo)
				} else {
					x = sub(hi, lo)
				}
			}
			return x
		})},
	)
}

// scan folds prefixes of x along axis.
func scan(op device.ScanOp, x *Array, axis int, reverse, inclusive bool) *Array {
	return newArray(&scanOp, x.dtype, x.shape,
		device.ScanAttr{Op: op, Axis: axis, Reverse: reverse, Inclusive: inclusive}, x)
}

// logPositive is log(x) where x is positive, and elsewhere a number whose exponential is 0: finite, and with
// derivative 0, so that derivatives of what is built on it hold.
func logPositive(x *Array) *Array {
	low := -1e30
	if x.dtype == dtype.Float16 {
		low = -3e4
	}
	above := apply("greater", x, like(x, 0))
	return apply("where", above, apply("log", apply("where", above, x, like(x, 1))), like(x, low))
}

// aboveInf is the logarithm y of a sum where the sum is positive, and 0 where it is 0, of which nothing has a share.
func aboveInf(y *Array) *Array {
	return where(apply("equal", y, like(y, math.Inf(-1))), like(y, 0), y)
}

func vjpScan(y, ct *Array, want []bool) []*Array {
	x, at := y.in[0], y.attr.(device.ScanAttr)
	back := func(g *Array) *Array { return scan(device.ScanSum, g, at.Axis, !at.Reverse, at.Inclusive) }
	switch at.Op {
	case device.ScanSum:
		return []*Array{back(ct)}
	case device.ScanLogAddExp:
		// d y_j / d x_i = exp(x_i - y_j); sums of ct*exp(-y) are taken in logarithms so that exp stays finite.
		y = aboveInf(y)
		pos, negative := logPositive(ct), logPositive(neg(ct))
		part := func(l *Array) *Array {
			return apply("exp", add(scan(device.ScanLogAddExp, sub(l, y), at.Axis, !at.Reverse, at.Inclusive), x))
		}
		return []*Array{sub(part(pos), part(negative))}
	case device.ScanMin, device.ScanMax:
		from := argScan(x, at)
		if !at.Inclusive {
			from, ct = shifted(from, ct, at)
		}
		return []*Array{scatterAxisAdd(zerosLike(x), from, ct, at.Axis)}
	}
	return []*Array{vjpCumProd(x, ct, at)}
}

func zerosLike(x *Array) *Array { return zeros(x.dtype, x.shape) }

// argScan is, for every position of the inclusive cumulative minimum or maximum of x, where its
// value came from: the last position that held it.
func argScan(x *Array, at device.ScanAttr) *Array {
	n := x.shape[at.Axis]
	shape := make([]int, len(x.shape))
	for i := range shape {
		shape[i] = 1
	}
	shape[at.Axis] = n
	position := BroadcastTo(Reshape(arange(dtype.Int32, n), shape), x.shape)
	hit := apply("equal", x, scan(at.Op, x, at.Axis, at.Reverse, true))
	op, missing := device.ScanMax, -1
	if at.Reverse {
		op, missing = device.ScanMin, n
	}
	return scan(op, where(hit, position, intScalar(dtype.Int32, int64(missing))), at.Axis, at.Reverse, true)
}

// shifted pairs the positions of an inclusive scan with the results of the exclusive one, which
// lag by one; the first exclusive result is a constant.
func shifted(from, ct *Array, at device.ScanAttr) (*Array, *Array) {
	n := ct.shape[at.Axis]
	one, rest := min(1, n), max(n-1, 0)
	behind, ahead := sliceAxis(from, at.Axis, 0, rest), sliceAxis(ct, at.Axis, one, n)
	if at.Reverse {
		behind, ahead = sliceAxis(from, at.Axis, one, n), sliceAxis(ct, at.Axis, 0, rest)
	}
	return behind, ahead
}

// cumProdJacobian gives, with the scanned axis moved last and run forward, the matrix [..., i, j] of
// d y_j / d x_i: the product of the other factors of y_j. All pairs make it quadratic in
// the extent, and right where factors are zero.
func cumProdJacobian(x *Array, at device.ScanAttr) *Array {
	last := len(x.shape) - 1
	n := x.shape[last]
	i, j := Reshape(arange(dtype.Int32, n), []int{n, 1}), Reshape(arange(dtype.Int32, n), []int{1, n})
	upto := "less_equal"
	if !at.Inclusive {
		upto = "less"
	}
	row := BroadcastTo(unsqueeze(x, last), append(slices.Clone(x.shape), n))
	others := where(apply("equal", i, j), like(x, 1), row)
	products := scan(device.ScanProd, others, last+1, false, at.Inclusive)
	return where(apply(upto, i, j), products, like(x, 0))
}

// scanLast moves the scanned axis last and turns it forward; back undoes it.
func scanLast(x *Array, at device.ScanAttr) (y *Array, back func(*Array) *Array) {
	last := len(x.shape) - 1
	y = moveAxis(x, at.Axis, last)
	if at.Reverse {
		y = flipAxis(y, last)
	}
	return y, func(g *Array) *Array {
		if at.Reverse {
			g = flipAxis(g, last)
		}
		return moveAxis(g, last, at.Axis)
	}
}

func vjpCumProd(x, ct *Array, at device.ScanAttr) *Array {
	x, back := scanLast(x, at)
	ct, _ = scanLast(ct, at)
	last := len(x.shape) - 1
	return back(reduce(device.ReduceSum, mul(unsqueeze(ct, last), conj(cumProdJacobian(x, at))), []int{last + 1}))
}

func jvpCumProd(x, t *Array, at device.ScanAttr) *Array {
	x, back := scanLast(x, at)
	t, _ = scanLast(t, at)
	last := len(x.shape) - 1
	return back(reduce(device.ReduceSum, mul(unsqueeze(t, last+1), cumProdJacobian(x, at)), []int{last}))
}

// unsqueeze inserts an axis of extent 1.
func unsqueeze(x *Array, axis int) *Array {
	return Reshape(x, slices.Insert(slices.Clone(x.shape), axis, 1))
}

func jvpScan(y *Array, tangents []*Array) *Array {
	x, t, at := y.in[0], tangents[0], y.attr.(device.ScanAttr)
	switch at.Op {
	case device.ScanSum:
		return remake(y, tangents)
	case device.ScanLogAddExp:
		// y' = exp(-y) * cumsum(exp(x) t), in logarithms: one factor taken out of all prefixes would overflow in some.
		y := aboveInf(y)
		part := func(l *Array) *Array {
			return apply("exp", sub(scan(device.ScanLogAddExp, add(x, l), at.Axis, at.Reverse, at.Inclusive), y))
		}
		return sub(part(logPositive(t)), part(logPositive(neg(t))))
	case device.ScanMin, device.ScanMax:
		if from := argScan(x, at); at.Inclusive {
			return gatherAxis(t, from, at.Axis)
		} else {
			n := x.shape[at.Axis]
			first, rest := zeros(t.dtype, sliceAxis(t, at.Axis, 0, min(1, n)).shape),
				sliceAxis(from, at.Axis, 0, max(n-1, 0))
			if at.Reverse {
				rest = sliceAxis(from, at.Axis, min(1, n), n)
				return Concatenate([]*Array{gatherAxis(t, rest, at.Axis), first}, at.Axis)
			}
			return Concatenate([]*Array{first, gatherAxis(t, rest, at.Axis)}, at.Axis)
		}
	}
	return jvpCumProd(x, t, at)
}
