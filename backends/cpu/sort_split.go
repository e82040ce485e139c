package cpu

/*
#include "kernels/abi_sort.h"
*/
import "C"

import "unsafe"

const (
	splitBlock  = 1 << 18 // bytes of the keys of a block, which stay in a core's cache
	splitRange  = 1 << 15 // keys in a range, about
	splitRanges = 256     // at most: a block's pieces of them are copied one by one
	splitSample = 16      // keys of the sample per range
	splitTasks  = 4       // blocks and ranges per core, at least
)

// splitVectors sorts one row on all cores with the vector kernels: blocks of it are parted into ranges of keys, and
// then ranges, collected from all blocks, are sorted by themselves.
func (s *sorting) splitVectors(g C.sort_args, row, size int) {
	held := heldSpace{k: s.k}
	defer held.release()
	block := min(splitBlock/size, s.n/(splitTasks*threads)+1)
	blocks, parts := (s.n-1)/block+1, min(max(s.n/splitRange, splitTasks*threads), splitRanges)
	ends, starts := borrow[C.int64_t](&held, blocks*parts), borrow[C.int64_t](&held, parts+1)
	keys := func(n int) unsafe.Pointer { return unsafe.Pointer(&borrow[byte](&held, n*size)[0]) }
	g.in, g.out = s.at(row)
	a := C.sort_split_args{row: g, block: C.int64_t(block), parts: C.int64_t(parts), sample: splitSample,
		blocks: keys(s.n), splitters: keys(parts),
		ends: &ends[0], starts: &starts[0], zeros: &borrow[C.int64_t](&held, blocks)[0]}
	run := func(id, n int, keys func(i int) int) {
		parallel(n, 1, s.k.Cancel, func(lo, hi int) { // one at a time, for which the working space is
			mine := a
			work := getWorkspace(s.k, 2*size*(keys(lo)+16))
			defer work.release()
			mine.row.work = work.data
			call(id, unsafe.Pointer(&mine), lo, hi)
		})
	}
	run(C.ENTRY_sort_sample, 1, func(int) int { return parts * splitSample })
	run(C.ENTRY_sort_split, blocks, func(int) int { return block })
	if canceled(s.k.Cancel) {
		return // not all ends were written
	}
	clear(starts)
	for b := range blocks {
		for r, end := range ends[b*parts : (b+1)*parts] {
			starts[r+1] += end
		}
	}
	run(C.ENTRY_sort_ranges, parts, func(r int) int { return int(starts[r+1] - starts[r]) })
}
