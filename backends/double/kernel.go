package double

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// operand is a range of a block that a command touches.
type operand struct {
	block  *block
	lo, hi int
	write  bool
}

// note has those who come later be ordered after c.
func (o operand) note(c *command) {
	o.block.shadow.note(access{c: c, lo: uintptr(o.lo), hi: uintptr(o.hi), write: o.write})
}

func (o operand) overlaps(p operand) bool { return o.block == p.block && o.lo < p.hi && p.lo < o.hi }

// launch is a kernel over the memory of this process that the device's stands for.
type launch struct {
	d        *Device
	k        device.Kernel
	operands []operand
	work     []byte
	planted  *errs.Error
}

// run computes; what finds something wrong leaves poison.
func (l *launch) run() *errs.Error {
	if l.work != nil {
		fill(l.work, poisonByte)
	}
	err := error(l.planted)
	if l.planted == nil {
		err = l.d.opts.Host.Launch(&l.k)
	}
	if err == nil {
		return nil
	}
	for i := range l.k.Out {
		poison(&l.k.Out[i])
	}
	if e, ok := err.(*errs.Error); ok {
		return e
	}
	return errs.Errorf(errs.RuntimeError, "[%s] %v", l.k.Op, err)
}

// poison poisons the elements of t.
func poison(t *device.Tensor) {
	size := t.Dtype.Size()
	idx := make([]int, len(t.Shape))
	for range t.Size() {
		at := 0
		for a, i := range idx {
			at += i * t.Strides[a]
		}
		fill(unsafe.Slice((*byte)(unsafe.Add(t.Data, at*size)), size), poisonByte)
		for a := len(idx) - 1; a >= 0; a-- {
			if idx[a]++; idx[a] < t.Shape[a] {
				break
			}
			idx[a] = 0
		}
	}
}

// reject reports c, which will not run.
func (q *Queue) reject(c *command, format string, args ...any) {
	c.canceled = true
	q.w.fault(format, args...)
}

// resolve judges k and copies what it needs of it.
func (q *Queue) resolve(k *device.Kernel, c *command) *launch {
	d := q.d
	l := &launch{d: d, k: device.Kernel{Kind: k.Kind, Op: k.Op, Attr: k.Attr}}
	q.judge(k, c)
	if len(k.InAt) != len(k.In) || len(k.OutAt) != len(k.Out) {
		q.reject(c, "%s has %d inputs at %d places and %d outputs at %d",
			k.Op, len(k.In), len(k.InAt), len(k.Out), len(k.OutAt))
		return l
	}
	add := func(t *device.Tensor, at device.Place, write bool) operand {
		own, o := q.tensor(c, t, at, write)
		if write {
			l.k.Out = append(l.k.Out, own)
		} else {
			l.k.In = append(l.k.In, own)
		}
		if o.block != nil {
			l.operands = append(l.operands, o)
		}
		return o
	}
	var ins []operand
	for i := range k.In {
		ins = append(ins, add(&k.In[i], k.InAt[i], false))
	}
	for i := range k.Out {
		o := add(&k.Out[i], k.OutAt[i], true)
		for j, in := range ins {
			if o.block != nil && o.overlaps(in) && !mayShare(k, i, j) {
				q.reject(c, "output %d of %s lies in the memory of input %d", i, k.Op, j)
			}
		}
	}
	if n := d.Workspace(k); n > 0 {
		if o, ok := q.operand(c, "the working space of "+k.Op, k.Work, 0, n, true); ok {
			if slices.ContainsFunc(l.operands, o.overlaps) {
				q.reject(c, "the working space of %s lies in the memory of an operand", k.Op)
			}
			l.operands = append(l.operands, o)
			l.work = o.block.data[o.lo:o.hi]
		}
	}
	return l
}

// judge holds k to what does not depend on memory.
func (q *Queue) judge(k *device.Kernel, c *command) {
	if !q.d.Has(k.Kind, k.Attr, k.Out[0].Dtype, dtypes(k.In)) {
		q.reject(c, "%s is launched on %s, which has no such kernel", k.Op, q.d.opts.Name)
	}
	if k.Cancel != nil || k.Done != nil {
		q.reject(c, "%s is launched with Cancel or Done, which are the host's", k.Op)
	}
	if p, ok := k.Attr.(*device.Program); ok && !q.d.takes(p) {
		q.reject(c, "%s has %d inputs and %d steps, which is more than the limits of %s",
			k.Op, len(p.Load), len(p.Steps), q.d.opts.Name)
	}
}

// mayShare reports whether output i may be the memory of input j: elementwise in place.
func mayShare(k *device.Kernel, i, j int) bool {
	out, in := &k.Out[i], &k.In[j]
	return i == 0 && k.Kind == device.KindElementwise && k.OutAt[i].Offset == k.InAt[j].Offset &&
		out.Dtype.Size() == in.Dtype.Size() && layout.Equal(out.Shape, in.Shape) && sameStrides(out, in)
}

// sameStrides reports whether the elements of a and b, of one shape, lie alike: strides of extent one say nothing.
func sameStrides(a, b *device.Tensor) bool {
	for i, n := range a.Shape {
		if n > 1 && a.Strides[i] != b.Strides[i] {
			return false
		}
	}
	return true
}

// tensor is t as the host's kernels see it, and what it touches; no block if it has no elements or is a constant.
func (q *Queue) tensor(c *command, t *device.Tensor, at device.Place, write bool) (own device.Tensor, o operand) {
	own = device.Tensor{Dtype: t.Dtype, Shape: slices.Clone(t.Shape), Strides: slices.Clone(t.Strides)}
	if t.Data != nil {
		q.reject(c, "%s is given a tensor of the host", c.what)
	}
	size := t.Dtype.Size()
	lo, hi := layout.Extent(t.Shape, t.Strides)
	if lo == hi {
		return own, o
	}
	lo, hi = lo*size, hi*size
	if at.Const {
		if write || lo != 0 || hi != size {
			q.reject(c, "%s has a constant that is an output or has more than one element", c.what)
		}
		own.Data = unsafe.Pointer(&[]uint64{at.Bits}[0])
		return own, o
	}
	o, ok := q.operand(c, c.what, at, lo, hi, write)
	if ok {
		own.Data = unsafe.Pointer(&o.block.data[at.Offset:][0])
	}
	return own, o
}

// operand judges that c uses the bytes lo to hi from a place; false if there is no such memory.
func (q *Queue) operand(c *command, what string, at device.Place, lo, hi int, write bool) (operand, bool) {
	b := q.d.blocks[at.Mem.Handle]
	if at.Const || b == nil {
		q.reject(c, "%s uses %s, which is not allocated", what, q.d.memory(at.Mem))
		return operand{}, false
	}
	o := operand{block: b, lo: at.Offset + lo, hi: at.Offset + hi, write: write}
	if o.lo < 0 || o.hi > b.size || o.lo >= o.hi {
		q.reject(c, "%s uses the bytes %d to %d of %s, which has %d", what, o.lo, o.hi, b, b.size)
		return operand{}, false
	}
	if a := b.shadow.unordered(q, uintptr(o.lo), uintptr(o.hi), write); a != nil {
		q.reject(c, "%s on %s %ss %s, which %s may still %s: nothing orders them", what, q, verb(write), b, a, a.verb())
	}
	return o, true
}
