/* Elements as Python values: item, tolist, int(), float(), bool() and their kin. */
#include "facts.h"

typedef union {
	uint32_t u;
	float f;
} bits32;

float half_to_float(uint16_t h) {
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff;
	bits32 b;
	if (e == 0) {
		b.f = (float)m * 0x1p-24f;
		b.u |= sign;
	} else if (e == 31) {
		b.u = sign | 0x7f800000 | m << 13;
	} else {
		b.u = sign | (e + 112) << 23 | m << 13;
	}
	return b.f;
}

/* Rounds to nearest, ties to even. */
uint16_t float_to_half(float f) {
	bits32 b = {.f = f};
	uint16_t sign = b.u >> 16 & 0x8000;
	b.u &= 0x7fffffff;
	if (b.u > 0x7f800000) return sign | 0x7e00;
	if (b.u >= 0x47800000) return sign | 0x7c00;
	if (b.u < 0x38800000) { /* subnormal: adding a half aligns the mantissa, and the addition rounds */
		b.f += 0.5f;
		return sign | (uint16_t)(b.u - 0x3f000000);
	}
	return sign | (uint16_t)((b.u - 0x38000000 + 0xfff + (b.u >> 13 & 1)) >> 13);
}

uint16_t float_to_bfloat(float f) {
	bits32 b = {.f = f};
	if (f != f) return (uint16_t)(b.u >> 16) | 0x40;
	return (uint16_t)((b.u + 0x7fff + (b.u >> 16 & 1)) >> 16);
}

static float bfloat_to_float(uint16_t h) {
	bits32 b = {.u = (uint32_t)h << 16};
	return b.f;
}

PyObject *load_element(const void *at, int dtype) {
	switch (dtype) {
	case DT_BOOL: return PyBool_FromLong(*(const uint8_t *)at != 0);
	case DT_UINT8: return PyLong_FromLong(*(const uint8_t *)at);
	case DT_UINT16: return PyLong_FromLong(*(const uint16_t *)at);
	case DT_UINT32: return PyLong_FromUnsignedLongLong(*(const uint32_t *)at);
	case DT_UINT64: return PyLong_FromUnsignedLongLong(*(const uint64_t *)at);
	case DT_INT8: return PyLong_FromLong(*(const int8_t *)at);
	case DT_INT16: return PyLong_FromLong(*(const int16_t *)at);
	case DT_INT32: return PyLong_FromLong(*(const int32_t *)at);
	case DT_INT64: return PyLong_FromLongLong(*(const int64_t *)at);
	case DT_FLOAT16: return PyFloat_FromDouble(half_to_float(*(const uint16_t *)at));
	case DT_FLOAT32: return PyFloat_FromDouble(*(const float *)at);
	case DT_FLOAT64: return PyFloat_FromDouble(*(const double *)at);
	case DT_BFLOAT16: return PyFloat_FromDouble(bfloat_to_float(*(const uint16_t *)at));
	case DT_COMPLEX64: return PyComplex_FromDoubles(((const float *)at)[0], ((const float *)at)[1]);
	}
	PyErr_SetString(PyExc_RuntimeError, "mlx_go: internal error: unknown dtype");
	return NULL;
}

static PyObject *scalar_of(PyObject *self, const char *what) {
	GUARD(NULL);
	NOTE(SEEN_SIZE, self);
	int64_t size = array_size(self);
	if (size < 0) return NULL;
	if (size != 1) {
		PyObject *t = PyObject_GetAttrString(self, "shape");
		if (t)
			PyErr_Format(PyExc_ValueError,
				"[%s] only arrays with one element can be converted to Python scalars, not shape %R", what, t);
		Py_XDECREF(t);
		return NULL;
	}
	const void *data = array_data(self);
	if (data) return load_element(data, array_dtype(self));
	capi_info info;
	if (ready_info(self, &info) < 0) return NULL;
	return load_element(info.data, info.dtype);
}

PyObject *array_item(PyObject *self, PyObject *unused) {
	(void)unused;
	return scalar_of(self, "item");
}

static PyObject *list_of(const capi_info *a, int axis, const char *at) {
	if (axis == a->ndim) return load_element(at, a->dtype);
	int64_t n = a->shape[axis], step = a->strides[axis] * dtype_sizes[a->dtype];
	PyObject *list = PyList_New(n);
	if (!list) return NULL;
	int last = axis + 1 == a->ndim;
	for (int64_t i = 0; i < n; i++, at += step) {
		if ((i & (last ? POLL_ELEMENTS - 1 : 1023)) == 1023 && look_for_signals() < 0) {
			Py_DECREF(list);
			return NULL;
		}
		PyObject *x = !last ? list_of(a, axis + 1, at)
			: a->dtype == DT_FLOAT32 ? PyFloat_FromDouble(*(const float *)at) : load_element(at, a->dtype);
		if (!x) {
			Py_DECREF(list);
			return NULL;
		}
		PyList_SetItem(list, i, x);
	}
	return list;
}

PyObject *array_tolist(PyObject *self, PyObject *unused) {
	(void)unused;
	GUARD(NULL);
	capi_info info;
	/*
	 * Building Python objects may run other code that gives the array object a new node: copy its elements, or hold it.
	 */
	enum { FEW = 64 };
	if (array_ndim(self) == 1 && array_data(self) && facts_of(self)->dims[0] <= FEW) {
		uint64_t few[FEW];
		if (goInfo(ID(self), &info, CALLER) != 0) return NULL; /* its elements are there */
		int size = dtype_sizes[info.dtype];
		for (int64_t i = 0; i < info.size; i++)
			memcpy((char *)few + i * size, (const char *)info.data + i * info.strides[0] * size, size);
		info.strides[0] = 1;
		return list_of(&info, 0, (const char *)few);
	}
	PyObject *hold = wrap(goHold(ID(self)));
	if (!hold) return NULL;
	PyObject *list = ready_info(hold, &info) < 0 ? NULL : list_of(&info, 0, info.data);
	Py_DECREF(hold);
	return list;
}

static PyObject *array_int(PyObject *self) {
	PyObject *x = scalar_of(self, "int"), *r = NULL;
	if (x) r = PyNumber_Long(x);
	Py_XDECREF(x);
	return r;
}

static PyObject *array_float(PyObject *self) {
	PyObject *x = scalar_of(self, "float"), *r = NULL;
	if (x) r = PyNumber_Float(x);
	Py_XDECREF(x);
	return r;
}

static PyObject *array_index(PyObject *self) {
	GUARD(NULL);
	NOTE(SEEN_RANK, self);
	int dtype = array_dtype(self), ndim = array_ndim(self);
	if (ndim != 0 || dtype < DT_UINT8 || dtype > DT_INT64) {
		PyErr_Format(PyExc_TypeError,
			"[index] only integer arrays without axes can be used as an index, not dtype %s with %d axes",
			dtype_names[dtype], ndim);
		return NULL;
	}
	return scalar_of(self, "index");
}

static int array_bool(PyObject *self) {
	PyObject *x = scalar_of(self, "bool");
	if (!x) return -1;
	int r = PyObject_IsTrue(x);
	Py_DECREF(x);
	return r;
}

PyType_Slot scalar_slots[] = {{Py_nb_int, array_int}, {Py_nb_float, array_float}, {Py_nb_index, array_index},
	{Py_nb_bool, array_bool}, {0, NULL}};
