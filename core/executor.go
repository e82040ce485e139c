package core

import (
	"sync"
)

// executor is a thread that issues the parts of jobs it is given, in the order of scheduling. It serves one lane, so
// that lanes run side by side where nothing orders them. Who waits for a short job may do its work instead (Job.Help).
type executor struct {
	lane    *lane
	queue   []*part // not begun
	running bool    // a part is, and e is in use
	e       exec
	due     bool // the queue has grown: who gives up the graph lock wakes the executor
	start   sync.Once
	sleep   func()
	wake    func()
}

// dueExecutors are those whose queues have grown since the graph lock was taken.
var dueExecutors []*executor

// add hands over a part.
func (ex *executor) add(p *part) {
	ex.queue = append(ex.queue, p)
	ex.rouse()
}

// rouse has the executor look at its queue.
func (ex *executor) rouse() {
	ex.start.Do(func() {
		if ex.lane.unit != nil {
			ex.e.d = new(issue)
		}
		ex.sleep, ex.wake = Threads.Parker()
		go ex.execute()
	})
	if !ex.due {
		ex.due = true
		dueExecutors = append(dueExecutors, ex)
	}
}

// execute is the executor's goroutine.
func (ex *executor) execute() {
	for {
		ex.sleep()
		Threads.Graph.Lock()
		for len(ex.queue) > 0 && !ex.running {
			ex.step()
			unlock()
			Threads.Graph.Lock()
		}
		unlock()
	}
}

// step runs the first part of the queue on the calling thread.
func (ex *executor) step() {
	p := ex.queue[0]
	ex.queue[0] = nil
	ex.queue = ex.queue[1:]
	p.begun, ex.running = true, true
	ex.e = exec{cancel: &p.j.cancel, lane: ex.lane, d: ex.e.d}
	p.over(p.run(&ex.e))
	ex.running = false
}

// Lent returns whether the job begins when somebody who waits for it calls Help, or Wait.
func (j *Job) Lent() bool { return j.lent }

// Help computes j on the calling thread, which waits for it, if j is left to its caller and nobody else began it.
// Handing a job over to another thread and back takes as long as a product of two 128 x 128 matrices. Somebody who
// looks for Ctrl-C would wait here, so only short jobs are left to their callers. The graph lock is not held.
func (j *Job) Help() {
	if !j.lent {
		return
	}
	Threads.Graph.Lock()
	defer unlock()
	p := j.parts[0]
	if ex := p.ex; !p.begun && !ex.running && ex.queue[0] == p {
		ex.step()
		if len(ex.queue) > 0 {
			ex.rouse()
		}
	}
}

// progress is how those who need something of another lane learn that it went on: nodes were issued, commands were
// committed, jobs were given up. They sleep within the graph lock's protection.
var progress = meeting{}

type meeting struct {
	waiting int
	changed *sync.Cond
}

// sleep gives up the graph lock until tell.
func (m *meeting) sleep() {
	if m.changed == nil {
		m.changed = sync.NewCond(graphLock{})
	}
	sweep()
	m.waiting++
	m.changed.Wait()
	m.waiting--
}

func (m *meeting) tell() {
	if m.waiting > 0 {
		m.changed.Broadcast()
	}
}

// graphLock is the graph lock for those who take it again soon.
type graphLock struct{}

func (graphLock) Lock()   { Threads.Graph.Lock() }
func (graphLock) Unlock() { unlock() }

// outside runs f, which waits, with the graph lock given up.
func outside(f func()) {
	sweep()
	unlock()
	defer Threads.Graph.Lock()
	f()
}
