package cpu

import (
	"bytes"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// giveUp launches k and cancels it after a while. It returns the error and how long the launch went on.
func giveUp(k *device.Kernel, after time.Duration) (late time.Duration, err error) {
	cancel := new(atomic.Bool) // k may have another by the time a late timer fires
	k.Cancel = cancel
	var since atomic.Int64
	timer := time.AfterFunc(after, func() {
		since.Store(time.Now().UnixNano())
		cancel.Store(true)
	})
	defer timer.Stop()
	err = Backend{}.Launch(k)
	if since.Load() != 0 {
		late = time.Duration(time.Now().UnixNano() - since.Load())
	}
	return late, err
}

// stretched is a tensor of any size over one element.
func stretched(t testing.TB, d dtype.Dtype, shape ...int) device.Tensor {
	return device.Tensor{Data: dense(t, d, []int{1}, func(int) complex128 { return 1 }).Data, Dtype: d, Shape: shape, Strides: make([]int, len(shape))}
}

// TestLongKernelsGiveUp cancels launches that would take minutes or years, most over arrays of one element stretched.
func TestLongKernelsGiveUp(t *testing.T) {
	const long = 1 << 40
	f32, f16, i32 := dtype.Float32, dtype.Float16, dtype.Int32
	for name, k := range map[string]device.Kernel{
		"reduce a row":          {Kind: device.KindReduce, Attr: device.ReduceAttr{Op: device.ReduceSum, Axes: []int{0}}, In: []device.Tensor{stretched(t, f32, long)}},
		"reduce halves":         {Kind: device.KindReduce, Attr: device.ReduceAttr{Op: device.ReduceProd, Axes: []int{0}}, In: []device.Tensor{stretched(t, f16, long)}},
		"reduce rows":           {Kind: device.KindReduce, Attr: device.ReduceAttr{Op: device.ReduceMax, Axes: []int{1}}, In: []device.Tensor{stretched(t, i32, 40, long)}},
		"reduce columns":        {Kind: device.KindReduce, Attr: device.ReduceAttr{Op: device.ReduceAnd, Axes: []int{0}}, In: []device.Tensor{stretched(t, f32, long, 40)}},
		"argreduce a row":       {Kind: device.KindArgReduce, Attr: device.ArgReduceAttr{Max: true}, In: []device.Tensor{stretched(t, f32, long)}},
		"argreduce columns":     {Kind: device.KindArgReduce, Attr: device.ArgReduceAttr{}, In: []device.Tensor{stretched(t, f32, long, 64)}},
		"logsumexp":             {Kind: device.KindLogSumExp, In: []device.Tensor{stretched(t, f32, 40, long)}},
		"matmul, tall and wide": {Kind: device.KindMatMul, In: []device.Tensor{stretched(t, f32, 48, long), stretched(t, f32, long, 80)}},
		"matmul of vectors":     {Kind: device.KindMatMul, In: []device.Tensor{stretched(t, f32, 1, long), stretched(t, f32, long, 1)}},
		"matmul, packed":        {Kind: device.KindMatMul, In: []device.Tensor{stretched(t, f32, 300, long), stretched(t, f32, long, 300)}},
		"matmul, complex":       {Kind: device.KindMatMul, In: []device.Tensor{stretched(t, dtype.Complex64, 48, long), stretched(t, dtype.Complex64, long, 80)}},
		"conv": {Kind: device.KindConv, Attr: device.ConvAttr{Groups: 1, Stride: []int{1}, PadLo: []int{0}, PadHi: []int{0}, KernelDilation: []int{1}, InputDilation: []int{1}},
			In: []device.Tensor{stretched(t, f32, 1<<12, 1<<13, 8), stretched(t, f32, 8, 1<<12, 8)}},
		"scatter": {Kind: device.KindScatter, Attr: device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}}, In: []device.Tensor{stretched(t, i32, long), stretched(t, f32, long, 1)}},
	} {
		k.Op = "test"
		var shape []int
		d := k.In[0].Dtype
		switch k.Kind {
		case device.KindReduce:
			at := k.Attr.(device.ReduceAttr)
			shape = dropAxis(k.In[0].Shape, at.Axes[0])
			if at.Op == device.ReduceAnd {
				d = dtype.Bool
			}
		case device.KindArgReduce:
			shape, d = dropAxis(k.In[0].Shape, 0), dtype.Uint32
		case device.KindLogSumExp:
			shape = k.In[0].Shape[:1]
		case device.KindMatMul:
			shape = []int{k.In[0].Shape[0], k.In[1].Shape[1]}
		case device.KindConv:
			shape = []int{k.In[0].Shape[0], k.In[0].Shape[1] - k.In[1].Shape[1] + 1, 8}
		case device.KindScatter:
			shape, d = []int{10}, f32
		}
		k.Out = []device.Tensor{dense(t, d, shape, func(int) complex128 { return 1 })}
		if late, err := giveUp(&k, 20*time.Millisecond); err != errs.ErrCanceled || late > time.Second {
			t.Errorf("%s: %v, %v after it was given up", name, err, late)
		}
	}
}

