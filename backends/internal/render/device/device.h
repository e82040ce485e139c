// The vocabulary of the op table's bodies for devices, over what the target's own header gives.
// Complex functions are formulas in float32, as not every device has more.

#define INT_DIVISION(t, T, ZERO_MINUS_ONE) \
	INL T t##_floordiv(T a, T b) { \
		if (b == 0) return 0; \
		if (ZERO_MINUS_ONE && b == (T)-1) return t##_neg(a); \
		T q = (T)(a / b); \
		return (T)(q - (ZERO_MINUS_ONE && a % b != 0 && (a < 0) != (b < 0))); \
	} \
	INL T t##_mod(T a, T b) { return b ? t##_sub(a, t##_mul(t##_floordiv(a, b), b)) : (T)0; }
INT_DIVISION(u8, uint8_t, 0) INT_DIVISION(u16, uint16_t, 0) INT_DIVISION(u32, uint32_t, 0)
INT_DIVISION(u64, uint64_t, 0)
INT_DIVISION(i8, int8_t, 1) INT_DIVISION(i16, int16_t, 1) INT_DIVISION(i32, int32_t, 1) INT_DIVISION(i64, int64_t, 1)

#define FLOAT_FUNCTIONS(t, T) \
	INL T t##_sign(T a) { return a != a ? a : (T)((a > 0) - (a < 0)); } \
	INL T t##_min(T a, T b) { return a < b || a != a ? a : b; } \
	INL T t##_max(T a, T b) { return a > b || a != a ? a : b; } \
	INL uint8_t t##_isinf(T a) { return t##_abs(a) == (T)INFINITY; } \
	INL uint8_t t##_isfinite(T a) { return t##_abs(a) < (T)INFINITY; } \
	INL T t##_mod(T a, T b) { \
		T r = t##_fmod(a, b); \
		return r == 0 ? t##_copysign((T)0, b) : (r < 0) != (b < 0) ? r + b : r; \
	} \
	INL T t##_sigmoid(T a) { \
		T e = t##_exp(-t##_abs(a)); \
		return (a < 0 ? e : (T)1) / ((T)1 + e); \
	} \
	INL T t##_logaddexp(T a, T b) { \
		T d = a == b ? (T)0 : t##_abs(a - b); \
		return t##_max(a, b) + t##_log1p(t##_exp(-d)); \
	}
FLOAT_FUNCTIONS(f32, float)
#ifdef HAS_F64
FLOAT_FUNCTIONS(f64, double)
#endif

struct c64 {
	float re, im;
};
INL c64 c64_of(float re, float im) {
	c64 z;
	z.re = re;
	z.im = im;
	return z;
}
INL float c64_re(c64 a) { return a.re; }
INL float c64_im(c64 a) { return a.im; }
INL c64 f32_cplx(float re, float im) { return c64_of(re, im); }
#ifdef HAS_F64
INL c64 f64_cplx(double re, double im) { return c64_of((float)re, (float)im); }
#endif

INL c64 c64_add(c64 a, c64 b) { return c64_of(a.re + b.re, a.im + b.im); }
INL c64 c64_sub(c64 a, c64 b) { return c64_of(a.re - b.re, a.im - b.im); }
INL c64 c64_neg(c64 a) { return c64_of(-a.re, -a.im); }
INL c64 c64_mul(c64 a, c64 b) { return c64_of(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re); }
// R. L. Smith, Algorithm 116: Complex division, 1962: dividing by the larger part first does not overflow.
INL c64 c64_div(c64 a, c64 b) {
	if (b.re == 0 && b.im == 0) return c64_of(a.re / b.re, a.im / b.re);
	if (f32_abs(b.re) >= f32_abs(b.im)) {
		float r = b.im / b.re, d = b.re + b.im * r;
		return c64_of((a.re + a.im * r) / d, (a.im - a.re * r) / d);
	}
	float r = b.re / b.im, d = b.re * r + b.im;
	return c64_of((a.re * r + a.im) / d, (a.im * r - a.re) / d);
}
INL c64 c64_scale(c64 a, float s) { return c64_of(a.re * s, a.im * s); }

INL uint8_t c64_eq(c64 a, c64 b) { return a.re == b.re && a.im == b.im; }
INL uint8_t c64_ne(c64 a, c64 b) { return a.re != b.re || a.im != b.im; }
INL uint8_t c64_lt(c64 a, c64 b) { return a.re < b.re || (a.re == b.re && a.im < b.im); }
INL uint8_t c64_le(c64 a, c64 b) { return a.re < b.re || (a.re == b.re && a.im <= b.im); }
INL uint8_t c64_gt(c64 a, c64 b) { return c64_lt(b, a); }
INL uint8_t c64_ge(c64 a, c64 b) { return c64_le(b, a); }
INL uint8_t c64_isnan(c64 a) { return a.re != a.re || a.im != a.im; }
INL c64 c64_min(c64 a, c64 b) { return c64_isnan(a) || (c64_lt(a, b) && !c64_isnan(b)) ? a : b; }
INL c64 c64_max(c64 a, c64 b) { return c64_isnan(a) || (c64_lt(b, a) && !c64_isnan(b)) ? a : b; }

