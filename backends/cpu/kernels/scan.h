// Prefix folds along an axis.
#pragma once
#include "abi_scan.h"

enum { SCAN_SEGMENT = 256 };

// What goes on from one piece of a row, or stack of rows, to the next, beside what was stored last.
typedef struct {
	int64_t done; // elements, or rows, before this piece
	double total, top;
	_Alignas(64) float acc[SCAN_COLUMNS];
} scan_state;

typedef struct {
	int32_t size;
	void (*row)(const void *in, int64_t is, void *out, int64_t os, int64_t n, scan_state *at);
	// columns folds row after row of n neighbors; cs is their stride in the input, 1 in the output.
	void (*columns)(const void *in, int64_t is, int64_t cs, void *out, int64_t os, int64_t rows, int64_t n,
		scan_state *at);
	void (*carry)(void *out, int64_t os, int64_t n, const void *carry);
} scan_fold;

// Loops whose steps wait for each other, or whose strides are not 1, only grow when vectorised.
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR_LOOPS_BEGIN _Pragma("GCC push_options") _Pragma("GCC optimize(\"no-tree-vectorize\")")
#define SCALAR_LOOPS_END _Pragma("GCC pop_options")
#else
#define SCALAR_LOOPS_BEGIN
#define SCALAR_LOOPS_END
#endif

// A fold waits for its own result, so long rows run as four segments side by side, and then each
// takes in the one before. A column of running folds is monotone where its terms have one sign: the
// carry of a segment is the very value stored before it.
#define SCAN_CARRY(name, T, F) \
	static void name##_carry_on(T *restrict o, int64_t n, T c) { \
		for (int64_t i = 0; i < n; i++) o[i] = F(c, o[i]); \
	} \
	SCALAR_LOOPS_BEGIN \
	static void name##_carry(void *out, int64_t os, int64_t n, const void *carry) { \
		T c = *(const T *)carry, *o = out; \
		if (os == 1) name##_carry_on(o, n, c); \
		else if (os == -1) name##_carry_on(o - (n - 1), n, c); \
		else for (int64_t i = 0; i < n; i++) o[i * os] = F(c, o[i * os]); \
	} \
	SCALAR_LOOPS_END
#define SCAN_SEGMENTS(name, T, F) \
	SCAN_CARRY(name, T, F) \
	SCALAR_LOOPS_BEGIN \
	static int64_t name##_segments(const T *p, int64_t is, T *o, int64_t os, int64_t n, int begins) { \
		int64_t done = 0; \
		const int64_t S = SCAN_SEGMENT; \
		for (; done + 4 * S <= n; done += 4 * S) { \
			const T *q = p + done * is; \
			T *r = o + done * os; \
			T a = q[0], b = q[S * is], c = q[2 * S * is], d = q[3 * S * is]; \
			r[0] = a, r[S * os] = b, r[2 * S * os] = c, r[3 * S * os] = d; \
			for (int64_t i = 1; i < S; i++) { \
				a = F(a, q[i * is]), b = F(b, q[(S + i) * is]), c = F(c, q[(2 * S + i) * is]), \
					d = F(d, q[(3 * S + i) * is]); \
				r[i * os] = a, r[(S + i) * os] = b, r[(2 * S + i) * os] = c, r[(3 * S + i) * os] = d; \
			} \
			for (int k = done == 0 && begins; k < 4; k++) { \
				T before = r[(k * S - 1) * os]; \
				name##_carry(r + k * S * os, os, S, &before); \
			} \
		} \
		return done; \
	} \
	SCALAR_LOOPS_END
#define SCAN_NO_SEGMENTS(name, T, F) \
	static int64_t name##_segments(const T *p, int64_t is, T *o, int64_t os, int64_t n, int begins) { \
		(void)p, (void)is, (void)o, (void)os, (void)n, (void)begins; \
		return 0; \
	}
// An integer sum waits one cycle, as long as an element takes anyway.
#define SCAN_CHUNKS(name, T, F) \
	SCAN_CARRY(name, T, F) \
	SCAN_NO_SEGMENTS(name, T, F)

