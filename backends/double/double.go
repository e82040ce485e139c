// Package double is an asynchronous device with memory of its own, in this process: what the seam between core and
// devices is proved with. Commands run later, on a goroutine for each queue, after random delays. Its memory cannot be
// read through its handles, and is poisoned before it is used and after.
//
// A command that touches memory must be ordered after the commands that touched it before: by its queue, by After, or
// by what the host has observed. Vector clocks judge that when the command is given. So a missing wait is reported in
// every run, however the race went, and a command at fault does not run.
package double

import (
	"math/rand/v2"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/reference"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Options are what one double is like. The zero value has ample memory and every kernel, and never fails.
type Options struct {
	Name     string        // "gpu" if empty
	Host     device.Host   // computes; the reference backend if nil
	Capacity int           // bytes that Allocate gives; 0: 64 GiB, which is more than tests ask for
	Limits   device.Limits // what core is told, and held to

	Seed  uint64        // of delays, yields and of when downloads reach the host
	Delay time.Duration // commands are delayed by at most this; 0: by yields alone

	// Lacks are the kernels for which Has is false; nil: none.
	Lacks func(kind device.KernelKind, attr any, out dtype.Dtype, in []dtype.Dtype) bool
	// Broken are kinds whose Launch is ErrNoKernel though Has is true.
	Broken func(kind device.KernelKind) bool
	// Load is called for a kind before its first Launch, which is NotLoaded until it returns nil. Nil: all are loaded.
	Load func(kind device.KernelKind) error
	// Workspace is what kernels of a kind need beside their operands; nil: nothing.
	Workspace func(kind device.KernelKind) int

	FailAllocation Nth  // these allocations fail, counted from 1
	FaultAt        int  // this kernel, counted from 1, finds something wrong when it runs; 0: none
	LoseAt         int  // the device is lost when this command, counted from 1, is to run; 0: never
	Room           int  // Commit waits while this many commands are committed and not complete; 0: it never waits
	NoAfter        bool // queues of this device wait for no other queue
}

// Nth are events by number: the one numbered At, and every Every-th. Zeros are none.
type Nth struct{ At, Every int }

func (n Nth) hit(i int) bool { return i == n.At || n.Every > 0 && i%n.Every == 0 }

// Counters are what a Device has been asked for.
type Counters struct {
	Commands, Kernels, Uploads, Downloads int
	Up, Down                              int // bytes copied
	Waits                                 int // of one queue for another
	Commits, Loads, Allocations           int
	Active, Peak                          int // bytes allocated
	Ahead                                 int // the most commands that a queue was ahead of the device
}

// Device is one such device. Its fields are guarded by the world's lock.
type Device struct {
	w       *World
	opts    Options
	count   Counters
	blocks  map[uintptr]*block
	queues  []*Queue
	loaded  map[device.KernelKind]bool
	refused map[refusal]bool
	paused  chan struct{} // closed when commands may run again; nil: they may
	lost    *errs.Error
}

// refusal is a Launch that was NotLoaded.
type refusal struct {
	q    *Queue
	kind device.KernelKind
}

const ample = 64 << 30

// New makes a device. Order is judged across all devices of a world.
func (w *World) New(opts Options) *Device {
	if opts.Name == "" {
		opts.Name = "gpu"
	}
	if opts.Capacity == 0 {
		opts.Capacity = ample
	}
	if opts.Host == nil {
		opts.Host = reference.New()
	}
	return &Device{
		w: w, opts: opts, blocks: map[uintptr]*block{}, loaded: map[device.KernelKind]bool{},
		refused: map[refusal]bool{},
	}
}

// New makes a device in a world of its own.
func New(opts Options) *Device { return NewWorld().New(opts) }

// World is what judges d.
func (d *Device) World() *World { return d.w }

// Name is the device type users see.
func (d *Device) Name() string { return d.opts.Name }

// Limits are those of the Options.
func (d *Device) Limits() device.Limits { return d.opts.Limits }

// Info describes the device, with its counters and the faults found so far: Python tests read them from mx.device_info.
func (d *Device) Info() map[string]any {
	faults := d.w.Faults()
	c := d.Counters()
	info := map[string]any{
		"device_name": "double", "architecture": "double", "memory_size": d.opts.Capacity,
		"commands": c.Commands, "kernels": c.Kernels, "uploads": c.Uploads, "downloads": c.Downloads,
		"cross_queue_waits": c.Waits, "commits": c.Commits, "peak_bytes": c.Peak, "faults": len(faults),
	}
	if len(faults) > 0 {
		info["first_fault"] = faults[0]
	}
	return info
}

// Counters are the counts so far.
func (d *Device) Counters() Counters {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return d.count
}

// Has reports whether there is a kernel for these types.
func (d *Device) Has(kind device.KernelKind, attr any, out dtype.Dtype, in []dtype.Dtype) bool {
	return d.opts.Lacks == nil || !d.opts.Lacks(kind, attr, out, in)
}

// Workspace is how many bytes k needs beside its operands.
func (d *Device) Workspace(k *device.Kernel) int {
	if d.opts.Workspace == nil {
		return 0
	}
	return d.opts.Workspace(k.Kind)
}

// Allocate gives memory that is poisoned, or false where there is no room.
func (d *Device) Allocate(size int) (device.Memory, bool) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if size <= 0 {
		d.w.fault("Allocate of %d bytes", size)
		return device.Memory{}, false
	}
	d.count.Allocations++
	if d.opts.FailAllocation.hit(d.count.Allocations) || size > d.opts.Capacity-d.count.Active || d.lost != nil {
		return device.Memory{}, false
	}
	d.count.Active += size
	d.count.Peak = max(d.count.Peak, d.count.Active)
	b := newBlock(d, size)
	d.blocks[b.handle] = b
	m := device.Memory{Handle: b.handle}
	if d.opts.Limits.Unified {
		m.Host = unsafe.Pointer(unsafe.SliceData(b.data))
		d.w.expose(b)
	}
	return m, true
}

