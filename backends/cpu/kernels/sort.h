// Sorts of rows on processors with a vector sort; the others sort by digits, in Go.
#pragma once
#include "abi_sort.h"
#include "sort_vector.h"

// sort_vector_available writes whether sort_rows does anything.
static void sort_vector_available(const void *args, int64_t lo, int64_t hi) {
#ifdef SORT_VECTOR
	*(int64_t *)args = 1;
#endif
}

#ifdef SORT_VECTOR

// Keys order as the elements do: -0 is 0, and all NaNs are equal and last (backends/cpu/sort_keys.go).
#define SORT_FLOAT_KEY(U, b, SIGN, INF) \
	(((b) & ~(SIGN)) > (INF) ? ~(U)0 : (b) == (SIGN) ? (SIGN) : ((b) & (SIGN)) ? ~(b) : (b) | (SIGN))
#define SORT_ROW(name, U, SIGN, INF) \
	static int64_t sort_load_##name(U *restrict k, const U *restrict p, int64_t s, int64_t n, int kind) { \
		int64_t zeros = 0; /* of negative sign */ \
		if (kind == 2 && s == 1) for (int64_t i = 0; i < n; i++) { U b = p[i]; zeros += b == SIGN; k[i] = SORT_FLOAT_KEY(U, b, SIGN, INF); } \
		else if (kind == 2) for (int64_t i = 0; i < n; i++) { U b = p[i * s]; zeros += b == SIGN; k[i] = SORT_FLOAT_KEY(U, b, SIGN, INF); } \
		else for (int64_t i = 0; i < n; i++) k[i] = p[i * s] ^ (kind == 1 ? SIGN : 0); \
		return zeros; \
	} \
	static void sort_store_##name(U *restrict o, int64_t s, const U *restrict k, int64_t n, int kind) { \
		U nan = INF | (INF & -INF) >> 1; \
		if (kind == 2) for (int64_t i = 0; i < n; i++) { U b = k[i]; o[i * s] = b == ~(U)0 ? nan : (b & SIGN) ? b ^ SIGN : ~b; } \
		else for (int64_t i = 0; i < n; i++) o[i * s] = k[i] ^ (kind == 1 ? SIGN : 0); \
	} \
	/* Zeros of both signs are equal: they come out in the order they had. */ \
	static void sort_zeros_##name(U *o, int64_t os, const U *p, int64_t s, const U *k, int64_t n, stop_flag stop) { \
		int64_t from = 0; \
		for (int64_t i = 0; i < n; i++) { \
			if (i % STOP_WORK == 0 && STOPPED(stop)) return; \
			if (k[i] != SIGN) continue; \
			while ((p[from * s] & ~SIGN) != 0) from++; \
			o[i * os] = p[from++ * s]; \
		} \
	}
SORT_ROW(u32, bits32, 0x80000000u, 0x7f800000u)
SORT_ROW(u64, bits64, 0x8000000000000000ull, 0x7ff0000000000000ull)

INL int sort_depth(int64_t n) {
	return 2 * (64 - __builtin_clzll((unsigned long long)n));
}

// The statement for pieces [i, i + m) of [0, n); when the caller gave up, the function is left.
#define SORT_PIECES(n, statement) \
	for (int64_t i = 0, m; i < (n); i += m) { \
		m = (n) - i < STOP_WORK ? (n) - i : STOP_WORK; \
		if (STOPPED(g->stop)) return; \
		statement; \
	}

static void sort_rows(const void *args, int64_t lo, int64_t hi) {
	const sort_args *g = args;
	int wide = g->dtype == DT_U64 || g->dtype == DT_I64 || g->dtype == DT_F64;
	int kind = g->dtype == DT_F32 || g->dtype == DT_F64 ? 2 : g->dtype == DT_I32 || g->dtype == DT_I64 ? 1 : 0;
	int64_t n = g->n, size = wide ? 8 : 4, zeros = 0, depth = sort_depth(n);
	for (int64_t u = lo; u < hi; u++) {
		const void *in = (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * size;
		void *out = (char *)g->out + walk_offset(u, g->kd, g->kshape, g->kout) * (g->arg ? 4 : size);
		if (g->arg) {
			// Positions ride below the keys, which makes the sort stable.
			uint64_t *k = g->work, *tmp = k + n + 8;
			bits32 *keys = (bits32 *)tmp, *at = out;
			SORT_PIECES(n, sort_load_u32(keys + i, (const bits32 *)in + i * g->is, g->is, m, kind))
			SORT_PIECES(n, for (int64_t j = i; j < i + m; j++) k[j] = (uint64_t)keys[j] << 32 | (uint64_t)j)
			sort_keys_u64(k, tmp, n, g->kth, depth, g->stop);
			SORT_PIECES(n, for (int64_t j = i; j < i + m; j++) at[j * g->os] = (uint32_t)k[j])
		} else if (wide) {
			bits64 *k = g->work, *o = out;
			SORT_PIECES(n, zeros += sort_load_u64(k + i, (const bits64 *)in + i * g->is, g->is, m, kind))
			sort_keys_u64((uint64_t *)k, (uint64_t *)k + n + 8, n, g->kth, depth, g->stop);
			SORT_PIECES(n, sort_store_u64(o + i * g->os, g->os, k + i, m, kind))
			if (zeros) sort_zeros_u64(o, g->os, in, g->is, k, n, g->stop);
		} else {
			bits32 *k = g->work, *o = out;
			SORT_PIECES(n, zeros += sort_load_u32(k + i, (const bits32 *)in + i * g->is, g->is, m, kind))
			sort_keys_u32((uint32_t *)k, (uint32_t *)k + n + 16, n, g->kth, depth, g->stop);
			SORT_PIECES(n, sort_store_u32(o + i * g->os, g->os, k + i, m, kind))
			if (zeros) sort_zeros_u32(o, g->os, in, g->is, k, n, g->stop);
		}
		zeros = 0;
	}
}
#undef SORT_PIECES
#else
static void sort_rows(const void *args, int64_t lo, int64_t hi) {}
#endif
