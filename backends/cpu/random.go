package cpu

/*
#include "kernels/abi_random.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() { launchers[device.KindRandomBits] = randomBits }

func randomBits(k *device.Kernel) error {
	keys, out := &k.In[0], &k.Out[0]
	n := len(keys.Shape) - 1
	bytes := k.Attr.(device.RandomAttr).Bytes
	shape, steps := layout.Collapse(keys.Shape[:n], keys.Strides[:n])
	return randomAxes(k, keys.Data, out.Data, bytes, shape, steps[0], keys.Strides[n])
}

func randomAxes(k *device.Kernel, keys, out unsafe.Pointer, bytes int, shape, step []int, pair int) error {
	if len(shape) > C.MAXD {
		inner := layout.Size(shape[1:])
		for i := range shape[0] {
			if canceled(k.Cancel) {
				return nil
			}
			err := randomAxes(k, unsafe.Add(keys, 4*i*step[0]), unsafe.Add(out, i*inner*bytes), bytes, shape[1:],
				step[1:], pair)
			if err != nil {
				return err
			}
		}
		return nil
	}
	args := C.random_args{keys: (*C.uint32_t)(keys), out: (*C.uint8_t)(out), bytes: C.int64_t(bytes),
		pair: C.int64_t(pair), axes: C.int64_t(len(shape))}
	for i, d := range shape {
		args.shape[i], args.step[i] = C.int64_t(d), C.int64_t(step[i])
	}
	half := ((bytes+3)/4 + 1) / 2
	parallel(layout.Size(shape)*half, 1<<14, k.Cancel, func(lo, hi int) {
		call(C.ENTRY_random_bits, unsafe.Pointer(&args), lo, hi)
	})
	return nil
}
