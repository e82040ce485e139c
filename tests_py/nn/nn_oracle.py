"""Helpers to run the same thing with mlx_go and with MLX, the oracle, and compare.

Arrays cross between the two through NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mlx_go.core as mx
from mlx_go.utils import tree_map

try:
    import mlx.core as omx
    import mlx.nn as onn
    import mlx.optimizers as ooptim
    import mlx.utils as outils
except ImportError:
    omx = onn = ooptim = outils = None

needs_oracle = pytest.mark.skipif(omx is None, reason="compares with MLX, whose wheel is not installed")

# Relative and absolute tolerance: two implementations may sum in different orders.
TOLERANCE = {"float32": (2e-5, 1e-5), "float16": (1e-2, 1e-2), "bfloat16": (6e-2, 6e-2)}


def dtype_name(dtype: Any) -> str:
    name = str(dtype).rpartition(".")[2]
    return "bool_" if name == "bool" else name


def to_numpy(a: Any) -> np.ndarray:
    """Any array of either library; bfloat16 has no NumPy dtype of its own and widens."""
    if dtype_name(a.dtype) == "bfloat16":
        a = a.astype(mx.float32 if isinstance(a, mx.array) else omx.float32)
    return np.array(a)


def to_oracle(tree: Any) -> Any:
    def convert(a: Any) -> Any:
        if not isinstance(a, mx.array):
            return a
        return omx.array(to_numpy(a)).astype(getattr(omx, dtype_name(a.dtype)))

    return tree_map(convert, tree)


def to_ours(tree: Any) -> Any:
    def convert(a: Any) -> Any:
        if not isinstance(a, omx.array):
            return a
        return mx.array(to_numpy(a)).astype(getattr(mx, dtype_name(a.dtype)))

    return tree_map(convert, tree)


def assert_same(ours: Any, theirs: Any, where: str = "", tolerance: tuple[float, float] | None = None) -> None:
    """Compare two trees: keys in order, shapes, dtypes, and values by the dtype's tolerance."""
    if isinstance(ours, mx.array):
        assert isinstance(theirs, omx.array), where
        name = dtype_name(ours.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape), where
        assert name == dtype_name(theirs.dtype), where
        rtol, atol = tolerance or TOLERANCE.get(name, (0, 0))
        np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=rtol, atol=atol, err_msg=where)
    elif isinstance(ours, dict):
        assert isinstance(theirs, dict), where
        assert list(ours) == list(theirs), where
        for key in ours:
            assert_same(ours[key], theirs[key], f"{where}.{key}", tolerance)
    elif isinstance(ours, (list, tuple)):
        assert type(ours) is type(theirs), where
        assert len(ours) == len(theirs), where
        for i, (a, b) in enumerate(zip(ours, theirs)):
            assert_same(a, b, f"{where}.{i}", tolerance)
    else:
        assert ours == theirs, where


def random_array(shape: tuple[int, ...], dtype: str = "float32", seed: int = 0, scale: float = 2.0) -> np.ndarray:
    """A float32 array whose values are exact in ``dtype``, so that both sides see the same."""
    values = (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)
    if dtype == "float16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "bfloat16":
        return (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return values


def both(values: np.ndarray, dtype: str | None = None) -> tuple[Any, Any]:
    """The same NumPy array as an array of either library."""
    ours, theirs = mx.array(values), omx.array(values)
    if dtype is not None:
        ours, theirs = ours.astype(getattr(mx, dtype)), theirs.astype(getattr(omx, dtype))
    return ours, theirs


def outcome(fn: Any) -> Any:
    """The result of a call, or the class of what it raised."""
    try:
        return fn()
    except Exception as error:
        return type(error)
