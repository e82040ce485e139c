package double

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// Queue is an order of execution. Its fields are guarded by the world's lock.
type Queue struct {
	d      *Device
	w      *World
	number int
	rng    *rand.Rand
	call   atomic.Pointer[string] // the call that gives it work just now

	last, committed device.Ticket
	held            []*command // not committed
	waits           []wait     // of the next command
	clock           clock      // what the next command is ordered after, beside this queue
	history         []epoch

	given   []*command // committed and not complete
	running bool       // a goroutine works through given
	busy    bool       // and runs a command, which nothing stops
	done    device.Ticket
	waited  device.Ticket // up to where downloads are in the host's memory
	staged  []staged
	faults  map[device.Ticket]*errs.Error
	lost    *errs.Error
	told    bool          // whoever gives work has had that error
	moved   chan struct{} // closed when done, running or lost change; nil if nobody waits for it
}

// command is what a queue runs.
type command struct {
	q        *Queue
	t        device.Ticket
	what     string
	waits    []wait
	kernel   func() *errs.Error // runs without the lock
	copy     func()             // runs with it
	canceled bool               // it is at fault
	loses    bool               // the device, instead of running
}

func (c *command) String() string { return fmt.Sprintf("%s (command %d of %s)", c.what, c.t, c.q) }

// wait is for a command of another queue.
type wait struct {
	q *Queue
	t device.Ticket
}

// epoch is what commands from a certain one on are ordered after.
type epoch struct {
	from  device.Ticket
	clock clock
}

// staged is a download that is in memory of the driver: Wait copies it to the host's.
type staged struct {
	c     *command
	dst   []byte
	bytes []byte
}

func (q *Queue) String() string { return fmt.Sprintf("%s queue %d", q.d.opts.Name, q.number+1) }

// enter holds that work is given to a queue by one at a time.
func (q *Queue) enter(call string) (leave func()) {
	if !q.call.CompareAndSwap(nil, &call) {
		other := "another call"
		if p := q.call.Load(); p != nil {
			other = *p
		}
		q.w.mu.Lock()
		defer q.w.mu.Unlock()
		q.w.fault("%s of %s is called while %s has not returned", call, q, other)
		return func() {}
	}
	return func() { q.call.Store(nil) }
}

// refuse is the error of a lost queue; who has had it gives no more work.
func (q *Queue) refuse(what string) error {
	if q.lost == nil {
		return nil
	}
	if q.told {
		q.w.fault("%s is given to %s after it said that it is lost", what, q)
	}
	q.told = true
	return q.lost
}

// give appends a command of which the accesses are judged already.
func (q *Queue) give(c *command) device.Ticket {
	q.last++
	c.q, c.t, c.waits = q, q.last, q.waits
	q.waits = nil
	q.held = append(q.held, c)
	count := &q.d.count
	count.Commands++
	count.Ahead = max(count.Ahead, int(q.last-q.done))
	c.loses = count.Commands == q.d.opts.LoseAt
	return c.t
}

// Launch appends k.
func (q *Queue) Launch(k *device.Kernel) (device.Ticket, error) {
	defer q.enter("Launch")()
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	if err := q.refuse(k.Op); err != nil {
		return 0, err
	}
	if broken := q.d.opts.Broken; broken != nil && broken(k.Kind) {
		return 0, device.ErrNoKernel
	}
	if err := q.load(k); err != nil {
		return 0, err
	}
	q.d.count.Kernels++
	c := &command{what: k.Op}
	l := q.resolve(k, c)
	if q.d.count.Kernels == q.d.opts.FaultAt {
		l.planted = errs.Errorf(errs.IndexError, "[%s] fault planted at kernel %d", k.Op, q.d.count.Kernels)
	}
	c.kernel = l.run
	t := q.give(c)
	for _, o := range l.operands {
		o.note(c)
	}
	return t, nil
}

// Upload appends a copy to the device.
func (q *Queue) Upload(dst device.Place, src unsafe.Pointer, n int) (device.Ticket, error) {
	return q.transfer("Upload", dst, src, n, true)
}

// Download appends a copy from the device. By chance it reaches the host's memory when it runs, or when waited for.
func (q *Queue) Download(dst unsafe.Pointer, src device.Place, n int) (device.Ticket, error) {
	return q.transfer("Download", src, dst, n, false)
}

func (q *Queue) transfer(call string, at device.Place, host unsafe.Pointer, n int, up bool) (device.Ticket, error) {
	defer q.enter(call)()
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	if err := q.refuse(call); err != nil {
		return 0, err
	}
	c := &command{what: call}
	o, ok := q.operand(c, call, at, 0, n, up)
	if ok && host == nil {
		q.reject(c, "%s of %d bytes with host memory at nil", call, n)
		ok = false
	}
	if !ok {
		return q.give(c), nil
	}
	spots := q.judgeHost(c, call, uintptr(host), uintptr(host)+uintptr(n), !up)
	bytes, memory := unsafe.Slice((*byte)(host), n), o.block.data[o.lo:o.hi]
	switch stage := q.rng.IntN(2) == 0; {
	case up:
		c.copy = func() { copy(memory, bytes) }
	case stage:
		c.copy = func() { q.staged = append(q.staged, staged{c, bytes, slices.Clone(memory)}) }
	default:
		c.copy = func() { copy(bytes, memory) }
	}
	t := q.give(c)
	o.note(c)
	for _, s := range spots {
		s.shadow.note(access{c: c, lo: s.lo, hi: s.lo + uintptr(n), write: !up, fetch: !up})
	}
	if up {
		q.d.count.Uploads++
		q.d.count.Up += n
	} else {
		q.d.count.Downloads++
		q.d.count.Down += n
	}
	return t, nil
}

