// Quantizing groups of elements, and giving values of codes. backends/reference/quantize.go is the definition.
#pragma once
#include "abi_quantize.h"

enum { MAX_GROUP = 128 };

static const float fp4_values[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

// Keeps compilers from fusing the product v with a sum.
#if defined(__x86_64__)
#define ROUNDED_PRODUCT(v) __asm__("" : "+x"(v))
#else
#define ROUNDED_PRODUCT(v) __asm__("" : "+w"(v))
#endif

INL float e4m3_f32(uint8_t code) {
	// As a float16 the bits stand for 2^-8 times as much.
	uint16_t h = (uint16_t)((code & 127) << 7);
	float x = (code & 127) == 127 ? NAN : f16_f32(h) * 256;
	return code & 128 ? -x : x;
}

INL uint8_t f32_e4m3(float x) {
	uint32_t b = f32_bits(x), sign = b >> 24 & 128, m = b & 0x7fffffff;
	float a = bits_f32(m);
	if (!(a < 448)) return sign | 126;
	if (a < 0x1p-6f) return sign | (uint8_t)(f32_bits(a + 0x1p14f) - f32_bits(0x1p14f)); // the sum aligns and rounds
	return sign | (uint8_t)(((m + 0x7ffff + (m >> 20 & 1)) >> 20) - (120 << 3));
}

INL uint8_t f32_e2m1(float x) {
	float a = fabsf(x);
	if (a < 0x1p22f) {
		int code = (a > 0.25f) + (a > 0.75f) + (a > 1.25f) + (a > 1.75f) + (a > 2.5f) + (a > 3.5f) + (a > 5);
		return code ? code | (x < 0) << 3 : 0;
	}
	int code = 0; // distances round to the same number; the first of the nearest
	float least = a;
	for (int i = 1; i < 16; i++) {
		float d = fabsf(x - fp4_values[i]);
		if (d < least) least = d, code = i;
	}
	return code;
}

// The power of two with this E8M0 code.
INL float e8m0_f32(uint8_t code) {
	return code == 0 ? 0x1p-127f : code == 255 ? INFINITY : bits_f32((uint32_t)code << 23);
}

// The code of the least power of two that is not less than x, and that power.
INL uint8_t f32_e8m0(float x, float *power) {
	*power = 1;
	if (x == 0) return 127;
	*power = 0;
	if (!(x <= 0x1.fffffep127f)) return 128; // of no meaning
	int e;
	if (frexpf(x, &e) == 0.5f) e--;
	*power = ldexpf(1, e);
	return e + 127;
}

// Codes of bits bits each as a stream of bytes from the lowest bit on; n is a multiple of 16.
static void pack_codes(uint8_t *restrict dst, const uint8_t *restrict codes, int64_t n, int bits) {
	if (bits == 8) {
		memcpy(dst, codes, n);
		return;
	}
	for (int64_t i = 0; i < n; i += 8, dst += bits) {
		uint64_t v = 0;
		for (int j = 0; j < 8; j++) v |= (uint64_t)codes[i + j] << j * bits;
		memcpy(dst, &v, bits);
	}
}

#define UNPACK(bits) \
	case bits: \
		for (int64_t i = 0; i < n; i += 8, src += bits) { \
			uint64_t v = 0; \
			memcpy(&v, src, bits); \
			for (int j = 0; j < 8; j++) codes[i + j] = v >> j * bits & ((1 << bits) - 1); \
		} \
		break;
INL void unpack_codes(uint8_t *restrict codes, const uint8_t *restrict src, int64_t n, int bits) {
	switch (bits) {
	UNPACK(1) UNPACK(2) UNPACK(3) UNPACK(5) UNPACK(6)
	case 4:
		for (int64_t i = 0; i < n / 2; i++) codes[2 * i] = src[i] & 15, codes[2 * i + 1] = src[i] >> 4;
		break;
	default: memcpy(codes, src, n);
	}
}
#undef UNPACK

// Extremes of a group, without NaNs.
INL void group_extremes(const float *x, int64_t n, float *low, float *high) {
	vf l = vsplat(INFINITY), h = vsplat(-INFINITY);
	for (int64_t i = 0; i < n; i += LANES) {
		vf v = vload(x + i);
		l = vmin(v, l), h = vmax(v, h);
	}
	*low = l[0], *high = h[0];
	for (int i = 1; i < LANES; i++) {
		*low = l[i] < *low ? l[i] : *low;
		*high = h[i] > *high ? h[i] : *high;
	}
}

static void quantize_affine(const quantize_format *f, const float *x, uint8_t *codes, float *scale, float *bias) {
	const float last = (1 << f->bits) - 1;
	float low, high;
	group_extremes(x, f->group, &low, &high);
	float s = (high - low) / last;
	s = s > 1e-7f || s != s ? s : 1e-7f;
	float b = 0;
	if (f->bits == 1) {
		b = low;
		for (int i = 0; low == 0 && i < f->group; i++)
			if (x[i] == 0) { // zeros are alike but for their sign
				b = x[i];
				break;
			}
	} else {
		float edge = fabsf(low) > fabsf(high) ? low : high;
		if (!(fabsf(low) > fabsf(high))) s = -s;
		float steps = rintf(edge / s);
		if (steps != 0) s = edge / steps, b = edge;
	}
	for (int i = 0; i < f->group; i++) {
		float q = rintf((x[i] - b) / s);
		q = q > 0 ? q : 0;
		codes[i] = (int)(q < last ? q : last);
	}
	*scale = s, *bias = b;
}

static float half_rounded(float x, int dtype) {
	return dtype == DT_F32 ? x : dtype == DT_F16 ? f16_f32(f32_f16(x)) : bf16_f32(f32_bf16(x));
}

static uint8_t quantize_shared(const quantize_format *f, const float *x, uint8_t *codes, float unit) {
	float most = 0, scale;
	for (int i = 0; i < f->group; i++) {
		float m = fabsf(x[i]);
		if (!(m <= most) && most == most) most = m;
	}
	uint8_t code;
	if (f->mode == QUANTIZE_NVFP4) {
		code = f32_e4m3(most / 6 / unit);
		scale = e4m3_f32(code) * unit;
	} else {
		code = f32_e8m0(half_rounded(most / (f->mode == QUANTIZE_MXFP8 ? 448 : 6), f->dtype), &scale);
		if (scale == 0 && f->dtype != DT_F32) code = 0;
	}
	// 0/0 is negative on x86, and loses its sign as bfloat16.
	const uint8_t undefined = f->dtype == DT_BF16 ? 126 : 254;
	for (int i = 0; i < f->group; i++) {
		if (f->mode != QUANTIZE_MXFP8) codes[i] = f32_e2m1(x[i] / scale);
		else codes[i] = scale == 0 && x[i] == 0 ? undefined : f32_e4m3(x[i] / scale);
	}
	return code;
}

// The largest value counted in units of which 448 * 6 make the global scale.
enum { NVFP4_RANGE = 448 * 6 };

static void quantize(const void *args, int64_t lo, int64_t hi) {
	const quantize_args *g = args;
	const quantize_format *f = &g->f;
	const int64_t n = f->group, size = f->dtype == DT_F32 ? 4 : 2;
	float *x = (float *)room_of_call;
	uint8_t *codes = (uint8_t *)(x + MAX_GROUP);
	for (int64_t u = lo; u < hi; u++) {
		if (u % 4096 == 0 && STOPPED(g->stop)) return;
		const char *in = (const char *)g->in + u * n * size;
		if (size == 4) memcpy(x, in, n * 4);
		else gemm_widen(x, (const uint16_t *)in, n, f->dtype);
		if (f->mode != QUANTIZE_AFFINE) {
			float unit = g->global ? g->global[u / g->per] / NVFP4_RANGE : 1;
			((uint8_t *)g->scales)[u] = quantize_shared(f, x, codes, unit);
		} else {
			float scale, bias;
			quantize_affine(f, x, codes, &scale, &bias);
			if (size == 4) ((float *)g->scales)[u] = scale, ((float *)g->biases)[u] = bias;
			else {
				gemm_narrow((uint16_t *)g->scales + u, &scale, 1, f->dtype);
				gemm_narrow((uint16_t *)g->biases + u, &bias, 1, f->dtype);
			}
		}
		pack_codes((uint8_t *)g->words + u * n * f->bits / 8, codes, n, f->bits);
	}
}

INL float number_at(const void *p, int64_t i, int dtype) {
	return dtype == DT_F32 ? ((const float *)p)[i] : gemm_widen1(((const uint16_t *)p)[i], dtype);
}

// The numbers that n codes stand for before they are scaled.
INL void code_values(float *restrict v, const uint8_t *restrict codes, int64_t n, int mode) {
	switch (mode) {
	case QUANTIZE_AFFINE:
		for (int64_t i = 0; i < n; i++) v[i] = codes[i];
		break;
	case QUANTIZE_MXFP8:
		for (int64_t i = 0; i < n; i++) v[i] = e4m3_f32(codes[i]);
		break;
	default:
		for (int64_t i = 0; i < n; i++) v[i] = fp4_values[codes[i]];
	}
}

// The factor that the eight bits of a scale stand for.
INL float shared_scale(uint8_t code, int mode) { return mode == QUANTIZE_NVFP4 ? e4m3_f32(code) : e8m0_f32(code); }

// Reads 32 codes from memory that holds them from its first bit on, of which 16 bytes too many are loaded.
typedef struct {
	int mode, bits;
#if VB == 32
	__m256i bytes, shift, mask;
	__m256 values;
#elif VB == 64
	__m512i bytes, shift, mask;
	__m512 values;
#endif
} code_reader;

static void code_reader_for(code_reader *r, const quantize_format *f) {
	r->mode = f->mode, r->bits = f->bits;
#if VB >= 32
	// Lane j gets the byte in which its code begins, and the next one if it ends there.
	uint32_t bytes[LANES], shift[LANES];
	for (int j = 0; j < LANES; j++) {
		uint32_t at = j * f->bits, first = at / 8;
		shift[j] = at % 8;
		bytes[j] = 0x80800000 | (shift[j] + f->bits > 8 ? first + 1 : 0x80) << 8 | first;
	}
	memcpy(&r->bytes, bytes, VB);
	memcpy(&r->shift, shift, VB);
	memcpy(&r->values, fp4_values, VB);
	vu mask = (vu){} + ((1u << f->bits) - 1);
	memcpy(&r->mask, &mask, VB);
#endif
}

// The values of 32 codes before they are scaled.
INL void read_codes(vf *v, const uint8_t *p, const code_reader *r) {
#if VB == 32
	if (r->mode == QUANTIZE_MXFP8) {
		const __m128i fraction = _mm_set1_epi16(127), nan = _mm_set1_epi16(0x7e00);
		for (int t = 0; t < 4; t++) {
			// As a float16 the bits stand for 2^-8 times as much.
			__m128i b = _mm_cvtepu8_epi16(_mm_loadl_epi64((const void *)(p + 8 * t))), m = _mm_and_si128(b, fraction);
			__m128i h = _mm_or_si128(_mm_slli_epi16(m, 7), _mm_slli_epi16(_mm_xor_si128(b, m), 8));
			h = _mm_or_si128(h, _mm_and_si128(_mm_cmpeq_epi16(m, fraction), nan));
			v[t] = (vf)_mm256_cvtph_ps(h) * vsplat(256);
		}
		return;
	}
	for (int t = 0; t < 4; t++) {
		__m256i b = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(p + t * r->bits)));
		__m256i q = _mm256_srlv_epi32(_mm256_shuffle_epi8(b, r->bytes), r->shift);
		if (r->mode == QUANTIZE_AFFINE) v[t] = (vf)_mm256_cvtepi32_ps(_mm256_and_si256(q, r->mask));
		else { // bit 3 is the sign
			__m256i sign = _mm256_and_si256(_mm256_slli_epi32(q, 28), _mm256_set1_epi32(1u << 31));
			v[t] = (vf)_mm256_xor_ps(_mm256_permutevar8x32_ps(r->values, q), _mm256_castsi256_ps(sign));
		}
	}
