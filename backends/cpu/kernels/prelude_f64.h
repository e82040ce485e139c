// The vocabulary in float64: the C library, one element at a time.
#pragma once

#define F64_LIBM(name) INL double f64_##name(double a) { return name(a); }
F64_LIBM(exp) F64_LIBM(expm1) F64_LIBM(log) F64_LIBM(log2) F64_LIBM(log10) F64_LIBM(log1p) F64_LIBM(erf)
F64_LIBM(sin) F64_LIBM(cos) F64_LIBM(tan) F64_LIBM(asin) F64_LIBM(acos) F64_LIBM(atan)
F64_LIBM(sinh) F64_LIBM(cosh) F64_LIBM(tanh) F64_LIBM(asinh) F64_LIBM(acosh) F64_LIBM(atanh)

INL double f64_pow(double a, double b) { return pow(a, b); }
INL double f64_atan2(double a, double b) { return atan2(a, b); }

INL double f64_mod(double a, double b) {
	double r = fmod(a, b);
	if (r == 0.0) return copysign(0.0, b);
	return (r < 0.0) != (b < 0.0) ? r + b : r;
}

INL double f64_sigmoid(double a) {
	double e = exp(-fabs(a));
	return (a < 0.0 ? e : 1.0) / (1.0 + e);
}

INL double f64_logaddexp(double a, double b) {
	double d = a == b ? 0.0 : fabs(a - b);
	return f64_max(a, b) + log1p(exp(-d));
}

// The float32 value, then two steps of Halley's method on erf, or near 1, where 1 - |a| is exact
// and erf is flat, on erfc. Giles's tail serves beyond float32's reach.
static double f64_erfinv(double a) {
	double t = fabs(a);
	if (!(t < 1.0)) return t == 1.0 ? copysign(INFINITY, a) : NAN;
	if (t < 1e-8) return a * 0.886226925452758014;
	double x;
	if (t < 0.9999) {
		x = f32_erfinv((float)t);
	} else {
		// erfc(x) = c: x^2 = log(1 / (c x sqrt(pi))), iterated.
		double c = 1.0 - t;
		x = sqrt(-log(c));
		for (int i = 0; i < 4; i++) x = sqrt(-log(c * x * 1.7724538509055160273));
	}
	for (int i = 0; i < 3; i++) {
		double e = t < 0.5 ? erf(x) - t : (1.0 - t) - erfc(x);
		double u = e / (1.1283791670955126 * exp(-x * x));
		x -= u / (1.0 + x * u);
	}
	return copysign(x, a);
}
