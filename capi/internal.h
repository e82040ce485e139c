/* What the C files share: the array object, the free queue and conversions. */
#ifndef MLX_GO_INTERNAL_H
#define MLX_GO_INTERNAL_H

#include "pyabi.h"
#include "capi.h"
#include "_cgo_export.h"
#include <string.h>
#include <stdlib.h>

typedef struct {
	PyObject ob_base;
	uint32_t id;   /* the node in Go that this object holds */
	uint32_t kb;   /* its size in KiB, saturated */
	PyObject *weakrefs;
} Array;

extern PyTypeObject *Array_Type, *Dtype_Type, *ArrayIterator_Type;
extern PyObject *Dtypes[DT_COUNT];
extern PyObject *AxisError, *ModuleName;
extern const char *const dtype_names[DT_COUNT];
extern const uint8_t dtype_sizes[DT_COUNT];

#define is_array(o) (Py_TYPE(o) == Array_Type)
#define ID(o) (((Array *)(o))->id)

/* ---- guard.c: fork, frees, errors ---- */
extern volatile int forked;
extern uint32_t *free_queue;
extern uint32_t free_count;
/*
 * Above 0 while identifiers of arrays wait in C for a crossing and other Python code may run, which may drop or replace
 * those arrays: nothing is freed meanwhile.
 */
extern int deferring;
void undefer(void);
int fork_error(void);
/* ---- start.c: how Go's runtime starts, and what it does to a process ---- */
int start_error(void); /* -1 with an exception if it did not */
void loaded(void), after_go(void); /* before and after the first crossing */
/* Variables of a thread, read without a call into the loader. */
#define PER_THREAD __thread __attribute__((tls_model("initial-exec")))
extern PER_THREAD int met_go; /* what meetings was when the thread last met Go */
extern int meetings;          /* changes when threads are to look again where their operations run */
void meet_go(void);
/* Before a thread's first crossing. */
#define MEET() ((void)(__builtin_expect(met_go == meetings, 1) || (meet_go(), 0)))
/* Go does not survive fork(), after which no thread of the child has met it: every entry tests first. */
#define GUARD(result)                                       \
	do {                                                    \
		if (__builtin_expect(met_go == meetings, 1)) break; \
		if (forked) {                                       \
			fork_error();                                   \
			return result;                                  \
		}                                                   \
		meet_go();                                          \
	} while (0)
/* Hands the queue of dead arrays to the crossing it is written in. */
static inline uint32_t take_frees(void) {
	if (__builtin_expect(deferring, 0)) return 0;
	uint32_t n = free_count;
	free_count = 0;
	return n;
}
/*
 * What crossings take along: the dead arrays, how many, and in the upper half of that the stream of what is built and
 * the recorder.
 */
extern PER_THREAD uint16_t thread_stream; /* what the thread's operations run on if they do not say */
extern PER_THREAD uint16_t thread_recorder; /* of the recorded function that the thread runs; 0: none */
#define CALLER_ON(stream) free_queue, take_frees() | (uint64_t)(stream) << 32 | (uint64_t)thread_recorder << 48
#define CALLER CALLER_ON(thread_stream)
/*
 * Notes that Python sees something of an array, without which a recorded function would be played where it does not
 * fit.
 */
#define NOTE(what, array) \
	((void)(__builtin_expect(thread_recorder == 0, 1) || (goNote(what, ID(array), ID(array), CALLER), 0)))
void queue_free(uint32_t id, uint32_t kb);
void flush_frees(void);
void init_guard(void);
/*
 * Gives foreign memory that no array views any more back to its owner, which may run any Python code: to be called
 * where no identifiers of arrays wait in C that nothing holds.
 */
extern size_t late_count;
void give_back_now(void);
static inline void give_back(void) {
	if (__builtin_expect(__atomic_load_n(&late_count, __ATOMIC_RELAXED) > 0, 0)) give_back_now();
}
/*
 * Loops that hold the GIL look for Ctrl-C this often. Signal handlers are Python code, which may change any list and
 * give any array object a new node.
 */
