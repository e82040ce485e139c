// Reductions over any axes. One driver walks the axes; what differs by op and dtype is a
// row of function pointers, called once per run of elements or stack of rows.
#pragma once
#include "abi_reduce.h"

typedef struct {
	int32_t in, elem, acc, total; // bytes of one: in memory, as folded, of a stack's accumulator, of a total
	int32_t direct;               // elements are folded where they lie if the stride is 1
	int32_t flush;                // rows after which accumulators move to totals; 0: never
	void (*load)(void *dst, const void *src, int64_t stride, int64_t n);
	void (*run)(void *total, const void *p, int64_t n, int first); // total = fold of it and p; of p alone if first
	void (*stack)(void *acc, const void *p, int64_t stride, int64_t rows, int64_t n);
	void (*clear)(void *acc, int64_t n); // the identity
	void (*flush_to)(void *total, const void *acc, int64_t n, int first);
	void (*store)(const reduce_args *g, int64_t off, int64_t stride, const void *total, int64_t n);
} reduce_fold;

// Bits that are moved, whatever type they have elsewhere.
typedef uint8_t bits8;
typedef uint16_t __attribute__((may_alias)) bits16;
typedef uint32_t __attribute__((may_alias)) bits32;
typedef uint64_t __attribute__((may_alias, aligned(4))) bits64;

// Loads with a stride; the halves widen.
#define REDUCE_LOAD(name, T) \
	static void load_##name(void *dst, const void *src, int64_t s, int64_t n) { \
		T *restrict d = dst; \
		const T *restrict p = src; \
		if (s == 1) { \
			memcpy(dst, src, n * sizeof(T)); \
			return; \
		} \
		for (int64_t i = 0; i < n; i++) d[i] = p[i * s]; \
	}
REDUCE_LOAD(8, bits8)
REDUCE_LOAD(16, bits16)
REDUCE_LOAD(32, bits32)
REDUCE_LOAD(64, bits64)
#define REDUCE_LOAD_HALF(name) \
	static void load_##name(void *dst, const void *src, int64_t s, int64_t n) { \
		const uint16_t *p = src; \
		if (s == 1) name##_widen(dst, p, n); \
		else for (int64_t i = 0; i < n; i++) ((float *)dst)[i] = name##_f32(p[i * s]); \
	}
REDUCE_LOAD_HALF(f16)
REDUCE_LOAD_HALF(bf16)

// Stores of totals; a range of columns has a stride in the output.
#define REDUCE_STORE(name, TOTAL, T) \
	static void store_##name(const reduce_args *g, int64_t off, int64_t s, const void *total, int64_t n) { \
		const TOTAL *t = total; \
		T *o = (T *)g->out + off; \
		for (int64_t i = 0; i < n; i++) o[i * s] = (T)t[i]; \
	}
REDUCE_STORE(8, bits8, bits8)
REDUCE_STORE(16, bits16, bits16)
REDUCE_STORE(32, bits32, bits32)
REDUCE_STORE(64, bits64, bits64)
REDUCE_STORE(f64, double, double)
#define REDUCE_STORE_FLOAT(name, TOTAL) \
	static void store_##name(const reduce_args *g, int64_t off, int64_t s, const void *total, int64_t n) { \
		const TOTAL *t = total; \
		float *f = (float *)g->out + off; \
		uint16_t *h = (uint16_t *)g->out + off; \
		if (g->out_dtype == DT_F32) for (int64_t i = 0; i < n; i++) f[i * s] = (float)t[i]; \
		else if (g->out_dtype == DT_F16) for (int64_t i = 0; i < n; i++) h[i * s] = f32_f16((float)t[i]); \
		else for (int64_t i = 0; i < n; i++) h[i * s] = f32_bf16((float)t[i]); \
	}
