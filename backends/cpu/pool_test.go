package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestParallelCoversRangeOnce(t *testing.T) {
	for _, c := range []struct{ n, grain int }{{1, 1}, {7, 2}, {1000, 1}, {1000, 999}, {1 << 20, 4096}} {
		seen := make([]atomic.Int32, c.n)
		parallel(c.n, c.grain, nil, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				seen[i].Add(1)
			}
		})
		for i := range seen {
			if k := seen[i].Load(); k != 1 {
				t.Fatalf("n=%d grain=%d: element %d was visited %d times", c.n, c.grain, i, k)
			}
		}
	}
}

func TestParallelConcurrentAndNested(t *testing.T) {
	var callers sync.WaitGroup
	var sum atomic.Int64
	for range 8 {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for range 200 {
				parallel(64, 4, nil, func(lo, hi int) {
					parallel(hi-lo, 1, nil, func(a, b int) { sum.Add(int64(b - a)) })
				})
			}
		}()
	}
	callers.Wait()
	if got := sum.Load(); got != 8*200*64 {
		t.Fatalf("sum = %d, want %d", got, 8*200*64)
	}
}

func TestParallelCancel(t *testing.T) {
	var cancel atomic.Bool
	var ran atomic.Int64
	parallel(10000, 1, &cancel, func(lo, hi int) {
		switch n := ran.Add(1); {
		case n == 10:
			cancel.Store(true)
		case n > 10:
			for !cancel.Load() { // the tenth may be off its core
				runtime.Gosched()
			}
		}
	})
	if n := ran.Load(); n < 10 || n > int64(10+threads) {
		t.Fatalf("%d chunks ran after a cancel in the tenth", n)
	}
}

func TestParallelPanicReachesCaller(t *testing.T) {
	defer func() {
		if r := recover(); r != "boom" {
			t.Fatalf("recovered %v, want boom", r)
		}
		// The pool is usable afterwards.
		var n atomic.Int64
		parallel(100, 1, nil, func(lo, hi int) { n.Add(1) })
		if n.Load() != 100 {
			t.Fatal("pool is broken after a panic")
		}
	}()
	parallel(100, 1, nil, func(lo, hi int) {
		if lo == 50 {
			panic("boom")
		}
	})
}

func TestParallelAfterPark(t *testing.T) {
	pool.start.Do(startWorkers)
	for range 5 {
		for pool.parked.Load() < int32(threads-1) {
			runtime.Gosched()
		}
		var n atomic.Int64
		parallel(100, 1, nil, func(lo, hi int) { n.Add(int64(hi - lo)) })
		if n.Load() != 100 {
			t.Fatal("chunks missing")
		}
	}
}

func BenchmarkParallelEmpty(b *testing.B) {
	for b.Loop() {
		parallel(2, 1, nil, func(lo, hi int) {})
	}
}
