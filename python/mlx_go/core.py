# ruff: noqa: F401
"""Arrays, the functions on them, and transforms of functions."""

from __future__ import annotations

import atexit as _atexit
import builtins as _builtins
import sys as _sys
from enum import Enum as _Enum
from typing import Any as _Any
from typing import Protocol as _Protocol

from . import _core
from ._core import *  # noqa: F403
from ._core import (
    ArrayIterator,
    AxisError,
    Device,
    Dtype,
    Stream,
    ThreadLocalStream,
    _at_update,
    _convert,
    _functions,
    _promote,
    _restore_stream,
    _set_precision,
    array,
)
from ._custom import custom_function
from ._device import DeviceType, cpu, gpu
from ._export import FunctionExporter, export_function, export_to_dot, exporter, import_function
from ._io import load, save, save_gguf, save_safetensors, savez, savez_compressed
from ._namespace_info import namespace_info as __array_namespace_info__
from ._transforms import (
    checkpoint,
    compile,
    disable_compile,
    enable_compile,
    grad,
    jvp,
    value_and_grad,
    vjp,
    vmap,
)

_atexit.register(_core._shut_down)

# The table's functions, some of which take names of builtins; those with a dot belong to the modules beside this one.
globals().update({name: f for name, f in _functions.items() if "." not in name})

# Names that the array API standard has for what is there.
cumulative_sum, cumulative_prod = _functions["cumsum"], _functions["cumprod"]
empty, empty_like = _functions["zeros"], _functions["zeros_like"]
matrix_norm = _functions["linalg.norm"]

e = 2.718281828459045
pi = 3.141592653589793
euler_gamma = 0.5772156649015329
inf = float("inf")
nan = float("nan")
newaxis = None

__version__ = "0.32.4"
"""The version of the API that this module speaks."""

# ---- dtypes ----


class DtypeCategory(_Enum):
    """Kinds of dtypes, for :func:`issubdtype`."""

    complexfloating = 0
    floating = 1
    inexact = 2
    signedinteger = 3
    unsignedinteger = 4
    integer = 5
    number = 6
    generic = 7

    def __repr__(self) -> str:
        return f"DtypeCategory.{self.name}"

    __str__ = __repr__


complexfloating = DtypeCategory.complexfloating
floating = DtypeCategory.floating
inexact = DtypeCategory.inexact
signedinteger = DtypeCategory.signedinteger
unsignedinteger = DtypeCategory.unsignedinteger
integer = DtypeCategory.integer
number = DtypeCategory.number
generic = DtypeCategory.generic

_PARENTS = {
    complexfloating: (inexact, number, generic),
    floating: (inexact, number, generic),
    inexact: (number, generic),
    signedinteger: (integer, number, generic),
    unsignedinteger: (integer, number, generic),
    integer: (number, generic),
    number: (generic,),
    generic: (),
}


def _name(dtype):
    return str(dtype).rpartition(".")[2]


def _category(dtype):
    name = _name(dtype)
    if name == "bool":
        return generic
    for prefix, category in (
        ("uint", unsignedinteger),
        ("int", signedinteger),
        ("complex", complexfloating),
    ):
        if name.startswith(prefix):
            return category
    return floating


def issubdtype(arg1: Dtype | DtypeCategory, arg2: Dtype | DtypeCategory) -> bool:
    """Whether a dtype or category is the other one or belongs to it."""
    if not isinstance(arg1, (Dtype, DtypeCategory)):
        raise ValueError("[issubdtype] the first argument must be a dtype or a category")
    if not isinstance(arg2, (Dtype, DtypeCategory)):
        raise ValueError("[issubdtype] the second argument must be a dtype or a category")
    if isinstance(arg2, Dtype):
        return arg1 == arg2
    own = _category(arg1) if isinstance(arg1, Dtype) else arg1
    return own is arg2 or arg2 in _PARENTS[own]


def _dtype_of(value):
    return value.dtype if isinstance(value, array) else value if isinstance(value, Dtype) else None


def result_type(*arrays_and_dtypes: array | Dtype) -> Dtype:
    """The dtype in which the arguments meet."""
    if not arrays_and_dtypes:
        raise ValueError("[result_type] at least one array or dtype is required")
    result = None
    for value in arrays_and_dtypes:
        dtype = _dtype_of(value)
        if dtype is None:
            raise ValueError("[result_type] arguments must be arrays or dtypes")
        result = dtype if result is None else _promote(result, dtype)
    return result


def can_cast(from_: array | Dtype, to: Dtype) -> bool:
    """Whether promotion turns the first dtype into the second."""
    dtype = _dtype_of(from_)
    if dtype is None:
        raise ValueError("[can_cast] `from_` must be an array or a dtype")
    return _promote(dtype, to) == to


