// Vectors of VB bytes as GNU vector extensions, for kernels that auto-vectorisation does not serve.
#pragma once

#define INL static inline __attribute__((always_inline))
// What a macro makes for all its uses and some leave alone: the imaginary part of a real number reads no argument.
#define UNREAD __attribute__((unused))
#define LANES (VB / 4)

typedef float vf __attribute__((vector_size(VB)));
typedef int32_t vi __attribute__((vector_size(VB)));
typedef uint32_t vu __attribute__((vector_size(VB)));
typedef vf vf_any __attribute__((aligned(4), may_alias)); // at any float's address
typedef vi vi_any __attribute__((aligned(4), may_alias));

INL vf vload(const void *p) { return *(const vf_any *)p; }
INL void vstore(void *p, vf v) { *(vf_any *)p = v; }
INL vf vsplat(float x) { return x - (vf){}; }
INL vf vselect(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }

// The larger and the smaller, second operand when either is NaN (the x86 instruction's rule).
#if defined(__AVX512F__) && VB == 64
INL vf vmax(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
INL vf vmin(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
#elif defined(__AVX__) && VB == 32
INL vf vmax(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
INL vf vmin(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
#else
INL vf vmax(vf a, vf b) { return vselect(a > b, a, b); }
INL vf vmin(vf a, vf b) { return vselect(a < b, a, b); }
#endif

INL float vsum(vf v) {
	float s = 0;
	for (int i = 0; i < LANES; i++) s += v[i];
	return s;
}

INL float bits_f32(uint32_t u) {
	float f;
	memcpy(&f, &u, 4);
	return f;
}

INL uint32_t f32_bits(float f) {
	uint32_t u;
	memcpy(&u, &f, 4);
	return u;
}
