package cpu

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/backends/backendtest"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

var someShapes = []layout.Shape{{}, {1}, {5}, {1027}, {3, 4}, {2, 1, 3}, {7, 300}, {300, 7}, {5, 3, 2, 4}, {2, 513, 3},
	{40, 1, 40}, {1, 2, 3, 4, 5, 6}}

// TestViews runs rows of one to three arguments over random views in every dtype against loops in Go.
func TestViews(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		small := func() complex128 { return complex(float64(r.IntN(5)), float64(r.IntN(3))) }
		plain := map[string]func(x []complex128) complex128{
			"add": func(x []complex128) complex128 { return x[0] + x[1] },
			"where": func(x []complex128) complex128 {
				return map[bool]complex128{true: x[1], false: x[2]}[x[0] != 0]
			},
			"equal":  func(x []complex128) complex128 { return map[bool]complex128{true: 1}[x[0] == x[1]] },
			"square": func(x []complex128) complex128 { return x[0] * x[0] },
		}
		for name, f := range plain {
			row := table.FindRow(name)
			for _, d := range dtype.All {
				if !row.Types.Has(d) || d == dtype.Bool && name != "equal" {
					continue
				}
				for _, shape := range someShapes {
					k := device.Kernel{Kind: device.KindElementwise, Op: name, Attr: device.OneStep(row, d)}
					for i := range row.Args {
						k.In = append(k.In, randomView(t, r, row.Types.Arg(i, d), shape, small))
					}
					out := dense(t, row.Types.Result(d), shape, func(int) complex128 { return 99 })
					k.Out = []device.Tensor{out}
					launch(t, &k)
					ins := make([][]complex128, len(k.In))
					for i := range k.In {
						ins[i] = values(&k.In[i])
					}
					got := values(&out)
					for i := range got {
						x := make([]complex128, len(ins))
						for j := range ins {
							x[j] = ins[j][i]
						}
						if want := f(x); !agree(got[i], want, 0) {
							t.Fatalf("%s of %s, shape %v, strides %v: element %d is %v, want %v", name, d, shape,
								k.In[0].Strides, i, got[i], want)
						}
					}
				}
			}
		}
	})
}

// TestProgram runs a chain that exercises what single ops do not: several outputs, scalars, an
// overwritten input register, casts between steps, a result in place of an input, halves.
func TestProgram(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		row := table.FindRow
		f32 := dtype.Float32
		for _, n := range []int{1, 3, 63, 64, 1025, 5000} {
			for _, d := range []dtype.Dtype{dtype.Float32, dtype.Float16, dtype.BFloat16} {
				a := dense(t, d, layout.Shape{n}, func(i int) complex128 { return complex(float64(i%17)/4, 0) })
				b := randomView(t, r, d, layout.Shape{n},
					func() complex128 { return complex(float64(r.IntN(9))/4-1, 0) })
				c := dense(t, d, layout.Shape{1}, func(int) complex128 { return 2 })
				c.Shape, c.Strides = layout.Shape{n}, []int{0}
				av, bv := values(&a), values(&b)
				less := dense(t, dtype.Bool, layout.Shape{n}, func(int) complex128 { return 0 })
				count := dense(t, dtype.Int32, layout.Shape{n}, func(int) complex128 { return 0 })
				p := &device.Program{
					Load: []dtype.Dtype{f32, f32, f32},
					Steps: []device.Step{
						{Row: row("multiply"), In: f32, Out: f32, Dst: 3, Src: [3]uint8{0, 1}},
						{Row: row("add"), In: f32, Out: f32, Dst: 2, Src: [3]uint8{3, 2}}, // over the scalar
						{Row: row("less"), In: f32, Out: dtype.Bool, Dst: 3, Src: [3]uint8{3, 2}},
						{In: dtype.Bool, Out: dtype.Int32, Dst: 4, Src: [3]uint8{3}},
						{Row: row("add"), In: dtype.Int32, Out: dtype.Int32, Dst: 4, Src: [3]uint8{4, 4}},
						{Row: row("maximum"), In: f32, Out: f32, Dst: 1, Src: [3]uint8{2, 0}},
					},
					Store: []uint8{1, 3, 4}, Regs: 5,
				}
				launch(t, &device.Kernel{Kind: device.KindElementwise, Op: "chain", Attr: p,
					In: []device.Tensor{a, b, c}, Out: []device.Tensor{a, less, count}})
				out := values(&a)
				for i := range n {
					x := av[i] * bv[i]
					want := max(real(x)+2, real(av[i]))
					if !agree(out[i], complex(want, 0), 0.01) || backendtest.Get(&less, i) != 1 ||
						backendtest.Get(&count, i) != 2 {
						t.Fatalf("n=%d %s element %d: %v %v %v, want %v 1 2", n, d, i, out[i],
							backendtest.Get(&less, i), backendtest.Get(&count, i), want)
					}
				}
			}
		}
	})
}

