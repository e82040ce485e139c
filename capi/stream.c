/*
 * Devices and streams as Python objects, and the functions that choose them. A stream argument is read without calling
 * Python.
 */
#include "internal.h"

static PyTypeObject *Device_Type, *Stream_Type, *LocalStream_Type, *Context_Type;

typedef struct {
	PyObject ob_base;
	int64_t index; /* among those of its kind */
	int kind;
} Device;

/* A Stream or a ThreadLocalStream, which is equal to others by its index alone: no other has had it. */
typedef struct {
	PyObject ob_base;
	capi_stream is;
	uint16_t number; /* of a Stream, which holds it */
} Stream;

typedef struct {
	PyObject ob_base;
	PyObject *stream; /* or a device, whose default stream it is when it is entered */
} Context;

static const char *const kind_names[DEVICE_TYPES] = {"cpu", "gpu"};

static int64_t locals_made = 0;

/* ---- arguments ---- */

static int kind_of(PyObject *o) {
	own_objects *mine = own();
	for (int kind = 0; kind < DEVICE_TYPES; kind++)
		if (o == mine->device_types[kind]) return kind;
	return -1;
}

static int is_stream(PyObject *o) { return Py_TYPE(o) == Stream_Type || Py_TYPE(o) == LocalStream_Type; }

static int bad_argument(const char *op, const char *name, const char *want, PyObject *o) {
	PyObject *type = PyObject_GetAttrString((PyObject *)Py_TYPE(o), "__name__");
	if (type) PyErr_Format(PyExc_TypeError, "%s(): argument '%s' must be %s, not %U", op, name, want, type);
	Py_XDECREF(type);
	return -1;
}

/* A Device or a DeviceType; 0, or -1 without an exception if o is neither. */
static int read_device(PyObject *o, int *kind, int64_t *index) {
	*index = 0;
	if (Py_TYPE(o) == Device_Type) {
		*kind = ((Device *)o)->kind;
		*index = ((Device *)o)->index;
		return 0;
	}
	return (*kind = kind_of(o)) < 0 ? -1 : 0;
}

/* The same, with an exception. */
static int want_device(PyObject *o, const char *op, const char *name, int *kind, int64_t *index) {
	return read_device(o, kind, index) < 0 ? bad_argument(op, name, "a Device or a DeviceType", o) : 0;
}

/* The place of a device that can be used; -1 with an exception. */
static int usable(PyObject *o, const char *op) {
	int kind;
	int64_t index;
	if (want_device(o, op, "device", &kind, &index) < 0) return -1;
	int place = device_place(kind, index);
	if (place < 0)
		PyErr_Format(PyExc_ValueError, "[%s] Device(%s, %lld) is not available: there is no backend for it", op,
			kind_names[kind], (long long)index);
	return place;
}

int64_t stream_number(PyObject *o, const char *op) {
	if (o == Py_None) return thread_stream;
	if (Py_TYPE(o) == Stream_Type) return ((Stream *)o)->number;
	if (Py_TYPE(o) == LocalStream_Type) return local_stream(((Stream *)o)->is.place, ((Stream *)o)->is.index);
	int kind;
	int64_t index;
	if (read_device(o, &kind, &index) < 0)
		return bad_argument(op, "stream", "a Stream, a Device, a DeviceType or None", o);
	int place = usable(o, "default_stream");
	return place < 0 ? -1 : default_on(place);
}

/* ---- Device ---- */

static PyObject *make_device(int kind, int64_t index) {
	Device *d = PyObject_New(Device, Device_Type);
	if (!d) return NULL;
	d->kind = kind;
	d->index = index;
	return (PyObject *)d;
}

static PyObject *device_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
	(void)type;
	static char *names[] = {"type", "index", NULL};
	PyObject *kind, *index = NULL;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:Device", names, &kind, &index)) return NULL;
	if (kind_of(kind) < 0) return bad_argument("Device", "type", "a DeviceType", kind), NULL;
	Py_ssize_t i = index ? PyNumber_AsSsize_t(index, PyExc_OverflowError) : 0;
	return i == -1 && PyErr_Occurred() ? NULL : make_device(kind_of(kind), i);
}

static PyObject *device_repr(PyObject *self) {
	Device *d = (Device *)self;
	return PyUnicode_FromFormat("Device(%s, %lld)", kind_names[d->kind], (long long)d->index);
}

