// Arguments of the convolution kernels.
#pragma once
#include "abi.h"

// Always three spatial axes (depth, height, width), missing ones of extent 1 in front. Strides are in elements,
// in the order batch, depth, height, width, channel (weights: out channel first).
typedef struct {
	const void *x, *w;
	void *o;
	int64_t n, groups, c, og;     // batch, groups, input and output channels of one group
	int64_t in[3], out[3], k[3];  // extents of input, output and kernel
	int64_t stride[3], pad[3], kdil[3], idil[3];
	int64_t xs[5], ws[5], os[5];
	int64_t bh, bw;               // output rows and columns of a unit of work
	int64_t width;                // of a panel of packed weights
	void *packed;                 // weights: [group][panel][tap][c][width], or for depthwise [tap][group]
	void *slab;                   // room for the padded input of one unit, NULL: read x where it lies
	float alpha;
	int32_t add;                  // o += alpha * conv, not o = conv
	int32_t flip, dtype;
	stop_flag stop;
} conv_args;
