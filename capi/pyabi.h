/*
 * The part of CPython's limited API 3.10 that the extension uses, declared by hand.
 *
 * Why not #include <Python.h>:
 *  - The one _core.abi3.so must load in every CPython from 3.10 on, and only the 3.10 declarations give that.
 *    Newer headers are unsafe even under Py_LIMITED_API=0x030A0000: those of 3.12 and later treat None,
 *    NotImplemented and the small integers as immortal and no longer count references to them, so that 3.10 aborts
 *    with "deallocating NotImplemented". With no Python header in sight that mistake cannot be made.
 *  - A build then needs Go and a C compiler only: no python3-dev, and a macOS wheel can be built on Linux.
 *
 * Rules of this file:
 *  - Only what the stable ABI of 3.10 exports. tools/check_pyabi.py compiles the declarations against the real 3.10
 *    headers (prototypes, constants and struct layouts) and against the list of the stable ABI; abi3audit checks
 *    the library that comes out.
 *  - Reference counts go through Py_IncRef and Py_DecRef: the running interpreter, not this header, knows what counting
 *    means. That also means PyObject_HEAD must never be written to.
 *  - Not in the 3.10 stable ABI, hence absent: PyObject_Vectorcall and Py_TPFLAGS_HAVE_VECTORCALL (3.12),
 *    PyObject_CallOneArg, PyUnicode_AsUTF8, PyLong_AsInt (3.13), PyType_GetName (3.11), PyGILState_Check, and
 *    PyObject_GetBuffer, PyObject_CheckBuffer, PyBuffer_Release (3.11). Every CPython exports the last three since
 *    3.0, so look them up with dlsym(RTLD_DEFAULT, ...) and treat NULL as "this object has no buffer".
 *  - Exporting a buffer does work: the slot numbers 1 and 2 and the struct are as old as 3.0, PyType_FromSpec of 3.10
 *    accepts them, and 3.11 wrote exactly this layout into the stable ABI.
 *
 * Parts guarded by Py_PYTHON_H disappear when the real header came first, which is how the check compares prototypes.
 */
#ifndef MLX_GO_PYABI_H
#define MLX_GO_PYABI_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef Py_PYTHON_H

/* ---- types ---- */

typedef ssize_t Py_ssize_t;
typedef Py_ssize_t Py_hash_t;

typedef struct _typeobject PyTypeObject; /* opaque: its layout is not part of the stable ABI */
typedef struct _object {
	Py_ssize_t ob_refcnt;
	PyTypeObject *ob_type;
} PyObject;
typedef struct {
	PyObject ob_base;
	Py_ssize_t ob_size;
} PyVarObject;

typedef PyObject *(*unaryfunc)(PyObject *);
typedef PyObject *(*binaryfunc)(PyObject *, PyObject *);
typedef PyObject *(*ternaryfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*inquiry)(PyObject *);
typedef Py_ssize_t (*lenfunc)(PyObject *);
typedef PyObject *(*ssizeargfunc)(PyObject *, Py_ssize_t);
typedef int (*ssizeobjargproc)(PyObject *, Py_ssize_t, PyObject *);
typedef int (*objobjargproc)(PyObject *, PyObject *, PyObject *);
typedef int (*objobjproc)(PyObject *, PyObject *);
typedef int (*visitproc)(PyObject *, void *);
typedef int (*traverseproc)(PyObject *, visitproc, void *);
typedef void (*freefunc)(void *);
typedef void (*destructor)(PyObject *);
typedef PyObject *(*getattrofunc)(PyObject *, PyObject *);
typedef int (*setattrofunc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*reprfunc)(PyObject *);
typedef Py_hash_t (*hashfunc)(PyObject *);
typedef PyObject *(*richcmpfunc)(PyObject *, PyObject *, int);
typedef PyObject *(*getiterfunc)(PyObject *);
typedef PyObject *(*iternextfunc)(PyObject *);
typedef PyObject *(*descrgetfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*descrsetfunc)(PyObject *, PyObject *, PyObject *);
typedef int (*initproc)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*newfunc)(PyTypeObject *, PyObject *, PyObject *);
typedef PyObject *(*allocfunc)(PyTypeObject *, Py_ssize_t);
typedef PyObject *(*getter)(PyObject *, void *);
typedef int (*setter)(PyObject *, PyObject *, void *);

typedef struct {
	int slot; /* a Py_tp_, Py_nb_, ... number; 0 ends the list */
	void *pfunc;
} PyType_Slot;
typedef struct {
	const char *name;
	int basicsize;
	int itemsize;
	unsigned int flags;
	PyType_Slot *slots;
} PyType_Spec;

typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*_PyCFunctionFast)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*_PyCFunctionFastWithKeywords)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
typedef struct PyMethodDef {
	const char *ml_name;
	PyCFunction ml_meth;
	int ml_flags;
	const char *ml_doc;
} PyMethodDef;
typedef struct PyGetSetDef {
	const char *name;
	getter get;
	setter set;
	const char *doc;
	void *closure;
} PyGetSetDef;
typedef struct PyMemberDef {
	const char *name;
	int type;
	Py_ssize_t offset;
	int flags;
	const char *doc;
} PyMemberDef;

typedef struct PyModuleDef_Base {
	PyObject ob_base;
	PyObject *(*m_init)(void);
	Py_ssize_t m_index;
	PyObject *m_copy;
} PyModuleDef_Base;
typedef struct PyModuleDef_Slot {
	int slot;
	void *value;
} PyModuleDef_Slot;
typedef struct PyModuleDef {
	PyModuleDef_Base m_base;
	const char *m_name;
	const char *m_doc;
	Py_ssize_t m_size;
	PyMethodDef *m_methods;
	struct PyModuleDef_Slot *m_slots;
	traverseproc m_traverse;
	inquiry m_clear;
	freefunc m_free;
} PyModuleDef;

typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;
typedef enum { PyGILState_LOCKED, PyGILState_UNLOCKED } PyGILState_STATE;
typedef void (*PyCapsule_Destructor)(PyObject *);
typedef void (*PyOS_sighandler_t)(int);

#endif /* Py_PYTHON_H */

/* Py_buffer: Python.h hides it under the limited API of 3.10, so it is declared in either case. */
#ifndef Py_bf_getbuffer
typedef struct bufferinfo {
	void *buf;
	PyObject *obj;
	Py_ssize_t len;
	Py_ssize_t itemsize;
	int readonly;
	int ndim;
	char *format;
	Py_ssize_t *shape;
	Py_ssize_t *strides; /* in bytes, unlike everywhere else in this project */
	Py_ssize_t *suboffsets;
	void *internal;
} Py_buffer;
typedef int (*getbufferproc)(PyObject *, Py_buffer *, int);
typedef void (*releasebufferproc)(PyObject *, Py_buffer *);

#define PyBUF_MAX_NDIM 64
#define PyBUF_SIMPLE 0
#define PyBUF_WRITABLE 0x0001
#define PyBUF_FORMAT 0x0004
#define PyBUF_ND 0x0008
#define PyBUF_STRIDES (0x0010 | PyBUF_ND)
#define PyBUF_C_CONTIGUOUS (0x0020 | PyBUF_STRIDES)
#define PyBUF_F_CONTIGUOUS (0x0040 | PyBUF_STRIDES)
#define PyBUF_ANY_CONTIGUOUS (0x0080 | PyBUF_STRIDES)
#define PyBUF_INDIRECT (0x0100 | PyBUF_STRIDES)
#define PyBUF_CONTIG (PyBUF_ND | PyBUF_WRITABLE)
#define PyBUF_CONTIG_RO (PyBUF_ND)
#define PyBUF_STRIDED (PyBUF_STRIDES | PyBUF_WRITABLE)
#define PyBUF_STRIDED_RO (PyBUF_STRIDES)
#define PyBUF_RECORDS (PyBUF_STRIDES | PyBUF_WRITABLE | PyBUF_FORMAT)
#define PyBUF_RECORDS_RO (PyBUF_STRIDES | PyBUF_FORMAT)
#define PyBUF_FULL (PyBUF_INDIRECT | PyBUF_WRITABLE | PyBUF_FORMAT)
#define PyBUF_FULL_RO (PyBUF_INDIRECT | PyBUF_FORMAT)
#define PyBUF_READ 0x100
#define PyBUF_WRITE 0x200

#define Py_bf_getbuffer 1
#define Py_bf_releasebuffer 2
#endif

#ifndef Py_PYTHON_H

/* ---- constants ---- */

