package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mlx-go/mlx_go/backends/backendtest"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
)

// TestCopyViews copies between random views of every pair of dtypes.
func TestCopyViews(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		shapes := append([]layout.Shape{{70, 130}, {3, 65, 66}, {33, 2, 40}}, someShapes...)
		for _, from := range dtype.All {
			for _, to := range dtype.All {
				for i, shape := range shapes {
					if from != to && i%3 != int(from+to)%3 {
						continue
					}
					in := randomView(t, r, from, shape, func() complex128 { return complex(float64(r.IntN(100)), 0) })
					out := dense(t, to, shape, func(int) complex128 { return 99 })
					if r.IntN(2) == 0 && layout.Size(shape) > 1 { // into a view: axes swapped, every second element
						back := make([]int, len(shape))
						next := 2
						for a := range shape {
							back[a] = next
							next *= shape[a]
						}
						all := dense(t, to, layout.Shape{next}, func(int) complex128 { return 7 })
						out = device.Tensor{Data: all.Data, Dtype: to, Shape: shape, Strides: back}
					}
					launch(t, &device.Kernel{Kind: device.KindCopy, Op: "copy", In: []device.Tensor{in},
						Out: []device.Tensor{out}})
					want, got := values(&in), values(&out)
					for j := range got {
						w := want[j]
						if to == dtype.Bool && w != 0 {
							w = 1
						}
						if got[j] != w {
							t.Fatalf("%s to %s, shape %v strides %v -> %v: element %d is %v, want %v", from, to, shape,
								in.Strides, out.Strides, j, got[j], w)
						}
					}
				}
			}
		}
	})
}

// TestCastEdges holds what NumPy gives on this kind of processor for floats outside of an integer's range.
func TestCastEdges(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		in := dense(t, dtype.Float32, layout.Shape{6}, func(i int) complex128 {
			return complex([]float64{300, -1, -129.7, 1.9, -1.9, 3e9}[i], 0)
		})
		for d, want := range map[dtype.Dtype][]float64{
			dtype.Uint8:  {44, 255, 127, 1, 255, 0},
			dtype.Int8:   {44, -1, 127, 1, -1, 0},
			dtype.Uint32: {300, 4294967295, 4294967167, 1, 4294967295, 3e9},
			dtype.Int64:  {300, -1, -129, 1, -1, 3e9},
			dtype.Uint64: {300, math.Pow(2, 64), math.Pow(2, 64), 1, math.Pow(2, 64), 3e9},
			dtype.Bool:   {1, 1, 1, 1, 1, 1},
		} {
			out := dense(t, d, layout.Shape{6}, func(int) complex128 { return 0 })
			launch(t, &device.Kernel{Kind: device.KindCopy, Op: "cast", In: []device.Tensor{in},
				Out: []device.Tensor{out}})
			for i := range want {
				if got := real(backendtest.Get(&out, i)); got != want[i] {
					t.Errorf("%v as %s is %v, want %v", real(backendtest.Get(&in, i)), d, got, want[i])
				}
			}
		}
		half := []float64{65504, 65519, 65520, 1e-8, 6e-8, 1.0009765625, 2049, -0.1, math.Inf(1), math.NaN()}
		x := dense(t, dtype.Float32, layout.Shape{len(half)}, func(i int) complex128 { return complex(half[i], 0) })
		for _, d := range []dtype.Dtype{dtype.Float16, dtype.BFloat16} {
			out := dense(t, d, layout.Shape{len(half)}, func(int) complex128 { return 0 })
			launch(t, &device.Kernel{Kind: device.KindCopy, Op: "cast", In: []device.Tensor{x},
				Out: []device.Tensor{out}})
			want := dense(t, d, layout.Shape{len(half)}, func(i int) complex128 { return complex(half[i], 0) })
			for i := range half {
				if got, w := backendtest.Get(&out, i), backendtest.Get(&want, i); !agree(got, w, 0) {
					t.Errorf("%v as %s is %v, want %v", half[i], d, got, w)
				}
			}
		}
	})
}

func TestFillAndArange(t *testing.T) {
	for _, d := range dtype.All {
		one := dense(t, d, layout.Shape{}, func(int) complex128 { return 1 })
		for _, n := range []int{1, 1000, 300_000} {
			out := dense(t, d, layout.Shape{n}, func(int) complex128 { return 0 })
			launch(t, &device.Kernel{Kind: device.KindFill, Op: "full", In: []device.Tensor{one},
				Out: []device.Tensor{out}})
			for i := range n {
				if backendtest.Get(&out, i) != 1 {
					t.Fatalf("fill of %s: element %d is %v", d, i, backendtest.Get(&out, i))
				}
			}
			n = min(n, 1000)
			seq := dense(t, d, layout.Shape{n}, func(int) complex128 { return 0 })
			launch(t, &device.Kernel{Kind: device.KindArange, Op: "arange", Out: []device.Tensor{seq},
				Attr: device.ArangeAttr{StartInt: 3, StepInt: -2, Start: 3, Step: -2}})
			want := dense(t, d, layout.Shape{n}, func(i int) complex128 { return complex(float64(3-2*i), 0) })
			for i := range n {
				if backendtest.Get(&seq, i) != backendtest.Get(&want, i) {
					t.Fatalf("arange of %s: element %d is %v, want %v", d, i, backendtest.Get(&seq, i),
						backendtest.Get(&want, i))
				}
			}
		}
	}
	strided := dense(t, dtype.Int32, layout.Shape{20}, func(int) complex128 { return 0 })
	part := device.Tensor{Data: strided.Data, Dtype: dtype.Int32, Shape: layout.Shape{5, 2}, Strides: []int{4, 3}}
	five := dense(t, dtype.Int32, layout.Shape{}, func(int) complex128 { return 5 })
	launch(t, &device.Kernel{Kind: device.KindFill, Op: "full", In: []device.Tensor{five}, Out: []device.Tensor{part}})
	sum := 0.0
	for i := range 20 {
		sum += real(backendtest.Get(&strided, i))
	}
	if sum != 50 {
		t.Errorf("a strided fill wrote %v in all, want 50", sum)
	}
}

func BenchmarkCopy(b *testing.B) {
	for _, n := range []int{256, 1024, 4096} {
		for _, d := range []dtype.Dtype{dtype.Uint8, dtype.Float16, dtype.Float32, dtype.Float64} {
			x := dense(b, d, layout.Shape{n, n}, func(i int) complex128 { return complex(float64(i), 0) })
			y := dense(b, d, layout.Shape{n, n}, func(int) complex128 { return 1 })
			x.Strides = []int{1, n}
			b.Run(fmt.Sprintf("transpose/%s/%d", d, n), func(b *testing.B) {
				for b.Loop() {
					launch(b, &device.Kernel{Kind: device.KindCopy, Op: "copy", In: []device.Tensor{x},
						Out: []device.Tensor{y}})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n*n), "ns/elem")
			})
		}
	}
}
