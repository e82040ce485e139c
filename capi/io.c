/* Files: the core reads and writes them with the GIL released. */
#include "internal.h"

/* Flat strings for Go: each ended by a zero byte, which names therefore must not contain. */
static char *join(PyObject *list, int64_t *count) {
	Py_ssize_t n = PyList_Size(list), total = 1;
	for (Py_ssize_t i = 0; i < n; i++) {
		Py_ssize_t len;
		const char *s = PyUnicode_AsUTF8AndSize(PyList_GetItem(list, i), &len);
		if (!s) return NULL;
		if (strlen(s) != (size_t)len) {
			PyErr_SetString(PyExc_ValueError, "[save] names and metadata must not contain zero bytes");
			return NULL;
		}
		total += len + 1;
	}
	char *text = malloc(total), *at = text;
	if (!text) {
		PyErr_NoMemory();
		return NULL;
	}
	for (Py_ssize_t i = 0; i < n; i++) {
		const char *s = PyUnicode_AsUTF8AndSize(PyList_GetItem(list, i), NULL);
		size_t len = strlen(s) + 1;
		memcpy(at, s, len);
		at += len;
	}
	*count = n;
	return text;
}

void *capi_add_piece(capi_pieces *p, int64_t size) {
	if (p->n == p->cap) {
		int64_t cap = p->cap ? 2 * p->cap : 16;
		char **grown = realloc(p->list, cap * sizeof *grown);
		if (!grown) return NULL;
		p->list = grown;
		p->cap = cap;
	}
	char *piece = malloc(size);
	if (piece) p->list[p->n++] = piece;
	return piece;
}

/* A list of bytes; each piece is freed as soon as it is copied. */
static PyObject *take_pieces(capi_pieces *p) {
	PyObject *list = PyList_New(p->n);
	int64_t left = p->size, each = p->n > 1 ? PIECE_SIZE : left;
	for (int64_t i = 0; list && i < p->n; i++, left -= each) {
		PyObject *b = PyErr_CheckSignals() < 0 ? NULL : PyBytes_FromStringAndSize(p->list[i], left < each ? left : each);
		if (!b) Py_CLEAR(list);
		else PyList_SetItem(list, i, b);
		free(p->list[i]);
		p->list[i] = NULL;
	}
	return list;
}

/* (path or NULL, kind, names, arrays, keys, values, compress) */
static PyObject *write_arrays(const char *path, PyObject *const *args) {
	const char *kind = PyUnicode_AsUTF8AndSize(args[0], NULL);
	PyObject *arrays = args[2], *result = NULL;
	int64_t n = 0, pairs = 0;
	char *names = NULL, *keys = NULL, *values = NULL;
	uint32_t *ids = NULL;
	if (!kind || !PyList_Check(args[1]) || !PyList_Check(arrays) || !PyList_Check(args[3]) || !PyList_Check(args[4])) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "_save: expected lists");
		return NULL;
	}
	if (!(names = join(args[1], &n)) || !(keys = join(args[3], &pairs)) || !(values = join(args[4], &pairs))) goto out;
	if (!(ids = malloc((n + 1) * sizeof *ids))) {
		PyErr_NoMemory();
		goto out;
	}
	for (int64_t i = 0; i < n; i++) {
		PyObject *a = PyList_GetItem(arrays, i);
		if (!a || !is_array(a)) {
			PyErr_SetString(PyExc_TypeError, "_save: expected arrays");
			goto out;
		}
		ids[i] = ID(a);
	}
	goHoldAll(ids, n);
	int compress = PyObject_IsTrue(args[5]);
	capi_pieces pieces = {0};
	if (compress >= 0 && ensure_ready(ids, n) == 0) {
		int64_t job = goSave((char *)path, (char *)kind, names, ids, n, keys, values, pairs, compress, path ? NULL : &pieces);
		if (job >= 0 && wait_job((uint32_t)job) == 0) result = path ? Py_NewRef(Py_None) : take_pieces(&pieces);
	}
	for (int64_t i = 0; i < pieces.n; i++) free(pieces.list[i]);
	free(pieces.list);
	goRelease(ids, n);
