/* The array object: a handle to a node that Go owns. */
#include "facts.h"

PyTypeObject *Array_Type, *ArrayIterator_Type;
const capi_facts *facts_pages[FACTS_PAGES];

PyObject *wrap_id(uint32_t id, uint32_t kb) {
	Array *a = PyObject_New(Array, Array_Type);
	if (!a) {
		queue_free(id, kb);
		return NULL;
	}
	a->id = id;
	a->kb = kb;
	a->weakrefs = NULL;
	give_back();
	return (PyObject *)a;
}

void set_node(PyObject *self, capi_handle h) {
	Array *a = (Array *)self;
	uint32_t id = a->id, kb = a->kb;
	a->id = (uint32_t)h;
	a->kb = (uint32_t)(h >> 32);
	queue_free(id, kb);
}

PyObject *wrap(capi_handle h) {
	if (__builtin_expect(h == 0, 0)) return NULL;
	return wrap_id((uint32_t)h, (uint32_t)(h >> 32));
}

PyObject *wrap_many(capi_ids *ids, int kind) {
	const capi_handle *at = ids->more ? ids->more : ids->few;
	PyObject *result = NULL;
	int single = kind == RETURN_ARRAY || (ids->n == 1 &&
		(kind == RETURN_ARRAY_OR_LIST || kind == RETURN_ARRAY_OR_TUPLE));
	Py_ssize_t done = 0;
	if (kind == RETURN_NONE) {
		result = Py_NewRef(Py_None);
	} else if (single && ids->n == 1) {
		result = wrap(*at);
		done = 1;
	} else if (single) {
		PyErr_SetString(PyExc_RuntimeError, "mlx_go: internal error: a function did not give exactly one array");
	} else {
		int list = kind == RETURN_LIST || kind == RETURN_ARRAY_OR_LIST;
		result = list ? PyList_New(ids->n) : PyTuple_New(ids->n);
		while (result && done < ids->n) {
			PyObject *a = wrap(at[done++]);
			if (!a) {
				Py_CLEAR(result);
				break;
			}
			if (list) PyList_SetItem(result, done - 1, a);
			else PyTuple_SetItem(result, done - 1, a);
		}
	}
	for (; done < ids->n; done++) queue_free((uint32_t)at[done], (uint32_t)(at[done] >> 32));
	free(ids->more);
	ids->more = NULL;
	return result;
}

static void array_dealloc(PyObject *self) {
	Array *a = (Array *)self;
	PyTypeObject *type = Py_TYPE(self);
	if (a->weakrefs) PyObject_ClearWeakRefs(self);
	queue_free(a->id, a->kb);
	PyObject_Free(self);
	Py_DECREF(type);
	give_back();
}

enum { TEXT_PART = 1 << 20 }; /* is written between two looks at signals */

/* The text, in memory of malloc, or NULL with an exception. */
static char *read_text(uint32_t number, int64_t *size) {
	int64_t n = 0, cap = 4096, want, got;
	char *text = malloc(cap);
	while (text) {
		want = cap - n < TEXT_PART ? cap - n : TEXT_PART;
		/* most texts are short, and over sooner than the GIL is back */
		PyThreadState *others = n ? PyEval_SaveThread() : NULL;
		got = goTextNext(number, text + n, want);
		if (others) PyEval_RestoreThread(others);
		*size = n += got;
		if (got < want) return text;
		if (look_for_signals() < 0) {
			free(text);
			return NULL;
		}
		if (n < cap) continue;
		char *grown = realloc(text, cap *= 2);
		if (!grown) free(text);
		text = grown;
	}
	PyErr_NoMemory();
	return NULL;
}

static PyObject *array_repr(PyObject *self) {
	GUARD(NULL);
	if (ensure_ready(&ID(self), 1) < 0) return NULL;
	uint32_t number = goText(ID(self));
	if (!number) return NULL;
	int64_t n = 0;
	char *text = read_text(number, &n);
	goTextEnd(number);
	PyObject *s = text ? PyUnicode_DecodeUTF8(text, n, "replace") : NULL;
	free(text);
	return s;
}

static Py_hash_t array_hash(PyObject *self) {
	/* By identity: objects are 16-byte aligned, so the low bits carry nothing. */
	return (Py_hash_t)((uintptr_t)self >> 4);
}

/* ---- properties ---- */

