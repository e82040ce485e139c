"""Max and average pooling, channels last."""

from __future__ import annotations

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


def _windows(x: mx.array, kernel: list[int], stride: list[int]) -> tuple[mx.array, tuple[int, ...]]:
    """Return a view of ``x`` with its windows along extra axes, and those axes."""
    n = len(kernel)
    if x.ndim < 3:
        raise ValueError(
            "To extract sliding windows at least 1 spatial dimension (3 total) is needed but "
            f"the input only has {x.ndim} dimensions."
        )
    if x.ndim - 2 != n:
        raise ValueError(
            "To extract sliding windows the window shapes and strides must have the same number "
            f"of spatial dimensions as the signal but the signal has {x.ndim - 2} dims and the "
            f"window shape has {n} and strides have {n}."
        )
    batch, *spatial, channels = x.shape
    counts = [max((size - k) // s + 1, 0) for size, k, s in zip(spatial, kernel, stride)]

    if kernel == stride and 0 not in counts:
        # Windows tile the input: splitting each axis in two needs no strides.
        kept = [c * k for c, k in zip(counts, kernel)]
        if kept != spatial:
            whole = (slice(None), *(slice(0, size) for size in kept))
            x = x[whole]
        shape = [batch]
        for c, k in zip(counts, kernel):
            shape += [c, k]
        return x.reshape(*shape, channels), tuple(range(2, 2 * n + 1, 2))

    strides = [1] * x.ndim
    for axis in range(x.ndim - 2, -1, -1):
        strides[axis] = strides[axis + 1] * x.shape[axis + 1]
    view = mx.as_strided(
        x,
        shape=(batch, *counts, *kernel, channels),
        strides=(
            strides[0],
            *(p * s for p, s in zip(strides[1:-1], stride)),
            *strides[1:-1],
            strides[-1],
        ),
    )
    return view, tuple(range(n + 1, 2 * n + 1))


class _Pool(Module):
    """Shared by all pools: sizes, padding and windows."""

    _axes: int
    _is_max: bool

    def __init__(
        self,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] | None = None,
        padding: int | tuple[int, ...] | None = 0,
    ) -> None:
        super().__init__()
        self._kernel_size = self._sizes(kernel_size, "kernel_size", 1)
        self._stride = self._kernel_size if stride is None else self._sizes(stride, "stride", 1)
        pads = self._sizes(0 if padding is None else padding, "padding", 0)
        self._padding = [(p, p) for p in pads]

    def _sizes(self, value: int | tuple[int, ...], name: str, least: int) -> list[int]:
        n, cls = self._axes, type(self).__name__
        if isinstance(value, int):
            sizes = [value] * n
        elif isinstance(value, (tuple, list)) and len(value) == n and all(isinstance(v, int) for v in value):
            sizes = list(value)
        else:
            raise ValueError(
                f"[{cls}] '{name}' must be an integer or a tuple containing {n} integer{'s' if n > 1 else ''}"
            )
        if min(sizes) < least:
            raise ValueError(
                f"[{cls}] '{name}' must be {'positive' if least else 'non-negative'} but got {tuple(sizes)}."
            )
        return sizes

    def _extra_repr(self) -> str:
        return (
            f"kernel_size={tuple(self._kernel_size)}, stride={tuple(self._stride)}, "
            f"padding={tuple(p for p, _ in self._padding)}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        if any(p for p, _ in self._padding):
            x = mx.pad(x, [(0, 0), *self._padding, (0, 0)], constant_values=self._fill(x.dtype))
        windows, axes = _windows(x, self._kernel_size, self._stride)
        if self._is_max:
            return mx.max(windows, axis=axes)
        return mx.mean(windows, axis=axes)

    def _fill(self, dtype: mx.Dtype) -> float | int:
        if not self._is_max:
            return 0
        if mx.issubdtype(dtype, mx.integer):
            return mx.iinfo(dtype).min
        return False if dtype == mx.bool_ else -mx.inf


class MaxPool1d(_Pool):
    """Maximum over sliding windows of sequences of shape ``(N, L, C)``.

    Args:
        kernel_size: The size of the window.
        stride: The step of the window. Default: ``kernel_size``.
        padding: What is added on both sides, never chosen as maximum.

    Example:
        >>> nn.MaxPool1d(2)(mx.array([1.0, 3.0, 2.0, 0.0]).reshape(1, 4, 1)).flatten()
        array([3, 2], dtype=float32)
    """

    _axes = 1
    _is_max = True


class AvgPool1d(_Pool):
    """Average over sliding windows of sequences of shape ``(N, L, C)``.

    Args:
        kernel_size: The size of the window.
        stride: The step of the window. Default: ``kernel_size``.
        padding: The number of zeros added on both sides; they count in the average.

    Example:
        >>> nn.AvgPool1d(2)(mx.array([1.0, 3.0, 2.0, 0.0]).reshape(1, 4, 1)).flatten()
        array([2, 1], dtype=float32)
    """

    _axes = 1
    _is_max = False


class MaxPool2d(_Pool):
    """Maximum over sliding windows of images of shape ``(N, H, W, C)``.

    Args:
        kernel_size: The size of the window, an int or ``(height, width)``.
        stride: The step of the window. Default: ``kernel_size``.
        padding: What is added on both sides, never chosen as maximum.

    Example:
        >>> nn.MaxPool2d(2)(mx.zeros((1, 8, 8, 3))).shape
        (1, 4, 4, 3)
    """

    _axes = 2
    _is_max = True


class AvgPool2d(_Pool):
    """Average over sliding windows of images of shape ``(N, H, W, C)``.

    Args:
        kernel_size: The size of the window, an int or ``(height, width)``.
        stride: The step of the window. Default: ``kernel_size``.
        padding: The number of zeros added on both sides; they count in the average.

    Example:
        >>> nn.AvgPool2d(2)(mx.zeros((1, 8, 8, 3))).shape
        (1, 4, 4, 3)
    """

    _axes = 2
    _is_max = False


class MaxPool3d(_Pool):
    """Maximum over sliding windows of volumes of shape ``(N, D, H, W, C)``.

    Args:
        kernel_size: The size of the window, an int or ``(depth, height, width)``.
        stride: The step of the window. Default: ``kernel_size``.
        padding: What is added on both sides, never chosen as maximum.

    Example:
        >>> nn.MaxPool3d(2)(mx.zeros((1, 4, 4, 4, 3))).shape
        (1, 2, 2, 2, 3)
    """

    _axes = 3
    _is_max = True


class AvgPool3d(_Pool):
    """Average over sliding windows of volumes of shape ``(N, D, H, W, C)``.

    Args:
        kernel_size: The size of the window, an int or ``(depth, height, width)``.
        stride: The step of the window. Default: ``kernel_size``.
        padding: The number of zeros added on both sides; they count in the average.

    Example:
        >>> nn.AvgPool3d(2)(mx.zeros((1, 4, 4, 4, 3))).shape
        (1, 2, 2, 2, 3)
    """

    _axes = 3
    _is_max = False
