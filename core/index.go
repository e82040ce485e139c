package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// IndexKind is what stands at one place of a subscript.
type IndexKind uint8

const (
	IndexInt IndexKind = iota
	IndexSlice
	IndexNewAxis
	IndexEllipsis
	IndexArray // integers, or a bool mask over as many axes as it has
	IndexBool  // Int is 0 or 1: a mask without axes
)

// IndexItem is one element of a subscript a[..., i, j:k].
type IndexItem struct {
	Kind                       IndexKind
	Int                        int
	Start, Stop, Step          int
	HasStart, HasStop, HasStep bool
	Array                      *Array
	Count                      *Array // of a mask: in how many places it holds, if that was asked for
}

// UpdateOp says how a[...] = v or a.at[...].op(v) combines.
type UpdateOp uint8

const (
	UpdateSet UpdateOp = iota
	UpdateAdd
	UpdateSubtract
	UpdateMultiply
	UpdateDivide
	UpdateMaximum
	UpdateMinimum
)

// subscript is a resolved index: a basic view, then new axes, then integer arrays on some axes
// of what the view gave.
type subscript struct {
	at     *sliceAttr
	sliced layout.Shape // after at, all axes of the source still there
	viewed layout.Shape // integer axes dropped, new axes in
	arrays []*Array     // those of masks nil until they are placed; then broadcast to one shape
	axes   []int        // the axes of viewed they index
	masks  []maskAt
	front  bool // arrays are apart from each other: their axes come first
}

// span resolves a slice over an axis of extent n as Python does.
func (it *IndexItem) span(n int) (start, step, count int) {
	step = 1
	if it.HasStep {
		if step = it.Step; step == 0 {
			errs.Throw(errs.ValueError, "[index] the step of a slice must not be zero")
		}
		step = max(min(step, max(n, 1)), -max(n, 1)) // longer ones meet one element, too
	}
	clamp := func(v, lo, hi int) int {
		if v < 0 {
			v += n
		}
		return min(max(v, lo), hi)
	}
	if step > 0 {
		stop := n
		if it.HasStart {
			start = clamp(it.Start, 0, n)
		}
		if it.HasStop {
			stop = clamp(it.Stop, 0, n)
		}
		if stop > start {
			count = (stop - start + step - 1) / step
		}
		return start, step, count
	}
	start, stop := n-1, -1
	if it.HasStart {
		start = clamp(it.Start, -1, n-1)
	}
	if it.HasStop {
		stop = clamp(it.Stop, -1, n-1)
	}
	if start > stop {
		count = (start - stop - step - 1) / -step
	}
	return start, step, count
}

// wholeIndex is items with the ellipsis that an index without one ends in. used is the number of axes that items take.
func wholeIndex(x *Array, items []IndexItem) (list []IndexItem, used int) {
	list = items
	kind, ellipsis := errs.ValueError, false
	for _, it := range items {
		switch it.Kind {
		case IndexInt, IndexSlice:
			used++
		case IndexArray:
			if it.Array.dtype == dtype.Bool {
				used += len(it.Array.shape)
				kind = errs.IndexError
			} else {
				used++
			}
		case IndexEllipsis:
			if ellipsis {
				errs.Throw(errs.ValueError, "[index] an index can have only one ellipsis")
			}
			ellipsis = true
		}
	}
	if used > len(x.shape) {
		errs.Throw(kind, "[index] too many indices (%d) for an array of shape %s", used, layout.Format(x.shape))
	}
	if !ellipsis {
		list = append(append(make([]IndexItem, 0, len(items)+1), items...), IndexItem{Kind: IndexEllipsis})
	}
	return list, used
}

// resolve lines the items up with x's axes.
func resolve(x *Array, items []IndexItem) *subscript {
	list, used := wholeIndex(x, items)
	s := &subscript{at: wholeSlice(len(x.shape)), sliced: slices.Clone(x.shape),
		viewed: make([]int, 0, len(x.shape)+len(items))}
	axis := 0
	first, last, picks := len(list), 0, 0 // among the items, where integers and arrays stand
	for place, it := range list {
		switch it.Kind {
		case IndexEllipsis:
			for range len(x.shape) - used {
				s.viewed = append(s.viewed, x.shape[axis])
				axis++
			}
		case IndexNewAxis:
			s.viewed = append(s.viewed, 1)
		case IndexInt:
			n := x.shape[axis]
			i := it.Int
			if i < -n || i >= n {
				errs.Throw(errs.IndexError, "[index] index %d is out of bounds for axis %d with size %d", i, axis, n)
			}
			if i < 0 {
				i += n
			}
			s.at.start[axis] = i
			s.sliced[axis] = 1
			axis++
		case IndexSlice:
			start, step, count := it.span(x.shape[axis])
			s.at.start[axis], s.at.step[axis], s.sliced[axis] = start, step, count
			s.viewed = append(s.viewed, count)
			axis++
		case IndexArray, IndexBool:
			if it.Kind == IndexBool || it.Array.dtype == dtype.Bool {
				axis = s.addMask(x, &it, place, axis)
				break
			}
			checkIndices("index", []*Array{it.Array})
			s.addArray(it.Array, x.shape[axis])
			axis++
		}
		if it.Kind == IndexInt || it.Kind == IndexArray || it.Kind == IndexBool {
			first, last, picks = min(first, place), place, picks+1
		}
	}
	// NumPy's rule: integers count as indices too where arrays take part.
	s.front = len(s.arrays) > 0 && last-first != picks-1
	return s
}

