#pragma once
#include "abi.h"

// Rows of (B, N, T, D), strides in elements. A unit of work is ROPE_STEPS steps of one example, all of its N rows.
enum { ROPE_STEPS = 8 };

typedef struct {
	const void *x;
	void *out;
	int64_t n, t, d, units; // units of an example
	int64_t xb, xn, xt, xd, ob, on, ot; // rows of the output are contiguous
	int64_t dims, dtype;
	int64_t traditional, inverse;
	int64_t offset;
	const int64_t *offsets;   // one for each example, or NULL
	const void *freqs;        // float32, or float64 for float64 rows; NULL: powers of base
	int64_t fb, fd;           // strides of freqs
	double base, scale;
	void *angles; // dims / 2 float64 for frequencies and 4 * dims numbers of the arithmetic for a unit's steps
	stop_flag stop;
} rope_args;
