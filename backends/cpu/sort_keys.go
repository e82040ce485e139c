package cpu

/*
#include "kernels/abi.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/dtype"
)

// Sorting works on keys: unsigned integers of the element's width whose order is the order of the
// elements, with -0 equal to 0 and all NaNs equal and last. Complex numbers order by real part and
// then imaginary part, those with a NaN last.
type key interface {
	uint8 | uint16 | uint32 | uint64
}

type keyKind uint8

const (
	keyUnsigned keyKind = iota
	keySigned
	keyFloat
	keyComplex
)

// keyRule turns elements into keys and back.
type keyRule[K key] struct {
	kind keyKind
	sign K // the top bit
	inf  K // bits of infinity; above them are NaNs
}

func keyRuleOf[K key](d dtype.Dtype) keyRule[K] {
	r := keyRule[K]{sign: ^(^K(0) >> 1)}
	switch d.Group() {
	case dtype.GroupSigned:
		r.kind = keySigned
	case dtype.GroupFloat:
		r.kind = keyFloat
	case dtype.GroupComplex:
		r.kind = keyComplex
	}
	inf := map[dtype.Dtype]uint64{dtype.Float16: 0x7c00, dtype.BFloat16: 0x7f80, dtype.Float32: 0x7f800000,
		dtype.Float64: 0x7ff << 52}
	r.inf = K(inf[d])
	return r
}

func floatKey[K key](b, sign, inf K) K {
	switch {
	case b&^sign > inf:
		return ^K(0)
	case b == sign: // -0
		return sign
	case b&sign != 0:
		return ^b
	}
	return b | sign
}

// complexKey is built from the keys of the parts. Key 0xff800000 is that of +inf and 0xffffffff that of NaN:
// in between there is room for the classes R+NaNj and NaN+Rj, which sort by their other part.
func complexKey(v uint64) uint64 {
	re := uint64(floatKey(uint32(v), 1<<31, 0x7f800000))
	im := uint64(floatKey(uint32(v>>32), 1<<31, 0x7f800000))
	const nan = 0xffffffff
	switch {
	case re != nan && im == nan:
		return 0xff800001<<32 | re
	case re == nan && im != nan:
		return 0xff800002<<32 | im
	}
	return re<<32 | im
}

func (r *keyRule[K]) of(b K) K {
	switch r.kind {
	case keyUnsigned:
		return b
	case keySigned:
		return b ^ r.sign
	case keyFloat:
		return floatKey(b, r.sign, r.inf)
	}
	return K(complexKey(uint64(b)))
}

// load fills dst with the keys of a row and reports whether the keys do not tell all: a -0 among them, or complex
// numbers.
func (r *keyRule[K]) load(dst []K, row unsafe.Pointer, stride int) (lossy bool) {
	size := int(unsafe.Sizeof(dst[0]))
	step := stride * size
	switch r.kind {
	case keyUnsigned:
		if stride == 1 {
			copy(dst, unsafe.Slice((*K)(row), len(dst)))
			return false
		}
		for i := range dst {
			dst[i] = *(*K)(unsafe.Add(row, i*step))
		}
	case keySigned:
		for i := range dst {
			dst[i] = *(*K)(unsafe.Add(row, i*step)) ^ r.sign
		}
	case keyFloat:
		for i := range dst {
			b := *(*K)(unsafe.Add(row, i*step))
			if b == r.sign {
				lossy = true
			}
			dst[i] = floatKey(b, r.sign, r.inf)
		}
	default:
		for i := range dst {
			dst[i] = K(complexKey(uint64(*(*K)(unsafe.Add(row, i*step)))))
		}
		lossy = true
	}
	return lossy
}

// store writes the elements that have the sorted keys; NaNs come out in their usual form. Where zeros of
// both signs met, the row they came from says in which order.
func (r *keyRule[K]) store(row unsafe.Pointer, stride int, keys []K, from unsafe.Pointer, fromStride int, signs bool,
	cancel *atomic.Bool) {
	size := int(unsafe.Sizeof(r.sign))
	step := stride * size
	zeros, first := 0, 0
	for i, k := range keys {
		if i%C.STOP_WORK == 0 && canceled(cancel) {
			return
		}
		b := k
		switch r.kind {
		case keySigned:
			b ^= r.sign
		case keyFloat:
			switch {
			case k == ^K(0):
				b = r.inf | (r.inf &^ (r.inf << 1) >> 1) // the quiet bit, below the exponent
			case k&r.sign != 0:
				b = k ^ r.sign
				if signs && b == 0 {
					if zeros == 0 {
						first = i
					}
					zeros++
				}
			default:
				b = ^k
			}
		}
		*(*K)(unsafe.Add(row, i*step)) = b
	}
	for i := 0; zeros > 0; i++ {
		if i%C.STOP_WORK == 0 && canceled(cancel) {
			return
		}
		if b := *(*K)(unsafe.Add(from, i*fromStride*size)); b&^r.sign == 0 {
			*(*K)(unsafe.Add(row, first*step)) = b
			first++
			zeros--
		}
	}
}
