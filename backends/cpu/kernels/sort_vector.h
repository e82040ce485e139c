// Quicksort of unsigned keys in vectors: partitions by moving the lanes below a pivot together, and short runs in a
// sorting network that lives in registers (Blacher, Giesen, Kuehne, "Fast and robust vectorized in-place sorting of
// primitive types", 2021). sort_avx512.h and sort_avx2.h say by which instructions.
#pragma once

// Optimal network for 8 rows: 19 exchanges.
#define SORT_COLUMNS(X) \
	X(0, 1) X(2, 3) X(4, 5) X(6, 7) X(0, 2) X(1, 3) X(4, 6) X(5, 7) X(1, 2) X(5, 6) \
	X(0, 4) X(3, 7) X(1, 5) X(2, 6) X(1, 4) X(3, 6) X(2, 4) X(3, 5) X(3, 4)
#define SORT_HALVE_ROWS(X) \
	X(0, 4) X(1, 5) X(2, 6) X(3, 7) X(0, 2) X(1, 3) X(4, 6) X(5, 7) X(0, 1) X(2, 3) X(4, 5) X(6, 7)
#define SORT_MIRROR_ROWS(X, g) X(0, 7, g) X(1, 6, g) X(2, 5, g) X(3, 4, g)
#define SORT_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

// Lane numbers reversed within groups of g, and exchanged at distance g.
#define SORT_LANE_FLIP(i, g) (((i) & ~((g) - 1)) | ((g) - 1 - ((i) & ((g) - 1))))
#define SORT_LANE_SWAP(i, g) ((i) ^ (g))
// Lanes of two vectors of L, interleaved: of their lower halves, and of their upper ones.
#define SORT_LANE_LOW(i, L) ((i) / 2 + ((i) & 1 ? (L) : 0))
#define SORT_LANE_HIGH(i, L) ((i) / 2 + (L) / 2 + ((i) & 1 ? (L) : 0))
#define SORT_16(F, g) F(0, g), F(1, g), F(2, g), F(3, g), F(4, g), F(5, g), F(6, g), F(7, g), \
	F(8, g), F(9, g), F(10, g), F(11, g), F(12, g), F(13, g), F(14, g), F(15, g)
#define SORT_8(F, g) F(0, g), F(1, g), F(2, g), F(3, g), F(4, g), F(5, g), F(6, g), F(7, g)
#define SORT_4(F, g) F(0, g), F(1, g), F(2, g), F(3, g)

#define SORT_EXCHANGE(a, b) { SORT_V lo_ = SORT_MIN(v##a, v##b); v##b = SORT_MAX(v##a, v##b); v##a = lo_; }
#define SORT_MIRROR(a, b, g) { \
	SORT_V x_ = SORT_PERMUTE(SORT_LANE_FLIP, g, v##b), y_ = SORT_PERMUTE(SORT_LANE_FLIP, g, v##a); \
	v##a = SORT_KEEP(v##a, x_, (g) / 2); v##b = SORT_KEEP(v##b, y_, (g) / 2); }
#define SORT_SWAP(a, g) { SORT_V x_ = SORT_PERMUTE(SORT_LANE_SWAP, g, v##a); v##a = SORT_KEEP(v##a, x_, g); }
#define SORT_SWAPS(g) \
	SORT_SWAP(0, g) SORT_SWAP(1, g) SORT_SWAP(2, g) SORT_SWAP(3, g) \
	SORT_SWAP(4, g) SORT_SWAP(5, g) SORT_SWAP(6, g) SORT_SWAP(7, g)
// One round interleaves the first four rows with the last four: index bits rotate by one, and after
// three rounds the columns lie one after the other.
#define SORT_INTERLEAVE { \
	SORT_V a_ = SORT_TWO(SORT_LANE_LOW, v0, v4), b_ = SORT_TWO(SORT_LANE_HIGH, v0, v4); \
	SORT_V c_ = SORT_TWO(SORT_LANE_LOW, v1, v5), d_ = SORT_TWO(SORT_LANE_HIGH, v1, v5); \
	SORT_V e_ = SORT_TWO(SORT_LANE_LOW, v2, v6), f_ = SORT_TWO(SORT_LANE_HIGH, v2, v6); \
	SORT_V g_ = SORT_TWO(SORT_LANE_LOW, v3, v7), h_ = SORT_TWO(SORT_LANE_HIGH, v3, v7); \
	v0 = a_; v1 = b_; v2 = c_; v3 = d_; v4 = e_; v5 = f_; v6 = g_; v7 = h_; }

#define SORT_LOAD(i) SORT_V v##i = SORT_LOAD_PART(p + SORT_L * i, n - SORT_L * i);
#define SORT_STORE(i) SORT_STORE_PART(p + SORT_L * i, n - SORT_L * i, v##i);

#if defined(__AVX512F__) && VB == 64 || defined(__AVX2__)
#define SORT_VECTOR 1

// stop_copy is memcpy that looks whether the caller gave up.
static void stop_copy(void *to, const void *from, int64_t n, stop_flag stop) {
	for (int64_t i = 0, m; i < n && !STOPPED(stop); i += m) {
		m = n - i < STOP_WORK ? n - i : STOP_WORK;
		memcpy((char *)to + i, (const char *)from + i, m);
	}
}

#if VB == 64
#include "sort_avx512.h"
#else
#include "sort_avx2.h"
#endif
#endif
