// What Go and the kernels agree on: dtype numbers, limits, entry numbers.
#pragma once
#include <stdint.h>

// More axes than this, after collapsing, are walked from Go.
enum { MAXD = 12 };

// The order of core/dtype.
enum {
	DT_BOOL, DT_U8, DT_U16, DT_U32, DT_U64, DT_I8, DT_I16, DT_I32, DT_I64,
	DT_F16, DT_F32, DT_F64, DT_BF16, DT_C64, DT_COUNT
};

// Whoever waits for a launch may give up on it: *stop, where there is one, is then not 0. Loops look every STOP_WORK
// elements at the latest and return; nobody reads what they leave behind.
typedef const volatile uint32_t *stop_flag;
#define STOPPED(stop) ((stop) && *(stop))
enum { STOP_WORK = 1 << 20 };

// A range kernel does the part [lo, hi) of a launch that args describe. Its tiles lie in room, SCRATCH_BYTES aligned to 64 and
// used by one call at a time: small launches run on stacks of Python threads, which may have 64 KiB in all.
typedef void (*mlx_go_entry)(const void *args, int64_t lo, int64_t hi, void *room);
enum { SCRATCH_BYTES = 272 << 10 };

#define ENTRY(name) ENTRY_##name,
enum {
#include "entries.h"
	ENTRY_COUNT
};
#undef ENTRY
