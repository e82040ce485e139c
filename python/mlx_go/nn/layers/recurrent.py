"""Recurrent layers over sequences of shape ``(..., L, D)``."""

from __future__ import annotations

import math
from collections.abc import Callable

import mlx_go.core as mx
from mlx_go.nn.layers.activations import tanh
from mlx_go.nn.layers.base import Module


def _uniform(scale: float, *shape: int) -> mx.array:
    return mx.random.uniform(low=-scale, high=scale, shape=shape)


def _check(x: mx.array, weight: mx.array, name: str) -> None:
    if x.ndim < 2 or x.shape[-1] != weight.shape[-1]:
        raise ValueError(f"[{name}] expected an input of shape (..., L, {weight.shape[-1]}) but got shape {x.shape}.")


def _stack(steps: list[mx.array], x: mx.array, size: int) -> mx.array:
    if not steps:
        return mx.zeros((*x.shape[:-1], size), dtype=x.dtype)
    return mx.stack(steps, axis=-2)


class RNN(Module):
    r"""Elman recurrent layer: :math:`h_{t+1} = \tanh(W_{xh} x_t + W_{hh} h_t + b)`.

    Inputs have shape ``(N, L, D)`` or ``(L, D)``; the result holds the hidden state of
    every step, with shape ``(N, L, H)`` or ``(L, H)``.

    Args:
        input_size: The size ``D`` of the input.
        hidden_size: The size ``H`` of the hidden state.
        bias: Whether to add a bias.
        nonlinearity: What to apply instead of :func:`tanh`.

    Example:
        >>> nn.RNN(3, 4)(mx.zeros((2, 5, 3))).shape
        (2, 5, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Callable | None = None,
    ) -> None:
        super().__init__()
        nonlinearity = tanh if nonlinearity is None else nonlinearity
        if not callable(nonlinearity):
            raise ValueError(f"Nonlinearity must be callable. Current value: {nonlinearity}.")
        self.nonlinearity = nonlinearity
        self.hidden_size = hidden_size
        scale = 1.0 / math.sqrt(hidden_size)
        self.Wxh = _uniform(scale, hidden_size, input_size)
        self.Whh = _uniform(scale, hidden_size, hidden_size)
        self.bias = _uniform(scale, hidden_size) if bias else None

    def _extra_repr(self) -> str:
        return (
            f"input_dims={self.Wxh.shape[1]}, hidden_size={self.hidden_size}, "
            f"nonlinearity={self.nonlinearity}, bias={self.bias is not None}"
        )

    def __call__(self, x: mx.array, hidden: mx.array | None = None) -> mx.array:
        """Return the hidden states, starting from ``hidden`` (default: zeros)."""
        _check(x, self.Wxh, "RNN")
        bias, recurrent, nonlinearity = self.bias, self.Whh.T, self.nonlinearity
        # The input's share of all steps is one product.
        xs = x @ self.Wxh.T if bias is None else mx.addmm(bias, x, self.Wxh.T)
        steps = []
        for t in range(x.shape[-2]):
            h = xs[..., t, :]
            if hidden is not None:
                h = h + hidden @ recurrent
            hidden = nonlinearity(h)
            steps.append(hidden)
        return _stack(steps, x, self.hidden_size)


class GRU(Module):
    r"""Gated recurrent unit (arXiv:1406.1078).

    .. math::

        r &= \sigma(W_{xr} x_t + W_{hr} h_t + b_r) \\
        z &= \sigma(W_{xz} x_t + W_{hz} h_t + b_z) \\
        n &= \tanh(W_{xn} x_t + b_n + r (W_{hn} h_t + b_{hn})) \\
        h_{t+1} &= (1 - z) n + z h_t

    Inputs have shape ``(N, L, D)`` or ``(L, D)``; the result holds the hidden state of
    every step, with shape ``(N, L, H)`` or ``(L, H)``.

    Args:
        input_size: The size ``D`` of the input.
        hidden_size: The size ``H`` of the hidden state.
        bias: Whether to add biases.

    Example:
        >>> nn.GRU(3, 4)(mx.zeros((2, 5, 3))).shape
        (2, 5, 4)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        scale = 1.0 / math.sqrt(hidden_size)
        self.Wx = _uniform(scale, 3 * hidden_size, input_size)
        self.Wh = _uniform(scale, 3 * hidden_size, hidden_size)
        self.b = _uniform(scale, 3 * hidden_size) if bias else None
        self.bhn = _uniform(scale, hidden_size) if bias else None

    def _extra_repr(self) -> str:
        return f"input_dims={self.Wx.shape[1]}, hidden_size={self.hidden_size}, bias={self.b is not None}"

    def __call__(self, x: mx.array, hidden: mx.array | None = None) -> mx.array:
        """Return the hidden states, starting from ``hidden`` (default: zeros)."""
        _check(x, self.Wx, "GRU")
        size, bias, bhn, recurrent = self.hidden_size, self.b, self.bhn, self.Wh.T
        xs = x @ self.Wx.T if bias is None else mx.addmm(bias, x, self.Wx.T)
        x_rz, x_n = xs[..., : 2 * size], xs[..., 2 * size :]
        steps = []
        for t in range(x.shape[-2]):
            rz, n = x_rz[..., t, :], x_n[..., t, :]
            h_n: mx.array | None = bhn
            if hidden is not None:
                h = hidden @ recurrent
                rz = rz + h[..., : 2 * size]
                h_n = h[..., 2 * size :] if bhn is None else h[..., 2 * size :] + bhn
            r, z = mx.split(mx.sigmoid(rz), 2, axis=-1)
            n = mx.tanh(n if h_n is None else n + r * h_n)
            hidden = (1 - z) * n if hidden is None else (1 - z) * n + z * hidden
            steps.append(hidden)
        return _stack(steps, x, size)


