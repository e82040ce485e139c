package core

import "sync"

// Threads is how threads wait for each other. A binding may replace it at start-up by means that leave Go's scheduler
// alone, which wakes more threads than are needed.
var Threads = func() (t struct {
	Graph sync.Locker // the graph lock
	// Parker gives an executor what it sleeps by, until wake was called since the last sleep.
	Parker func() (sleep, wake func())
	Ended  func() // a job is over; its Wait returns true
}) {
	t.Graph = new(sync.Mutex)
	t.Parker = func() (sleep, wake func()) {
		token := make(chan struct{}, 1)
		return func() { <-token }, func() {
			select {
			case token <- struct{}{}:
			default:
			}
		}
	}
	t.Ended = func() {}
	return t
}()

// Lock enters the package: arrays are made, looked up and released under it. New ones are on the host's default stream.
func Lock() {
	Threads.Graph.Lock()
	graph.stream = 0
}

// Unlock leaves it and frees arrays made since Lock that nothing came to hold.
func Unlock() {
	sweep()
	unlock()
}

// unlock wakes those for whom something happened under the graph lock, now that they can have it.
func unlock() {
	due, ended := dueExecutors, jobs.ended
	if due != nil {
		for _, ex := range due {
			ex.due = false
		}
		dueExecutors = nil
	}
	jobs.ended = false
	Threads.Graph.Unlock()
	for _, ex := range due {
		ex.wake()
	}
	if ended {
		Threads.Ended()
	}
}