INL float c64_abs(c64 a) {
	float x = f32_abs(a.re), y = f32_abs(a.im), m = f32_max(x, y), n = f32_min(x, y);
	if (x == INFINITY || y == INFINITY) return INFINITY;
	if (m == 0.0f) return m;
	float r = n / m;
	return m * f32_sqrt(1.0f + r * r);
}
INL c64 c64_sign(c64 a) {
	float m = c64_abs(a);
	return m == 0.0f ? c64_of(0.0f, 0.0f) : c64_of(a.re / m, a.im / m);
}
INL c64 c64_exp(c64 a) {
	float e = f32_exp(a.re);
	return a.im == 0.0f ? c64_of(e, a.im) : c64_of(e * f32_cos(a.im), e * f32_sin(a.im));
}
INL c64 c64_log(c64 a) { return c64_of(f32_log(c64_abs(a)), f32_atan2(a.im, a.re)); }
INL c64 c64_log2(c64 a) { return c64_scale(c64_log(a), 1.44269504f); }
INL c64 c64_log10(c64 a) { return c64_scale(c64_log(a), 0.434294482f); }
INL c64 c64_log1p(c64 a) {
	float q = a.re * (2.0f + a.re) + a.im * a.im, angle = f32_atan2(a.im, 1.0f + a.re);
	return q > -0.5f ? c64_of(0.5f * f32_log1p(q), angle) : c64_of(f32_log(c64_abs(c64_of(1.0f + a.re, a.im))), angle);
}
INL c64 c64_sqrt(c64 a) {
	float m = c64_abs(a);
	if (m == 0.0f) return c64_of(0.0f, a.im);
	float t = f32_sqrt(0.5f * (m + f32_abs(a.re)));
	return a.re >= 0.0f ? c64_of(t, a.im / (2.0f * t)) : c64_of(f32_abs(a.im) / (2.0f * t), f32_copysign(t, a.im));
}
INL c64 c64_sin(c64 a) { return c64_of(f32_sin(a.re) * f32_cosh(a.im), f32_cos(a.re) * f32_sinh(a.im)); }
INL c64 c64_cos(c64 a) { return c64_of(f32_cos(a.re) * f32_cosh(a.im), -f32_sin(a.re) * f32_sinh(a.im)); }
INL c64 c64_sinh(c64 a) { return c64_of(f32_sinh(a.re) * f32_cos(a.im), f32_cosh(a.re) * f32_sin(a.im)); }
INL c64 c64_cosh(c64 a) { return c64_of(f32_cosh(a.re) * f32_cos(a.im), f32_sinh(a.re) * f32_sin(a.im)); }
// tanh(x + iy) = (tanh x (1 + tan^2 y) + i tan y / cosh^2 x) / (1 + tanh^2 x tan^2 y), finite for large x.
INL c64 c64_tanh(c64 a) {
	float u = f32_tanh(a.re), v = f32_tan(a.im), s = f32_cosh(f32_min(f32_abs(a.re), 40.0f));
	float d = 1.0f + u * u * v * v;
	return c64_of(u * (1.0f + v * v) / d, v / (s * s) / d);
}
INL c64 c64_times_i(c64 a) { return c64_of(-a.im, a.re); }
INL c64 c64_over_i(c64 a) { return c64_of(a.im, -a.re); }
INL c64 c64_tan(c64 a) { return c64_over_i(c64_tanh(c64_times_i(a))); }
INL c64 c64_asinh(c64 a) {
	// Of a and -a the one with the non-negative real part, for which the sum does not cancel.
	uint8_t flip = a.re < 0.0f;
	c64 z = flip ? c64_neg(a) : a;
	c64 w = c64_log(c64_add(z, c64_sqrt(c64_add(c64_mul(z, z), c64_of(1.0f, 0.0f)))));
	return flip ? c64_neg(w) : w;
}
INL c64 c64_acosh(c64 a) {
	c64 one = c64_of(1.0f, 0.0f);
	return c64_log(c64_add(a, c64_mul(c64_sqrt(c64_add(a, one)), c64_sqrt(c64_sub(a, one)))));
}
INL c64 c64_atanh(c64 a) {
	return c64_scale(c64_sub(c64_log1p(a), c64_log1p(c64_neg(a))), 0.5f);
}
INL c64 c64_asin(c64 a) { return c64_over_i(c64_asinh(c64_times_i(a))); }
INL c64 c64_acos(c64 a) {
	c64 s = c64_asin(a);
	return c64_of(1.57079633f - s.re, -s.im);
}
INL c64 c64_atan(c64 a) { return c64_over_i(c64_atanh(c64_times_i(a))); }
INL c64 c64_logaddexp(c64 a, c64 b) {
	c64 hi = a.re < b.re ? b : a, lo = a.re < b.re ? a : b;
	if (lo.re == -INFINITY) return hi;
	return c64_add(hi, c64_log1p(c64_exp(c64_sub(lo, hi))));
}
INL c64 c64_pow(c64 a, c64 b) {
	if (b.re == 0.0f && b.im == 0.0f) return c64_of(1.0f, 0.0f);
	if (a.re == 0.0f && a.im == 0.0f) return b.re > 0.0f ? c64_of(0.0f, 0.0f) : c64_of(NAN, NAN);
	return c64_exp(c64_mul(c64_log(a), b));
}
