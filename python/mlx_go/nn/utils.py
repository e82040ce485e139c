"""Gradients with respect to the parameters of a module."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import mlx_go.core as mx
from mlx_go._core import _tree_fill
from mlx_go.nn.layers.base import Module

_Slot = tuple[Any, Any]


def _find_slots(holder: Any, tree: Any, slots: list[_Slot], arrays: list[mx.array]) -> None:
    """List where in a module the leaves of its parameter tree live, and the leaves."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if isinstance(value, mx.array):
            slots.append((holder, key))
            arrays.append(value)
        elif value:
            _find_slots(holder[key], value, slots, arrays)


class _Borrowed:
    """Puts other arrays in the place of parameters, and the parameters back.

    Without the way back a module would keep the tracers of a transformation, and
    with them the graph of the whole step. What the function itself replaced, such as
    running statistics, is left alone.
    """

    __slots__ = ("arrays", "slots", "tracers")

    def __init__(self, module: Module, parameters: dict) -> None:
        self.slots: list[_Slot] = []
        self.arrays: list[mx.array] = []
        self.tracers: list[mx.array] = []
        _find_slots(module, parameters, self.slots, self.arrays)

    def lend(self, tracers: list[mx.array]) -> None:
        # A copy: a transformation may write to the list it passed.
        self.tracers = list(tracers)
        for (holder, key), tracer in zip(self.slots, tracers):
            holder[key] = tracer

    def restore(self) -> None:
        for (holder, key), tracer, own in zip(self.slots, self.tracers, self.arrays):
            if holder[key] is tracer:
                holder[key] = own


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

    def inner(tracers: list[mx.array], borrowed: _Borrowed, /, *args: Any, **kwargs: Any) -> Any:
        borrowed.lend(tracers)
        return fn(*args, **kwargs)

    value_and_gradients = mx.value_and_grad(inner)

    @wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        parameters = model.trainable_parameters()
        borrowed = _Borrowed(model, parameters)
        if not borrowed.arrays:
            raise ValueError("[value_and_grad] the model has no trainable parameters; unfreeze some.")
        try:
            value, grads = value_and_gradients(borrowed.arrays, borrowed, *args, **kwargs)
        finally:
            borrowed.restore()
        return value, _tree_fill(parameters, grads)

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
