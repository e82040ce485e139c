package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Functions that give the same elements another shape, order of axes or dtype.

func init() {
	permute := func(a *Args) *Array {
		x := a.first()
		if perm, ok := a.sequence(by.axes); ok {
			return Transpose(x, checkPerm("transpose", perm, x))
		}
		return TransposeAll(x)
	}
	const permSig = "(a: array, /, axes: Sequence[int] | None = None) -> array"
	reshape := callN(func(a *Args) *Array {
		shape, ok := a.sequence(by.shape)
		if !ok {
			errs.Throw(errs.TypeError, "[reshape] a shape is missing")
		}
		return Reshape(a.first(), shape)
	})
	register(
		Func{Name: "reshape", Sig: "(a: array, /, shape: Sequence[int]) -> array", Call: reshape},
		Func{Name: "array.reshape", Sig: "(self, *shape) -> array", Call: reshape},
		Func{Name: "flatten", Sig: "(a: array, /, start_axis: int = 0, end_axis: int = -1) -> array", Method: true,
			Call: callN(flatten)},
		Func{Name: "unflatten", Sig: "(a: array, /, axis: int, shape: Sequence[int]) -> array", Call: callN(unflatten)},
		Func{Name: "squeeze", Sig: "(a: array, /, axis: None | int | Sequence[int] = None) -> array", Method: true,
			Call: callN(squeeze)},
		Func{Name: "expand_dims", Sig: "(a: array, /, axis: int | Sequence[int]) -> array", Call: callN(expandDims)},
		Func{Name: "flip", Sig: "(a: array, /, axis: None | int | Sequence[int] = None) -> array", Call: callN(flip)},
		Func{Name: "moveaxis", Sig: "(a: array, /, source: int, destination: int) -> array", Method: true,
			Call: callN(func(a *Args) *Array {
				x := a.array(by.a)
				return moveAxis(x, a.axis(by.source, x.NDim()), a.axis(by.destination, x.NDim()))
			})},
		Func{Name: "swapaxes", Sig: "(a: array, /, axis1: int, axis2: int) -> array", Method: true,
			Call: callN(func(a *Args) *Array {
				x := a.array(by.a)
				return swapAxes(x, a.axis(by.axis1, x.NDim()), a.axis(by.axis2, x.NDim()))
			})},
		Func{Name: "transpose", Sig: permSig, Call: callN(permute)},
		Func{Name: "permute_dims", Sig: permSig, Call: callN(permute)},
		Func{Name: "array.transpose", Sig: "(self, *axes) -> array",
			Call: callN(func(a *Args) *Array {
				if x := a.arg(by.axes); x.Kind == ArgList && len(x.List) == 0 {
					return TransposeAll(a.first()) // a.transpose() names no axes
				}
				return permute(a)
			})},
		Func{Name: "matrix_transpose", Sig: "(a: array, /) -> array", Call: call1(MatrixTranspose)},
	)
}

func init() {
	cast := callN(func(a *Args) *Array { return AsType(a.first(), a.dtype(by.dtype)) })
	atLeast := func(f func(x *Array) *Array) func(*Args) []*Array {
		return func(a *Args) []*Array {
			out := a.arrays(by.arys)
			for i, x := range out {
				out[i] = f(x)
			}
			return out
		}
	}
	const manySig = "(*arys: array) -> array | list[array]"
	register(
		Func{Name: "broadcast_to", Sig: "(a: scalar | array, /, shape: Sequence[int]) -> array",
			Call: callN(func(a *Args) *Array { return BroadcastTo(a.array(by.a), a.shape(by.shape)) })},
		Func{Name: "broadcast_arrays", Sig: "(*arrays: array) -> tuple[array, ...]",
			Call: func(a *Args) []*Array {
				xs := a.arrays(by.arrays)
				shape := scalarShape
				for _, x := range xs {
					shape = broadcastShapes("broadcast_arrays", shape, x.shape)
				}
				for i, x := range xs {
					xs[i] = BroadcastTo(x, shape)
				}
				return xs
			}},
		Func{Name: "astype", Sig: "(a: array, /, dtype: Dtype) -> array", Call: cast},
		Func{Name: "array.astype", Sig: "(self, dtype: Dtype) -> array", Stream: byPosition, Call: cast},
		Func{Name: "view", Sig: "(a: scalar | array, dtype: Dtype) -> array", Stream: byPosition, Method: true,
			Call: callN(func(a *Args) *Array { return Bitcast(a.array(by.a), a.dtype(by.dtype)) })},
		Func{Name: "contiguous", Sig: "(a: array, /, allow_col_major: bool = False) -> array",
			Call: callN(func(a *Args) *Array { return Contiguous(a.array(by.a)) })},
		Func{Name: "as_strided",
			Sig: "(a: array, /, shape: Sequence[int] | None = None, strides: Sequence[int] | None = None, " +
				"offset: int = 0) -> array",
			Call: callN(asStrided)},
		Func{Name: "stop_gradient", Sig: "(a: array, /) -> array", Call: call1(StopGradient)},
		Func{Name: "atleast_1d", Sig: manySig,
			Call: atLeast(func(x *Array) *Array {
				if len(x.shape) == 0 {
					return Reshape(x, []int{1})
				}
				return x
			})},
		Func{Name: "atleast_2d", Sig: manySig,
			Call: atLeast(func(x *Array) *Array {
				if rank := len(x.shape); rank < 2 {
					return Reshape(x, append([]int{1, 1}[rank:], x.shape...))
				}
				return x
			})},
		Func{Name: "atleast_3d", Sig: manySig,
			Call: atLeast(func(x *Array) *Array {
				switch len(x.shape) {
				case 0:
					return Reshape(x, []int{1, 1, 1})
				case 1:
					return Reshape(x, []int{1, x.shape[0], 1})
				case 2:
					return unsqueeze(x, 2)
				}
				return x
			})},
	)
}