class LSTM(Module):
    r"""Long short-term memory.

    .. math::

        i &= \sigma(W_{xi} x_t + W_{hi} h_t + b_i) \\
        f &= \sigma(W_{xf} x_t + W_{hf} h_t + b_f) \\
        g &= \tanh(W_{xg} x_t + W_{hg} h_t + b_g) \\
        o &= \sigma(W_{xo} x_t + W_{ho} h_t + b_o) \\
        c_{t+1} &= f c_t + i g \\
        h_{t+1} &= o \tanh(c_{t+1})

    Inputs have shape ``(N, L, D)`` or ``(L, D)``. The result is a pair: the hidden and
    the cell states of every step, each of shape ``(N, L, H)`` or ``(L, H)``.

    Args:
        input_size: The size ``D`` of the input.
        hidden_size: The size ``H`` of the states.
        bias: Whether to add a bias.

    Example:
        >>> hidden, cell = nn.LSTM(3, 4)(mx.zeros((2, 5, 3)))
        >>> hidden.shape, cell.shape
        ((2, 5, 4), (2, 5, 4))
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        scale = 1.0 / math.sqrt(hidden_size)
        self.Wx = _uniform(scale, 4 * hidden_size, input_size)
        self.Wh = _uniform(scale, 4 * hidden_size, hidden_size)
        self.bias = _uniform(scale, 4 * hidden_size) if bias else None

    def _extra_repr(self) -> str:
        return f"input_dims={self.Wx.shape[1]}, hidden_size={self.hidden_size}, bias={self.bias is not None}"

    def __call__(
        self,
        x: mx.array,
        hidden: mx.array | None = None,
        cell: mx.array | None = None,
    ) -> tuple[mx.array, mx.array]:
        """Return the hidden and cell states, starting from ``hidden`` and ``cell``."""
        _check(x, self.Wx, "LSTM")
        bias, recurrent = self.bias, self.Wh.T
        xs = x @ self.Wx.T if bias is None else mx.addmm(bias, x, self.Wx.T)
        hiddens, cells = [], []
        for t in range(x.shape[-2]):
            gates = xs[..., t, :]
            if hidden is not None:
                gates = gates + hidden @ recurrent
            i, f, g, o = mx.split(gates, 4, axis=-1)
            new = mx.sigmoid(i) * mx.tanh(g)
            cell = new if cell is None else mx.sigmoid(f) * cell + new
            hidden = mx.sigmoid(o) * mx.tanh(cell)
            hiddens.append(hidden)
            cells.append(cell)
        size = self.hidden_size
        return _stack(hiddens, x, size), _stack(cells, x, size)
