/*
 * Stand-ins in the containers of the caller. A transform shows a function other arrays than those that it was called
 * with, and puts these back afterwards. One call into C does both, so that no signal handler runs in between, whose
 * exception would end it half way.
 */
#include "tree.h"

/*
 * A slot is a tuple (holder, key, stand-in, own, tracer): where an array stands in, and for what. The tracer is that of
 * a module's parameter, and None elsewhere.
 */
enum { SLOT_HOLDER, SLOT_KEY, SLOT_STAND_IN, SLOT_OWN, SLOT_TRACER, SLOT_SIZE };

typedef struct {
	PyObject *leaves, *tracers, *slots, *met; /* met: the mutable containers so far, which are lent once */
	Py_ssize_t at;
} lending;

static PyObject *lend(lending *l, PyObject *tree, PyObject *like);

static int add_slot(lending *l, PyObject *holder, PyObject *key, PyObject *stand_in, PyObject *own, PyObject *tracer) {
	PyObject *slot = PyTuple_Pack(SLOT_SIZE, holder, key, stand_in, own, tracer);
	int r = slot ? PyList_Append(l->slots, slot) : -1;
	Py_XDECREF(slot);
	return r;
}

static PyObject *item_of(PyObject *holder, PyObject *key) { /* borrowed; NULL without an exception if there is none */
	if (PyDict_Check(holder)) return PyDict_GetItemWithError(holder, key);
	Py_ssize_t i = PyLong_AsSsize_t(key);
	return i < PyList_Size(holder) ? PyList_GetItem(holder, i) : NULL;
}

static int set_item(PyObject *holder, PyObject *key, PyObject *value) {
	/* Not PyObject_SetItem: a subclass may do more than to store. */
	if (PyDict_Check(holder)) return PyDict_SetItem(holder, key, value);
	return PyList_SetItem(holder, PyLong_AsSsize_t(key), Py_NewRef(value));
}

/* A new reference to the key of the child that the walk has reached. */
static int key_at(tree_walk *w, PyObject **key) {
	*key = w->kind == KIND_DICT ? Py_NewRef(w->key) : PyLong_FromSsize_t(w->i - 1);
	return *key ? 0 : -1;
}

/* Slots for the parameters of a module, which are laid out as the module is. */
static int lend_parameters(lending *l, PyObject *holder, PyObject *parameters) {
	tree_walk w;
	if (!PyDict_Check(holder) && !PyList_Check(holder)) {
		PyErr_Format(PyExc_ValueError, "[grad] parameters of a module cannot be in %R", (PyObject *)Py_TYPE(holder));
		return -1;
	}
	if (tree_begin(&w, parameters, tree_kind(parameters)) < 0) return -1;
	PyObject *like, *key = NULL;
	int r = 0;
	while (r == 0 && (like = tree_next(&w)) && (r = key_at(&w, &key)) == 0) {
		PyObject *own = item_of(holder, key);
		if (is_array(like) && own) {
			r = add_slot(l, holder, key, PyList_GetItem(l->leaves, l->at), own, PyList_GetItem(l->tracers, l->at));
			l->at++;
		} else if (own && tree_kind(like) != KIND_LEAF && PyObject_Length(like) > 0) {
			/* {} would stand for what is no parameter. */
			r = lend_parameters(l, own, like);
		}
		Py_CLEAR(key);
	}
	tree_end(&w);
	return PyErr_Occurred() ? -1 : r;
}

static int meet(lending *l, PyObject *container) { /* 1 if it was met before */
	PyObject *address = PyLong_FromVoidPtr(container);
	int r = address ? PyDict_Contains(l->met, address) : -1;
	if (r == 0 && PyDict_SetItem(l->met, address, container) < 0) r = -1;
	Py_XDECREF(address);
	return r;
}

static PyObject *lend_module(lending *l, PyObject *module, PyObject *parameters) {
	int met = meet(l, module);
	if (met > 0)
		PyErr_SetString(PyExc_ValueError,
			"[grad] the same module was given twice, and its parameters can have one gradient only");
	return met != 0 || lend_parameters(l, module, parameters) < 0 ? NULL : Py_NewRef(module);
}

/* The caller's own list or dict, with slots for what changes in it. */
static PyObject *lend_mutable(lending *l, PyObject *tree, PyObject *like, int kind) {
	int met = meet(l, tree);
	if (met < 0) return NULL;
	if (met) return tree_filled(like, l->leaves, &l->at, LEAVES_ONLY_ARRAYS); /* a second one with other stand-ins */
	tree_walk w;
	if (tree_begin(&w, like, kind) < 0) return NULL;
	PyObject *child, *key = NULL;
	int ok = 1;
	while (ok && (child = tree_next(&w)) && (ok = key_at(&w, &key) == 0)) {
		PyObject *own = Py_XNewRef(item_of(tree, key)), *x = own ? lend(l, own, child) : NULL;
		ok = x && (x == own || add_slot(l, tree, key, x, own, Py_None) == 0);
		Py_XDECREF(x);
		Py_XDECREF(own);
		Py_CLEAR(key);
	}
	tree_end(&w);
	return ok ? Py_NewRef(tree) : NULL;
}

