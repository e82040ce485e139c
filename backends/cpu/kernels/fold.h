// Folds of contiguous runs and of stacked rows: the inner loops of reductions.
// NAME_run(p, n) folds n > 0 elements to one; NAME_stack(acc, p, s, rows, n) folds rows
// that lie s elements apart into n accumulators.
#pragma once

typedef struct { double re, im; } c128;
typedef double vd __attribute__((vector_size(VB)));
typedef int64_t vl __attribute__((vector_size(VB)));
typedef vd vd_any __attribute__((aligned(8), may_alias));
#define LANES64 (VB / 8)

#define F_ADD(a, b) ((a) + (b))
#define F_MUL(a, b) ((a) * (b))
#define F_OR(a, b) ((a) | (b))
#define F_AND(a, b) ((a) & (b))
#define F_IMAX(a, b) ((a) > (b) ? (a) : (b))
#define F_IMIN(a, b) ((a) < (b) ? (a) : (b))
// The first operand wins when it is NaN; a NaN in the second fails the comparison and wins.
#define F_FMAX(a, b) ((((a) > (b)) | ((a) != (a))) ? (a) : (b))
#define F_FMIN(a, b) ((((a) < (b)) | ((a) != (a))) ? (a) : (b))

// Four rows are folded before the accumulators are touched: those cost a load and a store each.
#define FOLD_STACK(name, E, A, F) \
	static void name##_stack(A *restrict acc, const E *restrict p, int64_t s, int64_t rows, int64_t n) { \
		int64_t r = 0; \
		for (; r + 4 <= rows; r += 4, p += 4 * s) { \
			const E *restrict p1 = p + s, *restrict p2 = p + 2 * s, *restrict p3 = p + 3 * s; \
			for (int64_t i = 0; i < n; i++) { \
				A x = F((A)p[i], (A)p1[i]), y = F((A)p2[i], (A)p3[i]); \
				x = F(x, y); \
				acc[i] = F(acc[i], x); \
			} \
		} \
		for (; r < rows; r++, p += s) \
			for (int64_t i = 0; i < n; i++) { A x = (A)p[i]; acc[i] = F(acc[i], x); } \
	}

// Order does not matter to integers, so the compiler vectorises the plain loop.
#define FOLD_INT(name, E, A, INIT, F) \
	static A name##_run(const E *restrict p, int64_t n) { \
		A s = INIT; \
		for (int64_t i = 0; i < n; i++) { A x = (A)p[i]; s = F(s, x); } \
		return s; \
	} \
	FOLD_STACK(name, E, A, F)

#define EACH8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

// The lanes of v added up in pairs.
INL double lanes_f64(vd v) {
	double t[LANES64];
	memcpy(t, &v, VB);
	for (int w = LANES64 / 2; w > 0; w /= 2) for (int j = 0; j < w; j++) t[j] += t[j + w];
	return t[0];
}

// Sums add up SUM_DEPTH elements a lane in eight vectors, and those in pairs; what blocks give is added in a wider
// type. The error of a long sum is that of a block, some units in the last place, whatever the width of vectors is.
enum { SUM_DEPTH = 16 };
#define SUM_BLOCK(V, VANY, L) \
	V s0 = {}, s1 = {}, s2 = {}, s3 = {}, s4 = {}, s5 = {}, s6 = {}, s7 = {}; \
	const int64_t end = n - i < 8 * L * SUM_DEPTH ? n : i + 8 * L * SUM_DEPTH; \
	for (; i + 8 * L <= end; i += 8 * L) { \
		s0 += *(const VANY *)(p + i), s1 += *(const VANY *)(p + i + L); \
		s2 += *(const VANY *)(p + i + 2 * L), s3 += *(const VANY *)(p + i + 3 * L); \
		s4 += *(const VANY *)(p + i + 4 * L), s5 += *(const VANY *)(p + i + 5 * L); \
		s6 += *(const VANY *)(p + i + 6 * L), s7 += *(const VANY *)(p + i + 7 * L); \
	} \
	for (; i + L <= end; i += L) s0 += *(const VANY *)(p + i); \
	s0 = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));

