/* One argument parser for every function of the table, driven by the parsed signatures. */
#include "facts.h"

const capi_func *functions;
int function_count;

/* ---- the pool of arguments ---- */

void pool_init(arg_pool *p) {
	p->args = p->few;
	p->n = 0;
	p->cap = sizeof p->few / sizeof *p->few;
	p->temps = NULL;
	p->ntemps = p->captemps = 0;
	p->keep = NULL;
	p->nkeep = p->capkeep = 0;
	p->defers = 0;
}

/* To be called before anything that may run Python code. */
static void defer(arg_pool *p) {
	if (!p->defers) deferring++;
	p->defers = 1;
}

/* Takes over the reference. */
static int keep(arg_pool *p, PyObject *o) {
	if (p->nkeep == p->capkeep) {
		uint32_t cap = p->capkeep ? 2 * p->capkeep : 4;
		PyObject **grown = realloc(p->keep, cap * sizeof *grown);
		if (!grown) {
			Py_DECREF(o);
			PyErr_NoMemory();
			return -1;
		}
		p->keep = grown;
		p->capkeep = cap;
	}
	p->keep[p->nkeep++] = o;
	return 0;
}

void pool_done(arg_pool *p) {
	for (uint32_t i = 0; i < p->ntemps; i++) queue_free(p->temps[i], 0);
	for (uint32_t i = 0; i < p->nkeep; i++) Py_DECREF(p->keep[i]);
	if (p->args != p->few) free(p->args);
	free(p->temps);
	free(p->keep);
	if (p->defers) undefer();
}

uint32_t pool_grow(arg_pool *p, uint32_t n) {
	if (p->n + n > p->cap) {
		uint32_t cap = 2 * p->cap + n;
		capi_arg *grown = malloc(cap * sizeof *grown);
		if (!grown) {
			PyErr_NoMemory();
			return UINT32_MAX;
		}
		memcpy(grown, p->args, p->n * sizeof *grown);
		if (p->args != p->few) free(p->args);
		p->args = grown;
		p->cap = cap;
	}
	uint32_t at = p->n;
	p->n += n;
	return at;
}

static int add_temp(arg_pool *p, uint32_t id) {
	if (p->ntemps == p->captemps) {
		uint32_t cap = p->captemps ? 2 * p->captemps : 8;
		uint32_t *grown = realloc(p->temps, cap * sizeof *grown);
		if (!grown) {
			queue_free(id, 0);
			PyErr_NoMemory();
			return -1;
		}
		p->temps = grown;
		p->captemps = cap;
	}
	p->temps[p->ntemps++] = id;
	return 0;
}

static int take_index(arg_pool *p, uint32_t at, PyObject *o) {
	defer(p); /* an array is evaluated here */
	PyObject *i = PyNumber_Index(o);
	if (!i) return -1;
	int r = scalar_arg(i, &p->args[at]);
	Py_DECREF(i);
	return r;
}

static int convert_list(arg_pool *p, uint32_t at, PyObject *o, uint32_t accept) {
	int list = PyList_Check(o);
	Py_ssize_t n = list ? PyList_Size(o) : PyTuple_Size(o);
	uint32_t first = pool_grow(p, (uint32_t)n);
	if (first == UINT32_MAX) return -1;
	/* Lists within lists: the elements' own elements are of whatever kinds the element accepts. */
	uint32_t inner = accept >> ACCEPT_ELEMENT_SHIFT;
	if (inner & ACCEPT_LIST) inner |= (inner & ~(uint32_t)ACCEPT_LIST) << ACCEPT_ELEMENT_SHIFT;
	if (!inner) inner = ACCEPT_ANY;
	p->args[at].kind = ARG_LIST;
	p->args[at].list = first;
	p->args[at].n = n;
	if (Py_EnterRecursiveCall(" in a call of mlx_go.core")) return -1;
	int r = 0;
	for (Py_ssize_t i = 0; r == 0 && i < n; i++) {
		PyObject *x = list ? PyList_GetItem(o, i) : PyTuple_GetItem(o, i);
		if (!x) {
			r = -1;
			break;
		}
		Py_INCREF(x); /* code that a conversion runs may drop it from the list */
		r = pool_convert(p, first + (uint32_t)i, x, inner);
		Py_DECREF(x);
	}
	Py_LeaveRecursiveCall();
	return r;
}