// TestManyRegisters runs a program whose registers do not fit tiles of full length, and one of no steps.
func TestManyRegisters(t *testing.T) {
	const n = 3000
	x := dense(t, dtype.Float64, layout.Shape{n}, func(i int) complex128 { return complex(float64(i), 0) })
	out := dense(t, dtype.Float64, layout.Shape{n}, func(int) complex128 { return 0 })
	p := &device.Program{Load: []dtype.Dtype{dtype.Float64}, Store: []uint8{250}, Regs: 251}
	for i := range 250 {
		p.Steps = append(p.Steps, device.Step{Row: table.FindRow("add"), In: dtype.Float64, Out: dtype.Float64,
			Dst: uint8(i + 1), Src: [3]uint8{uint8(i), 0}})
	}
	launch(t, &device.Kernel{Kind: device.KindElementwise, Op: "sum", Attr: p, In: []device.Tensor{x},
		Out: []device.Tensor{out}})
	for i := range n {
		if got := backendtest.Get(&out, i); got != complex(251*float64(i), 0) {
			t.Fatalf("element %d is %v, want %d", i, got, 251*i)
		}
	}
	cast := dense(t, dtype.Int8, layout.Shape{n}, func(int) complex128 { return 0 })
	none := &device.Program{Load: []dtype.Dtype{dtype.Float64}, Store: []uint8{0}, Regs: 1}
	launch(t, &device.Kernel{Kind: device.KindElementwise, Op: "cast", Attr: none, In: []device.Tensor{x},
		Out: []device.Tensor{cast}})
	for i := range n {
		if got := real(backendtest.Get(&cast, i)); got != float64(int8(i)) {
			t.Fatalf("cast element %d is %v, want %d", i, got, int8(i))
		}
	}
}

// TestManyAxes has more axes than the kernels index, none of which merge.
func TestManyAxes(t *testing.T) {
	shape := make(layout.Shape, 15)
	for i := range shape {
		shape[i] = 2
	}
	a := dense(t, dtype.Int32, shape, func(i int) complex128 { return complex(float64(i), 0) })
	b := a
	b.Strides = make([]int, 15)
	for i := range shape {
		b.Strides[i] = 1 << i
	}
	out := dense(t, dtype.Int32, shape, func(int) complex128 { return 0 })
	launch(t, &device.Kernel{Kind: device.KindElementwise, Op: "add",
		Attr: device.OneStep(table.FindRow("add"), dtype.Int32), In: []device.Tensor{a, b}, Out: []device.Tensor{out}})
	av, bv, ov := values(&a), values(&b), values(&out)
	for i := range ov {
		if ov[i] != av[i]+bv[i] {
			t.Fatalf("element %d is %v, want %v", i, ov[i], av[i]+bv[i])
		}
	}
	launch(t, &device.Kernel{Kind: device.KindCopy, Op: "copy", In: []device.Tensor{b}, Out: []device.Tensor{out}})
	for i, v := range values(&out) {
		if v != bv[i] {
			t.Fatalf("copied element %d is %v, want %v", i, v, bv[i])
		}
	}
}

// TestRowsAgain repeats one row, or one element a row, over many tiles of whole rows and chunks that begin inside of
// one, and adds a transposed array.
func TestRowsAgain(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, cols := range []int{2, 3, 7, 16, 48, 255, 300, 700} {
			for _, d := range []dtype.Dtype{dtype.Float32, dtype.BFloat16, dtype.Int8} {
				shape := layout.Shape{70_000 / cols, cols}
				number := func(i int) complex128 { return complex(float64(i%11), 0) }
				a, b, c := dense(t, d, shape, number), dense(t, d, layout.Shape{cols}, number),
					dense(t, d, layout.Shape{shape[0]}, number)
				e := dense(t, d, layout.Shape{cols, shape[0]}, number)
				b.Shape, b.Strides = shape, []int{0, 1}
				c.Shape, c.Strides = shape, []int{1, 0}
				e.Shape, e.Strides = shape, []int{1, shape[0]}
				for _, y := range []device.Tensor{b, c, e} {
					out := dense(t, d, shape, func(int) complex128 { return 0 })
					launch(t, &device.Kernel{Kind: device.KindElementwise, Op: "add",
						Attr: device.OneStep(table.FindRow("add"), d), In: []device.Tensor{a, y},
						Out: []device.Tensor{out}})
					av, yv, ov := values(&a), values(&y), values(&out)
					for i := range ov {
						if ov[i] != av[i]+yv[i] {
							t.Fatalf("%s, shape %v, strides %v: element %d is %v, want %v", d, shape, y.Strides, i,
								ov[i], av[i]+yv[i])
						}
					}
				}
			}
		}
	})
}

