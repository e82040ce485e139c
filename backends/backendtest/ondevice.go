package backendtest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/reference"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// OnDevice presents d as a Host, so that RunAll runs over it. A launch uploads every block that an operand lies in,
// guards and all, runs the kernel there, and brings all of them back, those of inputs too: what a kernel writes outside
// of its outputs shows as it does on the host. What d has no kernel for is computed here, as core does, and counted by
// Fallbacks.
func OnDevice(d device.Device) *DeviceHost {
	return &DeviceHost{d: d, host: reference.New(), fallbacks: map[device.KernelKind]int{}}
}

// DeviceHost is a Device as a Host.
type DeviceHost struct {
	d         device.Device
	host      *reference.Backend
	mu        sync.Mutex
	blocks    []hostBlock    // by address
	queues    []device.Queue // that nobody uses now
	fallbacks map[device.KernelKind]int
}

// Fallbacks are how many launches of each kind the device had no kernel for.
func (h *DeviceHost) Fallbacks() map[device.KernelKind]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.fallbacks)
}

// hostBlock is memory that Allocate gave.
type hostBlock struct {
	p    unsafe.Pointer
	size int
}

func (b hostBlock) bytes() []byte { return unsafe.Slice((*byte)(b.p), b.size) }

func byAddress(b hostBlock, p unsafe.Pointer) int {
	switch {
	case uintptr(b.p) < uintptr(p):
		return -1
	case uintptr(b.p) > uintptr(p):
		return 1
	}
	return 0
}

// Name is the device's.
func (h *DeviceHost) Name() string { return h.d.Name() }

// Info is the device's.
func (h *DeviceHost) Info() map[string]any { return h.d.Info() }

// Supports tells the suite for which rows there is a kernel.
func (h *DeviceHost) Supports(r *table.Row, d dtype.Dtype) bool {
	p := device.OneStep(r, d)
	return h.d.Has(device.KindElementwise, p, r.Types.Result(d), p.Load)
}

// Allocate gives memory of the host, which launches bring to the device and back.
func (h *DeviceHost) Allocate(size int) unsafe.Pointer {
	p := h.host.Allocate(size)
	if p == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	i, _ := slices.BinarySearchFunc(h.blocks, p, byAddress)
	h.blocks = slices.Insert(h.blocks, i, hostBlock{p, size})
	return p
}

// Free takes it back.
func (h *DeviceHost) Free(p unsafe.Pointer, size int) {
	h.mu.Lock()
	i, found := slices.BinarySearchFunc(h.blocks, p, byAddress)
	if found {
		h.blocks = slices.Delete(h.blocks, i, i+1)
	}
	h.mu.Unlock()
	h.host.Free(p, size)
}

// block is the memory in which p lies.
func (h *DeviceHost) block(p unsafe.Pointer) (hostBlock, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, found := slices.BinarySearchFunc(h.blocks, p, byAddress)
	if !found {
		i--
	}
	if i < 0 || uintptr(p) >= uintptr(h.blocks[i].p)+uintptr(h.blocks[i].size) {
		return hostBlock{}, false
	}
	return h.blocks[i], true
}

// queue gives one that nobody else uses, so that launches of several goroutines run side by side.
func (h *DeviceHost) queue() (device.Queue, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.queues); n > 0 {
		q := h.queues[n-1]
		h.queues = h.queues[:n-1]
		return q, nil
	}
	return h.d.NewQueue()
}

// Launch computes k on the device.
func (h *DeviceHost) Launch(k *device.Kernel) error {
	if k.Canceled() {
		return errs.ErrCanceled
	}
	err := h.visit(k)
	if err == device.ErrNoKernel {
		h.mu.Lock()
		h.fallbacks[k.Kind]++
		h.mu.Unlock()
		return h.host.Launch(k)
	}
	if err == nil && k.Canceled() {
		return errs.ErrCanceled
	}
	return err
}

// visit computes k on the device, if there is a kernel.
func (h *DeviceHost) visit(k *device.Kernel) error {
	if !h.d.Has(k.Kind, k.Attr, k.Out[0].Dtype, dtypesOf(k.In)) {
		return device.ErrNoKernel
	}
	q, err := h.queue()
	if err != nil {
		return err
	}
	v := &visit{h: h, q: q}
	err = v.launch(k)
	if q.Lost() == nil {
		h.mu.Lock()
		h.queues = append(h.queues, q)
		h.mu.Unlock()
	}
	return err
}

