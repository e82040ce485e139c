package cpu

/*
#include "kernels/abi_rope.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { launchers[device.KindRope] = rope }

// ropeWork is the number of elements that make splitting worth it.
const ropeWork = 1 << 15

func rope(k *device.Kernel) error {
	at := k.Attr.(device.RopeAttr)
	x, out := &k.In[0], &k.Out[0]
	n, t, d := x.Shape[1], x.Shape[2], x.Shape[3]
	units := ceilDiv(t, C.ROPE_STEPS)
	g := C.rope_args{x: x.Data, out: out.Data, n: C.int64_t(n), t: C.int64_t(t), d: C.int64_t(d),
		units: C.int64_t(units), xb: C.int64_t(x.Strides[0]), xn: C.int64_t(x.Strides[1]), xt: C.int64_t(x.Strides[2]),
		xd: C.int64_t(x.Strides[3]), ob: C.int64_t(out.Strides[0]), on: C.int64_t(out.Strides[1]),
		ot: C.int64_t(out.Strides[2]), dims: C.int64_t(at.Dims), dtype: C.int64_t(out.Dtype), base: C.double(at.Base),
		scale: C.double(at.Scale), offset: C.int64_t(at.Offset), stop: stopOf(k)}
	if at.Traditional {
		g.traditional = 1
	}
	if at.Inverse {
		g.inverse = 1
	}
	if at.HasOffset {
		offsets, w, err := castTo(k, k.In[1], dtype.Int64)
		if err != nil {
			return err
		}
		defer w.release()
		g.offsets = (*C.int64_t)(offsets.Data)
	}
	if at.HasFreqs {
		freqs := &k.In[len(k.In)-1]
		g.freqs, g.fb, g.fd = freqs.Data, C.int64_t(freqs.Strides[0]), C.int64_t(freqs.Strides[1])
	}
	// float64 tables have dims numbers a step and no copy of a row.
	size := at.Dims/2*8 + (C.ROPE_STEPS*3*at.Dims+d)*4
	parallel(x.Shape[0]*units, ropeWork/max(n*d*C.ROPE_STEPS, 1), k.Cancel, func(lo, hi int) {
		w := getWorkspace(k, size)
		defer w.release()
		part := g
		part.angles = w.data
		callBare(C.ENTRY_rope, unsafe.Pointer(&part), lo, hi)
	})
	return nil
}
