package core

import (
	"math"
	"slices"
	"strconv"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Norms and the cross product: what linear algebra there is that needs no factorization.

func init() {
	const sig = "(a: array, /, ord: None | int | float | str = None, axis: None | int | Sequence[int] = None, " +
		"keepdims: bool = False) -> array"
	register(
		Func{Name: "linalg.norm", Sig: sig, Call: callN(linalgNorm)},
		Func{Name: "linalg.cross", Sig: "(a: array, b: array, axis: int = -1) -> array", Call: callN(cross)},
	)
}

func linalgNorm(a *Args) *Array {
	x := a.array(by.a)
	axes, ok := a.ints(by.axis)
	if !ok {
		axes = allAxes(x.NDim())
	}
	sorted := normAxes(a.name(), axes, x.NDim())
	if !a.given(by.ord) && (!ok || len(axes) < 3) {
		return keepDims(vectorNorm(x, sorted, 2), x, sorted, a.bool(by.keepdims))
	}
	var y *Array
	switch len(axes) {
	case 1:
		if a.arg(by.ord).Kind == ArgString {
			errs.Throw(errs.ValueError, "[linalg.norm] ord '%s' is for matrices, shape %s has one axis to norm over",
				a.string(by.ord), layout.Format(x.shape))
		}
		y = vectorNorm(x, sorted, a.float(by.ord))
	case 2:
		y = matrixNorm(a, x, normAxis(a.name(), axes[0], x.NDim()), normAxis(a.name(), axes[1], x.NDim()))
	default:
		errs.Throw(errs.ValueError,
			"[linalg.norm] one axis gives the norms of vectors and two those of matrices, not %d; shape %s",
			len(axes), layout.Format(x.shape))
	}
	return keepDims(y, x, sorted, a.bool(by.keepdims))
}

// vectorNorm is the norm of x over axes taken as one vector, in at least float32 until it is whole.
func vectorNorm(x *Array, axes []int, ord float64) *Array {
	x = floated(x)
	size := wide(apply("abs", x))
	var y *Array
	switch {
	case ord == 2 && len(axes) == 0:
		y = size
	case ord == 2:
		y = apply("sqrt", reduce(device.ReduceSum, apply("square", size), axes))
	case ord == 1:
		y = reduce(device.ReduceSum, size, axes)
	case ord == 0:
		y = reduce(device.ReduceSum, AsType(apply("not_equal", size, like(size, 0)), size.dtype), axes)
	case math.IsInf(ord, 1):
		y = reduce(device.ReduceMax, size, axes)
	case math.IsInf(ord, -1):
		y = reduce(device.ReduceMin, size, axes)
	default:
		sum := reduce(device.ReduceSum, apply("power", size, like(size, ord)), axes)
		y = apply("power", sum, like(sum, 1/ord))
	}
	return narrowed(y, x)
}

// matrixNorm is the norm of the matrices whose rows lie along one axis and whose columns along another.
func matrixNorm(a *Args, x *Array, row, col int) *Array {
	if a.arg(by.ord).Kind == ArgString {
		switch name := a.string(by.ord); name {
		case "f", "fro":
			return vectorNorm(x, normAxes(a.name(), []int{row, col}, x.NDim()), 2)
		case "nuc":
			needsSingularValues("'nuc'")
		default:
			errs.Throw(errs.ValueError, "[linalg.norm] ord must be 'fro', 'nuc' or a number, not '%s'", name)
		}
	}
	ord := a.float(by.ord)
	summed, rest := row, col // the norm of order 1 is the largest sum of a column
	switch {
	case math.IsInf(ord, 0):
		summed, rest = col, row
	case ord == 1 || ord == -1:
	case ord == 2 || ord == -2:
		needsSingularValues(strconv.Itoa(int(ord)))
	default:
		errs.Throw(errs.ValueError,
			"[linalg.norm] ord of a matrix must be 1, 2, inf, their negatives, 'fro' or 'nuc', not %g", ord)
	}
	if rest > summed {
		rest--
	}
	x = floated(x)
	sums := reduce(device.ReduceSum, wide(apply("abs", x)), []int{summed})
	op := device.ReduceMax
	if ord < 0 {
		op = device.ReduceMin
	}
	return narrowed(reduce(op, sums, []int{rest}), x)
}

func needsSingularValues(ord string) {
	errs.Throw(errs.ValueError, "[linalg.norm] ord %s of a matrix needs singular values, which are not there yet", ord)
}

// cross is the vector product along one axis; a vector of two elements has a third, which is 0.
func cross(a *Args) *Array {
	xs := promoted([]*Array{a.array(by.a), a.array(by.b)})
	for i, x := range xs {
		axis := a.axis(by.axis, x.NDim())
		n := x.shape[axis]
		if n != 2 && n != 3 {
			errs.Throw(errs.ValueError, "[linalg.cross] axis %d of shape %s must have extent 2 or 3", axis,
				layout.Format(x.shape))
		}
		if n == 2 {
			lo, hi := slices.Repeat([]int{0}, x.NDim()), slices.Repeat([]int{0}, x.NDim())
			hi[axis] = 1
			xs[i] = padConstant(x, scalarOf(x.dtype, 0), lo, hi)
		}
	}
	x, y := xs[0], xs[1]
	shape := broadcastShapes("linalg.cross", x.shape, y.shape)
	x, y = BroadcastTo(x, shape), BroadcastTo(y, shape)
	axis := a.axis(by.axis, len(shape))
	part := func(z *Array, i int) *Array { return sliceAxis(z, axis, i, i+1) }
	parts := make([]*Array, 3)
	for i := range parts {
		j, k := (i+1)%3, (i+2)%3
		left, right := mul(part(x, j), part(y, k)), mul(part(x, k), part(y, j))
		if x.dtype == dtype.Bool {
			parts[i] = apply("logical_xor", left, right)
			continue
		}
		parts[i] = sub(left, right)
	}
	return Concatenate(parts, axis)
}
