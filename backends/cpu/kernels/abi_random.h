// Arguments of random_bits.
#pragma once
#include "abi.h"

typedef struct {
	const uint32_t *keys; // strides in elements: axes of the batch of keys, then pair between the two words of one
	uint8_t *out;         // bytes per key, contiguous
	int64_t bytes, pair;
	int64_t axes, shape[MAXD], step[MAXD];
} random_args;
