package core_test

import (
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/dtype"
	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/table"
)

// These tests plant faults: in core, that the double must find, and in devices, that core must live through. One mode
// of the other tests is enough for them, as they choose their streams.
func planted(t *testing.T) {
	t.Helper()
	if os.Getenv("MLX_GO_DOUBLE") != "" {
		t.Skip("chooses its streams itself")
	}
}

// rig is a device with a stream of the host and two of its own.
type rig struct {
	*testing.T
	d       *double.Device
	streams []uint16
}

// hooks stand between core and a device. Those that are nil leave it as it is.
type hooks struct {
	launch func(k *device.Kernel) error // a result that is not nil is Launch's
	after  func() bool                  // true: core is told that the wait was given
	wait   func() bool                  // true: core is told that what it waits for is complete
	done   func(given device.Ticket) device.Ticket
}

type hookedDevice struct {
	device.Device
	h *hooks
}

func (d hookedDevice) NewQueue() (device.Queue, error) {
	q, err := d.Device.NewQueue()
	if err != nil {
		return nil, err
	}
	return &hookedQueue{Queue: q, h: d.h}, nil
}

type hookedQueue struct {
	device.Queue
	h     *hooks
	given atomic.Uint64
}

func (q *hookedQueue) note(t device.Ticket, err error) (device.Ticket, error) {
	if err == nil {
		q.given.Store(uint64(t))
	}
	return t, err
}

func (q *hookedQueue) Launch(k *device.Kernel) (device.Ticket, error) {
	if q.h.launch != nil {
		if err := q.h.launch(k); err != nil {
			return 0, err
		}
	}
	return q.note(q.Queue.Launch(k))
}

func (q *hookedQueue) Upload(dst device.Place, src unsafe.Pointer, n int) (device.Ticket, error) {
	return q.note(q.Queue.Upload(dst, src, n))
}

func (q *hookedQueue) Download(dst unsafe.Pointer, src device.Place, n int) (device.Ticket, error) {
	return q.note(q.Queue.Download(dst, src, n))
}

func (q *hookedQueue) After(other device.Queue, t device.Ticket) bool {
	if q.h.after != nil && q.h.after() {
		return true
	}
	return q.Queue.After(other.(*hookedQueue).Queue, t)
}

func (q *hookedQueue) Wait(t device.Ticket, d time.Duration) bool {
	if q.h.wait != nil && q.h.wait() {
		return true
	}
	return q.Queue.Wait(t, d)
}

func (q *hookedQueue) Done() device.Ticket {
	if q.h.done != nil {
		return q.h.done(device.Ticket(q.given.Load()))
	}
	return q.Queue.Done()
}

func newRig(t *testing.T, opts double.Options, h *hooks) *rig {
	t.Helper()
	if opts.Delay == 0 {
		opts.Delay = 20 * time.Microsecond
	}
	d := world.New(opts)
	core.Lock()
	defer core.Unlock()
	k := core.AddDevice(hookedDevice{d, h})
	return &rig{t, d, []uint16{0, core.NewStream(k, true), core.NewStream(k, true)}}
}

// plantedProgram has kernels of every sort, in place and not, views, constants and several uses of one array.
var plantedProgram = []string{
	"cumsum(sort(matmul(exp(x),w),1),0)", "concatenate((softmax(x,1),multiply(x,x)),0)", "take(sum(exp(x),0),i)",
	"transpose(add(exp(w),sin(w)))", "put_along_axis(w,broadcast_to(expand_dims(i,1),(3,2)),transpose(exp(x)),1)",
	"divide(square(x),add(max(x),2))", "argmax(sin(x),1)",
	"slice_update(exp(x),slice(w,A([1]),(0,),(1,2)),A([0]),(0,))",
}

// build makes the program's results, joined, with its nodes on the streams in turn.
func (r *rig) build(streams []uint16) (out *core.Array, leave func()) {
	core.Lock()
	defer core.Unlock()
	n := uint64(0)
	core.PickStream(func(uint64) uint16 {
		n++
		return streams[n*0x9E3779B97F4A7C15>>40%uint64(len(streams))]
	})
	defer core.PickStream(picked)
	c := newCaller()
	for k, a := range streamArguments(0) {
		c.env[[]string{"x", "w", "i", "k"}[k]] = a
	}
	var parts []*core.Array
	for _, text := range plantedProgram {
		for _, y := range c.eval(text) {
			parts = append(parts, core.Reshape(core.AsType(y, dtype.Float64), []int{-1}))
		}
	}
	out = core.Contiguous(core.Concatenate(parts, 0))
	id := out.Hold()
	return out, func() {
		core.Lock()
		defer core.Unlock()
		core.ReleaseIDs([]uint32{id})
	}
}

