// The instructions of the vector sort in AVX2. It has neither masks nor compression: a table has a permutation for each
// mask, which moves its lanes to the front and keeps their order.

// SORT_TO is the place of lane i of L in the permutation of mask m: behind the lanes of its own kind, and if it is not
// in the mask, behind all of those. SORT_FROM writes the lane there, as one byte, or as two for lanes of 64 bits.
#define SORT_BEFORE(m, i) __builtin_popcount((m) & ((1 << (i)) - 1))
#define SORT_TO(m, i) ((m) >> (i) & 1 ? SORT_BEFORE(m, i) : __builtin_popcount(m) + (i) - SORT_BEFORE(m, i))
#define SORT_FROM(m, i) (uint64_t)(i) << 8 * SORT_TO(m, i)
#define SORT_FROM_WIDE(m, i) (uint64_t)(2 * (i) | (2 * (i) + 1) << 8) << 16 * SORT_TO(m, i)
#define SORT_LANES(m) SORT_FROM(m, 0) | SORT_FROM(m, 1) | SORT_FROM(m, 2) | SORT_FROM(m, 3) | \
	SORT_FROM(m, 4) | SORT_FROM(m, 5) | SORT_FROM(m, 6) | SORT_FROM(m, 7)
#define SORT_LANES_WIDE(m) SORT_FROM_WIDE(m, 0) | SORT_FROM_WIDE(m, 1) | SORT_FROM_WIDE(m, 2) | SORT_FROM_WIDE(m, 3)
#define SORT_ENTRIES_4(X, m) X(m), X((m) + 1), X((m) + 2), X((m) + 3)
#define SORT_ENTRIES_16(X, m) SORT_ENTRIES_4(X, m), SORT_ENTRIES_4(X, (m) + 4), \
	SORT_ENTRIES_4(X, (m) + 8), SORT_ENTRIES_4(X, (m) + 12)
#define SORT_ENTRIES_64(X, m) SORT_ENTRIES_16(X, m), SORT_ENTRIES_16(X, (m) + 16), \
	SORT_ENTRIES_16(X, (m) + 32), SORT_ENTRIES_16(X, (m) + 48)
static const uint64_t sort_permutations[256] = {SORT_ENTRIES_64(SORT_LANES, 0), SORT_ENTRIES_64(SORT_LANES, 64),
	SORT_ENTRIES_64(SORT_LANES, 128), SORT_ENTRIES_64(SORT_LANES, 192)};
static const uint64_t sort_permutations_wide[16] = {SORT_ENTRIES_16(SORT_LANES_WIDE, 0)};

// From place 8 - n on, the first n of eight words have all bits set.
static const int32_t sort_all_bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

typedef uint32_t sort_8 __attribute__((vector_size(32)));
typedef uint64_t sort_4 __attribute__((vector_size(32)));
#define SORT_V __m256i
#define SORT_LOADU(p) _mm256_loadu_si256((const __m256i *)(p))
#define SORT_STOREU(p, v) _mm256_storeu_si256((__m256i *)(p), v)

INL __m256i sort_first_words(int64_t n) {
	return SORT_LOADU(sort_all_bits + 8 - (n < 0 ? 0 : n > 8 ? 8 : n));
}
// Words beyond the first n have all bits set.
INL __m256i sort_load_words(const void *p, int64_t n) {
	__m256i m = sort_first_words(n);
	return _mm256_or_si256(_mm256_maskload_epi32(p, m), _mm256_xor_si256(m, _mm256_set1_epi32(-1)));
}
// Stores of parts are slow on some processors: only the last vector of a run is one.
INL void sort_store_words(void *p, int64_t n, __m256i v) {
	if (n >= 8) SORT_STOREU(p, v);
	else if (n > 0) _mm256_maskstore_epi32(p, sort_first_words(n), v);
}
INL __m256i sort_permuted(uint64_t lanes, __m256i x) {
	return _mm256_permutevar8x32_epi32(x, _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)lanes)));
}

