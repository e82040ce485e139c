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

// One vector of float32 from and to memory that holds halves.
INL vf vload_bf16(const uint16_t *p) {
	return (vf)(__builtin_convertvector(*(const vh_any *)p, vu) << 16);
}

INL void vstore_bf16(uint16_t *p, vf v) {
	vu b = (vu)v, r = (b + 0x7fffu + (b >> 16 & 1)) >> 16;
	vu nan = (vu)(v != v);
	r = (r & ~nan) | ((b >> 16 | 0x40u) & nan);
	*(vh_any *)p = __builtin_convertvector(r, vh);
}

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