// TestSortGivesUp cancels sorts of one long row at many moments: what is undone is not read.
func TestSortGivesUp(t *testing.T) {
	const n = 1 << 21
	r := rand.New(rand.NewPCG(3, 4))
	eachISA(t, func(t *testing.T) {
		for _, d := range []dtype.Dtype{dtype.Float32, dtype.Uint8, dtype.Float64, dtype.Float16} {
			in := dense(t, d, []int{n}, func(int) complex128 { return complex(float64(r.IntN(200)), 0) })
			for _, attr := range []device.SortAttr{{Kth: -1}, {Kth: -1, Arg: true}, {Kth: n / 2}, {Kth: n / 2, Arg: true}} {
				to := d
				if attr.Arg {
					to = dtype.Uint32
				}
				k := &device.Kernel{Kind: device.KindSort, Op: "sort", Attr: attr, In: []device.Tensor{in}, Out: []device.Tensor{dense(t, to, []int{n}, func(int) complex128 { return 0 })}}
				for after := time.Duration(100); after < 60*time.Millisecond; after = after*3 + 1000 {
					if late, err := giveUp(k, after); err != nil && err != errs.ErrCanceled || late > time.Second {
						t.Fatalf("%s %+v: %v, %v after it was given up", d, attr, err, late)
					}
				}
			}
		}
	})
	if n := borrowed.Load(); n != 0 {
		t.Errorf("%d bytes of working space were not given back", n)
	}
}

