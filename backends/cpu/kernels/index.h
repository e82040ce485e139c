// Gather and scatter. Offsets of a block of positions are computed, and every index checked, before memory is touched.
#pragma once
#include "abi_index.h"

enum { INDEX_BLOCK = 256 };

// Walks positions lo..lo+n row by row: the last argument sees at (first of the run, counted from lo), run (its length)
// and pos (coordinates of its first position).
#define INDEX_WALK(g, lo, n, ...) \
	{ \
		int64_t pos[MAXD + 1] = {0}, rest = lo, last = (g)->nd - 1; \
		for (int64_t x = last; x >= 0; x--) pos[x] = rest % (g)->shape[x], rest /= (g)->shape[x]; \
		for (int64_t at = 0; at < (n);) { \
			int64_t run = last < 0 ? 1 : (g)->shape[last] - pos[last]; \
			if (run > (n) - at) run = (n) - at; \
			__VA_ARGS__ \
			at += run; \
			if (last < 0) continue; \
			pos[last] += run; \
			for (int64_t x = last; x > 0 && pos[x] == (g)->shape[x]; x--) pos[x] = 0, pos[x - 1]++; \
		} \
	}

INL void index_linear(const index_args *g, const int64_t *steps, int64_t lo, int64_t n, int64_t *off) {
	INDEX_WALK(g, lo, n, {
		int64_t o = 0, s = last < 0 ? 0 : steps[last];
		for (int64_t x = 0; x <= last; x++) o += pos[x] * steps[x];
		for (int64_t i = 0; i < run; i++) off[at + i] = o + i * s;
	})
}

// Adds the coordinates one array of type T picks; false when one is out of bounds, which is looked for only
// afterwards so that the loop has no branch. Until then sums may wrap: they are unsigned.
#define INDEX_ADD(T) { \
		const T *p = (const T *)a->p + o; \
		const int64_t size = a->size, most = a->last; \
		const uint64_t step = a->step; \
		uint64_t *restrict d = (uint64_t *)off + at; \
		uint64_t wrong = 0; \
		if (s == 1) \
			for (int64_t i = 0; i < run; i++) { \
				int64_t v = (int64_t)p[i], u = v + (v < 0 && (T)-1 < 1 ? size : 0); \
				wrong |= u < 0 || u > most; \
				d[i] += (uint64_t)u * step; \
			} \
		else \
			for (int64_t i = 0; i < run; i++) { \
				int64_t v = (int64_t)p[i * s], u = v + (v < 0 && (T)-1 < 1 ? size : 0); \
				wrong |= u < 0 || u > most; \
				d[i] += (uint64_t)u * step; \
			} \
		for (int64_t i = 0; wrong; i++) { \
			int64_t v = (int64_t)p[i * s], u = v + (v < 0 && (T)-1 < 1 ? size : 0); \
			if (u < 0 || u > most) { \
				g->value = v; \
				return 0; \
			} \
		} \
		break; \
	}

static int index_add(index_args *g, const index_axis *a, int64_t lo, int64_t n, int64_t *off) {
	INDEX_WALK(g, lo, n, {
		int64_t o = 0;
		int64_t s = last < 0 ? 0 : a->strides[last];
		for (int64_t x = 0; x <= last; x++) o += pos[x] * a->strides[x];
		switch (a->dtype) {
		case DT_BOOL: case DT_U8: INDEX_ADD(uint8_t)
		case DT_U16: INDEX_ADD(uint16_t)
		case DT_U32: INDEX_ADD(uint32_t)
		case DT_U64: INDEX_ADD(uint64_t)
		case DT_I8: INDEX_ADD(int8_t)
		case DT_I16: INDEX_ADD(int16_t)
		case DT_I32: INDEX_ADD(int32_t)
		default: INDEX_ADD(int64_t)
		}
	})
	return 1;
}

// Offsets of the slices of positions lo..lo+n, n <= INDEX_BLOCK; false after noting a bad index.
static int index_offsets(index_args *g, int64_t lo, int64_t n, int64_t *off) {
	index_linear(g, g->base, lo, n, off);
	for (int64_t i = 0; i < g->count; i++)
		if (!index_add(g, &g->axes[i], lo, n, off)) {
			g->bad = i + 1;
			return 0;
		}
	return 1;
}

typedef uint16_t index_u16 __attribute__((may_alias, aligned(1)));
typedef uint32_t index_u32 __attribute__((may_alias, aligned(1)));
typedef uint64_t index_u64 __attribute__((may_alias, aligned(1)));