enum { POLL_ELEMENTS = 1 << 16, POLL_BYTES = 1 << 26 };
int look_for_signals(void); /* PyErr_CheckSignals, counted for tests */
PyObject *looks_for_signals(PyObject *module, PyObject *unused);
/* memcpy that looks for Ctrl-C; -1 with an exception. */
int copy_bytes(void *to, const void *from, int64_t n);

enum { DEVICE_TYPES = 2 }; /* cpu, gpu: kinds of devices, in the order of mlx_go.core.DeviceType */

/* ---- own.c: what each interpreter has of its own ---- */
typedef struct {
	PyObject *device_types[DEVICE_TYPES]; /* the members of mlx_go.core.DeviceType */
	PyObject *at_class;      /* mlx_go.core.ArrayAt, once somebody asked for it */
	PyObject *tree_rules;    /* type -> (flatten, unflatten) */
	PyObject *numpy_generic; /* numpy.generic, once NumPy is imported by somebody */
} own_objects;
own_objects *own(void);

/* ---- array.c ---- */
PyObject *wrap(capi_handle h);            /* 0: NULL, the exception is set */
PyObject *wrap_id(uint32_t id, uint32_t kb);
void set_node(PyObject *self, capi_handle h); /* the array object moves on to another node */
PyObject *wrap_many(capi_ids *ids, int kind); /* frees ids->more */
int add_array_types(PyObject *module, const capi_func *funcs, int n);
int add_tree_modes(PyObject *module);

/* ---- operators.c ---- */
extern PyType_Slot operator_slots[];
extern PyMethodDef operator_methods[];
int init_operators(void);
PyObject *array_richcompare(PyObject *a, PyObject *b, int op);

/* ---- dtype.c ---- */
int add_dtype_types(PyObject *module);
int dtype_of_numpy(PyObject *o); /* of what NumPy takes for a dtype; -1: none */
static inline int dtype_of(PyObject *o) { return ((int *)((PyObject *)o + 1))[0]; }

/* ---- parse.c: calls of the table's functions ---- */
typedef struct arg_pool {
	capi_arg *args;
	uint32_t n, cap;
	uint32_t *temps; /* arrays made from foreign objects, freed after the call */
	uint32_t ntemps, captemps;
	PyObject **keep; /* objects made on the way, which own strings */
	uint32_t nkeep, capkeep;
	int defers; /* whether it counts in deferring */
	capi_arg few[24];
} arg_pool;
void pool_init(arg_pool *p);
void pool_done(arg_pool *p);
uint32_t pool_grow(arg_pool *p, uint32_t n); /* index of n new args; UINT32_MAX on no memory */
/* Converts o to p->args[at]; returns 0, -1 with an exception, or 1 when accept does not take it. */
int pool_convert(arg_pool *p, uint32_t at, PyObject *o, uint32_t accept);
PyObject *call_function(int index, PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kwnames);
extern const capi_func *functions;
extern int function_count;
extern _PyCFunctionFastWithKeywords trampolines[];
extern const int trampoline_count;

/* ---- thread_stream.c: the streams that a thread's operations run on ---- */
void settle_thread(void);          /* thread_stream is what it should be */
int default_place(void);           /* of the device that the thread's operations run on, in core.Devices */
void set_default_place(int place); /* of the innermost context the thread is in, else of all threads */
int device_place(int kind, int64_t index);  /* -1 if there is no such device */
int64_t default_on(int place);     /* the number of the thread's default stream on a device; -1 with an exception */
int set_default_on(int place, uint16_t number);
int64_t local_stream(int place, int64_t local); /* the thread's own stream of a ThreadLocalStream */
void forget_locals(void);
int64_t add_stream(int place, int own); /* held once; own: beside others; -1 with an exception */
int64_t find_stream(int place, int64_t index); /* the stream that users see with that number; -1: there is none */
void hold_stream(uint16_t number);
void release_stream(uint16_t number); /* without holds, it is somebody else's next */
int enter_stream(void *owner, int place, uint16_t number);
int exit_stream(void *owner);      /* -1 without an exception if owner has not entered on this thread */
int64_t stream_key(void);          /* what a graph made now depends on; 0: the default stream of a thread on the host */

