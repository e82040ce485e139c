/* Trees of lists, tuples and dicts: flattened and rebuilt in C, since every training step does it. */
#include "facts.h"

/* What leaves may be. */
enum { LEAVES_ARRAYS /* else an error */, LEAVES_ONLY_ARRAYS /* others are skipped */, LEAVES_STATE /* and arrays behind __mlx_tree__ */ };

/* Objects such as mx.random.state hold an array and give it by this method. */
static int is_holder(PyObject *o) { return PyObject_HasAttrString((PyObject *)Py_TYPE(o), "__mlx_tree__"); }

/* Whether o may have arrays in it. */
static int is_tree(PyObject *o) {
	if (PyDict_Check(o) || PyList_Check(o) || PyTuple_Check(o)) return 1;
	return !(o == Py_None || PyBool_Check(o) || PyLong_Check(o) || PyFloat_Check(o) || PyUnicode_Check(o)) && is_holder(o);
}

static int flatten_in(PyObject *tree, PyObject *leaves, int mode, const char *op);

/* op is named where a leaf is no array. */
static int flatten(PyObject *tree, PyObject *leaves, int mode, const char *op) {
	if (is_array(tree)) return PyList_Append(leaves, tree);
	if (PyList_Check(tree) || PyTuple_Check(tree) || PyDict_Check(tree)) {
		if (Py_EnterRecursiveCall(" in a tree of arrays")) return -1;
		int r = flatten_in(tree, leaves, mode, op);
		Py_LeaveRecursiveCall();
		return r;
	}
	if (mode == LEAVES_STATE && is_holder(tree)) {
		PyObject *held = PyObject_CallMethod(tree, "__mlx_tree__", NULL);
		int r = held ? PyList_Append(leaves, held) : -1;
		Py_XDECREF(held);
		return r;
	}
	if (mode != LEAVES_ARRAYS) return 0;
	PyErr_Format(PyExc_ValueError, "[%s] expected arrays, or trees of them, not %R", op, (PyObject *)Py_TYPE(tree));
	return -1;
}

static int flatten_in(PyObject *tree, PyObject *leaves, int mode, const char *op) {
	if (PyDict_Check(tree)) {
		PyObject *k, *v;
		Py_ssize_t pos = 0;
		while (PyDict_Next(tree, &pos, &k, &v))
			if (flatten(v, leaves, mode, op) < 0) return -1;
		return 0;
	}
	int list = PyList_Check(tree);
	for (Py_ssize_t i = 0; i < (list ? PyList_Size(tree) : PyTuple_Size(tree)); i++)
		if (flatten(list ? PyList_GetItem(tree, i) : PyTuple_GetItem(tree, i), leaves, mode, op) < 0) return -1;
	return 0;
}

/* _tree_leaves(tree, mode), or _tree_leaves(tree, op) where all leaves must be arrays. */
static PyObject *tree_leaves(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 2) {
		PyErr_SetString(PyExc_TypeError, "_tree_leaves(tree, mode_or_op)");
		return NULL;
	}
	const char *op = NULL;
	int mode = LEAVES_ARRAYS;
	if (PyUnicode_Check(args[1])) op = PyUnicode_AsUTF8AndSize(args[1], NULL);
	else mode = (int)PyLong_AsLong(args[1]);
	if (PyErr_Occurred()) return NULL;
	PyObject *leaves = PyList_New(0);
	if (leaves && flatten(args[0], leaves, mode, op) < 0) Py_CLEAR(leaves);
	return leaves;
}

static PyObject *fill_in(PyObject *tree, PyObject *leaves, Py_ssize_t *at, int mode);

/* The tree again, new containers with the leaves taken in turn. Leaves that flatten skipped stay. */
static PyObject *fill(PyObject *tree, PyObject *leaves, Py_ssize_t *at, int mode) {
	if (!tree) return NULL; /* the list became shorter: the exception is set */
	if (PyList_Check(tree) || PyTuple_Check(tree) || PyDict_Check(tree)) {
		if (Py_EnterRecursiveCall(" in a tree of arrays")) return NULL;
		PyObject *r = fill_in(tree, leaves, at, mode);
		Py_LeaveRecursiveCall();
		return r;
	}
	if (mode == LEAVES_ONLY_ARRAYS && !is_array(tree)) return Py_NewRef(tree);
	PyObject *leaf = PyList_GetItem(leaves, (*at)++);
	if (!leaf) {
		PyErr_SetString(PyExc_ValueError, "[tree_unflatten] the trees differ: too few leaves");
		return NULL;
	}
	return Py_NewRef(leaf);
}

