"""Convolutions, channels last."""

from __future__ import annotations

import math

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


def as_tuple(value: int | tuple[int, ...], n: int, op: str, name: str) -> tuple[int, ...]:
    """Repeat an int ``n`` times, or check that a sequence has ``n`` entries."""
    if isinstance(value, int):
        return (value,) * n
    if not isinstance(value, (tuple, list)) or len(value) != n:
        raise ValueError(f"[{op}] {name} must be an int or a tuple of {n} ints but is {value!r}.")
    return tuple(value)


def check_groups(in_channels: int, groups: int) -> None:
    if groups < 1 or in_channels % groups != 0:
        raise ValueError(
            f"The number of input channels ({in_channels}) must be divisible by the number of groups ({groups})"
        )


def init_weight(in_channels: int, out_channels: int, kernel: tuple[int, ...], groups: int = 1) -> mx.array:
    """Uniform in plus-minus 1/sqrt(fan in), as for the linear layer."""
    scale = math.sqrt(1 / (in_channels // groups * math.prod(kernel)))
    return mx.random.uniform(low=-scale, high=scale, shape=(out_channels, *kernel, in_channels // groups))


class Conv1d(Module):
    """Convolution of sequences of shape ``(N, L, C_in)``.

    ``weight`` has shape ``(out_channels, kernel_size, in_channels // groups)``.

    Args:
        in_channels: The size of the last axis of the input.
        out_channels: The size of the last axis of the output.
        kernel_size: The length of the filters.
        stride: The step of the filters.
        padding: The number of zeros put on both sides.
        dilation: The distance between the taps of a filter.
        groups: The number of groups that channels are split into.
        bias: Whether to add a bias, one per output channel.

    Example:
        >>> nn.Conv1d(3, 8, kernel_size=3, padding=1)(mx.zeros((2, 10, 3))).shape
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
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_groups(in_channels, groups)
        kernel = as_tuple(kernel_size, 1, "Conv1d", "kernel_size")
        self.weight = init_weight(in_channels, out_channels, kernel, groups)
        if bias:
            self.bias = mx.zeros((out_channels,))
        self.padding = padding
        self.dilation = dilation
        self.stride = stride
        self.groups = groups

    def _extra_repr(self) -> str:
        out, kernel, channels = self.weight.shape
        return (
            f"{channels * self.groups}, {out}, kernel_size={kernel}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, "
            f"bias={'bias' in self}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        y = mx.conv1d(x, self["weight"], self.stride, self.padding, self.dilation, self.groups)
        if "bias" in self:
            y = y + self["bias"]
        return y


class Conv2d(Module):
    """Convolution of images of shape ``(N, H, W, C_in)``.

    ``weight`` has shape ``(out_channels, *kernel_size, in_channels // groups)``.

    Args:
        in_channels: The size of the last axis of the input.
        out_channels: The size of the last axis of the output.
        kernel_size: The size of the filters, one int or ``(height, width)``.
        stride: The step of the filters.
        padding: The number of zeros put on both sides.
        dilation: The distance between the taps of a filter.
        groups: The number of groups that channels are split into.
        bias: Whether to add a bias, one per output channel.

    Example:
        >>> nn.Conv2d(1, 8, kernel_size=3, padding=1)(mx.zeros((2, 8, 8, 1))).shape
        (2, 8, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_groups(in_channels, groups)
        kernel = as_tuple(kernel_size, 2, "Conv2d", "kernel_size")
        self.weight = init_weight(in_channels, out_channels, kernel, groups)
        if bias:
            self.bias = mx.zeros((out_channels,))
        self.padding = as_tuple(padding, 2, "Conv2d", "padding")
        self.stride = as_tuple(stride, 2, "Conv2d", "stride")
        self.dilation = dilation
        self.groups = groups

    def _extra_repr(self) -> str:
        shape = self.weight.shape
        return (
            f"{shape[-1] * self.groups}, {shape[0]}, kernel_size={shape[1:-1]}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"groups={self.groups}, bias={'bias' in self}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        y = mx.conv2d(x, self["weight"], self["stride"], self["padding"], self.dilation, self.groups)
        if "bias" in self:
            y = y + self["bias"]
        return y


class Conv3d(Module):
    """Convolution of volumes of shape ``(N, D, H, W, C_in)``.

    ``weight`` has shape ``(out_channels, *kernel_size, in_channels)``.

    Args:
        in_channels: The size of the last axis of the input.
        out_channels: The size of the last axis of the output.
        kernel_size: The size of the filters, one int or ``(depth, height, width)``.
        stride: The step of the filters.
        padding: The number of zeros put on both sides.
        dilation: The distance between the taps of a filter.
        bias: Whether to add a bias, one per output channel.

    Example:
        >>> nn.Conv3d(1, 2, kernel_size=3)(mx.zeros((1, 4, 4, 4, 1))).shape
        (1, 2, 2, 2, 2)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int, int],
        stride: int | tuple[int, int, int] = 1,
        padding: int | tuple[int, int, int] = 0,
        dilation: int | tuple[int, int, int] = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kernel = as_tuple(kernel_size, 3, "Conv3d", "kernel_size")
        self.weight = init_weight(in_channels, out_channels, kernel)
        if bias:
            self.bias = mx.zeros((out_channels,))
        self.padding = as_tuple(padding, 3, "Conv3d", "padding")
        self.stride = as_tuple(stride, 3, "Conv3d", "stride")
        self.dilation = dilation

    def _extra_repr(self) -> str:
        shape = self.weight.shape
        return (
            f"{shape[-1]}, {shape[0]}, kernel_size={shape[1:-1]}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, bias={'bias' in self}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        y = mx.conv3d(x, self["weight"], self["stride"], self["padding"], self.dilation)
        if "bias" in self:
            y = y + self["bias"]
        return y
