// What Go and the kernels agree on: dtype numbers, limits, entry numbers.
#pragma once
#include <stdint.h>

// More axes than this, after collapsing, are walked from Go.
enum { MAXD = 12 };

// The order of core/dtype (shared.go).
enum {
	DT_BOOL, DT_U8, DT_U16, DT_U32, DT_U64, DT_I8, DT_I16, DT_I32, DT_I64,
	DT_F16, DT_F32, DT_F64, DT_BF16, DT_C64, DT_COUNT
};

// Whoever waits for a launch may give up on it: *stop, where there is one, is then 1. Loops look every STOP_WORK
// elements at the latest and return; nobody reads what they leave behind. Tests count looks: a word of n > 1 is given
// up at the n-th look from now, which looks themselves count down.
typedef const volatile uint32_t *stop_flag;
#define STOPPED(stop) ((stop) && *(stop) && mlx_go_given_up(stop))
__attribute__((noinline, cold, unused)) static int mlx_go_given_up(stop_flag stop) {
	uint32_t *word = (uint32_t *)(uintptr_t)stop, n = __atomic_load_n(word, __ATOMIC_RELAXED);
	while (n > 1 && !__atomic_compare_exchange_n(word, &n, n - 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
	return n == 1;
}
enum { STOP_WORK = 1 << 20 };

// A range kernel does the part [lo, hi) of a launch that args describe. Its tiles lie in room, SCRATCH_BYTES aligned to
// 64 and used by one call at a time: small launches run on stacks of Python threads, which may have 64 KiB in all.
typedef void (*mlx_go_entry)(const void *args, int64_t lo, int64_t hi, void *room);
enum { SCRATCH_BYTES = 272 << 10 };

#define ENTRY(name) ENTRY_##name,
enum {
#include "entries.h"
	ENTRY_COUNT
};
#undef ENTRY
