package core

import (
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Products of parts. A mixture of experts multiplies every row with the matrix that an index names (gather_mm); the
// gradient of those matrices sums over the rows that named them: a product for each segment of the sorted rows
// (segmented_mm). Whole blocks are left out by masks (block_masked_mm).

var gatherMatMulOp, segmentedMatMulOp Def

func init() {
	cost := func(y *Array) int { return max(y.in[1].shape[len(y.in[1].shape)-2]/4, 1) }
	define(&gatherMatMulOp, Def{Name: "gather_mm", Kind: device.KindGatherMatMul, Cost: cost,
		Specs: specsOfMatMul,
		VJP: func(y, ct *Array, want []bool) []*Array {
			a, b, index := y.in[0], y.in[1], y.in[2]
			out := make([]*Array, 3)
			if want[0] {
				out[0] = gatherMatMul(ct, swapLast(b), index)
			}
			if want[1] {
				out[1] = sumByIndex(a, ct, index, b)
			}
			return out
		},
		JVP: bilinear(func(a, b *Array, y *Array) *Array { return gatherMatMul(a, b, y.in[2]) }),
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			if mapped[1] || len(ins[1].shape) > 3 {
				xs := batchAll(ins, mapped, n)
				return gatherMatMul(xs[0], xs[1], xs[2])
			}
			xs := batchAll([]*Array{ins[0], ins[2]}, []bool{mapped[0], mapped[2]}, n)
			return gatherMatMul(xs[0], ins[1], xs[1])
		},
	})
	define(&segmentedMatMulOp, Def{Name: "segmented_mm", Kind: device.KindSegmentedMatMul,
		Specs: func(_ *Array, ins []*Array) []Spec {
			return oneSpec(ins[0].dtype, segmentedShape(ins[0], ins[1], ins[2]))
		},
		Cost: func(y *Array) int { // what all segments have together is mostly the inner axis
			inner, n := y.in[1].shape, len(y.in[2].shape)
			return max(inner[len(inner)-2]/(4*max(layout.Size(y.in[2].shape[len(y.in[0].shape)-2:n-1]), 1)), 1)
		},
		VJP: func(y, ct *Array, want []bool) []*Array {
			a, b, segments := y.in[0], y.in[1], y.in[2]
			out := make([]*Array, 3)
			if want[0] {
				out[0] = sumOverSegments(ct, swapLast(b), segments, false)
			}
			if want[1] {
				out[1] = sumOverSegments(swapLast(a), ct, segments, true)
			}
			return out
		},
		JVP: bilinear(func(a, b *Array, y *Array) *Array { return segmentedMatMul(a, b, y.in[2]) }),
		VMap: func(y *Array, ins []*Array, mapped []bool, n int) *Array {
			xs := batchAll(ins, mapped, n)
			return segmentedMatMul(xs[0], xs[1], xs[2])
		},
	})
	register(
		Func{Name: "gather_mm", Sig: "(a: array, b: array, /, lhs_indices: array | None = None, " +
			"rhs_indices: array | None = None, *, sorted_indices: bool = False) -> array", Call: callN(gatherMM)},
		Func{Name: "segmented_mm", Sig: "(a: array, b: array, /, segments: array) -> array", Call: callN(segmentedMM)},
		Func{Name: "block_masked_mm", Sig: "(a: array, b: array, /, block_size: int = 64, " +
			"mask_out: array | None = None, mask_lhs: array | None = None, mask_rhs: array | None = None) -> array",
			Call: callN(blockMaskedMM)},
	)
}

// bilinear is the JVP of an op that is linear in each of its first two inputs.
func bilinear(f func(a, b, y *Array) *Array) func(*Array, []*Array) *Array {
	return func(y *Array, t []*Array) *Array {
		var sum *Array
		if t[0] != nil {
			sum = f(t[0], y.in[1], y)
		}
		if t[1] != nil {
			if g := f(y.in[0], t[1], y); sum != nil {
				sum = add(sum, g)
			} else {
				sum = g
			}
		}
		return sum
	}
}

// gatherMatMul multiplies a (outer..., batch..., M, K) with the matrices of b (outer..., E, K, N) that index
// (outer..., batch...) names.
func gatherMatMul(a, b, index *Array) *Array {
	checkNonempty("gather_mm", b, []*Array{index}, []int{len(b.shape) - 3})
	shape := append(slices.Clone(a.shape[:len(a.shape)-1]), b.shape[len(b.shape)-1])
	return newArray(&gatherMatMulOp, a.dtype, shape, nil, a, b, index)
}

// segmentedMatMul multiplies a (outer..., M, K) with b (outer..., K, N) over each segment (outer..., segments..., 2) of
// the inner axis.
func segmentedMatMul(a, b, segments *Array) *Array {
	return newArray(&segmentedMatMulOp, a.dtype, segmentedShape(a, b, segments), nil, a, b, segments)
}

func segmentedShape(a, b, segments *Array) layout.Shape {
	n := len(a.shape)
	return append(slices.Clone(segments.shape[:len(segments.shape)-1]), a.shape[n-2], b.shape[n-1])
}

