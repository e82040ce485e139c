package core

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// A node of a device's stream is computed by giving commands to the device: it is ready when that has happened. What is
// not complete yet is a property of its buffer.

// issue is what an exec needs to give commands. Its lists are those of the command that is being put together.
type issue struct {
	xs        []*Array // operands, in the order of Kernel.In
	outs      []outAt  // where it writes
	ins, into []device.Place
	held      []*buffer
	pinned    []*copyOn
	scratch   []*copyOn // copies for this command alone
	results   []*copyOn // of the node, pinned until it is over
	nodes     int       // since the last commit
	foreign   []use     // uploads from memory that somebody else may write to
}

type outAt struct {
	b      *buffer
	offset int
}

// commitNodes is how many nodes are given to a busy device at once. An idle one gets what there is.
const commitNodes = 16

// errNoKernel ends the attempt to compute a node on its device.
var errNoKernel = errs.Errorf(errs.RuntimeError, "internal error: a kernel that a device lacks was not replaced")

// nodeOn computes a on the lane's device, or on the host if the device has no kernel for it.
func (e *exec) nodeOn(a *Array) *errs.Error {
	if reason := e.unfit(a); reason != "" {
		return e.fallBack(a, reason)
	}
	e.device = true
	err := e.compute(a)
	e.device = false
	e.unpin()
	if err != nil {
		e.d.reset() // it may have ended before its command was put together
		if a.buf != nil {
			a.buf.release()
			a.buf = nil
		}
		if err == errNoKernel {
			return e.fallBack(a, "the driver has no kernel")
		}
		return err
	}
	if e.d.nodes++; e.d.nodes >= commitNodes || e.lane.q.Done() >= e.lane.committed {
		return e.commit()
	}
	return nil
}

// unpin lets the node's results go where memory is short.
func (e *exec) unpin() {
	for _, c := range e.d.results {
		c.pins--
	}
	clear(e.d.results)
	e.d.results = e.d.results[:0]
}

// unfit is why a cannot be computed on the lane's device; "" if it can, and "-" if it is no work for one.
func (e *exec) unfit(a *Array) string {
	if a.op == constant || a.op == &restOp || a.op.Kind == device.KindNone || a.Size() == 0 {
		return "-"
	}
	m, attr := kernelOf(a)
	if e.lane.unit.lacks[m] {
		return "the driver has no kernel"
	}
	if !e.lane.unit.Has(m.kind, attr, m.out, m.in[:m.n]) {
		return "no kernel for these types"
	}
	return ""
}

// missing is a kernel and the types that it is for.
type missing struct {
	kind device.KernelKind
	out  dtype.Dtype
	n    uint8
	in   [maxFusedInputs]dtype.Dtype // of the first operands
}

// kernelOf is the kernel that computes a.
func kernelOf(a *Array) (m missing, attr any) {
	m, attr = missing{kind: a.op.Kind, out: a.dtype}, a.attr
	xs := a.operands()
	switch f, isFused := a.attr.(*fused); {
	case isFused:
		m.kind, attr = device.KindElementwise, f.prog
	case a.op == &rowsOp:
		attr = a.attr.(*rowsAttr).program(xs[0].dtype)
	case a.op.Row != nil:
		attr = program(a.op.Row, rowInput(a))
	case m.kind == device.KindCopy:
		attr = nil
	}
	for _, x := range xs {
		m.add(x.dtype)
	}
	return m, attr
}

// add notes the dtype of the next operand.
func (m *missing) add(d dtype.Dtype) {
	if int(m.n) < len(m.in) {
		m.in[m.n] = d
		m.n++
	}
}

// Fallback is why nodes of a device's streams were computed on the host.
type Fallback struct{ Op, Reason string }

// FallbackCount is how many were, and the bytes they read and wrote.
type FallbackCount struct{ Nodes, Bytes int }

// fallBack computes a on the host, in its place among the lane's nodes: its inputs are waited for, and its result is
// brought to the device when somebody there reads it.
func (e *exec) fallBack(a *Array, reason string) *errs.Error {
	if reason != "-" {
		u := e.lane.unit
		f := u.fallbacks[Fallback{a.opName(), reason}]
		if f == nil {
			f = new(FallbackCount)
			u.fallbacks[Fallback{a.opName(), reason}] = f
		}
		f.Nodes++
		f.Bytes += a.NBytes()
		for _, x := range a.operands() {
			f.Bytes += x.NBytes()
		}
		if err := e.commit(); err != nil { // the device works meanwhile
			return err
		}
	}
	return e.nodeHere(a)
}

