package cpu

/*
#include "kernels/abi_gated_delta.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
)

func init() { launchers[device.KindGatedDelta] = gatedDelta }

func gatedDelta(k *device.Kernel) error {
	at := k.Attr.(device.GatedDeltaAttr)
	q, v, out := &k.In[0], &k.In[2], &k.Out[0]
	g := C.gated_delta_args{steps: C.int64_t(v.Shape[1]), heads: C.int64_t(v.Shape[2]),
		group: C.int64_t(v.Shape[2] / q.Shape[2]), depth: C.int64_t(q.Shape[3]), width: C.int64_t(v.Shape[3]),
		out: out.Data, end: k.Out[1].Data, _type: C.int64_t(out.Dtype), stop: stopOf(k)}
	put := func(to []C.int64_t, data *unsafe.Pointer, d *C.int64_t, t *device.Tensor) {
		for i, s := range t.Strides {
			to[i] = C.int64_t(s)
		}
		*data, *d = t.Data, C.int64_t(t.Dtype)
	}
	put(g.qs[:], &g.q, &g.qtype, q)
	put(g.ks[:], &g.k, &g.ktype, &k.In[1])
	put(g.vs[:], &g.v, &g.vtype, v)
	put(g.gs[:], &g.gamma, &g.gtype, &k.In[3])
	put(g.bs[:], &g.beta, &g.btype, &k.In[4])
	if at.HasState {
		put(g.ss[:], &g.state, &g.stype, &k.In[5])
	}
	if at.HasMask {
		var none C.int64_t
		put(g.ms[:], &g.mask, &none, &k.In[len(k.In)-1])
	}
	size := max(out.Dtype.Size(), 4)
	depth := roundUp(q.Shape[3], vectorBytes/size)
	work := v.Shape[1] * C.GATED_ROWS * depth
	parallel(v.Shape[0]*v.Shape[2]*ceilDiv(v.Shape[3], C.GATED_ROWS), 1+(1<<16)/work, k.Cancel, func(lo, hi int) {
		w := getWorkspace(k, (C.GATED_ROWS+3)*depth*size)
		defer w.release()
		part := g
		part.scratch = w.data
		callBare(C.ENTRY_gated_delta, unsafe.Pointer(&part), lo, hi)
	})
	return nil
}
