package backendtest

import (
	"bytes"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// guardBytes surround every piece of memory; a kernel that strays finds them.
const guardBytes = 256

const guardPattern = 0xA5

// guarded is memory of the backend between guards, and what it must hold after a launch.
type guarded struct {
	base     unsafe.Pointer
	size     int // of all
	bytes    []byte
	before   []byte
	writable map[int]bool // offsets of elements that the launch may write; nil: none
	all      bool         // it may write all of them
	elem     int
}

// alloc gives n elements of d.
func (c *ctx) alloc(d dtype.Dtype, n int) *guarded {
	c.Helper()
	size := n*d.Size() + 2*guardBytes
	p := c.b.Allocate(size)
	if p == nil {
		c.Fatalf("Allocate(%d) failed", size)
	}
	g := &guarded{base: p, size: size, bytes: unsafe.Slice((*byte)(p), size), elem: d.Size()}
	for i := range g.bytes {
		g.bytes[i] = guardPattern
	}
	c.blocks = append(c.blocks, g)
	return g
}

func (g *guarded) data() unsafe.Pointer { return unsafe.Add(g.base, guardBytes) }

func (c *ctx) release() {
	for _, g := range c.blocks {
		c.b.Free(g.base, g.size)
	}
	c.blocks = nil
}

// expectWrites notes that the next launch may write the elements of t.
func (c *ctx) expectWrites(t *device.Tensor) {
	for _, g := range c.blocks {
		off := int(uintptr(t.Data) - uintptr(g.base))
		if off < 0 || off >= g.size {
			if g.before == nil {
				g.before = bytes.Clone(g.bytes)
			}
			continue
		}
		g.before = bytes.Clone(g.bytes)
		if t.Contiguous() && t.Size()*g.elem == g.size-2*guardBytes {
			g.all = true
			continue
		}
		g.writable = map[int]bool{}
		positions(t.Shape, func(idx []int, _ int) {
			g.writable[off+offset(t, idx)*g.elem] = true
		})
	}
}

// checkMemory holds that nothing changed but what expectWrites allowed.
func (c *ctx) checkMemory() bool {
	c.Helper()
	ok := true
	for _, g := range c.blocks {
		if g.before == nil || bytes.Equal(g.before, g.bytes) {
			g.before, g.writable, g.all = nil, nil, false
			continue
		}
		for i := range g.bytes {
			if g.before[i] == g.bytes[i] {
				continue
			}
			inside := i >= guardBytes && i < g.size-guardBytes
			if inside && (g.all || g.writable[i-(i-guardBytes)%g.elem]) {
				continue
			}
			c.fail("memory was written that is no output: byte %d of %d (guards of %d bytes on both sides)",
				i-guardBytes, g.size-2*guardBytes, guardBytes)
			ok = false
			break
		}
		g.before, g.writable, g.all = nil, nil, false
	}
	return ok
}

// positions calls f with every index of shape and its row-major number.
func positions(shape []int, f func(idx []int, n int)) {
	size := layout.Size(shape)
	idx := make([]int, len(shape))
	for n := range size {
		f(idx, n)
		for a := len(shape) - 1; a >= 0; a-- {
			if idx[a]++; idx[a] < shape[a] {
				break
			}
			idx[a] = 0
		}
	}
}

func offset(t *device.Tensor, idx []int) int {
	off := 0
	for a, i := range idx {
		off += i * t.Strides[a]
	}
	return off
}

// view tells how a tensor's elements lie in memory.
type view struct {
	permute, step, flip, stretch, shift bool
}

var contiguous = view{}

// views are the layouts that every kernel reads its inputs in.
var views = []struct {
	name string
	view
}{
	{"contiguous", contiguous},
	{"transposed", view{permute: true}},
	{"stepped", view{step: true}},
	{"flipped", view{flip: true}},
	{"broadcast", view{stretch: true}},
	{"shifted", view{shift: true}},
	{"mixed", view{permute: true, step: true, flip: true, shift: true}},
	{"anything", view{permute: true, step: true, flip: true, shift: true, stretch: true}},
}

// anyView draws one of views.
func (c *ctx) anyView() view { return views[c.rng.IntN(len(views))].view }

// anyOutView draws a layout whose elements do not overlap.
func (c *ctx) anyOutView() view {
	v := c.anyView()
	v.stretch = false
	return v
}

// maxStepped bounds the gaps of shapes of many axes, where each would double the memory.
const maxStepped = 1 << 14

// arrange draws strides for shape, the position of the first element and the extent in elements.
func (c *ctx) arrange(shape []int, v view) (strides []int, first, extent int) {
	order := make([]int, len(shape))
	for i := range order {
		order[i] = len(shape) - 1 - i
	}
	if v.permute {
		c.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	if v.shift {
		first = 1 + c.rng.IntN(7)
	}
	strides = make([]int, len(shape))
	n, last := 1, 0
	for _, a := range order {
		if v.stretch && c.rng.IntN(2) == 0 {
			continue
		}
		s := n
		if v.step && n < maxStepped && c.rng.IntN(2) == 0 {
			s *= 2 + c.rng.IntN(2)
		}
		strides[a] = s
		n = s * max(shape[a], 1)
		reach := s * max(shape[a]-1, 0)
		last += reach
		if v.flip && c.rng.IntN(2) == 0 {
			strides[a] = -s
			first += reach
		}
	}
	return strides, first, first + last + 1
}

// tensor makes an input. value gives the bits of the element at each place of memory.
func (c *ctx) tensor(d dtype.Dtype, shape []int, v view, value func(i int) uint64) device.Tensor {
	c.Helper()
	strides, first, extent := c.arrange(shape, v)
	g := c.alloc(d, extent)
	for i := range extent {
		setBits(unsafe.Add(g.data(), i*d.Size()), d, value(i))
	}
	return device.Tensor{Data: unsafe.Add(g.data(), first*d.Size()), Dtype: d, Shape: shape, Strides: strides}
}

// twins makes the output of the backend and that of the reference, with equal initial contents.
func (c *ctx) twins(o output) (got, want device.Tensor) {
	c.Helper()
	strides, first, extent := c.arrange(o.shape, o.view)
	at := func() device.Tensor {
		g := c.alloc(o.d, extent)
		for i := range extent {
			if o.initial != nil {
				setBits(unsafe.Add(g.data(), i*o.d.Size()), o.d, o.initial(i))
			}
		}
		return device.Tensor{Data: unsafe.Add(g.data(), first*o.d.Size()), Dtype: o.d, Shape: o.shape, Strides: strides}
	}
	got = at()
	if o.initial != nil { // the generator may be random: copy what it gave
		n := len(c.blocks)
		from := c.blocks[n-1]
		g := c.alloc(o.d, extent)
		copy(g.bytes, from.bytes)
		want = device.Tensor{Data: unsafe.Add(g.data(), first*o.d.Size()), Dtype: o.d, Shape: o.shape, Strides: strides}
		return got, want
	}
	return got, at()
}

// testMemory holds Allocate and Free to their contract.
func testMemory(c *ctx) {
	for _, n := range []int{1, 63, 64, 4096, 1<<20 + 1, 1 << 23} {
		p := c.b.Allocate(n)
		if p == nil {
			c.Fatalf("Allocate(%d) failed", n)
		}
		if uintptr(p)%64 != 0 {
			c.Errorf("Allocate(%d) gave %p, not aligned to 64", n, p)
		}
		bytes := unsafe.Slice((*byte)(p), n)
		bytes[0], bytes[n-1] = 1, 1
		c.b.Free(p, n)
	}
	if p := c.b.Allocate(1 << 60); p != nil {
		c.Error("Allocate(1<<60) succeeded")
	}
	if c.b.Name() != "cpu" && c.b.Name() != "gpu" {
		c.Errorf("Name() is %q", c.b.Name())
	}
	c.cases["memory"]++
}
