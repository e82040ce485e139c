// float16 and bfloat16 to float32 and back, one by one, by vectors and by ranges.
// Rounding is to nearest, ties to even; NaNs stay NaNs.
#pragma once

typedef uint16_t vh __attribute__((vector_size(VB / 2)));
typedef vh vh_any __attribute__((aligned(2), may_alias));

INL float f16_f32(uint16_t h) {
	// The exponent is rebiased by a multiplication, which also normalizes subnormals.
	uint32_t e = (uint32_t)(h & 0x7fff) << 13;
	float f = bits_f32(e) * 0x1p112f;
	uint32_t special = (h & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
	return bits_f32(f32_bits(f) | special | (uint32_t)(h & 0x8000) << 16);
}

INL uint16_t f32_f16(float f) {
	uint32_t b = f32_bits(f), sign = b >> 16 & 0x8000, m = b & 0x7fffffff;
	uint32_t normal = (m - 0x38000000 + 0xfff + (m >> 13 & 1)) >> 13;
	uint32_t small = f32_bits(bits_f32(m) + 0.5f) - 0x3f000000; // the addition aligns and rounds
	uint32_t h = m < 0x38800000 ? small : normal;
	h = m >= 0x477ff000 ? 0x7c00 : h;
	h = m > 0x7f800000 ? 0x7e00 : h;
	return h | sign;
}

INL float bf16_f32(uint16_t h) { return bits_f32((uint32_t)h << 16); }

INL uint16_t f32_bf16(float f) {
	uint32_t b = f32_bits(f);
	uint32_t r = (b + 0x7fff + (b >> 16 & 1)) >> 16;
	return (b & 0x7fffffff) > 0x7f800000 ? b >> 16 | 0x40 : r;
}

// One vector of float32 from and to memory that holds halves. Compilers make two halves of a vector of AVX of what
// __builtin_convertvector says, so it has instructions of its own.
#if VB == 64 && defined(__AVX512F__)
INL vf vload_bf16(const uint16_t *p) {
	return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)p)), 16);
}
// A rounded number in the lower half of its word.
INL __m512i round_bf16(vf v) {
	__m512i b = (__m512i)v, h = _mm512_srli_epi32(b, 16);
	__m512i odd = _mm512_and_si512(h, _mm512_set1_epi32(1)), r = _mm512_add_epi32(b, _mm512_set1_epi32(0x7fff));
	return _mm512_mask_or_epi32(_mm512_srli_epi32(_mm512_add_epi32(r, odd), 16),
		_mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q), h, _mm512_set1_epi32(0x40));
}
INL void vstore_bf16(uint16_t *p, vf v) { _mm256_storeu_si256((void *)p, _mm512_cvtepi32_epi16(round_bf16(v))); }
#define BF16_V __m512i
#define BF16_LOAD(p) _mm512_loadu_si512(p)
#define BF16_STORE(p, x) _mm512_storeu_si512(p, x)
#define BF16_LOW(x) (vf)_mm512_unpacklo_epi16(_mm512_setzero_si512(), x)
#define BF16_HIGH(x) (vf)_mm512_unpackhi_epi16(_mm512_setzero_si512(), x)
#define BF16_PACK _mm512_packus_epi32
#elif VB == 32 && defined(__AVX2__)
INL vf vload_bf16(const uint16_t *p) {
	return (vf)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)p)), 16);
}
// A rounded number in the lower half of its word.
INL __m256i round_bf16(vf v) {
	__m256i b = (__m256i)v, h = _mm256_srli_epi32(b, 16);
	__m256i odd = _mm256_and_si256(h, _mm256_set1_epi32(1)), r = _mm256_add_epi32(b, _mm256_set1_epi32(0x7fff));
	return _mm256_blendv_epi8(_mm256_srli_epi32(_mm256_add_epi32(r, odd), 16),
		_mm256_or_si256(h, _mm256_set1_epi32(0x40)), (__m256i)_mm256_cmp_ps((__m256)v, (__m256)v, _CMP_UNORD_Q));
}
INL void vstore_bf16(uint16_t *p, vf v) {
	__m256i r = round_bf16(v);
	_mm_storeu_si128((void *)p, _mm_packus_epi32(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1)));
}
#define BF16_V __m256i
#define BF16_LOAD(p) _mm256_loadu_si256((const void *)(p))
#define BF16_STORE(p, x) _mm256_storeu_si256((void *)(p), x)
#define BF16_LOW(x) (vf)_mm256_unpacklo_epi16(_mm256_setzero_si256(), x)
#define BF16_HIGH(x) (vf)_mm256_unpackhi_epi16(_mm256_setzero_si256(), x)
#define BF16_PACK _mm256_packus_epi32
#else
INL vf vload_bf16(const uint16_t *p) {
	return (vf)(__builtin_convertvector(*(const vh_any *)p, vu) << 16);
}
INL void vstore_bf16(uint16_t *p, vf v) {
	vu b = (vu)v, r = (b + 0x7fffu + (b >> 16 & 1)) >> 16;
	vu nan = (vu)(v != v);
	r = (r & ~nan) | ((b >> 16 | 0x40u) & nan);
	*(vh_any *)p = __builtin_convertvector(r, vh);
}
#endif

