package core_test

import (
	"math"
	"os"
	"testing"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/reference"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/layout"
	"github.com/mlx-go/mlx_go/core/table"
)

func TestMain(m *testing.M) {
	device.Register(breakable{judged{world.Judge(reference.New())}})
	os.Exit(runInMode(m))
}

// held makes arrays under the lock and keeps them until the test ends.
func held(t *testing.T, f func() []*core.Array) []*core.Array {
	t.Helper()
	core.Lock()
	defer core.Unlock()
	out := f()
	ids := make([]uint32, len(out))
	for i, a := range out {
		ids[i] = a.Hold()
	}
	t.Cleanup(func() {
		core.Lock()
		core.ReleaseIDs(ids)
		core.Unlock()
	})
	return out
}

func vector(d dtype.Dtype, shape layout.Shape, values []float64) *core.Array {
	a, p := core.Empty(dtype.Float64, shape)
	copy(unsafe.Slice((*float64)(p), len(values)), values)
	return core.AsType(a, d)
}

// values evaluates a, converted to float64.
func values(t *testing.T, a *core.Array) []float64 {
	t.Helper()
	b := held(t, func() []*core.Array { return []*core.Array{core.Contiguous(core.AsType(a, dtype.Float64))} })[0]
	if err := core.Eval(b); err != nil {
		t.Fatal(err)
	}
	out := make([]float64, b.Size())
	if len(out) > 0 {
		copy(out, unsafe.Slice((*float64)(b.Data()), len(out)))
	}
	return out
}

func applyRow(r *table.Row, xs []*core.Array) *core.Array {
	args := make([]core.Arg, len(xs))
	for i, x := range xs {
		args[i] = core.Arg{Kind: core.ArgArray, Array: x}
	}
	return core.ApplyRow(r, args)
}

// samples gives n arguments for a row, away from the places where two arguments meet.
func samples(r *table.Row, n, arg int) []float64 {
	out := make([]float64, n)
	for k := range out {
		f := (float64(k) + 0.5) / float64(n)
		if arg == 1 {
			f = math.Mod(f*3+0.37, 1)
		}
		if arg == 2 {
			f = math.Mod(f*5+0.11, 1)
		}
		out[k] = r.Span.Lo + (r.Span.Hi-r.Span.Lo)*f
	}
	return out
}

// TestDerivatives checks first and second derivatives of every row in float64 against central
// differences, backwards and forwards.
func TestDerivatives(t *testing.T) {
	const n = 7
	for _, r := range table.Rows {
		if r.Deriv == nil || !r.Types.Has(dtype.Float64) && !r.Types.Float || r.Types.Out == table.OutComplex {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			first := 0
			if r.Types.First {
				first = 1
			}
			point := func(i int, shift float64) []*core.Array {
				xs := make([]*core.Array, len(r.Args))
				for k := range xs {
					v := samples(r, n, k)
					if k == i {
						for j := range v {
							v[j] += shift
						}
					}
					if k < first {
						xs[k] = core.AsType(vector(dtype.Float64, []int{n}, []float64{0, 1, 1, 0, 1, 0, 1}), dtype.Bool)
					} else {
						xs[k] = vector(dtype.Float64, []int{n}, v)
					}
				}
				return xs
			}
			// derivative of given order with respect to argument i, at arguments moved by shift
			at := func(i, order int, shift float64, forward bool) []float64 {
				ys := held(t, func() []*core.Array {
					xs := point(i, shift)
					tracers := core.Tracers(xs[i : i+1])
					xs[i] = tracers[0]
					y := applyRow(r, xs)
					for range order {
						ones := vector(dtype.Float64, []int{n}, []float64{1, 1, 1, 1, 1, 1, 1})
						if forward {
							y = core.JVP([]*core.Array{y}, tracers, []*core.Array{ones})[0]
						} else {
							y = core.VJP([]*core.Array{y}, tracers, []*core.Array{ones})[0]
						}
					}
					return []*core.Array{y}
				})
				return values(t, ys[0])
			}
			const h = 1e-5
			for i := first; i < len(r.Args); i++ {
				for order := 1; order <= 2; order++ {
					for _, forward := range []bool{false, true} {
						got := at(i, order, 0, forward)
						hi, lo := at(i, order-1, h, forward), at(i, order-1, -h, forward)
						for k := range got {
							want := (hi[k] - lo[k]) / (2 * h)
							if math.Abs(got[k]-want) > 2e-5*(1+math.Abs(want)) {
								t.Errorf("derivative %d of %s by argument %d (forward %v) at sample %d is %g, "+
									"finite differences give %g",
									order, r.Name, i, forward, k, got[k], want)
							}
						}
					}
				}
			}
		})
	}
}

