/* Dtype objects: fourteen immortal instances. */
#include "internal.h"
#include <stdio.h>

PyTypeObject *Dtype_Type;
PyObject *Dtypes[DT_COUNT];

const char *const dtype_names[DT_COUNT] = {
	"bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
	"float16", "float32", "float64", "bfloat16", "complex64"};
const uint8_t dtype_sizes[DT_COUNT] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 2, 8};

typedef struct {
	PyObject ob_base;
	int number;
} Dtype;

static PyObject *dtype_repr(PyObject *self) {
	return PyUnicode_FromFormat("mlx.core.%s", dtype_names[dtype_of(self)]);
}

static PyObject *dtype_richcompare(PyObject *a, PyObject *b, int op) {
	if ((op != Py_EQ && op != Py_NE) || Py_TYPE(a) != Dtype_Type || Py_TYPE(b) != Dtype_Type) Py_RETURN_NOTIMPLEMENTED;
	return PyBool_FromLong((dtype_of(a) == dtype_of(b)) == (op == Py_EQ));
}

static Py_hash_t dtype_hash(PyObject *self) { return 0x6d6c78 + dtype_of(self); }

static PyObject *dtype_size(PyObject *self, void *unused) {
	(void)unused;
	return PyLong_FromLong(dtype_sizes[dtype_of(self)]);
}

/* A string from __reduce__ names a global of the module, which is how the singletons survive pickling and copying. */
static PyObject *dtype_reduce(PyObject *self, PyObject *unused) {
	(void)unused;
	return PyUnicode_FromString(dtype_of(self) == DT_BOOL ? "bool_" : dtype_names[dtype_of(self)]);
}

static PyObject *dtype_self(PyObject *self, PyObject *unused) {
	(void)unused;
	return Py_NewRef(self);
}

static PyObject *dtype_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
	(void)type, (void)args, (void)kwargs;
	PyErr_SetString(PyExc_TypeError, "Dtype: use the dtypes of the module, such as mx.float32");
	return NULL;
}

static PyMethodDef dtype_methods[] = {
	{"__reduce__", dtype_reduce, METH_NOARGS, NULL},
	{"__copy__", dtype_self, METH_NOARGS, NULL},
	{"__deepcopy__", dtype_self, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};

/* By which NumPy, and those who ask it, take our dtypes for theirs. NumPy before 2.4 looks for the attribute dtype. */
static PyObject *dtype_numpy(PyObject *self, void *unused) {
	(void)unused;
	int foreign = dtype_of(self) == DT_BFLOAT16;
	PyObject *numpy = PyImport_ImportModule("numpy"), *owner = foreign ? PyImport_ImportModule("ml_dtypes") : NULL,
		*result = NULL;
	PyObject *name = !foreign ? PyUnicode_FromString(dtype_names[dtype_of(self)])
		: owner ? PyObject_GetAttrString(owner, "bfloat16") : NULL;
	if (numpy && name) result = PyObject_CallMethod(numpy, "dtype", "(O)", name);
	Py_XDECREF(numpy);
	Py_XDECREF(owner);
	Py_XDECREF(name);
	if (!result && PyErr_ExceptionMatches(PyExc_ImportError)) {
		PyErr_Clear();
		PyErr_Format(PyExc_AttributeError, "NumPy's %s needs %s, which is not installed", dtype_names[dtype_of(self)],
			foreign ? "ml_dtypes" : "NumPy");
	}
	return result;
}

static PyGetSetDef dtype_getset[] = {
	{"size", dtype_size, NULL, "Size of one element in bytes.", NULL},
	{"__numpy_dtype__", dtype_numpy, NULL, "NumPy's dtype of this name.", NULL},
	{"dtype", dtype_numpy, NULL, "NumPy's dtype of this name.", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

int dtype_of_numpy(PyObject *o) {
	PyObject *numpy = PyImport_ImportModule("numpy"),
		*dtype = numpy ? PyObject_CallMethod(numpy, "dtype", "(O)", o) : NULL;
	PyObject *name = dtype ? PyObject_GetAttrString(dtype, "name") : NULL;
	int found = -1;
	for (int i = 0; name && i < DT_COUNT; i++)
		if (PyUnicode_CompareWithASCIIString(name, dtype_names[i]) == 0) found = i;
	Py_XDECREF(numpy);
	Py_XDECREF(dtype);
	Py_XDECREF(name);
	if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)) PyErr_Clear(); /* Ctrl-C stays */
	return found;
}

int add_dtype_types(PyObject *module) {
	static PyType_Slot slots[] = {
		{Py_tp_repr, dtype_repr}, {Py_tp_richcompare, dtype_richcompare}, {Py_tp_hash, dtype_hash},
		{Py_tp_new, dtype_new},
		{Py_tp_methods, dtype_methods}, {Py_tp_getset, dtype_getset},
		{Py_tp_doc, "The type of the elements of an array.\n\n"
			"The module has one object for each: bool_, uint8, ..., complex64."},
		{0, NULL}};
	static PyType_Spec spec = {"mlx_go.core.Dtype", sizeof(Dtype), 0, Py_TPFLAGS_DEFAULT, slots};
	Dtype_Type = (PyTypeObject *)PyType_FromSpec(&spec);
	if (!Dtype_Type || PyModule_AddObjectRef(module, "Dtype", (PyObject *)Dtype_Type) < 0) return -1;
	PyObject *all = PyTuple_New(DT_COUNT);
	if (!all) return -1;
	for (int i = 0; i < DT_COUNT; i++) {
		Dtype *d = PyObject_New(Dtype, Dtype_Type);
		if (!d) return -1;
		d->number = i;
		Dtypes[i] = (PyObject *)d;
		PyTuple_SetItem(all, i, Py_NewRef(Dtypes[i]));
		/* `bool` stays Python's own name inside the module. */
		if (PyModule_AddObjectRef(module, i == DT_BOOL ? "bool_" : dtype_names[i], Dtypes[i]) < 0) return -1;
	}
	return PyModule_AddObject(module, "_dtypes", all);
}
