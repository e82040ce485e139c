#pragma once
#include "abi.h"

// How an operand lies in memory: elements in row-major order without gaps, one element
// for all positions, or by strides.
enum { LIE_FLAT, LIE_SCALAR, LIE_STRIDED };

enum { MAX_REGISTERS = 256 };

typedef struct {
	void *p;
	int64_t strides[MAXD]; // in elements, for LIE_STRIDED
	uint8_t dtype;         // in memory
	uint8_t reg_dtype;     // in its register
	uint8_t lie;
	uint8_t reg;           // outputs: the register to store
	int32_t last;          // outputs: the step that may write straight to memory, or -1
} ew_operand;

typedef struct {
	int16_t row; // -1: cast
	uint8_t in, out;
	uint8_t dst, src[3];
} ew_step;

// A core.Program over inputs and outputs of one collapsed shape; outputs are flat. The range is
// positions in row-major order.
typedef struct {
	const ew_operand *in, *out;
	const ew_step *steps;
	int64_t nd, shape[MAXD];
	int16_t ins, outs, count, regs;
	uint8_t direct; // one step whose row runs on memory itself
	uint8_t stream; // outputs are so large that they should pass the caches by
} ew_args;