// sumByIndex is, for each matrix of b, the sum of a^T @ ct over the matrices of a and ct whose index names it. Their
// rows are sorted by that index, so that those of one sum are a segment.
func sumByIndex(a, ct, index, b *Array) *Array {
	outer := b.shape[:len(b.shape)-3]
	axis, experts := len(outer), b.shape[len(b.shape)-3]
	m, k, n := ct.shape[len(ct.shape)-2], a.shape[len(a.shape)-1], ct.shape[len(ct.shape)-1]
	count := layout.Size(index.shape[axis:])
	flat := func(x *Array, rest ...int) *Array {
		return Reshape(x, slices.Concat(outer, []int{count}, rest))
	}
	// Reading the numbers of the matrices at the indices counts those from the end, and refuses what names none.
	numbers := arange(dtype.Int32, experts)
	which := Reshape(gather(numbers, []*Array{flat(index)}, []int{0}, []int{1}), slices.Concat(outer, []int{count}))
	order := argSortAxis(which, axis, -1)
	rows := func(x *Array, width int) *Array {
		at := BroadcastTo(unsqueeze(order, axis+1), slices.Concat(outer, []int{count, m * width}))
		return Reshape(gatherAxis(flat(x, m*width), at, axis), slices.Concat(outer, []int{count * m, width}))
	}
	before := func(row string) *Array { // how many indices are smaller, or not larger
		below := apply(row, unsqueeze(which, axis), unsqueeze(numbers, 1))
		return AsType(reduce(device.ReduceSum, below, []int{axis + 1}), dtype.Int64)
	}
	ends := joined("gather_mm", []*Array{unsqueeze(before("less"), axis+1), unsqueeze(before("less_equal"), axis+1)},
		axis+1)
	return segmentedMatMul(swapLast(rows(a, k)), rows(ct, n), mul(ends, intScalar(dtype.Int64, int64(m))))
}

// sumOverSegments sums x @ y over the segments at whose positions along the inner axis the rows (or columns) of the
// result lie: the derivative of segmentedMatMul by its second (or first) factor. The factor that the segments lack is
// repeated.
func sumOverSegments(x, y, segments *Array, rows bool) *Array {
	repeated := y
	if rows {
		repeated = x
	}
	outer := len(repeated.shape) - 2
	lead, n := slices.Clone(repeated.shape[:outer]), layout.Size(segments.shape[outer:len(segments.shape)-1])
	perSegment := func(rest ...int) layout.Shape { return slices.Concat(lead, []int{n}, rest) }
	factor := func(z *Array) *Array {
		shape := perSegment(z.shape[len(z.shape)-2:]...)
		if z == repeated {
			return BroadcastTo(unsqueeze(z, outer), shape)
		}
		return Reshape(z, shape)
	}
	all := matMul(factor(x), factor(y)) // outer..., segments, rows, columns
	extent := all.shape[outer+2]
	line := []int{1, extent}
	if rows {
		extent = all.shape[outer+1]
		line = []int{extent, 1}
	}
	ends := AsType(Reshape(segments, perSegment(2)), dtype.Int64)
	end := func(i int) *Array { return sliceAxis(ends, outer+1, i, i+1) }
	at := arange(dtype.Int64, extent)
	inside := apply("logical_and", apply("less_equal", end(0), at), apply("less", at, end(1)))
	inside = Reshape(inside, perSegment(line...))
	return narrowed(wideSum(where(inside, all, like(all, 0)), []int{outer}), all)
}

// realFactors are the factors of op in the dtype of their product, which is of real numbers.
func realFactors(op string, a, b *Array) (*Array, *Array) {
	d := dtype.Promote(a.dtype, b.dtype)
	if !d.IsFloat() {
		errs.Throw(errs.ValueError, "[%s] only real floating point numbers are multiplied, not %s and %s", op, a.dtype,
			b.dtype)
	}
	return AsType(a, d), AsType(b, d)
}

func gatherMM(args *Args) *Array {
	const op = "gather_mm"
	a, b := realFactors(op, args.array(by.a), args.array(by.b))
	return gatherProduct(op, a, b, args.optional(by.lhsIndices), args.optional(by.rhsIndices))
}

