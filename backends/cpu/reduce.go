package cpu

/*
#include "kernels/abi_reduce.h"
*/
import "C"

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { launchers[device.KindReduce] = reduce }

const (
	maxAxes = C.MAXD
	// splitWork is how many elements one thread should fold before another is worth waking.
	splitWork = 1 << 17
	// shortRun is the length below which folding a run costs more in calls than in arithmetic.
	shortRun = 16
)

// axis is one axis of a fold: its extent and its strides in input and output.
type axis struct{ n, in, out int }

// fold is a reduction with its axes told apart. The folds that stages are made of
// share it, so each stage may choose its own order of axes.
type fold struct {
	op       device.ReduceOp
	in, out  unsafe.Pointer
	from, to dtype.Dtype
	kept     []axis
	reduced  []axis
	k        *device.Kernel
}

func reduce(k *device.Kernel) error {
	attr := k.Attr.(device.ReduceAttr)
	in, out := &k.In[0], &k.Out[0]
	f := fold{op: attr.Op, in: in.Data, out: out.Data, from: in.Dtype, to: out.Dtype, k: k}
	if in.Dtype == dtype.Bool { // the extremes of bools, with identities that are bools
		switch attr.Op {
		case device.ReduceMin:
			f.op = device.ReduceAnd
		case device.ReduceMax:
			f.op = device.ReduceOr
		}
	}
	o := 0
	for i, n := range in.Shape {
		if slices.Contains(attr.Axes, i) {
			f.reduced = append(f.reduced, axis{n, in.Strides[i], 0})
		} else {
			f.kept = append(f.kept, axis{n, in.Strides[i], out.Strides[o]})
			o++
		}
	}
	acc := accumulator(f.op, f.from)
	if f.to == acc || acc == dtype.Float32 && f.to.IsHalf() ||
		acc.IsInteger() && f.to.IsInteger() && f.to.Size() == acc.Size() {
		f.run()
		return nil
	}
	// Rare result dtypes: fold in the accumulator's and cast.
	tmp, w := scratchTensor(k, acc, out.Shape)
	defer w.release()
	f.out, f.to = tmp.Data, acc
	for i, a := range rowMajor(f.kept) {
		f.kept[i].out = a
	}
	f.run()
	return cast(k, *out, tmp)
}

// accumulator is the dtype in which partial results of a fold are kept.
func accumulator(op device.ReduceOp, d dtype.Dtype) dtype.Dtype {
	switch {
	case op == device.ReduceAnd || op == device.ReduceOr:
		return dtype.Bool
	case d.IsHalf():
		return dtype.Float32
	case op == device.ReduceMin || op == device.ReduceMax:
		return d
	case d == dtype.Bool || d.Group() == dtype.GroupSigned && d.Size() < 4:
		return dtype.Int32
	case d.Group() == dtype.GroupUnsigned && d.Size() < 4:
		return dtype.Uint32
	}
	return d
}

// rowMajor gives the output strides under which kept axes are contiguous.
func rowMajor(kept []axis) []int {
	s := make([]int, len(kept))
	n := 1
	for i := len(kept) - 1; i >= 0; i-- {
		s[i] = n
		n *= kept[i].n
	}
	return s
}

func extent(axes []axis) int {
	n := 1
	for _, a := range axes {
		n *= a.n
	}
	return n
}

// locate is where element i of the axes lies, in elements of input and output.
func locate(axes []axis, i int) (in, out int) {
	for a := len(axes) - 1; a >= 0; a-- {
		x := i % axes[a].n
		i /= axes[a].n
		in += x * axes[a].in
		out += x * axes[a].out
	}
	return in, out
}

