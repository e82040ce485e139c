package cpu

/*
#include "kernels/abi_index.h"
*/
import "C"

import (
	"math"
	"slices"
	"sync"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// indexing is one gather or scatter: what kernels/abi_index.h describes, before axes are collapsed.
type indexing struct {
	k       *device.Kernel
	entry   int
	op      device.ScatterOp
	dtype   dtype.Dtype
	array   unsafe.Pointer
	values  unsafe.Pointer
	axes    []indexAxis
	shape   []int // of the positions
	base    []int // steps in the array per position
	vstep   []int // steps in the values per position
	slice   []int // shape of a slice
	as, vs  []int // its strides in array and values
	inOrder int   // positions in a row that one core must do in order; 0: any
	windows bool  // slices that differ along an indexed axis may overlap
}

// indexAxis is one index array; step, size and last are those of the axis it picks from.
type indexAxis struct {
	*device.Tensor
	strides          []int
	axis             int
	size, last, step int
}

// run collapses axes and launches.
func (x *indexing) run() error {
	strides := [][]int{x.base, x.vstep}
	for _, a := range x.axes {
		strides = append(strides, a.strides)
	}
	var out [][]int
	x.shape, out = layout.Collapse(x.shape, strides...)
	x.base, x.vstep = out[0], out[1]
	for i := range x.axes {
		x.axes[i].strides = out[2+i]
	}
	x.slice, out = layout.Collapse(x.slice, x.as, x.vs)
	x.as, x.vs = out[0], out[1]
	return x.launch()
}

// launch walks axes beyond MAXD here, the rest in C.
func (x *indexing) launch() error {
	// This far out of the ordinary, in place means to the end.
	if x.k.Done != nil && max(len(x.shape), len(x.slice)) > maxAxes {
		k := *x.k
		k.Cancel, k.Done = nil, nil
		x.k = &k
	}
	if outer := leading(x.shape); len(outer) > 0 {
		return eachIndex(x.k.Cancel, outer, func(at []int) error { return x.atPosition(at).launch() })
	}
	if outer := leading(x.slice); len(outer) > 0 {
		return eachIndex(x.k.Cancel, outer, func(at []int) error { return x.atSlice(at).launch() })
	}
	positions, per := layout.Size(x.shape), layout.Size(x.slice)
	if x.k.Done != nil {
		return x.inPlace(positions, per)
	}
	args, axes := x.args()
	if positions*per <= 1<<13 {
		call(x.entry, unsafe.Pointer(&args), 0, positions)
		if args.bad == 0 {
			return nil
		}
		return x.outOfBounds(int(args.bad)-1, int64(args.value))
	}
	return x.share(args, axes, 0, positions, per)
}

// atPosition is the part of x at an index of its first axes of positions.
func (x *indexing) atPosition(at []int) *indexing {
	y, n, size := *x, len(at), x.dtype.Size()
	y.shape, y.base, y.vstep = x.shape[n:], x.base[n:], x.vstep[n:]
	y.array, y.values = unsafe.Add(x.array, dot(at, x.base)*size), unsafe.Add(x.values, dot(at, x.vstep)*size)
	y.axes = slices.Clone(x.axes)
	for j, a := range x.axes {
		t := *a.Tensor
		t.Data = unsafe.Add(t.Data, dot(at, a.strides)*t.Dtype.Size())
		y.axes[j].Tensor, y.axes[j].strides = &t, a.strides[n:]
	}
	return &y
}

// atSlice is the part of x at an index of the first axes of its slices.
func (x *indexing) atSlice(at []int) *indexing {
	y, n, size := *x, len(at), x.dtype.Size()
	y.slice, y.as, y.vs = x.slice[n:], x.as[n:], x.vs[n:]
	y.array, y.values = unsafe.Add(x.array, dot(at, x.as)*size), unsafe.Add(x.values, dot(at, x.vs)*size)
	return &y
}

// blockElements is what one core scatters in place before it looks whether the caller gave up: some 20 ms. Tests
// choose less.
var blockElements = 1 << 22

// inPlace scatters into memory that must not be left in between: position after position in blocks, or where few groups
// of positions are independent, a stretch of every group at a time.
func (x *indexing) inPlace(positions, per int) error {
	k := x.k
	toTheEnd := *k
	toTheEnd.Cancel, toTheEnd.Done = nil, nil
	y := *x
	y.k = &toTheEnd
	if y.inOrder == 0 || y.inOrder > positions {
		y.inOrder = positions
	}
	args, axes := y.args()
	groups := positions / y.inOrder
	if y.inOrder*per <= blockElements {
		return inPlace(k, groups, max(4, blockElements/(y.inOrder*per))*threads, func(lo, hi int) error {
			return y.share(args, axes, lo*y.inOrder, hi*y.inOrder, per)
		})
	}
	return inPlace(k, y.inOrder, blockElements*threads/(groups*per), func(lo, hi int) error {
		if groups == 1 {
			return y.share(args, axes, lo, hi, per)
		}
		return y.parallel(groups, 1, func(g, _ int) (C.index_args, int, int) {
			return args, g*y.inOrder + lo, g*y.inOrder + hi
		}, axes)
	})
}

// share splits the positions from..to between cores.
func (x *indexing) share(args C.index_args, axes []C.index_axis, from, to, per int) error {
	size, positions := x.dtype.Size(), to-from
	if x.entry == C.ENTRY_gather {
		return x.parallel(positions, 1+(1<<14)/per,
			func(lo, hi int) (C.index_args, int, int) { return args, from + lo, from + hi }, axes)
	}
	if x.inOrder > 0 && positions > x.inOrder {
		return x.parallel(positions/x.inOrder, 1+(1<<14)/(x.inOrder*per), func(lo, hi int) (C.index_args, int, int) {
			return args, from + lo*x.inOrder, from + hi*x.inOrder
		}, axes)
	}
	// Positions in order; cores share the widest axis of the slice, so that each owns its part of the array.
	if widest := x.widest(); widest >= 0 && !x.windows {
		n := x.slice[widest]
		return x.parallel(n, max(n/threads, 16, (1<<14)*n/(positions*per)), func(lo, hi int) (C.index_args, int, int) {
			mine := args
			mine.sshape[widest] = C.int64_t(hi - lo)
			mine.array = unsafe.Add(x.array, lo*x.as[widest]*size)
			mine.values = unsafe.Add(x.values, lo*x.vs[widest]*size)
			return mine, from, to
		}, axes)
	}
	return x.parallel(1, 1, func(int, int) (C.index_args, int, int) { return args, from, to }, axes)
}

// widest is the longest axis of the slice, -1 for scalars.
func (x *indexing) widest() int {
	best := -1
	for i, n := range x.slice {
		if n >= 32 && (best < 0 || n >= x.slice[best]) {
			best = i
		}
	}
	return best
}

func (x *indexing) args() (C.index_args, []C.index_axis) {
	axes := make([]C.index_axis, len(x.axes), len(x.axes)+1)
	args := C.index_args{count: C.int64_t(len(axes)), nd: C.int64_t(len(x.shape)), sd: C.int64_t(len(x.slice)),
		array: x.array, values: x.values, dtype: C.int64_t(x.dtype), op: C.int64_t(x.op), stop: stopOf(x.k)}
	for i, n := range x.shape {
		args.shape[i], args.base[i], args.vstep[i] = C.int64_t(n), C.int64_t(x.base[i]), C.int64_t(x.vstep[i])
	}
	for i, n := range x.slice {
		args.sshape[i], args.as[i], args.vs[i] = C.int64_t(n), C.int64_t(x.as[i]), C.int64_t(x.vs[i])
	}
	for i, a := range x.axes {
		c := &axes[i]
		c.p, c.dtype = a.Data, C.int64_t(a.Dtype)
		c.size, c.last, c.step = C.int64_t(a.size), C.int64_t(a.last), C.int64_t(a.step)
		for j, s := range a.strides {
			c.strides[j] = C.int64_t(s)
		}
	}
	args.axes = unsafe.SliceData(axes)
	return args, axes
}

// parallel runs the kernel over the chunks that part makes of [0, n), and reports the first bad index.
func (x *indexing) parallel(n, grain int, part func(lo, hi int) (C.index_args, int, int), axes []C.index_axis) error {
	var mu sync.Mutex
	var bad error
	first := math.MaxInt
	parallel(n, grain, x.k.Cancel, func(lo, hi int) {
		args, from, to := part(lo, hi)
		call(x.entry, unsafe.Pointer(&args), from, to)
		if args.bad == 0 {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if lo < first {
			first = lo
			bad = x.outOfBounds(int(args.bad)-1, int64(args.value))
		}
	})
	return bad
}

func (x *indexing) outOfBounds(which int, index int64) error {
	const message = "[%s] index %d is out of bounds for axis %d with size %d"
	a := x.axes[which]
	if a.Dtype == dtype.Uint64 {
		return errs.Errorf(errs.IndexError, message, x.k.Op, uint64(index), a.axis, a.size)
	}
	return errs.Errorf(errs.IndexError, message, x.k.Op, index, a.axis, a.size)
}

// checkIndices refuses index arrays that are not of integers.
func checkIndices(k *device.Kernel, indices []device.Tensor) error {
	for i := range indices {
		if !indices[i].Dtype.IsInteger() {
			return errs.Errorf(errs.TypeError, "[%s] indices must be integers, not %s", k.Op, indices[i].Dtype)
		}
	}
	return nil
}