// TestInPlaceGoesOn interrupts kernels in place again and again: in the end every position was computed once.
func TestInPlaceGoesOn(t *testing.T) {
	const n = 3 << 20
	chunks, elements := blockChunks, blockElements
	defer func() { blockChunks, blockElements = chunks, elements }()
	blockChunks, blockElements = 3, 1<<14
	add := table.FindRow("add")
	one := dense(t, dtype.Float32, []int{1}, func(int) complex128 { return 1 })
	one.Shape, one.Strides = []int{n}, []int{0}
	program := &device.Program{Load: []dtype.Dtype{dtype.Float32, dtype.Float32}, Store: []uint8{2}, Regs: 3}
	for range 40 {
		program.Steps = append(program.Steps, device.Step{Row: add, In: dtype.Float32, Out: dtype.Float32, Dst: 2, Src: [3]uint8{0, 1}},
			device.Step{Row: add, In: dtype.Float32, Out: dtype.Float32, Dst: 0, Src: [3]uint8{2, 1}})
	}
	index := func(shape []int, at func(i int) int) device.Tensor {
		return dense(t, dtype.Int32, shape, func(i int) complex128 { return complex(float64(at(i)), 0) })
	}
	rows := func(v float64, shape ...int) device.Tensor {
		return dense(t, dtype.Float32, shape, func(i int) complex128 { return complex(v*float64(1+i%3), 0) })
	}
	for name, c := range map[string]struct {
		shape []int
		k     device.Kernel
	}{
		"elementwise": {[]int{n}, device.Kernel{Kind: device.KindElementwise, Attr: program}},
		"scatter":     {[]int{1000}, device.Kernel{Kind: device.KindScatter, Attr: device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}}, In: []device.Tensor{index([]int{5 << 20}, func(i int) int { return i * 7 % 1000 }), rows(1, 5<<20, 1)}}},
		"scatter rows": {[]int{50, 3000}, device.Kernel{Kind: device.KindScatter, Attr: device.ScatterAttr{Op: device.ScatterProd, Axes: []int{0}},
			In: []device.Tensor{index([]int{2000}, func(i int) int { return i % 50 }), rows(1, 2000, 1, 3000)}}},
		"scatter along a long axis": {[]int{2, 9}, device.Kernel{Kind: device.KindScatterAxis, Attr: device.ScatterAxisAttr{Axis: 1, Add: true},
			In: []device.Tensor{index([]int{2, 5 << 20}, func(i int) int { return i % 9 }), rows(1, 2, 5<<20)}}},
		"scatter along short axes": {[]int{1 << 20, 4}, device.Kernel{Kind: device.KindScatterAxis, Attr: device.ScatterAxisAttr{Axis: 1, Add: true},
			In: []device.Tensor{index([]int{1 << 20, 5}, func(i int) int { return i % 4 }), rows(1, 1<<20, 5)}}},
	} {
		c.k.Op = name
		launch := func(interrupted bool, after time.Duration) (device.Tensor, int) {
			k := c.k
			out := dense(t, dtype.Float32, c.shape, func(i int) complex128 { return complex(float64(i%5), 0) })
			k.Out = []device.Tensor{out}
			if k.Kind == device.KindElementwise {
				k.In = []device.Tensor{out, one}
			}
			if !interrupted {
				launchTest(t, &k)
				return out, 0
			}
			k.Done = new(int)
			for times := 0; ; times++ {
				done := *k.Done
				k.Cancel = new(atomic.Bool)
				timer := time.AfterFunc(after, func() { k.Cancel.Store(true) })
				err := Backend{}.Launch(&k)
				timer.Stop()
				if err == nil {
					return out, times
				}
				if err != errs.ErrCanceled || times > 0 && *k.Done < done {
					t.Fatalf("%s: %v with %d positions done after %d", name, err, *k.Done, done)
				}
			}
		}
		want, _ := launch(false, 0)
		size := layout.Size(c.shape) * 4
		most := 0
		for after := 300 * time.Microsecond; after > 0 && most < 3; after /= 2 { // until the timer is quicker than the kernel
			got, times := launch(true, after)
			if !bytes.Equal(unsafe.Slice((*byte)(want.Data), size), unsafe.Slice((*byte)(got.Data), size)) {
				t.Errorf("%s: interrupted %d times, the result differs", name, times)
			}
			most = max(most, times)
		}
		if most == 0 {
			t.Errorf("%s: never interrupted", name)
		}
	}
}

// TestWorkspaceErrors holds that working space beyond the limit, or beyond what there is, is a MemoryError that says how
// much for what, and that nothing stays borrowed.
func TestWorkspaceErrors(t *testing.T) {
	in := dense(t, dtype.Float32, []int{1 << 20}, func(i int) complex128 { return complex(float64(i), 0) })
	out := dense(t, dtype.Float32, []int{1 << 20}, func(int) complex128 { return 0 })
	k := &device.Kernel{Kind: device.KindSort, Op: "sort", Attr: device.SortAttr{Kth: -1}, In: []device.Tensor{in}, Out: []device.Tensor{out}, Room: 1 << 20}
	err, ok := Backend{}.Launch(k).(*errs.Error)
	if !ok || err.Kind != errs.MemoryError || !bytes.Contains([]byte(err.Msg), []byte("[sort] cannot allocate ")) {
		t.Errorf("error is %v, want a MemoryError of sort", err)
	}
	wide := stretched(t, dtype.Float32, 1<<40)
	k = &device.Kernel{Kind: device.KindLayerNorm, Op: "layer_norm", Attr: device.NormAttr{}, In: []device.Tensor{wide, stretched(t, dtype.Float32, 1<<45), stretched(t, dtype.Float32, 1<<45)},
		Out: []device.Tensor{{Data: out.Data, Dtype: dtype.Float32, Shape: []int{1 << 40}, Strides: []int{1}}}}
	if err, ok := (Backend{}).Launch(k).(*errs.Error); !ok || err.Kind != errs.MemoryError {
		t.Errorf("error is %v, want a MemoryError", err)
	}
	if n := borrowed.Load(); n != 0 {
		t.Errorf("%d bytes of working space were not given back", n)
	}
}
