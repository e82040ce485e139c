/* Trees of lists, tuples, dicts and registered types: flattened and rebuilt in C, since every training step does it. */
#include "tree.h"

/* ---- walking ---- */

static int has_type_attr(PyObject *o, const char *name) { return PyObject_HasAttrString((PyObject *)Py_TYPE(o), name); }

int tree_is_module(PyObject *o) {
	return PyDict_Check(o) && !PyDict_CheckExact(o) && has_type_attr(o, "__mlx_parameters__");
}

static int is_constant(PyObject *o) {
	return o == Py_None || PyBool_Check(o) || PyLong_Check(o) || PyFloat_Check(o) || PyUnicode_Check(o);
}

int tree_is_holder(PyObject *o) { return !is_constant(o) && has_type_attr(o, "__mlx_tree__"); }

int tree_kind(PyObject *o) {
	if (is_array(o)) return KIND_LEAF;
	PyObject *registry = is_constant(o) ? NULL : own()->tree_rules;
	if (registry) {
		PyObject *rules = PyDict_GetItemWithError(registry, (PyObject *)Py_TYPE(o));
		if (rules) return KIND_NODE;
		if (PyErr_Occurred()) return -1;
	}
	return PyDict_Check(o) ? KIND_DICT : PyList_Check(o) ? KIND_LIST : PyTuple_Check(o) ? KIND_TUPLE : KIND_LEAF;
}

int tree_begin(tree_walk *w, PyObject *o, int kind) {
	*w = (tree_walk){.o = Py_NewRef(o), .kind = kind};
	if (kind != KIND_NODE) return 0;
	PyObject *rules = PyDict_GetItemWithError(own()->tree_rules, (PyObject *)Py_TYPE(o));
	w->parts = rules ? PyObject_CallFunctionObjArgs(PyTuple_GetItem(rules, 0), o, NULL) : NULL;
	if (w->parts && PyTuple_Check(w->parts) && PyTuple_Size(w->parts) == 2) return 0;
	if (!PyErr_Occurred())
		PyErr_Format(PyExc_TypeError, "[register_tree] flatten of %R must return (children, static)",
			(PyObject *)Py_TYPE(o));
	tree_end(w);
	return -1;
}

PyObject *tree_next(tree_walk *w) {
	PyObject *next = NULL;
	switch (w->kind) {
	case KIND_DICT:
		if (!PyDict_Next(w->o, &w->pos, &w->key, &next)) next = NULL;
		break;
	case KIND_LIST:
		if (w->i < PyList_Size(w->o)) next = PyList_GetItem(w->o, w->i);
		break;
	case KIND_TUPLE:
		if (w->i < PyTuple_Size(w->o)) next = PyTuple_GetItem(w->o, w->i);
		break;
	case KIND_NODE:
		if (w->i == 0) next = PyTuple_GetItem(w->parts, 0);
		break;
	}
	w->i++;
	Py_XINCREF(next);
	Py_XDECREF(w->child);
	return w->child = next;
}

void tree_end(tree_walk *w) {
	Py_XDECREF(w->child);
	Py_XDECREF(w->parts);
	Py_XDECREF(w->o);
	*w = (tree_walk){0};
}

static PyObject *shallow_copy(PyObject *o) {
	PyObject *copy = PyImport_ImportModule("copy");
	PyObject *r = copy ? PyObject_CallMethod(copy, "copy", "O", o) : NULL;
	Py_XDECREF(copy);
	if (r && Py_TYPE(r) != Py_TYPE(o)) {
		PyErr_Format(PyExc_TypeError, "copy.copy of %R gave %R", (PyObject *)Py_TYPE(o), (PyObject *)Py_TYPE(r));
		Py_CLEAR(r);
	}
	return r;
}

static PyObject *rebuilt_dict(PyObject *like, PyObject *children, PyObject *keys) {
	/*
	 * A copy of a subclass keeps what else its objects hold: the factory of a defaultdict, the attributes of a module.
	 */
	PyObject *out = PyDict_CheckExact(like) ? PyDict_New() : shallow_copy(like);
	for (Py_ssize_t i = 0; out && i < PyList_Size(keys); i++)
		if (PyDict_SetItem(out, PyList_GetItem(keys, i), PyList_GetItem(children, i)) < 0) Py_CLEAR(out);
	return out;
}

static PyObject *rebuilt_tuple(PyObject *like, PyObject *children) {
	PyObject *items = PyList_AsTuple(children), *out = NULL;
	if (!items || PyTuple_CheckExact(like)) return items;
	PyObject *type = (PyObject *)Py_TYPE(like);
	if (PyObject_HasAttrString(type, "_make")) out = PyObject_CallMethod(type, "_make", "(O)", items);
	else out = PyObject_CallFunctionObjArgs(type, items, NULL);
	Py_DECREF(items);
	return out;
}