REDUCE_STORE_FLOAT(f32, float)
REDUCE_STORE_FLOAT(wide, double)
static void store_sum64(const reduce_args *g, int64_t off, int64_t s, const void *total, int64_t n) {
	const sum64 *t = total;
	double *o = (double *)g->out + off;
	for (int64_t i = 0; i < n; i++) o[i * s] = sum64_value(t[i]);
}
static void store_c128(const reduce_args *g, int64_t off, int64_t s, const void *total, int64_t n) {
	const c128 *t = total;
	c64 *o = (c64 *)g->out + off;
	for (int64_t i = 0; i < n; i++) o[i * s] = (c64){(float)t[i].re, (float)t[i].im};
}

// The functions of one fold with elements E, accumulators A and totals TOTAL.
#define REDUCE_FOLD(name, E, A, TOTAL, INIT, FT, WIDE) \
	static void name##_run_to(void *total, const void *p, int64_t n, int first) { \
		TOTAL *t = total, x = name##_run((const E *)p, n); \
		*t = first ? x : FT(*t, x); \
	} \
	static void name##_stack_on(void *acc, const void *p, int64_t s, int64_t rows, int64_t n) { \
		name##_stack((A *)acc, (const E *)p, s, rows, n); \
	} \
	static void name##_clear(void *acc, int64_t n) { \
		A *a = acc, none = INIT; \
		for (int64_t i = 0; i < n; i++) a[i] = none; \
	} \
	static void name##_flush(void *total, const void *acc, int64_t n, int first) { \
		TOTAL *restrict t = total; \
		const A *restrict a = acc; \
		if (first) for (int64_t i = 0; i < n; i++) t[i] = WIDE(a[i]); \
		else for (int64_t i = 0; i < n; i++) { TOTAL x = WIDE(a[i]); t[i] = FT(t[i], x); } \
	}
#define ITSELF(x) (x)
#define TO_DOUBLE(x) ((double)(x))
#define TO_C128(x) ((c128){(x).re, (x).im})
INL c128 c128_add(c128 a, c128 b) { return (c128){a.re + b.re, a.im + b.im}; }

#define REDUCE_INT(name, E, A, INIT, F) REDUCE_FOLD(name, E, A, A, INIT, F, ITSELF)
REDUCE_INT(sum_u8, uint8_t, uint32_t, 0, F_ADD)
REDUCE_INT(sum_i8, int8_t, uint32_t, 0, F_ADD)
REDUCE_INT(sum_u16, uint16_t, uint32_t, 0, F_ADD)
REDUCE_INT(sum_i16, int16_t, uint32_t, 0, F_ADD)
REDUCE_INT(sum_u32, uint32_t, uint32_t, 0, F_ADD)
REDUCE_INT(sum_u64, uint64_t, uint64_t, 0, F_ADD)
REDUCE_FOLD(sum_f32, float, float, double, 0, F_ADD, TO_DOUBLE)
REDUCE_FOLD(sum_f64, double, double, sum64, 0, sum64_add, sum64_of)
REDUCE_FOLD(sum_c64, c64, c64, c128, {0}, c128_add, TO_C128)

REDUCE_INT(prod_u8, uint8_t, uint32_t, 1, F_MUL)
REDUCE_INT(prod_i8, int8_t, uint32_t, 1, F_MUL)
REDUCE_INT(prod_u16, uint16_t, uint32_t, 1, F_MUL)
REDUCE_INT(prod_i16, int16_t, uint32_t, 1, F_MUL)
REDUCE_INT(prod_u32, uint32_t, uint32_t, 1, F_MUL)
REDUCE_INT(prod_u64, uint64_t, uint64_t, 1, F_MUL)
REDUCE_FOLD(prod_f32, float, float, float, 1, F_MUL, ITSELF)
REDUCE_FOLD(prod_f64, double, double, double, 1, F_MUL, ITSELF)
REDUCE_FOLD(prod_c64, c64, c64, c64, {.re = 1}, c64_mul, ITSELF)

