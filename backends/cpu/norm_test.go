package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/layout"
)

func checkNorm(t *testing.T, in, w, b device.Tensor, layer bool) {
	t.Helper()
	const eps = 1e-5
	last := len(in.Shape) - 1
	n := in.Shape[last]
	out := emptyTensor(in.Dtype, in.Shape)
	k := &device.Kernel{Kind: device.KindRMSNorm, Op: "rms_norm", Out: []device.Tensor{out}, In: []device.Tensor{in, w},
		Attr: device.NormAttr{Eps: eps}}
	if layer {
		k.Kind, k.In = device.KindLayerNorm, append(k.In, b)
	}
	launchTest(t, k)
	e := float64(eps)
	for row, base := range rowsOf(&in, last) {
		mean, squares, most := 0.0, 0.0, 0.0
		for i := range n {
			v := getValue(&in, base+i*in.Strides[last]).re
			mean += v / float64(n)
			most = max(most, math.Abs(v))
		}
		rest := 0.0 // what rounding left over
		for i := range n {
			rest += getValue(&in, base+i*in.Strides[last]).re - mean
		}
		mean += rest / float64(n)
		if !layer {
			mean = 0
		}
		for i := range n {
			v := getValue(&in, base+i*in.Strides[last]).re - mean
			squares += v * v
		}
		scale := 1 / math.Sqrt(squares/float64(n)+e)
		for i := range n {
			want := (getValue(&in, base+i*in.Strides[last]).re - mean) * scale * getValue(&w, i*w.Strides[0]).re
			if layer {
				want += getValue(&b, i*b.Strides[0]).re
			}
			got := getValue(&out, row*n+i).re
			tol := (4+math.Sqrt(float64(n)))*epsilon(in.Dtype) + 8*most*scale*epsilon(in.Dtype.Compute())
			if !near(got, want, tol, 1+math.Abs(getValue(&w, i*w.Strides[0]).re)) {
				t.Fatalf("layer %v of %s%s %v row %d element %d: %v, not %v", layer, in.Dtype, layout.Format(in.Shape),
					in.Strides, row, i, got, want)
			}
		}
	}
}

func TestNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 1))
	for range 100 {
		for _, d := range floatDtypes {
			shape := someShape(r, 1+r.IntN(4), []int{20, 300, 3000}[r.IntN(3)])
			n := shape[len(shape)-1]
			in := someTensor(r, d, shape, false)
			w, b := someTensor(r, d, []int{n}, false), someTensor(r, d, []int{n}, false)
			checkNorm(t, in, w, b, r.IntN(2) == 0)
		}
	}
	for _, d := range floatDtypes {
		for _, n := range []int{1, 4096, 4097, 20000} {
			one := plainTensor(d, []int{n}, func(int) value { return value{re: 1 + r.Float64()} })
			for _, offset := range []float64{0, 100} { // a mean far from zero must not cancel the variance
				in := plainTensor(d, []int{3, n}, func(int) value { return value{re: offset + r.NormFloat64()} })
				checkNorm(t, in, one, one, true)
				checkNorm(t, in, one, one, false)
			}
		}
	}
}
