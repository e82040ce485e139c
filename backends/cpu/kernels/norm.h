// layer_norm and rms_norm over rows: mean first, then the mean of squared distances from it, so
// that a large mean does not cancel the variance.
#pragma once
#include "abi_norm.h"

// A block of a row; shorter rows are loaded once for all passes.
enum { NORM_BLOCK = 4096 };

#define NORM_SQUARES(name, T, V, VANY, L) \
	static double name(const T *p, int64_t n, T mean) { \
		V m = (V){} + mean, s0 = {}, s1 = {}, s2 = {}, s3 = {}; \
		int64_t i = 0; \
		for (; i + 4 * L <= n; i += 4 * L) { \
			V a = *(const VANY *)(p + i) - m, b = *(const VANY *)(p + i + L) - m; \
			V c = *(const VANY *)(p + i + 2 * L) - m, d = *(const VANY *)(p + i + 3 * L) - m; \
			s0 += a * a, s1 += b * b, s2 += c * c, s3 += d * d; \
		} \
		for (; i + L <= n; i += L) { \
			V a = *(const VANY *)(p + i) - m; \
			s0 += a * a; \
		} \
		s0 = (s0 + s1) + (s2 + s3); \
		T r = 0; \
		for (int j = 0; j < L; j++) r += s0[j]; \
		for (; i < n; i++) r += (p[i] - mean) * (p[i] - mean); \
		return r; \
	}
NORM_SQUARES(squares_f32, float, vf, vf_any, LANES)
NORM_SQUARES(squares_f64, double, vd, vd_any, LANES64)

#define NORM_APPLY(name, T) \
	static void layer_##name(const T *x, T *y, const T *restrict w, const T *restrict b, int64_t n, T mean, T scale) { \
		IVDEP for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * scale * w[i] + b[i]; \
	} \
	static void rms_##name(const T *x, T *y, const T *restrict w, int64_t n, T scale) { \
		IVDEP for (int64_t i = 0; i < n; i++) y[i] = x[i] * scale * w[i]; \
	}
NORM_APPLY(f32, float)
NORM_APPLY(f64, double)

static void norm_rows(const norm_args *g, int64_t lo, int64_t hi, int centered) {
	const row_dtype *d = &row_dtypes[g->dtype];
	char *buf = room_of_call; // 8 * NORM_BLOCK
	int64_t size = d->wide ? 8 : 4;
	int load = !d->direct || g->stride != 1, once = g->n <= NORM_BLOCK;
	for (int64_t u = lo; u < hi; u++) {
		const char *row = (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * d->in;
		char *out = (char *)g->out + walk_offset(u, g->kd, g->kshape, g->kout) * d->in;
		double mean = 0, squares = 0, scale = 0;
		for (int pass = centered ? 0 : 1; pass < 3; pass++) {
			for (int64_t i = 0; i < g->n; i += NORM_BLOCK) {
				int64_t m = g->n - i < NORM_BLOCK ? g->n - i : NORM_BLOCK;
				if (STOPPED(g->stop)) return;
				const void *x = row + i * g->stride * d->in;
				if (load) {
					if (!once || pass == (centered ? 0 : 1)) d->load(buf, x, g->stride, m);
					x = buf;
				}
				if (pass == 0) {
					mean += d->wide ? sum64_value(sum_f64_run(x, m)) : sum_f32_run(x, m);
				} else if (pass == 1) {
					squares += d->wide ? squares_f64(x, m, mean) : squares_f32(x, m, (float)mean);
				} else {
					const char *w = (const char *)g->weight + i * size, *b = (const char *)g->bias + i * size;
					void *y = d->direct ? (void *)(out + i * d->in) : buf;
					if (d->wide && centered) layer_f64(x, y, (const double *)w, (const double *)b, m, mean, scale);
					else if (d->wide) rms_f64(x, y, (const double *)w, m, scale);
					else if (centered) layer_f32(x, y, (const float *)w, (const float *)b, m, (float)mean,
						(float)scale);
					else rms_f32(x, y, (const float *)w, m, (float)scale);
					if (!d->direct) d->store(out + i * d->in, buf, m);
				}
			}
			if (pass == 0) mean /= g->n;
			if (pass == 1) scale = 1 / sqrt(squares / g->n + g->eps);
		}
	}
}

static void layer_norm(const void *args, int64_t lo, int64_t hi) { norm_rows(args, lo, hi, 1); }
static void rms_norm(const void *args, int64_t lo, int64_t hi) { norm_rows(args, lo, hi, 0); }
