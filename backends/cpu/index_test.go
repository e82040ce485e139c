package cpu

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// anyView is scatteredView for every dtype, the bytes random.
func anyView(r *rand.Rand, d dtype.Dtype, shape ...int) *view {
	like := map[int]dtype.Dtype{1: dtype.Float32, 2: dtype.Float16, 4: dtype.Float32, 8: dtype.Float64}[d.Size()]
	v := scatteredView(r, like, shape...)
	if d.IsInexact() {
		w := scatteredView(r, d, shape...)
		return w
	}
	if d.Size() == 1 { // a quarter of the bytes of its float32 layout
		at := (uintptr(v.Data) - uintptr(unsafe.Pointer(&v.mem[64]))) / 4
		v.Data = unsafe.Pointer(&v.mem[64+at])
	}
	v.Dtype = d
	for i := 64; i < len(v.mem)-64; i++ {
		v.mem[i] = byte(r.Uint32())
		if d == dtype.Bool {
			v.mem[i] &= 1
		}
	}
	return v
}

// bits is the element at an offset as raw bytes.
func (v *view) bits(at int) string {
	n := v.Dtype.Size()
	return string(unsafe.Slice((*byte)(unsafe.Add(v.Data, at*n)), n))
}

func (v *view) setInt(at, x int) {
	p := unsafe.Add(v.Data, at*v.Dtype.Size())
	switch v.Dtype.Size() {
	case 1:
		*(*int8)(p) = int8(x)
	case 2:
		*(*int16)(p) = int16(x)
	case 4:
		*(*int32)(p) = int32(x)
	default:
		*(*int64)(p) = int64(x)
	}
}

func (v *view) getInt(at int) int {
	p := unsafe.Add(v.Data, at*v.Dtype.Size())
	switch v.Dtype {
	case dtype.Uint8:
		return int(*(*uint8)(p))
	case dtype.Int8:
		return int(*(*int8)(p))
	case dtype.Uint16:
		return int(*(*uint16)(p))
	case dtype.Int16:
		return int(*(*int16)(p))
	case dtype.Uint32:
		return int(*(*uint32)(p))
	case dtype.Int32:
		return int(*(*int32)(p))
	}
	return int(*(*int64)(p))
}

// each calls f with every index of shape in row-major order.
func each(shape []int, f func(index []int)) {
	index := make([]int, len(shape))
	for range layout.Size(shape) {
		f(index)
		for i := len(shape) - 1; i >= 0; i-- {
			if index[i]++; index[i] < shape[i] {
				break
			}
			index[i] = 0
		}
	}
}

func offset(index, strides []int) int {
	o := 0
	for i, x := range index {
		o += x * strides[i]
	}
	return o
}

var integers = []dtype.Dtype{dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64, dtype.Int8, dtype.Int16,
	dtype.Int32, dtype.Int64}

// indexView holds valid indices for corners 0..last of an axis with the given size.
func indexView(r *rand.Rand, size, last int, shape ...int) *view {
	d := integers[r.IntN(len(integers))]
	for size > 127 && d.Size() == 1 {
		d = integers[r.IntN(len(integers))]
	}
	v := anyView(r, d, shape...)
	each(shape, func(index []int) {
		x := r.IntN(last + 1)
		if d.Group() == dtype.GroupSigned && r.IntN(3) == 0 {
			x -= size
		}
		v.setInt(offset(index, v.Strides), x)
	})
	return v
}

func smallShape(r *rand.Rand, most int) []int {
	s := []int{}
	for range r.IntN(most + 1) {
		s = append(s, 1+r.IntN(5))
	}
	return s
}

type indexCase struct {
	array  []int
	axes   []int
	slice  []int
	shape  []int
	arrays []*view
}

func randomIndexCase(r *rand.Rand) indexCase {
	c := indexCase{array: append(smallShape(r, 3), 1+r.IntN(9)), shape: smallShape(r, 3)}
	if r.IntN(20) == 0 {
		c.array, c.shape = []int{1 + r.IntN(9), 200 + r.IntN(100)}, []int{40 + r.IntN(300)}
	}
	c.axes = r.Perm(len(c.array))[:r.IntN(len(c.array)+1)]
	c.slice = slices.Clone(c.array)
	for _, a := range c.axes {
		c.slice[a] = 1
		if r.IntN(4) == 0 {
			c.slice[a] = 1 + r.IntN(c.array[a])
		}
	}
	for _, a := range c.axes {
		c.arrays = append(c.arrays, indexView(r, c.array[a], c.array[a]-c.slice[a], c.shape...))
	}
	return c
}