// TestLarge crosses the bounds of chunks and of streaming stores, at odd addresses.
func TestLarge(t *testing.T) {
	n := streamBytes/4 + 1001
	a := dense(t, dtype.Float32, layout.Shape{n + 1}, func(i int) complex128 { return complex(float64(i&1023), 0) })
	out := dense(t, dtype.Float32, layout.Shape{n + 1}, func(int) complex128 { return -1 })
	x, y := inner(&device.Tensor{Data: a.Data, Dtype: a.Dtype, Shape: layout.Shape{2, n}, Strides: []int{1, 1}}, 1),
		inner(&device.Tensor{Data: out.Data, Dtype: a.Dtype, Shape: layout.Shape{2, n}, Strides: []int{1, 1}}, 1)
	launch(t, &device.Kernel{Kind: device.KindElementwise, Op: "square",
		Attr: device.OneStep(table.FindRow("square"), dtype.Float32), In: []device.Tensor{x}, Out: []device.Tensor{y}})
	for i := range n {
		v := float64((i + 1) & 1023)
		if got := real(backendtest.Get(&y, i)); got != v*v {
			t.Fatalf("element %d is %v, want %v", i, got, v*v)
		}
	}
	if backendtest.Get(&out, 0) != -1 {
		t.Fatal("the element before the output was overwritten")
	}
}

var inf, nan = math.Inf(1), math.NaN()

// TestFunctions compares every float row with one argument to Go's math at a few hundred points, in all float dtypes.
func TestFunctions(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		points := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 2, -2, 3.5, -7.25, 1e-3, 1e-30, 30, -30, 88.5,
			-103, 1e5, 3e5, 1e30, -1e30, inf, -inf, nan}
		for i := range 200 {
			points = append(points, float64(i-100)/20)
		}
		unary := map[string]func(float64) float64{"exp": math.Exp, "expm1": math.Expm1, "log": math.Log,
			"log2": math.Log2, "log10": math.Log10, "log1p": math.Log1p, "sqrt": math.Sqrt, "sin": math.Sin,
			"cos": math.Cos, "tan": math.Tan, "arcsin": math.Asin, "arccos": math.Acos, "arctan": math.Atan,
			"sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "arcsinh": math.Asinh, "arccosh": math.Acosh,
			"arctanh": math.Atanh, "erf": math.Erf, "erfinv": math.Erfinv, "floor": math.Floor, "ceil": math.Ceil,
			"trunc": math.Trunc, "rint": math.RoundToEven, "abs": math.Abs,
			"sigmoid": func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }}
		for name, f := range unary {
			for _, d := range []dtype.Dtype{dtype.Float32, dtype.Float64, dtype.Float16, dtype.BFloat16} {
				tolerance := map[dtype.Dtype]float64{dtype.Float32: 5e-7, dtype.Float64: 1e-14, dtype.Float16: 2e-3,
					dtype.BFloat16: 1.6e-2}[d]
				x := dense(t, d, layout.Shape{len(points)}, func(i int) complex128 { return complex(points[i], 0) })
				out := dense(t, d, layout.Shape{len(points)}, func(int) complex128 { return 0 })
				launch(t, &device.Kernel{Kind: device.KindElementwise, Op: name,
					Attr: device.OneStep(table.FindRow(name), d), In: []device.Tensor{x}, Out: []device.Tensor{out}})
				for i := range points {
					in := real(backendtest.Get(&x, i))
					rounded := dense(t, d, layout.Shape{1}, func(int) complex128 { return complex(f(in), 0) })
					got, want := real(backendtest.Get(&out, i)), real(backendtest.Get(&rounded, 0))
					if !close1(got, want, tolerance) {
						t.Errorf("%s(%v) of %s is %v, want %v", name, in, d, got, want)
					}
				}
			}
		}
	})
}

