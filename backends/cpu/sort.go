package cpu

import (
	"unsafe"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func init() { launchers[core.KindSort] = sortAxis }

// sortWork is the number of elements that make one more core worth waking.
const sortWork = 1 << 13

// sorting is one sort, argsort, partition or argpartition along an axis.
type sorting struct {
	k       *core.Kernel
	kept    []axis
	n       int
	is, os  int // strides along the axis
	arg     bool
	kth     int
	outSize int
	split   bool // one row at a time, each on all cores
}

func sortAxis(k *core.Kernel) error {
	attr := k.Attr.(core.SortAttr)
	in, out := &k.In[0], &k.Out[0]
	s := sorting{k: k, n: in.Shape[attr.Axis], is: in.Strides[attr.Axis], os: out.Strides[attr.Axis],
		arg: attr.Arg, kth: attr.Kth, outSize: out.Dtype.Size()}
	for i, n := range in.Shape {
		if i != attr.Axis {
			s.kept = append(s.kept, axis{n, in.Strides[i], out.Strides[i]})
		}
	}
	s.kept = mergeKept(s.kept)
	s.split = s.n >= radixSplit && extent(s.kept) < 4*threads
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

func sortRows[K key](s *sorting, d dtype.Dtype) {
	rows, size := extent(s.kept), d.Size()
	in, out := s.k.In[0].Data, s.k.Out[0].Data
	rule := keyRuleOf[K](d)
	grain := max(sortWork/s.n, 1)
	if s.split {
		grain = rows
	}
	parallel(rows, grain, s.k.Cancel, func(lo, hi int) {
		w := sortSpace[K]{keys: make([]K, s.n)}
		for i := lo; i < hi && !s.k.Canceled(); i++ {
			src, dst := in, out
			rest := i
			for a := len(s.kept) - 1; a >= 0; a-- {
				x := rest % s.kept[a].n
				rest /= s.kept[a].n
				src = unsafe.Add(src, x*s.kept[a].in*size)
				dst = unsafe.Add(dst, x*s.kept[a].out*s.outSize)
			}
			w.row(s, &rule, src, dst)
		}
	})
}

// sortSpace is the workspace of one core, grown to what the rows need.
type sortSpace[K key] struct {
	keys, tmp  []K
	packed     []uint64 // key in the high half, position in the low one, and as much again
	pairs      []pair
	candidates []K
}

func (w *sortSpace[K]) row(s *sorting, rule *keyRule[K], src, dst unsafe.Pointer) {
	lossy := rule.load(w.keys, src, s.is)
	switch {
	case s.kth >= 0 && s.n >= radixMin:
		w.partition(s, src, dst)
	case s.arg || lossy && rule.kind == keyComplex:
		w.permutation(s, rule.kind)
		w.gather(s, src, dst)
	default:
		if w.tmp == nil && s.n >= radixMin {
			w.tmp = make([]K, s.n)
		}
		sortKeys(w.keys, w.tmp, 0, uint(8*unsafe.Sizeof(w.keys[0])), s.split, s.k.Cancel)
		rule.store(dst, s.os, w.keys, src, s.is, lossy)
	}
}

// permutation sorts positions by key, into packed or pairs.
func (w *sortSpace[K]) permutation(s *sorting, kind keyKind) {
	bits := uint(8 * unsafe.Sizeof(w.keys[0]))
	if bits == 64 {
		if w.pairs == nil {
			w.pairs = make([]pair, 2*s.n)
		}
		for i, k := range w.keys {
			w.pairs[i] = pair{uint64(k), uint32(i)}
		}
		sortPairs(w.pairs[:s.n], w.pairs[s.n:], s.split, s.k.Cancel)
		return
	}
	if w.packed == nil {
		w.packed = make([]uint64, 2*s.n)
	}
	for i, k := range w.keys {
		w.packed[i] = uint64(k)<<32 | uint64(i)
	}
	sortKeys(w.packed[:s.n], w.packed[s.n:], 32, 32+bits, s.split, s.k.Cancel)
}

// gather writes the sorted positions, or the elements they name.
func (w *sortSpace[K]) gather(s *sorting, src, dst unsafe.Pointer) {
	size := int(unsafe.Sizeof(w.keys[0]))
	for i := range s.n {
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
		bits := min(11, shift)
		shift -= bits
		mask := K(1)<<bits - 1
		var counts [2048]uint32
		for _, k := range among {
			counts[k>>shift&mask]++
		}
		digit := 0
		for rank >= int(counts[digit]) {
			rank -= int(counts[digit])
			less += int(counts[digit])
			digit++
		}
		if int(counts[digit]) == len(among) {
			continue
		}
		// The first list is the row itself, which is needed again; the later ones shrink in place.
		into := among[:0]
		if len(among) == s.n {
			if w.candidates == nil {
				w.candidates = make([]K, s.n)
			}
			into = w.candidates[:0]
		}
		for _, k := range among {
			if int(k>>shift&mask) == digit {
				into = append(into, k)
			}
		}
		among = into
	}
	// Every key left is the same.
	pivot, same := among[0], len(among)
	place := [3]int{less, less + same, 0} // of the next equal, greater and smaller element
	for i, k := range w.keys {
		c := 0
		if k > pivot {
			c = 1
		}
		if k < pivot {
			c = 2
		}
		p := place[c]
		place[c] = p + 1
		if s.arg {
			*(*uint32)(unsafe.Add(dst, p*s.os*4)) = uint32(i)
		} else {
			*(*K)(unsafe.Add(dst, p*s.os*size)) = *(*K)(unsafe.Add(src, i*s.is*size))
		}
	}
}