/* A DeviceType is equal to its first device. */
static PyObject *device_compare(PyObject *a, PyObject *b, int op) {
	int kind;
	int64_t index;
	if ((op != Py_EQ && op != Py_NE) || read_device(b, &kind, &index) < 0) Py_RETURN_NOTIMPLEMENTED;
	Device *d = (Device *)a;
	return PyBool_FromLong((d->kind == kind && d->index == index) == (op == Py_EQ));
}

static Py_hash_t device_hash(PyObject *self) {
	Device *d = (Device *)self;
	PyObject *type = own()->device_types[d->kind];
	Py_hash_t h = PyObject_Hash(type);
	return h == -1 || d->index == 0 ? h : (h ^ (d->index * 1000003)) == -1 ? -2 : h ^ (d->index * 1000003);
}

static PyObject *device_type(PyObject *self, void *unused) {
	(void)unused;
	return Py_NewRef(own()->device_types[((Device *)self)->kind]);
}

static PyObject *device_reduce(PyObject *self, PyObject *unused) {
	(void)unused;
	Device *d = (Device *)self;
	return Py_BuildValue("O(OL)", (PyObject *)Device_Type, own()->device_types[d->kind], (long long)d->index);
}

static void plain_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	PyObject_Free(self);
	Py_DECREF(type);
}

/* ---- Stream and ThreadLocalStream ---- */

/* Takes over a hold of the number. */
static PyObject *make_stream(PyTypeObject *type, capi_stream is, uint16_t number) {
	Stream *s = PyObject_New(Stream, type);
	if (!s) {
		release_stream(number);
		return NULL;
	}
	s->is = is;
	s->number = number;
	return (PyObject *)s;
}

static PyObject *stream_object(int64_t number) {
	if (number < 0) return NULL;
	hold_stream((uint16_t)number);
	return make_stream(Stream_Type, goStreamNames((int)number), (uint16_t)number);
}

static void stream_dealloc(PyObject *self) {
	release_stream(((Stream *)self)->number);
	plain_dealloc(self);
}

static const char *type_name(PyTypeObject *type) { return type == Stream_Type ? "Stream" : "ThreadLocalStream"; }

static PyObject *stream_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
	(void)args, (void)kwargs;
	PyErr_Format(PyExc_TypeError, "mlx.core.%s: use new_stream or default_stream", type_name(type));
	return NULL;
}

static PyObject *stream_repr(PyObject *self) {
	const capi_stream *is = &((Stream *)self)->is;
	return PyUnicode_FromFormat("%s(Device(%s, %lld), %lld)", type_name(Py_TYPE(self)), kind_names[is->kind],
		(long long)is->device, (long long)is->index);
}

static PyObject *stream_compare(PyObject *a, PyObject *b, int op) {
	if ((op != Py_EQ && op != Py_NE) || !is_stream(b)) Py_RETURN_NOTIMPLEMENTED;
	int same = Py_TYPE(a) == Py_TYPE(b) && ((Stream *)a)->is.index == ((Stream *)b)->is.index;
	return PyBool_FromLong(same == (op == Py_EQ));
}

static Py_hash_t stream_hash(PyObject *self) {
	return 0x6d6c78 + 2 * ((Stream *)self)->is.index + (Py_TYPE(self) == Stream_Type);
}

static PyObject *stream_device(PyObject *self, void *unused) {
	(void)unused;
	return make_device(((Stream *)self)->is.kind, ((Stream *)self)->is.device);
}

static PyObject *stream_self(PyObject *self, PyObject *unused) {
	(void)unused;
	return Py_NewRef(self);
}

/* In a process that has no such stream, a pickled one is a new one on the same device. */
static PyObject *stream_reduce(PyObject *self, PyObject *unused) {
	(void)unused;
	PyObject *module = PyImport_ImportModule("mlx_go.core");
	PyObject *restore = module ? PyObject_GetAttrString(module, "_restore_stream") : NULL;
	PyObject *device = stream_device(self, NULL), *r = NULL;
	int local = Py_TYPE(self) == LocalStream_Type;
	if (restore && device) r = Py_BuildValue("O(iOL)", restore, local, device, (long long)((Stream *)self)->is.index);
	Py_XDECREF(module);
	Py_XDECREF(restore);
	Py_XDECREF(device);
	return r;
}

