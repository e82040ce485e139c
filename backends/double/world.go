package double

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
)

// World judges the devices of a process and its host: they order one another, and copies touch the host's memory. One
// lock guards all of it, and copies run under it.
type World struct {
	mu      sync.Mutex
	queues  []*Queue
	seen    clock    // what the host has observed to be complete
	host    shadow   // host memory under copies
	exposed []*block // unified memory, by address; freed blocks stay for some time
	faults  []string
	report  func(fault string)
	handles uintptr
}

// NewWorld makes a world without devices.
func NewWorld() *World {
	w := &World{handles: firstHandle}
	w.host.w = w
	return w
}

// Report has f called with every fault as it is found, by the one that makes it. f calls nothing of the world.
func (w *World) Report(f func(fault string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report = f
}

// Faults lists the faults found so far, at most maxFaults of them.
func (w *World) Faults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// TakeFaults is Faults, which are forgotten.
func (w *World) TakeFaults() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	faults := w.faults
	w.faults = nil
	return faults
}

const maxFaults = 100

func (w *World) fault(format string, args ...any) {
	if len(w.faults) == maxFaults {
		return
	}
	s := fmt.Sprintf(format, args...)
	w.faults = append(w.faults, s)
	if w.report != nil {
		w.report(s)
	}
}

// Settle waits until all that was committed is complete or lost.
func (w *World) Settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
}

// Reset settles and forgets: whatever comes is ordered after all that was committed. It is for who has planted a
// fault in core and goes on.
func (w *World) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
	w.faults = nil
	for _, q := range w.queues {
		q.observe(q.done)
		q.waited, q.staged = q.done, nil
	}
}

func (w *World) settle() {
	for i := 0; i < len(w.queues); i++ {
		q := w.queues[i]
		for q.running {
			w.await(q.changed(), nil)
		}
	}
}

// await gives the lock up until one of the channels is closed or sent to.
func (w *World) await(a <-chan struct{}, timeout <-chan struct{}) {
	w.mu.Unlock()
	defer w.mu.Lock()
	select {
	case <-a:
	case <-timeout:
	}
}

// HostRead is to be called when the host reads n bytes at p: downloads into them must have been waited for.
func (w *World) HostRead(p unsafe.Pointer, n int) { w.hostTouches(p, n, false, "reads") }

// HostWrite is to be called when the host writes n bytes at p: no copy may still use them.
func (w *World) HostWrite(p unsafe.Pointer, n int) { w.hostTouches(p, n, true, "writes") }

// HostFree is to be called when the host frees n bytes at p or gives them to somebody else: no copy may still use them.
// Those that would are dropped, as the memory may be gone.
func (w *World) HostFree(p unsafe.Pointer, n int) { w.hostTouches(p, n, true, "frees") }

func (w *World) hostTouches(p unsafe.Pointer, n int, write bool, verb string) {
	if n <= 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	lo := uintptr(p)
	if a := w.host.unordered(nil, lo, lo+uintptr(n), write); a != nil {
		w.fault("the host %s memory that %s may still %s", verb, a, a.verb())
	}
	if write {
		w.host.drop(lo, lo+uintptr(n), verb == "frees")
	}
	b := w.block(lo)
	if b == nil {
		return
	}
	at := lo - b.address()
	if b.freed {
		w.fault("the host %s %s, which is freed", verb, b)
	} else if a := b.shadow.unordered(nil, at, at+uintptr(n), write); a != nil {
		w.fault("the host %s %s, which %s may still %s", verb, b, a, a.verb())
	}
}

// expose notes where the host sees b.
func (w *World) expose(b *block) {
	i, _ := slices.BinarySearchFunc(w.exposed, b.address(), func(x *block, p uintptr) int {
		return compare(x.address(), p)
	})
	w.exposed = slices.Insert(w.exposed, i, b)
	if len(w.exposed)%256 == 0 { // as long as the freed ones are kept, their addresses are nobody else's
		w.exposed = slices.DeleteFunc(w.exposed, func(b *block) bool { return b.freed })
	}
}

// block is the unified memory in which p lies, or nil.
func (w *World) block(p uintptr) *block {
	i, found := slices.BinarySearchFunc(w.exposed, p, func(x *block, p uintptr) int { return compare(x.address(), p) })
	if !found {
		i--
	}
	if i < 0 || p >= w.exposed[i].address()+uintptr(w.exposed[i].size) {
		return nil
	}
	return w.exposed[i]
}

func compare(a, b uintptr) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// A clock says, by the number of each queue, up to which command of it something is ordered after.
type clock []device.Ticket

func (c clock) at(queue int) device.Ticket {
	if queue < len(c) {
		return c[queue]
	}
	return 0
}

// joined is the clock of what is ordered after all that c and o are.
func (c clock) joined(o clock) clock {
	j := make(clock, max(len(c), len(o)))
	for i := range j {
		j[i] = max(c.at(i), o.at(i))
	}
	return j
}

// raised is c with a command of a queue joined.
func (c clock) raised(queue int, t device.Ticket) clock {
	o := make(clock, queue+1)
	o[queue] = t
	return c.joined(o)
}