static PyObject *lend_tuple(lending *l, PyObject *tree, PyObject *like) {
	tree_walk w;
	if (tree_begin(&w, tree, KIND_TUPLE) < 0) return NULL;
	PyObject *children = PyList_New(0), *child, *out = NULL;
	int ok = children != NULL, same = 1;
	while (ok && (child = tree_next(&w))) {
		PyObject *x = lend(l, child, PyTuple_GetItem(like, w.i - 1));
		same &= x == child;
		ok = x && PyList_Append(children, x) == 0;
		Py_XDECREF(x);
	}
	if (ok) out = same ? Py_NewRef(tree) : tree_rebuild(&w, children, NULL);
	Py_XDECREF(children);
	tree_end(&w);
	return out;
}

/* What the function sees of tree, of which like is a copy made by _tree_copy. */
static PyObject *lend(lending *l, PyObject *tree, PyObject *like) {
	if (is_array(like)) return Py_XNewRef(PyList_GetItem(l->leaves, l->at++));
	if (l->tracers && tree_is_module(tree)) return lend_module(l, tree, like);
	int kind = tree_is_module(tree) ? KIND_LEAF : tree_kind(tree);
	if (kind < 0) return NULL;
	if (kind == KIND_LEAF) return Py_NewRef(tree);
	if (kind == KIND_NODE) return tree_filled(like, l->leaves, &l->at, LEAVES_ONLY_ARRAYS);
	if (Py_EnterRecursiveCall(" in a tree of arrays")) return NULL;
	PyObject *out = kind == KIND_TUPLE ? lend_tuple(l, tree, like) : lend_mutable(l, tree, like, kind);
	Py_LeaveRecursiveCall();
	return out;
}

/*
 * _tree_lend(tree, like, stand_ins, tracers, slots, met): what a function sees in place of the tree. Lists, dicts and
 * modules stay the caller's own objects: the slots, appended to the list, say what changes in them. tracers is a list
 * beside the stand-ins where modules' parameters are lent, and None where modules are left alone. met is a dict of the
 * containers so far.
 */
static PyObject *tree_lend(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 6 || !PyList_Check(args[2]) || !PyList_Check(args[4]) || !PyDict_Check(args[5])) {
		PyErr_SetString(PyExc_TypeError, "_tree_lend(tree, like, stand_ins, tracers, slots, met)");
		return NULL;
	}
	lending l = {args[2], args[3] == Py_None ? NULL : args[3], args[4], args[5], 0};
	return lend(&l, args[0], args[1]);
}

/* ---- lending and giving back ---- */

#define SLOT(slots, i, part) PyTuple_GetItem(PyList_GetItem(slots, i), part)

/*
 * A parameter that the function updated in place stays updated: a module is state. Others' updates end with the call.
 */
static int updated(PyObject *slot) {
	PyObject *tracer = PyTuple_GetItem(slot, SLOT_TRACER), *stand_in = PyTuple_GetItem(slot, SLOT_STAND_IN);
	return tracer != Py_None && is_array(stand_in) && ID(stand_in) != ID(tracer);
}

/* Puts back stand-ins that the function moved within their holder: m.insert(0, x). */
static int put_back_moved(PyObject *holder, PyObject *slots) {
	PyObject *own = PyDict_New(), *child, *key;
	for (Py_ssize_t i = 0; own && i < PyList_Size(slots); i++) {
		PyObject *slot = PyList_GetItem(slots, i), *at = PyLong_FromVoidPtr(PyTuple_GetItem(slot, SLOT_STAND_IN));
		if (!at || (!updated(slot) && PyDict_SetItem(own, at, PyTuple_GetItem(slot, SLOT_OWN)) < 0)) Py_CLEAR(own);
		Py_XDECREF(at);
	}
	tree_walk w;
	if (!own || tree_begin(&w, holder, PyDict_Check(holder) ? KIND_DICT : KIND_LIST) < 0) {
		Py_XDECREF(own);
		return -1;
	}
	int r = 0;
	while (r == 0 && (child = tree_next(&w))) {
		PyObject *at = PyLong_FromVoidPtr(child), *x = at ? PyDict_GetItemWithError(own, at) : NULL;
		Py_XDECREF(at);
		if (x && (r = key_at(&w, &key)) == 0) {
			r = set_item(holder, key, x); /* of a key that is there: the walk may go on */
			Py_DECREF(key);
		}
	}
	tree_end(&w);
	Py_DECREF(own);
	return PyErr_Occurred() ? -1 : r;
}

