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

// dequantize: a unit is a group of a block of groups columns and any number of rows. Pointers are those of the block's corner;
// rows are words and scales strides apart, in bytes of words and in scales.
typedef struct {
	quantize_format f;
	const void *words, *scales, *biases;
	const float *global;
	int64_t per; // groups of the block for each global scale
	int64_t wstride, sstride, groups;
	void *out;       // rows of groups * f.group values
	int32_t widened; // values are float32, products unrounded, whatever f.dtype is
	stop_flag stop;
} dequantize_args;
