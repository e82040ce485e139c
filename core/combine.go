package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Arrays put together from others: whole ones side by side, or one written into a part of another.

var concatOp, updateOp, dependsOp Def

func init() {
	define(&concatOp, Def{Name: "concatenate", Linear: true, Kind: device.KindCopy, Launch: launchConcat,
		Specs: specsOfConcat,
		VJP: func(y, ct *Array, want []bool) []*Array {
			axis, at := y.attr.(int), 0
			out := make([]*Array, len(want))
			for i, x := range y.inputs() {
				if want[i] {
					out[i] = sliceAxis(ct, axis, at, at+x.shape[axis])
				}
				at += x.shape[axis]
			}
			return out
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			return Concatenate(batchAll(ins, mapped, n), y.attr.(int)+1)
		},
	})
	define(&updateOp, Def{Name: "slice_update", Kind: device.KindCopy, Launch: launchUpdate, Specs: shapeHeld,
		VJP: func(y, ct *Array, want []bool) []*Array {
			u, at := y.in[1], y.attr.(*sliceAttr)
			out := make([]*Array, 2)
			if want[0] {
				out[0] = sliceUpdate(ct, zeros(ct.dtype, u.shape), at)
			}
			if want[1] {
				out[1] = AsType(realPart(slice(ct, u.shape, at), u.dtype), u.dtype)
			}
			return out
		},
		JVP: func(y *Array, t []*Array) *Array {
			// A constant that is written in has no tangent, whatever its dtype.
			return sliceUpdate(orZeros(t[0], y.in[0]), orZeros(t[1], y.in[1]), y.attr.(*sliceAttr))
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			at := y.attr.(*sliceAttr)
			xs := batchAll(ins, mapped, n)
			return sliceUpdate(xs[0], xs[1], &sliceAttr{withBatch(0, at.start), withBatch(1, at.step)})
		},
	})
	define(&dependsOp, Def{Name: "depends", View: sameMemory, Specs: shapedAs(0),
		VJP: func(y, ct *Array, want []bool) []*Array {
			out := make([]*Array, len(want))
			out[0] = ct
			return out
		},
		JVP: func(y *Array, t []*Array) *Array { return t[0] },
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			x := batchAll(ins[:1], mapped[:1], n)[0]
			return newArray(&dependsOp, x.dtype, x.shape, nil, append([]*Array{x}, ins[1:]...)...)
		},
	})

}

func init() {
	const sig = "(arrays: array | list[array], axis: int | None = 0) -> array"
	concat := callN(func(a *Args) *Array {
		parts := partsOf(a)
		if len(parts) == 0 {
			errs.Throw(errs.ValueError, "[%s] at least one array is required", a.name())
		}
		if !a.given(by.axis) {
			for i, x := range parts {
				parts[i] = Reshape(x, []int{-1})
			}
			return Concatenate(parts, 0)
		}
		return joined(a.name(), parts, a.axis(by.axis, parts[0].NDim()))
	})
	register(
		Func{Name: "concatenate", Sig: sig, Call: concat},
		Func{Name: "concat", Sig: sig, Call: concat},
		Func{Name: "stack", Sig: sig, Call: callN(stack)},
		Func{Name: "slice",
			Sig:  "(a: array, start_indices: array, axes: Sequence[int], slice_size: Sequence[int]) -> array",
			Call: callN(sliceAt)},
		Func{Name: "slice_update", Sig: "(a: array, update: array, start_indices: array, axes: Sequence[int]) -> array",
			Call: callN(sliceUpdateAt)},
		Func{Name: "depends",
			Sig:    "(inputs: array | Sequence[array], dependencies: array | Sequence[array]) -> array | list[array]",
			Stream: noStream,
			Call: func(a *Args) []*Array {
				list := func(p param) []*Array {
					if a.arg(p).Kind == ArgList {
						return a.arrays(p)
					}
					return []*Array{a.array(p)}
				}
				out, deps := list(by.inputs), list(by.dependencies)
				for i, x := range out {
					out[i] = newArray(&dependsOp, x.dtype, x.shape, nil, append([]*Array{x}, deps...)...)
				}
				return out
			}},
	)
}

