package cpu

/*
#include "kernels/abi_attention.h"
*/
import "C"

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { launchers[device.KindAttention] = attention }

const (
	attentionRows   = 32       // rows of queries for which keys and values are read as they lie
	attentionPacked = 32 << 20 // bytes of keys and values that are packed together, if a head has no more
)

// attend is a launch of KindAttention.
type attend struct {
	k                     *device.Kernel
	g                     C.attention_args
	heads, rows           int // heads of keys in all, and rows of queries that read one
	keys, depth, width    int
	size, vector, columns int // bytes of a number, numbers of a vector, and of a panel of queries
}

func attention(k *device.Kernel) error {
	at := k.Attr.(device.AttentionAttr)
	q, keys, v, out := &k.In[0], &k.In[1], &k.In[2], &k.Out[0]
	heads := keys.Shape[1]
	if out.Size() == 0 {
		return nil
	}
	i64 := func(x int) C.int64_t { return C.int64_t(x) }
	g := C.attention_args{q: q.Data, k: keys.Data, v: v.Data, out: out.Data,
		kv_heads: i64(heads), group: i64(q.Shape[1] / heads), lq: i64(q.Shape[2]), lk: i64(keys.Shape[2]),
		d: i64(q.Shape[3]), dv: i64(v.Shape[3]),
		qb: i64(q.Strides[0]), qh: i64(q.Strides[1]), ql: i64(q.Strides[2]), qd: i64(q.Strides[3]),
		kb: i64(keys.Strides[0]), kh: i64(keys.Strides[1]), kl: i64(keys.Strides[2]), kd: i64(keys.Strides[3]),
		vb: i64(v.Strides[0]), vh: i64(v.Strides[1]), vl: i64(v.Strides[2]), vd: i64(v.Strides[3]),
		ob: i64(out.Strides[0]), oh: i64(out.Strides[1]), ol: i64(out.Strides[2]),
		scale: C.double(at.Scale), dtype: i64(int(out.Dtype)), stop: stopOf(k)}
	if at.Causal {
		g.causal = 1
	}
	if at.HasMask {
		m := &k.In[3]
		g.mask, g.mb, g.mh, g.ml, g.mk = m.Data, i64(m.Strides[0]), i64(m.Strides[1]), i64(m.Strides[2]),
			i64(m.Strides[3])
		if m.Dtype == dtype.Bool {
			g.bool_mask = 1
		}
	}
	if at.HasSinks {
		s := &k.In[len(k.In)-1]
		g.sinks, g.sb, g.sh = s.Data, i64(s.Strides[0]), i64(s.Strides[1])
	}
	size := max(out.Dtype.Size(), 4)
	a := &attend{k: k, g: g, heads: q.Shape[0] * heads, rows: q.Shape[1] / heads * q.Shape[2], keys: keys.Shape[2],
		depth: q.Shape[3], width: v.Shape[3], size: size, vector: vectorBytes / size, columns: 2 * vectorBytes / size}
	if a.rows <= attentionRows {
		a.few()
	} else {
		a.many()
	}
	return nil
}

// units runs the kernel over n units in pieces of about grain, each with room for so many numbers.
func (a *attend) units(entry, n, grain, numbers int) {
	parallel(n, grain, a.k.Cancel, func(lo, hi int) {
		w := getWorkspace(a.k, numbers*a.size)
		defer w.release()
		g := a.g
		g.scratch = w.data
		callBare(entry, unsafe.Pointer(&g), lo, hi)
	})
}

// grain is how many units, of so many products of queries and keys each, are worth another core's time.
func (a *attend) grain(products int) int {
	return max(gemmGrain/4/max(products*(a.depth+a.width), 1), 1)
}

// few is for few rows: the units of a head are its splits, whose results are joined.
func (a *attend) few() {
	splits := max(ceilDiv(a.keys, C.ATTENTION_SPLIT), 1)
	a.g.splits = C.int64_t(splits)
	if splits > 1 {
		parts := getWorkspace(a.k, a.heads*splits*a.rows*(a.width+2)*a.size)
		defer parts.release()
		a.g.parts = parts.data
	}
	depth, width := roundUp(a.depth, a.vector), roundUp(a.width, a.columns)
	numbers := a.rows*(depth+width+C.ATTENTION_BLOCK+2) + C.ATTENTION_BLOCK*(depth+width)
	a.units(C.ENTRY_attention_rows, a.heads*splits, a.grain(a.rows*min(a.keys, C.ATTENTION_SPLIT)), numbers)
	if splits > 1 {
		a.units(C.ENTRY_attention_join, a.heads*a.rows, 1+(1<<15)/(splits*(a.width+2)), a.width)
	}
}

// many packs the keys and values of as many heads as fit, and multiplies them with their queries.
func (a *attend) many() {
	tiles := ceilDiv(a.keys, C.ATTENTION_KEYS)
	head := roundUp(a.keys, gemmTileHeight)*a.depth + a.keys*roundUp(a.width, gemmTileHeight)
	wave := min(max(attentionPacked/max(head*a.size, 1), 1), a.heads)
	packed := getWorkspace(a.k, wave*head*a.size)
	defer packed.release()
	a.g.packed = packed.data
	panels := C.ATTENTION_QUERIES / a.columns
	numbers := panels*(int(C.ATTENTION_STATE)/a.size+(a.depth+a.width)*a.columns) +
		3*C.ATTENTION_KEYS*a.columns + a.width + 64
	for first := 0; first < a.heads && !canceled(a.k.Cancel); first += wave {
		n := min(wave, a.heads-first)
		a.g.first = C.int64_t(first)
		a.units(C.ENTRY_attention_pack, n*tiles, 1+(1<<15)/(C.ATTENTION_KEYS*(a.depth+a.width)+1), 0)
		a.units(C.ENTRY_attention_tiles, n*ceilDiv(a.rows, C.ATTENTION_QUERIES), a.grain(C.ATTENTION_QUERIES*a.keys),
			numbers)
	}
}
