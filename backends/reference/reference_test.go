package reference

import (
	"math"
	"math/cmplx"
	"reflect"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

// tensorOf is a contiguous tensor over a Go slice.
func tensorOf[T any](d dtype.Dtype, shape []int, data []T) device.Tensor {
	t := device.Tensor{Dtype: d, Shape: shape, Strides: layout.Strides(shape)}
	if len(data) > 0 {
		t.Data = unsafe.Pointer(&data[0])
	}
	return t
}

func f32(shape []int, data ...float32) device.Tensor { return tensorOf(dtype.Float32, shape, data) }
func i32(shape []int, data ...int32) device.Tensor   { return tensorOf(dtype.Int32, shape, data) }

// launch runs a kernel into a fresh slice of T and returns it.
func launch[T any](t *testing.T, kind device.KernelKind, attr any, d dtype.Dtype, shape []int,
	ins ...device.Tensor) []T {
	t.Helper()
	out := make([]T, layout.Size(shape))
	k := &device.Kernel{Kind: kind, Op: "test", In: ins, Out: []device.Tensor{tensorOf(d, shape, out)}, Attr: attr}
	if err := New().Launch(k); err != nil {
		t.Fatal(err)
	}
	return out
}

func want[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

const f, i, u = dtype.Float32, dtype.Int32, dtype.Uint32

var nan = float32(math.NaN())

// twoRows is [[1, 2, 3], [4, 5, 6]], and its transpose a view of the same memory.
func twoRows() (m, transposed device.Tensor) {
	m = f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	return m, device.Tensor{Data: m.Data, Dtype: f, Shape: []int{3, 2}, Strides: []int{1, 3}}
}

// TestCopies and the tests below compare every kind with results worked out by hand.
func TestCopies(t *testing.T) {
	_, mt := twoRows()
	want(t, "transposing copy", launch[float32](t, device.KindCopy, nil, f, []int{3, 2}, mt),
		[]float32{1, 4, 2, 5, 3, 6})
	want(t, "casting copy", launch[int8](t, device.KindCopy, nil, dtype.Int8, []int{3}, i32([]int{3}, 127, 128, -300)),
		[]int8{127, -128, -44})
	want(t, "towards zero", launch[int32](t, device.KindCopy, nil, i, []int{3}, f32([]int{3}, 2.9, -2.9, 0.5)),
		[]int32{2, -2, 0})
	want(t, "truth", launch[uint8](t, device.KindCopy, nil, dtype.Bool, []int{3}, f32([]int{3}, 0, -0.5, nan)),
		[]uint8{0, 1, 1})
	want(t, "fill", launch[float32](t, device.KindFill, nil, f, []int{2}, f32([]int{}, 7)), []float32{7, 7})
	want(t, "arange of integers", launch[int32](t, device.KindArange, device.ArangeAttr{StartInt: 3, StepInt: -2}, i,
		[]int{3}), []int32{3, 1, -1})
	want(t, "arange of floats", launch[float32](t, device.KindArange, device.ArangeAttr{Start: 1, Step: 0.5}, f,
		[]int{3}), []float32{1, 1.5, 2})
}

func TestFolds(t *testing.T) {
	m, _ := twoRows()
	sum := func(axes ...int) device.ReduceAttr { return device.ReduceAttr{Op: device.ReduceSum, Axes: axes} }
	want(t, "sum of columns", launch[float32](t, device.KindReduce, sum(0), f, []int{3}, m), []float32{5, 7, 9})
	want(t, "sum of rows", launch[float32](t, device.KindReduce, sum(1), f, []int{2}, m), []float32{6, 15})
	want(t, "sum of all", launch[float32](t, device.KindReduce, sum(0, 1), f, []int{}, m), []float32{21})
	want(t, "product of nothing", launch[float32](t, device.KindReduce, device.ReduceAttr{Op: device.ReduceProd,
		Axes: []int{0}}, f, []int{}, f32([]int{0})), []float32{1})
	want(t, "maximum of nothing", launch[int32](t, device.KindReduce, device.ReduceAttr{Op: device.ReduceMax,
		Axes: []int{0}}, i, []int{}, i32([]int{0})), []int32{math.MinInt32})
	bools := tensorOf(dtype.Bool, []int{3}, []uint8{1, 0, 1})
	want(t, "count", launch[int32](t, device.KindReduce, sum(0), i, []int{}, bools), []int32{2})
	want(t, "all", launch[uint8](t, device.KindReduce, device.ReduceAttr{Op: device.ReduceAnd, Axes: []int{0}},
		dtype.Bool, []int{}, bools), []uint8{0})
	want(t, "any", launch[uint8](t, device.KindReduce, device.ReduceAttr{Op: device.ReduceOr, Axes: []int{0}},
		dtype.Bool, []int{}, bools), []uint8{1})
	want(t, "wrapping sum", launch[uint32](t, device.KindReduce, sum(0), u, []int{},
		tensorOf(u, []int{2}, []uint32{math.MaxUint32, 3})), []uint32{2})

	ties := f32([]int{5}, 2, 1, 3, 1, 3)
	want(t, "argmin", launch[uint32](t, device.KindArgReduce, device.ArgReduceAttr{}, u, []int{}, ties), []uint32{1})
	want(t, "argmax", launch[uint32](t, device.KindArgReduce, device.ArgReduceAttr{Max: true}, u, []int{}, ties),
		[]uint32{2})
	want(t, "argmin with NaN", launch[uint32](t, device.KindArgReduce, device.ArgReduceAttr{}, u, []int{},
		f32([]int{4}, 2, 1, nan, nan)), []uint32{2})

}

func TestScans(t *testing.T) {
	x := i32([]int{4}, 3, 1, 4, 2)
	scan := func(op device.ScanOp, reverse, inclusive bool) []int32 {
		return launch[int32](t, device.KindScan, device.ScanAttr{Op: op, Reverse: reverse, Inclusive: inclusive}, i,
			[]int{4}, x)
	}
	want(t, "cumsum", scan(device.ScanSum, false, true), []int32{3, 4, 8, 10})
	want(t, "exclusive cumsum", scan(device.ScanSum, false, false), []int32{0, 3, 4, 8})
	want(t, "reverse cumsum", scan(device.ScanSum, true, true), []int32{10, 7, 6, 2})
	want(t, "cumprod", scan(device.ScanProd, false, true), []int32{3, 3, 12, 24})
	want(t, "cummax", scan(device.ScanMax, false, true), []int32{3, 3, 4, 4})
	want(t, "exclusive cummin", scan(device.ScanMin, false, false), []int32{math.MaxInt32, 3, 1, 1})
	l := launch[float32](t, device.KindScan, device.ScanAttr{Op: device.ScanLogAddExp, Inclusive: true}, f, []int{2},
		f32([]int{2}, 0, 0))
	want(t, "logcumsumexp", l, []float32{0, math.Ln2})
}

func TestSorts(t *testing.T) {
	s := f32([]int{5}, 3, nan, 1, 2, 1)
	want(t, "argsort", launch[uint32](t, device.KindSort, device.SortAttr{Arg: true, Kth: -1}, u, []int{5}, s),
		[]uint32{2, 4, 3, 0, 1})
	sorted := launch[float32](t, device.KindSort, device.SortAttr{Kth: -1}, f, []int{5}, s)
	want(t, "sort", sorted[:4], []float32{1, 1, 2, 3})
	if sorted[4] == sorted[4] {
		t.Error("NaN is not last")
	}
	find := func(right bool) []uint32 {
		return launch[uint32](t, device.KindSearchSorted, device.SearchAttr{Right: right}, u, []int{3},
			i32([]int{4}, 1, 2, 2, 5), i32([]int{3}, 2, 0, 9))
	}
	want(t, "searchsorted", find(false), []uint32{1, 0, 4})
	want(t, "searchsorted right", find(true), []uint32{3, 0, 4})
}

func TestProducts(t *testing.T) {
	m, mt := twoRows()
	want(t, "matmul", launch[float32](t, device.KindMatMul, device.MatMulAttr{Alpha: 1}, f, []int{2, 2}, m, mt),
		[]float32{14, 32, 32, 77})
	want(t, "addmm", launch[float32](t, device.KindMatMul, device.MatMulAttr{Alpha: 2, Beta: -1}, f, []int{2, 2}, m, mt,
		f32([]int{2, 2}, 1, 2, 3, 4)), []float32{27, 62, 61, 150})

	one := device.ConvAttr{Stride: []int{1}, PadLo: []int{1}, PadHi: []int{0}, KernelDilation: []int{1},
		InputDilation: []int{1}, Groups: 1}
	signal, weight := f32([]int{1, 4, 1}, 1, 2, 3, 4), f32([]int{1, 2, 1}, 10, 1)
	want(t, "conv", launch[float32](t, device.KindConv, one, f, []int{1, 4, 1}, signal, weight),
		[]float32{1, 12, 23, 34})
	flipped := one
	flipped.Flip = true
	want(t, "flipped conv", launch[float32](t, device.KindConv, flipped, f, []int{1, 4, 1}, signal, weight),
		[]float32{10, 21, 32, 43})
	strided := device.ConvAttr{Stride: []int{2}, PadLo: []int{0}, PadHi: []int{-1}, KernelDilation: []int{2},
		InputDilation: []int{2}, Groups: 1}
	want(t, "dilated conv", launch[float32](t, device.KindConv, strided, f, []int{1, 2, 1}, signal, weight),
		[]float32{12, 23})
}

func TestGathers(t *testing.T) {
	m, _ := twoRows()
	want(t, "gather", launch[float32](t, device.KindGather, device.GatherAttr{Axes: []int{1}, SliceSizes: []int{2, 1}},
		f, []int{2, 2, 1}, m, i32([]int{2}, -1, 0)), []float32{3, 6, 1, 4})
	want(t, "gather along axis", launch[float32](t, device.KindGatherAxis, device.AxisAttr{Axis: 1}, f, []int{2, 1}, m,
		i32([]int{2, 1}, 2, -3)), []float32{3, 4})

	holds := device.Tensor{Data: unsafe.Pointer(&[]bool{true, false, false, false, true, true}[0]), Dtype: dtype.Bool,
		Shape: []int{2, 3}, Strides: []int{3, 1}}
	want(t, "nonzero", launch[uint32](t, device.KindNonzero, device.NonzeroAttr{}, u, []int{2, 3}, holds),
		[]uint32{0, 1, 1, 0, 1, 2})
	want(t, "number of nonzeros", launch[int64](t, device.KindNonzero, device.NonzeroAttr{Batch: 1, Count: true},
		dtype.Int64, []int{2}, holds), []int64{1, 2})
}

func TestNorms(t *testing.T) {
	want(t, "softmax", launch[float32](t, device.KindSoftmax, nil, f, []int{2}, f32([]int{2}, 0, math.Ln2)),
		[]float32{1. / 3, 2. / 3})
	want(t, "logsumexp", launch[float32](t, device.KindLogSumExp, nil, f, []int{}, f32([]int{2}, 1000, 1000)),
		[]float32{1000 + math.Ln2})
	want(t, "layer norm", launch[float32](t, device.KindLayerNorm, device.NormAttr{}, f, []int{2}, f32([]int{2}, 1, 3),
		f32([]int{2}, 2, 2), f32([]int{2}, 0, 5)), []float32{-2, 7})
	want(t, "rms norm", launch[float32](t, device.KindRMSNorm, device.NormAttr{}, f, []int{2}, f32([]int{2}, 3, 3),
		f32([]int{2}, 2, 4)), []float32{2, 4})
}

// TestScatter writes over the contents of its output.
func TestScatter(t *testing.T) {
	scatter := func(op device.ScatterOp, idx ...int32) ([]int32, error) {
		out := []int32{1, 2, 3}
		updates := i32([]int{3, 1}, 10, 20, 30)
		k := &device.Kernel{Kind: device.KindScatter, Op: "test", In: []device.Tensor{i32([]int{3}, idx...), updates},
			Out:  []device.Tensor{tensorOf(dtype.Int32, []int{3}, out)},
			Attr: device.ScatterAttr{Op: op, Axes: []int{0}}}
		return out, New().Launch(k)
	}
	for op, expect := range map[device.ScatterOp][]int32{
		device.ScatterSet: {20, 2, 30}, device.ScatterAdd: {31, 2, 33}, device.ScatterProd: {200, 2, 90},
		device.ScatterMax: {20, 2, 30}, device.ScatterMin: {1, 2, 3},
	} {
		got, err := scatter(op, 0, 0, -1)
		if err != nil {
			t.Error(err)
		}
		want(t, "scatter", got, expect)
	}
	got, err := scatter(device.ScatterSet, 0, 1, 3)
	if e, ok := err.(*errs.Error); !ok || e.Kind != errs.IndexError {
		t.Errorf("got %v, want an IndexError", err)
	}
	want(t, "scatter with a bad index", got, []int32{1, 2, 3})
}

// TestRandomBits holds the words to the known answers of threefry2x32-20 (Random123's kat_vectors)
// and to the pairing of counters.
func TestRandomBits(t *testing.T) {
	for _, v := range []struct{ key, counter, want [2]uint32 }{
		{[2]uint32{0, 0}, [2]uint32{0, 0}, [2]uint32{0x6b200159, 0x99ba4efe}},
		{[2]uint32{0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff}, [2]uint32{0x1cb996fc, 0xbb002be7}},
		{[2]uint32{0x13198a2e, 0x03707344}, [2]uint32{0x243f6a88, 0x85a308d3}, [2]uint32{0xc4923a9c, 0x483df7a0}},
	} {
		if got := threefry(v.key, v.counter); got != v.want {
			t.Errorf("threefry(%x, %x) = %x, want %x", v.key, v.counter, got, v.want)
		}
	}
	key := tensorOf(dtype.Uint32, []int{2}, []uint32{0, 7})
	a := threefry([2]uint32{0, 7}, [2]uint32{0, 2})
	b := threefry([2]uint32{0, 7}, [2]uint32{1, 0}) // the odd one's partner is zero
	got := launch[uint32](t, device.KindRandomBits, device.RandomAttr{Bytes: 12}, dtype.Uint32, []int{3}, key)
	want(t, "random words", got, []uint32{a[0], b[0], a[1]})
}

// eval applies a row to numbers.
func eval(name string, d dtype.Dtype, args ...float64) float64 {
	var list []value
	r := table.FindRow(name)
	for i, a := range args {
		list = append(list, cast(float(a), r.Types.Arg(i, d)))
	}
	return real64(apply(r, d, list))
}

// TestRows compares rows with values worked out by hand: wrapping, division, shifts and rounding.
func TestRows(t *testing.T) {
	i8, u8, f := dtype.Int8, dtype.Uint8, dtype.Float32
	for _, v := range []struct {
		row  string
		d    dtype.Dtype
		args []float64
		want float64
	}{
		{"add", i8, []float64{127, 1}, -128}, {"add", u8, []float64{250, 10}, 4},
		{"add", dtype.Bool, []float64{1, 1}, 1}, {"multiply", i8, []float64{-128, -1}, -128},
		{"negative", u8, []float64{1}, 255}, {"abs", i8, []float64{-128}, -128},
		{"floor_divide", i8, []float64{-7, 2}, -4}, {"floor_divide", i8, []float64{-128, -1}, -128},
		{"floor_divide", u8, []float64{7, 0}, 0}, {"remainder", i8, []float64{-7, 3}, 2},
		{"remainder", i8, []float64{7, -3}, -2}, {"remainder", f, []float64{-1, 3}, 2},
		{"remainder", f, []float64{5, math.Inf(-1)}, math.Inf(-1)}, {"power", i8, []float64{2, 7}, -128},
		{"power", i8, []float64{2, -1}, 0}, {"power", i8, []float64{-1, -3}, -1},
		{"power", f, []float64{2, 0.5}, 1.4142135381698608}, {"left_shift", u8, []float64{3, 7}, 128},
		{"left_shift", u8, []float64{3, 8}, 0}, {"right_shift", i8, []float64{-128, 9}, -1},
		{"bitwise_invert", u8, []float64{1}, 254}, {"bitwise_invert", i8, []float64{1}, -2},
		{"bitwise_invert", dtype.Bool, []float64{1}, 0}, {"rint", f, []float64{2.5}, 2},
		{"rint", f, []float64{-1.5}, -2}, {"maximum", f, []float64{1, math.NaN()}, math.NaN()},
		{"where", f, []float64{1, 5, 6}, 5}, {"where", f, []float64{0, 5, 6}, 6}, {"sign", i8, []float64{-9}, -1},
		{"divide", f, []float64{1, 3}, 0.3333333432674408}, {"logaddexp", f, []float64{1000, 1000}, 1000.6931762695312},
		{"isposinf", f, []float64{math.Inf(1)}, 1}, {"isfinite", f, []float64{math.NaN()}, 0},
		{"log2", f, []float64{8}, 3},
	} {
		got := eval(v.row, v.d, v.args...)
		if got != v.want && !(got != got && v.want != v.want) {
			t.Errorf("%s of %s %v: got %v, want %v", v.row, v.d, v.args, got, v.want)
		}
	}
}

// TestIdentities holds the float64 functions to identities that do not use the same library calls.
func TestIdentities(t *testing.T) {
	near := func(what string, x, got, want, ulps float64) {
		t.Helper()
		if math.Abs(got-want) > ulps*0x1p-52*math.Max(math.Abs(want), 0x1p-1000) {
			t.Errorf("%s at %v: %v, want %v", what, x, got, want)
		}
	}
	d := dtype.Float64
	for _, x := range []float64{1e-9, 1e-3, 0.1, 0.3, 0.5, 0.9, 1, 1.7, 3, 5.5, 8} {
		near("erfinv(erf)", x, eval("erfinv", d, math.Erf(math.Min(x, 1))), math.Min(x, 1), 16)
		near("tanh", x, eval("tanh", d, x), eval("sinh", d, x)/eval("cosh", d, x), 6)
		near("arctanh", x, eval("tanh", d, eval("arctanh", d, x/10)), x/10, 8)
		near("arcsinh", x, eval("sinh", d, eval("arcsinh", d, x)), x, 20)
		near("log1p", x, eval("log1p", d, eval("expm1", d, x)), x, 8)
		near("log10", x, eval("log10", d, x*1000)-3, math.Log10(x), 1e4)
		near("sigmoid", x, eval("sigmoid", d, -x)+eval("sigmoid", d, x), 1, 4)
		near("power", x, eval("power", d, x, 3), x*x*x, 2)
		near("cube root", x, math.Pow(eval("power", d, x, 1./3), 3), x, 8)
		near("sine", x, math.Hypot(eval("sin", d, x*1e8), eval("cos", d, x*1e8)), 1, 4)
		near("arccos", x, eval("arccos", d, x/8)+eval("arcsin", d, x/8), math.Pi/2, 4)
	}
	// Published digits: sin(1e22) and tan(2^120), where reductions with too short a pi fail.
	near("sin", 1e22, eval("sin", d, 1e22), -0.8522008497671888017727, 1)
	near("tan", 0x1p120, eval("tan", d, 0x1p120), eval("sin", d, 0x1p120)/eval("cos", d, 0x1p120), 1)
	near("log of subnormal", 5e-324, eval("log", d, 5e-324), -744.4400719213812, 1)
	near("power", 1.0000001, eval("power", d, 1.0000001, 1e9), 2.6881038582144647e+43, 1)
}

// TestComplexInverses holds every inverse function to its function, on both sides of the cuts.
func TestComplexInverses(t *testing.T) {
	pairs := map[string]func(complex128) complex128{"asin": cmplx.Sin, "acos": cmplx.Cos, "atan": cmplx.Tan,
		"asinh": cmplx.Sinh, "acosh": cmplx.Cosh, "atanh": cmplx.Tanh, "log": cmplx.Exp,
		"sqrt": func(z complex128) complex128 { return z * z }}
	zero := math.Copysign(0, -1)
	for name, f := range pairs {
		for _, re := range []float64{-3, -1.5, -0.25, 0, 0.75, 2} {
			for _, im := range []float64{-2, -0.5, zero, 0, 0.125, 3} {
				z := complex(re, im)
				w := complexFunctions[name](z)
				if cmplx.IsInf(w) || cmplx.Abs(z) == 0 {
					continue
				}
				if back := f(w); cmplx.Abs(back-z) > 1e-13*(1+cmplx.Abs(z)) {
					t.Errorf("%s(%v) = %v, and back: %v", name, z, w, back)
				}
				if im == 0 && name == "sqrt" && re < 0 && math.Signbit(imag(w)) != math.Signbit(im) {
					t.Errorf("sqrt(%v) = %v lies on the wrong side of its cut", z, w)
				}
			}
		}
	}
}

// TestCancel stops in the middle.
func TestCancel(t *testing.T) {
	cancel := &atomic.Bool{}
	cancel.Store(true)
	out := make([]float32, 4)
	k := &device.Kernel{Kind: device.KindSoftmax, Op: "test", In: []device.Tensor{f32([]int{4}, 1, 2, 3, 4)},
		Out: []device.Tensor{tensorOf(dtype.Float32, []int{4}, out)}, Cancel: cancel}
	if err := New().Launch(k); err != errs.ErrCanceled {
		t.Errorf("got %v, want ErrCanceled", err)
	}
}

// TestMemory gives memory back twice.
func TestMemory(t *testing.T) {
	b := New()
	p := b.Allocate(100)
	b.Free(p, 100)
	defer func() {
		if recover() == nil {
			t.Error("memory was freed twice")
		}
	}()
	b.Free(p, 100)
}
