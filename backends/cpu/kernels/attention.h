// Scaled dot-product attention without the scores in memory: tiles of keys with a running maximum and sum (M. Milakov,
// N. Gimelshein, "Online normalizer calculation for softmax", 2018; T. Dao et al., "FlashAttention", 2022). Many
// queries multiply packed panels (attention_tiles.h), few stream the keys and values as they lie (attention_rows.h).
#pragma once
#include "abi_attention.h"

// A row of queries: its head, counted from that of the keys, and its position there.
typedef struct {
	int64_t head, at;
} attention_row;
INL attention_row attention_row_at(const attention_args *g, int64_t r) { return (attention_row){r / g->lq, r % g->lq}; }

// Where the row's queries, mask or results begin, in elements from those of example b and head h of the keys.
INL int64_t attention_offset(const attention_args *g, int64_t b, int64_t h, attention_row r, int64_t sb, int64_t sh,
	int64_t sl) {
	return b * sb + (h * g->group + r.head) * sh + r.at * sl;
}

// The last key that a row sees.
INL int64_t attention_limit(const attention_args *g, attention_row r) {
	return g->causal ? r.at + g->lk - g->lq : g->lk;
}

#define T float
#define TN(name) name##_f32
#define TEXP softmax_exp
#define TMAX vmax
#define TLOWEST (-3.40282346638528859812e+38f)
INL void attention_load_f32(float *restrict to, const void *from, int64_t step, int64_t n, int dtype) {
	if (dtype == DT_F32) {
		const float *x = from;
		if (step == 1) memcpy(to, x, n * 4);
		else for (int64_t i = 0; i < n; i++) to[i] = x[i * step];
	} else {
		const uint16_t *x = from;
		if (step == 1) gemm_widen(to, x, n, dtype);
		else for (int64_t i = 0; i < n; i++) to[i] = gemm_widen1(x[i * step], dtype);
	}
}
INL void attention_store_f32(void *to, const float *from, int64_t n, int dtype) {
	if (dtype == DT_F32) memcpy(to, from, n * 4);
	else gemm_narrow(to, from, n, dtype);
}
#include "attention_softmax.h"
#include "attention_tiles.h"
#include "attention_rows.h"
#undef T
#undef TN
#undef TEXP
#undef TMAX
#undef TLOWEST

INL vd attention_exp64(vd x) {
	vd y;
	for (int i = 0; i < LANES64; i++) y[i] = softmax_exp64(x[i]);
	return y;
}
INL vd attention_max64(vd a, vd b) {
	__typeof__(a > b) m = a > b;
	return (vd)((m & (__typeof__(m))a) | (~m & (__typeof__(m))b));
}
#define T double
#define TN(name) name##_f64
#define TEXP attention_exp64
#define TMAX attention_max64
#define TLOWEST (-1.79769313486231570815e+308)
INL void attention_load_f64(double *restrict to, const void *from, int64_t step, int64_t n, int dtype) {
	(void)dtype;
	const double *x = from;
	for (int64_t i = 0; i < n; i++) to[i] = x[i * step];
}
INL void attention_store_f64(void *to, const double *from, int64_t n, int dtype) {
	(void)dtype;
	memcpy(to, from, n * 8);
}
#include "attention_softmax.h"
#include "attention_tiles.h"
#include "attention_rows.h"
#undef T
#undef TN
#undef TEXP
#undef TMAX
#undef TLOWEST

#define ATTENTION(name) \
	static void name(const void *args, int64_t lo, int64_t hi) { \
		const attention_args *g = args; \
		if (g->dtype == DT_F64) name##_f64(g, lo, hi); \
		else name##_f32(g, lo, hi); \
	}
ATTENTION(attention_pack)
ATTENTION(attention_tiles)
ATTENTION(attention_rows)
ATTENTION(attention_join)

_Static_assert(ATTENTION_KEYS % GEMM_MR == 0 && ATTENTION_QUERIES % (2 * LANES) == 0, "tiles are whole");
_Static_assert(sizeof(attention_queries_f32) <= ATTENTION_STATE && sizeof(attention_queries_f64) <= ATTENTION_STATE,
	"there is room");
