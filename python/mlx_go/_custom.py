"""custom_function: functions whose derivatives and batches are written in Python."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ._core import _ONLY_ARRAYS, _custom, _functions, _lent, _tree_fill, _tree_leaves, array
from ._transformed import Loan, Transformed
from ._transforms import _spread_axes, vmap

_HOLE = array(0)  # stands for arrays in trees that are kept
_KINDS = ("vjp", "jvp", "vmap")  # core.RuleKind


def _form(tree: Any) -> Any:
    """The tree with a hole in place of each array."""
    return _tree_fill(tree, [_HOLE] * len(_tree_leaves(tree, _ONLY_ARRAYS)), _ONLY_ARRAYS)


def _matches(form: Any, answer: Any, leaves: list[Any]) -> bool:
    """Take the leaves of what a rule gave, where it has the form that is due; None stands for zeros at any level."""
    if form is _HOLE:
        leaves.append(answer)
        return answer is None or type(answer) is array
    if answer is None:
        leaves.extend([None] * len(_tree_leaves(form, _ONLY_ARRAYS)))
        return True
    if isinstance(form, (list, tuple)):
        same = isinstance(answer, (list, tuple)) and len(answer) == len(form)
        return same and all(_matches(f, a, leaves) for f, a in zip(form, answer))
    if isinstance(form, dict):
        same = isinstance(answer, dict) and answer.keys() == form.keys()
        return same and all(_matches(f, answer[k], leaves) for k, f in form.items())
    return not _tree_leaves(form, _ONLY_ARRAYS)


def _leaves_like(form: Any, answer: Any, rule: str, what: str) -> list[Any]:
    """The arrays of a rule's answer, None for zeros."""
    leaves: list[Any] = []
    if _matches(form, answer, leaves):
        return leaves
    # The arrays alone will do, as (dx,) does for one argument x, and dx for x and a constant.
    leaves, due = _tree_leaves(answer, _ONLY_ARRAYS), len(_tree_leaves(form, _ONLY_ARRAYS))
    if len(leaves) != due:
        raise ValueError(
            f"[custom_function] the {rule} rule must return {what}, {due} arrays in a tree of the same form, "
            f"but it returned {answer!r}"
        )
    return leaves


class _Rules:
    """The rules for one call of a function, as the core asks for them: on lists of arrays, None where there is none."""

    __slots__ = ("arguments", "named", "result", "rules")

    def __init__(self, rules: dict[str, Callable], arguments: Any, named: Any, result: Any) -> None:
        self.rules = rules
        self.arguments = arguments
        self.named = named
        self.result = result

    def __call__(self, which: int, depth: int, lists: list[list[Any]]) -> list[Any]:
        return getattr(self, _KINDS[which])(lists, depth)

    def _given(self, leaves: list[Any]) -> tuple[Any, Any]:
        """The arguments with these leaves, a single one by itself, and the keyword arguments."""
        arguments, named = _tree_fill((self.arguments, self.named), leaves, _ONLY_ARRAYS)
        return (arguments[0] if len(arguments) == 1 else arguments), named

    def _form_of_arguments(self) -> Any:
        return self.arguments[0] if len(self.arguments) == 1 else self.arguments

    def _only_positional(self, rule: str) -> None:
        if self.named:
            raise ValueError(
                f"[custom_function] a function with a {rule} rule takes positional arguments only, not {list(self.named)}"
            )

    def vjp(self, lists: list[list[Any]], depth: int) -> list[Any]:
        if depth:
            return _batched(lambda *inner: self.vjp(list(inner), depth - 1), lists)
        primals, named = self._given(lists[0])
        cotangents, outputs = (_tree_fill(self.result, leaves, _ONLY_ARRAYS) for leaves in lists[1:])
        answer = self.rules["vjp"](primals, cotangents, outputs, **named)
        grads = _leaves_like(self._form_of_arguments(), answer, "vjp", "the gradients of the arguments")
        return grads + [None] * (len(lists[0]) - len(grads))

    def jvp(self, lists: list[list[Any]], depth: int) -> list[Any]:
        self._only_positional("jvp")
        if depth:
            return _batched(lambda *inner: self.jvp(list(inner), depth - 1), lists)
        answer = self.rules["jvp"](self._given(lists[0])[0], self._given(lists[1])[0])
        return _leaves_like(self.result, answer, "jvp", "the tangents of the results")

    def vmap(self, lists: list[list[Any]], depth: int) -> list[Any]:
        self._only_positional("vmap")
        axes = [None if batch is None else 0 for batch in lists[1]]
        given = self._given(lists[0])[0]
        axes_of = _tree_fill((_without_constants(self.arguments), {}), axes, _ONLY_ARRAYS)[0]
        answer = self.rules["vmap"](given, axes_of[0] if len(axes_of) == 1 else axes_of)
        if not isinstance(answer, (list, tuple)) or len(answer) != 2:
            raise ValueError("[custom_function] the vmap rule must return a pair: the results and their axes")
        outs = _tree_leaves(answer[0], _ONLY_ARRAYS)
        positions: list[Any] = []
        due = len(_tree_leaves(self.result, _ONLY_ARRAYS))
        if len(outs) != due:
            raise ValueError(f"[custom_function] the vmap rule must return {due} arrays, but it returned {answer[0]!r}")
        _spread_axes(answer[1], answer[0], "the axes of the vmap rule", positions)
        some = next(batch for batch in lists[1] if batch is not None)
        return [_in_front(a, axis, some) for a, axis in zip(outs, positions)]


