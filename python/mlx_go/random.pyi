# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
from collections.abc import Sequence
from typing import Any, Literal

from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar

class _RandomState:
    def __mlx_tree__(self) -> array: ...
    def __mlx_tree_set__(self, key: array) -> None: ...
    def __getitem__(self, index: int) -> array: ...
    def __setitem__(self, index: int, key: array) -> None: ...
    def __len__(self) -> int: ...

state: _RandomState

def bernoulli(p: scalar | array = 0.5, shape: Sequence[int] | None = None, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """True with probability ``p``.

    Args:
        p: Probability, broadcast to ``shape``.
        shape: Shape of the result; that of ``p`` by default.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Returns:
        A bool array.

    Example:
        >>> mx.random.bernoulli(1.0, (2,))
        array([True, True], dtype=bool)
    """
def categorical(logits: array, axis: int = -1, shape: Sequence[int] | None = None, num_samples: int | None = None, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Positions drawn with probability softmax(logits).

    Args:
        logits: Unnormalized log probabilities.
        axis: Axis of the categories.
        shape: Shape of the result, to which the other axes of ``logits`` broadcast.
        num_samples: How many positions to draw for each distribution, as a last axis; excludes ``shape``.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Returns:
        uint32 positions.

    Example:
        >>> mx.random.categorical(mx.zeros((2, 3))).shape
        (2,)
    """
def gumbel(shape: Sequence[int] = [], dtype: Dtype | None = float32, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Standard Gumbel numbers.

    Args:
        shape: Shape of the result.
        dtype: A floating dtype.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.random.gumbel((2,)).shape
        (2,)
    """
def key(seed: int) -> array:
    """Key for a seed.

    Args:
        seed: An integer of 64 bits.

    Returns:
        A uint32 array of shape (2,).

    Example:
        >>> mx.random.key(0)
        array([0, 0], dtype=uint32)
    """
def laplace(shape: Sequence[int] = [], dtype: Dtype | None = float32, loc: float = 0.0, scale: float = 1.0, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Laplace numbers.

    Args:
        shape: Shape of the result.
        dtype: A floating dtype.
        loc: Mean.
        scale: Mean distance from the mean.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.random.laplace((2,)).shape
        (2,)
    """
def normal(shape: Sequence[int] = [], dtype: Dtype | None = float32, loc: scalar | array | None = None, scale: scalar | array | None = None, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Normal numbers.

    Args:
        shape: Shape of the result.
        dtype: A floating dtype or complex64, whose real and imaginary parts have variance 1/2.
        loc: Mean, broadcast with ``shape``.
        scale: Standard deviation, broadcast with ``shape``.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.random.normal((2,)).shape
        (2,)
    """
def permutation(x: int | array, axis: int = 0, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Random order of 0..x-1, or of an array's slices along an axis.

    Args:
        x: An integer or an array.
        axis: Axis to permute.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.sort(mx.random.permutation(3))
        array([0, 1, 2], dtype=uint32)
    """
def randint(low: scalar | array, high: scalar | array, shape: Sequence[int] = [], dtype: Dtype | None = int32, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Integers uniform in [low, high).

    Args:
        low: Lower bound, broadcast to ``shape``.
        high: Upper bound, not included, broadcast to ``shape``.
        shape: Shape of the result.
        dtype: An integer dtype, or bool.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.random.randint(0, 10, (2,)).shape
        (2,)
    """
def seed(seed: int) -> None:
    """Set the global random state.

    Args:
        seed: An integer of 64 bits.

    Example:
        >>> mx.random.seed(0)
    """
def split(key: array, num: int = 2, stream: StreamOrDevice = None) -> array:
    """Independent keys from one.

    Args:
        key: A key.
        num: How many keys to make.

    Returns:
        A uint32 array of shape (num, 2).

    Example:
        >>> mx.random.split(mx.random.key(0)).shape
        (2, 2)
    """
def truncated_normal(lower: scalar | array, upper: scalar | array, shape: Sequence[int] | None = None, dtype: Dtype | None = float32, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Normal numbers conditioned on lying in [lower, upper].

    Args:
        lower: Lower bound, broadcast to ``shape``.
        upper: Upper bound, broadcast to ``shape``.
        shape: Shape of the result; that of the bounds by default.
        dtype: A floating dtype.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.random.truncated_normal(-1, 1, (2,)).shape
        (2,)
    """
def uniform(low: scalar | array = 0, high: scalar | array = 1, shape: Sequence[int] = [], dtype: Dtype | None = float32, key: array | None = None, stream: StreamOrDevice = None) -> array:
    """Uniform numbers in [low, high).

    Args:
        low: Lower bound, broadcast to ``shape``.
        high: Upper bound, broadcast to ``shape``.
        shape: Shape of the result.
        dtype: A floating dtype.
        key: A key from :func:`mx.random.key` or :func:`mx.random.split`; ``None`` advances the global state.

    Example:
        >>> mx.random.uniform(shape=(2,)).shape
        (2,)
    """
