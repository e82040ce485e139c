# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
import enum
import sys
from collections.abc import Sequence
from types import ModuleType, TracebackType
from typing import Any, Literal, Protocol, TypeAlias, final

from . import cuda as cuda, distributed as distributed, fast as fast, fft as fft, linalg as linalg, metal as metal
from . import random as random

__version__: str

class DLPackCompatible(Protocol):
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self, *args: Any, **kwargs: Any) -> Any: ...

scalar: TypeAlias = bool | int | float | complex
list_or_scalar: TypeAlias = Any
StreamOrDevice: TypeAlias = Stream | ThreadLocalStream | Device | DeviceType | None

class AxisError(ValueError, IndexError):
    """An axis that the array does not have; a ValueError and an IndexError, as NumPy's."""

@final
class Dtype:
    """The type of the elements of an array.

    The module has one object for each: bool_, uint8, ..., complex64.
    """
    @property
    def size(self) -> int:
        """Size of one element in bytes."""
    @property
    def __numpy_dtype__(self) -> Any:
        """NumPy's dtype of this name."""
    @property
    def dtype(self) -> Any:
        """NumPy's dtype of this name."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> str: ...  # type: ignore[override]
    def __copy__(self) -> Dtype: ...
    def __deepcopy__(self, memo: Any, /) -> Dtype: ...

bool_: Dtype
uint8: Dtype
uint16: Dtype
uint32: Dtype
uint64: Dtype
int8: Dtype
int16: Dtype
int32: Dtype
int64: Dtype
float16: Dtype
float32: Dtype
float64: Dtype
bfloat16: Dtype
complex64: Dtype

class DtypeCategory(enum.Enum):
    """Kinds of dtypes, for :func:`issubdtype`."""
    complexfloating = 0
    floating = 1
    inexact = 2
    signedinteger = 3
    unsignedinteger = 4
    integer = 5
    number = 6
    generic = 7

complexfloating: DtypeCategory
floating: DtypeCategory
inexact: DtypeCategory
signedinteger: DtypeCategory
unsignedinteger: DtypeCategory
integer: DtypeCategory
number: DtypeCategory
generic: DtypeCategory

def issubdtype(arg1: Dtype | DtypeCategory, arg2: Dtype | DtypeCategory) -> bool:
    """Whether a dtype or category is the other one or belongs to it."""
def result_type(*arrays_and_dtypes: array | Dtype) -> Dtype:
    """The dtype in which the arguments meet."""
def can_cast(from_: array | Dtype, to: Dtype) -> bool:
    """Whether promotion turns the first dtype into the second."""
def isdtype(dtype: Dtype, kind: Dtype | str | tuple[Dtype | str, ...]) -> bool:
    """Whether the dtype is of the kind (Python array API standard)."""

class finfo:
    """Limits of a floating-point dtype; for complex64 those of its parts."""
    def __init__(self, arg: Dtype, /) -> None: ...
    @property
    def bits(self) -> int: ...
    @property
    def max(self) -> float: ...
    @property
    def min(self) -> float: ...
    @property
    def eps(self) -> float: ...
    @property
    def smallest_normal(self) -> float: ...
    @property
    def dtype(self) -> Dtype: ...

class iinfo:
    """Limits of an integer dtype."""
    def __init__(self, arg: Dtype, /) -> None: ...
    @property
    def max(self) -> int: ...
    @property
    def min(self) -> int: ...
    @property
    def dtype(self) -> Dtype: ...

e: float
pi: float
euler_gamma: float
inf: float
nan: float
newaxis: None

from ._device import DeviceType as DeviceType

cpu: DeviceType
gpu: DeviceType

@final
class Device:
    """A device, by kind and number."""
    def __new__(cls, type: DeviceType, index: int = 0) -> Device: ...
    @property
    def type(self) -> DeviceType:
        """Its kind."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __copy__(self) -> Device: ...
    def __deepcopy__(self, memo: Any, /) -> Device: ...

@final
class Stream:
    """An order of execution on a device. Made by :func:`new_stream`."""
    @property
    def device(self) -> Device:
        """The device that it belongs to."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __copy__(self) -> Stream: ...
    def __deepcopy__(self, memo: Any, /) -> Stream: ...

@final
class ThreadLocalStream:
    """A stream of which each thread has its own. Made by :func:`new_thread_local_stream`."""
    @property
    def device(self) -> Device:
        """The device that it belongs to."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __copy__(self) -> ThreadLocalStream: ...
    def __deepcopy__(self, memo: Any, /) -> ThreadLocalStream: ...

@final
class StreamContext:
    """A context in which operations run on a stream or device."""
    def __new__(cls, s: Stream | ThreadLocalStream | Device | DeviceType) -> StreamContext: ...
    def __enter__(self) -> None: ...
    def __exit__(
        self, exc_type: type[BaseException] | None = None, exc_value: BaseException | None = None, traceback: TracebackType | None = None
    ) -> None: ...

def default_device() -> Device:
    """The device that operations run on."""
def set_default_device(device: Device | DeviceType) -> None:
    """Choose the device that operations run on: of all threads, or of the context that the thread is in."""
def is_available(device: Device | DeviceType) -> bool:
    """Whether the device can be used."""
def device_count(device_type: DeviceType) -> int:
    """How many devices of the kind there are."""
def device_info(d: Device | DeviceType | None = None) -> dict[str, str | int]:
    """What is known of a device, the default one if none is given."""
def default_stream(device: Device | DeviceType) -> Stream:
    """The stream that operations on the device run on; each thread has its own."""
def set_default_stream(stream: Stream) -> None:
    """Choose the stream that this thread's operations on its device run on, until it leaves the context that it is in."""
def new_stream(device: Device | DeviceType) -> Stream:
    """Make a stream on the device."""
def new_thread_unsafe_stream(device: Device | DeviceType) -> Stream:
    """Make a stream that one thread at a time may use; here every stream may be shared."""
def new_thread_local_stream(device: Device | DeviceType) -> ThreadLocalStream:
    """Make a stream of which each thread has its own."""
def clear_streams() -> None:
    """Forget the streams that thread-local ones stand for on this thread; others live as long as somebody holds them."""
def stream(s: Stream | ThreadLocalStream | Device | DeviceType) -> StreamContext:
    """A context in which operations run on a stream or device."""
def synchronize(stream: Stream | ThreadLocalStream | Device | DeviceType | None = None) -> None:
    """Wait until everything that was started is in memory, and raise what went wrong."""
def get_active_memory() -> int:
    """Bytes of memory that arrays hold."""
def get_peak_memory() -> int:
    """The most bytes that arrays have held since the last :func:`reset_peak_memory`."""
def reset_peak_memory() -> None:
    """Start a new measurement of the peak."""
def get_cache_memory() -> int:
    """Bytes of freed memory that are kept for reuse."""
def get_memory_limit() -> int:
    """Bytes of memory that arrays may hold."""
def set_memory_limit(limit: int) -> int:
    """Bound the bytes that arrays may hold, beyond which allocating raises MemoryError; returns the old limit."""
def set_cache_limit(limit: int) -> int:
    """Bound the bytes of freed memory that are kept for reuse; returns the old limit."""
def set_wired_limit(limit: int) -> int:
    """Bound the memory that is kept resident; the CPU keeps none, so this only remembers the limit."""
def clear_cache() -> None:
    """Return memory that is kept for reuse to the system."""
def get_array_buffer_size(*args: object) -> int:
    """The bytes of all distinct arrays in the arguments, which are evaluated."""

class ArrayAt:
    """``array.at[indices]``: updates that accumulate over repeated indices."""
    def __init__(self, array: array, indices: object = ()) -> None: ...
    def __getitem__(self, indices: object | None) -> ArrayAt: ...
    def add(self, value: scalar | array) -> array:
        """``x[indices] + value`` in place of ``x[indices]``."""
    def subtract(self, value: scalar | array) -> array:
        """``x[indices] - value`` in place of ``x[indices]``."""
    def multiply(self, value: scalar | array) -> array:
        """``x[indices] * value`` in place of ``x[indices]``."""
    def divide(self, value: scalar | array) -> array:
        """``x[indices] / value`` in place of ``x[indices]``."""
    def maximum(self, value: scalar | array) -> array:
        """The larger of ``x[indices]`` and ``value`` in place of ``x[indices]``."""
    def minimum(self, value: scalar | array) -> array:
        """The smaller of ``x[indices]`` and ``value`` in place of ``x[indices]``."""

class ArrayLike:
    """Marks an object that functions take for an array: one with ``__mlx_array__``."""
    def __init__(self, arg: object, /) -> None: ...
    def __mlx_array__(self) -> array: ...

@final
class ArrayIterator:
    """Iterator over the first axis of an array."""
    def __iter__(self) -> ArrayIterator: ...
    def __next__(self) -> array: ...
    def __length_hint__(self) -> int: ...