#elif VB == 64
	if (r->mode == QUANTIZE_MXFP8) {
		const __m256i fraction = _mm256_set1_epi16(127), nan = _mm256_set1_epi16(0x7e00);
		for (int t = 0; t < 2; t++) {
			__m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(p + 16 * t)));
			__m256i m = _mm256_and_si256(b, fraction);
			__m256i h = _mm256_or_si256(_mm256_slli_epi16(m, 7), _mm256_slli_epi16(_mm256_xor_si256(b, m), 8));
			h = _mm256_or_si256(h, _mm256_and_si256(_mm256_cmpeq_epi16(m, fraction), nan));
			v[t] = (vf)_mm512_cvtph_ps(h) * vsplat(256);
		}
		return;
	}
	for (int t = 0; t < 2; t++) {
		__m512i b = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(p + 2 * t * r->bits)));
		__m512i q = _mm512_srlv_epi32(_mm512_shuffle_epi8(b, r->bytes), r->shift);
		if (r->mode == QUANTIZE_AFFINE) v[t] = (vf)_mm512_cvtepi32_ps(_mm512_and_si512(q, r->mask));
		else v[t] = (vf)_mm512_permutexvar_ps(q, r->values); // looks at four bits
	}
#else
	uint8_t codes[32];
	float x[32] __attribute__((aligned(VB)));
	unpack_codes(codes, p, 32, r->bits);
	code_values(x, codes, 32, r->mode);
	for (int t = 0; t < 32 / LANES; t++) v[t] = vload(x + t * LANES);
