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
	thread, where := worker(t)
	confine(int(thread.id), &one)
	confine(0, &one)
	thread.Avoid(core)
	confine(0, &all)
	thread.Avoid(core)
	if where() == core {
		t.Errorf("still on core %d", core)
	}
}
