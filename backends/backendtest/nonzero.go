package backendtest

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// testNonzero counts and lists the places of masks of all densities. The examples of a batch need not be alike to be
// counted; to be listed they are one example seen again and again.
func testNonzero(c *ctx) {
	mask := func(shape []int, v view, density float64) device.Tensor {
		return c.tensor(dtype.Bool, shape, v, func(int) uint64 {
			if c.rng.Float64() >= density {
				return 0
			}
			return 1
		})
	}
	run := func(shape []int, batch int, v view, density float64) {
		c.begin("places of a mask %v, batch %d, density %g", shape, batch, density)
		examples, axes := shape[:batch], len(shape)-batch
		at := device.NonzeroAttr{Batch: batch, Count: true}
		c.run(device.KindNonzero, at, []device.Tensor{mask(shape, v, density)},
			[]output{{d: dtype.Int64, shape: examples}}, tolerance{})

		m := mask(shape[batch:], v, density)
		n := 0
		positions(m.Shape, func(idx []int, _ int) {
			n += int(*(*uint8)(unsafe.Add(m.Data, offset(&m, idx))))
		})
		m.Shape, m.Strides = shape, append(make([]int, batch), m.Strides...)
		at.Count = false
		for _, d := range []dtype.Dtype{dtype.Uint32, dtype.Int64} {
			c.run(device.KindNonzero, at, []device.Tensor{m},
				[]output{{d: d, shape: append(slices.Clone(examples), axes, n)}}, tolerance{})
		}
		for _, wrong := range []int{0, n - 1, n + 1} {
			if wrong < 0 || wrong == n {
				continue
			}
			out, _ := c.twins(output{d: dtype.Uint32, shape: append(slices.Clone(examples), axes, wrong)})
			c.expectWrites(&out)
			err := c.b.Launch(&device.Kernel{Kind: device.KindNonzero, Op: "test", In: []device.Tensor{m},
				Out: []device.Tensor{out}, Attr: at})
			c.checkMemory()
			if e, ok := err.(*errs.Error); !ok || e.Kind != errs.ValueError {
				c.fail("%d positions of %d places: Launch gave %v, want a ValueError", wrong, n, err)
			}
		}
	}
	for _, density := range []float64{0, 0.01, 0.5, 1} {
		for range 15 {
			run(c.anyShape(1+c.rng.IntN(4), 300), 0, c.anyView(), density)
			shape := c.anyShape(2+c.rng.IntN(3), 300)
			run(shape, 1+c.rng.IntN(len(shape)-1), c.anyView(), density)
		}
		run(c.tall(), 0, c.anyView(), density)
		run([]int{70001}, 0, contiguous, density)
		run([]int{3, 50021}, 0, view{permute: true}, density)
		run([]int{3, 40009}, 1, contiguous, density)
	}
}