// corner is where the slice for one position starts.
func (c *indexCase) corner(position []int) []int {
	at := make([]int, len(c.array))
	for i, a := range c.axes {
		x := c.arrays[i].getInt(offset(position, c.arrays[i].Strides))
		if x < 0 {
			x += c.array[a]
		}
		at[a] = x
	}
	return at
}

func TestGather(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 1400 {
		d := dtype.All[i%dtype.Count]
		c := randomIndexCase(r)
		src := anyView(r, d, c.array...)
		out := fresh(d, append(slices.Clone(c.shape), c.slice...)...)
		k := &device.Kernel{Kind: device.KindGather, Op: "take", In: []device.Tensor{src.Tensor},
			Out: []device.Tensor{out.Tensor}, Attr: device.GatherAttr{Axes: c.axes, SliceSizes: c.slice}}
		for _, a := range c.arrays {
			k.In = append(k.In, a.Tensor)
		}
		if err := (Backend{}).Launch(k); err != nil {
			t.Fatal(err)
		}
		out.checkGuards(t)
		n := 0
		each(c.shape, func(position []int) {
			corner := c.corner(position)
			each(c.slice, func(s []int) {
				at := offset(corner, src.Strides) + offset(s, src.Strides)
				if out.bits(n) != src.bits(at) {
					t.Fatalf("%s array %v%v axes %v slice %v indices %v: at %v %v", d, c.array, src.Strides, c.axes,
						c.slice, c.shape, position, s)
				}
				n++
			})
		})
	}
}

// combine is what one update does, in float64 or int64 arithmetic.
func combine(op device.ScatterOp, d dtype.Dtype, a, b complex128) complex128 {
	nan := func(x complex128) bool { return math.IsNaN(real(x)) || math.IsNaN(imag(x)) }
	switch op {
	case device.ScatterAdd:
		return a + b
	case device.ScatterProd:
		return a * b
	case device.ScatterMax, device.ScatterMin:
		less := real(a) < real(b) || real(a) == real(b) && imag(a) < imag(b)
		if nan(a) || !nan(b) && (less == (op == device.ScatterMin)) {
			return a
		}
	}
	return b
}

func combineInt(op device.ScatterOp, d dtype.Dtype, a, b int) int {
	less := a < b
	if d == dtype.Uint64 {
		less = uint(a) < uint(b)
	}
	switch op {
	case device.ScatterAdd:
		if d == dtype.Bool {
			return a | b
		}
		return a + b
	case device.ScatterProd:
		return a * b
	case device.ScatterMax:
		if !less {
			return a
		}
	case device.ScatterMin:
		if less {
			return a
		}
	}
	return b
}

func (v *view) combine(op device.ScatterOp, at int, from *view, fromAt int) {
	d := v.Dtype
	if op == device.ScatterSet {
		copy(unsafe.Slice((*byte)(unsafe.Add(v.Data, at*d.Size())), d.Size()), from.bits(fromAt))
		return
	}
	if d.IsInexact() {
		v.set(at, combine(op, d, v.get(at), from.get(fromAt)))
		return
	}
	if d == dtype.Bool {
		v.setInt(at, combineInt(op, d, int(v.bits(at)[0]), int(from.bits(fromAt)[0])))
		return
	}
	v.setInt(at, combineInt(op, d, v.getInt(at), from.getInt(fromAt)))
}

// same compares what a kernel wrote with what is right, element by element.
func same(t *testing.T, name string, got, want *view) {
	t.Helper()
	for i := range layout.Size(got.Shape) {
		if got.bits(i) == want.bits(i) {
			continue
		}
		if got.Dtype.IsInexact() {
			a, b := got.get(i), want.get(i)
			close := func(x, y float64) bool {
				return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-6*(math.Abs(x)+math.Abs(y))
			}
			if close(real(a), real(b)) && close(imag(a), imag(b)) ||
				got.Dtype == dtype.Complex64 && cmplx.Abs(a-b) <= 1e-4*cmplx.Abs(b) {
				continue
			}
		}
		t.Fatalf("%s: element %d is %x, want %x", name, i, got.bits(i), want.bits(i))
	}
}

func copied(v *view) *view {
	w := fresh(v.Dtype, v.Shape...)
	copy(w.mem, v.mem)
	return w
}

