/* Memory counters and the hooks that the Python side of the package installs. */
#include "facts.h"

static PyObject *memory(int op, PyObject *value) {
	GUARD(NULL);
	int64_t v = 0;
	if (value) {
		PyObject *i = PyNumber_Index(value);
		if (!i) return NULL;
		int overflow;
		v = PyLong_AsLongLongAndOverflow(i, &overflow);
		Py_DECREF(i);
		if (overflow > 0) v = INT64_MAX;
		if (v < 0 || overflow < 0) {
			if (!PyErr_Occurred())
				PyErr_SetString(PyExc_ValueError, "a memory limit is a number of bytes, not negative");
			return NULL;
		}
	}
	int64_t r = goMemory(op, v, CALLER);
	if (r < 0) return NULL;
	if (op == MEMORY_RESET_PEAK || op == MEMORY_CLEAR) Py_RETURN_NONE;
	return PyLong_FromLongLong(r);
}

#define READ(name, op)                                              \
	static PyObject *name(PyObject *module, PyObject *unused) {     \
		(void)module, (void)unused;                                 \
		return memory(op, NULL);                                    \
	}
#define WRITE(name, op)                                                                       \
	static PyObject *name(PyObject *module, PyObject *args, PyObject *kwargs) {               \
		(void)module;                                                                         \
		static char *names[] = {"limit", NULL};                                               \
		PyObject *limit;                                                                      \
		if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:" #name, names, &limit)) return NULL; \
		return memory(op, limit);                                                             \
	}
READ(get_active_memory, MEMORY_ACTIVE)
READ(get_peak_memory, MEMORY_PEAK)
READ(reset_peak_memory, MEMORY_RESET_PEAK)
READ(get_cache_memory, MEMORY_CACHE)
READ(get_memory_limit, MEMORY_LIMIT)
READ(clear_cache, MEMORY_CLEAR)
WRITE(set_memory_limit, MEMORY_SET_LIMIT)
WRITE(set_cache_limit, MEMORY_SET_CACHE_LIMIT)

/* _promote(dtype, dtype) */
static PyObject *promote(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 2 || Py_TYPE(args[0]) != Dtype_Type || Py_TYPE(args[1]) != Dtype_Type) {
		PyErr_SetString(PyExc_TypeError, "_promote(dtype, dtype)");
		return NULL;
	}
	return Py_NewRef(Dtypes[goPromote(dtype_of(args[0]), dtype_of(args[1]))]);
}

static PyObject *random_state(PyObject *module, PyObject *unused) {
	(void)module, (void)unused;
	GUARD(NULL);
	return wrap(goRandomState(CALLER));
}

static PyObject *set_random_state(PyObject *module, PyObject *key) {
	(void)module;
	GUARD(NULL);
	if (!is_array(key)) {
		PyErr_SetString(PyExc_TypeError, "the random state is an array");
		return NULL;
	}
	if (goSetRandomState(ID(key)) < 0) return NULL;
	Py_RETURN_NONE;
}

static PyObject *set_precision(PyObject *module, PyObject *digits) {
	(void)module;
	GUARD(NULL);
	int overflow;
	long long n = PyLong_AsLongLongAndOverflow(digits, &overflow);
	if (n == -1 && PyErr_Occurred()) return NULL;
	if (overflow || n != (int)n) {
		PyErr_SetString(PyExc_TypeError, "set_printoptions(): precision must fit 32 bits");
		return NULL;
	}
	goSetPrecision((int)n);
	Py_RETURN_NONE;
}

PyObject *copy_array(PyObject *a, int dtype) {
	int now = 0;
	capi_handle h = goCopy(ID(a), dtype, &now, CALLER);
	return wrap(h && now ? evaluated(h) : h);
}

