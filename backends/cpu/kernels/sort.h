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
	static void sort_zeros_##name(U *o, int64_t os, const U *p, int64_t s, const U *k, int64_t n) { \
		int64_t from = 0; \
		for (int64_t i = 0; i < n; i++) { \
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

static void sort_rows(const void *args, int64_t lo, int64_t hi) {
	const sort_args *g = args;
	int wide = g->dtype == DT_U64 || g->dtype == DT_I64 || g->dtype == DT_F64;
	int kind = g->dtype == DT_F32 || g->dtype == DT_F64 ? 2 : g->dtype == DT_I32 || g->dtype == DT_I64 ? 1 : 0;
	int64_t n = g->n, size = wide ? 8 : 4;
	for (int64_t u = lo; u < hi; u++) {
		const char *p = (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * size;
		char *out = (char *)g->out + walk_offset(u, g->kd, g->kshape, g->kout) * (g->arg ? 4 : size);
		if (g->arg) {
			// Positions ride below the keys, which makes the sort stable.
			uint64_t *k = g->work, *tmp = k + n + 8;
			bits32 *keys = (bits32 *)tmp, *at = (bits32 *)out;
			sort_load_u32(keys, (const bits32 *)p, g->is, n, kind);
			for (int64_t i = 0; i < n; i++) k[i] = (uint64_t)keys[i] << 32 | (uint64_t)i;
			sort_keys_u64(k, tmp, n, g->kth, sort_depth(n));
			for (int64_t i = 0; i < n; i++) at[i * g->os] = (uint32_t)k[i];
		} else if (wide) {
			bits64 *k = g->work;
			int64_t zeros = sort_load_u64(k, (const bits64 *)p, g->is, n, kind);
			sort_keys_u64((uint64_t *)k, (uint64_t *)k + n + 8, n, g->kth, sort_depth(n));
			sort_store_u64((bits64 *)out, g->os, k, n, kind);
			if (zeros) sort_zeros_u64((bits64 *)out, g->os, (const bits64 *)p, g->is, k, n);
		} else {
			bits32 *k = g->work;
			int64_t zeros = sort_load_u32(k, (const bits32 *)p, g->is, n, kind);
			sort_keys_u32((uint32_t *)k, (uint32_t *)k + n + 16, n, g->kth, sort_depth(n));
			sort_store_u32((bits32 *)out, g->os, k, n, kind);
			if (zeros) sort_zeros_u32((bits32 *)out, g->os, (const bits32 *)p, g->is, k, n);
		}
	}
}
#else
static void sort_rows(const void *args, int64_t lo, int64_t hi) {}
#endif