#define SCAN_FOLD(name, T, LOAD, F, SEGMENTS) \
	SEGMENTS(name, T, F) \
	static void name##_row(const void *in, int64_t is, void *out, int64_t os, int64_t n, scan_state *at) { \
		const T *p = in; \
		T *o = out; \
		int64_t i = name##_segments(p, is, o, os, n, at->done == 0); \
		T a; \
		if (i > 0 || at->done > 0) a = o[(i - 1) * os]; \
		else a = p[0], o[0] = a, i = 1; \
		for (; i < n; i++) { T x = p[i * is]; a = F(a, x); o[i * os] = a; } \
	} \
	static void name##_next(T *restrict y, const T *restrict a, const T *restrict x, int64_t n) { \
		for (int64_t i = 0; i < n; i++) y[i] = F(a[i], x[i]); \
	} \
	static void name##_columns(const void *in, int64_t is, int64_t cs, void *out, int64_t os, int64_t rows, int64_t n, \
		scan_state *at) { \
		T buf[SCAN_COLUMNS], *o = out; \
		const T *p = in; \
		if (at->done == 0) LOAD(o, p, cs, n); \
		for (int64_t r = at->done == 0; r < rows; r++) { \
			const T *x = p + r * is; \
			if (cs != 1) LOAD(buf, x, cs, n), x = buf; \
			name##_next(o + r * os, o + (r - 1) * os, x, n); \
		} \
	}

// Halves keep their running value in float32; only what is stored is rounded.
#define SCAN_HALF(name, half, F) \
	static void name##_##half##_row(const void *in, int64_t is, void *out, int64_t os, int64_t n, scan_state *at) { \
		const uint16_t *p = in; \
		uint16_t *o = out; \
		float a = at->acc[0]; \
		int64_t i = 0; \
		if (at->done == 0) a = half##_f32(p[0]), o[0] = p[0], i = 1; \
		if (is == 1 && os == 1) { /* conversions are quicker by vectors */ \
			_Alignas(64) float b[SCAN_SEGMENT]; \
			for (; i + SCAN_SEGMENT <= n; i += SCAN_SEGMENT) { \
				half##_widen(b, p + i, SCAN_SEGMENT); \
				for (int j = 0; j < SCAN_SEGMENT; j++) { float x = b[j]; a = F(a, x); b[j] = a; } \
				half##_narrow(o + i, b, SCAN_SEGMENT); \
			} \
		} \
		for (; i < n; i++) { float x = half##_f32(p[i * is]); a = F(a, x); o[i * os] = f32_##half(a); } \
		at->acc[0] = a; \
	} \
	static void name##_##half##_columns(const void *in, int64_t is, int64_t cs, void *out, int64_t os, int64_t rows, \
		int64_t n, scan_state *at) { \
		_Alignas(64) float x[SCAN_COLUMNS], *acc = at->acc; \
		if (at->done == 0) load_##half(acc, in, cs, n), half##_narrow(out, acc, n); \
		for (int64_t r = at->done == 0; r < rows; r++) { \
			load_##half(x, (const uint16_t *)in + r * is, cs, n); \
			for (int64_t i = 0; i < n; i++) acc[i] = F(acc[i], x[i]); \
			half##_narrow((uint16_t *)out + r * os, acc, n); \
		} \
	}

