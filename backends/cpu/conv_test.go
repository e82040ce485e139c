package cpu

import (
	"fmt"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// convCase is one convolution by its definition.
type convCase struct {
	attr    device.ConvAttr
	x, w, o *view
}

func randomConv(r *rand.Rand, d dtype.Dtype) convCase {
	nd := 1 + r.IntN(3)
	a := device.ConvAttr{Groups: 1, Flip: r.IntN(4) == 0}
	c, og := 1+r.IntN(5), 1+r.IntN(5)
	if r.IntN(3) == 0 {
		c, og = 1+r.IntN(40), 1+r.IntN(70)
	}
	switch r.IntN(4) {
	case 0:
		a.Groups = 1 + r.IntN(4)
	case 1:
		a.Groups, c, og = 1+r.IntN(150), 1, 1
	}
	xs, ws, os := []int{1 + r.IntN(3)}, []int{a.Groups * og}, []int{0}
	os[0] = xs[0]
	for range nd {
		for {
			in, k := 1+r.IntN(14/nd+3), 1+r.IntN(3)
			if r.IntN(8) == 0 {
				k = in
			}
			stride, kd, id, lo, hi := 1, 1, 1, 0, 0
			if r.IntN(2) == 0 {
				stride, kd, id = 1+r.IntN(3), 1+r.IntN(2), 1+r.IntN(2)
			}
			if r.IntN(2) == 0 {
				lo, hi = r.IntN(5)-1, r.IntN(5)-1
			}
			out := (lo+hi+(in-1)*id+1-(k-1)*kd-1)/stride + 1
			if lo+hi+(in-1)*id+1 < (k-1)*kd+1 {
				continue
			}
			xs, ws, os = append(xs, in), append(ws, k), append(os, out)
			a.Stride, a.PadLo, a.PadHi = append(a.Stride, stride), append(a.PadLo, lo), append(a.PadHi, hi)
			a.KernelDilation, a.InputDilation = append(a.KernelDilation, kd), append(a.InputDilation, id)
			break
		}
	}
	xs, ws, os = append(xs, c*a.Groups), append(ws, c), append(os, og*a.Groups)
	if r.IntN(2) == 0 {
		return convCase{a, numbers(r, d, xs...), numbers(r, d, ws...), fresh(d, os...)}
	}
	return convCase{a, scatteredView(r, d, xs...), scatteredView(r, d, ws...), fresh(d, os...)}
}

// numbers is a contiguous tensor of small numbers.
func numbers(r *rand.Rand, d dtype.Dtype, shape ...int) *view {
	v := fresh(d, shape...)
	for i := range layout.Size(shape) {
		v.set(i, complex(float64(r.IntN(65)-32)/16, float64(r.IntN(65)-32)/16))
	}
	return v
}

// want is the value at index and the sum of the magnitudes of its terms.
func (c *convCase) want(index []int) (sum complex128, size float64) {
	nd := len(c.attr.Stride)
	channels := c.w.Shape[nd+1]
	group := index[nd+1] / (c.o.Shape[nd+1] / c.attr.Groups)
	taps := layout.Size(c.w.Shape[1 : nd+1])
	xi, wi := make([]int, nd+2), make([]int, nd+2)
	xi[0], wi[0] = index[0], index[nd+1]
tap:
	for t := range taps {
		for i := nd; i >= 1; i-- {
			k := t % c.w.Shape[i]
			t /= c.w.Shape[i]
			at := index[i]*c.attr.Stride[i-1] + k*c.attr.KernelDilation[i-1] - c.attr.PadLo[i-1]
			if at < 0 || at%c.attr.InputDilation[i-1] != 0 || at/c.attr.InputDilation[i-1] >= c.x.Shape[i] {
				continue tap
			}
			xi[i], wi[i] = at/c.attr.InputDilation[i-1], k
			if c.attr.Flip {
				wi[i] = c.w.Shape[i] - 1 - k
			}
		}
		for q := range channels {
			xi[nd+1], wi[nd+1] = group*channels+q, q
			x, w := c.x.at(xi...), c.w.at(wi...)
			sum += x * w
			size += cmplx.Abs(x) * cmplx.Abs(w)
		}
	}
	return sum, size + 1e-3
}

func (c *convCase) check(t *testing.T, r *rand.Rand) {
	t.Helper()
	k := &device.Kernel{Kind: device.KindConv, Op: "conv", Attr: c.attr, In: []device.Tensor{c.x.Tensor, c.w.Tensor},
		Out: []device.Tensor{c.o.Tensor}}
	if err := (Backend{}).Launch(k); err != nil {
		t.Fatal(err)
	}
	c.o.checkGuards(t)
	n := layout.Size(c.o.Shape)
	index := make([]int, len(c.o.Shape))
	for s := range min(n, 150) {
		flat := s
		if n > 150 {
			flat = r.IntN(n)
		}
		for i := len(index) - 1; i >= 0; i-- {
			index[i] = flat % c.o.Shape[i]
			flat /= c.o.Shape[i]
		}
		want, size := c.want(index)
		if got := c.o.at(index...); !(cmplx.Abs(got-want) <= relativeError[c.o.Dtype]*size) {
			t.Fatalf("%s x%v%v w%v%v %+v at %v: %v, want %v", c.o.Dtype, c.x.Shape, c.x.Strides, c.w.Shape, c.w.Strides,
				c.attr, index, got, want)
		}
	}
}

func TestConv(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 1200 {
		c := randomConv(r, inexact[i%len(inexact)])
		c.check(t, r)
	}
}

func conv2d(d dtype.Dtype, r *rand.Rand, n, hw, c, o, k, stride, pad, groups int) convCase {
	a := device.ConvAttr{Groups: groups, Stride: []int{stride, stride}, PadLo: []int{pad, pad}, PadHi: []int{pad, pad},
		KernelDilation: []int{1, 1}, InputDilation: []int{1, 1}}
	out := (hw+2*pad-k)/stride + 1
	return convCase{a, numbers(r, d, n, hw, hw, c), numbers(r, d, o, k, k, c/groups), fresh(d, n, out, out, o)}
}

// Sizes of real networks, which split over units, panels and blocks.
func TestConvNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, d := range inexact {
		for _, s := range [][8]int{{64, 8, 1, 16, 3, 1, 1, 1}, {2, 56, 64, 64, 3, 1, 1, 1}, {1, 112, 3, 64, 7, 2, 3, 1},
			{2, 14, 256, 300, 3, 1, 1, 1}, {2, 28, 96, 96, 3, 1, 1, 96}, {2, 28, 96, 24, 1, 1, 0, 1},
			{3, 7, 32, 48, 7, 1, 0, 1}, {1, 40, 20, 40, 3, 2, 1, 4}, {2, 9, 8, 33, 1, 2, 0, 1},
			{2, 30, 3, 3, 3, 1, 1, 3}, {1, 50, 20, 20, 5, 1, 2, 20}, {1, 21, 18, 36, 3, 1, 1, 18},
			{1, 60, 1, 1, 9, 1, 4, 1}, {2, 11, 1, 2, 3, 2, 1, 1}, {1, 19, 70, 70, 3, 2, 1, 70}} {
			c := conv2d(d, r, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
			c.check(t, r)
		}
	}
}

// A row of outputs much longer than a unit of work is wide.
func TestConvLongRow(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, stride := range []int{1, 3} {
		const n, channels, k = 1 << 18, 64, 3
		out := (n-k)/stride + 1
		c := convCase{device.ConvAttr{Groups: 1, Stride: []int{stride}, PadLo: []int{0}, PadHi: []int{0},
			KernelDilation: []int{1}, InputDilation: []int{1}}, numbers(r, dtype.Float32, 1, n, channels),
			numbers(r, dtype.Float32, 1, k, channels), fresh(dtype.Float32, 1, out, 1)}
		c.check(t, r)
	}
}

// The gradient of a convolution with stride with respect to its input: the kernel backwards over elements stride apart.
func TestConvSpread(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, d := range inexact {
		for _, s := range [][6]int{{2, 9, 16, 20, 3, 2}, {1, 6, 3, 5, 2, 3}, {1, 8, 12, 12, 4, 2},
			{3, 5, 1, 33, 7, 3}} {
			c := conv2d(d, r, s[0], s[1], s[2], s[3], s[4], 1, 0, 1)
			for flip := range 2 {
				c.attr.Flip, c.attr.InputDilation = flip == 1, []int{s[5], s[5] + 1}
				for _, pad := range []int{-1, 0, s[4] - 1} {
					c.attr.PadLo, c.attr.PadHi = []int{pad, pad + 1}, []int{pad + 1, pad}
					extent := func(i int) int { return (s[1]-1)*c.attr.InputDilation[i] + 1 + 2*pad + 1 - s[4] + 1 }
					c.o = fresh(d, s[0], extent(0), extent(1), s[3])
					c.check(t, r)
				}
			}
		}
	}
}

// asBatch is x (N, H, W, C) seen as (C, H, W, N): what a gradient with respect to weights convolves.
func asBatch(x *view) *view {
	y := *x
	y.Shape = []int{x.Shape[3], x.Shape[1], x.Shape[2], x.Shape[0]}
	y.Strides = []int{x.Strides[3], x.Strides[1], x.Strides[2], x.Strides[0]}
	return &y
}

// weightGradient is the convolution that gives the gradient of one with k x k weights, n images of c channels and o
// outputs.
func weightGradient(d dtype.Dtype, r *rand.Rand, n, hw, c, o, k, stride, pad int) convCase {
	out := (hw+2*pad-k)/stride + 1
	hi := (k - 1) + (out-1)*stride + 1 - hw - pad
	a := device.ConvAttr{Groups: 1, Stride: []int{1, 1}, PadLo: []int{pad, pad}, PadHi: []int{hi, hi},
		KernelDilation: []int{stride, stride}, InputDilation: []int{1, 1}}
	return convCase{a, asBatch(numbers(r, d, n, hw, hw, c)), asBatch(numbers(r, d, n, out, out, o)),
		fresh(d, c, k, k, o)}
}

func TestConvWeightGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, d := range inexact {
		for _, s := range [][7]int{{4, 14, 64, 70, 3, 1, 1}, {2, 28, 1, 8, 3, 1, 1}, {3, 9, 20, 33, 3, 2, 1},
			{2, 12, 3, 5, 5, 1, 0}, {1, 16, 7, 16, 1, 1, 0}, {2, 20, 5, 40, 2, 2, 0}, {5, 8, 16, 32, 3, 1, -1}} {
			c := weightGradient(d, r, s[0], s[1], s[2], s[3], s[4], s[5], s[6])
			c.check(t, r)
		}
	}
}

