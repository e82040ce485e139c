"""The optimizers.

In the formulas, :math:`w` is a parameter, :math:`g` its gradient and :math:`\\lambda` the
learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import mlx_go.core as mx
from mlx_go.nn.layers.base import Module
from mlx_go.optimizers.base import MultiOptimizer, Optimizer, clip_grad_norm

__all__ = [
    "SGD",
    "AdaDelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Module",
    "MultiOptimizer",
    "Muon",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
]


def _shrink(optimizer: Optimizer, dtype: mx.Dtype, weight_decay: float) -> mx.array:
    """What decoupled weight decay leaves of a parameter."""
    return 1 - optimizer._rate(dtype) * weight_decay


class SGD(Optimizer):
    r"""Stochastic gradient descent.

    .. math::

        v &\leftarrow \mu v + (1 - \tau) g \\
        w &\leftarrow w - \lambda v

    Args:
        learning_rate: A number or a schedule.
        momentum: The strength :math:`\mu` of the momentum.
        weight_decay: Times ``w``, added to the gradient.
        dampening: The dampening :math:`\tau` of the momentum.
        nesterov: Whether to use Nesterov momentum.

    Example:
        >>> params, grads = {"w": mx.array([1.0])}, {"w": mx.array([0.5])}
        >>> optim.SGD(0.5).apply_gradients(grads, params)
        {'w': array([0.75], dtype=float32)}
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening.")
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.dampening = dampening
        self.nesterov = nesterov

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``v``."""
        state["v"] = mx.zeros_like(parameter)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        if self.weight_decay != 0:
            gradient = gradient + self.weight_decay * parameter
        rate = self._rate(gradient.dtype)
        if self.momentum <= 0:
            return parameter - rate * gradient
        v = self.momentum * state["v"]
        if self.dampening > 0:
            v = v + (1 - self.dampening) * gradient
        else:
            v = v + gradient
        state["v"] = v
        update = gradient + self.momentum * v if self.nesterov else v
        return parameter - rate * update


class RMSprop(Optimizer):
    r"""RMSprop (Tieleman and Hinton, 2012).

    .. math::

        v &\leftarrow \alpha v + (1 - \alpha) g^2 \\
        w &\leftarrow w - \lambda g / (\sqrt{v} + \epsilon)

    Args:
        learning_rate: A number or a schedule.
        alpha: The smoothing :math:`\alpha`.
        eps: Added to the denominator.

    Example:
        >>> optimizer = optim.RMSprop(learning_rate=0.01)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        alpha: float = 0.99,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.alpha = alpha
        self.eps = eps
        if alpha < 0.0:
            raise ValueError(f"RMSprop alpha should be >=0, {alpha} was provided instead")
        if eps < 0.0:
            raise ValueError(f"RMSprop epsilon should be >0, {eps} was provided instead")

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``v``."""
        state["v"] = mx.zeros_like(parameter)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        alpha = self.alpha
        v = state["v"] = alpha * state["v"] + (1 - alpha) * mx.square(gradient)
        return parameter - self._rate(gradient.dtype) * gradient / (mx.sqrt(v) + self.eps)


class Adagrad(Optimizer):
    r"""Adagrad (Duchi, Hazan and Singer, 2011).

    .. math::

        v &\leftarrow v + g^2 \\
        w &\leftarrow w - \lambda g / (\sqrt{v} + \epsilon)

    Args:
        learning_rate: A number or a schedule.
        eps: Added to the denominator.

    Example:
        >>> optimizer = optim.Adagrad(learning_rate=0.01)
    """

    def __init__(self, learning_rate: float | Callable[[mx.array], mx.array], eps: float = 1e-8) -> None:
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.eps = eps
        if eps < 0.0:
            raise ValueError(f"Adagrad epsilon should be >0, {eps} was provided instead")

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``v``."""
        state["v"] = mx.zeros_like(parameter)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        v = state["v"] = state["v"] + mx.square(gradient)
        return parameter - self._rate(gradient.dtype) * gradient / (mx.sqrt(v) + self.eps)


