#define _GNU_SOURCE
#include "park.h"
#ifdef __linux__
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <errno.h>
#include <time.h>

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void pause_core(void) {
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline int differs(const uint32_t *word, uint32_t seen) {
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) != seen;
}

void mlx_go_park_watch(const uint32_t *word, uint32_t seen, int64_t ns) {
	for (int64_t end = now() + ns; now() < end;)
		for (int i = 0; i < 32; i++) {
			if (differs(word, seen)) return;
			for (int j = 0; j < 4; j++) pause_core();
		}
}

#if defined(__linux__) && !defined(MLX_GO_PARK_PORTABLE)

int mlx_go_park_wait(const uint32_t *word, uint32_t seen, int64_t ns) {
	int64_t end = ns ? now() + ns : 0;
	for (;;) {
		struct timespec t = {ns / 1000000000, ns % 1000000000};
		if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, ns ? &t : NULL, NULL, 0) == 0) return 1;
		if (errno != EINTR || differs(word, seen)) return 0; // it had changed already, or time is up
		if (end && (ns = end - now()) <= 0) return 0;
	}
}

void mlx_go_park_wake(const uint32_t *word, int n) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0); }

#else
// A list of those who sleep, for systems without a public futex.
#include <pthread.h>

typedef struct sleeper { struct sleeper *next; const uint32_t *word; pthread_cond_t chosen; int woken; } sleeper;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sleeper *first;

// Returns 0 once the time is up.
static int wait_until(pthread_cond_t *c, int64_t end) {
	int64_t ns = end - now();
	if (ns <= 0) return 0;
#ifdef __APPLE__
	struct timespec t = {ns / 1000000000, ns % 1000000000};
	pthread_cond_timedwait_relative_np(c, &lock, &t);
#else
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / 1000000000, t.tv_nsec = ns % 1000000000;
	pthread_cond_timedwait(c, &lock, &t);
#endif
	return 1;
}

int mlx_go_park_wait(const uint32_t *word, uint32_t seen, int64_t ns) {
	int64_t end = now() + ns;
	sleeper s = {.word = word, .chosen = PTHREAD_COND_INITIALIZER};
	pthread_mutex_lock(&lock);
	if (!differs(word, seen)) {
		sleeper **last = &first;
		while (*last) last = &(*last)->next;
		*last = &s;
		while (!s.woken)
			if (!ns) pthread_cond_wait(&s.chosen, &lock);
			else if (!wait_until(&s.chosen, end)) break;
		if (!s.woken) {
			sleeper **p = &first;
			while (*p != &s) p = &(*p)->next;
			*p = s.next;
		}
	}
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&s.chosen);
	return s.woken;
}

void mlx_go_park_wake(const uint32_t *word, int n) {
	pthread_mutex_lock(&lock);
	for (sleeper **p = &first; *p && n > 0;) {
		sleeper *s = *p;
		if (s->word != word) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		s->woken = 1;
		pthread_cond_signal(&s->chosen);
		n--;
	}
	pthread_mutex_unlock(&lock);
}
#endif

#ifdef __linux__
// Go's monitor thread wakes every 20 us or so while anything runs, and each time it pushes a worker off its core;
// further threads that look for work do so too. A thread of the policy SCHED_BATCH has its share of time, but does not
// push others off when it wakes. Threads inherit the policy: Go's start with it, and those that compute, and the one
// that loads Go, go back to the usual one.
static int batched;

// Before the initializer with which Go starts its runtime, which has no priority.
__attribute__((constructor(101))) static void before_go(void) {
	struct sched_param p = {0};
	batched = sched_getscheduler(0) == SCHED_OTHER && sched_setscheduler(0, SCHED_BATCH, &p) == 0;
}

void mlx_go_park_started(void) {
	struct sched_param p = {0};
	if (batched) sched_setscheduler(0, SCHED_OTHER, &p);
}

int mlx_go_park_thread(void) {
	mlx_go_park_started();
	return (int)syscall(SYS_gettid);
}

int mlx_go_park_core(void) { return sched_getcpu(); }

int mlx_go_park_avoid(int thread, int core) {
	cpu_set_t set;
	// The caller's set: what the process may use now.
	if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof set, &set) != 0) return 0;
	CPU_CLR(core, &set);
	return CPU_COUNT(&set) && sched_setaffinity(thread, sizeof set, &set) == 0;
}
#else
void mlx_go_park_started(void) {}
int mlx_go_park_thread(void) { return 0; }
int mlx_go_park_core(void) { return -1; }
int mlx_go_park_avoid(int thread, int core) { return (void)thread, (void)core, 0; }
#endif
