package cpu

/*
#include "kernels/abi_cross_entropy.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() {
	launchers[device.KindCrossEntropy] = func(k *device.Kernel) error { return crossEntropy(k, C.ENTRY_cross_entropy) }
	launchers[device.KindCrossEntropyGrad] = func(k *device.Kernel) error {
		return crossEntropy(k, C.ENTRY_cross_entropy_grad)
	}
}

func crossEntropy(k *device.Kernel, entry int) error {
	in, out := k.In[0], k.Out[0]
	last := len(in.Shape) - 1
	n := in.Shape[last]
	kept := make([]axis, 0, last)
	for i, n := range in.Shape[:last] {
		kept = addAxis(kept, axis{n: n, in: in.Strides[i]})
	}
	if transposed(&in) || len(kept) > maxAxes {
		whole, w, err := castTo(k, in, in.Dtype)
		if err != nil {
			return err
		}
		defer w.release()
		in, kept = whole, []axis{{n: in.Size() / n, in: n}}
	}
	targets, w, err := classTargets(k, &in)
	if err != nil {
		return err
	}
	defer w.release()
	g := C.cross_entropy_args{in: in.Data, out: out.Data, targets: (*C.int64_t)(targets), n: C.int64_t(n),
		stride: C.int64_t(in.Strides[last]), kd: C.int64_t(len(kept)), dtype: C.int64_t(in.Dtype), stop: stopOf(k)}
	for i, a := range kept {
		g.kshape[i], g.kin[i] = C.int64_t(a.n), C.int64_t(a.in)
	}
	if len(k.In) > 2 {
		ct, w, err := castTo(k, k.In[2], dtype.Float32)
		if err != nil {
			return err
		}
		defer w.release()
		g.ct = (*C.float)(ct.Data)
	}
	ranged(entry, &g, extent(kept), softmaxWork/n, k.Cancel)
	return nil
}

// classTargets are the targets of the rows of in, each within its row, in a workspace.
func classTargets(k *device.Kernel, in *device.Tensor) (unsafe.Pointer, workspace, error) {
	t := &k.In[1]
	w := getWorkspace(k, t.Size()*8)
	list := unsafe.Slice((*int64)(w.data), t.Size())
	last := len(in.Shape) - 1
	at := walk(t.Shape, t.Strides)
	for lo, hi := range pieces(len(list), k.Cancel) {
		for i := lo; i < hi; i++ {
			given := integerAt(t, at.offset[0])
			place := given
			if place < 0 {
				place += in.Shape[last]
			}
			if place < 0 || place >= in.Shape[last] {
				w.release()
				return nil, workspace{}, errs.Errorf(errs.IndexError,
					"[%s] index %d is out of bounds for axis %d of shape %s", k.Op, given, last,
					layout.Format(k.In[0].Shape))
			}
			list[i] = int64(place)
			at.next()
		}
	}
	if canceled(k.Cancel) {
		w.release()
		return nil, workspace{}, errs.ErrCanceled
	}
	return w.data, w, nil
}
