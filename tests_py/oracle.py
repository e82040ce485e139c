"""The two references of the tests: MLX, called the oracle, in the same process, and NumPy.

Arrays cross between the libraries through NumPy; bfloat16, which NumPy lacks, crosses as float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import mlx_go.core as mx

try:
    import mlx.core as mlx
except ImportError:
    mlx = None
else:
    mlx.set_default_device(mlx.cpu)  # the only device on which it has float64

needs_oracle = pytest.mark.skipif(mlx is None, reason="compares with MLX, whose wheel is not installed")

UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
INTEGERS = UNSIGNED + SIGNED
FLOATS = ("float16", "bfloat16", "float32", "float64")
REALS = ("bool", *INTEGERS, *FLOATS)
DTYPES = (*REALS, "complex64")

# What a dtype computes in under NumPy, and how far one correctly rounded operation is from the exact value.
WIDE = {
    "bool": np.bool_,
    "float16": np.float64,
    "bfloat16": np.float64,
    "float32": np.float64,
    "float64": np.longdouble,
    "complex64": np.complex128,
}
EPS = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53, "complex64": 2.0**-24}


def name_of(dtype: Any) -> str:
    """The dtype's own name; accepts arrays, and dtypes of both libraries and of NumPy."""
    return str(getattr(dtype, "dtype", dtype)).rpartition(".")[2].removesuffix("_")


def dt(lib: Any, name: str) -> Any:
    return getattr(lib, "bool_" if name == "bool" else name)


def np_dtype(name: str) -> Any:
    """The NumPy dtype in which values of this dtype cross."""
    return np.dtype(np.float32 if name == "bfloat16" else name)


def rounded(values: Any, name: str) -> np.ndarray:
    """The values as the dtype holds them, in its NumPy dtype; halves of bfloat16 round in Python."""
    x = np.asarray(values)
    with np.errstate(all="ignore"):
        x = x.astype(np_dtype(name))
    if name != "bfloat16":
        return x
    bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
    odd = (bits >> np.uint64(16)) & np.uint64(1)
    bits = ((bits + np.uint64(0x7FFF) + odd) & np.uint64(0xFFFF0000)).astype(np.uint32)
    return np.where(np.isnan(x), np.float32(np.nan), bits.view(np.float32).reshape(x.shape)).astype(np.float32)


def array(lib: Any, values: Any, name: str) -> Any:
    """An array of the library. Contiguous first: MLX refuses negative strides."""
    x = rounded(values, name)
    a = lib.array(np.ascontiguousarray(x).reshape(x.shape), dtype=dt(lib, "float32" if name == "bfloat16" else name))
    return a.astype(lib.bfloat16) if name == "bfloat16" else a


def both(values: Any, name: str) -> tuple[Any, Any]:
    return array(mx, values, name), array(mlx, values, name)


def to_numpy(a: Any) -> np.ndarray:
    if isinstance(a, (np.ndarray, np.generic)):
        return np.asarray(a)
    if name_of(a) == "bfloat16":
        a = a.astype(mx.float32 if isinstance(a, mx.array) else mlx.float32)
    return np.array(a)


def wide(a: Any, name: str | None = None) -> np.ndarray:
    """The values in the wider dtype in which NumPy computes the reference."""
    name = name or name_of(a)
    return to_numpy(a).astype(WIDE.get(name, np_dtype(name)))


def close(got: Any, want: Any, *, rtol: float = 0.0, atol: float = 0.0) -> np.ndarray:
    """Element-wise |got - want| <= atol + rtol |want|, where NaNs and equal infinities agree."""
    got, want = np.asarray(got), np.asarray(want)
    if got.dtype.kind in "biu" and want.dtype.kind in "biu":
        if not rtol and not atol:
            return got == want
        got, want = got.astype(np.float64), want.astype(np.float64)
    with np.errstate(all="ignore"):
        near = np.abs(got - want) <= atol + rtol * np.abs(want)
        same = (got == want) | ((got != got) & (want != want))
    return near | same