// Free takes memory back and poisons it.
func (d *Device) Free(m device.Memory, size int) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	b := d.blocks[m.Handle]
	switch {
	case b == nil:
		d.w.fault("Free of %s, which is not allocated", d.memory(m))
		return
	case b.size != size:
		d.w.fault("Free of %s with %d bytes, which has %d", d.memory(m), size, b.size)
	}
	if at := b.strayed(); at != 0 {
		d.w.fault("%s was written %d bytes outside of it", b, at)
	}
	delete(d.blocks, m.Handle)
	b.freed = true
	d.count.Active -= b.size
	if a := b.shadow.unordered(nil, 0, uintptr(b.size), true); a != nil {
		d.w.fault("Free of %s, which %s may still %s", b, a, a.verb())
		return // what runs may do so in peace
	}
	b.poison()
}

// NewQueue makes an order of execution.
func (d *Device) NewQueue() (device.Queue, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.lost != nil {
		return nil, d.lost
	}
	n := len(d.w.queues)
	rng := rand.New(rand.NewPCG(d.opts.Seed, uint64(n)))
	q := &Queue{d: d, w: d.w, number: n, rng: rng, faults: map[device.Ticket]*errs.Error{}}
	d.w.queues = append(d.w.queues, q)
	d.queues = append(d.queues, q)
	return q, nil
}

// Pause keeps commands from running until Resume: those that run already are completed.
func (d *Device) Pause() {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.paused == nil {
		d.paused = make(chan struct{})
	}
}

// Resume lets commands run again.
func (d *Device) Resume() {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if d.paused != nil {
		close(d.paused)
		d.paused = nil
	}
}

// Lose makes the device unable to do anything more, as when it is pulled out.
func (d *Device) Lose() {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.lose()
}

// lose is Lose with the lock held. Queues that run a command are lost when it is over.
func (d *Device) lose() {
	if d.lost == nil {
		d.lost = errs.Errorf(errs.RuntimeError, "the device %s was lost", d.opts.Name)
	}
	for _, q := range d.queues {
		if !q.busy {
			q.end()
		}
	}
}

// load says that k must be loaded first, or nil. Whoever was told so launches again only after a Load.
func (q *Queue) load(k *device.Kernel) error {
	d := q.d
	if d.opts.Load == nil || d.loaded[k.Kind] {
		return nil
	}
	if d.refused[refusal{q, k.Kind}] {
		d.w.fault("%s is launched on %s again though it was not loaded", k.Op, q)
	}
	d.refused[refusal{q, k.Kind}] = true
	kind := k.Kind
	return &device.NotLoaded{Load: func() error {
		d.w.mu.Lock()
		d.count.Loads++
		d.w.mu.Unlock()
		err := d.opts.Load(kind)
		d.w.mu.Lock()
		defer d.w.mu.Unlock()
		d.loaded[kind] = d.loaded[kind] || err == nil
		for r := range d.refused { // of other queues, too: one Load may serve many who wait for it
			if r.kind == kind {
				delete(d.refused, r)
			}
		}
		return err
	}}
}

// takes reports whether the program is within the limits that core was told.
func (d *Device) takes(p *device.Program) bool {
	l := d.opts.Limits
	return (l.Inputs == 0 || len(p.Load) <= l.Inputs) && (l.Steps == 0 || len(p.Steps) <= l.Steps)
}

// dtypes are those of the tensors.
func dtypes(ts []device.Tensor) []dtype.Dtype {
	list := make([]dtype.Dtype, len(ts))
	for i := range ts {
		list[i] = ts[i].Dtype
	}
	return list
}