INL int64_t index_size(int64_t dtype) {
	static const uint8_t sizes[DT_COUNT] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 2, 8};
	return sizes[dtype];
}

// An inner row of a slice: d[i*ds] op= s[i*ss].
typedef void (*index_row)(void *d, const void *s, int64_t n, int64_t ds, int64_t ss);

#define INDEX_ROW(name, T, EXPR) \
	static void name(void *dp, const void *sp, int64_t n, int64_t ds, int64_t ss) { \
		T *d = dp; \
		const T *s = sp; \
		for (int64_t i = 0; i < n; i++) { \
			T a = d[i * ds], b = s[i * ss]; \
			d[i * ds] = EXPR; \
		} \
	}
// The same with a loop for contiguous rows, which the compiler vectorises.
#define INDEX_ROW2(name, T, EXPR) \
	static void name(void *dp, const void *sp, int64_t n, int64_t ds, int64_t ss) { \
		T *restrict d = dp; \
		const T *restrict s = sp; \
		if (ds == 1 && ss == 1) \
			for (int64_t i = 0; i < n; i++) { \
				T a = d[i], b = s[i]; \
				d[i] = EXPR; \
			} \
		else \
			for (int64_t i = 0; i < n; i++) { \
				T a = d[i * ds], b = s[i * ss]; \
				d[i * ds] = EXPR; \
			} \
	}
#define INDEX_SET(name, T) \
	static void name(void *dp, const void *sp, int64_t n, int64_t ds, int64_t ss) { \
		if (ds == 1 && ss == 1) { \
			memcpy(dp, sp, n * sizeof(T)); \
			return; \
		} \
		T *d = dp; \
		const T *s = sp; \
		for (int64_t i = 0; i < n; i++) d[i * ds] = s[i * ss]; \
	}
INDEX_SET(index_set_1, uint8_t)
INDEX_SET(index_set_2, index_u16)
INDEX_SET(index_set_4, index_u32)
INDEX_SET(index_set_8, index_u64)