/* ---- stream.c: devices and streams as Python objects ---- */
extern PyMethodDef stream_methods[];
int add_stream_types(PyObject *module);
int64_t stream_number(PyObject *o, const char *op); /* the argument stream of op; -1 with an exception */

/* ---- convert.c: Python values to arrays ---- */
int is_scalar(PyObject *o);              /* bool, int, float, complex or a NumPy scalar */
int is_numpy_scalar(PyObject *o);
int scalar_arg(PyObject *o, capi_arg *a); /* 0, -1 with an exception, 1 when it is no scalar */
capi_handle scalar_array(PyObject *o, int dtype); /* dtype -1: by the value */
capi_handle to_array(PyObject *o, int dtype);     /* all that mx.array takes */
int array_like(PyObject *o);              /* array, NumPy array, or a protocol */
capi_handle from_array_like(PyObject *o, int dtype, int copy); /* copy as in from_dlpack: -1 None, 0 never, 1 always */
PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
int array_init(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *dtype_from_numpy_error(PyObject *o);
void store_element(void *at, int dtype, const capi_arg *v);

/* ---- scalars.c: elements to Python values ---- */
PyObject *load_element(const void *at, int dtype);
float half_to_float(uint16_t h);
uint16_t float_to_half(float f);
uint16_t float_to_bfloat(float f);
PyObject *array_item(PyObject *self, PyObject *unused);
PyObject *array_tolist(PyObject *self, PyObject *unused);
extern PyType_Slot scalar_slots[];

/* ---- eval.c ---- */
enum { WAKE_MS = 20 }; /* a waiting caller wakes this often to look at signals */
int job_over(uint32_t job, int ms); /* whether the job is over, if need be after ms, for which the GIL is released */
int wait_job(int64_t number); /* 0 when it succeeded, -1 with an exception; the job is over either way */
int ensure_ready(const uint32_t *ids, Py_ssize_t n);
int ready_info(PyObject *array, capi_info *info);     /* evaluates */
/*
 * Evaluates a copy of arrays that are in memory at once, where others may write: owners of foreign memory, and NumPy
 * through its views of ours. Takes over the handle; 0 with an exception.
 */
capi_handle evaluated(capi_handle h);
extern PyMethodDef eval_methods[];

/* ---- import.c ---- */
/* Memory of somebody else. Its elements are of the dtype, but for complex128, which is complex64 here. */
typedef struct {
	const char *data; /* the element with all indices zero */
	int dtype, ndim, readonly;
	int64_t itemsize, shape[CAPI_MAXDIM], strides[CAPI_MAXDIM]; /* in bytes */
} foreign_memory;
/*
 * An array of it: copied, or for copy 0 shared, which the owner then keeps alive. A dtype of -1 is the memory's own. op
 * is named in errors.
 */
capi_handle import_memory(const foreign_memory *m, PyObject *owner, int dtype, int copy, const char *op);

/* ---- buffer.c, dlpack.c ---- */
extern PyType_Slot buffer_slots[];
extern PyMethodDef buffer_methods[], dlpack_methods[];
void forget_dropped(void);
extern int (*get_buffer)(PyObject *, Py_buffer *, int);
extern void (*release_buffer)(Py_buffer *);
extern int (*check_buffer)(PyObject *);
void init_buffer(void);
/* 0 on success; handle is set. */
capi_handle from_capsule(PyObject *exporter, int copy, int dtype);
PyObject *numpy_dtype_error(int dtype);

/* ---- index.c ---- */
extern PyType_Slot index_slots[];
PyObject *array_at_update(PyObject *module, PyObject *const *args, Py_ssize_t n);

PyObject *copy_array(PyObject *a, int dtype); /* in memory of its own; dtype -1: the same */

/* ---- tree.c, module.c, ... ---- */
extern PyMethodDef tree_methods[], tree_key_methods[], tree_lend_methods[], transform_methods[], script_methods[],
	system_methods[], io_methods[];

#endif
