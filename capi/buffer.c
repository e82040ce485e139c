/* Memory shared with others: the buffer protocol both ways, and array-like objects. */
#define _GNU_SOURCE
#include "facts.h"
#include <dlfcn.h>

/* In the stable ABI from 3.11 only, but every CPython has them. */
int (*get_buffer)(PyObject *, Py_buffer *, int);
void (*release_buffer)(Py_buffer *);
int (*check_buffer)(PyObject *);

void init_buffer(void) {
	get_buffer = (int (*)(PyObject *, Py_buffer *, int))dlsym(RTLD_DEFAULT, "PyObject_GetBuffer");
	release_buffer = (void (*)(Py_buffer *))dlsym(RTLD_DEFAULT, "PyBuffer_Release");
	check_buffer = (int (*)(PyObject *))dlsym(RTLD_DEFAULT, "PyObject_CheckBuffer");
	if (!get_buffer || !release_buffer) check_buffer = NULL;
}

static const char *const formats[DT_COUNT] = {"?", "B", "H", "I", "Q", "b", "h", "i", "q", "e", "f", "d", NULL, "Zf"};

enum { FORMAT_NONE = -1, FORMAT_COMPLEX128 = -2 };

int dtype_of_format(const char *f, Py_ssize_t itemsize) {
	if (!f) return itemsize == 1 ? DT_UINT8 : FORMAT_NONE;
	if (*f == '@' || *f == '=' || *f == '<' || (*f == '|' && itemsize == 1)) f++;
	if (strcmp(f, "bfloat16") == 0) return DT_BFLOAT16;
	if (*f == 'Z') return strcmp(f, "Zf") == 0 ? DT_COMPLEX64 : strcmp(f, "Zd") == 0 ? FORMAT_COMPLEX128 : FORMAT_NONE;
	if (!*f || f[1]) return FORMAT_NONE;
	int lg = itemsize == 1 ? 0 : itemsize == 2 ? 1 : itemsize == 4 ? 2 : itemsize == 8 ? 3 : -1;
	switch (*f) {
	case '?': return DT_BOOL;
	case 'e': return DT_FLOAT16;
	case 'f': return DT_FLOAT32;
	case 'd': return DT_FLOAT64;
	case 'c': return DT_UINT8;
	case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N': return lg < 0 ? FORMAT_NONE : DT_UINT8 + lg;
	case 'b': case 'h': case 'i': case 'l': case 'q': case 'n': return lg < 0 ? FORMAT_NONE : DT_INT8 + lg;
	}
	return FORMAT_NONE;
}

/* ---- export ---- */

typedef struct {
	uint32_t id; /* held: the memory outlives what the Python object does next */
	Py_ssize_t shape[CAPI_MAXDIM], strides[CAPI_MAXDIM];
} export;

static int contiguous(const capi_info *a, int column) {
	int64_t n = 1;
	for (int k = 0; k < a->ndim; k++) {
		int i = column ? k : a->ndim - 1 - k;
		if (a->shape[i] == 0) return 1;
		if (a->shape[i] != 1 && a->strides[i] != n) return 0;
		n *= a->shape[i];
	}
	return 1;
}

