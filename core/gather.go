package core

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Reading and writing at positions that are data. Gather reads slices of an array at corners
// given by index arrays, scatter combines slices into it; each is the other's transpose.
// The *Axis forms have one index per element, along one axis.

var gatherOp, scatterOp, gatherAxisOp, scatterAxisOp Def

func init() {
	define(&gatherOp, Def{Name: "index", Kind: device.KindGather, Specs: specsOfGather,
		VJP: func(y, ct *Array, want []bool) []*Array {
			ins, at := y.inputs(), y.attr.(device.GatherAttr)
			x, idx := ins[0], ins[1:]
			out := make([]*Array, len(ins))
			out[0] = scatterAt(zerosLike(x), idx, at.Axes, ct, device.ScatterAdd)
			return out
		},
		JVP: func(y *Array, t []*Array) *Array {
			if t[0] == nil {
				return nil
			}
			return remake(y, append([]*Array{t[0]}, y.inputs()[1:]...))
		},
		VMap: vmapGather,
	})
	define(&scatterOp, Def{Name: "index", Kind: device.KindScatter, Launch: launchScatter, Cost: scatterCost,
		VJP: vjpScatter, JVP: jvpScatter, VMap: vmapScatter, Specs: shapedAs(0)})
	define(&gatherAxisOp, Def{Name: "take_along_axis", Kind: device.KindGatherAxis,
		Specs: func(_ *Array, ins []*Array) []Spec { return oneSpec(ins[0].dtype, ins[1].shape) },
		VJP: func(y, ct *Array, want []bool) []*Array {
			x := y.in[0]
			return []*Array{scatterAxisAdd(zerosLike(x), y.in[1], ct, y.attr.(device.AxisAttr).Axis), nil}
		},
		JVP: func(y *Array, t []*Array) *Array {
			if t[0] == nil {
				return nil
			}
			return gatherAxis(t[0], y.in[1], y.attr.(device.AxisAttr).Axis)
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			xs := batchAll(ins, mapped, n)
			return gatherAxis(xs[0], xs[1], y.attr.(device.AxisAttr).Axis+1)
		},
	})
	define(&scatterAxisOp, Def{Name: "put_along_axis", Specs: shapedAs(0), Kind: device.KindScatterAxis,
		Launch: launchScatter, Cost: scatterCost,
		VJP: func(y, ct *Array, want []bool) []*Array {
			at, idx, u := y.attr.(device.ScatterAxisAttr), y.in[1], y.in[2]
			gu := gatherAxis(ct, idx, at.Axis)
			if at.Add {
				return []*Array{ct, nil, gu}
			}
			// Of several values for one place the last one stands: only it gets the cotangent.
			order := positions(u)
			last := scatterAxis(BroadcastTo(intScalar(order.dtype, -1), y.shape), idx, order, at)
			stands := apply("equal", gatherAxis(last, idx, at.Axis), order)
			return []*Array{scatterAxis(ct, idx, zerosLike(u), at), nil, where(stands, gu, like(ct, 0))}
		},
		JVP: func(y *Array, t []*Array) *Array {
			return scatterAxis(orZeros(t[0], y.in[0]), y.in[1], orZeros(t[2], y.in[2]), y.attr.(device.ScatterAxisAttr))
		},
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			at := y.attr.(device.ScatterAxisAttr)
			at.Axis++
			xs := batchAll(ins, mapped, n)
			return scatterAxis(xs[0], xs[1], xs[2], at)
		},
	})
}

// scatterCost is that of the updates, which may be many more than the elements they go to.
func scatterCost(y *Array) int {
	ins := y.inputs()
	return 1 + 4*(ins[len(ins)-1].Size()/max(y.Size(), 1))
}

func orZeros(t, x *Array) *Array {
	if t == nil {
		return zerosLike(x)
	}
	return t
}

// launchScatter copies the array to change, or takes over its memory if it dies here, and lets
// the kernel change the copy.
func launchScatter(e *exec, y *Array) *errs.Error {
	ins := y.inputs()
	kind, attr := y.op.Kind, y.attr
	scatter := func(e *exec, y *Array, ins []*Array, done *int) *errs.Error {
		if ins[len(ins)-1].Size() == 0 {
			return nil
		}
		k := &device.Kernel{Kind: kind, Op: y.opName(), Out: []device.Tensor{e.whole(y)}, Attr: attr, Done: done}
		for _, x := range ins[1:] {
			k.In = append(k.In, e.tensor(x))
		}
		return e.launch(k)
	}
	if e.donate(y, ins[:1]) {
		if e.cancel == nil || e.device {
			return scatter(e, y, ins, nil)
		}
		return e.runInPlace(y, ins, scatter)
	}
	if err := e.allocate(y); err != nil {
		return err
	}
	if err := e.copyInto(y, e.whole(y), ins[0]); err != nil {
		return err
	}
	return scatter(e, y, ins, nil)
}

