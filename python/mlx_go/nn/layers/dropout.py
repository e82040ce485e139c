"""Dropout: random zeros in training."""

from __future__ import annotations

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


class _Dropout(Module):
    """Shared by the three kinds: they differ in the shape of the mask."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if p < 0 or p >= 1:
            raise ValueError(f"The dropout probability {p} is not in [0, 1)")
        self._p_1 = 1 - p

    def _extra_repr(self) -> str:
        return f"p={1 - self._p_1}"

    def _apply(self, x: mx.array, mask_shape: tuple[int, ...]) -> mx.array:
        mask = mx.random.bernoulli(p=self._p_1, shape=mask_shape)
        return (mask * x) * (1 / self._p_1)


class Dropout(_Dropout):
    """In training, zero each element with probability ``p`` and scale the rest by 1/(1-p).

    In evaluation mode, and for ``p = 0``, the input is returned unchanged.

    Args:
        p: The probability of a zero, in [0, 1).

    Example:
        >>> nn.Dropout(0.5).eval()(mx.ones((2,)))
        array([1, 1], dtype=float32)
    """

    def __call__(self, x: mx.array) -> mx.array:
        if self._p_1 == 1 or not self._training:
            return x
        return self._apply(x, x.shape)


class Dropout2d(_Dropout):
    """In training, zero whole channels of images with probability ``p``.

    Inputs have shape ``(N, H, W, C)`` or ``(H, W, C)``; the rest is scaled by 1/(1-p).

    Args:
        p: The probability of a zero, in [0, 1).

    Example:
        >>> nn.Dropout2d(0.5)(mx.ones((1, 4, 4, 3))).shape
        (1, 4, 4, 3)
    """

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim not in (3, 4):
            raise ValueError(f"Received input with {x.ndim} dimensions. Expected 3 or 4 dimensions.")
        if self._p_1 == 1 or not self._training:
            return x
        shape = list(x.shape)
        shape[-2] = shape[-3] = 1
        return self._apply(x, tuple(shape))


class Dropout3d(_Dropout):
    """In training, zero whole channels of volumes with probability ``p``.

    Inputs have shape ``(N, D, H, W, C)`` or ``(D, H, W, C)``; the rest is scaled by 1/(1-p).

    Args:
        p: The probability of a zero, in [0, 1).

    Example:
        >>> nn.Dropout3d(0.5)(mx.ones((1, 2, 4, 4, 3))).shape
        (1, 2, 4, 4, 3)
    """

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim not in (4, 5):
            raise ValueError(f"Received input with {x.ndim} dimensions. Expected 4 or 5 dimensions.")
        if self._p_1 == 1 or not self._training:
            return x
        shape = list(x.shape)
        shape[-2] = shape[-3] = shape[-4] = 1
        return self._apply(x, tuple(shape))
