package core

import (
	"slices"
	"time"

	"github.com/mlx-go/mlx_go/core/errs"
	"github.com/mlx-go/mlx_go/core/layout"
)

// inlineCost is the work, in additions, up to which handing over costs more than it gives.
const inlineCost = 1 << 18

// shortCost is the work, in additions, up to which who waits for it may compute it: some milliseconds.
const shortCost = 1 << 23

// costly is beyond it, and as exact as estimates need to be there.
const costly = shortCost + 1

// nodeCost is what the bookkeeping of one node costs in the same unit.
const nodeCost = 512

// StartEval schedules what outs need. It returns nil if all of it is now computed; else a job to wait for, after which
// StartEval is asked again. The graph lock is held. Errors of small evaluations that the caller waits for panic.
func StartEval(outs []*Array, async bool) *Job {
	j, err := startEval(outs, async, true)
	if err == errHandOver {
		j, err = startEval(outs, async, false)
	}
	if err != nil {
		panic(err)
	}
	if j == nil && !async {
		j = awaitDevices(outs)
	}
	return j
}

// StartRead is StartEval for who is going to read outs: nil says that they are in the host's memory, and stay there as
// long as they are held.
func StartRead(outs []*Array) *Job {
	j := StartEval(outs, false)
	if j == nil {
		j = bring(outs)
	}
	if j == nil && reader != nil {
		for _, a := range outs {
			a.willRead()
		}
	}
	return j
}

// errHandOver ends a small evaluation that turns out to be large, or to wait for a device: only strides that its start
// did not know yet tell whether an op is a view or a copy. What it has computed stays.
var errHandOver = errs.Errorf(errs.RuntimeError, "internal error: an evaluation was not handed over")

// startEval is StartEval on the calling thread, if small and if it may be.
func startEval(outs []*Array, async, inline bool) (*Job, *errs.Error) {
	tape, cost, after, all := schedule(outs)
	if len(tape) == 0 {
		if after == nil {
			return nil, nil
		}
		return after.waiting(), nil
	}
	if jobs.closed && !onlyHost(tape) {
		unschedule(tape)
		return nil, errClosed
	}
	for _, a := range outs {
		a.refs++ // results are wanted by themselves: fuse must not take them over
	}
	tape = fuse(tape)
	for _, a := range outs {
		a.refs--
	}
	if inline && after == nil && cost <= inlineCost && (all == 0 || onlyHost(tape)) {
		inlinePart.tape = tape
		err := inlinePart.run(inlineExec.begin())
		if err == errHandOver {
			return nil, err
		}
		if settle(err, async); async {
			err = nil
		}
		return nil, err
	}
	j := &Job{async: async}
	j.split(slices.Clone(tape), all != 0)
	clear(tape)
	j.start(!async && cost <= shortCost)
	return j, nil
}

// onlyHost reports whether no node of the tape is for a device.
func onlyHost(tape []*Array) bool {
	for _, a := range tape {
		if streams[a.stream].onDevice() {
			return false
		}
	}
	return true
}

// awaitDevices is a Job for the commands that ready arrays wait for; nil if they are complete. It throws what they
// found wrong.
func awaitDevices(outs []*Array) *Job {
	var uses []use
	for _, a := range outs {
		if a.buf != nil && a.buf.res != nil {
			if uses = a.buf.awaited(uses); a.buf.res.suspect != nil {
				uses = a.buf.res.suspect.pending(uses)
			}
		}
	}
	if uses != nil {
		return waitFor(uses, nil)
	}
	for _, a := range outs {
		if a.buf == nil || a.buf.res == nil {
			continue
		}
		if err := a.buf.lostError(); err != nil {
			panic(err)
		}
		if err := a.buf.res.suspect.settle(); err != nil {
			panic(err)
		}
	}
	return nil
}

// bring is a Job that copies complete arrays to the host; nil if they are there.
func bring(outs []*Array) *Job {
	var far []*Array
	for _, a := range outs {
		if a.facts.Ready != 0 {
			continue
		}
		switch {
		case a.buf != nil && !a.buf.onHost():
			far = append(far, a.retain())
		case a.buf == nil && a.Size() > 0: // C would read from address 0
			errs.Throw(errs.RuntimeError, "[eval] internal error: an array of shape %s and dtype %s has no memory",
				layout.Format(a.shape), a.dtype)
		default:
			a.publish()
		}
	}
	if far == nil {
		return nil
	}
	return waitFor(nil, func(j *Job) (err *errs.Error) {
		for _, a := range far {
			if err == nil {
				err = a.bring(j.cancel.Load)
			}
			release(a)
		}
		return err
	})
}

// frame is a node whose inputs are being visited, and the next of them.
type frame struct {
	a    *Array
	next int
}

// scheduling is the memory of the last schedule, for the next one. It is guarded by the graph lock, under which small
// tapes are computed, too; those of jobs are copied.
var scheduling struct {
	stack []frame
	tape  []*Array
}

// maxKeptTape is how long a tape may be whose memory is kept.
const maxKeptTape = 1 << 12

// schedule lists the lazy nodes below outs in evaluation order and holds each of them.
// after is the latest job that outs or their inputs already wait for: jobs run in order.
// all has the bits of the streams of its nodes.
func schedule(outs []*Array) (tape []*Array, cost int, after *Job, all uint16) {
	stack := scheduling.stack[:0]
	tape = scheduling.tape[:0]
	giveUp := func() { // what stayed scheduled would pass for computed
		unschedule(tape)
		for _, f := range stack {
			f.a.state = lazy
		}
	}
	visit := func(a *Array) {
		switch a.state {
		case scheduled:
			if a.job != nil && (after == nil || a.job.number > after.number) {
				after = a.job
			}
		case lazy:
			if a.op == placeholder {
				giveUp()
				if outs[0].op == &nonzeroOp {
					errs.Throw(errs.ValueError, "[index] the places of a bool mask cannot be counted inside a "+
						"function that is being vmapped or compiled, "+
						"where it has no value: a[mask] has no shape there; mx.where keeps that of a")
				}
				errs.Throw(errs.ValueError, "[eval] an array cannot be evaluated inside a function that is being "+
					"vmapped or compiled: it has no value there")
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
			all |= a.stream
			c := 1
			if a.op.Cost != nil {
				var bug any
				if c, bug = a.cost(); bug != nil {
					giveUp()
					panic(bug)
				}
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
	if cap(tape) <= maxKeptTape {
		scheduling.stack, scheduling.tape = stack, tape
	}
	return tape, cost, after, all
}

// cost is that of an element of a, or what its op panics with.
func (a *Array) cost() (c int, bug any) {
	defer func() { bug = recover() }()
	return a.op.Cost(a), nil
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

// Eval evaluates, brings the results to the host and waits, for callers in Go. The graph lock is not held.
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
	return StartRead(outs)
}