// TestRowsWithoutDerivative lists them: a new row without a derivative must say so by its result
// type or by its name here.
func TestRowsWithoutDerivative(t *testing.T) {
	onPurpose := map[string]string{
		"bitwise_and": "bits", "bitwise_or": "bits", "bitwise_xor": "bits", "bitwise_invert": "bits",
		"left_shift": "bits", "right_shift": "bits",
	}
	for _, r := range table.Rows {
		if r.Deriv == nil && r.Types.Out != table.OutBool && onPurpose[r.Name] == "" {
			t.Errorf("row %s has no derivative", r.Name)
		}
		if r.Deriv != nil && len(r.Deriv) != len(r.Args) {
			t.Errorf("row %s has %d derivatives for %d arguments", r.Name, len(r.Deriv), len(r.Args))
		}
	}
}

// TestVMapOfRows compares a batch with its examples one by one, for every row and every choice of
// mapped arguments, and a traced function with the eager one.
func TestVMapOfRows(t *testing.T) {
	const n, m = 3, 4
	for _, r := range table.Rows {
		d := dtype.Float64
		if !r.Types.Has(d) {
			d = dtype.Int32
		}
		t.Run(r.Name, func(t *testing.T) {
			for which := 1; which < 1<<len(r.Args); which++ {
				var batched, looped, traced, eager *core.Array
				outs := held(t, func() []*core.Array {
					ins := make([]*core.Array, len(r.Args))
					axes := make([]int, len(ins))
					for k := range ins {
						shape := []int{m}
						axes[k] = core.NoAxis
						if which>>k&1 != 0 {
							shape, axes[k] = []int{m, n}, 1 // the batch is the last axis
						}
						size := layout.Size(shape)
						ins[k] = vector(d, shape, samples(r, size, k))
					}
					ps := core.VMapInputs(0, ins, axes)
					batched = core.VMapOutputs(ins, ps, axes, []*core.Array{applyRow(r, ps)}, []int{0})[0]
					var rows []*core.Array
					for b := range n {
						xs := make([]*core.Array, len(ins))
						for k, x := range ins {
							if xs[k] = x; axes[k] != core.NoAxis {
								xs[k] = core.Index(x,
									[]core.IndexItem{{Kind: core.IndexSlice}, {Kind: core.IndexInt, Int: b}})
							}
						}
						rows = append(rows, core.Reshape(applyRow(r, xs), []int{1, m}))
					}
					looped = core.Concatenate(rows, 0)
					marks := core.Placeholders(0, ins)
					full := make([]*core.Array, len(ins))
					for k, x := range marks {
						if full[k] = x; axes[k] == core.NoAxis {
							full[k] = core.Reshape(x, []int{m, 1})
						}
					}
					trace := core.NewTrace(marks, []*core.Array{applyRow(r, full)})
					defer trace.Free()
					traced = trace.Call(ins)[0]
					for k, x := range ins {
						if full[k] = x; axes[k] == core.NoAxis {
							full[k] = core.Reshape(x, []int{m, 1})
						}
					}
					eager = applyRow(r, full)
					return []*core.Array{batched, looped, traced, eager}
				})
				same(t, "vmap", values(t, outs[0]), values(t, outs[1]))
				same(t, "trace", values(t, outs[2]), values(t, outs[3]))
			}
		})
	}
}

func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Errorf("%s: value %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}