class AdaDelta(Optimizer):
    r"""AdaDelta (arXiv:1212.5701).

    .. math::

        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        d &= g \sqrt{u + \epsilon} / \sqrt{v + \epsilon} \\
        u &\leftarrow \rho u + (1 - \rho) d^2 \\
        w &\leftarrow w - \lambda d

    Args:
        learning_rate: A number or a schedule.
        rho: The smoothing :math:`\rho`.
        eps: Added under the roots.

    Example:
        >>> optimizer = optim.AdaDelta(learning_rate=1.0)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        rho: float = 0.9,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.rho = rho
        self.eps = eps
        if rho < 0.0:
            raise ValueError(f"AdaDelta rho should be >=0, {rho} was provided instead")
        if eps < 0.0:
            raise ValueError(f"AdaDelta epsilon should be >0, {eps} was provided instead")

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``v`` and ``u``."""
        state["v"] = mx.zeros_like(parameter)
        state["u"] = mx.zeros_like(parameter)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        rho, eps, u = self.rho, self.eps, state["u"]
        v = state["v"] = rho * state["v"] + (1 - rho) * mx.square(gradient)
        d = mx.sqrt(u + eps) / mx.sqrt(v + eps) * gradient
        state["u"] = rho * u + (1 - rho) * mx.square(d)
        return parameter - self._rate(gradient.dtype) * d


class Adam(Optimizer):
    r"""Adam (arXiv:1412.6980).

    .. math::

        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        w &\leftarrow w - \lambda m / (\sqrt{v} + \epsilon)

    Args:
        learning_rate: A number or a schedule.
        betas: :math:`(\beta_1, \beta_2)`.
        eps: Added to the denominator.
        bias_correction: Whether to divide ``m`` and ``v`` by :math:`1 - \beta^t`.

    Example:
        >>> optimizer = optim.Adam(learning_rate=1e-3)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        betas: list[float] | tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        bias_correction: bool = False,
    ) -> None:
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.betas = betas
        self.eps = eps
        self.bias_correction = bias_correction
        if eps < 0.0:
            raise ValueError(f"Adam epsilon should be >=0, {eps} was provided instead")

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``m`` and ``v``."""
        state["m"] = mx.zeros_like(parameter)
        state["v"] = mx.zeros_like(parameter)

    def _corrections(self, dtype: mx.Dtype, b1: float, b2: float) -> tuple[mx.array, mx.array]:
        """Return the learning rate and the factor of the root of ``v``, both with bias correction."""
        step = self.step
        return (self.learning_rate / (1 - b1**step)).astype(dtype), mx.rsqrt(1 - b2**step).astype(dtype)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        b1, b2 = self.betas
        dtype = gradient.dtype
        m = state["m"] = b1 * state["m"] + (1 - b1) * gradient
        v = state["v"] = b2 * state["v"] + (1 - b2) * mx.square(gradient)
        if not self.bias_correction:
            return parameter - self._rate(dtype) * m / (mx.sqrt(v) + self.eps)
        rate, root = self._once(Adam._corrections, dtype, b1, b2)
        return parameter - rate * m / (mx.sqrt(v) * root + self.eps)


class AdamW(Adam):
    r"""Adam with decoupled weight decay (arXiv:1711.05101).

    .. math::

        w \leftarrow w - \lambda (m / (\sqrt{v} + \epsilon) + \delta w)

    Args:
        learning_rate: A number or a schedule.
        betas: :math:`(\beta_1, \beta_2)`.
        eps: Added to the denominator.
        weight_decay: The decay :math:`\delta`.
        bias_correction: Whether to divide ``m`` and ``v`` by :math:`1 - \beta^t`.

    Example:
        >>> optimizer = optim.AdamW(learning_rate=1e-3, weight_decay=0.01)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        betas: list[float] | tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        bias_correction: bool = False,
    ) -> None:
        super().__init__(learning_rate=learning_rate, betas=betas, eps=eps, bias_correction=bias_correction)
        self.weight_decay = weight_decay

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        shrink = self._once(_shrink, gradient.dtype, self.weight_decay)
        return super().apply_single(gradient, parameter * shrink, state)


class Adamax(Adam):
    r"""Adamax, Adam with the infinity norm (arXiv:1412.6980), without bias correction.

    .. math::

        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \max(\beta_2 v, |g|) \\
        w &\leftarrow w - \lambda m / (v + \epsilon)

    Args:
        learning_rate: A number or a schedule.
        betas: :math:`(\beta_1, \beta_2)`.
        eps: Added to the denominator.

    Example:
        >>> optimizer = optim.Adamax(learning_rate=1e-3)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        betas: list[float] | tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate, betas, eps)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        b1, b2 = self.betas
        m = state["m"] = b1 * state["m"] + (1 - b1) * gradient
        v = state["v"] = mx.maximum(b2 * state["v"], mx.abs(gradient))
        return parameter - self._rate(gradient.dtype) * m / (v + self.eps)


