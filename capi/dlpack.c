/* DLPack, versioned and unversioned, both ways. Struct layouts follow dlpack.h 1.0 (https://dmlc.github.io/dlpack). */
#include "internal.h"

enum { DL_CPU = 1 };
enum { DL_INT, DL_UINT, DL_FLOAT, DL_OPAQUE, DL_BFLOAT, DL_COMPLEX, DL_BOOL };
enum { DL_READ_ONLY = 1, DL_IS_COPIED = 2 };

typedef struct {
	void *data;
	struct { int32_t type, id; } device;
	int32_t ndim;
	struct { uint8_t code, bits; uint16_t lanes; } dtype;
	int64_t *shape, *strides;
	uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensor {
	DLTensor tensor;
	void *manager;
	void (*deleter)(struct DLManagedTensor *);
} DLManagedTensor;

typedef struct DLManagedTensorVersioned {
	struct { uint32_t major, minor; } version;
	void *manager;
	void (*deleter)(struct DLManagedTensorVersioned *);
	uint64_t flags;
	DLTensor tensor;
} DLManagedTensorVersioned;

static const char OLD[] = "dltensor", OLD_USED[] = "used_dltensor", NEW[] = "dltensor_versioned",
	NEW_USED[] = "used_dltensor_versioned";

/* ---- export ---- */

typedef struct {
	union {
		DLManagedTensor old;
		DLManagedTensorVersioned new;
	} m;
	uint32_t id;
	int64_t shape[CAPI_MAXDIM], strides[CAPI_MAXDIM];
} export;

/* Consumers may call deleters from any thread, with or without the GIL. */
static void release_export(export *e) {
	if (forked || !Py_IsInitialized()) return;
	MEET();
	PyGILState_STATE s = PyGILState_Ensure();
	queue_free(e->id, 0);
	flush_frees();
	PyGILState_Release(s);
	free(e);
}

static void delete_old(DLManagedTensor *m) { release_export(m->manager); }
static void delete_new(DLManagedTensorVersioned *m) { release_export(m->manager); }

/* A capsule that nobody consumed still owns the tensor. */
static void destroy_capsule(PyObject *capsule) {
	if (PyCapsule_IsValid(capsule, OLD)) {
		DLManagedTensor *m = PyCapsule_GetPointer(capsule, OLD);
		m->deleter(m);
	} else if (PyCapsule_IsValid(capsule, NEW)) {
		DLManagedTensorVersioned *m = PyCapsule_GetPointer(capsule, NEW);
		m->deleter(m);
	}
}

static void fill_tensor(DLTensor *t, export *e, const capi_info *a) {
	static const uint8_t codes[DT_COUNT] = {DL_BOOL, DL_UINT, DL_UINT, DL_UINT, DL_UINT, DL_INT, DL_INT, DL_INT, DL_INT,
		DL_FLOAT, DL_FLOAT, DL_FLOAT, DL_BFLOAT, DL_COMPLEX};
	t->data = a->data;
	t->device.type = DL_CPU;
	t->device.id = 0;
	t->ndim = a->ndim;
	t->dtype.code = codes[a->dtype];
	t->dtype.bits = 8 * dtype_sizes[a->dtype];
	t->dtype.lanes = 1;
	memcpy(e->shape, a->shape, a->ndim * sizeof *e->shape);
	memcpy(e->strides, a->strides, a->ndim * sizeof *e->strides);
	t->shape = e->shape;
	t->strides = e->strides;
	t->byte_offset = 0;
}

static PyObject *array_dlpack(PyObject *self, PyObject *args, PyObject *kwargs) {
	GUARD(NULL);
	static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
	PyObject *stream = Py_None, *version = Py_None, *device = Py_None, *copy = Py_None;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOO:__dlpack__", names, &stream, &version, &device, &copy))
		return NULL;
	if (stream != Py_None) {
		PyErr_SetString(PyExc_ValueError, "[__dlpack__] stream must be None for an array in CPU memory");
		return NULL;
	}
	int major = 0, minor = 0, type = DL_CPU, index = 0;
	if (version != Py_None && !(PyTuple_Check(version) && PyArg_ParseTuple(version, "ii", &major, &minor))) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "[__dlpack__] max_version must be a tuple of two integers or None");
		return NULL;
	}
	if (device != Py_None && !(PyTuple_Check(device) && PyArg_ParseTuple(device, "ii", &type, &index))) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "[__dlpack__] dl_device must be a tuple of two integers or None");
		return NULL;
	}
	if (type != DL_CPU) {
		PyErr_Format(PyExc_BufferError,
			"[__dlpack__] the array is in CPU memory; it cannot be exported to device type %d", type);
		return NULL;
	}
	int want_copy = copy == Py_None ? 0 : PyObject_IsTrue(copy);
	PyObject *a = want_copy > 0 ? copy_array(self, -1) : wrap(goHold(ID(self)));
	capi_info info;
	if (want_copy < 0 || !a || ready_info(a, &info) < 0) {
		Py_XDECREF(a);
		return NULL;
	}
	int readonly = goExport(ID(a));
	if (readonly < 0) {
		Py_DECREF(a);
		return NULL;
	}
	if (readonly && major < 1) {
		PyErr_SetString(PyExc_BufferError,
			"[__dlpack__] the array lies in read-only memory, which only DLPack 1.0 can express: pass "
			"max_version=(1, 0)");
		Py_DECREF(a);
		return NULL;
	}
	export *e = malloc(sizeof *e);
	if (!e) {
		Py_DECREF(a);
		return PyErr_NoMemory();
	}
	e->id = (uint32_t)goExported(ID(a));
	Py_DECREF(a);
	PyObject *capsule;
	if (major >= 1) {
		e->m.new = (DLManagedTensorVersioned){.version = {1, 0}, .manager = e, .deleter = delete_new,
			.flags = (readonly ? DL_READ_ONLY : 0) | (want_copy ? DL_IS_COPIED : 0)};
		fill_tensor(&e->m.new.tensor, e, &info);
		capsule = PyCapsule_New(&e->m.new, NEW, destroy_capsule);
	} else {
		e->m.old = (DLManagedTensor){.manager = e, .deleter = delete_old};
		fill_tensor(&e->m.old.tensor, e, &info);
		capsule = PyCapsule_New(&e->m.old, OLD, destroy_capsule);
	}
	if (!capsule) release_export(e);
	return capsule;
}