PyObject *tree_rebuild(tree_walk *w, PyObject *children, PyObject *keys) {
	switch (w->kind) {
	case KIND_DICT: return rebuilt_dict(w->o, children, keys);
	case KIND_TUPLE: return rebuilt_tuple(w->o, children);
	case KIND_NODE: {
		PyObject *rules = PyDict_GetItemWithError(own()->tree_rules, (PyObject *)Py_TYPE(w->o));
		if (!rules) return NULL;
		PyObject *unflatten = PyTuple_GetItem(rules, 1), *constants = PyTuple_GetItem(w->parts, 1);
		return PyObject_CallFunctionObjArgs(unflatten, constants, PyList_GetItem(children, 0), NULL);
	}
	}
	if (PyList_CheckExact(w->o)) return Py_NewRef(children);
	PyObject *out = shallow_copy(w->o);
	if (out && PyList_SetSlice(out, 0, PyList_Size(out), children) < 0) Py_CLEAR(out);
	return out;
}

/* ---- leaves ---- */

static int flatten(PyObject *tree, PyObject *leaves, int mode, const char *op);

static int flatten_in(PyObject *tree, int kind, PyObject *leaves, int mode, const char *op) {
	tree_walk w;
	if (tree_begin(&w, tree, kind) < 0) return -1;
	if (mode == LEAVES_ARRAYS && tree_is_module(tree)) mode = LEAVES_ONLY_ARRAYS;
	PyObject *child;
	int r = 0;
	while (r == 0 && (child = tree_next(&w))) r = flatten(child, leaves, mode, op);
	tree_end(&w);
	return r;
}

/* op is named where a leaf is no array. */
static int flatten(PyObject *tree, PyObject *leaves, int mode, const char *op) {
	int kind = tree_kind(tree);
	if (kind < 0) return -1;
	if (mode == LEAVES_OUTSIDE && tree_is_module(tree)) return 0;
	if (kind != KIND_LEAF) {
		if (Py_EnterRecursiveCall(" in a tree of arrays")) return -1;
		int r = flatten_in(tree, kind, leaves, mode, op);
		Py_LeaveRecursiveCall();
		return r;
	}
	if (is_array(tree)) return PyList_Append(leaves, tree);
	if (mode == LEAVES_STATE && tree_is_holder(tree)) {
		PyObject *held = PyObject_CallMethod(tree, "__mlx_tree__", NULL);
		int r = held ? PyList_Append(leaves, held) : -1;
		Py_XDECREF(held);
		return r;
	}
	if (mode != LEAVES_ARRAYS) return 0;
	PyErr_Format(PyExc_ValueError, "[%s] expected arrays, or trees of them, not %R", op, (PyObject *)Py_TYPE(tree));
	return -1;
}

/* _tree_leaves(tree, mode), or _tree_leaves(tree, op) where all leaves must be arrays. A mode is of add_tree_modes. */
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

/* ---- other leaves ---- */

/* How a tree is copied: what its leaves become. */
typedef struct mapping {
	PyObject *(*leaf)(struct mapping *m, PyObject *leaf, int mode);
	PyObject *leaves; /* fill: what they are replaced by */
	Py_ssize_t *at;
	/* copy: named where a leaf is no array; modules become their parameters. NULL: modules are leaves */
	const char *op;
} mapping;

static PyObject *map_tree(mapping *m, PyObject *tree, int mode);

/* Most containers are plain dicts, whose copies need no lists in between. */
static PyObject *map_plain_dict(mapping *m, tree_walk *w, int mode) {
	PyObject *out = PyDict_New(), *child;
	while (out && (child = tree_next(w))) {
		PyObject *key = Py_NewRef(w->key), *x = map_tree(m, child, mode); /* which may run any code */
		if (!x || PyDict_SetItem(out, key, x) < 0) Py_CLEAR(out);
		Py_XDECREF(x);
		Py_DECREF(key);
	}
	return out;
}

static PyObject *map_others(mapping *m, tree_walk *w, int mode) {
	PyObject *children = PyList_New(0), *keys = w->kind == KIND_DICT ? PyList_New(0) : NULL, *child, *out = NULL;
	int ok = children && (keys || w->kind != KIND_DICT);
	while (ok && (child = tree_next(w))) {
		ok = !keys || PyList_Append(keys, w->key) == 0;
		PyObject *x = ok ? map_tree(m, child, mode) : NULL;
		ok = x && PyList_Append(children, x) == 0;
		Py_XDECREF(x);
	}
	if (ok) out = tree_rebuild(w, children, keys);
	Py_XDECREF(children);
	Py_XDECREF(keys);
	return out;
}

