package core

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/mlx-go/mlx_go/core/errs"
)

// Job is what somebody waits for: an evaluation, another Job, or commands of devices. That an evaluation is over says
// that all its commands were given, not that they are complete: whoever waits asks StartEval again, which gives a Job
// for what the results lack, and then nil.
type Job struct {
	parts  []*part
	left   int     // parts that are not over
	own    [1]part // the only one of most evaluations
	one    [1]*part
	number uint64 // in the order of scheduling
	async  bool
	lent   bool // its only part is left to who waits for it
	cancel atomic.Bool
	done   chan struct{}
	err    *errs.Error
	other  *Job // set in a Job that only waits for another one, whose error is not the waiter's
	all    bool // with other: waits for all that was scheduled up to it
}

// part is what one executor does of a Job: nodes in an order in which inputs come first.
type part struct {
	j     *Job
	ex    *executor
	tape  []*Array
	begun bool
}

// jobs are the evaluations under way. Guarded by the graph lock.
var jobs struct {
	pending []*Job // not over, in the order of scheduling
	number  uint64 // of the last one
	ended   bool   // one has: who gives up the graph lock tells
	closed  bool   // the process ends: devices are given nothing more
	unmet   []*errs.Error
}

// errStale ends a part whose inputs an earlier one failed to compute: whoever waits asks again, and meets
// the cause.
var errStale = errs.Errorf(errs.RuntimeError, "an input was not evaluated because an earlier evaluation failed")

// waiting is a Job to wait for j, which somebody else started.
func (j *Job) waiting() *Job { return &Job{done: j.done, other: j} }

// split gives the tape's nodes to the executors of their streams, each in the order of the tape. Mixed says that there
// may be several.
func (j *Job) split(tape []*Array, mixed bool) {
	if !mixed {
		j.own[0] = part{j: j, ex: lanes[0].ex, tape: tape}
		j.one[0] = &j.own[0]
		j.parts = j.one[:]
		return
	}
	for _, a := range tape {
		ex := streams[a.stream].lane.ex
		k := slices.IndexFunc(j.parts, func(p *part) bool { return p.ex == ex })
		if k < 0 {
			k = len(j.parts)
			j.parts = append(j.parts, &part{j: j, ex: ex})
		}
		j.parts[k].tape = append(j.parts[k].tape, a)
	}
}

// start hands the parts to their executors. Short says that who waits for the job may compute it.
func (j *Job) start(short bool) {
	j.done = make(chan struct{})
	jobs.number++
	j.number = jobs.number
	jobs.pending = append(jobs.pending, j)
	j.left = len(j.parts)
	for _, p := range j.parts {
		for _, a := range p.tape {
			a.job = j
		}
		if ex := p.ex; short && len(j.parts) == 1 && len(ex.queue) == 0 && !ex.running && onlyHost(p.tape) &&
			allHere(p.tape) {
			j.lent, ex.queue = true, append(ex.queue, p)
		} else {
			ex.add(p)
		}
	}
}

// allHere reports whether no node of the tape waits for a device to give up what it reads.
func allHere(tape []*Array) bool {
	if len(units) == 0 {
		return true
	}
	for _, a := range tape {
		for _, x := range a.operands() {
			if x.buf != nil && !x.buf.onHost() {
				return false
			}
		}
	}
	return true
}

// run computes the part's nodes. The graph lock is held, and given up during kernels unless the tape is small.
func (p *part) run(e *exec) (err *errs.Error) {
	done := 0
	defer func() {
		if r := recover(); r != nil {
			err = errs.Catch(r)
			e.abandon(p.tape[done:])
		}
		e.flush()
		if err != nil && err.Kind == errs.Interrupted && e.d != nil {
			e.d.awaitForeign()
		}
		if err != nil {
			unschedule(p.tape[done:])
		}
		p.tape = nil
	}()
	if e.lane != nil && e.lane.unit != nil {
		if err := e.lane.q.Lost(); err != nil {
			return err
		}
		if err := e.prefetch(p.tape); err != nil {
			return err
		}
	}
	for i, a := range p.tape {
		done = i
		if p.j.cancel.Load() {
			return errs.ErrCanceled
		}
		for _, x := range a.operands() {
			if x.state != ready {
				if err := e.await(p.j, x); err != nil {
					return err
				}
			}
		}
		if err := e.node(a); err != nil {
			return err
		}
		a.setReady()
		if !a.keepOrDetach() {
			a.unfuse()
		}
		p.tape[i] = nil
		done = i + 1
		release(a)
		if progress.waiting > 0 {
			progress.tell()
		}
	}
	return nil
}

// await waits until another executor has issued x, which j needs. Of all nodes that were not issued, the first of the
// oldest job heads its executor's work and has all its inputs, so that somebody always goes on. A node of a later job
// is not waited for: it was given up and scheduled anew behind us.
func (e *exec) await(j *Job, x *Array) *errs.Error {
	waits := func() bool { return x.state == scheduled && x.job != nil && x.job.number <= j.number }
	for waits() {
		if e.flush(); !waits() { // it gives up the lock, and nobody tells those who do not sleep yet
			break
		}
		if progress.sleep(); j.cancel.Load() {
			return errs.ErrCanceled
		}
	}
	if x.state != ready {
		return errStale
	}
	return nil
}

