package cpu

import (
	"bytes"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// Tests of giving up count looks at the flag (STOPPED in kernels/abi.h), and never seconds.

// lookTimes launches k, gives it up at its n-th look at the flag, and returns how often it looked before.
func lookTimes(k *device.Kernel, n uint32) (looks int, err error) {
	k.Cancel = new(atomic.Bool)
	left := (*atomic.Uint32)(unsafe.Pointer(k.Cancel))
	left.Store(n)
	err = Backend{}.Launch(k)
	return int(n - left.Load()), err
}

// stretched is a tensor of any size over one element.
func stretched(t testing.TB, d dtype.Dtype, shape ...int) device.Tensor {
	one := dense(t, d, []int{1}, func(int) complex128 { return 1 })
	return device.Tensor{Data: one.Data, Dtype: d, Shape: shape, Strides: make([]int, len(shape))}
}

// zeroed is a tensor of zeros.
func zeroed(t testing.TB, d dtype.Dtype, shape ...int) device.Tensor {
	p := memory(t, d, layout.Size(shape))
	clear(unsafe.Slice((*byte)(p), layout.Size(shape)*d.Size()))
	return device.Tensor{Data: p, Dtype: d, Shape: shape, Strides: layout.Strides(shape)}
}

// kernelOf is a launch with one output.
func kernelOf(kind device.KernelKind, attr any, out device.Tensor, in ...device.Tensor) device.Kernel {
	return device.Kernel{Kind: kind, Op: "test", Attr: attr, In: in, Out: []device.Tensor{out}}
}

// giving is a launch with its work: elements read, or multiply-adds of products.
type giving struct {
	name string
	work int
	k    device.Kernel
}

// folds lists kernels whose outputs are small however long their inputs are: some n elements, stretched from one.
func folds(t testing.TB, n int) []giving {
	f32, f16, i32 := dtype.Float32, dtype.Float16, dtype.Int32
	of := func(d dtype.Dtype, shape ...int) device.Tensor { return stretched(t, d, shape...) }
	fold := func(op device.ReduceOp, axis int) device.ReduceAttr {
		return device.ReduceAttr{Op: op, Axes: []int{axis}}
	}
	matmul := func(name string, d dtype.Dtype, rows, cols int) giving {
		depth := n / (rows * cols)
		return giving{name, n, kernelOf(device.KindMatMul, nil, zeroed(t, d, rows, cols), of(d, rows, depth),
			of(d, depth, cols))}
	}
	arg, side := device.ArgReduceAttr{}, n/40
	return []giving{
		{"reduce a row", n, kernelOf(device.KindReduce, fold(device.ReduceSum, 0), zeroed(t, f32), of(f32, n))},
		{"reduce halves", n, kernelOf(device.KindReduce, fold(device.ReduceProd, 0), zeroed(t, f16), of(f16, n))},
		{"reduce rows", n, kernelOf(device.KindReduce, fold(device.ReduceMax, 1), zeroed(t, i32, 40),
			of(i32, 40, side))},
		{"reduce columns", n, kernelOf(device.KindReduce, fold(device.ReduceAnd, 0), zeroed(t, dtype.Bool, 40),
			of(f32, side, 40))},
		{"argreduce a row", n, kernelOf(device.KindArgReduce, device.ArgReduceAttr{Max: true}, zeroed(t, dtype.Uint32),
			of(f32, n))},
		{"argreduce columns", n, kernelOf(device.KindArgReduce, arg, zeroed(t, dtype.Uint32, 40), of(f32, side, 40))},
		{"logsumexp", n, kernelOf(device.KindLogSumExp, nil, zeroed(t, f32, 40), of(f32, 40, side))},
		matmul("matmul, tall and wide", f32, 48, 80),
		matmul("matmul of vectors", f32, 1, 1),
		matmul("matmul, packed", f32, 300, 300),
		matmul("matmul of halves", f16, 300, 300),
		matmul("matmul, complex", dtype.Complex64, 48, 80),
		{"scatter", n, kernelOf(device.KindScatter, device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}},
			zeroed(t, f32, 10), of(i32, n), of(f32, n, 1))},
		{"scatter along an axis", n, kernelOf(device.KindScatterAxis, device.ScatterAxisAttr{Axis: 1, Add: true},
			zeroed(t, f32, 4, 9), of(i32, 4, n/4), of(f32, 4, n/4))},
	}
}

