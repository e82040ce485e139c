"""Activation functions, and the modules that call them.

All functions act element by element (``softmax`` and its kin along one axis),
keep the shape, and keep a floating dtype.
"""

from __future__ import annotations

import math
from typing import Any

import mlx_go.core as mx
from mlx_go.nn import _halves
from mlx_go.nn.layers.base import Module

_SQRT_2 = math.sqrt(2)
_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)


def sigmoid(x: mx.array) -> mx.array:
    r"""Sigmoid: :math:`1 / (1 + e^{-x})`.

    Example:
        >>> nn.sigmoid(mx.array([0.0]))
        array([0.5], dtype=float32)
    """
    return mx.sigmoid(x)


def relu(x: mx.array) -> mx.array:
    """Rectified linear unit: ``maximum(x, 0)``.

    Example:
        >>> nn.relu(mx.array([-1.0, 2.0]))
        array([0, 2], dtype=float32)
    """
    return mx.maximum(x, 0)


def relu2(x: mx.array) -> mx.array:
    """Squared rectified linear unit: ``maximum(x, 0) ** 2``.

    Example:
        >>> nn.relu2(mx.array([-1.0, 3.0]))
        array([0, 9], dtype=float32)
    """
    return mx.square(mx.maximum(x, 0))


def relu6(x: mx.array) -> mx.array:
    """Rectified linear unit with a ceiling: ``minimum(maximum(x, 0), 6)``.

    Example:
        >>> nn.relu6(mx.array([-1.0, 9.0]))
        array([0, 6], dtype=float32)
    """
    return mx.minimum(mx.maximum(x, 0), 6.0)


def leaky_relu(x: mx.array, negative_slope: float = 0.01) -> mx.array:
    """Leaky rectified linear unit: ``maximum(negative_slope * x, x)``.

    Example:
        >>> nn.leaky_relu(mx.array([-1.0, 2.0]), 0.5)
        array([-0.5, 2], dtype=float32)
    """
    return mx.maximum(negative_slope * x, x)


def elu(x: mx.array, alpha: float = 1.0) -> mx.array:
    r"""Exponential linear unit: ``x`` where positive, else :math:`\alpha (e^x - 1)`.

    Example:
        >>> nn.elu(mx.array([0.0, 2.0]))
        array([0, 2], dtype=float32)
    """
    # The minimum keeps exp from overflowing on the branch that is not taken,
    # which would make the gradient of large inputs NaN.
    return mx.where(x > 0, x, alpha * mx.expm1(mx.minimum(x, 0)))


def celu(x: mx.array, alpha: float = 1.0) -> mx.array:
    r"""Continuously differentiable ELU (arXiv:1704.07483).

    :math:`\max(0, x) + \min(0, \alpha (e^{x / \alpha} - 1))`

    Example:
        >>> nn.celu(mx.array([0.0, 2.0]))
        array([0, 2], dtype=float32)
    """
    return mx.maximum(x, 0.0) + alpha * mx.expm1(mx.minimum(x, 0.0) / alpha)


def selu(x: mx.array) -> mx.array:
    """Scaled ELU (arXiv:1706.02515) with its constants 1.0507 and 1.67326.

    Example:
        >>> nn.selu(mx.array([0.0, 1.0]))
        array([0, 1.0507], dtype=float32)
    """
    return elu(x, 1.67326) * 1.0507


def silu(x: mx.array) -> mx.array:
    """Sigmoid linear unit, also known as Swish: ``x * sigmoid(x)``.

    Example:
        >>> nn.silu(mx.array([0.0]))
        array([0], dtype=float32)
    """
    return x * mx.sigmoid(x)


def log_sigmoid(x: mx.array) -> mx.array:
    r"""Logarithm of the sigmoid: :math:`-\log(1 + e^{-x})`.

    Example:
        >>> nn.log_sigmoid(mx.array([0.0]))
        array([-0.693147], dtype=float32)
    """
    return -softplus(-x)


def softplus(x: mx.array) -> mx.array:
    r"""Softplus: :math:`\log(1 + e^x)`.

    Example:
        >>> nn.softplus(mx.array([0.0]))
        array([0.693147], dtype=float32)
    """
    return mx.logaddexp(x, 0)


def softsign(x: mx.array) -> mx.array:
    """Softsign: ``x / (1 + abs(x))``.

    Example:
        >>> nn.softsign(mx.array([1.0]))
        array([0.5], dtype=float32)
    """
    return mx.divide(x, 1 + mx.abs(x))


def softshrink(x: mx.array, lambd: float = 0.5) -> mx.array:
    """Soft shrinkage: move ``x`` towards 0 by ``lambd``, stopping at 0.

    Example:
        >>> nn.softshrink(mx.array([-2.0, 0.1, 2.0]))
        array([-1.5, 0, 1.5], dtype=float32)
    """
    return mx.where(mx.abs(x) > lambd, x - mx.sign(x) * lambd, 0)