static int getbuffer(PyObject *self, Py_buffer *view, int flags) {
	view->obj = NULL;
	GUARD(-1);
	PyObject *a = wrap(goHold(ID(self)));
	capi_info info;
	if (!a || ready_info(a, &info) < 0) goto fail;
	if (info.dtype == DT_BFLOAT16) {
		/* PEP 3118 has no code for it. NumPy then asks __array__, which knows ml_dtypes. */
		PyErr_SetString(PyExc_BufferError, "[array] the buffer protocol has no bfloat16: view the array as uint16, or convert it with a.astype(mx.float32)");
		goto fail;
	}
	int row = contiguous(&info, 0);
	/* Whoever does not ask for strides gets row-major memory. */
	if (!row && ((flags & PyBUF_STRIDES) != PyBUF_STRIDES || (flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS ||
			((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && !contiguous(&info, 1)))) {
		if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && (flags & PyBUF_C_CONTIGUOUS) != PyBUF_C_CONTIGUOUS) {
			PyErr_SetString(PyExc_BufferError, "[array] the array is not laid out column by column");
			goto fail;
		}
		PyObject *flat = wrap(goContiguous(ID(a), FREES));
		Py_DECREF(a);
		a = flat;
		if (!a || ready_info(a, &info) < 0) goto fail;
	}
	export *e = malloc(sizeof *e);
	if (!e) {
		PyErr_NoMemory();
		goto fail;
	}
	int size = dtype_sizes[info.dtype];
	for (int i = 0; i < info.ndim; i++) {
		e->shape[i] = info.shape[i];
		e->strides[i] = info.strides[i] * size;
	}
	e->id = (uint32_t)goHold(ID(a));
	static char empty[8];
	view->buf = info.data ? info.data : empty;
	view->obj = Py_NewRef(self);
	view->len = info.size * size;
	view->itemsize = size;
	/* Writing through a buffer writes to every array that shares the memory, as the documentation says. */
	view->readonly = goReadOnly(ID(a));
	if (view->readonly && (flags & PyBUF_WRITABLE)) {
		PyErr_SetString(PyExc_BufferError, "[array] the array lies in read-only memory");
		queue_free(e->id, 0);
		free(e);
		Py_CLEAR(view->obj);
		goto fail;
	}
	view->ndim = info.ndim;
	view->format = flags & PyBUF_FORMAT ? (char *)formats[info.dtype] : NULL;
	view->shape = flags & PyBUF_ND ? e->shape : NULL;
	view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? e->strides : NULL;
	view->suboffsets = NULL;
	view->internal = e;
	Py_DECREF(a);
	return 0;
fail:
	Py_XDECREF(a);
	return -1;
}

static void releasebuffer(PyObject *self, Py_buffer *view) {
	(void)self;
	export *e = view->internal;
	queue_free(e->id, 0);
	free(e);
}

PyType_Slot buffer_slots[] = {{Py_bf_getbuffer, getbuffer}, {Py_bf_releasebuffer, releasebuffer}, {0, NULL}};

/* ---- import ---- */

#define LOAD_LOOP(T, EXPR)                                  \
	for (int64_t i = 0; i < n; i++, p += step, q += size) { \
		const T *v = (const T *)p;                          \
		EXPR;                                               \
	}

/* Copies n elements; wide types are narrowed on the way. */
static char *copy_run(char *q, const char *p, int64_t n, int64_t step, int size, int format) {
	if (format == FORMAT_COMPLEX128) LOAD_LOOP(double, (((float *)q)[0] = (float)v[0], ((float *)q)[1] = (float)v[1]))
	else if (format == DT_FLOAT64 && size == 4) LOAD_LOOP(double, *(float *)q = (float)*v)
	else if (step == size) {
		memcpy(q, p, n * size);
		q += n * size;
	} else if (size == 1) LOAD_LOOP(uint8_t, *(uint8_t *)q = *v)
	else if (size == 2) LOAD_LOOP(uint16_t, memcpy(q, v, 2))
	else if (size == 4) LOAD_LOOP(uint32_t, memcpy(q, v, 4))
	else LOAD_LOOP(uint64_t, memcpy(q, v, 8))
	return q;
}

/* Copies one axis; NULL with an exception after Ctrl-C, for which *since counts the elements up to the next look. */
static char *copy_axis(char *q, const char *p, int64_t n, int64_t step, int size, int format, int64_t *since) {
	for (int64_t i = 0, m; i < n; i += m) {
		m = n - i < (1 << 22) ? n - i : 1 << 22;
		if ((*since += m) > 1 << 22) {
			*since = 0;
			if (PyErr_CheckSignals() < 0) return NULL;
		}
		q = copy_run(q, p + i * step, m, step, size, format);
	}
	return q;
}

static char *copy_all(char *q, const char *p, const Py_buffer *b, int axis, int size, int format, int64_t *since) {
	if (b->ndim == 0) return copy_axis(q, p, 1, b->itemsize, size, format, since);
	if (axis + 1 == b->ndim) return copy_axis(q, p, b->shape[axis], b->strides[axis], size, format, since);
	for (Py_ssize_t i = 0; q && i < b->shape[axis]; i++, p += b->strides[axis]) q = copy_all(q, p, b, axis + 1, size, format, since);
	return q;
}

static int row_major(const Py_buffer *b) {
	Py_ssize_t n = b->itemsize;
	for (int i = b->ndim - 1; i >= 0; i--) {
		if (b->shape[i] == 0) return 1;
		if (b->shape[i] != 1 && b->strides[i] != n) return 0;
		n *= b->shape[i];
	}
	return 1;
}

/* Shares the memory: the view lives as long as the array's memory does. */
typedef struct {
	PyObject ob_base;
	Py_buffer view;
} Keeper;
static PyTypeObject *Keeper_Type;

static void keeper_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	release_buffer(&((Keeper *)self)->view);
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyObject *make_keeper(Py_buffer *view) {
	if (!Keeper_Type) {
		static PyType_Slot slots[] = {{Py_tp_dealloc, keeper_dealloc}, {0, NULL}};
		static PyType_Spec spec = {"mlx_go.core._Keeper", sizeof(Keeper), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
		Keeper_Type = (PyTypeObject *)PyType_FromSpec(&spec);
		if (!Keeper_Type) return NULL;
	}
	Keeper *k = PyObject_New(Keeper, Keeper_Type);
	if (k) k->view = *view;
	return (PyObject *)k;
}

static capi_handle import_buffer(PyObject *o, int as, int dtype, int copy) {
	Py_buffer b;
	if (get_buffer(o, &b, PyBUF_RECORDS_RO) < 0) return 0;
	capi_handle h = 0;
	int format = dtype_of_format(b.format, b.itemsize);
	int source = as >= 0 ? as : format == FORMAT_COMPLEX128 ? DT_COMPLEX64 : format;
	if (format == FORMAT_NONE) {
		PyErr_Format(PyExc_TypeError, "[array] cannot make an array of elements with buffer format '%s': convert them to a numeric type in native byte order first",
			b.format ? b.format : "");
		goto out;
	}
	if (b.ndim > CAPI_MAXDIM) {
		PyErr_SetString(PyExc_ValueError, "[array] too many axes");
		goto out;
	}
	if (b.ndim > 0 && (!b.shape || !b.strides)) {
		PyErr_Format(PyExc_TypeError, "[array] the buffer of %R does not tell its shape and strides", (PyObject *)Py_TYPE(o));
		goto out;
	}
	int64_t shape[CAPI_MAXDIM], strides[CAPI_MAXDIM];
	int strides_fit = 1;
	for (int i = 0; i < b.ndim; i++) {
		shape[i] = b.shape[i];
		strides[i] = b.strides[i] / b.itemsize;
		strides_fit &= b.strides[i] % b.itemsize == 0;
	}
	if (copy == 0) {
		if (format < 0 || !strides_fit || (uintptr_t)b.buf % b.itemsize || (dtype >= 0 && dtype != source)) {
			PyErr_SetString(PyExc_ValueError, "[asarray] this memory cannot be used without a copy: dtype or layout differ; pass copy=None");
			goto out;
		}
		PyObject *k = make_keeper(&b);
		if (!k) goto out;
		h = goExternal(b.buf, source, b.ndim, shape, strides, k, b.readonly, FREES);
		if (!h) Py_DECREF(k);
		return h;
	}
	/* NumPy's default float64 turns into the float32 that everything else uses; ask for float64 to keep it. */
	int target = source == DT_FLOAT64 && dtype != DT_FLOAT64 ? DT_FLOAT32 : source;
	capi_empty made = goEmpty(target, b.ndim, shape, FREES);
	h = made.handle;
	if (h && made.data) {
		int size = dtype_sizes[target], failed;
		int64_t since = 0;
		if ((as >= 0 || (format == source && target == source)) && row_major(&b)) failed = copy_bytes(made.data, b.buf, b.len) < 0;
		else failed = !copy_all(made.data, b.buf, &b, 0, size, format, &since);
		if (failed) {
			queue_free((uint32_t)h, (uint32_t)(h >> 32));
			h = 0;
		}
	}
	if (h && dtype >= 0 && dtype != target) {
		capi_handle cast = goAsType((uint32_t)h, dtype, FREES);
		queue_free((uint32_t)h, (uint32_t)(h >> 32));
		h = cast;
	}
out:
	release_buffer(&b);
	return h;
}

/* ---- array-like objects ---- */

static PyObject *protocol_names[3]; /* __mlx_array__, __dlpack__, __array__ */

static int has_protocol(PyObject *o, int which) {
	static const char *const names[3] = {"__mlx_array__", "__dlpack__", "__array__"};
	if (!protocol_names[which]) protocol_names[which] = PyUnicode_InternFromString(names[which]);
	return PyObject_HasAttr((PyObject *)Py_TYPE(o), protocol_names[which]);
}

int array_like(PyObject *o) {
	PyTypeObject *t = Py_TYPE(o);
	if (t == Array_Type) return 1;
	if (o == Py_None || t == &PyUnicode_Type || t == &PyLong_Type || t == &PyFloat_Type || t == &PyBool_Type || t == &PyList_Type ||
		t == &PyTuple_Type || t == &PyDict_Type || t == &PyType_Type || PyType_Check(o))
		return 0;
	return (check_buffer && check_buffer(o)) || has_protocol(o, 0) || has_protocol(o, 1) || has_protocol(o, 2);
}

/* ml_dtypes' bfloat16 has no buffer format: read it as the integers it lies in. */
static int is_bfloat16(PyObject *o) {
	PyObject *d = PyObject_GetAttrString(o, "dtype"), *s = d ? PyObject_Str(d) : NULL;
	int yes = s && PyUnicode_CompareWithASCIIString(s, "bfloat16") == 0;
	Py_XDECREF(d);
	Py_XDECREF(s);
	PyErr_Clear();
	return yes;
}

capi_handle from_array_like(PyObject *o, int dtype, int copy) {
	if (is_array(o)) return to_array(o, dtype);
	PyObject *made = NULL;
	capi_handle h = 0;
	if (has_protocol(o, 0)) {
		made = PyObject_CallMethodObjArgs(o, protocol_names[0], NULL);
		if (!made) return 0;
		if (is_array(made)) h = to_array(made, dtype);
		else PyErr_Format(PyExc_TypeError, "[array] __mlx_array__ must return an array, not %R", made);
	} else if (check_buffer && check_buffer(o) && !is_numpy_scalar(o)) { /* NumPy's scalars export bytes; their __array__ is exact */
		h = import_buffer(o, -1, dtype, copy);
		if (h || !PyErr_ExceptionMatches(PyExc_ValueError) || copy == 0) return h;
		PyObject *type, *value, *trace;
		PyErr_Fetch(&type, &value, &trace);
		if (!is_bfloat16(o)) {
			PyErr_Restore(type, value, trace);
			return 0;
		}
		Py_XDECREF(type);
		Py_XDECREF(value);
		Py_XDECREF(trace);
		made = PyObject_CallMethod(o, "view", "s", "uint16");
		if (made) h = import_buffer(made, DT_BFLOAT16, dtype, copy);
	} else if (has_protocol(o, 1)) {
		return from_capsule(o, copy, dtype);
	} else if (has_protocol(o, 2)) {
		made = PyObject_CallMethodObjArgs(o, protocol_names[2], NULL);
		if (!made) return 0;
		if (made == o || !check_buffer || !check_buffer(made)) PyErr_Format(PyExc_TypeError, "[array] __array__ must return a NumPy array, not %R", made);
		else h = from_array_like(made, dtype, copy);
	} else {
		PyErr_Format(PyExc_TypeError, "[array] cannot make an array from %R", (PyObject *)Py_TYPE(o));
	}
	Py_XDECREF(made);
	return h;
}

/* ---- __array__ ---- */

static PyObject *array_numpy(PyObject *self, PyObject *args, PyObject *kwargs) {
	GUARD(NULL);
	static char *names[] = {"dtype", "copy", NULL};
	PyObject *dtype = Py_None, *copy = Py_None;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:__array__", names, &dtype, &copy)) return NULL;
	PyObject *numpy = PyImport_ImportModule("numpy"), *view = NULL, *result = NULL;
	if (!numpy) return NULL;
	int own = array_dtype(self);
	if (own == DT_BFLOAT16) {
		PyObject *ml = PyImport_ImportModule("ml_dtypes");
		if (!ml) {
			PyErr_Clear();
			PyErr_SetString(PyExc_TypeError, "[__array__] NumPy has no bfloat16 of its own: install ml_dtypes, or convert with a.astype(mx.float32)");
		} else {
			PyObject *bits = wrap(goBitcast(ID(self), DT_UINT16, FREES));
			PyObject *raw = bits ? PyObject_CallMethod(numpy, "asarray", "(O)", bits) : NULL;
			PyObject *type = raw ? PyObject_GetAttrString(ml, "bfloat16") : NULL;
			if (type) view = PyObject_CallMethod(raw, "view", "(O)", type);
			Py_XDECREF(bits);
			Py_XDECREF(raw);
			Py_XDECREF(type);
			Py_DECREF(ml);
		}
	} else if (own >= 0) {
		PyObject *mem = PyMemoryView_FromObject(self);
		if (mem) view = PyObject_CallMethod(numpy, "asarray", "(O)", mem);
		Py_XDECREF(mem);
	}
	if (view) {
		int cast = 0;
		PyObject *want = NULL;
		if (dtype != Py_None) {
			PyObject *have = PyObject_GetAttrString(view, "dtype");
			want = PyObject_CallMethod(numpy, "dtype", "(O)", dtype);
			cast = have && want ? PyObject_RichCompareBool(have, want, Py_NE) : -1;
			Py_XDECREF(have);
		}
		int always = copy == Py_None || cast < 0 ? 0 : PyObject_IsTrue(copy);
		if (cast > 0 && copy != Py_None && !always) {
			PyErr_SetString(PyExc_ValueError, "[__array__] a conversion to another dtype needs a copy, which copy=False forbids");
		} else if (cast > 0) {
			result = PyObject_CallMethod(view, "astype", "(O)", want);
		} else if (cast == 0 && always > 0) {
			result = PyObject_CallMethod(view, "copy", NULL);
		} else if (cast == 0 && always == 0) {
			result = Py_NewRef(view);
		}
		Py_XDECREF(want);
		Py_DECREF(view);
	}
	Py_DECREF(numpy);
	return result;
}

PyMethodDef buffer_methods[] = {
	{"__array__", (PyCFunction)(void *)array_numpy, METH_VARARGS | METH_KEYWORDS,
		"__array__($self, dtype=None, copy=None)\n--\n\nThe array as a NumPy array that shares its memory where it can."},
	{NULL, NULL, 0, NULL}};
