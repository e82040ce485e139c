package cpu

/*
#include "kernels/abi.h"
*/
import "C"

import (
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() {
	launchers[device.KindGather] = gather
	launchers[device.KindGatherAxis] = gatherAxis
}

func gather(k *device.Kernel) error {
	src, indices, out := &k.In[0], k.In[1:], &k.Out[0]
	attr := k.Attr.(device.GatherAttr)
	if err := checkIndices(k, indices); err != nil {
		return err
	}
	n := len(out.Shape) - len(attr.SliceSizes)
	strides := layout.Strides(out.Shape)
	x := indexing{k: k, entry: C.ENTRY_gather, dtype: out.Dtype, array: src.Data, values: out.Data,
		shape: out.Shape[:n], base: make([]int, n), vstep: strides[:n],
		slice: attr.SliceSizes, as: src.Strides, vs: strides[n:]}
	for i := range indices {
		axis := attr.Axes[i]
		x.axes = append(x.axes, indexAxis{&indices[i], indices[i].Strides, axis,
			src.Shape[axis], src.Shape[axis] - attr.SliceSizes[axis], src.Strides[axis]})
	}
	return x.run()
}

func gatherAxis(k *device.Kernel) error {
	src, index, out := &k.In[0], &k.In[1], &k.Out[0]
	axis := k.Attr.(device.AxisAttr).Axis
	if err := checkIndices(k, k.In[1:]); err != nil {
		return err
	}
	x := indexing{k: k, entry: C.ENTRY_gather, dtype: out.Dtype, array: src.Data, values: out.Data,
		shape: out.Shape, base: without(src.Strides, axis), vstep: layout.Strides(out.Shape)}
	x.axes = []indexAxis{{index, index.Strides, axis, src.Shape[axis], src.Shape[axis] - 1, src.Strides[axis]}}
	return x.run()
}
