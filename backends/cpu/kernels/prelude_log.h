// log in float32 to 0.51 units in the last place, by float64. f32_log is faster; this one is for erfinv, so that random
// numbers made from the same bits are the same numbers as MLX's, which calls the C library.
//
// The method and constants are those of the logf of Arm's Optimized Routines, which became glibc's (2.27) and musl's:
// x = 2^k z, c near z from a table of 16, log(x) = k log(2) + log(c) + log1p(z/c - 1), the last one by a cubic.
#pragma once

static const double near_inverse[16] = {
	0x1.661ec79f8f3bep+0, 0x1.571ed4aaf883dp+0, 0x1.49539f0f010bp+0, 0x1.3c995b0b80385p+0,
	0x1.30d190c8864a5p+0, 0x1.25e227b0b8eap+0, 0x1.1bb4a4a1a343fp+0, 0x1.12358f08ae5bap+0,
	0x1.0953f419900a7p+0, 0x1p+0, 0x1.e608cfd9a47acp-1, 0x1.ca4b31f026aap-1,
	0x1.b2036576afce6p-1, 0x1.9c2d163a1aa2dp-1, 0x1.886e6037841edp-1, 0x1.767dcf5534862p-1,
};
static const double near_log[16] = {
	-0x1.57bf7808caadep-2, -0x1.2bef0a7c06ddbp-2, -0x1.01eae7f513a67p-2, -0x1.b31d8a68224e9p-3,
	-0x1.6574f0ac07758p-3, -0x1.1aa2bc79c81p-3, -0x1.a4e76ce8c0e5ep-4, -0x1.1973c5a611cccp-4,
	-0x1.252f438e10c1ep-5, 0, 0x1.aa5aa5df25984p-5, 0x1.c5e53aa362eb4p-4,
	0x1.526e57720db08p-3, 0x1.bc2860d22477p-3, 0x1.1058bc8a07ee1p-2, 0x1.4043057b6ee09p-2,
};

// x is 0, positive and normal, or makes NaN.
INL float f32_log_near(float x) {
	uint32_t u = f32_bits(x), t = u - 0x3f330000;
	int i = t >> 19 & 15, k = (int32_t)t >> 23;
	double r = (double)bits_f32(u - (t & 0xff800000)) * near_inverse[i] - 1.0;
	double y = 0x1.5575b0be00b6ap-2 * r - 0x1.ffffef20a4123p-2;
	y = -0x1.00ea348b88334p-2 * (r * r) + y;
	y = y * (r * r) + ((near_log[i] + k * 0x1.62e42fefa39efp-1) + r);
	return x > 0.0f ? (float)y : x == 0.0f ? -INFINITY : NAN;
}
#define F32_ERFINV_LOG f32_log_near

// a*b + c, rounded once; without the instruction, but for a rare double rounding, as the product of float32s is exact
// in float64.
#if defined(__FMA__) || defined(__aarch64__)
#define F32_FMA __builtin_fmaf
#else
#define F32_FMA(a, b, c) ((float)((double)(a) * (b) + (c)))
#endif
