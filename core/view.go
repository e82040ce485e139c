package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// This file holds the primitives that only look at memory differently: they cost no
// kernel unless a layout forces a copy.

// Their definitions refer to the functions below, which refer to them: init breaks the cycle.
var reshapeOp, transposeOp, broadcastOp, sliceOp, stridedOp, bitcastOp, asTypeOp, compactOp, identityOp, stopOp Def

// sliceAttr selects start, start+step, ... along each axis; the extent is in the shape.
type sliceAttr struct{ start, step []int }

// stridedAttr is a free view of row-contiguous memory, in elements.
type stridedAttr struct {
	strides []int
	offset  int
}

func init() {
	define(&reshapeOp, Def{Name: "reshape", Specs: shapeHeld, Linear: true,
		View: func(y *Array) bool {
			x := y.in[0]
			if x.contiguous() {
				y.shareBuffer(x, x.offset, nil)
				return true
			}
			strides, ok := layout.Reshape(x.shape, x.strides, y.shape)
			if ok {
				y.shareBuffer(x, x.offset, strides)
			}
			return ok
		},
		Kind: device.KindCopy, Launch: copyLaunch,
		VJP: func(y, ct *Array, want []bool) []*Array {
			return []*Array{Reshape(ct, y.in[0].shape)}
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			return Reshape(ins[0], withBatch(n, y.shape))
		},
	})
}

func init() {
	define(&transposeOp, Def{Name: "transpose", Specs: specsOfTranspose, Linear: true,
		View: func(y *Array) bool {
			x, perm := y.in[0], y.attr.([]int)
			from := x.Strides()
			strides := make([]int, len(perm))
			for i, p := range perm {
				strides[i] = from[p]
			}
			y.shareBuffer(x, x.offset, strides)
			return true
		},
		VJP: func(y, ct *Array, want []bool) []*Array {
			perm := y.attr.([]int)
			inverse := make([]int, len(perm))
			for i, p := range perm {
				inverse[p] = i
			}
			return []*Array{Transpose(ct, inverse)}
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			perm := []int{0}
			for _, p := range y.attr.([]int) {
				perm = append(perm, p+1)
			}
			return Transpose(ins[0], perm)
		},
	})
}

func init() {
	define(&broadcastOp, Def{Name: "broadcast_to", Specs: shapeHeld, Linear: true,
		View: func(y *Array) bool {
			x := y.in[0]
			y.shareBuffer(x, x.offset, layout.BroadcastStrides(x.shape, x.Strides(), y.shape))
			return true
		},
		VJP: func(y, ct *Array, want []bool) []*Array {
			return []*Array{sumTo(ct, y.in[0].shape)}
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			return BroadcastTo(insertOnes(ins[0], len(y.shape)+1), withBatch(n, y.shape))
		},
	})
}

func init() {
	define(&sliceOp, Def{Name: "slice", Specs: shapeHeld, Linear: true,
		View: func(y *Array) bool {
			x, at := y.in[0], y.attr.(*sliceAttr)
			from := x.Strides()
			strides := make([]int, len(from))
			offset := 0
			for i, s := range from {
				offset += at.start[i] * s
				strides[i] = at.step[i] * s
			}
			y.shareBuffer(x, x.offset+offset*x.dtype.Size(), strides)
			return true
		},
		VJP: func(y, ct *Array, want []bool) []*Array {
			x, at := y.in[0], y.attr.(*sliceAttr)
			return []*Array{sliceUpdate(BroadcastTo(scalarOf(ct.dtype, 0), x.shape), ct, at)}
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(*sliceAttr)
			return slice(ins[0], withBatch(n, y.shape),
				&sliceAttr{withBatch(0, at.start), withBatch(1, at.step)})
		},
	})
}

