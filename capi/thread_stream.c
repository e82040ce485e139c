/*
 * The streams that a thread's operations run on: default streams, of which each thread has its own, streams that a
 * ThreadLocalStream stands for, and contexts. What is current is a variable of the thread, which operations only read.
 */
#include "internal.h"
#include <pthread.h>

/* ---- numbers ---- */

/*
 * Streams that somebody knows of: Python objects, threads whose defaults they are, contexts. A stream that nobody knows
 * any more is the next that is asked for on its device, since numbers are few: a server may make one for every request.
 * Holds are given up by ending threads without the GIL; the rest is guarded by it.
 */
enum { NUMBERS = 1 << 16 };
static struct { int32_t holds, place; } known[NUMBERS];
static int known_count = 1; /* 0 is the host's default, for good */
static int unheld = 0;      /* how many of them nobody knows */

void hold_stream(uint16_t number) {
	if (number && __atomic_add_fetch(&known[number].holds, 1, __ATOMIC_RELAXED) == 1)
		__atomic_sub_fetch(&unheld, 1, __ATOMIC_RELAXED);
}

void release_stream(uint16_t number) {
	if (number && __atomic_sub_fetch(&known[number].holds, 1, __ATOMIC_RELEASE) == 0)
		__atomic_add_fetch(&unheld, 1, __ATOMIC_RELAXED);
}

int64_t add_stream(int place, int own) {
	for (int n = 1; n < known_count && __atomic_load_n(&unheld, __ATOMIC_RELAXED) > 0; n++)
		if (known[n].place == place && __atomic_load_n(&known[n].holds, __ATOMIC_ACQUIRE) == 0) {
			hold_stream(n);
			goRenewStream(n, own);
			return n;
		}
	int64_t n = goNewStream(place, own);
	if (n < 0) return -1;
	known_count = (int)n + 1;
	known[n].place = place;
	known[n].holds = 1;
	return n;
}

int64_t find_stream(int place, int64_t index) {
	for (int n = 0; n < known_count; n++)
		if ((n == 0 || known[n].holds) && known[n].place == place && goStreamNames(n).index == index) return n;
	return -1;
}

/* ---- what a thread has of its own ---- */

/* A default stream, with its device's place as key, or what a ThreadLocalStream stands for, with -1 - its index. */
typedef struct {
	int64_t key;
	uint16_t number, first; /* first is what it was before anybody chose another one */
} own_stream;

/* A context: the device that operations run on, and a stream that is the default of its device meanwhile. */
typedef struct {
	void *owner;
	int place, of;
	uint16_t number;
} context;

typedef struct {
	own_stream *streams;
	context *contexts;
	int streams_n, streams_cap, contexts_n, contexts_cap;
} thread_state;

PER_THREAD uint16_t thread_stream = 0;
static PER_THREAD thread_state *mine = NULL;
static int all_place = -1; /* of the default device of threads that are in no context */

static void end_thread(void *state) {
	thread_state *t = state;
	mine = NULL;
	for (int i = 0; i < t->streams_n; i++) {
		release_stream(t->streams[i].number);
		release_stream(t->streams[i].first);
	}
	for (int i = 0; i < t->contexts_n; i++) release_stream(t->contexts[i].number);
	free(t->streams);
	free(t->contexts);
	free(t);
}

/* NULL if there is no memory. */
static thread_state *state(void) {
	static pthread_key_t key;
	static int made = 0;
	if (mine) return mine;
	if (!made && pthread_key_create(&key, end_thread) != 0) return NULL;
	int first = !made;
	made = 1;
	thread_state *t = calloc(1, sizeof *t);
	if (t && pthread_setspecific(key, t) != 0) {
		free(t);
		t = NULL;
	}
	if (!t) return NULL;
	mine = t;
	if (first && (t->streams = calloc(4, sizeof *t->streams))) { /* the thread that imports has the first stream */
		t->streams_cap = 4;
		t->streams_n = 1;
	}
	return t;
}

static own_stream *find(thread_state *t, int64_t key) {
	for (int i = 0; i < t->streams_n; i++)
		if (t->streams[i].key == key) return &t->streams[i];
	return NULL;
}

/* Room for one more in a list of the thread's state; -1 with an exception. */
static int grow(void **list, int n, int *cap, size_t size) {
	if (n < *cap) return 0;
	void *grown = realloc(*list, (2 * (size_t)*cap + 4) * size);
	if (!grown) {
		PyErr_NoMemory();
		return -1;
	}
	*list = grown;
	*cap = 2 * *cap + 4;
	return 0;
}

