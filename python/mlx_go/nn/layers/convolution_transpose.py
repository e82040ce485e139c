"""Transposed convolutions, channels last."""

from __future__ import annotations

from typing import Any

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module
from mlx_go.nn.layers.convolution import as_tuple, init_weight


class ConvTranspose1d(Module):
    """Transposed convolution of sequences of shape ``(N, L, C_in)``.

    ``weight`` has shape ``(out_channels, kernel_size, in_channels)``.

    Args:
        in_channels: The size of the last axis of the input.
        out_channels: The size of the last axis of the output.
        kernel_size: The length of the filters.
        stride: The step of the filters over the output.
        padding: How much is cut from both sides of the output.
        dilation: The distance between the taps of a filter.
        output_padding: How much is added to the end of the output.
        bias: Whether to add a bias, one per output channel.

    Example:
        >>> nn.ConvTranspose1d(3, 8, kernel_size=4, stride=2, padding=1)(mx.zeros((2, 5, 3))).shape
        (2, 10, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        output_padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kernel = as_tuple(kernel_size, 1, "ConvTranspose1d", "kernel_size")
        self.weight = init_weight(in_channels, out_channels, kernel)
        if bias:
            self.bias = mx.zeros((out_channels,))
        self.padding = padding
        self.dilation = dilation
        self.stride = stride
        self.output_padding = output_padding

    def _extra_repr(self) -> str:
        out, kernel, channels = self.weight.shape
        return (
            f"{channels}, {out}, kernel_size={kernel}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, "
            f"output_padding={self.output_padding}, bias={'bias' in self}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        y = mx.conv_transpose1d(x, self["weight"], self.stride, self.padding, self.dilation, self.output_padding)
        if "bias" in self:
            y = y + self["bias"]
        return y


class _ConvTransposeNd(Module):
    """Shared by two and three spatial axes, which take tuples."""

    _axes: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        output_padding: int | tuple[int, ...] = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        name, n = type(self).__name__, self._axes
        kernel = as_tuple(kernel_size, n, name, "kernel_size")
        self.weight = init_weight(in_channels, out_channels, kernel)
        if bias:
            self.bias = mx.zeros((out_channels,))
        self.padding = as_tuple(padding, n, name, "padding")
        self.stride = as_tuple(stride, n, name, "stride")
        self.output_padding = as_tuple(output_padding, n, name, "output_padding")
        self.dilation = dilation

    def _extra_repr(self) -> str:
        shape = self.weight.shape
        return (
            f"{shape[-1]}, {shape[0]}, kernel_size={shape[1:-1]}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, "
            f"output_padding={self.output_padding}, bias={'bias' in self}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        conv: Any = mx.conv_transpose2d if self._axes == 2 else mx.conv_transpose3d
        y = conv(
            x,
            self["weight"],
            self["stride"],
            self["padding"],
            self.dilation,
            self["output_padding"],
        )
        if "bias" in self:
            y = y + self["bias"]
        return y


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolution of images of shape ``(N, H, W, C_in)``.

    ``weight`` has shape ``(out_channels, *kernel_size, in_channels)``. Arguments are as
    for :class:`ConvTranspose1d`, each an int or a pair.

    Example:
        >>> nn.ConvTranspose2d(3, 8, kernel_size=2, stride=2)(mx.zeros((1, 4, 4, 3))).shape
        (1, 8, 8, 8)
    """

    _axes = 2


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolution of volumes of shape ``(N, D, H, W, C_in)``.

    ``weight`` has shape ``(out_channels, *kernel_size, in_channels)``. Arguments are as
    for :class:`ConvTranspose1d`, each an int or a triple.

    Example:
        >>> nn.ConvTranspose3d(3, 8, kernel_size=2, stride=2)(mx.zeros((1, 2, 2, 2, 3))).shape
        (1, 4, 4, 4, 8)
    """

    _axes = 3
