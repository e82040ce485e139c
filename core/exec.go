package core

import (
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// exec is the context in which nodes are computed, one after the other. It owns the operands of kernels: nothing else
// allocates results or makes tensors of arrays.
type exec struct {
	inline bool
	device bool // the node is computed on lane's device
	cancel *atomic.Bool
	lane   *lane       // whose executor this is; nil for small evaluations
	d      *issue      // what is given to the device; nil until something is
	fail   *errs.Error // why an operand cannot be had: launch returns it
	k      device.Kernel
	flat   [1]int // the shape of operands in one piece, for kernels that are over when launch returns
	outs   [1]device.Tensor
	ins    [maxFusedInputs]device.Tensor
}

// What serves small evaluations is guarded by the graph lock, and kept for its memory.
var (
	inlineExec = exec{inline: true}
	inlinePart = part{j: new(Job)}
)

// begin makes e as good as new: it remembers nothing of the kernels it launched last.
func (e *exec) begin() *exec {
	e.k, e.fail = device.Kernel{}, nil
	return e
}

// node computes one array.
func (e *exec) node(a *Array) *errs.Error {
	if a.Size() == 0 && !a.op.LaunchEmpty {
		return nil
	}
	if a.op.View != nil {
		if a.op.View(a) {
			return nil
		}
		if e.inline && a.Size() > inlineCost {
			return errHandOver
		}
	}
	if e.lane != nil && e.lane.unit != nil {
		return e.nodeOn(a)
	}
	return e.nodeHere(a)
}

// nodeHere computes a on the host.
func (e *exec) nodeHere(a *Array) *errs.Error {
	if err := e.compute(a); err != nil {
		if a.buf != nil && a.op != &restOp {
			a.buf.release()
			a.buf = nil
		}
		return err
	}
	return nil
}

// abandon forgets what was begun for the first node of the tape, which panicked.
func (e *exec) abandon(tape []*Array) {
	if e.device {
		e.device = false
		e.unpin()
		e.d.reset()
	}
	if len(tape) == 0 || tape[0] == nil {
		return
	}
	if a := tape[0]; a.buf != nil && a.op != &restOp {
		a.buf.release()
		a.buf = nil
	}
}

// compute launches a's kernels.
func (e *exec) compute(a *Array) *errs.Error {
	switch {
	case a.op.Launch != nil:
		return a.op.Launch(e, a)
	case a.op.Kind == device.KindNone:
		return errs.Errorf(errs.RuntimeError, "[%s] has no kernel", a.opName())
	}
	if err := e.allocate(a); err != nil {
		return err
	}
	return e.runKind(a.op.Kind, a, a.attr)
}

// allocate gives y row-contiguous memory of its own where e computes it.
func (e *exec) allocate(y *Array) (err *errs.Error) {
	y.offset, y.strides = 0, nil
	if e.device {
		y.buf, err = e.bufferOn(y.opName(), y.dtype, y.shape)
	} else if y.buf = newBuffer(y.NBytes()); y.buf == nil {
		err = noMemory(y.opName(), y.dtype, y.shape)
	}
	return err
}

// buffer is memory for a result of the op where e computes it.
func (e *exec) buffer(op string, d dtype.Dtype, shape layout.Shape) (*buffer, *errs.Error) {
	if e.device {
		return e.bufferOn(op, d, shape)
	}
	b := newBuffer(layout.Size(shape) * d.Size())
	if b == nil {
		return nil, noMemory(op, d, shape)
	}
	return b, nil
}

// tensor is x as a kernel reads it.
func (e *exec) tensor(x *Array) device.Tensor { return e.input(x, x.shape, x.Strides()) }

// input is x as a kernel reads it, seen through another shape.
func (e *exec) input(x *Array, shape layout.Shape, strides []int) device.Tensor {
	t := device.Tensor{Dtype: x.dtype, Shape: shape, Strides: strides}
	switch b := x.buf; {
	case b == nil && !e.device:
	case e.device:
		e.d.xs = append(e.d.xs, x)
	case b.res == nil || e.reach(b):
		t.Data = unsafe.Add(b.ptr, x.offset)
	}
	return t
}

// reach brings b to the host, which may take its time.
func (e *exec) reach(b *buffer) bool {
	switch {
	case b.onHost():
		return true
	case e.inline:
		e.fail = errHandOver
	default:
		if err := b.fetch(e.lane, e.cancel.Load); err != nil {
			e.fail = err
		}
	}
	return e.fail == nil
}

// whole is y as a kernel writes it.
func (e *exec) whole(y *Array) device.Tensor {
	return e.output(y, y.dtype, y.shape, layout.Strides(y.shape), 0)
}

// output is a part of y's memory, offset bytes from its start, as a kernel writes it.
func (e *exec) output(y *Array, d dtype.Dtype, shape layout.Shape, strides []int, offset int) device.Tensor {
	return e.outputIn(y.buf, d, shape, strides, y.offset+offset)
}

// outputIn is a part of b, offset bytes from its start, as a kernel writes it.
func (e *exec) outputIn(b *buffer, d dtype.Dtype, shape layout.Shape, strides []int, offset int) device.Tensor {
	t := device.Tensor{Dtype: d, Shape: shape, Strides: strides}
	switch {
	case e.device:
		e.d.outs = append(e.d.outs, outAt{b, offset})
	case b != nil:
		t.Data = unsafe.Add(b.ptr, offset)
	}
	return t
}

// donate lets y take over the memory of an input that dies with it: one that nothing
// but y holds, laid out like y, in memory that no other array views.
func (e *exec) donate(y *Array, xs []*Array) bool {
	if y.traced() {
		return false
	}
	for i, x := range xs {
		if x.refs == 1 && !x.fresh && x.buf != nil && x.buf.refs == 1 && x.buf.foreign == nil && x.offset == 0 &&
			x.dtype.Size() == y.dtype.Size() && layout.Equal(x.shape, y.shape) && x.contiguous() &&
			!repeats(xs, i) && e.mayWrite(x.buf) {
			x.buf.refs++
			y.buf, y.offset, y.strides = x.buf, 0, nil
			return true
		}
	}
	return false
}

func repeats(xs []*Array, i int) bool {
	for j, x := range xs {
		if j != i && x == xs[i] {
			return true
		}
	}
	return false
}

// mayWrite reports whether a node that e computes may write to b, which nothing else holds.
func (e *exec) mayWrite(b *buffer) bool {
	if e.device {
		return e.mayWriteOn(b)
	}
	return b.res == nil && b.parent == nil
}

// launch runs k's kernel with the graph lock given up where that is worth it.
// Inputs cannot go away meanwhile: the node being computed holds them.
func (e *exec) launch(k *device.Kernel) *errs.Error {
	if e.fail != nil {
		err := e.fail
		e.fail = nil
		return err
	}
	if e.device {
		return e.submit(k)
	}
	k.Cancel = e.cancel
	err := e.launchOnce(k)
	if err != nil && err.Kind == errs.MemoryError && memory.cached > 0 && k.Done == nil {
		ClearCache() // what the cache keeps may be what the kernel's working space lacks
		err = e.launchOnce(k)
	}
	return err
}

func (e *exec) launchOnce(k *device.Kernel) *errs.Error {
	dev := host()
	k.Room = max(MemoryLimit()-memory.active, 1)
	if !e.inline {
		sweep()
		Threads.Graph.Unlock()
		defer Threads.Graph.Lock()
	}
	if err := dev.Launch(k); err != nil {
		if err, ok := err.(*errs.Error); ok {
			return err
		}
		return errs.Errorf(errs.RuntimeError, "[%s] %v", k.Op, err)
	}
	return nil
}

// runKind launches one kernel over all inputs into y's memory.
func (e *exec) runKind(kind device.KernelKind, y *Array, attr any) *errs.Error {
	e.outs[0] = e.whole(y)
	ins := e.ins[:0]
	for _, x := range y.inputs() {
		ins = append(ins, e.tensor(x))
	}
	e.k = device.Kernel{Kind: kind, Op: y.opName(), Out: e.outs[:1], In: ins, Attr: attr}
	return e.launch(&e.k)
}

// copyInto launches a copy of x, cast, to the part of y's memory that dst describes.
func (e *exec) copyInto(y *Array, dst device.Tensor, x *Array) *errs.Error {
	if layout.Size(dst.Shape) == 0 {
		return nil
	}
	e.outs[0], e.ins[0] = dst, e.tensor(x)
	e.k = device.Kernel{Kind: device.KindCopy, Op: y.opName(), Out: e.outs[:1], In: e.ins[:1]}
	return e.launch(&e.k)
}
