package cpu

import (
	"math"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// Products of parts that arrays of integers name: of matrices (gatherMatMul) and of ranges of the inner axis
// (segmentedMatMul). Both list the products first, each a part of operands in memory, and then run them as gemms.

func init() {
	launchers[device.KindGatherMatMul] = gatherMatMul
	launchers[device.KindSegmentedMatMul] = segmentedMatMul
}

// part is one product of the list: where its operands begin, in elements, and what is particular to it. The steps are
// between rows of a and of the result where consecutive matrices of one row each are taken together.
type part struct {
	a, b, o      int
	rows, depth  int
	astep, ostep int
}

// integerAt reads element offset of t, of an integer dtype; a uint64 above the range of int is its largest.
func integerAt(t *device.Tensor, offset int) int {
	p := unsafe.Add(t.Data, offset*t.Dtype.Size())
	switch t.Dtype {
	case dtype.Int8:
		return int(*(*int8)(p))
	case dtype.Int16:
		return int(*(*int16)(p))
	case dtype.Int32:
		return int(*(*int32)(p))
	case dtype.Int64:
		return int(*(*int64)(p))
	case dtype.Uint8:
		return int(*(*uint8)(p))
	case dtype.Uint16:
		return int(*(*uint16)(p))
	case dtype.Uint32:
		return int(*(*uint32)(p))
	}
	return int(min(*(*uint64)(p), math.MaxInt))
}

// parts is a list of products in the workspace.
type parts struct {
	workspace
	list []part
}

func newParts(k *device.Kernel, most int) *parts {
	s := getWorkspace(k, most*int(unsafe.Sizeof(part{})))
	return &parts{s, unsafe.Slice((*part)(s.data), most)[:0]}
}

// extends makes the product p, of m rows, more rows of the last one, if it lies behind it and has the same b. Single
// rows may lie anywhere, as long as their distance stays the same.
func (l *parts) extends(p part, m, ars, ors int) bool {
	if len(l.list) == 0 {
		return false
	}
	last := &l.list[len(l.list)-1]
	n := last.rows / m // matrices taken together so far
	if p.b != last.b {
		return false
	}
	if n == 1 {
		astep, ostep := p.a-last.a, p.o-last.o
		if m > 1 && (astep != m*ars || ostep != m*ors) {
			return false
		}
		last.astep, last.ostep = astep, ostep
	} else if p.a != last.a+n*last.astep || p.o != last.o+n*last.ostep {
		return false
	}
	last.rows += m
	return true
}

func gatherMatMul(k *device.Kernel) error {
	a, b, indices, out := &k.In[0], &k.In[1], &k.In[2], &k.Out[0]
	if err := checkParts(k); err != nil {
		return err
	}
	rank, outer := len(out.Shape), len(b.Shape)-3
	batch, experts := out.Shape[:rank-2], b.Shape[outer]
	matrices := make([]int, rank-2) // steps of b: its outer axes are the first of the batch
	copy(matrices, b.Strides[:outer])
	w := walk(batch, a.Strides[:rank-2], matrices, out.Strides[:rank-2], indices.Strides)
	g := gemmOf(k, a, b, out)
	l := newParts(k, layout.Size(batch))
	defer l.release()
	for range layout.Size(batch) {
		given := integerAt(indices, w.offset[3])
		which := given
		if which < 0 {
			which += experts
		}
		if which < 0 || which >= experts {
			return errs.Errorf(errs.IndexError, "[%s] index %d is out of bounds for axis %d of shape %s", k.Op,
				given, outer, layout.Format(b.Shape))
		}
		p := part{a: w.offset[0], b: w.offset[1] + which*b.Strides[outer], o: w.offset[2], rows: g.m, depth: g.depth}
		if !l.extends(p, g.m, g.a.rs, g.o.rs) {
			l.list = append(l.list, p)
		}
		w.next()
	}
	return g.runParts(l.list)
}

func segmentedMatMul(k *device.Kernel) error {
	a, b, segments, out := &k.In[0], &k.In[1], &k.In[2], &k.Out[0]
	if err := checkParts(k); err != nil {
		return err
	}
	rank, outer := len(out.Shape), len(a.Shape)-2
	batch := out.Shape[:rank-2]
	as, bs := make([]int, rank-2), make([]int, rank-2) // the outer axes are the first of the batch
	copy(as, a.Strides[:outer])
	copy(bs, b.Strides[:outer])
	w := walk(batch, as, bs, out.Strides[:rank-2], segments.Strides[:rank-2])
	g := gemmOf(k, a, b, out)
	l := newParts(k, layout.Size(batch))
	defer l.release()
	for range layout.Size(batch) {
		from := integerAt(segments, w.offset[3])
		to := integerAt(segments, w.offset[3]+segments.Strides[rank-2])
		for _, bound := range []int{from, to} {
			if bound < 0 || bound > g.depth {
				return errs.Errorf(errs.IndexError, device.SegmentMessage, k.Op, bound, g.depth, layout.Format(a.Shape))
			}
		}
		l.list = append(l.list, part{a: w.offset[0] + from*g.a.cs, b: w.offset[1] + from*g.b.rs, o: w.offset[2],
			rows: g.m, depth: max(to-from, 0)})
		w.next()
	}
	return g.runParts(l.list)
}

func checkParts(k *device.Kernel) error {
	if d := k.Out[0].Dtype; !d.IsFloat() {
		return errs.Errorf(errs.TypeError, "[%s] only real floating point matrices are multiplied, not %s", k.Op, d)
	}
	return checkIndices(k, k.In[2:])
}

// gemmOf is the product of the last two axes of a and b.
func gemmOf(k *device.Kernel, a, b, out *device.Tensor) *gemm {
	last := func(t *device.Tensor) matrix {
		n := len(t.Shape)
		return matrix{data: t.Data, rs: t.Strides[n-2], cs: t.Strides[n-1]}
	}
	na, nb := len(a.Shape), len(b.Shape)
	return &gemm{k: k, dtype: out.Dtype, m: a.Shape[na-2], n: b.Shape[nb-1], depth: a.Shape[na-1], alpha: 1,
		a: last(a), b: last(b), o: last(out)}
}

// runParts runs the products of list. Where there are more of them than cores each is one core's, otherwise all cores
// share each.
func (g *gemm) runParts(list []part) error {
	size := g.dtype.Size()
	run := func(lo, hi int) {
		for i := lo; i < hi && !canceled(g.k.Cancel); i++ {
			h, p := *g, &list[i]
			if h.m == 1 && p.rows > 1 {
				h.a.rs, h.o.rs = p.astep, p.ostep
			}
			h.m, h.depth = p.rows, p.depth
			h.a, h.b, h.o = h.a.offset(p.a, size), h.b.offset(p.b, size), h.o.offset(p.o, size)
			if err := h.run(); err != nil {
				return // given up, which is all that may happen to it
			}
		}
	}
	if len(list) < 2*threads {
		run(0, len(list))
	} else {
		each := max(g.m*g.n*max(g.depth, 1), 1)
		parallel(len(list), max(gemmGrain/2/each, 1), g.k.Cancel, run)
	}
	if canceled(g.k.Cancel) {
		return errs.ErrCanceled
	}
	return nil
}
