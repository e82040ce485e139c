/* Graph transforms on lists of arrays; python/mlx_go/_transforms.py puts functions and trees around them. */
#include "transform.h"

static int gather_some(handles *h, PyObject *const *lists, int n, int none) {
	int64_t total = 0;
	h->ids = h->few;
	h->lists = n;
	for (int i = 0; i < n; i++) {
		if (!PyList_Check(lists[i])) {
			PyErr_SetString(PyExc_TypeError, "expected lists of arrays");
			return -1;
		}
		total += h->counts[i] = PyList_Size(lists[i]);
	}
	if (total > (int64_t)(sizeof h->few / sizeof *h->few) && !(h->ids = malloc(total * sizeof *h->ids))) {
		h->ids = h->few;
		PyErr_NoMemory();
		return -1;
	}
	uint32_t *at = h->ids;
	for (int i = 0; i < n; i++)
		for (int64_t k = 0; k < h->counts[i]; k++) {
			PyObject *a = PyList_GetItem(lists[i], k);
			if (!a || !(is_array(a) || (none && a == Py_None))) {
				PyErr_SetString(PyExc_TypeError, "expected lists of arrays");
				return -1;
			}
			*at++ = a == Py_None ? 0 : ID(a);
		}
	return 0;
}

int gather(handles *h, PyObject *const *lists, int n) { return gather_some(h, lists, n, 0); }

void drop(handles *h) {
	if (h->ids != h->few) free(h->ids);
}

/* The arguments of a rule. A handle of 0 is None. */
static PyObject *rule_lists(capi_ids *out, const capi_call *call) {
	const capi_handle *at = out->more ? out->more : out->few;
	PyObject *lists = PyList_New(0);
	for (int i = 0; i < 3 && call->counts[i] >= 0; i++) {
		PyObject *list = PyList_New(0);
		for (int64_t k = 0; k < call->counts[i]; k++) {
			capi_handle h = *at++;
			PyObject *x = h ? wrap(h) : Py_NewRef(Py_None);
			if (!x || !list || PyList_Append(list, x) < 0) Py_CLEAR(list);
			Py_XDECREF(x);
		}
		if (!list || !lists || PyList_Append(lists, list) < 0) Py_CLEAR(lists);
		Py_XDECREF(list);
	}
	free(out->more);
	out->more = NULL;
	return lists;
}

/* Calls the rule; its list of arrays and None, whose identifiers h then has. */
static PyObject *ask_rule(capi_ids *out, const capi_call *call, handles *h) {
	PyObject *rules = Py_NewRef((PyObject *)call->rules), *lists = rule_lists(out, call);
	PyObject *answer = lists ? PyObject_CallFunction(rules, "iiO", (int)call->which, (int)call->depth, lists) : NULL;
	Py_XDECREF(lists);
	Py_DECREF(rules);
	if (answer && gather_some(h, &answer, 1, 1) < 0) Py_CLEAR(answer);
	return answer;
}

/* A walk that waits for rules goes on until it has its results. No Go code is on the stack while a rule runs. */
static PyObject *go_on(int64_t walk, capi_ids *out, capi_call *call) {
	while (walk > 0) {
		handles h = {.ids = h.few};
		PyObject *answer = ask_rule(out, call, &h);
		if (forked) { /* by the rule, and this is the child: Go has not survived it */
			Py_XDECREF(answer);
			drop(&h);
			if (!PyErr_Occurred()) fork_error();
			return NULL;
		}
		if (!answer) {
			goEndWalk(walk);
			drop(&h);
			return NULL;
		}
		*out = (capi_ids){0};
		walk = goAnswer(walk, h.ids, h.counts[0], out, call, CALLER);
		Py_DECREF(answer);
		drop(&h);
	}
	return walk < 0 ? NULL : wrap_many(out, RETURN_LIST);
}

static PyObject *run(int op, PyObject *const *lists, int n, const int64_t *axes, int64_t number) {
	GUARD(NULL);
	handles h;
	PyObject *result = NULL;
	if (gather(&h, lists, n) == 0) {
		capi_ids out = {0};
		capi_call call;
		int64_t r = goTransform(op, h.ids, h.counts, n, (int64_t *)axes, number, &out, &call, CALLER);
		if (r >= 0) result = op == TRANSFORM_TRACE ? PyLong_FromLongLong(r) : go_on(r, &out, &call);
	}
	drop(&h);
	return result;
}

int need(Py_ssize_t have, int want, const char *what) {
	if (have == want) return 0;
	PyErr_SetString(PyExc_TypeError, what);
	return -1;
}

/* The transform that the thread is in, the innermost. */
PER_THREAD uint64_t tracing = 0;

/* In C, so that no signal comes between the brackets and the call. */
FUNCTION(traced, 1, "_traced(function)")
	GUARD(NULL);
	uint64_t outer = tracing, began = tracing = goBeginTrace(CALLER);
	PyObject *r = PyObject_CallFunctionObjArgs(args[0], NULL);
	tracing = outer;
	if (!forked) goEndTrace(began, CALLER);
	return r;
}

/*
 * Other objects of the same nodes: those that a function gets may be updated in place, and a transform still has its
 * own.
 */
FUNCTION(copies, 1, "_copies(arrays)")
	return run(TRANSFORM_COPIES, args, 1, NULL, 0);
}

