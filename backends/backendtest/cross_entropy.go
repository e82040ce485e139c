package backendtest

import (
	"math"
	"slices"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func testCrossEntropy(c *ctx) {
	for _, d := range floats {
		for _, n := range append(rowLengths, 20000, 140000) {
			for range 3 {
				shape := c.rowShape(n)
				lead := shape[:len(shape)-1]
				spread := []float64{1, 10, 80}[c.rng.IntN(3)]
				value := c.uniform(d, -spread, spread)
				if c.rng.IntN(4) == 0 {
					value = c.mostly(value, c.pick([]uint64{bitsOf(d, complex(math.Inf(-1), 0))}))
				}
				c.begin("cross entropy of %s %v", d, shape)
				ins := []device.Tensor{c.tensor(d, shape, c.anyView(), value), c.targets(lead, n)}
				relative := (16 + 4*spread + 0.02*float64(n)) * 0x1p-23
				c.run(device.KindCrossEntropy, nil, ins, []output{{d: dtype.Float32, shape: lead}},
					tolerance{ulps: 1, slack: func(int, complex128) float64 { return relative }})
				c.begin("gradient of cross entropy of %s %v", d, shape)
				ins = []device.Tensor{c.tensor(d, shape, c.anyView(), value), c.targets(lead, n),
					c.tensor(dtype.Float32, lead, c.anyView(), c.uniform(dtype.Float32, -2, 2))}
				slack := func(_ int, want complex128) float64 {
					return 2*relative*math.Abs(real(want)) + resolution(d)*math.Abs(real(want)) + smallest(d) + 0x1p-21
				}
				c.run(device.KindCrossEntropyGrad, nil, ins, []output{{d: d, shape: shape}},
					tolerance{ulps: 1, slack: slack})
			}
		}
	}
	c.outOfBounds(device.KindCrossEntropy)
}

// targets are indices within a row, of any integer dtype that has them, some counted from the end.
func (c *ctx) targets(lead []int, n int) device.Tensor {
	id := integers[c.rng.IntN(len(integers))]
	most := min(n, 1<<min(8*id.Size()-1, 30))
	return c.tensor(id, lead, c.anyView(), func(int) uint64 {
		t := c.rng.IntN(most)
		if id.Group() == dtype.GroupSigned && n == most && c.rng.IntN(3) == 0 {
			t -= n
		}
		return bitsOf(id, complex(float64(t), 0))
	})
}

func testGatedDelta(c *ctx) {
	for _, d := range floats {
		for range 80 {
			batch, steps, heads, group := 1+c.rng.IntN(2), 1+c.rng.IntN(9), 1+c.rng.IntN(2), 1+c.rng.IntN(3)
			depth := []int{1, 2, 7, 8, 16, 33, 64}[c.rng.IntN(7)]
			width := []int{1, 3, 4, 31, 32, 33, 70}[c.rng.IntN(7)]
			at := device.GatedDeltaAttr{HasState: c.rng.IntN(2) == 0, HasMask: c.rng.IntN(2) == 0}
			c.begin("gated delta of %s, batch %d, %d steps, %d heads of %d, %d and %d elements, %+v", d, batch, steps,
				heads, group, depth, width, at)
			any := func() dtype.Dtype { // inputs have dtypes of their own
				if d == dtype.Float64 {
					return d
				}
				return []dtype.Dtype{d, dtype.Float32, dtype.Float16}[c.rng.IntN(3)]
			}
			lead := []int{batch, steps}
			input := func(d dtype.Dtype, lo, hi float64, shape ...int) device.Tensor {
				return c.tensor(d, shape, c.anyView(), c.uniform(d, lo, hi))
			}
			wide := 1 / math.Sqrt(float64(depth))
			ins := []device.Tensor{input(d, -1, 1, slices.Concat(lead, []int{heads, depth})...),
				input(d, -wide, wide, slices.Concat(lead, []int{heads, depth})...),
				input(any(), -1, 1, slices.Concat(lead, []int{heads * group, width})...),
				input(any(), 0, 1, slices.Concat(lead, []int{heads * group, depth})...),
				input(any(), 0, 1, slices.Concat(lead, []int{heads * group})...)}
			if at.HasState {
				ins = append(ins, input(any(), -1, 1, batch, heads*group, width, depth))
			}
			if at.HasMask {
				ins = append(ins, c.tensor(dtype.Bool, lead, c.anyView(),
					func(int) uint64 { return uint64(c.rng.IntN(2)) }))
			}
			far := 64 * float64(steps+1) * float64(depth) * eps(d)
			slack := func(_ int, want complex128) float64 {
				return far + resolution(d)*math.Abs(real(want)) + smallest(d)
			}
			outs := []output{{d: d, shape: slices.Concat(lead, []int{heads * group, width})},
				{d: d.Compute(), shape: []int{batch, heads * group, width, depth}}}
			c.run(device.KindGatedDelta, at, ins, outs, tolerance{ulps: 1, slack: slack})
		}
	}
}
