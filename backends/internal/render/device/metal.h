// What Metal Shading Language gives the op table's bodies. It has no float64, and lacks erf, expm1 and
// log1p. device.h builds the rest on it.
#include <metal_stdlib>
#define INL static inline

#define STDLIB1(name, metal_name) INL float f32_##name(float a) { return metal::precise::metal_name(a); }
STDLIB1(sqrt, sqrt) STDLIB1(exp, exp) STDLIB1(log, log) STDLIB1(log2, log2) STDLIB1(log10, log10)
STDLIB1(sin, sin) STDLIB1(cos, cos) STDLIB1(tan, tan) STDLIB1(asin, asin) STDLIB1(acos, acos) STDLIB1(atan, atan)
STDLIB1(sinh, sinh) STDLIB1(cosh, cosh) STDLIB1(tanh, tanh) STDLIB1(asinh, asinh) STDLIB1(acosh, acosh)
STDLIB1(atanh, atanh)
STDLIB1(floor, floor) STDLIB1(ceil, ceil) STDLIB1(trunc, trunc) STDLIB1(rint, rint) STDLIB1(abs, fabs)
INL float f32_pow(float a, float b) { return metal::precise::pow(a, b); }
INL float f32_atan2(float a, float b) { return metal::precise::atan2(a, b); }
INL float f32_fmod(float a, float b) { return metal::precise::fmod(a, b); }
INL float f32_copysign(float a, float b) { return metal::copysign(a, b); }

// The error of 1 + a is what its logarithm lacks (W. Kahan's correction; Goldberg 1991, theorem 4).
INL float f32_log1p(float a) {
	float u = 1.0f + a;
	return u == 1.0f || u == INFINITY ? (u == 1.0f ? a : u) : f32_log(u) * (a / (u - 1.0f));
}
// The same idea for exp(a) - 1.
INL float f32_expm1(float a) {
	float u = f32_exp(a);
	if (u == 1.0f) return a;
	float v = u - 1.0f;
	return v == -1.0f || u == INFINITY ? v : v * (a / f32_log(u));
}