/* ---- contexts ---- */

static PyObject *make_context(PyObject *o, const char *op) {
	int kind;
	int64_t index;
	if (!is_stream(o) && read_device(o, &kind, &index) < 0)
		return bad_argument(op, "s", "a Stream, a Device or a DeviceType", o), NULL;
	Context *c = PyObject_New(Context, Context_Type);
	if (c) c->stream = Py_NewRef(o);
	return (PyObject *)c;
}

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
	(void)type;
	static char *names[] = {"s", NULL};
	PyObject *s;
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:StreamContext", names, &s)) return NULL;
	return make_context(s, "StreamContext");
}

static void context_dealloc(PyObject *self) {
	Py_DECREF(((Context *)self)->stream);
	plain_dealloc(self);
}

static PyObject *context_enter(PyObject *self, PyObject *unused) {
	(void)unused;
	GUARD(NULL);
	PyObject *s = ((Context *)self)->stream;
	int64_t number = stream_number(s, "stream");
	int place = number < 0 ? -1 : is_stream(s) ? ((Stream *)s)->is.place : usable(s, "stream");
	if (place < 0 || enter_stream(self, place, (uint16_t)number) < 0) return NULL;
	Py_RETURN_NONE;
}

static PyObject *context_exit(PyObject *self, PyObject *args, PyObject *kwargs) {
	(void)args, (void)kwargs;
	GUARD(NULL);
	if (exit_stream(self) < 0) {
		PyErr_SetString(PyExc_RuntimeError, "[stream] this context was not entered on this thread");
		return NULL;
	}
	Py_RETURN_NONE;
}

/* ---- functions ---- */

/* A function of one argument, which has a name. */
#define FUNCTION(function, name)                                                                           \
	static PyObject *function(PyObject *module, PyObject *args, PyObject *kwargs) {                        \
		(void)module;                                                                                      \
		static char *names[] = {#name, NULL};                                                              \
		PyObject *name;                                                                                    \
		GUARD(NULL);                                                                                       \
		if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:" #function, names, &name)) return NULL;

FUNCTION(set_default_device, device)
	int place = usable(device, "set_default_device");
	if (place < 0) return NULL;
	set_default_place(place);
	Py_RETURN_NONE;
}

static PyObject *default_device(PyObject *module, PyObject *unused) {
	(void)module, (void)unused;
	GUARD(NULL);
	capi_stream is = goDeviceAt(default_place());
	return make_device(is.kind, is.device);
}

FUNCTION(is_available, device)
	int kind;
	int64_t index;
	if (want_device(device, "is_available", "device", &kind, &index) < 0) return NULL;
	return PyBool_FromLong(device_place(kind, index) >= 0);
}

FUNCTION(device_count, device_type)
	int kind = kind_of(device_type);
	if (kind < 0) return bad_argument("device_count", "device_type", "a DeviceType", device_type), NULL;
	return PyLong_FromLong(goDeviceCount(kind));
}

static PyObject *device_info(PyObject *module, PyObject *args, PyObject *kwargs) {
	(void)module;
	static char *names[] = {"d", NULL};
	PyObject *d = Py_None;
	int kind, place;
	int64_t index, n = 0;
	GUARD(NULL);
	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:device_info", names, &d)) return NULL;
	if (d == Py_None) place = default_place();
	else if (want_device(d, "device_info", "d", &kind, &index) < 0) return NULL;
	else place = device_place(kind, index);
	PyObject *info = PyDict_New();
	if (!info || place < 0) return info;
	/* "text\0key\0value\0" or "int\0key\0digits\0" for each entry. */
	char *text = goDeviceInfo(place, &n);
	for (char *p = text; info && p && p < text + n;) {
		char *key = p + strlen(p) + 1, *value = key + strlen(key) + 1;
		PyObject *v = *p == 'i' ? PyLong_FromString(value, NULL, 10) : PyUnicode_FromString(value);
		if (!v || PyDict_SetItemString(info, key, v) < 0) Py_CLEAR(info);
		Py_XDECREF(v);
		p = value + strlen(value) + 1;
	}
	free(text);
	return info;
}

FUNCTION(default_stream, device)
	int place = usable(device, "default_stream");
	return place < 0 ? NULL : stream_object(default_on(place));
}

