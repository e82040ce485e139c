package cpu

/*
#include "kernels/abi_quantize.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Few rows against the rows of a quantized matrix, whose values are never written out (kernels/quantize_dots.h).

// dotsRows is up to how many rows that is faster than writing the matrix out.
const dotsRows = 32

// dotsGrain is how many multiplications with codes pay for waking another core.
const dotsGrain = 1 << 18

// dots computes the product that way, if it is one for it: done is false otherwise, as where the sum of a group is not
// finite. Such sums would make a NaN of what may be an infinity.
func (g *qmm) dots() (done bool, err error) {
	if !g.at.Transpose || g.m > dotsRows || g.depth == 0 || g.depth > C.QUANTIZE_DEPTH {
		return false, nil
	}
	lanes, block := vectorBytes/4, 32 // elements of a row of x that are laid out together
	if bits := g.at.Bits; g.at.Mode == device.QuantizeAffine && bits&(bits-1) == 0 {
		block = lanes * 32 / bits
	}
	groups := g.depth / g.at.GroupSize
	most := min(g.m, C.QUANTIZE_ROWS)
	step, sums := roundUp(g.depth, block), roundUp(groups, lanes)
	w := getWorkspace(g.k, 4*(most*(step+sums)+1))
	defer w.release()
	terms := unsafe.Slice((*float32)(w.data), most*(step+sums))
	infinite := (*int32)(unsafe.Add(w.data, 4*len(terms)))
	*infinite = 0
	for i := 0; i < g.m; i += most {
		if canceled(g.k.Cancel) {
			return false, errs.ErrCanceled
		}
		size, m := g.dtype.Size(), min(most, g.m-i)
		clear(terms[g.depth/block*block*m : step*m]) // the last block, which may not be filled
		for j := range m {
			clear(terms[most*step+j*sums+groups : most*step+(j+1)*sums])
		}
		x, o := g.x.offset(i*g.x.rs, size), g.o.offset(i*g.o.rs, size)
		c := C.quantize_dots_args{q: g.q, x: x.data, o: o.data, m: C.int64_t(m), n: C.int64_t(g.n),
			k: C.int64_t(g.depth), xrs: C.int64_t(x.rs), xcs: C.int64_t(x.cs),
			ors: C.int64_t(o.rs), ocs: C.int64_t(o.cs),
			terms: (*C.float)(w.data), sums: (*C.float)(unsafe.Pointer(&terms[most*step])),
			sums_step: C.int64_t(sums), infinite: (*C.int32_t)(infinite), stop: stopOf(g.k)}
		ranged(C.ENTRY_quantize_terms, &c, m*groups, max(quantizeGrain/g.at.GroupSize, 1), g.k.Cancel)
		if *infinite != 0 {
			return false, nil
		}
		ranged(C.ENTRY_quantize_dots, &c, g.n, max(dotsGrain/(g.depth*m), 1), g.k.Cancel)
	}
	return true, nil
}
