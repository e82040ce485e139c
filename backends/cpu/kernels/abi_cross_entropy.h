#pragma once
#include "abi.h"

// Rows of logits along the last axis. cross_entropy writes a float32 a row, cross_entropy_grad a row of logits' dtype.
typedef struct {
	const void *in;
	void *out; // contiguous
	const int64_t *targets; // one a row, within the row
	const float *ct;        // of cross_entropy_grad, one a row
	int64_t kd;
	int64_t kshape[MAXD], kin[MAXD];
	int64_t n, stride; // of the last axis
	int64_t dtype;
	stop_flag stop;
} cross_entropy_args;
