package double

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Judged is a host whose reads and writes of its memory are judged: those of its kernels, and those that core tells it
// of (device.Reader).
type Judged struct {
	device.Host
	w *World
}

// Judge is a host beside the devices of w.
func (w *World) Judge(h device.Host) Judged { return Judged{h, w} }

// Launch judges what the kernel touches.
func (h Judged) Launch(k *device.Kernel) error {
	for i := range k.In {
		h.w.HostRead(memoryOf(&k.In[i]))
	}
	for i := range k.Out {
		h.w.HostWrite(memoryOf(&k.Out[i]))
	}
	return h.Host.Launch(k)
}

// memoryOf is where t's elements lie.
func memoryOf(t *device.Tensor) (p unsafe.Pointer, n int) {
	lo, hi := layout.Extent(t.Shape, t.Strides)
	return unsafe.Add(t.Data, lo*t.Dtype.Size()), (hi - lo) * t.Dtype.Size()
}

// Free judges that nothing uses the memory.
func (h Judged) Free(p unsafe.Pointer, n int) {
	h.w.HostFree(p, n)
	h.Host.Free(p, n)
}

// HostRead is told of a read of the host outside of kernels.
func (h Judged) HostRead(p unsafe.Pointer, n int) { h.w.HostRead(p, n) }