// partsOf is the list of arrays to join, or the rows of one array.
func partsOf(a *Args) []*Array {
	x := a.arg(by.arrays).Array
	if x == nil {
		return a.arrays(by.arrays)
	}
	if len(x.shape) == 0 {
		errs.Throw(errs.ValueError, "[%s] an array without axes has no rows to join", a.name())
	}
	if x.shape[0] > 1<<24 {
		errs.Throw(errs.MemoryError, "[%s] %d rows are too many arrays", a.name(), x.shape[0])
	}
	rows := make([]*Array, x.shape[0])
	for i := range rows {
		rows[i] = Reshape(sliceAxis(x, 0, i, i+1), x.shape[1:])
	}
	return rows
}

// promoted gives arrays their common dtype.
func promoted(xs []*Array) []*Array {
	var d dtype.Dtype
	for i, x := range xs {
		if d = dtype.Promote(d, x.dtype); i == 0 {
			d = x.dtype
		}
	}
	out := make([]*Array, len(xs))
	for i, x := range xs {
		out[i] = AsType(x, d)
	}
	return out
}

// Concatenate joins arrays whose shapes agree but for the axis.
func Concatenate(parts []*Array, axis int) *Array { return joined("concatenate", parts, axis) }

func joined(op string, parts []*Array, axis int) *Array {
	parts = promoted(parts)
	shape := slices.Clone(parts[0].shape)
	for _, x := range parts[1:] {
		if len(x.shape) != len(shape) {
			errs.Throw(errs.ValueError,
				"[%s] all arrays must have as many axes as the first, of shape %s, not shape %s", op,
				layout.Format(parts[0].shape), layout.Format(x.shape))
		}
		for i, d := range x.shape {
			if i != axis && d != shape[i] {
				errs.Throw(errs.ValueError, "[%s] shapes %s and %s must agree along all axes but %d", op,
					layout.Format(parts[0].shape), layout.Format(x.shape), axis)
			}
		}
		shape[axis] += x.shape[axis]
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return newArray(&concatOp, parts[0].dtype, shape, axis, parts...)
}

// part is the region of y's fresh, row-contiguous memory that at selects, of the given shape.
func (e *exec) part(y *Array, shape layout.Shape, at *sliceAttr) device.Tensor {
	strides := layout.Strides(y.shape)
	offset := 0
	for i, s := range strides {
		offset += at.start[i] * s
		strides[i] = at.step[i] * s
	}
	if layout.Size(shape) == 0 {
		return device.Tensor{Dtype: y.dtype, Shape: shape, Strides: strides}
	}
	return e.output(y, y.dtype, shape, strides, offset*y.dtype.Size())
}

func launchConcat(e *exec, y *Array) *errs.Error {
	if err := e.allocate(y); err != nil {
		return err
	}
	axis, at := y.attr.(int), wholeSlice(len(y.shape))
	for _, x := range y.inputs() {
		if err := e.copyInto(y, e.part(y, x.shape, at), x); err != nil {
			return err
		}
		at.start[axis] += x.shape[axis]
	}
	return nil
}

// sliceUpdate is x with the elements that at selects replaced by those of update, whose shape
// says how many there are.
func sliceUpdate(x, update *Array, at *sliceAttr) *Array {
	if update.Size() == 0 {
		return x
	}
	if layout.Equal(update.shape, x.shape) &&
		!slices.ContainsFunc(at.step, func(s int) bool { return s != 1 && s != -1 }) {
		return AsType(slice(update, x.shape, at), x.dtype) // all of it; a flip is its own inverse
	}
	return newArray(&updateOp, x.dtype, x.shape, at, x, update)
}

// launchUpdate writes into a copy of the first input, or into its memory if it dies here.
func launchUpdate(e *exec, y *Array) *errs.Error {
	x, u := y.in[0], y.in[1]
	if !e.donate(y, y.in[:1]) {
		if err := e.allocate(y); err != nil {
			return err
		}
		if err := e.copyInto(y, e.part(y, x.shape, wholeSlice(len(x.shape))), x); err != nil {
			return err
		}
	}
	return e.copyInto(y, e.part(y, u.shape, y.attr.(*sliceAttr)), u)
}

func stack(a *Args) *Array {
	arrays := partsOf(a)
	if len(arrays) == 0 {
		errs.Throw(errs.ValueError, "[stack] at least one array is required")
	}
	first := arrays[0].shape
	axis := a.axis(by.axis, len(first)+1)
	parts := make([]*Array, len(arrays))
	for i, x := range arrays {
		if !layout.Equal(x.shape, first) {
			errs.Throw(errs.ValueError, "[stack] all arrays must have one shape, not %s and %s", layout.Format(first),
				layout.Format(x.shape))
		}
		parts[i] = unsqueeze(x, axis)
	}
	return Concatenate(parts, axis)
}

// corner checks start_indices and axes and gives one scalar index per axis.
func corner(a *Args, x *Array) ([]*Array, []int) {
	at := a.array(by.startIndices)
	checkIndices(a.name(), []*Array{at})
	list, _ := a.ints(by.axes)
	if at.NDim() > 1 || at.Size() != len(list) {
		errs.Throw(errs.ValueError, "[%s] start indices of shape %s must hold one index for each of the %d axes",
			a.name(), layout.Format(at.shape), len(list))
	}
	norm := make([]int, len(list))
	idx := make([]*Array, len(list))
	flat := Reshape(at, []int{len(list)})
	for i, axis := range list {
		norm[i] = normAxis(a.name(), axis, x.NDim())
		if slices.Contains(norm[:i], norm[i]) {
			errs.Throw(errs.ValueError, "[%s] axis %d is given twice", a.name(), axis)
		}
		idx[i] = Reshape(sliceAxis(flat, 0, i, i+1), scalarShape)
	}
	return idx, norm
}

// checkFits makes sure that a part of extent sizes can lie inside of x.
func checkFits(op string, x *Array, sizes []int) {
	ok := len(sizes) == len(x.shape)
	for i := 0; ok && i < len(sizes); i++ {
		ok = sizes[i] >= 0 && sizes[i] <= x.shape[i]
	}
	if !ok {
		errs.Throw(errs.ValueError, "[%s] a part of shape %s does not fit into an array of shape %s", op,
			layout.Format(sizes), layout.Format(x.shape))
	}
}

func sliceAt(a *Args) *Array {
	x := a.array(by.a)
	idx, axes := corner(a, x)
	sizes, _ := a.ints(by.sliceSize)
	checkFits("slice", x, sizes)
	if len(idx) == 0 {
		return slice(x, sizes, wholeSlice(len(sizes)))
	}
	return gather(x, idx, axes, sizes)
}

func sliceUpdateAt(a *Args) *Array {
	x, u := a.array(by.a), a.array(by.update)
	idx, axes := corner(a, x)
	for len(u.shape) > len(x.shape) && u.shape[0] == 1 {
		u = Reshape(u, u.shape[1:])
	}
	if missing := len(x.shape) - len(u.shape); missing > 0 {
		shape := append(slices.Clone(x.shape[:missing]), u.shape...)
		for _, axis := range axes {
			if axis < missing {
				shape[axis] = 1
			}
		}
		u = BroadcastTo(u, shape)
	}
	checkFits("slice_update", x, u.shape)
	u = AsType(u, x.dtype)
	if len(idx) == 0 {
		return sliceUpdate(x, u, wholeSlice(len(x.shape)))
	}
	return scatterAt(x, idx, axes, u, device.ScatterSet)
}
