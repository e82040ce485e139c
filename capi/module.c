/* The extension module: PyInit__core. */
#include "internal.h"
#include "../internal/park/park.h"

PyObject *AxisError, *ModuleName;

static int intern_params(const capi_func *f) {
	for (int j = 0; j < f->nparams; j++)
		if (!f->params[j].interned && !(f->params[j].interned = PyUnicode_InternFromString(f->params[j].name)))
			return -1;
	return 0;
}

/* _functions: the table's functions by their full names; the package hands them out to its modules. */
static int add_functions(PyObject *module) {
	static PyMethodDef *defs;
	PyObject *all = PyDict_New();
	if (!all) return -1;
	if (!defs && !(defs = calloc(function_count + 1, sizeof *defs))) {
		PyErr_NoMemory();
		return -1;
	}
	for (int i = 0; i < function_count; i++) {
		const capi_func *f = &functions[i];
		if (intern_params(f) < 0) return -1;
		defs[i] = (PyMethodDef){f->base, (PyCFunction)(void *)trampolines[i], METH_FASTCALL | METH_KEYWORDS, f->doc};
		if (f->method == METHOD_ONLY) continue;
		/* "random.uniform" lives in mlx_go.random. */
		PyObject *name = Py_NewRef(ModuleName);
		if (f->base != f->name) {
			PyObject *sub = PyUnicode_FromStringAndSize(f->name, f->base - 1 - f->name);
			Py_DECREF(name);
			name = sub ? PyUnicode_FromFormat("mlx_go.%U", sub) : NULL;
			Py_XDECREF(sub);
		}
		PyObject *o = name ? PyCFunction_NewEx(&defs[i], module, name) : NULL;
		Py_XDECREF(name);
		if (!o || PyDict_SetItemString(all, f->name, o) < 0) return -1;
		Py_DECREF(o);
	}
	return PyModule_AddObject(module, "_functions", all);
}

static int add_errors(PyObject *module) {
	PyObject *bases = PyTuple_Pack(2, PyExc_ValueError, PyExc_IndexError);
	if (!bases) return -1;
	AxisError = PyErr_NewExceptionWithDoc("mlx_go.core.AxisError",
		"An axis that the array does not have; a ValueError and an IndexError, as NumPy's.", bases, NULL);
	Py_DECREF(bases);
	return AxisError ? PyModule_AddObjectRef(module, "AxisError", AxisError) : -1;
}

static int populate(PyObject *m) {
	init_guard();
	init_buffer();
	MEET();
	functions = goTable(&function_count);
	after_go();
	if (!functions) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_ImportError, "mlx_go: the function table could not be built");
		return -1;
	}
	if (function_count > trampoline_count) {
		PyErr_Format(PyExc_ImportError, "mlx_go: %d functions, but trampolines for %d only (capi/parse.c)",
			function_count, trampoline_count);
		return -1;
	}
	ModuleName = PyUnicode_InternFromString("mlx_go.core");
	if (!ModuleName || add_errors(m) < 0 || init_operators() < 0 || add_dtype_types(m) < 0 || add_stream_types(m) < 0)
		return -1;
	if (add_array_types(m, functions, function_count) < 0 || add_functions(m) < 0 || add_tree_modes(m) < 0) return -1;
	PyMethodDef *const methods[] = {eval_methods, stream_methods, tree_methods, tree_key_methods, tree_lend_methods,
		transform_methods, script_methods, system_methods, io_methods};
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		for (PyMethodDef *d = methods[i]; d->ml_name; d++) {
			PyObject *f = PyCFunction_NewEx(d, m, ModuleName);
			if (!f || PyModule_AddObject(m, d->ml_name, f) < 0) return -1;
		}
	return 0;
}

__attribute__((visibility("default"))) PyObject *PyInit__core(void) {
	static PyModuleDef def = {PyModuleDef_HEAD_INIT, "mlx_go._core", "The array core of mlx_go, written in Go.", -1,
		NULL, NULL, NULL, NULL, NULL};
	if (forked) {
		fork_error();
		return NULL;
	}
	mlx_go_park_started();
	loaded();
	if (start_error() < 0) return NULL;
	PyObject *m = PyModule_Create(&def);
	if (m && populate(m) < 0) Py_CLEAR(m);
	return m;
}
