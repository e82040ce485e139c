package cpu

/*
#include "kernels/abi_copy.h"
*/
import "C"

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() {
	launchers[device.KindCopy] = copyKernel
	launchers[device.KindFill] = fill
	launchers[device.KindArange] = arange
}

func copyKernel(k *device.Kernel) error {
	in, out := &k.In[0], &k.Out[0]
	var a C.copy_args
	a.in, a.out = in.Data, out.Data
	a.in_dtype, a.out_dtype = C.int64_t(in.Dtype), C.int64_t(out.Dtype)
	axes := addAxes(make([]axis, 0, 8), out.Shape, in.Strides, out.Strides)
	if len(axes) > maxAxes {
		return peel(k, copyKernel)
	}
	if len(axes) == 0 {
		axes = append(axes, axis{1, 1, 1})
	}
	a.nd = putAxes(axes, &a.shape, &a.in_strides, &a.out_strides)
	n := out.Size()
	inFlat, outFlat := flatAxes(axes)
	if inFlat {
		a.in_flat = 1
	}
	if outFlat {
		a.out_flat = 1
	}
	if outFlat && n*out.Dtype.Size() >= streamBytes && in.Data != out.Data {
		a.stream = 1
	}
	work := 0.03 * float64(in.Dtype.Size()+out.Dtype.Size())
	if in.Dtype.Size() == out.Dtype.Size() && in.Dtype == out.Dtype && axes[len(axes)-1].in != 1 {
		if fast := fastAxis(axes); fast >= 0 {
			a.fast = C.int64_t(fast)
			blocks := 1
			for d, x := range axes {
				m := x.n
				if d == fast || d == len(axes)-1 {
					m = ceilDiv(m, C.COPY_BLOCK)
				}
				blocks *= m
			}
			ranged(C.ENTRY_copy_blocks, &a, blocks, max(1, int(chunkTime/(work*float64(n)/float64(blocks)))), k.Cancel)
			return nil
		}
	}
	if !inFlat || !outFlat {
		work += 0.3
	}
	ranged(C.ENTRY_copy, &a, n, int(chunkTime/work), k.Cancel)
	return nil
}

// fastAxis is the axis along which the input is dense, when that is not the last and long enough to be
// worth blocks; -1 if none.
func fastAxis(axes []axis) int {
	last := len(axes) - 1
	for d, x := range axes[:last] {
		if x.in == 1 && x.n >= 8 && axes[last].n >= 8 {
			return d
		}
	}
	return -1
}

func fill(k *device.Kernel) error {
	in, out := &k.In[0], &k.Out[0]
	if !out.Contiguous() {
		stretched := device.Tensor{Data: in.Data, Dtype: in.Dtype, Shape: out.Shape,
			Strides: make([]int, len(out.Shape))}
		sub := device.Kernel{Kind: device.KindCopy, Op: k.Op, Out: k.Out, In: []device.Tensor{stretched},
			Cancel: k.Cancel}
		return copyKernel(&sub)
	}
	n, size := out.Size(), out.Dtype.Size()
	a := C.fill_args{in: in.Data, out: out.Data, size: C.int64_t(size)}
	if n*size >= streamBytes {
		a.stream = 1
	}
	ranged(C.ENTRY_fill, &a, n, 1<<20/size, k.Cancel)
	return nil
}

func arange(k *device.Kernel) error {
	attr, out := k.Attr.(device.ArangeAttr), &k.Out[0]
	a := C.arange_args{out: out.Data, dtype: C.int64_t(out.Dtype), start_int: C.int64_t(attr.StartInt),
		step_int: C.int64_t(attr.StepInt), start: C.double(attr.Start), step: C.double(attr.Step)}
	if n, stride := out.Size(), out.Strides[0]; stride != 1 && n > 1 {
		return errs.Errorf(errs.RuntimeError, "[%s] arange wants contiguous memory, not stride %d", k.Op, stride)
	}
	ranged(C.ENTRY_arange, &a, out.Size(), 1<<17, k.Cancel)
	return nil
}
