// Places at which a bool mask holds: a first pass counts those of every chunk, a second one writes their positions
// where the chunks before leave off.
#pragma once
#include "abi_nonzero.h"

typedef uint8_t vbytes __attribute__((vector_size(VB)));
typedef vbytes vbytes_any __attribute__((aligned(1), may_alias));

static int64_t count_true(const uint8_t *m, int64_t n) {
	int64_t count = 0, i = 0;
	while (i + VB <= n) {
		// Lanes count to 255 at most.
		int64_t stop = n - i < 255 * VB ? n - i : 255 * VB;
		vbytes lanes = {0};
		for (stop += i - VB; i <= stop; i += VB) lanes -= (vbytes)(*(const vbytes_any *)(m + i) != 0);
		for (int k = 0; k < VB; k++) count += lanes[k];
	}
	for (; i < n; i++) count += m[i] != 0;
	return count;
}

// Chunks lo..hi, counted through all examples.
static void nonzero_count(const void *args, int64_t lo, int64_t hi) {
	const nonzero_args *r = args;
	for (; lo < hi; lo++) {
		int64_t from = lo % r->chunks * r->chunk, n = r->size - from < r->chunk ? r->size - from : r->chunk;
		r->counts[lo] = count_true(r->mask + lo / r->chunks * r->size + from, n);
	}
}

// Writes from last[p] on which of m[i..stop) hold, but nothing at end or behind it, and returns how far it came.
#define NONZERO_RUN(name, T) \
	static int64_t nonzero_run_##name(const uint8_t *m, int64_t i, int64_t stop, T *last, int64_t p, int64_t end) { \
		for (; i + 8 <= stop && p + 8 <= end; i += 8) { \
			uint64_t word; \
			memcpy(&word, m + i, 8); \
			if (!word) continue; \
			for (int k = 0; k < 8; k++) { \
				last[p] = i + k; \
				p += m[i + k] != 0; \
			} \
		} \
		for (; i < stop && p < end; i++) { \
			last[p] = i; \
			p += m[i] != 0; \
		} \
		return p; \
	} \
	/* Elements from..to of an example, whose places go to p..end of its rows: row by row of the last axis. */ \
	static void nonzero_##name(const nonzero_args *r, int64_t example, int64_t from, int64_t to, int64_t p, \
		int64_t end) { \
		const int64_t outer = r->axes - 1, row = r->shape[outer], n = r->n; \
		const uint8_t *m = r->mask + example * r->size; \
		T *out = (T *)r->out + example * r->axes * n; \
		int64_t at[NONZERO_AXES], rest = from / row, i = from % row; \
		for (int64_t a = outer - 1; a >= 0; a--) at[a] = rest % r->shape[a], rest /= r->shape[a]; \
		while (from < to && p < end) { \
			int64_t stop = row - i < to - from ? row : i + to - from, first = p; \
			p = nonzero_run_##name(m + from - i, i, stop, out + outer * n, p, end); \
			for (int64_t a = 0; a < outer; a++) \
				for (int64_t k = first; k < p; k++) out[a * n + k] = at[a]; \
			from += stop - i; \
			i = 0; \
			for (int64_t a = outer - 1; a >= 0 && ++at[a] == r->shape[a]; a--) at[a] = 0; \
		} \
	}
NONZERO_RUN(u32, uint32_t)
NONZERO_RUN(i64, int64_t)

// Chunks lo..hi, counted through all examples. counts now says how many places of the example are before each chunk.
static void nonzero(const void *args, int64_t lo, int64_t hi) {
	const nonzero_args *r = args;
	for (; lo < hi; lo++) {
		int64_t example = lo / r->chunks, c = lo % r->chunks, from = c * r->chunk;
		int64_t to = r->size - from < r->chunk ? r->size : from + r->chunk;
		int64_t end = c + 1 < r->chunks ? r->counts[lo + 1] : r->n;
		(r->wide ? nonzero_i64 : nonzero_u32)(r, example, from, to, r->counts[lo], end);
	}
}
