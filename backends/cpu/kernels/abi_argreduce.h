#pragma once
#include "abi_reduce.h"

// The position of the first smallest or largest along one axis. Units are as in reduce_args:
// one output, or a block of cols outputs, over one chunk of the axis.
typedef struct {
	const void *in;
	uint32_t *out;
	int64_t kd;
	int64_t kshape[MAXD], kin[MAXD], kout[MAXD];
	int64_t n, stride; // of the axis
	int64_t cols, units, chunk, chunk_out;
	int64_t dtype, max;
	stop_flag stop;
} argreduce_args;
