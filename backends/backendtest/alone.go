package backendtest

import (
	"math"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/table"
)

// testAlone holds that the result for an element depends on that element only: a long array, all parts of it that begin
// and end anywhere, and each element alone give the same bits. Batches of 1 and of 8, and fused and unfused programs,
// then agree, since all they change is where in a tile an element comes to lie.
func testAlone(c *ctx) {
	for _, r := range table.Rows {
		c.sub(r.Name, func(c *ctx) {
			for _, d := range c.supported(r) {
				c.begin("%s of %s", r.Name, d)
				c.alone(r, d)
			}
		})
	}
}

// alone checks one row in one dtype.
func (c *ctx) alone(r *table.Row, d dtype.Dtype) {
	const n = 531 // two blocks of 256, then a tail of all sizes of vectors
	p := device.OneStep(r, d)
	var ins []device.Tensor
	for i, ordinary := range c.arguments(r, d) {
		edge, any := c.pick(edges(p.Load[i])), c.raw(p.Load[i])
		ins = append(ins, c.tensor(p.Load[i], []int{n}, contiguous, func(k int) uint64 {
			switch {
			case k%256 < 64: // ordinary ones among themselves, as they mostly are
				return ordinary(k)
			case c.rng.IntN(2) == 0:
				return ordinary(k)
			case c.rng.IntN(2) == 0:
				return edge(k)
			}
			return any(k)
		}))
	}
	d = r.Types.Result(d)
	whole, part := c.tensor(d, []int{n}, contiguous, zeroBits), c.tensor(d, []int{n}, contiguous, zeroBits)
	launch := func(out device.Tensor, lo, hi int) {
		k := &device.Kernel{Kind: device.KindElementwise, Op: r.Name, Out: []device.Tensor{section(out, lo, hi)},
			Attr: p}
		for _, x := range ins {
			k.In = append(k.In, section(x, lo, hi))
		}
		if err := c.b.Launch(k); err != nil {
			c.Fatal(err)
		}
	}
	same := func(lo, hi int) bool {
		launch(part, lo, hi)
		for i := lo; i < hi; i++ {
			got, want := bitsAt(&part, i), bitsAt(&whole, i)
			if got != want && !(isNaN(number(d, got)) && isNaN(number(d, want))) {
				var args []complex128
				for k := range ins {
					args = append(args, Get(&ins[k], i))
				}
				c.fail("element %d, of %v, is %v (%#x) among all %d and %v (%#x) among those from %d to %d",
					i, args, Get(&whole, i), want, n, Get(&part, i), got, lo, hi)
				return false
			}
		}
		return true
	}
	launch(whole, 0, n)
	c.cases["alone"]++
	for i := range n {
		if !same(i, i+1) {
			return
		}
	}
	for range 60 {
		lo := c.rng.IntN(n)
		if !same(lo, lo+1+c.rng.IntN(n-lo)) {
			return
		}
	}
}

func zeroBits(int) uint64 { return 0 }

// section is elements lo to hi of t.
func section(t device.Tensor, lo, hi int) device.Tensor {
	t.Data = unsafe.Add(t.Data, lo*t.Dtype.Size())
	t.Shape = []int{hi - lo}
	return t
}

func bitsAt(t *device.Tensor, i int) uint64 {
	return getBits(unsafe.Add(t.Data, i*t.Dtype.Size()), t.Dtype)
}

func isNaN(z complex128) bool { return math.IsNaN(real(z)) || math.IsNaN(imag(z)) }
