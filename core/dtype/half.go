package dtype

import "math"

// Float16From rounds f to the nearest IEEE 754 binary16, ties to even.
func Float16From(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x47800000: // 65536 and above, and infinity
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: subnormal; adding 2^-1 aligns the mantissa and rounds
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	// A carry out of the mantissa moves into the exponent, up to infinity.
	return sign | uint16((b-0x38000000+0xfff+(b>>13&1))>>13)
}

// Float16To widens an IEEE 754 binary16; every value is exact.
func Float16To(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	e, m := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch e {
	case 0:
		f := float32(m) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	}
	return math.Float32frombits(sign | (e+112)<<23 | m<<13)
}

// BFloat16From rounds f to the nearest bfloat16, ties to even.
func BFloat16From(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + (b >> 16 & 1)) >> 16)
}

// BFloat16To widens a bfloat16; every value is exact.
func BFloat16To(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
