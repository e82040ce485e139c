/* The extension's edges: fork, the queue of dead arrays, and errors on their way from Go to Python. */
#include "internal.h"
#include <errno.h>
#include <pthread.h>

volatile int forked = 0;

static void in_child(void) {
	forked = 1;
	meetings++; /* so that entries look */
}

int fork_error(void) {
	PyErr_SetString(PyExc_RuntimeError,
		"mlx_go: this process was forked from one that uses mlx_go, which does not survive fork(); use the 'spawn' or "
		"'forkserver' start method, for example multiprocessing.set_start_method(\"spawn\")");
	return -1;
}

/*
 * Dropping an array crosses into Go, which costs about as much as building one. Dead arrays are queued instead, guarded
 * by the GIL, and travel with the next crossing; large ones and long queues go at once, so that memory never waits.
 */
enum { QUEUE = 64 };
static uint32_t first_queue[QUEUE], queue_cap = QUEUE;
uint32_t *free_queue = first_queue;
uint32_t free_count = 0;
int deferring = 0;
static uint32_t queued_kb = 0;
enum { QUEUE_KB = 1024 };

void flush_frees(void) {
	if (deferring) return;
	queued_kb = 0;
	MEET();
	if (free_count) goRelease(CALLER);
}

void undefer(void) {
	if (--deferring == 0 && (free_count >= QUEUE || queued_kb >= QUEUE_KB)) flush_frees();
}

void queue_free(uint32_t id, uint32_t kb) {
	if (__builtin_expect(forked, 0)) return;
	if (free_count == 0) queued_kb = 0;
	if (free_count == queue_cap) { /* while nothing may be freed */
		uint32_t *grown = malloc(2 * queue_cap * sizeof *grown);
		if (!grown) return; /* better a leak than a crash */
		memcpy(grown, free_queue, free_count * sizeof *grown);
		if (free_queue != first_queue) free(free_queue);
		free_queue = grown;
		queue_cap *= 2;
	}
	free_queue[free_count++] = id;
	queued_kb += kb < QUEUE_KB ? kb : QUEUE_KB;
	if (free_count >= QUEUE || queued_kb >= QUEUE_KB) flush_frees();
}

void capi_raise(int kind, const char *msg, int64_t n) {
	static PyObject **const classes[] = {
		&PyExc_RuntimeError, &PyExc_ValueError, &PyExc_TypeError, &PyExc_IndexError, &AxisError,
		&PyExc_MemoryError, &PyExc_OSError, &PyExc_OverflowError, &PyExc_KeyboardInterrupt};
	PyObject *class = kind >= 0 && kind < (int)(sizeof classes / sizeof *classes) ? *classes[kind] : PyExc_RuntimeError;
	PyObject *text = PyUnicode_DecodeUTF8(msg, n, "replace");
	if (!text) return;
	PyErr_SetObject(class, text);
	Py_DECREF(text);
}

void capi_raise_os(int number, const char *path) {
	errno = number;
	PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
}

/*
 * Memory of Python objects that arrays view: the last array may die under Go's graph lock, on any thread, where Python
 * must not be called. The references wait here for the next moment at which any thread may run Python code, or for a
 * pending call, which only the main thread serves and not while it waits for another one.
 */
static struct {
	pthread_mutex_t lock;
	PyObject **objects;
	size_t cap;
	int scheduled;
} late = {PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0};
size_t late_count = 0; /* changed under the lock */

void give_back_now(void) {
	/* what is given back may run code that comes here: one loop per thread, not one inside another */
	static PER_THREAD int busy = 0;
	if (busy || forked) return;
	PyObject *type, *value, *trace;
	PyErr_Fetch(&type, &value, &trace);
	busy = 1;
	forget_dropped();
	for (;;) {
		pthread_mutex_lock(&late.lock);
		PyObject *o = late_count ? late.objects[late_count - 1] : NULL;
		if (o) __atomic_store_n(&late_count, late_count - 1, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&late.lock);
		if (!o) break;
		Py_DECREF(o);
		flush_frees(); /* it may have held arrays over foreign memory itself */
	}
	busy = 0;
	PyErr_Restore(type, value, trace);
}

static int drop_late(void *unused) {
	(void)unused;
	if (forked) return 0;
	pthread_mutex_lock(&late.lock);
	late.scheduled = 0;
	pthread_mutex_unlock(&late.lock);
	give_back_now();
	return 0;
}

static unsigned long signal_looks;

int look_for_signals(void) {
	signal_looks++;
	return PyErr_CheckSignals();
}

PyObject *looks_for_signals(PyObject *module, PyObject *unused) {
	(void)module, (void)unused;
	return PyLong_FromUnsignedLong(signal_looks);
}

int copy_bytes(void *to, const void *from, int64_t n) {
	for (int64_t i = 0; i < n; i += POLL_BYTES) {
		if (i && look_for_signals() < 0) return -1;
		memcpy((char *)to + i, (const char *)from + i, n - i < POLL_BYTES ? n - i : POLL_BYTES);
	}
	return 0;
}

void capi_decref_later(void *object) {
	if (!Py_IsInitialized()) return; /* an evaluation outlived the interpreter */
	pthread_mutex_lock(&late.lock);
	if (late_count == late.cap) {
		size_t cap = late.cap ? 2 * late.cap : 16;
		PyObject **grown = realloc(late.objects, cap * sizeof *grown);
		if (!grown) { /* better a leak than a crash */
			pthread_mutex_unlock(&late.lock);
			return;
		}
		late.objects = grown;
		late.cap = cap;
	}
	late.objects[late_count] = object;
	__atomic_store_n(&late_count, late_count + 1, __ATOMIC_RELAXED);
	/* A full queue of pending calls refuses: the next object to come tries again. */
	if (!late.scheduled) late.scheduled = Py_AddPendingCall(drop_late, NULL) == 0;
	pthread_mutex_unlock(&late.lock);
}

void init_guard(void) {
	static int done = 0;
	if (!done) pthread_atfork(NULL, NULL, in_child);
	done = 1;
}