#define Py_mp_ass_subscript 3
#define Py_mp_length 4
#define Py_mp_subscript 5
#define Py_nb_absolute 6
#define Py_nb_add 7
#define Py_nb_and 8
#define Py_nb_bool 9
#define Py_nb_divmod 10
#define Py_nb_float 11
#define Py_nb_floor_divide 12
#define Py_nb_index 13
#define Py_nb_inplace_add 14
#define Py_nb_inplace_and 15
#define Py_nb_inplace_floor_divide 16
#define Py_nb_inplace_lshift 17
#define Py_nb_inplace_multiply 18
#define Py_nb_inplace_or 19
#define Py_nb_inplace_power 20
#define Py_nb_inplace_remainder 21
#define Py_nb_inplace_rshift 22
#define Py_nb_inplace_subtract 23
#define Py_nb_inplace_true_divide 24
#define Py_nb_inplace_xor 25
#define Py_nb_int 26
#define Py_nb_invert 27
#define Py_nb_lshift 28
#define Py_nb_multiply 29
#define Py_nb_negative 30
#define Py_nb_or 31
#define Py_nb_positive 32
#define Py_nb_power 33
#define Py_nb_remainder 34
#define Py_nb_rshift 35
#define Py_nb_subtract 36
#define Py_nb_true_divide 37
#define Py_nb_xor 38
#define Py_sq_ass_item 39
#define Py_sq_concat 40
#define Py_sq_contains 41
#define Py_sq_inplace_concat 42
#define Py_sq_inplace_repeat 43
#define Py_sq_item 44
#define Py_sq_length 45
#define Py_sq_repeat 46
#define Py_tp_alloc 47
#define Py_tp_base 48
#define Py_tp_bases 49
#define Py_tp_call 50
#define Py_tp_clear 51
#define Py_tp_dealloc 52
#define Py_tp_del 53
#define Py_tp_descr_get 54
#define Py_tp_descr_set 55
#define Py_tp_doc 56
#define Py_tp_getattr 57
#define Py_tp_getattro 58
#define Py_tp_hash 59
#define Py_tp_init 60
#define Py_tp_is_gc 61
#define Py_tp_iter 62
#define Py_tp_iternext 63
#define Py_tp_methods 64
#define Py_tp_new 65
#define Py_tp_repr 66
#define Py_tp_richcompare 67
#define Py_tp_setattr 68
#define Py_tp_setattro 69
#define Py_tp_str 70
#define Py_tp_traverse 71
#define Py_tp_members 72
#define Py_tp_getset 73
#define Py_tp_free 74
#define Py_nb_matrix_multiply 75
#define Py_nb_inplace_matrix_multiply 76
#define Py_tp_finalize 80

#define Py_TPFLAGS_DISALLOW_INSTANTIATION (1UL << 7)
#define Py_TPFLAGS_IMMUTABLETYPE (1UL << 8)
#define Py_TPFLAGS_HEAPTYPE (1UL << 9)
#define Py_TPFLAGS_BASETYPE (1UL << 10)
#define Py_TPFLAGS_HAVE_GC (1UL << 14)
#define Py_TPFLAGS_LONG_SUBCLASS (1UL << 24)
#define Py_TPFLAGS_LIST_SUBCLASS (1UL << 25)
#define Py_TPFLAGS_TUPLE_SUBCLASS (1UL << 26)
#define Py_TPFLAGS_BYTES_SUBCLASS (1UL << 27)
#define Py_TPFLAGS_UNICODE_SUBCLASS (1UL << 28)
#define Py_TPFLAGS_DICT_SUBCLASS (1UL << 29)
#define Py_TPFLAGS_BASE_EXC_SUBCLASS (1UL << 30)
#define Py_TPFLAGS_TYPE_SUBCLASS (1UL << 31)
#define Py_TPFLAGS_DEFAULT 0

#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_COEXIST 0x0040
#define METH_FASTCALL 0x0080
#define METH_METHOD 0x0200

/* PyMemberDef.type and .flags; "__weaklistoffset__" and "__dictoffset__" are T_PYSSIZET members that are READONLY. */
#define T_INT 1
#define T_LONG 2
#define T_FLOAT 3
#define T_DOUBLE 4
#define T_STRING 5
#define T_UINT 11
#define T_ULONG 12
#define T_BOOL 14
#define T_OBJECT_EX 16
#define T_LONGLONG 17
#define T_ULONGLONG 18
#define T_PYSSIZET 19
#define READONLY 1

#define Py_LT 0
#define Py_LE 1
#define Py_EQ 2
#define Py_NE 3
#define Py_GT 4
#define Py_GE 5

#define Py_mod_create 1
#define Py_mod_exec 2
#define PYTHON_API_VERSION 1013
#define PYTHON_ABI_VERSION 3

#define PyMODINIT_FUNC __attribute__((visibility("default"))) PyObject *
#define PyObject_HEAD PyObject ob_base;
#define PyObject_HEAD_INIT(type) {1, type}
#define PyModuleDef_HEAD_INIT {PyObject_HEAD_INIT(NULL), NULL, 0, NULL}
#define PY_SSIZE_T_MAX ((Py_ssize_t)(((size_t)-1) >> 1))
#define PY_SSIZE_T_MIN (-PY_SSIZE_T_MAX - 1)

#endif /* Py_PYTHON_H */

/* ---- objects, references, types ---- */

void Py_IncRef(PyObject *);
void Py_DecRef(PyObject *);
PyObject *Py_NewRef(PyObject *);
PyObject *Py_XNewRef(PyObject *);

PyObject *PyType_FromSpec(PyType_Spec *);
PyObject *PyType_FromSpecWithBases(PyType_Spec *, PyObject *);
PyObject *PyType_FromModuleAndSpec(PyObject *, PyType_Spec *, PyObject *);
PyObject *PyType_GetModule(PyTypeObject *);
void *PyType_GetModuleState(PyTypeObject *);
void *PyType_GetSlot(PyTypeObject *, int);
int PyType_IsSubtype(PyTypeObject *, PyTypeObject *);
unsigned long PyType_GetFlags(PyTypeObject *);
PyObject *PyType_GenericAlloc(PyTypeObject *, Py_ssize_t);
PyObject *PyType_GenericNew(PyTypeObject *, PyObject *, PyObject *);
void PyType_Modified(PyTypeObject *);