// makers lists kernels with as many outputs as inputs or more, n or about.
func makers(t testing.TB, n int) []giving {
	f32, u32, f64 := dtype.Float32, dtype.Uint32, dtype.Float64
	of := func(d dtype.Dtype, shape ...int) device.Tensor { return stretched(t, d, shape...) }
	side := layout.Shape{1 << 10, n >> 10}
	turned := device.Tensor{Data: zeroed(t, f32, n).Data, Dtype: f32, Shape: side, Strides: []int{1, 1 << 10}}
	noise := dense(t, f32, []int{n}, func(i int) complex128 { return complex(float64(i*7919%10007), 0) })
	return append(productMakers(t, n), []giving{
		{"elementwise", n, kernelOf(device.KindElementwise, device.OneStep(table.FindRow("power"), f64),
			zeroed(t, f64, n), of(f64, n), of(f64, n))},
		{"copy", n, kernelOf(device.KindCopy, nil, zeroed(t, f64, n), of(f32, n))},
		{"copy by blocks", n, kernelOf(device.KindCopy, nil, zeroed(t, f32, side...), turned)},
		{"fill", n, kernelOf(device.KindFill, nil, zeroed(t, f32, n), of(f32))},
		{"arange", n, kernelOf(device.KindArange, device.ArangeAttr{Step: 1}, zeroed(t, f32, n))},
		{"scan", n, kernelOf(device.KindScan, device.ScanAttr{Op: device.ScanProd, Inclusive: true}, zeroed(t, f32, n),
			of(f32, n))},
		{"scan of logarithms", n, kernelOf(device.KindScan, device.ScanAttr{Op: device.ScanLogAddExp, Inclusive: true},
			zeroed(t, f32, n), of(f32, n))},
		{"scan of columns", n, kernelOf(device.KindScan, device.ScanAttr{Op: device.ScanSum, Inclusive: true},
			zeroed(t, f32, n/2, 2), of(f32, n/2, 2))},
		{"sort", n, kernelOf(device.KindSort, device.SortAttr{Kth: -1}, zeroed(t, f32, n), noise)},
		{"sort of short rows", n, kernelOf(device.KindSort, device.SortAttr{Axis: 1, Kth: -1}, zeroed(t, f32, n/8, 8),
			of(f32, n/8, 8))},
		{"argsort", n, kernelOf(device.KindSort, device.SortAttr{Kth: -1, Arg: true}, zeroed(t, u32, n),
			of(dtype.Uint16, n))},
		{"partition", n, kernelOf(device.KindSort, device.SortAttr{Kth: n / 2}, zeroed(t, f64, n), of(f64, n))},
		{"searchsorted", n, kernelOf(device.KindSearchSorted, device.SearchAttr{}, zeroed(t, u32, n), noise,
			of(f32, n))},
		{"softmax", n, kernelOf(device.KindSoftmax, nil, zeroed(t, f32, n), of(f32, n))},
		{"softmax of rows", n, kernelOf(device.KindSoftmax, nil, zeroed(t, f32, side...), of(f32, side...))},
		{"layer norm", n, kernelOf(device.KindLayerNorm, device.NormAttr{}, zeroed(t, f32, 1, n), of(f32, 1, n),
			of(f32, n), of(f32, n))},
		{"rms norm", n, kernelOf(device.KindRMSNorm, device.NormAttr{}, zeroed(t, f32, side...), of(f32, side...),
			of(f32, side[1]))},
		{"gather", n, kernelOf(device.KindGather, device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1}},
			zeroed(t, f32, n, 1), of(f32, 9), of(u32, n))},
		{"gather of slices", n, kernelOf(device.KindGather,
			device.GatherAttr{Axes: []int{0}, SliceSizes: []int{1, n / 2}}, zeroed(t, f32, 2, 1, n/2),
			of(f32, 9, n/2), of(u32, 2))},
		{"gather along an axis", n, kernelOf(device.KindGatherAxis, device.AxisAttr{}, zeroed(t, f32, n), of(f32, 9),
			of(u32, n))},
		{"nonzero", n, kernelOf(device.KindNonzero, device.NonzeroAttr{}, zeroed(t, u32, 1, n), of(dtype.Bool, n))},
		{"random bits", n, kernelOf(device.KindRandomBits, device.RandomAttr{Bytes: 4 * n}, zeroed(t, dtype.Uint8, 4*n),
			of(u32, 2))},
	}...)
}

