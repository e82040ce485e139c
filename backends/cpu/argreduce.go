package cpu

/*
#include "kernels/abi_argreduce.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() { launchers[device.KindArgReduce] = argReduce }

// argFold is an argmin or argmax with its axes told apart.
type argFold struct {
	k    *device.Kernel
	max  bool
	in   unsafe.Pointer
	out  unsafe.Pointer
	kept []axis
	n    int // extent and stride of the axis searched
	step int
}

func argReduce(k *device.Kernel) error {
	attr := k.Attr.(device.ArgReduceAttr)
	in, out := &k.In[0], &k.Out[0]
	f := argFold{k: k, max: attr.Max, in: in.Data, out: out.Data, n: in.Shape[attr.Axis], step: in.Strides[attr.Axis]}
	if f.n == 0 {
		return errs.Errorf(errs.ValueError, "[%s] axis %d has no elements, so there is no position to give", k.Op,
			attr.Axis)
	}
	f.kept, _ = splitAxes(in, out, []int{attr.Axis})
	f.kept = sortAxes(f.kept, &f.in, &f.out, in.Dtype.Size(), 4)
	if len(f.kept) <= maxAxes {
		f.run()
		return nil
	}
	eachOuter(k.Cancel, f.kept, func(kept []axis, src, dst int) {
		h := f
		h.kept, h.in, h.out = kept, unsafe.Add(f.in, src*in.Dtype.Size()), unsafe.Add(f.out, dst*4)
		h.run()
	})
	return nil
}

// run searches along axes that the kernels walk.
func (f *argFold) run() {
	cols := 0
	if len(f.kept) > 0 {
		k := f.kept[len(f.kept)-1]
		step := max(f.step, -f.step)
		if step < k.in || k.in == 0 { // the axis itself is walked in order
			if f.n < shortRun && k.n > f.n {
				cols = min(k.n, C.REDUCE_BLOCK)
			}
		} else if k.n >= shortRun || f.n < shortRun {
			cols = min(k.n, C.REDUCE_BLOCK)
		}
	}
	width := max(cols, 1)
	units, chunks := extent(f.kept)/width, 1
	if work := f.n * units * width; work >= 2*splitWork && units < 16 {
		chunks = min(32/max(units, 1), f.n*width/(splitWork/4))
	}
	if chunks < 2 {
		f.launch(cols, 1, f.n)
		return
	}
	f.chunked(cols, (f.n-1)/chunks+1)
}

func (f *argFold) launch(cols, chunks, chunk int) {
	g := C.argreduce_args{in: f.in, out: (*C.uint32_t)(f.out), n: C.int64_t(f.n),
		stride: C.int64_t(f.step), cols: C.int64_t(cols), chunk: C.int64_t(chunk), chunk_out: C.int64_t(extent(f.kept)),
		dtype: C.int64_t(f.k.In[0].Dtype), stop: stopOf(f.k)}
	if f.max {
		g.max = 1
	}
	units := blocks(f.kept, cols)
	g.kd, g.units = putAxes(f.kept, &g.kshape, &g.kin, &g.kout), C.int64_t(units)
	ranged(C.ENTRY_argreduce, &g, units*chunks, splitWork/(chunk*max(cols, 1)), f.k.Cancel)
}

// chunked finds the winner of every chunk and lets the winners meet, in order, so that the
// first one still wins.
func (f *argFold) chunked(cols, chunk int) {
	chunks, outputs, size := (f.n-1)/chunk+1, extent(f.kept), f.k.In[0].Dtype.Size()
	places, values := getWorkspace(f.k, 4*chunks*outputs), getWorkspace(f.k, size*chunks*outputs)
	defer places.release()
	defer values.release()
	at := unsafe.Slice((*uint32)(places.data), chunks*outputs)
	first := *f
	first.out = unsafe.Pointer(&at[0])
	second := *f
	second.in = values.data
	first.kept, second.kept = throughBuffer(f.kept, 1)
	first.launch(cols, chunks, chunk)
	if canceled(f.k.Cancel) {
		return
	}
	second.n, second.step = chunks, outputs
	sources, results := make([]int, outputs), make([]int, outputs)
	for i := range outputs {
		sources[i], results[i] = locate(f.kept, i)
	}
	for i, pos := range at {
		from := unsafe.Add(f.in, (sources[i%outputs]+int(pos)*f.step)*size)
		copy(unsafe.Slice((*byte)(unsafe.Add(second.in, i*size)), size), unsafe.Slice((*byte)(from), size))
	}
	second.launch(0, 1, chunks)
	if canceled(f.k.Cancel) {
		return // not every result was written
	}
	for i, o := range results {
		p := (*uint32)(unsafe.Add(f.out, o*4))
		*p = at[int(*p)*outputs+i]
	}
}