FUNCTION(set_default_stream, stream)
	if (Py_TYPE(stream) != Stream_Type) return bad_argument("set_default_stream", "stream", "a Stream", stream), NULL;
	if (set_default_on(((Stream *)stream)->is.place, ((Stream *)stream)->number) < 0) return NULL;
	Py_RETURN_NONE;
}

static PyObject *make_new(PyObject *device, const char *op) {
	int place = usable(device, op);
	int64_t n = place < 0 ? -1 : add_stream(place, 1);
	return n < 0 ? NULL : make_stream(Stream_Type, goStreamNames((int)n), (uint16_t)n);
}

FUNCTION(new_stream, device)
	return make_new(device, "new_stream");
}

FUNCTION(new_thread_unsafe_stream, device)
	return make_new(device, "new_thread_unsafe_stream");
}

static PyObject *make_local(int place, int64_t index) {
	capi_stream is = goDeviceAt(place);
	is.index = index;
	if (locals_made <= index) locals_made = index + 1;
	return make_stream(LocalStream_Type, is, 0);
}

FUNCTION(new_thread_local_stream, device)
	int place = usable(device, "new_thread_local_stream");
	return place < 0 ? NULL : make_local(place, locals_made);
}

FUNCTION(stream, s)
	return make_context(s, "stream");
}

static PyObject *clear_streams(PyObject *module, PyObject *unused) {
	(void)module, (void)unused;
	GUARD(NULL);
	forget_locals();
	Py_RETURN_NONE;
}

/* _restore_stream(local, device, index): unpickles. */
static PyObject *restore_stream(PyObject *module, PyObject *args) {
	(void)module;
	int local;
	PyObject *device;
	long long index;
	GUARD(NULL);
	if (!PyArg_ParseTuple(args, "iOL:_restore_stream", &local, &device, &index)) return NULL;
	int place = usable(device, "new_stream");
	if (place < 0) return NULL;
	if (local) return make_local(place, index);
	int64_t n = find_stream(place, index);
	return n >= 0 ? stream_object(n) : make_new(device, "new_stream");
}

/* _stream_of(array): where its node is computed. */
static PyObject *stream_of(PyObject *module, PyObject *a) {
	(void)module;
	GUARD(NULL);
	if (!is_array(a)) return bad_argument("_stream_of", "a", "an array", a), NULL;
	return stream_object(goStreamOf(ID(a)));
}

/* _set_device_types(cpu, gpu) */
static PyObject *set_device_types(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	own_objects *mine = own();
	for (Py_ssize_t kind = 0; kind < DEVICE_TYPES && kind < n; kind++) {
		Py_XDECREF(mine->device_types[kind]);
		mine->device_types[kind] = Py_NewRef(args[kind]);
	}
	Py_RETURN_NONE;
}

PyMethodDef stream_methods[] = {
#define WITH_KEYWORDS(f) (PyCFunction)(void *)f, METH_VARARGS | METH_KEYWORDS
	{"default_device", default_device, METH_NOARGS, "default_device()\n--\n\nThe device that operations run on."},
	{"set_default_device", WITH_KEYWORDS(set_default_device),
		"set_default_device(device)\n--\n\n"
		"Choose the device that operations run on: of all threads, or of the context that the thread is in."},
	{"is_available", WITH_KEYWORDS(is_available), "is_available(device)\n--\n\nWhether the device can be used."},
	{"device_count", WITH_KEYWORDS(device_count),
		"device_count(device_type)\n--\n\nHow many devices of the kind there are."},
	{"device_info", WITH_KEYWORDS(device_info),
		"device_info(d=None)\n--\n\nWhat is known of a device, the default one if none is given."},
	{"default_stream", WITH_KEYWORDS(default_stream),
		"default_stream(device)\n--\n\nThe stream that operations on the device run on; each thread has its own."},
	{"set_default_stream", WITH_KEYWORDS(set_default_stream),
		"set_default_stream(stream)\n--\n\nChoose the stream that this thread's operations on its device run on, until "
		"it leaves the context that it is in."},
	{"new_stream", WITH_KEYWORDS(new_stream), "new_stream(device)\n--\n\nMake a stream on the device."},
	{"new_thread_unsafe_stream", WITH_KEYWORDS(new_thread_unsafe_stream),
		"new_thread_unsafe_stream(device)\n--\n\nMake a stream that one thread at a time may use; here every "
		"stream may be shared."},
	{"new_thread_local_stream", WITH_KEYWORDS(new_thread_local_stream),
		"new_thread_local_stream(device)\n--\n\nMake a stream of which each thread has its own."},
	{"clear_streams", clear_streams, METH_NOARGS,
		"clear_streams()\n--\n\n"
		"Forget the streams that thread-local ones stand for on this thread; others live as long as somebody holds "
		"them."},
	{"stream", WITH_KEYWORDS(stream), "stream(s)\n--\n\nA context in which operations run on a stream or device."},
	{"_restore_stream", restore_stream, METH_VARARGS, NULL},
	{"_stream_of", stream_of, METH_O, NULL},
	{"_set_device_types", (PyCFunction)(void *)set_device_types, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};

/* A type whose instances do not change. */
static PyTypeObject *add_type(PyObject *module, const char *name, int size, PyType_Slot *slots) {
	PyType_Spec spec = {name, size, 0, Py_TPFLAGS_DEFAULT, slots};
	PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&spec);
	return type && PyModule_AddObjectRef(module, strrchr(name, '.') + 1, (PyObject *)type) == 0 ? type : NULL;
}

