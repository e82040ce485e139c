package cpu

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/backendtest"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// view is a tensor of test numbers with its values at full precision.
type view struct {
	device.Tensor
	mem []byte
}

// get and set reach the element at that many elements from Data.
func (v *view) get(at int) complex128    { return backendtest.Get(&v.Tensor, at) }
func (v *view) set(at int, x complex128) { backendtest.Set(&v.Tensor, at, x) }

func (v *view) at(index ...int) complex128 {
	o := 0
	for i, x := range index {
		o += x * v.Strides[i]
	}
	return v.get(o)
}

// fresh is row-contiguous memory with guard bytes on both sides.
func fresh(d dtype.Dtype, shape ...int) *view {
	n := layout.Size(shape) * d.Size()
	v := &view{mem: make([]byte, n+128)}
	for i := range v.mem {
		v.mem[i] = 0xa5
	}
	v.Tensor = device.Tensor{Data: unsafe.Pointer(&v.mem[64]), Dtype: d, Shape: shape, Strides: layout.Strides(shape)}
	return v
}

func (v *view) checkGuards(t *testing.T) {
	t.Helper()
	for i := range 64 {
		if v.mem[i] != 0xa5 || v.mem[len(v.mem)-1-i] != 0xa5 {
			t.Fatalf("wrote outside an output of shape %v", v.Shape)
		}
	}
}

// scatteredView has random axis order, gaps, flips and stretched axes.
func scatteredView(r *rand.Rand, d dtype.Dtype, shape ...int) *view {
	nd := len(shape)
	order := r.Perm(nd)
	if r.IntN(2) == 0 {
		slices.Sort(order)
	}
	padded := slices.Clone(shape)
	stretched := -1
	if r.IntN(4) == 0 && nd > 0 {
		stretched = r.IntN(nd)
		padded[stretched] = 1
	}
	step := 1 + r.IntN(3)/2
	strides := make([]int, nd)
	n := step
	for i := nd - 1; i >= 0; i-- {
		strides[order[i]] = n
		n *= padded[order[i]] + r.IntN(4)/3
	}
	v := fresh(d, n)
	for i := range n {
		x := complex(math.Round(r.NormFloat64()*64)/64, 0)
		if d == dtype.Complex64 {
			x += complex(0, math.Round(r.NormFloat64()*64)/64)
		}
		v.set(i, x)
	}
	at := 0
	for i := range nd {
		if r.IntN(5) == 0 && layout.Size(shape) > 0 {
			at += (padded[i] - 1) * strides[i]
			strides[i] = -strides[i]
		}
	}
	v.Data = unsafe.Add(v.Data, at*d.Size())
	if stretched >= 0 {
		strides[stretched] = 0
	}
	v.Shape, v.Strides = shape, strides
	return v
}

var relativeError = map[dtype.Dtype]float64{dtype.Float16: 1e-3, dtype.BFloat16: 8e-3, dtype.Float32: 1e-6,
	dtype.Float64: 1e-14, dtype.Complex64: 2e-6}

var inexact = []dtype.Dtype{dtype.Float16, dtype.BFloat16, dtype.Float32, dtype.Float64, dtype.Complex64}

func checkMatMul(t *testing.T, r *rand.Rand, d dtype.Dtype, batch []int, m, n, depth int, add bool) {
	t.Helper()
	a := scatteredView(r, d, append(slices.Clone(batch), m, depth)...)
	b := scatteredView(r, d, append(slices.Clone(batch), depth, n)...)
	c := scatteredView(r, d, append(slices.Clone(batch), m, n)...)
	o := fresh(d, append(slices.Clone(batch), m, n)...)
	k := &device.Kernel{Kind: device.KindMatMul, Op: "matmul", In: []device.Tensor{a.Tensor, b.Tensor},
		Out: []device.Tensor{o.Tensor}}
	alpha, beta := 1.0, 0.0
	if add {
		alpha, beta = []float64{1, -0.5}[r.IntN(2)], []float64{1, 2}[r.IntN(2)]
		k.In = append(k.In, c.Tensor)
		k.Attr = device.MatMulAttr{Alpha: float32(alpha), Beta: float32(beta)}
	}
	if err := (Backend{}).Launch(k); err != nil {
		t.Fatal(err)
	}
	o.checkGuards(t)
	name := fmt.Sprintf("%s %v m%d n%d k%d strides %v %v", d, batch, m, n, depth, a.Strides, b.Strides)
	index := make([]int, len(batch)+2)
	nb := len(batch)
	samples := min(layout.Size(o.Shape), 400)
	for s := range samples {
		flat := s
		if samples == 400 {
			flat = r.IntN(layout.Size(o.Shape))
		}
		for i := nb + 1; i >= 0; i-- {
			index[i] = flat % o.Shape[i]
			flat /= o.Shape[i]
		}
		i, j := index[nb], index[nb+1]
		var sum complex128
		size := 1e-3
		for p := range depth {
			index[nb], index[nb+1] = i, p
			x := a.at(index...)
			index[nb], index[nb+1] = p, j
			y := b.at(index...)
			sum += x * y
			size += cmplx.Abs(x) * cmplx.Abs(y)
		}
		index[nb], index[nb+1] = i, j
		sum *= complex(alpha, 0)
		if add {
			sum += complex(beta, 0) * c.at(index...)
			size += beta * cmplx.Abs(c.at(index...))
		}
		if got := o.at(index...); !(cmplx.Abs(got-sum) <= relativeError[d]*size) {
			t.Fatalf("%s at %v: %v, want %v", name, index, got, sum)
		}
	}
}

