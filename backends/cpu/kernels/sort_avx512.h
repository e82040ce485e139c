// The instructions of the vector sort in AVX-512.

#define SORT_V __m512i
#define SORT_LOADU(p) _mm512_loadu_si512(p)
// Lanes with bit h of their number set; and the first n.
#define SORT_UPPER(h) ((SORT_MASK)((h) == 1 ? 0xaaaa : (h) == 2 ? 0xcccc : (h) == 4 ? 0xf0f0 : 0xff00))
#define SORT_PART(n) ((n) >= SORT_L ? (SORT_MASK)-1 : (n) <= 0 ? 0 : (SORT_MASK)((1u << (n)) - 1))
// A list of lanes that a macro makes counts as one argument until it is handed on.
#define SORT_SETR(bits, ...) SORT_SETR_(bits, __VA_ARGS__)
#define SORT_SETR_(bits, ...) _mm512_setr_epi##bits(__VA_ARGS__)

#define SORT_T uint32_t
#define SORT_NAME(x) x##_u32
#define SORT_L 16
#define SORT_MASK __mmask16
#define SORT_MIN _mm512_min_epu32
#define SORT_MAX _mm512_max_epu32
#define SORT_MASK_MAX _mm512_mask_max_epu32
#define SORT_PERMUTE(F, g, v) _mm512_permutexvar_epi32(SORT_SETR(32, SORT_16(F, g)), v)
#define SORT_TWO(F, a, b) _mm512_permutex2var_epi32(a, SORT_SETR(32, SORT_16(F, 16)), b)
#define SORT_MASK_LOAD _mm512_mask_loadu_epi32
#define SORT_MASK_STORE _mm512_mask_storeu_epi32
#define SORT_COMPRESS _mm512_maskz_compress_epi32
#define SORT_LT _mm512_cmplt_epu32_mask
#define SORT_LE _mm512_cmple_epu32_mask
#define SORT_SPLAT(x) _mm512_set1_epi32((int)(x))
#define SORT_KEEP(x, y, h) SORT_MASK_MAX(SORT_MIN(x, y), SORT_UPPER(h), x, y)
#define SORT_LOAD_PART(p, n) SORT_MASK_LOAD(_mm512_set1_epi64(-1), SORT_PART(n), p)
#define SORT_STORE_PART(p, n, v) SORT_MASK_STORE(p, SORT_PART(n), v)
#define SORT_SPREAD(front, back, m, x) \
	_mm512_storeu_si512(front, SORT_COMPRESS(m, x)), _mm512_storeu_si512(back, SORT_COMPRESS((SORT_MASK)~(m), x))
#include "sort_quick.h"

#define SORT_T uint64_t
#define SORT_NAME(x) x##_u64
#define SORT_L 8
#define SORT_MASK __mmask8
#define SORT_MIN _mm512_min_epu64
#define SORT_MAX _mm512_max_epu64
#define SORT_MASK_MAX _mm512_mask_max_epu64
#define SORT_PERMUTE(F, g, v) _mm512_permutexvar_epi64(SORT_SETR(64, SORT_8(F, g)), v)
#define SORT_TWO(F, a, b) _mm512_permutex2var_epi64(a, SORT_SETR(64, SORT_8(F, 8)), b)
#define SORT_MASK_LOAD _mm512_mask_loadu_epi64
#define SORT_MASK_STORE _mm512_mask_storeu_epi64
#define SORT_COMPRESS _mm512_maskz_compress_epi64
#define SORT_LT _mm512_cmplt_epu64_mask
#define SORT_LE _mm512_cmple_epu64_mask
#define SORT_SPLAT(x) _mm512_set1_epi64((long long)(x))
#define SORT_KEEP(x, y, h) SORT_MASK_MAX(SORT_MIN(x, y), SORT_UPPER(h), x, y)
#define SORT_LOAD_PART(p, n) SORT_MASK_LOAD(_mm512_set1_epi64(-1), SORT_PART(n), p)
#define SORT_STORE_PART(p, n, v) SORT_MASK_STORE(p, SORT_PART(n), v)
#define SORT_SPREAD(front, back, m, x) \
	_mm512_storeu_si512(front, SORT_COMPRESS(m, x)), _mm512_storeu_si512(back, SORT_COMPRESS((SORT_MASK)~(m), x))
#include "sort_quick.h"
#undef SORT_V
#undef SORT_LOADU
#undef SORT_UPPER
#undef SORT_PART
#undef SORT_SETR
#undef SORT_SETR_
