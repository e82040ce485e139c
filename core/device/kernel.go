package device

import (
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

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
	Kind   KernelKind
	Op     string // the user's name of the op, for error messages
	Out    []Tensor
	In     []Tensor
	Attr   any          // the attr type that Kind names
	Cancel *atomic.Bool // once true nobody wants the result: return ErrCanceled within some 10 ms; may be nil
	Room   int          // bytes of working space that the memory limit leaves; 0: no limit
	// Done is not nil when Out[0] is the memory of an input that exists nowhere else: elementwise in place, and
	// scatters into a dying array. Such a kernel must not be given up half way through a position. When it is canceled
	// it leaves in Done how many positions of its own order are complete, and launched again it goes on from there.
	Done *int
	// InAt and OutAt are where In and Out lie on a Device, whose Data are nil then, and Work is the working space that
	// Device.Workspace asked for. On the host they are nil and empty.
	InAt, OutAt []Place
	Work        Place
}

// Canceled reports whether the caller has given up on the result.
func (k *Kernel) Canceled() bool { return k.Cancel != nil && k.Cancel.Load() }

// CountMessage is what kernels of KindNonzero say of an example with the wrong number of places: op, number expected
// and found.
const CountMessage = "[%s] %d values cannot be assigned to the %d places where the bool mask holds"

// SegmentMessage is what kernels of KindSegmentedMatMul say of a bound outside of the inner axis: op, bound, extent of
// that axis and shape of In[0].
const SegmentMessage = "[%s] segment bound %d is outside of the inner axis of extent %d of shape %s"