static PyObject *fill_in(PyObject *tree, PyObject *leaves, Py_ssize_t *at, int mode) {
	if (PyDict_Check(tree)) {
		PyObject *out = PyDict_New(), *k, *v;
		Py_ssize_t pos = 0;
		while (out && PyDict_Next(tree, &pos, &k, &v)) {
			Py_INCREF(k); /* its __hash__ may run any code */
			PyObject *x = fill(v, leaves, at, mode);
			if (!x || PyDict_SetItem(out, k, x) < 0) Py_CLEAR(out);
			Py_XDECREF(x);
			Py_DECREF(k);
		}
		return out;
	}
	int list = PyList_Check(tree);
	Py_ssize_t n = list ? PyList_Size(tree) : PyTuple_Size(tree);
	PyObject *out = list ? PyList_New(n) : PyTuple_New(n);
	for (Py_ssize_t i = 0; out && i < n; i++) {
		PyObject *x = fill(list ? PyList_GetItem(tree, i) : PyTuple_GetItem(tree, i), leaves, at, mode);
		if (!x) Py_CLEAR(out);
		else if (list) PyList_SetItem(out, i, x);
		else PyTuple_SetItem(out, i, x);
	}
	return out;
}

static PyObject *tree_fill(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n < 2 || !PyList_Check(args[1])) {
		PyErr_SetString(PyExc_TypeError, "_tree_fill(tree, leaves, mode=0)");
		return NULL;
	}
	Py_ssize_t at = 0;
	return fill(args[0], args[1], &at, n > 2 ? (int)PyLong_AsLong(args[2]) : LEAVES_ARRAYS);
}

/* The shape of a tree as a hashable key: constants stand for themselves, arrays for dtype and shape, and are listed. */
static PyObject *key_of(PyObject *o, PyObject *arrays);

static PyObject *key_of_container(PyObject *o, PyObject *arrays) {
	int dict = PyDict_Check(o), list = PyList_Check(o);
	Py_ssize_t n = dict ? PyDict_Size(o) : list ? PyList_Size(o) : PyTuple_Size(o), i = 1, pos = 0;
	PyObject *key = PyTuple_New(1 + n * (dict ? 2 : 1)), *k, *v;
	if (!key) return NULL;
	PyTuple_SetItem(key, 0, Py_NewRef((PyObject *)(dict ? &PyDict_Type : list ? &PyList_Type : &PyTuple_Type)));
	if (dict) {
		while (i <= 2 * n && PyDict_Next(o, &pos, &k, &v)) {
			PyObject *x = key_of(v, arrays);
			if (!x) goto fail;
			PyTuple_SetItem(key, i++, Py_NewRef(k));
			PyTuple_SetItem(key, i++, x);
		}
	} else {
		for (; i <= n; i++) {
			PyObject *x = key_of(list ? PyList_GetItem(o, i - 1) : PyTuple_GetItem(o, i - 1), arrays);
			if (!x) goto fail;
			PyTuple_SetItem(key, i, x);
		}
	}
	return key;
fail:
	Py_DECREF(key);
	return NULL;
}

static PyObject *key_of(PyObject *o, PyObject *arrays) {
	if (!o) return NULL;
	if (is_array(o)) {
		int64_t shape[CAPI_MAXDIM + 1];
		int n = array_shape(o, shape);
		if (n < 0 || PyList_Append(arrays, o) < 0) return NULL;
		shape[n] = array_dtype(o);
		/* Bytes, so that no Python constant equals it by chance: constants never are. */
		return PyBytes_FromStringAndSize((char *)shape, (n + 1) * sizeof *shape);
	}
	if (PyList_Check(o) || PyTuple_Check(o) || PyDict_Check(o)) {
		if (Py_EnterRecursiveCall(" in a tree of arrays")) return NULL;
		PyObject *key = key_of_container(o, arrays);
		Py_LeaveRecursiveCall();
		return key;
	}
	/* 0.0 equals -0.0, and no NaN another one; as bytes they are what the function sees. */
	if (PyFloat_Check(o) || PyComplex_Check(o)) {
		double parts[2] = {PyFloat_Check(o) ? PyFloat_AsDouble(o) : PyComplex_RealAsDouble(o), PyComplex_Check(o) ? PyComplex_ImagAsDouble(o) : 0};
		PyObject *bytes = PyBytes_FromStringAndSize((char *)parts, sizeof parts);
		PyObject *key = bytes ? PyTuple_Pack(2, Py_TYPE(o), bytes) : NULL;
		Py_XDECREF(bytes);
		return key;
	}
	/* 1 and True are equal to each other but not to the function. */
	if (o == Py_None || PyBool_Check(o) || PyLong_Check(o) || PyUnicode_Check(o) || Py_TYPE(o) == Dtype_Type)
		return PyTuple_Pack(2, Py_TYPE(o), o);
	PyErr_Format(PyExc_ValueError, "[compile] arguments must be trees of arrays or constants (numbers, strings, dtypes, None), not %R", (PyObject *)Py_TYPE(o));
	return NULL;
}

