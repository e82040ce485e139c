/* Files: the core reads and writes them with the GIL released. */
#include "internal.h"

/* ---- lists of strings ---- */

static void free_texts(capi_texts *t) {
	free(t->bytes);
	free(t->ends);
}

/* Python strings for Go. */
static int join(PyObject *list, capi_texts *out) {
	Py_ssize_t n = PyList_Size(list), total = 0, len;
	int64_t *ends = out->ends = malloc((n + 1) * sizeof *ends);
	for (Py_ssize_t i = 0; ends && i < n; i++) {
		if (!PyUnicode_AsUTF8AndSize(PyList_GetItem(list, i), &len)) return -1;
		ends[i] = total += len;
	}
	char *bytes = out->bytes = malloc(total + 1);
	if (!ends || !bytes) {
		PyErr_NoMemory();
		return -1;
	}
	for (Py_ssize_t i = 0, at = 0; i < n; at = ends[i++])
		memcpy(bytes + at, PyUnicode_AsUTF8AndSize(PyList_GetItem(list, i), NULL), ends[i] - at);
	out->n = n;
	return 0;
}

/* The index-th string, of Go. */
static PyObject *text_at(const capi_texts *t, int64_t index) {
	int64_t at = index ? t->ends[index - 1] : 0;
	return PyUnicode_DecodeUTF8(t->bytes + at, t->ends[index] - at, "replace");
}

/* ---- jobs ---- */

/*
 * As wait_job. Who gives up waits until the job has noticed, unless it does not get to that because the file system
 * does not answer: then the job is left to itself, with all that it works with.
 */
static int wait_file(uint32_t job) {
	while (!job_over(job, WAKE_MS))
		if (PyErr_CheckSignals() < 0) {
			goJobCancel(job);
			while (!job_over(job, 500) && !goFileStalls(job)) {}
			goFileLeave(job);
			return -1;
		}
	int r = goJobFinish(job);
	if (r < 0) goFileLeave(job);
	return r;
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

void capi_free_pieces(capi_pieces *p) {
	if (!p) return;
	for (int64_t i = 0; i < p->n; i++) free(p->list[i]);
	free(p->list);
	free(p);
}

void capi_free_loaded(capi_loaded *l) {
	if (!l) return;
	free(l->arrays);
	free_texts(&l->names);
	free_texts(&l->metadata);
	free(l);
}

/* ---- saving ---- */

/* A list of bytes; each piece is freed as soon as it is copied. */
static PyObject *take_pieces(capi_pieces *p) {
	PyObject *list = PyList_New(p->n);
	int64_t left = p->size, each = p->n > 1 ? PIECE_SIZE : left;
	for (int64_t i = 0; list && i < p->n; i++, left -= each) {
		int64_t size = left < each ? left : each;
		PyObject *b = look_for_signals() < 0 ? NULL : PyBytes_FromStringAndSize(p->list[i], size);
		if (!b) Py_CLEAR(list);
		else PyList_SetItem(list, i, b);
		free(p->list[i]);
		p->list[i] = NULL;
	}
	return list;
}

static PyObject *save_job(const char *path, const char *kind, capi_texts *names, uint32_t *ids, capi_texts *metadata,
		int compress) {
	int64_t job = goSave((char *)path, (char *)kind, names, ids, metadata, compress);
	if (job < 0 || wait_file((uint32_t)job) < 0) return NULL;
	capi_pieces *p = (capi_pieces *)goFileTake((uint32_t)job);
	PyObject *result = p ? take_pieces(p) : Py_NewRef(Py_None);
	capi_free_pieces(p);
	return result;
}

/*
 * _save(path, kind, names, arrays, metadata, compress): path is bytes as the system takes them; None gives a list of
 * bytes.
 */
static PyObject *save(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	if (n != 6 || !PyList_Check(args[2]) || !PyList_Check(args[3]) || !PyList_Check(args[4])) {
		PyErr_SetString(PyExc_TypeError, "_save(path, kind, names, arrays, metadata, compress)");
		return NULL;
	}
	char *path = NULL;
	const char *kind = PyUnicode_AsUTF8AndSize(args[1], NULL);
	int compress = PyObject_IsTrue(args[5]);
	/* Python's words for a zero byte, behind which the system would see no more of the name. */
	if (!kind || compress < 0 || (args[0] != Py_None && PyBytes_AsStringAndSize(args[0], &path, NULL) < 0)) return NULL;
	PyObject *arrays = args[3], *result = NULL;
	Py_ssize_t count = PyList_Size(arrays);
	capi_texts names = {0}, metadata = {0};
	uint32_t *ids = NULL;
	if (join(args[2], &names) < 0 || join(args[4], &metadata) < 0) goto out;
	if (names.n != count || metadata.n % 2 || !(ids = malloc((count + 1) * sizeof *ids))) {
		PyErr_NoMemory();
		goto out;
	}
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *a = PyList_GetItem(arrays, i);
		if (!a || !is_array(a)) {
			PyErr_SetString(PyExc_TypeError, "_save: expected arrays");
			goto out;
		}
		ids[i] = ID(a);
	}
	goHoldAll(ids, count);
	if (ensure_ready(ids, count) == 0) result = save_job(path, kind, &names, ids, &metadata, compress);
	goRelease(ids, count);
out:
	free_texts(&names);
	free_texts(&metadata);
	free(ids);
	return result;
}

/* ---- loading ---- */

