/* What the C side of the extension shares among its files and with Go. */
#ifndef MLX_GO_CAPI_H
#define MLX_GO_CAPI_H

#include <stddef.h>
#include <stdint.h>

#define CAPI_MAXDIM 64

/*
 * STORED marks the pointers in what Go writes to memory of C. To Go they are numbers: storing a pointer shows Go's
 * collector what it replaces, which in memory of C may be anything, and an address that nobody wrote ends the process.
 */
#ifdef CAPI_GO
#define STORED(type) uintptr_t
#else
#define STORED(type) type
#endif

/* What is numbered as in Go is compared when Go is compiled: shared.go. */

/* Dtype numbers, in the order of core/dtype. */
enum {
	DT_BOOL, DT_UINT8, DT_UINT16, DT_UINT32, DT_UINT64, DT_INT8, DT_INT16, DT_INT32, DT_INT64,
	DT_FLOAT16, DT_FLOAT32, DT_FLOAT64, DT_BFLOAT16, DT_COMPLEX64, DT_COUNT
};

/* Argument kinds, in the order of core.ArgKind; ARG_MISSING asks Go for the default. */
enum {
	ARG_NONE, ARG_BOOL, ARG_INT, ARG_FLOAT, ARG_COMPLEX, ARG_STRING, ARG_ARRAY, ARG_DTYPE, ARG_LIST,
	ARG_BIGUINT, ARG_MISSING = 255
};

/* Error kinds, in the order of core.ErrorKind. */
enum {
	ERR_RUNTIME, ERR_VALUE, ERR_TYPE, ERR_INDEX, ERR_AXIS, ERR_MEMORY, ERR_OS, ERR_OVERFLOW, ERR_INTERRUPTED
};

/*
 * One argument, which Go only reads. A list's elements lie in the same pool from index `list`; a string belongs to its
 * Python object.
 */
typedef struct capi_arg {
	uint8_t kind;
	uint32_t id;   /* ARG_ARRAY */
	uint32_t list; /* ARG_LIST: index of the first element in the pool */
	int64_t n;     /* ARG_LIST, ARG_STRING: length; ARG_BOOL, ARG_INT, ARG_DTYPE, ARG_BIGUINT: value */
	double re, im; /* ARG_FLOAT, ARG_COMPLEX */
	const char *s; /* ARG_STRING */
} capi_arg;

/* What Python may pass for a parameter: bits of capi_param.accept. */
enum {
	ACCEPT_NONE = 1, ACCEPT_BOOL = 2, ACCEPT_INT = 4, ACCEPT_FLOAT = 8, ACCEPT_COMPLEX = 16, ACCEPT_STRING = 32,
	ACCEPT_ARRAY = 64, ACCEPT_DTYPE = 128, ACCEPT_LIST = 256, ACCEPT_ANY = 512,
	ACCEPT_TYPE = 1024, /* what NumPy takes for a dtype */
	ACCEPT_ELEMENT_SHIFT = 16 /* the same bits for the elements of a list */
};

enum { PARAM_POSITIONAL_ONLY, PARAM_POSITIONAL, PARAM_VAR_POSITIONAL, PARAM_KEYWORD_ONLY, PARAM_VAR_KEYWORD };

typedef struct capi_param {
	STORED(const char *) name;
	STORED(const char *) type;
	STORED(void *) interned; /* name as a Python string */
	uint32_t accept;
	uint8_t kind, required, stream;
} capi_param;

enum { METHOD_NO, METHOD_YES, METHOD_ONLY };

enum { RETURN_ARRAY, RETURN_TUPLE, RETURN_LIST, RETURN_NONE, RETURN_ARRAY_OR_LIST, RETURN_ARRAY_OR_TUPLE };

/* One function of the table. */
typedef struct capi_func {
	STORED(const char *) name; /* "sum", "random.uniform" */
	STORED(const char *) base; /* the part behind the last dot */
	STORED(const char *) doc;
	STORED(const char *) method_doc;
	STORED(capi_param *) params;
	int32_t nparams;
	int32_t row;      /* index of the elementwise row, or -1 */
	uint8_t method;   /* METHOD_... */
	uint8_t result;   /* RETURN_... */
} capi_func;

/* A ready array's memory. Strides are in elements; data points at the element with all indices zero. */
typedef struct capi_info {
	STORED(void *) data;
	int64_t size;
	int32_t dtype, ndim;
	int32_t ready;
	int64_t shape[CAPI_MAXDIM], strides[CAPI_MAXDIM];
} capi_info;

/* core.Facts, whose pages C reads without crossing. */
enum { CAPI_FACTS_DIMS = 6, CAPI_FACTS_PAGE = 4096 };
typedef struct capi_facts {
	STORED(const void *) data;
	uint32_t ready;
	uint8_t dtype, ndim;
	int64_t dims[CAPI_FACTS_DIMS];
} capi_facts;