static PyObject *get_shape(PyObject *self, void *unused) {
	(void)unused;
	GUARD(NULL);
	int64_t shape[CAPI_MAXDIM];
	NOTE(SEEN_SHAPE, self);
	int n = array_shape(self, shape);
	if (n < 0) return NULL;
	PyObject *t = PyTuple_New(n);
	for (int i = 0; t && i < n; i++) {
		PyObject *d = PyLong_FromLongLong(shape[i]);
		if (!d) Py_CLEAR(t);
		else PyTuple_SetItem(t, i, d);
	}
	return t;
}

enum { META_DTYPE, META_NDIM, META_SIZE, META_ITEMSIZE, META_NBYTES };

static PyObject *get_meta(PyObject *self, void *which) {
	GUARD(NULL);
	int dtype = array_dtype(self);
	int64_t n;
	switch ((intptr_t)which) {
	case META_DTYPE: return Py_NewRef(Dtypes[dtype]);
	case META_NDIM: NOTE(SEEN_RANK, self); return PyLong_FromLong(array_ndim(self));
	case META_ITEMSIZE: return PyLong_FromLong(dtype_sizes[dtype]);
	}
	NOTE(SEEN_SIZE, self);
	if ((n = array_size(self)) < 0) return NULL;
	return PyLong_FromLongLong((intptr_t)which == META_NBYTES ? n * dtype_sizes[dtype] : n);
}

enum { VIEW_T, VIEW_MT, VIEW_REAL, VIEW_IMAG };

static PyObject *get_view(PyObject *self, void *which) {
	GUARD(NULL);
	return wrap(goView(ID(self), (int)(intptr_t)which, CALLER));
}

static PyObject *get_at(PyObject *self, void *unused) {
	(void)unused;
	GUARD(NULL);
	PyObject **class = &own()->at_class;
	if (!*class) {
		PyObject *core = PyImport_ImportModule("mlx_go.core");
		if (!core) return NULL;
		*class = PyObject_GetAttrString(core, "ArrayAt");
		Py_DECREF(core);
		if (!*class) return NULL;
	}
	return PyObject_CallFunctionObjArgs(*class, self, NULL);
}