class Lion(Optimizer):
    r"""Lion (arXiv:2302.06675).

    Updates are signs, so the learning rate should be three to ten times smaller, and the
    weight decay as much larger, than for AdamW.

    .. math::

        c &= \beta_1 m + (1 - \beta_1) g \\
        m &\leftarrow \beta_2 m + (1 - \beta_2) g \\
        w &\leftarrow w - \lambda (\mathrm{sign}(c) + \delta w)

    Args:
        learning_rate: A number or a schedule.
        betas: :math:`(\beta_1, \beta_2)`.
        weight_decay: The decay :math:`\delta`.

    Example:
        >>> optimizer = optim.Lion(learning_rate=1e-4)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        betas: list[float] | tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.betas = betas
        self.weight_decay = weight_decay

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``m``."""
        state["m"] = mx.zeros_like(parameter)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        b1, b2 = self.betas
        rate = self._rate(gradient.dtype)
        m = state["m"]
        c = b1 * m + (1 - b1) * gradient
        state["m"] = b2 * m + (1 - b2) * gradient
        if self.weight_decay > 0:
            parameter = self._once(_shrink, gradient.dtype, self.weight_decay) * parameter
        return parameter - rate * mx.sign(c)


class Adafactor(Optimizer):
    r"""Adafactor (arXiv:1804.04235).

    For parameters of two or more axes the second moment is kept as its row and column
    means only.

    Args:
        learning_rate: A number or a schedule, used if ``relative_step`` is ``False``.
        eps: Added to the squared gradient, and the smallest scale of a parameter.
        clip_threshold: The largest root mean square of an update before scaling.
        decay_rate: The second moment decays with :math:`1 - t^{\mathrm{decay\_rate}}`.
        beta_1: The smoothing of the first moment; none is kept if ``None``.
        weight_decay: The decoupled weight decay.
        scale_parameter: Whether the rate is scaled by the root mean square of the parameter.
        relative_step: Whether the rate follows from the step: :math:`1/\sqrt t`, at most 0.01.
        warmup_init: Whether that bound grows with the step, as :math:`10^{-6} t`.

    Example:
        >>> optimizer = optim.Adafactor()
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array] | None = None,
        eps: tuple[float, float] = (1e-30, 1e-3),
        clip_threshold: float = 1.0,
        decay_rate: float = -0.8,
        beta_1: float | None = None,
        weight_decay: float = 0.0,
        scale_parameter: bool = True,
        relative_step: bool = True,
        warmup_init: bool = False,
    ) -> None:
        super().__init__()
        if learning_rate is None and not relative_step:
            raise ValueError("[Adafactor] a learning_rate is required when relative_step is False.")
        if learning_rate is not None:
            self._maybe_schedule("learning_rate", learning_rate)
        self.eps = eps
        self.clip_threshold = clip_threshold
        self.decay_rate = decay_rate
        self.beta_1 = beta_1
        self.weight_decay = weight_decay
        self.scale_parameter = scale_parameter
        self.relative_step = relative_step
        self.warmup_init = warmup_init

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create the factored or full second moment, and the first if it is used."""
        shape, dtype = parameter.shape, parameter.dtype
        if parameter.ndim >= 2:
            state["exp_avg_sq_row"] = mx.zeros(shape[:-1], dtype=dtype)
            state["exp_avg_sq_col"] = mx.zeros((*shape[:-2], shape[-1]), dtype=dtype)
        else:
            state["exp_avg_sq"] = mx.zeros_like(parameter)
        if self.beta_1 is not None:
            state["exp_avg"] = mx.zeros_like(parameter)

    def _schedule(self, dtype: mx.Dtype) -> tuple[mx.array, mx.array]:
        """Return the step size before scaling and the decay of the second moment."""
        step = self.step
        if self.relative_step:
            bound = 1e-6 * step if self.warmup_init else 1e-2
            rate = mx.minimum(bound, mx.rsqrt(step.astype(mx.float32)))
        else:
            rate = self.learning_rate
        return rate.astype(dtype), (1.0 - step**self.decay_rate).astype(dtype)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        rate, b2 = self._once(Adafactor._schedule, parameter.dtype)
        if self.scale_parameter:
            rms = mx.sqrt(mx.mean(mx.square(parameter)))
            rate = rate * mx.maximum(self.eps[1], rms)
        square = mx.square(gradient) + self.eps[0]
        if gradient.ndim >= 2:
            row = b2 * state["exp_avg_sq_row"] + (1 - b2) * mx.mean(square, axis=-1)
            col = b2 * state["exp_avg_sq_col"] + (1 - b2) * mx.mean(square, axis=-2)
            state["exp_avg_sq_row"], state["exp_avg_sq_col"] = row, col
            # The product of the means over the total mean approximates the full moment.
            r = mx.rsqrt(row / mx.mean(row, axis=-1, keepdims=True))
            update = mx.expand_dims(r, -1) * mx.expand_dims(mx.rsqrt(col), -2) * gradient
        else:
            moment = b2 * state["exp_avg_sq"] + (1 - b2) * square
            state["exp_avg_sq"] = moment
            update = mx.rsqrt(moment) * gradient
        rms = mx.sqrt(mx.mean(mx.square(update)))
        update = rate * (update / mx.maximum(1.0, rms / self.clip_threshold))
        if self.beta_1 is not None:
            update = self.beta_1 * state["exp_avg"] + (1 - self.beta_1) * update
            state["exp_avg"] = update
        if self.weight_decay != 0:
            parameter = parameter - (self.weight_decay * rate) * parameter
        return parameter - update


