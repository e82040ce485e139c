// The vocabulary of the op table's bodies (core/body.go) for bool and integers, and what
// all float types share. Functions are <dtype>_<name>; everything is branch-free where a
// vector loop is to come of it. Integers wrap: signed arithmetic runs in unsigned.
#pragma once

#include "prelude_int.h"

// Division rounded down. The quotient of integers of up to 32 bits in float64 is nearer to the true one
// than that is to the next integer, so its floor is exact, and the loop vectorises.
#define NARROW_DIVISION(t, T, W) \
	INL T t##_floordiv(T a, T b) { \
		double q = __builtin_floor((double)a / (double)(b ? b : 1)); \
		return b ? (T)(int64_t)q : 0; \
	} \
	INL T t##_mod(T a, T b) { return b ? (T)((W)a - (W)t##_floordiv(a, b) * (W)b) : 0; }
NARROW_DIVISION(u8, uint8_t, uint32_t)
NARROW_DIVISION(u16, uint16_t, uint32_t)
NARROW_DIVISION(u32, uint32_t, uint32_t)
NARROW_DIVISION(i8, int8_t, uint32_t)
NARROW_DIVISION(i16, int16_t, uint32_t)
NARROW_DIVISION(i32, int32_t, uint32_t)

INL uint64_t u64_floordiv(uint64_t a, uint64_t b) { return b ? a / b : 0; }
INL uint64_t u64_mod(uint64_t a, uint64_t b) { return b ? a % b : 0; }
INL int64_t i64_floordiv(int64_t a, int64_t b) {
	if (b == 0) return 0;
	if (b == -1) return i64_neg(a); // the smallest integer by -1 traps
	int64_t q = a / b;
	return q - (a % b != 0 && (a < 0) != (b < 0));
}
INL int64_t i64_mod(int64_t a, int64_t b) {
	return b ? i64_sub(a, i64_mul(i64_floordiv(a, b), b)) : 0;
}

#define FLOAT_FUNCTIONS(t, T, s) \
	INL T t##_abs(T a) { return __builtin_fabs##s(a); } \
	INL T t##_sign(T a) { return a != a ? a : (T)((a > 0) - (a < 0)); } \
	INL T t##_min(T a, T b) { return ((a < b) | (a != a)) ? a : b; } \
	INL T t##_max(T a, T b) { return ((a > b) | (a != a)) ? a : b; } \
	INL uint8_t t##_isinf(T a) { return __builtin_fabs##s(a) == (T)INFINITY; } \
	INL uint8_t t##_isfinite(T a) { return __builtin_fabs##s(a) < (T)INFINITY; } \
	INL T t##_floor(T a) { return __builtin_floor##s(a); } \
	INL T t##_ceil(T a) { return __builtin_ceil##s(a); } \
	INL T t##_trunc(T a) { return __builtin_trunc##s(a); } \
	INL T t##_rint(T a) { return __builtin_rint##s(a); } \
	INL T t##_copysign(T a, T b) { return __builtin_copysign##s(a, b); }
FLOAT_FUNCTIONS(f32, float, f)
FLOAT_FUNCTIONS(f64, double, )

// A sqrt that may set errno does not vectorise, and cgo refuses -fno-math-errno inside a package. gcc takes a
// declaration's word that it does not (its optimize pragma does not reach built-in functions); clang has a builtin.
#if defined(__clang__) && __has_builtin(__builtin_elementwise_sqrt)
INL float f32_sqrt(float a) { return __builtin_elementwise_sqrt(a); }
INL double f64_sqrt(double a) { return __builtin_elementwise_sqrt(a); }
#else
extern float sqrtf(float) __attribute__((const));
extern double sqrt(double) __attribute__((const));
INL float f32_sqrt(float a) { return sqrtf(a); }
INL double f64_sqrt(double a) { return sqrt(a); }
#endif