static PyGetSetDef getset[] = {
	{"shape", get_shape, NULL, "The extent along each axis, a tuple of ints.", NULL},
	{"dtype", get_meta, NULL, "The type of the elements.", (void *)META_DTYPE},
	{"ndim", get_meta, NULL, "Number of axes.", (void *)META_NDIM},
	{"size", get_meta, NULL, "Number of elements.", (void *)META_SIZE},
	{"itemsize", get_meta, NULL, "Size of one element in bytes.", (void *)META_ITEMSIZE},
	{"nbytes", get_meta, NULL, "Size of all elements in bytes.", (void *)META_NBYTES},
	{"T", get_view, NULL, "The array with its axes in reverse order.", (void *)VIEW_T},
	{"mT", get_view, NULL, "The array with its last two axes swapped.", (void *)VIEW_MT},
	{"real", get_view, NULL, "The real part.", (void *)VIEW_REAL},
	{"imag", get_view, NULL, "The imaginary part.", (void *)VIEW_IMAG},
	{"at", get_at, NULL,
		"Updates of parts of the array that accumulate over repeated indices: ``a.at[idx].add(x)``.", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
	{"__weaklistoffset__", T_PYSSIZET, offsetof(Array, weakrefs), READONLY, NULL},
	{NULL, 0, 0, 0, NULL},
};

/* ---- copying and pickling ---- */

static PyObject *array_copy(PyObject *self, PyObject *unused) {
	(void)unused;
	GUARD(NULL);
	return copy_array(self, -1);
}

static PyObject *array_bytes(PyObject *self, PyObject *unused) {
	(void)unused;
	GUARD(NULL);
	capi_handle h = goContiguous(ID(self), CALLER);
	PyObject *flat = wrap(h), *bytes = NULL;
	capi_info info;
	if (flat && ready_info(flat, &info) == 0) {
		int64_t n = info.size * dtype_sizes[info.dtype];
		bytes = PyBytes_FromStringAndSize(NULL, n);
		if (bytes && copy_bytes(PyBytes_AsString(bytes), info.data, n) < 0) Py_CLEAR(bytes);
	}
	Py_XDECREF(flat);
	return bytes;
}

static PyObject *array_getstate(PyObject *self, PyObject *unused) {
	(void)unused;
	GUARD(NULL);
	PyObject *bytes = array_bytes(self, NULL), *state = NULL;
	if (!bytes) return NULL;
	PyObject *shape = get_shape(self, NULL), *dtype = shape ? get_meta(self, (void *)META_DTYPE) : NULL;
	if (dtype) state = PyTuple_Pack(3, bytes, shape, dtype);
	Py_DECREF(bytes);
	Py_XDECREF(shape);
	Py_XDECREF(dtype);
	return state;
}

/*
 * The state of arrays that MLX pickled: their values for NumPy, bfloat16 as uint16, and the number of the dtype, which
 * is ours.
 */
static capi_handle from_mlx_state(PyObject *state) {
	PyObject *values;
	int dtype;
	if (!PyArg_ParseTuple(state, "Oi:array", &values, &dtype)) return 0;
	if (dtype < 0 || dtype >= DT_COUNT) {
		PyErr_Format(PyExc_ValueError, "[array] no dtype has the number %d", dtype);
		return 0;
	}
	if (dtype != DT_BFLOAT16) return to_array(values, dtype);
	PyObject *bits = wrap(to_array(values, -1)), *a = NULL;
	if (bits && array_dtype(bits) == DT_UINT16) a = PyObject_CallMethod(bits, "view", "O", Dtypes[DT_BFLOAT16]);
	else if (bits) PyErr_SetString(PyExc_ValueError, "[array] the values of a pickled bfloat16 array are uint16");
	Py_XDECREF(bits);
	if (!a) return 0;
	capi_handle h = goHold(ID(a));
	Py_DECREF(a);
	return h;
}

static capi_handle from_state(PyObject *state) {
	if (PyTuple_Check(state) && PyTuple_Size(state) == 2) return from_mlx_state(state);
	PyObject *bytes, *shape, *dtype;
	if (!PyTuple_Check(state) || !PyArg_ParseTuple(state, "OOO", &bytes, &shape, &dtype)) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "[array] the state of a pickled array is a tuple (bytes, shape, dtype)");
		return 0;
	}
	if (!PyBytes_Check(bytes) || !PyTuple_Check(shape) || Py_TYPE(dtype) != Dtype_Type) {
		PyErr_SetString(PyExc_TypeError, "[array] the state of a pickled array is a tuple (bytes, shape, dtype)");
		return 0;
	}
	Py_ssize_t n = PyTuple_Size(shape);
	if (n > CAPI_MAXDIM) {
		PyErr_SetString(PyExc_ValueError, "[array] the pickled array has too many axes");
		return 0;
	}
	int own = dtype_of(dtype), fits = 1, empty = 0;
	foreign_memory m = {.data = PyBytes_AsString(bytes), .dtype = own, .ndim = (int)n, .itemsize = dtype_sizes[own]};
	int64_t size = m.itemsize;
	for (Py_ssize_t i = n - 1; i >= 0; i--) {
		m.shape[i] = PyLong_AsLongLong(PyTuple_GetItem(shape, i));
		if (m.shape[i] == -1 && PyErr_Occurred()) return 0;
		m.strides[i] = size;
		empty |= m.shape[i] == 0;
		fits &= m.shape[i] >= 0 && !__builtin_mul_overflow(size, m.shape[i], &size);
	}
	if ((empty ? 0 : fits ? size : -1) == PyBytes_Size(bytes)) return import_memory(&m, NULL, own, 1, "array");
	PyErr_Format(PyExc_ValueError, "[array] %zd bytes cannot fill an array of shape %R and dtype %s",
		PyBytes_Size(bytes), shape, dtype_names[own]);
	return 0;
}

static PyObject *array_setstate(PyObject *self, PyObject *state) {
	GUARD(NULL);
	capi_handle h = from_state(state);
	if (!h) return NULL;
	set_node(self, h);
	Py_RETURN_NONE;
}

static PyObject *array_rebuild(PyObject *module, PyObject *state) {
	(void)module;
	GUARD(NULL);
	return wrap(from_state(state));
}

static PyObject *array_reduce(PyObject *self, PyObject *unused) {
	(void)unused;
	GUARD(NULL);
	PyObject *state = array_getstate(self, NULL);
	if (!state) return NULL;
	PyObject *core = PyImport_ImportModule("mlx_go._core");
	PyObject *make = core ? PyObject_GetAttrString(core, "_rebuild") : NULL, *result = NULL;
	if (make) {
		PyObject *args = PyTuple_Pack(1, state);
		if (args) result = PyTuple_Pack(2, make, args);
		Py_XDECREF(args);
	}
	Py_DECREF(state);
	Py_XDECREF(core);
	Py_XDECREF(make);
	return result;
}