func init() {
	define(&stridedOp, Def{Name: "as_strided", Specs: shapeHeld, Linear: true,
		View: func(y *Array) bool {
			x, at := y.in[0], y.attr.(*stridedAttr)
			if !x.contiguous() {
				return false
			}
			y.shareBuffer(x, x.offset+at.offset*x.dtype.Size(), at.strides)
			return true
		},
		VJP: func(y, ct *Array, want []bool) []*Array {
			// The same view of the positions says where each element came from.
			x, at := y.in[0], y.attr.(*stridedAttr)
			n := x.Size()
			from := AsStrided(Reshape(arange(dtype.Int64, n), x.shape), y.shape, at.strides, at.offset)
			zeros := BroadcastTo(scalarOf(ct.dtype, 0), []int{n})
			sum := scatterAt(zeros, []*Array{Reshape(from, []int{-1})}, []int{0}, Reshape(ct, []int{-1, 1}),
				device.ScatterAdd)
			return []*Array{Reshape(sum, x.shape)}
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(*stridedAttr)
			return AsStrided(ins[0], withBatch(n, y.shape), withBatch(y.in[0].Size(), at.strides), at.offset)
		},
	})
}

func init() {
	define(&bitcastOp, Def{Name: "view", Specs: specsOfBitcast, Kind: device.KindCopy, NoGrad: "it reinterprets bits",
		View: func(y *Array) bool {
			x := y.in[0]
			if x.dtype.Size() == y.dtype.Size() {
				y.shareBuffer(x, x.offset, x.strides)
				return true
			}
			if !x.contiguous() {
				return false
			}
			y.shareBuffer(x, x.offset, nil)
			return true
		},
		Launch: func(e *exec, y *Array) *errs.Error {
			// Copy the bits row-contiguously as what they were; y then sees them as its own dtype.
			x := y.in[0]
			if err := e.allocate(y); err != nil {
				return err
			}
			return e.copyInto(y, e.output(y, x.dtype, x.shape, layout.Strides(x.shape), 0), x)
		},
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array { return Bitcast(ins[0], y.dtype) },
	})
}

func init() {
	define(&asTypeOp, Def{Name: "astype",
		Specs: func(y *Array, ins []*Array) []Spec { return oneSpec(y.dtype, ins[0].shape) }, Linear: true,
		Kind: device.KindCopy, Launch: launchCast,
		VJP: func(y, ct *Array, want []bool) []*Array {
			d := y.in[0].dtype
			return []*Array{AsType(realPart(ct, d), d)}
		},
		JVP:  func(y *Array, t []*Array) *Array { return AsType(t[0], y.dtype) },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array { return AsType(ins[0], y.dtype) },
	})
}

func init() {
	define(&compactOp, Def{Name: "contiguous", Specs: shapedAs(0), Linear: true,
		Kind: device.KindCopy, Launch: copyLaunch,
		View: func(y *Array) bool {
			x := y.in[0]
			if x.contiguous() && y.attr == nil {
				y.shareBuffer(x, x.offset, nil)
				return true
			}
			return false
		},
		VJP:  func(y, ct *Array, want []bool) []*Array { return []*Array{ct} },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array { return Contiguous(ins[0]) },
	})
}

func init() {
	define(&identityOp, Def{Name: "identity", Specs: shapedAs(0), Linear: true, View: sameMemory,
		VJP:  func(y, ct *Array, want []bool) []*Array { return []*Array{ct} },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array { return ins[0] },
	})
	define(&stopOp, Def{Name: "stop_gradient", Specs: shapedAs(0), NoGrad: "it is there to stop gradients",
		View: sameMemory,
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array { return StopGradient(ins[0]) },
	})
}

// sameMemory is the View of ops whose value is their first input's.
func sameMemory(y *Array) bool {
	x := y.inputs()[0]
	y.shareBuffer(x, x.offset, x.strides)
	return true
}

// ownMemory is the attr of a compactOp that does not share its input's memory.
type ownMemory struct{}

// Copy is x, row-contiguous, in memory of its own.
func Copy(x *Array) *Array { return newArray(&compactOp, x.dtype, x.shape, ownMemory{}, x) }

func withBatch(n int, shape []int) []int { return append([]int{n}, shape...) }

// copyLaunch fills y, row-contiguous, with its input's elements in row-major order.
func copyLaunch(e *exec, y *Array) *errs.Error {
	x := y.in[0]
	if err := e.allocate(y); err != nil {
		return err
	}
	return e.copyInto(y, e.output(y, y.dtype, x.shape, layout.Strides(x.shape), 0), x)
}

// launchCast converts elements.
func launchCast(e *exec, y *Array) *errs.Error {
	if f, ok := y.attr.(*fused); ok {
		return launchProgram(e, y, f.ins, f.prog)
	}
	if err := e.allocate(y); err != nil {
		return err
	}
	return e.runKind(device.KindCopy, y, nil)
}

