package cpu

/*
#include "kernels/abi_quantize.h"
*/
import "C"

import (
	"slices"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() { launchers[device.KindQuantizedMatMul] = quantizedMatMul }

// qmmBlock is how many values of a quantized matrix are written out at a time.
const qmmBlock = 1 << 20

// qmm is a product of one kernel: o (m, n) = x (m, depth) @ the matrix q, or its transpose.
type qmm struct {
	k           *device.Kernel
	at          device.QuantizedMatMulAttr
	q           C.dequantize_args
	m, n, depth int
	x, o        matrix
	dtype       dtype.Dtype
}

func quantizedMatMul(k *device.Kernel) error {
	at := k.Attr.(device.QuantizedMatMulAttr)
	x, out := &k.In[0], &k.Out[0]
	rank := len(out.Shape)
	if d := out.Dtype; d != dtype.Float32 && !d.IsHalf() {
		return errs.Errorf(errs.TypeError, "[%s] only float32 and halves are multiplied, not %s", k.Op, d)
	}
	p := &plain{k: k}
	defer p.release()
	// Batch axes along which the matrices repeat, as after a broadcast, are no reason to copy them.
	g := &qmm{k: k, at: at, m: x.Shape[rank-2], n: out.Shape[rank-1], depth: x.Shape[rank-1], dtype: out.Dtype}
	g.x = matrix{data: x.Data, rs: x.Strides[rank-2], cs: x.Strides[rank-1]}
	g.o = matrix{data: out.Data, rs: out.Strides[rank-2], cs: out.Strides[rank-1]}
	list, err := g.products(p)
	if err != nil {
		return err
	}
	defer list.release()
	return g.runAll(list.list)
}

// products lists the parts of the kernel; b of a part is the number of its matrix.
func (g *qmm) products(p *plain) (*parts, error) {
	k, rank := g.k, len(g.k.Out[0].Shape)
	batch, last := k.Out[0].Shape[:rank-2], len(k.In)
	outer, experts := len(k.In[1].Shape)-2, 1
	if g.at.Gathered {
		last--
		if err := checkIndices(k, k.In[last:]); err != nil {
			return nil, err
		}
		outer--
		experts = k.In[1].Shape[outer]
	}
	ins := slices.Clone(k.In[1:last])
	steps := oneEach(ins, outer)
	g.q = quantizedOf(p, g.at.QuantizeAttr, ins, g.dtype)
	if p.err != nil {
		return nil, p.err
	}
	matrices := make([]int, rank-2) // outer axes are the first of the batch
	copy(matrices, steps)
	strides := [][]int{k.In[0].Strides[:rank-2], matrices, k.Out[0].Strides[:rank-2]}
	if g.at.Gathered {
		strides = append(strides, k.In[last].Strides)
	}
	w := walk(batch, strides...)
	l := newParts(k, layout.Size(batch))
	for range layout.Size(batch) {
		which := w.offset[1]
		if g.at.Gathered {
			given := integerAt(&k.In[last], w.offset[3])
			e := given
			if e < 0 {
				e += experts
			}
			if e < 0 || e >= experts {
				l.release()
				return nil, errs.Errorf(errs.IndexError, "[%s] index %d is out of bounds for axis %d of shape %s", k.Op,
					given, outer, layout.Format(k.In[1].Shape))
			}
			which = which*experts + e
		}
		next := part{a: w.offset[0], b: which, o: w.offset[2], rows: g.m, depth: g.depth}
		if !l.extends(next, g.m, g.x.rs, g.o.rs) {
			l.list = append(l.list, next)
		}
		w.next()
	}
	return l, nil
}

// oneEach drops from ins the repetitions along the first outer axes, and gives how many matrices (or lists of experts)
// a step along each of those axes is.
func oneEach(ins []device.Tensor, outer int) []int {
	shape := slices.Clone(ins[0].Shape[:outer])
	for axis := range shape {
		repeats := true
		for i := range ins {
			repeats = repeats && ins[i].Strides[axis] == 0
		}
		if repeats {
			shape[axis] = 1
		}
	}
	steps := layout.Strides(shape)
	for axis, n := range shape {
		if n == 1 {
			steps[axis] = 0
		}
	}
	for i := range ins {
		ins[i].Shape = slices.Concat(shape, ins[i].Shape[outer:])
	}
	return steps
}

// runAll runs the products of list, each shared by all cores.
func (g *qmm) runAll(list []part) error {
	size := g.dtype.Size()
	for _, p := range list {
		if canceled(g.k.Cancel) {
			return errs.ErrCanceled
		}
		h := *g
		if g.m == 1 && p.rows > 1 {
			h.x.rs, h.o.rs = p.astep, p.ostep
		}
		h.m, h.x, h.o = p.rows, h.x.offset(p.a, size), h.o.offset(p.o, size)
		rows := h.n
		if !h.at.Transpose {
			rows = h.depth
		}
		h.q = matrixAt(h.q, p.b, rows)
		if done, err := h.dots(); done || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := h.blocks(); err != nil {
			return err
		}
	}
	return nil
}

// blocks writes the matrix out in float32 block by block, and multiplies with each as ever.
func (g *qmm) blocks() error {
	group := g.at.GroupSize
	unit, each := 1, g.depth // columns of the product that a block has at least, and elements in each
	if !g.at.Transpose {
		unit = group
	}
	columns := min(max(qmmBlock/max(each, 1)/unit, 1)*unit, g.n)
	b := getWorkspace(g.k, 4*columns*max(each, 1))
	defer b.release()
	x, o := g.x, g.o
	if g.dtype != dtype.Float32 {
		wide, w, err := castTo(g.k, device.Tensor{Data: x.data, Dtype: g.dtype, Shape: []int{g.m, g.depth},
			Strides: []int{x.rs, x.cs}}, dtype.Float32)
		if err != nil {
			return err
		}
		defer w.release()
		x = matrix{data: wide.Data, rs: g.depth, cs: 1}
		sums := getWorkspace(g.k, 4*g.m*columns)
		defer sums.release()
		o = matrix{data: sums.data, rs: columns, cs: 1}
	}
	for j := 0; j < g.n; j += columns {
		if canceled(g.k.Cancel) {
			return errs.ErrCanceled
		}
		nc := min(columns, g.n-j)
		q := blockAt(g.q, j, 0)
		h := gemm{k: g.k, dtype: dtype.Float32, m: g.m, n: nc, depth: g.depth, alpha: 1, a: x, o: o,
			b: matrix{data: b.data, rs: 1, cs: g.depth}}
		units := nc * g.depth / group
		if !g.at.Transpose {
			q = blockAt(g.q, 0, j/group)
			q.groups = C.int64_t(nc / group)
			h.b.rs, h.b.cs = nc, 1
		}
		q.out, q.widened = b.data, 1
		ranged(C.ENTRY_dequantize, &q, units, quantizeGrain/group, g.k.Cancel)
		if g.dtype == dtype.Float32 {
			h.o = o.offset(j*o.cs, 4)
		}
		if err := h.run(); err != nil {
			return err
		}
		if g.dtype != dtype.Float32 {
			shape := []int{g.m, nc}
			out := device.Tensor{Data: unsafe.Add(g.o.data, j*g.o.cs*g.dtype.Size()), Dtype: g.dtype, Shape: shape,
				Strides: []int{g.o.rs, g.o.cs}}
			if err := cast(g.k, out, device.Tensor{Data: o.data, Dtype: dtype.Float32, Shape: shape,
				Strides: []int{o.rs, o.cs}}); err != nil {
				return err
			}
		}
	}
	return nil
}