static int convert_array(arg_pool *p, uint32_t at, PyObject *o, uint32_t accept) {
	if (accept & (ACCEPT_ARRAY | ACCEPT_ANY)) {
		p->args[at].kind = ARG_ARRAY;
		p->args[at].id = ID(o);
		return 0;
	}
	if (accept & ACCEPT_INT) {
		int dtype = array_dtype(o);
		NOTE(SEEN_RANK, o);
		return array_ndim(o) != 0 || dtype < DT_UINT8 || dtype > DT_INT64 ? 1 : take_index(p, at, o);
	}
	if (accept & ACCEPT_FLOAT) {
		defer(p);
		PyObject *f = PyNumber_Float(o);
		int r = f ? scalar_arg(f, &p->args[at]) : -1;
		Py_XDECREF(f);
		return r;
	}
	return 1;
}

/* What is of no type known here may be like a number, an array, or a sequence. */
static int convert_alike(arg_pool *p, uint32_t at, PyObject *o, uint32_t accept) {
	const uint32_t numbers = ACCEPT_BOOL | ACCEPT_INT | ACCEPT_FLOAT | ACCEPT_COMPLEX | ACCEPT_ARRAY | ACCEPT_ANY;
	defer(p);
	if (is_scalar(o)) return accept & numbers ? scalar_arg(o, &p->args[at]) : 1;
	if (accept & (ACCEPT_ARRAY | ACCEPT_ANY) && array_like(o)) {
		capi_handle h = from_array_like(o, -1, -1);
		if (!h || add_temp(p, (uint32_t)h) < 0) return -1;
		p->args[at].kind = ARG_ARRAY;
		p->args[at].id = (uint32_t)h;
		return 0;
	}
	if (accept & ACCEPT_LIST && array_like(o)) { /* a NumPy array of axes or of a shape */
		PyObject *list = PyObject_CallMethod(o, "tolist", NULL);
		if (!list) {
			if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
			PyErr_Clear();
			return 1;
		}
		if (keep(p, list) < 0) return -1;
		return PyList_Check(list) ? convert_list(p, at, list, accept) : 1;
	}
	if (accept & ACCEPT_LIST && PySequence_Check(o)) {
		PyObject *list = PySequence_List(o);
		if (!list || keep(p, list) < 0) return -1;
		return convert_list(p, at, list, accept);
	}
	if (accept & ACCEPT_INT && PyIndex_Check(o)) return take_index(p, at, o);
	return 1;
}

int pool_convert(arg_pool *p, uint32_t at, PyObject *o, uint32_t accept) {
	capi_arg *a = &p->args[at];
	memset(a, 0, sizeof *a);
	if (is_array(o)) return convert_array(p, at, o, accept);
	if (o == Py_None) {
		a->kind = ARG_NONE;
		return accept & (ACCEPT_NONE | ACCEPT_ANY) ? 0 : 1;
	}
	if (accept & ACCEPT_TYPE && Py_TYPE(o) != Dtype_Type) {
		defer(p);
		int dtype = dtype_of_numpy(o);
		p->args[at].kind = ARG_DTYPE;
		p->args[at].n = dtype;
		return dtype >= 0 ? 0 : PyErr_Occurred() ? -1 : 1;
	}
	if (PyBool_Check(o) || PyFloat_Check(o) || PyLong_Check(o) || PyComplex_Check(o)) {
		uint32_t bit = PyBool_Check(o) ? ACCEPT_BOOL : PyFloat_Check(o) ? ACCEPT_FLOAT
			: PyLong_Check(o) ? ACCEPT_INT : ACCEPT_COMPLEX;
		/* bool is an int and an int is a float, as everywhere in Python. */
		if (bit == ACCEPT_BOOL) bit |= ACCEPT_INT | ACCEPT_FLOAT;
		if (bit == ACCEPT_INT) bit |= ACCEPT_FLOAT | ACCEPT_COMPLEX;
		if (!(accept & (bit | ACCEPT_ARRAY | ACCEPT_ANY))) return 1;
		return scalar_arg(o, a);
	}
	if (PyUnicode_Check(o)) {
		if (!(accept & (ACCEPT_STRING | ACCEPT_ANY))) return 1;
		Py_ssize_t n;
		a->s = PyUnicode_AsUTF8AndSize(o, &n);
		if (!a->s) return -1;
		a->kind = ARG_STRING;
		a->n = n;
		return 0;
	}
	if (Py_TYPE(o) == Dtype_Type) {
		a->kind = ARG_DTYPE;
		a->n = dtype_of(o);
		return accept & (ACCEPT_DTYPE | ACCEPT_ANY) ? 0 : 1;
	}
	if (PyList_Check(o) || PyTuple_Check(o))
		return accept & (ACCEPT_LIST | ACCEPT_ANY) ? convert_list(p, at, o, accept) : 1;
	return convert_alike(p, at, o, accept);
}

