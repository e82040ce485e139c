/* Functions that are recorded while they run, and the scripts that come of it: core/record.go. */
#include "transform.h"

PER_THREAD uint16_t thread_recorder = 0;

#define SCRIPT "mlx_go.script"

static int64_t script_number(PyObject *capsule) { return (int64_t)(intptr_t)PyCapsule_GetPointer(capsule, SCRIPT); }

/* The number of the script and the arrays of (script, arrays), which the caller drops; 0 with an exception. */
static int64_t script_and_arrays(PyObject *const *args, handles *h) {
	int64_t script = script_number(args[0]);
	return script && gather(h, args + 1, 1) == 0 ? script : 0;
}

static void free_script(PyObject *capsule) {
	if (!forked) goScriptFree(script_number(capsule));
}

/*
 * _recorded(placeholders, function) -> (what the function gives, script): the function is called without arguments, and
 * gives a tuple whose first item is the list of results of the script. None: it cannot be played.
 */
FUNCTION(recorded, 2, "_recorded(placeholders, function)")
	GUARD(NULL);
	handles h;
	if (gather(&h, args, 1) < 0) return NULL;
	uint16_t outer = thread_recorder, number = goRecord(h.ids, h.counts[0], CALLER);
	drop(&h);
	if (!number) return NULL;
	thread_recorder = number;
	PyObject *gave = PyObject_CallFunctionObjArgs(args[1], NULL), *leaves = NULL;
	thread_recorder = outer;
	if (forked) {
		Py_XDECREF(gave);
		if (!PyErr_Occurred()) fork_error();
		return NULL;
	}
	h = (handles){.ids = h.few};
	int ok = gave && PyTuple_Check(gave) && (leaves = PyTuple_GetItem(gave, 0)) && gather(&h, &leaves, 1) == 0;
	int64_t script = goRecorded(number, h.ids, ok ? h.counts[0] : 0);
	drop(&h);
	PyObject *capsule = NULL;
	if (ok && script == 0) capsule = Py_NewRef(Py_None);
	else if (ok && script > 0) capsule = PyCapsule_New((void *)(intptr_t)script, SCRIPT, free_script);
	if (!capsule && script > 0) goScriptFree(script);
	PyObject *both = capsule ? PyTuple_Pack(2, gave, capsule) : NULL;
	Py_XDECREF(capsule);
	Py_XDECREF(gave);
	return both;
}

/* _script_play(script, arrays) -> results, or None where the script does not fit the arrays */
FUNCTION(script_play, 2, "_script_play(script, arrays)")
	GUARD(NULL);
	handles h;
	int64_t script = script_and_arrays(args, &h);
	if (!script) return NULL;
	capi_ids out = {0};
	int r = goPlay(script, h.ids, h.counts[0], &out, CALLER);
	drop(&h);
	return r < 0 ? NULL : r ? wrap_many(&out, RETURN_LIST) : Py_NewRef(Py_None);
}

/* _same_shape(a, b) -> whether two arrays have the same shape, of which a recorded function sees no more */
FUNCTION(same_shape, 2, "_same_shape(a, b)")
	GUARD(NULL);
	int64_t a[CAPI_MAXDIM], b[CAPI_MAXDIM];
	if (!is_array(args[0]) || !is_array(args[1])) { /* NumPy's */
		PyObject *x = PyObject_GetAttrString(args[0], "shape");
		PyObject *y = x ? PyObject_GetAttrString(args[1], "shape") : NULL;
		PyObject *same = y ? PyObject_RichCompare(x, y, Py_EQ) : NULL;
		Py_XDECREF(x);
		Py_XDECREF(y);
		return same;
	}
	if (thread_recorder) goNote(SEEN_SAME, ID(args[0]), ID(args[1]), CALLER);
	int rank = array_shape(args[0], a), other = array_shape(args[1], b);
	if (rank < 0 || other < 0) return NULL;
	return PyBool_FromLong(rank == other && memcmp(a, b, rank * sizeof *a) == 0);
}

