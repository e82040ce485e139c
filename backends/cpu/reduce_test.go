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

// foldNaive folds values one by one, floats in float64.
func foldNaive(op device.ReduceOp, d dtype.Dtype, vs []value) value {
	truth := func(v value) bool { return v.i != 0 || v.re != 0 || v.im != 0 }
	before := func(a, b value) bool { // a < b
		switch {
		case d == dtype.Uint64:
			return uint64(a.i) < uint64(b.i)
		case !d.IsInexact():
			return a.i < b.i
		}
		return a.re < b.re || a.re == b.re && a.im < b.im
	}
	var acc value
	switch op {
	case device.ReduceProd:
		acc = value{i: 1, re: 1}
	case device.ReduceAnd:
		acc.i = 1
	}
	for n, v := range vs {
		switch op {
		case device.ReduceSum:
			acc.i, acc.re, acc.im = acc.i+v.i, acc.re+v.re, acc.im+v.im
		case device.ReduceProd:
			acc.i *= v.i
			acc.re, acc.im = acc.re*v.re-acc.im*v.im, acc.re*v.im+acc.im*v.re
			if !d.IsInexact() {
				acc.im = 0
			}
		case device.ReduceMin:
			if n == 0 || !acc.nan() && (v.nan() || before(v, acc)) {
				acc = v
			}
		case device.ReduceMax:
			if n == 0 || !acc.nan() && (v.nan() || before(acc, v)) {
				acc = v
			}
		case device.ReduceAnd:
			if !truth(v) {
				acc.i = 0
			}
		case device.ReduceOr:
			if truth(v) {
				acc.i = 1
			}
		}
	}
	return acc
}

func resultDtype(op device.ReduceOp, d dtype.Dtype) dtype.Dtype {
	acc := accumulator(op, d)
	if d.IsHalf() && acc == dtype.Float32 {
		return d
	}
	return acc
}

func checkReduce(t *testing.T, op device.ReduceOp, in device.Tensor, axes []int, to dtype.Dtype) {
	t.Helper()
	var kshape, kstr, rshape, rstr []int
	for i, n := range in.Shape {
		if slices.Contains(axes, i) {
			rshape, rstr = append(rshape, n), append(rstr, in.Strides[i])
		} else {
			kshape, kstr = append(kshape, n), append(kstr, in.Strides[i])
		}
	}
	out := emptyTensor(to, kshape)
	launchTest(t, &device.Kernel{Kind: device.KindReduce, Op: "reduce", Out: []device.Tensor{out},
		In: []device.Tensor{in}, Attr: device.ReduceAttr{Op: op, Axes: axes}})
	vs := make([]value, layout.Size(rshape))
	for o := range out.Size() {
		base, scale, bits := offsetOf(o, kshape, kstr), 0.0, 0.0
		for i := range vs {
			vs[i] = getValue(&in, base+offsetOf(i, rshape, rstr))
			scale += math.Abs(vs[i].re) + math.Abs(vs[i].im)
			if m := math.Hypot(vs[i].re, vs[i].im); m != 0 {
				bits += math.Abs(math.Log2(m))
			}
		}
		if op == device.ReduceProd && to.IsInexact() && !(bits < 100) {
			continue // a partial product may overflow, depending on the order
		}
		want, got := foldNaive(op, in.Dtype, vs), getValue(&out, o)
		tmp := emptyTensor(to, []int{1})
		putValue(&tmp, 0, want)
		rounded := getValue(&tmp, 0)
		ok := got.i == rounded.i
		if to.IsInexact() {
			tol := 2 * epsilon(to)
			if op == device.ReduceProd {
				scale = math.Hypot(want.re, want.im)
				tol = max(tol, float64(len(vs))*epsilon(accumulator(op, in.Dtype)))
			}
			if in.Dtype == dtype.Complex64 && op >= device.ReduceMin && want.nan() {
				ok = got.nan()
			} else if math.IsNaN(scale) || math.IsInf(scale, 0) {
				ok = near(got.re, rounded.re, tol, 0) && near(got.im, rounded.im, tol, 0)
			} else {
				ok = near(got.re, rounded.re, tol, scale) && near(got.im, rounded.im, tol, scale)
			}
		}
		if !ok {
			t.Fatalf("op %d of %s%s %v over axes %v to %s: output %d is %v, not %v", op, in.Dtype,
				layout.Format(in.Shape), in.Strides, axes, to, o, got, want)
		}
	}
}

