/* What a compiled function's graph depends on besides the values of arrays, as a hashable key. */
#include "tree.h"

/*
 * One key being made. Arrays are listed, and stand for their shape and dtype. seen, for captured state, says which
 * arrays were listed before: there each is listed once. Where any is set, leaves may be any objects. Where ranks is
 * set, arrays stand for their rank and dtype alone.
 */
typedef struct {
	PyObject *arrays, *seen;
	int any, ranks;
} keying;

static PyObject *key_of(keying *k, PyObject *o);

static PyObject *key_of_array(keying *k, PyObject *o) {
	if (k->seen) {
		PyObject *number = PyDict_GetItemWithError(k->seen, o);
		if (number || PyErr_Occurred()) return Py_XNewRef(number);
		if (!(number = PyLong_FromSsize_t(PyList_Size(k->arrays)))) return NULL;
		int r = PyDict_SetItem(k->seen, o, number);
		Py_DECREF(number);
		if (r < 0) return NULL;
	}
	int64_t shape[CAPI_MAXDIM + 1];
	int n = array_shape(o, shape);
	if (n < 0 || PyList_Append(k->arrays, o) < 0) return NULL;
	if (k->ranks) shape[0] = n, n = 1;
	shape[n] = array_dtype(o);
	/* Bytes, so that no Python constant equals it by chance: constants never are. */
	return PyBytes_FromStringAndSize((char *)shape, (n + 1) * sizeof *shape);
}

/* An object that equals only itself: Python compares built-in methods by the object that they are bound to. */
static PyObject *identity(PyObject *o) {
	static PyMethodDef same = {"same", NULL, METH_NOARGS, NULL};
	return PyCFunction_NewEx(&same, o, NULL);
}

/* The key of what is no tree and no array; NULL without an exception if it is no constant. */
static PyObject *key_of_constant(PyObject *o) {
	/* 0.0 equals -0.0, and no NaN another one; as bytes they are what the function sees. */
	if (PyFloat_Check(o) || PyComplex_Check(o)) {
		double parts[2] = {0, 0};
		if (PyFloat_Check(o)) parts[0] = PyFloat_AsDouble(o);
		else parts[0] = PyComplex_RealAsDouble(o), parts[1] = PyComplex_ImagAsDouble(o);
		PyObject *bytes = PyBytes_FromStringAndSize((char *)parts, sizeof parts);
		PyObject *key = bytes ? PyTuple_Pack(2, Py_TYPE(o), bytes) : NULL;
		Py_XDECREF(bytes);
		return key;
	}
	/* 1 and True are equal to each other but not to the function. */
	if (o == Py_None || PyBool_Check(o) || PyLong_Check(o) || PyUnicode_Check(o) || Py_TYPE(o) == Dtype_Type)
		return PyTuple_Pack(2, Py_TYPE(o), o);
	return NULL;
}

/* Any object as part of a key: constants by value, sets by what is in them now, others by identity. */
static PyObject *key_of_object(PyObject *o) {
	PyObject *key = key_of_constant(o);
	if (key || PyErr_Occurred()) return key;
	if (PySet_Check(o)) return PyFrozenSet_New(o);
	if (PyTuple_CheckExact(o) || PyList_CheckExact(o)) {
		PyObject *items = PyTuple_CheckExact(o) ? Py_NewRef(o) : PyList_AsTuple(o);
		Py_ssize_t n = items ? PyTuple_Size(items) : 0;
		if (items && (key = PyTuple_New(n)))
			for (Py_ssize_t i = 0; key && i < n; i++) {
				PyObject *x = key_of_object(PyTuple_GetItem(items, i));
				if (x) PyTuple_SetItem(key, i, x);
				else Py_CLEAR(key);
			}
		Py_XDECREF(items);
		return key;
	}
	return identity(o);
}

