package backendtest

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
)

func testSort(c *ctx) {
	for _, d := range dtype.All {
		if d == dtype.Complex64 {
			continue // core sorts by real and imaginary part in turn
		}
		c.sub(d.String(), func(c *ctx) {
			for range 60 {
				rank := 1 + c.rng.IntN(4)
				shape, axis := c.anyShape(rank, 1500), c.rng.IntN(rank)
				if c.rng.IntN(3) == 0 {
					shape[axis] = []int{1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1023, 1025}[c.rng.IntN(13)]
				}
				c.sort(d, shape, axis, c.anyView())
			}
			for range 3 {
				c.sort(d, []int{9000}, 0, contiguous)
			}
			tall := c.tall()
			c.sort(d, tall, c.rng.IntN(len(tall)), view{permute: true})
			if !testing.Short() {
				c.sort(d, []int{70000}, 0, view{flip: true, step: true})
				c.sort(d, []int{60, 600}, c.rng.IntN(2), contiguous)
			}
		})
	}
}

// sort compares a full sort with the reference's, and a partition with what it promises.
func (c *ctx) sort(d dtype.Dtype, shape []int, axis int, v view) {
	at := device.SortAttr{Axis: axis, Arg: c.rng.IntN(2) == 0, Kth: -1}
	n := shape[axis]
	if c.rng.IntN(3) == 0 {
		at.Kth = c.rng.IntN(n)
	}
	c.begin("sort of %s %v %+v", d, shape, at)
	value := c.raw(d)
	switch c.rng.IntN(4) {
	case 0:
		value = c.uniform(d, -5, 5) // many ties, and zeros of both signs among the floats
	case 1:
		value = c.mostly(c.uniform(d, -100, 100), c.pick(edges(d)))
	case 2:
		base := c.rng.IntN(100)
		value = func(i int) uint64 { return bitsOf(d, complex(float64(base+i/3), 0)) }
	}
	in := c.tensor(d, shape, v, value)
	out := d
	if at.Arg {
		out = dtype.Uint32
	}
	if at.Kth < 0 {
		c.run(device.KindSort, at, []device.Tensor{in}, []output{{d: out, shape: shape}}, tolerance{})
		return
	}
	got, sorted := c.twins(output{d: out, shape: shape})
	c.expectWrites(&got)
	c.cases["sort"]++
	if err := c.b.Launch(&device.Kernel{Kind: device.KindSort, Op: "test", In: []device.Tensor{in},
		Out: []device.Tensor{got}, Attr: at}); err != nil {
		c.fail("Launch: %v", err)
		return
	}
	c.checkMemory()
	full := device.SortAttr{Axis: axis, Kth: -1, Arg: at.Arg}
	if err := c.ref.Launch(&device.Kernel{Kind: device.KindSort, Op: "test", In: []device.Tensor{in},
		Out: []device.Tensor{sorted}, Attr: full}); err != nil {
		c.Fatal(err)
	}
	c.checkPartition(&in, &got, &sorted, at)
}

// checkPartition holds that every line of got is a permutation of in's with the kth element in place,
// none larger before it and none smaller behind. sorted is the full sort.
func (c *ctx) checkPartition(in, got, sorted *device.Tensor, at device.SortAttr) {
	axis, n := at.Axis, in.Shape[at.Axis]
	outer := slices.Clone(in.Shape)
	outer[axis] = 1
	bad := false
	positions(outer, func(idx []int, _ int) {
		if bad {
			return
		}
		line := func(t *device.Tensor) []uint64 {
			list := make([]uint64, n)
			for i := range list {
				list[i] = getBits(unsafe.Add(t.Data, (offset(t, idx)+i*t.Strides[axis])*t.Dtype.Size()), t.Dtype)
			}
			return list
		}
		x, y, s := line(in), line(got), line(sorted)
		if at.Arg {
			seen := make([]bool, n)
			for _, j := range y {
				if j >= uint64(n) || seen[j] {
					c.fail("the line at %v is no permutation", idx)
					bad = true
					return
				}
				seen[j] = true
			}
			for i := range y {
				y[i], s[i] = x[y[i]], x[s[i]]
			}
		} else if a, b := slices.Sorted(slices.Values(canonical(in.Dtype, x))),
			slices.Sorted(slices.Values(canonical(in.Dtype, y))); !slices.Equal(a, b) {
			c.fail("the line at %v does not hold the elements it had", idx)
			bad = true
			return
		}
		pivot := s[at.Kth]
		for i := range y {
			o := order(in.Dtype, y[i], pivot)
			if i < at.Kth && o > 0 || i > at.Kth && o < 0 || i == at.Kth && o != 0 {
				c.fail("line at %v: element %d is %s, the kth is %s", idx, i, show(in.Dtype, y[i]),
					show(in.Dtype, pivot))
				bad = true
				return
			}
		}
	})
}

// canonical makes all NaNs one.
func canonical(d dtype.Dtype, list []uint64) []uint64 {
	out := slices.Clone(list)
	for i, b := range out {
		if v := number(d, b); math.IsNaN(real(v)) || math.IsNaN(imag(v)) {
			out[i] = ^uint64(0)
		}
	}
	return out
}

// order compares elements with NaN last.
func order(d dtype.Dtype, a, b uint64) int {
	switch d.Group() {
	case dtype.GroupBool, dtype.GroupUnsigned:
		return compare(a, b)
	case dtype.GroupSigned:
		shift := 64 - 8*d.Size()
		return compare(int64(a<<shift), int64(b<<shift))
	}
	x, y := real(number(d, a)), real(number(d, b))
	switch {
	case x != x && y != y:
		return 0
	case x != x:
		return 1
	case y != y:
		return -1
	}
	return compare(x, y)
}

func compare[T uint64 | int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func testSearchSorted(c *ctx) {
	for _, d := range dtype.All {
		if d == dtype.Complex64 {
			continue
		}
		for _, n := range []int{1, 2, 15, 16, 17, 100, 1025} {
			for range 4 {
				at := device.SearchAttr{Right: c.rng.IntN(2) == 0}
				c.begin("searchsorted of %s in %d, %+v", d, n, at)
				value := c.uniform(d, -20, 20)
				if c.rng.IntN(2) == 0 {
					value = c.mostly(value, c.pick(edges(d)))
				}
				list := make([]uint64, n)
				for i := range list {
					list[i] = value(i)
				}
				slices.SortFunc(list, func(a, b uint64) int { return order(d, a, b) })
				sorted := c.sortedTensor(d, list)
				shape := c.anyShape(c.rng.IntN(4), 400)
				x := c.tensor(d, shape, c.anyView(), value)
				c.run(device.KindSearchSorted, at, []device.Tensor{sorted, x},
					[]output{{d: dtype.Uint32, shape: shape}}, tolerance{})
			}
		}
	}
}

// sortedTensor lays a list out forwards, backwards or with gaps.
func (c *ctx) sortedTensor(d dtype.Dtype, list []uint64) device.Tensor {
	n := len(list)
	step := []int{1, 2, -1}[c.rng.IntN(3)]
	t := c.tensor(d, []int{n * max(step, 1)}, contiguous, func(i int) uint64 {
		if step < 0 {
			return list[n-1-i]
		}
		return list[i/step]
	})
	if step < 0 {
		t.Data = unsafe.Add(t.Data, (n-1)*d.Size())
	}
	t.Shape, t.Strides = []int{n}, []int{step}
	return t
}
