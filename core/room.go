package core

import (
	"github.com/mlx-go/mlx_go/core/errs"
)

// heapSlack is what the Go runtime takes at once, and more: it asks for heap by arenas of 64 MiB.
const heapSlack = 96 << 20

// Room returns a MemoryError unless there is room for n bytes on the Go heap. The runtime ends the process where its
// heap cannot grow, so whoever fills it in proportion to what a file or a caller holds asks before; what takes less
// than a MiB need not. The graph lock is held.
func Room(op string, n int) *errs.Error {
	if n < 1<<20 {
		return nil
	}
	if !memory.initialized {
		initMemory()
	}
	if memory.active+memory.cached+n > memory.limit {
		ClearCache()
	}
	if n <= memory.limit-memory.active {
		p := host().Allocate(n + heapSlack)
		if p == nil {
			ClearCache()
			p = host().Allocate(n + heapSlack)
		}
		if p != nil {
			host().Free(p, n+heapSlack)
			return nil
		}
	}
	return errs.Errorf(errs.MemoryError, "[%s] cannot allocate %d bytes for names and headers", op, n)
}
