package core

import (
	"time"

	"github.com/mlx-go/mlx_go/core/device"
	"github.com/mlx-go/mlx_go/core/errs"
)

// lane is one order of execution of the machine: a thread that runs kernels on the host, or a queue of a device. Many
// streams may share one, which orders them more than they ask for.
type lane struct {
	number    uint16
	unit      *unit // nil: the host
	q         device.Queue
	ex        *executor
	given     device.Ticket   // the last command that was appended
	committed device.Ticket   // up to there the device has them
	seen      []device.Ticket // by lane: up to where this one waits for others, so that no wait is given twice
	watched   []*suspect      // commands that may be found wrong later, and were not looked at yet
}

// lanes are all, by number; the first is the host's default.
var lanes = []*lane{newLane(nil, nil)}

func newLane(u *unit, q device.Queue) *lane {
	l := &lane{unit: u, q: q}
	l.ex = &executor{lane: l}
	return l
}

func addLane(l *lane) *lane {
	l.number = uint16(len(lanes))
	lanes = append(lanes, l)
	return l
}

// ownLanes are those that streams which want one of their own share, once there are maxLanes of them.
type ownLanes struct {
	lanes []*lane
	next  int
}

// open is the lane of the stream that is made next; add makes another one.
func (o *ownLanes) open(add func() *lane) *lane {
	if len(o.lanes) < maxLanes {
		o.lanes = append(o.lanes, add())
	}
	o.next++
	return o.lanes[(o.next-1)%len(o.lanes)]
}

// hostLanes are threads.
var hostLanes ownLanes

// openLane is a lane for another stream of the device at place dev of Devices: the first one, or its own as long as
// there are enough.
func openLane(dev int, own bool) *lane {
	hosts := len(device.Registered())
	if dev >= hosts {
		return units[dev-hosts].openLane(own)
	}
	if !own {
		return lanes[0]
	}
	return hostLanes.open(func() *lane { return addLane(newLane(nil, nil)) })
}

// use is a command: what makes or reads a copy. The zero use is none.
type use struct {
	lane   uint16
	ticket device.Ticket
}

// done reports whether the command can touch no memory any more.
func (u use) done() bool {
	if u.ticket == 0 {
		return true
	}
	q := lanes[u.lane].q
	return q.Done() >= u.ticket || q.Lost() != nil
}

func allDone(us []use) bool {
	for _, u := range us {
		if !u.done() {
			return false
		}
	}
	return true
}

// addUse adds u to a list that has one entry for each lane.
func addUse(us []use, u use) []use {
	for i := range us {
		if us[i].lane == u.lane {
			us[i].ticket = max(us[i].ticket, u.ticket)
			return us
		}
	}
	return append(us, u)
}

// waitSlice is how long waits for devices are blind to who gives up.
const waitSlice = 20 * time.Millisecond

// wait returns once u is complete, which includes what a download writes, with the graph lock given up. Canceled may be
// nil.
func (u use) wait(canceled func() bool) *errs.Error {
	if u.ticket == 0 {
		return nil
	}
	l := lanes[u.lane]
	for l.committed < u.ticket && l.q.Lost() == nil {
		if progress.sleep(); canceled != nil && canceled() {
			return errs.ErrCanceled
		}
	}
	var err *errs.Error
	outside(func() {
		for !l.q.Wait(u.ticket, waitSlice) {
			if err = l.q.Lost(); err != nil {
				return
			}
			if canceled != nil && canceled() {
				err = errs.ErrCanceled
				return
			}
		}
	})
	return err
}

// commit hands what was appended to the device, with the graph lock given up. Only who owns the lane calls it: its
// executor, or who holds the lock of its unit's copies.
func (l *lane) commit() *errs.Error {
	if l.q == nil || l.committed == l.given {
		return nil
	}
	to := l.given
	var err error
	outside(func() { err = l.q.Commit() })
	l.committed = to
	progress.tell()
	return deviceError(l.unit.Name(), err)
}

// deviceError is err as one of ours.
func deviceError(op string, err error) *errs.Error {
	switch err := err.(type) {
	case nil:
		return nil
	case *errs.Error:
		return err
	}
	return errs.Errorf(errs.RuntimeError, "[%s] %v", op, err)
}

// pendingCommands waits for the commands of a stream's lane, or of all lanes for -1; nil if all are complete.
func pendingCommands(stream int) *Job {
	var uses []use
	for _, l := range lanes {
		if l.q != nil && (stream < 0 || streams[stream].lane == l) {
			if u := (use{l.number, l.given}); !u.done() {
				uses = append(uses, u)
			} else {
				l.settleWatched()
			}
		}
	}
	if uses == nil {
		return nil
	}
	return waitFor(uses, nil)
}

// waitFor is a Job for commands. Then is called under the graph lock once they are complete; it may be nil.
func waitFor(uses []use, then func(j *Job) *errs.Error) *Job {
	j := &Job{done: make(chan struct{})}
	go func() {
		Threads.Graph.Lock()
		defer unlock()
		defer func() {
			if r := recover(); r != nil {
				j.err = errs.Catch(r)
			}
			close(j.done)
			jobs.ended = true
		}()
		for _, u := range uses {
			if err := u.wait(j.cancel.Load); err != nil {
				if err.Kind == errs.Interrupted {
					j.err = err
				}
				return // a queue that is lost is the fault of what asks for its memory
			}
		}
		if then != nil {
			j.err = then(j)
		}
	}()
	return j
}