#endif
}

// The n values of a group, a multiple of 16, whose words may be read up to end.
INL void group_values(float *to, const uint8_t *words, const uint8_t *end, int n, const code_reader *r, float scale,
		float bias, int affine) {
	const vf s = vsplat(scale), b = vsplat(bias);
	for (int i = 0; i < n; i += 32, words += 4 * r->bits) {
		const int left = n - i < 32 ? n - i : 32;
		vf v[32 / LANES];
		if (end - words >= 4 * r->bits + 16) read_codes(v, words, r);
		else {
			uint8_t last[48] = {};
			memcpy(last, words, left * r->bits / 8);
			read_codes(v, last, r);
		}
		for (int t = 0; t < left / LANES; t++) {
			vf p = v[t] * s;
			ROUNDED_PRODUCT(p);
			vstore(to + i + t * LANES, affine ? p + b : p);
		}
	}
}

static void dequantize(const void *args, int64_t lo, int64_t hi) {
	const dequantize_args *g = args;
	const quantize_format *f = &g->f;
	const int64_t n = f->group, bytes = n * f->bits / 8;
	const int affine = f->mode == QUANTIZE_AFFINE, dtype = g->widened ? DT_F32 : f->dtype;
	const int size = dtype == DT_F64 ? 8 : dtype == DT_F32 ? 4 : 2;
	const uint8_t *end = g->end;
	float *v = (float *)room_of_call;
	code_reader r;
	code_reader_for(&r, f);
	for (int64_t u = lo; u < hi; u++) {
		if (u % 4096 == 0 && STOPPED(g->stop)) return;
		int64_t row = u / g->groups, column = u % g->groups, at = row * g->sstride + column;
		const uint8_t *words = (const uint8_t *)g->words + row * g->wstride + column * bytes;
		char *out = (char *)g->out + u * n * size;
		if (size == 8) {
			double s = affine ? ((const double *)g->scales)[at] : shared_scale(((const uint8_t *)g->scales)[at],
				f->mode);
			double b = affine ? ((const double *)g->biases)[at] : 0;
			if (g->global) s *= g->global[u / g->per] / NVFP4_RANGE;
			group_values(v, words, end, n, &r, 1, 0, 0);
			for (int64_t i = 0; i < n; i++) {
				double p = v[i] * s;
				ROUNDED_PRODUCT(p);
				((double *)out)[i] = affine ? p + b : p;
			}
			continue;
		}
		float s = affine ? number_at(g->scales, at, f->dtype) : shared_scale(((const uint8_t *)g->scales)[at], f->mode);
		float b = affine ? number_at(g->biases, at, f->dtype) : 0;
		if (g->global) s *= g->global[u / g->per] / NVFP4_RANGE;
		if (size == 4) {
			group_values((float *)out, words, end, n, &r, s, b, affine);
			continue;
		}
		// Halves round after each step.
		group_values(v, words, end, n, &r, half_rounded(s, dtype), 0, 0);
		gemm_narrow((uint16_t *)out, v, n, dtype);
		if (!affine) continue;
		gemm_widen(v, (const uint16_t *)out, n, dtype);
		for (int64_t i = 0; i < n; i += LANES) vstore(v + i, vload(v + i) + vsplat(b));
		gemm_narrow((uint16_t *)out, v, n, dtype);
	}
}