PyObject *PyObject_Repr(PyObject *);
PyObject *PyObject_Str(PyObject *);
PyObject *PyObject_RichCompare(PyObject *, PyObject *, int);
int PyObject_RichCompareBool(PyObject *, PyObject *, int);
PyObject *PyObject_GetAttrString(PyObject *, const char *);
int PyObject_SetAttrString(PyObject *, const char *, PyObject *);
int PyObject_HasAttrString(PyObject *, const char *);
PyObject *PyObject_GetAttr(PyObject *, PyObject *);
int PyObject_SetAttr(PyObject *, PyObject *, PyObject *);
int PyObject_HasAttr(PyObject *, PyObject *);
PyObject *PyObject_GenericGetAttr(PyObject *, PyObject *);
int PyObject_GenericSetAttr(PyObject *, PyObject *, PyObject *);
PyObject *PyObject_GenericGetDict(PyObject *, void *);
int PyObject_GenericSetDict(PyObject *, PyObject *, void *);
PyObject *PyObject_SelfIter(PyObject *);
Py_hash_t PyObject_Hash(PyObject *);
Py_hash_t PyObject_HashNotImplemented(PyObject *);
int PyObject_IsTrue(PyObject *);
int PyObject_Not(PyObject *);
int PyObject_IsInstance(PyObject *, PyObject *);
int PyObject_IsSubclass(PyObject *, PyObject *);
PyObject *PyObject_Type(PyObject *);
PyObject *PyObject_Dir(PyObject *);
int PyCallable_Check(PyObject *);
void PyObject_ClearWeakRefs(PyObject *);
int Py_ReprEnter(PyObject *);
void Py_ReprLeave(PyObject *);

PyObject *PyObject_Call(PyObject *, PyObject *, PyObject *);
PyObject *PyObject_CallObject(PyObject *, PyObject *);
PyObject *PyObject_CallNoArgs(PyObject *);
PyObject *PyObject_CallFunction(PyObject *, const char *, ...);
PyObject *PyObject_CallMethod(PyObject *, const char *, const char *, ...);
PyObject *PyObject_CallFunctionObjArgs(PyObject *, ...);   /* end with NULL */
PyObject *PyObject_CallMethodObjArgs(PyObject *, PyObject *, ...); /* end with NULL */

Py_ssize_t PyObject_Size(PyObject *);
Py_ssize_t PyObject_Length(PyObject *);
PyObject *PyObject_GetItem(PyObject *, PyObject *);
int PyObject_SetItem(PyObject *, PyObject *, PyObject *);
int PyObject_DelItem(PyObject *, PyObject *);
PyObject *PyObject_GetIter(PyObject *);
PyObject *PyObject_Format(PyObject *, PyObject *);

/* ---- memory and garbage collection ---- */

void *PyMem_Malloc(size_t);
void *PyMem_Calloc(size_t, size_t);
void *PyMem_Realloc(void *, size_t);
void PyMem_Free(void *);
void *PyObject_Malloc(size_t);
void *PyObject_Realloc(void *, size_t);
void PyObject_Free(void *);
PyObject *PyObject_Init(PyObject *, PyTypeObject *);
PyObject *_PyObject_New(PyTypeObject *);
PyObject *_PyObject_GC_New(PyTypeObject *);
void PyObject_GC_Track(void *);
void PyObject_GC_UnTrack(void *);
void PyObject_GC_Del(void *);
int PyObject_GC_IsTracked(PyObject *);
Py_ssize_t PyGC_Collect(void);

/* ---- numbers ---- */

PyObject *PyLong_FromLong(long);
PyObject *PyLong_FromUnsignedLong(unsigned long);
PyObject *PyLong_FromLongLong(long long);
PyObject *PyLong_FromUnsignedLongLong(unsigned long long);
PyObject *PyLong_FromSsize_t(Py_ssize_t);
PyObject *PyLong_FromSize_t(size_t);
PyObject *PyLong_FromDouble(double);
PyObject *PyLong_FromVoidPtr(void *);
PyObject *PyLong_FromString(const char *, char **, int);
long PyLong_AsLong(PyObject *);
long PyLong_AsLongAndOverflow(PyObject *, int *);
unsigned long PyLong_AsUnsignedLong(PyObject *);
unsigned long PyLong_AsUnsignedLongMask(PyObject *);
long long PyLong_AsLongLong(PyObject *);
long long PyLong_AsLongLongAndOverflow(PyObject *, int *);
unsigned long long PyLong_AsUnsignedLongLong(PyObject *);
unsigned long long PyLong_AsUnsignedLongLongMask(PyObject *);
Py_ssize_t PyLong_AsSsize_t(PyObject *);
size_t PyLong_AsSize_t(PyObject *);
double PyLong_AsDouble(PyObject *);
void *PyLong_AsVoidPtr(PyObject *);
PyObject *PyBool_FromLong(long);
PyObject *PyFloat_FromDouble(double);
double PyFloat_AsDouble(PyObject *);
PyObject *PyComplex_FromDoubles(double, double);
double PyComplex_RealAsDouble(PyObject *);
double PyComplex_ImagAsDouble(PyObject *);