typedef struct { float re, im; } index_c64;
INL index_c64 index_c64_mul(index_c64 a, index_c64 b) {
	return (index_c64){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
INL int index_c64_less(index_c64 a, index_c64 b) { return a.re < b.re || (a.re == b.re && a.im < b.im); }
#define C64_NAN(a) ((a).re != (a).re || (a).im != (a).im)

INDEX_ROW2(index_add_f32, float, a + b)
INDEX_ROW2(index_add_f64, double, a + b)
INDEX_ROW2(index_add_8, uint8_t, a + b)
INDEX_ROW2(index_add_16, uint16_t, a + b)
INDEX_ROW2(index_add_32, uint32_t, a + b)
INDEX_ROW2(index_add_64, uint64_t, a + b)
INDEX_ROW(index_add_f16, uint16_t, f32_f16(f16_f32(a) + f16_f32(b)))
INDEX_ROW(index_add_bf16, uint16_t, f32_bf16(bf16_f32(a) + bf16_f32(b)))
INDEX_ROW(index_add_c64, index_c64, ((index_c64){a.re + b.re, a.im + b.im}))
INDEX_ROW(index_prod_f32, float, a * b)
INDEX_ROW(index_prod_f64, double, a * b)
INDEX_ROW(index_prod_8, uint8_t, a * b)
INDEX_ROW(index_prod_16, uint16_t, (uint32_t)a * b)
INDEX_ROW(index_prod_32, uint32_t, a * b)
INDEX_ROW(index_prod_64, uint64_t, a * b)
INDEX_ROW(index_prod_f16, uint16_t, f32_f16(f16_f32(a) * f16_f32(b)))
INDEX_ROW(index_prod_bf16, uint16_t, f32_bf16(bf16_f32(a) * bf16_f32(b)))
INDEX_ROW(index_prod_c64, index_c64, index_c64_mul(a, b))
INDEX_ROW(index_or, uint8_t, a || b)
INDEX_ROW(index_and, uint8_t, a && b)
// NaN wins.
#define INDEX_MINMAX(N, T) \
	INDEX_ROW(index_max_##N, T, a < b || b != b ? b : a) \
	INDEX_ROW(index_min_##N, T, b < a || b != b ? b : a)
INDEX_MINMAX(u8, uint8_t)
INDEX_MINMAX(u16, uint16_t)
INDEX_MINMAX(u32, uint32_t)
INDEX_MINMAX(u64, uint64_t)
INDEX_MINMAX(i8, int8_t)
INDEX_MINMAX(i16, int16_t)
INDEX_MINMAX(i32, int32_t)
INDEX_MINMAX(i64, int64_t)
INDEX_ROW(index_max_f32, float, a != a ? a : a < b || b != b ? b : a)
INDEX_ROW(index_min_f32, float, a != a ? a : b < a || b != b ? b : a)
INDEX_ROW(index_max_f64, double, a != a ? a : a < b || b != b ? b : a)
INDEX_ROW(index_min_f64, double, a != a ? a : b < a || b != b ? b : a)
#define HALF_PICK(W, LESS) (W(a) != W(a) ? a : (LESS) || W(b) != W(b) ? b : a)
INDEX_ROW(index_max_f16, uint16_t, HALF_PICK(f16_f32, f16_f32(a) < f16_f32(b)))
INDEX_ROW(index_min_f16, uint16_t, HALF_PICK(f16_f32, f16_f32(b) < f16_f32(a)))
INDEX_ROW(index_max_bf16, uint16_t, HALF_PICK(bf16_f32, bf16_f32(a) < bf16_f32(b)))
INDEX_ROW(index_min_bf16, uint16_t, HALF_PICK(bf16_f32, bf16_f32(b) < bf16_f32(a)))
INDEX_ROW(index_max_c64, index_c64, C64_NAN(a) ? a : C64_NAN(b) || index_c64_less(a, b) ? b : a)
INDEX_ROW(index_min_c64, index_c64, C64_NAN(a) ? a : C64_NAN(b) || index_c64_less(b, a) ? b : a)

static const index_row index_rows[SCATTER_OPS][DT_COUNT] = {
	[SCATTER_OP_SET] = {
		[DT_BOOL] = index_set_1, [DT_U8] = index_set_1, [DT_U16] = index_set_2, [DT_U32] = index_set_4,
		[DT_U64] = index_set_8, [DT_I8] = index_set_1, [DT_I16] = index_set_2, [DT_I32] = index_set_4,
		[DT_I64] = index_set_8, [DT_F16] = index_set_2, [DT_F32] = index_set_4, [DT_F64] = index_set_8,
		[DT_BF16] = index_set_2, [DT_C64] = index_set_8,},
	[SCATTER_OP_ADD] = {
		[DT_BOOL] = index_or, [DT_U8] = index_add_8, [DT_U16] = index_add_16, [DT_U32] = index_add_32,
		[DT_U64] = index_add_64, [DT_I8] = index_add_8, [DT_I16] = index_add_16, [DT_I32] = index_add_32,
		[DT_I64] = index_add_64, [DT_F16] = index_add_f16, [DT_F32] = index_add_f32, [DT_F64] = index_add_f64,
		[DT_BF16] = index_add_bf16, [DT_C64] = index_add_c64,},
	[SCATTER_OP_PROD] = {
		[DT_BOOL] = index_and, [DT_U8] = index_prod_8, [DT_U16] = index_prod_16, [DT_U32] = index_prod_32,
		[DT_U64] = index_prod_64, [DT_I8] = index_prod_8, [DT_I16] = index_prod_16, [DT_I32] = index_prod_32,
		[DT_I64] = index_prod_64, [DT_F16] = index_prod_f16, [DT_F32] = index_prod_f32, [DT_F64] = index_prod_f64,
		[DT_BF16] = index_prod_bf16, [DT_C64] = index_prod_c64,},
	[SCATTER_OP_MAX] = {
		[DT_BOOL] = index_or, [DT_U8] = index_max_u8, [DT_U16] = index_max_u16, [DT_U32] = index_max_u32,
		[DT_U64] = index_max_u64, [DT_I8] = index_max_i8, [DT_I16] = index_max_i16, [DT_I32] = index_max_i32,
		[DT_I64] = index_max_i64, [DT_F16] = index_max_f16, [DT_F32] = index_max_f32, [DT_F64] = index_max_f64,
		[DT_BF16] = index_max_bf16, [DT_C64] = index_max_c64,},
	[SCATTER_OP_MIN] = {
		[DT_BOOL] = index_and, [DT_U8] = index_min_u8, [DT_U16] = index_min_u16, [DT_U32] = index_min_u32,
		[DT_U64] = index_min_u64, [DT_I8] = index_min_i8, [DT_I16] = index_min_i16, [DT_I32] = index_min_i32,
		[DT_I64] = index_min_i64, [DT_F16] = index_min_f16, [DT_F32] = index_min_f32, [DT_F64] = index_min_f64,
		[DT_BF16] = index_min_bf16, [DT_C64] = index_min_c64,},
};

// Applies row to n elements.
INL void index_run(const index_args *g, index_row row, char *d, const char *s, int64_t n, int64_t ds, int64_t ss,
	int64_t es) {
	for (; n > STOP_WORK && !STOPPED(g->stop); n -= STOP_WORK, d += STOP_WORK * ds * es, s += STOP_WORK * ss * es)
		row(d, s, STOP_WORK, ds, ss);
	if (!STOPPED(g->stop)) row(d, s, n, ds, ss);
}

// Applies row to a whole slice.
INL void index_slice(const index_args *g, index_row row, char *d, const char *s, const int64_t *ds, const int64_t *ss,
	int64_t es) {
	int64_t last = g->sd - 1, pos[MAXD] = {0};
	if (last < 0) {
		row(d, s, 1, 1, 1);
		return;
	}
	if (last == 0) {
		index_run(g, row, d, s, g->sshape[0], ds[0], ss[0], es);
		return;
	}
	for (;;) {
		index_run(g, row, d, s, g->sshape[last], ds[last], ss[last], es);
		if (STOPPED(g->stop)) return;
		int64_t x = last - 1;
		for (; x >= 0; x--) {
			d += ds[x] * es, s += ss[x] * es;
			if (++pos[x] < g->sshape[x]) break;
			pos[x] = 0;
			d -= ds[x] * g->sshape[x] * es, s -= ss[x] * g->sshape[x] * es;
		}
		if (x < 0) return;
	}
}

#define GATHER_SCALARS(T) \
	if (g->nd == 1 && g->vstep[0] == 1) \
		for (int64_t i = 0; i < n; i++) ((T *)g->values)[lo + i] = ((const T *)g->array)[off[i]]; \
	else for (int64_t i = 0; i < n; i++) ((T *)g->values)[to[i]] = ((const T *)g->array)[off[i]]; \
	break;

// values[position] = array slices, positions lo..hi.
static void gather(const void *args, int64_t lo, int64_t hi) {
	index_args *g = (index_args *)args;
	const int64_t es = index_size(g->dtype);
	int64_t off[INDEX_BLOCK], to[INDEX_BLOCK];
	const index_row set = index_rows[0][g->dtype];
	const int contiguous = g->sd == 1 && g->as[0] == 1 && g->vs[0] == 1 && g->sshape[0] <= STOP_WORK;
	for (int64_t n; lo < hi; lo += n) {
		n = hi - lo < INDEX_BLOCK ? hi - lo : INDEX_BLOCK;
		if (STOPPED(g->stop) || !index_offsets(g, lo, n, off)) return;
		if (g->sd || g->nd != 1 || g->vstep[0] != 1) index_linear(g, g->vstep, lo, n, to);
		if (g->sd == 0)
			switch (es) {
			case 1: GATHER_SCALARS(uint8_t)
			case 2: GATHER_SCALARS(index_u16)
			case 4: GATHER_SCALARS(index_u32)
			default: GATHER_SCALARS(index_u64)
			}
		else
			for (int64_t i = 0; i < n; i++) {
				const char *s = (const char *)g->array + off[i] * es;
				char *d = (char *)g->values + to[i] * es;
				if (i + 4 < n) __builtin_prefetch((const char *)g->array + off[i + 4] * es);
				if (contiguous) memcpy(d, s, g->sshape[0] * es);
				else index_slice(g, set, d, s, g->vs, g->as, es);
			}
	}
}

// array slices op= values[position], positions lo..hi in order.
static void scatter(const void *args, int64_t lo, int64_t hi) {
	index_args *g = (index_args *)args;
	const int64_t es = index_size(g->dtype);
	int64_t off[INDEX_BLOCK], from[INDEX_BLOCK];
	const index_row row = index_rows[g->op][g->dtype];
	for (int64_t n; lo < hi; lo += n) {
		n = hi - lo < INDEX_BLOCK ? hi - lo : INDEX_BLOCK;
		if (STOPPED(g->stop) || !index_offsets(g, lo, n, off)) return;
		index_linear(g, g->vstep, lo, n, from);
		if (g->sd == 0 && g->op == SCATTER_OP_ADD && g->dtype == DT_F32) {
			for (int64_t i = 0; i < n; i++) ((float *)g->array)[off[i]] += ((const float *)g->values)[from[i]];
			continue;
		}
		for (int64_t i = 0; i < n; i++)
			index_slice(g, row, (char *)g->array + off[i] * es, (const char *)g->values + from[i] * es, g->as,
				g->vs, es);
	}
}
#undef GATHER_SCALARS
#undef INDEX_ADD
#undef INDEX_WALK
