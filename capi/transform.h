/* What the files about transforms share: lists of arrays as identifiers, and how their functions are defined. */
#ifndef MLX_GO_TRANSFORM_H
#define MLX_GO_TRANSFORM_H

#include "facts.h"

enum { MAX_LISTS = 4 };

/* Gathers the handles of lists of arrays behind each other. */
typedef struct {
	uint32_t *ids;
	int64_t counts[MAX_LISTS];
	int lists;
	uint32_t few[128];
} handles;
/* -1 with an exception where something is no list of arrays; to be dropped either way. */
int gather(handles *h, PyObject *const *lists, int n);
void drop(handles *h);

extern PER_THREAD uint64_t tracing; /* the transform that the thread is in, the innermost */
PyObject *trace_capsule(int64_t number);

int need(Py_ssize_t have, int want, const char *what);

#define FUNCTION(name, want, text)                                                        \
	static PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t n) {        \
		(void)module;                                                                     \
		if (need(n, want, text) < 0) return NULL;

#define ENTRY(name) {"_" #name, (PyCFunction)(void *)name, METH_FASTCALL, NULL}

#endif