func BenchmarkConv(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, d := range []dtype.Dtype{dtype.Float32, dtype.BFloat16} {
		for _, s := range [][8]int{{64, 8, 1, 16, 3, 1, 1, 1}, {64, 8, 16, 32, 3, 1, 1, 1}, {8, 56, 64, 64, 3, 1, 1, 1},
			{8, 112, 3, 64, 7, 2, 3, 1}, {8, 14, 256, 256, 3, 1, 1, 1}, {8, 56, 96, 96, 3, 1, 1, 96}} {
			c := conv2d(d, r, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
			k := &device.Kernel{Kind: device.KindConv, Op: "conv", Attr: c.attr,
				In: []device.Tensor{c.x.Tensor, c.w.Tensor}, Out: []device.Tensor{c.o.Tensor}}
			b.Run(fmt.Sprintf("%s/n%d_%dx%dx%d_o%d_k%d_s%d_g%d", d, s[0], s[1], s[1], s[2], s[3], s[4], s[5], s[7]),
				func(b *testing.B) {
					for b.Loop() {
						if err := (Backend{}).Launch(k); err != nil {
							b.Fatal(err)
						}
					}
					products := float64(layout.Size(c.o.Shape) * layout.Size(c.w.Shape[1:]))
					b.ReportMetric(products*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "MAC/ns")
				})
		}
	}
}