// The whole vectors of n floats, added up in double: lane j of the totals holds elements j, j + LANES64, ... It gives
// how many.
INL int64_t sum_f32_vectors(const float *p, int64_t n, vd *total) {
	typedef float half_v __attribute__((vector_size(VB / 2)));
	vd t0 = {}, t1 = {};
	int64_t i = 0;
	while (i + LANES <= n) {
		SUM_BLOCK(vf, vf_any, LANES)
		half_v a, b;
		memcpy(&a, &s0, VB / 2), memcpy(&b, (char *)&s0 + VB / 2, VB / 2);
		t0 += __builtin_convertvector(a, vd), t1 += __builtin_convertvector(b, vd);
	}
	*total = t0 + t1;
	return i;
}
static double sum_f32_run(const float *p, int64_t n) {
	vd total;
	int64_t i = sum_f32_vectors(p, n, &total);
	float tail = 0;
	for (; i < n; i++) tail += p[i];
	return lanes_f64(total) + (double)tail;
}
FOLD_STACK(sum_f32, float, float, F_ADD)

// Complex sums run as float sums of twice the columns: real parts are in even lanes.
static c128 sum_c64_run(const c64 *p, int64_t n) {
	vd total;
	const float *q = (const float *)p;
	int64_t i = sum_f32_vectors(q, 2 * n, &total);
	float re = 0, im = 0;
	for (; i < 2 * n; i += 2) re += q[i], im += q[i + 1];
	c128 sum = {re, im};
	for (int j = 0; j < LANES64; j += 2) sum.re += total[j], sum.im += total[j + 1];
	return sum;
}
static void sum_c64_stack(c64 *restrict acc, const c64 *restrict p, int64_t s, int64_t rows, int64_t n) {
	sum_f32_stack((float *)acc, (const float *)p, 2 * s, rows, 2 * n);
}

// A double sum and what rounding took from it (Knuth's two-sum). Where the sum is not finite, lo is NaN.
typedef struct { double hi, lo; } sum64;
INL sum64 sum64_of(double x) { return (sum64){x, 0}; }
INL sum64 sum64_add(sum64 a, sum64 b) {
	double t = a.hi + b.hi, z = t - a.hi;
	return (sum64){t, (a.lo + b.lo) + ((a.hi - (t - z)) + (b.hi - z))};
}
INL double sum64_value(sum64 a) { return a.lo == a.lo ? a.hi + a.lo : a.hi; }

static sum64 sum_f64_run(const double *p, int64_t n) {
	vd hi = {}, lo = {};
	int64_t i = 0;
	while (i + LANES64 <= n) {
		SUM_BLOCK(vd, vd_any, LANES64)
		vd t = hi + s0, z = t - hi;
		lo += (hi - (t - z)) + (s0 - z);
		hi = t;
	}
	double tail = 0;
	for (; i < n; i++) tail += p[i];
	return sum64_add((sum64){lanes_f64(hi), lanes_f64(lo)}, sum64_of(tail));
}
FOLD_STACK(sum_f64, double, double, F_ADD)

#define PROD_FLOAT(name, T, V, VANY, L) \
	static T name##_run(const T *p, int64_t n) { \
		V one = (V){} + 1, s0 = one, s1 = one, s2 = one, s3 = one; \
		int64_t i = 0; \
		for (; i + 4 * L <= n; i += 4 * L) { \
			s0 *= *(const VANY *)(p + i), s1 *= *(const VANY *)(p + i + L); \
			s2 *= *(const VANY *)(p + i + 2 * L), s3 *= *(const VANY *)(p + i + 3 * L); \
		} \
		s0 = (s0 * s1) * (s2 * s3); \
		T r = 1; \
		if (i > 0) for (int j = 0; j < L; j++) r *= s0[j]; \
		for (; i < n; i++) r *= p[i]; \
		return r; \
	} \
	FOLD_STACK(name, T, T, F_MUL)

