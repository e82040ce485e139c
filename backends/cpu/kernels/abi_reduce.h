#pragma once
#include "abi.h"

// The order of device.ReduceOp (shared.go).
enum { REDUCE_OP_SUM, REDUCE_OP_PROD, REDUCE_OP_MIN, REDUCE_OP_MAX, REDUCE_OP_AND, REDUCE_OP_OR, REDUCE_OPS };

// REDUCE_BLOCK elements of a stretch are converted or gathered before they are folded. REDUCE_COLUMNS neighboring
// outputs are folded at a time, REDUCE_BLOCK by argreduce. With that accumulators and totals stay in the first-level
// cache.
enum { REDUCE_BLOCK = 512, REDUCE_COLUMNS = 1024 };

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
	int64_t op, dtype; // REDUCE_OP_...; of the input
	int64_t out_dtype; // float totals are stored as float32, float16 or bfloat16
	stop_flag stop;
} reduce_args;
