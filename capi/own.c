/*
 * What each interpreter of the process has of its own. Legacy sub-interpreters share the extension's variables, but
 * each imports modules of its own, which end with it: a function or class of one of them must not be called by another.
 */
#include "internal.h"

static own_objects *last, nothing;
static int64_t last_id = -1;

static void drop_own(PyObject *capsule) {
	own_objects *o = PyCapsule_GetPointer(capsule, NULL);
	if (!o) return;
	if (o == last) last_id = -1;
	PyObject *held[] = {o->device_types[0], o->device_types[1], o->at_class, o->tree_rules, o->numpy_generic};
	free(o);
	for (size_t i = 0; i < sizeof held / sizeof *held; i++) Py_XDECREF(held[i]);
}

static own_objects *find_own(PyInterpreterState *interpreter) {
	static const char key[] = "mlx_go._core";
	PyObject *dict = PyInterpreterState_GetDict(interpreter);
	PyObject *capsule = dict ? PyDict_GetItemString(dict, key) : NULL; /* borrowed */
	if (capsule) return PyCapsule_GetPointer(capsule, NULL);
	own_objects *made = dict ? calloc(1, sizeof *made) : NULL;
	capsule = made ? PyCapsule_New(made, NULL, drop_own) : NULL;
	if (!capsule) {
		free(made);
		return NULL;
	}
	int failed = PyDict_SetItemString(dict, key, capsule) < 0;
	Py_DECREF(capsule); /* which frees it, if that failed */
	return failed ? NULL : made;
}

own_objects *own(void) {
	PyInterpreterState *interpreter = PyInterpreterState_Get();
	int64_t id = PyInterpreterState_GetID(interpreter); /* never that of one that is gone, unlike its address */
	if (id == last_id) return last;
	own_objects *found = find_own(interpreter);
	if (!found) { /* no memory: as if nothing had been set */
		PyErr_Clear();
		nothing = (own_objects){NULL};
		return &nothing;
	}
	last = found;
	last_id = id;
	return found;
}