// spot is where something lies in what a shadow is of.
type spot struct {
	shadow *shadow
	lo     uintptr
}

// judgeHost judges that c copies from or to host memory, and says where to note it: unified memory of a device has a
// shadow as that, too.
func (q *Queue) judgeHost(c *command, call string, lo, hi uintptr, write bool) []spot {
	spots := []spot{{&q.w.host, lo}}
	if b := q.w.block(lo); b != nil && b.freed {
		q.reject(c, "%s on %s with host memory that is %s, which is freed", call, q, b)
	} else if b != nil {
		spots = append(spots, spot{&b.shadow, lo - b.address()})
	}
	for _, s := range spots {
		if a := s.shadow.unordered(q, s.lo, s.lo+hi-lo, write); a != nil {
			q.reject(c, "%s on %s %ss host memory that %s may still %s", call, q, verb(write), a, a.verb())
			break
		}
	}
	return spots
}

// After makes what is appended from now on wait for t of another queue.
func (q *Queue) After(other device.Queue, t device.Ticket) bool {
	defer q.enter("After")()
	o, ok := other.(*Queue)
	if !ok || o.w != q.w {
		return false
	}
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	if o == q {
		return true
	}
	if q.d.opts.NoAfter || o.lost != nil && o.done < t {
		return false
	}
	if !o.reaches(t, fmt.Sprint(q, " waits")) {
		return true
	}
	q.waits = append(q.waits, wait{o, t})
	q.clock = q.clock.joined(o.clockOf(t)).raised(o.number, t)
	q.history = append(q.history, epoch{q.last + 1, q.clock})
	q.d.count.Waits++
	return true
}

// reaches holds that t is committed, and sees to it, so that the fault does not become a wait without end; false if t
// was not given at all.
func (q *Queue) reaches(t device.Ticket, who string) bool {
	if t > q.last {
		q.w.fault("%s for command %d of %s, which was not given", who, t, q)
		return false
	}
	if t > q.committed {
		q.w.fault("%s for command %d of %s, which was not committed", who, t, q)
		q.commit()
	}
	return true
}

// clockOf is what command t is ordered after, beside its queue.
func (q *Queue) clockOf(t device.Ticket) clock {
	for i := len(q.history) - 1; i >= 0; i-- {
		if q.history[i].from <= t {
			return q.history[i].clock
		}
	}
	return nil
}

// observe notes that the host has seen t complete, and so all that t is ordered after.
func (q *Queue) observe(t device.Ticket) {
	if t <= q.w.seen.at(q.number) {
		return
	}
	q.w.seen = q.w.seen.joined(q.clockOf(t)).raised(q.number, t)
	for len(q.history) > 1 && q.history[1].from <= t { // nobody learns anything from a clock before t's
		q.history = q.history[1:]
	}
}

// Commit hands over what was appended.
func (q *Queue) Commit() error {
	defer q.enter("Commit")()
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	for room := q.d.opts.Room; room > 0 && len(q.given) >= room && q.lost == nil; {
		q.w.await(q.changed(), nil)
	}
	if q.lost != nil { // what was appended before may be committed in vain
		q.told = true
		return q.lost
	}
	q.commit()
	return nil
}

func (q *Queue) commit() {
	if len(q.held) == 0 {
		return
	}
	q.d.count.Commits++
	q.given = append(q.given, q.held...)
	q.held, q.committed = nil, q.last
	if !q.running && q.lost == nil {
		q.running = true
		go q.execute()
	}
}

// Done is the last command known to be complete.
func (q *Queue) Done() device.Ticket {
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	q.observe(q.done)
	return q.done
}

// Wait waits at most d for t.
func (q *Queue) Wait(t device.Ticket, d time.Duration) bool {
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	if q.lost != nil && q.done < t {
		return false
	}
	if !q.reaches(t, "the host waits") {
		return true
	}
	if q.done < t && d > 0 {
		over := make(chan struct{})
		timer := time.AfterFunc(d, func() { close(over) })
		defer timer.Stop()
		for expired := false; q.done < t && q.lost == nil && !expired; {
			q.w.await(q.changed(), over)
			select {
			case <-over:
				expired = true
			default:
			}
		}
	}
	if q.done < t {
		return false
	}
	for len(q.staged) > 0 && q.staged[0].c.t <= t {
		if s := q.staged[0]; !s.c.canceled {
			copy(s.dst, s.bytes)
		}
		q.staged = q.staged[1:]
	}
	q.waited = max(q.waited, t)
	q.observe(t)
	return true
}

// Fault is what t found wrong when it ran.
func (q *Queue) Fault(t device.Ticket) *errs.Error {
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	if t > q.done {
		q.w.fault("the fault of command %d of %s is asked for before it is complete", t, q)
	}
	return q.faults[t]
}

// Lost is why the queue can do nothing more.
func (q *Queue) Lost() *errs.Error {
	q.w.mu.Lock()
	defer q.w.mu.Unlock()
	return q.lost
}
