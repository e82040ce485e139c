package core

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mlx-go/mlx_go/core/errs"
)

// Job is one evaluation: a tape of nodes in an order in which inputs come first.
type Job struct {
	tape   []*Array
	number uint64 // in the order of scheduling
	async  bool
	cancel atomic.Bool
	done   chan struct{}
	err    *errs.Error
	other  *Job // set in a Job that only waits for another one, whose error is not the waiter's
	all    bool // with other: waits for all that was scheduled up to it
}

// waiting is a Job to wait for j, which somebody else started.
func (j *Job) waiting() *Job { return &Job{done: j.done, other: j} }

// errStale ends a job whose inputs an earlier one failed to compute: whoever waits asks again, and meets
// the cause.
var errStale = errs.Errorf(errs.RuntimeError, "an input was not evaluated because an earlier evaluation failed")

// Evaluation runs nodes one after the other, and each kernel on all workers. Small
// tapes run on the calling thread; others go to one executor goroutine, which is
// not locked to a thread of the caller and takes jobs in order, so that a job
// may rely on everything scheduled before it.
var executor struct {
	start    sync.Once
	due      bool   // the queue has grown: who gives up the graph lock wakes the executor
	ended    bool   // a job has: who gives up the graph lock tells
	queue    []*Job // the first one is running
	number   uint64 // of the last job
	asyncErr *errs.Error
}

// inlineCost is the work, in additions, up to which handing over costs more than it gives.
const inlineCost = 1 << 18

// costly is beyond it, and as exact as estimates need to be there.
const costly = inlineCost + 1

// nodeCost is what the bookkeeping of one node costs in the same unit.
const nodeCost = 512

// StartEval schedules what outs need. It returns nil if all of it is now in
// memory; else a job to wait for, after which StartEval is asked again. The graph
// lock is held. Errors of small evaluations that the caller waits for panic.
func StartEval(outs []*Array, async bool) *Job {
	j, err := startEval(outs, async, true)
	if err == errHandOver {
		j, err = startEval(outs, async, false)
	}
	if err != nil {
		panic(err)
	}
	return j
}

// errHandOver ends a small evaluation that turns out to be large: only strides that its start did not know yet tell
// whether an op is a view or a copy. What it has computed stays.
var errHandOver = errs.Errorf(errs.RuntimeError, "internal error: an evaluation was not handed over")

// startEval is StartEval on the calling thread, if small and if it may be.
func startEval(outs []*Array, async, inline bool) (*Job, *errs.Error) {
	tape, cost, after := schedule(outs)
	if len(tape) == 0 {
		if after == nil {
			return nil, nil
		}
		return after.waiting(), nil
	}
	for _, a := range outs {
		a.refs++ // results are wanted by themselves: fuse must not take them over
	}
	j := &Job{tape: fuse(tape), async: async}
	for _, a := range outs {
		a.refs--
	}
	if inline && after == nil && cost <= inlineCost {
		err := j.run(inlineExec.begin())
		if err == errHandOver {
			return nil, err
		}
		if j.settle(err); async {
			err = nil
		}
		return nil, err
	}
	j.done = make(chan struct{})
	executor.number++
	j.number = executor.number
	for _, a := range j.tape {
		a.job = j
	}
	executor.start.Do(func() { go execute() })
	executor.queue = append(executor.queue, j)
	executor.due = true
	return j, nil
}

// schedule lists the lazy nodes below outs in evaluation order and holds each of them.
// after is the latest job that outs or their inputs already wait for: jobs run in order.
func schedule(outs []*Array) (tape []*Array, cost int, after *Job) {
	type frame struct {
		a    *Array
		next int
	}
	var stack []frame
	visit := func(a *Array) {
		switch a.state {
		case scheduled:
			if a.job != nil && (after == nil || a.job.number > after.number) {
				after = a.job
			}
		case lazy:
			if a.op == placeholder {
				unschedule(tape)
				for _, f := range stack {
					f.a.state = lazy
				}
				if outs[0].op == &nonzeroOp {
					errs.Throw(errs.ValueError, "[index] the places of a bool mask cannot be counted inside a function that is being vmapped or compiled, "+
						"where it has no value: a[mask] has no shape there; mx.where keeps that of a")
				}
				errs.Throw(errs.ValueError, "[eval] an array cannot be evaluated inside a function that is being vmapped or compiled: it has no value there")
			}
			a.state = scheduled
			stack = append(stack, frame{a, 0})
		}
	}
	for _, out := range outs {
		visit(out)
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if ins := f.a.inputs(); f.next < len(ins) {
				f.next++
				visit(ins[f.next-1])
				continue
			}
			a := f.a
			stack = stack[:len(stack)-1]
			tape = append(tape, a.retain())
			c := 1
			if a.op.Cost != nil {
				c = a.op.Cost(a)
			}
			if c < 0 {
				c = costly // it overflowed
			}
			if a.op.View == nil {
				n := a.Size()
				if a.op.LaunchEmpty {
					n = max(n, 1)
				}
				cost += min(c, costly) * min(n, costly)
			}
			cost = min(cost+nodeCost, costly)
		}
	}
	return tape, cost, after
}

