// Products of few rows with the rows of a quantized matrix: codes become floats in registers, groups are scaled when
// they are summed, and biases meet the sums of the other factor's groups:
//   sum of x * (scale * q + bias) = scale * sum of x * q + bias * sum of x.
//
// Codes of 1, 2, 4 and 8 bits are taken where they lie in their words. A mask leaves code i of each word multiplied by
// a power of two, which the elements of x that meet it are divided by, and those lie in such an order that one vector
// of words meets vectors of x. Other codes are shifted into place one vector at a time.
#pragma once
#include "abi_quantize.h"

#if defined(__clang__)
INL vf vspread(vf v, vi at) {
	vf r;
	for (int i = 0; i < LANES; i++) r[i] = v[at[i]];
	return r;
}
#else
INL vf vspread(vf v, vi at) { return __builtin_shuffle(v, at); }
#endif

// Whether codes of the format are masked in their words.
INL int codes_in_words(const quantize_format *f) {
	return f->mode == QUANTIZE_AFFINE && (f->bits & (f->bits - 1)) == 0;
}

// How far code c of a word is shifted when it is masked: words are shifted so that this is less than 16.
INL int code_shift(int c, int bits) { return bits * c % (bits == 1 ? 8 : 16); }

static void quantize_terms(const void *args, int64_t lo, int64_t hi) {
	const quantize_dots_args *g = args;
	const quantize_format *f = &g->q.f;
	const int64_t n = f->group, dtype = f->dtype;
	const int inside = codes_in_words(f), words = 32 / f->bits, length = inside ? LANES * words : 32;
	float *x = (float *)room_of_call;
	for (int64_t u = lo; u < hi; u++) {
		int64_t row = u / g->q.groups, group = u % g->q.groups, from = group * n;
		if (group % 256 == 0 && STOPPED(g->stop)) return;
		for (int64_t i = 0; i < n; i++) x[i] = number_at(g->x, row * g->xrs + (from + i) * g->xcs, dtype);
		float sum = 0;
		for (int64_t i = 0; i < n; i++) sum += x[i];
		g->sums[row * g->sums_step + group] = sum;
		if (!(fabsf(sum) <= 0x1.fffffep127f)) *g->infinite = 1;
		for (int64_t i = 0; i < n; i++) {
			int64_t block = (from + i) / length, at = (from + i) % length, c = at % words;
			float *to = g->terms + (block * g->m + row) * length;
			if (!inside) to[at] = x[i];
			else to[c * LANES + at / words] = x[i] * bits_f32((uint32_t)(127 - code_shift(c, f->bits)) << 23);
		}
	}
}

// Vector i of codes from a vector of words, of which the first is code h * F.
#define DOTS_CODE(BITS, F, i) ({ \
	const int c = h * F + (i), down = BITS * c - BITS * c % (BITS == 1 ? 8 : 16); \
	const uint32_t mask = ((1u << BITS) - 1) << BITS * c % (BITS == 1 ? 8 : 16); \
	__builtin_convertvector((vi)(w >> down & mask), vf); \
})

// Adds scale * (codes of a vector of words) . x[m] to acc. Few rows sum codes before they are scaled; many rows scale
// each code, so that all sums go on at once.
#define DOTS_WORD(BITS, F, M) \
	_Pragma("GCC unroll 4") \
	for (int h = 0; h < 32 / BITS / F; h++) { \
		const float *t = x + h * F * LANES; \
		if (M < 3) { \
			vf d[M] = {}; \
			_Pragma("GCC unroll 8") \
			for (int i = 0; i < F; i++) { \
				vf v = DOTS_CODE(BITS, F, i); \
				_Pragma("GCC unroll 8") \
				for (int m = 0; m < M; m++) d[m] += v * vload(t + m * (32 / BITS * LANES) + i * LANES); \
			} \
			for (int m = 0; m < M; m++) acc[m] += s * d[m]; \
			continue; \
		} \
		_Pragma("GCC unroll 8") \
		for (int i = 0; i < F; i++) { \
			vf v = DOTS_CODE(BITS, F, i) * s; \
			_Pragma("GCC unroll 8") \
			for (int m = 0; m < M; m++) { \
				acc[i % (M < 5 ? 2 : 1) * M + m] += v * vload(t + m * (32 / BITS * LANES) + i * LANES); \
			} \
		} \
	}

