package cpu

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mlx-go/mlx_go/internal/park"
)

// threads is how many cores one kernel uses. It is read at start-up, while
// GOMAXPROCS still has the value the runtime chose from affinity and cgroup limits.
var threads = func() int {
	n := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if v, err := strconv.Atoi(os.Getenv("MLX_GO_NUM_THREADS")); err == nil && v > 0 {
		n = min(n, v)
	}
	return n
}()

// Threads is the number of cores one kernel uses, the caller's included.
func Threads() int { return threads }

// spinTime is how long a worker without work, or a caller with none left, stays awake: kernels of one graph
// follow each other within microseconds, and waking a parked thread costs 5 of them or more.
const spinTime = 50 * time.Microsecond

// smallPool is the number of threads up to which workers are kept off their caller's core. Of many, one that is late
// does little harm.
const smallPool = 8

// job is one parallel loop. Every call makes its own, so that a worker that was
// descheduled holding an old one finds no chunk left in it and does no harm.
type job struct {
	fn     func(lo, hi int)
	n      int
	chunks int
	cancel *atomic.Bool
	next   atomic.Int64        // chunks handed out
	done   atomic.Int64        // chunks finished: the loop is over when all are, whoever ran them
	over   atomic.Uint32       // one of the states below
	failed atomic.Pointer[any] // first panic value
}

const (
	loopRunning = iota
	loopAwaited // by the caller, asleep
	loopOver
)

// pool is the set of workers.
var pool struct {
	busy    sync.Mutex // held by the caller whose loop the workers run
	start   sync.Once
	current atomic.Pointer[job]
	threads [smallPool]atomic.Pointer[park.Thread] // the workers, if they are few
	turn    atomic.Uint32                          // counts the loops: what workers wait for
	parked  atomic.Int32                           // workers asleep, or about to be, whom nobody has claimed yet
}

// parallel calls fn over [0, n) in chunks of about grain on all cores and returns
// when every chunk is done. When cancel becomes true the chunks not yet begun are
// dropped. A loop within a loop, or beside another caller's, runs serially.
func parallel(n, grain int, cancel *atomic.Bool, fn func(lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	if n <= grain {
		fn(0, n)
		return
	}
	j := job{fn: fn, n: n, chunks: (n-1)/grain + 1, cancel: cancel}
	if threads == 1 || !pool.busy.TryLock() {
		for c := range j.chunks {
			if canceled(cancel) {
				return
			}
			fn(j.bounds(c))
		}
		return
	}
	shared := &job{fn: fn, n: n, chunks: j.chunks, cancel: cancel}
	shared.lead()
	pool.busy.Unlock()
	if p := shared.failed.Load(); p != nil {
		panic(*p)
	}
}

// bounds is the range of chunk c: sizes differ by at most one.
func (j *job) bounds(c int) (lo, hi int) {
	size, more := j.n/j.chunks, j.n%j.chunks
	lo = c*size + min(c, more)
	hi = lo + size
	if c < more {
		hi++
	}
	return lo, hi
}

// lead runs the loop as its caller.
func (j *job) lead() {
	pool.start.Do(startWorkers)
	pool.current.Store(j)
	if threads <= smallPool {
		core := park.Core()
		for i := range pool.threads {
			if t := pool.threads[i].Load(); t != nil {
				t.Avoid(core)
			}
		}
	}
	pool.turn.Add(1)
	j.work()
	// Somebody else's last chunk is under way: it takes about as long as ours did.
	if j.done.Load() != int64(j.chunks) && !park.Watch(&j.over, loopRunning, spinTime) &&
		j.over.CompareAndSwap(loopRunning, loopAwaited) {
		for j.over.Load() == loopAwaited {
			park.Wait(&j.over, loopAwaited, 0)
		}
	}
	pool.current.Store(nil)
}

// work takes chunks until none is left. Everybody wakes two others for the chunks behind the first one taken:
// waking costs microseconds, so one caller for sixteen workers would finish small loops alone.
func (j *job) work() {
	for first := true; ; first = false {
		c := j.next.Add(1) - 1
		if c >= int64(j.chunks) {
			return
		}
		if first {
			for k := min(2, int64(j.chunks)-1-c); k > 0 && claimSleeper(); k-- {
				park.Wake(&pool.turn, 1)
			}
		}
		j.chunk(int(c))
		if j.done.Add(1) == int64(j.chunks) && j.over.Swap(loopOver) == loopAwaited {
			park.Wake(&j.over, 1)
		}
	}
}

// claimSleeper takes one worker off the count of parked ones, for the claimer to wake.
func claimSleeper() bool {
	for {
		n := pool.parked.Load()
		if n == 0 {
			return false
		}
		if pool.parked.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// chunk runs one chunk; a panic travels to the caller.
func (j *job) chunk(c int) {
	defer func() {
		if r := recover(); r != nil {
			j.failed.CompareAndSwap(nil, &r)
		}
	}()
	if canceled(j.cancel) || j.failed.Load() != nil {
		return
	}
	j.fn(j.bounds(c))
}

func startWorkers() {
	for i := range threads - 1 {
		go worker(i)
	}
}

// worker takes part in one loop after the other.
func worker(i int) {
	if t := park.Lock(); i < smallPool {
		pool.threads[i].Store(t)
	}
	for {
		turn := pool.turn.Load()
		if j := pool.current.Load(); j != nil {
			j.work()
		}
		if park.Watch(&pool.turn, turn, spinTime) {
			continue
		}
		// Announce first, then look again: a caller that missed the announcement is seen here.
		pool.parked.Add(1)
		if !park.Wait(&pool.turn, turn, 0) {
			claimSleeper()
		}
	}
}