// flush commits at the end of a part and before waits. What the device finds wrong with it is the fault of the
// commands.
func (e *exec) flush() {
	if e.lane != nil && e.lane.q != nil {
		_ = e.commit()
	}
}

// commit hands over what was given, and waits while the device is too far behind.
func (e *exec) commit() *errs.Error {
	l := e.lane
	if l == nil || l.q == nil {
		return nil
	}
	e.d.nodes = 0
	if err := l.commit(); err != nil {
		return err
	}
	ahead := device.Ticket(l.unit.limits.Ahead)
	if l.given <= ahead || l.q.Done() >= l.given-ahead {
		return nil
	}
	err := use{l.number, l.given - ahead/2}.wait(e.cancel.Load)
	if err != nil && err.Kind != errs.Interrupted {
		return nil // a lost queue is found by whoever needs it
	}
	return err
}

// bufferOn is memory for a result of the op on the device.
func (e *exec) bufferOn(op string, d dtype.Dtype, shape layout.Shape) (*buffer, *errs.Error) {
	u := e.lane.unit
	n := layout.Size(shape) * d.Size()
	size := u.size(n)
	mem, ok, err := e.room(size)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errs.Errorf(errs.MemoryError,
			"[%s] cannot allocate %d bytes for an array of shape %s and dtype %s on the %s: "+
				"%d bytes are in use there and the limit is %d", op, n, layout.Format(shape), d, u.Name(), u.active,
			u.limit)
	}
	c := &copyOn{unit: u, mem: mem, pins: 1}
	b := &buffer{refs: 1, res: &residence{size: size}}
	if u.limits.Unified {
		b.ptr, b.size = mem.Host, size
	}
	b.keep(c)
	e.d.results = append(e.d.results, c)
	return b, nil
}

// mayWriteOn makes b, whose array dies, writable for what is given next, if it has a copy on the device.
func (e *exec) mayWriteOn(b *buffer) bool {
	c := b.on(e.lane.unit)
	if c == nil || b.exported() {
		return false
	}
	c.pins++
	e.d.results = append(e.d.results, c)
	if b.shared(c) {
		b.joinReads(c)
	}
	for _, u := range append([]use{c.made}, c.reads...) {
		if err := e.lane.after(u); err != nil {
			e.fail = err
		}
	}
	for i := 0; i < len(b.res.copies); {
		if other := b.res.copies[i]; other != c {
			b.drop(other)
		} else {
			i++
		}
	}
	if !b.shared(c) {
		b.dropHost()
	}
	return true
}

// submit gives k to the device.
func (e *exec) submit(k *device.Kernel) *errs.Error {
	d := e.d
	defer d.reset()
	for _, x := range d.xs {
		if x.buf != nil {
			x.buf.refs++ // the graph lock may be given up
			d.held = append(d.held, x.buf)
		}
	}
	for _, x := range d.xs {
		at, err := e.place(k, x)
		if err != nil {
			return err
		}
		d.ins = append(d.ins, at)
	}
	for _, o := range d.outs {
		if o.b == nil {
			d.into = append(d.into, device.Place{})
			continue
		}
		c := o.b.on(e.lane.unit)
		d.into = append(d.into, device.Place{Mem: c.mem, Offset: o.offset})
	}
	k.InAt, k.OutAt = d.ins, d.into
	if n := e.lane.unit.Workspace(k); n > 0 {
		size := e.lane.unit.size(n)
		mem, err := e.memory(size, k.Op)
		if err != nil {
			return err
		}
		d.scratch = append(d.scratch, &copyOn{unit: e.lane.unit, mem: mem, used: uint64(size)})
		k.Work = device.Place{Mem: mem}
	}
	t, err := e.launchOn(k)
	if err != nil {
		return err
	}
	e.note(k, use{e.lane.number, t})
	return nil
}

// reset forgets a command that was given, or was not.
func (d *issue) reset() {
	for _, c := range d.pinned {
		c.pins--
	}
	for _, b := range d.held {
		b.release()
	}
	for _, c := range d.scratch {
		c.unit.give(c.mem, int(c.used), c.reads)
	}
	clear(d.xs)
	clear(d.held)
	clear(d.pinned)
	clear(d.scratch)
	clear(d.outs)
	d.xs, d.outs, d.ins, d.into = d.xs[:0], d.outs[:0], d.ins[:0], d.into[:0]
	d.held, d.pinned, d.scratch = d.held[:0], d.pinned[:0], d.scratch[:0]
}

