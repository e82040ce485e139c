/* Indices of [] and .at[]: ints, slices, None, Ellipsis, arrays, lists and tuples of them. */
#include "facts.h"

typedef struct {
	capi_index items[CAPI_MAXDIM * 2];
	int n;
	/* What is held: arrays made of items, items while their masks are counted, and the counts. */
	uint32_t temps[CAPI_MAXDIM * 6];
	int ntemps, held;
} index_list;

static void index_done(index_list *l) {
	for (int i = 0; i < l->ntemps; i++) queue_free(l->temps[i], 0);
}

static int bad_index(PyObject *o) {
	PyErr_Format(PyExc_ValueError,
		"[index] cannot index with %R: use integers, slices, ..., None, integer or bool arrays, lists, or a tuple of "
		"these", (PyObject *)Py_TYPE(o));
	return -1;
}

/* A bound of a slice; beyond the range of ssize_t it saturates, as Python's do. */
static int slice_part(PyObject *slice, const char *name, uint8_t *has, int64_t *value) {
	PyObject *o = PyObject_GetAttrString(slice, name);
	if (!o) return -1;
	int r = 0;
	*has = o != Py_None;
	if (*has) {
		if (!PyIndex_Check(o)) {
			PyErr_SetString(PyExc_ValueError, "[index] slice indices must be integers or None");
			r = -1;
		} else {
			*value = PyNumber_AsSsize_t(o, NULL);
			r = *value == -1 && PyErr_Occurred() ? -1 : 0;
		}
	}
	Py_DECREF(o);
	return r;
}

static int add_temp_array(index_list *l, capi_index *at, capi_handle h) {
	if (!h) return -1;
	l->temps[l->ntemps++] = (uint32_t)h;
	at->kind = INDEX_ARRAY;
	at->id = (uint32_t)h;
	return 0;
}

static int int_item(capi_index *at, PyObject *o) {
	at->kind = INDEX_INT;
	at->start = PyLong_AsLongLong(o);
	if (at->start != -1 || !PyErr_Occurred()) return 0;
	if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
	PyErr_Clear();
	PyErr_Format(PyExc_IndexError, "[index] index %R is out of bounds", o);
	return -1;
}

/* An index that an object gives by __index__. */
static int given_item(capi_index *at, PyObject *o) {
	PyObject *i = PyNumber_Index(o);
	if (!i) return -1;
	at->kind = INDEX_INT;
	at->start = PyLong_AsLongLong(i);
	Py_DECREF(i);
	return at->start == -1 && PyErr_Occurred() ? -1 : 0;
}

static int slice_item(capi_index *at, PyObject *o) {
	at->kind = INDEX_SLICE;
	if (slice_part(o, "start", &at->has_start, &at->start) < 0 ||
		slice_part(o, "stop", &at->has_stop, &at->stop) < 0 ||
		slice_part(o, "step", &at->has_step, &at->step) < 0)
		return -1;
	if (at->has_step && at->step == 0) {
		PyErr_SetString(PyExc_ValueError, "[index] slice step cannot be zero");
		return -1;
	}
	return 0;
}

static int parse_item(index_list *l, PyObject *o) {
	if (l->n == CAPI_MAXDIM * 2) {
		PyErr_SetString(PyExc_IndexError, "[index] too many indices");
		return -1;
	}
	capi_index *at = &l->items[l->n++];
	memset(at, 0, sizeof *at);
	if (PyLong_Check(o) && !PyBool_Check(o)) return int_item(at, o);
	if (PySlice_Check(o)) return slice_item(at, o);
	if (o == Py_None) {
		at->kind = INDEX_NEWAXIS;
		return 0;
	}
	if (o == Py_Ellipsis) {
		at->kind = INDEX_ELLIPSIS;
		return 0;
	}
	if (is_array(o)) {
		at->kind = INDEX_ARRAY;
		at->id = ID(o);
		return 0;
	}
	if (PyList_Check(o)) return add_temp_array(l, at, to_array(o, PyList_Size(o) == 0 ? DT_INT32 : -1));
	if (is_scalar(o)) {
		capi_arg v;
		int no = scalar_arg(o, &v);
		if (no < 0) return -1;
		if (!no && v.kind == ARG_BOOL) {
			at->kind = INDEX_BOOL;
			at->start = v.n;
			return 0;
		}
		return PyIndex_Check(o) ? given_item(at, o) : bad_index(o);
	}
	if (array_like(o)) return add_temp_array(l, at, from_array_like(o, -1, -1));
	return PyIndex_Check(o) ? given_item(at, o) : bad_index(o);
}

static int parse_index(index_list *l, PyObject *key) {
	l->n = l->ntemps = l->held = 0;
	if (!PyTuple_Check(key)) return parse_item(l, key);
	Py_ssize_t n = PyTuple_Size(key);
	for (Py_ssize_t i = 0; i < n; i++)
		if (parse_item(l, PyTuple_GetItem(key, i)) < 0) return -1;
	return 0;
}

/*
 * Whether Go is to be asked again: it gave no array, since masks must be counted first. The counts are then evaluated
 * with the GIL released, while other threads may drop the arrays of the items or give them new nodes.
 */
