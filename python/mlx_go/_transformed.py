"""What all transforms share: the object that is a transformed function, and the arrays that the function is shown."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from ._core import _OUTSIDE, _copies, _tree_copy, _tree_leaves, _tree_lend


class Transformed:
    """A function made of another one by a transform: a method where it is a class attribute, and pickled by its recipe.

    Args:
        make: The transform.
        fun: The function.
        how: The transform's other arguments.
    """

    def __init__(self, make: Callable, fun: Callable, *how: Any) -> None:
        if not callable(fun):
            raise TypeError(f"{make.__name__}(): argument 'fun' must be callable, not {type(fun).__name__}")
        self._recipe = (make, (fun, *how))
        try:
            # Not the attributes: fun may be transformed itself.
            functools.update_wrapper(self, fun, updated=())
        except (AttributeError, TypeError):  # callables that are neither functions nor classes
            pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return self._recipe

    def __deepcopy__(self, memo: dict) -> Any:
        make, (fun, *how) = self._recipe
        own = copy.deepcopy(fun, memo)
        # A plain function has no copies: it goes on using the state that it captured.
        return make(own, *(how if own is fun else copy.deepcopy(how, memo)))

    def __repr__(self) -> str:
        make, (fun, *_) = self._recipe
        return f"<{make.__name__} of {fun!r}>"


class Loan:
    """What a function gets in place of arrays of the caller.

    Attributes:
        slots: Where stand-ins are put into lists, dicts and modules of the caller, for ``_lent``.
        met: The lists and dicts so far. One that is met again has no second place for a stand-in, so that the
            function gets a copy of it instead.
    """

    __slots__ = ("met", "slots")

    def __init__(self) -> None:
        self.slots: list[Any] = []
        self.met: dict[int, Any] = {}

    def shield(self, values: tuple) -> tuple:
        """The values with other objects for their arrays, so that what is updated in place is not the caller's.

        Modules are state, and left alone.
        """
        if not values:
            return values
        like = _tree_copy(values, None)
        leaves = _tree_leaves(like, _OUTSIDE)
        if not leaves:
            return values
        distinct = list(dict.fromkeys(leaves))  # an array that is there twice has one stand-in
        stand_ins = _copies(distinct)
        if len(distinct) < len(leaves):
            of = dict(zip(distinct, stand_ins))
            stand_ins = [of[a] for a in leaves]
        return _tree_lend(values, like, stand_ins, None, self.slots, self.met)
