"""Multi-head attention and the Transformer built from it (arXiv:1706.03762)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mlx_go.core as mx
from mlx_go.nn.layers.activations import relu
from mlx_go.nn.layers.base import Module
from mlx_go.nn.layers.dropout import Dropout
from mlx_go.nn.layers.linear import Linear
from mlx_go.nn.layers.normalization import LayerNorm


def _attention(q: mx.array, k: mx.array, v: mx.array, scale: float, mask: mx.array | None) -> mx.array:
    """Softmax(q k^T scale + mask) v for heads of shape (N, heads, L, D)."""
    if hasattr(mx.fast, "scaled_dot_product_attention"):
        return mx.fast.scaled_dot_product_attention(q, k, v, scale=scale, mask=mask)
    scores = (q * scale) @ k.swapaxes(-1, -2)
    if mask is not None:
        if mask.dtype == mx.bool_:
            scores = mx.where(mask, scores, mx.array(-mx.inf, dtype=scores.dtype))
        else:
            scores = scores + mask
    return mx.softmax(scores, axis=-1, precise=True) @ v


class MultiHeadAttention(Module):
    """Scaled dot product attention with several heads.

    Queries, keys, values and the output each pass through a linear layer. Inputs have
    shape ``(N, L, D)``; the output has the length of the queries.

    Args:
        dims: The model size; the default of all other sizes.
        num_heads: The number of heads.
        query_input_dims: The size of the queries given.
        key_input_dims: The size of the keys given.
        value_input_dims: The size of the values given. Default: ``key_input_dims``.
        value_dims: The size of the values attended over.
        value_output_dims: The size of the output.
        bias: Whether the linear layers have biases.

    Example:
        >>> x = mx.zeros((2, 5, 8))
        >>> nn.MultiHeadAttention(8, num_heads=2)(x, x, x).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        dims: int,
        num_heads: int,
        query_input_dims: int | None = None,
        key_input_dims: int | None = None,
        value_input_dims: int | None = None,
        value_dims: int | None = None,
        value_output_dims: int | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if dims % num_heads != 0:
            raise ValueError(
                f"The input feature dimensions should be divisible by the number of heads ({dims} % {num_heads}) != 0"
            )
        query_input_dims = query_input_dims or dims
        key_input_dims = key_input_dims or dims
        value_input_dims = value_input_dims or key_input_dims
        value_dims = value_dims or dims
        value_output_dims = value_output_dims or dims
        self.num_heads = num_heads
        self.query_proj = Linear(query_input_dims, dims, bias=bias)
        self.key_proj = Linear(key_input_dims, dims, bias=bias)
        self.value_proj = Linear(value_input_dims, value_dims, bias=bias)
        self.out_proj = Linear(value_dims, value_output_dims, bias=bias)

    def _heads(self, x: mx.array) -> mx.array:
        batch, length, dims = x.shape
        heads = self.num_heads
        return x.reshape(batch, length, heads, dims // heads).transpose(0, 2, 1, 3)

    def __call__(
        self,
        queries: mx.array,
        keys: mx.array,
        values: mx.array,
        mask: mx.array | None = None,
    ) -> mx.array:
        """Attend.

        Args:
            queries: Shape ``(N, L_q, query_input_dims)``.
            keys: Shape ``(N, L_k, key_input_dims)``.
            values: Shape ``(N, L_k, value_input_dims)``.
            mask: Added to the scores, broadcast to ``(N, heads, L_q, L_k)``; or boolean,
                ``True`` where attention is allowed.

        Returns:
            An array of shape ``(N, L_q, value_output_dims)``.
        """
        q = self._heads(self.query_proj(queries))
        k = self._heads(self.key_proj(keys))
        v = self._heads(self.value_proj(values))
        y = _attention(q, k, v, math.sqrt(1 / q.shape[-1]), mask)
        y = y.transpose(0, 2, 1, 3)
        return self.out_proj(y.reshape(*y.shape[:2], -1))

    @staticmethod
    def create_additive_causal_mask(N: int, dtype: mx.Dtype = mx.float32) -> mx.array:
        """Return an ``(N, N)`` mask that hides keys after the query.

        Hidden positions hold the lowest finite value of ``dtype``: with minus infinity a
        row that is hidden entirely would become NaN.

        Example:
            >>> nn.MultiHeadAttention.create_additive_causal_mask(2)[1]
            array([-0, -0], dtype=float32)
        """
        index = mx.arange(N)
        hidden = mx.expand_dims(index, 1) < mx.expand_dims(index, 0)
        return hidden.astype(dtype) * mx.finfo(dtype).min


class TransformerEncoderLayer(Module):
    """Self-attention and a two-layer MLP, each with a residual and layer normalization.

    Args:
        dims: The model size.
        num_heads: The number of attention heads.
        mlp_dims: The hidden size of the MLP. Default: ``4 * dims``.
        dropout: The probability of :class:`Dropout`.
        activation: The activation of the MLP.
        norm_first: Whether to normalize before each block instead of after it.

    Example:
        >>> nn.TransformerEncoderLayer(8, 2)(mx.zeros((2, 5, 8)), None).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        dims: int,
        num_heads: int,
        mlp_dims: int | None = None,
        dropout: float = 0.0,
        activation: Callable[[Any], Any] = relu,
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        mlp_dims = mlp_dims or dims * 4
        self.attention = MultiHeadAttention(dims, num_heads)
        self.ln1 = LayerNorm(dims)
        self.ln2 = LayerNorm(dims)
        self.linear1 = Linear(dims, mlp_dims)
        self.linear2 = Linear(mlp_dims, dims)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation
        self.norm_first = norm_first

    def _mlp(self, x: mx.array) -> mx.array:
        return self.linear2(self.dropout2(self.activation(self.linear1(x))))

    def __call__(self, x: mx.array, mask: mx.array | None) -> mx.array:
        """Encode ``x`` of shape ``(N, L, dims)`` under an attention mask."""
        if self.norm_first:
            y = self.ln1(x)
            x = x + self.dropout1(self.attention(y, y, y, mask))
            return x + self._mlp(self.ln2(x))
        x = self.ln1(x + self.dropout1(self.attention(x, x, x, mask)))
        return self.ln2(x + self._mlp(x))


class TransformerEncoder(Module):
    """A stack of :class:`TransformerEncoderLayer` and a final layer normalization.

    Args:
        num_layers: The number of layers.
        dims: The model size.
        num_heads: The number of attention heads.
        mlp_dims: The hidden size of the MLPs. Default: ``4 * dims``.
        dropout: The probability of :class:`Dropout`.
        activation: The activation of the MLPs.
        norm_first: Whether to normalize before each block instead of after it.
        checkpoint: Whether to recompute each layer in the backward pass to save memory.

    Example:
        >>> nn.TransformerEncoder(2, 8, 2)(mx.zeros((2, 5, 8)), None).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        num_layers: int,
        dims: int,
        num_heads: int,
        mlp_dims: int | None = None,
        dropout: float = 0.0,
        activation: Callable[[Any], Any] = relu,
        norm_first: bool = True,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.layers = [
            TransformerEncoderLayer(dims, num_heads, mlp_dims, dropout, activation, norm_first)
            for _ in range(num_layers)
        ]
        self.ln = LayerNorm(dims)
        self.checkpoint = checkpoint

    def __call__(self, x: mx.array, mask: mx.array | None) -> mx.array:
        """Encode ``x`` of shape ``(N, L, dims)`` under an attention mask."""
        for layer in self.layers:
            x = _maybe_checkpoint(layer, self.checkpoint)(x, mask)
        return self.ln(x)


class TransformerDecoderLayer(Module):
    """Self-attention, attention to a memory, and a two-layer MLP, each with a residual.

    Args:
        dims: The model size.
        num_heads: The number of attention heads.
        mlp_dims: The hidden size of the MLP. Default: ``4 * dims``.
        dropout: The probability of :class:`Dropout`.
        activation: The activation of the MLP.
        norm_first: Whether to normalize before each block instead of after it.

    Example:
        >>> layer = nn.TransformerDecoderLayer(8, 2)
        >>> layer(mx.zeros((2, 5, 8)), mx.zeros((2, 3, 8)), None, None).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        dims: int,
        num_heads: int,
        mlp_dims: int | None = None,
        dropout: float = 0.0,
        activation: Callable[[Any], Any] = relu,
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        mlp_dims = mlp_dims or dims * 4
        self.self_attention = MultiHeadAttention(dims, num_heads)
        self.cross_attention = MultiHeadAttention(dims, num_heads)
        self.ln1 = LayerNorm(dims)
        self.ln2 = LayerNorm(dims)
        self.ln3 = LayerNorm(dims)
        self.linear1 = Linear(dims, mlp_dims)
        self.linear2 = Linear(mlp_dims, dims)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = activation
        self.norm_first = norm_first

    def _mlp(self, x: mx.array) -> mx.array:
        return self.linear2(self.dropout3(self.activation(self.linear1(x))))

    def __call__(
        self,
        x: mx.array,
        memory: mx.array,
        x_mask: mx.array | None,
        memory_mask: mx.array | None,
    ) -> mx.array:
        """Decode ``x`` of shape ``(N, L, dims)`` with ``memory`` of shape ``(N, M, dims)``."""
        if self.norm_first:
            y = self.ln1(x)
            x = x + self.dropout1(self.self_attention(y, y, y, x_mask))
            y = self.ln2(x)
            x = x + self.dropout2(self.cross_attention(y, memory, memory, memory_mask))
            return x + self._mlp(self.ln3(x))
        x = self.ln1(x + self.dropout1(self.self_attention(x, x, x, x_mask)))
        x = self.ln2(x + self.dropout2(self.cross_attention(x, memory, memory, memory_mask)))
        return self.ln3(x + self._mlp(x))


class TransformerDecoder(Module):
    """A stack of :class:`TransformerDecoderLayer` and a final layer normalization.

    Args:
        num_layers: The number of layers.
        dims: The model size.
        num_heads: The number of attention heads.
        mlp_dims: The hidden size of the MLPs. Default: ``4 * dims``.
        dropout: The probability of :class:`Dropout`.
        activation: The activation of the MLPs.
        norm_first: Whether to normalize before each block instead of after it.
        checkpoint: Whether to recompute each layer in the backward pass to save memory.

    Example:
        >>> decoder = nn.TransformerDecoder(1, 8, 2)
        >>> decoder(mx.zeros((2, 5, 8)), mx.zeros((2, 3, 8)), None, None).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        num_layers: int,
        dims: int,
        num_heads: int,
        mlp_dims: int | None = None,
        dropout: float = 0.0,
        activation: Callable[[Any], Any] = relu,
        norm_first: bool = True,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.layers = [
            TransformerDecoderLayer(dims, num_heads, mlp_dims, dropout, activation, norm_first)
            for _ in range(num_layers)
        ]
        self.ln = LayerNorm(dims)
        self.checkpoint = checkpoint

    def __call__(
        self,
        x: mx.array,
        memory: mx.array,
        x_mask: mx.array | None,
        memory_mask: mx.array | None,
    ) -> mx.array:
        """Decode ``x`` of shape ``(N, L, dims)`` with ``memory`` of shape ``(N, M, dims)``."""
        for layer in self.layers:
            x = _maybe_checkpoint(layer, self.checkpoint)(x, memory, x_mask, memory_mask)
        return self.ln(x)


class Transformer(Module):
    """Encoder and decoder.

    Args:
        dims: The model size.
        num_heads: The number of attention heads.
        num_encoder_layers: The number of encoder layers.
        num_decoder_layers: The number of decoder layers.
        mlp_dims: The hidden size of the MLPs. Default: ``4 * dims``.
        dropout: The probability of :class:`Dropout`.
        activation: The activation of the MLPs.
        custom_encoder: A module to use as encoder.
        custom_decoder: A module to use as decoder.
        norm_first: Whether to normalize before each block instead of after it.
        checkpoint: Whether to recompute each layer in the backward pass to save memory.

    Example:
        >>> model = nn.Transformer(8, 2, 1, 1)
        >>> model(mx.zeros((2, 3, 8)), mx.zeros((2, 5, 8)), None, None, None).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        dims: int = 512,
        num_heads: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        mlp_dims: int | None = None,
        dropout: float = 0.0,
        activation: Callable[[Any], Any] = relu,
        custom_encoder: Any | None = None,
        custom_decoder: Any | None = None,
        norm_first: bool = True,
        checkpoint: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = (
            TransformerEncoder(
                num_encoder_layers,
                dims,
                num_heads,
                mlp_dims,
                dropout,
                activation,
                norm_first,
                checkpoint,
            )
            if custom_encoder is None
            else custom_encoder
        )
        self.decoder = (
            TransformerDecoder(
                num_decoder_layers,
                dims,
                num_heads,
                mlp_dims,
                dropout,
                activation,
                norm_first,
                checkpoint,
            )
            if custom_decoder is None
            else custom_decoder
        )

    def __call__(
        self,
        src: mx.array,
        tgt: mx.array,
        src_mask: mx.array | None,
        tgt_mask: mx.array | None,
        memory_mask: mx.array | None,
    ) -> mx.array:
        """Encode ``src`` and decode ``tgt`` with it; both of shape ``(N, L, dims)``."""
        return self.decoder(tgt, self.encoder(src, src_mask), tgt_mask, memory_mask)


def _maybe_checkpoint(layer: Module, enabled: bool) -> Callable:
    if not enabled:
        return layer
    # Imported late: nn.utils needs the base module of this package.
    from mlx_go.nn.utils import checkpoint

    return checkpoint(layer)
