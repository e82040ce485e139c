package cpu

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// workspace is memory a kernel borrows for the length of a launch: off the Go heap, whose growth the runtime
// answers with the end of the process where memory cannot be had.
type workspace struct {
	data unsafe.Pointer
	size int
}

// spare keeps released workspaces by size class, up to spareLimit bytes in all. Larger ones go back at once, and those
// of the class that was released longest ago give way.
var spare struct {
	sync.Mutex
	bytes    int
	list     [48][]unsafe.Pointer
	released [48]int // when a workspace of the class last was, by clock
	clock    int
}

const spareLimit = 64 << 20

// borrowed is how many bytes are out, of all launches.
var borrowed atomic.Int64

// getWorkspace borrows size bytes aligned to 64 on behalf of k. It panics with a MemoryError, which Launch returns,
// when there are none or the memory limit leaves no room.
func getWorkspace(k *device.Kernel, size int) workspace {
	class := bits.Len(uint(max(size, 4096) - 1))
	n := 1 << class
	if n > spareLimit {
		n = size
	}
	w := workspace{size: n}
	if out := borrowed.Add(int64(n)); k.Room > 0 && out > int64(k.Room) {
		borrowed.Add(int64(-n))
		errs.Throw(errs.MemoryError,
			"[%s] cannot allocate %d bytes of working space: the memory limit leaves %d, of which %d are in use", k.Op,
			size, k.Room, out-int64(n))
	}
	if n <= spareLimit {
		spare.Lock()
		if l := spare.list[class]; len(l) > 0 {
			w.data = l[len(l)-1]
			spare.list[class] = l[:len(l)-1]
			spare.bytes -= n
		}
		spare.Unlock()
	}
	if w.data == nil {
		w.data = Backend{}.Allocate(n)
	}
	if w.data == nil && dropSpare() {
		w.data = Backend{}.Allocate(n)
	}
	if w.data == nil {
		borrowed.Add(int64(-n))
		errs.Throw(errs.MemoryError, "[%s] cannot allocate %d bytes of working space", k.Op, size)
	}
	return w
}

func (w workspace) release() {
	borrowed.Add(int64(-w.size))
	if w.size <= spareLimit {
		spare.Lock()
		defer spare.Unlock()
		class := bits.Len(uint(w.size - 1))
		spare.clock++
		spare.released[class] = spare.clock
		spare.list[class] = append(spare.list[class], w.data)
		spare.bytes += w.size
		for spare.bytes > spareLimit {
			dropOldest()
		}
		return
	}
	Backend{}.Free(w.data, w.size)
}

// dropOldest gives back a spare workspace of the class that was released longest ago.
func dropOldest() {
	oldest := -1
	for class, l := range spare.list {
		if len(l) > 0 && (oldest < 0 || spare.released[class] < spare.released[oldest]) {
			oldest = class
		}
	}
	l := spare.list[oldest]
	spare.list[oldest] = l[:len(l)-1]
	spare.bytes -= 1 << oldest
	Backend{}.Free(l[len(l)-1], 1<<oldest)
}

// dropSpare gives all spare workspaces back to the system and reports whether there were any.
func dropSpare() bool {
	spare.Lock()
	defer spare.Unlock()
	any := spare.bytes > 0
	for class, l := range spare.list {
		for _, p := range l {
			Backend{}.Free(p, 1<<class)
		}
		spare.list[class] = nil
	}
	spare.bytes = 0
	return any
}

// scratchTensor is a contiguous tensor in a workspace, which the caller releases.
func scratchTensor(k *device.Kernel, d dtype.Dtype, shape layout.Shape) (device.Tensor, workspace) {
	w := getWorkspace(k, layout.Size(shape)*d.Size())
	return device.Tensor{Data: w.data, Dtype: d, Shape: shape, Strides: layout.Strides(shape)}, w
}

// cast writes from to out, of the same shape, on behalf of k.
func cast(k *device.Kernel, out, from device.Tensor) error {
	return launchers[device.KindCopy](&device.Kernel{Kind: device.KindCopy, Op: k.Op, Room: k.Room,
		Out: []device.Tensor{out}, In: []device.Tensor{from}, Cancel: k.Cancel})
}

// castTo gives t as a contiguous tensor of dtype d, in a workspace that the caller releases.
func castTo(k *device.Kernel, t device.Tensor, d dtype.Dtype) (device.Tensor, workspace, error) {
	tmp, w := scratchTensor(k, d, t.Shape)
	if err := cast(k, tmp, t); err != nil {
		w.release()
		return tmp, workspace{}, err
	}
	return tmp, w, nil
}