_KINDS = {
    "bool": (),
    "signed integer": (signedinteger,),
    "unsigned integer": (unsignedinteger,),
    "integral": (signedinteger, unsignedinteger),
    "real floating": (floating,),
    "complex floating": (complexfloating,),
    "numeric": (signedinteger, unsignedinteger, floating, complexfloating),
}


def isdtype(dtype: Dtype, kind: Dtype | str | tuple[Dtype | str, ...]) -> bool:
    """Whether the dtype is of the kind (Python array API standard)."""
    if isinstance(kind, tuple):
        return _builtins.any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, Dtype):
        return dtype == kind
    if not isinstance(kind, str):
        raise ValueError("[isdtype] `kind` must be a dtype, a string, or a tuple of dtypes and strings")
    if kind not in _KINDS:
        raise ValueError(f"[isdtype] unknown data type kind {kind!r}: expected one of {', '.join(map(repr, _KINDS))}")
    return dtype == _core.bool_ if kind == "bool" else _category(dtype) in _KINDS[kind]


class finfo:
    """Limits of a floating-point dtype; for complex64 those of its parts."""

    __slots__ = ("_dtype", "_limits")

    _TABLE = {
        # bits of the mantissa, smallest normal exponent, largest exponent
        "float16": (10, -14, 15),
        "bfloat16": (7, -126, 127),
        "float32": (23, -126, 127),
        "float64": (52, -1022, 1023),
    }

    def __init__(self, arg: Dtype, /) -> None:
        if not isinstance(arg, Dtype):
            raise TypeError(f"finfo(): the argument must be a Dtype, not {type(arg).__name__}")
        name = "float32" if _name(arg) == "complex64" else _name(arg)
        if name not in self._TABLE:
            raise ValueError(f"[finfo] dtype {name} is not inexact")
        self._dtype = getattr(_core, name)
        self._limits = self._TABLE[name]

    @property
    def bits(self) -> int:
        return 8 * self._dtype.size

    @property
    def max(self) -> float:
        mantissa, _, top = self._limits
        return (2.0 - 2.0**-mantissa) * 2.0**top

    @property
    def min(self) -> float:
        return -self.max

    @property
    def eps(self) -> float:
        return 2.0 ** -self._limits[0]

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** self._limits[1]

    @property
    def dtype(self) -> Dtype:
        return self._dtype

    def __repr__(self) -> str:
        return f"finfo(min={self.min:g}, max={self.max:g}, dtype={_name(self._dtype)})"


class iinfo:
    """Limits of an integer dtype."""

    __slots__ = ("_dtype",)

    def __init__(self, arg: Dtype, /) -> None:
        if not isinstance(arg, Dtype):
            raise TypeError(f"iinfo(): the argument must be a Dtype, not {type(arg).__name__}")
        if _category(arg) not in (signedinteger, unsignedinteger):
            raise ValueError(f"[iinfo] only integer dtypes have integer limits, not {_name(arg)}")
        self._dtype = arg

    @property
    def max(self) -> int:
        bits = 8 * self._dtype.size
        return 2 ** (bits - (_category(self._dtype) is signedinteger)) - 1

    @property
    def min(self) -> int:
        return -self.max - 1 if _category(self._dtype) is signedinteger else 0

    @property
    def dtype(self) -> Dtype:
        return self._dtype

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={_name(self._dtype)})"


def set_wired_limit(limit: int) -> int:
    """Bound the memory that is kept resident; the CPU keeps none, so this only remembers the limit."""
    global _wired_limit
    if not isinstance(limit, int) or limit < 0:
        raise ValueError("[set_wired_limit] the limit is a number of bytes, not negative")
    old, _wired_limit = _wired_limit, limit
    return old


_wired_limit = 0


def get_array_buffer_size(*args: object) -> int:
    """The bytes of all distinct arrays in the arguments, which are evaluated."""
    leaves = _core._tree_leaves(args, _core._ONLY_ARRAYS)
    _core.eval(leaves)
    return _builtins.sum(a.nbytes for a in {id(a): a for a in leaves}.values())


# ---- names for annotations ----


class DLPackCompatible(_Protocol):
    def __dlpack__(self, *args: _Any, **kwargs: _Any) -> _Any: ...

    def __dlpack_device__(self, *args: _Any, **kwargs: _Any) -> _Any: ...


scalar = bool | int | float | complex
list_or_scalar = _Any
StreamOrDevice = Stream | ThreadLocalStream | Device | DeviceType | None


# ---- parts of arrays ----


