package backendtest

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// The third input of these products names parts of the others; an error is bounded by what the reference makes of
// magnitudes, which leaves it as it is.

var realFloats = []dtype.Dtype{dtype.Float16, dtype.BFloat16, dtype.Float32, dtype.Float64}

func testGatherMatMul(c *ctx) {
	for _, d := range realFloats {
		c.sub(d.String(), func(c *ctx) {
			for range 60 {
				outer, batch := c.anyShape(c.rng.IntN(3)/2, 3), c.anyShape(c.rng.IntN(4), 12)
				c.gatherMatMul(d, outer, batch, 1+c.rng.IntN(9), 1+c.rng.IntN(5), 1+c.rng.IntN(40), 1+c.rng.IntN(20),
					c.rng.IntN(2) == 0)
			}
			for _, s := range [][3]int{{1, 64, 96}, {1, 300, 17}, {2, 33, 65}, {7, 16, 16}, {1, 1, 1}, {3, 0, 4}} {
				for _, sorted := range []bool{false, true} {
					c.gatherMatMul(d, nil, []int{37}, 4, s[0], s[1], s[2], sorted)
					c.gatherMatMul(d, nil, []int{5, 2}, 3, s[0], s[1], s[2], sorted)
				}
			}
			c.gatherMatMul(d, nil, []int{200}, 2, 1, 257, 300, true)
		})
	}
	c.outOfBounds(device.KindGatherMatMul)
}

func (c *ctx) gatherMatMul(d dtype.Dtype, outer, batch []int, experts, m, k, n int, sorted bool) {
	c.begin("gather_mm of %s, outer %v, batch %v, %d matrices, %d x %d x %d, sorted %v", d, outer, batch, experts,
		m, k, n, sorted)
	value := c.uniform(d, -2, 2)
	at := slices.Concat(outer, batch)
	id := integers[c.rng.IntN(len(integers))]
	total, i := layout.Size(at), 0
	index := c.tensor(id, at, c.anyView(), func(int) uint64 {
		e := c.rng.IntN(experts)
		if sorted {
			e = min(i*experts/total, experts-1)
		}
		i++
		if id.Group() == dtype.GroupSigned && c.rng.IntN(2) == 0 {
			e -= experts
		}
		return bitsOf(id, complex(float64(e), 0))
	})
	ins := []device.Tensor{c.tensor(d, slices.Concat(at, []int{m, k}), c.anyView(), value),
		c.tensor(d, slices.Concat(outer, []int{experts, k, n}), c.anyView(), value), index}
	c.parts(device.KindGatherMatMul, d, k, ins, slices.Concat(at, []int{m, n}))
}

func testSegmentedMatMul(c *ctx) {
	for _, d := range realFloats {
		c.sub(d.String(), func(c *ctx) {
			for range 60 {
				outer, batch := c.anyShape(c.rng.IntN(3)/2, 3), c.anyShape(c.rng.IntN(3), 6)
				c.segmentedMatMul(d, outer, batch, 1+c.rng.IntN(12), 1+c.rng.IntN(60), 1+c.rng.IntN(20))
			}
			c.segmentedMatMul(d, nil, []int{9}, 64, 700, 48)
			c.segmentedMatMul(d, nil, []int{2}, 3, 0, 4)
		})
	}
	c.segmentOutOfBounds()
}

func (c *ctx) segmentedMatMul(d dtype.Dtype, outer, batch []int, m, k, n int) {
	c.begin("segmented_mm of %s, outer %v, segments %v, %d x %d x %d", d, outer, batch, m, k, n)
	value := c.uniform(d, -2, 2)
	id := []dtype.Dtype{dtype.Uint32, dtype.Int64, dtype.Uint16, dtype.Int32, dtype.Uint64}[c.rng.IntN(5)]
	segments := c.tensor(id, slices.Concat(outer, batch, []int{2}), c.anyView(), func(int) uint64 {
		return bitsOf(id, complex(float64(c.rng.IntN(k+1)), 0))
	})
	ins := []device.Tensor{c.tensor(d, slices.Concat(outer, []int{m, k}), c.anyView(), value),
		c.tensor(d, slices.Concat(outer, []int{k, n}), c.anyView(), value), segments}
	c.parts(device.KindSegmentedMatMul, d, k, ins, slices.Concat(outer, batch, []int{m, n}))
}

// parts compares a launch whose sums have k terms.
func (c *ctx) parts(kind device.KernelKind, d dtype.Dtype, k int, ins []device.Tensor, shape []int) {
	magnitudes := []device.Tensor{c.magnitudes(&ins[0]), c.magnitudes(&ins[1]), ins[2]}
	_, out := c.twins(output{d: dtype.Float64, shape: shape})
	bounds := device.Kernel{Kind: kind, Op: "bound", In: magnitudes, Out: []device.Tensor{out}}
	if err := c.ref.Launch(&bounds); err != nil {
		c.Fatal(err)
	}
	bound := slices.Clone(unsafe.Slice((*float64)(out.Data), layout.Size(shape)))
	c.run(kind, nil, ins, []output{{d: d, shape: shape}}, sumTolerance(d, k+2, ins[:2], bound))
}

// segmentOutOfBounds holds that one bad bound among many is an IndexError and touches no memory.
func (c *ctx) segmentOutOfBounds() {
	for _, bad := range []int{-1, 8, -100, 1 << 20} {
		c.begin("segment bound %d", bad)
		value := c.uniform(dtype.Float32, -1, 1)
		at := c.rng.IntN(200)
		segments := c.tensor(dtype.Int32, []int{100, 2}, contiguous, func(i int) uint64 {
			if i == at {
				return bitsOf(dtype.Int32, complex(float64(bad), 0))
			}
			return uint64(i % 8)
		})
		array := func(shape ...int) device.Tensor { return c.tensor(dtype.Float32, shape, contiguous, value) }
		k := &device.Kernel{Kind: device.KindSegmentedMatMul, Op: "test",
			In: []device.Tensor{array(3, 7), array(7, 2), segments}, Out: []device.Tensor{array(100, 3, 2)}}
		c.expectWrites(&k.Out[0])
		err := c.b.Launch(k)
		c.checkMemory()
		if e, ok := err.(*errs.Error); !ok || e.Kind != errs.IndexError {
			c.fail("Launch gave %v, want an IndexError", err)
		}
	}
}
