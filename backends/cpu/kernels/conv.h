// Convolution: the entries.
#pragma once
#include "abi_conv.h"
#include "gemm.h"

#define T float
#define TN(name) name##_f32
#include "conv_drive.h"
#include "conv_depthwise.h"
#include "conv_outer.h"
#undef T
#undef TN
#define T double
#define TN(name) name##_f64
#include "conv_drive.h"
#include "conv_depthwise.h"
#include "conv_outer.h"
#undef T
#undef TN

#define CONV(name) \
	static void name(const void *args, int64_t lo, int64_t hi) { \
		const conv_args *p = args; \
		if (p->dtype == DT_F64) name##_f64(p, lo, hi); \
		else name##_f32(p, lo, hi); \
	}
CONV(conv_pack)
CONV(conv_pack_depthwise)
CONV(conv_units)
CONV(conv_depthwise)
CONV(conv_outer_pack)
CONV(conv_outer)
CONV(conv_outer_emit)
#undef C_HALF
#undef CONV
