package cpu

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

var nanValue = math.NaN()

func scanStep(op device.ScanOp, d dtype.Dtype, a, b value) value {
	switch op {
	case device.ScanSum:
		return value{a.i + b.i, a.re + b.re, a.im + b.im}
	case device.ScanProd:
		return value{a.i * b.i, a.re*b.re - a.im*b.im, a.re*b.im + a.im*b.re}
	case device.ScanMin, device.ScanMax:
		better := op == device.ScanMin && valueLess(d, b, a) || op == device.ScanMax && valueLess(d, a, b)
		if a.nan() || !b.nan() && !better {
			return a
		}
		return b
	}
	if d == dtype.Complex64 {
		z := cmplx.Log(cmplx.Exp(complex(a.re, a.im)) + cmplx.Exp(complex(b.re, b.im)))
		return value{re: real(z), im: imag(z)}
	}
	if a.nan() || b.nan() {
		return value{re: nanValue}
	}
	hi, lo := math.Max(a.re, b.re), math.Min(a.re, b.re)
	if math.IsInf(hi, 0) {
		return value{re: hi}
	}
	return value{re: hi + math.Log1p(math.Exp(lo-hi))}
}

func checkScan(t *testing.T, in device.Tensor, attr device.ScanAttr, to dtype.Dtype) {
	t.Helper()
	out := emptyTensor(to, in.Shape)
	launchTest(t, &device.Kernel{Kind: device.KindScan, Op: "scan", Out: []device.Tensor{out}, In: []device.Tensor{in},
		Attr: attr})
	n := in.Shape[attr.Axis]
	outRows := rowsOf(&out, attr.Axis)
	one := emptyTensor(to, []int{1})
	for row, base := range rowsOf(&in, attr.Axis) {
		var acc value
		scale, some := 0.0, false
		bits := scanIdentity(attr.Op, to)
		copy(unsafe.Slice((*byte)(one.Data), to.Size()), unsafe.Slice((*byte)(unsafe.Pointer(&bits)), 8))
		identity := getValue(&one, 0)
		for j := range n {
			i := j
			if attr.Reverse {
				i = n - 1 - j
			}
			v := getValue(&in, base+i*in.Strides[attr.Axis])
			want := acc
			if !some {
				want = identity
			}
			if some {
				acc = scanStep(attr.Op, in.Dtype, acc, v)
			} else {
				acc, some = v, true
			}
			scale += math.Abs(v.re) + math.Abs(v.im)
			if attr.Inclusive {
				want = acc
			}
			got := getValue(&out, outRows[row]+i*out.Strides[attr.Axis])
			putValue(&one, 0, want)
			rounded := getValue(&one, 0)
			ok := got.i == rounded.i
			if to.IsInexact() {
				s := scale
				if !(s < math.Inf(1)) {
					s = 0
				}
				tol := 2 * epsilon(to)
				if !to.IsHalf() {
					tol *= math.Sqrt(float64(j)) + 2
				}
				if attr.Op == device.ScanProd {
					s, tol = math.Hypot(want.re, want.im), tol+float64(j)*epsilon(to.Compute())
				}
				if attr.Op == device.ScanLogAddExp {
					s = 1 + math.Hypot(want.re, want.im)
				}
				ok = near(got.re, rounded.re, tol, s) && near(got.im, rounded.im, tol, s) ||
					to == dtype.Complex64 && got.nan() && rounded.nan()
			}
			if !ok {
				t.Fatalf("%+v of %s%s %v to %s: row %d element %d is %v, not %v", attr, in.Dtype,
					layout.Format(in.Shape), in.Strides, to, row, i, got, rounded)
			}
		}
	}
}

func TestScan(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	for round := range 40 {
		for _, d := range dtype.All {
			for op := range device.ScanOp(device.ScanOpCount) {
				if op == device.ScanLogAddExp && !d.IsInexact() {
					continue
				}
				rank := 1 + r.IntN(4)
				shape := someShape(r, rank, []int{20, 300, 3000}[r.IntN(3)])
				special := round%4 == 0 && d != dtype.Complex64
				in := someTensor(r, d, shape, special)
				if op == device.ScanProd && d.IsInexact() {
					in = plainTensor(d, shape,
						func(int) value { return value{re: []float64{1, 0.5, 2, -1}[r.IntN(4)]} })
				}
				if op == device.ScanLogAddExp && d == dtype.Complex64 { // one branch of the logarithm
					in = plainTensor(d, shape,
						func(int) value { return value{re: r.NormFloat64() * 3, im: r.Float64()} })
				}
				to := d
				if d == dtype.Bool && op == device.ScanSum {
					to = dtype.Int32
				}
				checkScan(t, in, device.ScanAttr{Op: op, Axis: r.IntN(rank), Reverse: r.IntN(2) == 0,
					Inclusive: r.IntN(2) == 0}, to)
			}
		}
	}
}

// Long rows run in segments and chunks.
func TestScanLong(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	for _, d := range []dtype.Dtype{dtype.Float32, dtype.Float64, dtype.Int32, dtype.Uint8, dtype.Float16,
		dtype.Complex64, dtype.Int16} {
		for op := range device.ScanLogAddExp {
			for _, shape := range [][]int{{300007}, {2, 150001}, {5000, 2}} {
				in := plainTensor(d, shape, func(int) value {
					if op == device.ScanProd {
						return value{i: 3, re: []float64{1, 1, -1}[r.IntN(3)]}
					}
					return value{i: int64(r.IntN(100)), re: r.Float64() / 1000}
				})
				axis := 0
				if len(shape) == 2 && shape[0] == 2 {
					axis = 1
				}
				checkScan(t, in, device.ScanAttr{Op: op, Axis: axis, Reverse: r.IntN(2) == 0,
					Inclusive: r.IntN(2) == 0}, d)
			}
		}
	}
}

// Sums of what is not negative never fall, wherever a row was cut.
func TestScanMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 1))
	for _, d := range []dtype.Dtype{dtype.Float32, dtype.Float64} {
		in := plainTensor(d, []int{400000}, func(int) value { return value{re: r.ExpFloat64() * 1e-3} })
		out := emptyTensor(d, in.Shape)
		launchTest(t, &device.Kernel{Kind: device.KindScan, Out: []device.Tensor{out}, In: []device.Tensor{in},
			Attr: device.ScanAttr{Inclusive: true}})
		for i := 1; i < in.Size(); i++ {
			if a, b := getValue(&out, i-1).re, getValue(&out, i).re; b < a {
				t.Fatalf("%s: element %d is %v after %v", d, i, b, a)
			}
		}
	}
}
