package device

import (
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Device computes asynchronously on memory of its own. Core decides what runs where, in which order, and when memory is
// free; a Device encodes, submits and says how far it is. Its methods may be called from any thread at any time.
// Launch, Upload, Download, After and Commit of one Queue are called by one thread at a time; its other methods at any
// time, so that somebody may Wait while work is given.
type Device interface {
	// Name is the device type users see: "gpu".
	Name() string
	// Info describes the device for mx.device_info. Its "memory_size" is how many bytes Allocate can give.
	Info() map[string]any
	Limits() Limits
	// Has reports whether there is a kernel for these types. It looks at no memory: core asks it for every node.
	Has(kind KernelKind, attr any, out dtype.Dtype, in []dtype.Dtype) bool
	// Workspace is how many bytes k needs beside its operands. Core allocates them as k.Work.
	Workspace(k *Kernel) int
	// Allocate gives size > 0 bytes aligned to 256, or false. It does not wait for the device.
	Allocate(size int) (Memory, bool)
	// Free takes back what Allocate gave for the same size. No command still uses it: core sees to that.
	Free(m Memory, size int)
	NewQueue() (Queue, error)
}

// Limits are what core must respect when it gives work to a Device.
type Limits struct {
	// Unified says that the host reads and writes device memory at Memory.Host, so that copies between them are but
	// waits.
	Unified bool
	// Inputs and Steps bound one fused program; 0 is no bound beyond core's own.
	Inputs, Steps int
	// Ahead is how many commands a Queue may be ahead of the device before core waits; 0: as many as core thinks fit.
	// It bounds how long Ctrl-C takes.
	Ahead int
}

// Memory is what Allocate gave. Handle is a number to core: a CUdeviceptr, an id<MTLBuffer>, an index. It is never an
// unsafe.Pointer, since Go's collector ends the process over a pointer into a free part of its heap.
type Memory struct {
	Handle uintptr
	Host   unsafe.Pointer // where the host sees it, if Limits.Unified
}

// Place is where a tensor of a Kernel starts on a device: Offset bytes into Mem. With Const there is no memory, and
// Bits are the bytes of the one element, the first byte lowest.
type Place struct {
	Mem    Memory
	Offset int
	Const  bool
	Bits   uint64
}

// Ticket numbers the commands of one Queue from 1, in the order in which they were given and will be complete.
type Ticket uint64

// Queue is one order of execution on a Device.
type Queue interface {
	// Launch appends k and numbers it; it keeps nothing of k. Core holds the graph lock, so Launch neither waits nor
	// compiles nor enters the driver. *NotLoaded says that the kernel must be loaded first, ErrNoKernel that there is
	// none after all; nothing was appended then.
	Launch(k *Kernel) (Ticket, error)
	// Upload and Download append a copy of n > 0 bytes. Upload reads host memory at any time until its ticket is
	// complete. Download writes it at any time until Wait for its ticket, or for a later one of the Queue, has returned
	// true, since Wait may copy from pinned memory: only then is it there, for the host and for an Upload from it
	// alike.
	Upload(dst Place, src unsafe.Pointer, n int) (Ticket, error)
	Download(dst unsafe.Pointer, src Place, n int) (Ticket, error)
	// After makes what is appended from now on wait, on the device, for t of q, which is committed. False says that
	// these two queues cannot: the caller waits.
	After(q Queue, t Ticket) bool
	// Commit hands over what was appended. It is called without the graph lock and may wait for room in the driver's
	// queue.
	Commit() error
	// Done is the last command known to be complete. It enters no driver.
	Done() Ticket
	// Wait waits at most d for t, which is committed, and reports whether it is complete.
	Wait(t Ticket, d time.Duration) bool
	// Fault is what t, which is complete, found wrong when it ran: an index out of bounds.
	Fault(t Ticket) *errs.Error
	// Lost is why the Queue can do nothing more; nil while it can. A lost Queue touches no memory and completes no
	// further command: what gives it work returns the error, and Wait returns false at once. What waits for one of
	// those commands on another Queue loses that one too; After such a command is false.
	Lost() *errs.Error
}

// NotLoaded is a kernel that must be compiled or loaded. Core gives up the graph lock, calls Load and launches again.
// When Load fails, core computes on the host, as for ErrNoKernel.
type NotLoaded struct{ Load func() error }

func (*NotLoaded) Error() string { return "the kernel is not loaded" }

// ErrNoKernel is a Launch of what Has promised and the driver does not take. Core computes it on the host.
var ErrNoKernel = errs.Errorf(errs.RuntimeError, "the device has no such kernel")