// A part of a row of words against M rows of x, added to sums; a group has 1 << per words. scales are padded with zeros
// to a vector.
#define DOTS_ROW(BITS, F, M) \
	static void dots_row_##BITS##x##M(const uint8_t *words, int64_t n, const float *scales, int per, const float *x, \
			vf *sums) { \
		vf acc[2 * M] = {}; \
		vi at; \
		for (int i = 0; i < LANES; i++) at[i] = i >> per; \
		int64_t i = 0; \
		for (; i + LANES <= n; i += LANES, x += M * (32 / BITS * LANES)) { \
			vu w = *(const vu_any *)(words + 4 * i); \
			vf s = vspread(vload(scales + (i >> per)), at); \
			DOTS_WORD(BITS, F, M) \
		} \
		if (i < n) { \
			vu w = {}; \
			memcpy(&w, words + 4 * i, 4 * (n - i)); \
			vf s = vspread(vload(scales + (i >> per)), at); \
			DOTS_WORD(BITS, F, M) \
		} \
		for (int m = 0; m < M; m++) sums[m] += acc[m] + acc[M + m]; \
	}
typedef vu vu_any __attribute__((aligned(4), may_alias));
typedef void (*dots_row)(const uint8_t *words, int64_t n, const float *scales, int per, const float *x,
	vf *sums);

#define DOTS_ROWS(BITS, F) \
	DOTS_ROW(BITS, F, 1) DOTS_ROW(BITS, F, 2) DOTS_ROW(BITS, F, 3) DOTS_ROW(BITS, F, 4) \
	DOTS_ROW(BITS, F, 5) DOTS_ROW(BITS, F, 6) DOTS_ROW(BITS, F, 7) DOTS_ROW(BITS, F, 8) \
	static const dots_row dots_rows_##BITS[QUANTIZE_ROWS] = {dots_row_##BITS##x1, dots_row_##BITS##x2, \
		dots_row_##BITS##x3, dots_row_##BITS##x4, dots_row_##BITS##x5, dots_row_##BITS##x6, dots_row_##BITS##x7, \
		dots_row_##BITS##x8};
DOTS_ROWS(1, 8)
DOTS_ROWS(2, 8)
DOTS_ROWS(4, 8)
DOTS_ROWS(8, 4)


// A part of a row, n codes, a multiple of 16, against M rows of x, added to sums; words may be read up to end. scales
// are padded with zeros.
#define DOTS_READ(M) \
	static void dots_read_x##M(const code_reader *r, const uint8_t *words, const uint8_t *end, int64_t n, \
			const float *scales, int group, const float *x, vf *sums) { \
		enum { HALF = 16 / LANES }; \
		vf acc[M]; \
		for (int m = 0; m < M; m++) acc[m] = sums[m]; \
		const int64_t bytes = 4 * r->bits; \
		for (int64_t i = 0; i < n; i += 32, words += bytes, x += 32 * M) { \
			vf v[2 * HALF]; \
			if (n - i >= 32 && end - words >= bytes + 16) read_codes(v, words, r); \
			else { \
				uint8_t last[48] = {}; \
				memcpy(last, words, n - i >= 32 ? bytes : bytes / 2); \
				read_codes(v, last, r); \
			} \
			vf s[2] = {vsplat(scales[i / group]), vsplat(scales[(i + 16) / group])}; \
			if (M < 3) { \
				_Pragma("GCC unroll 2") \
				for (int h = 0; h < 2; h++) \
					_Pragma("GCC unroll 8") \
					for (int m = 0; m < M; m++) { \
						const float *t = x + m * 32 + 16 * h; \
						vf d = v[h * HALF] * vload(t); \
						for (int j = 1; j < HALF; j++) d += v[h * HALF + j] * vload(t + j * LANES); \
						acc[m] += s[h] * d; \
					} \
				continue; \
			} \
			_Pragma("GCC unroll 8") \
			for (int j = 0; j < 2 * HALF; j++) { \
				vf y = v[j] * s[j / HALF]; \
				_Pragma("GCC unroll 8") \
				for (int m = 0; m < M; m++) acc[m] += y * vload(x + m * 32 + j * LANES); \
			} \
		} \
		for (int m = 0; m < M; m++) sums[m] = acc[m]; \
	}
DOTS_READ(1) DOTS_READ(2) DOTS_READ(3) DOTS_READ(4) DOTS_READ(5) DOTS_READ(6) DOTS_READ(7) DOTS_READ(8)
typedef void (*dots_read)(const code_reader *, const uint8_t *, const uint8_t *, int64_t, const float *, int,
	const float *, vf *);
