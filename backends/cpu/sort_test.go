package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

func sortOf(in, out device.Tensor, attr device.SortAttr) *device.Kernel {
	return &device.Kernel{Kind: device.KindSort, Op: "sort", Out: []device.Tensor{out}, In: []device.Tensor{in},
		Attr: attr}
}

func sameValue(a, b value) bool {
	bits := func(f float64) uint64 {
		if f != f {
			return 1
		}
		return math.Float64bits(f) // tells -0 from 0
	}
	return a.i == b.i && bits(a.re) == bits(b.re) && bits(a.im) == bits(b.im)
}

// sortFourWays sorts in along axis: elements, positions, and both around kth.
func sortFourWays(t *testing.T, in device.Tensor, axis, kth int) []device.Tensor {
	kernels := make([]device.Tensor, 4)
	for i := range kernels {
		d := in.Dtype
		if i&1 == 1 {
			d = dtype.Uint32
		}
		kernels[i] = emptyTensor(d, in.Shape)
		k := -1
		if i >= 2 {
			k = kth
		}
		launchTest(t, sortOf(in, kernels[i], device.SortAttr{Axis: axis, Arg: i&1 == 1, Kth: k}))
	}
	return kernels
}

// checkSort sorts in along axis four ways: elements, positions, and both around every few kth.
func checkSort(t *testing.T, in device.Tensor, axis, kth int) {
	t.Helper()
	n := in.Shape[axis]
	where := func() string { return in.Dtype.String() + layout.Format(in.Shape) }
	kernels := sortFourWays(t, in, axis, kth)
	outRows := rowsOf(&kernels[0], axis)
	os := kernels[0].Strides[axis]
	less := func(a, b value) bool { return valueLess(in.Dtype, a, b) }
	compare := func(a, b value) int {
		if less(a, b) {
			return -1
		} else if less(b, a) {
			return 1
		}
		return 0
	}
	for row, base := range rowsOf(&in, axis) {
		order := make([]int, n)
		vs := make([]value, n)
		for i := range order {
			order[i], vs[i] = i, getValue(&in, base+i*in.Strides[axis])
		}
		slices.SortStableFunc(order, func(a, b int) int { return compare(vs[a], vs[b]) })
		for i, o := range order {
			at := outRows[row] + i*os
			if got := getValue(&kernels[0], at); !sameValue(got, vs[o]) {
				t.Fatalf("sort of %s: row %d element %d is %v, not %v", where(), row, i, got, vs[o])
			}
			if got := getValue(&kernels[1], at).i; got != int64(o) {
				t.Fatalf("argsort of %s: row %d element %d is %d (%v), not %d (%v)", where(), row, i, got, vs[got],
					o, vs[o])
			}
		}
		for _, out := range kernels[2:] {
			seen := make([]bool, n)
			var left []value
			for i := range n {
				got := getValue(&out, outRows[row]+i*os)
				if out.Dtype == dtype.Uint32 && (in.Dtype != dtype.Uint32 || &out == &kernels[3] ||
					out.Data == kernels[3].Data) {
					if seen[got.i] {
						t.Fatalf("argpartition of %s: row %d names %d twice", where(), row, got.i)
					}
					seen[got.i] = true
					got = vs[got.i]
				} else {
					left = append(left, got)
				}
				pivot := vs[order[kth]]
				if i < kth && less(pivot, got) || i > kth && less(got, pivot) ||
					i == kth && (less(got, pivot) || less(pivot, got)) {
					t.Fatalf("partition of %s at %d: row %d element %d is %v, the pivot %v", where(), kth, row, i,
						got, pivot)
				}
			}
			if left != nil { // the same elements, in any order
				slices.SortStableFunc(left, compare)
				for i, o := range order {
					if less(left[i], vs[o]) || less(vs[o], left[i]) {
						t.Fatalf("partition of %s at %d: row %d lost element %v", where(), kth, row, vs[o])
					}
				}
			}
		}
	}
}