#define SORT_T uint32_t
#define SORT_NAME(x) x##_u32
#define SORT_L 8
#define SORT_MASK int
#define SORT_MIN _mm256_min_epu32
#define SORT_MAX _mm256_max_epu32
#define SORT_LANE_KEEP(i, h) ((i) & (h) ? 8 + (i) : (i))
#define SORT_KEEP(x, y, h) \
	(SORT_V)__builtin_shufflevector((sort_8)SORT_MIN(x, y), (sort_8)SORT_MAX(x, y), SORT_8(SORT_LANE_KEEP, h))
#define SORT_PERMUTE(F, g, v) (SORT_V)__builtin_shufflevector((sort_8)(v), (sort_8)(v), SORT_8(F, g))
#define SORT_TWO(F, a, b) (SORT_V)__builtin_shufflevector((sort_8)(a), (sort_8)(b), SORT_8(F, 8))
#define SORT_LOAD_PART(p, n) sort_load_words(p, n)
#define SORT_STORE_PART(p, n, v) sort_store_words(p, n, v)
#define SORT_SPLAT(x) _mm256_set1_epi32((int)(x))
#define SORT_BITS(x) _mm256_movemask_ps(_mm256_castsi256_ps(x))
#define SORT_LT(x, at) (255 ^ SORT_BITS(_mm256_cmpeq_epi32(_mm256_max_epu32(x, at), x)))
#define SORT_LE(x, at) SORT_BITS(_mm256_cmpeq_epi32(_mm256_min_epu32(x, at), x))
#define SORT_SPREAD(front, back, m, x) SORT_STOREU(front, sort_permuted(sort_permutations[m], x)), \
	SORT_STOREU(back, sort_permuted(sort_permutations[255 ^ (m)], x))
#include "sort_quick.h"
#undef SORT_LANE_KEEP
#undef SORT_BITS

// Comparisons of 64 bits have signs: keys in registers have their highest bit flipped.
#define SORT_T uint64_t
#define SORT_NAME(x) x##_u64
#define SORT_L 4
#define SORT_MASK int
#define SORT_FLIPPED(x) _mm256_xor_si256(x, _mm256_set1_epi64x(INT64_MIN))
#define SORT_MIN(x, y) _mm256_blendv_epi8(x, y, _mm256_cmpgt_epi64(x, y))
#define SORT_MAX(x, y) _mm256_blendv_epi8(y, x, _mm256_cmpgt_epi64(x, y))
#define SORT_LANE_KEEP(i, h) ((i) & (h) ? 4 + (i) : (i))
#define SORT_KEEP(x, y, h) \
	(SORT_V)__builtin_shufflevector((sort_4)SORT_MIN(x, y), (sort_4)SORT_MAX(x, y), SORT_4(SORT_LANE_KEEP, h))
#define SORT_PERMUTE(F, g, v) (SORT_V)__builtin_shufflevector((sort_4)(v), (sort_4)(v), SORT_4(F, g))
#define SORT_TWO(F, a, b) (SORT_V)__builtin_shufflevector((sort_4)(a), (sort_4)(b), SORT_4(F, 4))
#define SORT_LOAD_PART(p, n) SORT_FLIPPED(sort_load_words(p, 2 * (n)))
#define SORT_STORE_PART(p, n, v) sort_store_words(p, 2 * (n), SORT_FLIPPED(v))
#define SORT_SPLAT(x) _mm256_set1_epi64x((int64_t)((x) ^ (uint64_t)INT64_MIN))
#define SORT_BITS(x) _mm256_movemask_pd(_mm256_castsi256_pd(x))
#define SORT_LT(x, at) SORT_BITS(_mm256_cmpgt_epi64(at, SORT_FLIPPED(x)))
#define SORT_LE(x, at) (15 ^ SORT_BITS(_mm256_cmpgt_epi64(SORT_FLIPPED(x), at)))
#define SORT_SPREAD(front, back, m, x) SORT_STOREU(front, sort_permuted(sort_permutations_wide[m], x)), \
	SORT_STOREU(back, sort_permuted(sort_permutations_wide[15 ^ (m)], x))
#include "sort_quick.h"
#undef SORT_LANE_KEEP
#undef SORT_BITS
#undef SORT_FLIPPED
#undef SORT_V
#undef SORT_LOADU
#undef SORT_STOREU
