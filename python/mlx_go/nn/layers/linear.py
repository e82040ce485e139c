"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


class Identity(Module):
    """Returns its input; all arguments are ignored.

    Example:
        >>> nn.Identity(3)(mx.array([1, 2]))
        array([1, 2], dtype=int32)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def __call__(self, x: mx.array) -> mx.array:
        return x


class Linear(Module):
    r"""Affine map of the last axis: :math:`y = x W^\top + b`.

    ``weight`` has shape ``(output_dims, input_dims)``, ``bias`` ``(output_dims,)``;
    both start uniform in :math:`\pm 1/\sqrt{\mathrm{input\_dims}}`.

    Args:
        input_dims: The size of the last axis of the input.
        output_dims: The size of the last axis of the output.
        bias: Whether to add a bias.

    Example:
        >>> nn.Linear(2, 3)(mx.zeros((5, 2))).shape
        (5, 3)
    """

    def __init__(self, input_dims: int, output_dims: int, bias: bool = True) -> None:
        super().__init__()
        scale = math.sqrt(1.0 / input_dims)
        self.weight = mx.random.uniform(low=-scale, high=scale, shape=(output_dims, input_dims))
        if bias:
            self.bias = mx.random.uniform(low=-scale, high=scale, shape=(output_dims,))

    def _extra_repr(self) -> str:
        output_dims, input_dims = self.weight.shape
        return f"input_dims={input_dims}, output_dims={output_dims}, bias={'bias' in self}"

    def __call__(self, x: mx.array) -> mx.array:
        if "bias" in self:
            return mx.addmm(self["bias"], x, self["weight"].T)
        return x @ self["weight"].T

    def to_quantized(
        self,
        group_size: int | None = None,
        bits: int | None = None,
        mode: str = "affine",
        quantize_input: bool = False,
    ) -> Module:
        """Return a :class:`QuantizedLinear` for this layer, or a :class:`QQLinear`, which quantizes its input, too.

        Example:
            >>> nn.Linear(64, 3).to_quantized(bits=8)
            QuantizedLinear(input_dims=64, output_dims=3, bias=True, group_size=64, bits=8, mode=affine)
        """
        from mlx_go.nn.layers.quantized import _INPUT_MODES, QQLinear, QuantizedLinear

        if not quantize_input:
            return QuantizedLinear.from_linear(self, group_size, bits, mode)
        if mode not in _INPUT_MODES:
            raise ValueError(f"The input is quantized in modes {' and '.join(map(repr, _INPUT_MODES))}, not {mode!r}")
        return QQLinear.from_linear(self, group_size, bits, mode)


class Bilinear(Module):
    r"""Bilinear map of two inputs: :math:`y_i = x_2^\top W_i x_1 + b_i`.

    ``weight`` has shape ``(output_dims, input2_dims, input1_dims)``; it and ``bias``
    start uniform in :math:`\pm 1/\sqrt{\mathrm{input1\_dims}}`. The leading axes of
    the two inputs broadcast.

    Args:
        input1_dims: The size of the last axis of the first input.
        input2_dims: The size of the last axis of the second input.
        output_dims: The size of the last axis of the output.
        bias: Whether to add a bias.

    Example:
        >>> nn.Bilinear(2, 3, 4)(mx.zeros((5, 2)), mx.zeros((5, 3))).shape
        (5, 4)
    """

    def __init__(self, input1_dims: int, input2_dims: int, output_dims: int, bias: bool = True) -> None:
        super().__init__()
        scale = math.sqrt(1.0 / input1_dims)
        self.weight = mx.random.uniform(low=-scale, high=scale, shape=(output_dims, input2_dims, input1_dims))
        if bias:
            self.bias = mx.random.uniform(low=-scale, high=scale, shape=(output_dims,))

    def _extra_repr(self) -> str:
        out, in2, in1 = self.weight.shape
        return f"input1_dims={in1}, input2_dims={in2}, output_dims={out}, bias={'bias' in self}"

    def __call__(self, x1: mx.array, x2: mx.array) -> mx.array:
        weight = self["weight"]
        out, in2, in1 = weight.shape
        # One large product over (output, input2), then a small one per row.
        y = x1 @ weight.reshape(out * in2, in1).T
        y = y.reshape(*y.shape[:-1], out, in2)
        y = (y @ mx.expand_dims(x2, -1)).squeeze(-1)
        if "bias" in self:
            y = y + self["bias"]
        return y
