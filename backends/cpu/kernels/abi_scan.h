#pragma once
#include "abi.h"

// The order of device.ScanOp (shared.go).
enum { SCAN_OP_SUM, SCAN_OP_PROD, SCAN_OP_MIN, SCAN_OP_MAX, SCAN_OP_LOGADDEXP, SCAN_OPS };

enum { SCAN_COLUMNS = 512 }; // rows that are folded side by side, at most

// Inclusive prefix folds along one axis; a reverse scan has negative strides, and the caller
// turns exclusive into inclusive by shifting. The kept axes list all others, the innermost last.
typedef struct {
	const void *in;
	void *out;
	int64_t kd;
	int64_t kshape[MAXD], kin[MAXD], kout[MAXD];
	int64_t n, is, os;  // of the axis
	int64_t cols;       // 0: a unit is one chunk of one row; else a block of cols of the last kept axis
	int64_t chunk, chunks; // rows are cut in chunks that scan_carry joins
	void *carry;        // per row and chunk, the fold of the chunks before it
	int64_t op, dtype;
	stop_flag stop;
} scan_args;
