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

/* The dtype of elements of that format, -1 if there is none. complex128 counts as complex64. */
static int dtype_of_format(const char *f, Py_ssize_t itemsize) {
	if (!f) return itemsize == 1 ? DT_UINT8 : -1;
	if (*f == '@' || *f == '=' || *f == '<' || (*f == '|' && itemsize == 1)) f++;
	int lg = itemsize == 1 ? 0 : itemsize == 2 ? 1 : itemsize == 4 ? 2 : itemsize == 8 ? 3 : -1;
	if (strcmp(f, "bfloat16") == 0) return itemsize == 2 ? DT_BFLOAT16 : -1;
	if (strcmp(f, "Zf") == 0) return itemsize == 8 ? DT_COMPLEX64 : -1;
	if (strcmp(f, "Zd") == 0) return itemsize == 16 ? DT_COMPLEX64 : -1;
	if (!*f || f[1]) return -1;
	switch (*f) {
	case '?': return itemsize == 1 ? DT_BOOL : -1;
	case 'e': return itemsize == 2 ? DT_FLOAT16 : -1;
	case 'f': return itemsize == 4 ? DT_FLOAT32 : -1;
	case 'd': return itemsize == 8 ? DT_FLOAT64 : -1;
	case 'c': return itemsize == 1 ? DT_UINT8 : -1;
	case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N': return lg < 0 ? -1 : DT_UINT8 + lg;
	case 'b': case 'h': case 'i': case 'l': case 'q': case 'n': return lg < 0 ? -1 : DT_INT8 + lg;
	}
	return -1;
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

/*
 * NumPy drops whatever the buffer slot raises and asks __array__ next, which would start over: a Ctrl-C would be lost.
 * What an array raised is kept until any other Python code runs, for which the queue of memory to give back holds it.
 */
static struct {
	PyObject *array, *error; /* both borrowed; a tuple as of PyErr_Fetch */
} dropped;

void forget_dropped(void) { dropped.error = NULL; }

static void keep_for_array(PyObject *array) {
	PyObject *type, *value, *trace;
	PyErr_Fetch(&type, &value, &trace);
	PyObject *error = PyTuple_Pack(3, type, value ? value : Py_None, trace ? trace : Py_None);
	if (error) {
		dropped.array = array;
		dropped.error = error;
		capi_decref_later(error);
	}
	PyErr_Restore(type, value, trace);
}

/* Whether the exception is raised again that NumPy dropped a moment ago. */
static int raise_dropped(PyObject *array) {
	PyObject *error = dropped.array == array ? dropped.error : NULL, *item[3] = {NULL, NULL, NULL};
	for (int i = 0; error && i < 3; i++)
		if ((item[i] = PyTuple_GetItem(error, i)) == Py_None) item[i] = NULL;
	dropped.error = NULL;
	if (!error) return 0;
	for (int i = 0; i < 3; i++) Py_XINCREF(item[i]);
	PyErr_Restore(item[0], item[1], item[2]);
	return 1;
}

static int getbuffer(PyObject *self, Py_buffer *view, int flags) {
	view->obj = NULL;
	GUARD(-1);
	PyObject *a = wrap(goHold(ID(self)));
	capi_info info;
	int readonly = 0;
	if (!a || ready_info(a, &info) < 0 || (readonly = goExport(ID(a))) < 0) {
		Py_XDECREF(a);
		keep_for_array(self);
		return -1;
	}
	if (info.dtype == DT_BFLOAT16) {
		/* PEP 3118 has no code for it. NumPy then asks __array__, which knows ml_dtypes. */
		PyErr_SetString(PyExc_BufferError,
			"[array] the buffer protocol has no bfloat16: view the array as uint16, or convert it with "
			"a.astype(mx.float32)");
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
		PyObject *flat = wrap(goContiguous(ID(a), CALLER));
		Py_DECREF(a);
		a = flat;
		readonly = 0;
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
	e->id = (uint32_t)goExported(ID(a));
	static char empty[8];
	view->buf = info.data ? info.data : empty;
	view->obj = Py_NewRef(self);
	view->len = info.size * size;
	view->itemsize = size;
	/* Writing through a buffer writes to every array that shares the memory, as the documentation says. */
	view->readonly = readonly;
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
		static PyType_Spec spec = {"mlx_go.core._Keeper", sizeof(Keeper), 0,
			Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
		Keeper_Type = (PyTypeObject *)PyType_FromSpec(&spec);
		if (!Keeper_Type) return NULL;
	}
	Keeper *k = PyObject_New(Keeper, Keeper_Type);
	if (k) k->view = *view;
	return (PyObject *)k;
}

/* What lies in the buffer; -1 with an exception. as is the dtype where the format does not tell it, else -1. */
static int describe(const Py_buffer *b, PyObject *o, int as, foreign_memory *m) {
	m->dtype = as >= 0 ? as : dtype_of_format(b->format, b->itemsize);
	if (m->dtype < 0) {
		PyErr_Format(PyExc_TypeError,
			"[array] cannot make an array of elements with buffer format '%s': convert them to a numeric type in "
			"native byte order first",
			b->format ? b->format : "");
		return -1;
	}
	if (b->ndim > CAPI_MAXDIM) {
		PyErr_SetString(PyExc_ValueError, "[array] too many axes");
		return -1;
	}
	if (b->ndim > 0 && !b->shape) {
		PyErr_Format(PyExc_TypeError, "[array] the buffer of %R does not tell its shape", (PyObject *)Py_TYPE(o));
		return -1;
	}
	m->data = b->buf;
	m->ndim = b->ndim;
	m->readonly = b->readonly;
	m->itemsize = b->itemsize;
	/* Who gives no strides, as ctypes does, lies in row-major order. */
	for (int64_t i = b->ndim - 1, step = b->itemsize; i >= 0; i--) {
		m->shape[i] = b->shape[i];
		m->strides[i] = b->strides ? b->strides[i] : step;
		step *= b->shape[i];
	}
	return 0;
}

static capi_handle import_buffer(PyObject *o, int as, int dtype, int copy) {
	Py_buffer b;
	if (get_buffer(o, &b, PyBUF_RECORDS_RO) < 0) return 0;
	PyObject *keeper = make_keeper(&b);
	if (!keeper) {
		release_buffer(&b);
		return 0;
	}
	foreign_memory m;
	const char *op = copy == 0 ? "asarray" : "array";
	capi_handle h = describe(&b, o, as, &m) < 0 ? 0 : import_memory(&m, keeper, dtype, copy, op);
	Py_DECREF(keeper);
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
	if (o == Py_None || t == &PyUnicode_Type || t == &PyLong_Type || t == &PyFloat_Type || t == &PyBool_Type ||
		t == &PyList_Type ||
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

/* Tensors of PyTorch that record gradients give their values away only detached. */
static PyObject *detached(PyObject *o) {
	PyObject *records = PyObject_HasAttrString(o, "requires_grad") ? PyObject_GetAttrString(o, "requires_grad") : NULL;
	PyErr_Clear();
	int yes = records == Py_True;
	Py_XDECREF(records);
	return yes ? PyObject_CallMethod(o, "detach", NULL) : Py_NewRef(o);
}

/* An array of ours, which the object keeps. */
static capi_handle from_own(PyObject *a, int dtype, int copy) {
	if (copy <= 0) {
		if (copy < 0 || dtype < 0 || dtype == array_dtype(a)) return to_array(a, dtype);
		PyErr_SetString(PyExc_ValueError, "[asarray] another dtype needs a copy, which copy=False forbids");
		return 0;
	}
	PyObject *own = copy_array(a, dtype);
	capi_handle h = own ? goHold(ID(own)) : 0;
	Py_XDECREF(own);
	return h;
}

capi_handle from_array_like(PyObject *o, int dtype, int copy) {
	if (is_array(o)) return to_array(o, dtype);
	PyObject *made = NULL;
	capi_handle h = 0;
	if (has_protocol(o, 0)) {
		made = PyObject_CallMethodObjArgs(o, protocol_names[0], NULL);
		if (!made) return 0;
		if (is_array(made)) h = from_own(made, dtype, copy);
		else PyErr_Format(PyExc_TypeError, "[array] __mlx_array__ must return an array, not %R", made);
	} else if (check_buffer && check_buffer(o) && !is_numpy_scalar(o)) {
		/* NumPy's scalars export bytes; their __array__ is exact */
		h = import_buffer(o, -1, dtype, copy);
		if (h || !PyErr_ExceptionMatches(PyExc_ValueError)) return h;
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
		if (copy == 0) return from_capsule(o, copy, dtype);
		made = detached(o);
		if (made) h = from_capsule(made, copy, dtype);
	} else if (has_protocol(o, 2)) {
		made = PyObject_CallMethodObjArgs(o, protocol_names[2], NULL);
		if (!made) return 0;
		if (made == o || !check_buffer || !check_buffer(made))
			PyErr_Format(PyExc_TypeError, "[array] __array__ must return a NumPy array, not %R", made);
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
	if (raise_dropped(self)) return NULL;
	capi_info info;
	if (ready_info(self, &info) < 0 || goExport(ID(self)) < 0) return NULL;
	PyObject *numpy = PyImport_ImportModule("numpy"), *view = NULL, *result = NULL;
	if (!numpy) return NULL;
	int own = array_dtype(self);
	if (own == DT_BFLOAT16) {
		PyObject *ml = PyImport_ImportModule("ml_dtypes");
		if (!ml) {
			PyErr_Clear();
			PyErr_SetString(PyExc_TypeError,
				"[__array__] NumPy has no bfloat16 of its own: install ml_dtypes, or convert with "
				"a.astype(mx.float32)");
		} else {
			PyObject *bits = wrap(goBitcast(ID(self), DT_UINT16, CALLER));
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
			PyErr_SetString(PyExc_ValueError,
				"[__array__] a conversion to another dtype needs a copy, which copy=False forbids");
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
		"__array__($self, dtype=None, copy=None)\n--\n\n"
		"The array as a NumPy array that shares its memory where it can."},
	{NULL, NULL, 0, NULL}};