// TestComplexFunctions does the same with complex64.
func TestComplexFunctions(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		complexes := map[string]func(complex128) complex128{"exp": cmplx.Exp, "log": cmplx.Log, "sqrt": cmplx.Sqrt,
			"sin": cmplx.Sin, "cos": cmplx.Cos, "tan": cmplx.Tan, "sinh": cmplx.Sinh, "cosh": cmplx.Cosh,
			"tanh": cmplx.Tanh, "arcsin": cmplx.Asin, "arctan": cmplx.Atan, "arcsinh": cmplx.Asinh,
			"arctanh": cmplx.Atanh, "conjugate": cmplx.Conj,
			"log1p":      func(z complex128) complex128 { return cmplx.Log(1 + z) },
			"reciprocal": func(z complex128) complex128 { return 1 / z },
			"sign":       func(z complex128) complex128 { return z / complex(cmplx.Abs(z), 0) },
			"square":     func(z complex128) complex128 { return z * z }}
		for name, f := range complexes {
			x := dense(t, dtype.Complex64, layout.Shape{16},
				func(i int) complex128 { return complex(float64(i%4)-1.3, float64(i/4)-1.7) })
			out := dense(t, dtype.Complex64, layout.Shape{16}, func(int) complex128 { return 0 })
			launch(t, &device.Kernel{Kind: device.KindElementwise, Op: name,
				Attr: device.OneStep(table.FindRow(name), dtype.Complex64), In: []device.Tensor{x},
				Out: []device.Tensor{out}})
			for i := range 16 {
				if got, want := backendtest.Get(&out, i), f(backendtest.Get(&x, i)); !agree(got, want, 1e-6) {
					t.Errorf("%s(%v) is %v, want %v", name, backendtest.Get(&x, i), got, want)
				}
			}
		}
	})
}

// TestFunctionsOfTwo does so with rows of two arguments, at pairs of special values.
func TestFunctionsOfTwo(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		special := []float64{0, math.Copysign(0, -1), 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, -2.5, inf, -inf, nan,
			1e30, 7}
		binary := map[string]func(a, b float64) float64{"power": math.Pow, "arctan2": math.Atan2,
			"minimum": func(a, b float64) float64 { return min(a, b) },
			"maximum": func(a, b float64) float64 { return max(a, b) },
			"divide":  func(a, b float64) float64 { return a / b }, "remainder": pythonMod,
			"logaddexp": func(a, b float64) float64 {
				if a == b {
					return a + math.Ln2
				}
				return math.Max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b)))
			}}
		for name, f := range binary {
			for _, d := range []dtype.Dtype{dtype.Float32, dtype.Float64} {
				m := len(special)
				x := dense(t, d, layout.Shape{m * m}, func(i int) complex128 { return complex(special[i/m], 0) })
				y := dense(t, d, layout.Shape{m * m}, func(i int) complex128 { return complex(special[i%m], 0) })
				out := dense(t, d, layout.Shape{m * m}, func(int) complex128 { return 0 })
				launch(t, &device.Kernel{Kind: device.KindElementwise, Op: name,
					Attr: device.OneStep(table.FindRow(name), d), In: []device.Tensor{x, y}, Out: []device.Tensor{out}})
				for i := range m * m {
					a, b := real(backendtest.Get(&x, i)), real(backendtest.Get(&y, i))
					if got, want := real(backendtest.Get(&out, i)), f(a, b); !close1(got, want, 1e-6) &&
						!(d == dtype.Float32 && math.Abs(want) > math.MaxFloat32 && math.IsInf(got, 0)) {
						t.Errorf("%s(%v, %v) of %s is %v, want %v", name, a, b, d, got, want)
					}
				}
			}
		}
	})
}

func pythonMod(a, b float64) float64 {
	r := math.Mod(a, b)
	switch {
	case r == 0:
		return math.Copysign(0, b)
	case (r < 0) != (b < 0):
		return r + b
	}
	return r
}

