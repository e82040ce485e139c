// exp, log and what follows from them in float32, branch-free. Errors are given in units in the
// last place (ulp), measured by tests over all or millions of arguments. Polynomials: fit.py.
#pragma once

// The nearest integer to |x| < 2^22, in *n too: adding 1.5 * 2^23 leaves no room for a fraction, and the bits of the
// sum count up from there. C leaves the conversion of a NaN to an integer open; here *n is then some number.
INL float f32_nearest(float x, int32_t *n) {
	float y = x + 12582912.0f;
	*n = (int32_t)(f32_bits(y) - 0x4b400000);
	return y - 12582912.0f;
}

// 2^n for -126 <= n <= 127.
INL float f32_exp2i(int32_t n) { return bits_f32((uint32_t)(n + 127) << 23); }

// e^r - 1 for |r| <= log(2)/2.
INL float f32_expm1_poly(float r) {
	float p = 1.9845886e-04f;
	p = p * r + 1.394072e-03f;
	p = p * r + 8.33339e-03f;
	p = p * r + 4.166636e-02f;
	p = p * r + 1.6666666e-01f;
	p = p * r + 0.5f;
	return p * (r * r) + r;
}

// The n and r of x = n log(2) + r. The high part of log(2) has 15 bits, so that n times it is exact.
INL float f32_exp_reduce(float x, int32_t *n) {
	float m = f32_nearest(x * 1.44269504088896341f, n), r = x - m * 0.693145751953125f;
	return r - m * 1.42860682030941723e-6f;
}

// 2^k e^x without overflow or underflow before the end; NaN passes. The scale is applied in two
// steps since 2^n alone may lie outside of the range.
INL float f32_exp_scaled(float x, int32_t k) {
	x = x < -104.0f ? -104.0f : x;
	x = x > 90.0f ? 90.0f : x;
	int32_t n;
	float r = f32_exp_reduce(x, &n), p = f32_expm1_poly(r) + 1.0f;
	int32_t i = n + k, a = i >> 1;
	return p * f32_exp2i(a) * f32_exp2i(i - a);
}

INL float f32_exp(float x) { return f32_exp_scaled(x, 0); }

// 2^n (e^r - 1) + (2^n - 1), halved inside so that 2^128 is not needed.
INL float f32_expm1(float x) {
	float c = x < -18.0f ? -18.0f : x;
	c = c > 88.8f ? 88.8f : c;
	int32_t n;
	float r = f32_exp_reduce(c, &n), s = f32_exp2i(n - 1);
	float y = 2.0f * (s * f32_expm1_poly(r) + (s - 0.5f));
	return f32_abs(x) < 0x1p-25f ? x : y;
}

// x = 2^e (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for positive x, subnormals too.
INL float f32_log_reduce(float x, float *e) {
	float small = x < 0x1p-126f ? 1.0f : 0.0f;
	x = small != 0.0f ? x * 0x1p23f : x;
	uint32_t u = f32_bits(x);
	int32_t n = (int32_t)(u - 0x3f3504f3) >> 23;
	*e = (float)n - 23.0f * small;
	return bits_f32(u - ((uint32_t)n << 23)) - 1.0f;
}

// log(1 + f) - f + f^2/2.
INL float f32_log_poly(float f) {
	float p = 6.74664e-02f;
	p = p * f - 1.1675652e-01f;
	p = p * f + 1.1888162e-01f;
	p = p * f - 1.2405589e-01f;
	p = p * f + 1.4219552e-01f;
	p = p * f - 1.6667996e-01f;
	p = p * f + 2.0002119e-01f;
	p = p * f - 2.500001e-01f;
	p = p * f + 3.3333313e-01f;
	return p * f * (f * f);
}

// What logarithms give outside of the positive finite numbers.
INL float f32_log_edges(float x, float y) {
	y = x == INFINITY ? x : y;
	y = x == 0.0f ? -INFINITY : y;
	return x >= 0.0f ? y : NAN;
}

// e log(2) + log(1 + f) + c, small terms first.
INL float f32_log_sum(float f, float e, float c) {
	float y = f32_log_poly(f) + c;
	y = y + e * -2.12194440e-4f;
	y = y - 0.5f * (f * f);
	return (f + y) + e * 0.693359375f;
}

