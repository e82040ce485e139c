// Quicksort of unsigned keys in AVX-512: partitions by compressing vectors, and short runs in
// a sorting network that lives in registers (Blacher, Giesen, Kuehne, "Fast and robust
// vectorized in-place sorting of primitive types", 2021; the partition here uses a buffer).
#pragma once

#if defined(__AVX512F__) && VB == 64
#define SORT_VECTOR 1

// stop_copy is memcpy that looks whether the caller gave up.
static void stop_copy(void *to, const void *from, int64_t n, stop_flag stop) {
	for (int64_t i = 0, m; i < n && !STOPPED(stop); i += m) {
		m = n - i < STOP_WORK ? n - i : STOP_WORK;
		memcpy((char *)to + i, (const char *)from + i, m);
	}
}

// Optimal network for 8 rows: 19 exchanges.
#define SORT_COLUMNS(X) \
	X(0, 1) X(2, 3) X(4, 5) X(6, 7) X(0, 2) X(1, 3) X(4, 6) X(5, 7) X(1, 2) X(5, 6) \
	X(0, 4) X(3, 7) X(1, 5) X(2, 6) X(1, 4) X(3, 6) X(2, 4) X(3, 5) X(3, 4)
#define SORT_HALVE_ROWS(X) \
	X(0, 4) X(1, 5) X(2, 6) X(3, 7) X(0, 2) X(1, 3) X(4, 6) X(5, 7) X(0, 1) X(2, 3) X(4, 5) X(6, 7)
#define SORT_MIRROR_ROWS(X, g) X(0, 7, g) X(1, 6, g) X(2, 5, g) X(3, 4, g)

// Lane numbers reversed within groups of g, and exchanged at distance g.
#define SORT_LANE_FLIP(i, g) (((i) & ~((g) - 1)) | ((g) - 1 - ((i) & ((g) - 1))))
#define SORT_LANE_SWAP(i, g) ((i) ^ (g))
#define SORT_16(F, g) _mm512_setr_epi32(F(0, g), F(1, g), F(2, g), F(3, g), F(4, g), F(5, g), F(6, g), F(7, g), \
	F(8, g), F(9, g), F(10, g), F(11, g), F(12, g), F(13, g), F(14, g), F(15, g))
#define SORT_8(F, g) _mm512_setr_epi64(F(0, g), F(1, g), F(2, g), F(3, g), F(4, g), F(5, g), F(6, g), F(7, g))
// Lanes with bit h of their number set.
#define SORT_UPPER(h) ((SORT_MASK)((h) == 1 ? 0xaaaa : (h) == 2 ? 0xcccc : (h) == 4 ? 0xf0f0 : 0xff00))
#define SORT_LOW_16(i, g) ((i) & 1 ? 16 + (i) / 2 : (i) / 2)
#define SORT_HIGH_16(i, g) ((i) & 1 ? 24 + (i) / 2 : 8 + (i) / 2)
#define SORT_LOW_8(i, g) ((i) & 1 ? 8 + (i) / 2 : (i) / 2)
#define SORT_HIGH_8(i, g) ((i) & 1 ? 12 + (i) / 2 : 4 + (i) / 2)