// gatherProduct multiplies the matrices of a0 and b0 that indices name, or all where both are nil.
func gatherProduct(op string, a0, b0, left, right *Array) *Array {
	for _, index := range []*Array{left, right} {
		if index != nil {
			checkIndices(op, []*Array{index})
		}
	}
	a, b := asMatrices(op, a0, b0)
	// Factors with their own batch axes, or with those of their indices.
	batch := func(x, index *Array) layout.Shape {
		if index != nil {
			return index.shape
		}
		return x.shape[:len(x.shape)-2]
	}
	shape, ok := layout.Broadcast(batch(a, left), batch(b, right))
	if !ok {
		errs.Throw(errs.ValueError, "[%s] batch or index shapes %s and %s cannot be broadcast", op,
			layout.Format(batch(a, left)), layout.Format(batch(b, right)))
	}
	spread := func(x *Array) *Array { return BroadcastTo(x, slices.Concat(shape, x.shape[len(x.shape)-2:])) }
	list := func(x *Array) *Array {
		n := len(x.shape) - 2
		return Reshape(x, withBatch(layout.Size(x.shape[:n]), x.shape[n:]))
	}
	var y *Array
	switch {
	case left == nil && right == nil:
		y = matMul(spread(a), spread(b))
	case right == nil:
		y = swapLast(gatherMatMul(swapLast(spread(b)), swapLast(list(a)), BroadcastTo(left, shape)))
	default:
		if left != nil {
			m := a.shape[len(a.shape)-2:]
			checkNonempty(op, list(a), []*Array{left}, []int{0})
			a = gather(list(a), []*Array{left}, []int{0}, withBatch(1, m))
			a = Reshape(a, slices.Concat(left.shape, m))
		}
		y = gatherMatMul(spread(a), list(b), BroadcastTo(right, shape))
	}
	return Reshape(y, matShape(y.shape, a0.shape, b0.shape))
}

// asMatrices gives 1-D factors the axis that they lack, and checks that the inner axes agree.
func asMatrices(op string, a, b *Array) (*Array, *Array) {
	if len(a.shape) == 0 || len(b.shape) == 0 {
		errs.Throw(errs.ValueError, "[%s] arguments must have at least one axis, not shapes %s and %s", op,
			layout.Format(a.shape), layout.Format(b.shape))
	}
	x, y := a, b
	if len(a.shape) == 1 {
		x = unsqueeze(a, 0)
	}
	if len(b.shape) == 1 {
		y = unsqueeze(b, 1)
	}
	if x.shape[len(x.shape)-1] != y.shape[len(y.shape)-2] {
		errs.Throw(errs.ValueError, "[%s] the last axis of shape %s must match the second to last axis of shape %s", op,
			layout.Format(a.shape), layout.Format(b.shape))
	}
	return x, y
}

func segmentedMM(args *Args) *Array {
	const op = "segmented_mm"
	a, b := realFactors(op, args.array(by.a), args.array(by.b))
	segments := args.array(by.segments)
	if len(a.shape) != 2 || len(b.shape) != 2 || a.shape[1] != b.shape[0] {
		errs.Throw(errs.ValueError, "[%s] shapes must be (M, K) and (K, N), not %s and %s", op, layout.Format(a.shape),
			layout.Format(b.shape))
	}
	if !segments.dtype.IsInteger() {
		errs.Throw(errs.ValueError, "[%s] segments must be integers, not %s", op, segments.dtype)
	}
	if n := len(segments.shape); n == 0 || segments.shape[n-1] != 2 {
		errs.Throw(errs.ValueError, "[%s] segments must have shape (..., 2), not %s", op, layout.Format(segments.shape))
	}
	return segmentedMatMul(a, b, segments)
}

// blockMaskedMM masks the factors and their product by blocks: what a bool mask drops is zero, another mask scales.
func blockMaskedMM(args *Args) *Array {
	const op = "block_masked_mm"
	pair := promoted([]*Array{args.array(by.a), args.array(by.b)})
	a, b := pair[0], pair[1]
	if !a.dtype.IsInexact() {
		errs.Throw(errs.ValueError, "[%s] only floating point and complex64 matrices are multiplied, not %s", op,
			a.dtype)
	}
	block := args.int(by.blockSize)
	if block <= 0 {
		errs.Throw(errs.ValueError, "[%s] blocks must have a positive size, not %d", op, block)
	}
	masked := func(x *Array, p param) *Array {
		mask := args.optional(p)
		if mask == nil {
			return x
		}
		n := len(x.shape)
		blocks := slices.Clone(x.shape)
		blocks[n-2], blocks[n-1] = (x.shape[n-2]+block-1)/block, (x.shape[n-1]+block-1)/block
		if !layout.CanBroadcastTo(mask.shape, blocks) {
			errs.Throw(errs.ValueError, "[%s] %s of shape %s cannot be broadcast to the blocks %s of shape %s", op,
				parameterNames[p], layout.Format(mask.shape), layout.Format(blocks), layout.Format(x.shape))
		}
		mask = BroadcastTo(mask, blocks)
		// Every element of a block sees the block's element of the mask, which is repeated along two more axes.
		wide := slices.Concat(blocks[:n-2], []int{blocks[n-2], block, blocks[n-1], block})
		mask = BroadcastTo(unsqueeze(unsqueeze(mask, n-1), n+1), wide)
		mask = Reshape(mask, slices.Concat(blocks[:n-2], []int{blocks[n-2] * block, blocks[n-1] * block}))
		mask = sliceAxis(sliceAxis(mask, n-2, 0, x.shape[n-2]), n-1, 0, x.shape[n-1])
		if mask.dtype == dtype.Bool {
			return where(mask, x, like(x, 0))
		}
		return mul(x, AsType(mask, x.dtype))
	}
	x, y := asMatrices(op, a, b)
	z := masked(MatMul(op, masked(x, by.maskLhs), masked(y, by.maskRhs)), by.maskOut)
	return Reshape(z, matShape(z.shape, a.shape, b.shape))
}
