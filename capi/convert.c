/* Python values to arrays: scalars, nested lists, and the array constructor. */
#include "internal.h"
#include <math.h>

/* NumPy is never imported for it. */
static PyObject *numpy_generic(void) {
	static PyObject *name;
	PyObject **generic = &own()->numpy_generic;
	if (*generic) return *generic;
	if (!name) name = PyUnicode_InternFromString("numpy");
	PyObject *numpy = PyImport_GetModule(name);
	if (numpy) *generic = PyObject_GetAttrString(numpy, "generic");
	Py_XDECREF(numpy);
	PyErr_Clear();
	return *generic;
}

int is_numpy_scalar(PyObject *o) {
	PyObject *g = numpy_generic();
	return g && PyObject_TypeCheck(o, (PyTypeObject *)g);
}

int is_scalar(PyObject *o) {
	return PyFloat_Check(o) || PyLong_Check(o) || PyComplex_Check(o) || is_numpy_scalar(o);
}

static int int_arg(PyObject *o, capi_arg *a) {
	int overflow;
	a->n = PyLong_AsLongLongAndOverflow(o, &overflow);
	a->kind = ARG_INT;
	if (overflow == 0) return a->n == -1 && PyErr_Occurred() ? -1 : 0;
	if (overflow > 0) {
		a->n = (int64_t)PyLong_AsUnsignedLongLong(o);
		a->kind = ARG_BIGUINT;
		if (!PyErr_Occurred()) return 0;
		PyErr_Clear();
	}
	PyErr_Format(PyExc_OverflowError, "[array] the Python integer %R fits neither int64 nor uint64", o);
	return -1;
}

int scalar_arg(PyObject *o, capi_arg *a) {
	if (PyFloat_CheckExact(o)) {
		a->kind = ARG_FLOAT;
		a->re = PyFloat_AsDouble(o);
		a->n = 0;
		a->im = 0;
		return 0;
	}
	a->re = a->im = 0;
	a->n = 0;
	if (PyBool_Check(o)) {
		a->kind = ARG_BOOL;
		a->n = o == Py_True;
		return 0;
	}
	if (PyLong_Check(o)) return int_arg(o, a);
	if (PyFloat_Check(o)) {
		a->kind = ARG_FLOAT;
		a->re = PyFloat_AsDouble(o);
		return 0;
	}
	if (PyComplex_Check(o)) {
		a->kind = ARG_COMPLEX;
		a->re = PyComplex_RealAsDouble(o);
		a->im = PyComplex_ImagAsDouble(o);
		return 0;
	}
	if (!is_numpy_scalar(o)) return 1;
	/* NumPy's scalars know the Python scalar they stand for. */
	PyObject *item = PyObject_CallMethod(o, "item", NULL);
	if (!item) return -1;
	int r = is_numpy_scalar(item) ? 1 : scalar_arg(item, a);
	Py_DECREF(item);
	return r;
}

static int64_t to_int64(double f) {
	if (!(f >= -0x1p63)) return f != f ? 0 : INT64_MIN;
	if (f >= 0x1p63) return f < 0x1p64 ? (int64_t)(uint64_t)f : INT64_MAX;
	return (int64_t)f;
}

void store_element(void *at, int dtype, const capi_arg *v) {
	double f = v->re;
	int64_t i = v->n;
	if (v->kind == ARG_FLOAT || v->kind == ARG_COMPLEX) i = dtype < DT_FLOAT16 && dtype != DT_BOOL ? to_int64(f) : 0;
	else f = v->kind == ARG_BIGUINT ? (double)(uint64_t)i : (double)i;
	switch (dtype) {
	case DT_BOOL: *(uint8_t *)at = f != 0 || v->im != 0; break;
	case DT_UINT8:
	case DT_INT8: *(int8_t *)at = (int8_t)i; break;
	case DT_UINT16:
	case DT_INT16: *(int16_t *)at = (int16_t)i; break;
	case DT_UINT32:
	case DT_INT32: *(int32_t *)at = (int32_t)i; break;
	case DT_UINT64:
	case DT_INT64: *(int64_t *)at = i; break;
	case DT_FLOAT16: *(uint16_t *)at = float_to_half((float)f); break;
	case DT_BFLOAT16: *(uint16_t *)at = float_to_bfloat((float)f); break;
	case DT_FLOAT32: *(float *)at = (float)f; break;
	case DT_FLOAT64: *(double *)at = f; break;
	case DT_COMPLEX64:
		((float *)at)[0] = (float)f;
		((float *)at)[1] = (float)v->im;
		break;
	}
}

static int dtype_of_scalar(const capi_arg *a) {
	switch (a->kind) {
	case ARG_BOOL: return DT_BOOL;
	case ARG_INT: return a->n < INT32_MIN || a->n > INT32_MAX ? DT_INT64 : DT_INT32;
	case ARG_BIGUINT: return DT_UINT64;
	case ARG_FLOAT: return DT_FLOAT32;
	}
	return DT_COMPLEX64;
}

