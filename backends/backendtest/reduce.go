package backendtest

import (
	"math"
	"math/cmplx"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// magnitudes is the tensor of absolute values in float64: what bounds the errors of sums.
func (c *ctx) magnitudes(t *device.Tensor) device.Tensor {
	return c.tensor(dtype.Float64, t.Shape, contiguous, func(i int) uint64 {
		if t.Size() == 0 {
			return 0
		}
		return math.Float64bits(cmplx.Abs(elementAt(t, i)))
	})
}

// bound launches the kernel over absolute values in float64 on the reference: error bounds
// are multiples of its result.
func (c *ctx) bound(kind device.KernelKind, attr any, ins []device.Tensor, shape []int) []float64 {
	var m []device.Tensor
	for i := range ins {
		m = append(m, c.magnitudes(&ins[i]))
	}
	_, out := c.twins(output{d: dtype.Float64, shape: shape})
	k := &device.Kernel{Kind: kind, Op: "bound", In: m, Out: []device.Tensor{out}, Attr: attr}
	if err := c.ref.Launch(k); err != nil {
		c.Fatal(err)
	}
	list := unsafe.Slice((*float64)(out.Data), layout.Size(shape))
	return append([]float64{}, list...)
}

// growth is how many rounding errors of a sum of n terms add up: all of a short one, of a long one
// what is left when their signs are random, which orders of summation only better. Terms that repeat,
// because inputs are stretched, make the same error again and again.
func growth(n int, ins []device.Tensor) float64 {
	random := 16 + 4*math.Sqrt(float64(n))
	for i := range ins {
		for a, s := range ins[i].Strides {
			if s == 0 && ins[i].Shape[a] > 1 {
				random = float64(n)
			}
		}
	}
	return math.Min(float64(n), random) + 4
}

// sumTolerance: the accumulated error relative to the sum of magnitudes, and the rounding of the result.
func sumTolerance(d dtype.Dtype, n int, ins []device.Tensor, bound []float64) tolerance {
	g := growth(n, ins)
	return tolerance{ulps: 1, slack: func(i int, want complex128) float64 {
		return g*eps(d)*bound[i] + resolution(d)*cmplx.Abs(want) + 2*smallest(d)
	}}
}

var reduceNames = [device.ReduceOpCount]string{"sum", "prod", "min", "max", "and", "or"}

// resultOf is the dtype core asks of a reduction.
func resultOf(op device.ReduceOp, d dtype.Dtype) dtype.Dtype {
	switch {
	case op == device.ReduceAnd || op == device.ReduceOr:
		return dtype.Bool
	case op == device.ReduceMin || op == device.ReduceMax || d.IsInexact() || d.Size() > 4:
		return d
	case d.Group() == dtype.GroupUnsigned:
		return dtype.Uint32
	case d.Size() < 4 || d == dtype.Bool:
		return dtype.Int32
	}
	return d
}

// someAxes draws at least one axis.
func (c *ctx) someAxes(rank int) []int {
	for {
		var axes []int
		for a := range rank {
			if c.rng.IntN(2) == 0 {
				axes = append(axes, a)
			}
		}
		if len(axes) > 0 {
			return axes
		}
	}
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func testReduce(c *ctx) {
	for op := range device.ReduceOpCount {
		c.sub(reduceNames[op], func(c *ctx) {
			for _, d := range dtype.All {
				for range 24 {
					rank := 1 + c.rng.IntN(5)
					c.reduce(device.ReduceOp(op), d, c.anyShape(rank, 3000), c.someAxes(rank), c.anyView())
				}
				for _, n := range []int{1, 15, 16, 17, 1023, 1025, 70000} {
					c.reduce(device.ReduceOp(op), d, []int{n}, []int{0}, contiguous)
				}
				tall := c.tall()
				c.reduce(device.ReduceOp(op), d, tall, c.someAxes(len(tall)),
					view{permute: true, step: true, flip: true})
				for _, shape := range [][]int{{0}, {3, 0}, {2, 0, 4}} { // an empty fold gives the identity
					c.reduce(device.ReduceOp(op), d, shape, []int{len(shape) / 2}, contiguous)
				}
			}
			large := [][]int{{700, 500}, {3, 100000}, {100000, 3}, {40, 50, 170}, {1 << 19}}
			if testing.Short() {
				large = large[:1]
			}
			for _, shape := range large { // several threads, several stages
				d := []dtype.Dtype{dtype.Float32, dtype.BFloat16, dtype.Int8, dtype.Float64}[c.rng.IntN(4)]
				c.reduce(device.ReduceOp(op), d, shape, c.someAxes(len(shape)), view{permute: c.rng.IntN(2) == 0})
			}
		})
	}
}

func (c *ctx) reduce(op device.ReduceOp, d dtype.Dtype, shape, axes []int, v view) {
	c.begin("%s of %s %v over %v", reduceNames[op], d, shape, axes)
	n := 1
	out := []int{}
	for a, extent := range shape {
		if contains(axes, a) {
			n *= extent
		} else {
			out = append(out, extent)
		}
	}
	value := c.uniform(d, -9, 9)
	switch {
	case op == device.ReduceProd && d.IsInexact(): // the product stays near 1
		value = c.nearOne(d, n)
	case op == device.ReduceMin || op == device.ReduceMax:
		value = c.raw(d)
		if d.IsFloat() {
			value = c.uniform(d, -1000, 1000)
			if c.rng.IntN(3) == 0 { // NaN and infinities
				value = c.mostly(value, c.pick(edges(d)))
			}
		}
		if d == dtype.Complex64 { // ties in the real part
			value = c.mostly(func(int) uint64 {
				return bitsOf(d, complex(float64(c.rng.IntN(5)), float64(c.rng.IntN(5))))
			}, c.uniform(d, -9, 9))
		}
	case op == device.ReduceAnd:
		value = func(int) uint64 { return bitsOf(d, complex(float64(min(c.rng.IntN(n+1), 1)), 0)) }
	case op == device.ReduceOr:
		value = func(int) uint64 { return bitsOf(d, complex(float64(1-min(c.rng.IntN(n+1), 1)), 0)) }
	case d.IsInteger():
		value = c.raw(d)
	}
	ins := []device.Tensor{c.tensor(d, shape, v, value)}
	attr := device.ReduceAttr{Op: op, Axes: axes}
	tol := tolerance{}
	if d.IsInexact() {
		switch op {
		case device.ReduceSum:
			tol = sumTolerance(d, n, ins, c.bound(device.KindReduce, attr, ins, out))
		case device.ReduceProd:
			b := c.bound(device.KindReduce, attr, ins, out)
			tol = tolerance{ulps: 1, slack: func(i int, want complex128) float64 {
				return 2*growth(n, ins)*eps(d)*b[i] + resolution(d)*cmplx.Abs(want)
			}}
		}
	}
	c.run(device.KindReduce, attr, ins, []output{{d: resultOf(op, d), shape: out}}, tol)
}

func testArgReduce(c *ctx) {
	for _, d := range dtype.All {
		if d == dtype.Complex64 {
			continue // core sends real numbers only
		}
		for range 40 {
			rank := 1 + c.rng.IntN(4)
			shape, axis := c.anyShape(rank, 2000), c.rng.IntN(rank)
			if c.rng.IntN(8) == 0 {
				shape[axis] = []int{1, 15, 16, 17, 1023, 1025, 2049}[c.rng.IntN(7)]
			}
			c.argReduce(d, shape, axis, c.anyView())
		}
		c.argReduce(d, []int{70001}, 0, contiguous)
		c.argReduce(d, []int{300, 300}, c.rng.IntN(2), contiguous)
		tall := c.tall()
		c.argReduce(d, tall, c.rng.IntN(len(tall)), view{permute: true})
	}
	c.argReduce(dtype.Float32, []int{1 << 19}, 0, contiguous)
}

func (c *ctx) argReduce(d dtype.Dtype, shape []int, axis int, v view) {
	largest := c.rng.IntN(2) == 0
	c.begin("argreduce of %s %v along %d, largest %v", d, shape, axis, largest)
	value := c.uniform(d, -50, 50) // many ties
	switch c.rng.IntN(4) {
	case 0:
		value = c.raw(d)
	case 1:
		value = c.mostly(value, c.pick(edges(d)))
	}
	in := c.tensor(d, shape, v, value)
	out := append(append([]int{}, shape[:axis]...), shape[axis+1:]...)
	c.run(device.KindArgReduce, device.ArgReduceAttr{Max: largest, Axis: axis}, []device.Tensor{in},
		[]output{{d: dtype.Uint32, shape: out}}, tolerance{})
}

// nearOne draws numbers of which n have a product that neither overflows nor vanishes.
func (c *ctx) nearOne(d dtype.Dtype, n int) func(int) uint64 {
	spread := 1 / math.Sqrt(float64(n)+1)
	return func(int) uint64 {
		re, im := 1+spread*(2*c.rng.Float64()-1), 0.0
		if d == dtype.Complex64 {
			im = spread * (2*c.rng.Float64() - 1)
		}
		return bitsOf(d, complex(re, im))
	}
}

var scanNames = [device.ScanOpCount]string{"sum", "prod", "min", "max", "logaddexp"}

func testScan(c *ctx) {
	for op := range device.ScanOpCount {
		c.sub(scanNames[op], func(c *ctx) {
			for _, d := range dtype.All {
				if device.ScanOp(op) == device.ScanLogAddExp && !d.IsInexact() {
					continue // core casts to a float first
				}
				for range 24 {
					rank := 1 + c.rng.IntN(4)
					shape, axis := c.anyShape(rank, 1500), c.rng.IntN(rank)
					if c.rng.IntN(6) == 0 {
						shape[axis] = []int{1, 15, 16, 17, 1023, 1025, 2049}[c.rng.IntN(7)]
					}
					c.scan(device.ScanOp(op), d, shape, axis, c.anyView())
				}
				c.scan(device.ScanOp(op), d, []int{20000}, 0, contiguous)
				tall := c.tall()
				c.scan(device.ScanOp(op), d, tall, c.rng.IntN(len(tall)), view{permute: true})
			}
			for _, shape := range [][]int{{300000}, {2, 70000}, {20000, 9}} {
				if !testing.Short() {
					c.scan(device.ScanOp(op), dtype.Float32, shape, 0, contiguous)
				}
			}
		})
	}
}

func (c *ctx) scan(op device.ScanOp, d dtype.Dtype, shape []int, axis int, v view) {
	at := device.ScanAttr{Op: op, Axis: axis, Reverse: c.rng.IntN(2) == 0, Inclusive: c.rng.IntN(2) == 0}
	c.begin("scan %s of %s %v %+v", scanNames[op], d, shape, at)
	n := shape[axis]
	value := c.uniform(d, -9, 9)
	switch {
	case op == device.ScanProd && d.IsInexact():
		value = c.nearOne(d, n)
	case (op == device.ScanMin || op == device.ScanMax) && d.IsFloat():
		value = c.uniform(d, -1000, 1000)
		if c.rng.IntN(3) == 0 {
			nan := bitsOf(d, complex(math.NaN(), 0))
			value = c.mostly(value, func(int) uint64 { return nan })
		}
	case op == device.ScanLogAddExp:
		inf := bitsOf(d, complex(math.Inf(-1), 0))
		if value = c.uniform(d, -30, 30); d == dtype.Complex64 {
			value = c.uniform(d, -1, 1)
		} else if c.rng.IntN(3) == 0 {
			value = c.mostly(value, func(int) uint64 { return inf })
		}
	case d.IsInteger():
		value = c.raw(d)
	}
	ins := []device.Tensor{c.tensor(d, shape, v, value)}
	tol := tolerance{}
	if d.IsInexact() {
		switch op {
		case device.ScanSum:
			tol = sumTolerance(d, n, ins, c.bound(device.KindScan, at, ins, shape))
		case device.ScanProd:
			b := c.bound(device.KindScan, at, ins, shape)
			tol = tolerance{ulps: 1, slack: func(i int, want complex128) float64 {
				return 2*growth(n, ins)*eps(d)*b[i] + resolution(d)*cmplx.Abs(want)
			}}
		case device.ScanLogAddExp:
			tol = tolerance{ulps: 1, slack: func(i int, want complex128) float64 {
				return 2*growth(n, ins)*eps(d)*(2+cmplx.Abs(want)) + resolution(d)*cmplx.Abs(want)
			}}
			if d == dtype.Complex64 { // terms of opposite phase cancel in the sum
				tol.slack = func(int, complex128) float64 { return 0.01 }
				tol.loose = true
			}
		}
	}
	c.run(device.KindScan, at, ins, []output{{d: d, shape: shape}}, tol)
}
