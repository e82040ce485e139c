package core_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// live counts nothing by itself: it says how many bytes arrays hold.
func live() int {
	core.Lock()
	defer core.Unlock()
	return core.ActiveMemory()
}

// TestLongChain evaluates and frees a chain of 100,000 ops, and frees one that is never evaluated.
func TestLongChain(t *testing.T) {
	add := table.FindRow("add")
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
	hostAlone(t, "each device on the way keeps copies")
	const n = 1 << 15
	x := held(t, func() []*core.Array {
		one := vector(dtype.Float32, []int{1}, []float64{1})
		x := core.BroadcastTo(one, []int{n})
		for i := range 50 {
			// Reversing keeps the elementwise steps from fusing into one.
			x = core.Index(core.Binary(table.FindRow("add"), x, one),
				[]core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
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

// TestFusionKeepsValues compares chains that fuse with the same ops evaluated one by one, in halves too, where each
// op rounds.
func TestFusionKeepsValues(t *testing.T) {
	names := []string{"add", "multiply", "subtract", "maximum", "minimum"}
	for seed := range 80 {
		d := []dtype.Dtype{dtype.Float32, dtype.Float16, dtype.Float32, dtype.BFloat16}[seed%4]
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
					v[k] = float64((k*(i+3))%11)/7 - 0.9
				}
				pool = append(pool, vector(d, shape, v))
			}
			pool = append(pool, vector(d, []int{7}, []float64{1, 2, 3, 4, 5, 6, 7}), vector(d, nil, []float64{0.5}))
			for range 25 {
				a, b := pool[next(len(pool))], pool[next(len(pool))]
				var y *core.Array
				switch next(8) {
				case 0:
					y = core.AsType(core.AsType(a, []dtype.Dtype{dtype.Int32, dtype.Float64, dtype.Float16}[next(3)]),
						d)
				case 1:
					y = core.ApplyRow(table.FindRow("where"),
						[]core.Arg{{Kind: core.ArgArray, Array: core.Binary(table.FindRow("less"), a, b)},
							{Kind: core.ArgArray, Array: a}, {Kind: core.ArgArray, Array: b}})
				default:
					y = core.Binary(table.FindRow(names[next(len(names))]), a, b)
				}
				pool = append(pool, step(y))
			}
			out := pool[len(pool)-1]
			for _, p := range pool[len(pool)-6:] {
				out = core.Binary(table.FindRow("add"), out, p)
			}
			return out
		}
		lazy := held(t,
			func() []*core.Array { return []*core.Array{build(func(y *core.Array) *core.Array { return y })} })[0]
		var eager *core.Array
		held(t, func() []*core.Array {
			core.PickStream(nil) // on the host
			defer core.PickStream(picked)
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
		if err == nil || err.Kind != errs.IndexError || !strings.Contains(err.Msg, "7") {
			t.Fatalf("error is %v, want an IndexError naming 7", err)
		}
	}
	same(t, "input", values(t, bad[1]), []float64{1, 2, 3})
}

// long is an array whose evaluation takes a while, and goes to the executor.
func long(steps int) *core.Array {
	x := core.BroadcastTo(vector(dtype.Float32, []int{1}, []float64{1}), []int{1 << 12})
	y := x
	for range steps {
		y = core.Index(core.Binary(table.FindRow("add"), y, x),
			[]core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
	}
	return y
}

// endless is an array whose evaluation is over when it is given up.
func endless() *core.Array {
	core.PickStream(nil) // on the host: kernels of devices cannot be given up
	defer core.PickStream(picked)
	c := newCaller()
	c.env["ones"] = core.BroadcastTo(vector(dtype.Float32, []int{1}, []float64{1}), []int{1 << 45})
	return c.eval("sum(ones)")[0]
}

// ended waits for j as long as it takes.
func ended(j *core.Job) *core.Job {
	for !j.Wait(time.Second) {
	}
	return j
}

// start schedules outs and does not wait.
func start(t *testing.T, async bool, outs ...*core.Array) *core.Job {
	t.Helper()
	core.Lock()
	defer core.Unlock()
	j := core.StartEval(outs, async)
	if j == nil {
		t.Fatal("a large evaluation ran at once")
	}
	return j
}

// TestShortJobsWaitForTheirCaller holds that an evaluation of some milliseconds begins when its caller comes to compute
// it, or with the next one behind it, whose thread then computes both.
func TestShortJobsWaitForTheirCaller(t *testing.T) {
	hostAlone(t, "devices compute nothing on the calling thread")
	core.PickStream(nil) // of several streams, work is handed over
	defer core.PickStream(picked)
	as := held(t, func() []*core.Array { return []*core.Array{long(100), long(100), long(100), endless()} })
	if j := start(t, false, as[0]); !j.Lent() || j.Over() {
		t.Error("a short evaluation was not left to its caller")
	} else if j.Help(); !j.Over() || j.Err() != nil {
		t.Errorf("the caller's help ended with %v", j.Err())
	}
	first := start(t, false, as[1])
	if behind := start(t, false, as[2]); behind.Lent() {
		t.Error("an evaluation was left to its caller although another one goes before it")
	} else if ended(behind); !first.Over() {
		t.Error("an evaluation was overtaken")
	}
	first.Help() // has nothing left to do
	if j := start(t, false, as[3]); j.Lent() {
		t.Error("an evaluation of hours was left to its caller")
	} else {
		j.Cancel()
		ended(j)
	}
	same(t, "short", []float64{values(t, as[0])[7], values(t, as[1])[7], values(t, as[2])[7]}, []float64{101, 101, 101})
}

// TestShortJobsAreGivenUp cancels an evaluation that nobody began.
func TestShortJobsAreGivenUp(t *testing.T) {
	hostAlone(t, "devices compute nothing on the calling thread")
	core.PickStream(nil)
	defer core.PickStream(picked)
	a := held(t, func() []*core.Array { return []*core.Array{long(100)} })[0]
	j := start(t, false, a)
	j.Cancel()
	if j.Help(); !j.Over() || j.Err() == nil {
		t.Errorf("a canceled evaluation ended with %v", j.Err())
	}
	same(t, "canceled", values(t, a)[7:8], []float64{101})
}

// TestErrorsStayWithTheirs holds that who waits for an evaluation that somebody else started meets the errors of
// what was asked for, and no others.
func TestErrorsStayWithTheirs(t *testing.T) {
	as := held(t, func() []*core.Array {
		good := long(120)
		i := core.AsType(vector(dtype.Float64, []int{1}, []float64{1 << 15}), dtype.Int32)
		bad := core.Index(good, []core.IndexItem{{Kind: core.IndexArray, Array: i}})
		return []*core.Array{good, bad, core.Binary(table.FindRow("add"), bad, long(100))}
	})
	good, bad, below := as[0], as[1], as[2]
	start(t, true, good, bad)
	later := start(t, true, below) // its input will not be there
	if err := core.Eval(good); err != nil {
		t.Errorf("the good array gives %v", err)
	}
	ended(later)
	if err := core.Eval(below); err == nil || err.Kind != errs.IndexError {
		t.Errorf("what follows the bad array gives %v, want its IndexError", err)
	}
	if err := core.Eval(bad); err == nil || err.Kind != errs.IndexError {
		t.Errorf("the bad array gives %v, want an IndexError", err)
	}
	core.Lock()
	defer core.Unlock()
	if err := core.TakeAsyncError(); err != nil {
		t.Errorf("%v was met already", err)
	}
}

// TestCancelLeavesOthers cancels an evaluation that has not begun, which ends at once, and one that somebody
// else waits for, who gets the value all the same.
func TestCancelLeavesOthers(t *testing.T) {
	as := held(t, func() []*core.Array { return []*core.Array{endless(), long(600), long(100)} })
	under, first, second := start(t, true, as[0]), start(t, true, as[1]), start(t, true, as[2])
	second.Cancel()
	if !second.Wait(0) || second.Err() == nil || first.Wait(0) {
		t.Error("an evaluation in the queue was not dropped at once")
	}
	done := make(chan *errs.Error)
	go func() { done <- core.Eval(as[1]) }()
	under.Cancel()
	time.Sleep(time.Millisecond) // most times the first is under way by then, and somebody waits for it
	first.Cancel()
	if err := <-done; err != nil {
		t.Errorf("who waited for a canceled evaluation got %v", err)
	}
	same(t, "canceled", []float64{values(t, as[1])[7], values(t, as[2])[7]}, []float64{601, 101})
}

// TestCancelAll cancels what synchronize waits for, the last of which is not all.
func TestCancelAll(t *testing.T) {
	as := held(t, func() []*core.Array { return []*core.Array{endless(), long(500), long(400)} })
	jobs := []*core.Job{start(t, true, as[0]), start(t, true, as[1]), start(t, true, as[2])}
	core.Lock()
	all := core.Pending(-1)
	core.Unlock()
	all.Cancel()
	ended(all)
	for i, j := range jobs {
		if !j.Wait(0) || j.Err() == nil || j.Err().Kind != errs.Interrupted {
			t.Errorf("evaluation %d: %v", i, j.Err())
		}
	}
	same(t, "canceled", []float64{values(t, as[1])[7], values(t, as[2])[7]}, []float64{501, 401})
}

// TestTracesLetGo holds that arrays evaluated inside a transform drop what they were computed from when it ends,
// while older and younger ones still run on other threads.
func TestTracesLetGo(t *testing.T) {
	core.Lock()
	before := core.ActiveMemory()
	older := core.BeginTrace()
	first := core.BeginTrace()
	x := core.TracersOf(first, []*core.Array{vector(dtype.Float32, []int{4096}, nil)})[0]
	younger := core.BeginTrace()
	core.TracersOf(younger, []*core.Array{x})
	id := reversals(x).Hold()
	core.Unlock()
	if err := core.Eval(core.ByID(id)); err != nil {
		t.Fatal(err)
	}
	if used := live() - before; used < 20*4*4096 {
		t.Errorf("%d bytes are held during the transform: it can no longer be followed", used)
	}
	core.Lock()
	core.EndTrace(first)
	core.Unlock()
	if used := live() - before; used > 2*4*4096 {
		t.Errorf("%d bytes are held after the transform", used)
	}
	core.Lock()
	core.EndTrace(older)
	core.EndTrace(younger)
	core.ReleaseIDs([]uint32{id})
	core.Unlock()
}

// reversals is a chain of arrays of x's size, none of which is part of another's program.
func reversals(x *core.Array) *core.Array {
	y := x
	for range 20 {
		y = core.Index(core.Binary(table.FindRow("add"), y, x),
			[]core.IndexItem{{Kind: core.IndexSlice, Step: -1, HasStep: true}})
	}
	return y
}

// TestNestedTracesKeep holds that what derives from stand-ins of several transforms is kept as long as one of them
// runs, whichever ends first, and that what derives from those of none is not.
func TestNestedTracesKeep(t *testing.T) {
	hostAlone(t, "what is kept has copies on devices, too")
	const kept = 20 * 4 * 4096
	for _, last := range []string{"outer", "inner"} {
		core.Lock()
		before := core.ActiveMemory()
		outer := core.BeginTrace()
		x := core.TracersOf(outer, []*core.Array{vector(dtype.Float32, []int{4096}, nil)})[0]
		other := core.TracersOf(outer, []*core.Array{vector(dtype.Float32, []int{4096}, nil)})[0]
		inner := core.BeginTrace()
		y := core.TracersOf(inner, []*core.Array{x})[0]
		both := core.Binary(table.FindRow("add"), reversals(y), core.Binary(table.FindRow("add"), other, x))
		ids := []uint32{both.Hold(), reversals(vector(dtype.Float32, []int{4096}, nil)).Hold()}
		core.Unlock()
		if err := core.Eval(core.ByID(ids[0]), core.ByID(ids[1])); err != nil {
			t.Fatal(err)
		}
		ends := []uint64{inner, outer}
		if last == "inner" {
			ends = []uint64{outer, inner}
		}
		for i, want := range []int{kept, kept, 0} {
			if used := live() - before; used < want || used > want+6*4*4096 {
				t.Errorf("%s last: %d bytes are held after %d of 2 have ended", last, used, i)
			}
			if i < 2 {
				core.Lock()
				core.EndTrace(ends[i])
				core.Unlock()
			}
		}
		core.Lock()
		core.ReleaseIDs(ids)
		core.Unlock()
	}
}

// TestMemoryLimit refuses an array beyond the limit and goes on.
func TestMemoryLimit(t *testing.T) {
	hostAlone(t, "the limit is the host's")
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
		return []*core.Array{core.Binary(table.FindRow("add"), core.BroadcastTo(one, []int{1 << 20}), one)}
	})[0]
	err := core.Eval(big)
	if err == nil || err.Kind != errs.MemoryError || !strings.Contains(err.Msg, "4194304") ||
		!strings.Contains(err.Msg, "(1048576)") {
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
		return []*core.Array{x, core.Binary(table.FindRow("multiply"), x, x)}
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 40 {
				core.Lock()
				y := core.Binary(table.FindRow("add"), shared[0], shared[1])
				for range g + i%5 {
					y = core.Binary(table.FindRow("subtract"), y, shared[0])
				}
				j := core.StartEval([]*core.Array{y}, i%3 == 0)
				id := y.Hold()
				core.Unlock()
				if j != nil {
					ended(j)
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

// TestCancel interrupts an evaluation that is under way and one behind it; asking again computes.
func TestCancel(t *testing.T) {
	x := held(t, func() []*core.Array { return []*core.Array{endless(), long(400)} })
	for range 2 {
		jobs := []*core.Job{start(t, false, x[0]), start(t, false, x[1])}
		jobs[1].Cancel() // first: it would be computed as soon as the other has ended
		jobs[0].Cancel()
		for _, j := range jobs {
			if err := ended(j).Err(); err == nil || err.Kind != errs.Interrupted {
				t.Fatalf("error is %v, want an interruption", err)
			}
		}
	}
	if got := values(t, x[1])[9]; got != 401 {
		t.Errorf("the last evaluation gives %g, want 401", got)
	}
}
