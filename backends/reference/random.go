package reference

import (
	"math/bits"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
)

// threefry2x32 with 20 rounds (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
func threefry(key, counter [2]uint32) [2]uint32 {
	rotations := [2][4]int{{13, 15, 26, 6}, {17, 29, 16, 24}}
	ks := [3]uint32{key[0], key[1], 0x1BD11BDA ^ key[0] ^ key[1]}
	x := [2]uint32{counter[0] + ks[0], counter[1] + ks[1]}
	for round := range 5 {
		for _, r := range rotations[round%2] {
			x[0] += x[1]
			x[1] = bits.RotateLeft32(x[1], r) ^ x[0]
		}
		x[0] += ks[(round+1)%3]
		x[1] += ks[(round+2)%3] + uint32(round+1)
	}
	return x
}

// randomBits gives each key n words: the counters 0..n-1 are cut in halves that are paired, an odd
// count filled up with a counter of zero; all first results come before all second ones.
func randomBits(k *device.Kernel) {
	keys, out := &k.In[0], &k.Out[0]
	bytes := k.Attr.(device.RandomAttr).Bytes
	n := (bytes + 3) / 4
	half := (n + 1) / 2
	rank := len(keys.Shape) - 1
	run := 0
	each(k, keys.Shape[:rank], func(idx []int) {
		word := func(i int) uint32 {
			v := load(keys, append(append([]int{}, idx...), i))
			return uint32(v.u)
		}
		key := [2]uint32{word(0), word(1)}
		words := make([]uint32, 2*half)
		for i := range half {
			second := half + i
			if second >= n {
				second = 0
			}
			pair := threefry(key, [2]uint32{uint32(i), uint32(second)})
			words[i], words[half+i] = pair[0], pair[1]
		}
		for i := range bytes {
			*(*uint8)(unsafe.Add(out.Data, run*bytes+i)) = uint8(words[i/4] >> (8 * (i % 4)))
		}
		run++
	})
}
