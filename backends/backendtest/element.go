package backendtest

import (
	"math"
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// Elements travel as bits: one uint64 for every dtype.

func setBits(p unsafe.Pointer, d dtype.Dtype, b uint64) {
	switch d.Size() {
	case 1:
		*(*uint8)(p) = uint8(b)
	case 2:
		*(*uint16)(p) = uint16(b)
	case 4:
		*(*uint32)(p) = uint32(b)
	default:
		*(*uint64)(p) = b
	}
}

func getBits(p unsafe.Pointer, d dtype.Dtype) uint64 {
	switch d.Size() {
	case 1:
		return uint64(*(*uint8)(p))
	case 2:
		return uint64(*(*uint16)(p))
	case 4:
		return uint64(*(*uint32)(p))
	}
	return *(*uint64)(p)
}

// number is the value of the element with bits b; integers above 2^53 are rounded.
func number(d dtype.Dtype, b uint64) complex128 {
	switch d.Group() {
	case dtype.GroupSigned:
		shift := 64 - 8*d.Size()
		return complex(float64(int64(b<<shift)>>shift), 0)
	case dtype.GroupComplex:
		re, im := math.Float32frombits(uint32(b)), math.Float32frombits(uint32(b>>32))
		return complex(float64(re), float64(im))
	case dtype.GroupFloat:
		switch d {
		case dtype.Float16:
			return complex(float64(dtype.Float16To(uint16(b))), 0)
		case dtype.BFloat16:
			return complex(float64(dtype.BFloat16To(uint16(b))), 0)
		case dtype.Float32:
			return complex(float64(math.Float32frombits(uint32(b))), 0)
		}
		return complex(math.Float64frombits(b), 0)
	}
	return complex(float64(b), 0)
}

// bitsOf is the element nearest to v; integers wrap.
func bitsOf(d dtype.Dtype, v complex128) uint64 {
	x := real(v)
	switch d.Group() {
	case dtype.GroupBool:
		if v != 0 {
			return 1
		}
		return 0
	case dtype.GroupComplex:
		return uint64(math.Float32bits(float32(x))) | uint64(math.Float32bits(float32(imag(v))))<<32
	case dtype.GroupFloat:
		switch d {
		case dtype.Float16:
			return uint64(dtype.Float16From(float32(x)))
		case dtype.BFloat16:
			return uint64(dtype.BFloat16From(float32(x)))
		case dtype.Float32:
			return uint64(math.Float32bits(float32(x)))
		}
		return math.Float64bits(x)
	}
	return uint64(int64(x)) & (math.MaxUint64 >> (64 - 8*d.Size()))
}

// Get is the element at offset i, in elements, from t's data.
func Get(t *device.Tensor, i int) complex128 {
	return number(t.Dtype, getBits(unsafe.Add(t.Data, i*t.Dtype.Size()), t.Dtype))
}

// Set writes v, cast, there.
func Set(t *device.Tensor, i int, v complex128) {
	setBits(unsafe.Add(t.Data, i*t.Dtype.Size()), t.Dtype, bitsOf(t.Dtype, v))
}

// elementAt is the n-th element of t in row-major order.
func elementAt(t *device.Tensor, n int) complex128 {
	off := 0
	for a := len(t.Shape) - 1; a >= 0; a-- {
		off += n % t.Shape[a] * t.Strides[a]
		n /= t.Shape[a]
	}
	return Get(t, off)
}

// edges are the values at which kernels break.
func edges(d dtype.Dtype) []uint64 {
	bits := 8 * d.Size()
	switch d.Group() {
	case dtype.GroupBool:
		return []uint64{0, 1}
	case dtype.GroupUnsigned:
		top := uint64(math.MaxUint64) >> (64 - bits)
		return []uint64{0, 1, 2, 3, 7, 31, uint64(bits) - 1, uint64(bits), uint64(bits) + 1, top, top - 1, top / 2,
			top/2 + 1}
	case dtype.GroupSigned:
		mask := uint64(math.MaxUint64) >> (64 - bits)
		lowest := uint64(1) << (bits - 1)
		return []uint64{0, 1, 2, 3, 7, uint64(bits) - 1, uint64(bits), lowest, lowest + 1, lowest - 1, lowest - 2, mask,
			mask - 1, mask - 2}
	case dtype.GroupComplex:
		parts := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -2.25, 1e-30, 3e4}
		var out []uint64
		for _, re := range parts {
			for _, im := range parts {
				out = append(out, bitsOf(d, complex(re, im)))
			}
		}
		inf, nan := math.Inf(1), math.NaN()
		for _, z := range []complex128{complex(inf, 0), complex(-inf, 1), complex(1, inf), complex(2, -inf),
			complex(inf, inf), complex(nan, 0), complex(1, nan), complex(nan, nan), complex(inf, nan)} {
			out = append(out, bitsOf(d, z))
		}
		return out
	}
	var out []uint64
	for _, v := range []float64{0, 1, 2, 3, 0.5, 0.25, 1.5, 2.5, 0.49999997, 0.99999994, 1.0000001, 1e-3, 1e-8, 1e-20,
		7, 10, 17, 88.5, 89, 100, 104, 127, 255.5, 710, 1e3, 12345.678, 65504, 1e6, 8388608.5, 16777216, 1e9, 1e15,
		1e20, 3e38, math.Pi, math.Pi / 2, math.Inf(1), math.NaN()} {
		out = append(out, bitsOf(d, complex(v, 0)), bitsOf(d, complex(-v, 0)))
	}
	// The smallest and largest subnormal and normal numbers of either sign.
	sign := uint64(1) << (bits - 1)
	exponentBits := map[dtype.Dtype]int{dtype.Float16: 5, dtype.BFloat16: 8, dtype.Float32: 8, dtype.Float64: 11}[d]
	one := uint64(1) << (bits - 1 - exponentBits)
	inf := sign - one
	for _, b := range []uint64{1, 2, one - 1, one, one + 1, inf - 1} {
		out = append(out, b, b|sign)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// uniform draws from [lo, hi]; complex numbers in both parts, integers rounded.
func (c *ctx) uniform(d dtype.Dtype, lo, hi float64) func(int) uint64 {
	draw := func() float64 { return lo + (hi-lo)*c.rng.Float64() }
	return func(int) uint64 {
		switch {
		case d == dtype.Bool:
			return c.rng.Uint64() & 1
		case d == dtype.Complex64:
			return bitsOf(d, complex(draw(), draw()))
		case d.IsFloat():
			return bitsOf(d, complex(draw(), 0))
		case d.Group() == dtype.GroupUnsigned:
			return bitsOf(d, complex(math.Round(math.Abs(draw())), 0))
		}
		return bitsOf(d, complex(math.Round(draw()), 0))
	}
}

// raw draws any bits: floats of every magnitude, infinities and NaNs among them.
func (c *ctx) raw(d dtype.Dtype) func(int) uint64 {
	return func(int) uint64 {
		if d == dtype.Bool {
			return c.rng.Uint64() & 1
		}
		return c.rng.Uint64() >> (64 - 8*d.Size())
	}
}

// mostly draws from common, and once in a while from rare.
func (c *ctx) mostly(common, rare func(int) uint64) func(int) uint64 {
	return func(i int) uint64 {
		if c.rng.IntN(16) == 0 {
			return rare(i)
		}
		return common(i)
	}
}

// pick draws from a list.
func (c *ctx) pick(list []uint64) func(int) uint64 {
	return func(int) uint64 { return list[c.rng.IntN(len(list))] }
}

// tall draws a shape of more axes than kernels have loops for, of which no two may be merged once they
// are permuted.
func (c *ctx) tall() []int {
	shape := make([]int, 13+c.rng.IntN(4))
	for i := range shape {
		shape[i] = 1
	}
	for range 8 {
		shape[c.rng.IntN(len(shape))] = 2
	}
	for i := range shape {
		if c.rng.IntN(3) == 0 && shape[i] == 1 {
			shape[i] = 2
		}
	}
	for n := 1; ; n = 1 { // enough of it
		for _, d := range shape {
			n *= d
		}
		if n <= 1<<13 {
			return shape
		}
		shape[c.rng.IntN(len(shape))] = 1
	}
}

// anyShape draws a shape of the given rank of about size elements at most.
func (c *ctx) anyShape(rank, size int) []int {
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	for range 4 * rank {
		i := c.rng.IntN(rank)
		n := 1
		for j, d := range shape {
			if j != i {
				n *= d
			}
		}
		if room := size / n; room > 1 {
			shape[i] = 1 + c.rng.IntN(min(room, 40))
		}
	}
	return shape
}