def _without_constants(tree: Any) -> Any:
    """The form of arguments with None for what is no array."""
    if tree is _HOLE:
        return tree
    if isinstance(tree, dict):
        return {k: _without_constants(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return (
            type(tree)(*map(_without_constants, tree))
            if hasattr(tree, "_fields")
            else type(tree)([_without_constants(v) for v in tree])
        )
    return tree if _tree_leaves(tree, _ONLY_ARRAYS) else None


def _in_front(a: array, axis: int | None, batch: array) -> array:
    if axis is None:
        return _functions["broadcast_to"](a, (len(batch), *a.shape))
    return _functions["moveaxis"](a, axis, 0)


def _batched(rule: Callable, lists: list[list[Any]]) -> list[Any]:
    """The rule applied to each example along the first axis of all arrays; None stays None."""
    present = [[a for a in arrays if a is not None] for arrays in lists]
    gave: list[bool] = []

    def one(*arrays):
        inner = [[None if a is None else next(left) for a in given] for given, left in zip(lists, map(iter, arrays))]
        answer = rule(*inner)
        gave[:] = [a is not None for a in answer]
        return [a for a in answer if a is not None]

    outs = iter(vmap(one)(*present))
    return [next(outs) if there else None for there in gave]


class custom_function(Transformed):
    """A function whose derivatives and batches are computed by rules of its own.

    It gives the values of the function. Where a transform comes to it for which a rule was given, with
    :meth:`vjp`, :meth:`jvp` or :meth:`vmap`, the rule is asked; other transforms go through the function itself,
    and batch the rules for derivatives, too. As soon as there is a rule, arrays that the function captures,
    and those among keyword arguments, are constant to it: their gradient is zero.

    Args:
        f: A function of trees of arrays and constants that returns a tree of arrays and constants.

    Example:
        >>> @mx.custom_function
        ... def f(x, y):
        ...     return mx.sin(x) * y
        >>> @f.vjp
        ... def f_vjp(primals, cotangent, output):
        ...     x, y = primals
        ...     return cotangent * mx.cos(x) * y, cotangent * mx.sin(x)
        >>> mx.grad(f)(mx.array(0.0), mx.array(2.0))
        array(2, dtype=float32)
    """

    def __init__(self, f: Callable, rules: dict[str, Callable] | None = None) -> None:
        self._fun = f
        self._rules: dict[str, Callable] = {} if rules is None else dict(rules)
        super().__init__(custom_function, f, self._rules)

    def __deepcopy__(self, memo: dict) -> custom_function:
        return custom_function(copy.deepcopy(self._fun, memo), self._rules)

    def _set(self, rule: str, f: Callable) -> custom_function:
        if not callable(f):
            raise TypeError(f"{rule}(): argument 'f' must be callable, not {type(f).__name__}")
        self._rules[rule] = f
        return self

    def vjp(self, f: Callable) -> custom_function:
        """Set the rule for gradients; it may be used as a decorator.

        Args:
            f: A function of the primals, the cotangents and the outputs, and of the keyword arguments as such,
                that returns the gradients of the primals. The primals are a tuple of the positional arguments, or the
                argument itself if there is one; cotangents have the structure of the outputs, gradients that
                of the primals, with None for zeros and for constants.
        """
        return self._set("vjp", f)

    def jvp(self, f: Callable) -> custom_function:
        """Set the rule for tangents; it may be used as a decorator.

        Args:
            f: A function of the primals, as :meth:`vjp` has them, and their tangents, None for those of constants,
                that returns the tangents of the outputs, None for zeros.
        """
        return self._set("jvp", f)

    def vmap(self, f: Callable) -> custom_function:
        """Set the rule for batches; it may be used as a decorator.

        Args:
            f: A function of the inputs, as :meth:`vjp` has its primals, and of their batch axes, None for
                what is no batch, that returns the outputs and their batch axes, None for what is the same for all.
        """
        return self._set("vmap", f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._rules:
            return self._fun(*args, **kwargs)
        leaves = _tree_leaves((args, kwargs), _ONLY_ARRAYS)
        loan = Loan()
        own = loan.shield((*args, *kwargs.values()))
        result = _lent(loan.slots, self._fun, own[: len(args)], dict(zip(kwargs, own[len(args) :])))
        values = _tree_leaves(result, _ONLY_ARRAYS)
        if not values or not leaves:
            return result
        rules = _Rules(dict(self._rules), _form(args), _form(kwargs), _form(result))
        mask = sum(1 << k for k, kind in enumerate(_KINDS) if kind in self._rules)
        return _tree_fill(result, _custom(leaves, values, rules, mask), _ONLY_ARRAYS)
