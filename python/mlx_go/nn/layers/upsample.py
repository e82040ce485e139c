"""Resampling of the spatial axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


@lru_cache(maxsize=256)
def _nearest_indices(size: int, scale: float) -> tuple[int, ...]:
    out = int(scale * size)
    if scale < 1:
        return tuple(i * size // out for i in range(out))
    # Input and output share their center. The inner rounding makes positions half way
    # between two inputs exact, so that they all go to the even one.
    start = ((size - 1) - (out - 1) / scale) / 2
    return tuple(min(max(round(round(i / scale + start, 9)), 0), size - 1) for i in range(out))


def _nearest(x: mx.array, axis: int, scale: float) -> mx.array:
    size = x.shape[axis]
    if scale == int(scale):
        # Repetition is a broadcast: no indices.
        repeats = int(scale)
        shape = list(x.shape)
        y = mx.expand_dims(x, axis + 1)
        wide = [*shape[: axis + 1], repeats, *shape[axis + 1 :]]
        shape[axis] = size * repeats
        return mx.broadcast_to(y, wide).reshape(shape)
    return mx.take(x, mx.array(_nearest_indices(size, scale), dtype=mx.int32), axis=axis)


def _triangle(distance: mx.array) -> mx.array:
    return mx.maximum(1 - distance, 0)


def _cubic(a: float) -> Callable[[mx.array], mx.array]:
    """Cubic convolution (Keys, 1981) with free parameter ``a``, zero beyond distance 2."""

    def kernel(d: mx.array) -> mx.array:
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = a * (((d - 5) * d + 8) * d - 4)
        return mx.where(d <= 1, near, mx.where(d < 2, far, mx.zeros_like(d)))

    return kernel


def _resample(
    x: mx.array,
    axis: int,
    scale: float,
    kernel: Callable[[mx.array], mx.array],
    support: int,
    align_corners: bool,
    antialias: bool,
) -> mx.array:
    """Weight the neighbors of every output position along one axis.

    The kernel is zero beyond ``support``. With antialiasing it is stretched by the
    reduction factor, and taps outside the input are left out; otherwise they repeat the
    edge.
    """
    size = x.shape[axis]
    out = int(scale * size)
    if out == 0 or size == 0:
        shape = list(x.shape)
        shape[axis] = out
        return mx.zeros(shape, dtype=mx.result_type(x.dtype, mx.float32))
    steps = mx.arange(out, dtype=mx.float32)
    if align_corners:
        position = steps * ((size - 1) / max(out - 1, 1))
    else:
        # Input and output share their center.
        position = steps / scale + ((size - 1) - (out - 1) / scale) / 2
    stretch = max(1 / scale, 1.0) if antialias else 1.0
    reach = math.ceil(support * stretch)
    base = mx.floor(position)
    column = [1] * x.ndim
    column[axis] = out
    total: mx.array | None = None
    norm: mx.array | None = None
    for tap in range(1 - reach, reach + 1):
        index = base + tap
        weight = kernel(mx.abs(position - index) / stretch)
        if antialias:
            inside = (index >= 0) & (index < size)
            weight = mx.where(inside, weight, mx.zeros_like(weight))
            norm = weight if norm is None else norm + weight
        rows = mx.clip(index, 0, size - 1).astype(mx.int32)
        term = mx.take(x, rows, axis=axis) * weight.reshape(column)
        total = term if total is None else total + term
    assert total is not None  # reach is at least 1
    return total if norm is None else total / norm.reshape(column)


class Upsample(Module):
    """Scale the spatial axes of an input of shape ``(N, ..., C)``.

    Args:
        scale_factor: The factor of all spatial axes, or one for each.
        mode: ``"nearest"``, ``"linear"`` (bilinear for images) or ``"cubic"``. The last two
            return floating-point results.
        align_corners: Whether the corners of input and output coincide, for linear and
            cubic.
        antialias: Whether to widen the filter when scaling down, for linear and cubic
            without ``align_corners``; cubic then uses the coefficient -0.5 instead of -0.75.

    Example:
        >>> nn.Upsample(2, mode="linear")(mx.array([1.0, 2.0]).reshape(1, 2, 1)).flatten()
        array([1, 1.25, 1.75, 2], dtype=float32)
    """

    def __init__(
        self,
        scale_factor: float | tuple[float, ...],
        mode: Literal["nearest", "linear", "cubic"] = "nearest",
        align_corners: bool = False,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        if mode not in ("nearest", "linear", "cubic"):
            raise ValueError(f"[Upsample] Got unsupported upsampling algorithm: {mode}")
        if antialias and mode == "nearest":
            raise ValueError("[Upsample] Antialiasing is not supported for nearest neighbor upsampling")
        if antialias and align_corners:
            raise ValueError(
                "[Upsample] antialias=True with align_corners=True is not supported. "
                "Use align_corners=False for antialiased interpolation."
            )
        scales: float | tuple[float, ...]
        if isinstance(scale_factor, (list, tuple)):
            scales = tuple(map(float, scale_factor))
        else:
            scales = float(scale_factor)
        if not all(s > 0 for s in (scales if isinstance(scales, tuple) else (scales,))):
            raise ValueError(f"[Upsample] scale_factor must be positive but is {scale_factor}.")
        self.scale_factor = scales
        self.mode = mode
        self.align_corners = align_corners
        self.antialias = antialias

    def _extra_repr(self) -> str:
        text = f"scale_factor={self.scale_factor}, mode={self.mode!r}, align_corners={self.align_corners}"
        return text + (", antialias=True" if self.antialias else "")

    def __call__(self, x: mx.array) -> mx.array:
        spatial = x.ndim - 2
        if spatial <= 0:
            raise ValueError(
                "[Upsample] The input should have at least 1 spatial dimension which means it "
                f"should be at least 3D but {x.ndim}D was provided"
            )
        scales = self.scale_factor
        if not isinstance(scales, tuple):
            scales = (scales,) * spatial
        elif len(scales) != spatial:
            raise ValueError(
                "[Upsample] One scale per spatial dimension is required but "
                f"scale_factor={scales} and the number of spatial dimensions were {spatial}"
            )
        if self.mode == "nearest":
            for i, scale in enumerate(scales):
                x = _nearest(x, i + 1, scale)
            return x
        kernel: Callable[[mx.array], mx.array]
        if self.mode == "linear":
            kernel, support = _triangle, 1
        else:
            kernel, support = _cubic(-0.5 if self.antialias else -0.75), 2
        for i, scale in enumerate(scales):
            x = _resample(x, i + 1, scale, kernel, support, self.align_corners, self.antialias)
        return x
