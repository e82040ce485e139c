// Sorts of rows on processors with a vector sort; the others sort by digits, in Go.
#pragma once
#include "abi_sort.h"
#include "sort_vector.h"

// sort_vector_available writes whether sort_rows does anything.
static void sort_vector_available(const void *args, int64_t lo, int64_t hi) {
#ifdef SORT_VECTOR
	*(int64_t *)args = 1;
#endif
	(void)args, (void)lo, (void)hi;
}

#ifdef SORT_VECTOR

// Keys order as the elements do: -0 is 0, and all NaNs are equal and last (backends/cpu/sort_keys.go).
#define SORT_FLOAT_KEY(U, b, SIGN, INF) \
	(((b) & ~(SIGN)) > (INF) ? ~(U)0 : (b) == (SIGN) ? (SIGN) : ((b) & (SIGN)) ? ~(b) : (b) | (SIGN))
#define SORT_ROW(name, U, SIGN, INF) \
	static int64_t sort_load_##name(U *restrict k, const U *restrict p, int64_t s, int64_t n, int kind) { \
		int64_t zeros = 0; /* of negative sign */ \
		if (kind == 2 && s == 1) for (int64_t i = 0; i < n; i++) { \
			U b = p[i]; \
			zeros += b == SIGN; \
			k[i] = SORT_FLOAT_KEY(U, b, SIGN, INF); \
		} else if (kind == 2) for (int64_t i = 0; i < n; i++) { \
			U b = p[i * s]; \
			zeros += b == SIGN; \
			k[i] = SORT_FLOAT_KEY(U, b, SIGN, INF); \
		} else for (int64_t i = 0; i < n; i++) k[i] = p[i * s] ^ (kind == 1 ? SIGN : 0); \
		return zeros; \
	} \
	static void sort_store_##name(U *restrict o, int64_t s, const U *restrict k, int64_t n, int kind) { \
		U nan = INF | (INF & -INF) >> 1; \
		if (kind == 2) for (int64_t i = 0; i < n; i++) { \
			U b = k[i]; \
			o[i * s] = b == ~(U)0 ? nan : (b & SIGN) ? b ^ SIGN : ~b; \
		} else for (int64_t i = 0; i < n; i++) o[i * s] = k[i] ^ (kind == 1 ? SIGN : 0); \
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

INL int sort_wide(const sort_args *g) { return g->dtype == DT_U64 || g->dtype == DT_I64 || g->dtype == DT_F64; }
INL int sort_kind(const sort_args *g) {
	return g->dtype == DT_F32 || g->dtype == DT_F64 ? 2 : g->dtype == DT_I32 || g->dtype == DT_I64 ? 1 : 0;
}
INL int64_t sort_key_size(const sort_args *g) { return sort_wide(g) || g->arg ? 8 : 4; }

// Keys of the elements from position at on, of which the number of negative zeros is added.
static void sort_load(const sort_args *g, const void *in, int64_t at, int64_t n, void *k, void *tmp, int64_t *zeros) {
	int kind = sort_kind(g);
	const bits32 *p = (const bits32 *)in + at * g->is;
	if (g->arg) {
		// Positions ride below the keys, which makes the sort stable.
		bits32 *keys = tmp;
		uint64_t *to = k;
		SORT_PIECES(n, sort_load_u32(keys + i, p + i * g->is, g->is, m, kind))
		SORT_PIECES(n, for (int64_t j = i; j < i + m; j++) to[j] = (uint64_t)keys[j] << 32 | (uint64_t)(at + j))
	} else if (sort_wide(g)) {
		const bits64 *p = (const bits64 *)in + at * g->is;
		SORT_PIECES(n, *zeros += sort_load_u64((bits64 *)k + i, p + i * g->is, g->is, m, kind))
	} else {
		SORT_PIECES(n, *zeros += sort_load_u32((bits32 *)k + i, p + i * g->is, g->is, m, kind))
	}
}

static void sort_keys(const sort_args *g, void *k, void *tmp, int64_t n) {
	if (n == 0) return;
	if (sort_key_size(g) == 8) sort_keys_u64(k, tmp, n, g->kth, sort_depth(n), g->stop);
	else sort_keys_u32(k, tmp, n, g->kth, sort_depth(n), g->stop);
}

// What sorted keys stand for goes to positions at and on; all keys of zeros are among them, or none.
static void sort_store(const sort_args *g, const void *in, void *out, int64_t at, int64_t n, const void *k,
	int64_t zeros) {
	int kind = sort_kind(g);
	if (g->arg) {
		bits32 *o = (bits32 *)out + at * g->os;
		const uint64_t *from = k;
		SORT_PIECES(n, for (int64_t j = i; j < i + m; j++) o[j * g->os] = (uint32_t)from[j])
	} else if (sort_wide(g)) {
		bits64 *o = (bits64 *)out + at * g->os;
		SORT_PIECES(n, sort_store_u64(o + i * g->os, g->os, (const bits64 *)k + i, m, kind))
		if (zeros) sort_zeros_u64(o, g->os, in, g->is, k, n, g->stop);
	} else {
		bits32 *o = (bits32 *)out + at * g->os;
		SORT_PIECES(n, sort_store_u32(o + i * g->os, g->os, (const bits32 *)k + i, m, kind))
		if (zeros) sort_zeros_u32(o, g->os, in, g->is, k, n, g->stop);
	}
}