// productMakers are those of them that sum products.
func productMakers(t testing.TB, n int) []giving {
	f32, u32 := dtype.Float32, dtype.Uint32
	of := func(d dtype.Dtype, shape ...int) device.Tensor { return stretched(t, d, shape...) }
	conv := device.ConvAttr{Groups: 1, Stride: []int{1}, PadLo: []int{0}, PadHi: []int{0}, KernelDilation: []int{1},
		InputDilation: []int{1}}
	depthwise, taps := conv, 64
	four := device.QuantizeAttr{GroupSize: 64, Bits: 4}
	side := layout.Shape{1 << 10, n >> 10}
	depthwise.Groups = 8
	return []giving{
		{"conv", n, kernelOf(device.KindConv, conv, zeroed(t, f32, 1, n/(taps*64), 8),
			of(f32, 1, n/(taps*64)+taps-1, 8), of(f32, 8, taps, 8))},
		{"products by index", n, kernelOf(device.KindGatherMatMul, nil, zeroed(t, f32, 512, 1, n/(1<<13)),
			of(f32, 512, 1, 16), of(f32, 4, 16, n/(1<<13)), of(u32, 512))},
		{"products of segments", n, kernelOf(device.KindSegmentedMatMul, nil, zeroed(t, f32, 4, 64, 64),
			of(f32, 64, n/(1<<12)), of(f32, n/(1<<12), 64), dense(t, u32, []int{4, 2},
				func(i int) complex128 { return complex(float64(i%2*n/(1<<12)), 0) }))},
		{"cross entropy", n, kernelOf(device.KindCrossEntropy, nil, zeroed(t, f32, side[0]), of(f32, side...),
			of(u32, side[0]))},
		{"gradient of cross entropy", n, kernelOf(device.KindCrossEntropyGrad, nil, zeroed(t, f32, 2, n/2),
			of(f32, 2, n/2), of(u32, 2), of(f32, 2))},
		{"gated delta", n, device.Kernel{Kind: device.KindGatedDelta, Op: "test", Attr: device.GatedDeltaAttr{},
			In: []device.Tensor{of(f32, 1, n/64, 1, 32), of(f32, 1, n/64, 1, 32), of(f32, 1, n/64, 1, 2),
				of(f32, 1, n/64, 1, 32), of(f32, 1, n/64, 1)},
			Out: []device.Tensor{zeroed(t, f32, 1, n/64, 1, 2), zeroed(t, f32, 1, 1, 2, 32)}}},
		{"rope", n, kernelOf(device.KindRope, device.RopeAttr{Dims: 64, Base: 1e4, Scale: 1},
			zeroed(t, f32, 1, 2, n/128, 64),
			of(f32, 1, 2, n/128, 64))},
		{"attention", n, kernelOf(device.KindAttention, device.AttentionAttr{Scale: 1}, zeroed(t, f32, 1, 1, 64, 16),
			of(f32, 1, 1, 64, 16), of(f32, 1, 1, n/1024, 16), of(f32, 1, 1, n/1024, 16))},
		{"attention of one query", n, kernelOf(device.KindAttention, device.AttentionAttr{Scale: 1},
			zeroed(t, f32, 1, 2, 1, 16),
			of(f32, 1, 2, 1, 16), of(f32, 1, 1, n/32, 16), of(f32, 1, 1, n/32, 16))},
		{"quantize", n, device.Kernel{Kind: device.KindQuantize, Op: "test", Attr: four,
			In:  []device.Tensor{of(f32, 1, n)},
			Out: []device.Tensor{zeroed(t, u32, 1, n/8), zeroed(t, f32, 1, n/64), zeroed(t, f32, 1, n/64)}}},
		{"dequantize", n, kernelOf(device.KindDequantize, four, zeroed(t, f32, 1, n), of(u32, 1, n/8),
			of(f32, 1, n/64), of(f32, 1, n/64))},
		{"products with quantized matrices", n, kernelOf(device.KindQuantizedMatMul,
			device.QuantizedMatMulAttr{QuantizeAttr: four, Transpose: true}, zeroed(t, f32, 40, 1<<6),
			of(f32, 40, n/(40<<6)&^63), of(u32, 1<<6, n/(40<<6)&^63/8),
			of(f32, 1<<6, n/(40<<6)/64), of(f32, 1<<6, n/(40<<6)/64))},
		{"conv, depthwise", n, kernelOf(device.KindConv, depthwise, zeroed(t, f32, 1, n/(taps*8), 8),
			of(f32, 1, n/(taps*8)+taps-1, 8), of(f32, 8, taps, 1))},
		{"conv of a long kernel", n, kernelOf(device.KindConv, conv, zeroed(t, f32, 1, 64, 8),
			of(f32, 1, n/(64*64)+63, 8), of(f32, 8, n/(64*64), 8))},
	}
}

