"""Embedding: rows of a table by index."""

from __future__ import annotations

import math

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


class Embedding(Module):
    r"""A table of ``num_embeddings`` vectors of size ``dims``, looked up by integer id.

    ``weight`` starts normal with standard deviation :math:`1/\sqrt{\mathrm{dims}}`.

    Args:
        num_embeddings: The number of rows (the size of the vocabulary).
        dims: The size of each row.

    Example:
        >>> nn.Embedding(10, 4)(mx.array([[1, 2, 3]])).shape
        (1, 3, 4)
    """

    def __init__(self, num_embeddings: int, dims: int) -> None:
        super().__init__()
        scale = math.sqrt(1 / dims)
        self.weight = mx.random.normal(shape=(num_embeddings, dims), scale=scale)

    def _extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}"

    def __call__(self, x: mx.array) -> mx.array:
        return self["weight"][x]

    def as_linear(self, x: mx.array) -> mx.array:
        """Use the table as a linear layer: ``x @ weight.T`` (tied output weights).

        Example:
            >>> nn.Embedding(10, 4).as_linear(mx.zeros((2, 4))).shape
            (2, 10)
        """
        return x @ self["weight"].T

    def to_quantized(
        self,
        group_size: int | None = None,
        bits: int | None = None,
        mode: str = "affine",
        quantize_input: bool = False,
    ) -> Module:
        """Return a :class:`QuantizedEmbedding` with these rows.

        Example:
            >>> nn.Embedding(10, 64).to_quantized()
            QuantizedEmbedding(10, 64, group_size=64, bits=4, mode=affine)
        """
        from mlx_go.nn.layers.quantized import QuantizedEmbedding

        if quantize_input:
            raise ValueError("An embedding has no input that could be quantized")
        return QuantizedEmbedding.from_embedding(self, group_size, bits, mode)
