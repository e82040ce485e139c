package backendtest

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

var quantizable = []dtype.Dtype{dtype.Float32, dtype.Float16, dtype.BFloat16}

// formats are all modes with their group sizes and bits.
var formats = func() []device.QuantizeAttr {
	list := []device.QuantizeAttr{{Mode: device.QuantizeMXFP4, GroupSize: 32, Bits: 4},
		{Mode: device.QuantizeMXFP8, GroupSize: 32, Bits: 8}, {Mode: device.QuantizeNVFP4, GroupSize: 16, Bits: 4}}
	for _, group := range []int{32, 64, 128} {
		for _, bits := range []int{1, 2, 3, 4, 5, 6, 8} {
			list = append(list, device.QuantizeAttr{GroupSize: group, Bits: bits})
		}
	}
	return list
}()

// eachFormat runs f for all formats and dtypes.
func (c *ctx) eachFormat(f func(c *ctx, at device.QuantizeAttr, d dtype.Dtype)) {
	for _, d := range quantizable {
		c.sub(d.String(), func(c *ctx) {
			for _, at := range formats {
				f(c, at, d)
			}
		})
	}
}

func testQuantize(c *ctx) {
	c.eachFormat(func(c *ctx, at device.QuantizeAttr, d dtype.Dtype) {
		for i := range 6 {
			outer := c.anyShape(1+c.rng.IntN(3), 9)
			groups := 1 + c.rng.IntN(5)
			if i == 0 {
				groups = 300
			}
			c.begin("quantize %+v of %s, %v times %d groups", at, d, outer, groups)
			value := [](func(int) uint64){c.uniform(d, -3, 3), c.mostly(c.uniform(d, -1, 1), c.raw(d)), c.raw(d)}[i%3]
			of := func(extent int) []int { return append(slices.Clone(outer), extent) }
			ins := []device.Tensor{c.tensor(d, of(groups*at.GroupSize), c.anyView(), value)}
			words := output{d: dtype.Uint32, shape: of(groups * at.GroupSize * at.Bits / 32)}
			outs := []output{words, {d: dtype.Uint8, shape: of(groups)}}
			if at.Mode == device.QuantizeAffine {
				outs = []output{words, {d: d, shape: of(groups)}, {d: d, shape: of(groups)}}
			} else if at.Mode == device.QuantizeNVFP4 && i%2 == 1 {
				ins = append(ins, c.globalScales(outer))
			}
			c.run(device.KindQuantize, at, ins, outs, tolerance{})
		}
	})
}

// globalScales draws one for each example along some of the first axes.
func (c *ctx) globalScales(outer []int) device.Tensor {
	return c.tensor(dtype.Float32, outer[:c.rng.IntN(len(outer))], contiguous, c.uniform(dtype.Float32, 1, 9))
}

// quantized draws words, scales and biases for a matrix of rows with groups each.
func (c *ctx) quantized(at device.QuantizeAttr, d dtype.Dtype, rows []int, groups int) []device.Tensor {
	of := func(extent int) []int { return append(slices.Clone(rows), extent) }
	words := c.tensor(dtype.Uint32, of(groups*at.GroupSize*at.Bits/32), c.anyView(), c.raw(dtype.Uint32))
	if at.Mode == device.QuantizeAffine {
		number := func() device.Tensor { return c.tensor(d, of(groups), c.anyView(), c.uniform(d, -1, 1)) }
		return []device.Tensor{words, number(), number()}
	}
	if at.Mode == device.QuantizeMXFP8 { // no NaNs: those of products of 0 and infinity differ with the order
		numbers := func(int) uint64 { return c.rng.Uint64() & 0xf7f7f7f7 }
		words = c.tensor(dtype.Uint32, words.Shape, c.anyView(), numbers)
	}
	scale := func(int) uint64 { return uint64(119 + c.rng.IntN(16)) }
	if at.Mode == device.QuantizeNVFP4 {
		scale = func(int) uint64 { return uint64(c.rng.IntN(127)) }
	}
	return []device.Tensor{words, c.tensor(dtype.Uint8, of(groups), c.anyView(), scale)}
}

func testDequantize(c *ctx) {
	c.eachFormat(func(c *ctx, at device.QuantizeAttr, d dtype.Dtype) {
		for i := range 4 {
			rows, groups := c.anyShape(1+c.rng.IntN(3), 7), 1+c.rng.IntN(5)
			if i == 3 {
				d, groups = dtype.Float64, 100
			}
			c.begin("dequantize %+v to %s, %v times %d groups", at, d, rows, groups)
			ins := c.quantized(at, d, rows, groups)
			if at.Mode == device.QuantizeNVFP4 && i%2 == 1 {
				ins = append(ins, c.globalScales(rows))
			}
			out := output{d: d, shape: append(slices.Clone(rows), groups*at.GroupSize)}
			c.run(device.KindDequantize, at, ins, []output{out}, tolerance{})
		}
	})
}

