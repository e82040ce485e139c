package core_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
)

// live counts nothing by itself: it says how many bytes arrays hold.
func live() int {
	core.Lock()
	defer core.Unlock()
	return core.ActiveMemory()
}

// TestLongChain evaluates and frees a chain of 100,000 ops, and frees one that is never evaluated.
func TestLongChain(t *testing.T) {
	add := core.FindRow("add")
	chain := func(n int) *core.Array {
		core.Lock()
		defer core.Unlock()
		one := vector(dtype.Float32, []int{3}, []float64{1, 2, 3})
		x := one
		for range n {
			x = core.Binary(add, x, one)
		}
		x.Hold()
		return x
	}
	before := live()
	x := chain(100_000)
	if err := core.Eval(x); err != nil {
		t.Fatal(err)
	}
	same(t, "chain", values(t, x), []float64{100_001, 200_002, 300_003})
	y := chain(1_000_000)
	core.Lock()
	core.ReleaseIDs([]uint32{x.ID(), y.ID()})
	core.Unlock()
	if after := live(); after > before+1024 {
		t.Errorf("%d bytes are still held", after-before)
	}
}

// TestInputsAreReleased holds that memory does not grow with the length of a chain, whose arrays
// die as soon as the next one is computed.
func TestInputsAreReleased(t *testing.T) {
	const n = 1 << 15
	x := held(t, func() []*core.Array {
		one := vector(dtype.Float32, []int{1}, []float64{1})
		x := core.BroadcastTo(one, []int{n})
		for i := range 50 {
			// Reversing keeps the elementwise steps from fusing into one.
			x = core.Index(core.Binary(core.FindRow("add"), x, one), []core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
			_ = i
		}
		core.ResetPeakMemory()
		return []*core.Array{x}
	})[0]
	if err := core.Eval(x); err != nil {
		t.Fatal(err)
	}
	core.Lock()
	peak := core.PeakMemory()
	core.Unlock()
	if peak > 4*4*n {
		t.Errorf("the peak is %d bytes for arrays of %d", peak, 4*n)
	}
}

// TestFusionKeepsValues compares chains that fuse with the same ops evaluated one by one.
func TestFusionKeepsValues(t *testing.T) {
	names := []string{"add", "multiply", "subtract", "maximum", "minimum"}
	for seed := range 40 {
		build := func(step func(*core.Array) *core.Array) *core.Array {
			r := uint32(seed*2654435761 + 1)
			next := func(n int) int {
				r ^= r << 13
				r ^= r >> 17
				r ^= r << 5
				return int(r>>3) % n
			}
			shape := []int{5, 7}
			var pool []*core.Array
			for i := range 3 {
				v := make([]float64, 35)
				for k := range v {
					v[k] = float64((k*(i+3))%11)/4 - 1
				}
				pool = append(pool, vector(dtype.Float32, shape, v))
			}
			pool = append(pool, vector(dtype.Float32, []int{7}, []float64{1, 2, 3, 4, 5, 6, 7}), vector(dtype.Float32, nil, []float64{0.5}))
			for range 25 {
				a, b := pool[next(len(pool))], pool[next(len(pool))]
				var y *core.Array
				switch next(8) {
				case 0:
					y = core.AsType(core.AsType(a, dtype.Int32), dtype.Float32)
				case 1:
					y = core.ApplyRow(core.FindRow("where"), []core.Arg{{Kind: core.ArgArray, Array: core.Binary(core.FindRow("less"), a, b)}, {Kind: core.ArgArray, Array: a}, {Kind: core.ArgArray, Array: b}})
				default:
					y = core.Binary(core.FindRow(names[next(len(names))]), a, b)
				}
				pool = append(pool, step(y))
			}
			out := pool[len(pool)-1]
			for _, p := range pool[len(pool)-6:] {
				out = core.Binary(core.FindRow("add"), out, p)
			}
			return out
		}
		lazy := held(t, func() []*core.Array { return []*core.Array{build(func(y *core.Array) *core.Array { return y })} })[0]
		var eager *core.Array
		held(t, func() []*core.Array {
			eager = build(func(y *core.Array) *core.Array {
				if core.StartEval([]*core.Array{y}, false) != nil {
					t.Fatal("a small evaluation did not run at once")
				}
				return y
			})
			return []*core.Array{eager}
		})
		same(t, "fused", values(t, lazy), values(t, eager))
	}
}

// TestErrorsReachTheCaller indexes out of bounds: the evaluation fails, others do not.
func TestErrorsReachTheCaller(t *testing.T) {
	bad := held(t, func() []*core.Array {
		x := vector(dtype.Float32, []int{3}, []float64{1, 2, 3})
		i := core.AsType(vector(dtype.Float64, []int{1}, []float64{7}), dtype.Int32)
		return []*core.Array{core.Index(x, []core.IndexItem{{Kind: core.IndexArray, Array: i}}), x}
	})
	for range 2 {
		err := core.Eval(bad[0])
		if err == nil || err.Kind != core.IndexError || !strings.Contains(err.Msg, "7") {
			t.Fatalf("error is %v, want an IndexError naming 7", err)
		}
	}
	same(t, "input", values(t, bad[1]), []float64{1, 2, 3})
}

// TestMemoryLimit refuses an array beyond the limit and goes on.
func TestMemoryLimit(t *testing.T) {
	core.Lock()
	old := core.SetMemoryLimit(core.ActiveMemory() + 1<<20)
	core.Unlock()
	defer func() {
		core.Lock()
		core.SetMemoryLimit(old)
		core.Unlock()
	}()
	big := held(t, func() []*core.Array {
		one := vector(dtype.Float32, []int{1}, []float64{1})
		return []*core.Array{core.Binary(core.FindRow("add"), core.BroadcastTo(one, []int{1 << 20}), one)}
	})[0]
	err := core.Eval(big)
	if err == nil || err.Kind != core.MemoryError || !strings.Contains(err.Msg, "4194304") || !strings.Contains(err.Msg, "(1048576)") {
		t.Fatalf("error is %v, want a MemoryError with bytes and shape", err)
	}
	core.Lock()
	core.SetMemoryLimit(old)
	core.Unlock()
	if got := values(t, big)[0]; got != 2 {
		t.Errorf("after raising the limit the value is %g, want 2", got)
	}
}

// TestManyThreads builds and evaluates graphs over shared arrays from 8 goroutines.
func TestManyThreads(t *testing.T) {
	const size = 3000
	shared := held(t, func() []*core.Array {
		v := make([]float64, size)
		for i := range v {
			v[i] = float64(i % 17)
		}
		x := vector(dtype.Float32, []int{size}, v)
		return []*core.Array{x, core.Binary(core.FindRow("multiply"), x, x)}
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 40 {
				core.Lock()
				y := core.Binary(core.FindRow("add"), shared[0], shared[1])
				for range g + i%5 {
					y = core.Binary(core.FindRow("subtract"), y, shared[0])
				}
				j := core.StartEval([]*core.Array{y}, i%3 == 0)
				id := y.Hold()
				core.Unlock()
				if j != nil {
					for !j.Wait(time.Second) {
					}
				}
				if err := core.Eval(y); err != nil {
					t.Error(err)
				}
				runtime.Gosched()
				core.Lock()
				k := float64(g + i%5)
				if got, want := y.At(20), 3.0+9-k*3; got != want {
					t.Errorf("goroutine %d round %d: %g, want %g", g, i, got, want)
				}
				core.ReleaseIDs([]uint32{id})
				core.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestCancel interrupts an evaluation; asking again computes it.
func TestCancel(t *testing.T) {
	x := held(t, func() []*core.Array {
		x := core.BroadcastTo(vector(dtype.Float32, []int{1}, []float64{1}), []int{1 << 14})
		y := x
		for range 400 {
			y = core.Index(core.Binary(core.FindRow("add"), y, x), []core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
		}
		return []*core.Array{y}
	})
	core.Lock()
	j := core.StartEval(x, false)
	core.Unlock()
	if j == nil {
		t.Fatal("a large evaluation ran at once")
	}
	j.Cancel()
	if !j.Wait(10 * time.Second) {
		t.Fatal("the evaluation did not end")
	}
	if err := j.Err(); err == nil || err.Kind != core.Interrupted {
		t.Fatalf("error is %v, want an interruption", err)
	}
	if got := values(t, x[0])[9]; got != 401 {
		t.Errorf("the second evaluation gives %g, want 401", got)
	}
}
