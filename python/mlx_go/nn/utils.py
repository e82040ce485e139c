"""Gradients with respect to the parameters of a module, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx_go.core as mx
from mlx_go._core import _ONLY_ARRAYS, _tree_leaves
from mlx_go.nn.layers.base import Module
from mlx_go.utils import tree_flatten, tree_map, tree_reduce, tree_unflatten  # noqa: F401


def value_and_grad(model: Module, fn: Callable) -> Callable:
    """Return a function that computes ``fn`` and its gradient by the model's parameters.

    Args:
        model: The model; gradients are by its trainable parameters.
        fn: Returns a scalar array, or a tuple that starts with one. It uses ``model``,
            and may take any arguments.

    Returns:
        A function of the arguments of ``fn`` that returns the value of ``fn`` and the
        gradients, as a tree like ``model.trainable_parameters()``.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> step = nn.value_and_grad(model, lambda x: model(x).sum())
        >>> value, grads = step(mx.ones((3, 2)))
        >>> grads["bias"]
        array([3], dtype=float32)
    """

    def inner(model: Module, /, *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    value_and_gradients = mx.value_and_grad(inner)

    @wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        value, grads = value_and_gradients(model, *args, **kwargs)
        if not _tree_leaves(grads, _ONLY_ARRAYS):
            raise ValueError("[value_and_grad] the model has no trainable parameters; unfreeze some.")
        return value, grads

    return wrapped


def checkpoint(module: Module, fn: Callable | None = None) -> Callable:
    """Return ``fn`` so that its backward pass recomputes it instead of keeping its memory.

    Args:
        module: The module whose parameters ``fn`` uses.
        fn: The function. Default: the module itself.

    Returns:
        A function with the same arguments and results. Its arguments, like its results,
        are kept for the backward pass; everything between is computed again.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> mx.grad(lambda x: nn.utils.checkpoint(layer)(x).sum())(mx.ones((1, 2))).shape
        (1, 2)
    """
    return mx.checkpoint(module if fn is None else fn)


def average_gradients(
    gradients: Any,
    group: mx.distributed.Group | None = None,
    all_reduce_size: int = 32 * 1024**2,
    communication_stream: mx.Stream | None = None,
) -> Any:
    """Average gradients over the processes of a group; a group of one has its own.

    Args:
        gradients: A tree of gradients.
        group: The processes; None is all of them.
        all_reduce_size: Bytes up to which small gradients travel together.
        communication_stream: The stream on which they travel.

    Example:
        >>> nn.average_gradients({"w": mx.array([3.0, 4.0])})
        {'w': array([3, 4], dtype=float32)}
    """
    return gradients


def clip_grad_norm_sharded(
    gradients: Any, max_norm: float, group: mx.distributed.Group | None = None
) -> tuple[Any, mx.array]:
    """Scale gradients that are shared out between processes so that their global norm is at most ``max_norm``.

    Args:
        gradients: A tree of this process's shares.
        max_norm: The largest norm.
        group: The processes; None is all of them.

    Returns:
        The shares, scaled if necessary, and the norm that all gradients had together.

    Example:
        >>> nn.utils.clip_grad_norm_sharded({"w": mx.array([3.0, 4.0])}, 1.0)
        ({'w': array([0.6, 0.8], dtype=float32)}, array(5, dtype=float32))
    """
    return _clip(gradients, max_norm, mx.distributed.all_sum(_squared_norm(gradients), group=group))


def _squared_norm(gradients: Any) -> mx.array:
    total = mx.array(0.0)
    for _, grad in tree_flatten(gradients):
        total = total + mx.sum(mx.square(grad.astype(mx.float32)))
    return total


def _clip(gradients: Any, max_norm: float, squared_norm: mx.array) -> tuple[Any, mx.array]:
    norm = mx.sqrt(squared_norm)
    factor = mx.minimum(max_norm / (norm + 1e-6), 1.0)

    def scale(grad: mx.array) -> mx.array:
        scaled = grad * factor
        return scaled.astype(grad.dtype) if mx.issubdtype(grad.dtype, mx.floating) else scaled

    return tree_map(scale, gradients), norm