func testQuantizedMatMul(c *ctx) {
	c.eachFormat(func(c *ctx, at device.QuantizeAttr, d dtype.Dtype) {
		for _, transpose := range []bool{true, false} {
			for _, m := range []int{1, 2 + c.rng.IntN(7), 40} {
				c.quantizedMatMul(at, d, transpose, nil, nil, 0, m, 1+c.rng.IntN(20))
			}
			c.quantizedMatMul(at, d, transpose, []int{2, 3}, nil, 0, 3, 5)
			for range 2 {
				c.quantizedMatMul(at, d, transpose, c.anyShape(c.rng.IntN(3)/2, 3), c.anyShape(c.rng.IntN(3), 6),
					1+c.rng.IntN(4), 1+c.rng.IntN(3), 1+c.rng.IntN(9))
			}
		}
	})
	for _, at := range []device.QuantizeAttr{{GroupSize: 64, Bits: 4}, {GroupSize: 32, Bits: 8}} {
		for _, transpose := range []bool{true, false} {
			c.quantizedMatMul(at, dtype.Float32, transpose, nil, nil, 0, 1, 700)
			c.quantizedMatMul(at, dtype.BFloat16, transpose, nil, nil, 0, 130, 300)
			c.quantizedMatMul(at, dtype.Float32, transpose, nil, []int{30}, 2, 1, 33)
		}
	}
}

// quantizedMatMul compares a product; experts are not 0 if the matrices are gathered. side counts the rows of the
// quantized matrix.
func (c *ctx) quantizedMatMul(at device.QuantizeAttr, d dtype.Dtype, transpose bool, outer, batch []int,
	experts, m, side int) {
	c.begin("quantized_matmul %+v of %s, transpose %v, outer %v, batch %v, %d matrices, %d rows, %d", at, d, transpose,
		outer, batch, experts, m, side)
	groups := 1 + c.rng.IntN(4)
	k, n := groups*at.GroupSize, side
	if !transpose {
		k, n = side, groups*at.GroupSize
	}
	lead := slices.Concat(outer, batch)
	matrices := outer
	attr := device.QuantizedMatMulAttr{QuantizeAttr: at, Transpose: transpose, Gathered: experts > 0}
	if attr.Gathered {
		matrices = append(slices.Clone(outer), experts)
	}
	x := c.tensor(d, slices.Concat(lead, []int{m, k}), c.anyView(), c.uniform(d, -2, 2))
	ins := append([]device.Tensor{x}, c.quantized(at, d, append(slices.Clone(matrices), side), groups)...)
	if attr.Gathered {
		id := integers[c.rng.IntN(len(integers))]
		ins = append(ins, c.tensor(id, lead, c.anyView(), func(int) uint64 {
			e := c.rng.IntN(experts)
			if id.Group() == dtype.GroupSigned && c.rng.IntN(2) == 0 {
				e -= experts
			}
			return bitsOf(id, complex(float64(e), 0))
		}))
	}
	shape := slices.Concat(lead, []int{m, n})
	tol := c.quantizedTolerance(attr, d, k, ins, shape)
	c.run(device.KindQuantizedMatMul, attr, ins, []output{{d: d, shape: shape}}, tol)
}

// quantizedTolerance follows from the product of magnitudes, whose codes have no signs.
func (c *ctx) quantizedTolerance(at device.QuantizedMatMulAttr, d dtype.Dtype, k int, ins []device.Tensor,
	shape []int) tolerance {
	positive := uint64(0xffffffff)
	switch at.Mode {
	case device.QuantizeMXFP4, device.QuantizeNVFP4:
		positive = 0x77777777
	case device.QuantizeMXFP8:
		positive = 0x7f7f7f7f
	}
	words := c.tensor(dtype.Uint32, ins[1].Shape, contiguous, func(i int) uint64 {
		return bitsOf(dtype.Uint32, elementAt(&ins[1], i)) & positive
	})
	most := []device.Tensor{c.magnitudes(&ins[0]), words}
	for _, t := range ins[2:] {
		if t.Dtype == d {
			t = c.magnitudes(&t)
		}
		most = append(most, t)
	}
	_, out := c.twins(output{d: dtype.Float64, shape: shape})
	bounds := device.Kernel{Kind: device.KindQuantizedMatMul, Op: "bound", In: most, Out: []device.Tensor{out},
		Attr: at}
	if err := c.ref.Launch(&bounds); err != nil {
		c.Fatal(err)
	}
	bound := slices.Clone(unsafe.Slice((*float64)(out.Data), layout.Size(shape)))
	return sumTolerance(d, k+2, ins[:1], bound)
}