/* The attributes of a dict's object, of a module's: they choose what its methods compute. */
static PyObject *key_of_attributes(PyObject *o) {
	PyObject *vars = PyObject_GetAttrString(o, "__dict__");
	if (!vars) {
		PyErr_Clear();
		return Py_NewRef(Py_None);
	}
	Py_ssize_t n = PyDict_Check(vars) ? PyDict_Size(vars) : 0, i = 0, pos = 0;
	PyObject *key = PyTuple_New(2 * n), *name, *value;
	while (key && i < 2 * n && PyDict_Next(vars, &pos, &name, &value)) {
		PyObject *x = key_of_object(value);
		if (!x) Py_CLEAR(key);
		else {
			PyTuple_SetItem(key, i++, Py_NewRef(name));
			PyTuple_SetItem(key, i++, x);
		}
	}
	Py_DECREF(vars);
	return key;
}

static PyObject *key_in(keying *k, PyObject *o, int kind) {
	tree_walk w;
	if (tree_begin(&w, o, kind) < 0) return NULL;
	PyObject *parts = PyList_New(0), *child;
	int ok = parts && PyList_Append(parts, (PyObject *)Py_TYPE(o)) == 0;
	while (ok && (child = tree_next(&w))) {
		PyObject *x = kind == KIND_DICT && PyList_Append(parts, w.key) < 0 ? NULL : key_of(k, child);
		ok = x && PyList_Append(parts, x) == 0;
		Py_XDECREF(x);
	}
	if (ok && (kind == KIND_NODE || (kind == KIND_DICT && !PyDict_CheckExact(o)))) {
		PyObject *x = kind == KIND_NODE ? key_of_object(PyTuple_GetItem(w.parts, 1)) : key_of_attributes(o);
		ok = x && PyList_Append(parts, x) == 0;
		Py_XDECREF(x);
	}
	PyObject *key = ok ? PyList_AsTuple(parts) : NULL;
	Py_XDECREF(parts);
	tree_end(&w);
	return key;
}

static PyObject *key_of(keying *k, PyObject *o) {
	int kind = tree_kind(o);
	if (kind < 0) return NULL;
	if (kind != KIND_LEAF) {
		if (Py_EnterRecursiveCall(" in a tree of arrays")) return NULL;
		int module = tree_is_module(o);
		k->any += module;
		PyObject *key = key_in(k, o, kind);
		k->any -= module;
		Py_LeaveRecursiveCall();
		return key;
	}
	if (is_array(o)) return key_of_array(k, o);
	PyObject *key = key_of_constant(o);
	if (key || PyErr_Occurred()) return key;
	if (k->seen && tree_is_holder(o)) {
		PyObject *held = PyObject_CallMethod(o, "__mlx_tree__", NULL);
		key = held ? key_of_array(k, held) : NULL;
		Py_XDECREF(held);
		return key;
	}
	if (k->any) return key_of_object(o);
	PyErr_Format(PyExc_ValueError,
		"[compile] arguments must be trees of arrays or constants (numbers, strings, dtypes, None), not %R",
		(PyObject *)Py_TYPE(o));
	return NULL;
}

/*
 * _tree_key(tree, arrays, state, ranks) -> key; the arrays are appended to the list, those of captured state once each.
 * Where ranks is true, the key is the same for all arrays of the same ranks. None in a function that is recorded: what
 * is called there has no graph of its own.
 */
static PyObject *tree_key(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 4 || !PyList_Check(args[1])) {
		PyErr_SetString(PyExc_TypeError, "_tree_key(tree, arrays, state, ranks)");
		return NULL;
	}
	keying k = {args[1], NULL, args[2] == Py_True, args[3] == Py_True};
	if (k.any && !(k.seen = PyDict_New())) return NULL;
	PyObject *key = key_of(&k, args[0]);
	Py_XDECREF(k.seen);
	if (key && thread_recorder) {
		Py_DECREF(key);
		Py_RETURN_NONE;
	}
	int64_t where = key ? stream_key() : 0;
	if (where) { /* numbers alone are no keys of trees */
		PyObject *number = PyLong_FromLongLong(where), *both = number ? PyTuple_Pack(2, number, key) : NULL;
		Py_XDECREF(number);
		Py_DECREF(key);
		key = both;
	}
	return key;
}

PyMethodDef tree_key_methods[] = {
	{"_tree_key", (PyCFunction)(void *)tree_key, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
