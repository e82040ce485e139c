#pragma once
#include "abi.h"

enum { SOFTMAX_CHUNK = 1 << 16 };

// Rows along the last axis; the kept axes are all others. softmax writes rows, logsumexp one element a row.
typedef struct {
	const void *in;
	void *out;
	int64_t kd;
	int64_t kshape[MAXD], kin[MAXD], kout[MAXD];
	int64_t n, stride;     // of the last axis; rows of softmax's output are contiguous
	int64_t chunks;        // of a row: softmax_part and softmax_apply take SOFTMAX_CHUNK elements of a long row as unit
	double *parts;         // (greatest, sum of exp(x - greatest)) per unit of softmax_part, per row for softmax_apply
	int64_t dtype;
	stop_flag stop;
} softmax_args;