// Whether a or b holds a NaN, lane by lane; such masks are or-ed and tested at the end.
#if defined(__AVX512F__) && VB == 64
typedef __mmask16 nan_f32;
typedef __mmask8 nan_f64;
INL nan_f32 vf_nan(vf a, vf b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q); }
INL nan_f64 vd_nan(vd a, vd b) { return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_UNORD_Q); }
// a where it is NaN, else r: with the vector instruction's r, which is b if either is NaN, both NaNs come through.
INL vf vf_keep(vf a, vf r) { return (vf)_mm512_mask_mov_ps((__m512)r, vf_nan(a, a), (__m512)a); }
INL vd vd_keep(vd a, vd r) { return (vd)_mm512_mask_mov_pd((__m512d)r, vd_nan(a, a), (__m512d)a); }
INL int any_nan_f32(nan_f32 m) { return m != 0; }
INL int any_nan_f64(nan_f64 m) { return m != 0; }
#else
typedef vi nan_f32;
typedef vl nan_f64;
INL nan_f32 vf_nan(vf a, vf b) { return (a != a) | (b != b); }
INL nan_f64 vd_nan(vd a, vd b) { return (a != a) | (b != b); }
INL vf vf_keep(vf a, vf r) { return vselect(a != a, a, r); }
INL vd vd_keep(vd a, vd r) { return (vd)(((vl)a & (a != a)) | ((vl)r & ~(a != a))); }
INL int any_nan_f32(nan_f32 m) {
	int any = 0;
	for (int i = 0; i < LANES; i++) any |= m[i] != 0;
	return any;
}
INL int any_nan_f64(nan_f64 m) {
	int any = 0;
	for (int i = 0; i < LANES64; i++) any |= m[i] != 0;
	return any;
}
#endif

// The vector instruction drops NaNs, so they are looked for beside it.
#define EXTREME_FLOAT(name, T, V, VANY, NAN_T, VNAN, L, VF, F) \
	static T name##_run(const T *p, int64_t n) { \
		int64_t i = 0; \
		T r = p[0]; \
		if (n >= 4 * L) { \
			V s0 = *(const VANY *)p, s1 = s0, s2 = s0, s3 = s0; \
			NAN_T u0 = VNAN(s0, s0), u1 = u0; \
			for (; i + 4 * L <= n; i += 4 * L) { \
				V a = *(const VANY *)(p + i), b = *(const VANY *)(p + i + L); \
				V c = *(const VANY *)(p + i + 2 * L), d = *(const VANY *)(p + i + 3 * L); \
				s0 = VF(a, s0), s1 = VF(b, s1), s2 = VF(c, s2), s3 = VF(d, s3); \
				u0 |= VNAN(a, b), u1 |= VNAN(c, d); \
			} \
			if (any_##NAN_T(u0 | u1)) return (T)NAN; \
			s0 = VF(VF(s0, s1), VF(s2, s3)); \
			r = s0[0]; \
			for (int j = 1; j < L; j++) r = F(r, s0[j]); \
		} \
		for (; i < n; i++) { T x = p[i]; r = F(r, x); } \
		return r; \
	} \
	INL V name##_both(V a, V b) { return V##_keep(a, VF(a, b)); } \
	static void name##_stack(T *restrict acc, const T *restrict p, int64_t s, int64_t rows, int64_t n) { \
		for (int64_t r = 0, m; r < rows; r += m, p += m * s) { \
			m = rows - r < 4 ? 1 : 4; \
			int64_t i = 0; \
			for (; i + L <= n; i += L) { \
				V x = *(const VANY *)(p + i); \
				if (m == 4) { \
					V y = name##_both(*(const VANY *)(p + 2 * s + i), *(const VANY *)(p + 3 * s + i)); \
					x = name##_both(name##_both(x, *(const VANY *)(p + s + i)), y); \
				} \
				*(VANY *)(acc + i) = name##_both(*(const VANY *)(acc + i), x); \
			} \
			for (; i < n; i++) \
				for (int64_t q = 0; q < m; q++) { T x = p[q * s + i]; acc[i] = F(acc[i], x); } \
		} \
	}