enum { INDEX_INT, INDEX_SLICE, INDEX_NEWAXIS, INDEX_ELLIPSIS, INDEX_ARRAY, INDEX_BOOL };

typedef struct capi_index {
	uint8_t kind, has_start, has_stop, has_step;
	uint32_t id;
	uint32_t count;            /* of a mask: the array of the number of its places, 0 until it is asked for */
	int64_t start, stop, step; /* INDEX_INT, INDEX_BOOL: start */
} capi_index;

/* Handles come back with the size of the array in KiB in the upper half, by which frees are batched. */
typedef uint64_t capi_handle;

/* The arrays a call gives back; more than fit inline lie in `more`, which the caller frees. */
typedef struct capi_ids {
	int64_t n;
	capi_handle few[8];
	STORED(capi_handle *) more;
} capi_ids;

/* A rule written in Python that a transform waits for; its arguments come as arrays, one list after the other. */
typedef struct capi_call {
	STORED(void *) rules; /* the object that goCustom was given */
	int32_t which, depth;
	int64_t counts[3]; /* -1: there is no such list */
} capi_call;

/* A new array and its memory, which C fills; NULL if it has no elements. The handle is 0 on an error. */
typedef struct capi_empty {
	capi_handle handle;
	STORED(void *) data;
} capi_empty;

/* Operations of goTransform. */
enum {
	TRANSFORM_COPIES, TRANSFORM_TRACERS, TRANSFORM_PLACEHOLDERS, TRANSFORM_VJP, TRANSFORM_GRAD, TRANSFORM_JVP,
	TRANSFORM_TRACE, TRANSFORM_CALL,
	TRANSFORM_CHECKPOINT, TRANSFORM_VMAP_IN, TRANSFORM_VMAP_OUT
};
enum { CAPI_NO_AXIS = INT32_MIN }; /* core.NoAxis */

/* What Python may see of arrays in a function that is recorded, in the order of core.Seen. */
enum { SEEN_SHAPE, SEEN_RANK, SEEN_SIZE, SEEN_LENGTH, SEEN_EMPTY, SEEN_SAME, SEEN_VALUE };

/* What the caller of goEval wants: to wait, to go on, or to read the arrays' elements. */
enum { EVAL_WAIT, EVAL_ASYNC, EVAL_READ };
/* A bit beside the number of a job that its caller is to compute (goJobHelp). */
#define JOB_LENT (INT64_C(1) << 32)

/*
 * A stream or a device as users name it: the kind and number of the device, its place in core.Devices, and the stream's
 * number.
 */
typedef struct capi_stream {
	int32_t kind, place; /* place -1: there is none */
	int64_t device, index;
} capi_stream;

/* Operations of goMemory. */
enum {
	MEMORY_ACTIVE, MEMORY_PEAK, MEMORY_RESET_PEAK, MEMORY_CACHE, MEMORY_LIMIT, MEMORY_SET_LIMIT, MEMORY_SET_CACHE_LIMIT,
	MEMORY_CLEAR
};


/*
 * A list of strings between C and Go: their bytes one behind the other, and where each ends, so that a string may hold
 * any byte.
 */
typedef struct capi_texts {
	int64_t n;
	STORED(char *) bytes;
	STORED(int64_t *) ends;
} capi_texts;

/* Memory of Python, which Go only reads. */
typedef struct capi_part {
	STORED(const void *) data;
	int64_t size;
} capi_part;

/* What was saved to memory: pieces of PIECE_SIZE bytes, the last one not full. */
enum { PIECE_SIZE = 16 << 20 };
typedef struct capi_pieces {
	STORED(char **) list;
	int64_t n, cap, size; /* of the list; bytes in all */
} capi_pieces;
void *capi_add_piece(capi_pieces *p, int64_t size); /* NULL when there is no memory */
void capi_free_pieces(capi_pieces *p);

/* What a file held. */
typedef struct capi_loaded {
	capi_handle single; /* or 0 */
	int64_t n;
	STORED(capi_handle *) arrays;
	capi_texts names;    /* one for each array */
	capi_texts metadata; /* key, value, key, value ... */
} capi_loaded;
void capi_free_loaded(capi_loaded *l); /* the memory, not the arrays */

/* C for Go. These are called with the GIL held, never under the graph lock. */
void capi_raise(int kind, const char *msg, int64_t n);
void capi_raise_os(int number, const char *path);
/* May be called from any thread: the reference is dropped once the GIL can be had. */
void capi_decref_later(void *object);

/* ---- eval.c ---- */
extern uint32_t jobs_ended, jobs_waiting;

#endif
