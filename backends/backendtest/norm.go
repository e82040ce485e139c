package backendtest

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

var floats = []dtype.Dtype{dtype.Float16, dtype.BFloat16, dtype.Float32, dtype.Float64}

var rowLengths = []int{1, 2, 7, 15, 16, 17, 31, 33, 64, 100, 257, 1023, 1024, 1025, 5000}

// rowShape draws leading axes before a row of length n.
func (c *ctx) rowShape(n int) []int {
	if n == 2 {
		return append(c.tall(), n)
	}
	return append(c.anyShape(c.rng.IntN(4), max(4000/n, 1)), n)
}

func testSoftmax(c *ctx) {
	for _, d := range floats {
		for _, n := range rowLengths {
			for range 4 {
				spread := []float64{1, 10, 80}[c.rng.IntN(3)]
				value := c.uniform(d, -spread, spread)
				special := []uint64{bitsOf(d, complex(math.Inf(-1), 0)), bitsOf(d, complex(math.Inf(-1), 0)),
					bitsOf(d, complex(math.Inf(1), 0)), bitsOf(d, complex(math.NaN(), 0))}
				switch c.rng.IntN(6) {
				case 0: // masks
					value = c.mostly(value, c.pick(special[:1]))
				case 1:
					value = c.mostly(value, c.pick(special))
				case 2: // rows without any finite element
					value = c.pick(special[:1])
				}
				shape := c.rowShape(n)
				in := func() []device.Tensor { return []device.Tensor{c.tensor(d, shape, c.anyView(), value)} }
				// The argument of exp is rounded: an error relative to its size.
				relative := (16 + 4*spread + 0.02*float64(n)) * eps(d)
				c.begin("softmax of %s %v", d, shape)
				c.run(device.KindSoftmax, nil, in(), []output{{d: d, shape: shape}},
					tolerance{ulps: 1, slack: func(_ int, want complex128) float64 {
						return relative*math.Abs(real(want)) + 0x1p-125
					}})
				c.begin("logsumexp of %s %v", d, shape)
				c.run(device.KindLogSumExp, nil, in(), []output{{d: d, shape: shape[:len(shape)-1]}},
					tolerance{ulps: 1, slack: func(int, complex128) float64 {
						return relative
					}})
			}
		}
		c.begin("logsumexp of %s of nothing", d)
		c.run(device.KindLogSumExp, nil, []device.Tensor{c.tensor(d, []int{3, 0}, contiguous, c.raw(d))},
			[]output{{d: d, shape: []int{3}}}, tolerance{})
		c.begin("large softmax of %s", d)
		shape := []int{90, 1000}
		c.run(device.KindSoftmax, nil, []device.Tensor{c.tensor(d, shape, contiguous, c.uniform(d, -3, 3))},
			[]output{{d: d, shape: shape}}, tolerance{ulps: 8 + 64*eps(d)/resolution(d)})
	}
}

func testNorm(c *ctx) {
	for _, d := range floats {
		for _, n := range append(rowLengths, 20000) {
			for range 3 {
				shape := c.rowShape(n)
				at := device.NormAttr{Eps: []float64{1e-5, 1e-3, 1}[c.rng.IntN(3)]}
				mean := []float64{0, 0, 3, 30}[c.rng.IntN(4)]
				x := c.tensor(d, shape, c.anyView(), c.uniform(d, mean-2, mean+2))
				weight := c.tensor(d, []int{n}, c.anyView(), c.uniform(d, 0.5, 1.5))
				bias := c.tensor(d, []int{n}, c.anyView(), c.uniform(d, -1, 1))
				c.what = "norm"
				for _, layer := range []bool{true, false} {
					// Relative errors of the mean, amplified by 1/deviation.
					scale := c.rowScales(&x, at.Eps, layer)
					slack := func(i int, want complex128) float64 {
						size := math.Abs(real(want))
						return 16*eps(d)*(scale[i/n]+size+1) + resolution(d)*size + smallest(d)
					}
					kind, ins := device.KindLayerNorm, []device.Tensor{x, weight, bias}
					if !layer {
						kind, ins = device.KindRMSNorm, []device.Tensor{x, weight}
					}
					c.what = map[bool]string{true: "layer norm of ", false: "rms norm of "}[layer] + d.String()
					c.run(kind, at, ins, []output{{d: d, shape: shape}}, tolerance{ulps: 1, slack: slack})
				}
				c.release()
			}
		}
	}
}

// rowScales is, for every row, its largest element over its deviation.
func (c *ctx) rowScales(t *device.Tensor, eps float64, centered bool) []float64 {
	n := t.Shape[len(t.Shape)-1]
	out := make([]float64, t.Size()/n)
	for r := range out {
		sum, squares, most := 0.0, 0.0, 0.0
		for i := range n {
			x := real(elementAt(t, r*n+i))
			sum, squares, most = sum+x, squares+x*x, math.Max(most, math.Abs(x))
		}
		m := sum / float64(n)
		if !centered {
			m = 0
		}
		out[r] = 1.5 * most / math.Sqrt(math.Max(squares/float64(n)-m*m, 0)+float64(eps))
		if centered { // an error in the mean also shifts the deviation
			out[r] *= 1 + most/math.Sqrt(math.Max(squares/float64(n)-m*m, 0)+float64(eps))*1e-2
		}
	}
	return out
}
