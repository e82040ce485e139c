#pragma once
#include "abi.h"

// Rows of a state that a unit of work takes through all steps.
enum { GATED_ROWS = 32 };

// Strides are in elements: of q, k, v and gamma by (b, t, h, d), of beta by (b, t, h), of state by (b, h, i, d), of
// mask by (b, t). The outputs are contiguous.
typedef struct {
	const void *q, *k, *v, *gamma, *beta, *state, *mask; // state and mask are NULL where there are none
	void *out, *end;
	int64_t steps, heads, group, depth, width;
	int64_t qs[4], ks[4], vs[4], gs[4], bs[4], ss[4], ms[2];
	int64_t qtype, ktype, vtype, gtype, btype, stype, type; // dtypes of the inputs and of out
	void *scratch;
	stop_flag stop;
} gated_delta_args;
