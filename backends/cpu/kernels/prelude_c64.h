// The vocabulary for complex64. Sums and products by definition in float32; quotients and functions
// in float64, where intermediate results neither overflow nor cancel to float32 accuracy.
#pragma once

#include <complex.h>
#undef I

typedef struct {
	float re, im;
} c64;
typedef double _Complex cdouble;

INL c64 c64_of(float re, float im) { return (c64){re, im}; }
INL float c64_re(c64 a) { return a.re; }
INL float c64_im(c64 a) { return a.im; }
INL c64 f32_cplx(float re, float im) { return (c64){re, im}; }
INL c64 f64_cplx(double re, double im) { return (c64){(float)re, (float)im}; }

// Not re + i*im, which turns an infinite part into NaN.
INL cdouble cdouble_of(double re, double im) {
	union {
		double part[2];
		cdouble z;
	} u = {{re, im}};
	return u.z;
}
INL cdouble c64_wide(c64 a) { return cdouble_of(a.re, a.im); }
INL c64 c64_narrow(cdouble z) { return (c64){(float)creal(z), (float)cimag(z)}; }

INL c64 c64_add(c64 a, c64 b) { return (c64){a.re + b.re, a.im + b.im}; }
INL c64 c64_sub(c64 a, c64 b) { return (c64){a.re - b.re, a.im - b.im}; }
INL c64 c64_neg(c64 a) { return (c64){-a.re, -a.im}; }
// Products are fused where the processor can, in one way: left to compilers, loops that they make apart differ.
#if defined(__FMA__) || defined(__aarch64__)
#define C64_FMA __builtin_fmaf
#else
#define C64_FMA(a, b, c) ((a) * (b) + (c))
#endif
INL c64 c64_mul(c64 a, c64 b) {
	return (c64){C64_FMA(a.re, b.re, -(a.im * b.im)), C64_FMA(a.re, b.im, a.im * b.re)};
}
INL c64 c64_div(c64 a, c64 b) {
	double x = a.re, y = a.im, u = b.re, v = b.im, d = u * u + v * v;
	int zero = d == 0; // squares of floats do not vanish in double; x / 0 is infinite, as for floats
	d = zero ? u : d;
	float re = (float)((zero ? x : x * u + y * v) / d), im = (float)((zero ? y : y * u - x * v) / d);
	int vanishes = (f32_isinf(b.re) | f32_isinf(b.im)) & f32_isfinite(a.re) & f32_isfinite(a.im); // and not inf / inf
	return (c64){vanishes ? 0.0f : re, vanishes ? 0.0f : im};
}

INL uint8_t c64_eq(c64 a, c64 b) { return (a.re == b.re) & (a.im == b.im); }
INL uint8_t c64_ne(c64 a, c64 b) { return (a.re != b.re) | (a.im != b.im); }
INL uint8_t c64_lt(c64 a, c64 b) { return (a.re < b.re) | ((a.re == b.re) & (a.im < b.im)); }
INL uint8_t c64_le(c64 a, c64 b) { return (a.re < b.re) | ((a.re == b.re) & (a.im <= b.im)); }
INL uint8_t c64_gt(c64 a, c64 b) { return c64_lt(b, a); }
INL uint8_t c64_ge(c64 a, c64 b) { return c64_le(b, a); }

INL uint8_t c64_isnan(c64 a) { return (a.re != a.re) | (a.im != a.im); }
INL c64 c64_min(c64 a, c64 b) { return c64_isnan(a) | (c64_lt(a, b) & !c64_isnan(b)) ? a : b; }
INL c64 c64_max(c64 a, c64 b) { return c64_isnan(a) | (c64_lt(b, a) & !c64_isnan(b)) ? a : b; }

INL double c64_modulus(c64 a) {
	double x = a.re, y = a.im, m = f64_sqrt(x * x + y * y);
	return f32_isinf(a.re) | f32_isinf(a.im) ? (double)INFINITY : m;
}
INL float c64_abs(c64 a) { return (float)c64_modulus(a); }
INL c64 c64_sign(c64 a) {
	double m = c64_modulus(a);
	return m == 0.0 ? (c64){0, 0} : (c64){(float)(a.re / m), (float)(a.im / m)};
}

#define C64_LIBM(name) static c64 c64_##name(c64 a) { return c64_narrow(c##name(c64_wide(a))); }
C64_LIBM(sqrt) C64_LIBM(exp) C64_LIBM(log) C64_LIBM(sin) C64_LIBM(cos) C64_LIBM(tan) C64_LIBM(asin) C64_LIBM(acos)
C64_LIBM(atan) C64_LIBM(sinh) C64_LIBM(cosh) C64_LIBM(tanh) C64_LIBM(asinh) C64_LIBM(acosh) C64_LIBM(atanh)

static c64 c64_log_base(c64 a, double factor) {
	cdouble z = clog(c64_wide(a));
	return (c64){(float)(creal(z) * factor), (float)(cimag(z) * factor)};
}
static c64 c64_log2(c64 a) { return c64_log_base(a, 1.4426950408889634); }
static c64 c64_log10(c64 a) { return c64_log_base(a, 0.4342944819032518); }

// log|1 + a| = log1p(x (2 + x) + y^2) / 2 does not cancel near zero.
static cdouble cdouble_log1p(double x, double y) {
	double q = x * (2.0 + x) + y * y;
	double m = q > -0.5 ? 0.5 * log1p(q) : log(hypot(1.0 + x, y));
	return cdouble_of(m, atan2(y, 1.0 + x));
}
static c64 c64_log1p(c64 a) { return c64_narrow(cdouble_log1p(a.re, a.im)); }

// The one with the larger real part plus log(1 + exp(difference)).
static c64 c64_logaddexp(c64 a, c64 b) {
	if (a.re < b.re) {
		c64 t = a;
		a = b;
		b = t;
	}
	if (c64_isnan(a) | c64_isnan(b)) return (c64){NAN, NAN};
	if (b.re == -INFINITY || a.re == INFINITY) return a;
	cdouble e = cexp(cdouble_of((double)b.re - a.re, (double)b.im - a.im));
	cdouble l = cdouble_log1p(creal(e), cimag(e));
	return (c64){(float)(a.re + creal(l)), (float)(a.im + cimag(l))};
}

// exp(b log(a)); the zeroth power is 1, and powers of 0 are 0 where that is continuous.
static c64 c64_pow(c64 a, c64 b) {
	if (b.re == 0 && b.im == 0) return (c64){1, 0};
	if (a.re == 0 && a.im == 0) return b.re > 0 ? (c64){0, 0} : (c64){NAN, NAN};
	cdouble l = clog(c64_wide(a));
	double x = creal(l), y = cimag(l), u = b.re, v = b.im;
	return c64_narrow(cexp(cdouble_of(x * u - y * v, x * v + y * u)));
}