#define SORT_EXCHANGE(a, b) { __m512i lo_ = SORT_MIN(v##a, v##b); v##b = SORT_MAX(v##a, v##b); v##a = lo_; }
// The lower lanes of a group keep the smaller ones, the upper lanes the larger.
#define SORT_KEEP(x, y, h) SORT_MASK_MAX(SORT_MIN(x, y), SORT_UPPER(h), x, y)
#define SORT_MIRROR(a, b, g) { \
	__m512i x_ = SORT_PERMUTE(SORT_LANES(SORT_LANE_FLIP, g), v##b), \
		y_ = SORT_PERMUTE(SORT_LANES(SORT_LANE_FLIP, g), v##a); \
	v##a = SORT_KEEP(v##a, x_, (g) / 2); v##b = SORT_KEEP(v##b, y_, (g) / 2); }
#define SORT_SWAP(a, g) { \
	__m512i x_ = SORT_PERMUTE(SORT_LANES(SORT_LANE_SWAP, g), v##a); \
	v##a = SORT_KEEP(v##a, x_, g); }
#define SORT_SWAPS(g) \
	SORT_SWAP(0, g) SORT_SWAP(1, g) SORT_SWAP(2, g) SORT_SWAP(3, g) \
	SORT_SWAP(4, g) SORT_SWAP(5, g) SORT_SWAP(6, g) SORT_SWAP(7, g)
// One round interleaves the first four rows with the last four: index bits rotate by one, and after
// three rounds the columns lie one after the other.
#define SORT_INTERLEAVE { \
	__m512i a_ = SORT_TWO(v0, SORT_LANES(SORT_LOW, 0), v4), b_ = SORT_TWO(v0, SORT_LANES(SORT_HIGH, 0), v4); \
	__m512i c_ = SORT_TWO(v1, SORT_LANES(SORT_LOW, 0), v5), d_ = SORT_TWO(v1, SORT_LANES(SORT_HIGH, 0), v5); \
	__m512i e_ = SORT_TWO(v2, SORT_LANES(SORT_LOW, 0), v6), f_ = SORT_TWO(v2, SORT_LANES(SORT_HIGH, 0), v6); \
	__m512i g_ = SORT_TWO(v3, SORT_LANES(SORT_LOW, 0), v7), h_ = SORT_TWO(v3, SORT_LANES(SORT_HIGH, 0), v7); \
	v0 = a_; v1 = b_; v2 = c_; v3 = d_; v4 = e_; v5 = f_; v6 = g_; v7 = h_; }

#define SORT_PART_MASK(T, L, n) ((n) >= (L) ? (SORT_MASK)-1 : (n) <= 0 ? 0 : (SORT_MASK)((1u << (n)) - 1))
#define SORT_LOAD(i) v##i = SORT_MASK_LOAD(_mm512_set1_epi64(-1), SORT_PART_MASK(T, SORT_L, n - SORT_L * i), \
	p + SORT_L * i);
#define SORT_STORE(i) SORT_MASK_STORE(p + SORT_L * i, SORT_PART_MASK(T, SORT_L, n - SORT_L * i), v##i);

#define SORT_T uint32_t
#define SORT_NAME(x) x##_u32
#define SORT_L 16
#define SORT_MASK __mmask16
#define SORT_MIN _mm512_min_epu32
#define SORT_MAX _mm512_max_epu32
#define SORT_MASK_MAX _mm512_mask_max_epu32
#define SORT_PERMUTE _mm512_permutexvar_epi32
#define SORT_TWO _mm512_permutex2var_epi32
#define SORT_LANES SORT_16
#define SORT_LOW SORT_LOW_16
#define SORT_HIGH SORT_HIGH_16
#define SORT_MASK_LOAD _mm512_mask_loadu_epi32
#define SORT_MASK_STORE _mm512_mask_storeu_epi32
#define SORT_COMPRESS _mm512_maskz_compress_epi32
#define SORT_LT _mm512_cmplt_epu32_mask
#define SORT_LE _mm512_cmple_epu32_mask
#define SORT_SPLAT(x) _mm512_set1_epi32((int)(x))
#include "sort_quick.h"

#define SORT_T uint64_t
#define SORT_NAME(x) x##_u64
#define SORT_L 8
#define SORT_MASK __mmask8
#define SORT_MIN _mm512_min_epu64
#define SORT_MAX _mm512_max_epu64
#define SORT_MASK_MAX _mm512_mask_max_epu64
#define SORT_PERMUTE _mm512_permutexvar_epi64
#define SORT_TWO _mm512_permutex2var_epi64
#define SORT_LANES SORT_8
#define SORT_LOW SORT_LOW_8
#define SORT_HIGH SORT_HIGH_8
#define SORT_MASK_LOAD _mm512_mask_loadu_epi64
#define SORT_MASK_STORE _mm512_mask_storeu_epi64
#define SORT_COMPRESS _mm512_maskz_compress_epi64
#define SORT_LT _mm512_cmplt_epu64_mask
#define SORT_LE _mm512_cmple_epu64_mask
#define SORT_SPLAT(x) _mm512_set1_epi64((long long)(x))
#include "sort_quick.h"
#endif
