// Rotary position embedding. The angles of a step are the same for all rows at it: sines and cosines are computed once
// for the rows of all heads. Angles are float64, so that positions of any size keep their fraction of a turn.
#pragma once
#include "abi_rope.h"

// What a pair turns by at a step.
static void rope_frequencies(const rope_args *g, int64_t b, double *restrict f) {
	int64_t half = g->dims / 2;
	if (g->freqs) {
		for (int64_t j = 0; j < half; j++) {
			int64_t at = b * g->fb + j * g->fd;
			f[j] = 1 / (g->dtype == DT_F64 ? ((const double *)g->freqs)[at] : (double)((const float *)g->freqs)[at]);
		}
	} else {
		double step = -log(g->base) / half;
		for (int64_t j = 0; j < half; j++) f[j] = softmax_exp64(j * step);
	}
}

// Angles beyond this have no place for their quadrant in a float64's low bits.
#define ROPE_BOUND 0x1p40

// Sines and cosines of at * f[j]: the angle less the nearest multiple of pi/2, whose quadrant is in the low bits of z.
static void rope_turns(const double *restrict f, double at, int64_t half, float *restrict sin_, float *restrict cos_) {
	double most = 0;
	for (int64_t j = 0; j < half; j++) {
		double a = fabs(at * f[j]);
		most = a > most ? a : most;
	}
	if (!(most < ROPE_BOUND)) {
		for (int64_t j = 0; j < half; j++) sin_[j] = (float)sin(at * f[j]), cos_[j] = (float)cos(at * f[j]);
		return;
	}
	for (int64_t j = 0; j < half; j++) {
		double a = at * f[j], z = a * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = z - 0x1.8p52;
		double r = (a - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34;
		uint64_t bits;
		memcpy(&bits, &z, 8);
		uint32_t q = (uint32_t)bits;
		float s = f32_sin_poly((float)r), c = f32_cos_poly((float)r);
		float y = q & 1 ? c : s, x = q & 1 ? s : c;
		sin_[j] = bits_f32(f32_bits(y) ^ (q & 2) << 30);
		cos_[j] = bits_f32(f32_bits(x) ^ ((q + 1) & 2) << 30);
	}
}

// Neighbors change places.
typedef uint64_t vq __attribute__((vector_size(VB)));
INL vf rope_swap(vf v) { return (vf)((vq)v << 32 | (vq)v >> 32); }

// One row: halves[dims] of cosines and sines, of neighbors each written twice, the first sine negative.
#define ROPE_ROW(name, T, LOAD, STORE, WIDEN, NARROW) \
	static void rope_##name(const T *restrict x, T *restrict y, const float *restrict c, const float *restrict s, \
		int64_t dims, int64_t d, int64_t traditional) { \
		int64_t half = dims / 2, j = 0; \
		if (traditional) { \
			for (; j + LANES <= dims; j += LANES) { \
				vf v = LOAD(x + j); \
				STORE(y + j, v * vload(c + j) + rope_swap(v) * vload(s + j)); \
			} \
			for (; j < dims; j += 2) { \
				float a = WIDEN(x[j]), b = WIDEN(x[j + 1]); \
				y[j] = NARROW(a * c[j] + b * s[j]), y[j + 1] = NARROW(b * c[j + 1] + a * s[j + 1]); \
			} \
		} else { \
			for (; j + LANES <= half; j += LANES) { \
				vf a = LOAD(x + j), b = LOAD(x + half + j), cos = vload(c + j), sin = vload(s + j); \
				STORE(y + j, a * cos - b * sin); \
				STORE(y + half + j, a * sin + b * cos); \
			} \
			for (; j < half; j++) { \
				float a = WIDEN(x[j]), b = WIDEN(x[half + j]); \
				y[j] = NARROW(a * c[j] - b * s[j]), y[half + j] = NARROW(a * s[j] + b * c[j]); \
			} \
		} \
		if (dims < d) memcpy(y + dims, x + dims, (d - dims) * sizeof(T)); \
	}
#define ROPE_SAME(x) (x)
ROPE_ROW(f32, float, vload, vstore, ROPE_SAME, ROPE_SAME)
ROPE_ROW(f16, uint16_t, vload_f16, vstore_f16, f16_f32, f32_f16)
ROPE_ROW(bf16, uint16_t, vload_bf16, vstore_bf16, bf16_f32, f32_bf16)