static const dots_read dots_reads[QUANTIZE_ROWS] = {dots_read_x1, dots_read_x2, dots_read_x3, dots_read_x4,
	dots_read_x5, dots_read_x6, dots_read_x7, dots_read_x8};

// Scales or biases of a row as float32, padded with zeros to whole vectors and one more.
static void widen_params(float *dst, const void *src, int64_t from, int64_t n, const quantize_format *f) {
	if (f->mode != QUANTIZE_AFFINE)
		for (int64_t i = 0; i < n; i++) dst[i] = shared_scale(((const uint8_t *)src)[from + i], f->mode);
	else if (f->dtype == DT_F32) memcpy(dst, (const float *)src + from, n * 4);
	else gemm_widen(dst, (const uint16_t *)src + from, n, f->dtype);
	for (int64_t i = n; i < n + 2 * LANES; i++) dst[i] = 0;
}

INL void put_number(void *o, int64_t at, float x, int dtype) {
	if (dtype == DT_F32) ((float *)o)[at] = x;
	else gemm_narrow((uint16_t *)o + at, &x, 1, dtype);
}

// How many elements of each row of x go by DOTS_ROWS_BLOCK rows of the matrix at a time: as many as stay in the
// innermost cache, and all of a single row, which is read in time anyway. They are whole vectors of words, and whole
// groups.
enum { DOTS_ROWS_BLOCK = 16, DOTS_CACHE = 24 << 10 };
INL int64_t dots_part(const quantize_dots_args *g) {
	const int64_t whole = LANES * 32 > 128 ? LANES * 32 : 128, part = DOTS_CACHE / 4 / g->m / whole * whole;
	return g->m == 1 || part >= g->k ? g->k : part > whole ? part : whole;
}

static void quantize_dots(const void *args, int64_t lo, int64_t hi) {
	const quantize_dots_args *g = args;
	const quantize_format *f = &g->q.f;
	vf *sums = (vf *)room_of_call;
	float *params = (float *)(sums + DOTS_ROWS_BLOCK * QUANTIZE_ROWS);
	const int64_t groups = g->q.groups, part = dots_part(g);
	const int inside = codes_in_words(f), m = g->m;
	const int per = inside ? __builtin_ctz(f->group * f->bits / 32) : 0;
	const dots_row *rows = f->bits == 1 ? dots_rows_1 : f->bits == 2 ? dots_rows_2 : dots_rows_8;
	if (f->bits == 4) rows = dots_rows_4;
	code_reader r;
	code_reader_for(&r, f);
	int64_t work = 0;
	for (int64_t u0 = lo, u1; u0 < hi; u0 = u1) {
		u1 = hi - u0 < DOTS_ROWS_BLOCK ? hi : u0 + DOTS_ROWS_BLOCK;
		memset(sums, 0, (u1 - u0) * m * sizeof *sums);
		for (int64_t k0 = 0, k1; k0 < g->k; k0 = k1) {
			k1 = g->k - k0 < part ? g->k : k0 + part;
			if ((work += (k1 - k0) * m * (u1 - u0)) >= STOP_WORK) {
				work = 0;
				if (STOPPED(g->stop)) return;
			}
			for (int64_t u = u0; u < u1; u++) {
				const uint8_t *w = (const uint8_t *)g->q.words + u * g->q.wstride + k0 * f->bits / 8;
				const float *x = g->terms + k0 * m;
				vf *to = sums + (u - u0) * m;
				widen_params(params, g->q.scales, u * g->q.sstride + k0 / f->group, (k1 - k0) / f->group, f);
				if (inside) rows[m - 1](w, (k1 - k0) * f->bits / 32, params, per, x, to);
				else dots_reads[m - 1](&r, w, g->q.end, k1 - k0, params, f->group, x, to);
			}
		}
		for (int64_t u = u0; u < u1; u++) {
			if (f->mode == QUANTIZE_AFFINE) widen_params(params, g->q.biases, u * g->q.sstride, groups, f);
			for (int i = 0; i < m; i++) {
				vf d = sums[(u - u0) * m + i];
				if (f->mode == QUANTIZE_AFFINE) {
					const float *x = g->sums + i * g->sums_step;
					for (int64_t j = 0; j < groups; j += LANES) d += vload(params + j) * vload(x + j);
				}
				put_number(g->o, i * g->ors + u * g->ocs, vsum(d), f->dtype);
			}
		}
	}
}
