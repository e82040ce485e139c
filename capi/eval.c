/* Waiting for evaluations with the GIL released, and giving up on Ctrl-C. */
#include "tree.h"
#include "../internal/park/park.h"

/*
 * Changes as often as a job ends; and the threads that wait for it. They wait in C: within Go they would keep others
 * from entering.
 */
uint32_t jobs_ended, jobs_waiting;

int job_over(uint32_t job, int ms) {
	uint32_t seen = __atomic_load_n(&jobs_ended, __ATOMIC_SEQ_CST);
	if (goJobOver(job)) return 1;
	Py_BEGIN_ALLOW_THREADS
	__atomic_add_fetch(&jobs_waiting, 1, __ATOMIC_SEQ_CST);
	mlx_go_park_wait(&jobs_ended, seen, (int64_t)ms * 1000000);
	__atomic_sub_fetch(&jobs_waiting, 1, __ATOMIC_SEQ_CST);
	Py_END_ALLOW_THREADS
	return goJobOver(job);
}

int wait_job(int64_t number) {
	uint32_t job = (uint32_t)number;
	if (number & JOB_LENT) {
		Py_BEGIN_ALLOW_THREADS
		goJobHelp(job);
		Py_END_ALLOW_THREADS
	}
	while (!job_over(job, WAKE_MS))
		if (PyErr_CheckSignals() < 0) {
			/* The evaluation must be over before its inputs may change. */
			goJobCancel(job);
			while (!job_over(job, 1000)) {}
			goJobForget(job);
			return -1;
		}
	return goJobFinish(job);
}

/* Waits until all is computed; job is what goEval said first. */
static int ensure(const uint32_t *ids, Py_ssize_t n, int how, int64_t job) {
	for (; job > 0; job = goEval((uint32_t *)ids, n, how, CALLER))
		if (wait_job(job) < 0) return -1;
	return job < 0 ? -1 : 0;
}

int ensure_ready(const uint32_t *ids, Py_ssize_t n) {
	return n ? ensure(ids, n, EVAL_READ, goEval((uint32_t *)ids, n, EVAL_READ, CALLER)) : 0;
}

capi_handle evaluated(capi_handle h) {
	uint32_t id = (uint32_t)h;
	if (ensure_ready(&id, 1) == 0) return h;
	queue_free(id, (uint32_t)(h >> 32));
	return 0;
}

int ready_info(PyObject *array, capi_info *info) {
	uint32_t id = ID(array), held = 0; /* while the GIL is released another thread may give the object a new node */
	int64_t job;
	NOTE(SEEN_VALUE, array);
	while ((job = goInfo(id, info, CALLER)) > 0) {
		held++;
		if (wait_job(job) < 0) {
			job = -1;
			break;
		}
	}
	while (held-- > 0) queue_free(id, 0);
	return (int)job;
}

/* ---- trees of arrays ---- */

typedef struct {
	uint32_t few[64], *ids;
	Py_ssize_t n, cap;
} id_list;

static int add_id(id_list *l, uint32_t id) {
	if (l->n == l->cap) {
		Py_ssize_t cap = 2 * l->cap;
		uint32_t *grown = malloc(cap * sizeof *grown);
		if (!grown) {
			PyErr_NoMemory();
			return -1;
		}
		memcpy(grown, l->ids, l->n * sizeof *grown);
		if (l->ids != l->few) free(l->ids);
		l->ids = grown;
		l->cap = cap;
	}
	l->ids[l->n++] = id;
	return 0;
}

static int collect(PyObject *o, id_list *l);

static int collect_in(PyObject *o, id_list *l) {
	if (PyDict_Check(o)) {
		PyObject *k, *v;
		Py_ssize_t pos = 0;
		while (PyDict_Next(o, &pos, &k, &v))
			if (collect(v, l) < 0) return -1;
		return 0;
	}
	int list = PyList_Check(o);
	for (Py_ssize_t i = 0; i < (list ? PyList_Size(o) : PyTuple_Size(o)); i++)
		if (collect(list ? PyList_GetItem(o, i) : PyTuple_GetItem(o, i), l) < 0) return -1;
	return 0;
}

static int collect_node(PyObject *o, id_list *l) {
	tree_walk w;
	if (Py_EnterRecursiveCall(" in mlx_go.core.eval")) return -1;
	int r = tree_begin(&w, o, KIND_NODE);
	if (r == 0) {
		PyObject *child = tree_next(&w);
		r = child ? collect(child, l) : -1;
		tree_end(&w);
	}
	Py_LeaveRecursiveCall();
	return r;
}

