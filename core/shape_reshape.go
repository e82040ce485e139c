package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Functions that give the same elements another shape, order of axes or dtype.

func init() {
	const stream = ", stream: StreamOrDevice = None) -> array"
	const sig1 = "(a: array, /, *" + stream
	permute := func(a *Args) *Array {
		x := a.array(0)
		if perm, ok := a.sequence(1); ok {
			return Transpose(x, checkPerm("transpose", perm, x))
		}
		return TransposeAll(x)
	}
	const permSig = "(a: array, /, axes: Sequence[int] | None = None, *" + stream
	const permDoc = "Array with its axes in another order.\n\nArgs:\n    a: Input array.\n    axes: For each axis of the result, which axis of ``a`` it is; ``None`` reverses them.\n\nReturns:\n    The transposed array, without copying.\n\nExample:\n    >>> mx.transpose(mx.array([[1, 2], [3, 4]]))\n    array([[1, 3],\n           [2, 4]], dtype=int32)"
	const reshapeDoc = "Array with the same elements, in row-major order, in another shape.\n\nArgs:\n    a: Input array.\n    shape: Extents; one of them may be -1 and follows from the others.\n\nReturns:\n    The reshaped array, without copying where strides allow.\n\nExample:\n    >>> mx.reshape(mx.array([1, 2, 3, 4]), (2, -1))\n    array([[1, 2],\n           [3, 4]], dtype=int32)"
	const castDoc = "Array with its elements converted to another dtype. Floats are rounded towards zero to integers; of complex numbers, real dtypes keep the real part.\n\nArgs:\n    a: Input array.\n    dtype: Type of the elements of the result.\n\nReturns:\n    The converted array.\n\nExample:\n    >>> mx.array([1.5, -1.5]).astype(mx.int32)\n    array([1, -1], dtype=int32)"
	cast := callN(func(a *Args) *Array { return AsType(a.array(0), a.requiredDtype(1)) })
	reshape := callN(func(a *Args) *Array {
		shape, ok := a.sequence(1)
		if !ok {
			errs.Throw(errs.TypeError, "[reshape] a shape is missing")
		}
		return Reshape(a.array(0), shape)
	})
	atLeast := func(f func(x *Array) *Array) func(*Args) []*Array {
		return func(a *Args) []*Array {
			out := a.arrays(0)
			for i, x := range out {
				out[i] = f(x)
			}
			return out
		}
	}
	const manySig = "(*arys: array, stream: StreamOrDevice = None) -> array | list[array]"
	const manyDoc = "\n\nArgs:\n    *arys: Input arrays.\n\nReturns:\n    The array, or a list if there is not exactly one."
	register(
		Func{Name: "reshape", Sig: "(a: array, /, shape: Sequence[int], *" + stream, Call: reshape, Doc: reshapeDoc},
		Func{Name: "array.reshape", Sig: "(self, *shape" + stream, Call: reshape, Doc: reshapeDoc},
		Func{Name: "flatten", Sig: "(a: array, /, start_axis: int = 0, end_axis: int = -1, *" + stream, Method: true, Call: callN(flatten),
			Doc: "Array with a run of axes made one.\n\nArgs:\n    a: Input array; a scalar gets one axis.\n    start_axis: First axis of the run.\n    end_axis: Last axis of the run.\n\nReturns:\n    The flattened array.\n\nExample:\n    >>> mx.flatten(mx.array([[1, 2], [3, 4]]))\n    array([1, 2, 3, 4], dtype=int32)"},
		Func{Name: "unflatten", Sig: "(a: array, /, axis: int, shape: Sequence[int], *" + stream, Call: callN(unflatten),
			Doc: "Array with one axis cut into several.\n\nArgs:\n    a: Input array.\n    axis: Axis to cut.\n    shape: Extents it is cut into; one of them may be -1.\n\nReturns:\n    The array with more axes.\n\nExample:\n    >>> mx.unflatten(mx.array([1, 2, 3, 4]), 0, (2, -1))\n    array([[1, 2],\n           [3, 4]], dtype=int32)"},
		Func{Name: "squeeze", Sig: "(a: array, /, axis: None | int | Sequence[int] = None, *" + stream, Method: true, Call: callN(squeeze),
			Doc: "Array without axes of extent 1.\n\nArgs:\n    a: Input array.\n    axis: Axis or axes to drop; ``None`` drops all of extent 1.\n\nReturns:\n    The array with fewer axes.\n\nExample:\n    >>> mx.squeeze(mx.array([[1, 2]]))\n    array([1, 2], dtype=int32)"},
		Func{Name: "expand_dims", Sig: "(a: array, /, axis: int | Sequence[int], *" + stream, Call: callN(expandDims),
			Doc: "Array with more axes, of extent 1.\n\nArgs:\n    a: Input array.\n    axis: Place or places of the new axes in the result.\n\nReturns:\n    The array with more axes.\n\nExample:\n    >>> mx.expand_dims(mx.array([1, 2]), 0)\n    array([[1, 2]], dtype=int32)"},
		Func{Name: "flip", Sig: "(a: array, /, axis: None | int | Sequence[int] = None, *" + stream, Call: callN(flip),
			Doc: "Array with its elements in reverse order along axes.\n\nArgs:\n    a: Input array.\n    axis: Axis or axes to reverse; ``None`` reverses all.\n\nReturns:\n    The reversed array, without copying.\n\nExample:\n    >>> mx.flip(mx.array([1, 2, 3]))\n    array([3, 2, 1], dtype=int32)"},
		Func{Name: "moveaxis", Sig: "(a: array, /, source: int, destination: int, *" + stream, Method: true,
			Call: callN(func(a *Args) *Array {
				x := a.array(0)
				return moveAxis(x, a.axis(1, x.NDim(), 0), a.axis(2, x.NDim(), 0))
			}),
			Doc: "Array with one axis at another place, the others keeping their order.\n\nArgs:\n    a: Input array.\n    source: Axis to move.\n    destination: Its place in the result.\n\nReturns:\n    The array with its axes in another order, without copying.\n\nExample:\n    >>> mx.moveaxis(mx.zeros((2, 3, 4)), 0, 2).shape\n    (3, 4, 2)"},
		Func{Name: "swapaxes", Sig: "(a: array, /, axis1: int, axis2: int, *" + stream, Method: true,
			Call: callN(func(a *Args) *Array {
				x := a.array(0)
				return swapAxes(x, a.axis(1, x.NDim(), 0), a.axis(2, x.NDim(), 0))
			}),
			Doc: "Array with two axes exchanged.\n\nArgs:\n    a: Input array.\n    axis1: One axis.\n    axis2: The other axis.\n\nReturns:\n    The array with its axes in another order, without copying.\n\nExample:\n    >>> mx.swapaxes(mx.zeros((2, 3, 4)), 0, 2).shape\n    (4, 3, 2)"},
		Func{Name: "transpose", Sig: permSig, Call: callN(permute), Doc: permDoc},
		Func{Name: "permute_dims", Sig: permSig, Call: callN(permute), Doc: permDoc},
		Func{Name: "array.transpose", Sig: "(self, *axes" + stream, Doc: permDoc,
			Call: callN(func(a *Args) *Array {
				if x := a.arg(1); x.Kind == ArgList && len(x.List) == 0 {
					return TransposeAll(a.array(0)) // a.transpose() names no axes
				}
				return permute(a)
			})},
		Func{Name: "matrix_transpose", Sig: sig1, Call: call1(MatrixTranspose),
			Doc: "Array with its last two axes exchanged.\n\nArgs:\n    a: Input array of at least 2 axes.\n\nReturns:\n    The transposed matrices, without copying.\n\nExample:\n    >>> mx.matrix_transpose(mx.zeros((2, 3, 4))).shape\n    (2, 4, 3)"},
		Func{Name: "broadcast_to", Sig: "(a: scalar | array, /, shape: Sequence[int], *" + stream,
			Call: callN(func(a *Args) *Array { return BroadcastTo(a.array(0), a.shape(1)) }),
			Doc:  "Array stretched to a shape along its axes of extent 1.\n\nArgs:\n    a: Input array or scalar.\n    shape: Shape of the result.\n\nReturns:\n    The stretched array, without copying.\n\nExample:\n    >>> mx.broadcast_to(mx.array([1, 2]), (2, 2))\n    array([[1, 2],\n           [1, 2]], dtype=int32)"},
		Func{Name: "broadcast_arrays", Sig: "(*arrays: array, stream: StreamOrDevice = None) -> tuple[array, ...]",
			Call: func(a *Args) []*Array {
				xs := a.arrays(0)
				shape := scalarShape
				for _, x := range xs {
					shape = broadcastShapes("broadcast_arrays", shape, x.shape)
				}
				for i, x := range xs {
					xs[i] = BroadcastTo(x, shape)
				}
				return xs
			},
			Doc: "Arrays stretched to the shape in which they meet.\n\nArgs:\n    *arrays: Input arrays.\n\nReturns:\n    The stretched arrays, without copying.\n\nExample:\n    >>> a, b = mx.broadcast_arrays(mx.array(1), mx.array([2, 3]))\n    >>> a\n    array([1, 1], dtype=int32)"},
		Func{Name: "astype", Sig: "(a: array, /, dtype: Dtype, *" + stream, Call: cast, Doc: castDoc},
		Func{Name: "array.astype", Sig: "(self, dtype: Dtype" + stream, Call: cast, Doc: castDoc},
		Func{Name: "view", Sig: "(a: scalar | array, dtype: Dtype" + stream, Method: true,
			Call: callN(func(a *Args) *Array { return Bitcast(a.array(0), a.requiredDtype(1)) }),
			Doc:  "The same bytes as elements of another dtype.\n\nArgs:\n    a: Input array.\n    dtype: Type of the elements of the result; the last axis takes a change of width.\n\nReturns:\n    The reinterpreted array.\n\nExample:\n    >>> mx.view(mx.array([1.0]), mx.uint32)\n    array([1065353216], dtype=uint32)"},
		Func{Name: "contiguous", Sig: "(a: array, /, allow_col_major: bool = False, *" + stream,
			Call: callN(func(a *Args) *Array { return Contiguous(a.array(0)) }),
			Doc:  "Array in row-major order without gaps.\n\nArgs:\n    a: Input array.\n    allow_col_major: Accepted for compatibility: the result is row-major always.\n\nReturns:\n    The array, copied unless it is contiguous.\n\nExample:\n    >>> mx.contiguous(mx.array([[1, 2], [3, 4]]).T)\n    array([[1, 3],\n           [2, 4]], dtype=int32)"},
		Func{Name: "as_strided", Sig: "(a: array, /, shape: Sequence[int] | None = None, strides: Sequence[int] | None = None, offset: int = 0, *" + stream,
			Call: callN(func(a *Args) *Array {
				x := a.array(0)
				shape, ok := a.ints(1)
				if !ok {
					shape = x.shape
				}
				strides, ok := a.ints(2)
				if !ok {
					strides = layout.Strides(shape)
				}
				return AsStrided(x, shape, strides, a.int(3, 0))
			}),
			Doc: "View of an array's elements, taken in row-major order, with any strides.\n\nArgs:\n    a: Input array.\n    shape: Shape of the result, that of ``a`` if None.\n    strides: Steps between neighbours along each axis, in elements; contiguous if None.\n    offset: Position of the first element.\n\nReturns:\n    The strided array.\n\nRaises:\n    ValueError: If the view leaves the array.\n\nExample:\n    >>> mx.as_strided(mx.array([1, 2, 3]), (2, 2), (1, 1))\n    array([[1, 2],\n           [2, 3]], dtype=int32)"},
		Func{Name: "stop_gradient", Sig: sig1, Call: call1(StopGradient),
			Doc: "The array itself, as a constant to gradients.\n\nArgs:\n    a: Input array.\n\nReturns:\n    The same values.\n\nExample:\n    >>> mx.grad(lambda x: x * mx.stop_gradient(x))(mx.array(3.0))\n    array(3, dtype=float32)"},
		Func{Name: "atleast_1d", Sig: manySig, Doc: "Arrays with at least one axis." + manyDoc + "\n\nExample:\n    >>> mx.atleast_1d(mx.array(1))\n    array([1], dtype=int32)",
			Call: atLeast(func(x *Array) *Array {
				if len(x.shape) == 0 {
					return Reshape(x, []int{1})
				}
				return x
			})},
		Func{Name: "atleast_2d", Sig: manySig, Doc: "Arrays with at least two axes; new ones come in front." + manyDoc + "\n\nExample:\n    >>> mx.atleast_2d(mx.array([1, 2]))\n    array([[1, 2]], dtype=int32)",
			Call: atLeast(func(x *Array) *Array {
				if rank := len(x.shape); rank < 2 {
					return Reshape(x, append([]int{1, 1}[rank:], x.shape...))
				}
				return x
			})},
		Func{Name: "atleast_3d", Sig: manySig, Doc: "Arrays with at least three axes: shape (N,) becomes (1, N, 1) and (M, N) becomes (M, N, 1)." + manyDoc + "\n\nExample:\n    >>> mx.atleast_3d(mx.array([1, 2])).shape\n    (1, 2, 1)",
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

// sequence is argument i as integers, where a method takes them one by one or as one sequence.
// False stands for None.
func (a *Args) sequence(i int) ([]int, bool) {
	if x := a.arg(i); x.Kind == ArgList && len(x.List) == 1 && (x.List[0].Kind == ArgList || x.List[0].Kind == ArgNone) {
		return (&Args{a.Func, x.List}).ints(0)
	}
	return a.ints(i)
}

// requiredDtype is argument i, a dtype that must be there.
func (a *Args) requiredDtype(i int) dtype.Dtype {
	if !a.given(i) {
		errs.Throw(errs.TypeError, "[%s] a dtype is missing", a.name())
	}
	return a.dtype(i, 0)
}

func flatten(a *Args) *Array {
	x := a.array(0)
	rank := len(x.shape)
	if rank == 0 {
		return Reshape(x, []int{1})
	}
	from, to := a.int(1, 0), a.int(2, -1)
	lo, hi := from, to
	if lo < 0 {
		lo += rank
	}
	if hi < 0 {
		hi += rank
	}
	if lo, hi = max(lo, 0), min(hi, rank-1); lo > hi {
		errs.Throw(errs.ValueError, "[flatten] start axis %d lies behind end axis %d in an array with %d dimensions", from, to, rank)
	}
	n := layout.Size(x.shape[lo : hi+1])
	return Reshape(x, slices.Replace(slices.Clone(x.shape), lo, hi+1, n))
}

func unflatten(a *Args) *Array {
	x := a.array(0)
	axis := a.axis(1, x.NDim(), 0)
	shape, _ := a.ints(2)
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
		errs.Throw(errs.ValueError, "[unflatten] axis %d of size %d cannot be cut into shape %s", axis, n, layout.Format(shape))
	case hole >= 0:
		shape = slices.Clone(shape)
		shape[hole] = n / known
	}
	return Reshape(x, slices.Replace(slices.Clone(x.shape), axis, axis+1, shape...))
}

func squeeze(a *Args) *Array {
	x := a.array(0)
	all := !a.given(1)
	axes := a.axes(1, x.NDim())
	shape := make([]int, 0, len(x.shape))
	for i, d := range x.shape {
		switch {
		case !slices.Contains(axes, i):
			shape = append(shape, d)
		case d == 1:
		case all:
			shape = append(shape, d)
		default:
			errs.Throw(errs.ValueError, "[squeeze] axis %d of shape %s has extent %d, not 1", i, layout.Format(x.shape), d)
		}
	}
	return Reshape(x, shape)
}

func expandDims(a *Args) *Array {
	x := a.array(0)
	list, _ := a.ints(1)
	shape := slices.Clone(x.shape)
	for _, axis := range normAxes("expand_dims", list, len(shape)+len(list)) {
		shape = slices.Insert(shape, axis, 1)
	}
	return Reshape(x, shape)
}

func flip(a *Args) *Array {
	x := a.array(0)
	axes, ok := a.ints(1)
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
		errs.Throw(errs.ValueError, "[matrix_transpose] the array must have at least 2 dimensions, not shape %s", layout.Format(x.shape))
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
