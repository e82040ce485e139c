/* What C reads of an array without a call into Go: core.Facts. */
#ifndef MLX_GO_FACTS_H
#define MLX_GO_FACTS_H

#include "internal.h"

/* There is room for every page that 32-bit identifiers can name; the system gives memory to those in use only. */
enum { FACTS_PAGES = 1 << 20 };
extern const capi_facts *facts_pages[FACTS_PAGES];

/* o must be an array that cannot be dropped meanwhile: the caller holds the GIL, and o. */
static inline const capi_facts *facts_of(PyObject *o) {
	uint32_t id = ID(o), page = id / CAPI_FACTS_PAGE;
	if (__builtin_expect(!facts_pages[page], 0)) facts_pages[page] = goFacts(page);
	return &facts_pages[page][id % CAPI_FACTS_PAGE];
}

static inline int array_dtype(PyObject *o) { return facts_of(o)->dtype; }
static inline int array_ndim(PyObject *o) { return facts_of(o)->ndim; }
/* Who tells Python of shapes says so, with NOTE. */
/* The number of axes, whose extents are written to dims; -1 with an exception. */
static inline int array_shape(PyObject *o, int64_t dims[CAPI_MAXDIM]) {
	const capi_facts *f = facts_of(o);
	if (__builtin_expect(f->ndim > CAPI_FACTS_DIMS, 0)) return goShape(ID(o), dims);
	memcpy(dims, f->dims, f->ndim * sizeof *dims);
	return f->ndim;
}
/* The number of elements; -1 with an exception. */
static inline int64_t array_size(PyObject *o) {
	int64_t dims[CAPI_MAXDIM], size = 1;
	int n = array_shape(o, dims);
	for (int i = 0; i < n; i++) size *= dims[i];
	return n < 0 ? -1 : size;
}
/* The first element of an array in memory; NULL if it must be evaluated first, or has no elements. */
static inline const void *array_data(PyObject *o) {
	const capi_facts *f = facts_of(o);
	NOTE(SEEN_VALUE, o);
	return __atomic_load_n(&f->ready, __ATOMIC_ACQUIRE) ? f->data : NULL;
}

#endif