#define REDUCE_EXTREMES(t, T, LO, HI) REDUCE_INT(max_##t, T, T, LO, F_IMAX) REDUCE_INT(min_##t, T, T, HI, F_IMIN)
REDUCE_EXTREMES(u8, uint8_t, 0, UINT8_MAX)
REDUCE_EXTREMES(i8, int8_t, INT8_MIN, INT8_MAX)
REDUCE_EXTREMES(u16, uint16_t, 0, UINT16_MAX)
REDUCE_EXTREMES(i16, int16_t, INT16_MIN, INT16_MAX)
REDUCE_EXTREMES(u32, uint32_t, 0, UINT32_MAX)
REDUCE_EXTREMES(i32, int32_t, INT32_MIN, INT32_MAX)
REDUCE_EXTREMES(u64, uint64_t, 0, UINT64_MAX)
REDUCE_EXTREMES(i64, int64_t, INT64_MIN, INT64_MAX)
REDUCE_FOLD(max_f32, float, float, float, -INFINITY, F_FMAX, ITSELF)
REDUCE_FOLD(min_f32, float, float, float, INFINITY, F_FMIN, ITSELF)
REDUCE_FOLD(max_f64, double, double, double, -INFINITY, F_FMAX, ITSELF)
REDUCE_FOLD(min_f64, double, double, double, INFINITY, F_FMIN, ITSELF)
static const c64 c64_lowest = {-INFINITY, -INFINITY}, c64_highest = {INFINITY, INFINITY};
REDUCE_FOLD(max_c64, c64, c64, c64, c64_lowest, c64_max, ITSELF)
REDUCE_FOLD(min_c64, c64, c64, c64, c64_highest, c64_min, ITSELF)

