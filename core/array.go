package core

import (
	"math/bits"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// Array is a node of the lazy graph: an op, its inputs and, once evaluated, memory.
// Arrays are recycled, so one may only be used while something holds it: a
// Python object, a node that takes it as input, a pending evaluation, or
// the lock under which it was made.
type Array struct {
	id      uint32
	refs    int32 // Python objects + consumers + pending evaluations
	state   state
	dtype   dtype.Dtype
	nin     uint8
	fresh   bool     // made since Lock: freed by Unlock if nothing holds it by then
	stream  uint16   // where it is computed: an index of streams
	born    uint64   // counts arrays in the order in which they were made
	lineage *lineage // of the transforms from whose stand-ins this derives
	op      *Def
	in      [3]*Array
	more    []*Array // all inputs, when there are more than three
	attr    any
	bits    uint64 // the value of a constant, as its element's bytes
	shape   layout.Shape

	// Set once ready. Strides nil means row-contiguous.
	buf     *buffer
	offset  int // bytes from the start of buf
	strides []int

	facts *Facts // its entry in a page for C

	job  *Job   // while scheduled
	mark uint32 // epoch of the last graph walk that met this node
	slot int32  // that walk's index for it
}

type state uint8

const (
	lazy state = iota
	scheduled
	ready
)

// Def is a primitive: one kind of node. Elementwise rows share one Def each; the other
// families define theirs beside their rules.
type Def struct {
	Name string
	// NameOf is the name by which users know a node, where it follows from its attr.
	NameOf func(attr any) string
	Row    *table.Row
	// VJP maps the cotangent of y to those of its inputs; entries whose want is
	// false are ignored, nil means zero.
	VJP func(y, ct *Array, want []bool) []*Array
	// JVP gives y's tangent; a nil tangent means zero. Linear ops leave it nil and set Linear.
	JVP func(y *Array, tangents []*Array) *Array
	// Linear marks ops that are linear in all their inexact inputs taken together.
	Linear bool
	// NoGrad says that a missing VJP is on purpose.
	NoGrad string
	// Several are the rules of a node with several results, in place of VJP, JVP and VMap.
	Several *Several
	// Specs is the shape rule: the results of y's op and attr for ins; nil where y holds extents that may be out of
	// date.
	Specs func(y *Array, ins []*Array) []Spec
	// VMap applies the op to inputs of which mapped ones carry a batch axis of extent n in
	// front; the result carries it in front too.
	VMap func(y *Array, ins []*Array, mapped []bool, n int) *Array
	// Loop says why there is no VMap and batches are computed example by example.
	Loop string
	// View computes y's strides and offset from its evaluated first input, without a
	// kernel; false if this layout needs a copy.
	View func(y *Array) bool
	// Kind is the kernel that computes y, with y's attr, from all inputs, unless Launch says how.
	Kind device.KernelKind
	// Launch computes y by other means, into memory that it allocates.
	Launch func(e *exec, y *Array) *errs.Error
	// LaunchEmpty marks ops that check their inputs even if the result has no elements.
	LaunchEmpty bool
	// Cost is the work per output element in units of one addition; 0 counts as 1.
	Cost func(y *Array) int

	number int32 // in the tables of further transforms; see RuleTable
}

// defs are all primitives but the rows.
var defs []*Def

// define makes op the primitive that d describes.
func define(op *Def, d Def) *Def {
	*op = d
	defs = append(defs, op)
	return op
}

// graph is all state behind the one lock. Building a node takes well under a microsecond,
// so one lock beats finer ones; kernels run outside of it.
var graph struct {
	chunks   []*[chunkLen]Array // arrays never move; id/chunkLen, id%chunkLen addresses one
	free     []*Array
	fresh    []*Array
	dying    []*Array     // work list of release
	born     uint64       // arrays made so far
	running  []*transform // oldest first
	epoch    uint32
	stream   uint16                   // of new nodes
	recorder uint16                   // of the current call; 0: none
	pick     func(born uint64) uint16 // for tests: the stream of a new node; nil: stream
}

const chunkLen = 4096

func sweep() {
	for i := 0; i < len(graph.fresh); i++ {
		a := graph.fresh[i]
		graph.fresh[i] = nil
		a.fresh = false
		if a.refs == 0 {
			destroy(a)
		}
	}
	graph.fresh = graph.fresh[:0]
}

// allocArray takes an array from the free list. It comes zeroed but for its id and its place for facts.
func allocArray() *Array {
	if n := len(graph.free); n > 0 {
		a := graph.free[n-1]
		graph.free = graph.free[:n-1]
		return a
	}
	base := uint32(len(graph.chunks) * chunkLen)
	chunk, facts := new([chunkLen]Array), newFactsPage()
	graph.chunks = append(graph.chunks, chunk)
	for i := chunkLen - 1; i >= 0; i-- {
		chunk[i].id, chunk[i].facts = base+uint32(i), &facts[i]
		if chunk[i].id != 0 { // 0 is no array
			graph.free = append(graph.free, &chunk[i])
		}
	}
	return allocArray()
}

// maxElements keeps sizes in bytes, of any dtype, within an int.
const maxElements = 1 << 58

// newArray makes a lazy node. Shape is shared, not copied.
func newArray(op *Def, d dtype.Dtype, shape layout.Shape, attr any, ins ...*Array) *Array {
	n := 1
	for _, extent := range shape {
		if hi, lo := bits.Mul64(uint64(n), uint64(extent)); hi != 0 || lo > maxElements {
			tooLarge(op, shape)
			break
		} else {
			n = int(lo)
		}
	}
	a := allocArray()
	a.op, a.dtype, a.shape, a.attr = op, d, shape, attr
	a.describe()
	graph.born++
	a.born, a.fresh, a.stream = graph.born, true, graph.stream
	if graph.pick != nil {
		a.stream = graph.pick(a.born)
	}
	graph.fresh = append(graph.fresh, a)
	if len(ins) > len(a.in) {
		a.more = append([]*Array(nil), ins...)
	} else {
		a.nin = uint8(copy(a.in[:], ins))
	}
	for _, x := range ins {
		x.refs++
		if x.lineage != nil {
			x.lineage = x.lineage.live()
			a.lineage = join(a.lineage, x.lineage)
		}
	}
	return a
}

// tooLarge throws unless the shape is one of no elements.
func tooLarge(op *Def, shape layout.Shape) {
	if _, ok := layout.CheckedSize(shape, 16); !ok {
		errs.Throw(errs.ValueError, "[%s] a result of shape %s would have too many elements", op.Name,
			layout.Format(shape))
	}
}

// opName is the op as users know it: some share a Def and are told apart by their attr.
func (a *Array) opName() string {
	if f := a.op.NameOf; f != nil {
		return f(a.attr)
	}
	return a.op.Name
}

// inputs lists what the node is computed from; empty once evaluated.
func (a *Array) inputs() []*Array {
	if a.more != nil {
		return a.more
	}
	return a.in[:a.nin]
}

// retain keeps a alive until the matching release.
func (a *Array) retain() *Array {
	a.refs++
	return a
}

// release gives up one hold.
func release(a *Array) {
	if a.refs--; a.refs == 0 && !a.fresh {
		destroy(a)
	}
}

// destroy frees a and, without recursion, whatever only it held: a chain of a
// million nodes must not need a million stack frames.
func destroy(a *Array) {
	dying := append(graph.dying[:0], a)
	for len(dying) > 0 {
		a := dying[len(dying)-1]
		dying = dying[:len(dying)-1]
		for _, x := range a.inputs() {
			if x.refs--; x.refs == 0 && !x.fresh {
				dying = append(dying, x)
			}
		}
		if a.buf != nil {
			if a.attr == (exported{}) {
				a.buf.unexport()
			}
			a.buf.release()
		}
		*a = Array{id: a.id, facts: a.facts}
		graph.free = append(graph.free, a)
	}
	graph.dying = dying
}

// detach drops what a was computed from, so that graphs do not outlive their evaluation.
func (a *Array) detach() {
	for _, x := range a.inputs() {
		release(x)
	}
	a.in, a.more, a.nin = [3]*Array{}, nil, 0
	a.op, a.attr = leaf, nil
}

// leaf is the op of arrays that have nothing left to compute.
var leaf = define(new(Def), Def{Name: "leaf", Specs: noInputs, NoGrad: "it has no inputs"})

// ByID looks up a handle.
func ByID(id uint32) *Array {
	if int(id/chunkLen) >= len(graph.chunks) {
		errs.Throw(errs.RuntimeError, "internal error: no array %d", id)
	}
	return &graph.chunks[id/chunkLen][id%chunkLen]
}

// Hold adds a reference from outside and returns the handle, which is never 0.
func (a *Array) Hold() uint32 {
	a.refs++
	return a.id
}

// ReleaseIDs drops references from outside.
func ReleaseIDs(ids []uint32) {
	for _, id := range ids {
		release(&graph.chunks[id/chunkLen][id%chunkLen])
	}
}

// ID is the handle.
func (a *Array) ID() uint32 { return a.id }

// Dtype is the type of the elements.
func (a *Array) Dtype() dtype.Dtype { return a.dtype }

// Shape is the extent along each axis; it must not be changed.
func (a *Array) Shape() layout.Shape { return a.shape }

// NDim is the number of axes.
func (a *Array) NDim() int { return len(a.shape) }

// Size is the number of elements.
func (a *Array) Size() int { return layout.Size(a.shape) }

// NBytes is the number of bytes of the elements.
func (a *Array) NBytes() int { return a.Size() * a.dtype.Size() }

// Ready reports whether the array is in memory.
func (a *Array) Ready() bool { return a.state == ready }

// OnHost reports whether the host may read the array now.
func (a *Array) OnHost() bool { return a.state == ready && (a.buf == nil || a.buf.onHost()) }

// Read is OnHost for who then reads the array.
func (a *Array) Read() bool {
	if !a.OnHost() {
		return false
	}
	a.willRead()
	return true
}

// InMemory reports whether a's elements are in the host's memory: a is ready, or an unevaluated view of what is.
func (a *Array) InMemory() bool {
	for a.state != ready {
		if a.op.View == nil {
			return false
		}
		a = a.inputs()[0]
	}
	return a.OnHost()
}

// Data points at the first element of a ready array; nil if it has none.
func (a *Array) Data() unsafe.Pointer {
	if a.buf == nil {
		return nil
	}
	if !a.buf.onHost() {
		panic("internal error: an array is read that is not in the host's memory")
	}
	return unsafe.Add(a.buf.ptr, a.offset)
}

// Strides are those of a ready array, in elements.
func (a *Array) Strides() []int {
	if a.strides == nil {
		return layout.Strides(a.shape)
	}
	return a.strides
}

// contiguous reports whether a ready array lies in row-major order without gaps.
func (a *Array) contiguous() bool {
	return a.strides == nil || layout.IsContiguous(a.shape, a.strides)
}

// shareBuffer makes y a view of x's memory.
func (y *Array) shareBuffer(x *Array, offset int, strides []int) {
	if x.buf != nil {
		x.buf.refs++
	}
	y.buf, y.offset, y.strides = x.buf, offset, strides
}