def hard_shrink(x: mx.array, lambd: float = 0.5) -> mx.array:
    """Hard shrinkage: ``x`` where ``abs(x) > lambd``, else 0.

    Example:
        >>> nn.hard_shrink(mx.array([-2.0, 0.1, 2.0]))
        array([-2, 0, 2], dtype=float32)
    """
    return mx.where(mx.abs(x) > lambd, x, 0)


def hard_tanh(x: mx.array, min_val: float = -1.0, max_val: float = 1.0) -> mx.array:
    """Clip ``x`` to ``[min_val, max_val]``.

    Example:
        >>> nn.hard_tanh(mx.array([-2.0, 0.5]))
        array([-1, 0.5], dtype=float32)
    """
    return mx.minimum(mx.maximum(x, min_val), max_val)


def hardswish(x: mx.array) -> mx.array:
    """Piecewise linear Swish (arXiv:1905.02244): ``x * minimum(maximum(x + 3, 0), 6) / 6``.

    Example:
        >>> nn.hardswish(mx.array([-4.0, 3.0]))
        array([-0, 3], dtype=float32)
    """
    return x * mx.minimum(mx.maximum(x + 3, 0), 6) / 6


def mish(x: mx.array) -> mx.array:
    """Mish (arXiv:1908.08681): ``x * tanh(softplus(x))``.

    Example:
        >>> nn.mish(mx.array([0.0]))
        array([0], dtype=float32)
    """
    return x * mx.tanh(softplus(x))


def tanh(x: mx.array) -> mx.array:
    """Hyperbolic tangent.

    Example:
        >>> nn.tanh(mx.array([0.0]))
        array([0], dtype=float32)
    """
    return mx.tanh(x)


def gelu(x: mx.array) -> mx.array:
    r"""Gaussian error linear unit (arXiv:1606.08415): :math:`x \Phi(x)`.

    :math:`\Phi` is the distribution function of the standard normal.

    Example:
        >>> nn.gelu(mx.array([0.0]))
        array([0], dtype=float32)
    """
    return x * (1 + mx.erf(x / _SQRT_2)) / 2


def gelu_approx(x: mx.array) -> mx.array:
    """GELU by its tanh approximation, within 0.0005 for inputs in [-6, 6].

    Example:
        >>> nn.gelu_approx(mx.array([0.0]))
        array([0], dtype=float32)
    """
    return 0.5 * x * (1 + mx.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * x**3)))


def gelu_fast_approx(x: mx.array) -> mx.array:
    """GELU as ``x * sigmoid(1.702 * x)``, within 0.015 for inputs in [-6, 6].

    Example:
        >>> nn.gelu_fast_approx(mx.array([0.0]))
        array([0], dtype=float32)
    """
    return x * mx.sigmoid(1.702 * x)


def prelu(x: mx.array, alpha: mx.array) -> mx.array:
    """Parametric ReLU: ``maximum(0, x) + alpha * minimum(0, x)``.

    Example:
        >>> nn.prelu(mx.array([-2.0, 2.0]), mx.array([0.5]))
        array([-1, 2], dtype=float32)
    """
    return mx.maximum(0, x) + alpha * mx.minimum(0, x)


def step(x: mx.array, threshold: float = 0.0) -> mx.array:
    """Return 1 (int32) where ``x >= threshold``, else 0.

    Example:
        >>> nn.step(mx.array([-2.0, 0.0]))
        array([0, 1], dtype=int32)
    """
    return mx.where(x >= threshold, 1, 0)


def softmax(x: mx.array, axis: int | list[int] = -1) -> mx.array:
    """Softmax along ``axis``.

    Example:
        >>> nn.softmax(mx.array([0.0, 0.0]))
        array([0.5, 0.5], dtype=float32)
    """
    return mx.softmax(x, axis=axis)


def softmin(x: mx.array, axis: int | list[int] = -1) -> mx.array:
    """Softmax of ``-x`` along ``axis``.

    Example:
        >>> nn.softmin(mx.array([0.0, 0.0]))
        array([0.5, 0.5], dtype=float32)
    """
    return mx.softmax(-x, axis=axis)


def log_softmax(x: mx.array, axis: int | list[int] = -1) -> mx.array:
    """Logarithm of the softmax along ``axis``, computed without underflow, in float32 for halves.

    Example:
        >>> nn.log_softmax(mx.array([0.0, 0.0]))
        array([-0.693147, -0.693147], dtype=float32)
    """
    z = _halves.below_greatest(_halves.widened(x), axis)
    return _halves.rounded(z - mx.logsumexp(z, axis=axis, keepdims=True), x)


def glu(x: mx.array, axis: int = -1) -> mx.array:
    """Gated linear unit (arXiv:1612.08083): halve ``x`` to ``a, b``; ``a * sigmoid(b)``.

    Example:
        >>> nn.glu(mx.array([2.0, 0.0]))
        array([1], dtype=float32)
    """
    a, b = mx.split(x, indices_or_sections=2, axis=axis)
    return a * mx.sigmoid(b)


class Sigmoid(Module):
    """Applies :func:`sigmoid`."""

    def __call__(self, x: mx.array) -> mx.array:
        return sigmoid(x)