// unschedule takes back nodes that were not evaluated.
func unschedule(tape []*Array) {
	for _, a := range tape {
		if a != nil {
			a.state, a.job = lazy, nil
			a.unfuse() // its inputs may be evaluated by themselves next time
			release(a)
		}
	}
}

// execute is the executor goroutine.
func execute() {
	for {
		Threads.Sleep()
		Threads.Graph.Lock()
		for len(executor.queue) > 0 {
			j := executor.queue[0]
			j.end(j.run(&exec{cancel: &j.cancel}))
			executor.queue[0] = nil
			executor.queue = executor.queue[1:]
			unlock()
			Threads.Graph.Lock()
		}
		unlock()
	}
}

// end makes the outcome known to those who wait.
func (j *Job) end(err *errs.Error) {
	j.err = err
	j.settle(err)
	close(j.done)
	executor.ended = true
}

// settle keeps the error of a job that nobody waits for.
func (j *Job) settle(err *errs.Error) {
	switch {
	case err == nil || err == errStale || err.Kind == errs.Interrupted:
	case j.async:
		executor.asyncErr = err
	default:
		told(err)
	}
}

// told notes that a caller meets err: synchronize need not tell it again.
func told(err *errs.Error) {
	if e := executor.asyncErr; e != nil && *e == *err {
		executor.asyncErr = nil
	}
}

// run evaluates the tape. The graph lock is held, and given up during kernels
// unless the tape is small.
func (j *Job) run(e *exec) (err *errs.Error) {
	done := 0
	defer func() {
		if r := recover(); r != nil {
			err = errs.Catch(r)
		}
		if err != nil {
			unschedule(j.tape[done:])
		}
		j.tape = nil
	}()
	for i, a := range j.tape {
		done = i
		if j.cancel.Load() {
			return errs.ErrCanceled
		}
		for _, x := range a.operands() {
			if x.state != ready {
				return errStale
			}
		}
		if err := e.node(a); err != nil {
			return err
		}
		a.setReady()
		if !a.keepOrDetach() {
			a.unfuse()
		}
		j.tape[i] = nil
		done = i + 1
		release(a)
	}
	return nil
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
	if j.Over() {
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
		for i := len(executor.queue) - 1; i >= 0; i-- {
			executor.queue[i].drop(i)
		}
		if len(executor.queue) > 0 { // what runs, and is the last to end now
			j.other = executor.queue[0]
			j.done = j.other.done
		}
		return
	}
	if j.other != nil {
		j = j.other
	}
	j.drop(slices.Index(executor.queue, j))
}

// drop takes the job at place i out of the queue, or tells it to end if it has begun or is in none.
func (j *Job) drop(i int) {
	if i <= 0 {
		j.cancel.Store(true)
		return
	}
	executor.queue = slices.Delete(executor.queue, i, i+1)
	unschedule(j.tape)
	j.tape = nil
	j.end(errs.ErrCanceled)
}

// Pending waits for all jobs that are not over; nil if there is none.
func Pending() *Job {
	if n := len(executor.queue); n > 0 {
		j := executor.queue[n-1].waiting()
		j.all = true
		return j
	}
	return nil
}

// TakeAsyncError returns, once, the error of an asynchronous evaluation that nobody waited for.
func TakeAsyncError() *errs.Error {
	err := executor.asyncErr
	executor.asyncErr = nil
	return err
}

// Eval evaluates and waits: the whole of mx.eval for callers in Go. The graph
// lock is not held.
func Eval(outs ...*Array) *errs.Error { return evalUntil(func() bool { return false }, outs) }

// evalUntil is Eval with somebody to ask whether the results are still wanted.
func evalUntil(canceled func() bool, outs []*Array) (err *errs.Error) {
	defer func() {
		if r := recover(); r != nil {
			err = errs.Catch(r)
		}
	}()
	for {
		j := startEvalLocked(outs)
		if j == nil {
			return nil
		}
		for !j.Wait(20 * time.Millisecond) {
			if canceled() {
				j.Cancel()
			}
		}
		if err := j.Err(); err != nil && (err.Kind != errs.Interrupted || canceled()) {
			return err
		}
	}
}

func startEvalLocked(outs []*Array) *Job {
	Lock()
	defer Unlock()
	return StartEval(outs, false)
}