FUNCTION(tracers, 1, "_tracers(arrays)")
	return run(TRANSFORM_TRACERS, args, 1, NULL, (int64_t)tracing);
}

FUNCTION(placeholders, 1, "_placeholders(arrays)")
	return run(TRANSFORM_PLACEHOLDERS, args, 1, NULL, (int64_t)tracing);
}

FUNCTION(vjp, 3, "_vjp(outputs, inputs, cotangents)")
	return run(TRANSFORM_VJP, args, 3, NULL, 0);
}

FUNCTION(grad, 2, "_grad(outputs, inputs)")
	return run(TRANSFORM_GRAD, args, 2, NULL, 0);
}

FUNCTION(jvp, 3, "_jvp(outputs, inputs, tangents)")
	return run(TRANSFORM_JVP, args, 3, NULL, 0);
}

/* A kept graph goes with the capsule that names it. */
#define TRACE "mlx_go.trace"

static void free_trace(PyObject *capsule) {
	if (!forked) goTraceFree((int64_t)(intptr_t)PyCapsule_GetPointer(capsule, TRACE));
}

PyObject *trace_capsule(int64_t number) {
	PyObject *capsule = PyCapsule_New((void *)(intptr_t)number, TRACE, free_trace);
	if (!capsule) goTraceFree(number);
	return capsule;
}

FUNCTION(trace_new, 2, "_trace_new(inputs, outputs)")
	PyObject *number = run(TRANSFORM_TRACE, args, 2, NULL, 0);
	if (!number) return NULL;
	int64_t t = PyLong_AsLongLong(number);
	Py_DECREF(number);
	return trace_capsule(t);
}

FUNCTION(trace_call, 2, "_trace_call(trace, inputs)")
	void *t = PyCapsule_GetPointer(args[0], TRACE);
	return t ? run(TRANSFORM_CALL, args + 1, 1, NULL, (int64_t)(intptr_t)t) : NULL;
}

FUNCTION(born, 0, "_born()")
	GUARD(NULL);
	(void)args;
	return PyLong_FromLongLong(goBorn(CALLER));
}

FUNCTION(checkpoint, 2, "_checkpoint(outputs, born)")
	int64_t since = PyLong_AsLongLong(args[1]);
	if (since == -1 && PyErr_Occurred()) return NULL;
	return run(TRANSFORM_CHECKPOINT, args, 1, NULL, since);
}

FUNCTION(custom, 4, "_custom(arguments, values, rules, mask)")
	GUARD(NULL);
	long mask = PyLong_AsLong(args[3]);
	if (mask == -1 && PyErr_Occurred()) return NULL;
	handles h;
	PyObject *result = NULL;
	if (gather(&h, args, 2) == 0) {
		capi_ids out = {0};
		int failed = goCustom(h.ids, h.counts, Py_NewRef(args[2]), (int)mask, &out, CALLER);
		if (!failed) result = wrap_many(&out, RETURN_LIST);
	}
	drop(&h);
	return result;
}

/* Axes are integers or None for arrays that are not mapped. */
static int64_t *read_axes(PyObject *list, int64_t *at) {
	for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
		PyObject *x = PyList_GetItem(list, i);
		*at = x == Py_None ? CAPI_NO_AXIS : PyLong_AsLongLong(x);
		if (*at++ == -1 && PyErr_Occurred()) return NULL;
	}
	return at;
}

FUNCTION(vmap_inputs, 2, "_vmap_inputs(inputs, axes)")
	if (!PyList_Check(args[0]) || !PyList_Check(args[1]) || PyList_Size(args[0]) != PyList_Size(args[1]))
		return need(0, 1, "one axis per input"), NULL;
	int64_t *axes = malloc((PyList_Size(args[1]) + 1) * sizeof *axes);
	if (!axes) return PyErr_NoMemory();
	PyObject *r = read_axes(args[1], axes) ? run(TRANSFORM_VMAP_IN, args, 1, axes, (int64_t)tracing) : NULL;
	free(axes);
	return r;
}

FUNCTION(vmap_outputs, 5, "_vmap_outputs(inputs, placeholders, axes, outputs, out_axes)")
	for (int i = 0; i < 5; i++)
		if (!PyList_Check(args[i])) return need(0, 1, "expected lists"), NULL;
	if (PyList_Size(args[0]) != PyList_Size(args[2]) || PyList_Size(args[3]) != PyList_Size(args[4]))
		return need(0, 1, "one axis per array"), NULL;
	int64_t *axes = malloc((PyList_Size(args[2]) + PyList_Size(args[4]) + 1) * sizeof *axes), *at;
	if (!axes) return PyErr_NoMemory();
	PyObject *lists[3] = {args[0], args[1], args[3]};
	int known = (at = read_axes(args[2], axes)) && read_axes(args[4], at);
	PyObject *r = known ? run(TRANSFORM_VMAP_OUT, lists, 3, axes, 0) : NULL;
	free(axes);
	return r;
}

PyMethodDef transform_methods[] = {
	ENTRY(traced), ENTRY(born), ENTRY(checkpoint), ENTRY(custom), ENTRY(copies), ENTRY(tracers), ENTRY(placeholders),
	ENTRY(vjp), ENTRY(grad), ENTRY(jvp), ENTRY(trace_new), ENTRY(trace_call), ENTRY(vmap_inputs),
	ENTRY(vmap_outputs), {NULL, NULL, 0, NULL}};
