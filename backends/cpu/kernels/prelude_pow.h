// erf, its inverse, power and remainder in float32, branch-free. Polynomials: fit.py.
#pragma once

#include "prelude_erf.h"

INL uint64_t f64_bits(double x) {
	uint64_t u;
	memcpy(&u, &x, 8);
	return u;
}

INL double bits_f64(uint64_t u) {
	double x;
	memcpy(&x, &u, 8);
	return x;
}

// 2^(b log2(a)) in float64: log2 to 2^-45 and exp2 to 2^-40 leave one rounding, the last.
INL float f32_pow(float a, float b) {
	double x = (double)f32_abs(a);
	uint64_t u = f64_bits(x);
	int32_t e = (int32_t)((u - 0x3fe6a09e667f3bcdu) >> 32) >> 20;
	double m = bits_f64(u - ((uint64_t)(int64_t)e << 52));
	double s = (m - 1.0) / (m + 1.0), z = s * s;
	double l = 2.829198506777617e-01;
	l = l * z + 3.1990437147260464e-01;
	l = l * z + 4.122092834143241e-01;
	l = l * z + 5.770779420697619e-01;
	l = l * z + 9.617966941143291e-01;
	l = l * z + 2.88539008177785e+00;
	double t = (double)b * (l * s + (double)e);
	// A zero, infinite or NaN base has no logarithm here: its power is decided below.
	t = t < -200.0 ? -200.0 : t;
	t = t > 200.0 ? 200.0 : t;
	double n = t + 0x1.8p52, f = t - (n - 0x1.8p52); // the nearest integer, in the low bits of n
	double p = 1.3175789206343325e-06;
	p = p * f + 1.530973639485289e-05;
	p = p * f + 1.5403852110542038e-04;
	p = p * f + 1.3333452066787155e-03;
	p = p * f + 9.618128542269387e-03;
	p = p * f + 5.550410939335863e-02;
	p = p * f + 2.4022650698883377e-01;
	p = p * f + 6.931471805465163e-01;
	p = p * f + 9.999999999997621e-01;
	float y = (float)(p * bits_f64((f64_bits(n) + 1023) << 52));

	// Odd integers are those whose half is no integer; from 2^24 on all are even.
	float half = 0.5f * b, whole = f32_trunc(b);
	int odd = (int)(whole == b) & (f32_trunc(half) != half) & (f32_abs(b) < 0x1p24f);
	float mag = f32_abs(a);
	// |a|^b at the ends: zero or infinite by whether the exponent moves it out or in.
	int up = (mag > 1.0f) == (b > 0.0f);
	int edge = (mag == 0.0f) | (mag == INFINITY) | (f32_abs(b) == INFINITY);
	y = edge ? (up ? INFINITY : 0.0f) : y;
	y = ((a < 0.0f) & (whole != b) & (mag != INFINITY)) ? NAN : y;
	y = odd ? f32_copysign(y, a) : y;
	y = ((a != a) | (b != b)) ? NAN : y;
	y = ((mag == 1.0f) & (f32_abs(b) == INFINITY)) ? 1.0f : y;
	return ((b == 0.0f) | (a == 1.0f)) ? 1.0f : y;
}

// Exact while the quotient has fewer than 29 bits: then product and difference fit float64. A quotient rounded
// up leaves a remainder of the wrong sign, which the last step mends as it does negative ones.
INL float f32_mod(float a, float b) {
	double q = __builtin_trunc((double)a / (double)b);
	double r = (double)a - q * (double)b;
	r = ((r != 0.0) & ((r < 0.0) != (b < 0.0f))) ? r + (double)b : r;
	return r == 0.0 ? f32_copysign(0.0f, b) : (float)r;
}
INL int f32_mod_narrow(float a, float b) { return (int)(f32_abs(a / b) < 0x1p28f) & (f32_abs(b) < INFINITY); }
static float f32_mod_wide(float a, float b) {
	float r = fmodf(a, b);
	if (r == 0.0f) return f32_copysign(0.0f, b);
	return (r < 0.0f) != (b < 0.0f) ? r + b : r;
}
