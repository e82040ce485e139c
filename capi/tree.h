/* Trees of arrays: how the files that walk them see lists, tuples, dicts and registered types. */
#ifndef MLX_GO_TREE_H
#define MLX_GO_TREE_H

#include "facts.h"

/* What a tree may be made of. A NODE is of a type registered with utils.register_tree. */
enum { KIND_LEAF, KIND_LIST, KIND_TUPLE, KIND_DICT, KIND_NODE };

/* What leaves may be. */
enum {
	LEAVES_ARRAYS, /* else an error */
	LEAVES_ONLY_ARRAYS, /* others are skipped */
	LEAVES_STATE, /* and arrays behind __mlx_tree__ */
	LEAVES_OUTSIDE /* only arrays, and modules are not entered */
};

/* One container on a walk. A NODE has one child: the tree that its flatten function gives. */
typedef struct {
	PyObject *o, *parts, *child, *key; /* parts: (children, static) of a NODE; child is held, key borrowed */
	int kind;
	Py_ssize_t i, pos;
} tree_walk;

int tree_kind(PyObject *o); /* -1 with an exception */
/* Begins a walk over a container; -1 with an exception. */
int tree_begin(tree_walk *w, PyObject *o, int kind);
/* The next child, borrowed from the walk; NULL at the end, or with an exception. */
PyObject *tree_next(tree_walk *w);
void tree_end(tree_walk *w);
/* The container again, of the same type, with other children: a list of them and, for dicts, one of their keys. */
PyObject *tree_rebuild(tree_walk *w, PyObject *children, PyObject *keys);

/* A module of nn: a dict whose arrays may be differentiated only as far as its __mlx_parameters__ says. */
int tree_is_module(PyObject *o);
/* Objects such as mx.random.state hold an array, which __mlx_tree__ gives and __mlx_tree_set__ takes. */
int tree_is_holder(PyObject *o);
/* The tree with other leaves, taken from the list in turn. */
PyObject *tree_filled(PyObject *tree, PyObject *leaves, Py_ssize_t *at, int mode);

#endif
