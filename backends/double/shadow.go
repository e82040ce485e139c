package double

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
)

// access is what a command does to a range of memory.
type access struct {
	c      *command
	lo, hi uintptr
	write  bool
	fetch  bool // writes host memory: ordered after for those alone who have waited for it
}

func (a *access) String() string { return a.c.String() }

func (a *access) verb() string { return verb(a.write) }

func verb(write bool) string {
	if write {
		return "write"
	}
	return "read"
}

// A shadow is who touches a piece of memory: what the host has not seen to be complete.
type shadow struct {
	w    *World
	list []access
}

// unordered is an access that conflicts with what q, or the host if q is nil, is about to do to a range, or nil.
func (s *shadow) unordered(q *Queue, lo, hi uintptr, write bool) *access {
	s.settle()
	for i := range s.list {
		a := &s.list[i]
		if a.lo < hi && lo < a.hi && (write || a.write) && !s.w.after(q, a, write) {
			return a
		}
	}
	return nil
}

// after reports whether what q, or the host, does next is ordered after a.
func (w *World) after(q *Queue, a *access, write bool) bool {
	from, t := a.c.q, a.c.t
	if from.lost != nil && (write || !a.write) {
		return true // it touches nothing more
	}
	if from.lost != nil && t > from.done {
		return false // what it was to write is never there
	}
	if a.fetch {
		return t <= from.waited
	}
	return t <= w.seen.at(from.number) || q != nil && (q == from || t <= q.clock.at(from.number))
}

// note adds an access, which stands for those before that it is ordered after.
func (s *shadow) note(a access) {
	s.list = slices.DeleteFunc(s.list, func(b access) bool {
		return a.lo <= b.lo && b.hi <= a.hi && (a.write || !b.write && b.c.q == a.c.q)
	})
	s.list = append(s.list, a)
}

// settle forgets what the host has seen to be complete: whatever comes is ordered after it.
func (s *shadow) settle() {
	s.list = slices.DeleteFunc(s.list, func(a access) bool {
		if a.fetch {
			return a.c.t <= a.c.q.waited
		}
		return a.c.t <= s.w.seen.at(a.c.q.number)
	})
}

// drop forgets what touches the range, and keeps it from running if asked to.
func (s *shadow) drop(lo, hi uintptr, cancel bool) {
	s.list = slices.DeleteFunc(s.list, func(a access) bool {
		hit := a.lo < hi && lo < a.hi
		if hit && cancel {
			a.c.canceled = true
		}
		return hit
	})
}

// guard surrounds the memory of a block; a kernel that strays finds it.
const guard = 256

const (
	alignment   = 256
	firstHandle = 1 << 20
	poisonByte  = 0xCD
	guardByte   = 0xA5
)

// block is memory of a device. Handles are no addresses and are never used again.
type block struct {
	d      *Device
	handle uintptr
	size   int
	all    []byte // with guards
	data   []byte
	shadow shadow
	freed  bool
}

func newBlock(d *Device, size int) *block {
	all := make([]byte, size+2*guard+alignment)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(all))) % alignment)
	all = all[skip : skip+size+2*guard]
	b := &block{d: d, size: size, all: all, data: all[guard : guard+size : guard+size], shadow: shadow{w: d.w}}
	d.w.handles += firstHandle
	b.handle = d.w.handles
	fill(all, guardByte)
	b.poison()
	return b
}

func (b *block) String() string { return b.d.memory(device.Memory{Handle: b.handle}) }

// memory is what messages call m: the nth allocation.
func (d *Device) memory(m device.Memory) string {
	if n := m.Handle / firstHandle; m.Handle%firstHandle == 0 && n > 1 && m.Handle <= d.w.handles {
		return fmt.Sprintf("%s memory %d", d.opts.Name, n-1)
	}
	return fmt.Sprintf("%s memory with the handle %#x", d.opts.Name, m.Handle)
}

func (b *block) address() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b.data))) }

func (b *block) poison() { fill(b.data, poisonByte) }

func fill(bytes []byte, x byte) {
	bytes[0] = x
	for n := 1; n < len(bytes); n *= 2 {
		copy(bytes[n:], bytes[:n])
	}
}

// strayed is how far outside of the block something was written; 0 if nothing was.
func (b *block) strayed() int {
	for i := 1; i <= guard; i++ {
		if b.all[guard-i] != guardByte || b.all[guard+b.size+i-1] != guardByte {
			return i
		}
	}
	return 0
}
