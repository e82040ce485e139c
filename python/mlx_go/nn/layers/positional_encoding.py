"""Encodings of position for attention."""

from __future__ import annotations

import math

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module


def _rotate(x: mx.array, dims: int, traditional: bool, base: float, scale: float, offset: int | mx.array) -> mx.array:
    """Rotary embedding from elementwise operations."""
    half = dims // 2
    positions = mx.arange(x.shape[-2], dtype=mx.float32)
    if isinstance(offset, mx.array):
        # One offset for all, or one per row of the batch.
        shape = (-1, *([1] * (x.ndim - 2))) if offset.ndim else ()
        positions = positions + offset.reshape(shape)
    else:
        positions = positions + offset
    rates = mx.exp(mx.arange(half, dtype=mx.float32) * (-math.log(base) / half))
    theta = mx.expand_dims(positions * scale, -1) * rates
    cos, sin = mx.cos(theta), mx.sin(theta)
    if traditional:
        a, b = x[..., 0:dims:2], x[..., 1:dims:2]
    else:
        a, b = x[..., :half], x[..., half:dims]
    y1, y2 = a * cos - b * sin, a * sin + b * cos
    if traditional:
        y = mx.stack([y1, y2], axis=-1).reshape(*x.shape[:-1], dims)
    else:
        y = mx.concatenate([y1, y2], axis=-1)
    y = y.astype(x.dtype)
    return mx.concatenate([y, x[..., dims:]], axis=-1) if x.shape[-1] > dims else y


class RoPE(Module):
    """Rotary positional encoding (arXiv:2104.09864).

    Rotates pairs of features of an input of shape ``(..., L, D)`` by angles that grow
    with the position along ``L``.

    Args:
        dims: How many features are rotated; the rest are passed through.
        traditional: If ``True``, pairs are neighbors; otherwise they lie ``dims // 2``
            apart.
        base: The base of the angular frequencies.
        scale: Multiplies the positions.

    Example:
        >>> nn.RoPE(4)(mx.ones((1, 8, 10, 4)), offset=2).shape
        (1, 8, 10, 4)
    """

    def __init__(self, dims: int, traditional: bool = False, base: float = 10000, scale: float = 1.0) -> None:
        super().__init__()
        self.dims = dims
        self.traditional = traditional
        self.base = base
        self.scale = scale

    def _extra_repr(self) -> str:
        return f"{self.dims}, traditional={self.traditional}"

    def __call__(self, x: mx.array, offset: int | mx.array = 0) -> mx.array:
        """Rotate ``x``, whose first row is at position ``offset``."""
        if x.ndim < 3 or not 0 < self.dims <= x.shape[-1] or self.dims % 2:
            raise ValueError(
                f"[RoPE] expected an input of shape (N, ..., L, D) with D of at least dims, which is even, "
                f"but got shape {x.shape} and dims={self.dims}."
            )
        if hasattr(mx.fast, "rope"):
            return mx.fast.rope(
                x,
                self.dims,
                traditional=self.traditional,
                base=self.base,
                scale=self.scale,
                offset=offset,
            )
        return _rotate(x, self.dims, self.traditional, self.base, self.scale, offset)


