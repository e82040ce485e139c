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
	if outer := leading(shape); len(outer) > 0 {
		n, places := len(outer), layout.Strides(shape)
		return eachIndex(k.Cancel, outer, func(at []int) error {
			from, to := unsafe.Add(keys, 4*dot(at, step)), unsafe.Add(out, dot(at, places)*bytes)
			return randomAxes(k, from, to, bytes, shape[n:], step[n:], pair)
		})
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
