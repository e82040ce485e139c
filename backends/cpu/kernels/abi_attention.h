// Arguments of the attention kernels. Strides are in elements. The rows of a head of keys are all queries that read it:
// row g * lq + i is query i of the g-th of its group of query heads.
#pragma once
#include "abi.h"

enum {
	ATTENTION_KEYS = 96,    // of a tile; a multiple of the rows of a tile of products on every instruction set
	ATTENTION_QUERIES = 64, // rows of a unit of attention_tiles; a multiple of the columns of a tile of products
	ATTENTION_BLOCK = 32,   // keys that attention_rows takes at once
	ATTENTION_STATE = 1024, // bytes that attention_tiles keeps of a panel of queries, at most
	ATTENTION_SPLIT = 512,  // keys of a unit of attention_rows: results do not depend on the number of cores
};

typedef struct {
	const void *q, *k, *v, *mask, *sinks; // mask and sinks are NULL where there are none
	void *out;
	int64_t kv_heads, group, lq, lk, d, dv;
	int64_t qb, qh, ql, qd, kb, kh, kl, kd, vb, vh, vl, vd;
	int64_t mb, mh, ml, mk, sb, sh, ob, oh, ol; // rows of the output are contiguous
	double scale;
	int64_t causal, bool_mask;
	int64_t dtype;
	int64_t first;   // attention_tiles: the head, counted through the batch, whose panels are first in packed
	void *packed;    // panels of keys and of values, head by head
	int64_t splits;  // attention_rows: units of a head
	// what units give where a head has several: for each row dv sums, the greatest score, the sum of weights
	void *parts;
	void *scratch;   // of the call
	stop_flag stop;
} attention_args;