// launchOn gives k to the queue, after loading it if need be.
func (e *exec) launchOn(k *device.Kernel) (device.Ticket, *errs.Error) {
	for {
		t, err := e.lane.q.Launch(k)
		var load *device.NotLoaded
		switch {
		case err == nil:
			e.lane.given = t
			return t, nil
		case errors.As(err, &load):
			e.flush()
			if e.load(k, load) == nil {
				continue
			}
			e.lackKernel(k)
			return 0, errNoKernel
		case errors.Is(err, device.ErrNoKernel):
			e.lackKernel(k)
			return 0, errNoKernel
		}
		return 0, deviceError(k.Op, err)
	}
}

// load makes a kernel ready, with the graph lock given up. Executors that need the same kernel wait for one load.
func (e *exec) load(k *device.Kernel, load *device.NotLoaded) (err error) {
	key := fmt.Sprintf("%v %+v", missingOf(k), k.Attr)
	outside(func() {
		_, err, _ = e.lane.unit.loading.Do(key, func() (any, error) { return nil, load.Load() })
	})
	return err
}

// lackKernel remembers that the device has no kernel for k.
func (e *exec) lackKernel(k *device.Kernel) { e.lane.unit.lacks[missingOf(k)] = true }

func missingOf(k *device.Kernel) missing {
	m := missing{kind: k.Kind, out: k.Out[0].Dtype}
	for i := range k.In {
		m.add(k.In[i].Dtype)
	}
	return m
}

// note records that command u reads and writes the copies of k.
func (e *exec) note(k *device.Kernel, u use) {
	d := e.d
	var from *suspect
	for _, c := range d.pinned {
		c.reads = addUse(c.reads, u)
		c.touch()
	}
	for _, c := range d.scratch {
		c.reads = addUse(c.reads, u)
	}
	for _, x := range d.xs {
		if x.buf != nil && x.buf.res != nil {
			from = joinSuspects(from, x.buf.res.suspect)
		}
	}
	switch k.Kind {
	case device.KindGather, device.KindGatherAxis, device.KindScatter, device.KindScatterAxis, device.KindNonzero,
		device.KindGatherMatMul, device.KindSegmentedMatMul, device.KindQuantizedMatMul, device.KindCrossEntropy,
		device.KindCrossEntropyGrad:
		s := &suspect{use: u}
		if from != nil && !from.clean() {
			s.more = []*suspect{from}
		}
		e.lane.watch(s)
		from = s
	}
	for _, o := range d.outs {
		if o.b == nil {
			continue
		}
		c := o.b.on(e.lane.unit)
		c.made, c.reads = u, nil
		if o.b.shared(c) {
			o.b.res.made = u
		}
		o.b.res.suspect = joinSuspects(o.b.res.suspect, from)
	}
}

// partOf is how much smaller than its buffer a part must be to be copied alone, if the buffer has at least partMin
// bytes.
const (
	partOf  = 4
	partMin = 1 << 20
)

// place is where x lies on the device, for reading. What the device does not have is copied to it.
func (e *exec) place(k *device.Kernel, x *Array) (device.Place, *errs.Error) {
	b, l := x.buf, e.lane
	if b == nil || x.Size() == 0 {
		return device.Place{}, nil
	}
	if (k.Kind == device.KindElementwise || k.Kind == device.KindFill) && b.res == nil && x.Size() == 1 {
		bits := uint64(0)
		n := x.dtype.Size()
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&bits)), n), unsafe.Slice((*byte)(unsafe.Add(b.ptr, x.offset)), n))
		return device.Place{Const: true, Bits: bits}, nil
	}
	for {
		if b.exported() {
			return e.uploadFor(b, x.offset)
		}
		if c := b.on(l.unit); c != nil {
			c.pins++
			e.d.pinned = append(e.d.pinned, c)
			if err := l.after(c.made); err != nil {
				return device.Place{}, err
			}
			return device.Place{Mem: c.mem, Offset: x.offset}, nil
		}
		if b.ptr == nil { // it is on another device
			if err := b.fetch(l, e.cancel.Load); err != nil {
				return device.Place{}, err
			}
			continue
		}
		if lo, n := x.span(); b.res == nil && b.size >= partMin && n <= b.size/partOf {
			b = x.detachPart(lo, n)
			b.refs++
			e.d.held = append(e.d.held, b)
		}
		if err := e.upload(b); err != nil {
			return device.Place{}, err
		}
	}
}

// upload gives b a copy on the device.
func (e *exec) upload(b *buffer) *errs.Error {
	u := e.lane.unit
	size := u.size(b.size)
	mem, err := e.memory(size, "eval")
	if err != nil {
		return err
	}
	if b.on(u) != nil || b.ptr == nil { // things changed while memory was waited for
		u.give(mem, size, nil)
		return nil
	}
	if b.res != nil && b.res.made.ticket != 0 {
		if err := b.fetch(e.lane, e.cancel.Load); err != nil { // a download is there after the host's wait only
			u.give(mem, size, nil)
			return err
		}
	}
	c, err := e.uploadTo(e.lane, b, mem)
	if err == nil {
		b.keep(c)
	}
	return err
}

