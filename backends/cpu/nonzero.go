package cpu

/*
#include "kernels/abi_nonzero.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() { launchers[device.KindNonzero] = nonzero }

// maskChunk is how many elements of a mask are counted by themselves.
const maskChunk = 1 << 15

func nonzero(k *device.Kernel) error {
	attr := k.Attr.(device.NonzeroAttr)
	mask, out := k.In[0], &k.Out[0]
	if !mask.Contiguous() {
		tmp, w, err := castTo(k, mask, dtype.Bool)
		if err != nil {
			return err
		}
		defer w.release()
		mask = tmp
	}
	shape := mask.Shape[attr.Batch:]
	if len(shape) > C.NONZERO_AXES {
		return errs.Errorf(errs.ValueError, "[%s] a bool mask has %d axes; the most is %d", k.Op, len(shape),
			C.NONZERO_AXES)
	}
	examples, size := layout.Size(mask.Shape[:attr.Batch]), layout.Size(shape)
	chunk := min(size, maskChunk)
	chunks := (size-1)/chunk + 1
	w := getWorkspace(k, 8*examples*chunks)
	defer w.release()
	args := C.nonzero_args{mask: (*C.uint8_t)(mask.Data), size: C.int64_t(size), chunk: C.int64_t(chunk),
		chunks: C.int64_t(chunks), counts: (*C.int64_t)(w.data), out: out.Data, axes: C.int64_t(len(shape))}
	for i, n := range shape {
		args.shape[i] = C.int64_t(n)
	}
	grain := max(1, 1<<17/chunk)
	ranged(C.ENTRY_nonzero_count, &args, examples*chunks, grain, k.Cancel)
	if canceled(k.Cancel) {
		return nil
	}
	counts := unsafe.Slice((*int64)(w.data), examples*chunks)
	if attr.Count {
		totals := unsafe.Slice((*int64)(out.Data), examples)
		for i := range totals {
			totals[i] = 0
			for _, n := range counts[i*chunks : (i+1)*chunks] {
				totals[i] += n
			}
		}
		return nil
	}
	n := out.Shape[len(out.Shape)-1]
	for i := range examples {
		before := 0
		for j, n := range counts[i*chunks : (i+1)*chunks] {
			counts[i*chunks+j] = int64(before)
			before += int(n)
		}
		if before != n {
			return errs.Errorf(errs.ValueError, device.CountMessage, k.Op, n, before)
		}
	}
	args.n = C.int64_t(n)
	if out.Dtype == dtype.Int64 {
		args.wide = 1
	}
	ranged(C.ENTRY_nonzero, &args, examples*chunks, grain, k.Cancel)
	return nil
}
