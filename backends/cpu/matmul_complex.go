package cpu

/*
#include "kernels/abi_gemm.h"
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

// complexRoom bounds the bytes of working space of one step of a complex product. Larger ones go by blocks: no more
// columns and depth than complexSide at a time, or, where b has to be copied, than make a copy of that size.
const (
	complexRoom = 32 << 20
	complexSide = 8192
)

// complex multiplies complex64 matrices as real ones: b is read where it lies, as a matrix of twice the columns or
// rows, and a expanded to twice the rows to match (kernels/gemm_complex.h).
func (g *gemm) complex() error {
	g.foldBatch()
	if n := len(leading(g.shape)); n > 0 {
		return g.outermost(n, (*gemm).complex)
	}
	lies := func(m matrix) bool { return m.cs == 1 || m.rs == 1 }
	if lies(g.a) && (!lies(g.b) || g.n < g.m) {
		// The larger side is read where it lies.
		g.m, g.n = g.n, g.m
		g.a, g.b = g.b.transposed(), g.a.transposed()
		g.o, g.d = g.o.transposed(), g.d.transposed()
	}
	columns, depth := complexSide, complexSide
	if !lies(g.b) {
		columns, depth = 4096, complexRoom/8/4096
	}
	switch wide := g.n > columns || g.depth > depth; {
	case wide && len(g.shape) > 0:
		return g.outermost(1, (*gemm).complex)
	case g.n > columns:
		return g.byColumns(columns)
	case g.depth > depth:
		return g.byDepth(depth)
	}
	if !lies(g.b) {
		w, err := g.gatherB()
		defer w.release()
		if err != nil {
			return err
		}
	}
	k, n := g.expandedSizes()
	row := 8 * (k + n) // bytes of working space
	if items := layout.Size(g.shape); items*g.m*row > complexRoom {
		if len(g.shape) > 0 {
			return g.outermost(1, (*gemm).complex)
		}
		if rows := max(complexRoom/row, 96); rows < g.m {
			return g.byRows(rows)
		}
	}
	return g.expanded()
}

// expandedSizes are the depth and the columns of the real product: a b of contiguous rows has twice the columns, one of
// contiguous columns twice the rows.
func (g *gemm) expandedSizes() (k, n int) {
	if g.b.cs != 1 {
		return 2 * g.depth, g.n
	}
	return g.depth, 2 * g.n
}

// expanded multiplies all at once, in working space.
func (g *gemm) expanded() error {
	along := g.b.cs != 1
	k, n := g.expandedSizes()
	rows := layout.Size(g.shape) * g.m
	expanded, product := getWorkspace(g.k, rows*2*k*4), getWorkspace(g.k, rows*2*n*4)
	defer expanded.release()
	defer product.release()
	c := g.args()
	c.packed, c.sums = expanded.data, product.data
	if along {
		c.along = 1
	}
	shared := c
	parallel(rows, 1+(1<<15)/max(k, 1), g.k.Cancel, func(lo, hi int) {
		call(C.ENTRY_gemm_expand, unsafe.Pointer(&shared), lo, hi)
	})
	steps := func(size int) []int {
		s := layout.Strides(append(slices.Clone(g.shape), size))
		return s[:len(g.shape)]
	}
	double := matrix{g.b.data, 2 * g.b.rs, 1, nil}
	if along {
		double.rs, double.cs = 1, 2*g.b.cs
	}
	for _, s := range g.b.step {
		double.step = append(double.step, 2*s)
	}
	h := gemm{k: g.k, dtype: dtype.Float32, m: 2 * g.m, n: n, depth: k, shape: g.shape, alpha: 1,
		a: matrix{expanded.data, k, 1, steps(2 * g.m * k)}, b: double,
		o: matrix{product.data, n, 1, steps(2 * g.m * n)}}
	if err := h.run(); err != nil {
		return err
	}
	parallel(rows, 1+(1<<15)/max(n, 1), g.k.Cancel, func(lo, hi int) {
		call(C.ENTRY_gemm_join, unsafe.Pointer(&shared), lo, hi)
	})
	return nil
}

// blocks multiplies in steps of so many of n rows, columns or elements of the depth; part makes a step of g.
func (g *gemm) blocks(n, step int, part func(h *gemm, from, size int)) error {
	for from := 0; from < n; from += step {
		if canceled(g.k.Cancel) {
			return errs.ErrCanceled
		}
		h := *g
		part(&h, from, min(step, n-from))
		if err := h.complex(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gemm) byRows(rows int) error {
	return g.blocks(g.m, rows, func(h *gemm, i, n int) {
		h.m, h.a, h.o = n, g.a.offset(i*g.a.rs, 8), g.o.offset(i*g.o.rs, 8)
		if g.d.data != nil {
			h.d = g.d.offset(i*g.d.rs, 8)
		}
	})
}

func (g *gemm) byColumns(columns int) error {
	return g.blocks(g.n, columns, func(h *gemm, j, n int) {
		h.n, h.b, h.o = n, g.b.offset(j*g.b.cs, 8), g.o.offset(j*g.o.cs, 8)
		if g.d.data != nil {
			h.d = g.d.offset(j*g.d.cs, 8)
		}
	})
}

// byDepth adds the products of later parts to those of the first, in the result.
func (g *gemm) byDepth(depth int) error {
	return g.blocks(g.depth, depth, func(h *gemm, p, n int) {
		h.depth, h.a, h.b = n, g.a.offset(p*g.a.cs, 8), g.b.offset(p*g.b.rs, 8)
		if p > 0 {
			h.d, h.beta = g.o, 1
		}
	})
}

// gatherB replaces b by a copy with contiguous rows, in the workspace it returns.
func (g *gemm) gatherB() (workspace, error) {
	shape := append(slices.Clone(g.shape), g.depth, g.n)
	from := device.Tensor{Data: g.b.data, Dtype: g.dtype, Shape: shape, Strides: append(slices.Clone(g.b.step), g.b.rs,
		g.b.cs)}
	to, w := scratchTensor(g.k, g.dtype, shape)
	nd := len(g.shape)
	g.b = matrix{w.data, to.Strides[nd], to.Strides[nd+1], to.Strides[:nd]}
	if g.depth == 0 {
		return w, nil
	}
	return w, cast(g.k, to, from)
}
