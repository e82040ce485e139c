package cpu

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mlx-go/mlx_go/backends/cpu/pause"
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

// spinTime is how long a worker without work stays awake: kernels of one graph
// follow each other within microseconds, and waking a parked thread costs 5 of them or more.
const spinTime = 50 * time.Microsecond

// job is one parallel loop. Every call makes its own, so that a worker that was
// descheduled holding an old one finds no chunk left in it and does no harm.
type job struct {
	fn     func(lo, hi int)
	n      int
	chunks int
	cancel *atomic.Bool
	next   atomic.Int64 // chunks handed out
	done   atomic.Int64 // chunks finished: the loop is over when all are, whoever ran them
	waits  atomic.Bool  // the caller has parked on over
	over   chan struct{}
	failed atomic.Pointer[any] // first panic value
}

// pool is the set of workers. They are idle goroutines most of the time: the
// scheduler lends them threads, so nothing is locked to a thread.
var pool struct {
	busy    sync.Mutex // held by the caller whose loop the workers run
	start   sync.Once
	current atomic.Pointer[job]
	parked  atomic.Int32  // workers asleep, or about to be, whom nobody has claimed yet
	wake    chan struct{} // one token for each that was claimed
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
	shared := &job{fn: fn, n: n, chunks: j.chunks, cancel: cancel, over: make(chan struct{}, 1)}
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
	j.work()
	// Somebody else's last chunk is under way: it takes about as long as ours did.
	for i := 0; j.done.Load() != int64(j.chunks); i++ {
		if i > 200 {
			j.waits.Store(true)
			if j.done.Load() != int64(j.chunks) {
				<-j.over
			}
			break
		}
		pause.Spin(20)
		if i&15 == 15 {
			runtime.Gosched()
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
				pool.wake <- struct{}{}
			}
		}
		j.chunk(int(c))
		if j.done.Add(1) == int64(j.chunks) && j.waits.Load() {
			select {
			case j.over <- struct{}{}:
			default:
			}
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
	pool.wake = make(chan struct{}, threads)
	for range threads - 1 {
		go worker()
	}
}

func worker() {
	var last *job
	for {
		j := pool.current.Load()
		if j != nil && j != last {
			j.work()
			last = j
			continue
		}
		idle := time.Now()
		for i := 1; ; i++ {
			if j := pool.current.Load(); j != nil && j != last {
				break
			}
			pause.Spin(10)
			if i&31 != 0 {
				continue
			}
			if time.Since(idle) < spinTime {
				runtime.Gosched()
				continue
			}
			// Announce first, then look again: a caller that missed the announcement is seen here.
			pool.parked.Add(1)
			if j := pool.current.Load(); j == nil || j == last || !claimSleeper() {
				last = nil // do not keep a finished loop's memory alive while asleep
				<-pool.wake
			}
			break
		}
	}
}