// visit is one launch: the blocks that it has brought to the device.
type visit struct {
	h     *DeviceHost
	q     device.Queue
	last  device.Ticket
	there []visitor
}

type visitor struct {
	hostBlock
	m    device.Memory
	back unsafe.Pointer // where the host gets it again
}

func (v *visit) launch(k *device.Kernel) (err error) {
	own := device.Kernel{Kind: k.Kind, Op: k.Op, In: slices.Clone(k.In), Out: slices.Clone(k.Out), Attr: k.Attr}
	defer v.leave(&own)
	if own.InAt, err = v.bring(own.In); err != nil {
		return err
	}
	if own.OutAt, err = v.bring(own.Out); err != nil {
		return err
	}
	if n := v.h.d.Workspace(&own); n > 0 {
		m, ok := v.h.d.Allocate(n)
		if !ok {
			return errs.Errorf(errs.MemoryError, "[%s] cannot allocate %d bytes of working space", k.Op, n)
		}
		own.Work = device.Place{Mem: m}
	}
	t, err := v.give(&own)
	if err != nil {
		return err
	}
	if err := v.fetch(); err != nil {
		return err
	}
	if err := v.q.Fault(t); err != nil {
		return err
	}
	return nil
}

// bring uploads the blocks of the tensors, and tells where they lie then.
func (v *visit) bring(ts []device.Tensor) ([]device.Place, error) {
	at := make([]device.Place, len(ts))
	for i := range ts {
		data := ts[i].Data
		ts[i].Data = nil
		if ts[i].Size() == 0 {
			continue
		}
		b, ok := v.h.block(data)
		if !ok {
			return nil, errs.Errorf(errs.RuntimeError, "an operand at %v is not in memory of Allocate", data)
		}
		m, err := v.visitor(b)
		if err != nil {
			return nil, err
		}
		at[i] = device.Place{Mem: m, Offset: int(uintptr(data) - uintptr(b.p))}
	}
	return at, nil
}

// visitor is b's memory on the device.
func (v *visit) visitor(b hostBlock) (device.Memory, error) {
	for _, x := range v.there {
		if x.p == b.p {
			return x.m, nil
		}
	}
	m, ok := v.h.d.Allocate(b.size)
	if !ok {
		return m, errs.Errorf(errs.MemoryError, "cannot allocate %d bytes on %s", b.size, v.h.d.Name())
	}
	v.there = append(v.there, visitor{b, m, v.h.host.Allocate(b.size)})
	return m, v.note(v.q.Upload(device.Place{Mem: m}, b.p, b.size))
}

func (v *visit) note(t device.Ticket, err error) error {
	if err == nil {
		v.last = t
	}
	return err
}

// give launches k, loading it first where that is asked for.
func (v *visit) give(k *device.Kernel) (device.Ticket, error) {
	t, err := v.q.Launch(k)
	var need *device.NotLoaded
	if errors.As(err, &need) {
		if err := need.Load(); err != nil {
			return 0, err
		}
		t, err = v.q.Launch(k)
	}
	return t, v.note(t, err)
}

// fetch takes over what has changed. Bytes that have not are left alone: others may read them.
func (v *visit) fetch() error {
	for _, b := range v.there {
		if err := v.note(v.q.Download(b.back, device.Place{Mem: b.m}, b.size)); err != nil {
			return err
		}
	}
	if err := v.finish(); err != nil {
		return err
	}
	for _, b := range v.there {
		if back := unsafe.Slice((*byte)(b.back), b.size); !bytes.Equal(back, b.bytes()) {
			copy(b.bytes(), back)
		}
	}
	return nil
}

// finish waits for all that was given.
func (v *visit) finish() error {
	if v.last == 0 {
		return nil
	}
	if err := v.q.Commit(); err != nil {
		return err
	}
	for !v.q.Wait(v.last, time.Second) {
		if err := v.q.Lost(); err != nil {
			return err
		}
	}
	return nil
}

// leave gives all memory back, once nothing uses it.
func (v *visit) leave(k *device.Kernel) {
	_ = v.finish() // a lost queue touches nothing either
	for _, b := range v.there {
		v.h.d.Free(b.m, b.size)
		v.h.host.Free(b.back, b.size)
	}
	if m := k.Work.Mem; m != (device.Memory{}) {
		v.h.d.Free(m, v.h.d.Workspace(k))
	}
}

func dtypesOf(ts []device.Tensor) []dtype.Dtype {
	list := make([]dtype.Dtype, len(ts))
	for i := range ts {
		list[i] = ts[i].Dtype
	}
	return list
}
