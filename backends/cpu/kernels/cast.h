// Casts between all dtypes as contiguous loops, row_fn like the rows'. Floats to integers are cut
// towards zero and wrap where the processor's conversion does, as NumPy's; complex drops the imaginary part.
#pragma once

#define EACH_DTYPE(X, ...) \
	X(b8, uint8_t, __VA_ARGS__) X(u8, uint8_t, __VA_ARGS__) X(u16, uint16_t, __VA_ARGS__) \
	X(u32, uint32_t, __VA_ARGS__) X(u64, uint64_t, __VA_ARGS__) \
	X(i8, int8_t, __VA_ARGS__) X(i16, int16_t, __VA_ARGS__) X(i32, int32_t, __VA_ARGS__) \
	X(i64, int64_t, __VA_ARGS__) X(f16, uint16_t, __VA_ARGS__) X(f32, float, __VA_ARGS__) X(f64, double, __VA_ARGS__) \
	X(bf16, uint16_t, __VA_ARGS__) X(c64, c64, __VA_ARGS__)

// What is in memory as a number of C.
#define FROM_b8(x) (uint8_t)((x) != 0)
#define FROM_u8(x) (x)
#define FROM_u16(x) (x)
#define FROM_u32(x) (x)
#define FROM_u64(x) (x)
#define FROM_i8(x) (x)
#define FROM_i16(x) (x)
#define FROM_i32(x) (x)
#define FROM_i64(x) (x)
#define FROM_f16(x) f16_f32(x)
#define FROM_f32(x) (x)
#define FROM_f64(x) (x)
#define FROM_bf16(x) bf16_f32(x)
#define FROM_c64(x) (x).re

// A number of C as what is in memory. Floats reach integers by way of a signed type that holds them.
INL int32_t cut_i32(double x) { return (int32_t)x; }
INL int64_t cut_i64(double x) { return (int64_t)x; }
INL int32_t cutf_i32(float x) { return (int32_t)x; }
INL int64_t cutf_i64(float x) { return (int64_t)x; }
INL uint64_t cut_u64(double x) {
	return x >= 0x1p63 ? (uint64_t)(int64_t)(x - 0x1p63) ^ (uint64_t)1 << 63 : (uint64_t)(int64_t)x;
}
#define CUT32(x) _Generic((x), float: cutf_i32((float)(x)), double: cut_i32((double)(x)), default: (x))
#define CUT64(x) _Generic((x), float: cutf_i64((float)(x)), double: cut_i64((double)(x)), default: (x))
#define CUTU64(x) _Generic((x), float: cut_u64((double)(x)), double: cut_u64((double)(x)), default: (x))
#define TO_b8(x) ((x) != 0)
#define TO_u8(x) (uint8_t)CUT32(x)
#define TO_u16(x) (uint16_t)CUT32(x)
#define TO_u32(x) (uint32_t)CUT64(x)
#define TO_u64(x) (uint64_t)CUTU64(x)
#define TO_i8(x) (int8_t)CUT32(x)
#define TO_i16(x) (int16_t)CUT32(x)
#define TO_i32(x) (int32_t)CUT32(x)
#define TO_i64(x) (int64_t)CUT64(x)
#define TO_f16(x) f32_f16((float)(x))
#define TO_f32(x) (float)(x)
#define TO_f64(x) (double)(x)
#define TO_bf16(x) f32_bf16((float)(x))
#define TO_c64(x) c64_of((float)(x), 0)

#define CAST_LOOP(d, D, s, S) \
	static void cast_##s##_##d(int64_t n, void *const *p) { \
		D *out = p[0]; \
		const S *in = p[1]; \
		IVDEP for (int64_t i = 0; i < n; i++) out[i] = TO_##d(FROM_##s(in[i])); \
	}

