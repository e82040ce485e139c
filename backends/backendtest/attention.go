package backendtest

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func testRope(c *ctx) {
	for _, d := range floats {
		for range 80 {
			dims := 2 * []int{1, 2, 3, 4, 8, 9, 16, 20, 32, 64}[c.rng.IntN(10)]
			shape := []int{1 + c.rng.IntN(3), 1 + c.rng.IntN(4), c.rng.IntN(20),
				dims + []int{0, 0, 1, 16}[c.rng.IntN(4)]}
			at := device.RopeAttr{Dims: dims, Traditional: c.rng.IntN(2) == 0, Inverse: c.rng.IntN(2) == 0,
				Base: []float64{10000, 500000, 10}[c.rng.IntN(3)], Scale: []float64{1, 0.25, -2}[c.rng.IntN(3)],
				Offset: []int{0, 3, -7, 100000}[c.rng.IntN(4)], HasOffset: c.rng.IntN(2) == 0,
				HasFreqs: c.rng.IntN(2) == 0}
			c.begin("rope of %s %v, %+v", d, shape, at)
			ins := []device.Tensor{c.tensor(d, shape, c.anyView(), c.uniform(d, -2, 2))}
			if at.HasOffset {
				id := integers[c.rng.IntN(len(integers))]
				ins = append(ins, c.tensor(id, shape[:1], c.anyView(), func(int) uint64 {
					return bitsOf(id, complex(float64(c.rng.IntN(100)), 0))
				}))
			}
			if at.HasFreqs {
				ins = append(ins, c.tensor(d.Compute(), []int{shape[0], dims / 2}, c.anyView(),
					c.uniform(d.Compute(), 0.5, 40)))
			}
			// An angle's rounding in float64 grows with it, and so does that of sines; a position has at most 2e5
			// turns.
			slack := func(_ int, want complex128) float64 {
				return 8*eps(d) + resolution(d)*math.Abs(real(want)) + 1e6*0x1p-52
			}
			c.run(device.KindRope, at, ins, []output{{d: d, shape: shape}}, tolerance{ulps: 1, slack: slack})
		}
	}
}

var queryLengths = []int{1, 1, 2, 3, 5, 16, 33, 70, 130}

func testAttention(c *ctx) {
	for _, d := range floats {
		c.sub(d.String(), func(c *ctx) {
			for range 120 {
				keys := []int{1, 2, 31, 32, 33, 95, 96, 97, 200, 600, 1100}[c.rng.IntN(11)]
				queries := queryLengths[c.rng.IntN(len(queryLengths))]
				heads, group := 1+c.rng.IntN(2), 1+c.rng.IntN(5)
				if queries*keys > 20000 {
					heads, group = 1, 1
				}
				depth, width := 1+c.rng.IntN(40), 1+c.rng.IntN(70)
				if c.rng.IntN(2) == 0 {
					depth, width = 32, 64
				}
				c.attention(d, 1+c.rng.IntN(2), heads, group, queries, keys, depth, width)
			}
			c.attention(d, 1, 1, 1, 3, 0, 4, 4)
			c.attention(d, 1, 1, 2, 40, 0, 4, 4)
			c.attention(d, 1, 1, 1, 3, 5, 0, 4)
			c.attention(d, 1, 1, 1, 40, 5, 0, 4)
			c.attention(d, 2, 1, 2, 0, 5, 4, 4)
			c.attention(d, 1, 1, 3, 2, 70, 300, 260)
			c.attention(d, 1, 1, 3, 20, 70, 300, 260)
		})
	}
}

func (c *ctx) attention(d dtype.Dtype, batch, heads, group, queries, keys, depth, width int) {
	at := device.AttentionAttr{Scale: 1 / math.Sqrt(float64(depth+1)), Causal: c.rng.IntN(2) == 0,
		HasMask: c.rng.IntN(2) == 0, HasSinks: c.rng.IntN(3) == 0}
	c.begin("attention of %s, batch %d, %d heads of %d, %d queries, %d keys, %d and %d elements, %+v", d, batch, heads,
		group, queries, keys, depth, width, at)
	value := c.uniform(d, -2, 2)
	ins := []device.Tensor{c.tensor(d, []int{batch, heads * group, queries, depth}, c.anyView(), value),
		c.tensor(d, []int{batch, heads, keys, depth}, c.anyView(), value),
		c.tensor(d, []int{batch, heads, keys, width}, c.anyView(), value)}
	if at.HasMask {
		md, mask := d, c.uniform(d, -3, 3)
		if c.rng.IntN(2) == 0 {
			md, mask = dtype.Bool, func(int) uint64 { return uint64(c.rng.IntN(2)) }
		} else if c.rng.IntN(2) == 0 {
			mask = c.mostly(mask, c.pick([]uint64{bitsOf(d, complex(math.Inf(-1), 0))}))
		}
		ins = append(ins, c.tensor(md, []int{batch, heads * group, queries, keys}, c.anyView(), mask))
	}
	if at.HasSinks {
		ins = append(ins, c.tensor(d, []int{batch, heads * group}, c.anyView(), value))
	}
	// Weights have relative errors of their scores' absolute ones, whose terms are below 4 each; values are below 2.
	relative := (32 + 8*math.Sqrt(float64(depth)) + math.Sqrt(float64(keys))) * eps(d)
	slack := func(_ int, want complex128) float64 {
		return 2*relative + resolution(d)*math.Abs(real(want)) + smallest(d)
	}
	shape := []int{batch, heads * group, queries, width}
	c.run(device.KindAttention, at, ins, []output{{d: d, shape: shape}}, tolerance{ulps: 1, slack: slack})
}