static PyObject *map_in(mapping *m, PyObject *tree, int kind, int mode) {
	tree_walk w;
	if (tree_begin(&w, tree, kind) < 0) return NULL;
	PyObject *out = PyDict_CheckExact(tree) ? map_plain_dict(m, &w, mode) : map_others(m, &w, mode);
	tree_end(&w);
	return out;
}

static PyObject *map_tree(mapping *m, PyObject *tree, int mode) {
	int kind = tree_kind(tree);
	if (kind < 0) return NULL;
	if (kind == KIND_LEAF) return m->leaf(m, tree, mode);
	if (kind == KIND_DICT && tree_is_module(tree)) {
		if (!m->leaves) return m->op ? PyObject_CallMethod(tree, "__mlx_parameters__", NULL) : Py_NewRef(tree);
		if (mode == LEAVES_ARRAYS) mode = LEAVES_ONLY_ARRAYS;
	}
	if (Py_EnterRecursiveCall(" in a tree of arrays")) return NULL;
	PyObject *r = map_in(m, tree, kind, mode);
	Py_LeaveRecursiveCall();
	return r;
}

static PyObject *next_leaf(mapping *m, PyObject *leaf, int mode) {
	if (mode == LEAVES_ONLY_ARRAYS && !is_array(leaf)) return Py_NewRef(leaf);
	PyObject *other = PyList_GetItem(m->leaves, (*m->at)++);
	if (!other) {
		PyErr_SetString(PyExc_ValueError, "[tree_unflatten] the trees differ: too few leaves");
		return NULL;
	}
	return Py_NewRef(other);
}

PyObject *tree_filled(PyObject *tree, PyObject *leaves, Py_ssize_t *at, int mode) {
	mapping m = {next_leaf, leaves, at, NULL};
	return map_tree(&m, tree, mode);
}

/* _tree_fill(tree, leaves[, mode]): the tree with the leaves taken in turn. Leaves that flatten skipped stay. */
static PyObject *tree_fill(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n < 2 || !PyList_Check(args[1])) {
		PyErr_SetString(PyExc_TypeError, "_tree_fill(tree, leaves, mode)");
		return NULL;
	}
	Py_ssize_t at = 0;
	return tree_filled(args[0], args[1], &at, n > 2 ? (int)PyLong_AsLong(args[2]) : LEAVES_ARRAYS);
}

static PyObject *same_leaf(mapping *m, PyObject *leaf, int mode) {
	(void)mode;
	if (!m->op || is_array(leaf)) return Py_NewRef(leaf);
	PyErr_Format(PyExc_ValueError, "[%s] expected arrays, or trees of them, not %R", m->op, (PyObject *)Py_TYPE(leaf));
	return NULL;
}

/*
 * _tree_copy(tree, op): the containers anew, the leaves as they are. With an op all leaves must be arrays, and modules
 * become their parameters. With None modules and other objects are leaves.
 */
static PyObject *tree_copy(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	mapping m = {same_leaf, NULL, NULL, NULL};
	if (n != 2 || (args[1] != Py_None && !(m.op = PyUnicode_AsUTF8AndSize(args[1], NULL)))) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "_tree_copy(tree, op)");
		return NULL;
	}
	return map_tree(&m, args[0], LEAVES_ARRAYS);
}

/* _register_tree(type, flatten, unflatten) */
static PyObject *register_tree(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	if (n != 3 || !PyType_Check(args[0])) {
		PyErr_SetString(PyExc_TypeError, "_register_tree(type, flatten, unflatten)");
		return NULL;
	}
	PyObject **registry = &own()->tree_rules;
	if (!*registry && !(*registry = PyDict_New())) return NULL;
	PyObject *rules = PyTuple_Pack(2, args[1], args[2]);
	int r = rules ? PyDict_SetItem(*registry, args[0], rules) : -1;
	Py_XDECREF(rules);
	if (r < 0) return NULL;
	Py_RETURN_NONE;
}

/* The modes that Python names. */
int add_tree_modes(PyObject *module) {
	return PyModule_AddIntConstant(module, "_ONLY_ARRAYS", LEAVES_ONLY_ARRAYS) < 0 ||
		PyModule_AddIntConstant(module, "_STATE", LEAVES_STATE) < 0 ||
		PyModule_AddIntConstant(module, "_OUTSIDE", LEAVES_OUTSIDE) < 0 ? -1 : 0;
}

PyMethodDef tree_methods[] = {
	{"_register_tree", (PyCFunction)(void *)register_tree, METH_FASTCALL, NULL},
	{"_tree_copy", (PyCFunction)(void *)tree_copy, METH_FASTCALL, NULL},
	{"_tree_leaves", (PyCFunction)(void *)tree_leaves, METH_FASTCALL, NULL},
	{"_tree_fill", (PyCFunction)(void *)tree_fill, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