static void rope_f64(const double *x, int64_t xd, double *y, const double *c, const double *s, const rope_args *g) {
	int64_t half = g->dims / 2, apart = g->traditional ? 1 : half, step = g->traditional ? 2 : 1;
	for (int64_t j = 0; j < half; j++) {
		int64_t at = j * step;
		double a = x[at * xd], b = x[(at + apart) * xd];
		y[at] = a * c[j] - b * s[j], y[at + apart] = a * s[j] + b * c[j];
	}
	for (int64_t j = g->dims; j < g->d; j++) y[j] = x[j * xd];
}

// Elements of a row that are not neighbors in memory come to lie side by side.
static void rope_gather(void *restrict to, const char *from, int64_t step, int64_t n, int64_t size) {
	if (size == 2) for (int64_t i = 0; i < n; i++) ((uint16_t *)to)[i] = ((const uint16_t *)from)[i * step];
	else for (int64_t i = 0; i < n; i++) ((float *)to)[i] = ((const float *)from)[i * step];
}

// The table of the step: sines at s, cosines behind them.
static void rope_step(const rope_args *g, const double *f, double position, float *s) {
	int64_t half = g->dims / 2;
	double at = position * g->scale * (g->inverse ? -1 : 1);
	if (g->dtype == DT_F64) {
		double *wide = (double *)s;
		for (int64_t j = 0; j < half; j++) wide[j] = sin(at * f[j]), wide[half + j] = cos(at * f[j]);
		return;
	}
	if (!g->traditional) {
		rope_turns(f, at, half, s, s + g->dims);
		return;
	}
	float *sines = s + 2 * g->dims, *cosines = sines + half;
	rope_turns(f, at, half, sines, cosines);
	for (int64_t j = 0; j < half; j++) {
		s[2 * j] = -sines[j], s[2 * j + 1] = sines[j];
		s[g->dims + 2 * j] = s[g->dims + 2 * j + 1] = cosines[j];
	}
}

static void rope_row(const rope_args *g, const char *x, char *y, const float *s, void *side) {
	int64_t size = dtype_size[g->dtype];
	const float *c = s + g->dims;
	if (g->dtype == DT_F64) {
		rope_f64((const double *)x, g->xd, (double *)y, (const double *)s + g->dims / 2, (const double *)s, g);
		return;
	}
	if (g->xd != 1) rope_gather(side, x, g->xd, g->d, size), x = side;
	if (g->dtype == DT_F32) rope_f32((const float *)x, (float *)y, c, s, g->dims, g->d, g->traditional);
	else if (g->dtype == DT_F16) rope_f16((const uint16_t *)x, (uint16_t *)y, c, s, g->dims, g->d, g->traditional);
	else rope_bf16((const uint16_t *)x, (uint16_t *)y, c, s, g->dims, g->d, g->traditional);
}

static void rope(const void *args, int64_t lo, int64_t hi) {
	const rope_args *g = args;
	int64_t size = dtype_size[g->dtype], last = -1, room = 3 * g->dims;
	double *f = g->angles;
	float *tables = (float *)(f + g->dims / 2), *side = tables + ROPE_STEPS * room;
	for (int64_t u = lo; u < hi; u++) {
		int64_t b = u / g->units, from = u % g->units * ROPE_STEPS;
		int64_t to = from + ROPE_STEPS < g->t ? from + ROPE_STEPS : g->t;
		int64_t start = g->offset + (g->offsets ? g->offsets[b] : 0);
		if (last < 0 || (g->freqs && b != last)) rope_frequencies(g, b, f);
		last = b;
		for (int64_t t = from; t < to; t++) rope_step(g, f, (double)(start + t), tables + (t - from) * room);
		for (int64_t i = 0; i < g->n; i++) {
			if (STOPPED(g->stop)) return;
			for (int64_t t = from; t < to; t++) {
				const char *x = (const char *)g->x + (b * g->xb + i * g->xn + t * g->xt) * size;
				char *y = (char *)g->out + (b * g->ob + i * g->on + t * g->ot) * size;
				rope_row(g, x, y, tables + (t - from) * room, side);
			}
		}
	}
}
