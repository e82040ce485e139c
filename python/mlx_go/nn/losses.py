"""Loss functions.

Every loss takes ``reduction``: ``"none"`` returns a loss per element or sample,
``"mean"`` and ``"sum"`` a scalar. Losses of halves are computed in float32 and then rounded.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import mlx_go.core as mx
from mlx_go import _core
from mlx_go.nn import _halves

Loss = TypeVar("Loss", bound=Callable[..., mx.array])
Reduction = Literal["none", "mean", "sum"]


def _in_float32(loss: Loss) -> Loss:
    """Widen the halves among the arguments, and round the result to the dtype it has without that."""

    @functools.wraps(loss)
    def wrapper(*args: Any, **kwargs: Any) -> mx.array:
        for a in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(a, mx.array) and _halves.is_half(a):
                break
        else:
            return loss(*args, **kwargs)
        arrays = [a for a in (*args, *kwargs.values()) if isinstance(a, mx.array)]
        dtype = mx.result_type(*[a for a in arrays if mx.issubdtype(a.dtype, mx.inexact)])

        def wide(a: Any) -> Any:
            return _halves.widened(a) if isinstance(a, mx.array) else a

        return loss(*map(wide, args), **{name: wide(a) for name, a in kwargs.items()}).astype(dtype)

    return wrapper  # type: ignore[return-value]


def _reduce(loss: mx.array, reduction: str = "none") -> mx.array:
    if reduction == "mean":
        return mx.mean(loss)
    if reduction == "sum":
        return mx.sum(loss)
    if reduction == "none":
        return loss
    raise ValueError("Invalid reduction. Must be one of ('none', 'mean', 'sum').")


def _same_shape(a: mx.array, a_name: str, b: mx.array, b_name: str) -> None:
    if not _core._same_shape(a, b):
        raise ValueError(f"{a_name} shape {a.shape} does not match {b_name} shape {b.shape}.")


def _weighted(loss: mx.array, weights: mx.array | None) -> mx.array:
    if weights is None:
        return loss
    if not _core._same_shape(weights, loss):
        raise ValueError(f"Weights with shape {weights.shape} is not the same as output loss with shape {loss.shape}.")
    return loss * weights


def _pick(values: mx.array, targets: mx.array, axis: int, name: str) -> mx.array:
    """Take from ``values`` the entry that the class index selects along ``axis``."""
    if not mx.issubdtype(targets.dtype, mx.integer):
        raise TypeError(
            f"[{name}] class indices must be integers but targets have dtype {targets.dtype}; "
            "targets that are probabilities need the shape of the logits."
        )
    return mx.take_along_axis(values, mx.expand_dims(targets, axis), axis).squeeze(axis)


@_in_float32
def cross_entropy(
    logits: mx.array,
    targets: mx.array,
    weights: mx.array | None = None,
    axis: int = -1,
    label_smoothing: float = 0.0,
    reduction: Reduction = "none",
) -> mx.array:
    """Cross entropy of unnormalized logits.

    Args:
        logits: Floating, with the classes along ``axis``.
        targets: Class indices, with the shape of ``logits`` without ``axis``; or
            probabilities, with the shape of ``logits``. Their sum need not be 1: the loss
            is the sum of ``-targets * log_softmax(logits)``.
        weights: A factor for every loss, with the shape of the unreduced result.
        axis: The axis of the classes.
        label_smoothing: The share in [0, 1) of the target that is spread over all classes.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The loss, with the dtype of ``logits``.

    Example:
        >>> logits = mx.array([[2.0, -1.0], [-1.0, 2.0]])
        >>> nn.losses.cross_entropy(logits, mx.array([0, 1]))
        array([0.0485873, 0.0485873], dtype=float32)
    """
    if label_smoothing < 0 or label_smoothing >= 1:
        raise ValueError(f"Label smoothing must be in [0, 1), got {label_smoothing}.")
    if not -logits.ndim <= axis < logits.ndim:
        raise ValueError(f"[losses] axis {axis} is out of bounds for shape {logits.shape}.")
    by_class = targets.ndim < logits.ndim
    given, logits = logits, _halves.below_greatest(logits, axis)
    norm = mx.logsumexp(logits, axis=axis)
    # Shapes are compared and not looked at, so that compiled functions need not be traced for each.
    if not _core._same_shape(targets, norm if by_class else given):
        raise ValueError(f"Targets shape {targets.shape} does not match logits shape {given.shape}.")
    if by_class:
        score = _pick(logits, targets, axis, "cross_entropy")
    else:
        score = mx.sum(logits * targets, axis=axis)
        # Targets that are masked or weighted do not add up to 1.
        norm = norm * ((1 - label_smoothing) * mx.sum(targets, axis=axis) + label_smoothing)
    if label_smoothing > 0:
        score = (1 - label_smoothing) * score + label_smoothing * mx.mean(logits, axis=axis)
    return _reduce(_weighted(norm - score, weights), reduction)


@_in_float32
def binary_cross_entropy(
    inputs: mx.array,
    targets: mx.array,
    weights: mx.array | None = None,
    with_logits: bool = True,
    reduction: Reduction = "mean",
) -> mx.array:
    """Cross entropy of two classes.

    Args:
        inputs: Logits, or probabilities if ``with_logits`` is ``False``; the logarithm of
            a probability is then clipped at -100.
        targets: Values in [0, 1], with the shape of ``inputs``.
        weights: A factor for every loss, with the shape of ``inputs``.
        with_logits: Whether ``inputs`` are logits.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The loss.

    Example:
        >>> logits = mx.array([0.105361, 0.223144, 1.20397, 0.916291])
        >>> nn.losses.binary_cross_entropy(logits, mx.array([0, 0, 1, 1]))
        array(0.539245, dtype=float32)
    """
    _same_shape(inputs, "Inputs", targets, "targets")
    if with_logits:
        # log(1 + exp(x)) - t x, without the difference of large numbers that it is for a large x and t = 1.
        loss = (1 - targets) * mx.logaddexp(inputs, 0.0) + targets * mx.logaddexp(-inputs, 0.0)
    else:
        log_p = mx.maximum(mx.log(inputs), -100.0)
        log_q = mx.maximum(mx.log(1 - inputs), -100.0)
        loss = -(targets * log_p + (1 - targets) * log_q)
    return _reduce(_weighted(loss, weights), reduction)


@_in_float32
def l1_loss(predictions: mx.array, targets: mx.array, reduction: Reduction = "mean") -> mx.array:
    """Absolute difference.

    Args:
        predictions: Any shape.
        targets: The same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.l1_loss(mx.array([1.0, 2.0]), mx.array([0.0, 4.0]))
        array(1.5, dtype=float32)
    """
    _same_shape(predictions, "Predictions", targets, "targets")
    return _reduce(mx.abs(predictions - targets), reduction)


@_in_float32
def mse_loss(predictions: mx.array, targets: mx.array, reduction: Reduction = "mean") -> mx.array:
    """Squared difference.

    Args:
        predictions: Any shape.
        targets: The same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.mse_loss(mx.array([1.0, 2.0]), mx.array([0.0, 4.0]))
        array(2.5, dtype=float32)
    """
    _same_shape(predictions, "Predictions", targets, "targets")
    return _reduce(mx.square(predictions - targets), reduction)


@_in_float32
def nll_loss(inputs: mx.array, targets: mx.array, axis: int = -1, reduction: Reduction = "none") -> mx.array:
    """Negative log likelihood of log-probabilities.

    Args:
        inputs: Log-probabilities, with the classes along ``axis``.
        targets: Class indices, with the shape of ``inputs`` without ``axis``.
        axis: The axis of the classes.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.nll_loss(mx.array([[-0.5, -1.5]]), mx.array([1]))
        array([1.5], dtype=float32)
    """
    return _reduce(-_pick(inputs, targets, axis, "nll_loss"), reduction)


@_in_float32
def gaussian_nll_loss(
    inputs: mx.array,
    targets: mx.array,
    vars: mx.array,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
) -> mx.array:
    r"""Negative log likelihood of a Gaussian.

    :math:`\frac12 (\log \sigma^2 + (x - y)^2 / \sigma^2)` with
    :math:`\sigma^2 = \max(\mathrm{vars}, \epsilon)`.

    Args:
        inputs: The predicted means.
        targets: The samples, of the same shape.
        vars: The predicted variances, of the same shape.
        full: Whether to add the constant :math:`\frac12 \log 2\pi`.
        eps: The smallest variance.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> one = mx.array([1.0])
        >>> nn.losses.gaussian_nll_loss(one, mx.array([2.0]), one)
        array(0.5, dtype=float32)
    """
    _same_shape(inputs, "Inputs", targets, "targets")
    _same_shape(inputs, "Inputs", vars, "vars")
    vars = mx.maximum(vars, eps)
    loss = 0.5 * (mx.log(vars) + mx.square(targets - inputs) / vars)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


@_in_float32
def kl_div_loss(inputs: mx.array, targets: mx.array, axis: int = -1, reduction: Reduction = "none") -> mx.array:
    """Kullback-Leibler divergence of two log-distributions: ``sum(exp(t) * (t - i))``.

    Args:
        inputs: Log-probabilities of the prediction.
        targets: Log-probabilities of the target.
        axis: The axis of the distribution.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> p = mx.log(mx.array([[0.5, 0.5]]))
        >>> nn.losses.kl_div_loss(p, p)
        array([0], dtype=float32)
    """
    return _reduce(mx.sum(mx.exp(targets) * (targets - inputs), axis=axis), reduction)


@_in_float32
def smooth_l1_loss(
    predictions: mx.array,
    targets: mx.array,
    beta: float = 1.0,
    reduction: Reduction = "mean",
) -> mx.array:
    """Absolute difference, rounded off to a parabola below ``beta``.

    Args:
        predictions: Any shape.
        targets: The same shape.
        beta: Where the parabola ends. With 0 this is :func:`l1_loss`.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.smooth_l1_loss(mx.array([0.5, 2.0]), mx.array([0.0, 0.0]), reduction="none")
        array([0.125, 1.5], dtype=float32)
    """
    _same_shape(predictions, "Predictions", targets, "targets")
    diff = mx.abs(predictions - targets)
    if beta > 0:
        diff = mx.where(diff < beta, 0.5 * mx.square(diff) / beta, diff - 0.5 * beta)
    return _reduce(diff, reduction)


@_in_float32
def triplet_loss(
    anchors: mx.array,
    positives: mx.array,
    negatives: mx.array,
    axis: int = -1,
    p: int = 2,
    margin: float = 1.0,
    eps: float = 1e-6,
    reduction: Reduction = "none",
) -> mx.array:
    r"""Triplet loss: :math:`\max(\|A - P\|_p - \|A - N\|_p + \mathrm{margin}, 0)`.

    Args:
        anchors: The anchor samples.
        positives: Samples that should be near.
        negatives: Samples that should be far.
        axis: The axis of the features.
        p: The degree of the norm.
        margin: The margin.
        eps: Added under the root, which keeps the gradient finite at distance 0.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> a = mx.array([[1.0, 0.0]])
        >>> nn.losses.triplet_loss(a, a, a)
        array([1], dtype=float32)
    """

    def distance(a: mx.array, b: mx.array) -> mx.array:
        diff = a - b
        power = mx.square(diff) if p == 2 else mx.abs(diff) ** p
        total = mx.sum(power, axis=axis) + eps
        return mx.sqrt(total) if p == 2 else total ** (1 / p)

    gap = distance(anchors, positives) - distance(anchors, negatives)
    return _reduce(mx.maximum(gap + margin, 0), reduction)


@_in_float32
def hinge_loss(inputs: mx.array, targets: mx.array, reduction: Reduction = "none") -> mx.array:
    """Hinge loss: ``maximum(1 - inputs * targets, 0)``.

    Args:
        inputs: Predictions.
        targets: -1 or 1.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.hinge_loss(mx.array([0.5, 2.0]), mx.array([1.0, 1.0]))
        array([0.5, 0], dtype=float32)
    """
    return _reduce(mx.maximum(1 - inputs * targets, 0), reduction)


@_in_float32
def huber_loss(
    inputs: mx.array,
    targets: mx.array,
    delta: float = 1.0,
    reduction: Reduction = "none",
) -> mx.array:
    """Huber loss: a parabola up to ``delta``, a line of slope ``delta`` beyond.

    Args:
        inputs: Predictions.
        targets: Target values.
        delta: Where the parabola ends.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.huber_loss(mx.array([0.5, 2.0]), mx.array([0.0, 0.0]))
        array([0.125, 1.5], dtype=float32)
    """
    size = mx.abs(inputs - targets)
    quadratic = mx.minimum(size, delta)
    return _reduce(0.5 * mx.square(quadratic) + delta * (size - quadratic), reduction)


@_in_float32
def log_cosh_loss(inputs: mx.array, targets: mx.array, reduction: Reduction = "none") -> mx.array:
    """Logarithm of the hyperbolic cosine of the difference, computed without overflow.

    Args:
        inputs: Predictions.
        targets: Target values.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.log_cosh_loss(mx.array([1.0]), mx.array([0.0]))
        array([0.433781], dtype=float32)
    """
    errors = inputs - targets
    return _reduce(mx.logaddexp(errors, -errors) - math.log(2), reduction)


@_in_float32
def cosine_similarity_loss(
    x1: mx.array,
    x2: mx.array,
    axis: int = 1,
    eps: float = 1e-8,
    reduction: Reduction = "none",
) -> mx.array:
    r"""Cosine similarity: :math:`x_1 \cdot x_2 / \max(\|x_1\| \|x_2\|, \epsilon)`.

    Args:
        x1: The first vectors.
        x2: The second vectors.
        axis: The axis of the vectors.
        eps: The smallest denominator.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.cosine_similarity_loss(mx.array([[1.0, 0.0]]), mx.array([[2.0, 0.0]]))
        array([1], dtype=float32)
    """
    norm1 = mx.sqrt(mx.sum(mx.square(x1), axis=axis))
    norm2 = mx.sqrt(mx.sum(mx.square(x2), axis=axis))
    return _reduce(mx.sum(x1 * x2, axis=axis) / mx.maximum(norm1 * norm2, eps), reduction)


@_in_float32
def margin_ranking_loss(
    inputs1: mx.array,
    inputs2: mx.array,
    targets: mx.array,
    margin: float = 0.0,
    reduction: Reduction = "none",
) -> mx.array:
    """Margin ranking loss: ``maximum(0, -targets * (inputs1 - inputs2) + margin)``.

    Args:
        inputs1: The first scores.
        inputs2: The second scores, of the same shape.
        targets: 1 where the first should rank higher, -1 where the second should.
        margin: The margin.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Example:
        >>> nn.losses.margin_ranking_loss(mx.array([1.0]), mx.array([3.0]), mx.array([1.0]))
        array([2], dtype=float32)
    """
    if not (_core._same_shape(inputs1, inputs2) and _core._same_shape(inputs2, targets)):
        raise ValueError(
            "The shapes of the arguments do not match. The provided shapes are "
            f"inputs1.shape={inputs1.shape}, inputs2.shape={inputs2.shape}, and "
            f"targets.shape={targets.shape}."
        )
    loss = mx.maximum(0, -targets * (inputs1 - inputs2) + margin)
    return _reduce(loss, reduction)
