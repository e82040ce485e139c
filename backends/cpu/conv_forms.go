package cpu

/*
#include "kernels/abi_conv.h"
*/
import "C"

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Convolutions that are something simpler: products of matrices, several convolutions without holes, or with one
// channel to a group.

// asMatMul multiplies where the convolution is nothing else: a 1x1 kernel, or one as large as the input.
func (c *conv) asMatMul() (*gemm, bool) {
	if c.p.groups != 1 || !c.plain() {
		return nil, false
	}
	one, whole := true, c.p.flip == 0
	for i := range 3 {
		one = one && c.p.k[i] == 1 && c.p.pad[i] == 0
		whole = whole && c.p.out[i] == 1 && c.p.pad[i] == 0
	}
	g := &gemm{k: c.k, dtype: c.dtype, n: int(c.p.og), alpha: 1}
	switch {
	case one:
		g.b = matrix{c.p.w, int(c.p.ws[4]), int(c.p.ws[0]), nil}
		g.m, g.depth = int(c.p.out[2]), int(c.p.c)
		g.a = matrix{c.p.x, int(c.p.xs[3] * c.p.stride[2]), int(c.p.xs[4]), nil}
		g.o = matrix{c.p.o, int(c.p.os[3]), int(c.p.os[4]), nil}
		for i := range 3 {
			n, s := c.p.n, c.p.xs[0]
			if i > 0 {
				n, s = c.p.out[i-1], c.p.xs[i]*c.p.stride[i-1]
			}
			if n == 1 {
				continue
			}
			g.shape = append(g.shape, int(n))
			g.a.step, g.o.step, g.b.step = append(g.a.step, int(s)), append(g.o.step, int(c.p.os[i])),
				append(g.b.step, 0)
		}
		return g, true
	case whole:
		// What is summed over must be one axis of both operands, in whatever order it lies.
		sum := []axis{{int(c.p.c), int(c.p.xs[4]), int(c.p.ws[4])}}
		for i := range 3 {
			sum = append(sum, axis{int(c.p.k[i]), int(c.p.xs[1+i] * c.p.kdil[i]), int(c.p.ws[1+i])})
		}
		slices.SortStableFunc(sum, func(x, y axis) int { return y.in - x.in })
		if sum = mergeAxes(sum); len(sum) > 1 {
			return nil, false
		}
		sum = append(sum, axis{1, 1, 1})
		g.m, g.depth = int(c.p.n), sum[0].n
		g.a = matrix{c.p.x, int(c.p.xs[0]), sum[0].in, nil}
		g.b = matrix{c.p.w, sum[0].out, int(c.p.ws[0]), nil}
		g.o = matrix{c.p.o, int(c.p.os[0]), int(c.p.os[4]), nil}
		return g, true
	}
	return nil, false
}

// holes is a spatial axis along which the input is spread with zeros between, or -1.
func (c *conv) holes() int {
	for i := range 3 {
		if c.p.idil[i] > 1 && c.p.stride[i] == 1 && c.p.kdil[i] == 1 {
			return i
		}
	}
	return -1
}

// phases convolves apart the results that the same elements of the kernel reach: every idil-th along axis.
func (c *conv) phases(axis int) error {
	size := c.dtype.Size()
	step, taps, pad := int(c.p.idil[axis]), int(c.p.k[axis]), int(c.p.pad[axis])
	for r := range min(step, int(c.p.out[axis])) {
		h := *c
		h.p.o = unsafe.Add(c.p.o, r*int(c.p.os[1+axis])*size)
		h.p.os[1+axis] *= c.p.idil[axis]
		h.p.out[axis] = C.int64_t(ceilDiv(int(c.p.out[axis])-r, step))
		first := ((pad-r)%step + step) % step // the first element that meets no hole
		if first >= taps {
			if err := h.zero(); err != nil {
				return err
			}
			continue
		}
		n := ceilDiv(taps-first, step)
		h.p.k[axis], h.p.idil[axis], h.p.pad[axis] = C.int64_t(n), 1, C.int64_t((pad-r-first)/step)
		if c.p.flip != 0 {
			first = taps - 1 - first - step*(n-1)
		}
		h.p.w = unsafe.Add(c.p.w, first*int(c.p.ws[1+axis])*size)
		h.p.ws[1+axis] *= c.p.idil[axis]
		if err := h.run(); err != nil {
			return err
		}
	}
	return nil
}