// read is what a, which is on the host, holds. Core has told the world that it is going to be read.
func read(a *core.Array) []float64 {
	return slices.Clone(unsafe.Slice((*float64)(a.Data()), a.Size()))
}

// result evaluates the program on the streams.
func (r *rig) result(streams []uint16) ([]float64, *errs.Error) {
	y, leave := r.build(streams)
	defer leave()
	if err := core.Eval(y); err != nil {
		return nil, err
	}
	return read(y), nil
}

// right holds that the results are those that the host computes.
func (r *rig) right(what string, got []float64) {
	r.Helper()
	want, err := r.result(r.streams[:1])
	if err != nil {
		r.Fatal(err)
	}
	for i := range want {
		if i >= len(got) || math.Abs(got[i]-want[i]) > 1e-9 {
			r.Errorf("%s: element %d of %d is wrong", what, i, len(want))
			return
		}
	}
}

// faultless holds that the double found nothing wrong.
func (r *rig) faultless(what string) {
	r.Helper()
	for _, f := range world.TakeFaults() {
		r.Errorf("%s: %s", what, f)
	}
}

// TestPlantedFaults holds that the double finds what core would do wrong.
func TestPlantedFaults(t *testing.T) {
	planted(t)
	yes := func() bool { return true }
	all := func(given device.Ticket) device.Ticket { return given }
	for _, p := range []struct {
		name   string
		queues int
		opts   double.Options
		hooks  hooks
		want   string
	}{
		{"nothing", 2, double.Options{}, hooks{}, ""},
		{"waits of queues left out", 2, double.Options{}, hooks{after: yes}, "nothing orders them"},
		{"commands taken for complete", 2, double.Options{}, hooks{done: all}, "nothing orders them"},
		{"waits of the host left out", 1, double.Options{}, hooks{wait: yes, done: all},
			"the host reads memory that Download"},
		{"memory freed early", 1, double.Options{Capacity: 3000}, hooks{done: all}, "Free of gpu memory"},
	} {
		t.Run(p.name, func(t *testing.T) {
			r := newRig(t, p.opts, &p.hooks)
			r.d.Pause() // the device is as slow as it can be: nothing is in order by luck
			done := make(chan *errs.Error, 2)
			y, leave := r.build(r.streams[1 : 1+p.queues])
			go func() {
				err := core.Eval(y)
				if err == nil {
					read(y)
				}
				done <- err
			}()
			if p.want != "" {
				for len(world.Faults()) == 0 {
					select {
					case err := <-done:
						t.Logf("the evaluation gave %v", err)
						done <- nil
					case <-time.After(time.Millisecond):
					}
				}
			}
			r.d.Resume()
			<-done
			leave()
			faults := world.TakeFaults()
			world.Reset() // core believes what it was told
			if (p.want == "") != (len(faults) == 0) || !slices.ContainsFunc(append(faults, ""), func(f string) bool {
				return strings.Contains(f, p.want)
			}) {
				t.Errorf("the double found %q, not %q", faults, p.want)
			}
		})
	}
}

// TestAllocationsFail lets every allocation fail in turn, every second one, and all of them: results are right, or the
// error is a MemoryError that names the device, and the same arrays can be evaluated once there is memory.
func TestAllocationsFail(t *testing.T) {
	planted(t)
	for n := 1; ; n++ {
		r := newRig(t, double.Options{FailAllocation: double.Nth{At: n}}, &hooks{})
		got, err := r.result(r.streams)
		if err != nil {
			t.Fatalf("allocation %d failed, and so did the evaluation: %v", n, err)
		}
		r.right("allocation failed once", got)
		r.faultless("allocation failed once")
		if r.d.Counters().Allocations < n {
			t.Logf("%d allocations failed in turn", n-1)
			break
		}
	}
	r := newRig(t, double.Options{FailAllocation: double.Nth{Every: 2}}, &hooks{})
	got, err := r.result(r.streams)
	if err != nil {
		t.Fatal(err)
	}
	r.right("every second allocation fails", got)
	r = newRig(t, double.Options{FailAllocation: double.Nth{Every: 1}}, &hooks{})
	if _, err = r.result(r.streams); err == nil || err.Kind != errs.MemoryError ||
		!strings.Contains(err.Msg, "on the gpu") {
		t.Errorf("without memory the error is %v", err)
	}
	r.faultless("all allocations fail")
}

