package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// valueLess is the order of sort: NaN last, complex numbers by real and then imaginary part.
func valueLess(d dtype.Dtype, a, b value) bool {
	switch {
	case d == dtype.Uint64:
		return uint64(a.i) < uint64(b.i)
	case !d.IsInexact():
		return a.i < b.i
	case d != dtype.Complex64:
		return a.re < b.re || a.re == a.re && b.re != b.re
	}
	class := func(v value) int {
		c := 0
		if v.im != v.im {
			c = 1
		}
		if v.re != v.re {
			c += 2
		}
		return c
	}
	switch ca, cb := class(a), class(b); {
	case ca != cb:
		return ca < cb
	case ca == 1:
		return a.re < b.re
	case ca == 2:
		return a.im < b.im
	}
	return a.re < b.re || a.re == b.re && a.im < b.im
}

func checkArgReduce(t *testing.T, in device.Tensor, axis int, most bool) {
	t.Helper()
	out := emptyTensor(dtype.Uint32, dropAxis(in.Shape, axis))
	launchTest(t, &device.Kernel{Kind: device.KindArgReduce, Out: []device.Tensor{out}, In: []device.Tensor{in},
		Attr: device.ArgReduceAttr{Max: most, Axis: axis}})
	for o, base := range rowsOf(&in, axis) {
		want := 0
		best := getValue(&in, base)
		for i := 1; i < in.Shape[axis] && !best.nan(); i++ {
			v := getValue(&in, base+i*in.Strides[axis])
			if v.nan() || !most && valueLess(in.Dtype, v, best) || most && valueLess(in.Dtype, best, v) {
				want, best = i, v
			}
		}
		if got := getValue(&out, o).i; got != int64(want) {
			t.Fatalf("max %v of %s%s %v along %d: row %d has it at %d (%v), not %d (%v)", most, in.Dtype,
				layout.Format(in.Shape), in.Strides, axis, o, got, getValue(&in, base+int(got)*in.Strides[axis]),
				want, best)
		}
	}
}

func TestArgReduce(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	for round := range 80 {
		for _, d := range dtype.All {
			rank := 1 + r.IntN(4)
			shape := someShape(r, rank, []int{20, 300, 3000}[r.IntN(3)])
			checkArgReduce(t, someTensor(r, d, shape, round%3 == 0), r.IntN(rank), r.IntN(2) == 0)
		}
	}
	for _, d := range []dtype.Dtype{dtype.Float32, dtype.Uint8, dtype.Float16, dtype.Int64, dtype.Complex64} {
		for _, c := range []struct {
			shape []int
			axis  int
		}{{[]int{700000}, 0}, {[]int{3, 200003}, 1}, {[]int{200003, 3}, 0}, {[]int{3000, 100}, 0}} {
			in := plainTensor(d, c.shape, func(int) value { return someValue(r, d, false) })
			checkArgReduce(t, in, c.axis, true)
			putValue(&in, in.Size()-5, value{re: nanValue, im: 1, i: -1})
			checkArgReduce(t, in, c.axis, false)
		}
	}
}
