// Arguments of gather and scatter.
#pragma once
#include "abi.h"

// The order of device.ScatterOp (shared.go).
enum { SCATTER_OP_SET, SCATTER_OP_ADD, SCATTER_OP_PROD, SCATTER_OP_MAX, SCATTER_OP_MIN, SCATTER_OPS };

// One index array: its values pick coordinates along one axis of the array.
typedef struct {
	const void *p;
	int64_t strides[MAXD]; // over the positions
	int64_t size;          // extent of the axis: negative indices count from there
	int64_t last;          // largest valid index
	int64_t step;          // elements of the array per index
	int64_t dtype;
} index_axis;

// For every position of a row-major walk, the array is touched at base . position + sum of axes, and there
// the slice. One array is the source (gather) or the destination (scatter); the other, values, has a
// slice per position. Strides are in elements.
typedef struct {
	const index_axis *axes;
	int64_t count;                             // of axes
	int64_t nd, shape[MAXD], base[MAXD], vstep[MAXD]; // positions
	int64_t sd, sshape[MAXD], as[MAXD], vs[MAXD];     // slice
	void *array, *values;
	int64_t dtype, op;
	stop_flag stop;
	int64_t bad, value; // set by the kernel: number of the axis whose index is out of bounds, from 1, and the index
} index_args;