/* _script_trace(script, arrays) -> a trace for arguments like these, or None where the script does not fit them */
FUNCTION(script_trace, 2, "_script_trace(script, arrays)")
	GUARD(NULL);
	handles h;
	int64_t script = script_and_arrays(args, &h);
	if (!script) return NULL;
	int64_t t = goPlayTrace(script, h.ids, h.counts[0], tracing, CALLER);
	drop(&h);
	if (t < 0) return NULL;
	if (t == 0) return Py_NewRef(Py_None);
	return trace_capsule(t);
}

/* _is_empty(array) -> whether it has no elements, of which a recorded function sees no more */
FUNCTION(is_empty, 1, "_is_empty(array)")
	GUARD(NULL);
	if (!is_array(args[0])) return need(0, 1, "expected an array"), NULL;
	NOTE(SEEN_EMPTY, args[0]);
	int64_t size = array_size(args[0]);
	return size < 0 ? NULL : PyBool_FromLong(size == 0);
}

/* ---- files ---- */

/* _script_call(script, arrays) -> results; an exception says why the script does not fit the arrays. */
FUNCTION(script_call, 2, "_script_call(script, arrays)")
	GUARD(NULL);
	handles h;
	int64_t script = script_and_arrays(args, &h);
	if (!script) return NULL;
	capi_ids out = {0};
	int failed = goScriptCall(script, h.ids, h.counts[0], &out, CALLER);
	drop(&h);
	return failed ? NULL : wrap_many(&out, RETURN_LIST);
}

/* (text, arrays) of what Go gives; frees the text. */
static PyObject *text_and_arrays(char *text, capi_ids *out) {
	if (!text) return NULL;
	PyObject *arrays = wrap_many(out, RETURN_LIST);
	PyObject *s = arrays ? PyUnicode_DecodeUTF8(text, strlen(text), "strict") : NULL;
	free(text);
	PyObject *both = s ? PyTuple_Pack(2, s, arrays) : NULL;
	Py_XDECREF(s);
	Py_XDECREF(arrays);
	return both;
}

/* _script_text(script) -> its text, and its constants */
FUNCTION(script_text, 1, "_script_text(script)")
	GUARD(NULL);
	int64_t script = script_number(args[0]);
	capi_ids out = {0};
	return script ? text_and_arrays(goScriptText(script, &out), &out) : NULL;
}

/* _script_inputs(script) -> text that describes its arguments */
FUNCTION(script_inputs, 1, "_script_inputs(script)")
	GUARD(NULL);
	int64_t script = script_number(args[0]);
	char *text = script ? goScriptInputs(script) : NULL;
	PyObject *s = text ? PyUnicode_DecodeUTF8(text, strlen(text), "strict") : NULL;
	free(text);
	return s;
}

/* _script_read(text, constants) -> the script */
FUNCTION(script_read, 2, "_script_read(text, constants)")
	GUARD(NULL);
	handles h;
	Py_ssize_t size = 0;
	const char *text = PyUnicode_AsUTF8AndSize(args[0], &size);
	if (!text || gather(&h, args + 1, 1) < 0) return NULL;
	int64_t script = goScriptRead((char *)text, size, h.ids, h.counts[0]);
	drop(&h);
	if (script < 0) return NULL;
	PyObject *capsule = PyCapsule_New((void *)(intptr_t)script, SCRIPT, free_script);
	if (!capsule) goScriptFree(script);
	return capsule;
}

/* _graph_text(outputs, named) -> the text that describes the graph, and the arrays that are computed from nothing */
FUNCTION(graph_text, 2, "_graph_text(outputs, named)")
	GUARD(NULL);
	handles h;
	if (gather(&h, args, 2) < 0) return NULL;
	capi_ids out = {0};
	char *text = goGraphText(h.ids, h.counts, &out);
	drop(&h);
	return text_and_arrays(text, &out);
}

/* _node(array) -> a number that two arrays have in common if they are the same node, for as long as they are held */
FUNCTION(node, 1, "_node(array)")
	if (!is_array(args[0])) return need(0, 1, "expected an array"), NULL;
	return PyLong_FromLong(ID(args[0]));
}

PyMethodDef script_methods[] = {
	ENTRY(recorded), ENTRY(script_play), ENTRY(script_trace), ENTRY(same_shape), ENTRY(is_empty), ENTRY(script_call),
	ENTRY(script_text), ENTRY(script_inputs), ENTRY(script_read), ENTRY(graph_text), ENTRY(node),
	{NULL, NULL, 0, NULL}};
