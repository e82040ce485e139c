package cpu

/*
#include "kernels/abi_quantize.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() {
	launchers[device.KindQuantize] = quantize
	launchers[device.KindDequantize] = dequantize
}

// quantizeGrain is how many elements are quantized for what it costs to wake another core.
const quantizeGrain = 1 << 14

// plain gives tensors as contiguous ones, which lie in workspaces if they were not.
type plain struct {
	k    *device.Kernel
	held []workspace
	err  error
}

func (p *plain) tensor(t device.Tensor) device.Tensor {
	if t.Contiguous() || p.err != nil {
		return t
	}
	var w workspace
	if t, w, p.err = castTo(p.k, t, t.Dtype); p.err == nil {
		p.held = append(p.held, w)
	}
	return t
}

func (p *plain) release() {
	for _, w := range p.held {
		w.release()
	}
}

func formatOf(at device.QuantizeAttr, d dtype.Dtype) C.quantize_format {
	return C.quantize_format{mode: C.int32_t(at.Mode), group: C.int32_t(at.GroupSize), bits: C.int32_t(at.Bits),
		dtype: C.int32_t(d)}
}

func quantize(k *device.Kernel) error {
	at := k.Attr.(device.QuantizeAttr)
	p := &plain{k: k}
	defer p.release()
	in := p.tensor(k.In[0])
	groups := in.Size() / at.GroupSize
	g := C.quantize_args{f: formatOf(at, in.Dtype), in: in.Data, words: k.Out[0].Data, scales: k.Out[1].Data,
		stop: stopOf(k)}
	if at.Mode == device.QuantizeAffine {
		g.biases = k.Out[2].Data
	}
	if len(k.In) > 1 {
		global := p.tensor(k.In[1])
		g.global, g.per = (*C.float)(global.Data), C.int64_t(groups/max(global.Size(), 1))
	}
	if p.err == nil {
		ranged(C.ENTRY_quantize, &g, groups, quantizeGrain/at.GroupSize, k.Cancel)
	}
	return p.err
}

func dequantize(k *device.Kernel) error {
	at := k.Attr.(device.QuantizeAttr)
	p := &plain{k: k}
	defer p.release()
	q := quantizedOf(p, at, k.In, k.Out[0].Dtype)
	groups := k.Out[0].Size() / at.GroupSize
	if len(k.In) > 2 && at.Mode != device.QuantizeAffine {
		global := p.tensor(k.In[2])
		q.global, q.per = (*C.float)(global.Data), C.int64_t(groups/max(global.Size(), 1))
	}
	q.out = k.Out[0].Data
	if p.err == nil {
		ranged(C.ENTRY_dequantize, &q, groups, quantizeGrain/at.GroupSize, k.Cancel)
	}
	return p.err
}

// quantizedOf are the arguments for all of the words ins[0] with the scales ins[1] and biases ins[2], values being of
// dtype d.
func quantizedOf(p *plain, at device.QuantizeAttr, ins []device.Tensor, d dtype.Dtype) C.dequantize_args {
	words, scales := p.tensor(ins[0]), p.tensor(ins[1])
	n := len(words.Shape) - 1
	q := C.dequantize_args{f: formatOf(at, d), words: words.Data, scales: scales.Data,
		end: unsafe.Add(words.Data, 4*words.Size()), wstride: C.int64_t(4 * words.Shape[n]),
		sstride: C.int64_t(scales.Shape[n]), groups: C.int64_t(scales.Shape[n]), stop: stopOf(p.k)}
	if at.Mode == device.QuantizeAffine {
		q.biases = p.tensor(ins[2]).Data
	}
	return q
}

// matrixAt moves q to matrix i, each of rows rows.
func matrixAt(q C.dequantize_args, i, rows int) C.dequantize_args { return blockAt(q, i*rows, 0) }

// blockAt moves the corner of the block q.
func blockAt(q C.dequantize_args, row, group int) C.dequantize_args {
	size := 1
	if q.f.mode == C.QUANTIZE_AFFINE {
		size = dtype.Dtype(q.f.dtype).Size()
	}
	words := row*int(q.wstride) + group*int(q.f.group*q.f.bits)/8
	at := (row*int(q.sstride) + group) * size
	q.words, q.scales = unsafe.Add(q.words, words), unsafe.Add(q.scales, at)
	if q.biases != nil {
		q.biases = unsafe.Add(q.biases, at)
	}
	return q
}