// uploadTo has lane l, which the caller owns, copy b to mem, which goes back if that fails.
func (e *exec) uploadTo(l *lane, b *buffer, mem device.Memory) (*copyOn, *errs.Error) {
	size := l.unit.size(b.size)
	t, err := l.q.Upload(device.Place{Mem: mem}, b.ptr, b.size)
	if err != nil {
		l.unit.give(mem, size, nil)
		return nil, deviceError("eval", err)
	}
	l.given = t
	c := &copyOn{unit: l.unit, mem: mem, made: use{l.number, t}}
	if b.res == nil {
		b.res = &residence{size: size}
	}
	b.res.reads = addUse(b.res.reads, c.made)
	if b.root().foreign != nil || b.exported() {
		e.d.foreign = addUse(e.d.foreign, c.made)
	}
	return c, nil
}

// uploadFor copies b to the device for one command: others may write to the host's memory at any time.
func (e *exec) uploadFor(b *buffer, offset int) (device.Place, *errs.Error) {
	u := e.lane.unit
	size := u.size(b.size)
	mem, err := e.memory(size, "eval")
	if err != nil {
		return device.Place{}, err
	}
	c, err := e.uploadTo(e.lane, b, mem)
	if err != nil {
		return device.Place{}, err
	}
	c.used, c.reads = uint64(size), addUse(c.reads, c.made)
	e.d.scratch = append(e.d.scratch, c)
	return device.Place{Mem: mem, Offset: offset}, nil
}

// awaitForeign waits until nothing reads memory that somebody else may write to, once Ctrl-C has been answered.
func (d *issue) awaitForeign() {
	for _, u := range d.foreign {
		_ = u.wait(nil) // a lost device reads nothing
	}
	d.foreign = d.foreign[:0]
}

// span is where x's elements lie in its buffer: from byte lo on, n bytes.
func (x *Array) span() (lo, n int) {
	size := x.dtype.Size()
	lo, hi := layout.Extent(x.shape, x.Strides())
	return x.offset + lo*size, (hi - lo) * size
}

// detachPart gives x, a small part of a large buffer that only the host has, a buffer of its own over the same memory.
func (x *Array) detachPart(lo, n int) *buffer {
	whole := x.buf
	x.buf = &buffer{ptr: unsafe.Add(whole.ptr, lo), size: n, refs: 1, parent: whole, locked: whole.locked}
	x.offset -= lo
	return x.buf
}

// bring copies a to the host: its own part alone, if it is a small one.
func (a *Array) bring(canceled func() bool) *errs.Error {
	b := a.buf
	if lo, n := a.span(); b.ptr == nil && b.res.size >= partMin && n <= b.res.size/partOf {
		part := newBuffer(n)
		if part == nil {
			return errs.Errorf(errs.MemoryError,
				"[eval] cannot allocate %d bytes to bring an array of shape %s from the %s", n,
				layout.Format(a.shape), b.res.copies[0].unit.Name())
		}
		b.refs++
		read, err := b.readPart(part.ptr, lo, n, canceled)
		if read && b == a.buf {
			a.buf = part
			a.offset -= lo
			b.release()
		} else {
			part.release()
		}
		b.release()
		if read || err != nil {
			return err
		}
	}
	if err := a.buf.fetch(nil, canceled); err != nil {
		return err
	}
	a.publish()
	return nil
}

// readPart copies n bytes of b, from lo on, from the device to p. It reads nothing if the device's copy was given up
// meanwhile: then the host has one.
func (b *buffer) readPart(p unsafe.Pointer, lo, n int, canceled func() bool) (read bool, err *errs.Error) {
	if err := b.lostError(); err != nil {
		return false, err
	}
	var u use
	err = b.res.copies[0].unit.transfer(nil, func(l *lane) *errs.Error {
		c := b.on(l.unit)
		if c == nil {
			return nil
		}
		c.pins++
		defer func() { c.pins-- }()
		if err := l.after(c.made); err != nil {
			return err
		}
		t, e := l.q.Download(p, device.Place{Mem: c.mem, Offset: lo}, n)
		if e != nil {
			return deviceError(c.unit.Name(), e)
		}
		l.given, u = t, use{l.number, t}
		c.reads = addUse(c.reads, u)
		return nil
	})
	if err == nil {
		err = u.wait(canceled)
	}
	return err == nil && u.ticket != 0, err
}
