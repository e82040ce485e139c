package double_test

import (
	"errors"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/backends/double"
	"github.com/mlx-go/mlx_go/core/device"
)

// TestFailingAllocation and the tests below hold that what is asked to go wrong does, where it was asked to.
func TestFailingAllocation(t *testing.T) {
	b := newBench(t, double.Options{Capacity: 1000, FailAllocation: double.Nth{At: 2, Every: 5}})
	var got []bool
	for range 10 {
		m, ok := b.d.Allocate(10)
		if got = append(got, ok); ok {
			b.d.Free(m, 10)
		}
	}
	if want := []bool{true, false, true, true, false, true, true, true, true, false}; !slices.Equal(got, want) {
		t.Errorf("allocations gave %v, want %v", got, want)
	}
	if _, ok := b.d.Allocate(1001); ok {
		t.Error("more than the capacity was given")
	}
	if c := b.d.Counters(); c.Peak != 10 || c.Active != 0 || c.Allocations != 11 {
		t.Errorf("counters %+v", c)
	}
	b.nothing()
}

func TestFault(t *testing.T) {
	b := newBench(t, double.Options{FaultAt: 2})
	x := b.filled()
	var tickets [3]device.Ticket
	for i := range tickets {
		tickets[i] = b.launch(b.q, add(place(b.memory()), place(x), place(x)))
	}
	b.wait(b.q, tickets[2])
	for i, k := range tickets {
		if err := b.q.Fault(k); (err != nil) != (i == 1) {
			t.Errorf("kernel %d has the fault %v", i+1, err)
		}
	}
	b.nothing()
}

func TestLoading(t *testing.T) {
	fails := true
	b := newBench(t, double.Options{
		Load: func(device.KernelKind) error {
			if fails {
				return errors.New("no compiler")
			}
			return nil
		},
		Broken: func(k device.KernelKind) bool { return k == device.KindCopy },
	})
	x := b.filled()
	k := add(place(x), place(x), place(x))
	for range 2 {
		var need *device.NotLoaded
		if _, err := b.q.Launch(k); !errors.As(err, &need) {
			t.Fatalf("Launch gave %v", err)
		}
		if err := need.Load(); (err != nil) != fails {
			t.Errorf("Load gave %v", err)
		}
		fails = false
	}
	b.launch(b.r, k)
	k.Kind = device.KindCopy
	if _, err := b.q.Launch(k); err != device.ErrNoKernel {
		t.Errorf("Launch gave %v", err)
	}
	b.nothing()
}

func TestNoWaits(t *testing.T) {
	b := newBench(t, double.Options{NoAfter: true})
	x := b.memory()
	k := b.upload(b.q, x, host(1))
	b.commit(b.q)
	if b.r.After(b.q, k) {
		t.Error("After gave true")
	}
	b.wait(b.q, k)
	b.wait(b.r, b.launch(b.r, add(place(x), place(x), place(x))))
	b.nothing()
}

// TestLost holds that a lost device completes nothing more, touches nothing more, and takes along who waits for it.
func TestLost(t *testing.T) {
	b := newBench(t, double.Options{LoseAt: 3})
	x, z, back := b.memory(), b.allocate(b.away, 4*n), host(7)
	t1 := b.upload(b.q, x, host(1))
	b.launch(b.q, add(place(x), place(x), place(x)))
	t3 := b.download(b.q, back, x)
	b.d.Pause()
	b.commit(b.q)
	b.far.After(b.q, t3)
	t4 := b.upload(b.far, z, host(2))
	b.commit(b.far)
	b.d.Resume()
	if b.q.Wait(t3, time.Minute) || b.far.Wait(t4, time.Minute) {
		t.Error("what was lost is complete")
	}
	if !b.q.Wait(t1, time.Minute) {
		t.Error("what came before is not")
	}
	for _, q := range []device.Queue{b.q, b.r, b.far} {
		if q.Lost() == nil {
			t.Errorf("%v is not lost", q)
		}
	}
	if b.r.After(b.q, t3) {
		t.Error("After what never comes gave true")
	}
	if _, err := b.d.NewQueue(); err == nil {
		t.Error("a lost device gave a queue")
	}
	b.d.Free(x, 4*n)
	b.away.Free(z, 4*n)
	b.nothing()
	b.w.HostRead(at(back), 4)
	const unread = "the host reads memory that Download (command 3 of gpu queue 1) may still write"
	if f := b.w.Faults(); len(f) != 1 || f[0] != unread {
		t.Errorf("what a lost download was to bring is read: faults %q", f)
	}
	b.w.HostWrite(at(back), 4*n)
	b.w.HostRead(at(back), 4)
	if f := b.w.Faults(); len(f) != 1 {
		t.Errorf("faults %q", f)
	}
}

// TestPause holds that nothing runs meanwhile, and that Wait gives up in time.
func TestPause(t *testing.T) {
	b := newBench(t, double.Options{})
	b.d.Pause()
	k := b.upload(b.q, b.memory(), host(1))
	b.commit(b.q)
	if b.q.Wait(k, time.Millisecond) || b.q.Done() != 0 {
		t.Error("a command ran on a device that pauses")
	}
	b.d.Resume()
	b.wait(b.q, k)
	if c := b.d.Counters(); c.Uploads != 1 || c.Up != 4*n || c.Commands != 1 || c.Commits != 1 || c.Ahead != 1 {
		t.Errorf("counters %+v", c)
	}
	b.nothing()
}

// TestStraying holds that a kernel that writes outside of its output is found, on the device as by the suite.
func TestStraying(t *testing.T) {
	b := newBench(t, double.Options{Host: straying{}})
	x := b.filled()
	b.wait(b.q, b.launch(b.q, add(place(x), place(x), place(x))))
	b.d.Free(x, 4*n)
	if f := b.w.Faults(); len(f) != 1 || f[0] != "gpu memory 1 was written 1 bytes outside of it" {
		t.Errorf("faults %q", f)
	}
}

// straying writes an element after its output.
type straying struct{ device.Host }

func (straying) Launch(k *device.Kernel) error {
	*(*float32)(unsafe.Add(k.Out[0].Data, 4*n)) = 1
	return nil
}