// AsType converts the elements to d; x itself if it has that dtype.
func AsType(x *Array, d dtype.Dtype) *Array {
	if x.dtype == d {
		return x
	}
	if x.op == constant {
		if v, ok := constantValue(x); ok {
			return v(d)
		}
	}
	return newArray(&asTypeOp, d, x.shape, nil, x)
}

// constantValue converts a constant without a kernel where that is exact to do here.
func constantValue(x *Array) (func(dtype.Dtype) *Array, bool) {
	switch {
	case x.dtype == dtype.Bool, x.dtype.Group() == dtype.GroupSigned:
		v := int64(x.bits)
		return func(d dtype.Dtype) *Array { return intScalar(d, v) }, true
	case x.dtype == dtype.Float32:
		v := float64(float32FromBits(uint32(x.bits)))
		return func(d dtype.Dtype) *Array { return scalarOf(d, complex(v, 0)) }, v == v && v > -1<<31 && v < 1<<31
	}
	return nil, false
}

// Reshape gives x another shape; one extent may be -1.
func Reshape(x *Array, shape layout.Shape) *Array {
	shape = resolveShape(x, shape)
	if layout.Equal(x.shape, shape) {
		return x
	}
	return newArray(&reshapeOp, x.dtype, shape, nil, x)
}

// resolveShape checks a target shape and fills in its -1.
func resolveShape(x *Array, shape layout.Shape) layout.Shape {
	n := x.Size()
	hole, known := -1, 1
	for i, d := range shape {
		switch {
		case d == -1 && hole < 0:
			hole = i
		case d < 0:
			errs.Throw(errs.ValueError, "[reshape] invalid shape %s: at most one dimension may be -1 and none less",
				layout.Format(shape))
		default:
			known *= d
		}
	}
	switch {
	case hole >= 0 && known > 0 && n%known == 0:
		shape = slices.Clone(shape)
		shape[hole] = n / known
	case hole >= 0 || known != n:
		errs.Throw(errs.ValueError, "[reshape] cannot reshape an array of size %d and shape %s into shape %s", n,
			layout.Format(x.shape), layout.Format(shape))
	}
	return shape
}

// Transpose permutes the axes: axis i of the result is axis perm[i] of x.
func Transpose(x *Array, perm []int) *Array {
	for i, p := range perm {
		if p != i {
			shape := make([]int, len(perm))
			for i, p := range perm {
				shape[i] = x.shape[p]
			}
			return newArray(&transposeOp, x.dtype, shape, perm, x)
		}
	}
	return x
}

// moveAxis puts one axis at another place, the others keeping their order.
func moveAxis(x *Array, from, to int) *Array {
	perm := make([]int, 0, len(x.shape))
	for i := range x.shape {
		if i != from {
			perm = append(perm, i)
		}
	}
	return Transpose(x, slices.Insert(perm, to, from))
}

// BroadcastTo stretches x to shape.
func BroadcastTo(x *Array, shape layout.Shape) *Array {
	if layout.Equal(x.shape, shape) {
		return x
	}
	if !layout.CanBroadcastTo(x.shape, shape) {
		errs.Throw(errs.ValueError, "[broadcast_to] an array of shape %s cannot be broadcast to shape %s",
			layout.Format(x.shape), layout.Format(shape))
	}
	if _, ok := layout.CheckedSize(shape, x.dtype.Size()); !ok {
		errs.Throw(errs.ValueError, "[broadcast_to] shape %s is too large", layout.Format(shape))
	}
	return newArray(&broadcastOp, x.dtype, shape, nil, x)
}

// slice is the view at; shape holds the extents.
func slice(x *Array, shape layout.Shape, at *sliceAttr) *Array {
	if layout.Equal(shape, x.shape) && !slices.ContainsFunc(at.step, func(s int) bool { return s != 1 }) &&
		!slices.ContainsFunc(at.start, func(s int) bool { return s != 0 }) {
		return x
	}
	return newArray(&sliceOp, x.dtype, shape, at, x)
}

// sliceAxis takes [start, stop) along one axis.
func sliceAxis(x *Array, axis, start, stop int) *Array {
	at := wholeSlice(len(x.shape))
	at.start[axis] = start
	shape := slices.Clone(x.shape)
	shape[axis] = stop - start
	return slice(x, shape, at)
}