def assert_close(got: Any, want: Any, *, rtol: float = 0.0, atol: float = 0.0, what: str = "") -> None:
    got, want = to_numpy(got), to_numpy(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, not {want.shape}"
    ok = close(got, want, rtol=rtol, atol=atol)
    if not ok.all():
        at = tuple(int(i[0]) for i in np.nonzero(~ok)) if ok.ndim else ()
        raise AssertionError(
            f"{what}: {np.count_nonzero(~ok)} of {ok.size} differ; at {at}: {got[at]!r}, not {want[at]!r}"
        )


def assert_same(got: Any, want: Any, *, ulps: float = 0.0, atol: float = 0.0, what: str = "") -> None:
    """An array of mlx_go against one of the oracle: dtype, shape, and values within so many units of rounding."""
    if isinstance(want, (list, tuple)):
        assert isinstance(got, (list, tuple)) and len(got) == len(want), f"{what}: {got!r}, not {want!r}"
        for i, (g, w) in enumerate(zip(got, want)):
            assert_same(g, w, ulps=ulps, atol=atol, what=f"{what}[{i}]")
        return
    if isinstance(want, dict):
        assert isinstance(got, dict) and got.keys() == want.keys(), f"{what}: {got!r}, not {want!r}"
        for k in want:
            assert_same(got[k], want[k], ulps=ulps, atol=atol, what=f"{what}[{k!r}]")
        return
    if mlx is None or not isinstance(want, mlx.array):
        assert type(got) is type(want) and got == want, f"{what}: {got!r}, not {want!r}"
        return
    assert isinstance(got, mx.array), f"{what}: {type(got)}, not an array"
    assert name_of(got) == name_of(want), f"{what}: dtype {name_of(got)}, not {name_of(want)}"
    assert tuple(got.shape) == tuple(want.shape), f"{what}: shape {got.shape}, not {want.shape}"
    assert_close(got, want, rtol=ulps * 2 * EPS.get(name_of(want), 0), atol=atol, what=what)


# MLX raises RuntimeError where a dtype or a format is not supported and where a conversion overflows; an index that
# is not one is a ValueError there and an IndexError or TypeError, as in NumPy, here.
ALSO = {
    RuntimeError: (TypeError, ValueError, OSError, OverflowError, IndexError),
    ValueError: (TypeError, IndexError),
    TypeError: (ValueError,),
    IndexError: (ValueError,),
}


def outcome(f: Callable[[], Any], lib: Any) -> Any:
    """The evaluated result of f, or the exception it raised."""
    try:
        r = f()
        lib.eval(r)
    except Exception as e:
        return e
    return r


def assert_error(got: Any, want: BaseException, what: str = "") -> None:
    """Both raised, and whoever catches what MLX raises has a chance with ours: the same class or its NumPy kin."""
    assert isinstance(got, Exception), f"{what}: gave {got!r} where MLX raises {type(want).__name__}: {want}"
    assert isinstance(got, (type(want), *ALSO.get(type(want), ()))), (
        f"{what}: {got!r}, not {type(want).__name__}: {want}"
    )
    assert not isinstance(got, RuntimeError) or isinstance(got, RecursionError), f"{what}: a RuntimeError: {got}"
    assert str(got), f"{what}: {type(got).__name__} without a message"


def agree(call: Callable[[Any], Any], *, ulps: float = 0.0, atol: float = 0.0, what: str = "") -> Any:
    """Run call(lib) with both libraries and compare results or exceptions."""
    got, want = outcome(lambda: call(mx), mx), outcome(lambda: call(mlx), mlx)
    if isinstance(want, Exception):
        assert_error(got, want, what)
    elif isinstance(got, Exception):
        raise AssertionError(f"{what}: raised {type(got).__name__}: {got}; MLX gives {want!r}") from got
    else:
        assert_same(got, want, ulps=ulps, atol=atol, what=what)
    return got


def sample(name: str, shape: Sequence[int] | int, seed: int = 0, lo: float = -3.0, hi: float = 3.0) -> np.ndarray:
    """Random values of the dtype in [lo, hi], as it holds them; unsigned ones start at 0."""
    rng = np.random.default_rng([seed, DTYPES.index(name)])
    if name == "bool":
        return rng.integers(0, 2, shape).astype(np.bool_)
    if name in INTEGERS:
        low = max(int(np.floor(lo)), 0) if name in UNSIGNED else int(np.floor(lo))
        return rng.integers(low, max(int(np.ceil(hi)), low + 1), shape, endpoint=True).astype(np_dtype(name))
    if name == "complex64":
        return (rng.uniform(lo, hi, shape) + 1j * rng.uniform(lo, hi, shape)).astype(np.complex64)
    return rounded(rng.uniform(lo, hi, shape), name)


def edges(name: str) -> np.ndarray:
    """Values at which implementations go wrong: zeros of both signs, limits, infinities, NaN, halves between integers."""
    if name == "bool":
        return np.array([False, True])
    if name in INTEGERS:
        info = np.iinfo(name)
        around = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 5, 7, 31, 64, 100]
        return np.array(around + ([-1, -2, -3, -7] if info.min else []), dtype=name)
    real = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, 3.0, -3.0, 7.25, 100.0, -100.0, np.inf, -np.inf, np.nan]
    if name == "complex64":
        some = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.0]
        return np.array([complex(a, b) for a in some for b in some], np.complex64)
    tiny = {
        "float16": [6e-8, 6.1e-5, 65504.0],
        "bfloat16": [1e-38, 3.38e38],
        "float32": [1e-45, 1.2e-38, 3.4e38, 88.8],
        "float64": [5e-324, 2.3e-308, 1.7e308, 709.8],
    }[name]
    return rounded(np.array(real + tiny + [-t for t in tiny]), name)
