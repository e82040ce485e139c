package core

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() {
	register(Func{Name: "unique",
		Sig: "(a: array, /, size: int, return_index: bool = False, return_inverse: bool = False, " +
			"return_counts: bool = False, fill_value: scalar | array | None = None) -> array | tuple[array, ...]",
		Call: unique})
}

// unique sorts, numbers the runs of equal elements, and scatters what is asked for to the numbers. Numbers
// from size on share one place behind the result, which is cut off.
func unique(a *Args) []*Array {
	x, size := a.array(by.a), a.int(by.size)
	if size < 0 {
		errs.Throw(errs.ValueError, "[unique] size must not be negative, but is %d", size)
	}
	fill := uniqueFill(a, x.dtype)
	flat := Reshape(x, []int{-1})
	n := flat.shape[0]
	if n == 0 && size > 0 && fill == nil {
		errs.Throw(errs.ValueError, "[unique] an empty array of shape %s needs a fill_value for size %d",
			layout.Format(x.shape), size)
	}
	checkPositions("unique", flat.shape, 0)
	if _, ok := layout.CheckedSize([]int{size, 16}, 1); !ok {
		errs.Throw(errs.ValueError, "[unique] size %d is too large", size)
	}
	zero := intScalar(dtype.Uint32, 0)
	index, inverse, counts := zeros(dtype.Uint32, []int{size}), zeros(dtype.Uint32, []int{n}),
		zeros(dtype.Int32, []int{size})
	values := zeros(x.dtype, []int{size})
	var total *Array
	if n > 0 {
		order := argSortAxis(flat, 0, -1)
		sorted := gatherAxis(flat, order, 0)
		starts := Concatenate([]*Array{BroadcastTo(intScalar(dtype.Bool, 1), []int{1}),
			apply("not_equal", sliceAxis(sorted, 0, 1, n), sliceAxis(sorted, 0, 0, n-1))}, 0)
		count := scan(device.ScanSum, AsType(starts, dtype.Int64), 0, false, true)
		total = sliceAxis(count, 0, n-1, n)
		number := sub(count, intScalar(dtype.Int64, 1))
		limit := intScalar(dtype.Int64, int64(size))
		place := apply("minimum", number, limit)
		cut := func(y *Array) *Array { return sliceAxis(y, 0, 0, size) }
		// Only the first of a run writes its index; padding points at the smallest element.
		first := BroadcastTo(sliceAxis(order, 0, 0, 1), []int{size + 1})
		index = cut(scatterAxis(first, where(starts, place, limit), order, device.ScatterAxisAttr{Axis: 0, Add: false}))
		counts = cut(scatterAxisAdd(zeros(dtype.Int32, []int{size + 1}), place,
			BroadcastTo(intScalar(dtype.Int32, 1), []int{n}), 0))
		last := apply("minimum", number, intScalar(dtype.Int64, int64(max(size-1, 0))))
		inverse = scatterAxis(inverse, order, AsType(last, dtype.Uint32), device.ScatterAxisAttr{Axis: 0, Add: false})
		values = gatherAxis(flat, index, 0)
	}
	if fill != nil {
		if total == nil {
			values = BroadcastTo(fill, []int{size})
		} else {
			values = where(apply("less", arange(dtype.Int64, size), total), values, fill)
		}
	}
	if size == 0 {
		inverse = BroadcastTo(zero, []int{n})
	}
	out := []*Array{values}
	more := []*Array{index, Reshape(inverse, x.shape), counts}
	for i, wanted := range []param{by.returnIndex, by.returnInverse, by.returnCounts} {
		if a.bool(wanted) {
			out = append(out, more[i])
		}
	}
	return out
}

// uniqueFill is the value to pad with as one element of dtype d, or nil.
func uniqueFill(a *Args, d dtype.Dtype) *Array {
	if !a.given(by.fillValue) {
		return nil
	}
	fill := a.weak(by.fillValue, d)
	if fill.Size() != 1 {
		errs.Throw(errs.ValueError, "[unique] fill_value must have one element, not shape %s",
			layout.Format(fill.shape))
	}
	return Reshape(fill, scalarShape)
}
