#pragma once
#include "abi.h"

// Rows along the last axis. Weight and bias are contiguous, in the dtype of the arithmetic:
// float64 for float64 rows, else float32.
typedef struct {
	const void *in;
	void *out;
	const void *weight, *bias;
	int64_t kd;
	int64_t kshape[MAXD], kin[MAXD], kout[MAXD];
	int64_t n, stride; // of the last axis; rows of the output are contiguous
	int64_t dtype;
	double eps;
	stop_flag stop;
} norm_args;
