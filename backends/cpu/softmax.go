package cpu

/*
#include "kernels/abi_softmax.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() {
	launchers[device.KindSoftmax] = func(k *device.Kernel) error { return softmax(k, false) }
	launchers[device.KindLogSumExp] = func(k *device.Kernel) error { return softmax(k, true) }
}

// softmaxWork is the number of elements whose exponentials make splitting worth it.
const softmaxWork = 1 << 15

func softmax(k *device.Kernel, fold bool) error {
	in, out := k.In[0], k.Out[0]
	if !out.Dtype.IsFloat() {
		return errs.Errorf(errs.TypeError, "[%s] needs a floating-point dtype, not %s", k.Op, out.Dtype)
	}
	if in.Dtype != out.Dtype || transposed(&in) {
		var w workspace
		var err error
		if in, w, err = castTo(k, in, out.Dtype); err != nil {
			return err
		}
		defer w.release()
	}
	last := len(in.Shape) - 1
	g := C.softmax_args{n: C.int64_t(in.Shape[last]), stride: C.int64_t(in.Strides[last]), dtype: C.int64_t(out.Dtype),
		stop: stopOf(k)}
	size := out.Dtype.Size()
	rows := addAxes(make([]axis, 0, last), in.Shape[:last], in.Strides, out.Strides)
	eachOuter(k.Cancel, rows, func(kept []axis, src, dst int) {
		g.in, g.out = unsafe.Add(in.Data, src*size), unsafe.Add(out.Data, dst*size)
		g.kd = putAxes(kept, &g.kshape, &g.kin, &g.kout)
		softmaxRows(k, g, extent(kept), in.Shape[last], fold)
	})
	return nil
}

func softmaxRows(k *device.Kernel, g C.softmax_args, rows, n int, fold bool) {
	if rows >= 16 || n < 2*C.SOFTMAX_CHUNK {
		id := C.ENTRY_softmax
		if fold {
			id = C.ENTRY_logsumexp
		}
		ranged(id, &g, rows, softmaxWork/max(n, 1), k.Cancel)
		return
	}
	chunks := (n-1)/C.SOFTMAX_CHUNK + 1
	g.chunks = C.int64_t(chunks)
	w := getWorkspace(k, 16*rows*chunks)
	defer w.release()
	g.parts = (*C.double)(w.data)
	ranged(C.ENTRY_softmax_part, &g, rows*chunks, 1, k.Cancel)
	ranged(C.ENTRY_softmax_join, &g, rows, rows, nil) // in order: rows move to the front
	if fold {
		ranged(C.ENTRY_logsumexp_join, &g, rows, rows, nil)
	} else {
		ranged(C.ENTRY_softmax_apply, &g, rows*chunks, 1, k.Cancel)
	}
}