/* _convert(value, dtype or None, copy or None, dlpack only): asarray and from_dlpack. */
static PyObject *convert(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 4) {
		PyErr_SetString(PyExc_TypeError, "_convert(value, dtype, copy, dlpack)");
		return NULL;
	}
	PyObject *o = args[0];
	if (args[1] != Py_None && Py_TYPE(args[1]) != Dtype_Type) {
		PyErr_Format(PyExc_TypeError, "asarray(): argument 'dtype' must be a Dtype or None, not %R", args[1]);
		return NULL;
	}
	int dtype = args[1] == Py_None ? -1 : dtype_of(args[1]), copy = args[2] == Py_None ? -1 : PyObject_IsTrue(args[2]);
	if (copy < 0 && PyErr_Occurred()) return NULL;
	if (PyObject_IsTrue(args[3])) {
		if (is_array(o)) return copy > 0 ? copy_array(o, -1) : wrap(goHold(ID(o)));
		if (!PyObject_HasAttrString(o, "__dlpack__")) {
			PyErr_Format(PyExc_TypeError, "[from_dlpack] %R has no __dlpack__ method", (PyObject *)Py_TYPE(o));
			return NULL;
		}
		return wrap(from_capsule(o, copy, dtype));
	}
	if (is_array(o)) {
		int own = array_dtype(o);
		if (copy == 0 && dtype >= 0 && dtype != own) {
			PyErr_SetString(PyExc_ValueError, "[asarray] another dtype needs a copy, which copy=False forbids");
			return NULL;
		}
		return copy > 0 || (dtype >= 0 && dtype != own) ? copy_array(o, dtype) : Py_NewRef(o);
	}
	if (copy == 0 && !array_like(o)) {
		PyErr_SetString(PyExc_ValueError,
			"[asarray] Python scalars and lists cannot be used without a copy; pass copy=None");
		return NULL;
	}
	if (!is_scalar(o) && array_like(o)) return wrap(from_array_like(o, dtype, copy));
	return wrap(to_array(o, dtype));
}

/* _einsum_path(subscripts, array, ...): the text of goEinsumPath. */
static PyObject *einsum_path(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	Py_ssize_t size;
	const char *subscripts = n < 1 || !PyUnicode_Check(args[0]) ? NULL : PyUnicode_AsUTF8AndSize(args[0], &size);
	int good = subscripts != NULL;
	for (Py_ssize_t i = 1; i < n; i++) good = good && is_array(args[i]);
	if (!good) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "_einsum_path(subscripts, array, ...)");
		return NULL;
	}
	uint32_t *ids = malloc((size_t)n * sizeof *ids);
	if (!ids) return PyErr_NoMemory();
	for (Py_ssize_t i = 1; i < n; i++) ids[i - 1] = ID(args[i]);
	char *path = goEinsumPath((char *)subscripts, size, ids, n - 1);
	free(ids);
	PyObject *text = path ? PyUnicode_FromString(path) : NULL;
	free(path);
	return text;
}

PyMethodDef system_methods[] = {
	{"get_active_memory", get_active_memory, METH_NOARGS,
		"get_active_memory()\n--\n\nBytes of memory that arrays hold."},
	{"get_peak_memory", get_peak_memory, METH_NOARGS,
		"get_peak_memory()\n--\n\nThe most bytes that arrays have held since the last :func:`reset_peak_memory`."},
	{"reset_peak_memory", reset_peak_memory, METH_NOARGS,
		"reset_peak_memory()\n--\n\nStart a new measurement of the peak."},
	{"get_cache_memory", get_cache_memory, METH_NOARGS,
		"get_cache_memory()\n--\n\nBytes of freed memory that are kept for reuse."},
	{"get_memory_limit", get_memory_limit, METH_NOARGS,
		"get_memory_limit()\n--\n\nBytes of memory that arrays may hold."},
	{"clear_cache", clear_cache, METH_NOARGS,
		"clear_cache()\n--\n\nReturn memory that is kept for reuse to the system."},
	{"set_memory_limit", (PyCFunction)(void *)set_memory_limit, METH_VARARGS | METH_KEYWORDS,
		"set_memory_limit(limit)\n--\n\n"
		"Bound the bytes that arrays may hold, beyond which allocating raises MemoryError; returns the old limit."},
	{"set_cache_limit", (PyCFunction)(void *)set_cache_limit, METH_VARARGS | METH_KEYWORDS,
		"set_cache_limit(limit)\n--\n\n"
		"Bound the bytes of freed memory that are kept for reuse; returns the old limit."},
	{"_looks_for_signals", looks_for_signals, METH_NOARGS, NULL},
	{"_set_precision", set_precision, METH_O, NULL},
	{"_promote", (PyCFunction)(void *)promote, METH_FASTCALL, NULL},
	{"_random_state", random_state, METH_NOARGS, NULL},
	{"_set_random_state", set_random_state, METH_O, NULL},
	{"_einsum_path", (PyCFunction)(void *)einsum_path, METH_FASTCALL, NULL},
	{"_convert", (PyCFunction)(void *)convert, METH_FASTCALL, NULL},
	{"_at_update", (PyCFunction)(void *)array_at_update, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
