// Sleeping until a 32-bit word changes, as by futex(2). Words are written with sequentially consistent atomics.
#pragma once
#include <stdint.h>

void mlx_go_park_watch(const uint32_t *word, uint32_t seen, int64_t ns);
int mlx_go_park_wait(const uint32_t *word, uint32_t seen, int64_t ns);
void mlx_go_park_wake(const uint32_t *word, int n);

// Go's runtime has started: the calling thread, which loaded it, goes on as it was.
void mlx_go_park_started(void);
int mlx_go_park_thread(void);
int mlx_go_park_core(void);
int mlx_go_park_avoid(int thread, int core);