/* A dict of the arrays by name. Arrays that are not wrapped are freed. */
static PyObject *named_arrays(capi_loaded *l) {
	const capi_handle *at = l->arrays;
	PyObject *dict = PyDict_New();
	for (int64_t i = 0; i < l->n; i++) {
		if (dict && i % POLL_ELEMENTS == 0 && look_for_signals() < 0) Py_CLEAR(dict);
		if (!dict) {
			queue_free((uint32_t)at[i], (uint32_t)(at[i] >> 32));
			continue;
		}
		PyObject *a = wrap(at[i]), *name = text_at(&l->names, i);
		if (!a || !name || PyDict_SetItem(dict, name, a) < 0) Py_CLEAR(dict);
		Py_XDECREF(a);
		Py_XDECREF(name);
	}
	return dict;
}

static PyObject *metadata_dict(const capi_texts *t) {
	PyObject *dict = PyDict_New();
	for (int64_t i = 0; dict && i < t->n; i += 2) {
		PyObject *key = i % POLL_ELEMENTS == 0 && look_for_signals() < 0 ? NULL : text_at(t, i);
		PyObject *value = key ? text_at(t, i + 1) : NULL;
		if (!value || PyDict_SetItem(dict, key, value) < 0) Py_CLEAR(dict);
		Py_XDECREF(key);
		Py_XDECREF(value);
	}
	return dict;
}

/* (array or dict of arrays, metadata) */
static PyObject *take_loaded(uint32_t job) {
	capi_loaded *l = (capi_loaded *)goFileTake(job);
	if (!l) {
		PyErr_SetString(PyExc_RuntimeError, "[load] internal error: a job without a result");
		return NULL;
	}
	PyObject *arrays = l->single ? wrap(l->single) : named_arrays(l);
	PyObject *metadata = arrays ? metadata_dict(&l->metadata) : NULL;
	PyObject *result = metadata ? PyTuple_Pack(2, arrays, metadata) : NULL;
	Py_XDECREF(arrays);
	Py_XDECREF(metadata);
	capi_free_loaded(l);
	return result;
}

/* _load(path, kind) */
static PyObject *load(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	char *path = NULL;
	if (n != 2) PyErr_SetString(PyExc_TypeError, "_load(path, kind)");
	const char *kind = n == 2 ? PyUnicode_AsUTF8AndSize(args[1], NULL) : NULL;
	if (!kind || PyBytes_AsStringAndSize(args[0], &path, NULL) < 0) return NULL;
	flush_frees();
	int64_t job = goLoad(path, (char *)kind, thread_stream);
	return job < 0 || wait_file((uint32_t)job) < 0 ? NULL : take_loaded((uint32_t)job);
}

static PyObject *load_parts(PyObject *list, Py_buffer *views, capi_part *parts, const char *kind) {
	Py_ssize_t n = PyList_Size(list), held = 0;
	int64_t job = -1;
	while (held < n && get_buffer(PyList_GetItem(list, held), &views[held], PyBUF_SIMPLE) == 0) {
		parts[held] = (capi_part){views[held].buf, views[held].len};
		held++;
	}
	if (held == n) job = goLoadBytes(parts, n, (char *)kind, thread_stream);
	if (job >= 0 && wait_file((uint32_t)job) < 0) job = -1; /* memory does not stall: it is over, too */
	while (held > 0) release_buffer(&views[--held]);
	return job < 0 ? NULL : take_loaded((uint32_t)job);
}

/* _load_bytes(parts, kind) */
static PyObject *load_bytes(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	const char *kind = n == 2 && PyList_Check(args[0]) ? PyUnicode_AsUTF8AndSize(args[1], NULL) : NULL;
	if (!kind || !get_buffer) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "_load_bytes(parts, kind)");
		return NULL;
	}
	flush_frees();
	Py_ssize_t count = PyList_Size(args[0]);
	Py_buffer *views = malloc((count + 1) * sizeof *views);
	capi_part *parts = malloc((count + 1) * sizeof *parts);
	PyObject *result = views && parts ? load_parts(args[0], views, parts, kind) : PyErr_NoMemory();
	free(views);
	free(parts);
	return result;
}

/*
 * _extent(prefix, kind): how many bytes of a stream the file takes; negated, how many are to be read before asking
 * again.
 */
static PyObject *extent(PyObject *module, PyObject *const *args, Py_ssize_t n) {
	(void)module;
	GUARD(NULL);
	const char *kind = n == 2 ? PyUnicode_AsUTF8AndSize(args[1], NULL) : NULL;
	Py_buffer b;
	if (!kind || !get_buffer || get_buffer(args[0], &b, PyBUF_SIMPLE) < 0) {
		if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "_extent(prefix, kind)");
		return NULL;
	}
	int64_t bytes = 0, job = goExtent(&(capi_part){b.buf, b.len}, (char *)kind, &bytes);
	if (job > 0 && wait_file((uint32_t)job) < 0) job = -1;
	release_buffer(&b);
	if (job < 0) return NULL;
	return PyLong_FromLongLong(job > 0 ? (int64_t)goFileTake((uint32_t)job) : bytes);
}

PyMethodDef io_methods[] = {
	{"_save", (PyCFunction)(void *)save, METH_FASTCALL, NULL},
	{"_load", (PyCFunction)(void *)load, METH_FASTCALL, NULL},
	{"_load_bytes", (PyCFunction)(void *)load_bytes, METH_FASTCALL, NULL},
	{"_extent", (PyCFunction)(void *)extent, METH_FASTCALL, NULL},
	{NULL, NULL, 0, NULL}};