@final
class array:
    """An N-dimensional array, evaluated when its values are needed.

    ``val`` is a scalar, a list or tuple (nested), an array, or anything that exports the buffer protocol, DLPack
    or ``__array__``.
    """
    def __init__(self, val: Any, dtype: Dtype | None = None) -> None: ...
    @property
    def shape(self) -> tuple[int, ...]:
        """The extent along each axis, a tuple of ints."""
    @property
    def dtype(self) -> Dtype:
        """The type of the elements."""
    @property
    def ndim(self) -> int:
        """Number of axes."""
    @property
    def size(self) -> int:
        """Number of elements."""
    @property
    def itemsize(self) -> int:
        """Size of one element in bytes."""
    @property
    def nbytes(self) -> int:
        """Size of all elements in bytes."""
    @property
    def T(self) -> array:
        """The array with its axes in reverse order."""
    @property
    def mT(self) -> array:
        """The array with its last two axes swapped."""
    @property
    def real(self) -> array:
        """The real part."""
    @property
    def imag(self) -> array:
        """The imaginary part."""
    @property
    def at(self) -> ArrayAt:
        """Updates of parts of the array that accumulate over repeated indices: ``a.at[idx].add(x)``."""
    def item(self) -> Any:
        """The value of an array with one element as a Python scalar; it is evaluated."""
    def tolist(self) -> Any:
        """The array as nested lists of Python scalars; it is evaluated."""
    def __getitem__(self, key: Any, /) -> array: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __delitem__(self, key: Any, /) -> None: ...
    def __len__(self) -> int: ...
    def __contains__(self, value: Any, /) -> bool: ...
    def __iter__(self) -> ArrayIterator: ...
    def __bool__(self) -> bool: ...
    def __int__(self) -> int: ...
    def __float__(self) -> float: ...
    def __complex__(self) -> complex: ...
    def __index__(self) -> int: ...
    def __bytes__(self) -> bytes:
        """The elements in row-major order."""
    def __hash__(self) -> int: ...
    def __format__(self, spec: str, /) -> str: ...
    if sys.version_info >= (3, 12):
        def __buffer__(self, flags: int, /) -> memoryview: ...
        def __release_buffer__(self, buffer: memoryview, /) -> None: ...
    def __copy__(self) -> array: ...
    def __deepcopy__(self, memo: Any, /) -> array: ...
    def __getstate__(self) -> tuple[bytes, tuple[int, ...], Dtype]: ...
    def __setstate__(self, state: tuple[bytes, tuple[int, ...], Dtype], /) -> None: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """The array as a NumPy array that shares its memory where it can."""
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's operators with arrays are those of the arrays; its other ufuncs convert the arrays to its own."""
    def __dlpack__(
        self, *, stream: Any = None, max_version: tuple[int, int] | None = None, dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule that shares the array's memory."""
    def __dlpack_device__(self) -> tuple[int, int]:
        """The DLPack device, (1, 0): the CPU."""
    def __array_namespace__(self, api_version: str | None = None) -> ModuleType:
        """The module whose functions work on the array (Python array API standard)."""
    def __add__(self, other: Any, /) -> array: ...
    def __radd__(self, other: Any, /) -> array: ...
    def __iadd__(self, other: Any, /) -> array: ...
    def __sub__(self, other: Any, /) -> array: ...
    def __rsub__(self, other: Any, /) -> array: ...
    def __isub__(self, other: Any, /) -> array: ...
    def __mul__(self, other: Any, /) -> array: ...
    def __rmul__(self, other: Any, /) -> array: ...
    def __imul__(self, other: Any, /) -> array: ...
    def __truediv__(self, other: Any, /) -> array: ...
    def __rtruediv__(self, other: Any, /) -> array: ...
    def __itruediv__(self, other: Any, /) -> array: ...
    def __div__(self, other: Any, /) -> array: ...
    def __rdiv__(self, other: Any, /) -> array: ...
    def __floordiv__(self, other: Any, /) -> array: ...
    def __rfloordiv__(self, other: Any, /) -> array: ...
    def __ifloordiv__(self, other: Any, /) -> array: ...
    def __mod__(self, other: Any, /) -> array: ...
    def __rmod__(self, other: Any, /) -> array: ...
    def __imod__(self, other: Any, /) -> array: ...
    def __divmod__(self, other: Any, /) -> tuple[array, array]: ...
    def __rdivmod__(self, other: Any, /) -> tuple[array, array]: ...
    def __pow__(self, other: Any, mod: None = None, /) -> array: ...
    def __rpow__(self, other: Any, mod: None = None, /) -> array: ...
    def __ipow__(self, other: Any, /) -> array: ...  # type: ignore[misc]
    def __matmul__(self, other: Any, /) -> array: ...
    def __rmatmul__(self, other: Any, /) -> array: ...
    def __imatmul__(self, other: Any, /) -> array: ...
    def __and__(self, other: Any, /) -> array: ...
    def __rand__(self, other: Any, /) -> array: ...
    def __iand__(self, other: Any, /) -> array: ...
    def __or__(self, other: Any, /) -> array: ...
    def __ror__(self, other: Any, /) -> array: ...
    def __ior__(self, other: Any, /) -> array: ...
    def __xor__(self, other: Any, /) -> array: ...
    def __rxor__(self, other: Any, /) -> array: ...
    def __ixor__(self, other: Any, /) -> array: ...
    def __lshift__(self, other: Any, /) -> array: ...
    def __rlshift__(self, other: Any, /) -> array: ...
    def __ilshift__(self, other: Any, /) -> array: ...
    def __rshift__(self, other: Any, /) -> array: ...
    def __rrshift__(self, other: Any, /) -> array: ...
    def __irshift__(self, other: Any, /) -> array: ...
    def __neg__(self) -> array: ...
    def __pos__(self) -> array: ...
    def __abs__(self) -> array: ...
    def __invert__(self) -> array: ...
    def __eq__(self, other: Any, /) -> array: ...  # type: ignore[override]
    def __ne__(self, other: Any, /) -> array: ...  # type: ignore[override]
    def __lt__(self, other: Any, /) -> array: ...
    def __le__(self, other: Any, /) -> array: ...
    def __gt__(self, other: Any, /) -> array: ...
    def __ge__(self, other: Any, /) -> array: ...
    def abs(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise absolute value."""
    def argmax(self, axis: None | int = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
        """Position of the first maximum along an axis, or in the flattened array.

        Args:
            a: Input array.
            axis: Axis to search along; ``None`` searches the flattened array.
            keepdims: Keep the axis with extent 1.

        Returns:
            uint32 positions.

        Example:
            >>> mx.argmax(mx.array([3, 1, 2]))
            array(0, dtype=uint32)
        """
    def argmin(self, axis: None | int = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
        """Position of the first minimum along an axis, or in the flattened array.

        Args:
            a: Input array.
            axis: Axis to search along; ``None`` searches the flattened array.
            keepdims: Keep the axis with extent 1.

        Returns:
            uint32 positions.

        Example:
            >>> mx.argmin(mx.array([3, 1, 2]))
            array(1, dtype=uint32)
        """
    def all(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, out: None = None, stream: StreamOrDevice = None) -> array:
        """Whether all elements are nonzero, over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            out: None: arrays are not written to.

        Returns:
            A bool array.

        Example:
            >>> mx.all(mx.array([True, False]))
            array(False, dtype=bool)
        """
    def any(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, out: None = None, stream: StreamOrDevice = None) -> array:
        """Whether any element is nonzero, over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            out: None: arrays are not written to.

        Returns:
            A bool array.

        Example:
            >>> mx.any(mx.array([True, False]))
            array(True, dtype=bool)
        """
    def astype(self, dtype: Dtype, stream: StreamOrDevice = None) -> array:
        """Array with its elements converted to another dtype. Floats are rounded towards zero to integers; of complex numbers, real dtypes keep the real part.

        Args:
            a: Input array.
            dtype: Type of the elements of the result.

        Returns:
            The converted array.

        Example:
            >>> mx.array([1.5, -1.5]).astype(mx.int32)
            array([1, -1], dtype=int32)
        """
    def max(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, out: None = None, stream: StreamOrDevice = None) -> array:
        """Maximum over the given axes; NaN wins.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            out: None: arrays are not written to.

        Returns:
            The maximum in the dtype of ``a``. An empty axis is a ValueError.

        Example:
            >>> mx.max(mx.array([3, 1, 2]))
            array(3, dtype=int32)
        """
    def mean(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, dtype: Dtype | type | None = None, out: None = None, stream: StreamOrDevice = None) -> array:
        """Mean over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            dtype: Dtype of the result, in which the elements are reduced; NumPy's dtypes and types are taken, too.
            out: None: arrays are not written to.

        Returns:
            The mean, float32 for integers.

        Example:
            >>> mx.mean(mx.array([1.0, 2.0]))
            array(1.5, dtype=float32)
        """
    def min(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, out: None = None, stream: StreamOrDevice = None) -> array:
        """Minimum over the given axes; NaN wins.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            out: None: arrays are not written to.

        Returns:
            The minimum in the dtype of ``a``. An empty axis is a ValueError.

        Example:
            >>> mx.min(mx.array([3, 1, 2]))
            array(1, dtype=int32)
        """
    def prod(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, dtype: Dtype | type | None = None, out: None = None, stream: StreamOrDevice = None) -> array:
        """Product over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            dtype: Dtype of the result, in which the elements are reduced; NumPy's dtypes and types are taken, too.
            out: None: arrays are not written to.

        Returns:
            The product, 1 for an empty axis.

        Example:
            >>> mx.prod(mx.array([2, 3, 4]))
            array(24, dtype=int32)
        """
    def reshape(self, *shape: Any, stream: StreamOrDevice = None) -> array:
        """Array with the same elements, in row-major order, in another shape.

        Args:
            a: Input array.
            shape: Extents; one of them may be -1 and follows from the others.

        Returns:
            The reshaped array, without copying where strides allow.

        Example:
            >>> mx.reshape(mx.array([1, 2, 3, 4]), (2, -1))
            array([[1, 2],
                   [3, 4]], dtype=int32)
        """
    def std(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, ddof: int = 0, *, correction: int | None = None, dtype: Dtype | type | None = None, out: None = None, stream: StreamOrDevice = None) -> array:
        """Standard deviation over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            dtype: Dtype of the result, in which the elements are reduced; NumPy's dtypes and types are taken, too.
            out: None: arrays are not written to.

        Returns:
            The square root of :func:`var`.

        Example:
            >>> mx.std(mx.array([1.0, 3.0]))
            array(1, dtype=float32)
        """
    def sum(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, dtype: Dtype | type | None = None, out: None = None, stream: StreamOrDevice = None) -> array:
        """Sum over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            dtype: Dtype of the result, in which the elements are reduced; NumPy's dtypes and types are taken, too.
            out: None: arrays are not written to.

        Returns:
            The sum; bool and small integers add up in 32 bits, floats keep their dtype.

        Example:
            >>> mx.sum(mx.array([[1, 2], [3, 4]]), axis=0)
            array([4, 6], dtype=int32)
        """
    def transpose(self, *axes: Any, stream: StreamOrDevice = None) -> array:
        """Array with its axes in another order.

        Args:
            a: Input array.
            axes: For each axis of the result, which axis of ``a`` it is; ``None`` reverses them.

        Returns:
            The transposed array, without copying.

        Example:
            >>> mx.transpose(mx.array([[1, 2], [3, 4]]))
            array([[1, 3],
                   [2, 4]], dtype=int32)
        """
    def var(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, ddof: int = 0, *, correction: int | None = None, dtype: Dtype | type | None = None, out: None = None, stream: StreamOrDevice = None) -> array:
        """Variance over the given axes.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` reduces over all of them.
            keepdims: Keep reduced axes with extent 1.
            dtype: Dtype of the result, in which the elements are reduced; NumPy's dtypes and types are taken, too.
            out: None: arrays are not written to.

        Returns:
            The mean squared distance from the mean, divided by n - ddof (``correction`` is another name of ``ddof``).

        Example:
            >>> mx.var(mx.array([1.0, 3.0]))
            array(1, dtype=float32)
        """
    def conj(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise complex conjugate."""
    def conjugate(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise complex conjugate."""
    def cos(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise cosine."""
    def cummax(self, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, stream: StreamOrDevice = None) -> array:
        """Cumulative maximum.

        Args:
            a: Input array.
            axis: Axis to run along; ``None`` runs along the flattened array.
            reverse: Run from the end.
            inclusive: Whether position i includes element i.

        Returns:
            An array of the same shape (flattened without an axis).

        Example:
            >>> mx.cummax(mx.array([1, 3, 2]))
            array([1, 3, 3], dtype=int32)
        """
    def cummin(self, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, stream: StreamOrDevice = None) -> array:
        """Cumulative minimum.

        Args:
            a: Input array.
            axis: Axis to run along; ``None`` runs along the flattened array.
            reverse: Run from the end.
            inclusive: Whether position i includes element i.

        Returns:
            An array of the same shape (flattened without an axis).

        Example:
            >>> mx.cummin(mx.array([3, 1, 2]))
            array([3, 1, 1], dtype=int32)
        """
    def cumprod(self, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, dtype: Dtype | None = None, stream: StreamOrDevice = None) -> array:
        """Cumulative product.

        Args:
            a: Input array.
            axis: Axis to run along; ``None`` runs along the flattened array.
            reverse: Run from the end.
            inclusive: Whether position i includes element i.

        Returns:
            An array of the same shape (flattened without an axis).

        Example:
            >>> mx.cumprod(mx.array([1, 2, 3]))
            array([1, 2, 6], dtype=int32)
        """
    def cumsum(self, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, dtype: Dtype | None = None, stream: StreamOrDevice = None) -> array:
        """Cumulative sum.

        Args:
            a: Input array.
            axis: Axis to run along; ``None`` runs along the flattened array.
            reverse: Run from the end.
            inclusive: Whether position i includes element i.

        Returns:
            An array of the same shape (flattened without an axis).

        Example:
            >>> mx.cumsum(mx.array([1, 2, 3]))
            array([1, 3, 6], dtype=int32)
        """
    def diag(self, k: int = 0, *, stream: StreamOrDevice = None) -> array:
        """Diagonal of a matrix, or a matrix with the given diagonal.

        Args:
            a: 1-D or 2-D array.
            k: Which diagonal: above the main one if positive.

        Returns:
            A 1-D array for a matrix, a square matrix for a 1-D array.

        Example:
            >>> mx.diag(mx.array([1, 2]))
            array([[1, 0],
                   [0, 2]], dtype=int32)
        """
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1, stream: StreamOrDevice = None) -> array:
        """Diagonal over two axes.

        Args:
            a: Array of at least 2 axes.
            offset: Which diagonal: above the main one if positive.
            axis1: Axis of the rows.
            axis2: Axis of the columns.

        Returns:
            The other axes followed by the diagonal, without copying.

        Example:
            >>> mx.diagonal(mx.array([[1, 2], [3, 4]]))
            array([1, 4], dtype=int32)
        """
    def exp(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise exponential."""
    def flatten(self, start_axis: int = 0, end_axis: int = -1, *, stream: StreamOrDevice = None) -> array:
        """Array with a run of axes made one.

        Args:
            a: Input array; a scalar gets one axis.
            start_axis: First axis of the run.
            end_axis: Last axis of the run.

        Returns:
            The flattened array.

        Example:
            >>> mx.flatten(mx.array([[1, 2], [3, 4]]))
            array([1, 2, 3, 4], dtype=int32)
        """
    def log(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise natural logarithm."""
    def log10(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise logarithm to base 10."""
    def log1p(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise log(1 + a), accurate near zero."""
    def log2(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise logarithm to base 2."""
    def logcumsumexp(self, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, stream: StreamOrDevice = None) -> array:
        """Logarithm of the cumulative sum of exponentials.

        Args:
            a: Input array.
            axis: Axis to run along; ``None`` runs along the flattened array.
            reverse: Run from the end.
            inclusive: Whether position i includes element i.

        Returns:
            An array of the same shape (flattened without an axis).

        Example:
            >>> mx.logcumsumexp(mx.array([0.0, 0.0]))
            array([0, 0.693147], dtype=float32)
        """
    def logsumexp(self, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
        """log(sum(exp(a))) over the given axes without overflow.

        Args:
            a: Input array.
            axis: Axis or axes to reduce over; ``None`` is all of them.
            keepdims: Keep reduced axes with extent 1.

        Returns:
            The reduced array, float32 for integers.

        Example:
            >>> mx.logsumexp(mx.array([0.0, 0.0]))
            array(0.693147, dtype=float32)
        """
    def moveaxis(self, source: int, destination: int, *, stream: StreamOrDevice = None) -> array:
        """Array with one axis at another place, the others keeping their order.

        Args:
            a: Input array.
            source: Axis to move.
            destination: Its place in the result.

        Returns:
            The array with its axes in another order, without copying.

        Example:
            >>> mx.moveaxis(mx.zeros((2, 3, 4)), 0, 2).shape
            (3, 4, 2)
        """
    def reciprocal(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise 1 / a."""
    def round(self, decimals: int = 0, stream: StreamOrDevice = None) -> array:
        """Element-wise rounding to a number of decimals, ties to even.

        Args:
            a: Input array.
            decimals: Places behind the point; negative ones round to tens, hundreds, ...

        Returns:
            An array of the same shape and dtype.

        Example:
            >>> mx.round(mx.array([1.25, 2.5]), 1)
            array([1.2, 2.5], dtype=float32)
        """
    def rsqrt(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise reciprocal of the square root."""
    def sin(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise sine."""
    def split(self, indices_or_sections: int | Sequence[int], axis: int = 0, *, stream: StreamOrDevice = None) -> list[array]:
        """Pieces of an array along an axis.

        Args:
            a: Input array.
            indices_or_sections: Number of equal pieces, or the positions at which to cut.
            axis: Axis to cut.

        Returns:
            A list of arrays.

        Example:
            >>> mx.split(mx.array([1, 2, 3]), [1])
            [array([1], dtype=int32), array([2, 3], dtype=int32)]
        """
    def sqrt(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise square root."""
    def square(self, *, stream: StreamOrDevice = None) -> array:
        """Element-wise square."""
    def squeeze(self, axis: None | int | Sequence[int] = None, *, stream: StreamOrDevice = None) -> array:
        """Array without axes of extent 1.

        Args:
            a: Input array.
            axis: Axis or axes to drop; ``None`` drops all of extent 1.

        Returns:
            The array with fewer axes.

        Example:
            >>> mx.squeeze(mx.array([[1, 2]]))
            array([1, 2], dtype=int32)
        """
    def swapaxes(self, axis1: int, axis2: int, *, stream: StreamOrDevice = None) -> array:
        """Array with two axes exchanged.

        Args:
            a: Input array.
            axis1: One axis.
            axis2: The other axis.

        Returns:
            The array with its axes in another order, without copying.

        Example:
            >>> mx.swapaxes(mx.zeros((2, 3, 4)), 0, 2).shape
            (4, 3, 2)
        """
    def view(self, dtype: Dtype, stream: StreamOrDevice = None) -> array:
        """The same bytes as elements of another dtype.

        Args:
            a: Input array.
            dtype: Type of the elements of the result; the last axis takes a change of width.

        Returns:
            The reinterpreted array.

        Example:
            >>> mx.view(mx.array([1.0]), mx.uint32)
            array([1065353216], dtype=uint32)
        """

def asarray(a: Any, dtype: Dtype | None = None, *, copy: bool | None = None) -> array:
    """Make an array; ``copy=False`` shares the memory of ``a`` or raises ValueError."""
def from_dlpack(x: DLPackCompatible, /, *, copy: bool | None = None) -> array:
    """Make an array from an object with ``__dlpack__``; ``copy=False`` shares its memory or raises ValueError."""
def einsum_path(subscripts: str, *operands: Any) -> tuple[list[tuple[int, ...]], str]:
    """The order in which :func:`einsum` contracts its operands, and a report of what it costs.

    Args:
        subscripts: As for :func:`einsum`.
        *operands: Input arrays, of which only the shapes matter.

    Returns:
        A list with a tuple for each contraction, the positions of its operands among those that are left then, the result
        being put behind them; and a text that compares the cost with that of the naive sum.

    Example:
        >>> mx.einsum_path('ij,jk,kl->il', mx.ones((2, 3)), mx.ones((3, 4)), mx.ones((4, 5)))[0]
        [(1, 2), (0, 1)]
    """
def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape in which the shapes meet."""
def eval(*args: Any) -> None:
    """Evaluate all arrays in the arguments: arrays, or trees of lists, tuples and dicts of them."""
def async_eval(*args: Any) -> None:
    """Start evaluating all arrays in the arguments and return; errors reach the next eval, item or synchronize."""

class PrintOptions:
    """How arrays print: digits behind the point, or -1 for six significant digits."""
    def __init__(self, precision: int = -1) -> None: ...
    @property
    def precision(self) -> int: ...
    @precision.setter
    def precision(self, arg: int, /) -> None: ...

class _PrintOptionsContext:
    def __init__(self, options: PrintOptions) -> None: ...
    def __enter__(self) -> PrintOptions: ...
    def __exit__(
        self, exc_type: type[BaseException] | None = None, exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

def set_printoptions(precision: int = -1) -> None:
    """Set the digits behind the point in printed floats; -1 prints six significant digits."""
def get_printoptions() -> PrintOptions:
    """How arrays print now."""
def printoptions(precision: int = -1) -> _PrintOptionsContext:
    """A context in which arrays print with the given options."""

from ._custom import custom_function as custom_function
from ._namespace_info import namespace_info as __array_namespace_info__
from ._export import (
    FunctionExporter as FunctionExporter,
    export_function as export_function,
    export_to_dot as export_to_dot,
    exporter as exporter,
    import_function as import_function,
)
from ._io import (
    load as load,
    save as save,
    save_gguf as save_gguf,
    save_safetensors as save_safetensors,
    savez as savez,
    savez_compressed as savez_compressed,
)
from ._transforms import (
    checkpoint as checkpoint,
    compile as compile,
    disable_compile as disable_compile,
    enable_compile as enable_compile,
    grad as grad,
    jvp as jvp,
    value_and_grad as value_and_grad,
    vjp as vjp,
    vmap as vmap,
)

def abs(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise absolute value."""
def acos(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse cosine."""
def acosh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse hyperbolic cosine."""
def add(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise addition."""
def addmm(c: array, a: array, b: array, /, alpha: float = 1.0, beta: float = 1.0, *, stream: StreamOrDevice = None) -> array:
    """alpha * (a @ b) + beta * c in one kernel.

    Args:
        c: Array that broadcasts to the shape of ``a @ b``.
        a: Left factor.
        b: Right factor.
        alpha: Scale of the product.
        beta: Scale of ``c``.

    Returns:
        An array of the shape of ``a @ b``.

    Example:
        >>> mx.addmm(mx.array([1.0]), mx.array([[2.0]]), mx.array([[3.0]]))
        array([[7]], dtype=float32)
    """
def all(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Whether all elements are nonzero, over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        A bool array.

    Example:
        >>> mx.all(mx.array([True, False]))
        array(False, dtype=bool)
    """
def allclose(a: array, b: array, /, rtol: float = 1e-05, atol: float = 1e-08, *, equal_nan: bool = False, stream: StreamOrDevice = None) -> array:
    """Whether all elements are close, as :func:`isclose` tells.

    Args:
        a: First array.
        b: Second array, the reference.
        rtol: Tolerance relative to ``b``.
        atol: Absolute tolerance.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        A bool scalar.

    Example:
        >>> mx.allclose(mx.array([1.0]), mx.array([1.0]))
        array(True, dtype=bool)
    """
def any(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Whether any element is nonzero, over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        A bool array.

    Example:
        >>> mx.any(mx.array([True, False]))
        array(True, dtype=bool)
    """
def arange(start: None | int | float = None, stop: None | int | float = None, step: None | int | float | Dtype = None, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Evenly spaced values from ``start`` up to but without ``stop``. With one bound, as ``arange(stop)``, ``arange(stop, step=2)`` or ``arange(stop, step, dtype)``, the start is 0.

    Args:
        start: First value.
        stop: Bound that is not reached.
        step: Distance of neighbors, 1 if None.
        dtype: Type of the elements: if None int32 for integers (int64 where they need it), else float32.

    Returns:
        A 1-D array of ceil((stop - start) / step) elements.

    Raises:
        ValueError: If the step is 0 or the number of elements is not finite.

    Example:
        >>> mx.arange(1, 6, 2)
        array([1, 3, 5], dtype=int32)
    """
def arccos(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse cosine."""
def arccosh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse hyperbolic cosine."""
def arcsin(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse sine."""
def arcsinh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse hyperbolic sine."""
def arctan(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse tangent."""
def arctan2(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise angle of the point (b, a)."""
def arctanh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse hyperbolic tangent."""
def argmax(a: array, /, axis: None | int = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Position of the first maximum along an axis, or in the flattened array.

    Args:
        a: Input array.
        axis: Axis to search along; ``None`` searches the flattened array.
        keepdims: Keep the axis with extent 1.

    Returns:
        uint32 positions.

    Example:
        >>> mx.argmax(mx.array([3, 1, 2]))
        array(0, dtype=uint32)
    """
def argmin(a: array, /, axis: None | int = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Position of the first minimum along an axis, or in the flattened array.

    Args:
        a: Input array.
        axis: Axis to search along; ``None`` searches the flattened array.
        keepdims: Keep the axis with extent 1.

    Returns:
        uint32 positions.

    Example:
        >>> mx.argmin(mx.array([3, 1, 2]))
        array(1, dtype=uint32)
    """
def argpartition(a: array, /, kth: int, axis: None | int = -1, *, stream: StreamOrDevice = None) -> array:
    """Positions that :func:`partition` the array.

    Args:
        a: Input array.
        axis: Axis to sort along; ``None`` flattens first.

    Returns:
        uint32 positions.

    Example:
        >>> mx.argpartition(mx.array([3, 1, 2]), 0)[0]
        array(1, dtype=uint32)
    """
def argsort(a: array, /, axis: None | int = -1, *, stream: StreamOrDevice = None) -> array:
    """Positions that sort the array: the first is that of the smallest element.

    Args:
        a: Input array.
        axis: Axis to sort along; ``None`` flattens first.

    Returns:
        uint32 positions.

    Example:
        >>> mx.argsort(mx.array([3, 1, 2]))
        array([1, 2, 0], dtype=uint32)
    """
def array_equal(a: scalar | array, b: scalar | array, equal_nan: bool = False, stream: StreamOrDevice = None) -> array:
    """Whether two arrays have one shape and equal elements.

    Args:
        a: First array or scalar.
        b: Second array or scalar.
        equal_nan: Whether NaN equals NaN.

    Returns:
        A bool scalar.

    Example:
        >>> mx.array_equal(mx.array([1, 2]), mx.array([1, 2]))
        array(True, dtype=bool)
    """
def as_strided(a: array, /, shape: Sequence[int] | None = None, strides: Sequence[int] | None = None, offset: int = 0, *, stream: StreamOrDevice = None) -> array:
    """View of an array's elements, taken in row-major order, with any strides.

    Args:
        a: Input array.
        shape: Shape of the result, that of ``a`` if None.
        strides: Steps between neighbors along each axis, in elements; contiguous if None.
        offset: Position of the first element.

    Returns:
        The strided array.

    Raises:
        ValueError: If the view leaves the array.

    Example:
        >>> mx.as_strided(mx.array([1, 2, 3]), (2, 2), (1, 1))
        array([[1, 2],
               [2, 3]], dtype=int32)
    """
def asin(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse sine."""
def asinh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse hyperbolic sine."""
def astype(a: array, /, dtype: Dtype, *, stream: StreamOrDevice = None) -> array:
    """Array with its elements converted to another dtype. Floats are rounded towards zero to integers; of complex numbers, real dtypes keep the real part.

    Args:
        a: Input array.
        dtype: Type of the elements of the result.

    Returns:
        The converted array.

    Example:
        >>> mx.array([1.5, -1.5]).astype(mx.int32)
        array([1, -1], dtype=int32)
    """
def atan(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse tangent."""
def atan2(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise angle of the point (b, a)."""
def atanh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse hyperbolic tangent."""
def atleast_1d(*arys: array, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least one axis.

    Args:
        *arys: Input arrays.

    Returns:
        The array, or a list if there is not exactly one.

    Example:
        >>> mx.atleast_1d(mx.array(1))
        array([1], dtype=int32)
    """
def atleast_2d(*arys: array, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least two axes; new ones come in front.

    Args:
        *arys: Input arrays.

    Returns:
        The array, or a list if there is not exactly one.

    Example:
        >>> mx.atleast_2d(mx.array([1, 2]))
        array([[1, 2]], dtype=int32)
    """
def atleast_3d(*arys: array, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least three axes: shape (N,) becomes (1, N, 1) and (M, N) becomes (M, N, 1).

    Args:
        *arys: Input arrays.

    Returns:
        The array, or a list if there is not exactly one.

    Example:
        >>> mx.atleast_3d(mx.array([1, 2])).shape
        (1, 2, 1)
    """
def bartlett(M: int, *, stream: StreamOrDevice = None) -> array:
    """Bartlett window: a triangle that is zero at its ends.

    Args:
        M: Number of points; the window is empty if it is not positive.

    Returns:
        A float32 array of shape (M,), symmetric, with its maximum 1 in the middle.

    Example:
        >>> mx.bartlett(5)
        array([0, 0.5, 1, 0.5, 0], dtype=float32)
    """
def bitwise_and(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise bitwise and."""
def bitwise_invert(a: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise bitwise complement; of bools, logical not."""
def bitwise_left_shift(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise shift to the left; by the width or more gives 0."""
def bitwise_or(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise bitwise or."""
def bitwise_right_shift(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise shift to the right; by the width or more leaves only the sign."""
def bitwise_xor(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise bitwise exclusive or."""
def blackman(M: int, *, stream: StreamOrDevice = None) -> array:
    """Blackman window: 0.42 - 0.5 cos + 0.08 cos of the double angle.

    Args:
        M: Number of points; the window is empty if it is not positive.

    Returns:
        A float32 array of shape (M,), symmetric, with its maximum 1 in the middle.

    Example:
        >>> mx.blackman(3)
        array([0, 1, 0], dtype=float32)
    """
def block_masked_mm(a: array, b: array, /, block_size: int = 64, mask_out: array | None = None, mask_lhs: array | None = None, mask_rhs: array | None = None, *, stream: StreamOrDevice = None) -> array:
    """Matrix product of which blocks are masked out.

    Args:
        a: Array of shape (..., M, K).
        b: Array of shape (..., K, N).
        block_size: Rows and columns of a block.
        mask_out: One element per block of the product. A bool mask drops blocks, which are zero then; another scales them.
        mask_lhs: The same for ``a``.
        mask_rhs: The same for ``b``.

    Returns:
        An array of shape (..., M, N).

    Example:
        >>> mx.block_masked_mm(mx.ones((2, 2)), mx.ones((2, 4)), 2, mx.array([[True, False]]))
        array([[2, 2, 0, 0],
               [2, 2, 0, 0]], dtype=float32)
    """
def broadcast_arrays(*arrays: array, stream: StreamOrDevice = None) -> tuple[array, ...]:
    """Arrays stretched to the shape in which they meet.

    Args:
        *arrays: Input arrays.

    Returns:
        The stretched arrays, without copying.

    Example:
        >>> a, b = mx.broadcast_arrays(mx.array(1), mx.array([2, 3]))
        >>> a
        array([1, 1], dtype=int32)
    """
def broadcast_to(a: scalar | array, /, shape: Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """Array stretched to a shape along its axes of extent 1.

    Args:
        a: Input array or scalar.
        shape: Shape of the result.

    Returns:
        The stretched array, without copying.

    Example:
        >>> mx.broadcast_to(mx.array([1, 2]), (2, 2))
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
def ceil(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise rounding up."""
def clip(a: array, /, a_min: scalar | array | None, a_max: scalar | array | None, *, stream: StreamOrDevice = None) -> array:
    """Element-wise restriction to an interval: minimum(maximum(a, a_min), a_max).

    Args:
        a: Input array.
        a_min: Lower bound, or None.
        a_max: Upper bound, or None; one of them must be given.

    Returns:
        An array of the broadcast shape and promoted dtype.

    Example:
        >>> mx.clip(mx.array([1, 5, 9]), 2, 6)
        array([2, 5, 6], dtype=int32)
    """
def concat(arrays: array | list[array], axis: int | None = 0, *, stream: StreamOrDevice = None) -> array:
    """Arrays one after the other along an axis.

    Args:
        arrays: Arrays whose shapes agree but for that axis, or an array for its rows; dtypes are promoted.
        axis: Axis along which they follow each other; ``None`` flattens them first.

    Returns:
        The joined array.

    Example:
        >>> mx.concatenate([mx.array([1, 2]), mx.array([3])])
        array([1, 2, 3], dtype=int32)
    """
def concatenate(arrays: array | list[array], axis: int | None = 0, *, stream: StreamOrDevice = None) -> array:
    """Arrays one after the other along an axis.

    Args:
        arrays: Arrays whose shapes agree but for that axis, or an array for its rows; dtypes are promoted.
        axis: Axis along which they follow each other; ``None`` flattens them first.

    Returns:
        The joined array.

    Example:
        >>> mx.concatenate([mx.array([1, 2]), mx.array([3])])
        array([1, 2, 3], dtype=int32)
    """
def conj(a: scalar | array, *, stream: StreamOrDevice = None) -> array:
    """Element-wise complex conjugate."""
def conjugate(a: scalar | array, *, stream: StreamOrDevice = None) -> array:
    """Element-wise complex conjugate."""
def contiguous(a: array, /, allow_col_major: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Array in row-major order without gaps.

    Args:
        a: Input array.
        allow_col_major: Accepted for compatibility: the result is row-major always.

    Returns:
        The array, copied unless it is contiguous.

    Example:
        >>> mx.contiguous(mx.array([[1, 2], [3, 4]]).T)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
def conv1d(input: array, weight: array, /, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1, *, stream: StreamOrDevice = None) -> array:
    """1-D convolution (cross-correlation) with channels last.

    Args:
        input: Array of shape (N, L, C).
        weight: Array of shape (O, K, C / groups).
        stride: Step between places of the kernel.
        padding: Zeros on both sides of each spatial axis (L).
        dilation: Step between elements of the kernel.
        groups: Number of groups the channels are split into.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def conv2d(input: array, weight: array, /, stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0, dilation: int | tuple[int, int] = 1, groups: int = 1, *, stream: StreamOrDevice = None) -> array:
    """2-D convolution (cross-correlation) with channels last.

    Args:
        input: Array of shape (N, H, W, C).
        weight: Array of shape (O, KH, KW, C / groups).
        stride: Step between places of the kernel.
        padding: Zeros on both sides of each spatial axis (H, W).
        dilation: Step between elements of the kernel.
        groups: Number of groups the channels are split into.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def conv3d(input: array, weight: array, /, stride: int | tuple[int, int, int] = 1, padding: int | tuple[int, int, int] = 0, dilation: int | tuple[int, int, int] = 1, groups: int = 1, *, stream: StreamOrDevice = None) -> array:
    """3-D convolution (cross-correlation) with channels last.

    Args:
        input: Array of shape (N, D, H, W, C).
        weight: Array of shape (O, KD, KH, KW, C / groups).
        stride: Step between places of the kernel.
        padding: Zeros on both sides of each spatial axis (D, H, W).
        dilation: Step between elements of the kernel.
        groups: Number of groups the channels are split into.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def conv_general(input: array, weight: array, /, stride: int | Sequence[int] = 1, padding: int | Sequence[int] | tuple[Sequence[int], Sequence[int]] = 0, kernel_dilation: int | Sequence[int] = 1, input_dilation: int | Sequence[int] = 1, groups: int = 1, flip: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Convolution over any number of spatial axes with all options.

    Args:
        input: Array of shape (N, spatial..., C).
        weight: Array of shape (O, spatial..., C / groups).
        stride: Step between places of the kernel.
        padding: Zeros on both sides, or a pair of lists for the near and far sides.
        kernel_dilation: Step between elements of the kernel.
        input_dilation: Step between elements of the input.
        groups: Number of groups the channels are split into.
        flip: Run the kernel backwards: convolution proper.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def conv_transpose1d(input: array, weight: array, /, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0, groups: int = 1, *, stream: StreamOrDevice = None) -> array:
    """1-D transposed convolution with channels last: what a convolution's gradient does to its input.

    Args:
        input: Array of shape (N, L, C).
        weight: Array of shape (O, K, C / groups).
        stride: Step between places of the kernel in the result.
        padding: Elements cut off both sides of the result.
        dilation: Step between elements of the kernel.
        output_padding: Extra extent on the far side of the result.
        groups: Number of groups the channels are split into.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def conv_transpose2d(input: array, weight: array, /, stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0, dilation: int | tuple[int, int] = 1, output_padding: int | tuple[int, int] = 0, groups: int = 1, *, stream: StreamOrDevice = None) -> array:
    """2-D transposed convolution with channels last: what a convolution's gradient does to its input.

    Args:
        input: Array of shape (N, H, W, C).
        weight: Array of shape (O, KH, KW, C / groups).
        stride: Step between places of the kernel in the result.
        padding: Elements cut off both sides of the result.
        dilation: Step between elements of the kernel.
        output_padding: Extra extent on the far side of the result.
        groups: Number of groups the channels are split into.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def conv_transpose3d(input: array, weight: array, /, stride: int | tuple[int, int, int] = 1, padding: int | tuple[int, int, int] = 0, dilation: int | tuple[int, int, int] = 1, output_padding: int | tuple[int, int, int] = 0, groups: int = 1, *, stream: StreamOrDevice = None) -> array:
    """3-D transposed convolution with channels last: what a convolution's gradient does to its input.

    Args:
        input: Array of shape (N, D, H, W, C).
        weight: Array of shape (O, KD, KH, KW, C / groups).
        stride: Step between places of the kernel in the result.
        padding: Elements cut off both sides of the result.
        dilation: Step between elements of the kernel.
        output_padding: Extra extent on the far side of the result.
        groups: Number of groups the channels are split into.

    Returns:
        An array of shape (N, spatial..., O) in the promoted floating dtype.
    """
def convolve(a: array, v: array, /, mode: str = 'full', *, stream: StreamOrDevice = None) -> array:
    """Discrete convolution of two 1-D arrays.

    Args:
        a: First array.
        v: Second array.
        mode: ``'full'`` for every overlap, ``'same'`` for its middle, as long as the longer array, ``'valid'`` for complete overlaps only.

    Returns:
        A 1-D array.

    Example:
        >>> mx.convolve(mx.array([1.0, 2.0]), mx.array([1.0, 1.0]))
        array([1, 3, 2], dtype=float32)
    """
def cos(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise cosine."""
def cosh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise hyperbolic cosine."""
def count_nonzero(a: array, /, axis: None | int | Sequence[int] = None, *, keepdims: bool = False, stream: StreamOrDevice = None) -> array:
    """Number of nonzero elements over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        int32 counts.

    Example:
        >>> mx.count_nonzero(mx.array([0, 1, 2]))
        array(2, dtype=int32)
    """
def cummax(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, stream: StreamOrDevice = None) -> array:
    """Cumulative maximum.

    Args:
        a: Input array.
        axis: Axis to run along; ``None`` runs along the flattened array.
        reverse: Run from the end.
        inclusive: Whether position i includes element i.

    Returns:
        An array of the same shape (flattened without an axis).

    Example:
        >>> mx.cummax(mx.array([1, 3, 2]))
        array([1, 3, 3], dtype=int32)
    """
def cummin(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, stream: StreamOrDevice = None) -> array:
    """Cumulative minimum.

    Args:
        a: Input array.
        axis: Axis to run along; ``None`` runs along the flattened array.
        reverse: Run from the end.
        inclusive: Whether position i includes element i.

    Returns:
        An array of the same shape (flattened without an axis).

    Example:
        >>> mx.cummin(mx.array([3, 1, 2]))
        array([3, 1, 1], dtype=int32)
    """
def cumprod(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, dtype: Dtype | None = None, stream: StreamOrDevice = None) -> array:
    """Cumulative product.

    Args:
        a: Input array.
        axis: Axis to run along; ``None`` runs along the flattened array.
        reverse: Run from the end.
        inclusive: Whether position i includes element i.

    Returns:
        An array of the same shape (flattened without an axis).

    Example:
        >>> mx.cumprod(mx.array([1, 2, 3]))
        array([1, 2, 6], dtype=int32)
    """
def cumsum(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, dtype: Dtype | None = None, stream: StreamOrDevice = None) -> array:
    """Cumulative sum.

    Args:
        a: Input array.
        axis: Axis to run along; ``None`` runs along the flattened array.
        reverse: Run from the end.
        inclusive: Whether position i includes element i.

    Returns:
        An array of the same shape (flattened without an axis).

    Example:
        >>> mx.cumsum(mx.array([1, 2, 3]))
        array([1, 3, 6], dtype=int32)
    """
def degrees(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise conversion of radians to degrees."""
def depends(inputs: array | Sequence[array], dependencies: array | Sequence[array]) -> array | list[array]:
    """The inputs, evaluated only after the dependencies.

    Args:
        inputs: Array or arrays to pass through.
        dependencies: Array or arrays to evaluate first.

    Returns:
        The inputs with the same values.

    Example:
        >>> a, b = mx.array(1), mx.array(2)
        >>> mx.depends(a, b)
        array(1, dtype=int32)
    """
def dequantize(w: array, /, scales: array, biases: array | None = None, group_size: int | None = None, bits: int | None = None, mode: str = 'affine', global_scale: array | None = None, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Gives the values of a quantized matrix.

    Args:
        w: Words of :func:`quantize`, of shape (..., K * bits / 32).
        scales: Their scales, of shape (..., K / group_size).
        biases: Their biases, in the affine mode.
        group_size: As given to :func:`quantize`.
        bits: As given to :func:`quantize`.
        mode: As given to :func:`quantize`.
        global_scale: As given to :func:`quantize`.
        dtype: A floating point dtype for the result; by default that of scales and biases, or bfloat16 in modes whose scales have
            eight bits.

    Returns:
        An array of shape (..., K).

    Example:
        >>> codes, scales, biases = mx.quantize(mx.ones((2, 32)), group_size=32)
        >>> mx.dequantize(codes, scales, biases, group_size=32)[:, :3]
        array([[1, 1, 1],
               [1, 1, 1]], dtype=float32)
    """
def diag(a: array, /, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """Diagonal of a matrix, or a matrix with the given diagonal.

    Args:
        a: 1-D or 2-D array.
        k: Which diagonal: above the main one if positive.

    Returns:
        A 1-D array for a matrix, a square matrix for a 1-D array.

    Example:
        >>> mx.diag(mx.array([1, 2]))
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
def diagonal(a: array, offset: int = 0, axis1: int = 0, axis2: int = 1, stream: StreamOrDevice = None) -> array:
    """Diagonal over two axes.

    Args:
        a: Array of at least 2 axes.
        offset: Which diagonal: above the main one if positive.
        axis1: Axis of the rows.
        axis2: Axis of the columns.

    Returns:
        The other axes followed by the diagonal, without copying.

    Example:
        >>> mx.diagonal(mx.array([[1, 2], [3, 4]]))
        array([1, 4], dtype=int32)
    """
def diff(a: array, /, n: int = 1, axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """Difference of neighbors along an axis, ``n`` times.

    Args:
        a: Input array.
        n: How often to take differences.
        axis: Axis to run along.

    Returns:
        An array whose axis is shorter by ``n``.

    Example:
        >>> mx.diff(mx.array([1, 4, 9]))
        array([3, 5], dtype=int32)
    """
def divide(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise division."""
def divmod(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> tuple[array, array]:
    """Element-wise quotient rounded down, and remainder.

    Args:
        a: Dividend.
        b: Divisor.

    Returns:
        The pair (floor_divide(a, b), remainder(a, b)).

    Example:
        >>> mx.divmod(mx.array(7), mx.array(2))
        (array(3, dtype=int32), array(1, dtype=int32))
    """
def einsum(subscripts: str, *operands: Any, stream: StreamOrDevice = None) -> array:
    """Sum of products over the axes that subscripts name.

    Args:
        subscripts: One letter per axis of each operand, separated by commas, and behind ``->`` those of the result: without it the letters that occur once, in alphabetical order. ``...`` stands for any further axes, which are broadcast.
        *operands: Input arrays.

    Returns:
        The result of the contraction.

    Example:
        >>> mx.einsum('ij,j->i', mx.ones((2, 3)), mx.ones((3,)))
        array([3, 3], dtype=float32)
    """
def equal(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise equality."""
def erf(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise error function."""
def erfinv(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise inverse of the error function."""
def exp(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise exponential."""
def expand_dims(a: array, /, axis: int | Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """Array with more axes, of extent 1.

    Args:
        a: Input array.
        axis: Place or places of the new axes in the result.

    Returns:
        The array with more axes.

    Example:
        >>> mx.expand_dims(mx.array([1, 2]), 0)
        array([[1, 2]], dtype=int32)
    """
def expm1(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise exp(a) - 1, accurate near zero."""
def eye(n: int, m: int | None = None, k: int = 0, dtype: Dtype | None = float32, *, stream: StreamOrDevice = None) -> array:
    """Matrix with ones on a diagonal and zeros elsewhere.

    Args:
        n: Number of rows.
        m: Number of columns, ``n`` if None.
        k: Which diagonal: above the main one if positive.
        dtype: Type of the elements, float32 if None.

    Returns:
        An array of shape (n, m).

    Example:
        >>> mx.eye(2)
        array([[1, 0],
               [0, 1]], dtype=float32)
    """
def flatten(a: array, /, start_axis: int = 0, end_axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """Array with a run of axes made one.

    Args:
        a: Input array; a scalar gets one axis.
        start_axis: First axis of the run.
        end_axis: Last axis of the run.

    Returns:
        The flattened array.

    Example:
        >>> mx.flatten(mx.array([[1, 2], [3, 4]]))
        array([1, 2, 3, 4], dtype=int32)
    """
def flip(a: array, /, axis: None | int | Sequence[int] = None, *, stream: StreamOrDevice = None) -> array:
    """Array with its elements in reverse order along axes.

    Args:
        a: Input array.
        axis: Axis or axes to reverse; ``None`` reverses all.

    Returns:
        The reversed array, without copying.

    Example:
        >>> mx.flip(mx.array([1, 2, 3]))
        array([3, 2, 1], dtype=int32)
    """
def floor(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise rounding down."""
def floor_divide(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise division rounded down. Integers divided by 0 give 0."""
def from_fp8(x: array, dtype: Dtype = bfloat16, *, stream: StreamOrDevice = None) -> array:
    """Gives the numbers of E4M3 codes.

    Args:
        x: Codes of :func:`to_fp8`, uint8.
        dtype: A real floating point dtype.

    Returns:
        An array of that dtype.

    Example:
        >>> mx.from_fp8(mx.array([56, 184], dtype=mx.uint8))
        array([1, -1], dtype=bfloat16)
    """
def full(shape: int | Sequence[int], vals: scalar | array, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Array filled with a value.

    Args:
        shape: Extent along each axis.
        vals: The value, or an array that broadcasts to the shape.
        dtype: Type of the elements, that of ``vals`` if None.

    Returns:
        An array of the given shape.

    Example:
        >>> mx.full((2,), 7)
        array([7, 7], dtype=int32)
    """
def full_like(a: array, vals: scalar | array, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Array filled with a value, in the shape of another array.

    Args:
        a: Array whose shape is taken.
        vals: The value, or an array that broadcasts to the shape.
        dtype: Type of the elements, that of ``a`` if None.

    Returns:
        An array of the shape of ``a``.

    Example:
        >>> mx.full_like(mx.array([1, 2]), 7)
        array([7, 7], dtype=int32)
    """
def gather_mm(a: array, b: array, /, lhs_indices: array | None = None, rhs_indices: array | None = None, *, sorted_indices: bool = False, stream: StreamOrDevice = None) -> array:
    """Matrix product whose factors are picked by indices, as in a mixture of experts.

    Args:
        a: Array of shape (..., M, K).
        b: Array of shape (..., K, N).
        lhs_indices: Which matrices of ``a``, counted through all of its axes but the last two; ``None`` takes each in its place.
        rhs_indices: The same for ``b``. The two index arrays broadcast.
        sorted_indices: Says that the indices are sorted. Rows with the same index that lie side by side are multiplied at once, said or not.

    Returns:
        An array of the shape of the indices followed by (M, N).

    Example:
        >>> x = mx.array([[[1.0, 2.0]], [[3.0, 4.0]]])
        >>> experts = mx.array([[[1.0], [1.0]], [[0.0], [10.0]]])
        >>> mx.gather_mm(x, experts, rhs_indices=mx.array([1, 1])).flatten()
        array([20, 40], dtype=float32)
    """
def gather_qmm(x: array, w: array, /, scales: array, biases: array | None = None, lhs_indices: array | None = None, rhs_indices: array | None = None, transpose: bool = True, group_size: int | None = None, bits: int | None = None, mode: str = 'affine', global_scale: array | None = None, *, sorted_indices: bool = False, stream: StreamOrDevice = None) -> array:
    """Matrix products with quantized matrices that are picked by indices, as in a mixture of experts.

    Args:
        x: Array of shape (..., M, K).
        w: Words of :func:`quantize` for matrices (..., N, K), or (..., K, N) with ``transpose=False``.
        scales: Their scales.
        biases: Their biases, in the affine mode.
        lhs_indices: Which matrices of ``x``, counted through all of its axes but the last two; ``None`` takes each in its place.
        rhs_indices: The same for ``w``. The two index arrays broadcast.
        transpose: Multiply with the transposes of the matrices.
        group_size: As given to :func:`quantize`.
        bits: As given to :func:`quantize`.
        mode: As given to :func:`quantize`.
        global_scale: As given to :func:`quantize`, for ``w``.
        sorted_indices: Says that the indices are sorted. Rows with the same index that lie side by side are multiplied at once, said or not.

    Returns:
        An array of the shape of the indices followed by (M, N).

    Example:
        >>> experts = mx.stack([mx.ones((2, 64)), mx.full((2, 64), 3.0)])
        >>> mx.gather_qmm(mx.ones((1, 64)), *mx.quantize(experts), rhs_indices=mx.array([1, 0])).squeeze()
        array([[192, 192],
               [64, 64]], dtype=float32)
    """
def gather_qqmm(x: array, w: array, /, scales: array | None = None, lhs_indices: array | None = None, rhs_indices: array | None = None, group_size: int | None = None, bits: int | None = None, mode: str = 'nvfp4', global_scale_x: array | None = None, global_scale_w: array | None = None, *, sorted_indices: bool = False, stream: StreamOrDevice = None) -> array:
    """Products as of :func:`qqmm`, of matrices that are picked by indices.

    Args:
        x: Array of shape (..., M, K), of float32, float16 or bfloat16.
        w: Matrices (..., N, K) of such a dtype, or words of :func:`quantize` for them.
        scales: The scales of the words.
        lhs_indices: Which matrices of ``x``, counted through all of its axes but the last two; ``None`` takes each in its place.
        rhs_indices: The same for ``w``. The two index arrays broadcast.
        group_size: As in :func:`quantize`.
        bits: As in :func:`quantize`.
        mode: ``"nvfp4"``, ``"mxfp8"`` or ``"mxfp4"``.
        global_scale_x: As in :func:`quantize`, for ``x``; given together with ``global_scale_w``.
        global_scale_w: As in :func:`quantize`, for ``w``.
        sorted_indices: Says that the indices are sorted.

    Returns:
        An array of the shape of the indices followed by (M, N), of the dtype of ``x``.

    Example:
        >>> experts = mx.stack([mx.ones((2, 32)), mx.full((2, 32), 3.0)])
        >>> mx.gather_qqmm(mx.ones((1, 32)), experts, rhs_indices=mx.array([1]), mode="mxfp8").squeeze()
        array([96, 96], dtype=float32)
    """
def greater(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise greater than."""
def greater_equal(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise greater than or equal."""
def hadamard_transform(a: array, scale: float | None = None, stream: StreamOrDevice = None) -> array:
    """Product of the last axis with a Hadamard matrix.

    Args:
        a: Array whose last axis has extent m * 2^k with m one of 1, 12, 20, 28.
        scale: Factor of the result, 1 / sqrt(n) if None, which makes the transform orthonormal.

    Returns:
        An array of the same shape, float32 for integers.

    Example:
        >>> mx.hadamard_transform(mx.array([1.0, 2.0]), scale=1.0)
        array([3, -1], dtype=float32)
    """
def hamming(M: int, *, stream: StreamOrDevice = None) -> array:
    """Hamming window: 0.54 - 0.46 cos.

    Args:
        M: Number of points; the window is empty if it is not positive.

    Returns:
        A float32 array of shape (M,), symmetric, with its maximum 1 in the middle.

    Example:
        >>> mx.hamming(3)
        array([0.08, 1, 0.08], dtype=float32)
    """
def hanning(M: int, *, stream: StreamOrDevice = None) -> array:
    """Hann window: one period of a raised cosine, zero at its ends.

    Args:
        M: Number of points; the window is empty if it is not positive.

    Returns:
        A float32 array of shape (M,), symmetric, with its maximum 1 in the middle.

    Example:
        >>> mx.hanning(3)
        array([0, 1, 0], dtype=float32)
    """
def heaviside(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise step from 0 to 1 as the first argument turns positive; the second where it is 0."""
def identity(n: int, dtype: Dtype | None = float32, *, stream: StreamOrDevice = None) -> array:
    """Square identity matrix.

    Args:
        n: Number of rows and columns.
        dtype: Type of the elements, float32 if None.

    Returns:
        An array of shape (n, n).

    Example:
        >>> mx.identity(2)
        array([[1, 0],
               [0, 1]], dtype=float32)
    """
def imag(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise imaginary part."""
def inner(a: array, b: array, /, *, stream: StreamOrDevice = None) -> array:
    """Sum of products over the last axes of both arguments.

    Args:
        a: Array of shape (..., K).
        b: Array of shape (..., K).

    Returns:
        An array of shape a.shape[:-1] + b.shape[:-1].

    Example:
        >>> mx.inner(mx.array([1.0, 2.0]), mx.array([3.0, 4.0]))
        array(11, dtype=float32)
    """
def isclose(a: array, b: array, /, rtol: float = 1e-05, atol: float = 1e-08, *, equal_nan: bool = False, stream: StreamOrDevice = None) -> array:
    """Element-wise abs(a - b) <= atol + rtol * abs(b). Infinities are close to themselves only.

    Args:
        a: First array.
        b: Second array, the reference.
        rtol: Tolerance relative to ``b``.
        atol: Absolute tolerance.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        A bool array of the broadcast shape.

    Example:
        >>> mx.isclose(mx.array([1.0, 2.0]), mx.array([1.0, 2.1]))
        array([True, False], dtype=bool)
    """
def isfinite(a: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise test for neither infinite nor NaN."""
def isinf(a: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise test for infinities."""
def isnan(a: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise test for NaN."""
def isneginf(a: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise test for negative infinity."""
def isposinf(a: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise test for positive infinity."""
def kron(a: array, b: array, *, stream: StreamOrDevice = None) -> array:
    """Kronecker product.

    Args:
        a: First array.
        b: Second array.

    Returns:
        An array whose axes are the products of those of the arguments.

    Example:
        >>> mx.kron(mx.array([1, 2]), mx.array([1, 1]))
        array([1, 1, 2, 2], dtype=int32)
    """
def left_shift(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise shift to the left; by the width or more gives 0."""
def less(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise less than; complex numbers compare by real, then imaginary part."""
def less_equal(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise less than or equal."""
def linspace(start: scalar, stop: scalar, num: int | None = 50, endpoint: bool = True, dtype: Dtype | None = float32, stream: StreamOrDevice = None) -> array:
    """Evenly spaced values between two bounds.

    Args:
        start: First value.
        stop: Last value, or what would follow it without ``endpoint``.
        num: Number of values.
        endpoint: Whether ``stop`` is the last value.
        dtype: Type of the elements, float32 if None. Integers are rounded towards zero.

    Returns:
        A 1-D array of ``num`` elements.

    Example:
        >>> mx.linspace(0, 1, 5)
        array([0, 0.25, 0.5, 0.75, 1], dtype=float32)
    """
def log(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise natural logarithm."""
def log10(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise logarithm to base 10."""
def log1p(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise log(1 + a), accurate near zero."""
def log2(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise logarithm to base 2."""
def logaddexp(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise log(exp(a) + exp(b)) without overflow."""
def logcumsumexp(a: array, /, axis: int | None = None, *, reverse: bool = False, inclusive: bool = True, stream: StreamOrDevice = None) -> array:
    """Logarithm of the cumulative sum of exponentials.

    Args:
        a: Input array.
        axis: Axis to run along; ``None`` runs along the flattened array.
        reverse: Run from the end.
        inclusive: Whether position i includes element i.

    Returns:
        An array of the same shape (flattened without an axis).

    Example:
        >>> mx.logcumsumexp(mx.array([0.0, 0.0]))
        array([0, 0.693147], dtype=float32)
    """
def logical_and(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise logical and."""
def logical_not(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise logical not."""
def logical_or(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise logical or."""
def logical_xor(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise logical exclusive or."""
def logsumexp(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """log(sum(exp(a))) over the given axes without overflow.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` is all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The reduced array, float32 for integers.

    Example:
        >>> mx.logsumexp(mx.array([0.0, 0.0]))
        array(0.693147, dtype=float32)
    """
def matmul(a: array, b: array, /, *, stream: StreamOrDevice = None) -> array:
    """Matrix product of the last two axes, broadcast over the others; a 1-D argument counts as a row on the left and a column on the right.

    Args:
        a: Array of shape (..., M, K) or (K,).
        b: Array of shape (..., K, N) or (K,).

    Returns:
        An array of shape (..., M, N) in the promoted inexact dtype.

    Example:
        >>> mx.matmul(mx.array([[1.0, 2.0]]), mx.array([[3.0], [4.0]]))
        array([[11]], dtype=float32)
    """
def matrix_transpose(a: array, /, *, stream: StreamOrDevice = None) -> array:
    """Array with its last two axes exchanged.

    Args:
        a: Input array of at least 2 axes.

    Returns:
        The transposed matrices, without copying.

    Example:
        >>> mx.matrix_transpose(mx.zeros((2, 3, 4))).shape
        (2, 4, 3)
    """
def max(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Maximum over the given axes; NaN wins.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The maximum in the dtype of ``a``. An empty axis is a ValueError.

    Example:
        >>> mx.max(mx.array([3, 1, 2]))
        array(3, dtype=int32)
    """
def maximum(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise larger value; NaN if either is NaN."""
def mean(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Mean over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The mean, float32 for integers.

    Example:
        >>> mx.mean(mx.array([1.0, 2.0]))
        array(1.5, dtype=float32)
    """
def median(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Median over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The median, float32 for integers; the mean of the two middle elements for an even count.

    Example:
        >>> mx.median(mx.array([3.0, 1.0, 2.0]))
        array(2, dtype=float32)
    """
def meshgrid(*arrays: array, sparse: bool | None = False, indexing: str | None = 'xy', stream: StreamOrDevice = None) -> tuple[array, ...]:
    """Coordinates of a grid from those along its axes.

    Args:
        *arrays: Coordinates along each axis; arrays that are not 1-D are flattened.
        sparse: Leave extent 1 along the other axes, to be broadcast.
        indexing: ``'xy'`` for the first array along columns and the second along rows, ``'ij'`` for axes in the order of the arrays.

    Returns:
        A tuple with one array for each argument.

    Example:
        >>> mx.meshgrid(mx.array([1, 2]), mx.array([3]))
        (array([[1, 2]], dtype=int32), array([[3, 3]], dtype=int32))
    """
def min(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Minimum over the given axes; NaN wins.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The minimum in the dtype of ``a``. An empty axis is a ValueError.

    Example:
        >>> mx.min(mx.array([3, 1, 2]))
        array(1, dtype=int32)
    """
def minimum(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise smaller value; NaN if either is NaN."""
def minmax(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """Minimum and maximum over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The pair (min, max).

    Example:
        >>> mx.minmax(mx.array([3, 1, 2]))
        (array(1, dtype=int32), array(3, dtype=int32))
    """
def moveaxis(a: array, /, source: int, destination: int, *, stream: StreamOrDevice = None) -> array:
    """Array with one axis at another place, the others keeping their order.

    Args:
        a: Input array.
        source: Axis to move.
        destination: Its place in the result.

    Returns:
        The array with its axes in another order, without copying.

    Example:
        >>> mx.moveaxis(mx.zeros((2, 3, 4)), 0, 2).shape
        (3, 4, 2)
    """
def multiply(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise multiplication."""
def nan_to_num(a: scalar | array, nan: float = 0, posinf: float | None = None, neginf: float | None = None, *, stream: StreamOrDevice = None) -> array:
    """Array with NaN and infinities replaced.

    Args:
        a: Input array or scalar.
        nan: What replaces NaN.
        posinf: What replaces positive infinity, the largest finite value if None.
        neginf: What replaces negative infinity, the smallest finite value if None.

    Returns:
        An array of the same shape and dtype.

    Example:
        >>> mx.nan_to_num(mx.array([1.0, float('nan')]))
        array([1, 0], dtype=float32)
    """
def negative(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise negation."""
def not_equal(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise inequality."""
def ones(shape: int | Sequence[int], dtype: Dtype | None = float32, *, stream: StreamOrDevice = None) -> array:
    """Array of ones.

    Args:
        shape: Extent along each axis.
        dtype: Type of the elements, float32 if None.

    Returns:
        An array of the given shape.

    Example:
        >>> mx.ones(2)
        array([1, 1], dtype=float32)
    """
def ones_like(a: array, /, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Ones in the shape of another array.

    Args:
        a: Array whose shape is taken.
        dtype: Type of the elements, that of ``a`` if None.

    Returns:
        An array of the shape of ``a``.

    Example:
        >>> mx.ones_like(mx.array([1, 2]))
        array([1, 1], dtype=int32)
    """
def outer(a: array, b: array, /, *, stream: StreamOrDevice = None) -> array:
    """Product of every element of one flattened array with every element of the other.

    Args:
        a: Array of size M.
        b: Array of size N.

    Returns:
        An array of shape (M, N).

    Example:
        >>> mx.outer(mx.array([1, 2]), mx.array([3, 4]))
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
def pad(a: array, pad_width: int | tuple[int] | tuple[int, int] | list[tuple[int, int]], mode: Literal['constant', 'edge', 'reflect', 'symmetric'] = 'constant', constant_values: scalar | array = 0, *, stream: StreamOrDevice = None) -> array:
    """Array continued beyond the ends of its axes.

    Args:
        a: Input array.
        pad_width: How many elements before and behind: one number, a pair for all axes, or a pair for each axis.
        mode: ``'constant'``; ``'edge'`` repeats the outermost element; ``'reflect'`` mirrors the array at that element, ``'symmetric'`` behind it.
        constant_values: What ``'constant'`` fills in.

    Returns:
        The padded array.

    Example:
        >>> mx.pad(mx.array([1, 2]), (0, 1))
        array([1, 2, 0], dtype=int32)
    """
def partition(a: array, /, kth: int, axis: None | int = -1, *, stream: StreamOrDevice = None) -> array:
    """Copy with the ``kth`` smallest element in its sorted place, no larger ones before it and no smaller ones behind.

    Args:
        a: Input array.
        axis: Axis to sort along; ``None`` flattens first.

    Returns:
        An array of the same dtype.

    Example:
        >>> mx.partition(mx.array([3, 1, 2]), 1)[1]
        array(2, dtype=int32)
    """
def permute_dims(a: array, /, axes: Sequence[int] | None = None, *, stream: StreamOrDevice = None) -> array:
    """Array with its axes in another order.

    Args:
        a: Input array.
        axes: For each axis of the result, which axis of ``a`` it is; ``None`` reverses them.

    Returns:
        The transposed array, without copying.

    Example:
        >>> mx.transpose(mx.array([[1, 2], [3, 4]]))
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
def positive(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise unary plus: the argument itself."""
def pow(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise power. Integers are raised modulo their range; a negative exponent gives the quotient rounded to zero."""
def power(a: scalar | array, b: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise power. Integers are raised modulo their range; a negative exponent gives the quotient rounded to zero."""
def prod(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Product over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The product, 1 for an empty axis.

    Example:
        >>> mx.prod(mx.array([2, 3, 4]))
        array(24, dtype=int32)
    """
def put_along_axis(a: array, /, indices: array, values: array, axis: int | None = None, *, stream: StreamOrDevice = None) -> array:
    """Copy of an array with values put at positions given one by one along an axis.

    Args:
        a: Input array.
        indices: Integer positions, broadcast with ``a`` on the other axes.
        values: Values that broadcast to the shape of ``indices``.
        axis: Axis to put along; ``None`` puts into the flattened array.

    Returns:
        An array of the shape of ``a``.

    Example:
        >>> mx.put_along_axis(mx.array([1, 2, 3]), mx.array([1]), mx.array(9), axis=0)
        array([1, 9, 3], dtype=int32)
    """
def qqmm(x: array, w: array, scales: array | None = None, group_size: int | None = None, bits: int | None = None, mode: str = 'nvfp4', global_scale_x: array | None = None, global_scale_w: array | None = None, *, stream: StreamOrDevice = None) -> array:
    """Matrix product of which both factors are quantized, the first one on the fly.

    The numbers that codes stand for are multiplied and summed in float32. Gradients of ``x``, and of ``w`` where it is not quantized, are
    those of the product of these numbers.

    Args:
        x: Array of shape (..., M, K), of float32, float16 or bfloat16.
        w: A matrix (N, K) of such a dtype, which is quantized on the fly, too; or words of :func:`quantize` for one.
        scales: The scales of the words.
        group_size: As in :func:`quantize`.
        bits: As in :func:`quantize`.
        mode: ``"nvfp4"``, ``"mxfp8"`` or ``"mxfp4"``.
        global_scale_x: As in :func:`quantize`, for ``x``; given together with ``global_scale_w``.
        global_scale_w: As in :func:`quantize`, for ``w``.

    Returns:
        An array of shape (..., M, N) and of the dtype of ``x``.

    Example:
        >>> mx.qqmm(mx.ones((1, 32)), mx.ones((2, 32)), mode="mxfp8")
        array([[32, 32]], dtype=float32)
    """
def quantize(w: array, /, group_size: int | None = None, bits: int | None = None, mode: str = 'affine', *, global_scale: array | None = None, stream: StreamOrDevice = None) -> tuple[array, ...]:
    """Quantizes a matrix: groups of elements along the last axis share a scale, and each element becomes a code of few bits.

    The ``affine`` mode gives the elements of a group the codes ``q = round((w - bias) / scale)``, of ``bits`` bits each. Bias and
    scale are such that 0, if it lies between the extremes of the group, has a code of its own, and so has the extreme with the larger magnitude.

    =========  ====================  =======================  ===========  =======
    mode       group sizes           bits                     scales       biases
    =========  ====================  =======================  ===========  =======
    affine     32, **64**, 128       1, 2, 3, **4**, 5, 6, 8  dtype of w   yes
    mxfp4      **32**                **4** (E2M1)             E8M0         no
    mxfp8      **32**                **8** (E4M3)             E8M0         no
    nvfp4      **16**                **4** (E2M1)             E4M3         no
    =========  ====================  =======================  ===========  =======

    Args:
        w: Array of shape (..., K), of float32, float16 or bfloat16, with two axes or more; K is a multiple of ``group_size``.
        group_size: How many elements share a scale; by default what is set in bold above.
        bits: How many bits a code has; by default what is set in bold above.
        mode: ``"affine"``, ``"mxfp4"``, ``"mxfp8"`` or ``"nvfp4"``.
        global_scale: The largest magnitude of the whole of ``w``, as float32, in mode ``nvfp4``: scales are then counted in such
            units that the largest one is E4M3's.

    Returns:
        The codes as uint32 words of shape (..., K * bits / 32), packed from the lowest bit on; the scales, of shape (..., K /
        group_size); and in the affine mode the biases, of the same shape.

    Example:
        >>> w = mx.arange(64.0).reshape(1, 64)
        >>> codes, scales, biases = mx.quantize(w, bits=8)
        >>> codes.shape, scales.shape, mx.abs(mx.dequantize(codes, scales, biases, bits=8) - w).max() < 0.2
        ((1, 16), (1, 1), array(True, dtype=bool))
    """
def quantized_matmul(x: array, w: array, /, scales: array, biases: array | None = None, transpose: bool = True, group_size: int | None = None, bits: int | None = None, mode: str = 'affine', *, stream: StreamOrDevice = None) -> array:
    """Matrix product with a quantized matrix, which is never written out in full.

    Args:
        x: Array of shape (..., M, K).
        w: Words of :func:`quantize` for a matrix (N, K), or (K, N) with ``transpose=False``. Batch axes broadcast with those of ``x``.
        scales: Their scales.
        biases: Their biases, in the affine mode.
        transpose: Multiply with the transpose of the matrix, whose groups lie along the inner axis then.
        group_size: As given to :func:`quantize`.
        bits: As given to :func:`quantize`.
        mode: As given to :func:`quantize`.

    Returns:
        An array of shape (..., M, N), of the dtype to which ``x``, scales and biases are promoted.

    Example:
        >>> w = mx.ones((2, 64))
        >>> mx.quantized_matmul(mx.ones((1, 64)), *mx.quantize(w))
        array([[64, 64]], dtype=float32)
    """
def radians(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise conversion of degrees to radians."""
def real(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise real part."""
def reciprocal(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise 1 / a."""
def remainder(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise remainder of floor division, with the sign of b. Integers modulo 0 give 0."""
def repeat(array: array, repeats: int, axis: int | None = None, *, stream: StreamOrDevice = None) -> array:
    """Every element of an axis several times in a row.

    Args:
        array: Input array.
        repeats: How many times.
        axis: Axis to repeat along; ``None`` flattens first.

    Returns:
        An array whose axis is longer by the factor ``repeats``.

    Example:
        >>> mx.repeat(mx.array([1, 2]), 2)
        array([1, 1, 2, 2], dtype=int32)
    """
def reshape(a: array, /, shape: Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """Array with the same elements, in row-major order, in another shape.

    Args:
        a: Input array.
        shape: Extents; one of them may be -1 and follows from the others.

    Returns:
        The reshaped array, without copying where strides allow.

    Example:
        >>> mx.reshape(mx.array([1, 2, 3, 4]), (2, -1))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
def right_shift(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise shift to the right; by the width or more leaves only the sign."""
def roll(a: array, /, shift: int | tuple[int], axis: None | int | tuple[int] = None, *, stream: StreamOrDevice = None) -> array:
    """Array with its elements moved along axes; what leaves one end enters at the other.

    Args:
        a: Input array.
        shift: How far, towards the end if positive; one number for all axes or one for each.
        axis: Axis or axes to move along; ``None`` moves in the flattened array.

    Returns:
        An array of the shape of ``a``.

    Example:
        >>> mx.roll(mx.array([1, 2, 3]), 1)
        array([3, 1, 2], dtype=int32)
    """
def round(a: array, /, decimals: int = 0, stream: StreamOrDevice = None) -> array:
    """Element-wise rounding to a number of decimals, ties to even.

    Args:
        a: Input array.
        decimals: Places behind the point; negative ones round to tens, hundreds, ...

    Returns:
        An array of the same shape and dtype.

    Example:
        >>> mx.round(mx.array([1.25, 2.5]), 1)
        array([1.2, 2.5], dtype=float32)
    """
def rsqrt(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise reciprocal of the square root."""
def searchsorted(sorted_sequence: array, values: array, /, side: str = 'left', *, stream: StreamOrDevice = None) -> array:
    """Where values would be inserted to keep a sorted sequence sorted.

    Args:
        sorted_sequence: 1-D array in ascending order.
        values: Values to place.
        side: ``'left'`` before equal elements, ``'right'`` behind them.

    Returns:
        uint32 positions of the shape of ``values``.

    Example:
        >>> mx.searchsorted(mx.array([1, 3, 5]), mx.array([3, 4]))
        array([1, 2], dtype=uint32)
    """
def segmented_mm(a: array, b: array, /, segments: array, *, stream: StreamOrDevice = None) -> array:
    """Matrix products over segments of the inner axis.

    Args:
        a: Array of shape (M, K).
        b: Array of shape (K, N).
        segments: Integers of shape (..., 2): where each segment of the inner axis begins, and where it ends.

    Returns:
        An array of shape (..., M, N) with ``a[:, begin:end] @ b[begin:end]`` for every segment.

    Example:
        >>> a, b = mx.array([[1.0, 2.0, 3.0]]), mx.ones((3, 1))
        >>> mx.segmented_mm(a, b, mx.array([[0, 1], [1, 3]])).flatten()
        array([1, 5], dtype=float32)
    """
def sigmoid(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise 1 / (1 + exp(-a))."""
def sign(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise sign: -1, 0 or 1; a / abs(a) for complex numbers."""
def sin(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise sine."""
def sinh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise hyperbolic sine."""
def slice(a: array, start_indices: array, axes: Sequence[int], slice_size: Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """Part of an array whose start is data.

    Args:
        a: Input array.
        start_indices: Integer starts, one for each of ``axes``.
        axes: Axes that do not start at 0.
        slice_size: Extent along every axis.

    Returns:
        An array of shape ``slice_size``.

    Raises:
        IndexError: When evaluated, if the part is not inside of ``a``.

    Example:
        >>> mx.slice(mx.array([1, 2, 3]), mx.array([1]), (0,), (2,))
        array([2, 3], dtype=int32)
    """
def slice_update(a: array, update: array, start_indices: array, axes: Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """Copy of an array with a part replaced whose start is data.

    Args:
        a: Input array.
        update: What is written, converted to the dtype of ``a``; missing leading axes count as 1 if they are among ``axes``, else as those of ``a``.
        start_indices: Integer starts, one for each of ``axes``.
        axes: Axes that do not start at 0.

    Returns:
        An array of the shape of ``a``.

    Raises:
        IndexError: When evaluated, if the part is not inside of ``a``.

    Example:
        >>> mx.slice_update(mx.array([1, 2, 3]), mx.array([9]), mx.array([1]), (0,))
        array([1, 9, 3], dtype=int32)
    """
def softmax(a: array, /, axis: None | int | Sequence[int] = None, *, precise: bool = False, stream: StreamOrDevice = None) -> array:
    """exp(a) / sum(exp(a)) along the given axes, computed in at least float32.

    Args:
        a: Input array.
        axis: Axis or axes to normalize over; ``None`` is all of them.
        precise: Accepted for compatibility: the accumulation is always precise.

    Returns:
        An array of the shape of ``a``, float32 for integers.

    Example:
        >>> mx.softmax(mx.array([0.0, 0.0]))
        array([0.5, 0.5], dtype=float32)
    """
def sort(a: array, /, axis: None | int = -1, *, stream: StreamOrDevice = None) -> array:
    """Sorted copy, ascending, NaN last; equal elements keep their order.

    Args:
        a: Input array.
        axis: Axis to sort along; ``None`` flattens first.

    Returns:
        An array of the same dtype.

    Example:
        >>> mx.sort(mx.array([3, 1, 2]))
        array([1, 2, 3], dtype=int32)
    """
def split(a: array, /, indices_or_sections: int | Sequence[int], axis: int = 0, *, stream: StreamOrDevice = None) -> list[array]:
    """Pieces of an array along an axis.

    Args:
        a: Input array.
        indices_or_sections: Number of equal pieces, or the positions at which to cut.
        axis: Axis to cut.

    Returns:
        A list of arrays.

    Example:
        >>> mx.split(mx.array([1, 2, 3]), [1])
        [array([1], dtype=int32), array([2, 3], dtype=int32)]
    """
def sqrt(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise square root."""
def square(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise square."""
def squeeze(a: array, /, axis: None | int | Sequence[int] = None, *, stream: StreamOrDevice = None) -> array:
    """Array without axes of extent 1.

    Args:
        a: Input array.
        axis: Axis or axes to drop; ``None`` drops all of extent 1.

    Returns:
        The array with fewer axes.

    Example:
        >>> mx.squeeze(mx.array([[1, 2]]))
        array([1, 2], dtype=int32)
    """
def stack(arrays: array | list[array], axis: int | None = 0, *, stream: StreamOrDevice = None) -> array:
    """Arrays of one shape side by side along a new axis.

    Args:
        arrays: Arrays of one shape, or an array for its rows; dtypes are promoted.
        axis: Place of the new axis in the result.

    Returns:
        An array with one more axis.

    Example:
        >>> mx.stack([mx.array([1, 2]), mx.array([3, 4])])
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
def std(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, ddof: int = 0, *, correction: int | None = None, stream: StreamOrDevice = None) -> array:
    """Standard deviation over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The square root of :func:`var`.

    Example:
        >>> mx.std(mx.array([1.0, 3.0]))
        array(1, dtype=float32)
    """
def stop_gradient(a: array, /, *, stream: StreamOrDevice = None) -> array:
    """The array itself, as a constant to gradients.

    Args:
        a: Input array.

    Returns:
        The same values.

    Example:
        >>> mx.grad(lambda x: x * mx.stop_gradient(x))(mx.array(3.0))
        array(3, dtype=float32)
    """
def subtract(a: scalar | array, b: scalar | array, stream: StreamOrDevice = None) -> array:
    """Element-wise subtraction; of bools, exclusive or."""
def sum(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Sum over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The sum; bool and small integers add up in 32 bits, floats keep their dtype.

    Example:
        >>> mx.sum(mx.array([[1, 2], [3, 4]]), axis=0)
        array([4, 6], dtype=int32)
    """
def swapaxes(a: array, /, axis1: int, axis2: int, *, stream: StreamOrDevice = None) -> array:
    """Array with two axes exchanged.

    Args:
        a: Input array.
        axis1: One axis.
        axis2: The other axis.

    Returns:
        The array with its axes in another order, without copying.

    Example:
        >>> mx.swapaxes(mx.zeros((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
def take(a: array, /, indices: int | array, axis: int | None = None, *, stream: StreamOrDevice = None) -> array:
    """Elements at the given positions along an axis.

    Args:
        a: Input array.
        indices: Integer positions; negative ones count from the end.
        axis: Axis to take along; ``None`` takes from the flattened array.

    Returns:
        The shape of ``a`` with the axis replaced by that of ``indices``.

    Raises:
        IndexError: When evaluated, if a position is out of bounds.

    Example:
        >>> mx.take(mx.array([10, 20, 30]), mx.array([2, 0]))
        array([30, 10], dtype=int32)
    """
def take_along_axis(a: array, /, indices: array, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
    """Elements at positions given one by one along an axis.

    Args:
        a: Input array.
        indices: Integer positions, broadcast with ``a`` on the other axes.
        axis: Axis to take along; ``None`` takes from the flattened array.

    Returns:
        An array of the broadcast shape of ``indices``.

    Example:
        >>> a = mx.array([[3, 1], [2, 4]])
        >>> mx.take_along_axis(a, mx.argsort(a, axis=1), axis=1)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
def tan(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise tangent."""
def tanh(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise hyperbolic tangent."""
def tensordot(a: array, b: array, /, axes: int | list[Sequence[int]] = 2, *, stream: StreamOrDevice = None) -> array:
    """Sum of products over the given axes.

    Args:
        a: First array.
        b: Second array.
        axes: How many last axes of ``a`` meet as many first axes of ``b``, or a pair of lists of axes.

    Returns:
        An array with the other axes of ``a``, then those of ``b``.

    Example:
        >>> mx.tensordot(mx.ones((2, 3)), mx.ones((3, 4)), axes=1).shape
        (2, 4)
    """
def tile(a: array, reps: int | Sequence[int], /, *, stream: StreamOrDevice = None) -> array:
    """The whole array several times along its axes.

    Args:
        a: Input array.
        reps: How many times along the last axes, or along every one; more numbers than axes add axes in front.

    Returns:
        The repeated array.

    Example:
        >>> mx.tile(mx.array([1, 2]), 2)
        array([1, 2, 1, 2], dtype=int32)
    """
def to_fp8(x: array, *, stream: StreamOrDevice = None) -> array:
    """Rounds to eight bits: E4M3, a sign, four bits of exponent and three of fraction. Numbers above 448, and NaN, become 448.

    Args:
        x: Array of a real floating point dtype.

    Returns:
        The codes, as uint8.

    Example:
        >>> mx.from_fp8(mx.to_fp8(mx.array([0.3, 17.0, 1000.0])), mx.float32)
        array([0.3125, 16, 448], dtype=float32)
    """
def topk(a: array, /, k: int, axis: None | int = -1, *, stream: StreamOrDevice = None) -> array:
    """The ``k`` largest elements along an axis, in no particular order.

    Args:
        a: Input array.
        axis: Axis to sort along; ``None`` flattens first.

    Returns:
        An array whose axis has extent ``k``.

    Example:
        >>> mx.sort(mx.topk(mx.array([3, 1, 2]), 2))
        array([2, 3], dtype=int32)
    """
def trace(a: array, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Sum of a diagonal over two axes.

    Args:
        a: Array of at least 2 axes.
        offset: Which diagonal: above the main one if positive.
        axis1: Axis of the rows.
        axis2: Axis of the columns.
        dtype: Type in which to sum; if None as in :func:`sum`.

    Returns:
        An array of the other axes.

    Example:
        >>> mx.trace(mx.array([[1, 2], [3, 4]]))
        array(5, dtype=int32)
    """
def transpose(a: array, /, axes: Sequence[int] | None = None, *, stream: StreamOrDevice = None) -> array:
    """Array with its axes in another order.

    Args:
        a: Input array.
        axes: For each axis of the result, which axis of ``a`` it is; ``None`` reverses them.

    Returns:
        The transposed array, without copying.

    Example:
        >>> mx.transpose(mx.array([[1, 2], [3, 4]]))
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
def tri(n: int, m: int | None = None, k: int = 0, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Matrix with ones on and below a diagonal and zeros above.

    Args:
        n: Number of rows.
        m: Number of columns, ``n`` if None.
        k: Which diagonal: above the main one if positive.
        dtype: Type of the elements, float32 if None.

    Returns:
        An array of shape (n, m).

    Example:
        >>> mx.tri(2)
        array([[1, 0],
               [1, 1]], dtype=float32)
    """
def tril(x: array, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """Lower triangle of matrices.

    Args:
        x: Array of at least 2 axes; the last two are the matrix.
        k: Which diagonal bounds the triangle: above the main one if positive.

    Returns:
        An array of the shape of ``x``, zero outside of the triangle.

    Example:
        >>> mx.tril(mx.array([[1, 2], [3, 4]]))
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
def triu(x: array, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """Upper triangle of matrices.

    Args:
        x: Array of at least 2 axes; the last two are the matrix.
        k: Which diagonal bounds the triangle: above the main one if positive.

    Returns:
        An array of the shape of ``x``, zero outside of the triangle.

    Example:
        >>> mx.triu(mx.array([[1, 2], [3, 4]]))
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
def trunc(a: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise rounding towards zero."""
def unflatten(a: array, /, axis: int, shape: Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """Array with one axis cut into several.

    Args:
        a: Input array.
        axis: Axis to cut.
        shape: Extents it is cut into; one of them may be -1.

    Returns:
        The array with more axes.

    Example:
        >>> mx.unflatten(mx.array([1, 2, 3, 4]), 0, (2, -1))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
def unique(a: array, /, size: int, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, fill_value: scalar | array | None = None, *, stream: StreamOrDevice = None) -> array | tuple[array, ...]:
    """Sorted distinct elements of the flattened array, as many as asked for.

    The array is not evaluated, so how many there are is not known: fewer are padded, of more the smallest are kept. NaNs are distinct from each other.

    Args:
        a: Input array.
        size: Number of elements to return.
        return_index: Also return where each first occurs in the flattened array.
        return_inverse: Also return the position of every element of ``a`` in the result, at most ``size - 1``.
        return_counts: Also return how often each occurs; 0 for padding.
        fill_value: What to pad with; the smallest element if None.

    Returns:
        The elements, or a tuple of elements, uint32 indices, uint32 inverse of the shape of ``a`` and int32 counts, as far as asked for.

    Example:
        >>> mx.unique(mx.array([2, 1, 2]), 3, return_counts=True)
        (array([1, 2, 1], dtype=int32), array([1, 2, 0], dtype=int32))
    """
def unstack(x: array, /, *, axis: int = 0, stream: StreamOrDevice = None) -> tuple[array, ...]:
    """Pieces of extent 1 along an axis, without that axis.

    Args:
        x: Input array.
        axis: Axis to take apart.

    Returns:
        A tuple with one array for each position on the axis.

    Example:
        >>> mx.unstack(mx.array([1, 2]))
        (array(1, dtype=int32), array(2, dtype=int32))
    """
def var(a: array, /, axis: None | int | Sequence[int] = None, keepdims: bool = False, ddof: int = 0, *, correction: int | None = None, stream: StreamOrDevice = None) -> array:
    """Variance over the given axes.

    Args:
        a: Input array.
        axis: Axis or axes to reduce over; ``None`` reduces over all of them.
        keepdims: Keep reduced axes with extent 1.

    Returns:
        The mean squared distance from the mean, divided by n - ddof (``correction`` is another name of ``ddof``).

    Example:
        >>> mx.var(mx.array([1.0, 3.0]))
        array(1, dtype=float32)
    """
def vecdot(a: array, b: array, /, axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """Sum of products along one axis, broadcast over the others; the first argument is conjugated.

    Args:
        a: First array.
        b: Second array.
        axis: Axis to sum over.

    Returns:
        The broadcast shape without that axis.

    Example:
        >>> mx.vecdot(mx.array([1.0, 2.0]), mx.array([3.0, 4.0]))
        array(11, dtype=float32)
    """
def view(a: scalar | array, dtype: Dtype, stream: StreamOrDevice = None) -> array:
    """The same bytes as elements of another dtype.

    Args:
        a: Input array.
        dtype: Type of the elements of the result; the last axis takes a change of width.

    Returns:
        The reinterpreted array.

    Example:
        >>> mx.view(mx.array([1.0]), mx.uint32)
        array([1065353216], dtype=uint32)
    """
def where(condition: scalar | array, x: scalar | array, y: scalar | array, /, *, stream: StreamOrDevice = None) -> array:
    """Element-wise choice: x where condition holds, y elsewhere."""
def zeros(shape: int | Sequence[int], dtype: Dtype | None = float32, *, stream: StreamOrDevice = None) -> array:
    """Array of zeros.

    Args:
        shape: Extent along each axis.
        dtype: Type of the elements, float32 if None.

    Returns:
        An array of the given shape.

    Example:
        >>> mx.zeros(2)
        array([0, 0], dtype=float32)
    """
def zeros_like(a: array, /, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Zeros in the shape of another array.

    Args:
        a: Array whose shape is taken.
        dtype: Type of the elements, that of ``a`` if None.

    Returns:
        An array of the shape of ``a``.

    Example:
        >>> mx.zeros_like(mx.array([1, 2]))
        array([0, 0], dtype=int32)
    """

cumulative_sum = cumsum
cumulative_prod = cumprod
empty = zeros
empty_like = zeros_like
from .linalg import norm as matrix_norm
