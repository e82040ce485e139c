package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

var floatDtypes = []dtype.Dtype{dtype.Float16, dtype.Float32, dtype.Float64, dtype.BFloat16}

func checkSoftmax(t *testing.T, in device.Tensor) {
	t.Helper()
	last := len(in.Shape) - 1
	out := emptyTensor(in.Dtype, in.Shape)
	lse := emptyTensor(in.Dtype, in.Shape[:last])
	launchTest(t, &device.Kernel{Kind: device.KindSoftmax, Out: []device.Tensor{out}, In: []device.Tensor{in}})
	launchTest(t, &device.Kernel{Kind: device.KindLogSumExp, Out: []device.Tensor{lse}, In: []device.Tensor{in}})
	n := in.Shape[last]
	tol := 4 * epsilon(in.Dtype)
	for row, base := range rowsOf(&in, last) {
		top, sum := math.Inf(-1), 0.0
		vs := make([]float64, n)
		for i := range vs {
			vs[i] = getValue(&in, base+i*in.Strides[last]).re
			if !(vs[i] <= top) && top == top {
				top = vs[i]
			}
		}
		lost := 0.0 // Kahan's correction
		for _, v := range vs {
			term := math.Exp(v-top) - lost
			next := sum + term
			lost, sum = next-sum-term, next
		}
		want := top + math.Log(sum)
		if math.IsInf(top, 0) {
			want = top
			for _, v := range vs {
				want += 0 * boolNaN(v)
			}
		}
		if got := getValue(&lse, row).re; !near(got, want, tol, 1+math.Abs(top)) {
			t.Fatalf("logsumexp of %s%s row %d: %v, not %v", in.Dtype, layout.Format(in.Shape), row, got, want)
		}
		for i, v := range vs {
			want := math.Exp(v-top) / sum
			got := getValue(&out, row*n+i).re
			// The exponent is rounded to the dtype of the arithmetic, so its error grows with the distance from the
			// top.
			if d := math.Abs(v - top); !near(got, want, tol+d*epsilon(in.Dtype.Compute()), 1e-30) &&
				math.Abs(got-want) > 1e-7*epsilon(in.Dtype) && !(in.Dtype.IsHalf() && math.Abs(got-want) < 6e-8) {
				t.Fatalf("softmax of %s%s %v row %d element %d (%v): %v, not %v", in.Dtype, layout.Format(in.Shape),
					in.Strides, row, i, v, got, want)
			}
		}
	}
}

// boolNaN is NaN for NaN and 0 for all else.
func boolNaN(v float64) float64 {
	if v != v {
		return v
	}
	return 0
}

func TestSoftmax(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for round := range 150 {
		for _, d := range floatDtypes {
			checkSoftmax(t, someTensor(r, d, someShape(r, 1+r.IntN(4), []int{20, 300, 3000}[r.IntN(3)]), round%4 == 0))
		}
	}
	for _, d := range floatDtypes {
		for _, shape := range [][]int{{300001}, {2, 140000}, {3, 9000}, {20, 8192}} {
			checkSoftmax(t, plainTensor(d, shape, func(int) value { return value{re: r.NormFloat64() * 4} }))
		}
		for _, special := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
			for _, n := range []int{5, 9000, 200000} {
				checkSoftmax(t, plainTensor(d, []int{2, n}, func(i int) value {
					if i == 3 || math.IsInf(special, -1) && i < n {
						return value{re: special}
					}
					return value{re: r.NormFloat64()}
				}))
			}
		}
	}
	// Far below the top the results go through the subnormals to 0.
	checkSoftmax(t, plainTensor(dtype.Float32, []int{220}, func(i int) value { return value{re: float64(-i)} }))
	checkSoftmax(t, plainTensor(dtype.Float64, []int{1600}, func(i int) value { return value{re: float64(-i) / 2} }))
}