// The running sum is kept as total * exp(top), so that errors of single steps do not add up.
#define SCAN_LOG(name, T, LOAD, STORE, t, COLUMN_F) \
	static void name##_row(const void *in, int64_t is, void *out, int64_t os, int64_t n, scan_state *at) { \
		double total = at->total; \
		T top = (T)at->top; \
		if (at->done == 0) { \
			total = 1, top = LOAD(in, 0); \
			STORE(out, 0, top); \
		} \
		for (int64_t i = at->done == 0; i < n; i++) { \
			T x = LOAD(in, i * is); \
			if (x != x || top != top) top += x; \
			else if (x > top) { \
				total = top == -(T)INFINITY ? 1 : total * t##_exp(top - x) + 1; \
				top = x; \
			} else if (x > -(T)INFINITY && top < (T)INFINITY) total += t##_exp(x - top); \
			STORE(out, i * os, top + (T)t##_log((T)total)); \
		} \
		at->total = total, at->top = top; \
	} \
	static void name##_columns(const void *in, int64_t is, int64_t cs, void *out, int64_t os, int64_t rows, int64_t n, \
		scan_state *at) { \
		if (at->done == 0) for (int64_t i = 0; i < n; i++) { \
			T a = LOAD(in, i * cs); \
			STORE(out, i, a); \
		} \
		for (int64_t r = at->done == 0; r < rows; r++) for (int64_t i = 0; i < n; i++) { \
			T a = COLUMN_F(LOAD(out, (r - 1) * os + i), LOAD(in, r * is + i * cs)); \
			STORE(out, r * os + i, a); \
		} \
	}
#define LOAD_F32(p, i) (((const float *)(p))[i])
#define LOAD_F64(p, i) (((const double *)(p))[i])
#define STORE_F32(p, i, x) (((float *)(p))[i] = (x))
#define STORE_F64(p, i, x) (((double *)(p))[i] = (x))
SCAN_LOG(scan_log_f32, float, LOAD_F32, STORE_F32, f32, f32_logaddexp)
SCAN_LOG(scan_log_f64, double, LOAD_F64, STORE_F64, f64, f64_logaddexp)