static int collect(PyObject *o, id_list *l) {
	if (is_array(o)) return add_id(l, ID(o));
	PyTypeObject *t = Py_TYPE(o);
	if (o == Py_None || t == &PyLong_Type || t == &PyFloat_Type || t == &PyUnicode_Type || t == &PyBool_Type) return 0;
	PyObject *tree = NULL;
	int kind = tree_kind(o);
	if (kind == KIND_NODE) return collect_node(o, l);
	if (kind == KIND_LEAF) {
		/* Objects such as mx.random.state give their arrays by this method. */
		static PyObject *name;
		if (!name) name = PyUnicode_InternFromString("__mlx_tree__");
		if (!PyObject_HasAttr((PyObject *)t, name)) return 0;
		o = tree = PyObject_CallMethodObjArgs(o, name, NULL);
		if (!tree) return -1;
		if (is_array(tree)) {
			int r = add_id(l, ID(tree)); /* nothing is freed meanwhile: eval_all defers */
			Py_DECREF(tree);
			return r;
		}
	}
	int r = -1;
	if (!Py_EnterRecursiveCall(" in mlx_go.core.eval")) {
		if (PyDict_Check(o) || PyList_Check(o) || PyTuple_Check(o)) r = collect_in(o, l);
		else r = 0;
		Py_LeaveRecursiveCall();
	}
	Py_XDECREF(tree);
	return r;
}

static PyObject *eval_all(PyObject *const *args, Py_ssize_t n, int async) {
	GUARD(NULL);
	id_list l = {.ids = l.few, .n = 0, .cap = 64};
	int r = 0;
	deferring++; /* __mlx_tree__ may run any code, and give arrays that nobody else holds */
	for (Py_ssize_t i = 0; r == 0 && i < n; i++) r = collect(args[i], &l);
	if (r == 0 && l.n) {
		deferring--;
		int64_t job = goEvalAll(l.ids, l.n, async ? EVAL_ASYNC : EVAL_WAIT, CALLER);
		r = job < 0 ? -1 : 0;
		if (job > 0) { /* other threads may drop or replace the arrays while the GIL is released, but they are held */
			r = ensure(l.ids, l.n, EVAL_WAIT, job);
			goRelease(l.ids, l.n);
		}
	} else undefer();
	if (l.ids != l.few) free(l.ids);
	give_back();
	if (r < 0) return NULL;
	Py_RETURN_NONE;
}

static PyObject *eval(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	return eval_all(args, n, 0);
}

static PyObject *async_eval(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	return eval_all(args, n, 1);
}

static PyObject *synchronize(PyObject *module, PyObject *args, PyObject *kwargs) {
	(void)module;
	static char *names[] = {"stream", NULL};
	PyObject *stream = Py_None;
	GUARD(NULL);
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:synchronize", names, &stream)) return NULL;
	int64_t number = stream_number(stream, "synchronize");
	if (number < 0) return NULL;
	give_back();
	for (;;) {
		int64_t job = goPending(stream == Py_None, CALLER_ON(number));
		if (job < 0) return NULL; /* an asynchronous evaluation had failed */
		if (job == 0) Py_RETURN_NONE;
		if (wait_job(job) < 0) return NULL;
	}
}

/* At the end of the process. Whoever is impatient ends the wait by Ctrl-C. */
static PyObject *shut_down(PyObject *module, PyObject *unused) {
	(void)module, (void)unused;
	GUARD(NULL);
	if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) Py_RETURN_NONE; /* others go on */
	for (int64_t job; (job = goShutdown()) > 0;) {
		while (!job_over((uint32_t)job, WAKE_MS))
			if (PyErr_CheckSignals() < 0) {
				goJobCancel((uint32_t)job);
				return NULL;
			}
		goJobForget((uint32_t)job);
	}
	Py_RETURN_NONE;
}

PyMethodDef eval_methods[] = {
	{"eval", (PyCFunction)(void *)eval, METH_FASTCALL,
		"eval(*args)\n--\n\n"
		"Evaluate all arrays in the arguments: arrays, or trees of lists, tuples and dicts of them."},
	{"async_eval", (PyCFunction)(void *)async_eval, METH_FASTCALL,
		"async_eval(*args)\n--\n\n"
		"Start evaluating all arrays in the arguments and return; errors reach the next eval, item or synchronize."},
	{"synchronize", (PyCFunction)(void *)synchronize, METH_VARARGS | METH_KEYWORDS,
		"synchronize(stream=None)\n--\n\n"
		"Wait until everything that was started is in memory, and raise what went wrong."},
	{"_shut_down", shut_down, METH_NOARGS,
		"_shut_down()\n--\n\nWait for what devices were given, and give up the rest."},
	{NULL, NULL, 0, NULL}};