// TestMemoryRunsOut computes on devices of ever less memory, down to none.
func TestMemoryRunsOut(t *testing.T) {
	planted(t)
	fails := 0
	for capacity := 8192; capacity > 0; capacity -= 256 {
		r := newRig(t, double.Options{Capacity: capacity}, &hooks{})
		got, err := r.result(r.streams)
		switch {
		case err == nil:
			r.right("little memory", got)
		case err.Kind != errs.MemoryError:
			t.Errorf("%d bytes: %v", capacity, err)
		default:
			fails++
		}
		r.faultless("little memory")
	}
	t.Logf("%d of 32 devices are too small", fails)
}

// TestCancelAnywhere gives up at every kernel in turn. What was given is kept, and the rest can be evaluated.
func TestCancelAnywhere(t *testing.T) {
	planted(t)
	for n := 1; ; n++ {
		launches := 0
		ready := make(chan *core.Job, 1)
		h := &hooks{}
		h.launch = func(*device.Kernel) error {
			if launches++; launches != n { // under the graph lock
				return nil
			}
			return &device.NotLoaded{Load: func() error {
				j := <-ready
				j.Cancel()
				return nil
			}}
		}
		r := newRig(t, double.Options{}, h)
		y, leave := r.build(r.streams)
		core.Lock()
		j := core.StartRead([]*core.Array{y})
		core.Unlock()
		ready <- j
		for !j.Wait(time.Minute) {
			t.Fatal("a job that was given up does not end")
		}
		reached := launches >= n
		if err := j.Err(); reached && (err == nil || err.Kind != errs.Interrupted) {
			t.Errorf("kernel %d: the job that was given up gave %v", n, err)
		}
		if err := core.Eval(y); err != nil {
			t.Fatalf("kernel %d: evaluated again: %v", n, err)
		}
		r.right("given up and evaluated again", read(y))
		leave()
		r.faultless("given up")
		if !reached {
			t.Logf("%d kernels were given up at", n-1)
			return
		}
	}
}

// TestLoseAnywhere loses the device at every command in turn: what needs it is an error, at once and again, and what
// does not goes on.
func TestLoseAnywhere(t *testing.T) {
	planted(t)
	for n := 1; ; n++ {
		r := newRig(t, double.Options{LoseAt: n}, &hooks{})
		y, leave := r.build(r.streams)
		err := core.Eval(y)
		lost := r.d.Counters().Commands >= n
		if err == nil {
			r.right("computed before the device was lost", read(y))
		}
		for range 2 {
			if again := core.Eval(y); (again == nil) != (err == nil) {
				t.Errorf("command %d: evaluated again: %v after %v", n, again, err)
			}
		}
		if err != nil && !strings.Contains(err.Msg, "lost") {
			t.Errorf("command %d: the error is %v", n, err)
		}
		leave()
		if got, err := r.result(r.streams[:1]); err != nil {
			t.Errorf("the host's stream after the device is lost: %v", err)
		} else {
			r.right("on the host", got)
		}
		r.faultless("a lost device")
		if !lost {
			t.Logf("the device was lost at %d commands", n-1)
			return
		}
	}
}

// TestFaultsReachWhatDerives finds an index out of bounds on the device: it reaches what derives from that array, each
// time, and nothing else, though all of it was given together.
func TestFaultsReachWhatDerives(t *testing.T) {
	planted(t)
	r := newRig(t, double.Options{}, &hooks{})
	core.Lock()
	core.PickStream(func(born uint64) uint16 { return r.streams[born%3] })
	c := newCaller()
	x := streamArguments(0)[0]
	c.env["x"], c.env["far"] = x, vector(dtype.Int32, []int{2}, []float64{0, 7})
	bad := c.eval("take(exp(x),far,1)")[0]
	derived := c.eval("A(1)")
	derived[0] = applyRow(table.FindRow("add"), []*core.Array{bad, bad})
	good := c.eval("multiply(exp(x),3)")[0]
	core.PickStream(picked)
	ids := []uint32{bad.Hold(), derived[0].Hold(), good.Hold()}
	j := core.StartEval([]*core.Array{good, derived[0], bad}, true)
	core.Unlock()
	for !j.Wait(time.Minute) {
		t.Fatal("an evaluation does not end")
	}
	if err := core.Eval(good); err != nil {
		t.Errorf("what does not derive from it: %v", err)
	}
	for range 2 {
		for _, a := range []*core.Array{derived[0], bad} {
			if err := core.Eval(a); err == nil || err.Kind != errs.IndexError {
				t.Errorf("the error is %v, want an IndexError", err)
			}
		}
	}
	core.Lock()
	core.ReleaseIDs(ids)
	core.Unlock()
	r.faultless("a bad index")
}
