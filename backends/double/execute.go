package double

import (
	"runtime"
	"time"
)

// execute runs what was committed, and ends when all of it is complete or the queue is lost.
func (q *Queue) execute() {
	w := q.w
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(q.given) > 0 && q.mayRun(q.given[0]) {
		c := q.given[0]
		q.busy = true
		q.dawdle()
		if c.loses {
			q.busy = false
			q.d.lose()
			break
		}
		if q.d.lost == nil {
			q.run(c)
			q.done = c.t
			q.given = q.given[1:]
		}
		q.busy = false
		if q.d.lost != nil {
			q.end()
		}
		q.tell()
	}
	q.running = false
	q.tell()
}

// mayRun waits until c may run; false if the queue is lost before.
func (q *Queue) mayRun(c *command) bool {
	for q.lost == nil {
		if q.d.paused != nil {
			q.w.await(q.d.paused, q.changed())
			continue
		}
		if len(c.waits) == 0 {
			return true
		}
		switch on := c.waits[0]; {
		case on.q.done >= on.t:
			c.waits = c.waits[1:]
		case on.q.lost != nil:
			q.d.lose() // what c waits for never comes
		default:
			q.w.await(on.q.changed(), q.changed())
		}
	}
	return false
}

// dawdle lets others go first, without the lock.
func (q *Queue) dawdle() {
	var pause time.Duration
	if q.d.opts.Delay > 0 && q.rng.IntN(4) == 0 {
		pause = time.Duration(q.rng.Int64N(int64(q.d.opts.Delay)))
	}
	yields := q.rng.IntN(3)
	q.w.mu.Unlock()
	defer q.w.mu.Lock()
	if pause > 0 {
		time.Sleep(pause)
	}
	for range yields {
		runtime.Gosched()
	}
}

// run runs one command, kernels without the lock. What is at fault stays undone.
func (q *Queue) run(c *command) {
	switch {
	case c.canceled:
	case c.copy != nil:
		c.copy()
	case c.kernel != nil:
		q.w.mu.Unlock()
		err := c.kernel()
		q.w.mu.Lock()
		if err != nil {
			q.faults[c.t] = err
		}
	}
}

// end makes the queue a lost one.
func (q *Queue) end() {
	if q.lost != nil {
		return
	}
	q.lost = q.d.lost
	q.given, q.held = nil, nil
	q.tell()
}

// changed is closed as soon as there is something new of the queue.
func (q *Queue) changed() <-chan struct{} {
	if q.moved == nil {
		q.moved = make(chan struct{})
	}
	return q.moved
}

func (q *Queue) tell() {
	if q.moved != nil {
		close(q.moved)
		q.moved = nil
	}
}
