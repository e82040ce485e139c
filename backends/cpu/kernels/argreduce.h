// Positions of extremes along an axis: the first one wins, a NaN wins over all.
#pragma once
#include "abi_argreduce.h"

typedef struct {
	int32_t in, elem, direct, wide; // bytes in memory and as compared; wide: column positions are 64-bit
	void (*load)(void *dst, const void *src, int64_t stride, int64_t n);
	void (*best)(void *value, const void *p, int64_t n);
	int (*beats)(const void *a, const void *b);
	int64_t (*find)(const void *p, const void *value, int64_t n);
	void (*step)(void *best, void *at, const void *p, int64_t n, int64_t pos);
	int (*nan)(const void *a);
} arg_fold;

// 8 and 16-bit integers are compared as int32.
#define ARG_LOAD(name, T) \
	static void load_##name(void *dst, const void *src, int64_t s, int64_t n) { \
		const T *restrict p = src; \
		int32_t *restrict d = dst; \
		for (int64_t i = 0; i < n; i++) d[i] = p[i * s]; \
	}
ARG_LOAD(u8, uint8_t)
ARG_LOAD(i8, int8_t)
ARG_LOAD(u16, uint16_t)
ARG_LOAD(i16, int16_t)

// GREATER(a, b) says that a goes before b whatever their positions; it is false of two NaNs.
#define ARG_FOLD(name, E, AT, ISNAN, SAME, GREATER) \
	static void arg_##name##_best(void *value, const void *p, int64_t n) { \
		*(E *)value = name##_run((const E *)p, n); \
	} \
	static int arg_##name##_nan(const void *a) { return ISNAN(*(const E *)a); } \
	static int arg_##name##_beats(const void *a, const void *b) { \
		E x = *(const E *)a, y = *(const E *)b; \
		return GREATER(x, y); \
	} \
	static int64_t arg_##name##_find(const void *p, const void *value, int64_t n) { \
		const E *q = p; \
		E v = *(const E *)value; \
		int64_t i = 0; \
		if (ISNAN(v)) { \
			while (!ISNAN(q[i])) i++; \
			return i; \
		} \
		for (int any = 0; i + 64 <= n; i += 64) { /* by vectors to the block it is in */ \
			for (int j = 0; j < 64; j++) any |= SAME(q[i + j], v); \
			if (any) break; \
		} \
		while (!SAME(q[i], v)) i++; \
		return i; \
	} \
	static void arg_##name##_step(void *best, void *at, const void *p, int64_t n, int64_t pos) { \
		E *restrict b = best; \
		AT *restrict k = at; \
		const E *restrict x = p; \
		for (int64_t i = 0; i < n; i++) { \
			int take = GREATER(x[i], b[i]); \
			b[i] = take ? x[i] : b[i]; \
			k[i] = take ? (AT)pos : k[i]; \
		} \
	}
#define ARG_NEVER(a) ((void)(a), 0)
#define ARG_NAN(a) ((a) != (a))
#define ARG_SAME(a, b) ((a) == (b))
#define ARG_SAME_C64(a, b) ((a).re == (b).re && (a).im == (b).im)
#define ARG_MORE(a, b) ((a) > (b))
#define ARG_LESS(a, b) ((a) < (b))
#define ARG_MORE_F(a, b) (((a) > (b)) | (((a) != (a)) & ((b) == (b))))
#define ARG_LESS_F(a, b) (((a) < (b)) | (((a) != (a)) & ((b) == (b))))
#define ARG_MORE_C64(a, b) (!c64_isnan(b) && (c64_isnan(a) || (a).re > (b).re || ((a).re == (b).re && (a).im > (b).im)))
#define ARG_LESS_C64(a, b) (!c64_isnan(b) && (c64_isnan(a) || (a).re < (b).re || ((a).re == (b).re && (a).im < (b).im)))

