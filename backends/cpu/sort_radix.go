package cpu

import (
	"cmp"
	"slices"
	"sync/atomic"
)

const (
	// radixMin is the length from which counting digits beats comparing.
	radixMin = 64
	// radixSplit is the length from which a row is worth several cores.
	radixSplit = 1 << 16
)

// sortKeys sorts a, with tmp of the same length as workspace. Bits below low take no part where
// rows are long; they must be in order already, as the positions of a packed argsort are.
func sortKeys[K key](a, tmp []K, low, high uint, split bool, cancel *atomic.Bool) {
	if len(a) < radixMin {
		slices.Sort(a)
		return
	}
	if split && threads > 1 && len(a) >= radixSplit {
		splitRadix(a, tmp, low, high, cancel)
		return
	}
	// Least significant digit first: every pass is stable, so the passes add up.
	digits := (high - low) / 8
	var counts [8][256]int
	for lo, hi := range pieces(len(a), cancel) {
		countDigits(&counts, a[lo:hi], low, digits)
	}
	from, to := a, tmp
	for d := range digits {
		if canceled(cancel) {
			return
		}
		c, shift := &counts[d], low+8*d
		if c[uint8(from[0]>>shift)] == len(a) {
			continue // all alike
		}
		sum := 0
		for i, n := range c {
			c[i] = sum
			sum += n
		}
		for lo, hi := range pieces(len(a), cancel) {
			moveByDigit(from[lo:hi], to, c, shift)
		}
		from, to = to, from
	}
	if &from[0] != &a[0] {
		copyPieces(a, from, cancel)
	}
}

// The loops over elements are functions of their own and stay so: inlined into loops over pieces they keep their
// variables in memory, which costs a fifth.

// countDigits counts the values of every byte from bit low on.
//
//go:noinline
func countDigits[K key](counts *[8][256]int, a []K, low, digits uint) {
	switch digits {
	case 1:
		for _, k := range a {
			counts[0][uint8(k>>low)]++
		}
	case 2:
		for _, k := range a {
			v := uint64(k >> low)
			counts[0][uint8(v)]++
			counts[1][uint8(v>>8)]++
		}
	case 4:
		for _, k := range a {
			v := uint64(k >> low)
			counts[0][uint8(v)]++
			counts[1][uint8(v>>8)]++
			counts[2][uint8(v>>16)]++
			counts[3][uint8(v>>24)]++
		}
	default:
		for _, k := range a {
			for d := range digits {
				counts[d][uint8(k>>(low+8*d))]++
			}
		}
	}
}

// countByte counts the values of the byte at shift.
//
//go:noinline
func countByte[K key](c *[256]int, a []K, shift uint) {
	for _, k := range a {
		c[uint8(k>>shift)]++
	}
}

// moveByDigit appends every key to the run of its digit; c holds where runs go on.
//
//go:noinline
func moveByDigit[K key](from, to []K, c *[256]int, shift uint) {
	for _, k := range from {
		i := uint8(k >> shift)
		to[c[i]] = k
		c[i]++
	}
}

func copyPieces[T any](to, from []T, cancel *atomic.Bool) {
	for lo, hi := range pieces(len(to), cancel) {
		copy(to[lo:hi], from[lo:hi])
	}
}

// splitRadix is the same with every pass on all cores: each counts and moves its own stretch, into places that
// follow those of the stretches before it. The result does not depend on the number of stretches.
func splitRadix[K key](a, tmp []K, low, high uint, cancel *atomic.Bool) {
	parts := min(threads, 16)
	counts := make([][256]int, parts)
	bounds := func(p int) (int, int) { return p * len(a) / parts, (p + 1) * len(a) / parts }
	from, to := a, tmp
	for shift := low; shift < high; shift += 8 {
		parallel(parts, 1, nil, func(p, end int) {
			for ; p < end; p++ {
				first, last := bounds(p)
				counts[p] = [256]int{}
				for lo, hi := range pieces(last-first, cancel) {
					countByte(&counts[p], from[first+lo:first+hi], shift)
				}
			}
		})
		if canceled(cancel) {
			return
		}
		if startsOf(counts, len(a)) {
			continue
		}
		parallel(parts, 1, nil, func(p, end int) {
			for ; p < end; p++ {
				first, last := bounds(p)
				c := counts[p]
				for lo, hi := range pieces(last-first, cancel) {
					moveByDigit(from[first+lo:first+hi], to, &c, shift)
				}
			}
		})
		from, to = to, from
	}
	if &from[0] != &a[0] {
		copyPieces(a, from, cancel)
	}
}

// startsOf turns counts per part and digit into first positions. It reports true when one digit
// has all n elements, so that there is nothing to move.
func startsOf(counts [][256]int, n int) (same bool) {
	sum := 0
	for d := range 256 {
		begin := sum
		for p := range counts {
			c := counts[p][d]
			counts[p][d] = sum
			sum += c
		}
		if sum-begin == n {
			return true
		}
	}
	return false
}

// pair is a 64-bit key with the position it came from.
type pair struct {
	key uint64
	at  uint32
}

// sortPairs sorts by key and then position; the positions ascend at first.
func sortPairs(a, tmp []pair, split bool, cancel *atomic.Bool) {
	if len(a) < radixMin {
		slices.SortFunc(a, func(x, y pair) int {
			if x.key != y.key {
				return cmp.Compare(x.key, y.key)
			}
			return cmp.Compare(x.at, y.at)
		})
		return
	}
	parts := 1
	if split && len(a) >= radixSplit {
		parts = min(threads, 16)
	}
	counts := make([][256]int, parts)
	bounds := func(p int) (int, int) { return p * len(a) / parts, (p + 1) * len(a) / parts }
	from, to := a, tmp
	for shift := 0; shift < 64; shift += 8 {
		parallel(parts, 1, nil, func(p, end int) {
			for ; p < end; p++ {
				first, last := bounds(p)
				c := &counts[p]
				*c = [256]int{}
				for lo, hi := range pieces(last-first, cancel) {
					for _, x := range from[first+lo : first+hi] {
						c[uint8(x.key>>shift)]++
					}
				}
			}
		})
		if canceled(cancel) {
			return
		}
		if startsOf(counts, len(a)) {
			continue
		}
		parallel(parts, 1, nil, func(p, end int) {
			for ; p < end; p++ {
				first, last := bounds(p)
				c, into := &counts[p], to
				for lo, hi := range pieces(last-first, cancel) {
					for _, x := range from[first+lo : first+hi] {
						d := uint8(x.key >> shift)
						into[c[d]] = x
						c[d]++
					}
				}
			}
		})
		from, to = to, from
	}
	if &from[0] != &a[0] {
		copyPieces(a, from, cancel)
	}
}