/* _tree_key(tree, arrays) -> key; the arrays are appended to the list. */
static PyObject *tree_key(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 2 || !PyList_Check(args[1])) {
		PyErr_SetString(PyExc_TypeError, "_tree_key(tree, arrays)");
		return NULL;
	}
	return key_of(args[0], args[1]);
}

/* Puts the leaves, in turn, where like has arrays, and its constants where it has those; 0 if the trees differ in what they hold. */
static int assign(PyObject *tree, PyObject *like, PyObject *leaves, Py_ssize_t *at);

static int assign_in(PyObject *tree, PyObject *like, PyObject *leaves, Py_ssize_t *at) {
	if (PyDict_Check(like)) {
		PyObject *k, *v, *held;
		Py_ssize_t pos = 0;
		while (PyDict_Next(like, &pos, &k, &v)) {
			int r = 1;
			if (is_array(v)) {
				PyObject *leaf = PyList_GetItem(leaves, (*at)++);
				r = leaf && PyObject_SetItem(tree, k, leaf) == 0 ? 1 : -1;
			} else if (!(held = PyDict_GetItemWithError(tree, k))) {
				r = PyErr_Occurred() ? -1 : 0;
			} else if (held != v || is_tree(v)) {
				if (is_tree(v)) r = assign(held, v, leaves, at);
				else r = PyObject_SetItem(tree, k, v) < 0 ? -1 : 1;
			}
			if (r != 1) return r;
		}
		return 1;
	}
	if (!PyList_Check(like)) return 0;
	for (Py_ssize_t i = 0; i < PyList_Size(like); i++) {
		PyObject *v = PyList_GetItem(like, i);
		if (i >= PyList_Size(tree)) return 0;
		int r = 1;
		if (is_array(v)) {
			PyObject *leaf = PyList_GetItem(leaves, (*at)++);
			r = leaf && PyList_SetItem(tree, i, Py_NewRef(leaf)) == 0 ? 1 : -1;
		} else if (is_tree(v)) {
			r = assign(PyList_GetItem(tree, i), v, leaves, at);
		}
		if (r != 1) return r;
	}
	return 1;
}

static int assign(PyObject *tree, PyObject *like, PyObject *leaves, Py_ssize_t *at) {
	if (PyDict_Check(like) ? !PyDict_Check(tree) : PyList_Check(like) ? !PyList_Check(tree) : PyTuple_Check(like)) return 0;
	if (PyDict_Check(like) || PyList_Check(like)) {
		if (Py_EnterRecursiveCall(" in a tree of arrays")) return -1;
		int r = assign_in(tree, like, leaves, at);
		Py_LeaveRecursiveCall();
		return r;
	}
	PyObject *leaf = PyList_GetItem(leaves, (*at)++);
	PyObject *r = leaf ? PyObject_CallMethod(tree, "__mlx_tree_set__", "O", leaf) : NULL;
	Py_XDECREF(r);
	return r ? 1 : -1;
}

/* _tree_assign(tree, like, leaves) -> whether the trees agreed so that it could be done */
static PyObject *tree_assign(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 3 || !PyList_Check(args[2])) {
		PyErr_SetString(PyExc_TypeError, "_tree_assign(tree, like, leaves)");
		return NULL;
	}
	Py_ssize_t at = 0;
	int r = is_tree(args[1]) ? assign(args[0], args[1], args[2], &at) : 0;
	return r < 0 ? NULL : PyBool_FromLong(r);
}

PyMethodDef tree_methods[] = {
	{"_tree_assign", (PyCFunction)(void *)tree_assign, METH_FASTCALL, NULL},
	{"_tree_key", (PyCFunction)(void *)tree_key, METH_FASTCALL, NULL},
	{"_tree_leaves", (PyCFunction)(void *)tree_leaves, METH_FASTCALL, NULL},
	{"_tree_fill", (PyCFunction)(void *)tree_fill, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