int add_stream_types(PyObject *module) {
#define COPIES \
	{"__copy__", stream_self, METH_NOARGS, NULL}, {"__deepcopy__", stream_self, METH_O, NULL}, {NULL, NULL, 0, NULL}
#define NONE {NULL, NULL, NULL, NULL, NULL}
	static PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, NULL}, COPIES};
	static PyMethodDef methods[] = {{"__reduce__", stream_reduce, METH_NOARGS, NULL}, COPIES};
	static PyMethodDef context_methods[] = {
		{"__enter__", context_enter, METH_NOARGS, "__enter__($self)\n--\n\n"},
		{"__exit__", WITH_KEYWORDS(context_exit),
			"__exit__($self, exc_type=None, exc_value=None, traceback=None)\n--\n\n"},
		{NULL, NULL, 0, NULL}};
	static PyGetSetDef device_getset[] = {{"type", device_type, NULL, "Its kind.", NULL}, NONE};
	static PyGetSetDef getset[] = {{"device", stream_device, NULL, "The device that it belongs to.", NULL}, NONE};
	PyType_Slot device_slots[] = {
		{Py_tp_new, device_new}, {Py_tp_dealloc, plain_dealloc}, {Py_tp_repr, device_repr}, {Py_tp_hash, device_hash},
		{Py_tp_richcompare, device_compare}, {Py_tp_methods, device_methods}, {Py_tp_getset, device_getset},
		{Py_tp_doc, "Device(type, index=0)\n--\n\nA device, by kind and number."}, {0, NULL}};
#define STREAM_SLOTS(doc)                                                                                       \
	{                                                                                                           \
		{Py_tp_new, stream_new}, {Py_tp_dealloc, stream_dealloc}, {Py_tp_repr, stream_repr},                    \
		{Py_tp_hash, stream_hash}, {Py_tp_richcompare, stream_compare}, {Py_tp_methods, methods},               \
		{Py_tp_getset, getset}, {Py_tp_doc, doc}, {0, NULL},                                                    \
	}
	PyType_Slot stream_slots[] = STREAM_SLOTS("An order of execution on a device. Made by :func:`new_stream`.");
	PyType_Slot local_slots[] = STREAM_SLOTS(
		"A stream of which each thread has its own. Made by :func:`new_thread_local_stream`.");
	PyType_Slot context_slots[] = {
		{Py_tp_new, context_new}, {Py_tp_dealloc, context_dealloc}, {Py_tp_methods, context_methods},
		{Py_tp_doc, "StreamContext(s)\n--\n\nA context in which operations run on a stream or device."}, {0, NULL}};
	Device_Type = add_type(module, "mlx_go.core.Device", sizeof(Device), device_slots);
	Stream_Type = add_type(module, "mlx_go.core.Stream", sizeof(Stream), stream_slots);
	LocalStream_Type = add_type(module, "mlx_go.core.ThreadLocalStream", sizeof(Stream), local_slots);
	Context_Type = add_type(module, "mlx_go.core.StreamContext", sizeof(Context), context_slots);
	return Device_Type && Stream_Type && LocalStream_Type && Context_Type ? 0 : -1;
}
