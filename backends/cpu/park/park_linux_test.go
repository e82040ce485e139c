package park

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAvoidAfterOneCore asks in vain first, while the caller may use nothing but the core to be left alone.
func TestAvoidAfterOneCore(t *testing.T) {
	runtime.LockOSThread() // for good: the thread ends with the test, whatever cores it was left with
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil || all.Count() < 2 {
		t.Skipf("one core, or the system does not tell: %v", err)
	}
	core := Core()
	one.Set(core)
	confine := func(thread int, set *unix.CPUSet) {
		if err := unix.SchedSetaffinity(thread, set); err != nil {
			t.Fatal(err)
		}
	}
	ids, ask, at := make(chan *Thread), make(chan bool), make(chan int)
	go func() {
		ids <- Lock()
		for range ask {
			at <- Core()
		}
	}()
	defer close(ask)
	thread := <-ids
	confine(int(thread.id), &one)
	confine(0, &one)
	thread.Avoid(core)
	confine(0, &all)
	thread.Avoid(core)
	ask <- true
	if got := <-at; got == core {
		t.Errorf("still on core %d", core)
	}
}
