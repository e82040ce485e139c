package cpu

/*
#include "kernels/abi_norm.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() {
	launchers[device.KindLayerNorm] = func(k *device.Kernel) error { return norm(k, true) }
	launchers[device.KindRMSNorm] = func(k *device.Kernel) error { return norm(k, false) }
}

// normWork is the number of elements that make splitting worth it.
const normWork = 1 << 16

func norm(k *device.Kernel, layer bool) error {
	in, out := k.In[0], k.Out[0]
	if !out.Dtype.IsFloat() {
		return errs.Errorf(errs.TypeError, "[%s] needs a floating-point dtype, not %s", k.Op, out.Dtype)
	}
	var err error
	var w workspace
	if in.Dtype != out.Dtype || transposed(&in) {
		if in, w, err = castTo(k, in, out.Dtype); err != nil {
			return err
		}
		defer w.release()
	}
	last := len(in.Shape) - 1
	g := C.norm_args{n: C.int64_t(in.Shape[last]), stride: C.int64_t(in.Strides[last]),
		dtype: C.int64_t(out.Dtype), eps: C.double(k.Attr.(device.NormAttr).Eps), stop: stopOf(k)}
	// Weight and bias in the dtype of the arithmetic, one row each.
	params := [2]device.Tensor{k.In[1]}
	if layer {
		params[1] = k.In[2]
	}
	for i := range params {
		p := &params[i]
		if p.Data != nil && (p.Dtype != out.Dtype.Compute() || !p.Contiguous()) {
			if *p, w, err = castTo(k, *p, out.Dtype.Compute()); err != nil {
				return err
			}
			defer w.release()
		}
	}
	g.weight, g.bias = params[0].Data, params[1].Data
	id := C.ENTRY_rms_norm
	if layer {
		id = C.ENTRY_layer_norm
	}
	size := out.Dtype.Size()
	rows := addAxes(make([]axis, 0, last), in.Shape[:last], in.Strides, out.Strides)
	eachOuter(k.Cancel, rows, func(kept []axis, src, dst int) {
		g.in, g.out = unsafe.Add(in.Data, src*size), unsafe.Add(out.Data, dst*size)
		g.kd = putAxes(kept, &g.kshape, &g.kin, &g.kout)
		ranged(id, &g, extent(kept), normWork/max(in.Shape[last], 1), k.Cancel)
	})
	return nil
}