// TestIntegers holds the edges that C leaves undefined or that trap.
func TestIntegers(t *testing.T) {
	type pair struct{ a, b, want int64 }
	for name, cases := range map[string][]pair{
		"floor_divide": {{-7, 2, -4}, {7, -2, -4}, {-7, -2, 3}, {7, 0, 0}, {-128, -1, -128}, {0, 5, 0}, {-1, 127, -1}},
		"remainder":    {{-7, 2, 1}, {7, -2, -1}, {-7, -2, -1}, {7, 0, 0}, {-128, -1, 0}, {-8, 4, 0}},
		"power": {{-2, 7, -128}, {3, 0, 1}, {0, 0, 1}, {2, -1, 0}, {1, -5, 1}, {-1, -3, -1}, {-1, -2, 1},
			{0, -1, 0}, {2, 7, -128}},
		"left_shift":  {{1, 7, -128}, {1, 8, 0}, {3, 1, 6}, {1, -1, 0}, {-1, 3, -8}},
		"right_shift": {{-8, 1, -4}, {-8, 9, -1}, {8, 9, 0}, {127, 7, 0}, {-1, 100, -1}},
		"add":         {{127, 1, -128}},
		"multiply":    {{64, 4, 0}, {-128, -1, -128}},
		"minimum":     {{-3, 2, -3}},
	} {
		eachISA(t, func(t *testing.T) {
			x := dense(t, dtype.Int8, layout.Shape{len(cases)},
				func(i int) complex128 { return complex(float64(cases[i].a), 0) })
			y := dense(t, dtype.Int8, layout.Shape{len(cases)},
				func(i int) complex128 { return complex(float64(cases[i].b), 0) })
			out := dense(t, dtype.Int8, layout.Shape{len(cases)}, func(int) complex128 { return 0 })
			launch(t, &device.Kernel{Kind: device.KindElementwise, Op: name,
				Attr: device.OneStep(table.FindRow(name), dtype.Int8), In: []device.Tensor{x, y},
				Out: []device.Tensor{out}})
			for i, c := range cases {
				if got := int64(real(backendtest.Get(&out, i))); got != c.want {
					t.Errorf("%s(%d, %d) is %d, want %d", name, c.a, c.b, got, c.want)
				}
			}
		})
	}
	for _, d := range []dtype.Dtype{dtype.Int32, dtype.Int64} {
		low := int64(-1) << (8*d.Size() - 1)
		x := dense(t, d, layout.Shape{2}, func(int) complex128 { return complex(float64(low), 0) })
		y := dense(t, d, layout.Shape{2}, func(i int) complex128 { return complex(float64(i-1), 0) })
		out := dense(t, d, layout.Shape{2}, func(int) complex128 { return 0 })
		for _, name := range []string{"floor_divide", "remainder"} {
			launch(t, &device.Kernel{Kind: device.KindElementwise, Op: name,
				Attr: device.OneStep(table.FindRow(name), d), In: []device.Tensor{x, y}, Out: []device.Tensor{out}})
			want := []float64{float64(low), 0}
			if name == "remainder" {
				want[0] = 0
			}
			for i := range 2 {
				if got := real(backendtest.Get(&out, i)); got != want[i] {
					t.Errorf("%s(%d, %d) of %s is %v, want %v", name, low, i-1, d, got, want[i])
				}
			}
		}
	}
}

func BenchmarkLaunchOne(b *testing.B) {
	x := dense(b, dtype.Float32, layout.Shape{1}, func(int) complex128 { return 1 })
	y := dense(b, dtype.Float32, layout.Shape{1}, func(int) complex128 { return 1 })
	k := device.Kernel{Kind: device.KindElementwise, Op: "add", Attr: device.OneStep(table.FindRow("add"),
		dtype.Float32), In: []device.Tensor{x, x}, Out: []device.Tensor{y}}
	b.ReportAllocs()
	for b.Loop() {
		launch(b, &k)
	}
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{1000, 100_000, 10_000_000} {
		for _, name := range []string{"add", "exp", "tanh"} {
			for _, d := range []dtype.Dtype{dtype.Float32, dtype.BFloat16} {
				x := dense(b, d, layout.Shape{n}, func(i int) complex128 { return complex(float64(i%100)/50, 0) })
				y := dense(b, d, layout.Shape{n}, func(int) complex128 { return 1 })
				row := table.FindRow(name)
				k := device.Kernel{Kind: device.KindElementwise, Op: name, Attr: device.OneStep(row, d),
					In: []device.Tensor{x, x}[:len(row.Args)], Out: []device.Tensor{y}}
				b.Run(fmt.Sprintf("%s/%s/%d", name, d, n), func(b *testing.B) {
					for b.Loop() {
						launch(b, &k)
					}
				})
			}
		}
	}
}
