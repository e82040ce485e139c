// Arguments of nonzero_count and nonzero.
#pragma once
#include "abi.h"

// A mask has no more axes than this.
enum { NONZERO_AXES = 64 };

typedef struct {
	const uint8_t *mask;               // contiguous
	int64_t size;                      // of an example
	int64_t chunk, chunks;             // size of its chunks but the last, and their number
	int64_t *counts;                   // per chunk of all examples
	void *out;                         // per example, axes rows of n positions
	int64_t n, wide;                   // wide: positions are int64, else uint32
	int64_t axes, shape[NONZERO_AXES]; // of an example
} nonzero_args;
