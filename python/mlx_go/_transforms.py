"""Transforms of Python functions: the graph work is in the core, trees and arguments are here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._compile import compile, disable_compile, enable_compile
from ._core import (
    _ONLY_ARRAYS,
    _born,
    _checkpoint,
    _copies,
    _grad,
    _jvp,
    _lent,
    _same_shape,
    _traced,
    _tracers,
    _tree_copy,
    _tree_fill,
    _tree_leaves,
    _tree_lend,
    _vjp,
    _vmap_inputs,
    _vmap_outputs,
    array,
)
from ._transformed import Loan, Transformed

__all__ = ["checkpoint", "compile", "disable_compile", "enable_compile", "grad", "jvp", "value_and_grad", "vjp", "vmap"]

# A transform keeps its stand-ins to itself. The function gets other objects of the same nodes, so that `x += 1` in it
# moves its own object to another node, and not the one by which the transform knows the argument.


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


def _chosen(argnums, argnames, op, args, kwargs):
    """The arguments to differentiate with respect to."""
    for i in argnums:
        if i >= len(args):
            raise ValueError(
                f"[{op}] there is no argument {i} to differentiate: "
                f"the function was called with {len(args)} positional arguments"
            )
    for name in argnames:
        if name not in kwargs:
            raise ValueError(
                f"[{op}] there is no keyword argument '{name}' to differentiate: "
                f"the function was called with {list(kwargs)}"
            )
    return (*(args[i] for i in argnums), *(kwargs[name] for name in argnames))


def _with_others(traced, argnums, argnames, args, kwargs, loan):
    """All arguments of the function: the traced ones in their places, and stand-ins for the others."""
    values, named = list(args), dict(kwargs)
    for i in argnums:
        values[i] = None
    for name in argnames:
        named[name] = None
    own = iter(loan.shield((*values, *named.values())))
    values = [next(own) for _ in values]
    named = {name: next(own) for name in named}
    for i, value in zip(argnums, traced):
        values[i] = value
    for name, value in zip(argnames, traced[len(argnums) :]):
        named[name] = value
    return tuple(values), named


def _differentiate(fun, argnums, argnames, op, args, kwargs):
    """Run the function on tracers; its value and the gradients as value_and_grad gives them."""
    chosen = _chosen(argnums, argnames, op, args, kwargs)
    like = _tree_copy(chosen, op)
    leaves = _tree_leaves(like, op)
    k = len(argnums)

    def run():
        loan = Loan()
        tracers = _tracers(leaves)
        traced = _tree_lend(chosen, like, _copies(tracers), tracers, loan.slots, loan.met)
        if not kwargs and argnums[-1] == k - 1:  # the first ones, as nearly always
            values, named = traced + loan.shield(args[k:]), kwargs
        else:
            values, named = _with_others(traced, argnums, argnames, args, kwargs, loan)
        value = _lent(loan.slots, fun, values, named)
        return value, _tree_fill(like, _grad([_loss_of(value, op)], tracers))

    value, grads = _traced(run)
    positional = None if k == 0 else grads[0] if k == 1 else grads[:k]
    if argnames:
        return value, (positional, dict(zip(argnames, grads[k:])))
    return value, positional


class _Differentiated(Transformed):
    """What value_and_grad and grad give."""

    def __init__(self, make, fun, argnums, argnames):
        self._op = make.__name__
        self._nums, self._names = _normalize(argnums, argnames, self._op) if callable(fun) else ([], [])
        self._fun = fun
        super().__init__(make, fun, argnums, argnames)


class _ValueAndGrad(_Differentiated):
    def __call__(self, *args, **kwargs):
        return _differentiate(self._fun, self._nums, self._names, self._op, args, kwargs)


class _Grad(_Differentiated):
    def __call__(self, *args, **kwargs):
        return _differentiate(self._fun, self._nums, self._names, self._op, args, kwargs)[1]


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
            these nor names are given. Arguments are arrays, modules, or trees of lists, tuples, dicts and
            registered types of them (see ``mlx_go.utils.register_tree``).
        argnames: Names of keyword arguments to differentiate with respect to.

    Returns:
        A function with the arguments of ``fun`` that returns ``(value, gradient)``. The gradient has the
        structure of the argument (a module's is that of its trainable parameters), a tuple for several
        positions, and is a pair of the positional gradients and a dict where names are given. Arrays that
        ``fun`` updates in place are its own: those of the caller stay as they were. What it stores in lists
        and dicts of the caller, and in modules, stays there.
    """
    return _ValueAndGrad(value_and_grad, fun, argnums, argnames)


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
    return _Grad(grad, fun, argnums, argnames)


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
        if not _same_shape(v, a):
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
        outs = _outputs(fun(*_copies(tracers)), "vjp")
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
        outs = _outputs(fun(*_copies(tracers)), "jvp")
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
    if out_axes is None:
        raise TypeError("[vmap] out_axes must be an int or a tree of ints, not None")
    return _VMapped(vmap, fun, in_axes, out_axes)


class _VMapped(Transformed):
    def __init__(self, make, fun, in_axes, out_axes):
        super().__init__(make, fun, in_axes, out_axes)
        self._fun, self._in_axes, self._out_axes = fun, in_axes, out_axes

    def __call__(self, *args, **kwargs):
        if kwargs:
            raise TypeError("[vmap] keyword arguments are not supported")
        leaves = _tree_leaves(args, "vmap")
        axes: list[int | None] = []
        # Axes of one dict are its own, as of any argument: {"a": 0} means ({"a": 0},).
        single = len(args) == 1 and isinstance(self._in_axes, dict)
        _spread_axes((self._in_axes,) if single else self._in_axes, args, "in_axes", axes)
        if all(a is None for a in axes):
            raise ValueError("[vmap] at least one of in_axes must not be None")
        return _traced(lambda: self._run(args, leaves, axes))

    def _run(self, args, leaves, axes):
        placeholders = _vmap_inputs(leaves, axes)
        result = self._fun(*_tree_fill(args, _copies(placeholders)))
        outs = _tree_leaves(result, "vmap")
        out_axes, positions = self._out_axes, []
        if type(result) is array and isinstance(out_axes, (list, tuple)) and len(out_axes) == 1:
            out_axes = out_axes[0]
        _spread_axes(out_axes, result, "out_axes", positions)
        if any(p is None for p in positions):
            raise ValueError("[vmap] out_axes must be ints")
        return _tree_fill(result, _vmap_outputs(leaves, placeholders, axes, outs, positions))


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
    return _Checkpointed(checkpoint, fun)


class _Checkpointed(Transformed):
    def __init__(self, make, fun):
        super().__init__(make, fun)
        self._fun = fun

    def __call__(self, *args, **kwargs):
        before = _born()
        loan = Loan()
        own = loan.shield((*args, *kwargs.values()))
        result = _lent(loan.slots, self._fun, own[: len(args)], dict(zip(kwargs, own[len(args) :])))
        return _tree_fill(result, _checkpoint(_tree_leaves(result, _ONLY_ARRAYS), before), _ONLY_ARRAYS)