// zero writes zeros, or adds them.
func (c *conv) zero() error {
	if c.p.add != 0 {
		return nil
	}
	out := device.Tensor{Data: c.p.o, Dtype: c.dtype,
		Shape: layout.Shape{int(c.p.n), int(c.p.out[0]), int(c.p.out[1]), int(c.p.out[2]), int(c.p.groups * c.p.og)}}
	for _, s := range c.p.os {
		out.Strides = append(out.Strides, int(s))
	}
	zero := zeroOf(c.dtype)
	zero.Shape, zero.Strides = out.Shape, make([]int, len(out.Shape))
	return cast(c.k, out, zero)
}

// multiplied convolves each group's one channel to one of its outputs at a time.
func (c *conv) multiplied() error {
	for j := range int(c.p.og) {
		h := *c
		h.p.w = unsafe.Add(c.p.w, j*int(c.p.ws[0])*c.dtype.Size())
		h.p.o = unsafe.Add(c.p.o, j*int(c.p.os[4])*c.dtype.Size())
		h.p.ws[0], h.p.os[4], h.p.og = c.p.ws[0]*c.p.og, c.p.os[4]*c.p.og, 1
		if err := h.run(); err != nil {
			return err
		}
	}
	return nil
}

// isOuter reports whether outer applies and pays.
func (c *conv) isOuter() bool {
	taps, places := c.p.c, C.int64_t(1)
	for i := range 3 {
		if c.p.stride[i] != 1 || c.p.idil[i] != 1 && c.p.in[i] > 1 {
			return false
		}
		taps, places = taps*c.p.k[i], places*c.p.out[i]
	}
	return c.p.groups == 1 && c.p.add == 0 && c.p.alpha == 1 && c.p.flip == 0 && taps >= 64 && taps > places &&
		(c.p.n == 1 || c.p.xs[0] == 1) && (c.p.og == 1 || c.p.ws[0] == 1)
}

// outer is for kernels longer than the result: see kernels/conv_outer.h.
func (c *conv) outer() error {
	size := max(c.dtype.Size(), 4)
	wide := c.dtype
	if wide.IsHalf() {
		wide = dtype.Float32
	}
	x, err := c.padded(wide)
	if x.data != nil {
		defer x.release()
	}
	if err != nil {
		return err
	}
	w, err := c.flatKernel(wide)
	if w.data != nil {
		defer w.release()
	}
	if err != nil {
		return err
	}
	lanes := vectorBytes / size
	width := 2 * lanes
	if int(c.p.og) <= lanes {
		width = lanes
	}
	rows, run := int(c.p.c*c.p.k[0]*c.p.k[1]), int(c.p.k[2])
	panels := ceilDiv(int(c.p.og), width)
	packed := getWorkspace(c.k, panels*rows*run*width*size)
	defer packed.release()
	c.p.packed, c.p.width = packed.data, C.int64_t(width)
	pack := c.p
	pack.dtype = C.int32_t(wide)
	parallel(panels*ceilDiv(rows*run, C.CONV_OUTER_RUN), 1+(1<<15)/(C.CONV_OUTER_RUN*width), c.k.Cancel,
		func(lo, hi int) {
			call(C.ENTRY_conv_outer_pack, unsafe.Pointer(&pack), lo, hi)
		})
	tiles := int(c.p.out[0]*c.p.out[1]) * ceilDiv(int(c.p.out[2]*c.p.n), gemmTileHeight) * panels
	tile := gemmTileHeight * width
	work := tile * rows * run // of a tile
	// Few tiles are divided along the kernel; in how many parts depends on the problem only, and so do the sums.
	parts := max(1, min(ceilDiv(32, tiles), rows, tiles*work/(4*convGrain)))
	sums := getWorkspace(c.k, parts*tiles*tile*size)
	defer sums.release()
	c.p.slab, c.p.parts = sums.data, C.int64_t(parts)
	// Rows of the kernel share L2 with theirs of x.
	c.p.bh = C.int64_t(max((256<<10)/(size*run*int(c.p.n+c.p.og)), 1))
	args := c.p
	parallel(parts*tiles, max(max(parts*tiles/(4*threads), 1), 2*convGrain*parts/work), c.k.Cancel, func(lo, hi int) {
		call(C.ENTRY_conv_outer, unsafe.Pointer(&args), lo, hi)
	})
	parallel(tiles, 1+(1<<14)/(tile*parts), c.k.Cancel,
		func(lo, hi int) { call(C.ENTRY_conv_outer_emit, unsafe.Pointer(&args), lo, hi) })
	return nil
}