// addArray adds an index array for the next axis of the view.
func (s *subscript) addArray(a *Array, extent int) {
	s.arrays = append(s.arrays, a)
	s.axes = append(s.axes, len(s.viewed))
	s.viewed = append(s.viewed, extent)
}

// align broadcasts the index arrays, of which there are some, to one shape.
func (s *subscript) align() layout.Shape {
	shape := s.arrays[0].shape
	for _, a := range s.arrays[1:] {
		shape = broadcastShapes("index", shape, a.shape)
	}
	for i, a := range s.arrays {
		s.arrays[i] = BroadcastTo(a, shape)
	}
	return shape
}

// addRest appends the extents of the view's axes that are not indexed by arrays.
func (s *subscript) addRest(rest layout.Shape) layout.Shape {
	for i, d := range s.viewed {
		if !slices.Contains(s.axes, i) {
			rest = append(rest, d)
		}
	}
	return rest
}

// view is the basic part of the subscript.
func (s *subscript) view(x *Array) *Array { return Reshape(slice(x, s.sliced, s.at), s.viewed) }

// sizes is the slice each index position selects from the view.
func (s *subscript) sizes() []int {
	sizes := slices.Clone(s.viewed)
	for _, a := range s.axes {
		sizes[a] = 1
	}
	return sizes
}

// lead is the axis of the result at which the index arrays' axes stand.
func (s *subscript) lead() int {
	if s.front {
		return 0
	}
	return s.axes[0]
}

// Index is a[items]. It is nil if the size of the result depends on masks that were not counted: then their items have
// got a Count that must be evaluated before Index is asked again.
func Index(x *Array, items []IndexItem) *Array {
	s := resolve(x, items)
	if len(s.arrays) == 0 {
		return s.view(x)
	}
	if !s.placeMasks(items) {
		return nil
	}
	shape := s.align()
	g := gather(s.view(x), s.arrays, s.axes, s.sizes())
	// Index axes are first, then the slice with extent 1 where arrays stand: drop those and
	// move the index axes to their place.
	k := len(shape)
	shape = s.addRest(append(make(layout.Shape, 0, k+len(s.viewed)), shape...))
	return Transpose(Reshape(g, shape), leadPerm(len(shape), k, s.lead()))
}

// leadPerm moves the first k axes to start at axis to.
func leadPerm(rank, k, to int) []int {
	perm := make([]int, 0, rank)
	for i := range to {
		perm = append(perm, k+i)
	}
	for i := range k {
		perm = append(perm, i)
	}
	for i := k + to; i < rank; i++ {
		perm = append(perm, i)
	}
	return perm
}

// IndexUpdate is a copy of x in which a[items] is combined with value. As Index it is nil where masks must be counted
// first, which they need not if one is all that picks places.
func IndexUpdate(x *Array, items []IndexItem, value *Array, op UpdateOp) *Array {
	s := resolve(x, items)
	value = AsType(value, x.dtype)
	if len(s.arrays) == 0 {
		old := slice(x, s.sliced, s.at)
		return sliceUpdate(x, combine(op, old, fitValue(value, s.viewed, s.sliced)), s.at)
	}
	rest, to := s.addRest(nil), s.lead()
	if m, ok := s.lone(); ok {
		n := 1
		if at := len(value.shape) - 1 - (len(rest) - to); at >= 0 {
			n = value.shape[at]
		}
		if n == 1 {
			return s.updateMask(x, m, value, op)
		}
		s.place(m, n)
	} else if !s.placeMasks(items) {
		return nil
	}
	// The result of a[items] has the index axes at lead; a scatter wants them in front and the
	// slice axes, with extent 1 where arrays stand, behind.
	index := s.align()
	k := len(index)
	shape := slices.Insert(slices.Clone(rest), to, index...)
	value = stretch(value, shape)
	inverse := make([]int, len(shape))
	for i, p := range leadPerm(len(shape), k, to) {
		inverse[p] = i
	}
	updates := Reshape(Transpose(value, inverse), append(slices.Clone(index), s.sizes()...))
	v := s.view(x)
	if op == UpdateSubtract {
		op, updates = UpdateAdd, neg(updates)
	}
	if op == UpdateDivide {
		op, updates = UpdateMultiply, AsType(apply("reciprocal", updates), x.dtype)
	}
	scatter := map[UpdateOp]device.ScatterOp{UpdateSet: device.ScatterSet, UpdateAdd: device.ScatterAdd,
		UpdateMultiply: device.ScatterProd,
		UpdateMaximum:  device.ScatterMax, UpdateMinimum: device.ScatterMin}[op]
	changed := scatterAt(v, s.arrays, s.axes, updates, scatter)
	if v == x {
		return changed
	}
	return sliceUpdate(x, Reshape(changed, s.sliced), s.at)
}

