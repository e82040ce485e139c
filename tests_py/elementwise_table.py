"""What every elementwise function computes, as NumPy in wider precision, over which dtypes and how exactly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from oracle import DTYPES, EPS, INTEGERS, REALS, rounded, wide

erf = np.vectorize(math.erf, otypes=[np.float64])


def erfinv(y: Any) -> np.ndarray:
    """Newton's method on erf, from the approximation of S. Winitzki (2008)."""
    y = np.asarray(y, np.float64)
    with np.errstate(all="ignore"):
        w = np.log1p(-y * y)
        t = 2 / (np.pi * 0.147) + w / 2
        x = np.copysign(np.sqrt(np.sqrt(t * t - w / 0.147) - t), y)
        for _ in range(4):
            x = x - (erf(x) - y) * np.sqrt(np.pi) / 2 * np.exp(x * x)
    return np.where(np.abs(y) == 1, np.copysign(np.inf, y), np.where(np.abs(y) > 1, np.nan, np.where(y == 0, y, x)))


def sign(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return np.where(x == 0, x, x / np.where(x == 0, 1, np.abs(x)))
    return x if x.dtype.kind == "b" else np.sign(x)


def as_bool(f: Any) -> Any:
    return lambda *xs: f(*xs).astype(np.bool_)


FLOATED, KEPT = "floated", "kept"  # whether integers turn into float32 first
# name: (reference, dtypes, integers, smallest and largest ordinary argument)
UNARY: dict[str, tuple[Any, tuple[str, ...], str, float, float]] = {
    "negative": (np.negative, DTYPES[1:], KEPT, -9, 9),
    "positive": (lambda x: x, DTYPES, KEPT, -9, 9),
    "abs": (np.abs, DTYPES, KEPT, -9, 9),
    "sign": (sign, DTYPES, KEPT, -9, 9),
    "square": (lambda x: x & x if x.dtype.kind == "b" else x * x, DTYPES, KEPT, -9, 9),
    "sqrt": (np.sqrt, DTYPES, FLOATED, 0, 99),
    "rsqrt": (lambda x: 1 / np.sqrt(x), DTYPES, FLOATED, 0.1, 99),
    "reciprocal": (lambda x: 1 / x, DTYPES, FLOATED, 0.1, 99),
    "floor": (lambda x: x if x.dtype.kind in "biu" else np.floor(x), REALS, KEPT, -9, 9),
    "ceil": (lambda x: x if x.dtype.kind in "biu" else np.ceil(x), REALS, KEPT, -9, 9),
    "trunc": (lambda x: x if x.dtype.kind in "biu" else np.trunc(x), REALS, KEPT, -9, 9),
    "round": (lambda x: x if x.dtype.kind in "biu" else np.rint(x), DTYPES, KEPT, -9, 9),
    "real": (np.real, DTYPES, KEPT, -9, 9),
    "imag": (lambda x: np.imag(x) if x.dtype.kind == "c" else np.zeros_like(x), DTYPES, KEPT, -9, 9),
    "conjugate": (np.conjugate, DTYPES, KEPT, -9, 9),
    "degrees": (
        lambda x: x * (180 / np.pi if x.dtype != np.longdouble else 180 / np.arccos(np.longdouble(-1))),
        DTYPES,
        FLOATED,
        -9,
        9,
    ),
    "radians": (
        lambda x: x * (np.pi / 180 if x.dtype != np.longdouble else np.arccos(np.longdouble(-1)) / 180),
        DTYPES,
        FLOATED,
        -99,
        99,
    ),
    "exp": (np.exp, DTYPES, FLOATED, -9, 9),
    "expm1": (np.expm1, REALS, FLOATED, -9, 9),
    "log": (np.log, DTYPES, FLOATED, 0.01, 99),
    "log2": (np.log2, DTYPES, FLOATED, 0.01, 99),
    "log10": (np.log10, DTYPES, FLOATED, 0.01, 99),
    "log1p": (np.log1p, DTYPES, FLOATED, -0.9, 99),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), REALS, FLOATED, -9, 9),
    "erf": (lambda x: erf(x).astype(x.dtype), REALS, FLOATED, -3, 3),
    "erfinv": (erfinv, REALS, FLOATED, -0.99, 0.99),
    "sin": (np.sin, DTYPES, FLOATED, -9, 9),
    "cos": (np.cos, DTYPES, FLOATED, -9, 9),
    "tan": (np.tan, DTYPES, FLOATED, -1.4, 1.4),
    "arcsin": (np.arcsin, DTYPES, FLOATED, -1, 1),
    "arccos": (np.arccos, DTYPES, FLOATED, -1, 1),
    "arctan": (np.arctan, DTYPES, FLOATED, -9, 9),
    "sinh": (np.sinh, DTYPES, FLOATED, -9, 9),
    "cosh": (np.cosh, DTYPES, FLOATED, -9, 9),
    "tanh": (np.tanh, DTYPES, FLOATED, -9, 9),
    "arcsinh": (np.arcsinh, DTYPES, FLOATED, -99, 99),
    "arccosh": (np.arccosh, DTYPES, FLOATED, 1, 99),
    "arctanh": (np.arctanh, DTYPES, FLOATED, -0.99, 0.99),
    "logical_not": (np.logical_not, DTYPES, KEPT, -1, 1),
    "isnan": (np.isnan, DTYPES, KEPT, -1, 1),
    "isinf": (np.isinf, DTYPES, KEPT, -1, 1),
    "isfinite": (np.isfinite, DTYPES, KEPT, -1, 1),
    "isposinf": (lambda x: x == np.inf, DTYPES, KEPT, -1, 1),
    "isneginf": (lambda x: x == -np.inf, DTYPES, KEPT, -1, 1),
    "bitwise_invert": (np.invert, ("bool", *INTEGERS), KEPT, -99, 99),
}


