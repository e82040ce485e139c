// One translation unit per ISA level: isa/<level> defines ISA (suffix of the table) and
// VB (bytes of a vector register) and includes this.
//
// cgo refuses some flags inside a package, so they are set here. Results do not depend on
// errno or on floating-point traps; NaN and infinities must hold, so nothing of -ffast-math.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3,no-math-errno,no-trapping-math,fp-contract=fast")
#if VB == 64
#pragma GCC target("prefer-vector-width=512")
#endif
#elif defined(__clang__)
#pragma clang fp contract(fast)
#endif

// Macros that make a function for every dtype ask unsigned numbers, too, whether they are below zero.
#pragma GCC diagnostic ignored "-Wtype-limits"

#include <stdint.h>
#include <stddef.h>
#include <string.h>
#include <stdlib.h>
#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "abi.h"

// The room of the call that runs on this thread. A function that keeps tiles there says which part of it they take, so
// that functions that call each other can take different ones.
// It is of the initial-exec model, which needs no __tls_get_addr: that one is not in the C library but in ld.so.
static __thread __attribute__((tls_model("initial-exec"))) char *room_of_call;
#define ROOM(T, name, from) T *restrict name = (T *)(room_of_call + (from))

#include "vec.h"
#include "half.h"
#include "prelude.h"
#include "prelude_f32.h"
#include "prelude_log.h"
#include "prelude_trig.h"
#include "prelude_pow.h"
#include "prelude_f64.h"
#include "prelude_c64.h"
#include "elementwise_rows.h"
#include "cast.h"
#include "abi_elementwise.h"
#include "abi_copy.h"

// Families, one include a line.
#include "tile.h"
#include "elementwise.h"
#include "copy.h"
#include "walk.h"
#include "fold.h"
#include "reduce.h"
#include "argreduce.h"
#include "scan.h"
#include "softmax.h"
#include "norm.h"
#include "sort.h"
#include "gemm.h"
#include "rope.h"
#include "attention.h"
#include "quantize.h"
#include "quantize_dots.h"
#include "gated_delta.h"
#include "cross_entropy.h"
#include "conv.h"
#include "index.h"
#include "nonzero.h"
#include "random.h"

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define ENTRY(name) \
	static void name##_entry(const void *args, int64_t lo, int64_t hi, void *room) { \
		room_of_call = room; \
		name(args, lo, hi); \
	}
#include "entries.h"
#undef ENTRY
#define ENTRY(name) name##_entry,
const mlx_go_entry CAT(mlx_go_table_, ISA)[ENTRY_COUNT] = {
#include "entries.h"
};
