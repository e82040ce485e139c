package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// divmodOf is the two results of divmod, held for the test.
func divmodOf(t *testing.T, x, y func() *core.Array) []*core.Array {
	t.Helper()
	return held(t, func() []*core.Array { return core.Divmod(x(), y()) })
}

// onTheHost keeps the nodes of a test that looks at the host's memory and kernels off other streams.
func onTheHost(t *testing.T) {
	core.PickStream(nil)
	t.Cleanup(func() { core.PickStream(picked) })
}

func steps(n int) func() *core.Array {
	return func() *core.Array {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(i%17) - 8
		}
		return vector(dtype.Float64, []int{n}, v)
	}
}

func three(d dtype.Dtype) func() *core.Array {
	return func() *core.Array { return core.AsType(vector(dtype.Float64, nil, []float64{3}), d) }
}

func row(t *testing.T, name string, x, y func() *core.Array) []float64 {
	t.Helper()
	return values(t,
		held(t, func() []*core.Array { return []*core.Array{core.Binary(table.FindRow(name), x(), y())} })[0])
}

// TestOneLaunchGivesAllResults: both results of a node come of one launch, whichever is asked for first, and are what
// the rows give by themselves, of dense, stretched and reversed arguments.
func TestOneLaunchGivesAllResults(t *testing.T) {
	onTheHost(t)
	x := steps(1000)
	reversed := func() *core.Array { return core.Flip(x()) }
	for _, d := range dtype.All {
		if d == dtype.Complex64 || d == dtype.Bool {
			continue
		}
		cast := func(f func() *core.Array) func() *core.Array {
			return func() *core.Array { return core.AsType(f(), d) }
		}
		for _, args := range [][2]func() *core.Array{{cast(x), three(d)}, {cast(reversed), cast(x)},
			{three(d), cast(reversed)}} {
			for first := range 2 {
				both := divmodOf(t, args[0], args[1])
				want := [][]float64{row(t, "floor_divide", args[0], args[1]), row(t, "remainder", args[0], args[1])}
				before := severalLaunches.Load()
				for _, i := range []int{first, 1 - first} {
					if got := values(t, both[i]); !slices.EqualFunc(got, want[i],
						func(a, b float64) bool { return a == b || a != a && b != b }) {
						t.Errorf("%s: result %d is not that of its row", d, i)
					}
				}
				if n := severalLaunches.Load() - before; n != 1 {
					t.Errorf("%s: %d launches, want 1", d, n)
				}
			}
		}
	}
}

// TestResultsLiveByThemselves: the memory of a result goes with its pick, and the node's with the last pick that is not
// computed yet.
func TestResultsLiveByThemselves(t *testing.T) {
	onTheHost(t)
	const n = 1 << 16
	bytes := 8 * n
	x := held(t, func() []*core.Array { return []*core.Array{core.Copy(steps(n)())} })[0]
	if err := core.Eval(x); err != nil {
		t.Fatal(err)
	}
	before := live()
	both := func() (q, r *core.Array) {
		core.Lock()
		defer core.Unlock()
		out := core.Divmod(x, three(dtype.Float64)())
		out[0].Hold()
		out[1].Hold()
		return out[0], out[1]
	}
	drop := func(a *core.Array) {
		core.Lock()
		core.ReleaseIDs([]uint32{a.ID()})
		core.Unlock()
	}
	check := func(what string, want int) {
		t.Helper()
		if got := live() - before; got < want || got > want+4096 {
			t.Errorf("%s: %d bytes, want %d", what, got, want)
		}
	}
	q, r := both()
	if err := core.Eval(q); err != nil {
		t.Fatal(err)
	}
	check("q computed, r waits", 2*bytes)
	if err := core.Eval(r); err != nil {
		t.Fatal(err)
	}
	drop(q)
	check("q gone", bytes)
	drop(r)
	check("both gone", 0)

	q, r = both()
	drop(r)
	if err := core.Eval(q); err != nil {
		t.Fatal(err)
	}
	check("r was never wanted", bytes)
	drop(q)
	check("both gone", 0)

	q, r = both()
	drop(q)
	drop(r)
	check("never computed", 0)
}

