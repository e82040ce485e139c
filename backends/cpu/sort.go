package cpu

/*
#include "kernels/abi_sort.h"
*/
import "C"

import (
	"math/bits"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { launchers[device.KindSort] = sortAxis }

// vectorSort reports whether the kernels sort 32 and 64-bit keys, which is faster than by digits.
func vectorSort() bool {
	var yes int64
	call(C.ENTRY_sort_vector_available, unsafe.Pointer(&yes), 0, 1)
	return yes != 0
}

// sortWork is the number of elements that make one more core worth waking.
const sortWork = 1 << 13

// sorting is one sort, argsort, partition or argpartition along an axis.
type sorting struct {
	k      *device.Kernel
	kept   []axis
	n      int
	is, os int // strides along the axis
	arg    bool
	kth    int
	split  bool // one row at a time, each on all cores
}

func sortAxis(k *device.Kernel) error {
	attr := k.Attr.(device.SortAttr)
	in, out := &k.In[0], &k.Out[0]
	s := sorting{k: k, n: in.Shape[attr.Axis], is: in.Strides[attr.Axis], os: out.Strides[attr.Axis],
		arg: attr.Arg, kth: attr.Kth, kept: otherAxes(in, out, attr.Axis)}
	s.split = s.n >= radixSplit && extent(s.kept) < 4*threads
	if s.vectors(in.Dtype) {
		return nil
	}
	switch in.Dtype.Size() {
	case 1:
		sortRows[uint8](&s, in.Dtype)
	case 2:
		sortRows[uint16](&s, in.Dtype)
	case 4:
		sortRows[uint32](&s, in.Dtype)
	default:
		sortRows[uint64](&s, in.Dtype)
	}
	return nil
}

// vectors sorts with the vector kernel and reports whether that was possible.
func (s *sorting) vectors(d dtype.Dtype) bool {
	size := d.Size()
	if size < 4 || d == dtype.Complex64 || s.arg && size != 4 || len(s.kept) > maxAxes || !vectorSort() {
		return false
	}
	g := C.sort_args{in: s.k.In[0].Data, out: s.k.Out[0].Data, n: C.int64_t(s.n),
		is: C.int64_t(s.is), os: C.int64_t(s.os), dtype: C.int64_t(d), kth: C.int64_t(s.kth), stop: stopOf(s.k)}
	if s.arg {
		g.arg = 1
	}
	g.kd = putAxes(s.kept, &g.kshape, &g.kin, &g.kout)
	width := size
	if s.arg {
		width = 8
	}
	if s.split && s.kth < 0 && threads > 1 {
		for row := 0; row < extent(s.kept) && !canceled(s.k.Cancel); row++ {
			s.splitVectors(g, row, width)
		}
		return true
	}
	parallel(extent(s.kept), max(sortWork/s.n, 1), s.k.Cancel, func(lo, hi int) {
		mine := g
		work := getWorkspace(s.k, 2*width*(s.n+16))
		defer work.release()
		mine.work = work.data
		call(C.ENTRY_sort_rows, unsafe.Pointer(&mine), lo, hi)
	})
	return true
}

// at is where a row begins.
func (s *sorting) at(row int) (src, dst unsafe.Pointer) {
	from, to := locate(s.kept, row)
	in, out := &s.k.In[0], &s.k.Out[0]
	return unsafe.Add(in.Data, from*in.Dtype.Size()), unsafe.Add(out.Data, to*out.Dtype.Size())
}

func sortRows[K key](s *sorting, d dtype.Dtype) {
	rows := extent(s.kept)
	rule := keyRuleOf[K](d)
	grain := max(sortWork/s.n, 1)
	if s.split {
		grain = rows
	}
	parallel(rows, grain, s.k.Cancel, func(lo, hi int) {
		var w sortSpace[K]
		defer w.held.release()
		w.held.k = s.k
		w.keys = borrow[K](&w.held, s.n)
		for i := lo; i < hi && !canceled(s.k.Cancel); i++ {
			src, dst := s.at(i)
			w.row(s, &rule, src, dst)
		}
	})
}

// sortSpace is the workspace of one core, borrowed when the first row needs it.
type sortSpace[K key] struct {
	held       heldSpace
	keys, tmp  []K
	packed     []uint64 // key in the high half, position in the low one, and as much again
	pairs      []pair
	candidates []K
}

// heldSpace is what has been borrowed on behalf of k.
type heldSpace struct {
	k    *device.Kernel
	list []workspace
}

// borrow returns n elements that hold no pointers, and anything at all.
func borrow[T any](held *heldSpace, n int) []T {
	var t T
	w := getWorkspace(held.k, max(n, 1)*int(unsafe.Sizeof(t)))
	held.list = append(held.list, w)
	return unsafe.Slice((*T)(w.data), n)
}

func (held *heldSpace) release() {
	for _, w := range held.list {
		w.release()
	}
}

func (w *sortSpace[K]) row(s *sorting, rule *keyRule[K], src, dst unsafe.Pointer) {
	lossy, cancel := false, s.k.Cancel
	for lo, hi := range pieces(s.n, cancel) {
		if rule.load(w.keys[lo:hi], unsafe.Add(src, lo*s.is*int(unsafe.Sizeof(w.keys[0]))), s.is) {
			lossy = true
		}
	}
	if canceled(cancel) {
		return // here and below: what a loop left undone must not be read
	}
	switch {
	case s.kth >= 0 && s.n >= radixMin:
		w.partition(s, src, dst)
	case s.arg || lossy && rule.kind == keyComplex:
		w.permutation(s)
		if !canceled(cancel) {
			w.gather(s, src, dst)
		}
	default:
		if w.tmp == nil && s.n >= radixMin {
			w.tmp = borrow[K](&w.held, s.n)
		}
		sortKeys(w.keys, w.tmp, 0, uint(8*unsafe.Sizeof(w.keys[0])), s.split, cancel)
		if !canceled(cancel) {
			rule.store(dst, s.os, w.keys, src, s.is, lossy, cancel)
		}
	}
}

// permutation sorts positions by key, into packed or pairs.
func (w *sortSpace[K]) permutation(s *sorting) {
	width := uint(8 * unsafe.Sizeof(w.keys[0]))
	if width == 64 {
		if w.pairs == nil {
			w.pairs = borrow[pair](&w.held, 2*s.n)
		}
		for lo, hi := range pieces(s.n, s.k.Cancel) {
			for i := lo; i < hi; i++ {
				w.pairs[i] = pair{uint64(w.keys[i]), uint32(i)}
			}
		}
		sortPairs(w.pairs[:s.n], w.pairs[s.n:], s.split, s.k.Cancel)
		return
	}
	if w.packed == nil {
		w.packed = borrow[uint64](&w.held, 2*s.n)
	}
	for lo, hi := range pieces(s.n, s.k.Cancel) {
		for i := lo; i < hi; i++ {
			w.packed[i] = uint64(w.keys[i])<<32 | uint64(i)
		}
	}
	sortKeys(w.packed[:s.n], w.packed[s.n:], 32, 32+width, s.split, s.k.Cancel)
}

// gather writes the sorted positions, or the elements they name.
func (w *sortSpace[K]) gather(s *sorting, src, dst unsafe.Pointer) {
	size := int(unsafe.Sizeof(w.keys[0]))
	for i := range s.n {
		if i%C.STOP_WORK == 0 && canceled(s.k.Cancel) {
			return
		}
		var at uint32
		if size == 8 {
			at = w.pairs[i].at
		} else {
			at = uint32(w.packed[i])
		}
		if s.arg {
			*(*uint32)(unsafe.Add(dst, i*s.os*4)) = at
		} else {
			*(*K)(unsafe.Add(dst, i*s.os*size)) = *(*K)(unsafe.Add(src, int(at)*s.is*size))
		}
	}
}

// partition finds the kth key by its digits from the top, each time among those that share the digits found,
// and then moves every element before, to or after the run of its equals. Within the three the order stays.
func (w *sortSpace[K]) partition(s *sorting, src, dst unsafe.Pointer) {
	size := int(unsafe.Sizeof(w.keys[0]))
	shift := 8 * size
	among, rank, less := w.keys, s.kth, 0
	for shift > 0 && len(among) > 1 {
		digitBits := min(11, shift)
		shift -= digitBits
		mask := K(1)<<digitBits - 1
		var counts [2048]int
		for lo, hi := range pieces(len(among), s.k.Cancel) {
			for _, k := range among[lo:hi] {
				counts[k>>shift&mask]++
			}
		}
		if canceled(s.k.Cancel) {
			return
		}
		digit := 0
		for rank >= counts[digit] {
			rank -= counts[digit]
			less += counts[digit]
			digit++
		}
		if counts[digit] == len(among) {
			continue
		}
		// The first list is the row itself, which is needed again; the later ones shrink in place.
		into := among[:0]
		if len(among) == s.n {
			if w.candidates == nil {
				w.candidates = borrow[K](&w.held, s.n)
			}
			into = w.candidates[:0]
		}
		for lo, hi := range pieces(len(among), s.k.Cancel) {
			for _, k := range among[lo:hi] {
				if int(k>>shift&mask) == digit {
					into = append(into, k)
				}
			}
		}
		if canceled(s.k.Cancel) {
			return
		}
		among = into
	}
	// Every key left is the same.
	pivot, same := among[0], len(among)
	place := [3]int{less, less + same, 0} // of the next equal, greater and smaller element
	for i, k := range w.keys {
		if i%C.STOP_WORK == 0 && canceled(s.k.Cancel) {
			return
		}
		// Borrows of subtractions tell smaller from greater without a branch to mispredict.
		_, greater := bits.Sub64(uint64(pivot), uint64(k), 0)
		_, smaller := bits.Sub64(uint64(k), uint64(pivot), 0)
		c := greater + 2*smaller
		p := place[c]
		place[c] = p + 1
		if s.arg {
			*(*uint32)(unsafe.Add(dst, p*s.os*4)) = uint32(i)
		} else {
			*(*K)(unsafe.Add(dst, p*s.os*size)) = *(*K)(unsafe.Add(src, i*s.is*size))
		}
	}
}
