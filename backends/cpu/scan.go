package cpu

/*
#include "kernels/abi_scan.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
)

func init() { launchers[device.KindScan] = scan }

// scanChunk is how many elements of a long row are folded apart from the others.
const scanChunk = 1 << 16

func scan(k *device.Kernel) error {
	attr := k.Attr.(device.ScanAttr)
	in, out := k.In[0], k.Out[0]
	if in.Dtype != out.Dtype {
		var w workspace
		var err error
		if in, w, err = castTo(k, in, out.Dtype); err != nil {
			return err
		}
		defer w.release()
	}
	d := in.Dtype
	size := d.Size()
	if attr.Op == device.ScanLogAddExp && !d.IsInexact() {
		return errs.Errorf(errs.TypeError, "[%s] needs a floating-point or complex dtype, not %s", k.Op, d)
	}
	n, is, os := in.Shape[attr.Axis], in.Strides[attr.Axis], out.Strides[attr.Axis]
	src, dst := in.Data, out.Data
	if attr.Reverse {
		src, dst = unsafe.Add(src, (n-1)*is*size), unsafe.Add(dst, (n-1)*os*size)
		is, os = -is, -os
	}
	if !attr.Inclusive {
		// An exclusive scan is the inclusive one of all but the last, one place later.
		first := out
		first.Data = dst
		first.Shape, first.Strides = dropAxis(out.Shape, attr.Axis), dropAxis(out.Strides, attr.Axis)
		identity := scanIdentity(attr.Op, d)
		if err := launchers[device.KindFill](&device.Kernel{Kind: device.KindFill, Op: k.Op, Room: k.Room,
			Out: []device.Tensor{first}, In: []device.Tensor{{Data: unsafe.Pointer(&identity), Dtype: d}},
			Cancel: k.Cancel}); err != nil {
			return err
		}
		n--
		if n == 0 {
			return nil
		}
		dst = unsafe.Add(dst, os*size)
	}
	s := scanLoop{k: k, op: attr.Op, d: d, n: n, is: is, os: os}
	eachOuter(k.Cancel, otherAxes(&in, &out, attr.Axis), func(kept []axis, i, o int) {
		s.in, s.out, s.kept = unsafe.Add(src, i*size), unsafe.Add(dst, o*size), kept
		s.run()
	})
	return nil
}

// scanLoop is a scan along axes that the kernels walk.
type scanLoop struct {
	k         *device.Kernel
	op        device.ScanOp
	d         dtype.Dtype
	in, out   unsafe.Pointer
	kept      []axis
	n, is, os int
}

func (s *scanLoop) run() {
	size := s.d.Size()
	g := C.scan_args{in: s.in, out: s.out, n: C.int64_t(s.n), is: C.int64_t(s.is), os: C.int64_t(s.os),
		chunk: C.int64_t(s.n), chunks: 1, op: C.int64_t(s.op), dtype: C.int64_t(s.d), stop: stopOf(s.k)}
	g.kd = putAxes(s.kept, &g.kshape, &g.kin, &g.kout)
	rows := extent(s.kept)
	if k := len(s.kept) - 1; k >= 0 && s.kept[k].out == 1 && s.kept[k].n >= 8 {
		cols := min(s.kept[k].n, C.SCAN_COLUMNS)
		g.cols = C.int64_t(cols)
		ranged(C.ENTRY_scan, &g, blocks(s.kept, cols), splitWork/2/(cols*s.n), s.k.Cancel)
		return
	}
	chunks := 1
	if s.n >= 2*scanChunk && rows < 16 && s.joins() {
		chunks = (s.n-1)/scanChunk + 1
		g.chunk, g.chunks = scanChunk, C.int64_t(chunks)
	}
	ranged(C.ENTRY_scan, &g, rows*chunks, splitWork/2/int(g.chunk), s.k.Cancel)
	if chunks == 1 || canceled(s.k.Cancel) {
		return
	}
	w := getWorkspace(s.k, rows*chunks*size)
	defer w.release()
	g.carry = w.data
	ranged(C.ENTRY_scan_totals, &g, rows, rows, nil)
	ranged(C.ENTRY_scan_carry, &g, rows*chunks, 1, s.k.Cancel)
}

// joins reports whether chunks of a row may be folded apart and joined. Halves would be rounded twice,
// a float product could overflow in a chunk and not in the row, and logarithms cost as much to join as to fold.
func (s *scanLoop) joins() bool {
	return !s.d.IsHalf() && s.op != device.ScanLogAddExp && !(s.op == device.ScanProd && s.d.IsInexact())
}

// scanIdentity is what an exclusive scan starts with, as the bits of an element.
func scanIdentity(op device.ScanOp, d dtype.Dtype) uint64 {
	float := func(f float64) uint64 {
		switch d {
		case dtype.Float64:
			return math.Float64bits(f)
		case dtype.Float16:
			return uint64(dtype.Float16From(float32(f)))
		case dtype.BFloat16:
			return uint64(dtype.BFloat16From(float32(f)))
		}
		return uint64(math.Float32bits(float32(f)))
	}
	top := uint64(1) << (8*d.Size() - 1) // the sign bit of an integer
	switch {
	case op == device.ScanSum:
		return 0
	case op == device.ScanProd && d.IsInexact():
		return float(1)
	case op == device.ScanProd:
		return 1
	case op == device.ScanLogAddExp:
		return float(math.Inf(-1)) // complex: -inf+0j, exp of which is 0
	case d == dtype.Complex64 && op == device.ScanMax:
		return float(math.Inf(-1))<<32 | float(math.Inf(-1))
	case d == dtype.Complex64:
		return float(math.Inf(1))<<32 | float(math.Inf(1))
	case d.IsFloat() && op == device.ScanMax:
		return float(math.Inf(-1))
	case d.IsFloat():
		return float(math.Inf(1))
	case d == dtype.Bool:
		return map[bool]uint64{true: 0, false: 1}[op == device.ScanMax]
	case d.Group() == dtype.GroupSigned && op == device.ScanMax:
		return top
	case d.Group() == dtype.GroupSigned:
		return top - 1
	case op == device.ScanMax:
		return 0
	}
	return math.MaxUint64
}