/* The thread's own stream with that key, made on the device if it is new; NULL with an exception. */
static own_stream *own_stream_of(int64_t key, int place) {
	thread_state *t = state();
	if (!t) {
		PyErr_NoMemory();
		return NULL;
	}
	own_stream *s = find(t, key);
	if (s) return s;
	if (grow((void **)&t->streams, t->streams_n, &t->streams_cap, sizeof *t->streams) < 0) return NULL;
	int64_t n = add_stream(place, key < 0);
	if (n < 0) return NULL;
	hold_stream((uint16_t)n); /* as number and as first */
	s = &t->streams[t->streams_n++];
	*s = (own_stream){key, (uint16_t)n, (uint16_t)n};
	return s;
}

/* The innermost context that the thread is in; with of >= 0, of those with a stream of that device. */
static context *innermost(int of) {
	for (int i = mine ? mine->contexts_n : 0; i-- > 0;)
		if (of < 0 || mine->contexts[i].of == of) return &mine->contexts[i];
	return NULL;
}

/* ---- defaults ---- */

int device_place(int kind, int64_t index) {
	enum { FEW = 8 };
	static int places[DEVICE_TYPES][FEW]; /* +1 */
	if ((uint64_t)index < FEW && places[kind][index]) return places[kind][index] - 1;
	int place = goDevicePlace(kind, index);
	if (place >= 0 && (uint64_t)index < FEW) places[kind][index] = place + 1;
	return place;
}

int default_place(void) {
	context *c = innermost(-1);
	if (c) return c->place;
	if (all_place < 0) all_place = goDefaultPlace();
	return all_place;
}

void set_default_place(int place) {
	context *c = innermost(-1);
	if (c) {
		c->place = place;
	} else {
		all_place = place;
		meetings++; /* the other threads */
	}
	settle_thread();
}

int64_t default_on(int place) {
	context *c = innermost(place);
	if (c) return c->number;
	own_stream *s = own_stream_of(place, place);
	return s ? s->number : -1;
}

int set_default_on(int place, uint16_t number) {
	context *c = innermost(place);
	own_stream *s = c ? NULL : own_stream_of(place, place);
	if (!c && !s) return -1;
	uint16_t *to = c ? &c->number : &s->number, old = *to;
	hold_stream(number);
	*to = number;
	release_stream(old);
	settle_thread();
	return 0;
}

int64_t local_stream(int place, int64_t local) {
	own_stream *s = own_stream_of(-1 - local, place);
	return s ? s->number : -1;
}

void forget_locals(void) {
	int kept = 0;
	for (int i = 0; mine && i < mine->streams_n; i++) {
		own_stream s = mine->streams[i];
		if (s.key >= 0) {
			mine->streams[kept++] = s;
			continue;
		}
		release_stream(s.number);
		release_stream(s.first);
	}
	if (mine) mine->streams_n = kept;
}

void settle_thread(void) {
	PyObject *type, *value, *trace;
	PyErr_Fetch(&type, &value, &trace); /* arrays die, and threads meet Go, with exceptions on their way */
	int64_t n = default_on(default_place());
	thread_stream = n < 0 ? 0 : (uint16_t)n; /* no memory, or no number is left: it shares the host's default */
	PyErr_Restore(type, value, trace);
}

/* ---- contexts ---- */

int enter_stream(void *owner, int place, uint16_t number) {
	thread_state *t = state();
	if (!t) {
		PyErr_NoMemory();
		return -1;
	}
	if (grow((void **)&t->contexts, t->contexts_n, &t->contexts_cap, sizeof *t->contexts) < 0) return -1;
	hold_stream(number);
	t->contexts[t->contexts_n++] = (context){owner, place, place, number};
	settle_thread();
	return 0;
}

int exit_stream(void *owner) {
	int i = mine ? mine->contexts_n : 0;
	while (i > 0 && mine->contexts[i - 1].owner != owner) i--; /* coroutines leave in any order */
	if (i == 0) return -1;
	release_stream(mine->contexts[i - 1].number);
	memmove(&mine->contexts[i - 1], &mine->contexts[i], (mine->contexts_n - i) * sizeof *mine->contexts);
	mine->contexts_n--;
	settle_thread();
	return 0;
}

int64_t stream_key(void) {
	int place = default_place();
	own_stream *s = mine ? find(mine, place) : NULL;
	/* A graph runs on each thread's own default stream: Trace.Call in core. */
	return s && s->first == thread_stream ? -(int64_t)place : (int64_t)thread_stream + 1;
}
