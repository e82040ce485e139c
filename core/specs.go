package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// A shape rule says what a node's op and attr give for inputs of other shapes than those it was made for: Def.Specs. It
// answers nil where that cannot be known, because the node holds extents that may have come from shapes, as
// those of reshape may. A dtype that an op chooses, as astype does, is the node's own.
//
// A rule is about one node. Whether an array that depends on no input, such as arange(n), was made for their shapes is
// for whoever traces to know.

// Spec is what is known of an array before it is computed.
type Spec struct {
	Dtype dtype.Dtype
	Shape layout.Shape
}

// oneSpec is the answer of an op with one result.
func oneSpec(d dtype.Dtype, shape layout.Shape) []Spec { return []Spec{{d, shape}} }

// shapedAs is the rule of ops whose result is like input i.
func shapedAs(i int) func(y *Array, ins []*Array) []Spec {
	return func(_ *Array, ins []*Array) []Spec { return oneSpec(ins[i].dtype, ins[i].shape) }
}

// shapeHeld is the rule of ops that hold the shape of their result. It may have come from that of any array, as where a
// sum is stretched to the shape of what was summed, so that it is known to stand for the node's own inputs only.
func shapeHeld(y *Array, ins []*Array) []Spec {
	if !slices.Equal(y.inputs(), ins) {
		return nil
	}
	return oneSpec(y.dtype, y.shape)
}

// noInputs is the rule of ops that have none.
func noInputs(y *Array, _ []*Array) []Spec { return oneSpec(y.dtype, y.shape) }

// specsOfRow broadcasts the inputs; the dtype is that of the row for theirs.
func specsOfRow(y *Array, ins []*Array) []Spec {
	return oneSpec(y.op.Row.Types.Result(argDtype(y.op.Row.Types.First, ins)), broadcastAll(y.op.Name, ins))
}

// argDtype is the dtype of the arguments of a row, of which the first may be a condition.
func argDtype(first bool, ins []*Array) dtype.Dtype {
	if first {
		return ins[1].dtype
	}
	return ins[0].dtype
}

func broadcastAll(op string, ins []*Array) layout.Shape {
	shape := ins[0].shape
	for _, x := range ins[1:] {
		shape = broadcastShapes(op, shape, x.shape)
	}
	return shape
}

// dropAxes is shape without the given axes.
func dropAxes(shape layout.Shape, axes ...int) layout.Shape {
	left := make(layout.Shape, 0, len(shape))
	for i, n := range shape {
		if !slices.Contains(axes, i) {
			left = append(left, n)
		}
	}
	return left
}

func specsOfTranspose(y *Array, ins []*Array) []Spec {
	perm := y.attr.([]int)
	shape := make(layout.Shape, len(perm))
	for i, p := range perm {
		shape[i] = ins[0].shape[p]
	}
	return oneSpec(ins[0].dtype, shape)
}

func specsOfDiagonal(y *Array, ins []*Array) []Spec {
	x, at := ins[0], y.attr.(diagonalAttr)
	if was := y.in[0].shape; at.offset == was[at.axis2] || -at.offset == was[at.axis1] {
		return shapeHeld(y, ins) // the offset was brought within the bounds of the shape
	}
	n := diagonalLength(x.shape[at.axis1], x.shape[at.axis2], at.offset)
	return oneSpec(x.dtype, append(without(x.shape, at.axis1, at.axis2), n))
}

func specsOfConcat(y *Array, ins []*Array) []Spec {
	axis := y.attr.(int)
	shape := slices.Clone(ins[0].shape)
	for _, x := range ins[1:] {
		shape[axis] += x.shape[axis]
	}
	return oneSpec(ins[0].dtype, shape)
}

// specsOfBitcast gives the last axis the change of width. It is y's own dtype that is read.
func specsOfBitcast(y *Array, ins []*Array) []Spec {
	from, to := ins[0].dtype.Size(), y.dtype.Size()
	if from == to {
		return oneSpec(y.dtype, ins[0].shape)
	}
	shape := slices.Clone(ins[0].shape)
	last := &shape[len(shape)-1]
	if *last*from%to != 0 {
		return nil
	}
	*last = *last * from / to
	return oneSpec(y.dtype, shape)
}

func specsOfReduce(y *Array, ins []*Array) []Spec {
	return oneSpec(y.dtype, dropAxes(ins[0].shape, y.attr.(device.ReduceAttr).Axes...))
}

func specsOfArgReduce(y *Array, ins []*Array) []Spec {
	return oneSpec(y.dtype, dropAxes(ins[0].shape, y.attr.(device.ArgReduceAttr).Axis))
}

func specsOfMatMul(_ *Array, ins []*Array) []Spec {
	a, b := ins[0].shape, ins[1].shape
	return oneSpec(ins[0].dtype, append(slices.Clone(a[:len(a)-1]), b[len(b)-1]))
}

// specsOfConv holds paddings, which gradients and transposed convolutions make of spatial extents.
func specsOfConv(y *Array, ins []*Array) []Spec {
	for i, x := range y.inputs() {
		if n := len(x.shape) - 1; !layout.Equal(x.shape[1:n], ins[i].shape[1:n]) {
			return nil
		}
	}
	return oneSpec(ins[0].dtype, convShape(ins[0], ins[1], y.attr.(device.ConvAttr)))
}

// specsOfSort gives values or positions in the shape of the input. The place of an element that is to be found was
// counted along the axis, from its end where that was asked for.
func specsOfSort(y *Array, ins []*Array) []Spec {
	at := y.attr.(device.SortAttr)
	if at.Kth >= 0 && ins[0].shape[at.Axis] != y.in[0].shape[at.Axis] {
		return nil
	}
	return oneSpec(y.dtype, ins[0].shape)
}

// specsOfGather reads slices whose extents the node holds. Along an axis that it reads as a whole the extent may be
// that of the input then.
func specsOfGather(y *Array, ins []*Array) []Spec {
	at := y.attr.(device.GatherAttr)
	for axis, n := range ins[0].shape {
		if n != y.inputs()[0].shape[axis] && (!slices.Contains(at.Axes, axis) || at.SliceSizes[axis] != 1) {
			return nil
		}
	}
	var shape layout.Shape
	if len(ins) > 1 {
		shape = ins[1].shape
	}
	return oneSpec(ins[0].dtype, slices.Concat(shape, at.SliceSizes))
}

func specsOfPick(y *Array, ins []*Array) []Spec {
	if len(ins) == 2 {
		return oneSpec(ins[0].dtype, ins[0].shape)
	}
	specs := ins[0].op.Specs(ins[0], ins[0].inputs())
	if specs == nil {
		return nil
	}
	return specs[y.attr.(int):][:1]
}