/* ---- calls ---- */

static int bad_type(const capi_func *f, const capi_param *p, PyObject *o) {
	PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(o), "__name__");
	if (name) PyErr_Format(PyExc_TypeError, "%s(): argument '%s' must be %s, not %U", f->base, p->name,
		p->type[0] ? p->type : "another type", name);
	Py_XDECREF(name);
	return -1;
}

static int find_param(const capi_func *f, PyObject *name) {
	for (int i = 0; i < f->nparams; i++)
		if (f->params[i].interned == name) return i;
	for (int i = 0; i < f->nparams; i++)
		if (PyUnicode_CompareWithASCIIString(name, f->params[i].name) == 0) return i;
	return -1;
}

enum { MAX_PARAMS = 24 };

static int too_many(const capi_func *f, Py_ssize_t given) {
	int max = 0;
	for (int i = 0; i < f->nparams; i++) max += f->params[i].kind <= PARAM_POSITIONAL;
	PyErr_Format(PyExc_TypeError, "%s() takes %d positional argument%s but %zd were given", f->base, max,
		max == 1 ? "" : "s", given);
	return -1;
}

/* Sorts the arguments by parameter; rest is what *args takes. */
static int bind(const capi_func *f, PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames,
	PyObject **bound, Py_ssize_t *rest, Py_ssize_t *nrest) {
	int at = 0;
	Py_ssize_t i = self ? -1 : 0;
	*rest = n;
	*nrest = 0;
	for (; i < n; i++) {
		if (at >= f->nparams || f->params[at].kind >= PARAM_KEYWORD_ONLY) return too_many(f, n + (self != NULL));
		if (f->params[at].kind == PARAM_VAR_POSITIONAL) {
			*rest = i;
			*nrest = n - i;
			break;
		}
		bound[at++] = i < 0 ? self : args[i];
	}
	Py_ssize_t nkw = kwnames ? PyTuple_Size(kwnames) : 0;
	for (Py_ssize_t k = 0; k < nkw; k++) {
		PyObject *name = PyTuple_GetItem(kwnames, k);
		int j = find_param(f, name);
		if (j < 0 || f->params[j].kind == PARAM_VAR_POSITIONAL) {
			PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", f->base, name);
			return -1;
		}
		if (f->params[j].kind == PARAM_POSITIONAL_ONLY) {
			PyErr_Format(PyExc_TypeError, "%s() got some positional-only arguments passed as keyword arguments: '%U'",
				f->base, name);
			return -1;
		}
		if (bound[j]) {
			PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", f->base, name);
			return -1;
		}
		bound[j] = args[n + k];
	}
	for (int j = 0; j < f->nparams; j++)
		if (!bound[j] && f->params[j].required) {
			PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s' (pos %d)", f->base,
				f->params[j].name, j + 1);
			return -1;
		}
	return 0;
}