class ArrayAt:
    """``array.at[indices]``: updates that accumulate over repeated indices."""

    __slots__ = ("_array", "_indices")

    def __init__(self, array: array, indices: object = ()) -> None:
        self._array = array
        self._indices = indices

    def __getitem__(self, indices: object | None) -> ArrayAt:
        return ArrayAt(self._array, (indices,))

    def _update(self, value, op):
        if not self._indices:
            raise ValueError("[at] give indices to array.at, as in x.at[0].add(4)")
        return _at_update(self._array, self._indices[0], value, op)

    def add(self, value) -> array:
        """``x[indices] + value`` in place of ``x[indices]``."""
        return self._update(value, 1)

    def subtract(self, value) -> array:
        """``x[indices] - value`` in place of ``x[indices]``."""
        return self._update(value, 2)

    def multiply(self, value) -> array:
        """``x[indices] * value`` in place of ``x[indices]``."""
        return self._update(value, 3)

    def divide(self, value) -> array:
        """``x[indices] / value`` in place of ``x[indices]``."""
        return self._update(value, 4)

    def maximum(self, value) -> array:
        """The larger of ``x[indices]`` and ``value`` in place of ``x[indices]``."""
        return self._update(value, 5)

    def minimum(self, value) -> array:
        """The smaller of ``x[indices]`` and ``value`` in place of ``x[indices]``."""
        return self._update(value, 6)


class ArrayLike:
    """Marks an object that functions take for an array: one with ``__mlx_array__``."""

    __slots__ = ("_object",)

    def __init__(self, arg: object, /) -> None:
        self._object = arg

    def __mlx_array__(self) -> array:
        return array(self._object)


def asarray(a, dtype: Dtype | None = None, *, copy: bool | None = None) -> array:
    """Make an array; ``copy=False`` shares the memory of ``a`` or raises ValueError."""
    return _convert(a, dtype, copy, False)


def from_dlpack(x, /, *, copy: bool | None = None) -> array:
    """Make an array from an object with ``__dlpack__``; ``copy=False`` shares its memory or raises ValueError."""
    return _convert(x, None, copy, True)


def broadcast_shapes(*shapes) -> tuple[int, ...]:
    """The shape in which the shapes meet."""
    if not shapes:
        raise ValueError("[broadcast_shapes] at least one shape is required")
    out: list[int] = []
    for shape in shapes:
        shape = [int(n) for n in shape]
        longer, shorter = (list(out), shape) if len(out) >= len(shape) else (shape, list(out))
        offset = len(longer) - len(shorter)
        for i, n in enumerate(shorter):
            m = longer[offset + i]
            if n != m and n != 1 and m != 1:
                raise ValueError(f"[broadcast_shapes] shapes {tuple(out)} and {tuple(shape)} cannot be broadcast")
            if m == 1:
                longer[offset + i] = n
        out = longer
    return tuple(out)


def einsum_path(subscripts: str, *operands) -> tuple[list[tuple[int, ...]], str]:
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
    steps, _, report = _core._einsum_path(subscripts, *(asarray(x) for x in operands)).partition("\n\n")
    return [tuple(int(position) for position in step.split()) for step in steps.split("\n")], report


# ---- printing ----


class PrintOptions:
    """How arrays print: digits behind the point, or -1 for six significant digits."""

    __slots__ = ("_precision",)

    def __init__(self, precision: int = -1) -> None:
        self.precision = precision

    @property
    def precision(self) -> int:
        return self._precision

    @precision.setter
    def precision(self, arg: int, /) -> None:
        if not isinstance(arg, int) or not -(1 << 31) <= arg < 1 << 31:
            raise TypeError(f"PrintOptions: precision must be an int of 32 bits, not {type(arg).__name__} {arg!r}")
        self._precision = arg


class _PrintOptionsContext:
    __slots__ = ("_old", "_options")

    def __init__(self, options: PrintOptions) -> None:
        self._options = options

    def __enter__(self) -> PrintOptions:
        self._old = get_printoptions()
        set_printoptions(self._options.precision)
        return self._options

    def __exit__(self, exc_type=None, exc_value=None, traceback=None) -> None:
        set_printoptions(self._old.precision)


_print_options = PrintOptions()


def set_printoptions(precision: int = -1) -> None:
    """Set the digits behind the point in printed floats; -1 prints six significant digits."""
    global _print_options
    _print_options = PrintOptions(precision)
    _set_precision(precision)


def get_printoptions() -> PrintOptions:
    """How arrays print now."""
    return PrintOptions(_print_options.precision)


def printoptions(precision: int = -1) -> _PrintOptionsContext:
    """A context in which arrays print with the given options."""
    return _PrintOptionsContext(PrintOptions(precision))


from . import cuda as cuda  # noqa: E402
from . import distributed, fast, fft, linalg, metal, random  # noqa: E402

for _m in (distributed, fast, fft, linalg, metal, cuda, random):
    _sys.modules.setdefault(f"{__name__}.{_m.__name__.rpartition('.')[2]}", _m)
del _m