class SinusoidalPositionalEncoding(Module):
    r"""Sines and cosines of positions ("Attention Is All You Need", arXiv:1706.03762).

    Positions of shape ``(...)`` give encodings of shape ``(..., dims)``.

    Args:
        dims: The size of the encoding, even.
        min_freq: The lowest frequency.
        max_freq: The highest frequency.
        scale: Multiplies the encoding. Default: :math:`\sqrt{2/\mathrm{dims}}`.
        cos_first: Whether cosines come before sines.
        full_turns: Whether frequencies are in full turns instead of radians.

    Example:
        >>> nn.SinusoidalPositionalEncoding(8)(mx.arange(5)).shape
        (5, 8)
    """

    def __init__(
        self,
        dims: int,
        min_freq: float = 0.0001,
        max_freq: float = 1,
        scale: float | None = None,
        cos_first: bool = False,
        full_turns: bool = False,
    ) -> None:
        super().__init__()
        if dims <= 0 or dims % 2:
            raise ValueError(f"[SinusoidalPositionalEncoding] dims must be positive and even but got {dims}.")
        half = dims // 2
        # Geometric from max_freq down to min_freq.
        fall = 1 - mx.arange(half) / max(half - 1, 1)
        low, high = math.log(min_freq), math.log(max_freq)
        sigmas = mx.exp(fall * (high - low) + low)
        if full_turns:
            sigmas = sigmas * (2 * math.pi)
        # The leading underscore keeps the table out of the parameters.
        self._sigmas = sigmas
        self.scale = math.sqrt(2 / dims) if scale is None else scale
        self.cos_first = cos_first

    def __call__(self, x: mx.array) -> mx.array:
        angles = mx.expand_dims(x, -1) * self["_sigmas"]
        cos, sin = mx.cos(angles), mx.sin(angles)
        y = mx.concatenate([cos, sin] if self.cos_first else [sin, cos], axis=-1)
        return y if self.scale == 1 else y * self.scale


class ALiBi(Module):
    """Attention with linear biases (arXiv:2108.12409).

    Adds to attention scores of shape ``(N, heads, L_q, L_k)`` a penalty that grows with
    the distance between query and key, at a slope of its own for every head.

    Example:
        >>> nn.ALiBi()(mx.zeros((1, 8, 4, 4))).shape
        (1, 8, 4, 4)
    """

    @staticmethod
    def create_alibi_matrix(
        q_sequence_length: int,
        k_sequence_length: int,
        num_heads: int,
        offset: int = 0,
        dtype: mx.Dtype = mx.float32,
    ) -> mx.array:
        """Return the biases, of shape ``(1, heads, q_sequence_length - offset, k_sequence_length)``.

        Args:
            q_sequence_length: One more than the position of the last query.
            k_sequence_length: The number of keys.
            num_heads: The number of heads.
            offset: The position of the first query.
            dtype: The dtype of the result.

        Example:
            >>> nn.ALiBi.create_alibi_matrix(1, 3, 1)
            array([[[[-0, -0.00390625, -0.0078125]]]], dtype=float32)
        """
        q = mx.arange(offset, q_sequence_length)
        k = mx.arange(0, k_sequence_length)
        distance = mx.abs(mx.expand_dims(q, -1) - mx.expand_dims(k, 0)).astype(dtype)
        return -distance.reshape(1, 1, *distance.shape) * ALiBi.create_alibi_slope(num_heads, dtype)

    @staticmethod
    def create_alibi_slope(num_heads: int, dtype: mx.Dtype = mx.float32) -> mx.array:
        """Return the slopes, of shape ``(heads, 1, 1)``.

        They are the powers of :math:`2^{-8/n}`; a number of heads that is not a power of
        two takes the slopes of the power below and every second one of the power above.

        Example:
            >>> nn.ALiBi.create_alibi_slope(2).flatten()
            array([0.0625, 0.00390625], dtype=float32)
        """
        power = 1 << (num_heads.bit_length() - 1)
        slopes = [2.0 ** (-8 * (i + 1) / power) for i in range(power)]
        slopes += [2.0 ** (-4 * (2 * i + 1) / power) for i in range(num_heads - power)]
        return mx.array(slopes, dtype=dtype).reshape(num_heads, 1, 1)

    def __call__(self, attention_scores: mx.array, offset: int = 0, mask: mx.array | None = None) -> mx.array:
        """Return the scores plus the biases, plus ``mask`` if given."""
        biases = ALiBi.create_alibi_matrix(
            q_sequence_length=attention_scores.shape[-2] + offset,
            k_sequence_length=attention_scores.shape[-1],
            num_heads=attention_scores.shape[1],
            offset=offset,
            dtype=attention_scores.dtype,
        )
        if mask is not None:
            biases = biases + mask
        return attention_scores + biases
