"""Layers whose matrices are quantized, and the function that quantizes the layers of a model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module
from mlx_go.utils import tree_map_with_path

# What mx.quantize takes where a mode is told no group size or bits.
_DEFAULTS = {"affine": (64, 4), "mxfp4": (32, 4), "mxfp8": (32, 8), "nvfp4": (16, 4)}
_INPUT_MODES = ("nvfp4", "mxfp8")


def _format(mode: str, group_size: int | None, bits: int | None) -> tuple[int | None, int | None]:
    """Group size and bits with the defaults of the mode; mx.quantize refuses what is none."""
    group, width = _DEFAULTS.get(mode, (None, None))
    return group_size or group, bits or width


def _take_quantized(layer: Module, weight: mx.array) -> None:
    """Quantize the weight into the layer's parameters."""
    layer.weight, layer.scales, *biases = mx.quantize(weight, layer.group_size, layer.bits, mode=layer.mode)
    layer.biases = biases[0] if biases else None


def _uniform(output_dims: int, input_dims: int) -> mx.array:
    scale = math.sqrt(1 / input_dims)
    return mx.random.uniform(low=-scale, high=scale, shape=(output_dims, input_dims))


class QuantizedEmbedding(Module):
    """A table of vectors looked up by integer id, as :class:`Embedding`, whose rows are quantized.

    The parameters ``weight``, ``scales`` and ``biases`` are what :func:`mlx_go.core.quantize` gives; they are frozen.

    Args:
        num_embeddings: The number of rows.
        dims: The size of each row.
        group_size: How many elements share a scale; None is the mode's default.
        bits: How many bits a code has; None is the mode's default.
        mode: What codes mean.

    Example:
        >>> nn.QuantizedEmbedding(10, 64)(mx.array([[1, 2, 3]])).shape
        (1, 3, 64)
    """

    def __init__(
        self,
        num_embeddings: int,
        dims: int,
        group_size: int | None = None,
        bits: int | None = None,
        mode: str = "affine",
    ) -> None:
        super().__init__()
        self.group_size, self.bits = _format(mode, group_size, bits)
        self.mode = mode
        self.num_embeddings = num_embeddings
        self.dims = dims
        _take_quantized(self, mx.random.normal(shape=(num_embeddings, dims), scale=math.sqrt(1 / dims)))
        self.freeze()

    def _extra_repr(self) -> str:
        return (
            f"{self.num_embeddings}, {self.dims}, group_size={self.group_size}, bits={self.bits}, mode={self.mode}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        biases = self.get("biases")
        return mx.dequantize(
            self["weight"][x],
            self["scales"][x],
            None if biases is None else biases[x],
            self.group_size,
            self.bits,
            self.mode,
        )

    def as_linear(self, x: mx.array) -> mx.array:
        """Use the table as a linear layer.

        Example:
            >>> nn.QuantizedEmbedding(10, 64).as_linear(mx.zeros((2, 64))).shape
            (2, 10)
        """
        return _product(self, x)

    @classmethod
    def from_embedding(
        cls, embedding_layer: Module, group_size: int | None = None, bits: int | None = None, mode: str = "affine"
    ) -> QuantizedEmbedding:
        """Return a quantized layer with the rows of an embedding."""
        rows, dims = embedding_layer.weight.shape
        layer = cls(rows, dims, group_size, bits, mode)
        _take_quantized(layer, embedding_layer.weight)
        return layer


def _product(layer: Module, x: mx.array) -> mx.array:
    return mx.quantized_matmul(
        x,
        layer["weight"],
        layer["scales"],
        layer.get("biases"),
        transpose=True,
        group_size=layer.group_size,
        bits=layer.bits,
        mode=layer.mode,
    )


class QuantizedLinear(Module):
    """Affine map of the last axis, as :class:`Linear`, whose matrix is quantized.

    The parameters ``weight``, ``scales`` and ``biases`` are what :func:`mlx_go.core.quantize` gives, ``bias`` is that of
    the map; they are frozen.

    Args:
        input_dims: The size of the last axis of the input.
        output_dims: The size of the last axis of the output.
        bias: Whether to add a bias.
        group_size: How many elements share a scale; None is the mode's default.
        bits: How many bits a code has; None is the mode's default.
        mode: What codes mean.

    Example:
        >>> nn.QuantizedLinear(64, 3)(mx.zeros((5, 64))).shape
        (5, 3)
    """

    def __init__(
        self,
        input_dims: int,
        output_dims: int,
        bias: bool = True,
        group_size: int | None = None,
        bits: int | None = None,
        mode: str = "affine",
    ) -> None:
        super().__init__()
        self.group_size, self.bits = _format(mode, group_size, bits)
        self.mode = mode
        _take_quantized(self, _uniform(output_dims, input_dims))
        if bias:
            self.bias = mx.zeros((output_dims,))
        self.freeze()

    def _extra_repr(self) -> str:
        output_dims, words = self.weight.shape
        return (
            f"input_dims={words * 32 // self.bits}, output_dims={output_dims}, bias={'bias' in self}, "
            f"group_size={self.group_size}, bits={self.bits}, mode={self.mode}"
        )

    def __call__(self, x: mx.array) -> mx.array:
        x = _product(self, x)
        return x + self["bias"] if "bias" in self else x

    @classmethod
    def from_linear(
        cls, linear_layer: Module, group_size: int | None = None, bits: int | None = None, mode: str = "affine"
    ) -> QuantizedLinear:
        """Return a quantized layer with the parameters of a linear one, whose bias may be trained as before."""
        output_dims, input_dims = linear_layer.weight.shape
        layer = cls(input_dims, output_dims, False, group_size, bits, mode)
        _take_quantized(layer, linear_layer.weight)
        if "bias" in linear_layer:
            layer.bias = linear_layer.bias
        return layer


class QQLinear(Module):
    """Linear map of the last axis of which both factors are quantized, the input on the fly.

    In evaluation mode ``weight`` and ``scales`` are what :func:`mlx_go.core.quantize` gives. In training mode ``weight`` is
    a matrix of floats that is quantized on the fly, and gradients reach it.

    Args:
        input_dims: The size of the last axis of the input.
        output_dims: The size of the last axis of the output.
        group_size: How many elements share a scale; None is the mode's default.
        bits: How many bits a code has; None is the mode's default.
        mode: ``"nvfp4"`` or ``"mxfp8"``.

    Example:
        >>> layer = nn.QQLinear(64, 3).eval()
        >>> layer(mx.zeros((5, 64))).shape, layer.weight.shape
        ((5, 3), (3, 8))
    """

    def __init__(
        self,
        input_dims: int,
        output_dims: int,
        group_size: int | None = None,
        bits: int | None = None,
        mode: str = "nvfp4",
    ) -> None:
        super().__init__()
        self.group_size, self.bits = _format(mode, group_size, bits)
        self.mode = mode
        self.weight = _uniform(output_dims, input_dims)
        self._quantized = False
        self._dtype = self.weight.dtype

    def _extra_repr(self) -> str:
        output_dims, input_dims = self.weight.shape
        if self._quantized and self.bits:
            input_dims = input_dims * 32 // self.bits
        return (
            f"input_dims={input_dims}, output_dims={output_dims}, group_size={self.group_size}, bits={self.bits}, "
            f"mode={self.mode}"
        )

    def quantize(self) -> None:
        """Replace the matrix by its codes and scales, if it is not quantized."""
        if not self._quantized:
            self._dtype = self.weight.dtype
            self.weight, self.scales = mx.quantize(self.weight, self.group_size, self.bits, mode=self.mode)
            self._quantized = True

    def dequantize(self) -> None:
        """Replace codes and scales by the matrix that they stand for, in the dtype that it had."""
        if self._quantized:
            self.weight = mx.dequantize(
                self.weight, self.scales, None, self.group_size, self.bits, self.mode, dtype=self._dtype
            )
            del self.scales
            self._quantized = False

    def _set_training_mode(self, mode: bool) -> None:
        super()._set_training_mode(mode)
        if mode:
            self.dequantize()
        else:
            self.quantize()

    def __call__(self, x: mx.array) -> mx.array:
        return mx.qqmm(x, self["weight"], self.get("scales"), self.group_size, self.bits, self.mode)

    @classmethod
    def from_linear(
        cls, linear_layer: Module, group_size: int | None = None, bits: int | None = None, mode: str = "nvfp4"
    ) -> QQLinear:
        """Return a layer with the matrix of a linear one, which must have no bias."""
        if "bias" in linear_layer:
            raise NotImplementedError("QQLinear has no bias")
        output_dims, input_dims = linear_layer.weight.shape
        layer = cls(input_dims, output_dims, group_size, bits, mode)
        layer.weight = linear_layer.weight
        layer.train(linear_layer.training)
        return layer


def quantize(
    model: Module,
    group_size: int | None = None,
    bits: int | None = None,
    *,
    mode: str = "affine",
    quantize_input: bool = False,
    class_predicate: Callable[[str, Module], bool | dict] | None = None,
) -> None:
    """Replace the layers of a model by quantized ones.

    Args:
        model: The model, which is changed.
        group_size: How many elements share a scale; None is the mode's default.
        bits: How many bits a code has; None is the mode's default.
        mode: What codes mean, see :func:`mlx_go.core.quantize`.
        quantize_input: Whether layers quantize their input, too: of linear layers without bias, in modes
            ``"nvfp4"`` and ``"mxfp8"``.
        class_predicate: A function of a layer's path and the layer that says whether to quantize it, or
            returns a dict of arguments for its ``to_quantized``. None quantizes every layer that has this method.

    Example:
        >>> model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        >>> nn.quantize(model, bits=8, class_predicate=lambda path, layer: path == "layers.0")
        >>> model.layers[0]
        QuantizedLinear(input_dims=64, output_dims=64, bias=True, group_size=64, bits=8, mode=affine)
    """
    wanted = class_predicate or (lambda path, layer: hasattr(layer, "to_quantized"))

    def replaced(path: str, layer: Any) -> Any:
        how = wanted(path, layer)
        if not how:
            return layer
        if not hasattr(layer, "to_quantized"):
            raise ValueError(f"Unable to quantize a layer of type {type(layer)}")
        if not isinstance(how, (bool, dict)):
            raise ValueError("class_predicate must return a bool or a dict of arguments for to_quantized")
        usual = {"group_size": group_size, "bits": bits, "mode": mode}
        if quantize_input:
            usual["quantize_input"] = True
        return layer.to_quantized(**(how if isinstance(how, dict) else usual))

    leaves = tree_map_with_path(replaced, model.leaf_modules(), is_leaf=Module.is_module)
    model.update_modules(leaves)


__all__ = ["QQLinear", "QuantizedEmbedding", "QuantizedLinear", "quantize"]