INL float f32_log(float x) {
	float e, f = f32_log_reduce(x, &e);
	return f32_log_edges(x, f32_log_sum(f, e, 0.0f));
}

// log(1 + f) times log2(e), the factor split so that its whole part costs no rounding.
INL float f32_log2(float x) {
	float e, f = f32_log_reduce(x, &e), y = f32_log_poly(f) - 0.5f * (f * f);
	float r = y * 0.44269504088896340736f;
	r = r + f * 0.44269504088896340736f;
	return f32_log_edges(x, ((r + y) + f) + e);
}

INL float f32_log10(float x) {
	float e, f = f32_log_reduce(x, &e), y = f32_log_poly(f) - 0.5f * (f * f);
	// log10(e) = 0.4375 - 0.0032055..., log10(2) = 0.30078125 + 0.000248745...
	float r = y * -3.20551809674811e-3f;
	r = r + f * -3.20551809674811e-3f;
	r = r + e * 2.48745663981195e-4f;
	r = r + y * 0.4375f;
	r = r + f * 0.4375f;
	return f32_log_edges(x, r + e * 0.30078125f);
}

// log(u) for the rounded u = 1 + x, plus what the rounding lost, relative to u.
INL float f32_log1p(float x) {
	float u = 1.0f + x;
	float lost = x < 1.0f ? x - (u - 1.0f) : 1.0f - (u - x);
	float e, f = f32_log_reduce(u, &e);
	float y = f32_log_edges(u, f32_log_sum(f, e, lost / u));
	return f32_abs(x) < 0x1p-24f ? x : y;
}

// The larger plus log(1 + exp(-distance)). Equal infinities have distance 0.
INL float f32_logaddexp(float a, float b) {
	float d = a == b ? 0.0f : f32_abs(a - b);
	return f32_max(a, b) + f32_log1p(f32_exp(-d));
}

// Both branches keep exp's argument negative, so small results are exact down to subnormals.
INL float f32_sigmoid(float x) {
	float e = f32_exp(-f32_abs(x));
	return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

// e / (e + 2) with e = exp(2|x|) - 1; from 10 on that is 1.
INL float f32_tanh(float x) {
	float t = f32_abs(x), c = t > 10.0f ? 20.0f : 2.0f * t;
	int32_t n;
	float r = f32_exp_reduce(c, &n), s = f32_exp2i(n);
	float e = s * f32_expm1_poly(r) + (s - 1.0f);
	return f32_copysign(t < 0x1p-12f ? t : e / (e + 2.0f), x);
}

INL float f32_sinh(float x) {
	float t = f32_abs(x), z = t * t, p = 2.8169513e-06f;
	p = p * z + 1.983616e-04f;
	p = p * z + 8.33335e-03f;
	p = p * z + 1.6666667e-01f;
	float h = f32_exp_scaled(t, -1);
	float y = t < 1.0f ? t + t * z * p : h - 0.25f / h;
	return f32_copysign(y, x);
}

INL float f32_cosh(float x) {
	float h = f32_exp_scaled(f32_abs(x), -1);
	return h + 0.25f / h;
}

// log(t + sqrt(t^2 + 1)) as log1p of something without cancellation; for large t, log(2t).
INL float f32_asinh(float x) {
	float t = f32_abs(x), big = t > 1e9f ? 1.0f : 0.0f;
	float u = t + t * t / (1.0f + f32_sqrt(t * t + 1.0f));
	float y = f32_log1p(big != 0.0f ? t : u) + big * 0.693147180559945309f;
	return f32_copysign(y, x);
}

INL float f32_acosh(float x) {
	float t = x - 1.0f, big = x > 1e9f ? 1.0f : 0.0f;
	float u = t + f32_sqrt(2.0f * t + t * t);
	float y = f32_log1p(big != 0.0f ? x : u) + big * 0.693147180559945309f;
	return x >= 1.0f ? y : NAN;
}

INL float f32_atanh(float x) {
	float t = f32_abs(x);
	return f32_copysign(0.5f * f32_log1p(2.0f * t / (1.0f - t)), x);
}