// TestResultsAreDonated: a result that dies with what is computed from it lends it its memory, and a result that is
// still wanted does not change.
func TestResultsAreDonated(t *testing.T) {
	onTheHost(t)
	const n = 1 << 16
	x := held(t, func() []*core.Array { return []*core.Array{core.Copy(steps(n)())} })[0]
	if err := core.Eval(x); err != nil {
		t.Fatal(err)
	}
	core.Lock()
	before := core.ActiveMemory()
	core.ResetPeakMemory()
	core.Unlock()
	y := held(t, func() []*core.Array {
		both := core.Divmod(x, three(dtype.Float64)())
		// A chain that does not fuse into one step.
		return []*core.Array{core.Binary(table.FindRow("multiply"), core.Flip(core.Contiguous(core.Flip(both[1]))),
			both[1]), both[0]}
	})
	if err := core.Eval(y[0]); err != nil {
		t.Fatal(err)
	}
	want := row(t, "floor_divide", func() *core.Array { return x }, three(dtype.Float64))
	same(t, "the other result", values(t, y[1]), want)
	core.Lock()
	defer core.Unlock()
	if peak := core.PeakMemory() - before; peak > 6*8*n {
		t.Errorf("the peak is %d arrays", peak/(8*n))
	}
}

// TestResultsThatDoNotFit: where memory ends between two results nothing is held, and asking again computes them.
func TestResultsThatDoNotFit(t *testing.T) {
	onTheHost(t)
	const n = 1 << 16
	x := held(t, func() []*core.Array { return []*core.Array{core.Copy(steps(n)())} })[0]
	if err := core.Eval(x); err != nil {
		t.Fatal(err)
	}
	both := divmodOf(t, func() *core.Array { return x }, three(dtype.Float64))
	if err := core.Eval(both[0].Inputs()[0].Inputs()[1]); err != nil { // the divisor
		t.Fatal(err)
	}
	before := live()
	core.Lock()
	limit := core.SetMemoryLimit(before + 8*n + 4096)
	core.Unlock()
	err := core.Eval(both...)
	core.Lock()
	core.SetMemoryLimit(limit)
	core.Unlock()
	if err == nil || err.Kind != errs.MemoryError || !strings.HasPrefix(err.Msg, "[divmod] cannot allocate") {
		t.Fatalf("got %v", err)
	}
	if after := live(); after != before {
		t.Errorf("%d bytes are held", after-before)
	}
	same(t, "asked again", values(t, both[1]),
		row(t, "remainder", func() *core.Array { return x }, three(dtype.Float64)))
}

// TestResultsOfACanceledLaunch: a launch that is given up leaves nothing, and asking again computes the results.
func TestResultsOfACanceledLaunch(t *testing.T) {
	onTheHost(t)
	both := divmodOf(t, steps(1<<20), three(dtype.Float64))
	before := live()
	cancelSeveral.Store(true)
	core.Lock()
	j := core.StartEval(both, false)
	core.Unlock()
	for !j.Wait(1e9) {
	}
	if err := j.Err(); err == nil || err.Kind != errs.Interrupted {
		t.Fatalf("got %v", err)
	}
	if after := live(); after > before+8<<20+4096 { // the dividend was computed
		t.Errorf("%d bytes are held", after-before)
	}
	same(t, "asked again", values(t, both[0]), row(t, "floor_divide", steps(1<<20), three(dtype.Float64)))
}

// operands are what the results are taken of.
func operands() []*core.Array {
	return []*core.Array{vector(dtype.Float64, []int{2, 3}, []float64{7.5, -3, 2, 9, 8.25, -1}),
		vector(dtype.Float64, []int{3}, []float64{2, 4, -1.5})}
}

// weights are a cotangent or tangent for each of ys.
func weights(ys []*core.Array) []*core.Array {
	out := make([]*core.Array, len(ys))
	for i, y := range ys {
		out[i] = core.AsType(core.BroadcastTo(vector(dtype.Float64, nil, []float64{float64(i + 1)}), y.Shape()),
			y.Dtype())
	}
	return out
}

