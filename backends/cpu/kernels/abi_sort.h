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

// One row over several cores. Keys are words of 8 bytes, or of 4 where a 32-bit element is all there is to them.
typedef struct {
	sort_args row; // in and out at the row itself; work for 2 * (keys + 16) of a block, a range or the sample
	void *blocks;  // n keys: the row, of which every block is parted into ranges
	void *splitters;
	int64_t block, parts, sample; // keys in a block, ranges, keys of the sample per range
	int64_t *ends;         // per block and range: where the range ends in the block
	int64_t *zeros;        // per block: how many zeros are negative
	const int64_t *starts; // per range, and n
} sort_split_args;