func TestReduce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		for _, d := range dtype.All {
			for op := range device.ReduceOp(device.ReduceOpCount) {
				rank := 1 + r.IntN(5)
				shape := someShape(r, rank, []int{20, 300, 3000}[r.IntN(3)])
				var axes []int
				for i := range rank {
					if r.IntN(2) == 0 {
						axes = append(axes, i)
					}
				}
				if len(axes) == 0 {
					axes = []int{r.IntN(rank)}
				}
				checkReduce(t, op, someTensor(r, d, shape, round%4 == 0), axes, resultDtype(op, d))
			}
		}
	}
}

// Shapes that take every path: chunks, groups of rows, long columns, more axes than a kernel takes.
func TestReducePaths(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	deep := make([]int, 28)
	for i := range deep {
		deep[i] = 1
		if i%2 == 0 {
			deep[i] = 2
		}
	}
	cases := []struct {
		shape, axes []int
	}{
		{[]int{600000}, []int{0}},
		{[]int{3, 200001}, []int{1}},
		{[]int{200001, 3}, []int{0}},
		{[]int{5, 30001, 3}, []int{1}},
		{[]int{100000, 2}, []int{0, 1}},
		{[]int{5000, 70}, []int{0}},
		{[]int{40, 3000}, []int{0}},
		{[]int{3000, 5}, []int{1}},
		{[]int{7, 300, 9, 31}, []int{0, 2}},
		{[]int{300, 7, 310}, []int{0, 2}},
		{deep, []int{0, 4, 8, 12, 16, 20, 24}},
	}
	for i, c := range cases {
		for j, d := range []dtype.Dtype{dtype.Float32, dtype.Float16, dtype.Uint8, dtype.Int64, dtype.Complex64} {
			if j > 0 && (i+j)%2 == 0 {
				continue // the dtypes take turns
			}
			pool := make([]value, 1009)
			for i := range pool {
				pool[i] = someValue(r, d, false)
			}
			for _, op := range []device.ReduceOp{device.ReduceSum, device.ReduceMax, device.ReduceAnd} {
				if d != dtype.Float32 && op != device.ReduceSum || len(c.shape) > 10 && op != device.ReduceSum {
					continue
				}
				in := plainTensor(d, c.shape, func(i int) value { return pool[i%1009] })
				checkReduce(t, op, in, c.axes, resultDtype(op, d))
			}
		}
	}
	// 16 reduced and 14 kept axes that alternate, and do not merge.
	shape := make([]int, 30)
	var axes []int
	for i := range shape {
		shape[i] = 1 + i%2
		if i%4 == 1 {
			axes = append(axes, i)
		}
	}
	in := someTensor(r, dtype.Int32, shape, false)
	checkReduce(t, device.ReduceSum, in, axes, dtype.Int32)
}

// Results wider or narrower than the accumulator.
func TestReduceDtypes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for _, c := range [][2]dtype.Dtype{{dtype.Float16, dtype.Float32}, {dtype.BFloat16, dtype.Float32},
		{dtype.Uint8, dtype.Uint8}, {dtype.Int8, dtype.Int64}, {dtype.Int16, dtype.Int16},
		{dtype.Float32, dtype.Float64}, {dtype.Uint32, dtype.Int32}} {
		for _, axes := range [][]int{{0}, {1}, {0, 2}} {
			in := plainTensor(c[0], []int{30, 40, 5},
				func(int) value { return value{i: int64(r.IntN(9) - 4), re: float64(r.IntN(9) - 4)} })
			checkReduce(t, device.ReduceSum, in, axes, c[1])
		}
	}
}

