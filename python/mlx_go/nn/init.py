"""Initializers: functions from an array to a new array of the same shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import mlx_go.core as mx

Initializer = Callable[..., mx.array]


def constant(value: float, dtype: mx.Dtype = mx.float32) -> Initializer:
    """Fill with ``value``.

    Args:
        value: The value.
        dtype: The dtype of the result.

    Example:
        >>> nn.init.constant(0.5)(mx.zeros((2,)))
        array([0.5, 0.5], dtype=float32)
    """

    def initializer(a: mx.array) -> mx.array:
        return mx.full(a.shape, value, dtype=dtype)

    return initializer


def normal(mean: float = 0.0, std: float = 1.0, dtype: mx.Dtype = mx.float32) -> Initializer:
    """Sample from a normal distribution.

    Args:
        mean: The mean.
        std: The standard deviation.
        dtype: The dtype of the result.

    Example:
        >>> nn.init.normal(std=0.1)(mx.zeros((2, 3))).shape
        (2, 3)
    """

    def initializer(a: mx.array) -> mx.array:
        return mx.random.normal(shape=a.shape, scale=std, loc=mean, dtype=dtype)

    return initializer


def uniform(low: float = 0.0, high: float = 1.0, dtype: mx.Dtype = mx.float32) -> Initializer:
    """Sample uniformly from ``[low, high)``.

    Args:
        low: The lower bound.
        high: The upper bound.
        dtype: The dtype of the result.

    Example:
        >>> nn.init.uniform(-1, 1)(mx.zeros((2, 3))).shape
        (2, 3)
    """

    def initializer(a: mx.array) -> mx.array:
        return mx.random.uniform(low, high, a.shape, dtype=dtype)

    return initializer


def identity(dtype: mx.Dtype = mx.float32) -> Initializer:
    """Return the identity matrix; the argument must be square.

    Args:
        dtype: The dtype of the result.

    Example:
        >>> nn.init.identity()(mx.zeros((2, 2)))
        array([[1, 0],
               [0, 1]], dtype=float32)
    """

    def initializer(a: mx.array) -> mx.array:
        if a.ndim != 2 or a.shape[0] != a.shape[1]:
            raise ValueError(f"The input array must be a square matrix but got shape {a.shape}.")
        return mx.eye(a.shape[0], dtype=dtype)

    return initializer


def _fans(a: mx.array) -> tuple[int, int]:
    """Return fan-in and fan-out of a weight of shape (out, *receptive field, in)."""
    if a.ndim < 2:
        raise ValueError(
            f"Glorot / He initialization requires at least 2 dimensional input but input with {a.ndim} dimensions."
        )
    out, *field, fan_in = a.shape
    size = math.prod(field)
    return fan_in * size, out * size


def _fan(a: mx.array, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Invalid mode: {mode}. Valid modes are: fan_in, fan_out")
    fan_in, fan_out = _fans(a)
    return fan_in if mode == "fan_in" else fan_out


def glorot_normal(dtype: mx.Dtype = mx.float32) -> Initializer:
    r"""Sample normally with deviation :math:`\gamma \sqrt{2 / (\mathrm{fan_{in}} + \mathrm{fan_{out}})}`.

    Glorot and Bengio, 2010. The initializer takes ``gain`` (:math:`\gamma`, default 1).

    Args:
        dtype: The dtype of the result.

    Example:
        >>> nn.init.glorot_normal()(mx.zeros((2, 3)), gain=2.0).shape
        (2, 3)
    """

    def initializer(a: mx.array, gain: float = 1.0) -> mx.array:
        std = gain * math.sqrt(2.0 / sum(_fans(a)))
        return mx.random.normal(shape=a.shape, scale=std, dtype=dtype)

    return initializer


def glorot_uniform(dtype: mx.Dtype = mx.float32) -> Initializer:
    r"""Sample uniformly within :math:`\pm\gamma \sqrt{6 / (\mathrm{fan_{in}} + \mathrm{fan_{out}})}`.

    Glorot and Bengio, 2010. The initializer takes ``gain`` (:math:`\gamma`, default 1).

    Args:
        dtype: The dtype of the result.

    Example:
        >>> nn.init.glorot_uniform()(mx.zeros((2, 3)), gain=2.0).shape
        (2, 3)
    """

    def initializer(a: mx.array, gain: float = 1.0) -> mx.array:
        limit = gain * math.sqrt(6.0 / sum(_fans(a)))
        return mx.random.uniform(-limit, limit, a.shape, dtype=dtype)

    return initializer


def he_normal(dtype: mx.Dtype = mx.float32) -> Initializer:
    r"""Sample normally with deviation :math:`\gamma / \sqrt{\mathrm{fan}}`.

    He et al., 2015 (arXiv:1502.01852). The initializer takes ``mode`` (``"fan_in"``, the
    default, or ``"fan_out"``) and ``gain`` (:math:`\gamma`, default 1).

    Args:
        dtype: The dtype of the result.

    Example:
        >>> nn.init.he_normal()(mx.zeros((2, 3)), mode="fan_out").shape
        (2, 3)
    """

    def initializer(a: mx.array, mode: Literal["fan_in", "fan_out"] = "fan_in", gain: float = 1.0) -> mx.array:
        std = gain / math.sqrt(_fan(a, mode))
        return mx.random.normal(shape=a.shape, scale=std, dtype=dtype)

    return initializer


def he_uniform(dtype: mx.Dtype = mx.float32) -> Initializer:
    r"""Sample uniformly within :math:`\pm\gamma \sqrt{3 / \mathrm{fan}}`.

    He et al., 2015 (arXiv:1502.01852). The initializer takes ``mode`` (``"fan_in"``, the
    default, or ``"fan_out"``) and ``gain`` (:math:`\gamma`, default 1).

    Args:
        dtype: The dtype of the result.

    Example:
        >>> nn.init.he_uniform()(mx.zeros((2, 3)), gain=2.0).shape
        (2, 3)
    """

    def initializer(a: mx.array, mode: Literal["fan_in", "fan_out"] = "fan_in", gain: float = 1.0) -> mx.array:
        limit = gain * math.sqrt(3.0 / _fan(a, mode))
        return mx.random.uniform(-limit, limit, a.shape, dtype=dtype)

    return initializer


def sparse(sparsity: float, mean: float = 0.0, std: float = 1.0, dtype: mx.Dtype = mx.float32) -> Initializer:
    """Sample normally, with the same share of zeros in every row (Martens, 2010).

    Args:
        sparsity: The share of zeros, in [0, 1], rounded up to whole entries.
        mean: The mean of the rest.
        std: The standard deviation of the rest.
        dtype: The dtype of the result.

    Example:
        >>> (nn.init.sparse(0.5)(mx.zeros((2, 4))) == 0).sum(axis=1)
        array([2, 2], dtype=int32)
    """

    def initializer(a: mx.array) -> mx.array:
        if a.ndim != 2:
            raise ValueError("Only tensors with 2 dimensions are supported")
        rows, cols = a.shape
        zeros = math.ceil(sparsity * cols)
        # The ranks of random numbers are a random permutation of every row.
        rank = mx.argsort(mx.argsort(mx.random.uniform(shape=(rows, cols)), axis=1), axis=1)
        values = mx.random.normal(shape=(rows, cols), scale=std, loc=mean, dtype=dtype)
        return mx.where(rank < zeros, mx.array(0, dtype=dtype), values)

    return initializer


def _polar(x: mx.array) -> mx.array:
    """Return the orthogonal polar factor, which is uniform for normal entries.

    The Newton-Schulz iteration x <- x (3 - x^T x) / 2 multiplies small singular values by
    1.5 until they are near 1, where it converges quadratically: 64 steps take any that
    float32 resolves.
    """
    if x.shape[0] < x.shape[1]:
        return _polar(x.T).T
    # The product of the norms bounds the largest singular value.
    size = mx.abs(x)
    x = x * mx.rsqrt(mx.max(mx.sum(size, axis=0)) * mx.max(mx.sum(size, axis=1)))
    for _ in range(64):
        x = 1.5 * x - 0.5 * (x @ (x.T @ x))
    return x


def orthogonal(gain: float = 1.0, dtype: mx.Dtype = mx.float32) -> Initializer:
    """Sample a matrix with orthonormal rows or columns (arXiv:1312.6120), times ``gain``.

    Args:
        gain: The scale.
        dtype: The dtype of the result.

    Example:
        >>> q = nn.init.orthogonal()(mx.zeros((3, 3)))
        >>> mx.allclose(q @ q.T, mx.eye(3), atol=1e-5).item()
        True
    """

    def initializer(a: mx.array) -> mx.array:
        if a.ndim != 2:
            raise ValueError(f"Orthogonal initialization requires a 2D array but got a {a.ndim}D array.")
        rows, cols = a.shape
        n = max(rows, cols)
        x = mx.random.normal(shape=(n, n))
        if hasattr(mx.linalg, "qr"):
            q, r = mx.linalg.qr(x, stream=mx.cpu)
            # QR leaves the signs to the algorithm; fixing them makes the result uniform
            # over the orthogonal group (Mezzadri, 2007).
            q = (q * mx.sign(mx.diag(r)))[:rows, :cols]
        else:
            q = _polar(x[:rows, :cols])
        return (gain * q).astype(dtype)

    return initializer
