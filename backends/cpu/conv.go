package cpu

/*
#include "kernels/abi_conv.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() { launchers[device.KindConv] = convolve }

const (
	convSlab  = 32 << 10 // elements of padded input a unit works on: fits L2 beside the weights
	convGrain = 1 << 19  // multiplications worth a chunk of their own: about 5 us
)

func convolve(k *device.Kernel) error {
	x, w, o := &k.In[0], &k.In[1], &k.Out[0]
	attr := k.Attr.(device.ConvAttr)
	nd := len(o.Shape) - 2
	switch {
	case !o.Dtype.IsInexact():
		return errs.Errorf(errs.TypeError, "[%s] only floating point and complex64 arrays are convolved, not %s", k.Op,
			o.Dtype)
	case nd > 3:
		return errs.Errorf(errs.ValueError, "[%s] 1, 2 or 3 spatial axes are supported, but the input has %d", k.Op, nd)
	}
	p := C.conv_args{
		x: x.Data, w: w.Data, o: o.Data, n: C.int64_t(o.Shape[0]), groups: C.int64_t(attr.Groups),
		c: C.int64_t(w.Shape[nd+1]), og: C.int64_t(o.Shape[nd+1] / attr.Groups), alpha: 1, dtype: C.int32_t(o.Dtype),
		stop: stopOf(k),
	}
	if attr.Flip {
		p.flip = 1
	}
	for i := range 3 {
		p.in[i], p.out[i], p.k[i], p.stride[i], p.kdil[i], p.idil[i] = 1, 1, 1, 1, 1, 1
	}
	for i := range nd {
		j := 3 - nd + i
		p.in[j], p.out[j], p.k[j] = C.int64_t(x.Shape[1+i]), C.int64_t(o.Shape[1+i]), C.int64_t(w.Shape[1+i])
		p.stride[j], p.pad[j] = C.int64_t(attr.Stride[i]), C.int64_t(attr.PadLo[i])
		p.kdil[j], p.idil[j] = C.int64_t(attr.KernelDilation[i]), C.int64_t(attr.InputDilation[i])
	}
	for i, t := range []*device.Tensor{x, w, o} {
		s := []*[5]C.int64_t{&p.xs, &p.ws, &p.os}[i]
		s[0], s[4] = C.int64_t(t.Strides[0]), C.int64_t(t.Strides[nd+1])
		for j := range nd {
			s[4-nd+j] = C.int64_t(t.Strides[1+j])
		}
	}
	if p.c == 0 {
		return launchers[device.KindFill](&device.Kernel{Kind: device.KindFill, Op: k.Op, Out: k.Out,
			In: []device.Tensor{zeroOf(o.Dtype)}, Cancel: k.Cancel})
	}
	c := conv{k: k, dtype: o.Dtype, p: p}
	if o.Dtype == dtype.Complex64 {
		return c.complex()
	}
	return c.run()
}

// zeroOf is a scalar zero.
func zeroOf(d dtype.Dtype) device.Tensor {
	var zero [2]float64
	return device.Tensor{Data: unsafe.Pointer(&zero), Dtype: d}
}

type conv struct {
	k     *device.Kernel
	dtype dtype.Dtype
	p     C.conv_args
}

// plain reports whether the windows lie in the input as they are.
func (c *conv) plain() bool {
	for i := range 3 {
		// Padding behind the input is seen by how far the last window reaches.
		reach := (c.p.out[i]-1)*c.p.stride[i] + (c.p.k[i]-1)*c.p.kdil[i] - c.p.pad[i]
		if c.p.pad[i] > 0 || reach >= c.p.in[i] || c.p.idil[i] != 1 && c.p.in[i] > 1 {
			return false
		}
	}
	return true
}

// run convolves real arrays.
func (c *conv) run() error {
	if c.p.add == 0 && c.p.alpha == 1 {
		if g, ok := c.asMatMul(); ok {
			return g.run()
		}
	}
	if i := c.holes(); i >= 0 {
		return c.phases(i)
	}
	// Vectors along channels pay where there are few outputs to each.
	if c.p.c == 1 && c.p.og > 1 && (c.p.groups > 1 && c.p.og <= 8 || c.p.og <= 2) {
		return c.multiplied()
	}
	if c.isOuter() {
		return c.outer()
	}
	return c.units()
}

// units shares blocks of the result between the cores, and copies the input each needs where it cannot be read as it
// lies.
func (c *conv) units() error {
	size := max(c.dtype.Size(), 4)
	lanes := vectorBytes / size
	taps := int(c.p.k[0] * c.p.k[1] * c.p.k[2])
	groups, og, depth := int(c.p.groups), int(c.p.og), int(c.p.c)*taps
	depthwise := c.p.c == 1 && og == 1
	pack, entry, panels := C.ENTRY_conv_pack, C.ENTRY_conv_units, 0
	width := 2 * lanes
	if og <= lanes {
		width = lanes
	}
	c.p.width = C.int64_t(width)
	panels = groups * ceilDiv(og, width)
	weights, each := panels*depth*width*size, depth*width
	direct := c.plain() && !c.dtype.IsHalf() && c.p.xs[4] == 1
	c.p.merge = 1
	if depthwise {
		pack, entry, panels = C.ENTRY_conv_pack_depthwise, C.ENTRY_conv_depthwise, taps
		if groups%lanes != 0 {
			direct = false // vectors reach beyond the last channel
			if ow := int(c.p.out[2]); groups < 4*lanes && c.p.stride[2] == 1 && c.p.os[3] == c.p.os[4]*c.p.groups {
				c.p.merge = C.int64_t(min(lanes, ow))
			}
		}
		each = roundUp(groups*int(c.p.merge), lanes)
		weights = taps * each * size
	}
	ws := getWorkspace(c.k, weights)
	defer ws.release()
	c.p.packed = ws.data
	args := c.p
	parallel(panels, 1+(1<<15)/each, c.k.Cancel, func(lo, hi int) { call(pack, unsafe.Pointer(&args), lo, hi) })

	bh, bw, slab := c.unitSize(og * depth * groups)
	slab = (slab + lanes) * size
	if direct {
		slab = 0
	}
	args.bh, args.bw = C.int64_t(bh), C.int64_t(bw)
	units := int(c.p.n*c.p.out[0]) * ceilDiv(int(c.p.out[1]), bh) * ceilDiv(int(c.p.out[2]), bw)
	parallel(units, max(2*convGrain/(bh*bw*og*depth*groups), 1), c.k.Cancel, func(lo, hi int) {
		if slab == 0 {
			call(entry, unsafe.Pointer(&args), lo, hi)
			return
		}
		s := getWorkspace(c.k, slab)
		defer s.release()
		mine := args
		mine.slab = s.data
		call(entry, unsafe.Pointer(&mine), lo, hi)
	})
	return nil
}

// unitSize is how many rows and columns of the result a unit of work makes, where each pixel takes so many
// multiplications, and how many elements of padded input it reads.
func (c *conv) unitSize(pixel int) (bh, bw, input int) {
	channels := int(c.p.c * c.p.groups)
	// A unit is as many whole rows as the slab has room for, but leaves enough units to share.
	oh, ow := int(c.p.out[1]), int(c.p.out[2])
	extent := func(i, n int) int { return (n-1)*int(c.p.stride[i]) + (int(c.p.k[i])-1)*int(c.p.kdil[i]) + 1 }
	room := convSlab / channels / extent(0, 1)
	fits := (room/extent(1, 1)-extent(2, 1))/int(c.p.stride[2]) + 1
	bw = min(ow, max(fits, gemmTileHeight))
	bw = ceilDiv(ow, ceilDiv(ow, bw)) // as wide, for all of the row
	bh = 1
	for bh < oh && extent(2, bw)*extent(1, bh+1) <= room && (bh+1)*bw*pixel <= 8*convGrain {
		bh++
	}
	images := int(c.p.n * c.p.out[0])
	for bh > 1 && images*ceilDiv(oh, bh)*ceilDiv(ow, bw) < 4*threads {
		bh = ceilDiv(bh, 2)
	}
	for bw > gemmTileHeight && images*ceilDiv(oh, bh)*ceilDiv(ow, bw) < 4*threads && bh*bw*pixel > convGrain {
		bw = roundUp(ceilDiv(bw, 2), gemmTileHeight)
	}
	return bh, bw, extent(0, 1) * extent(1, bh) * extent(2, bw) * channels
}

// complex convolves complex64 arrays as four convolutions of real and imaginary parts, which are real arrays of
// twice the strides.
func (c *conv) complex() error {
	for _, p := range [4]struct {
		x, w, o int
		sign    C.float
		add     C.int32_t
	}{{0, 0, 0, 1, 0}, {1, 1, 0, -1, 1}, {0, 1, 1, 1, 0}, {1, 0, 1, 1, 1}} {
		r := *c
		r.dtype, r.p.dtype = dtype.Float32, C.int32_t(dtype.Float32)
		r.p.x, r.p.w, r.p.o = unsafe.Add(c.p.x, 4*p.x), unsafe.Add(c.p.w, 4*p.w), unsafe.Add(c.p.o, 4*p.o)
		for i := range 5 {
			r.p.xs[i], r.p.ws[i], r.p.os[i] = 2*c.p.xs[i], 2*c.p.ws[i], 2*c.p.os[i]
		}
		r.p.alpha, r.p.add = p.sign, p.add
		if err := r.run(); err != nil {
			return err
		}
	}
	return nil
}