#define CASTS_FROM(s, S) EACH_DTYPE(CAST_LOOP, s, S)
CASTS_FROM(b8, uint8_t)
CASTS_FROM(u8, uint8_t)
CASTS_FROM(u16, uint16_t)
CASTS_FROM(u32, uint32_t)
CASTS_FROM(u64, uint64_t)
CASTS_FROM(i8, int8_t)
CASTS_FROM(i16, int16_t)
CASTS_FROM(i32, int32_t)
CASTS_FROM(i64, int64_t)
CASTS_FROM(f16, uint16_t)
CASTS_FROM(f32, float)
CASTS_FROM(f64, double)
CASTS_FROM(bf16, uint16_t)

// From complex64 only three differ: itself, bool, and the real part for the rest.
#define COMPLEX_LOOP(d, D, expr) \
	static void cast_c64_##d(int64_t n, void *const *p) { \
		D *out = p[0]; \
		const c64 *in = p[1]; \
		IVDEP for (int64_t i = 0; i < n; i++) { \
			c64 x = in[i]; \
			out[i] = expr; \
		} \
	}
COMPLEX_LOOP(b8, uint8_t, (x.re != 0) | (x.im != 0))
COMPLEX_LOOP(u8, uint8_t, TO_u8(x.re))
COMPLEX_LOOP(u16, uint16_t, TO_u16(x.re))
COMPLEX_LOOP(u32, uint32_t, TO_u32(x.re))
COMPLEX_LOOP(u64, uint64_t, TO_u64(x.re))
COMPLEX_LOOP(i8, int8_t, TO_i8(x.re))
COMPLEX_LOOP(i16, int16_t, TO_i16(x.re))
COMPLEX_LOOP(i32, int32_t, TO_i32(x.re))
COMPLEX_LOOP(i64, int64_t, TO_i64(x.re))
COMPLEX_LOOP(f16, uint16_t, TO_f16(x.re))
COMPLEX_LOOP(f32, float, x.re)
COMPLEX_LOOP(f64, double, x.re)
COMPLEX_LOOP(bf16, uint16_t, TO_bf16(x.re))
COMPLEX_LOOP(c64, c64, x)

// Halves have instructions that the compiler does not find.
static void widen_f16(int64_t n, void *const *p) { f16_widen(p[0], p[1], n); }
static void widen_bf16(int64_t n, void *const *p) { bf16_widen(p[0], p[1], n); }
static void narrow_f16(int64_t n, void *const *p) { f16_narrow(p[0], p[1], n); }
static void narrow_bf16(int64_t n, void *const *p) { bf16_narrow(p[0], p[1], n); }
static void narrow_f64_f16(int64_t n, void *const *p) {
	float tile[256];
	for (int64_t at = 0; at < n; at += 256) {
		int64_t m = n - at < 256 ? n - at : 256;
		void *const q[2] = {tile, (double *)p[1] + at};
		cast_f64_f32(m, q);
		f16_narrow((uint16_t *)p[0] + at, tile, m);
	}
}

#define CAST_ENTRY(d, D, s) cast_##s##_##d,
#define CAST_LINE(s, S, _) {EACH_DTYPE(CAST_ENTRY, s)},
#define EACH_DTYPE2(X) \
	X(b8, , ) X(u8, , ) X(u16, , ) X(u32, , ) X(u64, , ) X(i8, , ) X(i16, , ) X(i32, , ) X(i64, , ) \
	X(f16, , ) X(f32, , ) X(f64, , ) X(bf16, , ) X(c64, , )
static const row_fn casts[DT_COUNT][DT_COUNT] = {EACH_DTYPE2(CAST_LINE)};

static const uint8_t dtype_size[DT_COUNT] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 2, 8};

INL row_fn cast_fn(int from, int to) {
	if (to == DT_F32 && from == DT_F16) return widen_f16;
	if (to == DT_F32 && from == DT_BF16) return widen_bf16;
	if (from == DT_F32 && to == DT_F16) return narrow_f16;
	if (from == DT_F32 && to == DT_BF16) return narrow_bf16;
	if (from == DT_F64 && to == DT_F16) return narrow_f64_f16;
	return casts[from][to];
}
