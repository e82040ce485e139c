package core

import (
	"sync"
)

// executor is a thread that issues the parts of jobs it is given, in the order of scheduling. It serves one lane, so
// that lanes run side by side where nothing orders them.
type executor struct {
	lane  *lane
	queue []*part // the first one is running
	due   bool    // the queue has grown: who gives up the graph lock wakes the executor
	start sync.Once
	sleep func()
	wake  func()
}

// dueExecutors are those whose queues have grown since the graph lock was taken.
var dueExecutors []*executor

// add hands over a part.
func (ex *executor) add(p *part) {
	ex.start.Do(func() {
		ex.sleep, ex.wake = Threads.Parker()
		go ex.execute()
	})
	if ex.queue = append(ex.queue, p); !ex.due {
		ex.due = true
		dueExecutors = append(dueExecutors, ex)
	}
}

// execute is the executor's goroutine.
func (ex *executor) execute() {
	var e exec
	if ex.lane.unit != nil {
		e.d = new(issue)
	}
	for {
		ex.sleep()
		Threads.Graph.Lock()
		for len(ex.queue) > 0 {
			p := ex.queue[0]
			ex.queue[0] = nil
			ex.queue = ex.queue[1:]
			p.begun = true
			e = exec{cancel: &p.j.cancel, lane: ex.lane, d: e.d}
			p.over(p.run(&e))
			unlock()
			Threads.Graph.Lock()
		}
		unlock()
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