static PyObject *array_format(PyObject *self, PyObject *spec) {
	GUARD(NULL);
	if (!PyUnicode_Check(spec)) {
		PyErr_SetString(PyExc_TypeError, "format_spec must be a string");
		return NULL;
	}
	NOTE(SEEN_RANK, self);
	if (array_ndim(self) > 0) {
		if (PyUnicode_GetLength(spec) == 0) return array_repr(self);
		PyErr_SetString(PyExc_TypeError,
			"unsupported format string passed to mx.array.__format__: only arrays without axes take one");
		return NULL;
	}
	PyObject *item = array_item(self, NULL), *s = NULL;
	if (item) s = PyObject_Format(item, spec);
	Py_XDECREF(item);
	return s;
}

static PyObject *array_namespace(PyObject *self, PyObject *args, PyObject *kwargs) {
	(void)self;
	static char *names[] = {"api_version", NULL};
	PyObject *version = Py_None;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__array_namespace__", names, &version)) return NULL;
	if (version != Py_None) {
		PyErr_SetString(PyExc_ValueError, "[__array_namespace__] a chosen api_version is not supported, only None");
		return NULL;
	}
	return PyImport_ImportModule("mlx_go.core");
}

static PyObject *array_complex(PyObject *self, PyObject *unused) {
	PyObject *x = array_item(self, unused);
	if (!x || PyComplex_Check(x)) return x;
	PyObject *f = PyNumber_Float(x);
	Py_DECREF(x);
	if (!f) return NULL;
	x = PyComplex_FromDoubles(PyFloat_AsDouble(f), 0);
	Py_DECREF(f);
	return x;
}

static PyObject *array_div(PyObject *self, PyObject *other) { return PyNumber_TrueDivide(self, other); }
static PyObject *array_rdiv(PyObject *self, PyObject *other) { return PyNumber_TrueDivide(other, self); }

static PyMethodDef own_methods[] = {
	{"__complex__", array_complex, METH_NOARGS, NULL},
	{"__div__", array_div, METH_O, NULL},
	{"__rdiv__", array_rdiv, METH_O, NULL},
	{"item", array_item, METH_NOARGS,
		"item($self)\n--\n\nThe value of an array with one element as a Python scalar; it is evaluated."},
	{"tolist", array_tolist, METH_NOARGS,
		"tolist($self)\n--\n\nThe array as nested lists of Python scalars; it is evaluated."},
	{"__copy__", array_copy, METH_NOARGS, NULL},
	{"__deepcopy__", array_copy, METH_O, "__deepcopy__($self, memo, /)\n--\n\n"},
	{"__bytes__", array_bytes, METH_NOARGS, "The elements in row-major order."},
	{"__getstate__", array_getstate, METH_NOARGS, NULL},
	{"__setstate__", array_setstate, METH_O, NULL},
	{"__reduce__", array_reduce, METH_NOARGS, NULL},
	{"__format__", array_format, METH_O, NULL},
	{"__array_namespace__", (PyCFunction)(void *)array_namespace, METH_VARARGS | METH_KEYWORDS,
		"__array_namespace__($self, api_version=None)\n--\n\n"
		"The module whose functions work on the array (Python array API standard)."},
};

static PyMethodDef rebuild_method = {"_rebuild", array_rebuild, METH_O, NULL};

/* ---- iteration ---- */

typedef struct {
	PyObject ob_base;
	PyObject *array;
	int64_t next, length;
} Iterator;

static PyObject *array_iter(PyObject *self) {
	GUARD(NULL);
	int64_t shape[CAPI_MAXDIM];
	NOTE(SEEN_LENGTH, self);
	int n = array_shape(self, shape);
	if (n < 0) return NULL;
	if (n == 0) {
		PyErr_SetString(PyExc_TypeError, "iter() 0-dimensional array.");
		return NULL;
	}
	Iterator *it = PyObject_New(Iterator, ArrayIterator_Type);
	if (!it) return NULL;
	/* Rows of the array as it is now: assignment and in-place operators give the Python object a new node. */
	it->array = wrap(goHold(ID(self)));
	it->next = 0;
	it->length = shape[0];
	if (!it->array) {
		Py_DECREF(it);
		return NULL;
	}
	return (PyObject *)it;
}

