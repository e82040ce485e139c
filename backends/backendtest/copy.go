package backendtest

import (
	"math"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func testCopy(c *ctx) {
	for _, d := range dtype.All {
		for _, in := range views {
			for _, out := range []view{contiguous, {permute: true}, {step: true, flip: true, shift: true}} {
				c.begin("copy %s from %s to %+v", d, in.name, out)
				shape := c.anyShape(1+c.rng.IntN(5), 400)
				x := c.tensor(d, shape, in.view, c.raw(d))
				c.run(device.KindCopy, nil, []device.Tensor{x}, []output{{d: d, shape: shape, view: out}},
					tolerance{zeros: true})
			}
		}
	}
	for _, from := range dtype.All {
		for _, to := range dtype.All {
			c.begin("copy %s to %s", from, to)
			shape := c.anyShape(c.rng.IntN(5), 300)
			x := c.tensor(from, shape, c.anyView(), c.castable(from, to))
			c.run(device.KindCopy, nil, []device.Tensor{x}, []output{{d: to, shape: shape, view: c.anyOutView()}},
				castTolerance(from, to))
		}
	}
	// Transposes and rows around tile boundaries, and enough elements for several threads.
	for _, shape := range [][]int{{1}, {15}, {16}, {17}, {64, 65}, {33, 31}, {1023}, {1025}, {300, 257}, {7, 100, 101},
		{2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2}} {
		for _, d := range []dtype.Dtype{dtype.Uint8, dtype.Float16, dtype.Float32, dtype.Complex64} {
			for _, v := range []view{contiguous, {permute: true}, {permute: true, flip: true}, {stretch: true}} {
				c.begin("copy %s %v from %+v", d, shape, v)
				x := c.tensor(d, shape, v, c.raw(d))
				out := contiguous
				if c.rng.IntN(4) == 0 {
					out = c.anyOutView()
				}
				c.run(device.KindCopy, nil, []device.Tensor{x}, []output{{d: d, shape: shape, view: out}},
					tolerance{zeros: true})
			}
		}
	}
}

func testFill(c *ctx) {
	for _, d := range dtype.All {
		for _, shape := range [][]int{{}, {1}, {17}, {1025}, {5, 7, 9}, {300, 241}} {
			for range 3 {
				c.begin("fill %s %v", d, shape)
				x := c.tensor(d, []int{}, c.anyView(), c.raw(d))
				c.run(device.KindFill, nil, []device.Tensor{x}, []output{{d: d, shape: shape, view: c.anyOutView()}},
					tolerance{zeros: true})
			}
		}
	}
}

func testArange(c *ctx) {
	for _, d := range dtype.All {
		if d == dtype.Bool {
			continue
		}
		for _, n := range []int{1, 2, 15, 16, 17, 100, 1025, 70000} {
			at := device.ArangeAttr{StartInt: int64(c.rng.IntN(200) - 100), StepInt: int64(c.rng.IntN(9) - 4)}
			at.Start, at.Step = float64(at.StartInt), float64(at.StepInt)
			if d.IsInexact() {
				at.Start, at.Step = 4*c.rng.NormFloat64(), c.rng.NormFloat64()
				if d.IsHalf() || d == dtype.Complex64 { // as core does: float32 holds both
					at.Start, at.Step = float64(float32(at.Start)), float64(float32(at.Step))
				}
			}
			c.begin("arange of %d %s %+v", n, d, at)
			tol := tolerance{}
			if d.IsInexact() {
				tol.ulps = 1
				tol.slack = func(i int, want complex128) float64 {
					return 2 * eps(d) * (math.Abs(at.Start) + float64(i)*math.Abs(at.Step))
				}
			}
			c.run(device.KindArange, at, nil, []output{{d: d, shape: []int{n}}}, tol)
		}
	}
}