static void put_back(PyObject *slots, Py_ssize_t n) {
	PyObject *type, *value, *trace;
	PyErr_Fetch(&type, &value, &trace);
	while (n-- > 0) {
		PyObject *slot = PyList_GetItem(slots, n), *holder = PyTuple_GetItem(slot, SLOT_HOLDER);
		PyObject *key = PyTuple_GetItem(slot, SLOT_KEY), *stand_in = PyTuple_GetItem(slot, SLOT_STAND_IN);
		int r = 0;
		if (item_of(holder, key) != stand_in) r = PyErr_Occurred() ? -1 : put_back_moved(holder, slots);
		else if (!updated(slot)) r = set_item(holder, key, PyTuple_GetItem(slot, SLOT_OWN));
		if (r < 0) PyErr_WriteUnraisable(holder);
	}
	PyErr_Restore(type, value, trace);
}

/* _lent(slots, function, args, kwargs): calls the function with the stand-ins in their places. */
static PyObject *lent(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 4 || !PyList_Check(args[0])) {
		PyErr_SetString(PyExc_TypeError, "_lent(slots, function, args, kwargs)");
		return NULL;
	}
	PyObject *slots = args[0];
	Py_ssize_t count = PyList_Size(slots), done = 0;
	for (; done < count; done++) {
		PyObject *holder = SLOT(slots, done, SLOT_HOLDER), *key = SLOT(slots, done, SLOT_KEY);
		if (set_item(holder, key, SLOT(slots, done, SLOT_STAND_IN)) < 0) break;
	}
	PyObject *r = done == count ? PyObject_Call(args[1], args[2], args[3]) : NULL;
	if (!forked) put_back(slots, done);
	return r;
}

/*
 * _undone(body, undo): calls body and then, whatever happened, undo. An exception of a signal handler may end undo half
 * way, so it is called again until it gets through: undo can be repeated. The first exception is raised in the end.
 */
static PyObject *undone(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	if (n != 2) {
		PyErr_SetString(PyExc_TypeError, "_undone(body, undo)");
		return NULL;
	}
	enum { TRIES = 100 };
	PyObject *result = PyObject_CallFunctionObjArgs(args[0], NULL), *type, *value, *trace, *more[3];
	PyErr_Fetch(&type, &value, &trace);
	for (int i = 0; i < TRIES; i++) {
		PyObject *done = PyObject_CallFunctionObjArgs(args[1], NULL);
		Py_XDECREF(done);
		if (done) break;
		if (!type) {
			PyErr_Fetch(&type, &value, &trace);
			continue;
		}
		PyErr_Fetch(&more[0], &more[1], &more[2]);
		for (int k = 0; k < 3; k++) Py_XDECREF(more[k]);
	}
	if (type) Py_CLEAR(result);
	PyErr_Restore(type, value, trace);
	return result;
}

/* _renode(arrays, likes): the objects of the first list hold the nodes of those of the second. */
static PyObject *renode(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 2 || !PyList_Check(args[0]) || !PyList_Check(args[1]) || PyList_Size(args[0]) != PyList_Size(args[1])) {
		PyErr_SetString(PyExc_TypeError, "_renode(arrays, arrays)");
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyList_Size(args[0]); i++) {
		PyObject *a = PyList_GetItem(args[0], i), *b = PyList_GetItem(args[1], i);
		if (ID(a) == ID(b)) continue;
		capi_handle h = goHold(ID(b));
		if (!h) return NULL;
		set_node(a, h);
	}
	Py_RETURN_NONE;
}

/* ---- results into captured state ---- */

/*
 * Puts the leaves, in turn, where like has arrays, and its constants where it has those; 0 if the trees differ in what
 * they hold.
 */
static int assign(PyObject *tree, PyObject *like, PyObject *leaves, Py_ssize_t *at);

/* Whether o may have arrays in it. */
static int is_tree(PyObject *o) { return tree_kind(o) != KIND_LEAF || tree_is_holder(o); }

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
	if (PyDict_Check(like) ? !PyDict_Check(tree) : PyList_Check(like) ? !PyList_Check(tree) : PyTuple_Check(like))
		return 0;
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

PyMethodDef tree_lend_methods[] = {
	{"_tree_assign", (PyCFunction)(void *)tree_assign, METH_FASTCALL, NULL},
	{"_tree_lend", (PyCFunction)(void *)tree_lend, METH_FASTCALL, NULL},
	{"_lent", (PyCFunction)(void *)lent, METH_FASTCALL, NULL},
	{"_undone", (PyCFunction)(void *)undone, METH_FASTCALL, NULL},
	{"_renode", (PyCFunction)(void *)renode, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