static PyObject *array_dlpack_device(PyObject *self, PyObject *unused) {
	(void)self, (void)unused;
	return Py_BuildValue("(ii)", DL_CPU, 0);
}

PyMethodDef dlpack_methods[] = {
	{"__dlpack__", (PyCFunction)(void *)array_dlpack, METH_VARARGS | METH_KEYWORDS,
		"__dlpack__($self, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\n"
		"A DLPack capsule that shares the array's memory."},
	{"__dlpack_device__", array_dlpack_device, METH_NOARGS,
		"__dlpack_device__($self)\n--\n\nThe DLPack device, (1, 0): the CPU."},
	{NULL, NULL, 0, NULL}};

/* ---- import ---- */

/* Owns a consumed tensor while arrays view its memory. */
typedef struct {
	PyObject ob_base;
	DLManagedTensor *old;
	DLManagedTensorVersioned *new;
} Owner;
static PyTypeObject *Owner_Type;

static void owner_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	Owner *o = (Owner *)self;
	if (o->old && o->old->deleter) o->old->deleter(o->old);
	if (o->new && o->new->deleter) o->new->deleter(o->new);
	PyObject_Free(self);
	Py_DECREF(type);
}

static Owner *new_owner(void) {
	if (!Owner_Type) {
		static PyType_Slot slots[] = {{Py_tp_dealloc, owner_dealloc}, {0, NULL}};
		static PyType_Spec spec = {"mlx_go.core._DLPackOwner", sizeof(Owner), 0,
			Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
		Owner_Type = (PyTypeObject *)PyType_FromSpec(&spec);
		if (!Owner_Type) return NULL;
	}
	Owner *o = PyObject_New(Owner, Owner_Type);
	if (o) o->old = NULL, o->new = NULL;
	return o;
}

/* -1: none; complex128 counts as complex64. */
static int dtype_of_dl(const DLTensor *t) {
	int bits = t->dtype.bits, lg = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : bits == 64 ? 3 : -1;
	if (t->dtype.lanes != 1) return -1;
	switch (t->dtype.code) {
	case DL_BOOL: return bits == 8 ? DT_BOOL : -1;
	case DL_UINT: return lg < 0 ? -1 : DT_UINT8 + lg;
	case DL_INT: return lg < 0 ? -1 : DT_INT8 + lg;
	case DL_FLOAT: return bits == 16 ? DT_FLOAT16 : bits == 32 ? DT_FLOAT32 : bits == 64 ? DT_FLOAT64 : -1;
	case DL_BFLOAT: return bits == 16 ? DT_BFLOAT16 : -1;
	case DL_COMPLEX: return bits == 64 || bits == 128 ? DT_COMPLEX64 : -1;
	}
	return -1;
}

static PyObject *ask_capsule(PyObject *exporter) {
	PyObject *method = PyObject_GetAttrString(exporter, "__dlpack__");
	if (!method) return NULL;
	PyObject *none = PyTuple_New(0), *kwargs = Py_BuildValue("{s:(ii)}", "max_version", 1, 0), *capsule = NULL;
	if (none && kwargs) capsule = PyObject_Call(method, none, kwargs);
	/* Producers from before DLPack 1.0 do not know the argument. */
	if (!capsule && kwargs && PyErr_ExceptionMatches(PyExc_TypeError)) {
		PyErr_Clear();
		capsule = PyObject_CallNoArgs(method);
	}
	Py_XDECREF(none);
	Py_XDECREF(kwargs);
	Py_DECREF(method);
	return capsule;
}

static capi_handle import_tensor(const DLTensor *t, Owner *owner, int readonly, int copy, int dtype) {
	int source = dtype_of_dl(t);
	if (source < 0) {
		PyErr_Format(PyExc_TypeError,
			"[from_dlpack] there is no dtype for DLPack type code %d with %d bits and %d lanes", (int)t->dtype.code,
			(int)t->dtype.bits, (int)t->dtype.lanes);
		return 0;
	}
	if (t->device.type != DL_CPU) {
		PyErr_Format(PyExc_ValueError,
			"[from_dlpack] the tensor is on DLPack device type %d; only CPU memory can be read", (int)t->device.type);
		return 0;
	}
	if (t->ndim < 0 || t->ndim > CAPI_MAXDIM) {
		PyErr_Format(PyExc_ValueError, "[from_dlpack] %d axes are too many", (int)t->ndim);
		return 0;
	}
	foreign_memory m = {.data = t->data ? (char *)t->data + t->byte_offset : NULL, .dtype = source, .ndim = t->ndim,
		.readonly = readonly,
		.itemsize = t->dtype.bits / 8};
	for (int64_t i = t->ndim - 1, n = 1; i >= 0; i--) {
		m.shape[i] = t->shape[i];
		m.strides[i] = m.itemsize * (t->strides ? t->strides[i] : n);
		n *= t->shape[i];
	}
	return import_memory(&m, (PyObject *)owner, dtype, copy, "from_dlpack");
}

capi_handle from_capsule(PyObject *exporter, int copy, int dtype) {
	PyObject *capsule = ask_capsule(exporter);
	if (!capsule) return 0;
	capi_handle h = 0;
	Owner *owner = new_owner();
	if (owner) {
		if (PyCapsule_IsValid(capsule, NEW)) {
			owner->new = PyCapsule_GetPointer(capsule, NEW);
			PyCapsule_SetName(capsule, NEW_USED);
			if (owner->new->version.major != 1)
				PyErr_Format(PyExc_BufferError, "[from_dlpack] DLPack version %d is not known, only 1",
					(int)owner->new->version.major);
			else h = import_tensor(&owner->new->tensor, owner, owner->new->flags & DL_READ_ONLY, copy, dtype);
		} else if (PyCapsule_IsValid(capsule, OLD)) {
			owner->old = PyCapsule_GetPointer(capsule, OLD);
			PyCapsule_SetName(capsule, OLD_USED);
			h = import_tensor(&owner->old->tensor, owner, 0, copy, dtype);
		} else {
			PyErr_SetString(PyExc_TypeError, "[from_dlpack] __dlpack__ did not return an unused DLPack capsule");
		}
		Py_DECREF(owner);
	}
	Py_DECREF(capsule);
	return h;
}
