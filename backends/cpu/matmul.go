package cpu

/*
#include "kernels/abi_gemm.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

func init() {
	launchers[device.KindMatMul] = matmul
	readLevel()
}

// Blocking of the matrix kernels.
const (
	gemmColumns  = 4096     // columns of a block of b, in the last-level cache
	gemmTogether = 16 << 20 // bytes of blocks of b that are packed together
	gemmGrain    = 1 << 21  // multiplications that pay for waking another core: about 20 us
)

// gemmLevel is what the kernels of the chosen instruction set say of themselves; the other variables follow from it.
var (
	gemmLevel                               C.gemm_level_args
	vectorBytes, gemmTileHeight, gemmABlock int
	gemmDepth                               int // the most rows of a block of b
)

// readLevel asks the kernels in entries for what Go must know of their blocking.
func readLevel() {
	callBare(C.ENTRY_gemm_level, unsafe.Pointer(&gemmLevel), 0, 1)
	vectorBytes, gemmTileHeight = int(gemmLevel.vector_bytes), int(gemmLevel.tile_rows)
	gemmABlock, gemmDepth = int(gemmLevel.a_block), 384
	if vectorBytes == 64 {
		gemmDepth = 512
	}
}

// pairs reports whether kernels/gemm_pairs.h applies.
func (g *gemm) pairs() bool { return g.dtype == dtype.BFloat16 && gemmLevel.pairs != 0 }

// matrix is a batch of matrices in memory: element [i,j] of item q lies at data + (q.step + i*rs + j*cs).
type matrix struct {
	data   unsafe.Pointer
	rs, cs int
	step   []int // per batch axis
}

func (m matrix) transposed() matrix { m.rs, m.cs = m.cs, m.rs; return m }

func (m matrix) offset(elements, size int) matrix {
	m.data = unsafe.Add(m.data, elements*size)
	return m
}

// gemm is o = alpha * a@b + beta * d per item of a batch.
type gemm struct {
	k           *device.Kernel
	dtype       dtype.Dtype
	m, n, depth int
	shape       []int // of the batch
	a, b, o     matrix
	d           matrix // data is nil when absent
	alpha, beta float32
}

func matmul(k *device.Kernel) error {
	t := &k.Out[0]
	nd := len(t.Shape)
	g := gemm{k: k, dtype: t.Dtype, m: t.Shape[nd-2], n: t.Shape[nd-1], depth: k.In[0].Shape[nd-1], alpha: 1}
	if !t.Dtype.IsInexact() {
		return errs.Errorf(errs.TypeError, "[%s] only floating point and complex64 matrices are multiplied, not %s",
			k.Op, t.Dtype)
	}
	operands := []*device.Tensor{&k.In[0], &k.In[1], t}
	if len(k.In) > 2 {
		attr := k.Attr.(device.MatMulAttr)
		g.alpha, g.beta = attr.Alpha, attr.Beta
		operands = append(operands, &k.In[2])
	}
	steps := make([][]int, len(operands))
	if nd > 2 {
		for i, x := range operands {
			steps[i] = x.Strides[:nd-2]
		}
		g.shape, steps = layout.Collapse(t.Shape[:nd-2], steps...)
	}
	for i, x := range operands {
		*[]*matrix{&g.a, &g.b, &g.o, &g.d}[i] = matrix{x.Data, x.Strides[nd-2], x.Strides[nd-1], steps[i]}
	}
	if t.Dtype == dtype.Complex64 {
		return g.complex()
	}
	return g.run()
}

// run multiplies real matrices.
func (g *gemm) run() error {
	g.foldBatch()
	if n := len(leading(g.shape)); n > 0 {
		return g.outermost(n, (*gemm).run)
	}
	lanes := vectorBytes / max(g.dtype.Size(), 4)
	if g.n < g.m && g.n <= lanes/2 {
		// The tiles are wide and low: let the thin side be the rows.
		g.m, g.n = g.n, g.m
		g.a, g.b = g.b.transposed(), g.a.transposed()
		g.o, g.d = g.o.transposed(), g.d.transposed()
	}
	work := g.m * g.n * g.depth
	fewest, least, most := 96, 1<<24, 64 // rows and work from which packing pays, rows up to which dots are as good
	if g.pairs() {
		fewest, least, most = 16, 1<<22, 192
	}
	switch {
	case g.b.rs == 1 && g.b.cs != 1 && g.depth >= 2*lanes && (g.m <= lanes || g.m <= most && g.depth >= 256):
		return g.dots()
	case g.b.cs == 1 && g.m <= 4 && g.n >= 8*lanes:
		return g.sweep()
	case g.m >= fewest && g.n >= 4*lanes && g.depth >= 32 && work >= least:
		return g.packed()
	}
	return g.tiles()
}

// foldBatch makes rows of batch axes along which b repeats.
func (g *gemm) foldBatch() {
	for last := len(g.shape) - 1; last >= 0; last = len(g.shape) - 1 {
		rows := func(m *matrix) bool {
			return m.data == nil || g.m == 1 || m.step[last] == g.m*m.rs
		}
		if g.b.step[last] != 0 || !rows(&g.a) || !rows(&g.o) || !rows(&g.d) {
			return
		}
		for _, m := range []*matrix{&g.a, &g.o, &g.d} {
			if m.data == nil {
				continue
			}
			if g.m == 1 {
				m.rs = m.step[last]
			}
			m.step = m.step[:last]
		}
		g.b.step = g.b.step[:last]
		g.m *= g.shape[last]
		g.shape = g.shape[:last]
	}
}

// outermost runs f for each index of the first n batch axes.
func (g *gemm) outermost(n int, f func(*gemm) error) error {
	return eachIndex(g.k.Cancel, g.shape[:n], func(at []int) error {
		h := *g
		h.shape = g.shape[n:]
		for _, m := range []*matrix{&h.a, &h.b, &h.o, &h.d} {
			if m.data != nil {
				*m = m.offset(dot(at, m.step), g.dtype.Size())
				m.step = m.step[n:]
			}
		}
		return f(&h)
	})
}

func (g *gemm) args() C.gemm_args {
	c := C.gemm_args{
		a: g.a.data, b: g.b.data, d: g.d.data, o: g.o.data,
		m: C.int64_t(g.m), n: C.int64_t(g.n), k: C.int64_t(g.depth),
		ars: C.int64_t(g.a.rs), acs: C.int64_t(g.a.cs), brs: C.int64_t(g.b.rs), bcs: C.int64_t(g.b.cs),
		drs: C.int64_t(g.d.rs), dcs: C.int64_t(g.d.cs), ors: C.int64_t(g.o.rs), ocs: C.int64_t(g.o.cs),
		axes: C.int64_t(len(g.shape)), alpha: C.float(g.alpha), beta: C.float(g.beta), dtype: C.int32_t(g.dtype),
		stop: stopOf(g.k),
	}
	for i, n := range g.shape {
		c.shape[i] = C.int64_t(n)
		c.astep[i], c.bstep[i], c.ostep[i] = C.int64_t(g.a.step[i]), C.int64_t(g.b.step[i]), C.int64_t(g.o.step[i])
		if g.d.data != nil {
			c.dstep[i] = C.int64_t(g.d.step[i])
		}
	}
	return c
}

// launch runs the units of a kernel that packs nothing on as many cores as their work pays for.
func (g *gemm) launch(entry int, c *C.gemm_args) {
	rb, cb := int(c.rb), int(c.cb)
	items := layout.Size(g.shape)
	units := items * ceilDiv(g.m, rb) * ceilDiv(g.n, cb)
	each := min(rb, g.m) * min(cb, g.n) * max(g.depth, 1)
	if units*each <= gemmGrain || threads == 1 && units*each <= 64*gemmGrain {
		call(entry, unsafe.Pointer(c), 0, units)
		return
	}
	args := *c
	parallel(units, max(gemmGrain/2/each, 1), g.k.Cancel, func(lo, hi int) {
		call(entry, unsafe.Pointer(&args), lo, hi)
	})
}

// wideA replaces a by contiguous rows of float32, or float64, in the workspace it returns.
func (g *gemm) wideA(c *C.gemm_args) workspace {
	rows := layout.Size(g.shape) * g.m
	size := max(g.dtype.Size(), 4)
	s := getWorkspace(g.k, rows*g.depth*size)
	c.packed = s.data
	args := *c
	parallel(rows, 1+(1<<16)/max(g.depth, 1), g.k.Cancel, func(lo, hi int) {
		call(C.ENTRY_gemm_rows, unsafe.Pointer(&args), lo, hi)
	})
	c.a, c.ars, c.acs = s.data, C.int64_t(g.depth), 1
	step := g.m * g.depth
	for i := len(g.shape) - 1; i >= 0; i-- {
		c.astep[i] = C.int64_t(step)
		step *= g.shape[i]
	}
	return s
}

// dots is for few rows and a b that runs along k.
func (g *gemm) dots() error {
	c := g.args()
	pairs := g.pairs()
	if pairs {
		c.pairs = 1
	}
	if g.dtype.IsHalf() && !pairs || g.a.cs != 1 {
		defer g.wideA(&c).release()
	}
	c.rb, c.cb = C.int64_t(g.m), C.GEMM_DOTS
	g.launch(C.ENTRY_gemm_dots, &c)
	return nil
}

// sweep is for at most four rows and a b with contiguous rows.
func (g *gemm) sweep() error {
	c := g.args()
	if g.dtype.IsHalf() && g.depth > 0 {
		defer g.wideA(&c).release()
	}
	c.rb, c.cb = C.int64_t(g.m), C.GEMM_SWEEP
	g.launch(C.ENTRY_gemm_sweep, &c)
	return nil
}

// tiles is for products too small or too thin to pay for packing.
func (g *gemm) tiles() error {
	c := g.args()
	if g.dtype.IsHalf() && g.depth > 0 {
		defer g.wideA(&c).release()
	}
	c.rb, c.cb = C.GEMM_ROWS, 256
	if units := layout.Size(g.shape) * ceilDiv(g.m, C.GEMM_ROWS); units < 4*threads && g.m*g.n*g.depth > gemmGrain {
		c.cb = C.int64_t(min(256, roundUp(ceilDiv(g.n*units, 4*threads), 64)))
	}
	g.launch(C.ENTRY_gemm_tiles, &c)
	return nil
}

// blockRows is the height of the blocks of a, up to most: one with which the core that gets most of them gets few rows.
func (g *gemm) blockRows(most int) int {
	load := func(rows int) int { return ceilDiv(ceilDiv(g.m, rows), threads) * rows }
	most = most / gemmTileHeight * gemmTileHeight
	best := most
	for rows := most; rows >= most/3; rows -= gemmTileHeight {
		if load(rows) < load(best) {
			best = rows
		}
	}
	return best
}

// packed goes through the blocks of b; packing one, and then multiplying with it, are parallel loops.
func (g *gemm) packed() error {
	if n := len(g.shape); n > 0 {
		return g.outermost(n, (*gemm).packed)
	}
	size := max(g.dtype.Size(), 4)
	width := 2 * vectorBytes / size
	pair := 1 // elements in a word of a packed column
	if g.pairs() {
		pair = 2
	}
	words := ceilDiv(g.depth, pair)
	words = ceilDiv(words, ceilDiv(words, gemmDepth))
	depth := words * pair
	rows := g.blockRows(min(144, gemmABlock/size/words))
	columns := gemmColumns * 4 / size
	// Sums over several blocks of the depth wait in the result, unless it is of halves or also an operand.
	apart := g.depth > depth && (g.dtype.IsHalf() || g.d.data == g.o.data)
	if apart {
		columns = min(columns, roundUp(max((16<<20)/(size*g.m), 512), width))
	}
	columns = min(columns, roundUp(g.n, width))
	c := g.args()
	block := columns * words * size // bytes
	together := min(max(gemmTogether/block, 1), ceilDiv(g.depth, depth))
	s := getWorkspace(g.k, together*block)
	defer s.release()
	c.packed = s.data
	if apart {
		sums := getWorkspace(g.k, g.m*columns*size)
		defer sums.release()
		c.sums = sums.data
	}
	for j := 0; j < g.n; j += columns {
		nc := min(columns, g.n-j)
		// Enough units to share between the cores, yet each packs its block of a but once.
		blocks := ceilDiv(g.m, rows)
		cb := roundUp(nc, width)
		if blocks < 4*threads && threads > 1 {
			cb = roundUp(max(ceilDiv(nc*blocks, 4*threads), 128), width)
		}
		// Blocks of the depth that fit together are packed together, so that the cores meet once for all of them.
		for p := 0; p < g.depth; p += depth * together {
			if canceled(g.k.Cancel) {
				return errs.ErrCanceled
			}
			var steps []C.gemm_args
			for q := p; q < min(g.depth, p+depth*together); q += depth {
				c.packed = unsafe.Add(s.data, len(steps)*block)
				c.jc, c.nc, c.pc, c.kc = C.int64_t(j), C.int64_t(nc), C.int64_t(q), C.int64_t(min(depth, g.depth-q))
				c.rb, c.cb = C.int64_t(rows), C.int64_t(cb)
				steps = append(steps, c)
			}
			panels := ceilDiv(nc, width)
			parallel(len(steps)*panels, 1+(1<<15)/(width*words), g.k.Cancel, func(lo, hi int) {
				for u := lo; u < hi; u++ {
					call(C.ENTRY_gemm_pack, unsafe.Pointer(&steps[u/panels]), u%panels, u%panels+1)
				}
			})
			parallel(blocks*ceilDiv(nc, cb), 1, g.k.Cancel, func(lo, hi int) {
				for u := lo; u < hi; u++ {
					for i := range steps {
						call(C.ENTRY_gemm_block, unsafe.Pointer(&steps[i]), u, u+1)
					}
				}
			})
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func roundUp(a, b int) int { return ceilDiv(a, b) * b }
