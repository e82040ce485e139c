/* The operators of array: the hot path. One crossing builds the node and hands over the dead arrays. */
#include "facts.h"

/* operator, name of the elementwise row */
#define BINARY_OPERATORS(X)                                                                                  \
	X(add, "add") X(subtract, "subtract") X(multiply, "multiply") X(true_divide, "divide")                   \
	X(floor_divide, "floor_divide") X(remainder, "remainder") X(and, "bitwise_and") X(or, "bitwise_or")      \
	X(xor, "bitwise_xor") X(lshift, "left_shift") X(rshift, "right_shift")
#define COMPARISONS(X)                                                                                       \
	X(less, "less") X(less_equal, "less_equal") X(equal, "equal") X(not_equal, "not_equal")                  \
	X(greater, "greater") X(greater_equal, "greater_equal")
#define UNARY_OPERATORS(X) X(negative, "negative") X(absolute, "abs") X(invert, "bitwise_invert")

#define DECLARE(op, row) static int32_t row_##op;
BINARY_OPERATORS(DECLARE)
COMPARISONS(DECLARE)
UNARY_OPERATORS(DECLARE)
static int32_t row_power;

int init_operators(void) {
#define FIND(op, row) \
	if ((row_##op = goFindRow(row)) < 0) return -1;
	BINARY_OPERATORS(FIND)
	COMPARISONS(FIND)
	UNARY_OPERATORS(FIND)
	FIND(power, "power")
	return 0;
}

/* The handle of row(a, b), 0 with an exception, or 0 without one when the other operand's type should be asked. */
static capi_handle binary(int32_t row, PyObject *a, PyObject *b) {
	GUARD(0);
	int left = is_array(a);
	if (__builtin_expect(left && is_array(b), 1)) return goBinary(row, ID(a), ID(b), CALLER);
	PyObject *array = left ? a : b, *other = left ? b : a;
	capi_arg s;
	int no = scalar_arg(other, &s);
	if (no < 0) return 0;
	if (!no) return goBinaryScalar(row, ID(array), s.kind, s.n, s.re, s.im, !left, CALLER);
	if (!array_like(other)) return 0;
	capi_handle t = from_array_like(other, -1, -1);
	if (!t) return 0;
	capi_handle h = left ? goBinary(row, ID(array), (uint32_t)t, CALLER)
		: goBinary(row, (uint32_t)t, ID(array), CALLER);
	queue_free((uint32_t)t, (uint32_t)(t >> 32));
	return h;
}

static PyObject *operate(int32_t row, PyObject *a, PyObject *b) {
	capi_handle h = binary(row, a, b);
	if (__builtin_expect(h != 0, 1)) return wrap(h);
	if (PyErr_Occurred()) return NULL;
	Py_RETURN_NOTIMPLEMENTED;
}

/* Arrays do not change; the object moves on to the new node. */
static PyObject *replace(PyObject *self, capi_handle h) {
	if (!h) {
		if (PyErr_Occurred()) return NULL;
		Py_RETURN_NOTIMPLEMENTED;
	}
	set_node(self, h);
	return Py_NewRef(self);
}

#define BINARY(op, row)                                                                                 \
	static PyObject *op_##op(PyObject *a, PyObject *b) { return operate(row_##op, a, b); }              \
	static PyObject *inplace_##op(PyObject *a, PyObject *b) { return replace(a, binary(row_##op, a, b)); }
BINARY_OPERATORS(BINARY)

#define UNARY(op, row)                                            \
	static PyObject *op_##op(PyObject *a) {                       \
		GUARD(NULL);                                              \
		return wrap(goUnary(row_##op, ID(a), CALLER));             \
	}
UNARY_OPERATORS(UNARY)

static PyObject *op_positive(PyObject *a) {
	GUARD(NULL);
	return wrap(goHold(ID(a)));
}

static PyObject *inplace_divide(PyObject *a, PyObject *b) {
	GUARD(NULL);
	int dtype = array_dtype(a);
	if (dtype < DT_FLOAT16) {
		PyErr_Format(PyExc_ValueError,
			"[divide] in-place division cannot turn an array of dtype %s into a floating-point one: use a = a / b",
			dtype_names[dtype]);
		return NULL;
	}
	return inplace_true_divide(a, b);
}

static PyObject *op_divmod(PyObject *a, PyObject *b) {
	GUARD(NULL);
	PyObject *operands[2] = {a, b};
	capi_arg args[2] = {{0}};
	capi_handle made[2] = {0};
	PyObject *result = NULL;
	int ok = 1;
	for (int i = 0; i < 2 && ok; i++) {
		PyObject *x = operands[i];
		if (is_array(x)) {
			args[i].kind = ARG_ARRAY;
			args[i].id = ID(x);
			continue;
		}
		int no = scalar_arg(x, &args[i]);
		if (no > 0 && array_like(x) && (made[i] = from_array_like(x, -1, -1))) {
			args[i].kind = ARG_ARRAY;
			args[i].id = (uint32_t)made[i];
			no = 0;
		}
		ok = no == 0;
	}
	capi_ids out = {0};
	if (ok) {
		if (goDivmod(args, &out, CALLER) == 0) result = wrap_many(&out, RETURN_TUPLE);
	} else if (!PyErr_Occurred()) {
		result = Py_NewRef(Py_NotImplemented);
	}
	for (int i = 0; i < 2; i++)
		if (made[i]) queue_free((uint32_t)made[i], (uint32_t)(made[i] >> 32));
	return result;
}

static PyObject *op_power(PyObject *a, PyObject *b, PyObject *modulo) {
	if (modulo != Py_None) Py_RETURN_NOTIMPLEMENTED;
	return operate(row_power, a, b);
}

static PyObject *inplace_power(PyObject *a, PyObject *b, PyObject *modulo) {
	if (modulo != Py_None) Py_RETURN_NOTIMPLEMENTED;
	return replace(a, binary(row_power, a, b));
}

static capi_handle matmul(PyObject *a, PyObject *b) {
	GUARD(0);
	uint32_t temp = 0;
	PyObject *other = is_array(a) ? b : a;
	if (!is_array(other)) {
		if (is_scalar(other) || !array_like(other)) return 0;
		capi_handle t = from_array_like(other, -1, -1);
		if (!t) return 0;
		temp = (uint32_t)t;
	}
	/* Identifiers are read last: making an array of the other may run code that gives this one a new node. */
	capi_handle h = goMatmul(is_array(a) ? ID(a) : temp, is_array(b) ? ID(b) : temp, CALLER);
	if (temp) queue_free(temp, 0);
	return h;
}

static PyObject *op_matmul(PyObject *a, PyObject *b) {
	capi_handle h = matmul(a, b);
	if (h) return wrap(h);
	if (PyErr_Occurred()) return NULL;
	Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *inplace_matmul(PyObject *a, PyObject *b) { return replace(a, matmul(a, b)); }

PyObject *array_richcompare(PyObject *a, PyObject *b, int op) {
	const int32_t rows[] = {row_less, row_less_equal, row_equal, row_not_equal, row_greater, row_greater_equal};
	return operate(rows[op], a, b);
}

/* ---- NumPy's operators ---- */

/* The operator behind a ufunc; NULL without an exception if it stands for none. */
static PyObject *apply_ufunc(PyObject *numpy, PyObject *ufunc, PyObject *a, PyObject *b) {
	PyObject *name = PyObject_GetAttrString(ufunc, "__name__"), *own = NULL, *result = NULL;
	const char *s = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
	if (s) own = PyObject_GetAttrString(numpy, s);
	if (own == ufunc) {
		if (strcmp(s, "matmul") == 0) result = op_matmul(a, b);
		else if (strcmp(s, "divmod") == 0) result = op_divmod(a, b);
#define APPLY(op, row) else if (strcmp(s, row) == 0) result = operate(row_##op, a, b);
		BINARY_OPERATORS(APPLY)
		COMPARISONS(APPLY)
		APPLY(power, "power")
	} else if (!own) {
		PyErr_Clear();
	}
	Py_XDECREF(name);
	Py_XDECREF(own);
	return result;
}

/* Whether an operand is of a type that has its own way with ufuncs, which then gets its turn. */
static int is_strange(PyObject *numpy, PyObject *o) {
	static const char attribute[] = "__array_ufunc__";
	if (is_array(o) || !PyObject_HasAttrString((PyObject *)Py_TYPE(o), attribute)) return 0;
	PyObject *type = PyObject_GetAttrString(numpy, "ndarray"),
		*usual = type ? PyObject_GetAttrString(type, attribute) : NULL;
	PyObject *own = PyObject_GetAttrString((PyObject *)Py_TYPE(o), attribute);
	int strange = own && usual && own != usual && !is_numpy_scalar(o);
	Py_XDECREF(type);
	Py_XDECREF(usual);
	Py_XDECREF(own);
	PyErr_Clear();
	return strange;
}

/* Whether an operand is of a dtype that only NumPy has: objects, texts, dates, long doubles. */
static int numpy_only(PyObject *o) {
	PyObject *dtype = is_array(o) ? NULL : PyObject_GetAttrString(o, "dtype"),
		*c = dtype ? PyObject_GetAttrString(dtype, "char") : NULL;
	const char *s = c && PyUnicode_Check(c) ? PyUnicode_AsUTF8AndSize(c, NULL) : NULL;
	int only = s && !strstr("?bBhHiIlLqQefdFDE", s); /* E is the bfloat16 of ml_dtypes */
	Py_XDECREF(dtype);
	Py_XDECREF(c);
	PyErr_Clear();
	return only;
}

static PyObject *as_numpy(PyObject *o) {
	return is_array(o) ? PyObject_CallMethod(o, "__array__", NULL) : Py_NewRef(o);
}

/* The ufunc on what NumPy makes of the arrays: all but operators, and what is written to NumPy's arrays. */
static PyObject *call_ufunc(PyObject *ufunc, PyObject *method, PyObject *args, PyObject *kwargs) {
	Py_ssize_t n = PyTuple_Size(args) - 2, pos = 0;
	PyObject *inputs = PyTuple_New(n), *named = kwargs ? PyDict_Copy(kwargs) : PyDict_New(), *f = NULL,
		*result = NULL, *k, *v;
	for (Py_ssize_t i = 0; inputs && i < n; i++) {
		PyObject *x = as_numpy(PyTuple_GetItem(args, i + 2));
		if (!x) goto out;
		PyTuple_SetItem(inputs, i, x);
	}
	while (inputs && named && kwargs && PyDict_Next(kwargs, &pos, &k, &v)) { /* where */
		PyObject *x = as_numpy(v);
		int failed = !x || PyDict_SetItem(named, k, x) < 0;
		Py_XDECREF(x);
		if (failed) goto out;
	}
	f = PyObject_GetAttr(ufunc, method);
	if (f && inputs && named) result = PyObject_Call(f, inputs, named);
out:
	Py_XDECREF(inputs);
	Py_XDECREF(named);
	Py_XDECREF(f);
	return result;
}

/* `numpy_array * array` and its kin come here. */
static PyObject *array_ufunc(PyObject *self, PyObject *args, PyObject *kwargs) {
	(void)self;
	GUARD(NULL);
	Py_ssize_t n = PyTuple_Size(args);
	if (n < 3 || !PyUnicode_Check(PyTuple_GetItem(args, 1))) {
		PyErr_SetString(PyExc_TypeError, "__array_ufunc__(ufunc, method, *inputs, **kwargs)");
		return NULL;
	}
	PyObject *numpy = PyImport_ImportModule("numpy"), *ufunc = PyTuple_GetItem(args, 0),
		*method = PyTuple_GetItem(args, 1), *result = NULL;
	PyObject *out = kwargs ? PyDict_GetItemString(kwargs, "out") : NULL;
	if (!numpy) return NULL;
	int turn = 1, known = 1;
	for (Py_ssize_t i = 2; i < n; i++) {
		turn &= !is_strange(numpy, PyTuple_GetItem(args, i));
		known &= !numpy_only(PyTuple_GetItem(args, i));
	}
	for (Py_ssize_t i = 0; out && PyTuple_Check(out) && i < PyTuple_Size(out); i++)
		if (is_array(PyTuple_GetItem(out, i))) {
			PyErr_SetString(PyExc_TypeError,
				"[__array_ufunc__] out cannot be an array of mlx_go: their memory is not written to");
			goto done;
		}
	if (!turn) result = Py_NewRef(Py_NotImplemented);
	else if (known && n == 4 && (!kwargs || PyDict_Size(kwargs) == 0) &&
		PyUnicode_CompareWithASCIIString(method, "__call__") == 0)
		result = apply_ufunc(numpy, ufunc, PyTuple_GetItem(args, 2), PyTuple_GetItem(args, 3));
	if (!result && !PyErr_Occurred()) result = call_ufunc(ufunc, method, args, kwargs);
done:
	Py_DECREF(numpy);
	return result;
}

PyMethodDef operator_methods[] = {
	{"__array_ufunc__", (PyCFunction)(void *)array_ufunc, METH_VARARGS | METH_KEYWORDS,
		"__array_ufunc__($self, ufunc, method, *inputs, **kwargs)\n--\n\n"
		"NumPy's operators with arrays are those of the arrays; its other ufuncs "
		"convert the arrays to its own."},
	{NULL, NULL, 0, NULL}};

PyType_Slot operator_slots[] = {
	{Py_nb_add, op_add}, {Py_nb_subtract, op_subtract}, {Py_nb_multiply, op_multiply},
	{Py_nb_true_divide, op_true_divide},
	{Py_nb_floor_divide, op_floor_divide}, {Py_nb_remainder, op_remainder}, {Py_nb_and, op_and}, {Py_nb_or, op_or},
	{Py_nb_xor, op_xor}, {Py_nb_lshift, op_lshift}, {Py_nb_rshift, op_rshift}, {Py_nb_power, op_power},
	{Py_nb_matrix_multiply, op_matmul}, {Py_nb_divmod, op_divmod},
	{Py_nb_inplace_add, inplace_add}, {Py_nb_inplace_subtract, inplace_subtract},
	{Py_nb_inplace_multiply, inplace_multiply},
	{Py_nb_inplace_true_divide, inplace_divide}, {Py_nb_inplace_floor_divide, inplace_floor_divide},
	{Py_nb_inplace_remainder, inplace_remainder}, {Py_nb_inplace_and, inplace_and}, {Py_nb_inplace_or, inplace_or},
	{Py_nb_inplace_xor, inplace_xor}, {Py_nb_inplace_lshift, inplace_lshift}, {Py_nb_inplace_rshift, inplace_rshift},
	{Py_nb_inplace_power, inplace_power}, {Py_nb_inplace_matrix_multiply, inplace_matmul},
	{Py_nb_negative, op_negative}, {Py_nb_absolute, op_absolute}, {Py_nb_invert, op_invert},
	{Py_nb_positive, op_positive},
	{0, NULL}};
