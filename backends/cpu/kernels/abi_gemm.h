// Arguments of the matrix multiplication kernels: o = alpha * a @ b + beta * d.
#pragma once
#include "abi.h"

// GEMM_ROWS rows of a are a unit of gemm_tiles, GEMM_DOTS columns of b one of gemm_dots, GEMM_SWEEP one of gemm_sweep.
enum { GEMM_ROWS = 48, GEMM_DOTS = 64, GEMM_SWEEP = 512 };

// gemm_level writes what depends on the instruction set: bytes of a vector, rows of a tile, bytes of a block of a, and
// whether products of bfloat16 take pairs (gemm_pairs.h).
typedef struct {
	int64_t vector_bytes, tile_rows, a_block, pairs;
} gemm_level_args;

// Strides are in elements; a[i,p], b[p,j], d[i,j] and o[i,j] may have any.
typedef struct {
	const void *a, *b, *d; // d is NULL without a third operand
	void *o;
	int64_t m, n, k;
	int64_t ars, acs, brs, bcs, drs, dcs, ors, ocs;
	int64_t axes; // batch axes, at most MAXD
	int64_t shape[MAXD], astep[MAXD], bstep[MAXD], dstep[MAXD], ostep[MAXD];
	int64_t rb, cb;         // rows and columns of a unit of work
	int64_t pc, kc, jc, nc; // packed path: the block of b under way, rows pc.. and columns jc..
	void *packed;           // packed path: that block as panels; room for kc x nc rounded up to whole panels
	void *sums;             // packed path: sums of type T (m x nc) when k takes several blocks and o cannot hold them
	float alpha, beta;
	int32_t dtype; // of all operands
	int32_t along; // complex: b runs along k
	int32_t pairs; // gemm_rows copies bfloat16 as it is
	stop_flag stop;
} gemm_args;
