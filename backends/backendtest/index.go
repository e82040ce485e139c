package backendtest

import (
	"math"
	"slices"
	"testing"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

var integers = []dtype.Dtype{dtype.Int32, dtype.Uint32, dtype.Int64, dtype.Uint8, dtype.Int8, dtype.Int16, dtype.Uint16,
	dtype.Uint64}

// indices makes an index array of dtype d for an axis of extent n and slices of extent size;
// signed ones count from the end half of the time.
func (c *ctx) indices(d dtype.Dtype, shape []int, n, size int) device.Tensor {
	return c.tensor(d, shape, c.anyView(), func(int) uint64 {
		i := c.rng.IntN(n - size + 1)
		if d.Group() == dtype.GroupSigned && c.rng.IntN(2) == 0 {
			i -= n
		}
		return bitsOf(d, complex(float64(i), 0))
	})
}

// indexDtype draws one that holds every index of an axis of extent n.
func (c *ctx) indexDtype(n int) dtype.Dtype {
	for {
		d := integers[c.rng.IntN(len(integers))]
		if d.Size() > 2 || d.Size() == 2 && n < 1<<15 || n < 1<<7 {
			return d
		}
	}
}

// place is a random set of axes to index, and the slice read or written at each corner.
type place struct {
	axes, sizes, index []int
}

func (c *ctx) anyPlace(shape []int) place {
	var p place
	for a, n := range shape {
		size := 1 + c.rng.IntN(n)
		switch c.rng.IntN(3) {
		case 0: // not indexed: whole or cut at the front
			if c.rng.IntN(2) == 0 {
				size = n
			}
		case 1: // indexed by elements
			size = 1
			fallthrough
		default:
			p.axes = append(p.axes, a)
		}
		p.sizes = append(p.sizes, size)
	}
	c.rng.Shuffle(len(p.axes), func(i, j int) { p.axes[i], p.axes[j] = p.axes[j], p.axes[i] })
	if len(p.axes) > 0 {
		p.index = c.anyShape(c.rng.IntN(4), 40)
	}
	return p
}

func (c *ctx) indexTensors(p place, shape []int) []device.Tensor {
	var out []device.Tensor
	for _, a := range p.axes {
		out = append(out, c.indices(c.indexDtype(shape[a]), p.index, shape[a], p.sizes[a]))
	}
	return out
}

func testGather(c *ctx) {
	gather := func(d dtype.Dtype, shape []int, p place) {
		c.begin("gather of %s %v, %+v", d, shape, p)
		ins := append([]device.Tensor{c.tensor(d, shape, c.anyView(), c.raw(d))}, c.indexTensors(p, shape)...)
		out := append(slices.Clone(p.index), p.sizes...)
		c.run(device.KindGather, device.GatherAttr{Axes: p.axes, SliceSizes: p.sizes}, ins,
			[]output{{d: d, shape: out}}, tolerance{zeros: true})
	}
	for _, d := range dtype.All {
		for range 40 {
			shape := c.anyShape(1+c.rng.IntN(4), 200)
			gather(d, shape, c.anyPlace(shape))
		}
	}
	for range 4 {
		tall := c.tall()
		p := c.anyPlace(tall)
		if len(p.axes) > 0 {
			p.index = []int{2, 1, 3}
		}
		gather(dtype.Int16, tall, p)
	}
	gather(dtype.Float32, []int{1000, 64}, place{[]int{0}, []int{1, 64}, []int{1500}})
	gather(dtype.BFloat16, []int{1000}, place{[]int{0}, []int{1}, []int{70000}})
	gather(dtype.Complex64, []int{30, 40}, place{[]int{1, 0}, []int{1, 1}, []int{300, 70}})
	c.outOfBounds(device.KindGather)
}

var scatterNames = [device.ScatterOpCount]string{"set", "add", "prod", "max", "min"}

func testScatter(c *ctx) {
	scatter := func(op device.ScatterOp, d dtype.Dtype, shape []int, p place) {
		c.begin("scatter %s to %s %v, %+v", scatterNames[op], d, shape, p)
		value := c.uniform(d, -4, 4)
		if d.IsInteger() || op == device.ScatterSet {
			value = c.raw(d)
		}
		if op == device.ScatterProd && d.IsInexact() {
			value = c.uniform(d, 0.7, 1.3)
		}
		if op == device.ScatterMax || op == device.ScatterMin {
			value = c.mostly(value, c.pick(edges(d)))
		}
		ins := append(c.indexTensors(p, shape), c.tensor(d, append(slices.Clone(p.index), p.sizes...),
			c.anyView(), value))
		hits := 1
		for _, n := range p.index {
			hits *= n
		}
		tol := tolerance{}
		if d.IsInexact() && (op == device.ScatterAdd || op == device.ScatterProd) {
			// Every addition may round to d.
			h := math.Min(float64(hits), 40)
			tol = tolerance{ulps: 2, slack: func(_ int, want complex128) float64 {
				return h * resolution(d) * (8 + math.Abs(real(want)) + math.Abs(imag(want)))
			}}
			if d != dtype.Complex64 && hits == 1 {
				tol = tolerance{}
			}
		}
		c.run(device.KindScatter, device.ScatterAttr{Op: op, Axes: p.axes}, ins,
			[]output{{d: d, shape: shape, initial: value}}, tol)
	}
	for op := range device.ScatterOp(device.ScatterOpCount) {
		for _, d := range dtype.All {
			for range 16 {
				shape := c.anyShape(1+c.rng.IntN(4), 200)
				scatter(op, d, shape, c.anyPlace(shape))
			}
		}
		tall := c.tall()
		p := c.anyPlace(tall)
		if len(p.axes) > 0 {
			p.index = []int{2, 1, 3}
		}
		scatter(op, dtype.Int16, tall, p)
		scatter(op, dtype.Float32, []int{1000, 64}, place{[]int{0}, []int{1, 64}, []int{700}})
		scatter(op, dtype.Int32, []int{1000}, place{[]int{0}, []int{1}, []int{30000}})
		scatter(op, dtype.Uint8, []int{30, 40}, place{[]int{1, 0}, []int{1, 1}, []int{300, 7}})
	}
	c.outOfBounds(device.KindScatter)
}

func testGatherAxis(c *ctx) {
	for _, d := range dtype.All {
		for i := range 30 {
			rank := 1 + c.rng.IntN(4)
			shape := c.anyShape(rank, 300)
			if i == 1 {
				shape = c.tall()
			}
			axis := c.rng.IntN(len(shape))
			out := slices.Clone(shape)
			out[axis] = 1 + c.rng.IntN(5)
			if i == 0 {
				out[axis] = 2000
			}
			c.begin("gather along axis %d of %s %v to %v", axis, d, shape, out)
			x := c.tensor(d, shape, c.anyView(), c.raw(d))
			idx := c.indices(c.indexDtype(shape[axis]), out, shape[axis], 1)
			c.run(device.KindGatherAxis, device.AxisAttr{Axis: axis}, []device.Tensor{x, idx},
				[]output{{d: d, shape: out}}, tolerance{zeros: true})
		}
	}
	c.outOfBounds(device.KindGatherAxis)
}

func testScatterAxis(c *ctx) {
	for _, d := range dtype.All {
		for i := range 30 {
			rank := 1 + c.rng.IntN(4)
			shape := c.anyShape(rank, 300)
			if i == 1 {
				shape = c.tall()
			}
			axis := c.rng.IntN(len(shape))
			from := slices.Clone(shape)
			from[axis] = 1 + c.rng.IntN(9)
			if i == 0 {
				from[axis] = 2000
			}
			at := device.ScatterAxisAttr{Axis: axis, Add: c.rng.IntN(2) == 0}
			c.begin("scatter %v of %v to %s %v", at, from, d, shape)
			value := c.uniform(d, -4, 4)
			if d.IsInteger() || !at.Add {
				value = c.raw(d)
			}
			idx := c.indices(c.indexDtype(shape[axis]), from, shape[axis], 1)
			u := c.tensor(d, from, c.anyView(), value)
			tol := tolerance{}
			if at.Add && d.IsInexact() {
				h := math.Min(float64(from[axis]), 80)
				tol = tolerance{ulps: 2, slack: func(_ int, want complex128) float64 {
					return h * resolution(d) * (8 + math.Abs(real(want)) + math.Abs(imag(want)))
				}}
			}
			c.run(device.KindScatterAxis, at, []device.Tensor{idx, u},
				[]output{{d: d, shape: shape, initial: value}}, tol)
		}
	}
	c.outOfBounds(device.KindScatterAxis)
}

// outOfBounds holds that one bad index among many is an IndexError and touches no memory around the
// array.
func (c *ctx) outOfBounds(kind device.KernelKind) {
	counts := []int{1, 7, 1000, 70000}
	if testing.Short() {
		counts = counts[:3]
	}
	for _, count := range counts {
		for _, d := range integers {
			const n = 5
			bad := []uint64{n, bitsOf(d, 127), bitsOf(d, -n-1), bitsOf(d, -128)}
			if d.Group() == dtype.GroupUnsigned {
				bad = []uint64{n, 127, math.MaxUint64 >> (64 - 8*d.Size())}
			} else {
				bad = append(bad, 1<<(8*d.Size()-1)) // the smallest
			}
			b := bad[c.rng.IntN(len(bad))]
			at := c.rng.IntN(count)
			c.begin("kind %d, %s index %s among %d", kind, d, show(d, b), count)
			value := c.uniform(dtype.Float32, -1, 1)
			index := c.tensor(d, []int{count}, contiguous, func(i int) uint64 {
				if i == at {
					return b
				}
				return uint64(i % n)
			})
			k := &device.Kernel{Kind: kind, Op: "test"}
			array := func(shape ...int) device.Tensor { return c.tensor(dtype.Float32, shape, contiguous, value) }
			switch kind {
			case device.KindGather:
				size := 1 + c.rng.IntN(2)
				if size == 2 { // a corner within the array whose slice leaves it
					setBits(index.Data, d, n-1)
				}
				k.Attr = device.GatherAttr{Axes: []int{0}, SliceSizes: []int{size, 2}}
				k.In, k.Out = []device.Tensor{array(n, 3), index}, []device.Tensor{array(count, size, 2)}
			case device.KindScatter:
				k.Attr = device.ScatterAttr{Op: device.ScatterOp(c.rng.IntN(device.ScatterOpCount)), Axes: []int{0}}
				k.In, k.Out = []device.Tensor{index, array(count, 1, 2)}, []device.Tensor{array(n, 3)}
			case device.KindGatherAxis:
				k.Attr = device.AxisAttr{Axis: 0}
				k.In, k.Out = []device.Tensor{array(n), index}, []device.Tensor{array(count)}
			case device.KindGatherMatMul:
				k.In, k.Out = []device.Tensor{array(count, 1, 2), array(n, 2, 3), index},
					[]device.Tensor{array(count, 1, 3)}
			case device.KindCrossEntropy:
				k.In, k.Out = []device.Tensor{array(count, n), index}, []device.Tensor{array(count)}
			case device.KindScatterAxis:
				k.Attr = device.ScatterAxisAttr{Axis: 0, Add: c.rng.IntN(2) == 0}
				k.In, k.Out = []device.Tensor{index, array(count)}, []device.Tensor{array(n)}
			}
			c.expectWrites(&k.Out[0])
			err := c.b.Launch(k)
			c.checkMemory()
			c.cases["index errors"]++
			if e, ok := err.(*errs.Error); !ok || e.Kind != errs.IndexError {
				c.fail("Launch gave %v, want an IndexError", err)
			}
		}
	}
}