static int masks_counted(index_list *l) {
	uint32_t counts[CAPI_MAXDIM * 2];
	int n = 0;
	if (PyErr_Occurred()) return 0;
	for (int i = 0; i < l->n && !l->held; i++)
		if (l->items[i].kind == INDEX_ARRAY) {
			if (!goHold(l->items[i].id)) return 0;
			l->temps[l->ntemps++] = l->items[i].id;
		}
	for (int i = 0; i < l->n; i++)
		if (l->items[i].count) {
			counts[n++] = l->items[i].count;
			if (!l->held) l->temps[l->ntemps++] = l->items[i].count;
		}
	l->held = 1;
	undefer();
	int r = ensure_ready(counts, n);
	deferring++;
	return r == 0;
}

static PyObject *array_getitem(PyObject *self, PyObject *key) {
	GUARD(NULL);
	if (PyLong_CheckExact(key)) {
		int overflow;
		long long i = PyLong_AsLongLongAndOverflow(key, &overflow);
		if (!overflow) return wrap(goIndexInt(ID(self), i, CALLER));
	}
	index_list l;
	capi_handle h = 0;
	deferring++;
	if (parse_index(&l, key) == 0)
		do h = goIndex(ID(self), l.items, l.n, CALLER);
		while (!h && masks_counted(&l));
	index_done(&l);
	undefer();
	return wrap(h);
}

/* Whether a Python integer fits an integer dtype; as in arithmetic, it is not cut. */
static int fits(PyObject *value, int dtype) {
	if (!PyLong_Check(value) || PyBool_Check(value) || dtype < DT_UINT8 || dtype > DT_INT64) return 1;
	int overflow, is_signed = dtype >= DT_INT8, bits = 8 << (dtype - (is_signed ? DT_INT8 : DT_UINT8));
	long long v = PyLong_AsLongLongAndOverflow(value, &overflow);
	int ok;
	if (overflow) {
		PyLong_AsUnsignedLongLong(value);
		ok = dtype == DT_UINT64 && !PyErr_Occurred();
		PyErr_Clear();
	} else if (is_signed) {
		ok = bits == 64 || (v >= -(1LL << (bits - 1)) && v < 1LL << (bits - 1));
	} else {
		ok = v >= 0 && (bits == 64 || v < 1LL << bits);
	}
	if (!ok) PyErr_Format(PyExc_ValueError, "[index] %R does not fit %s", value, dtype_names[dtype]);
	return ok;
}

/* The value of an assignment: scalars take the array's own dtype, so that float64 keeps all digits. */
static capi_handle value_of(PyObject *self, PyObject *value) {
	if (is_array(value)) return goHold(ID(value));
	if (is_scalar(value)) {
		int dtype = array_dtype(self);
		return fits(value, dtype) ? scalar_array(value, dtype) : 0;
	}
	return to_array(value, -1);
}

enum { UPDATE_SET };

static capi_handle update(PyObject *self, PyObject *key, PyObject *value, int op) {
	index_list l;
	capi_handle h = 0, v = 0;
	deferring++;
	if (parse_index(&l, key) == 0 && (v = value_of(self, value)) != 0) {
		do h = goIndexUpdate(ID(self), l.items, l.n, (uint32_t)v, op, CALLER);
		while (!h && masks_counted(&l));
		queue_free((uint32_t)v, (uint32_t)(v >> 32));
	}
	index_done(&l);
	undefer();
	return h;
}

static int array_setitem(PyObject *self, PyObject *key, PyObject *value) {
	GUARD(-1);
	if (!value) {
		PyErr_SetString(PyExc_TypeError, "[index] parts of an array cannot be deleted");
		return -1;
	}
	capi_handle h = update(self, key, value, UPDATE_SET);
	if (!h) return -1;
	set_node(self, h);
	return 0;
}

/* _at_update(array, indices, value, op) behind ArrayAt; op as in core.UpdateOp. */
PyObject *array_at_update(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 4 || !is_array(args[0]) || !PyLong_Check(args[3])) {
		PyErr_SetString(PyExc_TypeError, "_at_update(array, indices, value, op)");
		return NULL;
	}
	return wrap(update(args[0], args[1], args[2], (int)PyLong_AsLong(args[3])));
}

static Py_ssize_t array_length(PyObject *self) {
	GUARD(-1);
	int64_t shape[CAPI_MAXDIM];
	NOTE(SEEN_LENGTH, self);
	int n = array_shape(self, shape);
	if (n < 0) return -1;
	if (n == 0) {
		PyErr_SetString(PyExc_TypeError, "len() 0-dimensional array.");
		return -1;
	}
	return shape[0];
}

/* `x in a` asks whether any element equals x, for arrays of any rank. */
static int array_contains(PyObject *self, PyObject *value) {
	PyObject *equal = PyObject_RichCompare(self, value, Py_EQ);
	if (!equal) return -1;
	PyObject *any = is_array(equal) ? PyObject_CallMethod(equal, "any", NULL) : Py_NewRef(Py_False);
	Py_DECREF(equal);
	int r = any ? PyObject_IsTrue(any) : -1;
	Py_XDECREF(any);
	return r;
}

/*
 * Makes arrays sequences to those who ask for one: reversed, bisect, operator. Negative positions come with the length
 * added.
 */
static PyObject *array_sequence_item(PyObject *self, Py_ssize_t i) {
	GUARD(NULL);
	return wrap(goIndexInt(ID(self), i, CALLER));
}

PyType_Slot index_slots[] = {{Py_sq_item, array_sequence_item}, {Py_sq_length, array_length},
	{Py_sq_contains, array_contains}, {Py_mp_subscript, array_getitem}, {Py_mp_ass_subscript, array_setitem},
	{Py_mp_length, array_length}, {0, NULL}};