out:
	free(names);
	free(keys);
	free(values);
	free(ids);
	return result;
}

static PyObject *save(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	const char *path = n == 7 ? PyUnicode_AsUTF8AndSize(args[0], NULL) : NULL;
	if (n != 7) PyErr_SetString(PyExc_TypeError, "_save(path, kind, names, arrays, keys, values, compress)");
	return path ? write_arrays(path, args + 1) : NULL;
}

static PyObject *save_bytes(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 6) {
		PyErr_SetString(PyExc_TypeError, "_save_bytes(kind, names, arrays, keys, values, compress)");
		return NULL;
	}
	return write_arrays(NULL, args);
}

static PyObject *split(const char *text, int64_t n) {
	PyObject *list = PyList_New(n);
	for (int64_t i = 0; list && i < n; i++) {
		size_t len = strlen(text);
		PyObject *s = PyUnicode_DecodeUTF8(text, len, "replace");
		if (!s) Py_CLEAR(list);
		else PyList_SetItem(list, i, s);
		text += len + 1;
	}
	return list;
}

static PyObject *finish_load(int64_t job, capi_loaded *l) {
	int ok = job >= 0 && wait_job((uint32_t)job) == 0;
	/* Interrupted in its last moment it may hold arrays. */
	PyObject *single = l->single ? wrap(l->single) : Py_NewRef(Py_None), *arrays = wrap_many(&l->arrays, RETURN_LIST), *result = NULL;
	if (ok) {
		PyObject *names = split(l->names, l->arrays.n), *keys = split(l->keys, l->pairs), *values = split(l->values, l->pairs);
		PyObject *metadata = PyDict_New();
		for (int64_t i = 0; metadata && keys && values && i < l->pairs; i++)
			if (PyDict_SetItem(metadata, PyList_GetItem(keys, i), PyList_GetItem(values, i)) < 0) Py_CLEAR(metadata);
		if (single && names && arrays && metadata) result = PyTuple_Pack(4, single, names, arrays, metadata);
		Py_XDECREF(names);
		Py_XDECREF(keys);
		Py_XDECREF(values);
		Py_XDECREF(metadata);
	}
	Py_XDECREF(single);
	Py_XDECREF(arrays);
	free(l->names);
	free(l->keys);
	free(l->values);
	return result;
}

static PyObject *load(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	const char *path = n == 2 ? PyUnicode_AsUTF8AndSize(args[0], NULL) : NULL, *kind = path ? PyUnicode_AsUTF8AndSize(args[1], NULL) : NULL;
	if (!kind) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "_load(path, format)");
		return NULL;
	}
	flush_frees();
	capi_loaded l = {0};
	return finish_load(goLoad((char *)path, (char *)kind, NULL, 0, &l), &l);
}

static PyObject *load_bytes(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 2 || !get_buffer) {
		PyErr_SetString(PyExc_TypeError, "_load_bytes(data, format)");
		return NULL;
	}
	const char *kind = PyUnicode_AsUTF8AndSize(args[1], NULL);
	Py_buffer b;
	if (!kind || get_buffer(args[0], &b, PyBUF_SIMPLE) < 0) return NULL;
	capi_loaded l = {0};
	static char empty;
	PyObject *result = finish_load(goLoad(NULL, (char *)kind, b.buf ? b.buf : &empty, b.len, &l), &l);
	release_buffer(&b);
	return result;
}

PyMethodDef io_methods[] = {
	{"_save", (PyCFunction)(void *)save, METH_FASTCALL, NULL},
	{"_save_bytes", (PyCFunction)(void *)save_bytes, METH_FASTCALL, NULL},
	{"_load", (PyCFunction)(void *)load, METH_FASTCALL, NULL},
	{"_load_bytes", (PyCFunction)(void *)load_bytes, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
