package core

import "math/bits"

// Fresh pages cost far more than the kernels that fill them, so free buffers are kept for the next who asks for their
// size. A loop asks for the same sizes again and again; a program that works on ever larger arrays never does. What
// tells them apart is whether a size that gave way is asked for soon: then the cache keeps that much more from now on.
// Guarded by the graph lock.
var cache = struct {
	ages    queue // all idle buffers
	classes [sizeClasses]struct {
		idle queue
		gone int // how many gave way and were not asked for since
		when int // the count of evicted bytes when the last one did
	}
	room    int // bytes that stay when others are asked for in vain
	owed    int // asked for in vain while there was more than that, and not given up yet
	evicted int // bytes that gave way so far
}{room: minRoom}

// minRoom is kept of sizes that nobody may ask for again.
const minRoom = 32 << 20

// A queue of idle buffers in the order in which they became so; each is in one by age and in one of its class.
type queue struct{ oldest, newest *buffer }

// link is a place in a queue.
type link struct{ older, newer *buffer }

const (
	byAge = iota
	byClass
)

func (q *queue) push(b *buffer, k int) {
	b.places[k] = link{older: q.newest}
	if q.newest == nil {
		q.oldest = b
	} else {
		q.newest.places[k].newer = b
	}
	q.newest = b
}

func (q *queue) remove(b *buffer, k int) {
	l := b.places[k]
	if l.older == nil {
		q.oldest = l.newer
	} else {
		l.older.places[k].newer = l.newer
	}
	if l.newer == nil {
		q.newest = l.older
	} else {
		l.newer.places[k].older = l.older
	}
	b.places[k] = link{}
}

const sizeClasses = 16 + 8*54

// sizeClass numbers the sizes that buffers have and rounds n up to one: at most an eighth is wasted, and buffers of
// similar size serve each other.
func sizeClass(n int) (class, size int) {
	if n <= 1024 {
		k := max((n+63)/64, 1)
		return k - 1, 64 * k
	}
	octave := bits.Len(uint(n - 1))
	k := (n-1)>>(octave-4) + 1 // 9 to 16 eighths of where the octave begins
	return 16 + 8*(octave-11) + k - 9, k << (octave - 4)
}

// takeIdle gives the buffer of the class that was used last, or nil.
func takeIdle(class int) *buffer {
	b := cache.classes[class].idle.newest
	if b != nil {
		b.leaveCache()
	}
	return b
}

func (b *buffer) enterCache() {
	cache.ages.push(b, byAge)
	cache.classes[b.class].idle.push(b, byClass)
	memory.cached += b.size
}

func (b *buffer) leaveCache() {
	cache.ages.remove(b, byAge)
	cache.classes[b.class].idle.remove(b, byClass)
	memory.cached -= b.size
}

// giveWay makes idle memory pay for memory that must be fresh, the least recently used first, so that what the process
// holds does not grow while there is more of it than room.
func giveWay(class, size int) {
	// Longer ago than four times of what there is, the size would not have been kept in any case.
	if c := &cache.classes[class]; c.gone > 0 && cache.evicted-c.when <= 4*(memory.active+memory.cached) {
		c.gone--
		cache.room = min(cache.room+size, memory.cacheLimit)
	} else {
		c.gone = 0
		cache.room = max(cache.room-size, minRoom)
	}
	if memory.cached <= cache.room {
		cache.owed = 0
		return
	}
	cache.owed += size
	for b := cache.ages.oldest; memory.cached > cache.room && b.size <= cache.owed; b = cache.ages.oldest {
		cache.owed -= b.size
		cache.evicted += b.size
		cache.classes[b.class].gone++
		cache.classes[b.class].when = cache.evicted
		b.leaveCache()
		host().Free(b.ptr, b.size)
	}
}

// shrinkCache returns idle memory to the device until at most n bytes of it are kept.
func shrinkCache(n int) {
	for memory.cached > n {
		b := cache.ages.oldest
		b.leaveCache()
		host().Free(b.ptr, b.size)
	}
}