// endless is more looks than any launch takes.
const endless = 1 << 31

// TestLaunchesLook holds that every kind looks at its flag often: once in STOP_WORK elements, or in eight times as many
// multiply-adds of a product, which take as long.
func TestLaunchesLook(t *testing.T) {
	const stopWork = 1 << 20
	eachISA(t, func(t *testing.T) {
		seen := map[device.KernelKind]bool{}
		for _, c := range append(folds(t, 1<<24), makers(t, 1<<22)...) {
			seen[c.k.Kind] = true
			most := stopWork
			switch c.k.Kind {
			case device.KindMatMul, device.KindGatherMatMul, device.KindSegmentedMatMul, device.KindQuantizedMatMul,
				device.KindAttention:
				most *= 8
			}
			looks, err := lookTimes(&c.k, endless)
			if err != nil || looks*most < c.work {
				t.Errorf("%s: %v, %d looks in %d elements", c.name, err, looks, c.work)
			}
		}
		for kind := device.KindNone + 1; int(kind) < device.KindCount; kind++ {
			if !seen[kind] {
				t.Errorf("kind %d is not among those that are seen to look", kind)
			}
		}
	})
	nothingBorrowed(t)
}

// TestEndlessLaunchesGiveUp gives up launches that would take hours.
func TestEndlessLaunchesGiveUp(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, c := range folds(t, 1<<44) {
			for _, n := range []uint32{1, 2, 3, 50} {
				if looks, err := lookTimes(&c.k, n); err != errs.ErrCanceled || looks != int(n)-1 {
					t.Errorf("%s: %v after %d looks, given up at look %d", c.name, err, looks, n)
				}
			}
		}
	})
	nothingBorrowed(t)
}

// TestLaunchesGiveUp gives up launches at many of their looks: all end, and give back what they borrowed.
func TestLaunchesGiveUp(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, c := range makers(t, 1<<20) {
			giveUpOften(t, c.name, &c.k)
		}
	})
	nothingBorrowed(t)
}

// TestSortGivesUp does so for sorts of one long row of every form.
func TestSortGivesUp(t *testing.T) {
	const n = 1 << 21
	r := rand.New(rand.NewPCG(3, 4))
	eachISA(t, func(t *testing.T) {
		for _, d := range []dtype.Dtype{dtype.Float32, dtype.Uint8, dtype.Float64, dtype.Float16} {
			in := dense(t, d, []int{n}, func(int) complex128 { return complex(float64(r.IntN(200)), 0) })
			for _, attr := range []device.SortAttr{{Kth: -1}, {Kth: -1, Arg: true}, {Kth: n / 2},
				{Kth: n / 2, Arg: true}} {
				to := d
				if attr.Arg {
					to = dtype.Uint32
				}
				k := kernelOf(device.KindSort, attr, zeroed(t, to, n), in)
				giveUpOften(t, d.String(), &k)
			}
		}
	})
	nothingBorrowed(t)
}

// giveUpOften launches k until it is done, giving it up later every time.
func giveUpOften(t *testing.T, name string, k *device.Kernel) {
	t.Helper()
	for n := uint32(1); ; n += n/2 + 1 {
		looks, err := lookTimes(k, n)
		if err == nil {
			return
		}
		if err != errs.ErrCanceled || looks != int(n)-1 {
			t.Fatalf("%s: %v after %d looks, given up at look %d", name, err, looks, n)
		}
	}
}

func nothingBorrowed(t *testing.T) {
	t.Helper()
	if n := borrowed.Load(); n != 0 {
		t.Errorf("%d bytes of working space were not given back", n)
	}
}

// inPlaceKernel is a kernel that writes over an output of the shape.
type inPlaceKernel struct {
	shape []int
	k     device.Kernel
}

// inPlaceLength is the length of the elementwise one of them.
const inPlaceLength = 3 << 20