// normalize makes strides of the input positive, orders axes so that memory is walked
// forward with the smallest stride innermost, and merges what is walked as one.
func normalize(axes []axis, in, out *unsafe.Pointer, inSize, outSize int) []axis {
	a := make([]axis, 0, len(axes))
	for _, x := range axes {
		if x.n == 1 {
			continue
		}
		if x.in < 0 {
			*in = unsafe.Add(*in, (x.n-1)*x.in*inSize)
			*out = unsafe.Add(*out, (x.n-1)*x.out*outSize)
			x.in, x.out = -x.in, -x.out
		}
		a = append(a, x)
	}
	slices.SortStableFunc(a, func(x, y axis) int {
		if (x.in == 0) != (y.in == 0) { // repeated reads go outermost
			return cmp.Compare(x.in, y.in)
		}
		return cmp.Compare(y.in, x.in)
	})
	m := a[:0]
	for _, x := range a {
		if k := len(m) - 1; k >= 0 && m[k].in == x.n*x.in && m[k].out == x.n*x.out {
			m[k] = axis{m[k].n * x.n, x.in, x.out}
			continue
		}
		m = append(m, x)
	}
	return m
}

func (f fold) run() {
	total := extent(f.reduced)
	if total == 0 {
		f.reduced = nil
	}
	size := f.from.Size()
	f.kept = normalize(f.kept, &f.in, &f.out, size, f.to.Size())
	f.reduced = normalize(f.reduced, &f.in, &f.out, size, 0)
	if len(f.kept) > maxAxes {
		a := f.kept[0]
		f.kept = f.kept[1:]
		for range a.n {
			if canceled(f.k.Cancel) {
				return
			}
			f.run()
			f.in, f.out = unsafe.Add(f.in, a.in*size), unsafe.Add(f.out, a.out*f.to.Size())
		}
		return
	}
	if k := len(f.reduced) - maxAxes; k > 0 {
		// Fold the inner axes first; what is left of the outer ones is kept for a second stage.
		f.stages(f.reduced[:k], f.reduced[k:])
		return
	}
	if total == 0 {
		f.launch(0, min(extent(f.kept), C.REDUCE_COLUMNS), 1)
		return
	}
	r, k := axis{n: 1}, axis{n: 1}
	if len(f.reduced) > 0 {
		r = f.reduced[len(f.reduced)-1]
	}
	if len(f.kept) > 0 {
		k = f.kept[len(f.kept)-1]
	}
	columns := true
	switch {
	case len(f.kept) == 0:
		columns = false
	case len(f.reduced) == 0:
	case r.in != 0 && (r.in < k.in || k.in == 0):
		columns = r.n < shortRun && k.n > r.n
	case k.n < shortRun && r.n >= shortRun:
		columns = false
		// Few neighboring outputs, like the columns of an (n, 3) array: groups of rows form wide ones.
		if g := 512 / k.n; k.in == 1 && r.in == k.n && r.n >= 4*g {
			f.grouped(g)
			return
		}
	}
	cols, width := 0, 1
	if columns {
		cols = min(k.n, C.REDUCE_COLUMNS)
		width = cols
	}
	// Few outputs: the reduced positions are cut too. The cut depends on the shape alone, so
	// results do not depend on the number of threads.
	units := extent(f.kept) / width
	chunks := 1
	if work := total * units * width; work >= 2*splitWork && units < 16 {
		chunks = min(32/max(units, 1), total*width/(splitWork/4))
	}
	if chunks < 2 {
		f.launch(total, cols, 1)
		return
	}
	f.partial(total, cols, chunks)
}

// launch runs the kernel with the axes as they are; out holds chunks results one after the other.
func (f *fold) launch(total, cols, chunks int) {
	g := C.reduce_args{in: f.in, out: f.out, kd: C.int64_t(len(f.kept)), rd: C.int64_t(len(f.reduced)),
		cols: C.int64_t(cols), total: C.int64_t(total), op: C.int64_t(f.op), dtype: C.int64_t(f.from),
		out_dtype: C.int64_t(f.to), stop: stopOf(f.k)}
	units := 1
	for i, a := range f.kept {
		g.kshape[i], g.kin[i], g.kout[i] = C.int64_t(a.n), C.int64_t(a.in), C.int64_t(a.out)
		if i == len(f.kept)-1 && cols > 0 {
			units *= (a.n-1)/cols + 1
		} else {
			units *= a.n
		}
	}
	if cols > 0 && len(f.kept) == 0 { // one output by columns: an axis of extent 1
		g.kd, g.kshape[0] = 1, 1
	}
	for i, a := range f.reduced {
		g.rshape[i], g.rin[i] = C.int64_t(a.n), C.int64_t(a.in)
	}
	chunk := (total-1)/chunks + 1
	if total == 0 {
		chunk = 1
	}
	g.units, g.chunk, g.chunk_out = C.int64_t(units), C.int64_t(chunk), C.int64_t(extent(f.kept))
	work := chunk * max(cols, 1)
	ranged(C.ENTRY_reduce, &g, units*chunks, splitWork/work, f.k.Cancel)
}

