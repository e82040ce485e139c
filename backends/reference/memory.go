package reference

import (
	"syscall"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
)

// block is memory given out: a mapping, or a slice that the registry keeps alive.
// The garbage collector does not move either.
type block struct {
	bytes  []byte
	mapped bool
}

const (
	alignment = 64
	mapFrom   = 1 << 16 // bytes; below, whole pages would be wasted
)

// Allocate returns size > 0 bytes aligned to 64, or nil when they cannot be had.
func (b *Backend) Allocate(size int) unsafe.Pointer {
	if size <= 0 || size > 1<<47 {
		return nil
	}
	var m block
	var p unsafe.Pointer
	if size >= mapFrom {
		bytes, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE,
			syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return nil
		}
		m, p = block{bytes, true}, unsafe.Pointer(&bytes[0])
	} else {
		bytes := make([]byte, size+alignment)
		p = unsafe.Pointer(&bytes[0])
		p = unsafe.Add(p, -uintptr(p)%alignment)
		m = block{bytes, false}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blocks[p] = m
	return p
}

// Free returns what Allocate gave.
func (b *Backend) Free(p unsafe.Pointer, _ int) {
	b.mu.Lock()
	m, ok := b.blocks[p]
	delete(b.blocks, p)
	b.mu.Unlock()
	if !ok {
		panic("reference: memory freed that was not allocated")
	}
	if m.mapped {
		if err := syscall.Munmap(m.bytes); err != nil {
			panic(err)
		}
	}
}

func copyTensor(k *device.Kernel) {
	in, out := &k.In[0], &k.Out[0]
	each(k, out.Shape, func(idx []int) { store(out, idx, load(in, idx)) })
}

func fill(k *device.Kernel) {
	v := load(&k.In[0], nil)
	each(k, k.Out[0].Shape, func(idx []int) { store(&k.Out[0], idx, v) })
}

// arange computes each element from its position, so that errors do not add up.
func arange(k *device.Kernel) {
	out, at := &k.Out[0], k.Attr.(device.ArangeAttr)
	each(k, out.Shape, func(idx []int) {
		i := idx[0]
		if out.Dtype.IsInexact() {
			store(out, idx, float(at.Start+float64(i)*at.Step))
		} else {
			store(out, idx, signed(at.StartInt+int64(i)*at.StepInt))
		}
	})
}