#define SCAN_INTS(t, T, LOAD) \
	SCAN_FOLD(scan_sum_##t, T, LOAD, F_ADD, SCAN_CHUNKS) \
	SCAN_FOLD(scan_prod_##t, T, LOAD, F_MUL, SCAN_SEGMENTS)
// int promotion would make a product of 16-bit numbers signed; the cast back wraps it.
SCAN_INTS(u8, uint8_t, load_8)
#undef F_MUL
#define F_MUL(a, b) ((uint32_t)(a) * (b))
SCAN_INTS(u16, uint16_t, load_16)
#undef F_MUL
#define F_MUL(a, b) ((a) * (b))
SCAN_INTS(u32, uint32_t, load_32)
SCAN_INTS(u64, uint64_t, load_64)
SCAN_FOLD(scan_sum_f32, float, load_32, F_ADD, SCAN_SEGMENTS)
SCAN_FOLD(scan_sum_f64, double, load_64, F_ADD, SCAN_SEGMENTS)
SCAN_FOLD(scan_sum_c64, c64, load_64, c64_add, SCAN_SEGMENTS)
// A product of part of a row may overflow where the whole does not: floats go one by one.
SCAN_FOLD(scan_prod_f32, float, load_32, F_MUL, SCAN_NO_SEGMENTS)
SCAN_FOLD(scan_prod_f64, double, load_64, F_MUL, SCAN_NO_SEGMENTS)
SCAN_FOLD(scan_prod_c64, c64, load_64, c64_mul, SCAN_NO_SEGMENTS)
SCAN_FOLD(scan_log_c64, c64, load_64, c64_logaddexp, SCAN_NO_SEGMENTS)
#define SCAN_EXTREMES(t, T, LOAD, MAX, MIN) \
	SCAN_FOLD(scan_max_##t, T, LOAD, MAX, SCAN_SEGMENTS) \
	SCAN_FOLD(scan_min_##t, T, LOAD, MIN, SCAN_SEGMENTS)
SCAN_EXTREMES(u8, uint8_t, load_8, F_IMAX, F_IMIN)
SCAN_EXTREMES(i8, int8_t, load_8, F_IMAX, F_IMIN)
SCAN_EXTREMES(u16, uint16_t, load_16, F_IMAX, F_IMIN)
SCAN_EXTREMES(i16, int16_t, load_16, F_IMAX, F_IMIN)
SCAN_EXTREMES(u32, uint32_t, load_32, F_IMAX, F_IMIN)
SCAN_EXTREMES(i32, int32_t, load_32, F_IMAX, F_IMIN)
SCAN_EXTREMES(u64, uint64_t, load_64, F_IMAX, F_IMIN)
SCAN_EXTREMES(i64, int64_t, load_64, F_IMAX, F_IMIN)
SCAN_EXTREMES(f32, float, load_32, F_FMAX, F_FMIN)
SCAN_EXTREMES(f64, double, load_64, F_FMAX, F_FMIN)
SCAN_EXTREMES(c64, c64, load_64, c64_max, c64_min)
#define SCAN_HALVES(half) \
	SCAN_HALF(scan_sum, half, F_ADD) \
	SCAN_HALF(scan_prod, half, F_MUL) \
	SCAN_HALF(scan_max, half, F_FMAX) \
	SCAN_HALF(scan_min, half, F_FMIN) \
	SCAN_HALF(scan_log, half, f32_logaddexp)
SCAN_HALVES(f16)
SCAN_HALVES(bf16)

#define SCAN_WHOLE(name, size) {size, name##_row, name##_columns, 0}
#define SCAN_ROW(name, size) {size, name##_row, name##_columns, name##_carry}
#define SCAN_HALF_ROWS(op) [DT_F16] = SCAN_WHOLE(op##_f16, 2), [DT_BF16] = SCAN_WHOLE(op##_bf16, 2)
// TRUTH folds bools to bools: a sum of them is their logical or.
#define SCAN_COUNTS(op, TRUTH) \
	[DT_BOOL] = SCAN_ROW(TRUTH, 1), [DT_U8] = SCAN_ROW(op##_u8, 1), [DT_I8] = SCAN_ROW(op##_u8, 1), \
	[DT_U16] = SCAN_ROW(op##_u16, 2), [DT_I16] = SCAN_ROW(op##_u16, 2), [DT_U32] = SCAN_ROW(op##_u32, 4), \
	[DT_I32] = SCAN_ROW(op##_u32, 4), [DT_U64] = SCAN_ROW(op##_u64, 8), [DT_I64] = SCAN_ROW(op##_u64, 8), \
	SCAN_HALF_ROWS(op)
#define SCAN_BEST(op) \
	[DT_BOOL] = SCAN_ROW(op##_u8, 1), [DT_U8] = SCAN_ROW(op##_u8, 1), [DT_I8] = SCAN_ROW(op##_i8, 1), \
	[DT_U16] = SCAN_ROW(op##_u16, 2), [DT_I16] = SCAN_ROW(op##_i16, 2), [DT_U32] = SCAN_ROW(op##_u32, 4), \
	[DT_I32] = SCAN_ROW(op##_i32, 4), [DT_U64] = SCAN_ROW(op##_u64, 8), [DT_I64] = SCAN_ROW(op##_i64, 8), \
	SCAN_HALF_ROWS(op), \
	[DT_F32] = SCAN_ROW(op##_f32, 4), [DT_F64] = SCAN_ROW(op##_f64, 8), [DT_C64] = SCAN_ROW(op##_c64, 8)

static const scan_fold scan_folds[SCAN_OPS][DT_COUNT] = {
	[SCAN_OP_SUM] = {SCAN_COUNTS(scan_sum, scan_max_u8), [DT_F32] = SCAN_ROW(scan_sum_f32, 4),
		[DT_F64] = SCAN_ROW(scan_sum_f64, 8), [DT_C64] = SCAN_ROW(scan_sum_c64, 8)},
	[SCAN_OP_PROD] = {SCAN_COUNTS(scan_prod, scan_prod_u8), [DT_F32] = SCAN_WHOLE(scan_prod_f32, 4),
		[DT_F64] = SCAN_WHOLE(scan_prod_f64, 8), [DT_C64] = SCAN_WHOLE(scan_prod_c64, 8)},
	[SCAN_OP_MIN] = {SCAN_BEST(scan_min)},
	[SCAN_OP_MAX] = {SCAN_BEST(scan_max)},
	[SCAN_OP_LOGADDEXP] = {SCAN_HALF_ROWS(scan_log), [DT_F32] = SCAN_WHOLE(scan_log_f32, 4),
		[DT_F64] = SCAN_WHOLE(scan_log_f64, 8), [DT_C64] = SCAN_WHOLE(scan_log_c64, 8)},
};

// The pieces of a row end where segments do, so that results are those of the row in one piece.
static void scan(const void *args, int64_t lo, int64_t hi) {
	const scan_args *g = args;
	const scan_fold *f = &scan_folds[g->op][g->dtype];
	scan_state at;
	if (g->cols) {
		int64_t axis = g->kd - 1, width = g->kshape[axis], blocks = (width + g->cols - 1) / g->cols;
		for (int64_t u = lo; u < hi; u++) {
			int64_t k = u / blocks, col = u % blocks * g->cols, n = width - col < g->cols ? width - col : g->cols;
			int64_t in = walk_offset(k, axis, g->kshape, g->kin) + col * g->kin[axis];
			int64_t out = walk_offset(k, axis, g->kshape, g->kout) + col;
			const int64_t most = STOP_WORK / SCAN_COLUMNS;
			for (at.done = 0; at.done < g->n && !STOPPED(g->stop); at.done += most) {
				int64_t rows = g->n - at.done < most ? g->n - at.done : most;
				f->columns((const char *)g->in + (in + at.done * g->is) * f->size, g->is, g->kin[axis],
					(char *)g->out + (out + at.done * g->os) * f->size, g->os, rows, n, &at);
			}
		}
		return;
	}
	for (int64_t u = lo; u < hi; u++) {
		int64_t k = u / g->chunks, pos = u % g->chunks * g->chunk, n = g->n - pos < g->chunk ? g->n - pos : g->chunk;
		int64_t in = walk_offset(k, g->kd, g->kshape, g->kin) + pos * g->is;
		int64_t out = walk_offset(k, g->kd, g->kshape, g->kout) + pos * g->os;
		for (at.done = 0; at.done < n && !STOPPED(g->stop); at.done += STOP_WORK) {
			int64_t m = n - at.done < STOP_WORK ? n - at.done : STOP_WORK;
			f->row((const char *)g->in + (in + at.done * g->is) * f->size, g->is,
				(char *)g->out + (out + at.done * g->os) * f->size, g->os, m, &at);
		}
	}
}

// scan_carry folds what came before each chunk into it; a row's first chunk is complete already.
static void scan_carry(const void *args, int64_t lo, int64_t hi) {
	const scan_args *g = args;
	const scan_fold *f = &scan_folds[g->op][g->dtype];
	for (int64_t u = lo; u < hi; u++) {
		int64_t c = u % g->chunks, pos = c * g->chunk, n = g->n - pos < g->chunk ? g->n - pos : g->chunk;
		if (c == 0) continue;
		int64_t out = walk_offset(u / g->chunks, g->kd, g->kshape, g->kout) + pos * g->os;
		f->carry((char *)g->out + out * f->size, g->os, n, (const char *)g->carry + u * f->size);
	}
}
// scan_totals: per row, the fold of the chunks before each one, from the last elements of the chunks.
static void scan_totals(const void *args, int64_t lo, int64_t hi) {
	const scan_args *g = args;
	const scan_fold *f = &scan_folds[g->op][g->dtype];
	for (int64_t k = lo; k < hi; k++) {
		char *carry = (char *)g->carry + k * g->chunks * f->size;
		char *row = (char *)g->out + walk_offset(k, g->kd, g->kshape, g->kout) * f->size;
		for (int64_t c = 1; c < g->chunks; c++) {
			memcpy(carry + c * f->size, row + (c * g->chunk - 1) * g->os * f->size, f->size);
			if (c > 1) f->carry(carry + c * f->size, 1, 1, carry + (c - 1) * f->size);
		}
	}
}