int PyNumber_Check(PyObject *);
int PyIndex_Check(PyObject *);
PyObject *PyNumber_Index(PyObject *);
Py_ssize_t PyNumber_AsSsize_t(PyObject *, PyObject *);
PyObject *PyNumber_Long(PyObject *);
PyObject *PyNumber_Float(PyObject *);
PyObject *PyNumber_Add(PyObject *, PyObject *);
PyObject *PyNumber_Subtract(PyObject *, PyObject *);
PyObject *PyNumber_Multiply(PyObject *, PyObject *);
PyObject *PyNumber_TrueDivide(PyObject *, PyObject *);
PyObject *PyNumber_FloorDivide(PyObject *, PyObject *);
PyObject *PyNumber_Remainder(PyObject *, PyObject *);
PyObject *PyNumber_Power(PyObject *, PyObject *, PyObject *);
PyObject *PyNumber_Negative(PyObject *);
PyObject *PyNumber_Absolute(PyObject *);

/* ---- text and bytes ---- */

PyObject *PyUnicode_FromString(const char *);
PyObject *PyUnicode_FromStringAndSize(const char *, Py_ssize_t);
PyObject *PyUnicode_FromFormat(const char *, ...);
PyObject *PyUnicode_FromFormatV(const char *, va_list);
PyObject *PyUnicode_FromObject(PyObject *);
PyObject *PyUnicode_InternFromString(const char *);
const char *PyUnicode_AsUTF8AndSize(PyObject *, Py_ssize_t *);
PyObject *PyUnicode_AsUTF8String(PyObject *);
PyObject *PyUnicode_DecodeUTF8(const char *, Py_ssize_t, const char *);
PyObject *PyUnicode_DecodeFSDefault(const char *);
PyObject *PyUnicode_EncodeFSDefault(PyObject *);
Py_ssize_t PyUnicode_GetLength(PyObject *);
PyObject *PyUnicode_Concat(PyObject *, PyObject *);
PyObject *PyUnicode_Join(PyObject *, PyObject *);
int PyUnicode_Compare(PyObject *, PyObject *);
int PyUnicode_CompareWithASCIIString(PyObject *, const char *);
int PyUnicode_FSConverter(PyObject *, void *);
PyObject *PyOS_FSPath(PyObject *);
PyObject *PyBytes_FromString(const char *);
PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t);
char *PyBytes_AsString(PyObject *);
int PyBytes_AsStringAndSize(PyObject *, char **, Py_ssize_t *);
Py_ssize_t PyBytes_Size(PyObject *);
PyObject *PyMemoryView_FromObject(PyObject *);
PyObject *PyMemoryView_FromMemory(char *, Py_ssize_t, int);

/* ---- containers ---- */

PyObject *PyTuple_New(Py_ssize_t);
PyObject *PyTuple_Pack(Py_ssize_t, ...);
Py_ssize_t PyTuple_Size(PyObject *);
PyObject *PyTuple_GetItem(PyObject *, Py_ssize_t);           /* borrowed */
int PyTuple_SetItem(PyObject *, Py_ssize_t, PyObject *);     /* steals */
PyObject *PyTuple_GetSlice(PyObject *, Py_ssize_t, Py_ssize_t);
PyObject *PyList_New(Py_ssize_t);
Py_ssize_t PyList_Size(PyObject *);
PyObject *PyList_GetItem(PyObject *, Py_ssize_t);            /* borrowed */
int PyList_SetItem(PyObject *, Py_ssize_t, PyObject *);      /* steals */
int PyList_Append(PyObject *, PyObject *);
int PyList_Insert(PyObject *, Py_ssize_t, PyObject *);
int PyList_SetSlice(PyObject *, Py_ssize_t, Py_ssize_t, PyObject *);
PyObject *PyList_AsTuple(PyObject *);
PyObject *PyDict_New(void);
Py_ssize_t PyDict_Size(PyObject *);
PyObject *PyDict_GetItem(PyObject *, PyObject *);            /* borrowed, hides errors */
PyObject *PyDict_GetItemWithError(PyObject *, PyObject *);   /* borrowed */
PyObject *PyDict_GetItemString(PyObject *, const char *);    /* borrowed, hides errors */
int PyDict_SetItem(PyObject *, PyObject *, PyObject *);
int PyDict_SetItemString(PyObject *, const char *, PyObject *);
int PyDict_DelItem(PyObject *, PyObject *);
int PyDict_DelItemString(PyObject *, const char *);
int PyDict_Contains(PyObject *, PyObject *);
int PyDict_Next(PyObject *, Py_ssize_t *, PyObject **, PyObject **); /* borrowed */
int PyDict_Update(PyObject *, PyObject *);
int PyDict_Merge(PyObject *, PyObject *, int);
PyObject *PyDict_Copy(PyObject *);
PyObject *PyDict_Keys(PyObject *);
PyObject *PyDict_Values(PyObject *);
PyObject *PyDict_Items(PyObject *);
void PyDict_Clear(PyObject *);
PyObject *PySet_New(PyObject *);
PyObject *PyFrozenSet_New(PyObject *);
int PySet_Add(PyObject *, PyObject *);
int PySet_Contains(PyObject *, PyObject *);
Py_ssize_t PySet_Size(PyObject *);

