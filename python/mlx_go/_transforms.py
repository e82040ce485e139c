"""Transforms of Python functions: the graph work is in the core, trees and arguments are here."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ._compile import compile, disable_compile, enable_compile
from ._core import (
    _born,
    _checkpoint,
    _grad,
    _jvp,
    _traced,
    _tracers,
    _tree_fill,
    _tree_leaves,
    _vjp,
    _vmap_inputs,
    _vmap_outputs,
    array,
)

__all__ = ["checkpoint", "compile", "disable_compile", "enable_compile", "grad", "jvp", "value_and_grad", "vjp", "vmap"]


def _wrap(fun, wrapper):
    try:
        return functools.wraps(fun)(wrapper)
    except (AttributeError, TypeError):  # callables that are neither functions nor classes
        return wrapper


def _check_callable(fun, op):
    if not callable(fun):
        raise TypeError(f"{op}(): argument 'fun' must be callable, not {type(fun).__name__}")


# ---- grad ----


def _normalize(argnums, argnames, op):
    if isinstance(argnames, str):
        argnames = [argnames]
    elif not isinstance(argnames, Sequence) or not all(isinstance(n, str) for n in argnames):
        raise TypeError(f"{op}(): argument 'argnames' must be str | Sequence[str], not {argnames!r}")
    argnames = list(dict.fromkeys(argnames))
    if argnums is None:
        argnums = [] if argnames else [0]
    elif isinstance(argnums, int):
        argnums = [argnums]
    elif not isinstance(argnums, Sequence) or isinstance(argnums, str) or not all(isinstance(n, int) for n in argnums):
        raise TypeError(f"{op}(): argument 'argnums' must be int | Sequence[int] | None, not {argnums!r}")
    argnums = list(argnums)
    if not argnums and not argnames:
        raise ValueError(f"[{op}] no argument to differentiate was given")
    seen: set[int] = set()
    for n in argnums:
        if n < 0:
            raise ValueError(f"[{op}] argument indices must not be negative, got {n}")
        if n in seen:
            raise ValueError(f"[{op}] argument index {n} was given twice")
        seen.add(n)
    return sorted(argnums), argnames  # gradients come in the order of the arguments


def _loss_of(value, op):
    """The scalar to differentiate."""
    loss = value
    if op == "value_and_grad" and type(value) is tuple and value:
        loss = value[0]
    if type(loss) is not array:
        allowed = "a scalar array" if op == "grad" else "a scalar array or a tuple whose first element is one"
        raise ValueError(f"[{op}] the function must return {allowed}, but it returned {type(value).__name__}")
    if loss.ndim:
        raise ValueError(
            f"[{op}] the function must return a scalar array to differentiate, but its shape is {loss.shape}"
        )
    return loss


def _differentiate(fun, argnums, argnames, op, args, kwargs):
    """Run the function on tracers; its value and the gradients as value_and_grad gives them."""
    n = len(args)
    chosen: list[Any] = []
    for i in argnums:
        if i >= n:
            raise ValueError(
                f"[{op}] there is no argument {i} to differentiate: the function was called with {n} positional arguments"
            )
        chosen.append(args[i])
    for name in argnames:
        if name not in kwargs:
            raise ValueError(
                f"[{op}] there is no keyword argument '{name}' to differentiate: the function was called with {list(kwargs)}"
            )
        chosen.append(kwargs[name])
    leaves = _tree_leaves(chosen, op)

    def run():
        tracers = _tracers(leaves)
        traced = _tree_fill(chosen, tracers)
        values = list(args)
        for i, value in zip(argnums, traced):
            values[i] = value
        named = {**kwargs, **dict(zip(argnames, traced[len(argnums) :]))} if argnames else kwargs
        value = fun(*values, **named)
        return value, _tree_fill(chosen, _grad([_loss_of(value, op)], tracers))

    value, grads = _traced(run)
    k = len(argnums)
    positional = None if k == 0 else grads[0] if k == 1 else tuple(grads[:k])
    if argnames:
        return value, (positional, dict(zip(argnames, grads[k:])))
    return value, positional


def value_and_grad(
    fun: Callable,
    argnums: int | Sequence[int] | None = None,
    argnames: str | Sequence[str] = [],
) -> Callable:
    """A function that gives the value of ``fun`` and its gradient.

    ``fun`` returns a scalar array, or a tuple whose first element is one; the rest comes back as it is.

    Args:
        fun: The function.
        argnums: Positions of the arguments to differentiate with respect to; the first one if neither
            these nor names are given. Arguments are arrays, or trees of lists, tuples and dicts of them.
        argnames: Names of keyword arguments to differentiate with respect to.

    Returns:
        A function with the arguments of ``fun`` that returns ``(value, gradient)``. The gradient has the
        structure of the argument, a tuple for several positions, and is a pair of the positional gradients
        and a dict where names are given.
    """
    _check_callable(fun, "value_and_grad")
    nums, names = _normalize(argnums, argnames, "value_and_grad")

    def value_and_grad_of(*args, **kwargs):
        return _differentiate(fun, nums, names, "value_and_grad", args, kwargs)

    return _wrap(fun, value_and_grad_of)


def grad(
    fun: Callable,
    argnums: int | Sequence[int] | None = None,
    argnames: str | Sequence[str] = [],
) -> Callable:
    """A function that gives the gradient of ``fun``, which returns a scalar array.

    Args:
        fun: The function.
        argnums: Positions of the arguments to differentiate with respect to, as in :func:`value_and_grad`.
        argnames: Names of keyword arguments to differentiate with respect to.

    Returns:
        A function with the arguments of ``fun`` that returns the gradient.

    Example:
        >>> mx.grad(lambda x: x * x)(mx.array(3.0))
        array(6, dtype=float32)
    """
    _check_callable(fun, "grad")
    nums, names = _normalize(argnums, argnames, "grad")

    def grad_of(*args, **kwargs):
        return _differentiate(fun, nums, names, "grad", args, kwargs)[1]

    return _wrap(fun, grad_of)


# ---- vjp and jvp ----


def _array_list(values, what, op):
    if not isinstance(values, (list, tuple)) or not all(type(a) is array for a in values):
        raise TypeError(f"[{op}] {what} must be a list of arrays")
    return list(values)


def _outputs(value, op):
    if type(value) is array:
        return [value]
    if isinstance(value, (list, tuple)) and all(type(a) is array for a in value):
        return list(value)
    raise ValueError(
        f"[{op}] the function must return an array or a list of arrays, but it returned {type(value).__name__}"
    )


def _match(values, like, op, what):
    if len(values) != len(like):
        raise ValueError(f"[{op}] expected {len(like)} {what}, one per array, but got {len(values)}")
    for v, a in zip(values, like):
        if v.shape != a.shape:
            raise ValueError(f"[{op}] {what} must have the shapes of their arrays: {v.shape} does not match {a.shape}")
    return values


def vjp(fun: Callable, primals: list[array], cotangents: list[array]) -> tuple[list[array], list[array]]:
    """The outputs of ``fun`` at ``primals``, and the product of ``cotangents`` with its Jacobian.

    Args:
        fun: A function of arrays that returns an array or a list of arrays.
        primals: The arguments.
        cotangents: One array per output, of its shape.

    Returns:
        The outputs, and one array per argument.
    """
    _check_callable(fun, "vjp")
    primals = _array_list(primals, "primals", "vjp")
    cotangents = _array_list(cotangents, "cotangents", "vjp")

    def run():
        tracers = _tracers(primals)
        outs = _outputs(fun(*tracers), "vjp")
        return outs, _vjp(outs, tracers, _match(cotangents, outs, "vjp", "cotangents"))

    return _traced(run)


def jvp(fun: Callable, primals: list[array], tangents: list[array]) -> tuple[list[array], list[array]]:
    """The outputs of ``fun`` at ``primals``, and the product of its Jacobian with ``tangents``.

    Args:
        fun: A function of arrays that returns an array or a list of arrays.
        primals: The arguments.
        tangents: One array per argument, of its shape.

    Returns:
        The outputs, and one array per output.
    """
    _check_callable(fun, "jvp")
    primals = _array_list(primals, "primals", "jvp")
    tangents = _match(_array_list(tangents, "tangents", "jvp"), primals, "jvp", "tangents")

    def run():
        tracers = _tracers(primals)
        outs = _outputs(fun(*tracers), "jvp")
        return outs, _jvp(outs, tracers, tangents)

    return _traced(run)


# ---- vmap ----


def _spread_axes(axes, tree, what, out):
    """Append one axis per array of the tree; ``axes`` is the tree cut short at any level."""
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        out.extend([axes] * len(_tree_leaves(tree, "vmap")))
    elif isinstance(axes, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(axes) != len(tree):
            raise ValueError(f"[vmap] {what} {axes!r} does not match the structure of the arrays")
        for a, t in zip(axes, tree):
            _spread_axes(a, t, what, out)
    elif isinstance(axes, dict):
        if not isinstance(tree, dict) or axes.keys() != tree.keys():
            raise ValueError(f"[vmap] {what} {axes!r} does not match the structure of the arrays")
        for k, t in tree.items():
            _spread_axes(axes[k], t, what, out)
    else:
        raise ValueError(f"[vmap] {what} must be an int, None, or a tree of these, not {axes!r}")


def vmap(fun: Callable, in_axes: object = 0, out_axes: object = 0) -> Callable:
    """A function that applies ``fun`` to each element along an axis of its arguments, all at once.

    Args:
        fun: A function of arrays or trees of arrays.
        in_axes: The axis of each argument that is mapped over: an int for all, or a tuple with an int, None
            (not mapped) or a tree of them per argument.
        out_axes: Where the axis goes in the results: an int, or a tree of them.

    Returns:
        A function with the positional arguments of ``fun``.

    Example:
        >>> mx.vmap(lambda x, y: x + y, in_axes=(0, None))(mx.array([1, 2]), mx.array(3))
        array([4, 5], dtype=int32)
    """
    _check_callable(fun, "vmap")
    if out_axes is None:
        raise TypeError("[vmap] out_axes must be an int or a tree of ints, not None")

    def vmapped(*args, **kwargs):
        if kwargs:
            raise TypeError("[vmap] keyword arguments are not supported")
        leaves = _tree_leaves(args, "vmap")
        axes: list[int | None] = []
        _spread_axes(in_axes, args, "in_axes", axes)
        if all(a is None for a in axes):
            raise ValueError("[vmap] at least one of in_axes must not be None")

        def run():
            placeholders = _vmap_inputs(leaves, axes)
            result = fun(*_tree_fill(args, placeholders))
            outs = _tree_leaves(result, "vmap")
            positions: list[int | None] = []
            _spread_axes(out_axes, result, "out_axes", positions)
            if any(p is None for p in positions):
                raise ValueError("[vmap] out_axes must be ints")
            return _tree_fill(result, _vmap_outputs(leaves, placeholders, axes, outs, positions))

        return _traced(run)

    return _wrap(fun, vmapped)


def checkpoint(fun: Callable) -> Callable:
    """A function with the values of ``fun`` whose gradient computes again what is inside instead of keeping it.

    Only what goes in, arguments and captured arrays alike, and what comes out is kept for the gradient: a deep
    network whose blocks are checkpointed needs the memory of its block boundaries and of one block, for the time of a
    second forward pass. Forward derivatives and values take no extra time.

    Args:
        fun: A function of any arguments that returns an array or a tree of arrays and constants.

    Returns:
        A function with the arguments and results of ``fun``.

    Example:
        >>> block = mx.checkpoint(lambda x: mx.exp(mx.sin(x)))
        >>> mx.grad(lambda x: block(x).sum())(mx.array([0.0]))
        array([1], dtype=float32)
    """
    _check_callable(fun, "checkpoint")

    def checkpointed(*args, **kwargs):
        before = _born()
        result = fun(*args, **kwargs)
        return _tree_fill(result, _checkpoint(_tree_leaves(result, 1), before), 1)

    return _wrap(fun, checkpointed)
