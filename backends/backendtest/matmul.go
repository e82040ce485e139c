package backendtest

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

var inexact = []dtype.Dtype{dtype.Float16, dtype.BFloat16, dtype.Float32, dtype.Float64, dtype.Complex64}

func testMatMul(c *ctx) {
	sizes := [][3]int{{1, 1, 1}, {1, 17, 1}, {1, 300, 33}, {33, 300, 1}, {2, 3, 4}, {15, 16, 17}, {16, 16, 16},
		{17, 15, 31}, {5, 1, 7}, {33, 65, 63}, {64, 64, 64}, {65, 129, 31}, {31, 257, 49}, {1, 1, 200}, {200, 1, 3},
		{4, 0, 3}}
	for _, d := range inexact {
		c.sub(d.String(), func(c *ctx) {
			for _, s := range sizes {
				for range 3 {
					batch := [][]int{nil, nil, {3}, {2, 2}}[c.rng.IntN(4)]
					c.matMul(d, batch, s[0], s[1], s[2], c.rng.IntN(3) == 0)
				}
			}
			for range 40 {
				batch := c.anyShape(c.rng.IntN(4), 6)
				c.matMul(d, batch, 1+c.rng.IntN(20), 1+c.rng.IntN(40), 1+c.rng.IntN(20), c.rng.IntN(3) == 0)
			}
			tall := c.tall()
			c.matMul(d, tall[:len(tall)-2], 3, 5, 2, true)
			if !testing.Short() { // several blocks of every kind, several threads
				c.matMul(d, nil, 101, 530, 97, false)
				c.matMul(d, nil, 300, 70, 130, true)
				c.matMul(d, nil, 1, 1500, 700, false)
				c.matMul(d, nil, 700, 1500, 1, false)
			}
		})
	}
}

// matMul tests (batch..., m, k) by (batch..., k, n), with an addend or without.
func (c *ctx) matMul(d dtype.Dtype, batch []int, m, k, n int, addend bool) {
	c.begin("matmul of %s, batch %v, %d x %d x %d, addend %v", d, batch, m, k, n, addend)
	at := device.MatMulAttr{Alpha: 1}
	shape := func(a, b int) []int { return append(append([]int{}, batch...), a, b) }
	value := c.uniform(d, -2, 2)
	ins := []device.Tensor{c.tensor(d, shape(m, k), c.anyView(), value), c.tensor(d, shape(k, n), c.anyView(), value)}
	if addend {
		at = device.MatMulAttr{Alpha: []float32{1, 0.5, -2, 0}[c.rng.IntN(4)],
			Beta: []float32{1, 0.25, -3, 0}[c.rng.IntN(4)]}
		ins = append(ins, c.tensor(d, shape(m, n), c.anyView(), value))
	}
	most := at
	most.Alpha, most.Beta = float32(math.Abs(float64(at.Alpha))), float32(math.Abs(float64(at.Beta)))
	tol := sumTolerance(d, k+2, ins, c.bound(device.KindMatMul, most, ins, shape(m, n)))
	c.run(device.KindMatMul, at, ins, []output{{d: d, shape: shape(m, n)}}, tol)
}

func testConv(c *ctx) {
	for _, d := range inexact {
		c.sub(d.String(), func(c *ctx) {
			n := 60
			if testing.Short() {
				n = 15
			}
			for range n {
				c.conv(d, c.anyConv(1+c.rng.IntN(3)))
			}
			// The common ones: 3x3 and 1x1 with and without padding, strided, and many channels.
			one := func(k, stride, pad, size, in, out, groups int) convCase {
				two := func(v int) []int { return []int{v, v} }
				return convCase{device.ConvAttr{Stride: two(stride), PadLo: two(pad), PadHi: two(pad),
					KernelDilation: two(1), InputDilation: two(1), Groups: groups}, []int{2, size, size, in},
					[]int{out, k, k, in / groups}}
			}
			for _, v := range []convCase{one(3, 1, 1, 9, 3, 16, 1), one(1, 1, 0, 7, 16, 33, 1),
				one(3, 2, 1, 12, 8, 17, 1), one(5, 1, 0, 11, 4, 6, 2), one(3, 1, 1, 8, 12, 12, 12),
				one(7, 3, 3, 13, 3, 20, 1), one(2, 2, 0, 8, 32, 32, 1)} {
				c.conv(d, v)
			}
		})
	}
}

type convCase struct {
	at   device.ConvAttr
	x, w []int
}

// anyConv draws shapes and options that fit, negative paddings (as gradients have them) among them.
func (c *ctx) anyConv(spatial int) convCase {
	for {
		v := convCase{at: device.ConvAttr{Groups: 1 + c.rng.IntN(3)*c.rng.IntN(2), Flip: c.rng.IntN(3) == 0}}
		channels, outs := 1+c.rng.IntN(6), (1+c.rng.IntN(5))*v.at.Groups
		v.x, v.w = []int{1 + c.rng.IntN(3)}, []int{outs}
		fits := true
		for range spatial {
			n, k := 1+c.rng.IntN(24/spatial), 1+c.rng.IntN(5-spatial)
			lo, hi := c.rng.IntN(5)-1, c.rng.IntN(5)-1
			dil, spread := 1+c.rng.IntN(3), 1
			if c.rng.IntN(3) == 0 {
				spread = 1 + c.rng.IntN(3)
			}
			v.at.Stride = append(v.at.Stride, 1+c.rng.IntN(3))
			v.at.PadLo, v.at.PadHi = append(v.at.PadLo, lo), append(v.at.PadHi, hi)
			v.at.KernelDilation, v.at.InputDilation = append(v.at.KernelDilation, dil),
				append(v.at.InputDilation, spread)
			v.x, v.w = append(v.x, n), append(v.w, k)
			fits = fits && (n-1)*spread+1+lo+hi >= (k-1)*dil+1
		}
		v.x, v.w = append(v.x, channels*v.at.Groups), append(v.w, channels)
		if fits {
			return v
		}
	}
}

func (c *ctx) conv(d dtype.Dtype, v convCase) {
	c.begin("conv of %s, input %v, weight %v, %+v", d, v.x, v.w, v.at)
	value := c.uniform(d, -2, 2)
	ins := []device.Tensor{c.tensor(d, v.x, c.anyView(), value), c.tensor(d, v.w, c.anyView(), value)}
	shape := []int{v.x[0]}
	terms := v.w[len(v.w)-1]
	for i := range v.at.Stride {
		room := (v.x[i+1]-1)*v.at.InputDilation[i] + v.at.PadLo[i] + v.at.PadHi[i] - (v.w[i+1]-1)*v.at.KernelDilation[i]
		shape = append(shape, room/v.at.Stride[i]+1)
		terms *= v.w[i+1]
	}
	shape = append(shape, v.w[0])
	tol := sumTolerance(d, terms, ins, c.bound(device.KindConv, v.at, ins, shape))
	if len(v.at.Stride) == 2 { // Winograd's transforms add up neighbors
		slack := tol.slack
		tol.slack = func(i int, want complex128) float64 { return slack(i, want) + 16*eps(d)*(1+cmplx.Abs(want)) }
	}
	c.run(device.KindConv, v.at, ins, []output{{d: d, shape: shape}}, tol)
}