static PyObject *call_general(int index, PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
	const capi_func *f = &functions[index];
	PyObject *bound[MAX_PARAMS] = {NULL}, *result = NULL;
	Py_ssize_t rest, nrest;
	if (bind(f, self, args, n, kwnames, bound, &rest, &nrest) < 0) return NULL;
	arg_pool pool;
	pool_init(&pool);
	int r = 0;
	int64_t on = thread_stream;
	uint32_t count = 0;
	for (int j = 0; j < f->nparams; j++) count += !f->params[j].stream;
	pool_grow(&pool, count); /* MAX_PARAMS fit without growing */
	for (int j = 0, k = 0; r == 0 && j < f->nparams; j++) {
		const capi_param *p = &f->params[j];
		if (p->stream) {
			if (bound[j] && (on = stream_number(bound[j], f->base)) < 0) r = -1;
			continue;
		}
		if (p->kind == PARAM_VAR_POSITIONAL) {
			uint32_t first = pool_grow(&pool, (uint32_t)nrest);
			if (first == UINT32_MAX) {
				r = -1;
				break;
			}
			pool.args[k] = (capi_arg){.kind = ARG_LIST, .list = first, .n = nrest};
			for (Py_ssize_t i = 0; r == 0 && i < nrest; i++) {
				r = pool_convert(&pool, first + (uint32_t)i, args[rest + i], p->accept);
				if (r > 0) r = bad_type(f, p, args[rest + i]);
			}
		} else if (!bound[j]) {
			pool.args[k].kind = ARG_MISSING;
		} else {
			r = pool_convert(&pool, k, bound[j], p->accept);
			if (r > 0) r = bad_type(f, p, bound[j]);
		}
		k++;
	}
	if (r == 0) {
		capi_ids out = {0};
		/* Functions of one array or of a list of them answer in kind. */
		int list = f->result == RETURN_ARRAY_OR_LIST && f->params[0].kind != PARAM_VAR_POSITIONAL &&
			pool.args[0].kind == ARG_LIST;
		int kind = list ? RETURN_LIST : f->result;
		if (goCall(index, pool.args, count, &out, CALLER_ON(on)) == 0) result = wrap_many(&out, kind);
	}
	pool_done(&pool);
	return result;
}

PyObject *call_function(int index, PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames) {
	GUARD(NULL);
	const capi_func *f = &functions[index];
	PyObject *a = self && is_array(self) ? self : NULL;
	if (f->row >= 0 && !kwnames) {
		/* Elementwise functions of arrays are as hot as operators. */
		if (f->nparams == 2 && n + (a != NULL) == 1) {
			PyObject *x = a ? a : args[0];
			if (is_array(x)) return wrap(goUnary(f->row, ID(x), CALLER));
		} else if (f->nparams == 3 && n == 2 && !a && is_array(args[0]) && is_array(args[1])) {
			return wrap(goBinary(f->row, ID(args[0]), ID(args[1]), CALLER));
		}
	}
	return call_general(index, a, args, n, kwnames);
}

/*
 * A METH_FASTCALL function does not learn which of the table's functions it stands for, so each has a C function of
 * its own. As a module function self is the module, as a method it is the array.
 */
#define T(n) \
	static PyObject *t##n(PyObject *self, PyObject *const *args, Py_ssize_t k, PyObject *kw) { \
		return call_function(n, self, args, k, kw); \
	}
#define R(n) t##n,
#define X16(M, p) \
	M(p##0) M(p##1) M(p##2) M(p##3) M(p##4) M(p##5) M(p##6) M(p##7) \
	M(p##8) M(p##9) M(p##A) M(p##B) M(p##C) M(p##D) M(p##E) M(p##F)
#define X256(M, p) \
	X16(M, p##0) X16(M, p##1) X16(M, p##2) X16(M, p##3) X16(M, p##4) X16(M, p##5) X16(M, p##6) X16(M, p##7) \
	X16(M, p##8) X16(M, p##9) X16(M, p##A) X16(M, p##B) X16(M, p##C) X16(M, p##D) X16(M, p##E) X16(M, p##F)
#define ALL(M) X256(M, 0x0) X256(M, 0x1) X256(M, 0x2)
ALL(T)
_PyCFunctionFastWithKeywords trampolines[] = {ALL(R)};
const int trampoline_count = sizeof trampolines / sizeof *trampolines;
