package core

import (
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Backend runs kernels and owns memory on one kind of device. It is all that
// core knows of a device: graphs, transforms, shapes, caching and scheduling
// stay on this side. Launch may be called from several goroutines at once.
type Backend interface {
	// Name is the device type users see: "cpu" or "gpu".
	Name() string
	// Info describes the device for mx.device_info.
	Info() map[string]any
	// Allocate returns size > 0 bytes aligned to 64 that the garbage collector
	// does not move, or nil when they cannot be had.
	Allocate(size int) unsafe.Pointer
	// Free returns what Allocate gave for the same size.
	Free(p unsafe.Pointer, size int)
	// Launch computes k.Out from k.In and returns when the results are in memory.
	// An error must leave nothing running.
	Launch(k *Kernel) error
}

// Tensor is memory seen through a shape: Data points at the element with all
// indices zero, Strides are in elements and may be zero or negative.
type Tensor struct {
	Data    unsafe.Pointer
	Dtype   dtype.Dtype
	Shape   layout.Shape
	Strides []int
}

// Size is the number of elements.
func (t *Tensor) Size() int { return layout.Size(t.Shape) }

// Contiguous reports whether the elements lie in row-major order without gaps.
func (t *Tensor) Contiguous() bool { return layout.IsContiguous(t.Shape, t.Strides) }

// Kernel is one launch. Unless its kind says otherwise every Out is fresh,
// row-contiguous memory, every In has arbitrary strides, and no sizes are zero:
// core never launches a kernel whose outputs are empty, but for KindNonzero. An input may share memory
// with Out[0] only for Elementwise, and then it has the same dtype width, shape and strides.
type Kernel struct {
	Kind   Kind
	Op     string // the user's name of the op, for error messages
	Out    []Tensor
	In     []Tensor
	Attr   any          // the attr type that Kind names
	Cancel *atomic.Bool // once true nobody wants the result: return ErrCanceled within some 10 ms; may be nil
	Room   int          // bytes of working space that the memory limit leaves; 0: no limit
	// Done is not nil when Out[0] is the memory of an input that exists nowhere else: elementwise in place, and scatters
	// into a dying array. Such a kernel must not be given up half way through a position. When it is cancelled it leaves
	// in Done how many positions of its own order are complete, and launched again it goes on from there.
	Done *int
}

// Canceled reports whether the caller has given up on the result.
func (k *Kernel) Canceled() bool { return k.Cancel != nil && k.Cancel.Load() }

// Kind selects the kernel. The comment gives inputs -> output and the attr.
type Kind uint8

const (
	KindNone Kind = iota
	// KindElementwise runs a *Program. All In already have Out's shape (stretched axes have stride 0).
	KindElementwise
	// KindCopy writes In[0], cast, to Out[0] of the same shape. Out[0] may have any nonzero strides. Attr nil.
	KindCopy
	// KindFill writes the scalar In[0] (shape ()) to every element of Out[0], which may have any nonzero strides. Same dtype. Attr nil.
	KindFill
	// KindArange writes start + i*step to the 1-D Out[0]. ArangeAttr.
	KindArange
	// KindReduce folds axes of In[0]; Out[0] keeps the other axes in order. ReduceAttr. An empty fold gives the identity.
	KindReduce
	// KindArgReduce gives the uint32 position of the first smallest or largest along one axis, which Out[0] drops; a NaN wins. ArgReduceAttr.
	KindArgReduce
	// KindScan folds prefixes along one axis; In[0] and Out[0] have one shape. ScanAttr.
	KindScan
	// KindSort sorts along one axis, ascending, NaN last, stable. SortAttr. With Arg the output is the uint32 permutation.
	KindSort
	// KindSearchSorted finds, for each element of In[1], its insertion position in the sorted 1-D In[0]; Out[0] is uint32 (SearchAttr).
	KindSearchSorted
	// KindMatMul multiplies In[0] (batch..., M, K) with In[1] (batch..., K, N) to Out[0] (batch..., M, N), one dtype. Batch
	// axes are equal (stretched ones have stride 0). With three inputs Out = Alpha*In[0]@In[1] + Beta*In[2], In[2] of Out's shape. MatMulAttr.
	KindMatMul
	// KindConv correlates In[0] (N, spatial..., C) with In[1] (O, spatial..., C/Groups) to Out[0] (N, spatial..., O). ConvAttr.
	KindConv
	// KindGather reads, for every position of the index arrays In[1:] (one common shape, integer dtypes), the slice of In[0]
	// of extent SliceSizes whose corner they give along Axes; Out[0] has shape index shape + SliceSizes. Negative indices
	// count from the end; a corner whose slice leaves In[0] is an IndexError. GatherAttr.
	KindGather
	// KindScatter: Out[0] already holds the array to change (core copies it there). For every position of the index arrays
	// In[:n-1], the slice of the updates In[n-1] (shape index shape + slice shape, slice rank = Out's rank) is combined into Out[0]
	// at that corner along Axes. Duplicates apply in row-major order of the indices. Same index rules as gather. ScatterAttr.
	KindScatter
	// KindGatherAxis: Out[i..., j, k...] = In[0][i..., In[1][i..., j, k...], k...] along one axis; In[1] and Out[0] have one shape, equal
	// to In[0]'s but for that axis. Negative indices count from the end. AxisAttr.
	KindGatherAxis
	// KindScatterAxis: Out[0] already holds the array to change; Out[..., In[0][...], ...] = or += In[1][...]. ScatterAxisAttr.
	KindScatterAxis
	// KindNonzero lists the places at which the bool In[0] holds, in row-major order. The first Batch axes are examples:
	// for each of them row a of Out[0], shape batch + (axes, n), has the places' positions along the axis Batch + a, as
	// uint32 or int64. An example with another number of places than n is a ValueError; Out[0] may be empty, only to have
	// that checked. With Count Out[0] has shape batch and holds the int64 numbers themselves. NonzeroAttr.
	KindNonzero
	// KindRandomBits fills Out[0], shape keys + (n,) dtype uint32 seen as a flat run of bytes per key, with threefry2x32 of In[0] (keys..., 2). RandomAttr.
	KindRandomBits
	// KindSoftmax normalises exp along the last axis, in float32 for halves. Attr nil.
	KindSoftmax
	// KindLogSumExp folds the last axis to log(sum(exp)), which Out[0] drops. Attr nil.
	KindLogSumExp
	// KindLayerNorm: In[0] x, In[1] weight (last axis), In[2] bias, both always present; Out[0] x's shape. Computed in float32 for halves. NormAttr.
	KindLayerNorm
	// KindRMSNorm: In[0] x, In[1] weight. NormAttr.
	KindRMSNorm
	KindCount int = iota
)

type (
	// ArangeAttr holds start and step exactly: as integers for integer outputs, else as floats.
	ArangeAttr struct {
		StartInt, StepInt int64
		Start, Step       float64
	}
	ReduceAttr struct {
		Op   ReduceOp
		Axes []int // ascending, at least one
	}
	ArgReduceAttr struct {
		Max  bool
		Axis int
	}
	ScanAttr struct {
		Op        ScanOp
		Axis      int
		Reverse   bool
		Inclusive bool // false: position i holds the fold of what is before it, the identity first
	}
	SortAttr struct {
		Axis int
		Arg  bool
		Kth  int // >= 0: only the kth element need be in place, smaller ones before it; -1: full sort
	}
	SearchAttr struct{ Right bool }
	MatMulAttr struct{ Alpha, Beta float32 }
	ConvAttr   struct {
		Stride, PadLo, PadHi, KernelDilation, InputDilation []int // one per spatial axis
		Groups                                              int
		Flip                                                bool // true: convolution proper, the kernel runs backwards
	}
	GatherAttr  struct{ Axes, SliceSizes []int }
	ScatterAttr struct {
		Op   ScatterOp
		Axes []int
	}
	AxisAttr        struct{ Axis int }
	ScatterAxisAttr struct {
		Axis int
		Add  bool
	}
	NonzeroAttr struct {
		Batch int
		Count bool
	}
	// RandomAttr: Bytes is the number of random bytes per key; Out[0] is uint8 with shape keys + (Bytes,).
	RandomAttr struct{ Bytes int }
	NormAttr   struct{ Eps float64 }
)

// ReduceOp is the fold of KindReduce.
type ReduceOp uint8

// For bool inputs Sum and Prod count in int32; core picks the output dtype, the
// kernel accumulates halves in float32. Min and Max propagate NaN. And and Or
// take any dtype (nonzero is true) and give bool.
const (
	ReduceSum ReduceOp = iota
	ReduceProd
	ReduceMin
	ReduceMax
	ReduceAnd
	ReduceOr
	ReduceOpCount int = iota
)

// ScanOp is the fold of KindScan.
type ScanOp uint8

const (
	ScanSum ScanOp = iota
	ScanProd
	ScanMin
	ScanMax
	ScanLogAddExp
	ScanOpCount int = iota
)

// ScatterOp says how an update combines with what is there.
type ScatterOp uint8

const (
	ScatterSet ScatterOp = iota
	ScatterAdd
	ScatterProd
	ScatterMax
	ScatterMin
	ScatterOpCount int = iota
)

// Program is a chain of elementwise steps over registers, each holding one
// element's value. Registers 0..len(Load)-1 start with the inputs, cast to Load;
// each step writes one register; Store names the register of each output,
// whose dtype is then cast to the output's. Eager ops are one-step programs,
// fused ones longer; a program without steps is a cast.
type Program struct {
	Load  []dtype.Dtype
	Steps []Step
	Store []uint8
	Regs  int // number of registers
}

// Step applies one table row. In is the dtype the row computes in (never a
// half: those were widened at Load), Out the dtype it yields. A nil Row casts
// Src[0] from In to Out; a register holds a half only between two casts, which
// round a value as memory would.
type Step struct {
	Row     *Row
	In, Out dtype.Dtype
	Dst     uint8
	Src     [3]uint8
}