func TestSort(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 1))
	for round := range 60 {
		for _, d := range dtype.All {
			rank := 1 + r.IntN(3)
			shape := someShape(r, rank, []int{20, 300, 3000}[r.IntN(3)])
			axis := r.IntN(rank)
			checkSort(t, someTensor(r, d, shape, round%2 == 0), axis, r.IntN(shape[axis]))
		}
	}
	for _, d := range []dtype.Dtype{dtype.Float32, dtype.Int64, dtype.Uint8, dtype.Float16, dtype.Complex64} {
		checkSort(t, someTensor(r, d, []int{100003}, true), 0, 4711)
		checkSort(t, plainTensor(d, []int{2, 70000},
			func(int) value { return value{i: int64(r.Uint64()), re: r.NormFloat64()} }), 1, 69999)
		checkSort(t, plainTensor(d, []int{1000}, func(int) value { return value{i: 7, re: 7} }), 0, 500)
	}
}

// TestSplitSort sorts single long rows on several cores, whose ranges and blocks come out as uneven as they can.
func TestSplitSort(t *testing.T) {
	defer func(n int) { threads = n }(threads)
	threads = 3
	const n = radixSplit + 77
	r := rand.New(rand.NewPCG(33, 1))
	zero := math.Copysign(0, -1)
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, zero, 1, -1}
	number := func(f func(i int) int) func(int) value {
		return func(i int) value { v := f(i); return value{i: int64(v), re: float64(v)} }
	}
	for name, of := range map[string]func(i int) value{
		"any":        func(int) value { return value{i: int64(r.Uint64()), re: r.NormFloat64()} },
		"special":    func(int) value { k := r.IntN(len(special)); return value{i: int64(k) - 3, re: special[k]} },
		"mostly -0":  func(i int) value { return value{re: []float64{zero, zero, zero, 0, float64(i % 3)}[r.IntN(5)]} },
		"all equal":  number(func(int) int { return 7 }),
		"two values": number(func(int) int { return r.IntN(2) }),
		"ascending":  number(func(i int) int { return i }),
		"descending": number(func(i int) int { return n - i }),
		"periodic":   number(func(i int) int { return i % 64 }),
		"one large":  number(func(i int) int { return i / (n - 1) }),
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range dtype.All {
				if d != dtype.Complex64 {
					checkSort(t, plainTensor(d, []int{n}, of), 0, n/2)
				}
			}
		})
	}
	eachISA(t, func(t *testing.T) {
		for _, d := range []dtype.Dtype{dtype.Float32, dtype.Int64, dtype.Float64} {
			checkSort(t, someTensor(r, d, []int{2, n}, true), 1, n-1)
			checkSort(t, plainTensor(d, []int{n, 2},
				func(int) value { return value{i: int64(r.Uint32()), re: r.NormFloat64()} }), 0, 0)
		}
	})
}

func TestSearchSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(32, 1))
	for round := range 300 {
		d := dtype.All[round%dtype.Count]
		in := someTensor(r, d, []int{r.IntN(60)}, true)
		sorted := emptyTensor(d, in.Shape)
		if in.Shape[0] > 0 {
			launchTest(t, sortOf(in, sorted, device.SortAttr{Kth: -1}))
		}
		v := someTensor(r, d, someShape(r, 2, 50), true)
		for _, right := range []bool{false, true} {
			out := emptyTensor(dtype.Uint32, v.Shape)
			launchTest(t, &device.Kernel{Kind: device.KindSearchSorted, Out: []device.Tensor{out},
				In: []device.Tensor{sorted, v}, Attr: device.SearchAttr{Right: right}})
			for i := range out.Size() {
				q, want := getValue(&v, offsetOf(i, v.Shape, v.Strides)), 0
				for j := range sorted.Shape[0] {
					x := getValue(&sorted, j)
					if valueLess(d, x, q) || right && !valueLess(d, q, x) {
						want++
					}
				}
				if got := getValue(&out, i).i; got != int64(want) {
					t.Fatalf("%s %v among %d, right %v: %d, not %d", d, q, sorted.Shape[0], right, got, want)
				}
			}
		}
	}
}
