package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Positions at which a bool mask holds, as arrays that gather and scatter take. Their number is part of a node's
// shape: who reads a[mask] has the mask counted and waits, who writes a[mask] = values takes the number of values for
// it, which the kernel checks. So masked assignment is lazy, and works where the mask has no value yet.

var nonzeroOp Def

func init() {
	define(&nonzeroOp, Def{Name: "index", Specs: shapeHeld, NoGrad: "the result is an integer",
		Kind: device.KindNonzero, Launch: launchNonzero,
		LaunchEmpty: true,
		Cost:        func(y *Array) int { return 1 + y.in[0].Size()/(8*max(y.Size(), 1)) },
		VMap: func(y *Array, ins []*Array, _ []bool, n int) *Array {
			at := y.attr.(device.NonzeroAttr)
			at.Batch++
			return newArray(&nonzeroOp, y.dtype, withBatch(n, y.shape), at, ins[0])
		},
	})
}

func launchNonzero(e *exec, y *Array) *errs.Error {
	if y.Size() > 0 {
		if err := e.allocate(y); err != nil {
			return err
		}
	}
	if y.in[0].Size() == 0 { // and y is as empty
		return nil
	}
	return e.runKind(device.KindNonzero, y, y.attr)
}

// countTrue is the number of places at which mask holds: int64.
func countTrue(mask *Array) *Array {
	if mask.Size() == 0 {
		return intScalar(dtype.Int64, 0)
	}
	return newArray(&nonzeroOp, dtype.Int64, nil, device.NonzeroAttr{Count: true}, mask)
}

// nonzero lists the n places at which mask holds, in row-major order: one index array per axis. Evaluating them is a
// ValueError if there is another number of places.
func nonzero(mask *Array, n int) []*Array {
	if n > mask.Size() {
		errs.Throw(errs.ValueError, "[index] %d values cannot be assigned by a bool mask of %d elements", n,
			mask.Size())
	}
	d := dtype.Uint32
	for _, extent := range mask.shape {
		if extent-1 > math.MaxUint32 {
			d = dtype.Int64
		}
	}
	rank := len(mask.shape)
	all := newArray(&nonzeroOp, d, []int{rank, n}, device.NonzeroAttr{}, mask)
	out := make([]*Array, rank)
	for axis := range out {
		out[axis] = Reshape(sliceAxis(all, 0, axis, axis+1), []int{n})
	}
	return out
}

// maskAt is a bool mask in a subscript.
type maskAt struct {
	mask  *Array // of at least one axis; nil for a Python bool
	holds int    // of a Python bool: 0 or 1
	item  int    // its place in the subscript
	first int    // the first of its arrays among the subscript's
}

// addMask adds the mask that is item k, over x's axes from axis on, and returns the axis behind them. One without
// axes, as a Python bool is, stands for a new axis of extent 1, of which it picks one place or none.
func (s *subscript) addMask(x *Array, it *IndexItem, k, axis int) int {
	m := maskAt{item: k, first: len(s.arrays), holds: it.Int}
	var shape layout.Shape
	if it.Kind == IndexArray {
		m.mask, shape = it.Array, it.Array.shape
	}
	end := axis + len(shape)
	if end > len(x.shape) || !layout.Equal(shape, x.shape[axis:end]) {
		errs.Throw(errs.IndexError, "[index] a bool mask of shape %s does not fit axis %d of an array of shape %s",
			layout.Format(shape), axis, layout.Format(x.shape))
	}
	if len(shape) == 0 {
		shape = []int{1}
		if m.mask != nil {
			m.mask = Reshape(m.mask, shape)
		}
	}
	s.masks = append(s.masks, m)
	for _, extent := range shape {
		s.addArray(nil, extent)
	}
	return end
}

// place puts the positions of the mask, of which there are n, among the index arrays.
func (s *subscript) place(m maskAt, n int) {
	if m.mask == nil {
		s.arrays[m.first] = BroadcastTo(intScalar(dtype.Uint32, 0), []int{n})
		return
	}
	copy(s.arrays[m.first:], nonzero(m.mask, n))
}

// placeMasks puts the positions of all masks among the index arrays. False says that some must be counted first:
// those items then have a Count to be evaluated.
func (s *subscript) placeMasks(items []IndexItem) bool {
	ok := true
	for _, m := range s.masks {
		if it := &items[m.item]; m.mask == nil {
			s.place(m, m.holds)
		} else if it.Count == nil || it.Count.state != ready {
			it.Count, ok = countTrue(m.mask), false
		} else {
			s.place(m, int(*(*int64)(it.Count.Data())))
		}
	}
	return ok
}

// lone is the mask of a subscript that has one, other than a Python bool, and no other index arrays.
func (s *subscript) lone() (maskAt, bool) {
	if len(s.masks) != 1 || s.masks[0].mask == nil || len(s.arrays) != len(s.masks[0].mask.shape) {
		return maskAt{}, false
	}
	return s.masks[0], true
}

// updateMask is x combined with value where the lone mask m holds, for a value that is the same for all of its
// places: that needs no positions.
func (s *subscript) updateMask(x *Array, m maskAt, value *Array, op UpdateOp) *Array {
	v, rest, at, lead := s.view(x), s.addRest(nil), s.axes[0], s.lead()
	value = moveAxis(stretch(value, slices.Insert(slices.Clone(rest), lead, 1)), lead, at)
	ones := slices.Repeat([]int{1}, len(s.axes))
	value = Reshape(value, slices.Insert(slices.Clone(rest), at, ones...))
	shape := slices.Repeat([]int{1}, len(s.viewed))
	copy(shape[at:], m.mask.shape)
	changed := where(Reshape(m.mask, shape), combine(op, v, value), v)
	if v == x {
		return changed
	}
	return sliceUpdate(x, Reshape(changed, s.sliced), s.at)
}
