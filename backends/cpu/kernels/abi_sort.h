#pragma once
#include "abi.h"

// Rows of 32 or 64-bit elements, sorted along one axis; positions only of 32-bit ones.
typedef struct {
	const void *in;
	void *out;
	void *work; // 2 * (n + 16) words of 8 bytes
	int64_t kd;
	int64_t kshape[MAXD], kin[MAXD], kout[MAXD];
	int64_t n, is, os; // of the axis
	int64_t dtype, arg;
	int64_t kth; // >= 0: only this position need be right, smaller ones before it
	stop_flag stop;
} sort_args;