PyObject *PySlice_New(PyObject *, PyObject *, PyObject *);
int PySlice_Unpack(PyObject *, Py_ssize_t *, Py_ssize_t *, Py_ssize_t *);
Py_ssize_t PySlice_AdjustIndices(Py_ssize_t, Py_ssize_t *, Py_ssize_t *, Py_ssize_t);

int PyIter_Check(PyObject *);
PyObject *PyIter_Next(PyObject *);
PyObject *PySeqIter_New(PyObject *);
int PySequence_Check(PyObject *);
Py_ssize_t PySequence_Size(PyObject *);
Py_ssize_t PySequence_Length(PyObject *);
PyObject *PySequence_GetItem(PyObject *, Py_ssize_t);
int PySequence_Contains(PyObject *, PyObject *);
PyObject *PySequence_Fast(PyObject *, const char *);
PyObject *PySequence_List(PyObject *);
PyObject *PySequence_Tuple(PyObject *);
int PyMapping_Check(PyObject *);
Py_ssize_t PyMapping_Size(PyObject *);
PyObject *PyMapping_GetItemString(PyObject *, const char *);
PyObject *PyMapping_Keys(PyObject *);
PyObject *PyMapping_Items(PyObject *);

/* ---- functions, modules, capsules, weak references ---- */

PyObject *PyCFunction_NewEx(PyMethodDef *, PyObject *, PyObject *);
PyObject *PyCMethod_New(PyMethodDef *, PyObject *, PyObject *, PyTypeObject *);
PyObject *PyCFunction_GetSelf(PyObject *);
PyObject *PyDescr_NewMethod(PyTypeObject *, PyMethodDef *);
PyObject *PyDescr_NewClassMethod(PyTypeObject *, PyMethodDef *);
PyObject *PyDescr_NewGetSet(PyTypeObject *, PyGetSetDef *);
PyObject *PyDictProxy_New(PyObject *);
PyObject *Py_GenericAlias(PyObject *, PyObject *);

/* The format strings must not use '#': without PY_SSIZE_T_CLEAN its length would be an int up to 3.12. */
int PyArg_ParseTuple(PyObject *, const char *, ...);
int PyArg_ParseTupleAndKeywords(PyObject *, PyObject *, const char *, char **, ...);
int PyArg_UnpackTuple(PyObject *, const char *, Py_ssize_t, Py_ssize_t, ...);
PyObject *Py_BuildValue(const char *, ...);

PyObject *PyModule_Create2(PyModuleDef *, int);
PyObject *PyModuleDef_Init(PyModuleDef *);
PyObject *PyModule_New(const char *);
PyObject *PyModule_GetDict(PyObject *);
PyObject *PyModule_GetNameObject(PyObject *);
PyObject *PyModule_GetFilenameObject(PyObject *);
void *PyModule_GetState(PyObject *);
PyModuleDef *PyModule_GetDef(PyObject *);
int PyModule_AddObject(PyObject *, const char *, PyObject *); /* steals, but only on success */
int PyModule_AddObjectRef(PyObject *, const char *, PyObject *);
int PyModule_AddType(PyObject *, PyTypeObject *);
int PyModule_AddIntConstant(PyObject *, const char *, long);
int PyModule_AddStringConstant(PyObject *, const char *, const char *);
int PyModule_AddFunctions(PyObject *, PyMethodDef *);
PyInterpreterState *PyInterpreterState_Get(void);
int64_t PyInterpreterState_GetID(PyInterpreterState *);
PyObject *PyInterpreterState_GetDict(PyInterpreterState *);
int PyState_AddModule(PyObject *, PyModuleDef *);
PyObject *PyState_FindModule(PyModuleDef *);

PyObject *PyImport_ImportModule(const char *);
PyObject *PyImport_Import(PyObject *);
PyObject *PyImport_GetModule(PyObject *);
PyObject *PyImport_GetModuleDict(void);
PyObject *PyImport_AddModule(const char *);
PyObject *PySys_GetObject(const char *);
PyObject *PyEval_GetBuiltins(void);
const char *Py_GetVersion(void);