// over notes that a part is.
func (p *part) over(err *errs.Error) {
	j := p.j
	if err != nil && (j.err == nil || j.err == errStale) {
		j.err = err
	}
	progress.tell()
	if j.left--; j.left == 0 {
		j.end(j.err)
	}
}

// end makes the outcome known to those who wait.
func (j *Job) end(err *errs.Error) {
	j.err = err
	settle(err, j.async)
	if k := slices.Index(jobs.pending, j); k >= 0 {
		jobs.pending = slices.Delete(jobs.pending, k, k+1)
	}
	close(j.done)
	jobs.ended = true
}

// settle keeps the error of a job that nobody waits for.
func settle(err *errs.Error, async bool) {
	switch {
	case err == nil || err == errStale || err.Kind == errs.Interrupted:
	case async:
		told(err) // once is enough
		jobs.unmet = append(jobs.unmet, err)
	default:
		told(err)
	}
}

// told notes that a caller meets err: synchronize need not tell it again.
func told(err *errs.Error) {
	if len(jobs.unmet) > 0 {
		jobs.unmet = slices.DeleteFunc(jobs.unmet, func(e *errs.Error) bool { return *e == *err })
	}
}

// Over returns whether the job has ended.
func (j *Job) Over() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// Wait returns true once the job is over, or false after d. The graph lock is not held.
func (j *Job) Wait(d time.Duration) bool {
	if j.Help(); j.Over() {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-j.done:
		return true
	case <-t.C:
		return false
	}
}

// Err is what went wrong, once the job is over. Nil does not say that the arrays are in memory: StartEval
// tells. ErrCanceled may come of somebody else's Cancel; then, too, ask again.
func (j *Job) Err() *errs.Error {
	if j.err == errStale {
		return nil
	}
	return j.err
}

// Background runs f, which should end soon after canceled says so, as a job that touches no graph by itself.
func Background(f func(canceled func() bool) *errs.Error) *Job {
	j := &Job{done: make(chan struct{})}
	go func() {
		defer Threads.Ended()
		defer close(j.done)
		defer func() {
			if r := recover(); r != nil {
				j.err = errs.Catch(r)
			}
		}()
		j.err = f(j.cancel.Load)
	}()
	return j
}

// Cancel makes the job end soon with ErrCanceled; what it had not computed stays lazy. The graph lock is
// not held. Others who wait for it ask again, which starts it anew.
func (j *Job) Cancel() {
	Lock()
	defer Unlock()
	if j.all {
		for _, p := range slices.Backward(slices.Clone(jobs.pending)) {
			p.drop()
		}
		if len(jobs.pending) > 0 { // what runs, and is the last to end now
			j.other = jobs.pending[len(jobs.pending)-1]
			j.done = j.other.done
		}
		return
	}
	if j.other != nil {
		j = j.other
	}
	j.drop()
}

// drop takes the parts that have not begun from their executors, and tells the others to end.
func (j *Job) drop() {
	j.cancel.Store(true)
	for _, p := range j.parts {
		if p.begun || j.left == 0 {
			continue
		}
		p.ex.queue = slices.DeleteFunc(p.ex.queue, func(q *part) bool { return q == p })
		p.begun = true
		unschedule(p.tape)
		p.tape = nil
		p.over(errs.ErrCanceled)
	}
	progress.tell()
}

// Pending waits for all jobs of a stream that are not over, of all streams for -1; nil if there is none.
func Pending(stream int) *Job {
	for _, j := range slices.Backward(jobs.pending) {
		if stream < 0 || j.on(stream) {
			w := j.waiting()
			w.all = true
			return w
		}
	}
	return pendingCommands(stream)
}

// Shutdown gives up what was not begun and returns a Job for the commands that devices have: their drivers must not
// be in use when the process takes them down. Nil says that nothing is under way; without devices it always is.
func Shutdown() *Job {
	if len(units) == 0 {
		return nil
	}
	jobs.closed = true
	for _, j := range slices.Backward(slices.Clone(jobs.pending)) {
		j.drop()
	}
	return Pending(-1)
}

var errClosed = errs.Errorf(errs.RuntimeError, "[eval] the process is ending: devices compute nothing more")

// on reports whether the job does anything on the stream.
func (j *Job) on(stream int) bool {
	ex := streams[stream].lane.ex
	return slices.ContainsFunc(j.parts, func(p *part) bool { return p.ex == ex })
}

// TakeAsyncError returns, once, the error of an asynchronous evaluation that nobody waited for.
func TakeAsyncError() *errs.Error {
	if len(jobs.unmet) == 0 {
		return nil
	}
	err := jobs.unmet[0]
	jobs.unmet = slices.Delete(jobs.unmet, 0, 1)
	return err
}