capi_handle scalar_array(PyObject *o, int dtype) {
	capi_arg a;
	int no = scalar_arg(o, &a);
	if (no) {
		if (no > 0) PyErr_Format(PyExc_TypeError, "[array] %R is not a scalar", o);
		return 0;
	}
	if (dtype < 0) dtype = dtype_of_scalar(&a);
	uint64_t bits = 0;
	store_element(&bits, dtype, &a);
	return goConstant(dtype, bits, CALLER);
}

/* ---- nested lists ---- */

typedef struct {
	int64_t shape[CAPI_MAXDIM];
	int ndim;     /* -1 until the first leaf is met */
	int has_bool, has_int, has_float, has_complex;
	int wide;     /* an integer beyond int32 */
	int above;    /* an integer beyond int64 */
	int negative;
	int arrays;   /* some leaf is an array: the list is stacked instead */
} scan;

static PyObject *element(PyObject *seq, int list, Py_ssize_t i) {
	return list ? PyList_GetItem(seq, i) : PyTuple_GetItem(seq, i);
}

static int bad_leaf(PyObject *o) {
	PyErr_Format(o == Py_None ? PyExc_TypeError : PyExc_ValueError,
		"[array] cannot make an array from %R: use numbers, arrays or nested lists of them", (PyObject *)Py_TYPE(o));
	return -1;
}

static int scan_leaf(PyObject *o, scan *s) {
	if (PyFloat_Check(o)) s->has_float = 1;
	else if (PyBool_Check(o)) s->has_bool = 1;
	else if (PyLong_Check(o)) {
		int overflow;
		long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
		s->has_int = 1;
		s->wide |= overflow || v < INT32_MIN || v > INT32_MAX;
		s->above |= overflow;
		s->negative |= overflow < 0 || (!overflow && v < 0);
	} else if (PyComplex_Check(o)) s->has_complex = 1;
	else return 1;
	return 0;
}

static int changed(void) {
	PyErr_SetString(PyExc_RuntimeError, "[array] a list changed while it was being read");
	return -1;
}

static int uneven(int axis) {
	PyErr_Format(PyExc_ValueError,
		"[array] lists of different depths cannot make an array: along axis %d there are numbers beside lists", axis);
	return -1;
}

/* Finds shape and kinds; 0, or -1 with an exception. */
static int scan_list(PyObject *seq, int axis, scan *s) {
	int list = PyList_Check(seq);
	Py_ssize_t n = list ? PyList_Size(seq) : PyTuple_Size(seq);
	if (axis == CAPI_MAXDIM) {
		PyErr_Format(PyExc_ValueError, "[array] lists are nested deeper than %d levels", CAPI_MAXDIM);
		return -1;
	}
	if (s->ndim < 0 || axis < s->ndim) {
		if (s->ndim < 0) s->shape[axis] = n;
		else if (s->shape[axis] != n) {
			PyErr_Format(PyExc_ValueError,
				"[array] lists of different lengths cannot make an array: along axis %d there are some of %lld "
				"and of %zd elements", axis, (long long)s->shape[axis], n);
			return -1;
		}
	} else {
		return uneven(axis - 1);
	}
	if (n == 0 && s->ndim < 0) s->ndim = axis + 1;
	for (Py_ssize_t i = 0; i < n; i++) {
		if ((i & (POLL_ELEMENTS - 1)) == POLL_ELEMENTS - 1 && look_for_signals() < 0) return -1;
		PyObject *o = element(seq, list, i);
		if (!o) return changed();
		if (PyList_Check(o) || PyTuple_Check(o)) {
			Py_INCREF(o); /* code that runs on the way may drop it from the list */
			int r = scan_list(o, axis + 1, s);
			Py_DECREF(o);
			if (r < 0) return -1;
			if (s->arrays) return 0;
			continue;
		}
		int other = scan_leaf(o, s);
		if (other) {
			Py_INCREF(o);
			int arrays = is_array(o) || array_like(o);
			if (arrays) s->arrays = 1;
			else bad_leaf(o);
			Py_DECREF(o);
			return arrays ? 0 : -1;
		}
		if (s->ndim < 0) s->ndim = axis + 1;
		else if (s->ndim != axis + 1) return uneven(axis);
	}
	return 0;
}

static int fill_list(PyObject *seq, int axis, const scan *s, int dtype, char **at) {
	int list = PyList_Check(seq), size = dtype_sizes[dtype];
	Py_ssize_t n = s->shape[axis];
	if ((list ? PyList_Size(seq) : PyTuple_Size(seq)) != n) return changed();
	if (axis + 1 < s->ndim) {
		for (Py_ssize_t i = 0; i < n; i++) {
			PyObject *o = element(seq, list, i);
			if (!o || !(PyList_Check(o) || PyTuple_Check(o))) return changed();
			Py_INCREF(o);
			int r = fill_list(o, axis + 1, s, dtype, at);
			Py_DECREF(o);
			if (r < 0) return -1;
		}
		return 0;
	}
	char *p = *at;
	for (Py_ssize_t i = 0; i < n; i++, p += size) {
		if ((i & (POLL_ELEMENTS - 1)) == POLL_ELEMENTS - 1 && look_for_signals() < 0) return -1;
		PyObject *o = element(seq, list, i);
		if (!o) return changed();
		if (dtype == DT_FLOAT32 && PyFloat_CheckExact(o)) {
			*(float *)p = (float)PyFloat_AsDouble(o);
			continue;
		}
		capi_arg v;
		int no = scalar_arg(o, &v);
		if (no) return no < 0 ? -1 : changed();
		store_element(p, dtype, &v);
	}
	*at = p;
	return 0;
}