// An element is true when a bit of MASK is set: all bits but the signs of floats. A run stops
// at the first block that decides.
#define REDUCE_TRUTH(t, E, MASK) \
	static uint8_t or_##t##_run(const E *p, int64_t n) { \
		for (int64_t i = 0; i < n; i += 4096) { \
			int64_t m = n - i < 4096 ? n - i : 4096; \
			E any = 0; \
			for (int64_t j = 0; j < m; j++) any |= p[i + j]; \
			if (any & MASK) return 1; \
		} \
		return 0; \
	} \
	static uint8_t and_##t##_run(const E *p, int64_t n) { \
		for (int64_t i = 0; i < n; i += 4096) { \
			int64_t m = n - i < 4096 ? n - i : 4096; \
			E zero = 0; \
			for (int64_t j = 0; j < m; j++) zero |= (E)(p[i + j] & MASK) == 0 ? 1 : 0; \
			if (zero) return 0; \
		} \
		return 1; \
	} \
	static void or_##t##_stack(uint8_t *restrict acc, const E *restrict p, int64_t s, int64_t rows, int64_t n) { \
		for (int64_t r = 0; r < rows; r++, p += s) \
			for (int64_t i = 0; i < n; i++) acc[i] |= (p[i] & MASK) != 0; \
	} \
	static void and_##t##_stack(uint8_t *restrict acc, const E *restrict p, int64_t s, int64_t rows, int64_t n) { \
		for (int64_t r = 0; r < rows; r++, p += s) \
			for (int64_t i = 0; i < n; i++) acc[i] &= (p[i] & MASK) != 0; \
	} \
	REDUCE_FOLD(or_##t, E, uint8_t, uint8_t, 0, F_OR, ITSELF) \
	REDUCE_FOLD(and_##t, E, uint8_t, uint8_t, 1, F_AND, ITSELF)
REDUCE_TRUTH(8, uint8_t, 0xff)
REDUCE_TRUTH(16, uint16_t, 0xffff)
REDUCE_TRUTH(32, uint32_t, 0xffffffffu)
REDUCE_TRUTH(64, uint64_t, UINT64_MAX)
REDUCE_TRUTH(half, uint16_t, 0x7fff)
REDUCE_TRUTH(f32, bits32, 0x7fffffffu)
REDUCE_TRUTH(f64, bits64, 0x7fffffffffffffffull)
REDUCE_TRUTH(c64, bits64, 0x7fffffff7fffffffull)

// Float sums move to totals in double every 64 rows; that bounds the error of long columns.
#define REDUCE_ROW(name, in, elem, acc, total, direct, flush, load, store) \
	{in, elem, acc, total, direct, flush, load_##load, name##_run_to, name##_stack_on, name##_clear, name##_flush, \
		store_##store}

#define REDUCE_COUNTS(op) { \
	[DT_BOOL] = REDUCE_ROW(op##_u8, 1, 1, 4, 4, 1, 0, 8, 32), [DT_U8] = REDUCE_ROW(op##_u8, 1, 1, 4, 4, 1, 0, 8, 32), \
	[DT_U16] = REDUCE_ROW(op##_u16, 2, 2, 4, 4, 1, 0, 16, 32), \
	[DT_U32] = REDUCE_ROW(op##_u32, 4, 4, 4, 4, 1, 0, 32, 32), \
	[DT_U64] = REDUCE_ROW(op##_u64, 8, 8, 8, 8, 1, 0, 64, 64), [DT_I8] = REDUCE_ROW(op##_i8, 1, 1, 4, 4, 1, 0, 8, 32), \
	[DT_I16] = REDUCE_ROW(op##_i16, 2, 2, 4, 4, 1, 0, 16, 32), \
	[DT_I32] = REDUCE_ROW(op##_u32, 4, 4, 4, 4, 1, 0, 32, 32), \
	[DT_I64] = REDUCE_ROW(op##_u64, 8, 8, 8, 8, 1, 0, 64, 64), REDUCE_FLOATS_##op}
#define REDUCE_FLOATS_sum \
	[DT_F16] = REDUCE_ROW(sum_f32, 2, 4, 4, 8, 0, 64, f16, wide), \
	[DT_BF16] = REDUCE_ROW(sum_f32, 2, 4, 4, 8, 0, 64, bf16, wide), \
	[DT_F32] = REDUCE_ROW(sum_f32, 4, 4, 4, 8, 1, 64, 32, wide), \
	[DT_F64] = REDUCE_ROW(sum_f64, 8, 8, 8, 16, 1, 64, 64, sum64), \
	[DT_C64] = REDUCE_ROW(sum_c64, 8, 8, 8, 16, 1, 64, 64, c128)
#define REDUCE_FLOATS_OF(op) \
	[DT_F16] = REDUCE_ROW(op##_f32, 2, 4, 4, 4, 0, 0, f16, f32), \
	[DT_BF16] = REDUCE_ROW(op##_f32, 2, 4, 4, 4, 0, 0, bf16, f32), \
	[DT_F32] = REDUCE_ROW(op##_f32, 4, 4, 4, 4, 1, 0, 32, f32), \
	[DT_F64] = REDUCE_ROW(op##_f64, 8, 8, 8, 8, 1, 0, 64, f64), \
	[DT_C64] = REDUCE_ROW(op##_c64, 8, 8, 8, 8, 1, 0, 64, 64)
#define REDUCE_FLOATS_prod REDUCE_FLOATS_OF(prod)
#define REDUCE_PLAIN(name, bytes, bits) REDUCE_ROW(name, bytes, bytes, bytes, bytes, 1, 0, bits, bits)
#define REDUCE_BEST(op) { \
	[DT_BOOL] = REDUCE_PLAIN(op##_u8, 1, 8), [DT_U8] = REDUCE_PLAIN(op##_u8, 1, 8), \
	[DT_U16] = REDUCE_PLAIN(op##_u16, 2, 16), [DT_U32] = REDUCE_PLAIN(op##_u32, 4, 32), \
	[DT_U64] = REDUCE_PLAIN(op##_u64, 8, 64), [DT_I8] = REDUCE_PLAIN(op##_i8, 1, 8), \
	[DT_I16] = REDUCE_PLAIN(op##_i16, 2, 16), [DT_I32] = REDUCE_PLAIN(op##_i32, 4, 32), \
	[DT_I64] = REDUCE_PLAIN(op##_i64, 8, 64), REDUCE_FLOATS_OF(op)}
#define REDUCE_TRUE(name, bytes, bits) REDUCE_ROW(name, bytes, bytes, 1, 1, 1, 0, bits, 8)
#define REDUCE_LOGIC(op) { \
	[DT_BOOL] = REDUCE_TRUE(op##_8, 1, 8), [DT_U8] = REDUCE_TRUE(op##_8, 1, 8), [DT_I8] = REDUCE_TRUE(op##_8, 1, 8), \
	[DT_U16] = REDUCE_TRUE(op##_16, 2, 16), [DT_I16] = REDUCE_TRUE(op##_16, 2, 16), \
	[DT_U32] = REDUCE_TRUE(op##_32, 4, 32), [DT_I32] = REDUCE_TRUE(op##_32, 4, 32), \
	[DT_U64] = REDUCE_TRUE(op##_64, 8, 64), [DT_I64] = REDUCE_TRUE(op##_64, 8, 64), \
	[DT_F16] = REDUCE_TRUE(op##_half, 2, 16), [DT_BF16] = REDUCE_TRUE(op##_half, 2, 16), \
	[DT_F32] = REDUCE_TRUE(op##_f32, 4, 32), [DT_F64] = REDUCE_TRUE(op##_f64, 8, 64), \
	[DT_C64] = REDUCE_TRUE(op##_c64, 8, 64)}

static const reduce_fold reduce_folds[REDUCE_OPS][DT_COUNT] = {
	[REDUCE_OP_SUM] = REDUCE_COUNTS(sum), [REDUCE_OP_PROD] = REDUCE_COUNTS(prod), [REDUCE_OP_MIN] = REDUCE_BEST(min),
	[REDUCE_OP_MAX] = REDUCE_BEST(max), [REDUCE_OP_AND] = REDUCE_LOGIC(and), [REDUCE_OP_OR] = REDUCE_LOGIC(or),
};

// By rows: every output folds runs along the innermost reduced axis.
static void reduce_rows(const reduce_args *g, const reduce_fold *f, int64_t lo, int64_t hi) {
	_Alignas(64) char buf[8 * REDUCE_BLOCK];
	_Alignas(16) char total[16];
	int64_t kidx[MAXD], ridx[MAXD], last = g->rd - 1;
	int64_t n0 = g->rd ? g->rshape[last] : 1, s0 = g->rd ? g->rin[last] : 1;
	int64_t c = lo / g->units, w = lo % g->units, koff = walk_to(kidx, w, g->kd, g->kshape, g->kin);
	int direct = f->direct && s0 == 1;
	for (int64_t u = lo; u < hi; u++) {
		int64_t pos = c * g->chunk, end = pos + g->chunk < g->total ? pos + g->chunk : g->total, out = c * g->chunk_out;
		int64_t roff = pos < end ? walk_to(ridx, pos, g->rd, g->rshape, g->rin) : 0;
		int first = 1;
		while (pos < end) {
			int64_t n = g->rd ? n0 - ridx[last] : 1;
			if (n > end - pos) n = end - pos;
			if (n > STOP_WORK) n = STOP_WORK;
			if (STOPPED(g->stop)) return;
			const char *p = (const char *)g->in + (koff + roff) * f->in;
			if (direct) {
				f->run(total, p, n, first);
				first = 0;
			} else for (int64_t i = 0; i < n; i += REDUCE_BLOCK) {
				int64_t m = n - i < REDUCE_BLOCK ? n - i : REDUCE_BLOCK;
				f->load(buf, p + i * s0 * f->in, s0, m);
				f->run(total, buf, m, first);
				first = 0;
			}
			pos += n;
			if (pos < end) {
				roff += n * s0, ridx[last] += n;
				if (ridx[last] < n0) continue;
				roff -= n0 * s0, ridx[last] = 0;
				roff += walk_next(ridx, last, g->rshape, g->rin);
			}
		}
		if (first) {
			_Alignas(16) char none[16];
			f->clear(none, 1);
			f->flush_to(total, none, 1, 1);
		}
		for (int64_t a = 0; a < g->kd; a++) out += kidx[a] * g->kout[a];
		f->store(g, out, 1, total, 1);
		koff += walk_next(kidx, g->kd, g->kshape, g->kin);
		if (++w == g->units) w = 0, c++;
	}
}

// By columns: neighboring outputs fold whole rows into accumulators, so memory streams.
static void reduce_columns(const reduce_args *g, const reduce_fold *f, int64_t lo, int64_t hi) {
	ROOM(char, buf, 0); // 4 * 8 * REDUCE_BLOCK
	ROOM(char, acc, 32 * REDUCE_BLOCK);
	ROOM(char, total, 32 * REDUCE_BLOCK + 8 * REDUCE_COLUMNS); // 16 * REDUCE_COLUMNS
	int64_t ridx[MAXD], axis = g->kd - 1, width = g->kshape[axis], cs = g->kin[axis], os = g->kout[axis];
	int64_t blocks = (width + g->cols - 1) / g->cols, last = g->rd - 1;
	int64_t n0 = g->rd ? g->rshape[last] : 1, s0 = g->rd ? g->rin[last] : 0;
	int64_t limit = f->flush ? f->flush : INT64_MAX;
	int direct = f->direct && cs == 1;
	for (int64_t u = lo; u < hi; u++) {
		int64_t c = u / g->units, w = u % g->units, k = w / blocks, col = w % blocks * g->cols;
		int64_t n = width - col < g->cols ? width - col : g->cols;
		int64_t pos = c * g->chunk, end = pos + g->chunk < g->total ? pos + g->chunk : g->total;
		int64_t off = walk_offset(k, axis, g->kshape, g->kin) + col * cs;
		int64_t out = c * g->chunk_out + walk_offset(k, axis, g->kshape, g->kout) + col * os;
		int64_t roff = pos < end ? walk_to(ridx, pos, g->rd, g->rshape, g->rin) : 0;
		int64_t most = (STOP_WORK / n + 3) & ~(int64_t)3; // whole groups of the four rows that stack folds at a time
		int64_t held = 0; // rows in acc
		int first = 1;    // total holds nothing yet
		f->clear(acc, n);
		while (pos < end) {
			int64_t rows = g->rd ? n0 - ridx[last] : 1;
			if (rows > end - pos) rows = end - pos;
			for (int64_t r = 0; r < rows;) {
				int64_t m = rows - r < limit - held ? rows - r : limit - held;
				if (m > most) m = most;
				if (STOPPED(g->stop)) return;
				const char *p = (const char *)g->in + (off + roff + r * s0) * f->in;
				if (direct) {
					f->stack(acc, p, s0, m, n);
				} else {
					if (m > 4) m = 4;
					for (int64_t i = 0; i < n; i += REDUCE_BLOCK) {
						int64_t q = n - i < REDUCE_BLOCK ? n - i : REDUCE_BLOCK;
						for (int64_t j = 0; j < m; j++)
							f->load(buf + j * REDUCE_BLOCK * f->elem, p + (j * s0 + i * cs) * f->in, cs, q);
						f->stack(acc + i * f->acc, buf, REDUCE_BLOCK, m, q);
					}
				}
				r += m, held += m;
				if (held == limit) {
					f->flush_to(total, acc, n, first);
					f->clear(acc, n);
					first = 0, held = 0;
				}
			}
			pos += rows;
			if (pos < end) {
				roff -= ridx[last] * s0;
				ridx[last] = 0;
				roff += walk_next(ridx, last, g->rshape, g->rin);
			}
		}
		if (held || first) f->flush_to(total, acc, n, first);
		f->store(g, out, os, total, n);
	}
}

static void reduce(const void *args, int64_t lo, int64_t hi) {
	const reduce_args *g = args;
	const reduce_fold *f = &reduce_folds[g->op][g->dtype];
	if (g->cols) reduce_columns(g, f, lo, hi);
	else reduce_rows(g, f, lo, hi);
}