// padded makes x the input with its padding, of dtype d and with the batch innermost: in place, or in the workspace it
// returns.
func (c *conv) padded(d dtype.Dtype) (w workspace, err error) {
	if c.plain() && c.dtype == d && c.p.xs[3] == c.p.n {
		for i := range 3 {
			c.p.x = unsafe.Add(c.p.x, -int(c.p.pad[i]*c.p.xs[1+i])*d.Size())
		}
		return w, nil
	}
	// Axes are in the order of the copy: channel, depth, height, width, batch.
	from := device.Tensor{Data: c.p.x, Dtype: c.dtype, Shape: layout.Shape{int(c.p.c)}, Strides: []int{int(c.p.xs[4])}}
	shape, at := layout.Shape{int(c.p.c)}, 0
	starts := make([]int, 3)
	for i := range 3 {
		extent := int((c.p.out[i]-1)+(c.p.k[i]-1)*c.p.kdil[i]) + 1
		pad := int(c.p.pad[i])
		begin, lead := max(-pad, 0), max(pad, 0)
		shape, starts[i] = append(shape, extent), lead
		from.Shape = append(from.Shape, max(min(int(c.p.in[i])-begin, extent-lead), 0))
		from.Strides = append(from.Strides, int(c.p.xs[1+i]))
		at += begin * int(c.p.xs[1+i])
	}
	shape, from.Shape, from.Strides = append(shape, int(c.p.n)), append(from.Shape, int(c.p.n)),
		append(from.Strides, int(c.p.xs[0]))
	to, w := scratchTensor(c.k, d, shape)
	c.p.x, c.p.xs = w.data, [5]C.int64_t{1, C.int64_t(to.Strides[1]), C.int64_t(to.Strides[2]),
		C.int64_t(to.Strides[3]), C.int64_t(to.Strides[0])}
	if !slices.Equal(from.Shape, shape) {
		zero := device.Kernel{Kind: device.KindFill, Op: c.k.Op, Out: []device.Tensor{to},
			In: []device.Tensor{zeroOf(d)}, Cancel: c.k.Cancel}
		if err = launchers[device.KindFill](&zero); err != nil {
			return w, err
		}
	}
	if layout.Size(from.Shape) == 0 {
		return w, nil
	}
	from.Data = unsafe.Add(from.Data, at*c.dtype.Size())
	lead := 0
	for i, s := range starts {
		lead += s * to.Strides[1+i]
	}
	to.Data, to.Shape = unsafe.Add(to.Data, lead*d.Size()), from.Shape
	return w, cast(c.k, to, from)
}

// flatKernel makes the kernel of dtype d and its channels and positions one axis: in place, or in the workspace it
// returns.
func (c *conv) flatKernel(d dtype.Dtype) (w workspace, err error) {
	from := device.Tensor{Data: c.p.w, Dtype: c.dtype,
		Shape:   layout.Shape{int(c.p.c), int(c.p.k[0]), int(c.p.k[1]), int(c.p.k[2]), int(c.p.og)},
		Strides: []int{int(c.p.ws[4]), int(c.p.ws[1]), int(c.p.ws[2]), int(c.p.ws[3]), int(c.p.ws[0])}}
	if flat, s := layout.Collapse(from.Shape[:4], from.Strides[:4]); len(flat) <= 1 && c.dtype == d {
		if len(flat) == 1 {
			c.p.ws[3] = C.int64_t(s[0][0])
		}
		return w, nil
	}
	to, w := scratchTensor(c.k, d, from.Shape)
	c.p.w, c.p.ws[0], c.p.ws[3] = w.data, 1, c.p.og
	return w, cast(c.k, to, from)
}