// fitValue stretches value to the shape of a[items], then gives it that of the slice.
func fitValue(value *Array, viewed, sliced layout.Shape) *Array {
	return Reshape(stretch(value, viewed), sliced)
}

// stretch broadcasts value to shape; leading axes of extent 1 that shape lacks are dropped.
func stretch(value *Array, shape layout.Shape) *Array {
	for len(value.shape) > len(shape) && value.shape[0] == 1 {
		value = Reshape(value, value.shape[1:])
	}
	if !layout.CanBroadcastTo(value.shape, shape) {
		errs.Throw(errs.ValueError, "[index] a value of shape %s cannot be broadcast to the indexed shape %s",
			layout.Format(value.shape), layout.Format(shape))
	}
	return BroadcastTo(value, shape)
}

func combine(op UpdateOp, old, value *Array) *Array {
	switch op {
	case UpdateAdd:
		value = add(old, value)
	case UpdateSubtract:
		value = sub(old, value)
	case UpdateMultiply:
		value = mul(old, value)
	case UpdateDivide:
		value = div(old, value)
	case UpdateMaximum:
		value = apply("maximum", old, value)
	case UpdateMinimum:
		value = apply("minimum", old, value)
	}
	return AsType(value, old.dtype)
}

func init() {
	register(
		Func{Name: "take", Sig: "(a: array, /, indices: int | array, axis: int | None = None) -> array",
			Call: callN(func(a *Args) *Array {
				x, axis := a.array(by.a), 0
				if !a.given(by.axis) {
					x = Reshape(x, []int{-1})
				} else {
					axis = a.axis(by.axis, x.NDim())
				}
				items := make([]IndexItem, axis+1)
				for i := range items {
					items[i].Kind = IndexSlice
				}
				if it := a.arg(by.indices); it.Kind == ArgInt || it.Kind == ArgBool {
					items[axis] = IndexItem{Kind: IndexInt, Int: int(it.Int)}
				} else {
					items[axis] = IndexItem{Kind: IndexArray, Array: a.array(by.indices)}
					checkIndices("take", []*Array{items[axis].Array})
				}
				return Index(x, items)
			})},
		Func{Name: "take_along_axis", Sig: "(a: array, /, indices: array, axis: int | None = -1) -> array",
			Call: callN(func(a *Args) *Array {
				x, idx, axis := alongOperands(a)
				return gatherAxis(x, idx, axis)
			})},
		Func{Name: "put_along_axis",
			Sig: "(a: array, /, indices: array, values: array, axis: int | None = None) -> array",
			Call: callN(func(a *Args) *Array {
				shape := a.array(by.a).shape
				x, idx, axis := alongOperands(a)
				values := AsType(a.array(by.values), x.dtype)
				if !layout.CanBroadcastTo(values.shape, idx.shape) {
					errs.Throw(errs.ValueError,
						"[put_along_axis] values of shape %s do not broadcast to the shape %s of the indices",
						layout.Format(values.shape), layout.Format(idx.shape))
				}
				return Reshape(scatterAxis(x, idx, BroadcastTo(values, idx.shape),
					device.ScatterAxisAttr{Axis: axis, Add: false}), shape)
			})},
	)
}

// alongOperands prepares array and indices of one rank whose other axes agree.
func alongOperands(a *Args) (x, idx *Array, axis int) {
	x, idx = a.array(by.a), a.array(by.indices)
	checkIndices(a.name(), []*Array{idx})
	if !a.given(by.axis) {
		return Reshape(x, []int{-1}), Reshape(idx, []int{-1}), 0
	}
	axis = a.axis(by.axis, x.NDim())
	if x.NDim() != idx.NDim() {
		errs.Throw(errs.ValueError, "[%s] indices of shape %s must have as many axes as the array of shape %s",
			a.name(), layout.Format(idx.shape), layout.Format(x.shape))
	}
	sx, si := slices.Clone(x.shape), slices.Clone(idx.shape)
	for k := range sx {
		if k == axis {
			continue
		}
		switch {
		case sx[k] == si[k]:
		case sx[k] == 1:
			sx[k] = si[k]
		case si[k] == 1:
			si[k] = sx[k]
		default:
			errs.Throw(errs.ValueError, "[%s] indices of shape %s do not broadcast with the array of shape %s",
				a.name(), layout.Format(idx.shape), layout.Format(x.shape))
		}
	}
	return BroadcastTo(x, sx), BroadcastTo(idx, si), axis
}