func checkIndices(op string, idx []*Array) {
	for _, x := range idx {
		if !x.dtype.IsInteger() {
			errs.Throw(errs.ValueError, "[%s] indices must be integers, not %s", op, x.dtype)
		}
	}
}

// checkNonempty throws where index arrays have positions along an axis that has none.
func checkNonempty(op string, x *Array, idx []*Array, axes []int) {
	for i, axis := range axes {
		if n := idx[i].Size(); n > 0 && x.shape[axis] == 0 {
			errs.Throw(errs.IndexError,
				"[%s] there are %d indices along axis %d of an array of shape %s, which is empty", op, n, axis,
				layout.Format(x.shape))
		}
	}
}

// gather reads slices of extent sizes whose corners idx give along axes. The index arrays have
// one shape; the result has that shape followed by sizes.
func gather(x *Array, idx []*Array, axes, sizes []int) *Array {
	checkIndices("index", idx)
	checkNonempty("index", x, idx, axes)
	var shape []int
	if len(idx) > 0 {
		shape = slices.Clone(idx[0].shape)
	}
	return newArray(&gatherOp, x.dtype, append(shape, sizes...), device.GatherAttr{Axes: axes, SliceSizes: sizes},
		append([]*Array{x}, idx...)...)
}

// scatterAt combines updates, shape index shape + slice shape, into x at corners idx along axes.
func scatterAt(x *Array, idx []*Array, axes []int, updates *Array, op device.ScatterOp) *Array {
	checkIndices("index", idx)
	checkNonempty("index", x, idx, axes)
	ins := append(append([]*Array{x}, idx...), AsType(updates, x.dtype))
	return newArray(&scatterOp, x.dtype, x.shape, device.ScatterAttr{Op: op, Axes: axes}, ins...)
}

// gatherAxis is x read along axis at idx, one index per element of the result.
func gatherAxis(x, idx *Array, axis int) *Array {
	checkNonempty("take_along_axis", x, []*Array{idx}, []int{axis})
	return newArray(&gatherAxisOp, x.dtype, idx.shape, device.AxisAttr{Axis: axis}, x, idx)
}

func scatterAxis(x, idx, values *Array, at device.ScatterAxisAttr) *Array {
	checkNonempty("put_along_axis", x, []*Array{idx}, []int{at.Axis})
	return newArray(&scatterAxisOp, x.dtype, x.shape, at, x, idx, AsType(values, x.dtype))
}

func scatterAxisAdd(x, idx, values *Array, axis int) *Array {
	return scatterAxis(x, idx, values, device.ScatterAxisAttr{Axis: axis, Add: true})
}

// sizesOf is the slice shape of a scatter's updates.
func sizesOf(y *Array) []int {
	ins := y.inputs()
	u := ins[len(ins)-1]
	return u.shape[len(u.shape)-len(y.shape):]
}

func vjpScatter(y, ct *Array, want []bool) []*Array {
	ins, at := y.inputs(), y.attr.(device.ScatterAttr)
	n := len(ins)
	x, idx, u := ins[0], ins[1:n-1], ins[n-1]
	out := make([]*Array, n)
	read := func(z *Array) *Array { return gather(z, idx, at.Axes, sizesOf(y)) }
	switch at.Op {
	case device.ScatterAdd:
		out[0], out[n-1] = ct, read(ct)
	case device.ScatterSet:
		// Of several updates to one place the last one stands: only it gets the cotangent.
		order := positions(u)
		last := scatterAt(BroadcastTo(intScalar(order.dtype, -1), x.shape), idx, at.Axes, order, device.ScatterSet)
		out[0] = scatterAt(ct, idx, at.Axes, zerosLike(u), device.ScatterSet)
		out[n-1] = where(apply("equal", read(last), order), read(ct), like(ct, 0))
	case device.ScatterMin, device.ScatterMax:
		// Shares the cotangent among all that attain the result.
		keep := AsType(apply("equal", x, y), ct.dtype)
		hit := AsType(apply("equal", u, read(y)), ct.dtype)
		share := div(ct, add(keep, scatterAt(zeros(ct.dtype, x.shape), idx, at.Axes, hit, device.ScatterAdd)))
		out[0], out[n-1] = mul(keep, share), mul(hit, read(share))
	case device.ScatterProd:
		// y over the factor, for nonzero factors; where a factor is zero the other factors' product is built anew.
		ones := BroadcastTo(like(x, 1), x.shape)
		nz := func(z *Array) *Array { return where(apply("equal", z, like(z, 0)), like(z, 1), z) }
		zeroU := AsType(apply("equal", u, like(u, 0)), dtype.Int32)
		zeroX := AsType(apply("equal", x, like(x, 0)), dtype.Int32)
		count := add(zeroX, scatterAt(zeros(dtype.Int32, x.shape), idx, at.Axes, zeroU, device.ScatterAdd))
		product := mul(nz(x), scatterAt(ones, idx, at.Axes, nz(u), device.ScatterProd)) // of the nonzero factors
		others := func(z, isZero, count, product *Array) *Array {
			// The product of the others is nonzero if no other factor is zero.
			return where(apply("equal", count, isZero), div(product, nz(z)), like(z, 0))
		}
		out[0] = mul(ct, conj(others(x, zeroX, count, product)))
		out[n-1] = mul(read(ct), conj(others(u, zeroU, read(count), read(product))))
	}
	return out
}