/* Elements are arrays or lists of them: convert each, then stack. */
static capi_handle stack_list(PyObject *seq, int dtype) {
	int list = PyList_Check(seq);
	Py_ssize_t n = list ? PyList_Size(seq) : PyTuple_Size(seq);
	uint32_t *ids = malloc((n + 1) * sizeof *ids);
	Py_ssize_t k = 0;
	capi_handle h = 0;
	if (!ids) {
		PyErr_NoMemory();
		return 0;
	}
	for (; k < n; k++) {
		PyObject *o = element(seq, list, k);
		if (!o) break;
		Py_INCREF(o);
		capi_handle x = to_array(o, -1);
		Py_DECREF(o);
		if (!x) break;
		ids[k] = (uint32_t)x;
	}
	int now = 0;
	if (k == n) h = goStack(ids, n, dtype, &now, CALLER);
	if (h && now) h = evaluated(h);
	for (Py_ssize_t i = 0; i < k; i++) queue_free(ids[i], 0);
	free(ids);
	return h;
}

static capi_handle from_list(PyObject *seq, int dtype) {
	scan s;
	memset(&s, 0, sizeof s);
	s.ndim = -1;
	if (scan_list(seq, 0, &s) < 0) return 0;
	if (s.arrays) {
		if (Py_EnterRecursiveCall(" in mlx_go.core.array")) return 0;
		capi_handle h = stack_list(seq, dtype);
		Py_LeaveRecursiveCall();
		return h;
	}
	if (dtype < 0) {
		if (s.has_complex) dtype = DT_COMPLEX64;
		else if (s.has_float) dtype = DT_FLOAT32;
		else if (s.has_int) dtype = s.above && !s.negative ? DT_UINT64 : s.wide ? DT_INT64 : DT_INT32;
		else dtype = s.has_bool ? DT_BOOL : DT_FLOAT32;
	}
	if (s.above && dtype == DT_INT64) {
		PyErr_SetString(PyExc_OverflowError, "[array] an integer fits neither int64 nor uint64");
		return 0;
	}
	capi_empty made = goEmpty(dtype, s.ndim, s.shape, CALLER);
	capi_handle h = made.handle;
	if (!h) return 0;
	char *at = made.data;
	if (at && fill_list(seq, 0, &s, dtype, &at) < 0) {
		queue_free((uint32_t)h, (uint32_t)(h >> 32));
		return 0;
	}
	return h;
}

capi_handle to_array(PyObject *o, int dtype) {
	if (is_array(o)) return dtype < 0 ? goHold(ID(o)) : goAsType(ID(o), dtype, CALLER);
	if (PyList_Check(o) || PyTuple_Check(o)) return from_list(o, dtype);
	if (PyFloat_Check(o) || PyLong_Check(o) || PyComplex_Check(o)) return scalar_array(o, dtype);
	if (array_like(o)) return from_array_like(o, dtype, -1);
	if (Py_TYPE(o) == &PyRange_Type) {
		PyObject *list = PySequence_List(o);
		capi_handle h = list ? from_list(list, dtype) : 0;
		Py_XDECREF(list);
		return h;
	}
	bad_leaf(o);
	return 0;
}

static int array_arguments(PyObject *args, PyObject *kwargs, PyObject **val, PyObject **dtype) {
	static char *names[] = {"val", "dtype", NULL};
	return PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:array", names, val, dtype);
}

/* Pickles call array.__new__ without arguments, and __setstate__ next. */
static int no_arguments(PyObject *args, PyObject *kwargs) {
	return PyTuple_Size(args) == 0 && (!kwargs || PyDict_Size(kwargs) == 0);
}

PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
	(void)type;
	GUARD(NULL);
	PyObject *val, *dtype = Py_None;
	if (no_arguments(args, kwargs)) {
		int64_t none = 0;
		return wrap(goEmpty(DT_FLOAT32, 1, &none, CALLER).handle);
	}
	if (!array_arguments(args, kwargs, &val, &dtype)) return NULL;
	if (dtype != Py_None && Py_TYPE(dtype) != Dtype_Type) {
		PyErr_Format(PyExc_TypeError,
			"array(): argument 'dtype' must be a Dtype such as mx.float32 or None, not %R", dtype);
		return NULL;
	}
	int wanted = dtype == Py_None ? -1 : dtype_of(dtype);
	if (is_array(val)) return copy_array(val, wanted);
	return wrap(!is_scalar(val) && array_like(val) ? from_array_like(val, wanted, 1) : to_array(val, wanted));
}

int array_init(PyObject *self, PyObject *args, PyObject *kwargs) {
	(void)self;
	PyObject *val, *dtype;
	return no_arguments(args, kwargs) && !array_arguments(args, kwargs, &val, &dtype) ? -1 : 0;
}