func inPlaceKernels(t *testing.T) map[string]inPlaceKernel {
	add := table.FindRow("add")
	program := &device.Program{Load: []dtype.Dtype{dtype.Float32, dtype.Float32}, Store: []uint8{2}, Regs: 3}
	for range 40 {
		program.Steps = append(program.Steps,
			device.Step{Row: add, In: dtype.Float32, Out: dtype.Float32, Dst: 2, Src: [3]uint8{0, 1}},
			device.Step{Row: add, In: dtype.Float32, Out: dtype.Float32, Dst: 0, Src: [3]uint8{2, 1}})
	}
	index := func(shape []int, at func(i int) int) device.Tensor {
		return dense(t, dtype.Int32, shape, func(i int) complex128 { return complex(float64(at(i)), 0) })
	}
	rows := func(v float64, shape ...int) device.Tensor {
		return dense(t, dtype.Float32, shape, func(i int) complex128 { return complex(v*float64(1+i%3), 0) })
	}
	return map[string]inPlaceKernel{
		"elementwise": {[]int{inPlaceLength}, device.Kernel{Kind: device.KindElementwise, Attr: program}},
		"scatter": {[]int{1000}, device.Kernel{Kind: device.KindScatter,
			Attr: device.ScatterAttr{Op: device.ScatterAdd, Axes: []int{0}},
			In:   []device.Tensor{index([]int{5 << 20}, func(i int) int { return i * 7 % 1000 }), rows(1, 5<<20, 1)}}},
		"scatter rows": {[]int{50, 3000}, device.Kernel{Kind: device.KindScatter,
			Attr: device.ScatterAttr{Op: device.ScatterProd, Axes: []int{0}},
			In:   []device.Tensor{index([]int{2000}, func(i int) int { return i % 50 }), rows(1, 2000, 1, 3000)}}},
		"scatter along a long axis": {[]int{2, 9}, device.Kernel{Kind: device.KindScatterAxis,
			Attr: device.ScatterAxisAttr{Axis: 1, Add: true},
			In:   []device.Tensor{index([]int{2, 5 << 20}, func(i int) int { return i % 9 }), rows(1, 2, 5<<20)}}},
		"scatter along short axes": {[]int{1 << 20, 4}, device.Kernel{Kind: device.KindScatterAxis,
			Attr: device.ScatterAxisAttr{Axis: 1, Add: true},
			In:   []device.Tensor{index([]int{1 << 20, 5}, func(i int) int { return i % 4 }), rows(1, 1<<20, 5)}}},
	}
}

// TestInPlaceGoesOn interrupts kernels in place again and again: in the end every position was computed once.
func TestInPlaceGoesOn(t *testing.T) {
	chunks, elements := blockChunks, blockElements
	defer func() { blockChunks, blockElements = chunks, elements }()
	blockChunks, blockElements = 3, 1<<14
	one := dense(t, dtype.Float32, []int{1}, func(int) complex128 { return 1 })
	one.Shape, one.Strides = []int{inPlaceLength}, []int{0}
	for name, c := range inPlaceKernels(t) {
		c.k.Op = name
		launch := func(looks uint32) (device.Tensor, int) {
			k := c.k
			out := dense(t, dtype.Float32, c.shape, func(i int) complex128 { return complex(float64(i%5), 0) })
			k.Out, k.Done = []device.Tensor{out}, new(int)
			if k.Kind == device.KindElementwise {
				k.In = []device.Tensor{out, one}
			}
			for times := 0; ; times++ {
				done := *k.Done
				_, err := lookTimes(&k, looks)
				if err == nil {
					return out, times
				}
				if err != errs.ErrCanceled || *k.Done <= done {
					t.Fatalf("%s: %v with %d positions done after %d", name, err, *k.Done, done)
				}
			}
		}
		want, times := launch(endless)
		if times != 0 {
			t.Errorf("%s: interrupted by nobody", name)
		}
		size := layout.Size(c.shape) * 4
		for _, looks := range []uint32{2, 3, 7} { // the first finds the launch alive, so that it comes on by a block
			got, times := launch(looks)
			if !bytes.Equal(unsafe.Slice((*byte)(want.Data), size), unsafe.Slice((*byte)(got.Data), size)) {
				t.Errorf("%s: interrupted %d times, the result differs", name, times)
			}
			if times == 0 {
				t.Errorf("%s: not interrupted at look %d", name, looks)
			}
		}
	}
}
