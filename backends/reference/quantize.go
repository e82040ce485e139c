package reference

import (
	"math"
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// fp4 are the numbers of E2M1 by code.
var fp4 = [16]float32{0, 0.5, 1, 1.5, 2, 3, 4, 6, negativeZero, -0.5, -1, -1.5, -2, -3, -4, -6}

var negativeZero = float32(math.Copysign(0, -1))

// fp8 is the number of an E4M3 code: a sign, four bits of exponent with bias 7, three of fraction. There are no
// infinities.
func fp8(code uint8) float32 {
	e, f := int(code>>3&15), float64(code&7)
	x := math.Ldexp(8+f, e-10)
	switch {
	case code&127 == 127:
		x = math.NaN()
	case e == 0:
		x = math.Ldexp(f, -9)
	}
	return float32(math.Copysign(x, 1-2*float64(code>>7)))
}

// toFP8 is the code nearest to x, that with an even fraction of two. What is larger than 448 is 448, and so are NaNs.
func toFP8(x float32) uint8 {
	sign := uint8(math.Float32bits(x) >> 31 << 7)
	m := math.Abs(float64(x))
	switch {
	case !(m < 448):
		return sign | 126
	case m < 1.0/64:
		return sign | uint8(math.RoundToEven(m*512))
	}
	e := math.Ilogb(m)
	return sign | uint8((e+7)<<3+int(math.RoundToEven(math.Ldexp(m, 3-e)))-8)
}

// toFP4 is the code whose number is nearest to x, the first of several; distances are rounded to float32.
func toFP4(x float32) uint8 {
	nearest, least := 0, float32(math.Abs(float64(x)))
	for code, y := range fp4 {
		if d := float32(math.Abs(float64(x - y))); d < least {
			nearest, least = code, d
		}
	}
	return uint8(nearest)
}

// quantizer works on groups of elements of dtype d.
type quantizer struct {
	device.QuantizeAttr
	d     dtype.Dtype
	unit  float32 // of scales in QuantizeNVFP4 with a global scale; 1 without
	codes []uint8
}

func (q *quantizer) round(x float32) float32 {
	return float32(rounded(value{d: q.d, f: float64(x)}).f)
}

// affine gives scale and bias of a group. The extreme with the larger magnitude is a whole number of steps away from
// zero, so that both have codes.
func (q *quantizer) affine(group []float32) (scale, bias float32) {
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for _, x := range group {
		if x < low {
			low = x
		}
		if x > high {
			high = x
		}
	}
	last := float32(int(1)<<q.Bits - 1)
	if scale = (high - low) / last; scale < 1e-7 {
		scale = 1e-7
	}
	if q.Bits == 1 {
		bias = low
	} else {
		edge := high
		if math.Abs(float64(low)) > math.Abs(float64(high)) {
			edge = low
		} else {
			scale = -scale
		}
		if steps := float32(math.RoundToEven(float64(edge / scale))); steps != 0 {
			scale, bias = edge/steps, edge
		}
	}
	for i, x := range group {
		code := float32(math.RoundToEven(float64(float32(x-bias) / scale)))
		q.codes[i] = 0
		if code > 0 {
			q.codes[i] = uint8(min(code, last))
		}
	}
	return scale, bias
}

// shared gives the scale of eight bits that the floating point codes of a group share.
func (q *quantizer) shared(group []float32) uint8 {
	var most float32
	for _, x := range group {
		if m := float32(math.Abs(float64(x))); !(m <= most) && most == most {
			most = m
		}
	}
	var code uint8
	var scale float32
	if q.Mode == device.QuantizeNVFP4 {
		code = toFP8(most / 6 / q.unit)
		scale = fp8(code) * q.unit
	} else {
		largest := float32(6)
		if q.Mode == device.QuantizeMXFP8 {
			largest = 448
		}
		if code, scale = e8m0(q.round(most / largest)); scale == 0 && q.d != dtype.Float32 {
			code = 0
		}
	}
	undefined := uint8(254) // 0/0 is negative on x86, and loses its sign as bfloat16
	if q.d == dtype.BFloat16 {
		undefined = 126
	}
	for i, x := range group {
		switch {
		case q.Mode != device.QuantizeMXFP8:
			q.codes[i] = toFP4(x / scale)
		case scale == 0 && x == 0:
			q.codes[i] = undefined
		default:
			q.codes[i] = toFP8(x / scale)
		}
	}
	return code
}

// e8m0 is the code of the least power of two that is not less than x, and that power. Beyond the ends codes wrap.
func e8m0(x float32) (code uint8, power float32) {
	switch {
	case x == 0:
		return 127, 1
	case !(x <= math.MaxFloat32):
		return 128, 0 // of no meaning
	}
	fraction, e := math.Frexp(float64(x))
	if fraction == 0.5 {
		e--
	}
	return uint8(e + 127), float32(math.Ldexp(1, e))
}

func quantize(k *device.Kernel) {
	x := &k.In[0]
	q := &quantizer{QuantizeAttr: k.Attr.(device.QuantizeAttr), d: x.Dtype, unit: 1}
	q.codes = make([]uint8, q.GroupSize)
	group := make([]float32, q.GroupSize)
	words, scales := &k.Out[0], &k.Out[1]
	last := len(x.Shape) - 1
	clear(unsafe.Slice((*uint32)(words.Data), words.Size()))
	each(k, scales.Shape, func(at []int) {
		if len(k.In) > 1 {
			q.unit = globalUnit(&k.In[1], at)
		}
		idx := slices.Clone(at)
		for i := range group {
			idx[last] = at[last]*q.GroupSize + i
			group[i] = float32(load(x, idx).f)
		}
		if q.Mode == device.QuantizeAffine {
			scale, bias := q.affine(group)
			store(scales, at, float(float64(scale)))
			store(&k.Out[2], at, float(float64(bias)))
		} else {
			store(scales, at, unsigned(uint64(q.shared(group))))
		}
		row := element(words, append(slices.Clone(at[:last]), 0))
		for i, code := range q.codes {
			setCode(row, at[last]*q.GroupSize+i, q.Bits, code)
		}
	})
}

// globalUnit is what scales are counted in at a position: of the global scale that is given for it.
func globalUnit(t *device.Tensor, at []int) float32 {
	return float32(load(t, at[:len(t.Shape)]).f) / (448 * 6)
}

// element is the address of an element.
func element(t *device.Tensor, at []int) unsafe.Pointer {
	offset := 0
	for axis, i := range at {
		offset += i * t.Strides[axis]
	}
	return unsafe.Add(t.Data, offset*t.Dtype.Size())
}

// setCode writes the n-th code of a row of words, which are zero.
func setCode(row unsafe.Pointer, n, bits int, code uint8) {
	for i := range bits {
		at := n*bits + i
		*(*uint32)(unsafe.Add(row, at/32*4)) |= uint32(code>>i&1) << (at % 32)
	}
}

// dequantized reads elements of quantized matrices.
type dequantized struct {
	device.QuantizeAttr
	words, scales, biases, global *device.Tensor
}

// at is the element of a position, as a product and a sum: each is rounded by whoever asks.
func (q *dequantized) at(idx []int) (code, scale, bias float64) {
	last := len(idx) - 1
	group := slices.Clone(idx)
	group[last] /= q.GroupSize
	row := slices.Clone(idx[:last])
	var c uint8
	for i := range q.Bits { // words may lie anywhere
		bit := idx[last]*q.Bits + i
		w := load(q.words, append(row, bit/32)).u
		c |= uint8(w>>(bit%32)&1) << i
	}
	s := load(q.scales, group)
	switch q.Mode {
	case device.QuantizeAffine:
		return float64(c), s.f, load(q.biases, group).f
	case device.QuantizeMXFP4:
		return float64(fp4[c]), powerOf(s.u), 0
	case device.QuantizeMXFP8:
		return float64(fp8(c)), powerOf(s.u), 0
	}
	scale = float64(fp8(uint8(s.u)))
	if q.global != nil {
		scale *= float64(globalUnit(q.global, idx))
	}
	return float64(fp4[c]), scale, 0
}

// powerOf is the power of two with an E8M0 code, infinity for the last.
func powerOf(code uint64) float64 {
	if code == 255 {
		return math.Inf(1)
	}
	return math.Ldexp(1, int(code)-127)
}

func dequantize(k *device.Kernel) {
	q := &dequantized{QuantizeAttr: k.Attr.(device.QuantizeAttr), words: &k.In[0], scales: &k.In[1]}
	affine := q.Mode == device.QuantizeAffine
	if affine {
		q.biases = &k.In[2]
	} else if len(k.In) > 2 {
		q.global = &k.In[2]
	}
	out := &k.Out[0]
	round := func(x float64) float64 { return rounded(value{d: out.Dtype, f: x}).f }
	each(k, out.Shape, func(idx []int) {
		code, scale, bias := q.at(idx)
		x := round(code * round(scale))
		if affine {
			x += bias
		}
		store(out, idx, float(x))
	})
}

func quantizedMatMul(k *device.Kernel) {
	at := k.Attr.(device.QuantizedMatMulAttr)
	x, out := &k.In[0], &k.Out[0]
	q := &dequantized{QuantizeAttr: at.QuantizeAttr, words: &k.In[1], scales: &k.In[2]}
	if at.Mode == device.QuantizeAffine {
		q.biases = &k.In[3]
	}
	rank, outer := len(out.Shape), len(q.words.Shape)-2
	inner := x.Shape[rank-1]
	matrix := func(batch []int) []int { return batch }
	if at.Gathered {
		indices := &k.In[len(k.In)-1]
		outer--
		matrix = func(batch []int) []int {
			e := place(k, load(indices, batch), outer, q.words.Shape[outer], 1, q.words.Shape)
			return append(slices.Clone(batch[:outer]), e)
		}
		each(k, indices.Shape, func(batch []int) { matrix(batch) })
	}
	each(k, out.Shape, func(idx []int) {
		batch, i, j := idx[:rank-2], idx[rank-2], idx[rank-1]
		m := matrix(batch)
		var sum float64
		for p := range inner {
			place := []int{p, j}
			if at.Transpose {
				place = []int{j, p}
			}
			code, scale, bias := q.at(slices.Concat(m, place))
			sum += load(x, slices.Concat(batch, []int{i, p})).f * (code*scale + bias)
		}
		store(out, idx, float(sum))
	})
}
