package cpu

/*
#include "kernels/abi_reduce.h"
*/
import "C"

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { launchers[device.KindReduce] = reduce }

const (
	// splitWork is how many elements one thread should fold before another is worth waking.
	splitWork = 1 << 17
	// shortRun is the length below which folding a run costs more in calls than in arithmetic.
	shortRun = 16
)

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
	f.kept, f.reduced = splitAxes(in, out, attr.Axes)
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
	f.kept, _ = throughBuffer(f.kept, 1)
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

func (f fold) run() {
	total := extent(f.reduced)
	if total == 0 {
		f.reduced = nil
	}
	size := f.from.Size()
	f.kept = sortAxes(f.kept, &f.in, &f.out, size, f.to.Size())
	f.reduced = sortAxes(f.reduced, &f.in, &f.out, size, 0)
	if k := len(f.reduced) - maxAxes; k > 0 {
		// Fold the inner axes first; what is left of the outer ones is kept for a second stage.
		f.stages(f.reduced[:k], f.reduced[k:])
		return
	}
	if len(f.kept) <= maxAxes {
		f.inOrder(total)
		return
	}
	eachOuter(f.k.Cancel, f.kept, func(kept []axis, in, out int) {
		h := f
		h.kept, h.in, h.out = kept, unsafe.Add(f.in, in*size), unsafe.Add(f.out, out*f.to.Size())
		h.inOrder(total)
	})
}

// inOrder chooses how axes that the kernels walk are gone through.
func (f *fold) inOrder(total int) {
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
	g := C.reduce_args{in: f.in, out: f.out, rd: C.int64_t(len(f.reduced)),
		cols: C.int64_t(cols), total: C.int64_t(total), op: C.int64_t(f.op), dtype: C.int64_t(f.from),
		out_dtype: C.int64_t(f.to), stop: stopOf(f.k)}
	units := blocks(f.kept, cols)
	g.kd = putAxes(f.kept, &g.kshape, &g.kin, &g.kout)
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
	second := *f
	second.in, second.from = first.out, acc
	first.kept, second.kept = throughBuffer(f.kept, 1)
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
	var left []axis
	first.kept, left = throughBuffer(first.kept, 1)
	second.kept, second.reduced = left[:len(f.kept)], left[len(f.kept):]
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

	written, read := throughBuffer(outer, row)
	first := *f
	first.out, first.to = w.data, acc
	first.kept = append(slices.Clone(written), axis{g * inner.n, 1, 1})
	first.reduced = append(slices.Clone(others), axis{last.n / g, g * inner.n, 0})
	second := *f
	second.in, second.from = first.out, acc
	second.kept = append(read, axis{inner.n, 1, inner.out})
	second.reduced = []axis{{slots, inner.n, 0}}
	first.run()
	if rest > 0 {
		left := first
		left.in = unsafe.Add(f.in, (last.n-rest)*last.in*f.from.Size())
		left.out = unsafe.Add(first.out, g*inner.n*acc.Size())
		left.kept = append(written, axis{inner.n, 1, 1})
		left.reduced = append(slices.Clone(others), axis{rest, last.in, 0})
		left.run()
	}
	second.run()
}
