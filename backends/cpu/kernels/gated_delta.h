// The gated delta rule. Rows of a state change independently: a unit takes some of one head's through all steps, in
// cache.
#pragma once
#include "abi_gated_delta.h"

#define T float
#define TN(name) name##_f32
#include "gated_delta_unit.h"
#undef T
#undef TN
#define T double
#define TN(name) name##_f64
#include "gated_delta_unit.h"
#undef T
#undef TN

static void gated_delta(const void *args, int64_t lo, int64_t hi) {
	const gated_delta_args *g = args;
	if (g->type == DT_F64) gated_delta_f64(g, lo, hi);
	else gated_delta_f32(g, lo, hi);
}