#define ARG_INTS(t, E) \
	ARG_FOLD(max_##t, E, u##E, ARG_NEVER, ARG_SAME, ARG_MORE) \
	ARG_FOLD(min_##t, E, u##E, ARG_NEVER, ARG_SAME, ARG_LESS)
#define uuint32_t uint32_t
#define uuint64_t uint64_t
ARG_INTS(i32, int32_t)
ARG_INTS(u32, uint32_t)
ARG_INTS(i64, int64_t)
ARG_INTS(u64, uint64_t)
#undef uuint32_t
#undef uuint64_t
ARG_FOLD(max_f32, float, uint32_t, ARG_NAN, ARG_SAME, ARG_MORE_F)
ARG_FOLD(min_f32, float, uint32_t, ARG_NAN, ARG_SAME, ARG_LESS_F)
ARG_FOLD(max_f64, double, uint64_t, ARG_NAN, ARG_SAME, ARG_MORE_F)
ARG_FOLD(min_f64, double, uint64_t, ARG_NAN, ARG_SAME, ARG_LESS_F)
ARG_FOLD(max_c64, c64, uint64_t, c64_isnan, ARG_SAME_C64, ARG_MORE_C64)
ARG_FOLD(min_c64, c64, uint64_t, c64_isnan, ARG_SAME_C64, ARG_LESS_C64)

#define ARG_ROW(name, in, elem, direct, wide, load) \
	{in, elem, direct, wide, load_##load, arg_##name##_best, arg_##name##_beats, arg_##name##_find, arg_##name##_step, \
		arg_##name##_nan}
#define ARG_ROWS(op) { \
	[DT_BOOL] = ARG_ROW(op##_i32, 1, 4, 0, 0, u8), [DT_U8] = ARG_ROW(op##_i32, 1, 4, 0, 0, u8), \
	[DT_I8] = ARG_ROW(op##_i32, 1, 4, 0, 0, i8), \
	[DT_U16] = ARG_ROW(op##_i32, 2, 4, 0, 0, u16), [DT_I16] = ARG_ROW(op##_i32, 2, 4, 0, 0, i16), \
	[DT_U32] = ARG_ROW(op##_u32, 4, 4, 1, 0, 32), [DT_I32] = ARG_ROW(op##_i32, 4, 4, 1, 0, 32), \
	[DT_U64] = ARG_ROW(op##_u64, 8, 8, 1, 1, 64), [DT_I64] = ARG_ROW(op##_i64, 8, 8, 1, 1, 64), \
	[DT_F16] = ARG_ROW(op##_f32, 2, 4, 0, 0, f16), [DT_BF16] = ARG_ROW(op##_f32, 2, 4, 0, 0, bf16), \
	[DT_F32] = ARG_ROW(op##_f32, 4, 4, 1, 0, 32), [DT_F64] = ARG_ROW(op##_f64, 8, 8, 1, 1, 64), \
	[DT_C64] = ARG_ROW(op##_c64, 8, 8, 1, 1, 64)}
static const arg_fold arg_folds[2][DT_COUNT] = {ARG_ROWS(min), ARG_ROWS(max)};

// By rows: find the block that holds the extreme, then the place in it.
static void argreduce_rows(const argreduce_args *g, const arg_fold *f, int64_t lo, int64_t hi) {
	_Alignas(64) char buf[8 * REDUCE_BLOCK];
	_Alignas(8) char best[8], value[8];
	int64_t kidx[MAXD], c = lo / g->units, w = lo % g->units;
	int64_t koff = walk_to(kidx, w, g->kd, g->kshape, g->kin);
	int direct = f->direct && g->stride == 1;
	int64_t block = direct ? 4 * REDUCE_BLOCK : REDUCE_BLOCK;
	for (int64_t u = lo; u < hi; u++) {
		int64_t pos = c * g->chunk, end = pos + g->chunk < g->n ? pos + g->chunk : g->n, at = pos,
			out = c * g->chunk_out;
		const char *row = (const char *)g->in + koff * f->in;
		for (int64_t i = pos; i < end; i += block) {
			int64_t m = end - i < block ? end - i : block;
			if (STOPPED(g->stop)) return;
			const void *p = row + i * g->stride * f->in;
			if (!direct) f->load(buf, p, g->stride, m), p = buf;
			f->best(value, p, m);
			if (i > pos && !f->beats(value, best)) continue;
			memcpy(best, value, f->elem);
			at = i;
			if (f->nan(best)) break;
		}
		const void *p = row + at * g->stride * f->in;
		int64_t m = end - at < block ? end - at : block;
		if (!direct) f->load(buf, p, g->stride, m), p = buf;
		at += f->find(p, best, m);
		for (int64_t a = 0; a < g->kd; a++) out += kidx[a] * g->kout[a];
		g->out[out] = (uint32_t)at;
		koff += walk_next(kidx, g->kd, g->kshape, g->kin);
		if (++w == g->units) w = 0, c++;
	}
}

static void argreduce_columns(const argreduce_args *g, const arg_fold *f, int64_t lo, int64_t hi) {
	ROOM(char, buf, 0);
	ROOM(char, best, 8 * REDUCE_BLOCK);
	ROOM(char, at, 16 * REDUCE_BLOCK);
	int64_t axis = g->kd - 1, width = g->kshape[axis], cs = g->kin[axis], os = g->kout[axis];
	int64_t blocks = (width + g->cols - 1) / g->cols;
	int direct = f->direct && cs == 1;
	for (int64_t u = lo; u < hi; u++) {
		int64_t c = u / g->units, w = u % g->units, k = w / blocks, col = w % blocks * g->cols;
		int64_t n = width - col < g->cols ? width - col : g->cols;
		int64_t pos = c * g->chunk, end = pos + g->chunk < g->n ? pos + g->chunk : g->n;
		const char *base = (const char *)g->in + (walk_offset(k, axis, g->kshape, g->kin) + col * cs) * f->in;
		uint32_t *out = g->out + c * g->chunk_out + walk_offset(k, axis, g->kshape, g->kout) + col * os;
		f->load(best, base + pos * g->stride * f->in, cs, n);
		if (f->wide) for (int64_t i = 0; i < n; i++) ((uint64_t *)at)[i] = pos;
		else for (int64_t i = 0; i < n; i++) ((uint32_t *)at)[i] = pos;
		for (int64_t r = pos + 1; r < end; r++) {
			const void *p = base + r * g->stride * f->in;
			if (STOPPED(g->stop)) return;
			if (!direct) f->load(buf, p, cs, n), p = buf;
			f->step(best, at, p, n, r);
		}
		if (f->wide) for (int64_t i = 0; i < n; i++) out[i * os] = ((uint64_t *)at)[i];
		else for (int64_t i = 0; i < n; i++) out[i * os] = ((uint32_t *)at)[i];
	}
}

static void argreduce(const void *args, int64_t lo, int64_t hi) {
	const argreduce_args *g = args;
	const arg_fold *f = &arg_folds[g->max != 0][g->dtype];
	if (g->cols) argreduce_columns(g, f, lo, hi);
	else argreduce_rows(g, f, lo, hi);
}