#if VB == 64 && defined(__AVX512F__)
INL vf vload_f16(const uint16_t *p) { return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const void *)p)); }
INL void vstore_f16(uint16_t *p, vf v) { _mm256_storeu_si256((void *)p, _mm512_cvtps_ph((__m512)v, 0)); }
#elif VB == 32 && defined(__F16C__)
INL vf vload_f16(const uint16_t *p) { return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const void *)p)); }
INL void vstore_f16(uint16_t *p, vf v) { _mm_storeu_si128((void *)p, _mm256_cvtps_ph((__m256)v, 0)); }
#elif defined(__aarch64__)
INL vf vload_f16(const uint16_t *p) { return (vf)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
INL void vstore_f16(uint16_t *p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)v))); }
#else
INL vf vload_f16(const uint16_t *p) {
	vu h = __builtin_convertvector(*(const vh_any *)p, vu);
	vf f = (vf)((h & 0x7fff) << 13) * vsplat(0x1p112f);
	vu special = (vu)((h & 0x7c00) == 0x7c00) & 0x7f800000;
	return (vf)((vu)f | special | (h & 0x8000) << 16);
}
INL void vstore_f16(uint16_t *p, vf v) {
	for (int i = 0; i < LANES; i++) p[i] = f32_f16(v[i]);
}
#endif

// Two vectors at once, for loops that work on each element alone: which of the two has an element is left open.
#ifdef BF16_V
INL void vload2_bf16(const uint16_t *p, vf *x, vf *y) {
	BF16_V h = BF16_LOAD(p);
	*x = BF16_LOW(h), *y = BF16_HIGH(h);
}
INL void vstore2_bf16(uint16_t *p, vf x, vf y) { BF16_STORE(p, BF16_PACK(round_bf16(x), round_bf16(y))); }
#undef BF16_V
#undef BF16_LOAD
#undef BF16_STORE
#undef BF16_LOW
#undef BF16_HIGH
#undef BF16_PACK
#else
INL void vload2_bf16(const uint16_t *p, vf *x, vf *y) { *x = vload_bf16(p), *y = vload_bf16(p + LANES); }
INL void vstore2_bf16(uint16_t *p, vf x, vf y) { vstore_bf16(p, x), vstore_bf16(p + LANES, y); }
#endif
INL void vload2_f16(const uint16_t *p, vf *x, vf *y) { *x = vload_f16(p), *y = vload_f16(p + LANES); }
INL void vstore2_f16(uint16_t *p, vf x, vf y) { vstore_f16(p, x), vstore_f16(p + LANES, y); }

// Ranges. dst and src may not overlap.
#define HALF_RANGES(name) \
	static void name##_widen(float *restrict dst, const uint16_t *restrict src, int64_t n) { \
		int64_t whole = n / LANES * LANES; \
		for (int64_t i = 0; i < whole; i += LANES) vstore(dst + i, vload_##name(src + i)); \
		for (int64_t i = whole; i < n; i++) dst[i] = name##_f32(src[i]); \
	} \
	static void name##_narrow(uint16_t *restrict dst, const float *restrict src, int64_t n) { \
		int64_t whole = n / LANES * LANES; \
		for (int64_t i = 0; i < whole; i += LANES) vstore_##name(dst + i, vload(src + i)); \
		for (int64_t i = whole; i < n; i++) dst[i] = f32_##name(src[i]); \
	}
HALF_RANGES(f16)
HALF_RANGES(bf16)