func asStrided(a *Args) *Array {
	x := a.array(by.a)
	shape, ok := a.ints(by.shape)
	if !ok {
		shape = x.shape
	}
	strides, ok := a.ints(by.strides)
	if !ok {
		strides = layout.Strides(shape)
	}
	return AsStrided(x, shape, strides, a.int(by.offset))
}

// sequence is an argument as integers, where a method takes them one by one or as one sequence.
// False stands for None.
func (a *Args) sequence(p param) ([]int, bool) {
	if x := a.arg(p); x.Kind == ArgList && len(x.List) == 1 &&
		(x.List[0].Kind == ArgList || x.List[0].Kind == ArgNone) {
		return a.integers(&x.List[0], p)
	}
	return a.ints(p)
}

func flatten(a *Args) *Array {
	x := a.array(by.a)
	rank := len(x.shape)
	if rank == 0 {
		return Reshape(x, []int{1})
	}
	from, to := a.int(by.startAxis), a.int(by.endAxis)
	lo, hi := from, to
	if lo < 0 {
		lo += rank
	}
	if hi < 0 {
		hi += rank
	}
	if lo, hi = max(lo, 0), min(hi, rank-1); lo > hi {
		errs.Throw(errs.ValueError, "[flatten] start axis %d lies behind end axis %d in an array with %d dimensions",
			from, to, rank)
	}
	n := layout.Size(x.shape[lo : hi+1])
	return Reshape(x, slices.Replace(slices.Clone(x.shape), lo, hi+1, n))
}

func unflatten(a *Args) *Array {
	x := a.array(by.a)
	axis := a.axis(by.axis, x.NDim())
	shape, _ := a.ints(by.shape)
	known, hole := 1, -1
	for i, d := range shape {
		if d == -1 && hole < 0 {
			hole = i
		} else {
			known *= d
		}
		if d < -1 || d == -1 && hole != i {
			known = -1
			break
		}
	}
	n := x.shape[axis]
	switch {
	case len(shape) == 0, known < 0, hole < 0 && known != n, hole >= 0 && (known == 0 || n%known != 0):
		errs.Throw(errs.ValueError, "[unflatten] axis %d of size %d cannot be cut into shape %s", axis, n,
			layout.Format(shape))
	case hole >= 0:
		shape = slices.Clone(shape)
		shape[hole] = n / known
	}
	return Reshape(x, slices.Replace(slices.Clone(x.shape), axis, axis+1, shape...))
}

func squeeze(a *Args) *Array {
	x := a.array(by.a)
	all := !a.given(by.axis)
	axes := a.axes(by.axis, x.NDim())
	shape := make([]int, 0, len(x.shape))
	for i, d := range x.shape {
		switch {
		case !slices.Contains(axes, i):
			shape = append(shape, d)
		case d == 1:
		case all:
			shape = append(shape, d)
		default:
			errs.Throw(errs.ValueError, "[squeeze] axis %d of shape %s has extent %d, not 1", i, layout.Format(x.shape),
				d)
		}
	}
	return Reshape(x, shape)
}

func expandDims(a *Args) *Array {
	x := a.array(by.a)
	list, _ := a.ints(by.axis)
	shape := slices.Clone(x.shape)
	for _, axis := range normAxes("expand_dims", list, len(shape)+len(list)) {
		shape = slices.Insert(shape, axis, 1)
	}
	return Reshape(x, shape)
}

func flip(a *Args) *Array {
	x := a.array(by.a)
	axes, ok := a.ints(by.axis)
	if !ok {
		axes = allAxes(len(x.shape))
	}
	at := wholeSlice(len(x.shape))
	for _, axis := range axes {
		axis = normAxis("flip", axis, len(x.shape))
		at.start[axis], at.step[axis] = max(x.shape[axis]-1, 0), -1
	}
	return slice(x, x.shape, at)
}

// TransposeAll reverses the axes: a.T.
func TransposeAll(x *Array) *Array {
	perm := allAxes(len(x.shape))
	slices.Reverse(perm)
	return Transpose(x, perm)
}

// MatrixTranspose exchanges the last two axes: a.mT.
func MatrixTranspose(x *Array) *Array {
	if len(x.shape) < 2 {
		errs.Throw(errs.ValueError, "[matrix_transpose] the array must have at least 2 dimensions, not shape %s",
			layout.Format(x.shape))
	}
	return swapLast(x)
}

func swapAxes(x *Array, i, j int) *Array {
	perm := allAxes(len(x.shape))
	perm[i], perm[j] = j, i
	return Transpose(x, perm)
}

// checkPerm checks that axes names every axis of x once.
func checkPerm(op string, axes []int, x *Array) []int {
	rank := len(x.shape)
	if len(axes) != rank {
		errs.Throw(errs.ValueError, "[%s] %d axes are given for an array with %d dimensions", op, len(axes), rank)
	}
	normAxes(op, axes, rank)
	perm := make([]int, rank)
	for i, axis := range axes {
		perm[i] = normAxis(op, axis, rank)
	}
	return perm
}
