package cpu

import (
	"testing"
	"unsafe"
)

// TestAllocate holds alignment and that all of a block can be written, on both sides of the size from which
// blocks are mapped; and that what cannot be had is nil.
func TestAllocate(t *testing.T) {
	b := Backend{}
	for _, size := range []int{1, 63, 4096, 4<<20 - 1, 4 << 20, 4<<20 + 1, 9 << 20} {
		p := b.Allocate(size)
		if p == nil || uintptr(p)%64 != 0 {
			t.Fatalf("%d bytes are at %p", size, p)
		}
		m := unsafe.Slice((*byte)(p), size)
		for i := 0; i < size; i += 4096 {
			m[i] = 1
		}
		m[size-1] = 1
		b.Free(p, size)
	}
	if p := b.Allocate(1 << 60); p != nil {
		t.Fatal("2^60 bytes were had")
	}
}
