package cpu

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
)

// workspace is memory a kernel borrows for the length of a launch.
type workspace struct {
	data unsafe.Pointer
	size int
}

// spare keeps released workspaces by size class, up to spareLimit bytes in all.
var spare struct {
	sync.Mutex
	bytes int
	list  [48][]unsafe.Pointer
}

const spareLimit = 64 << 20

// getWorkspace borrows size bytes aligned to 64. It panics with a MemoryError when there are none.
func getWorkspace(size int) workspace {
	class := bits.Len(uint(max(size, 4096) - 1))
	spare.Lock()
	if l := spare.list[class]; len(l) > 0 {
		p := l[len(l)-1]
		spare.list[class] = l[:len(l)-1]
		spare.bytes -= 1 << class
		spare.Unlock()
		return workspace{p, 1 << class}
	}
	spare.Unlock()
	p := Backend{}.Allocate(1 << class)
	if p == nil {
		core.Throw(core.MemoryError, "[eval] no memory for %d bytes of working space", size)
	}
	return workspace{p, 1 << class}
}

func (s workspace) release() {
	spare.Lock()
	keep := spare.bytes+s.size <= spareLimit
	if keep {
		class := bits.Len(uint(s.size - 1))
		spare.list[class] = append(spare.list[class], s.data)
		spare.bytes += s.size
	}
	spare.Unlock()
	if !keep {
		Backend{}.Free(s.data, s.size)
	}
}

// catchThrown, deferred, turns what getWorkspace throws into the launcher's error.
func catchThrown(err *error) {
	if r := recover(); r != nil {
		e, ok := r.(*core.Error)
		if !ok {
			panic(r)
		}
		*err = e
	}
}
