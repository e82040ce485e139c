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
	if !collapsePair(&a, out.Shape, in.Strides, out.Strides) {
		return peel(k, copyKernel)
	}
	n := out.Size()
	nd := int(a.nd)
	a.in_flat, a.out_flat = flatAxes(&a, &a.in_strides), flatAxes(&a, &a.out_strides)
	if a.out_flat != 0 && n*out.Dtype.Size() >= streamBytes && in.Data != out.Data {
		a.stream = 1
	}
	work := 0.03 * float64(in.Dtype.Size()+out.Dtype.Size())
	if in.Dtype.Size() == out.Dtype.Size() && in.Dtype == out.Dtype && a.in_strides[nd-1] != 1 {
		if a.fast = C.int64_t(fastAxis(&a)); a.fast >= 0 {
			blocks := 1
			for d := range nd {
				m := int(a.shape[d])
				if d == int(a.fast) || d == nd-1 {
					m = (m + C.COPY_BLOCK - 1) / C.COPY_BLOCK
				}
				blocks *= m
			}
			ranged(C.ENTRY_copy_blocks, &a, blocks, max(1, int(chunkTime/(work*float64(n)/float64(blocks)))), k.Cancel)
			return nil
		}
	}
	if a.in_flat == 0 || a.out_flat == 0 {
		work += 0.3
	}
	ranged(C.ENTRY_copy, &a, n, int(chunkTime/work), k.Cancel)
	return nil
}

// collapsePair merges the axes that both operands walk as one; it reports false
// when more than MAXD remain. One axis at least is left.
func collapsePair(a *C.copy_args, shape, in, out []int) bool {
	nd := 0
	for axis, d := range shape {
		if d == 1 {
			continue
		}
		if nd == 0 || int(a.in_strides[nd-1]) != d*in[axis] || int(a.out_strides[nd-1]) != d*out[axis] {
			if nd == C.MAXD {
				return false
			}
			nd++
			a.shape[nd-1] = 1
		}
		a.shape[nd-1] *= C.int64_t(d)
		a.in_strides[nd-1], a.out_strides[nd-1] = C.int64_t(in[axis]), C.int64_t(out[axis])
	}
	if nd == 0 {
		nd, a.shape[0], a.in_strides[0], a.out_strides[0] = 1, 1, 1, 1
	}
	a.nd = C.int64_t(nd)
	return true
}

// flatAxes is 1 when the strides walk the collapsed shape in row-major order without gaps.
func flatAxes(a *C.copy_args, strides *[C.MAXD]C.int64_t) C.int64_t {
	next := C.int64_t(1)
	for d := int(a.nd) - 1; d >= 0; d-- {
		if strides[d] != next {
			return 0
		}
		next *= a.shape[d]
	}
	return 1
}

// fastAxis is the axis along which the input is dense, when that is not the last and long enough to be
// worth blocks; -1 if none.
func fastAxis(a *C.copy_args) int {
	last := int(a.nd) - 1
	for d := range last {
		if a.in_strides[d] == 1 && a.shape[d] >= 8 && a.shape[last] >= 8 {
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