INL vd vd_select(vl m, vd a, vd b) { return (vd)(((vl)a & m) | ((vl)b & ~m)); }
#if defined(__AVX512F__) && VB == 64
INL vd vd_max(vd a, vd b) { return (vd)_mm512_max_pd((__m512d)a, (__m512d)b); }
INL vd vd_min(vd a, vd b) { return (vd)_mm512_min_pd((__m512d)a, (__m512d)b); }
#elif defined(__AVX__) && VB == 32
INL vd vd_max(vd a, vd b) { return (vd)_mm256_max_pd((__m256d)a, (__m256d)b); }
INL vd vd_min(vd a, vd b) { return (vd)_mm256_min_pd((__m256d)a, (__m256d)b); }
#else
INL vd vd_max(vd a, vd b) { return vd_select(a > b, a, b); }
INL vd vd_min(vd a, vd b) { return vd_select(a < b, a, b); }
#endif

FOLD_INT(sum_u8, uint8_t, uint32_t, 0, F_ADD)
FOLD_INT(sum_i8, int8_t, uint32_t, 0, F_ADD)
FOLD_INT(sum_u16, uint16_t, uint32_t, 0, F_ADD)
FOLD_INT(sum_i16, int16_t, uint32_t, 0, F_ADD)
FOLD_INT(sum_u32, uint32_t, uint32_t, 0, F_ADD)
FOLD_INT(sum_u64, uint64_t, uint64_t, 0, F_ADD)

FOLD_INT(prod_u8, uint8_t, uint32_t, 1, F_MUL)
FOLD_INT(prod_i8, int8_t, uint32_t, 1, F_MUL)
FOLD_INT(prod_u16, uint16_t, uint32_t, 1, F_MUL)
FOLD_INT(prod_i16, int16_t, uint32_t, 1, F_MUL)
FOLD_INT(prod_u32, uint32_t, uint32_t, 1, F_MUL)
FOLD_INT(prod_u64, uint64_t, uint64_t, 1, F_MUL)
PROD_FLOAT(prod_f32, float, vf, vf_any, LANES)
PROD_FLOAT(prod_f64, double, vd, vd_any, LANES64)

#define FOLD_EXTREMES(t, T) FOLD_INT(max_##t, T, T, p[0], F_IMAX) FOLD_INT(min_##t, T, T, p[0], F_IMIN)
FOLD_EXTREMES(u8, uint8_t)
FOLD_EXTREMES(i8, int8_t)
FOLD_EXTREMES(u16, uint16_t)
FOLD_EXTREMES(i16, int16_t)
FOLD_EXTREMES(u32, uint32_t)
FOLD_EXTREMES(i32, int32_t)
FOLD_EXTREMES(u64, uint64_t)
FOLD_EXTREMES(i64, int64_t)
EXTREME_FLOAT(max_f32, float, vf, vf_any, nan_f32, vf_nan, LANES, vmax, F_FMAX)
EXTREME_FLOAT(min_f32, float, vf, vf_any, nan_f32, vf_nan, LANES, vmin, F_FMIN)
EXTREME_FLOAT(max_f64, double, vd, vd_any, nan_f64, vd_nan, LANES64, vd_max, F_FMAX)
EXTREME_FLOAT(min_f64, double, vd, vd_any, nan_f64, vd_nan, LANES64, vd_min, F_FMIN)

#define FOLD_C64(name, F) \
	static c64 name##_run(const c64 *p, int64_t n) { \
		c64 r = p[0]; \
		for (int64_t i = 1; i < n; i++) r = F(r, p[i]); \
		return r; \
	} \
	FOLD_STACK(name, c64, c64, F)
FOLD_C64(prod_c64, c64_mul)
FOLD_C64(max_c64, c64_max)
FOLD_C64(min_c64, c64_min)
