package core

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// host is where arrays live. There is one kind of memory so far: the CPU's.
func host() device.Host {
	all := device.Registered()
	if len(all) == 0 {
		errs.Throw(errs.RuntimeError, "no backend is registered")
	}
	return all[0]
}

// buffer is a piece of memory, shared by the arrays that view it.
type buffer struct {
	ptr     unsafe.Pointer // the host's copy; nil if there is none
	size    int            // of the size class
	class   int32
	refs    int32   // 0: idle, in the cache
	foreign func()  // memory of somebody else, never written to: called when the last array is gone
	locked  bool    // nor may Python write to it
	places  [2]link // in the cache's queues

	res     *residence // nil for memory that no device has seen
	parent  *buffer    // of which this is a part that stands for itself
	parts   []*buffer  // the memory of the results of a node that has several, and none of its own
	exports int32      // writable views that others hold: then devices copy it anew at each use
}

// memory counts bytes. Guarded by the graph lock.
var memory struct {
	active, peak, cached int
	limit, cacheLimit    int
	initialized          bool
}

func initMemory() {
	memory.initialized = true
	total, _ := host().Info()["memory_size"].(int)
	if total <= 0 {
		total = 1 << 33
	}
	memory.limit = total / 20 * 19
	memory.cacheLimit = total / 4
}

// newBuffer gives memory for n bytes, or nil when it cannot be had.
func newBuffer(n int) *buffer {
	if !memory.initialized {
		initMemory()
	}
	if limbo != nil {
		sweepLimbo()
	}
	class, size := sizeClass(n)
	if size > memory.limit-memory.active {
		return nil
	}
	b := takeIdle(class)
	if b == nil {
		giveWay(class, size)
		shrinkCache(memory.limit - memory.active - size)
		p := host().Allocate(size)
		if p == nil {
			ClearCache()
			if p = host().Allocate(size); p == nil {
				return nil
			}
		}
		b = &buffer{ptr: p, size: size, class: int32(class)}
	}
	b.refs = 1
	memory.active += size
	memory.peak = max(memory.peak, memory.active)
	return b
}

func (b *buffer) release() {
	if b.refs--; b.refs > 0 {
		return
	}
	if b.res != nil {
		b.releaseAll()
		return
	}
	if b.parent != nil {
		b.parent.release()
		return
	}
	if b.foreign != nil {
		b.foreign()
		return
	}
	if b.parts != nil {
		for _, p := range b.parts {
			p.release()
		}
		return
	}
	memory.active -= b.size
	if b.size > memory.cacheLimit {
		host().Free(b.ptr, b.size)
		return
	}
	shrinkCache(memory.cacheLimit - b.size)
	b.enterCache()
}

// allocate gives an array that the program makes its own row-contiguous memory.
func (a *Array) allocate() *errs.Error {
	if a.buf = newBuffer(a.NBytes()); a.buf == nil {
		return noMemory("array", a.dtype, a.shape)
	}
	a.offset, a.strides = 0, nil
	return nil
}

func noMemory(op string, d dtype.Dtype, shape layout.Shape) *errs.Error {
	return errs.Errorf(errs.MemoryError,
		"[%s] cannot allocate %d bytes for an array of shape %s and dtype %s: %d bytes are in use and the limit is %d",
		op, layout.Size(shape)*d.Size(), layout.Format(shape), d, memory.active, memory.limit)
}

// ActiveMemory is the number of bytes that arrays hold, on the host and on all devices.
func ActiveMemory() int {
	n := memory.active
	for _, u := range units {
		n += u.active
	}
	return n
}

// PeakMemory is the most that ActiveMemory has been since the last reset: the sum of the host's and the devices' peaks.
func PeakMemory() int {
	n := memory.peak
	for _, u := range units {
		n += u.peak
	}
	return n
}

// ResetPeakMemory starts a new measurement of the peak.
func ResetPeakMemory() {
	memory.peak = memory.active
	for _, u := range units {
		u.peak = u.active
	}
}

// CacheMemory is the number of bytes kept for reuse, on the host and on all devices.
func CacheMemory() int {
	n := memory.cached
	for _, u := range units {
		n += u.cached
	}
	return n
}

// MemoryLimit is the number of bytes arrays may hold.
func MemoryLimit() int {
	if !memory.initialized {
		initMemory()
	}
	return memory.limit
}

// SetMemoryLimit bounds what arrays may hold on the host, and on each device where that has more, and returns the old
// bound. An allocation above it is a MemoryError.
func SetMemoryLimit(n int) int {
	old := MemoryLimit()
	memory.limit = n
	for _, u := range units {
		u.limit = min(n, u.ceiling)
	}
	return old
}

// SetCacheLimit bounds what is kept for reuse, on the host and on each device, and returns the old bound.
func SetCacheLimit(n int) int {
	MemoryLimit()
	old := memory.cacheLimit
	memory.cacheLimit = n
	shrinkCache(n)
	for _, u := range units {
		u.cacheLimit = n
		u.trim(n)
	}
	return old
}

// ClearCache returns all unused memory to the host and to the devices.
func ClearCache() {
	shrinkCache(0)
	for _, u := range units {
		u.trim(0)
	}
}

// Empty makes a ready array whose elements the caller writes before anyone else sees it.
func Empty(d dtype.Dtype, shape layout.Shape) (*Array, unsafe.Pointer) {
	if _, ok := layout.CheckedSize(shape, d.Size()); !ok {
		errs.Throw(errs.ValueError,
			"[array] shape %s of dtype %s is not valid: dimensions must be non-negative and their product fit in "+
				"memory",
			layout.Format(shape), d)
	}
	a := newArray(leaf, d, shape, nil)
	var p unsafe.Pointer
	if a.Size() > 0 {
		if err := a.allocate(); err != nil {
			panic(err)
		}
		p = a.buf.ptr
	}
	a.setReady()
	return a, p
}

// ReadOnly reports whether a ready array lies in memory that nobody may write.
func (a *Array) ReadOnly() bool { return a.buf != nil && a.buf.locked }

// FromMemory copies row-contiguous elements.
func FromMemory(p unsafe.Pointer, d dtype.Dtype, shape layout.Shape) *Array {
	a, dst := Empty(d, shape)
	if n := a.NBytes(); n > 0 {
		copy(unsafe.Slice((*byte)(dst), n), unsafe.Slice((*byte)(p), n))
	}
	return a
}

// External makes an array over somebody else's memory, which is read in place, never
// written, and given back by release once no array views it. Strides are in elements. Locked says
// that its owner allows nobody to write. Release runs under the graph lock.
func External(p unsafe.Pointer, d dtype.Dtype, shape layout.Shape, strides []int, locked bool, release func()) *Array {
	a := newArray(leaf, d, shape, nil)
	b := &buffer{ptr: p, refs: 1, foreign: release, locked: locked}
	a.buf, a.strides = b, strides
	if a.Size() > 0 {
		var lo int
		lo, b.size = a.span() // negative strides reach below p
		b.ptr, a.offset = unsafe.Add(p, lo), -lo
	}
	a.setReady()
	return a
}