func TestScatter(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for i := range 2800 {
		d, op := dtype.All[i%dtype.Count], device.ScatterOp(r.IntN(device.ScatterOpCount))
		c := randomIndexCase(r)
		n := layout.Size(c.array)
		got := fresh(d, c.array...)
		init := anyView(r, d, n)
		for j := range n {
			got.combine(device.ScatterSet, j, init, j*init.Strides[0])
		}
		want := copied(got)
		updates := anyView(r, d, append(slices.Clone(c.shape), c.slice...)...)
		k := &device.Kernel{Kind: device.KindScatter, Op: "scatter", Out: []device.Tensor{got.Tensor},
			Attr: device.ScatterAttr{Op: op, Axes: c.axes}}
		for _, a := range c.arrays {
			k.In = append(k.In, a.Tensor)
		}
		k.In = append(k.In, updates.Tensor)
		if err := (Backend{}).Launch(k); err != nil {
			t.Fatal(err)
		}
		got.checkGuards(t)
		each(c.shape, func(position []int) {
			corner := c.corner(position)
			each(c.slice, func(s []int) {
				full := append(slices.Clone(position), s...)
				want.combine(op, offset(corner, want.Strides)+offset(s, want.Strides), updates,
					offset(full, updates.Strides))
			})
		})
		same(t, fmt.Sprintf("%s op %d array %v axes %v slice %v indices %v", d, op, c.array, c.axes, c.slice, c.shape),
			got, want)
	}
}

func TestGatherScatterAxis(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for i := range 1400 {
		d := dtype.All[i%dtype.Count]
		shape := append(smallShape(r, 3), 1+r.IntN(20))
		if r.IntN(10) == 0 {
			shape = []int{1 + r.IntN(30), 100 + r.IntN(100)}
		}
		axis := r.IntN(len(shape))
		ishape := slices.Clone(shape)
		ishape[axis] = 1 + r.IntN(30)
		src, index := anyView(r, d, shape...), indexView(r, shape[axis], shape[axis]-1, ishape...)
		out := fresh(d, ishape...)
		k := &device.Kernel{Kind: device.KindGatherAxis, Op: "take_along_axis", Attr: device.AxisAttr{Axis: axis},
			In: []device.Tensor{src.Tensor, index.Tensor}, Out: []device.Tensor{out.Tensor}}
		if err := (Backend{}).Launch(k); err != nil {
			t.Fatal(err)
		}
		out.checkGuards(t)
		pick := func(p []int) []int {
			at := slices.Clone(p)
			at[axis] = index.getInt(offset(p, index.Strides))
			if at[axis] < 0 {
				at[axis] += shape[axis]
			}
			return at
		}
		each(ishape, func(p []int) {
			if out.bits(offset(p, out.Strides)) != src.bits(offset(pick(p), src.Strides)) {
				t.Fatalf("%s %v%v indices %v%v axis %d at %v", d, shape, src.Strides, ishape, index.Strides, axis, p)
			}
		})

		add := r.IntN(2) == 0
		got := fresh(d, shape...)
		each(shape, func(p []int) {
			got.combine(device.ScatterSet, offset(p, got.Strides), src, offset(p, src.Strides))
		})
		want := copied(got)
		updates := anyView(r, d, ishape...)
		k = &device.Kernel{Kind: device.KindScatterAxis, Op: "put_along_axis",
			Attr: device.ScatterAxisAttr{Axis: axis, Add: add}, In: []device.Tensor{index.Tensor, updates.Tensor},
			Out: []device.Tensor{got.Tensor}}
		if err := (Backend{}).Launch(k); err != nil {
			t.Fatal(err)
		}
		got.checkGuards(t)
		op := device.ScatterSet
		if add {
			op = device.ScatterAdd
		}
		each(ishape, func(p []int) {
			want.combine(op, offset(pick(p), want.Strides), updates, offset(p, updates.Strides))
		})
		same(t, fmt.Sprintf("put %s %v indices %v axis %d add %v", d, shape, ishape, axis, add), got, want)
	}
}

