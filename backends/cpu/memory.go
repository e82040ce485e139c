package cpu

/*
#define _GNU_SOURCE
#include <stdlib.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

// Page faults cost more than most kernels (64 MB of fresh 4 KB pages: 36 ms, of huge pages: 12 ms),
// so large blocks are mapped at huge-page boundaries.
enum { HUGE = 2 << 20 };

static size_t mapped_size(size_t n) { return (n + HUGE - 1) & ~(size_t)(HUGE - 1); }

#cgo noescape mlx_go_allocate
#cgo nocallback mlx_go_allocate
static void *mlx_go_allocate(size_t n) {
	if (n < 2 * HUGE) {
		void *p;
		return posix_memalign(&p, 64, n) ? NULL : p;
	}
	size_t size = mapped_size(n);
	char *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) return NULL;
	size_t head = -(size_t)p & (HUGE - 1);
	if (head) munmap(p, head);
	if (HUGE - head) munmap(p + head + size, HUGE - head);
#ifdef MADV_HUGEPAGE
	madvise(p + head, size, MADV_HUGEPAGE);
#endif
	return p + head;
}

#cgo noescape mlx_go_free
#cgo nocallback mlx_go_free
static void mlx_go_free(void *p, size_t n) {
	if (n < 2 * HUGE) free(p);
	else munmap(p, mapped_size(n));
}

#cgo nocallback mlx_go_physical_memory
static size_t mlx_go_physical_memory(void) {
	return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}
*/
import "C"

import "unsafe"

// Allocate returns size > 0 bytes aligned to 64, or nil when they cannot be had.
func (Backend) Allocate(size int) unsafe.Pointer {
	if size <= 0 || size > 1<<47 {
		return nil
	}
	return C.mlx_go_allocate(C.size_t(size))
}

// Free returns what Allocate gave for the same size.
func (Backend) Free(p unsafe.Pointer, size int) { C.mlx_go_free(p, C.size_t(size)) }

func physicalMemory() int { return int(C.mlx_go_physical_memory()) }
