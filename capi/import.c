/* Memory of somebody else as arrays: shared, or copied. */
#include "internal.h"

/*
 * Goes through the memory in row-major order by runs along the last axis, or in one run where there are no gaps; q
 * moves on by size for each element. run gives 0 to go on. The result is that of the last run, or -1 after Ctrl-C.
 */
typedef int (*run_function)(char *q, const char *p, int64_t n, int64_t step, const foreign_memory *m);

enum { RUN = 1 << 22 };

static int walk_axis(const foreign_memory *m, run_function run, int size, char **q, const char *p, int64_t n,
	int64_t step, int64_t *since) {
	for (int64_t i = 0, k; i < n; i += k) {
		k = n - i < RUN ? n - i : RUN;
		if ((*since += k) > RUN) {
			*since = 0;
			if (look_for_signals() < 0) return -1;
		}
		int r = run(*q, p + i * step, k, step, m);
		if (r) return r;
		*q += k * size;
	}
	return 0;
}

static int walk_from(const foreign_memory *m, run_function run, int size, char **q, const char *p, int axis,
	int64_t *since) {
	if (axis + 1 == m->ndim) return walk_axis(m, run, size, q, p, m->shape[axis], m->strides[axis], since);
	for (int64_t i = 0; i < m->shape[axis]; i++, p += m->strides[axis]) {
		int r = walk_from(m, run, size, q, p, axis + 1, since);
		if (r) return r;
	}
	return 0;
}

static int walk(const foreign_memory *m, run_function run, char *q, int size) {
	int64_t n = 1, since = 0;
	int row_major = 1;
	for (int i = m->ndim - 1; i >= 0; i--) {
		if (m->shape[i] == 0) return 0;
		row_major &= m->shape[i] == 1 || m->strides[i] == n * m->itemsize;
		n *= m->shape[i];
	}
	if (row_major) return walk_axis(m, run, size, &q, m->data, n, m->itemsize, &since);
	return walk_from(m, run, size, &q, m->data, 0, &since);
}

#define LOAD_LOOP(T, EXPR)                                  \
	for (int64_t i = 0; i < n; i++, p += step, q += sizeof(T)) { \
		const T *v = (const T *)p;                          \
		EXPR;                                               \
	}

static int copy_as_is(char *q, const char *p, int64_t n, int64_t step, const foreign_memory *m) {
	if (step == m->itemsize) memcpy(q, p, n * step);
	else if (m->itemsize == 1) LOAD_LOOP(uint8_t, *(uint8_t *)q = *v)
	else if (m->itemsize == 2) LOAD_LOOP(uint16_t, memcpy(q, v, 2))
	else if (m->itemsize == 4) LOAD_LOOP(uint32_t, memcpy(q, v, 4))
	else LOAD_LOOP(uint64_t, memcpy(q, v, 8))
	return 0;
}

/*
 * Whether a byte is neither 0 nor 1: elsewhere that is true, too, but kernels here count and compare bools as numbers.
 */
static int odd_bools(char *q, const char *p, int64_t n, int64_t step, const foreign_memory *m) {
	(void)q, (void)m;
	uint64_t all = 0, word;
	int64_t i = 0;
	for (; step == 1 && i + 8 <= n; i += 8) {
		memcpy(&word, p + i, 8);
		all |= word;
	}
	for (; i < n; i++) all |= (uint8_t)p[i * step];
	return (all & 0xfefefefefefefefe) != 0;
}

static int copy_bool(char *q, const char *p, int64_t n, int64_t step, const foreign_memory *m) {
	if (step == 1 && !odd_bools(NULL, p, n, step, m)) memcpy(q, p, n);
	else for (int64_t i = 0; i < n; i++) q[i] = p[i * step] != 0;
	return 0;
}

static int copy_narrow(char *to, const char *p, int64_t n, int64_t step, const foreign_memory *m) {
	int parts = m->dtype == DT_COMPLEX64 ? 2 : 1;
	float *q = (float *)to;
	for (int64_t i = 0; i < n; i++, p += step)
		for (int k = 0; k < parts; k++) {
			double part;
			memcpy(&part, p + 8 * k, 8);
			*q++ = (float)part;
		}
	return 0;
}

static int no_sharing(const char *op, const char *why) {
	PyErr_Format(PyExc_ValueError, "[%s] this memory cannot be used without a copy: %s; pass copy=None", op, why);
	return -1;
}

static int check_shareable(const foreign_memory *m, int dtype, const char *op) {
	int fit = (uintptr_t)m->data % m->itemsize == 0;
	for (int i = 0; i < m->ndim; i++) fit &= m->strides[i] % m->itemsize == 0;
	if (m->itemsize != dtype_sizes[m->dtype] || (dtype >= 0 && dtype != m->dtype))
		return no_sharing(op, "it would have another dtype");
	if (!fit) return no_sharing(op, "its elements do not lie at multiples of their size");
	if (m->dtype != DT_BOOL) return 0;
	int odd = walk(m, odd_bools, NULL, 0);
	return odd > 0 ? no_sharing(op, "some of its bools are neither 0 nor 1") : odd;
}

static capi_handle share(const foreign_memory *m, PyObject *owner) {
	int64_t strides[CAPI_MAXDIM];
	for (int i = 0; i < m->ndim; i++) strides[i] = m->strides[i] / m->itemsize;
	capi_handle h = goExternal((void *)m->data, m->dtype, m->ndim, (int64_t *)m->shape, strides, owner, m->readonly,
		CALLER);
	if (h) Py_INCREF(owner);
	return h;
}

capi_handle import_memory(const foreign_memory *m, PyObject *owner, int dtype, int copy, const char *op) {
	if (copy == 0) return check_shareable(m, dtype, op) < 0 ? 0 : share(m, owner);
	/* NumPy's default float64 turns into the float32 that everything else uses; ask for float64 to keep it. */
	int target = m->dtype == DT_FLOAT64 && dtype != DT_FLOAT64 ? DT_FLOAT32 : m->dtype;
	capi_empty made = goEmpty(target, m->ndim, (int64_t *)m->shape, CALLER);
	capi_handle h = made.handle;
	if (!h) return 0;
	int size = dtype_sizes[target];
	run_function element = m->dtype == DT_BOOL ? copy_bool : size == m->itemsize ? copy_as_is : copy_narrow;
	if (made.data && walk(m, element, made.data, size) < 0) {
		queue_free((uint32_t)h, (uint32_t)(h >> 32));
		return 0;
	}
	if (dtype < 0 || dtype == target) return h;
	capi_handle cast = goAsType((uint32_t)h, dtype, CALLER);
	queue_free((uint32_t)h, (uint32_t)(h >> 32));
	return cast;
}