func TestIndexOutOfBounds(t *testing.T) {
	for _, d := range integers {
		for _, n := range []int{1, 700, 100000} {
			for _, bad := range []int{5, -6, 100, math.MinInt} {
				if d.Group() == dtype.GroupUnsigned && bad < 0 || d != dtype.Int64 && bad == math.MinInt {
					continue
				}
				index, src := fresh(d, n), fresh(dtype.Float32, 5, 3)
				clear(index.mem)
				index.setInt(n/2, bad)
				out := fresh(dtype.Float32, n, 1, 3)
				kernels := []*device.Kernel{
					{Kind: device.KindGather, Op: "take", In: []device.Tensor{src.Tensor, index.Tensor},
						Out:  []device.Tensor{out.Tensor},
						Attr: device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1, 3}}},
					{Kind: device.KindScatter, Op: "take", In: []device.Tensor{index.Tensor, out.Tensor},
						Out:  []device.Tensor{src.Tensor},
						Attr: device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}}},
				}
				for _, k := range kernels {
					err := Backend{}.Launch(k)
					want := fmt.Sprintf("[take] index %d is out of bounds for axis 0 with size 5", bad)
					if e, ok := err.(*errs.Error); !ok || e.Kind != errs.IndexError || e.Msg != want {
						t.Fatalf("%s, %d indices: %v, want %s", d, n, err, want)
					}
				}
			}
		}
	}
	// A slice that starts inside but ends outside.
	index, src, out := fresh(dtype.Int32), fresh(dtype.Float32, 5), fresh(dtype.Float32, 3)
	index.setInt(0, 3)
	err := Backend{}.Launch(&device.Kernel{Kind: device.KindGather, Op: "slice",
		In: []device.Tensor{src.Tensor, index.Tensor}, Out: []device.Tensor{out.Tensor},
		Attr: device.GatherAttr{Axes: []int{0}, SliceSizes: []int{3}}})
	if err == nil || !strings.Contains(err.Error(), "out of bounds") {
		t.Fatalf("slice past the end: %v", err)
	}
	big := fresh(dtype.Uint64)
	big.setInt(0, -1)
	err = Backend{}.Launch(&device.Kernel{Kind: device.KindGather, Op: "take",
		In: []device.Tensor{src.Tensor, big.Tensor}, Out: []device.Tensor{fresh(dtype.Float32, 1).Tensor},
		Attr: device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1}}})
	if err == nil || !strings.Contains(err.Error(), "18446744073709551615") {
		t.Fatalf("uint64 index: %v", err)
	}
	// After an error the array is as it was, outside the positions before it.
	put := fresh(dtype.Int32, 3)
	clear(put.mem)
	put.setInt(1, 5)
	err = Backend{}.Launch(&device.Kernel{Kind: device.KindScatterAxis, Op: "put_along_axis",
		In: []device.Tensor{put.Tensor, out.Tensor}, Out: []device.Tensor{src.Tensor}, Attr: device.ScatterAxisAttr{}})
	src.checkGuards(t)
	if err == nil || !strings.Contains(err.Error(),
		"[put_along_axis] index 5 is out of bounds for axis 0 with size 5") {
		t.Fatalf("put: %v", err)
	}
}

func BenchmarkIndex(b *testing.B) {
	r := rand.New(rand.NewPCG(17, 18))
	run := func(name string, k *device.Kernel) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := (Backend{}).Launch(k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	index := func(n, top int) *view {
		v := fresh(dtype.Int32, n)
		for i := range n {
			v.setInt(i, r.IntN(top))
		}
		return v
	}
	rows2, ids := fresh(dtype.Float32, 30000, 512), index(4096, 30000)
	clear(rows2.mem)
	rows := fresh(dtype.Float32, 4096, 1, 512)
	clear(rows.mem)
	run("take_4096_rows_of_512", &device.Kernel{Kind: device.KindGather, In: []device.Tensor{rows2.Tensor, ids.Tensor},
		Out: []device.Tensor{rows.Tensor}, Attr: device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1, 512}}})
	run("add_4096_rows_of_512", &device.Kernel{Kind: device.KindScatter, In: []device.Tensor{ids.Tensor, rows.Tensor},
		Out: []device.Tensor{rows2.Tensor}, Attr: device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}}})
	flat, million, picked := fresh(dtype.Float32, 1000000), index(1000000, 1000000), fresh(dtype.Float32, 1000000, 1)
	clear(flat.mem)
	clear(picked.mem)
	run("take_1e6_scalars", &device.Kernel{Kind: device.KindGather, In: []device.Tensor{flat.Tensor, million.Tensor},
		Out: []device.Tensor{picked.Tensor}, Attr: device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1}}})
	run("add_1e6_scalars", &device.Kernel{Kind: device.KindScatter, In: []device.Tensor{million.Tensor, picked.Tensor},
		Out: []device.Tensor{flat.Tensor}, Attr: device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}}})
	one, last := index(1, 10), fresh(dtype.Float32, 10)
	run("take_1_scalar", &device.Kernel{Kind: device.KindGather, In: []device.Tensor{last.Tensor, one.Tensor},
		Out:  []device.Tensor{fresh(dtype.Float32, 1, 1).Tensor},
		Attr: device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1}}})
	labels, logits := index(64, 10), fresh(dtype.Float32, 64, 10)
	labels.Shape, labels.Strides = []int{64, 1}, []int{1, 1}
	run("take_along_64x10", &device.Kernel{Kind: device.KindGatherAxis,
		In: []device.Tensor{logits.Tensor, labels.Tensor}, Out: []device.Tensor{fresh(dtype.Float32, 64, 1).Tensor},
		Attr: device.AxisAttr{Axis: 1}})
}
