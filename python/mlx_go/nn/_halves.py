"""Halves hold three digits up to 65504: what is made of many of them is computed in float32 and rounded at the end."""

from __future__ import annotations

import mlx_go.core as mx
from mlx_go import _core

_HALVES = (mx.float16, mx.bfloat16)
_INEXACT = (mx.float32, mx.float16, mx.bfloat16, mx.float64, mx.complex64)


def is_half(x: mx.array) -> bool:
    """Whether the dtype is float16 or bfloat16."""
    return x.dtype in _HALVES


def widened(x: mx.array) -> mx.array:
    """``x`` in float32 if it is a half, else ``x`` itself."""
    return x.astype(mx.float32) if is_half(x) else x


def rounded(y: mx.array, x: mx.array) -> mx.array:
    """What was computed from ``widened(x)``, in the dtype that it has without widening."""
    return y.astype(x.dtype) if is_half(x) else y


def below_greatest(x: mx.array, axis: int | list[int]) -> mx.array:
    """``x`` minus its greatest element along ``axis``: differences of numbers far from zero keep their digits.

    What a softmax and its kin give, and their gradients, do not depend on what is subtracted.

    Example:
        >>> below_greatest(mx.array([1e8, 1e8]), -1)
        array([0, 0], dtype=float32)
    """
    if _core._is_empty(x):
        return x
    if x.dtype not in _INEXACT:
        x = x.astype(mx.float32)
    return x - mx.stop_gradient(mx.max(x, axis=axis, keepdims=True))
