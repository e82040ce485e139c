// Arguments of the kernels of quantized matrices.
#pragma once
#include "abi.h"

// The numbers of device.QuantizeMode.
enum { QUANTIZE_AFFINE, QUANTIZE_MXFP4, QUANTIZE_MXFP8, QUANTIZE_NVFP4, QUANTIZE_MODES };

// How codes are packed and what they mean.
typedef struct {
	int32_t mode, group, bits;
	int32_t dtype; // of values, and of scales and biases in the affine mode
} quantize_format;

// quantize: a unit is a group. All arrays are contiguous.
typedef struct {
	quantize_format f;
	const void *in;
	void *words, *scales, *biases;
	const float *global; // global scales, of per groups each; NULL without
	int64_t per;
	stop_flag stop;
} quantize_args;

// dequantize: a unit is a group of a block of groups columns and any number of rows. Pointers are those of the block's
// corner; rows are words and scales strides apart, in bytes of words and in scales.
typedef struct {
	quantize_format f;
	const void *words, *scales, *biases, *end; // words may be read up to end
	const float *global;
	int64_t per; // groups of the block for each global scale
	int64_t wstride, sstride, groups;
	void *out;       // rows of groups * f.group values
	int32_t widened; // values are float32, products unrounded, whatever f.dtype is
	stop_flag stop;
} dequantize_args;

// Products of at most QUANTIZE_ROWS rows with the rows of a quantized matrix, whose values are never written out.
enum { QUANTIZE_ROWS = 8, QUANTIZE_DEPTH = 1 << 17 };

// quantize_dots: a unit is a row of the matrix, a column of the result. quantize_terms lays the rows of x out first, in
// units of groups of all rows.
typedef struct {
	dequantize_args q; // words, scales and biases of the first row; f.dtype is that of x and o, too
	const void *x;
	void *o;
	int64_t m, n, k; // m rows, at most QUANTIZE_ROWS; n columns; k is at most QUANTIZE_DEPTH
	int64_t xrs, xcs, ors, ocs;
	// The elements of x by blocks of one vector of words, or of 32 elements: those of each row in the order in which
	// codes meet them. The last block is padded with zeros.
	float *terms;
	float *sums; // m rows of sums_step sums of groups of x, padded with zeros to whole vectors
	int64_t sums_step;
	int32_t *infinite; // set where a sum is not finite
	stop_flag stop;
} quantize_dots_args;