func TestReduceEmpty(t *testing.T) {
	for op, want := range map[device.ReduceOp]value{
		device.ReduceSum: {}, device.ReduceProd: {i: 1, re: 1}, device.ReduceAnd: {i: 1, re: 1}, device.ReduceOr: {},
		device.ReduceMin: {i: math.MaxInt32, re: math.Inf(1)}, device.ReduceMax: {i: math.MinInt32, re: math.Inf(-1)},
	} {
		for _, d := range []dtype.Dtype{dtype.Float32, dtype.Int32, dtype.Float16, dtype.Complex64} {
			out := plainTensor(resultDtype(op, d), []int{3000}, func(int) value { return value{i: 77, re: 77} })
			in := device.Tensor{Dtype: d, Shape: []int{0, 3000}, Strides: []int{3000, 1}, Data: out.Data}
			launchTest(t, &device.Kernel{Kind: device.KindReduce, Out: []device.Tensor{out}, In: []device.Tensor{in},
				Attr: device.ReduceAttr{Op: op, Axes: []int{0}}})
			for i := range 3000 {
				if got := getValue(&out, i); out.Dtype.IsInexact() && got.re != want.re ||
					!out.Dtype.IsInexact() && got.i != want.i {
					t.Fatalf("op %d of no %s gives %v, not %v", op, d, got, want)
				}
			}
		}
	}
}

// Sums of many equal halves and floats must not stall where the step falls below the rounding of the sum.
func TestReduceAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		d     dtype.Dtype
		shape []int
		axes  []int
	}{
		{dtype.Float16, []int{1000000}, []int{0}}, {dtype.BFloat16, []int{1000000}, []int{0}},
		{dtype.Float32, []int{3000000}, []int{0}}, {dtype.Float32, []int{1000000, 2}, []int{0}},
		{dtype.Float32, []int{100000, 20}, []int{0}}, {dtype.Float16, []int{100000, 20}, []int{0}},
		{dtype.Complex64, []int{1000000}, []int{0}},
	} {
		in := plainTensor(c.d, c.shape, func(int) value { return value{re: r.Float64() * 0.01, im: 0.01} })
		to := c.d
		out := emptyTensor(to, []int{layout.Size(c.shape[1:])})
		launchTest(t, &device.Kernel{Kind: device.KindReduce, Out: []device.Tensor{out}, In: []device.Tensor{in},
			Attr: device.ReduceAttr{Op: device.ReduceSum, Axes: c.axes}})
		n := out.Size()
		for o := range n {
			sum := 0.0
			for i := o; i < in.Size(); i += n {
				sum += getValue(&in, i).re
			}
			if got := getValue(&out, o).re; !near(got, sum, epsilon(to), 0) {
				t.Errorf("sum of %s%s: %v, not %v", c.d, layout.Format(c.shape), got, sum)
			}
		}
	}
}

// The result may not depend on how many cores took part.
func TestReduceThreads(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	in := plainTensor(dtype.Float32, []int{700, 1501}, func(int) value { return value{re: r.NormFloat64()} })
	defer func(n int) { threads = n }(threads)
	for _, axes := range [][]int{{0}, {1}, {0, 1}} {
		var first []float64
		for _, n := range []int{1, threads} {
			threads = n
			shape := []int{1}
			if len(axes) == 1 {
				shape[0] = in.Shape[1-axes[0]]
			}
			out := emptyTensor(dtype.Float32, shape)
			k := &device.Kernel{Kind: device.KindReduce, Out: []device.Tensor{out}, In: []device.Tensor{in},
				Attr: device.ReduceAttr{Op: device.ReduceSum, Axes: axes}}
			if len(axes) == 2 {
				k.Out[0].Shape, k.Out[0].Strides = nil, nil
			}
			launchTest(t, k)
			var got []float64
			for i := range shape[0] {
				got = append(got, getValue(&out, i).re)
			}
			if first == nil {
				first = got
			} else if !slices.Equal(first, got) {
				t.Errorf("sum over %v differs with %d threads", axes, n)
			}
		}
	}
}
