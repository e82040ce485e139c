package park

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	var w atomic.Uint32
	if Watch(&w, 0, time.Millisecond) {
		t.Error("a word that stayed was seen to change")
	}
	said := false // the race detector looks whether what was written before the word may be read now
	go func() {
		time.Sleep(5 * time.Millisecond)
		said = true
		w.Store(1)
	}()
	for !Watch(&w, 0, time.Second) { // as long as it takes
	}
	if !said {
		t.Error("what was written before the word was not seen")
	}
}

func TestWaitEnds(t *testing.T) {
	var w atomic.Uint32
	if Wait(&w, 1, 0) {
		t.Error("slept although the word differs")
	}
	begin := time.Now()
	if Wait(&w, 0, 20*time.Millisecond) {
		t.Error("woken by nobody")
	}
	if d := time.Since(begin); d < 20*time.Millisecond {
		t.Errorf("gave up after %v of 20ms", d)
	}
}

// TestWakeChooses has sleepers on two words, and wakes some of one.
func TestWakeChooses(t *testing.T) {
	var words [2]atomic.Uint32
	var woken [2]atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for words[i%2].Load() == 0 {
				if Wait(&words[i%2], 0, 0) {
					woken[i%2].Add(1)
				}
			}
		}()
	}
	for chosen := int32(0); chosen < 3; { // some may not sleep yet
		Wake(&words[0], int(3-chosen))
		time.Sleep(time.Millisecond)
		chosen = woken[0].Load()
	}
	if n := woken[1].Load(); n != 0 {
		t.Errorf("%d sleepers on another word were woken", n)
	}
	for i := range words {
		words[i].Store(1)
		Wake(&words[i], 8)
	}
	all.Wait()
}

// TestNoLostWake passes a token to and fro: whoever sleeps through a change hangs the test.
func TestNoLostWake(t *testing.T) {
	var turn atomic.Uint32
	var both sync.WaitGroup
	for me := range uint32(2) {
		both.Add(1)
		go func() {
			defer both.Done()
			for range 20_000 {
				for now := turn.Load(); now%2 != me; now = turn.Load() {
					Wait(&turn, now, 0)
				}
				turn.Add(1)
				Wake(&turn, 1)
			}
		}()
	}
	both.Wait()
	if turn.Load() != 40_000 {
		t.Errorf("turn = %d", turn.Load())
	}
}

// worker is a thread, and what asks on which core it runs.
func worker(t *testing.T) (thread *Thread, where func() int) {
	threads, ask, at := make(chan *Thread), make(chan bool), make(chan int)
	go func() {
		threads <- Lock()
		for range ask {
			at <- Core()
		}
	}()
	t.Cleanup(func() { close(ask) })
	return <-threads, func() int {
		ask <- true
		return <-at
	}
}

func TestAvoid(t *testing.T) {
	core := Core()
	if core < 0 {
		t.Skip("the system does not tell cores")
	}
	ids, ask, at := make(chan *Thread), make(chan bool), make(chan int)
	go func() {
		ids <- Lock()
		for range ask {
			at <- Core()
		}
	}()
	thread := <-ids
	for range 20 {
		thread.Avoid(core)
		ask <- true
		if got := <-at; got == core && runtime.NumCPU() > 1 {
			t.Fatalf("still on core %d", core)
		}
		core = (core + 1) % runtime.NumCPU()
	}
	close(ask)
}

func TestMutex(t *testing.T) {
	var m Mutex
	var all sync.WaitGroup
	count := 0
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range 20_000 {
				m.Lock()
				count++
				if i%1000 == 0 {
					time.Sleep(50 * time.Microsecond) // the others give up watching
				}
				m.Unlock()
			}
		}()
	}
	all.Wait()
	if count != 160_000 {
		t.Errorf("count = %d", count)
	}
	defer func() {
		if recover() == nil {
			t.Error("a free Mutex was unlocked")
		}
	}()
	m.Unlock()
}