PyObject *PyCapsule_New(void *, const char *, PyCapsule_Destructor);
void *PyCapsule_GetPointer(PyObject *, const char *);
int PyCapsule_IsValid(PyObject *, const char *);
const char *PyCapsule_GetName(PyObject *);
int PyCapsule_SetName(PyObject *, const char *);
void *PyCapsule_GetContext(PyObject *);
int PyCapsule_SetContext(PyObject *, void *);
int PyCapsule_SetDestructor(PyObject *, PyCapsule_Destructor);

PyObject *PyWeakref_NewRef(PyObject *, PyObject *);
PyObject *PyWeakref_GetObject(PyObject *); /* borrowed */

/* ---- threads, signals, interpreter ---- */

PyGILState_STATE PyGILState_Ensure(void);
void PyGILState_Release(PyGILState_STATE);
PyThreadState *PyEval_SaveThread(void);
void PyEval_RestoreThread(PyThreadState *);
int PyErr_CheckSignals(void);
void PyErr_SetInterrupt(void);
int Py_AddPendingCall(int (*)(void *), void *);
int Py_AtExit(void (*)(void));
int Py_IsInitialized(void);
int Py_EnterRecursiveCall(const char *);
void Py_LeaveRecursiveCall(void);

/* ---- exceptions ---- */

void PyErr_SetNone(PyObject *);
void PyErr_SetObject(PyObject *, PyObject *);
void PyErr_SetString(PyObject *, const char *);
PyObject *PyErr_Format(PyObject *, const char *, ...);
PyObject *PyErr_FormatV(PyObject *, const char *, va_list);
PyObject *PyErr_NoMemory(void);
PyObject *PyErr_SetFromErrno(PyObject *);
PyObject *PyErr_SetFromErrnoWithFilename(PyObject *, const char *);
int PyErr_BadArgument(void);
PyObject *PyErr_Occurred(void);
void PyErr_Clear(void);
void PyErr_Fetch(PyObject **, PyObject **, PyObject **);
void PyErr_Restore(PyObject *, PyObject *, PyObject *);
void PyErr_NormalizeException(PyObject **, PyObject **, PyObject **);
int PyErr_ExceptionMatches(PyObject *);
int PyErr_GivenExceptionMatches(PyObject *, PyObject *);
void PyErr_WriteUnraisable(PyObject *);
void PyErr_Print(void);
int PyErr_WarnEx(PyObject *, const char *, Py_ssize_t);
int PyErr_WarnFormat(PyObject *, Py_ssize_t, const char *, ...);
PyObject *PyErr_NewException(const char *, PyObject *, PyObject *);
PyObject *PyErr_NewExceptionWithDoc(const char *, const char *, PyObject *, PyObject *);
int PyException_SetTraceback(PyObject *, PyObject *);
PyObject *PyException_GetTraceback(PyObject *);
void PyException_SetCause(PyObject *, PyObject *);   /* steals */
void PyException_SetContext(PyObject *, PyObject *); /* steals */

extern PyObject *PyExc_BaseException, *PyExc_Exception, *PyExc_ArithmeticError, *PyExc_AssertionError,
	*PyExc_AttributeError, *PyExc_BufferError, *PyExc_EOFError, *PyExc_FileExistsError, *PyExc_FileNotFoundError,
	*PyExc_ImportError, *PyExc_IndexError, *PyExc_IsADirectoryError, *PyExc_KeyError, *PyExc_KeyboardInterrupt,
	*PyExc_LookupError, *PyExc_MemoryError, *PyExc_ModuleNotFoundError, *PyExc_NotImplementedError, *PyExc_OSError,
	*PyExc_OverflowError, *PyExc_PermissionError, *PyExc_RecursionError, *PyExc_RuntimeError, *PyExc_StopIteration,
	*PyExc_SystemError, *PyExc_TypeError, *PyExc_ValueError, *PyExc_ZeroDivisionError, *PyExc_Warning,
	*PyExc_DeprecationWarning, *PyExc_FutureWarning, *PyExc_ResourceWarning, *PyExc_RuntimeWarning, *PyExc_UserWarning;

/* ---- type objects and singletons ---- */

extern PyTypeObject PyBaseObject_Type, PyBool_Type, PyByteArray_Type, PyBytes_Type, PyCFunction_Type, PyCapsule_Type,
	PyComplex_Type, PyDict_Type, PyEllipsis_Type, PyFloat_Type, PyFrozenSet_Type, PyList_Type, PyLong_Type,
	PyMemoryView_Type, PyModule_Type, PyRange_Type, PySet_Type, PySlice_Type, PyTuple_Type, PyType_Type, PyUnicode_Type;