def floor_divide(a: Any, b: Any) -> Any:
    if a.dtype.kind == "b":
        return a & b
    if a.dtype.kind in "iu":
        return np.where(b == 0, 0, np.floor_divide(a, np.where(b == 0, 1, b)))
    return np.floor(a / b)


def remainder(a: Any, b: Any) -> Any:
    if a.dtype.kind == "b":
        return a & False
    if a.dtype.kind in "iu":
        return np.where(b == 0, 0, np.remainder(a, np.where(b == 0, 1, b)))
    return np.remainder(a, b)


def power(a: Any, b: Any) -> Any:
    if a.dtype.kind == "b":
        return a | ~b
    return np.power(a, b)


def minimum(a: Any, b: Any) -> Any:
    return np.minimum(a, b)


def on_truth(f: Any) -> Any:
    return lambda a, b: f(a.astype(bool), b.astype(bool))


BOOL_INTS = ("bool", *INTEGERS)
# name: (reference, dtypes, integers, ranges of both arguments)
BINARY: dict[str, tuple[Any, tuple[str, ...], str, tuple[float, float], tuple[float, float]]] = {
    "add": (np.add, DTYPES, KEPT, (-9, 9), (-9, 9)),
    "subtract": (lambda a, b: a ^ b if a.dtype.kind == "b" else a - b, DTYPES, KEPT, (-9, 9), (-9, 9)),
    "multiply": (np.multiply, DTYPES, KEPT, (-9, 9), (-9, 9)),
    "divide": (np.divide, DTYPES, FLOATED, (-9, 9), (0.5, 9)),
    "floor_divide": (floor_divide, REALS, KEPT, (-99, 99), (0.7, 9)),
    "remainder": (remainder, REALS, KEPT, (-99, 99), (0.7, 9)),
    "power": (power, REALS, KEPT, (0.1, 5), (0, 4)),
    "minimum": (np.minimum, DTYPES, KEPT, (-3, 3), (-3, 3)),
    "maximum": (np.maximum, DTYPES, KEPT, (-3, 3), (-3, 3)),
    "logaddexp": (np.logaddexp, REALS, FLOATED, (-9, 9), (-9, 9)),
    "arctan2": (np.arctan2, REALS, FLOATED, (-3, 3), (-3, 3)),
    "equal": (np.equal, DTYPES, KEPT, (-2, 2), (-2, 2)),
    "not_equal": (np.not_equal, DTYPES, KEPT, (-2, 2), (-2, 2)),
    "less": (np.less, DTYPES, KEPT, (-2, 2), (-2, 2)),
    "less_equal": (np.less_equal, DTYPES, KEPT, (-2, 2), (-2, 2)),
    "greater": (np.greater, DTYPES, KEPT, (-2, 2), (-2, 2)),
    "greater_equal": (np.greater_equal, DTYPES, KEPT, (-2, 2), (-2, 2)),
    "logical_and": (on_truth(np.logical_and), DTYPES, KEPT, (-1, 1), (-1, 1)),
    "logical_or": (on_truth(np.logical_or), DTYPES, KEPT, (-1, 1), (-1, 1)),
    "logical_xor": (on_truth(np.logical_xor), DTYPES, KEPT, (-1, 1), (-1, 1)),
    "bitwise_and": (np.bitwise_and, BOOL_INTS, KEPT, (-99, 99), (-99, 99)),
    "bitwise_or": (np.bitwise_or, BOOL_INTS, KEPT, (-99, 99), (-99, 99)),
    "bitwise_xor": (np.bitwise_xor, BOOL_INTS, KEPT, (-99, 99), (-99, 99)),
    "left_shift": (np.left_shift, INTEGERS, KEPT, (-3, 99), (0, 6)),
    "right_shift": (np.right_shift, INTEGERS, KEPT, (-99, 99), (0, 6)),
}

# Units of rounding allowed beyond correct rounding; complex functions lose more by cancellation.
ULPS = {"float16": 1, "bfloat16": 1, "float32": 4, "float64": 4, "complex64": 16}
SMALLEST = {"float16": 6e-8, "bfloat16": 1e-40, "float32": 1.5e-45, "float64": 5e-324, "complex64": 1e-44}
# Where the result crosses zero, the error is measured against the argument's or the result's own scale.
ABSOLUTE = {
    "sin",
    "cos",
    "tan",
    "log",
    "log2",
    "log10",
    "log1p",
    "erfinv",
    "arccos",
    "arcsin",
    "arccosh",
    "arctanh",
    "sigmoid",
    "degrees",
    "erf",
    "logaddexp",
}


def reference(f: Any, xs: list[np.ndarray], names: list[str], integers: str, result: str) -> np.ndarray:
    """f in wide precision, then in the dtype of the result."""
    if integers == FLOATED:
        xs = [x.astype(np.float32 if n in ("bool", *INTEGERS) else x.dtype) for x, n in zip(xs, names)]
        names = ["float32" if n in ("bool", *INTEGERS) else n for n in names]
    with np.errstate(all="ignore"):
        return rounded(f(*[wide(x, n) for x, n in zip(xs, names)]), result)


def tolerance(result: str, absolute: bool) -> dict[str, float]:
    if result not in EPS:
        return {}
    unit = 2 * EPS[result] * ULPS[result]
    return {"rtol": unit, "atol": unit if absolute else SMALLEST[result]}