// positions numbers the updates of a scatter by their index position, which is their order.
func positions(u *Array) *Array {
	d := dtype.Int32
	if u.Size() > math.MaxInt32 {
		d = dtype.Int64
	}
	return Reshape(arange(d, u.Size()), u.shape)
}

func jvpScatter(y *Array, t []*Array) *Array {
	ins, at := y.inputs(), y.attr.(device.ScatterAttr)
	n := len(ins)
	tx, tu := orZeros(t[0], ins[0]), orZeros(t[n-1], ins[n-1])
	idx := ins[1 : n-1]
	if at.Op == device.ScatterAdd || at.Op == device.ScatterSet {
		return scatterAt(tx, idx, at.Axes, tu, at.Op)
	}
	// The weights of the reverse rule are the partial derivatives: y' = sum of weight times tangent.
	g := vjpScatter(y, BroadcastTo(like(y, 1), y.shape), nil)
	return scatterAt(mul(conj(g[0]), tx), idx, at.Axes, mul(conj(g[n-1]), tu), device.ScatterAdd)
}

// batchIndex is the batch number at every position of an index array of shape (n, rest...).
func batchIndex(n int, shape layout.Shape) *Array {
	col := make([]int, len(shape))
	for i := range col {
		col[i] = 1
	}
	col[0] = n
	return BroadcastTo(Reshape(arange(dtype.Int64, n), col), shape)
}

func vmapGather(y *Array, ins []*Array, mapped []bool, n int) *Array {
	at := y.attr.(device.GatherAttr)
	axes := make([]int, len(at.Axes))
	for i, a := range at.Axes {
		axes[i] = a + 1
	}
	switch {
	case !slices.Contains(mapped[1:], true):
		// The same places in every example: the batch axis is one more axis of the slice.
		g := gather(ins[0], ins[1:], axes, withBatch(n, at.SliceSizes))
		rank := len(g.shape)
		return moveAxis(g, rank-1-len(at.SliceSizes), 0)
	case !mapped[0]:
		xs := batchAll(ins, mapped, n)
		return gather(ins[0], xs[1:], at.Axes, at.SliceSizes)
	}
	xs := batchAll(ins, mapped, n)
	idx := append([]*Array{batchIndex(n, xs[1].shape)}, xs[1:]...)
	g := gather(xs[0], idx, append([]int{0}, axes...), withBatch(1, at.SliceSizes))
	return Reshape(g, withBatch(n, y.shape))
}

func vmapScatter(y *Array, ins []*Array, mapped []bool, n int) *Array {
	at := y.attr.(device.ScatterAttr)
	xs := batchAll(ins, mapped, n)
	last := len(xs) - 1
	u := xs[last]
	lead := len(u.shape) - len(y.shape) // axes of the indices, batch included
	axes := make([]int, len(at.Axes))
	for i, a := range at.Axes {
		axes[i] = a + 1
	}
	if !slices.Contains(mapped[1:last], true) {
		// The same places in every example: the batch axis is one more axis of the slice.
		return scatterAt(xs[0], ins[1:last], axes, moveAxis(u, 0, lead-1), at.Op)
	}
	idx := append([]*Array{batchIndex(n, xs[1].shape)}, xs[1:last]...)
	return scatterAt(xs[0], idx, append([]int{0}, axes...), unsqueeze(u, lead), at.Op)
}
