// The loops that zrows.h lists. p[0] is the output, p[1..] are the inputs, n elements each,
// contiguous; the output may be one of the inputs.
#pragma once

typedef void (*row_fn)(int64_t n, void *const *p);

// Iterations are independent, even where the output is an input.
#if defined(__clang__)
#define IVDEP _Pragma("clang loop vectorize(assume_safety)")
#else
#define IVDEP _Pragma("GCC ivdep")
#endif

#define ROW1(name, O, A, a, body) \
	static void name(int64_t n, void *const *p) { \
		O *out = p[0]; \
		const A *in1 = p[1]; \
		IVDEP for (int64_t i = 0; i < n; i++) { \
			UNREAD A a = in1[i]; \
			out[i] = body; \
		} \
	}

#define ROW2(name, O, A, a, B, b, body) \
	static void name(int64_t n, void *const *p) { \
		O *out = p[0]; \
		const A *in1 = p[1]; \
		const B *in2 = p[2]; \
		IVDEP for (int64_t i = 0; i < n; i++) { \
			UNREAD A a = in1[i]; \
			UNREAD B b = in2[i]; \
			out[i] = body; \
		} \
	}

#define ROW3(name, O, A, a, B, b, C, c, body) \
	static void name(int64_t n, void *const *p) { \
		O *out = p[0]; \
		const A *in1 = p[1]; \
		const B *in2 = p[2]; \
		const C *in3 = p[3]; \
		IVDEP for (int64_t i = 0; i < n; i++) { \
			UNREAD A a = in1[i]; \
			UNREAD B b = in2[i]; \
			UNREAD C c = in3[i]; \
			out[i] = body; \
		} \
	}

// Functions whose vector form holds only for narrow arguments: the others of a block are done again, one by one, by the
// wide form. Every element goes through the vector loop, as loops that the compiler makes apart may round apart.
enum { NARROW_BLOCK = 256 };

#define ROW1_NARROW(name, O, A, a, body, narrow, wide) \
	static void name(int64_t n, void *const *p) { \
		for (int64_t at = 0; at < n; at += NARROW_BLOCK) { \
			int m = n - at < NARROW_BLOCK ? (int)(n - at) : NARROW_BLOCK, ok = 1; \
			O *out = (O *)p[0] + at; \
			const A *in1 = (const A *)p[1] + at; \
			A kept1[NARROW_BLOCK]; \
			for (int i = 0; i < m; i++) { \
				UNREAD A a = in1[i]; \
				ok &= narrow; \
			} \
			if (__builtin_expect(!ok, 0)) memcpy(kept1, in1, m * sizeof(A)); \
			IVDEP for (int i = 0; i < m; i++) { \
				UNREAD A a = in1[i]; \
				out[i] = body; \
			} \
			if (__builtin_expect(ok, 1)) continue; \
			for (int i = 0; i < m; i++) { \
				A a = kept1[i]; \
				if (!(narrow)) out[i] = wide; \
			} \
		} \
	}

#define ROW2_NARROW(name, O, A, a, B, b, body, narrow, wide) \
	static void name(int64_t n, void *const *p) { \
		for (int64_t at = 0; at < n; at += NARROW_BLOCK) { \
			int m = n - at < NARROW_BLOCK ? (int)(n - at) : NARROW_BLOCK, ok = 1; \
			O *out = (O *)p[0] + at; \
			const A *in1 = (const A *)p[1] + at; \
			const B *in2 = (const B *)p[2] + at; \
			A kept1[NARROW_BLOCK]; \
			B kept2[NARROW_BLOCK]; \
			for (int i = 0; i < m; i++) { \
				UNREAD A a = in1[i]; \
				UNREAD B b = in2[i]; \
				ok &= narrow; \
			} \
			if (__builtin_expect(!ok, 0)) memcpy(kept1, in1, m * sizeof(A)), memcpy(kept2, in2, m * sizeof(B)); \
			IVDEP for (int i = 0; i < m; i++) { \
				UNREAD A a = in1[i]; \
				UNREAD B b = in2[i]; \
				out[i] = body; \
			} \
			if (__builtin_expect(ok, 1)) continue; \
			for (int i = 0; i < m; i++) { \
				A a = kept1[i]; \
				B b = kept2[i]; \
				if (!(narrow)) out[i] = wide; \
			} \
		} \
	}

// Rows of one operator on halves, whose arguments are vectors of float32 as well as numbers: on their way to memory of
// float32 and back they would be loaded and stored four times.
#define ROW1_HALF(name, half, a, body) \
	static void name(int64_t n, void *const *p) { \
		uint16_t *out = p[0]; \
		const uint16_t *in1 = p[1]; \
		int64_t i = 0; \
		for (; i + 2 * LANES <= n; i += 2 * LANES) { \
			vf a1, a2; \
			vload2_##half(in1 + i, &a1, &a2); \
			vf a = a1, r = body; \
			a = a2; \
			vstore2_##half(out + i, r, body); \
		} \
		for (; i < n; i++) { \
			float a = half##_f32(in1[i]); \
			out[i] = f32_##half(body); \
		} \
	}

#define ROW2_HALF(name, half, a, b, body) \
	static void name(int64_t n, void *const *p) { \
		uint16_t *out = p[0]; \
		const uint16_t *in1 = p[1], *in2 = p[2]; \
		int64_t i = 0; \
		for (; i + 2 * LANES <= n; i += 2 * LANES) { \
			vf a1, a2, b1, b2; \
			vload2_##half(in1 + i, &a1, &a2); \
			vload2_##half(in2 + i, &b1, &b2); \
			vf a = a1, b = b1, r = body; \
			a = a2, b = b2; \
			vstore2_##half(out + i, r, body); \
		} \
		for (; i < n; i++) { \
			float a = half##_f32(in1[i]), b = half##_f32(in2[i]); \
			out[i] = f32_##half(body); \
		} \
	}

#include "zrows.h"
