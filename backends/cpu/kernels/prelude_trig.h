// Circular functions and their inverses in float32, branch-free. Polynomials: fit.py.
#pragma once

// sin, cos and tan hold for |x| up to this; loops over larger arguments call the C library.
#define TRIG_BOUND 1e5f

// The r in about [-pi/4, pi/4] and quadrant q of x = q pi/2 + r (Cody and Waite, 1980): pi/2 is the sum of
// three float32. The first product-difference is exact, by FMA or in float64.
INL float f32_trig_reduce(float x, int32_t *q) {
	float n = f32_nearest(x * 0.636619772367581343f, q);
#if defined(__FMA__) || defined(__aarch64__)
	float r = __builtin_fmaf(n, -1.5707963705062866f, x);
	r = __builtin_fmaf(n, 4.371138828673793e-08f, r);
	return __builtin_fmaf(n, 1.7151245100059114e-15f, r);
#else
	double r = (double)x - (double)n * 0x1.921fb544p+0;
	return (float)(r - (double)n * 0x1.0b4611a626331p-34);
#endif
}

INL float f32_sin_poly(float r) {
	float z = r * r, p = 2.7180465e-06f;
	p = p * z - 1.9839304e-04f;
	p = p * z + 8.333329e-03f;
	p = p * z - 1.6666667e-01f;
	return r + r * z * p;
}

INL float f32_cos_poly(float r) {
	float z = r * r, p = 2.4432413e-05f;
	p = p * z - 1.388731e-03f;
	p = p * z + 4.1666646e-02f;
	return 1.0f - (0.5f * z - z * z * p);
}

INL float f32_sin(float x) {
	int32_t q;
	float r = f32_trig_reduce(x, &q);
	float y = (q & 1) ? f32_cos_poly(r) : f32_sin_poly(r);
	y = bits_f32(f32_bits(y) ^ (uint32_t)(q & 2) << 30);
	return x == 0.0f ? x : y;
}

INL float f32_cos(float x) {
	int32_t q;
	float r = f32_trig_reduce(x, &q);
	float y = (q & 1) ? f32_sin_poly(r) : f32_cos_poly(r);
	return bits_f32(f32_bits(y) ^ (((uint32_t)q + 1) & 2) << 30);
}

INL float f32_tan(float x) {
	int32_t q;
	float r = f32_trig_reduce(x, &q), s = f32_sin_poly(r), c = f32_cos_poly(r);
	float y = (q & 1) ? -c / s : s / c;
	return x == 0.0f ? x : y;
}

// What loops fall back to where an argument is beyond the bound.
static float f32_sin_wide(float x) { return sinf(x); }
static float f32_cos_wide(float x) { return cosf(x); }
static float f32_tan_wide(float x) { return tanf(x); }
INL int f32_sin_narrow(float x) { return !(f32_abs(x) > TRIG_BOUND); }
INL int f32_cos_narrow(float x) { return !(f32_abs(x) > TRIG_BOUND); }
INL int f32_tan_narrow(float x) { return !(f32_abs(x) > TRIG_BOUND); }

// asin for 0 <= t <= 1/2.
INL float f32_asin_poly(float t) {
	float z = t * t, p = 3.751648e-02f;
	p = p * z + 1.4438586e-02f;
	p = p * z + 3.1807724e-02f;
	p = p * z + 4.4516955e-02f;
	p = p * z + 7.500504e-02f;
	p = p * z + 1.666666e-01f;
	return t + t * z * p;
}

// asin(t) = pi/2 - 2 asin(sqrt((1 - t)/2)) brings the upper half down.
INL float f32_asin(float x) {
	float t = f32_abs(x);
	float p = f32_asin_poly(t > 0.5f ? f32_sqrt(0.5f - 0.5f * t) : t);
	float y = t > 0.5f ? 1.57079632679489662f - 2.0f * p : p;
	return f32_copysign(t > 1.0f ? NAN : y, x);
}

INL float f32_acos(float x) {
	float t = f32_abs(x);
	float p = f32_asin_poly(t > 0.5f ? f32_sqrt(0.5f - 0.5f * t) : t);
	float high = x < 0.0f ? 3.14159265358979324f - 2.0f * p : 2.0f * p;
	float y = t > 0.5f ? high : 1.57079632679489662f - f32_copysign(p, x);
	return t > 1.0f ? NAN : y;
}

// atan for 0 <= t <= 1.
INL float f32_atan_poly(float t) {
	float z = t * t, p = 1.1137893e-03f;
	p = p * z - 7.3179593e-03f;
	p = p * z + 2.2539873e-02f;
	p = p * z - 4.4689946e-02f;
	p = p * z + 6.7415975e-02f;
	p = p * z - 8.811092e-02f;
	p = p * z + 1.1058224e-01f;
	p = p * z - 1.4279833e-01f;
	p = p * z + 1.9999671e-01f;
	p = p * z - 3.3333328e-01f;
	return t + t * z * p;
}

INL float f32_atan(float x) {
	float t = f32_abs(x), p = f32_atan_poly(t > 1.0f ? 1.0f / t : t);
	return f32_copysign(t > 1.0f ? 1.57079632679489662f - p : p, x);
}

// The angle of (b, a): atan of the smaller over the larger, unfolded octant by octant. Two infinities
// stand at 45 degrees, two zeros on the axis.
INL float f32_atan2(float a, float b) {
	float s = f32_abs(a), t = f32_abs(b), lo = s < t ? s : t, hi = s < t ? t : s;
	float q = lo / hi;
	q = lo == hi ? (hi == 0.0f ? 0.0f : 1.0f) : q;
	float y = f32_atan_poly(q);
	y = s > t ? 1.57079632679489662f - y : y;
	y = (f32_bits(b) >> 31) ? 3.14159265358979324f - y : y;
	y = ((a != a) | (b != b)) ? NAN : y;
	return f32_copysign(y, a);
}