static PyObject *iterator_next(PyObject *self) {
	GUARD(NULL);
	Iterator *it = (Iterator *)self;
	if (it->next >= it->length) return NULL;
	return wrap(goIndexInt(ID(it->array), it->next++, CALLER));
}

static PyObject *iterator_length(PyObject *self, PyObject *unused) {
	(void)unused;
	return PyLong_FromLongLong(((Iterator *)self)->length - ((Iterator *)self)->next);
}

static void iterator_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	Py_XDECREF(((Iterator *)self)->array);
	PyObject_Free(self);
	Py_DECREF(type);
}

/* ---- the types ---- */

static int append(PyType_Slot *slots, int n, const PyType_Slot *more) {
	for (; more->slot; more++) slots[n++] = *more;
	return n;
}

static int append_methods(PyMethodDef *to, int n, const PyMethodDef *more) {
	for (; more->ml_name; more++) to[n++] = *more;
	return n;
}

int add_array_types(PyObject *module, const capi_func *funcs, int count) {
	/* The methods of array: its own, and the table's functions that are also methods. */
	static PyMethodDef *methods;
	int n = 0;
	if (!methods) {
		methods = calloc(count + 64, sizeof *methods);
		if (!methods) {
			PyErr_NoMemory();
			return -1;
		}
		for (size_t i = 0; i < sizeof own_methods / sizeof *own_methods; i++) methods[n++] = own_methods[i];
		n = append_methods(methods, n, buffer_methods);
		n = append_methods(methods, n, dlpack_methods);
		n = append_methods(methods, n, operator_methods);
		for (int i = 0; i < count; i++)
			if (funcs[i].method)
				methods[n++] = (PyMethodDef){funcs[i].base, (PyCFunction)(void *)trampolines[i],
					METH_FASTCALL | METH_KEYWORDS, funcs[i].method_doc};
	}
	static PyType_Slot slots[96];
	PyType_Slot first[] = {
		{Py_tp_new, array_new}, {Py_tp_init, array_init}, {Py_tp_dealloc, array_dealloc}, {Py_tp_repr, array_repr},
		{Py_tp_hash, array_hash}, {Py_tp_richcompare, array_richcompare}, {Py_tp_iter, array_iter},
		{Py_tp_getset, getset}, {Py_tp_members, members},
		{Py_tp_methods, methods},
		{Py_tp_doc, "array(val, dtype=None)\n--\n\nAn N-dimensional array, evaluated when its values are needed.\n\n"
			"``val`` is a scalar, a list or tuple (nested), an array, or anything that exports the buffer protocol, "
			"DLPack or ``__array__``."},
		{0, NULL}};
	int k = append(slots, 0, first);
	k = append(slots, k, operator_slots);
	k = append(slots, k, scalar_slots);
	k = append(slots, k, index_slots);
	append(slots, k, buffer_slots);
	/* Not a base type: operators test for this exact type. */
	static PyType_Spec spec = {"mlx_go.core.array", sizeof(Array), 0, Py_TPFLAGS_DEFAULT, slots};
	Array_Type = (PyTypeObject *)PyType_FromSpec(&spec);
	if (!Array_Type || PyModule_AddObjectRef(module, "array", (PyObject *)Array_Type) < 0) return -1;

	static PyMethodDef iterator_methods[] = {
		{"__length_hint__", iterator_length, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
	static PyType_Slot iterator_slots[] = {
		{Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, iterator_next}, {Py_tp_dealloc, iterator_dealloc},
		{Py_tp_methods, iterator_methods}, {Py_tp_doc, "Iterator over the first axis of an array."}, {0, NULL}};
	static PyType_Spec iterator_spec = {"mlx_go.core.ArrayIterator", sizeof(Iterator), 0,
		Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, iterator_slots};
	ArrayIterator_Type = (PyTypeObject *)PyType_FromSpec(&iterator_spec);
	if (!ArrayIterator_Type || PyModule_AddObjectRef(module, "ArrayIterator", (PyObject *)ArrayIterator_Type) < 0)
		return -1;

	PyObject *name = PyUnicode_FromString("mlx_go._core"), *rebuild = PyCFunction_NewEx(&rebuild_method, module, name);
	Py_XDECREF(name);
	return rebuild ? PyModule_AddObject(module, "_rebuild", rebuild) : -1;
}