struct _longobject;
extern PyObject _Py_NoneStruct, _Py_NotImplementedStruct, _Py_EllipsisObject;
extern struct _longobject _Py_TrueStruct, _Py_FalseStruct;

#ifndef Py_PYTHON_H

/* ---- macros over the above ---- */

#define Py_None (&_Py_NoneStruct)
#define Py_NotImplemented (&_Py_NotImplementedStruct)
#define Py_Ellipsis (&_Py_EllipsisObject)
#define Py_True ((PyObject *)&_Py_TrueStruct)
#define Py_False ((PyObject *)&_Py_FalseStruct)

#define Py_TYPE(o) (((PyObject *)(o))->ob_type)
#define Py_IS_TYPE(o, t) (Py_TYPE(o) == (t))
#define Py_IsNone(o) ((PyObject *)(o) == Py_None)

/* The caller holds a reference, so NULL is allowed in all four. */
#define Py_INCREF(o) Py_IncRef((PyObject *)(o))
#define Py_DECREF(o) Py_DecRef((PyObject *)(o))
#define Py_XINCREF(o) Py_IncRef((PyObject *)(o))
#define Py_XDECREF(o) Py_DecRef((PyObject *)(o))
/* The variable is emptied first: the destructor may run Python code that reads it. */
#define Py_CLEAR(o)                              \
	do {                                         \
		PyObject *py_tmp_ = (PyObject *)(o);     \
		(o) = NULL;                              \
		Py_DecRef(py_tmp_);                      \
	} while (0)
#define Py_VISIT(o)                                              \
	do {                                                         \
		if (o) {                                                 \
			int py_ret_ = visit((PyObject *)(o), arg);           \
			if (py_ret_) return py_ret_;                         \
		}                                                        \
	} while (0)

/* These count even the singletons, which 3.10 and 3.11 need and later versions ignore. */
#define Py_RETURN_NONE return Py_NewRef(Py_None)
#define Py_RETURN_NOTIMPLEMENTED return Py_NewRef(Py_NotImplemented)
#define Py_RETURN_TRUE return Py_NewRef(Py_True)
#define Py_RETURN_FALSE return Py_NewRef(Py_False)

#define PyObject_New(type, typeobj) ((type *)_PyObject_New(typeobj))
#define PyObject_GC_New(type, typeobj) ((type *)_PyObject_GC_New(typeobj))
#define PyModule_Create(def) PyModule_Create2(def, PYTHON_ABI_VERSION)

static inline int PyObject_TypeCheck(PyObject *o, PyTypeObject *t) {
	return Py_TYPE(o) == t || PyType_IsSubtype(Py_TYPE(o), t);
}
#define PYABI_HAS_FLAG(o, flag) ((PyType_GetFlags(Py_TYPE(o)) & (flag)) != 0)
#define PyLong_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_LONG_SUBCLASS)
#define PyList_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_LIST_SUBCLASS)
#define PyTuple_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_TUPLE_SUBCLASS)
#define PyBytes_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_BYTES_SUBCLASS)
#define PyUnicode_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_UNICODE_SUBCLASS)
#define PyDict_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_DICT_SUBCLASS)
#define PyType_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_TYPE_SUBCLASS)
#define PyExceptionInstance_Check(o) PYABI_HAS_FLAG(o, Py_TPFLAGS_BASE_EXC_SUBCLASS)
#define PyLong_CheckExact(o) Py_IS_TYPE(o, &PyLong_Type)
#define PyList_CheckExact(o) Py_IS_TYPE(o, &PyList_Type)
#define PyTuple_CheckExact(o) Py_IS_TYPE(o, &PyTuple_Type)
#define PyUnicode_CheckExact(o) Py_IS_TYPE(o, &PyUnicode_Type)
#define PyDict_CheckExact(o) Py_IS_TYPE(o, &PyDict_Type)
#define PyFloat_CheckExact(o) Py_IS_TYPE(o, &PyFloat_Type)
#define PyBool_Check(o) Py_IS_TYPE(o, &PyBool_Type)
#define PySlice_Check(o) Py_IS_TYPE(o, &PySlice_Type)
#define PyFloat_Check(o) PyObject_TypeCheck((PyObject *)(o), &PyFloat_Type)
#define PyComplex_Check(o) PyObject_TypeCheck((PyObject *)(o), &PyComplex_Type)
#define PySet_Check(o) PyObject_TypeCheck((PyObject *)(o), &PySet_Type)
#define PyModule_Check(o) PyObject_TypeCheck((PyObject *)(o), &PyModule_Type)
#define PyMemoryView_Check(o) Py_IS_TYPE(o, &PyMemoryView_Type)
#define PyCapsule_CheckExact(o) Py_IS_TYPE(o, &PyCapsule_Type)

#define Py_BEGIN_ALLOW_THREADS { PyThreadState *py_save_ = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS PyEval_RestoreThread(py_save_); }

#endif /* Py_PYTHON_H */
#endif /* MLX_GO_PYABI_H */