static void sort_rows(const void *args, int64_t lo, int64_t hi) {
	const sort_args *g = args;
	int64_t size = sort_wide(g) ? 8 : 4, n = g->n;
	void *k = g->work, *tmp = (char *)g->work + (n + 16) * sort_key_size(g);
	for (int64_t u = lo; u < hi; u++) {
		const void *in = (const char *)g->in + walk_offset(u, g->kd, g->kshape, g->kin) * size;
		void *out = (char *)g->out + walk_offset(u, g->kd, g->kshape, g->kout) * (g->arg ? 4 : size);
		int64_t zeros = 0;
		sort_load(g, in, 0, n, k, tmp, &zeros);
		sort_keys(g, k, tmp, n);
		sort_store(g, in, out, 0, n, k, zeros);
	}
}

// One row over several cores is a sample sort (Frazer, McKellar, "Samplesort", 1970) whose blocks are parted by the
// quicksort's own partitions: no step is lost to the quicksorts of the ranges, and a range is copied piece by piece.

// sort_sample chooses splitters from keys at multiples of the golden ratio, which no period of the row agrees with.
static void sort_sample(const void *args, int64_t lo, int64_t hi) {
	(void)lo, (void)hi;
	const sort_split_args *s = args;
	const sort_args *g = &s->row;
	int64_t n = s->parts * s->sample, size = sort_key_size(g), zeros = 0;
	char *k = g->work, *tmp = k + (n + 16) * size;
	for (int64_t i = 0; i < n; i++) {
		int64_t at = (int64_t)((unsigned __int128)((uint64_t)i * 0x9e3779b97f4a7c15u) * (uint64_t)g->n >> 64);
		sort_load(g, g->in, at, 1, k + i * size, tmp, &zeros);
	}
	sort_keys(g, k, tmp, n);
	for (int64_t i = 1; i < s->parts; i++)
		memcpy((char *)s->splitters + (i - 1) * size, k + i * s->sample * size, size);
}

// sort_split loads blocks and parts each of them into ranges.
static void sort_split(const void *args, int64_t lo, int64_t hi) {
	const sort_split_args *s = args;
	const sort_args *g = &s->row;
	int64_t size = sort_key_size(g);
	for (int64_t b = lo; b < hi; b++) {
		int64_t at = b * s->block, n = g->n - at < s->block ? g->n - at : s->block, *ends = s->ends + b * s->parts;
		void *k = (char *)s->blocks + at * size;
		s->zeros[b] = 0;
		sort_load(g, g->in, at, n, k, g->work, &s->zeros[b]);
		if (size == 8) sort_parts_u64(k, g->work, n, s->splitters, s->parts, 0, ends, g->stop);
		else sort_parts_u32(k, g->work, n, s->splitters, s->parts, 0, ends, g->stop);
	}
}

// sort_ranges collects ranges from all blocks and sorts them.
static void sort_ranges(const void *args, int64_t lo, int64_t hi) {
	const sort_split_args *s = args;
	const sort_args *g = &s->row;
	int64_t size = sort_key_size(g), blocks = (g->n + s->block - 1) / s->block, zeros = 0;
	for (int64_t b = 0; b < blocks; b++) zeros += s->zeros[b];
	for (int64_t r = lo; r < hi; r++) {
		int64_t n = s->starts[r + 1] - s->starts[r];
		char *k = g->work, *tmp = k + (n + 16) * size, *to = k;
		for (int64_t b = 0; b < blocks && !STOPPED(g->stop); b++) {
			const int64_t *end = s->ends + b * s->parts + r;
			int64_t begin = r ? end[-1] : 0, bytes = (*end - begin) * size;
			memcpy(to, (const char *)s->blocks + (b * s->block + begin) * size, bytes);
			to += bytes;
		}
		sort_keys(g, k, tmp, n);
		sort_store(g, g->in, g->out, s->starts[r], n, k, zeros);
	}
}
#undef SORT_PIECES
#else
#define SORT_NOTHING(name) \
	static void name(const void *args, int64_t lo, int64_t hi) { (void)args, (void)lo, (void)hi; }
SORT_NOTHING(sort_rows)
SORT_NOTHING(sort_sample)
SORT_NOTHING(sort_split)
SORT_NOTHING(sort_ranges)
#undef SORT_NOTHING
#endif
