"""Gradients with respect to the parameters of a module."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx_go.core as mx
from mlx_go._core import _tree_leaves
from mlx_go.nn.layers.base import Module


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
        if not _tree_leaves(grads, 1):
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