func wholeSlice(rank int) *sliceAttr {
	at := &sliceAttr{make([]int, rank), make([]int, rank)}
	for i := range at.step {
		at.step[i] = 1
	}
	return at
}

// flipAxis reverses one axis.
func flipAxis(x *Array, axis int) *Array {
	at := wholeSlice(len(x.shape))
	at.start[axis], at.step[axis] = max(x.shape[axis]-1, 0), -1
	return slice(x, x.shape, at)
}

// AsStrided views x's elements, taken row-contiguous, with any strides and offset that stay inside.
func AsStrided(x *Array, shape layout.Shape, strides []int, offset int) *Array {
	if len(shape) != len(strides) {
		errs.Throw(errs.ValueError, "[as_strided] shape %s and strides %s have different lengths", layout.Format(shape),
			layout.Format(strides))
	}
	lo, hi := offset, offset
	for i, d := range shape {
		if d < 0 {
			errs.Throw(errs.ValueError, "[as_strided] shape %s has a negative dimension", layout.Format(shape))
		}
		if reach := (d - 1) * strides[i]; reach > 0 {
			hi += reach
		} else {
			lo += reach
		}
	}
	if n, ok := layout.CheckedSize(shape, x.dtype.Size()); !ok || n > 0 && (lo < 0 || hi >= x.Size()) {
		errs.Throw(errs.ValueError,
			"[as_strided] shape %s, strides %s and offset %d reach outside of an array of size %d",
			layout.Format(shape), layout.Format(strides), offset, x.Size())
	}
	return newArray(&stridedOp, x.dtype, shape, &stridedAttr{strides, offset}, Contiguous(x))
}

// Contiguous is x in row-major order without gaps. What depends on a stand-in gets a node even if x lies so
// already: what a transform puts in x's place may not.
func Contiguous(x *Array) *Array {
	if x.state == ready && x.contiguous() && !x.traced() {
		return x
	}
	return newArray(&compactOp, x.dtype, x.shape, nil, x)
}

// Bitcast reads the same bytes as another dtype; the last axis takes the change of width. A byte that is not 0
// is a true bool.
func Bitcast(x *Array, d dtype.Dtype) *Array {
	if x.dtype == d {
		return x
	}
	from, to := x.dtype.Size(), d.Size()
	shape := x.shape
	if from != to {
		if len(shape) == 0 {
			errs.Throw(errs.ValueError,
				"[view] a 0-dimensional array of %s cannot be viewed as %s, which has another size", x.dtype, d)
		}
		shape = slices.Clone(shape)
		last := &shape[len(shape)-1]
		if *last*from%to != 0 {
			errs.Throw(errs.ValueError,
				"[view] the last axis of shape %s and dtype %s cannot be viewed as %s: %d bytes are no multiple of %d",
				layout.Format(x.shape), x.dtype, d, *last*from, to)
		}
		*last = *last * from / to
	}
	if d == dtype.Bool { // of bytes that may be more than 0 and 1, which kernels count and compare as numbers
		return AsType(newArray(&bitcastOp, dtype.Uint8, shape, nil, x), d)
	}
	return newArray(&bitcastOp, d, shape, nil, x)
}

// StopGradient is x as a constant to gradients.
func StopGradient(x *Array) *Array {
	y := newArray(&stopOp, x.dtype, x.shape, nil, x)
	return y
}

// normAxis counts axes from the end and checks them.
func normAxis(op string, axis, rank int) int {
	if axis < -rank || axis >= rank {
		errs.Throw(errs.AxisError, "[%s] axis %d is out of bounds for an array with %d dimensions", op, axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis
}

// normAxes is normAxis for a set: sorted, each at most once.
func normAxes(op string, axes []int, rank int) []int {
	out := make([]int, len(axes))
	for i, a := range axes {
		out[i] = normAxis(op, a, rank)
	}
	slices.Sort(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			errs.Throw(errs.ValueError, "[%s] axis %d is given twice", op, out[i])
		}
	}
	return out
}

// allAxes is 0..rank-1.
func allAxes(rank int) []int {
	axes := make([]int, rank)
	for i := range axes {
		axes[i] = i
	}
	return axes
}
