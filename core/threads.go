package core

import "sync"

// Threads is how threads wait for each other. A binding may replace it at start-up by means that leave Go's scheduler
// alone, which wakes more threads than are needed.
var Threads = func() (t struct {
	Graph sync.Locker // the graph lock
	Sleep func()      // the executor's, until Wake was called since the last Sleep
	Wake  func()
	Ended func() // a job is over; its Wait returns true
}) {
	token := make(chan struct{}, 1)
	t.Graph = new(sync.Mutex)
	t.Sleep = func() { <-token }
	t.Wake = func() {
		select {
		case token <- struct{}{}:
		default:
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
	due, ended := executor.due, executor.ended
	executor.due, executor.ended = false, false
	Threads.Graph.Unlock()
	if due {
		Threads.Wake()
	}
	if ended {
		Threads.Ended()
	}
}