# Newton-Schulz coefficients of the Muon reference: a quintic that takes singular values
# in (0, 1] to around 1 in few steps, without converging exactly.
_MUON_QUINTIC = (3.4445, -4.7750, 2.0315)


class Muon(Optimizer):
    """Muon, momentum orthogonalized by Newton-Schulz iteration.

    See https://kellerjordan.github.io/posts/muon/. Meant for hidden layers: embeddings, the
    output layer and parameters of fewer than two axes are better served by AdamW (see
    :class:`MultiOptimizer`). Parameters of more than two axes are flattened to two.

    Args:
        learning_rate: A number or a schedule.
        momentum: The strength of the momentum.
        weight_decay: Times the parameter, added to the gradient.
        nesterov: Whether to use Nesterov momentum.
        ns_steps: The number of Newton-Schulz steps.

    Example:
        >>> optimizer = optim.Muon(learning_rate=0.02)
    """

    def __init__(
        self,
        learning_rate: float | Callable[[mx.array], mx.array],
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        nesterov: bool = True,
        ns_steps: int = 5,
    ) -> None:
        super().__init__()
        self._maybe_schedule("learning_rate", learning_rate)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self.ns_steps = ns_steps

    def init_single(self, parameter: mx.array, state: dict) -> None:
        """Create ``v``."""
        state["v"] = mx.zeros_like(parameter)

    def _orthogonalize(self, x: mx.array) -> mx.array:
        a, b, c = _MUON_QUINTIC
        tall = x.shape[-2] > x.shape[-1]
        if tall:
            x = x.T
        x = x / (mx.sqrt(mx.sum(mx.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            gram = x @ x.T
            poly = mx.addmm(b * gram, gram, gram, alpha=c)
            x = mx.addmm(a * x, poly, x)
        return x.T if tall else x

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict) -> mx.array:
        """Return the updated parameter."""
        mu = self.momentum
        if self.weight_decay != 0:
            gradient = gradient + self.weight_decay * parameter
        v = state["v"] = mu * state["v"] + (1 - mu) * gradient
        update = gradient * (1 - mu) + v * mu if self.nesterov else v
        rate = self._rate(gradient.dtype)
        if update.ndim >= 2:
            shape = update.shape
            if update.ndim > 2:
                update = update.reshape(shape[0], -1)
            update = self._orthogonalize(update)
            # Tall matrices have larger updates in the same norm.
            rate = rate * math.sqrt(max(1, update.shape[-2] / update.shape[-1]))
            if len(shape) > 2:
                update = update.reshape(shape)
        return parameter - rate * update