func TestMatMul(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	size := func() int {
		switch r.IntN(6) {
		case 0:
			return 1 + r.IntN(4)
		case 1:
			return 1 + r.IntN(130)
		}
		return 1 + r.IntN(40)
	}
	for i := range 1500 {
		var batch []int
		for range r.IntN(4) {
			batch = append(batch, 1+r.IntN(3))
		}
		checkMatMul(t, r, inexact[i%len(inexact)], batch, size(), size(), size(), r.IntN(3) == 0)
	}
}

// Shapes that reach each way of multiplying: packed with and without several blocks of depth, dots, sweep, tiles.
func TestMatMulPaths(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, d := range inexact {
		for _, s := range [][4]int{{1, 300, 257, 301}, {1, 130, 200, 1100}, {2, 100, 513, 400}, {1, 3, 1111, 77},
			{1, 1111, 2, 300}, {1, 13, 400, 500}, {3, 97, 64, 0}, {1, 1, 1, 5000}, {1, 700, 700, 33}, {2, 150, 90, 301},
			{40, 5, 6, 7}} {
			for range 4 {
				checkMatMul(t, r, d, []int{s[0]}, s[1], s[2], s[3], r.IntN(2) == 0)
			}
		}
	}
	checkMatMul(t, r, dtype.Float32, []int{2, 1, 2, 1, 2, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2}, 2, 3, 4, true)
}

func TestMatMulNaN(t *testing.T) {
	for _, n := range []int{3, 40, 400} {
		a, b, o := fresh(dtype.Float32, n, n), fresh(dtype.Float32, n, n), fresh(dtype.Float32, n, n)
		for i := range n * n {
			a.set(i, 1)
			b.set(i, 1)
		}
		a.set(n+1, complex(math.NaN(), 0))
		b.set(2, complex(math.Inf(1), 0))
		k := &device.Kernel{Kind: device.KindMatMul, In: []device.Tensor{a.Tensor, b.Tensor},
			Out: []device.Tensor{o.Tensor}}
		if err := (Backend{}).Launch(k); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				got := real(o.at(i, j))
				switch {
				case i == 1 && !math.IsNaN(got), i != 1 && j == 2 && !math.IsInf(got, 1),
					i != 1 && j != 2 && got != float64(n):
					t.Fatalf("n=%d at (%d,%d): %v", n, i, j, got)
				}
			}
		}
	}
}

// Infinities and NaNs of bfloat16 lie in words with their neighbors; none of them may change on the way.
func TestMatMulPairs(t *testing.T) {
	const n = 130
	for _, order := range [][]int{{n, 1}, {1, n}} {
		a, b, o := fresh(dtype.BFloat16, n, n), fresh(dtype.BFloat16, n, n), fresh(dtype.BFloat16, n, n)
		b.Strides = order
		for i := range n * n {
			a.set(i, complex(float64(i%2), 0))
			b.set(i, 1)
		}
		a.set(3*n+1, complex(math.Inf(1), 0)) // with a[3,0] = 0 the word of a signalling NaN
		a.set(4*n+1, complex(math.NaN(), 0))
		launch(t, &device.Kernel{Kind: device.KindMatMul, In: []device.Tensor{a.Tensor, b.Tensor},
			Out: []device.Tensor{o.Tensor}})
		for i, want := range map[int]float64{2: n / 2, 3: math.Inf(1), 4: math.NaN()} {
			for j := range n {
				if got := real(o.at(i, j)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Fatalf("b of strides %v: result [%d,%d] is %v, want %v", order, i, j, got, want)
				}
			}
		}
	}
}

func TestMatMulRefuses(t *testing.T) {
	a := fresh(dtype.Int32, 2, 2)
	err := Backend{}.Launch(&device.Kernel{Kind: device.KindMatMul, Op: "matmul",
		In: []device.Tensor{a.Tensor, a.Tensor}, Out: []device.Tensor{a.Tensor}})
	if err == nil || !strings.Contains(err.Error(), "[matmul]") {
		t.Fatalf("int32 matmul: %v", err)
	}
	var stop atomic.Bool
	stop.Store(true)
	x, o := fresh(dtype.Float32, 600, 600), fresh(dtype.Float32, 600, 600)
	err = Backend{}.Launch(&device.Kernel{Kind: device.KindMatMul, Op: "matmul",
		In: []device.Tensor{x.Tensor, x.Tensor}, Out: []device.Tensor{o.Tensor}, Cancel: &stop})
	if err != error(errs.ErrCanceled) {
		t.Fatalf("canceled matmul: %v", err)
	}
}

func BenchmarkMatMul(b *testing.B) {
	for _, d := range []dtype.Dtype{dtype.Float32, dtype.Float64, dtype.Float16, dtype.BFloat16, dtype.Complex64} {
		for _, s := range [][3]int{{5, 5, 5}, {32, 10, 64}, {64, 256, 784}, {1, 4096, 4096}, {8, 4096, 1024},
			{256, 256, 256}, {1024, 1024, 1024}} {
			for _, tr := range []string{"", "T"} {
				a, w, o := fresh(d, s[0], s[2]), fresh(d, s[2], s[1]), fresh(d, s[0], s[1])
				if tr != "" {
					w.Strides = []int{1, s[2]}
				}
				clear(a.mem)
				clear(w.mem)
				k := &device.Kernel{Kind: device.KindMatMul, In: []device.Tensor{a.Tensor, w.Tensor},
					Out: []device.Tensor{o.Tensor}}
				b.Run(fmt.Sprintf("%s/%dx%dx%d%s", d, s[0], s[1], s[2], tr), func(b *testing.B) {
					for b.Loop() {
						if err := (Backend{}).Launch(k); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(s[0]*s[1]*s[2])*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "MAC/ns")
				})
			}
		}
	}
}
