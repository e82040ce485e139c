#pragma once
#include "abi.h"

// In and out have one collapsed shape. copy: range over positions in row-major order.
// copy_blocks: in and out have elements of one size, the axis `fast` has input stride 1 and is not
// the last; the range is over blocks of BLOCK x BLOCK positions of that axis and the last.
typedef struct {
	const void *in;
	void *out;
	int64_t nd, shape[MAXD], in_strides[MAXD], out_strides[MAXD];
	int64_t in_dtype, out_dtype;
	int64_t in_flat, out_flat, stream;
	int64_t fast;
} copy_args;

enum { COPY_BLOCK = 64 };

// The scalar at in, size bytes, to each of the range's elements of out.
typedef struct {
	const void *in;
	void *out;
	int64_t size, stream;
} fill_args;

// start + i*step in integers for integer dtypes, else in float64.
typedef struct {
	void *out;
	int64_t dtype, start_int, step_int;
	double start, step;
} arange_args;
