package cpu

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// threefryWords is the definition, word by word.
func threefryWords(k0, k1 uint32, n int) []uint32 {
	ks := [3]uint32{k0, k1, 0x1BD11BDA ^ k0 ^ k1}
	rot := [2][4]int{{13, 15, 26, 6}, {17, 29, 16, 24}}
	half := (n + 1) / 2
	out := make([]uint32, 2*half)
	for i := range half {
		a, b := uint32(i), uint32(half+i)
		if half+i >= n {
			b = 0
		}
		a, b = a+ks[0], b+ks[1]
		for r := range 5 {
			for _, s := range rot[r%2] {
				a += b
				b = (b<<s | b>>(32-s)) ^ a
			}
			a += ks[(r+1)%3]
			b += ks[(r+2)%3] + uint32(r+1)
		}
		out[i], out[half+i] = a, b
	}
	return out[:n]
}

func randomBytes(t *testing.T, keys []uint32, shape, strides []int, bytes int) []byte {
	t.Helper()
	n := 1
	for _, d := range shape[:len(shape)-1] {
		n *= d
	}
	out := make([]byte, n*bytes+8)
	for i := range out {
		out[i] = 0xa5
	}
	k := &device.Kernel{Kind: device.KindRandomBits, Op: "bits", Attr: device.RandomAttr{Bytes: bytes},
		In: []device.Tensor{{Data: unsafe.Pointer(&keys[0]), Dtype: dtype.Uint32, Shape: shape, Strides: strides}},
		Out: []device.Tensor{{Data: unsafe.Pointer(&out[0]), Dtype: dtype.Uint8,
			Shape: append(slices.Clone(shape[:len(shape)-1]), bytes)}}}
	if err := (Backend{}).Launch(k); err != nil {
		t.Fatal(err)
	}
	for _, b := range out[n*bytes:] {
		if b != 0xa5 {
			t.Fatal("wrote behind the output")
		}
	}
	return out[:n*bytes]
}

// What MLX 0.32.4 gives for random.split(random.key(7), n).
func TestRandomBitsKnown(t *testing.T) {
	for _, want := range [][]uint32{
		{195045567, 4062205631},
		{966301609, 989289821, 1948237315, 1058547403},
		{276534068, 861967409, 1905761346, 1641862660, 2900896126, 1402713516},
		{3303861898, 3902490194, 743709035, 1871249695, 2153132326, 3525862539, 4065302514, 2914663392, 3997010453,
			1782423295, 3394530857, 536474414, 2328407742, 2069414581},
	} {
		got := randomBytes(t, []uint32{0, 7}, []int{2}, []int{1}, 4*len(want))
		for i, w := range want {
			if g := binary.LittleEndian.Uint32(got[4*i:]); g != w {
				t.Fatalf("%d words: word %d is %d, want %d", len(want), i, g, w)
			}
		}
	}
}

func TestRandomBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rows, cols := 1+r.IntN(4), 1+r.IntN(3)
		keys := make([]uint32, 4*rows*cols+8)
		for i := range keys {
			keys[i] = r.Uint32()
		}
		bytes := 1 + r.IntN(700)
		if r.IntN(20) == 0 {
			bytes = 300000 + r.IntN(9)
		}
		strides := [][]int{{2 * cols, 2, 1}, {1, rows, rows * cols}, {0, 2, 1}, {4 * cols, 4, 2}}[r.IntN(4)]
		got := randomBytes(t, keys, []int{rows, cols, 2}, strides, bytes)
		for i := range rows {
			for j := range cols {
				at := i*strides[0] + j*strides[1]
				words := threefryWords(keys[at], keys[at+strides[2]], (bytes+3)/4)
				for q := range bytes {
					if g, w := got[(i*cols+j)*bytes+q], byte(words[q/4]>>(8*(q%4))); g != w {
						t.Fatalf("%d bytes, key (%d,%d), byte %d: %x, want %x", bytes, i, j, q, g, w)
					}
				}
			}
		}
	}
}

func BenchmarkRandomBits(b *testing.B) {
	keys := []uint32{0, 7}
	out := make([]byte, 4<<20)
	k := &device.Kernel{Kind: device.KindRandomBits, Attr: device.RandomAttr{Bytes: len(out)},
		In:  []device.Tensor{{Data: unsafe.Pointer(&keys[0]), Dtype: dtype.Uint32, Shape: []int{2}, Strides: []int{1}}},
		Out: []device.Tensor{{Data: unsafe.Pointer(&out[0]), Dtype: dtype.Uint8, Shape: []int{len(out)}}}}
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		_ = Backend{}.Launch(k)
	}
}
