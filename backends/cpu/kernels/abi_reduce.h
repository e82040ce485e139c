#pragma once
#include "abi.h"

// A fold of some axes of an array. Kept and reduced axes are listed apart, the innermost
// last; strides are in elements. One unit of the range is one output by rows, a block of
// cols neighboring outputs by columns, over one chunk of the reduced positions.
typedef struct {
	const void *in;
	void *out;
	int64_t kd, rd;
	int64_t kshape[MAXD], kin[MAXD], kout[MAXD];
	int64_t rshape[MAXD], rin[MAXD];
	int64_t cols;      // 0: by rows; else the last kept axis is cut in blocks of cols
	int64_t units;     // units of one chunk
	int64_t total;     // reduced positions; 0 gives the identity
	int64_t chunk;     // reduced positions in one chunk
	int64_t chunk_out; // outputs from one chunk's results to the next one's
	int64_t op, dtype; // core.ReduceOp; of the input
	int64_t out_dtype; // float totals are stored as float32, float16 or bfloat16
	stop_flag stop;
} reduce_args;
