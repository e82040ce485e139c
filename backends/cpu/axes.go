package cpu

/*
#include "kernels/abi_elementwise.h"
*/
import "C"

import (
	"cmp"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// The algebra of axes: how launches bring the axes of their operands into the few that kernels walk. What works on
// shapes alone, for any number of operands, is core/layout's.

// maxAxes is how many axes a kernel walks. Further ones are walked here, by eachIndex.
const maxAxes = C.MAXD

// axis is one axis that an input and an output have in common: its extent and its strides, in elements.
type axis struct{ n, in, out int }

// addAxis appends an axis, unless its extent is 1, and merges it with the last one if both are walked as one.
func addAxis(axes []axis, x axis) []axis {
	if x.n == 1 {
		return axes
	}
	if k := len(axes) - 1; k >= 0 && axes[k].in == x.n*x.in && axes[k].out == x.n*x.out {
		axes[k] = axis{axes[k].n * x.n, x.in, x.out}
		return axes
	}
	return append(axes, x)
}

// addAxes appends the axes of a shape that two operands have, in the fewest: those of a contiguous (2, 3, 4) are one
// of 24.
func addAxes(axes []axis, shape, in, out []int) []axis {
	for i, n := range shape {
		axes = addAxis(axes, axis{n, in[i], out[i]})
	}
	return axes
}

// otherAxes are the axes of in and out but for the one at skip, in the fewest.
func otherAxes(in, out *device.Tensor, skip int) []axis {
	axes := addAxes(make([]axis, 0, len(in.Shape)), in.Shape[:skip], in.Strides, out.Strides)
	return addAxes(axes, in.Shape[skip+1:], in.Strides[skip+1:], out.Strides[skip+1:])
}

// splitAxes are the axes of in that out keeps, and those that it lacks.
func splitAxes(in, out *device.Tensor, folded []int) (kept, reduced []axis) {
	o := 0
	for i, n := range in.Shape {
		if slices.Contains(folded, i) {
			reduced = append(reduced, axis{n, in.Strides[i], 0})
		} else {
			kept = append(kept, axis{n, in.Strides[i], out.Strides[o]})
			o++
		}
	}
	return kept, reduced
}

// sortAxes makes strides of the input positive, orders axes so that memory is walked
// forward with the smallest stride innermost, and merges what is walked as one.
func sortAxes(axes []axis, in, out *unsafe.Pointer, inSize, outSize int) []axis {
	a := make([]axis, 0, len(axes))
	for _, x := range axes {
		if x.n == 1 {
			continue
		}
		if x.in < 0 {
			*in = unsafe.Add(*in, (x.n-1)*x.in*inSize)
			*out = unsafe.Add(*out, (x.n-1)*x.out*outSize)
			x.in, x.out = -x.in, -x.out
		}
		a = append(a, x)
	}
	slices.SortStableFunc(a, func(x, y axis) int {
		if (x.in == 0) != (y.in == 0) { // repeated reads go outermost
			return cmp.Compare(x.in, y.in)
		}
		return cmp.Compare(y.in, x.in)
	})
	return mergeAxes(a)
}

// mergeAxes makes axes the fewest, in their order and in place.
func mergeAxes(axes []axis) []axis {
	m := axes[:0]
	for _, x := range axes {
		m = addAxis(m, x)
	}
	return m
}

// extent is the number of positions.
func extent(axes []axis) int {
	n := 1
	for _, a := range axes {
		n *= a.n
	}
	return n
}

// blocks is the number of positions where cols neighbors along the last axis are one, if cols is above 0.
func blocks(axes []axis, cols int) int {
	last := len(axes) - 1
	if cols == 0 || last < 0 {
		return extent(axes)
	}
	return extent(axes[:last]) * ((axes[last].n-1)/cols + 1)
}

// locate is where position i of the axes lies, in elements of input and output.
func locate(axes []axis, i int) (in, out int) {
	for a := len(axes) - 1; a >= 0; a-- {
		x := i % axes[a].n
		i /= axes[a].n
		in += x * axes[a].in
		out += x * axes[a].out
	}
	return in, out
}

// flatAxes reports which of input and output the merged axes walk in row-major order without gaps.
func flatAxes(axes []axis) (in, out bool) {
	in, out = true, true
	next := 1
	for a := len(axes) - 1; a >= 0; a-- {
		in, out = in && axes[a].in == next, out && axes[a].out == next
		next *= axes[a].n
	}
	return in, out
}

// throughBuffer are the axes of two launches of which the first leaves its results contiguous, step elements apart,
// for the second to read them.
func throughBuffer(axes []axis, step int) (first, second []axis) {
	first, second = slices.Clone(axes), slices.Clone(axes)
	for i := len(axes) - 1; i >= 0; i-- {
		first[i].out, second[i].in = step, step
		step *= axes[i].n
	}
	return first, second
}

// putAxes writes axes to the arguments of a kernel and returns how many there are.
func putAxes(axes []axis, shape, in, out *[maxAxes]C.int64_t) C.int64_t {
	for i, a := range axes {
		shape[i], in[i], out[i] = C.int64_t(a.n), C.int64_t(a.in), C.int64_t(a.out)
	}
	return C.int64_t(len(axes))
}

// collapseOperands describes where operands lie, inputs first, in the fewest axes: neighboring axes
// that all of them walk as one are merged. It reports false when maxAxes are too few.
func collapseOperands(k *device.Kernel, a *C.ew_args, ops []C.ew_operand) bool {
	shape := k.Out[0].Shape
	flat := true
	for i := range k.In {
		t := &k.In[i]
		x := &ops[i]
		x.p, x.dtype, x.lie = t.Data, C.uint8_t(t.Dtype), C.LIE_FLAT
		if !t.Contiguous() {
			x.lie = C.LIE_STRIDED
			if allZero(t.Strides, shape) {
				x.lie = C.LIE_SCALAR
			}
			flat = flat && x.lie == C.LIE_SCALAR
		}
	}
	for i := range k.Out {
		t := &k.Out[i]
		x := &ops[len(k.In)+i]
		x.p, x.dtype, x.lie = t.Data, C.uint8_t(t.Dtype), C.LIE_FLAT
	}
	if flat {
		return true
	}
	nd := 0
	for axis, d := range shape {
		if d == 1 {
			continue
		}
		merge := nd > 0
		for i := range k.In {
			if merge && ops[i].lie == C.LIE_STRIDED {
				merge = int(ops[i].strides[nd-1]) == d*k.In[i].Strides[axis]
			}
		}
		if !merge {
			if nd == maxAxes {
				return false
			}
			nd++
			a.shape[nd-1] = 1
		}
		a.shape[nd-1] *= C.int64_t(d)
		for i := range k.In {
			if ops[i].lie == C.LIE_STRIDED {
				ops[i].strides[nd-1] = C.int64_t(k.In[i].Strides[axis])
			}
		}
	}
	a.nd = C.int64_t(nd)
	return true
}

// allZero reports whether the strides of all axes longer than 1 are 0: one element for all positions.
func allZero(strides, shape []int) bool {
	for i, s := range strides {
		if s != 0 && shape[i] != 1 {
			return false
		}
	}
	return true
}

// without is strides with that of one axis zero, for one that is walked by other means.
func without(strides []int, axis int) []int {
	s := slices.Clone(strides)
	s[axis] = 0
	return s
}

// dropAxis is a shape, or strides, without axis i.
func dropAxis(s []int, i int) []int { return slices.Delete(slices.Clone(s), i, i+1) }

// leading are the leading axes of a shape that kernels do not walk.
func leading(shape []int) []int { return shape[:max(len(shape)-maxAxes, 0)] }

// eachIndex calls f with every index of shape, in row-major order, until one fails or the caller gives up.
func eachIndex(cancel *atomic.Bool, shape []int, f func(at []int) error) error {
	for w, n := walk(shape), product(shape); n > 0; n-- {
		if canceled(cancel) {
			return errs.ErrCanceled
		}
		if err := f(w.index); err != nil {
			return err
		}
		w.next()
	}
	return nil
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// dot is how far the index of some leading axes is from the beginning.
func dot(at, strides []int) int {
	off := 0
	for i, x := range at {
		off += x * strides[i]
	}
	return off
}

// eachOuter calls f with at most maxAxes of the axes, once for each position of the others, and how far that lies from
// the first one in elements of input and output.
func eachOuter(cancel *atomic.Bool, axes []axis, f func(inner []axis, in, out int)) {
	more := len(axes) - maxAxes
	if more <= 0 {
		f(axes, 0, 0)
		return
	}
	for i := range extent(axes[:more]) {
		if canceled(cancel) {
			return
		}
		in, out := locate(axes[:more], i)
		f(axes[more:], in, out)
	}
}

// walker goes through the positions of a shape in row-major order and keeps one offset per operand.
type walker struct {
	shape   []int
	strides [][]int
	index   []int
	offset  []int
}

func walk(shape []int, strides ...[]int) *walker {
	return &walker{shape, strides, make([]int, len(shape)), make([]int, len(strides))}
}

func (w *walker) next() {
	for axis := len(w.shape) - 1; axis >= 0; axis-- {
		w.index[axis]++
		for i, s := range w.strides {
			w.offset[i] += s[axis]
		}
		if w.index[axis] < w.shape[axis] {
			return
		}
		for i, s := range w.strides {
			w.offset[i] -= w.shape[axis] * s[axis]
		}
		w.index[axis] = 0
	}
}

// peel launches a kernel of more axes than are walked at once for each index of the first axis.
func peel(k *device.Kernel, launch func(*device.Kernel) error) error {
	sub := *k
	if k.Done != nil { // this far out of the ordinary, in place means to the end
		sub.Cancel, sub.Done = nil, nil
	}
	sub.In, sub.Out = slices.Clone(k.In), slices.Clone(k.Out)
	return eachIndex(sub.Cancel, k.Out[0].Shape[:1], func(at []int) error {
		for j := range sub.In {
			sub.In[j] = inner(&k.In[j], at[0])
		}
		for j := range sub.Out {
			sub.Out[j] = inner(&k.Out[j], at[0])
		}
		return launch(&sub)
	})
}

// inner is t at index i of its first axis.
func inner(t *device.Tensor, i int) device.Tensor {
	return device.Tensor{Data: unsafe.Add(t.Data, i*t.Strides[0]*t.Dtype.Size()), Dtype: t.Dtype,
		Shape: t.Shape[1:], Strides: t.Strides[1:]}
}