// partial folds the reduced positions in chunks and then the chunks' results.
func (f *fold) partial(total, cols, chunks int) {
	chunks = (total-1)/((total-1)/chunks+1) + 1 // no empty ones at the end
	first, n := *f, extent(f.kept)
	acc := accumulator(f.op, f.from)
	w := getWorkspace(f.k, chunks*n*acc.Size())
	defer w.release()
	first.out, first.to = w.data, acc
	first.kept = slices.Clone(f.kept)
	second := *f
	second.in, second.from = first.out, acc
	second.kept = slices.Clone(f.kept)
	for i, s := range rowMajor(f.kept) {
		first.kept[i].out, second.kept[i].in = s, s
	}
	second.reduced = []axis{{chunks, n, 0}}
	first.launch(total, cols, chunks)
	second.run()
}

// stages folds the axes inner, keeping outer, and then outer.
func (f *fold) stages(outer, inner []axis) {
	acc := accumulator(f.op, f.from)
	first := *f
	first.kept = append(slices.Clone(f.kept), outer...)
	first.reduced = inner
	w := getWorkspace(f.k, extent(first.kept)*acc.Size())
	defer w.release()
	first.out, first.to = w.data, acc
	second := *f
	second.in, second.from = first.out, acc
	second.kept = slices.Clone(f.kept)
	second.reduced = slices.Clone(outer)
	for i, s := range rowMajor(first.kept) {
		first.kept[i].out = s
		if i < len(f.kept) {
			second.kept[i].in = s
		} else {
			second.reduced[i-len(f.kept)].in = s
		}
	}
	first.run()
	second.run()
}

// grouped folds an innermost (r, k) pair of contiguous axes with a small k as (r/g, g*k):
// vectors run over g*k outputs, which a second stage folds to k. Rows left over have a place of their own.
func (f *fold) grouped(g int) {
	acc := accumulator(f.op, f.from)
	last, inner := f.reduced[len(f.reduced)-1], f.kept[len(f.kept)-1]
	outer, others := f.kept[:len(f.kept)-1], f.reduced[:len(f.reduced)-1]
	rest := last.n % g
	slots := g
	if rest > 0 {
		slots++
	}
	row := slots * inner.n
	w := getWorkspace(f.k, extent(outer)*row*acc.Size())
	defer w.release()

	first := *f
	first.out, first.to = w.data, acc
	first.kept = append(slices.Clone(outer), axis{g * inner.n, 1, 1})
	first.reduced = append(slices.Clone(others), axis{last.n / g, g * inner.n, 0})
	second := *f
	second.in, second.from = first.out, acc
	second.kept = append(slices.Clone(outer), axis{inner.n, 1, inner.out})
	second.reduced = []axis{{slots, inner.n, 0}}
	for i, s := range rowMajor(outer) {
		first.kept[i].out, second.kept[i].in = s*row, s*row
	}
	first.run()
	if rest > 0 {
		left := first
		left.in = unsafe.Add(f.in, (last.n-rest)*last.in*f.from.Size())
		left.out = unsafe.Add(first.out, g*inner.n*acc.Size())
		left.kept = append(slices.Clone(first.kept[:len(outer)]), axis{inner.n, 1, 1})
		left.reduced = append(slices.Clone(others), axis{rest, last.in, 0})
		left.run()
	}
	second.run()
}