class Mish(Module):
    """Applies :func:`mish`."""

    def __call__(self, x: mx.array) -> mx.array:
        return mish(x)


class ReLU(Module):
    """Applies :func:`relu`."""

    def __call__(self, x: mx.array) -> mx.array:
        return relu(x)


class ReLU2(Module):
    """Applies :func:`relu2`."""

    def __call__(self, x: mx.array) -> mx.array:
        return relu2(x)


class ReLU6(Module):
    """Applies :func:`relu6`."""

    def __call__(self, x: mx.array) -> mx.array:
        return relu6(x)


class Softmax(Module):
    """Applies :func:`softmax` along the last axis."""

    def __call__(self, x: mx.array) -> mx.array:
        return softmax(x)


class Softmin(Module):
    """Applies :func:`softmin` along the last axis."""

    def __call__(self, x: mx.array) -> mx.array:
        return softmin(x)


class LogSoftmax(Module):
    """Applies :func:`log_softmax` along the last axis."""

    def __call__(self, x: mx.array) -> mx.array:
        return log_softmax(x)


class Softplus(Module):
    """Applies :func:`softplus`."""

    def __call__(self, x: mx.array) -> mx.array:
        return softplus(x)


class Softsign(Module):
    """Applies :func:`softsign`."""

    def __call__(self, x: mx.array) -> mx.array:
        return softsign(x)


class SiLU(Module):
    """Applies :func:`silu`."""

    def __call__(self, x: mx.array) -> mx.array:
        return silu(x)


class LogSigmoid(Module):
    """Applies :func:`log_sigmoid`."""

    def __call__(self, x: mx.array) -> mx.array:
        return log_sigmoid(x)


class Hardswish(Module):
    """Applies :func:`hardswish`."""

    def __call__(self, x: mx.array) -> mx.array:
        return hardswish(x)


class HardTanh(Module):
    """Applies :func:`hard_tanh` with the limits -1 and 1."""

    def __call__(self, x: mx.array) -> mx.array:
        return hard_tanh(x)


class SELU(Module):
    """Applies :func:`selu`."""

    def __call__(self, x: mx.array) -> mx.array:
        return selu(x)


class Tanh(Module):
    """Applies :func:`tanh`."""

    def __call__(self, x: mx.array) -> mx.array:
        return tanh(x)


class GLU(Module):
    """Applies :func:`glu`.

    Args:
        axis: The axis to halve.
    """

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def __call__(self, x: mx.array) -> Any:
        return glu(x, axis=self.axis)


class LeakyReLU(Module):
    """Applies :func:`leaky_relu`.

    Args:
        negative_slope: The slope for negative inputs.
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self._negative_slope = negative_slope

    def __call__(self, x: mx.array) -> mx.array:
        return leaky_relu(x, self._negative_slope)


class ELU(Module):
    """Applies :func:`elu`.

    Args:
        alpha: The limit for negative inputs, with its sign changed.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self._alpha = alpha

    def __call__(self, x: mx.array) -> mx.array:
        return elu(x, self._alpha)


class CELU(Module):
    """Applies :func:`celu`.

    Args:
        alpha: The limit for negative inputs, with its sign changed.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self._alpha = alpha

    def __call__(self, x: mx.array) -> mx.array:
        return celu(x, self._alpha)


class Softshrink(Module):
    """Applies :func:`softshrink`.

    Args:
        lambd: How far inputs are moved towards 0.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def __call__(self, x: mx.array) -> mx.array:
        return softshrink(x, self.lambd)


class HardShrink(Module):
    """Applies :func:`hard_shrink`.

    Args:
        lambd: Inputs no larger than this in magnitude become 0.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def __call__(self, x: mx.array) -> mx.array:
        return hard_shrink(x, self.lambd)


class Step(Module):
    """Applies :func:`step`.

    Args:
        threshold: The smallest input that gives 1.
    """

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__()
        self.threshold = threshold

    def __call__(self, x: mx.array) -> mx.array:
        return step(x, self.threshold)


class PReLU(Module):
    """Applies :func:`prelu` with a learned slope.

    Args:
        num_parameters: The number of slopes: 1, or the size of the last axis.
        init: The initial slope.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.weight = mx.full([num_parameters], init)

    def __call__(self, x: mx.array) -> mx.array:
        return prelu(x, self["weight"])


_GELU_VARIANTS = {
    "none": gelu,
    "precise": gelu_approx,
    "tanh": gelu_approx,
    "fast": gelu_fast_approx,
}


class GELU(Module):
    """Applies :func:`gelu` or one of its approximations.

    Args:
        approx: ``"none"``, ``"precise"`` or ``"tanh"`` (both :func:`gelu_approx`),
            or ``"fast"`` (:func:`gelu_fast_approx`).
    """

    def __init__(self, approx: str = "none") -> None:
        super().__init__()
        if approx not in _GELU_VARIANTS:
            raise ValueError(f"The approximation should be in {list(_GELU_VARIANTS)} but '{approx}' was given")
        self._approx = approx

    def __call__(self, x: mx.array) -> mx.array:
        return _GELU_VARIANTS[self._approx](x)
