// Matrix multiplication: the entries, and the element types for which the templates are made.
#pragma once
#include "abi_gemm.h"

#if VB == 64 || defined(__aarch64__)
#define GEMM_MR 12 // with two vectors a row, 24 of 32 registers hold sums
#define ROWS_MR ROWS12
#else
#define GEMM_MR 6
#define ROWS_MR ROWS6
#endif
// A block of a lies in L2, which has 1 MiB or more on every processor of x86-64-v4.
enum { GEMM_ABLOCK = (VB == 64 ? 272 : 160) << 10 };
_Static_assert((int)GEMM_ABLOCK <= (int)SCRATCH_BYTES, "a block of a lies in the room of the call");

#define ROWS1(X) X(0)
#define ROWS2(X) ROWS1(X) X(1)
#define ROWS3(X) ROWS2(X) X(2)
#define ROWS4(X) ROWS3(X) X(3)
#define ROWS5(X) ROWS4(X) X(4)
#define ROWS6(X) ROWS5(X) X(5)
#define ROWS7(X) ROWS6(X) X(6)
#define ROWS8(X) ROWS7(X) X(7)
#define ROWS9(X) ROWS8(X) X(8)
#define ROWS10(X) ROWS9(X) X(9)
#define ROWS11(X) ROWS10(X) X(10)
#define ROWS12(X) ROWS11(X) X(11)

INL void gemm_widen(float *dst, const uint16_t *src, int64_t n, int dtype) {
	if (dtype == DT_BF16) bf16_widen(dst, src, n);
	else f16_widen(dst, src, n);
}
INL float gemm_widen1(uint16_t h, int dtype) { return dtype == DT_BF16 ? bf16_f32(h) : f16_f32(h); }
INL void gemm_narrow(uint16_t *dst, const float *src, int64_t n, int dtype) {
	if (dtype == DT_BF16) bf16_narrow(dst, src, n);
	else f16_narrow(dst, src, n);
}

#define T float
#define TN(name) name##_f32
#include "gemm_tile.h"
#include "gemm_pairs.h"
#include "gemm_drive.h"
#define DOT_MULTIPLY(c, x, y) c += x * y;
#define A float
#define S float
#define SN(name) name##_f32
#define SLOAD TLOAD
#define DLOAD TLOAD
#define DSTEP DOT_MULTIPLY
#define DSPAN TL
#define SCAST(x) (x)
#include "gemm_dot.h"
#include "gemm_sweep.h"
#undef S
#undef SN
#undef SLOAD
#undef SCAST
#define S uint16_t
#define SN(name) name##_f16
#define SLOAD vload_f16
#define SCAST f16_f32
#include "gemm_dot.h"
#include "gemm_sweep.h"
#undef SN
#undef SLOAD
#undef SCAST
#define SN(name) name##_bf16
#define SLOAD vload_bf16
#define SCAST bf16_f32
#include "gemm_sweep.h"
#ifdef PAIRS // a is bfloat16, too
#undef A
#undef SLOAD
#undef DLOAD
#undef DSTEP
#undef DSPAN
#define A uint16_t
#define SLOAD vload_pairs
#define DLOAD vload_pairs
#define DSTEP PAIRS
#define DSPAN (2 * TL)
#endif
#include "gemm_dot.h"
#undef A
#undef S
#undef SN
#undef SLOAD
#undef SCAST
#undef DLOAD
#undef DSTEP
#undef DSPAN
#undef T
#undef TN

#define T double
#define TN(name) name##_f64
#include "gemm_tile.h"
#include "gemm_drive.h"
#define A double
#define S double
#define SN(name) name##_f64
#define SLOAD TLOAD
#define DLOAD TLOAD
#define DSTEP DOT_MULTIPLY
#define DSPAN TL
#define SCAST(x) (x)
#include "gemm_dot.h"
#include "gemm_sweep.h"
#undef A
#undef S
#undef SN
#undef SLOAD
#undef SCAST
#undef DLOAD
#undef DSTEP
#undef DSPAN
#undef T
#undef TN

static void gemm_tiles(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	if (g->dtype == DT_F64) gemm_tiles_f64(g, lo, hi);
	else gemm_tiles_f32(g, lo, hi);
}

static void gemm_dots(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	switch (g->dtype) {
	case DT_F64: gemm_dots_f64(g, lo, hi); break;
	case DT_F16: gemm_dots_f16(g, lo, hi); break;
	case DT_BF16: gemm_dots_bf16(g, lo, hi); break;
	default: gemm_dots_f32(g, lo, hi);
	}
}

static void gemm_sweep(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	switch (g->dtype) {
	case DT_F64: gemm_sweep_f64(g, lo, hi); break;
	case DT_F16: gemm_sweep_f16(g, lo, hi); break;
	case DT_BF16: gemm_sweep_bf16(g, lo, hi); break;
	default: gemm_sweep_f32(g, lo, hi);
	}
}

static void gemm_pack(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	if (g->dtype == DT_F64) gemm_pack_f64(g, lo, hi);
	else gemm_pack_f32(g, lo, hi);
}

static void gemm_block(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	if (g->dtype == DT_F64) gemm_block_f64(g, lo, hi);
	else gemm_block_f32(g, lo, hi);
}

// Rows lo..hi of a, counted through the batch, as contiguous rows of float32, or float64, at packed: what the
// kernels that do not pack a read it from when it is a half or does not run along k. With g->pairs halves stay halves.
static void gemm_rows(const void *args, int64_t lo, int64_t hi) {
	const gemm_args *g = args;
	const int64_t s = g->acs;
	for (; lo < hi; lo++) {
		int64_t item = lo / g->m, row = lo % g->m * g->ars;
		for (int64_t x = g->axes - 1; x >= 0; x--) row += item % g->shape[x] * g->astep[x], item /= g->shape[x];
		for (int64_t from = 0, k; from < g->k; from += k) {
			k = g->k - from < STOP_WORK ? g->k - from : STOP_WORK;
			if (STOPPED(g->stop)) return;
			int64_t at = row + from * s, to = lo * g->k + from;
			if (g->dtype == DT_F64) {
				const double *a = (const double *)g->a + at;
				double *d = (double *)g->packed + to;
				for (int64_t p = 0; p < k; p++) d[p] = a[p * s];
				continue;
			}
			float *d = (float *)g->packed + to;
			if (g->dtype == DT_F32) {
				const float *a = (const float *)g->a + at;
				for (int64_t p = 0; p < k; p++) d[p] = a[p * s];
			} else {
				const uint16_t *a = (const uint16_t *)g->a + at;
				if (g->pairs) {
					uint16_t *h = (uint16_t *)g->packed + to;
					for (int64_t p = 0; p < k; p++) h[p] = a[p * s];
				} else if (s == 1) gemm_widen(d, a, k, g->dtype);
				else for (int64_t p = 0; p < k; p++) d[p] = gemm_widen1(a[p * s], g->dtype);
			}
		}
	}
}

#include "gemm_complex.h"

static void gemm_level(const void *args, int64_t lo, int64_t hi) {
	(void)lo, (void)hi;
	*(gemm_level_args *)args = (gemm_level_args){VB, GEMM_MR, GEMM_ABLOCK, GEMM_HAS_PAIRS};
}
