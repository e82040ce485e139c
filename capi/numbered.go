package capi

import "sync"

// numbered keeps Go values that C refers to by number, which is never 0. Its lock is a leaf: it
// is taken with and without the GIL and the graph lock.
type numbered[T any] struct {
	mu   sync.Mutex
	held map[uint32]T
	last uint32
}

// add keeps v until it is taken. Numbers fit a positive C int.
func (t *numbered[T]) add(v T) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = map[uint32]T{}
	}
	for taken := true; taken; {
		t.last = t.last%(1<<30) + 1
		_, taken = t.held[t.last]
	}
	t.held[t.last] = v
	return t.last
}

// get is the value of that number.
func (t *numbered[T]) get(number uint32) T {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held[number]
}

// take is get, after which the number may serve another value.
func (t *numbered[T]) take(number uint32) T {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.held[number]
	delete(t.held, number)
	return v
}