// transformed is what each transform makes of a function of two arrays.
var transformed = map[string]func(f func(x, y *core.Array) []*core.Array) []*core.Array{
	"vjp": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := core.Tracers(operands())
		ys := f(xs[0], xs[1])
		return core.VJP(ys, xs, weights(ys))
	},
	"vjp by one argument": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := core.Tracers(operands())
		ys := f(operands()[0], xs[1])
		return core.VJP(ys, xs[1:], weights(ys))
	},
	"jvp": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := core.Tracers(operands())
		return core.JVP(f(xs[0], xs[1]), xs, weights(xs))
	},
	"vjp of jvp": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := core.Tracers(operands())
		ys := core.JVP(f(xs[0], xs[1]), xs, []*core.Array{xs[0], xs[1]})
		return core.VJP(ys, xs, weights(ys))
	},
	"vmap": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := operands()
		ps := core.VMapInputs(0, xs, []int{1, 0})
		ys := f(ps[0], ps[1])
		return core.VMapOutputs(xs, ps, []int{1, 0}, ys, make([]int, len(ys)))
	},
	"vmap by one argument": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := operands()
		axes := []int{0, core.NoAxis}
		ps := core.VMapInputs(0, xs, axes)
		ys := f(ps[0], ps[1])
		return core.VMapOutputs(xs, ps, axes, ys, make([]int, len(ys)))
	},
	"vjp of vmap": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := core.Tracers(operands())
		ps := core.VMapInputs(0, xs, []int{1, 0})
		ys := f(ps[0], ps[1])
		ys = core.VMapOutputs(xs, ps, []int{1, 0}, ys, make([]int, len(ys)))
		return core.VJP(ys, xs, weights(ys))
	},
	"trace": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		ps := core.Placeholders(0, operands())
		trace := core.NewTrace(ps, f(ps[0], ps[1]))
		defer trace.Free()
		xs := core.Tracers(operands())
		ys := trace.Call(xs)
		return append(core.VJP(ys, xs, weights(ys)), trace.Call(operands())...)
	},
	"segment": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		xs := core.Tracers(operands())
		since := core.Born()
		ys := core.Checkpoint(f(xs[0], xs[1]), since)
		return append(core.VJP(ys, xs, weights(ys)), ys...)
	},
	"evaluated within": func(f func(x, y *core.Array) []*core.Array) []*core.Array {
		began := core.BeginTrace()
		defer core.EndTrace(began)
		xs := core.TracersOf(began, operands())
		ys := f(xs[0], xs[1])
		core.StartEval(ys, false)
		return core.VJP(ys, xs, weights(ys))
	},
}

// TestTransformsOfResults: gradients, tangents, batches, traces and segments of one or both results are those of the
// rows by themselves.
func TestTransformsOfResults(t *testing.T) {
	rows := func(x, y *core.Array) []*core.Array {
		return []*core.Array{core.Binary(table.FindRow("floor_divide"), x, y),
			core.Binary(table.FindRow("remainder"), x, y)}
	}
	some := map[string]func([]*core.Array) []*core.Array{
		"both":      func(r []*core.Array) []*core.Array { return r },
		"quotient":  func(r []*core.Array) []*core.Array { return r[:1] },
		"remainder": func(r []*core.Array) []*core.Array { return r[1:] },
		"one twice": func(r []*core.Array) []*core.Array {
			return []*core.Array{r[1], core.Binary(table.FindRow("multiply"), r[1], r[0])}
		},
	}
	for name, transform := range transformed {
		for which, pick := range some {
			got := held(t, func() []*core.Array {
				return transform(func(x, y *core.Array) []*core.Array { return pick(core.Divmod(x, y)) })
			})
			want := held(t, func() []*core.Array {
				return transform(func(x, y *core.Array) []*core.Array { return pick(rows(x, y)) })
			})
			for i := range want {
				same(t, name+" of "+which, values(t, got[i]), values(t, want[i]))
			}
		}
	}
}
