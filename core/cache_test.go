package core_test

import (
	"testing"

	"github.com/mlx-go/mlx_go/core"
	"github.com/mlx-go/mlx_go/core/dtype"
)

const mib = 1 << 20

// bytes is an array of n bytes, held until free.
func bytes(n int) uint32 {
	core.Lock()
	defer core.Unlock()
	a, _ := core.Empty(dtype.Uint8, []int{n})
	return a.Hold()
}

func free(ids ...uint32) {
	core.Lock()
	defer core.Unlock()
	core.ReleaseIDs(ids)
}

// emptyCache starts a test without idle memory, and says what arrays of other tests hold.
func emptyCache(t *testing.T) (held int) {
	core.Lock()
	defer core.Unlock()
	core.ClearCache()
	t.Cleanup(func() {
		core.Lock()
		core.ClearCache()
		core.Unlock()
	})
	return core.ActiveMemory()
}

func idle() int {
	core.Lock()
	defer core.Unlock()
	return core.CacheMemory()
}

// TestCacheOfGrowingArrays has idle memory follow what is in use, also when the same sizes come again much later.
func TestCacheOfGrowingArrays(t *testing.T) {
	held := emptyCache(t)
	for round := range 3 {
		last := bytes(mib)
		for n := 2 * mib; n < 64*mib; n += mib / 2 {
			next := bytes(n)
			free(last)
			last = next
			most := live() - held + 40*mib // the last array's memory is idle
			if round > 0 {
				most = 2*64*mib + 40*mib // what the last round left may stay
			}
			if kept := idle(); kept > most {
				t.Fatalf("round %d: %d MiB are idle beside %d in use", round, kept/mib, (live()-held)/mib)
			}
		}
		free(last)
	}
}

// step is one of training: activations of many sizes, which backward frees in the other order while it makes gradients
// of other sizes. It is about 100 MiB, of which half is in use at once.
func step() {
	const n = 12
	var acts, grads []uint32
	for i := range n {
		acts = append(acts, bytes((2+i/2)*mib))
	}
	for i := n - 1; i >= 0; i-- {
		grads = append(grads, bytes((2+i/2)*mib+mib/2))
		free(acts[i], bytes(mib/4*(2+i)))
	}
	free(grads...)
}

// TestCacheOfLoops holds that a loop comes to find all its memory idle, also beside an array that grows.
func TestCacheOfLoops(t *testing.T) {
	emptyCache(t)
	count := func(steps int) int32 {
		before := allocations.Load()
		for range steps {
			step()
		}
		return allocations.Load() - before
	}
	first := count(1)
	count(2)
	if n := count(20); n > 0 {
		t.Errorf("20 steps ask for fresh memory %d times, the first one %d times", n, first)
	}
	last := bytes(8 * mib)
	for n := 8 * mib; n < 24*mib; n += mib {
		next := bytes(n)
		free(last)
		last = next
		count(1)
	}
	free(last)
	count(2)
	if n := count(20); n > 0 {
		t.Errorf("20 steps after an array that grew ask for fresh memory %d times", n)
	}
}

// TestCacheGivesWayInOrder evicts what was used longest ago.
func TestCacheGivesWayInOrder(t *testing.T) {
	emptyCache(t)
	old, young := bytes(24*mib), bytes(16*mib)
	free(old)
	free(young)
	a := bytes(28 * mib) // in vain; 40 MiB are more than stay
	before := allocations.Load()
	b := bytes(16 * mib)
	if n := allocations.Load() - before; n != 0 {
		t.Error("the younger buffer gave way")
	}
	c := bytes(24 * mib)
	if n := allocations.Load() - before; n != 1 {
		t.Error("the older buffer is still there")
	}
	free(a, b, c)
}
