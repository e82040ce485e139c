package cpu

import (
	"os"
	"slices"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// beyond is the length of a row that 32 bits do not count.
const beyond = 1<<32 + 3

// TestStartsBeyond32Bits counts and moves around place 2^32 of a row of which only a page or two are ever touched.
func TestStartsBeyond32Bits(t *testing.T) {
	counts := make([][256]int, 2)
	counts[0][7], counts[1][7] = 1<<31, 1<<31-1
	counts[0][9], counts[1][9] = 3, 1
	if startsOf(counts, beyond) {
		t.Fatal("two digits are taken for one")
	}
	for _, c := range []struct{ part, digit, want int }{{0, 7, 0}, {1, 7, 1 << 31}, {0, 9, 1<<32 - 1},
		{1, 9, beyond - 1}, {0, 255, beyond}} {
		if got := counts[c.part][c.digit]; got != c.want {
			t.Errorf("part %d of digit %d starts at %d, not %d", c.part, c.digit, got, c.want)
		}
	}
	to := unsafe.Slice((*uint8)(memory(t, dtype.Uint8, beyond)), beyond)
	moveByDigit([]uint8{9, 9, 9}, to, &counts[0], 0)
	moveByDigit([]uint8{9}, to, &counts[1], 0)
	if got := to[1<<32-2:]; !slices.Equal(got, []uint8{0, 9, 9, 9, 9}) {
		t.Errorf("the row ends in %v", got)
	}
	whole := make([][256]int, 2)
	whole[0][4], whole[1][4] = beyond-2, 2
	if !startsOf(whole, beyond) {
		t.Error("one digit is taken for several")
	}
}

// TestSortBeyond32Bits sorts such a row on one core and on all: in place, which the kernel can, as it works on keys.
func TestSortBeyond32Bits(t *testing.T) {
	if os.Getenv("MLX_GO_TEST_LARGE") == "" {
		t.Skip("takes 13 GiB and minutes; MLX_GO_TEST_LARGE=1 runs it")
	}
	defer func(n int) { threads = n }(threads)
	row := unsafe.Slice((*int8)(memory(t, dtype.Int8, beyond)), beyond)
	x := device.Tensor{Data: unsafe.Pointer(&row[0]), Dtype: dtype.Int8, Shape: []int{beyond}, Strides: []int{1}}
	for _, cores := range []int{threads, 1} {
		threads = cores
		var want, got [256]int
		state := uint32(1)
		for i := range row {
			state = state*1664525 + 1013904223 // Knuth's, of which the top bits are good
			row[i] = int8(state>>29) - 4       // half a billion of each
			if i%(1<<30) == 5 {
				row[i] = -100
			}
			want[uint8(row[i])]++
		}
		launchTest(t, sortOf(x, x, device.SortAttr{Kth: -1}))
		for i, v := range row {
			got[uint8(v)]++
			if i > 0 && v < row[i-1] {
				t.Fatalf("%d cores: element %d is %d after %d", cores, i, v, row[i-1])
			}
		}
		if got != want {
			t.Fatalf("%d cores: the row does not hold the elements it had", cores)
		}
	}
	clear(row)
	launchTest(t, sortOf(stretched(t, dtype.Int8, beyond), x, device.SortAttr{Kth: beyond - 1}))
	for i, v := range row {
		if v != 1 {
			t.Fatalf("element %d of a partition of ones is %d", i, v)
		}
	}
}
