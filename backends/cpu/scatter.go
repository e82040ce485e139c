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
	launchers[device.KindScatter] = scatter
	launchers[device.KindScatterAxis] = scatterAxis
}

func scatter(k *device.Kernel) error {
	indices, updates, out := k.In[:len(k.In)-1], &k.In[len(k.In)-1], &k.Out[0]
	attr := k.Attr.(device.ScatterAttr)
	if err := checkIndices(k, indices); err != nil {
		return err
	}
	n := len(updates.Shape) - len(out.Shape)
	slice := updates.Shape[n:]
	if layout.Size(updates.Shape) == 0 {
		return nil
	}
	strides := layout.Strides(out.Shape)
	x := indexing{k: k, entry: C.ENTRY_scatter, op: attr.Op, dtype: out.Dtype, array: out.Data, values: updates.Data,
		shape: updates.Shape[:n], base: make([]int, n), vstep: updates.Strides[:n],
		slice: slice, as: strides, vs: updates.Strides[n:]}
	for i := range indices {
		axis := attr.Axes[i]
		x.axes = append(x.axes, indexAxis{&indices[i], indices[i].Strides, axis,
			out.Shape[axis], out.Shape[axis] - slice[axis], strides[axis]})
		x.windows = x.windows || slice[axis] > 1
	}
	return x.run()
}

func scatterAxis(k *device.Kernel) error {
	index, updates, out := &k.In[0], &k.In[1], &k.Out[0]
	attr := k.Attr.(device.ScatterAxisAttr)
	if err := checkIndices(k, k.In[:1]); err != nil {
		return err
	}
	if layout.Size(index.Shape) == 0 {
		return nil
	}
	strides := layout.Strides(out.Shape)
	x := indexing{k: k, entry: C.ENTRY_scatter, dtype: out.Dtype, array: out.Data, values: updates.Data,
		shape: index.Shape, base: without(strides, attr.Axis), vstep: updates.Strides,
		// Only positions that differ before the axis never meet in one element.
		inOrder: layout.Size(index.Shape[attr.Axis:])}
	if attr.Add {
		x.op = device.ScatterAdd
	}
	x.axes = []indexAxis{{index, index.Strides, attr.Axis, out.Shape[attr.Axis], out.Shape[attr.Axis] - 1,
		strides[attr.Axis]}}
	return x.run()
}
