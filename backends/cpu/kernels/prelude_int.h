// Wrapping integer arithmetic of the op table's bodies, for any language of the C family: INL is the
// function prefix there.
#pragma once

// A type T, its unsigned twin U, the unsigned type W in which products do not overflow an int, and its width.
#define EACH_INT(X) \
	X(u8, uint8_t, uint8_t, uint32_t, 8, 0) X(u16, uint16_t, uint16_t, uint32_t, 16, 0) \
	X(u32, uint32_t, uint32_t, uint32_t, 32, 0) X(u64, uint64_t, uint64_t, uint64_t, 64, 0) \
	X(i8, int8_t, uint8_t, uint32_t, 8, 1) X(i16, int16_t, uint16_t, uint32_t, 16, 1) \
	X(i32, int32_t, uint32_t, uint32_t, 32, 1) X(i64, int64_t, uint64_t, uint64_t, 64, 1)

#define INT_FUNCTIONS(t, T, U, W, BITS, SIGNED) \
	INL T t##_add(T a, T b) { return (T)((W)a + (W)b); } \
	INL T t##_sub(T a, T b) { return (T)((W)a - (W)b); } \
	INL T t##_mul(T a, T b) { return (T)((W)a * (W)b); } \
	INL T t##_neg(T a) { return (T)(0 - (W)a); } \
	INL T t##_abs(T a) { return a < 0 ? t##_neg(a) : a; } \
	INL T t##_sign(T a) { return (T)((a > 0) - (a < 0)); } \
	INL T t##_min(T a, T b) { return a < b ? a : b; } \
	INL T t##_max(T a, T b) { return a > b ? a : b; } \
	INL T t##_shl(T a, T b) { return (U)b < BITS ? (T)((W)a << ((U)b & (BITS - 1))) : 0; } \
	INL T t##_shr(T a, T b) { \
		T kept = (U)b < BITS || SIGNED ? (T)-1 : 0; \
		return (T)(a >> ((U)b < BITS ? (U)b : SIGNED ? BITS - 1 : 0)) & kept; \
	} \
	INL T t##_pow(T a, T b) { \
		if (b < 0) return a == 1 ? 1 : (SIGNED && a == (T)-1) ? ((b & 1) ? (T)-1 : 1) : 0; \
		W r = 1, x = (W)a; \
		for (U e = (U)b; e; e >>= 1, x *= x) r *= (e & 1) ? x : 1; \
		return (T)r; \
	}
EACH_INT(INT_FUNCTIONS)
