package cpu

import (
	"math"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// ulps is the distance of got from the true value want in units of float32's last place at want.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	switch {
	case math.IsNaN(want) && got != got, got == w:
		return 0
	case math.IsNaN(want) || got != got || math.IsInf(float64(w), 0) || math.IsInf(float64(got), 0):
		return math.Inf(1)
	}
	next := math.Nextafter32(float32(math.Abs(float64(w))), math.MaxFloat32)
	unit := float64(next) - math.Abs(float64(w))
	return math.Abs(float64(got)-want) / unit
}

// TestAccuracy holds the errors of the float32 functions over arguments of every magnitude: bit patterns at
// an odd distance, so that NaNs, infinities, subnormals and huge values are among them.
func TestAccuracy(t *testing.T) {
	functions := map[string]struct {
		f     func(float64) float64
		bound float64
	}{
		"exp": {math.Exp, 1.1}, "expm1": {math.Expm1, 1.6}, "log": {math.Log, 1}, "log2": {math.Log2, 1.3},
		"log10": {math.Log10, 1.9}, "log1p": {math.Log1p, 1}, "sin": {math.Sin, 1.6}, "cos": {math.Cos, 1.6},
		"tan": {math.Tan, 3.2}, "arcsin": {math.Asin, 2.5}, "arccos": {math.Acos, 1.5}, "arctan": {math.Atan, 2},
		"sinh": {math.Sinh, 1.8}, "cosh": {math.Cosh, 1.7}, "tanh": {math.Tanh, 2.5}, "arcsinh": {math.Asinh, 2},
		"arccosh": {math.Acosh, 2}, "arctanh": {math.Atanh, 2}, "erf": {math.Erf, 1.2}, "erfinv": {math.Erfinv, 3},
		"sqrt": {math.Sqrt, 0.51}, "reciprocal": {func(x float64) float64 { return 1 / x }, 0.51},
		"sigmoid": {func(x float64) float64 { return math.Exp(-math.Log1p(math.Exp(-x))) }, 2.5},
	}
	const step = 40009
	n := 1<<32/step + 1
	x := dense(t, dtype.Float32, layout.Shape{n}, func(int) complex128 { return 0 })
	out := dense(t, dtype.Float32, layout.Shape{n}, func(int) complex128 { return 0 })
	in, got := unsafe.Slice((*float32)(x.Data), n), unsafe.Slice((*float32)(out.Data), n)
	for i := range in {
		in[i] = math.Float32frombits(uint32(i * step))
	}
	eachISA(t, func(t *testing.T) {
		for name, c := range functions {
			launch(t, &device.Kernel{Kind: device.KindElementwise, Op: name,
				Attr: device.OneStep(table.FindRow(name), dtype.Float32), In: []device.Tensor{x},
				Out: []device.Tensor{out}})
			worst, at := 0.0, 0
			for i, v := range in {
				if u := ulps(got[i], c.f(float64(v))); u > worst {
					worst, at = u, i
				}
			}
			if worst > c.bound {
				t.Errorf("%s(%v) = %v is %.2f ulp off, want at most %v", name, in[at], got[at], worst, c.bound)
			}
		}
	})
}
