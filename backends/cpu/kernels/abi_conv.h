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
	int64_t merge;                // depthwise: pixels taken for one
	int64_t parts;                // conv_outer: parts of the kernel summed apart; bh is rows of a block of it
	void *packed;                 // weights: [group][panel][tap][c][width], or for depthwise [tap][merged pixel, group]
	void *slab;                   // room for the padded input of a unit and a vector, NULL: x is read where it lies;
	                              // for conv_outer, sums
	float alpha;
	int32_t add;                  // o += alpha * conv, not o = conv
	int32_t flip, dtype;
	stop_flag stop;
} conv_args;

enum { CONV_OUTER_RUN = 512 }; // positions of the kernel in a unit of conv_outer_pack
