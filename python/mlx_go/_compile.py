"""compile: run a function's Python once per shape, then its graph."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ._core import (
    _copies,
    _placeholders,
    _renode,
    _trace_call,
    _trace_new,
    _tree_assign,
    _tree_fill,
    _tree_key,
    _tree_leaves,
    _undone,
    array,
)
from ._transformed import Transformed

_enabled = True
_MOST_TRACES = 512  # of one function: constants that never repeat must not fill the memory


def disable_compile() -> None:
    """Let compiled functions run as they are."""
    global _enabled
    _enabled = False


def enable_compile() -> None:
    """Undo :func:`disable_compile`."""
    global _enabled
    _enabled = True


# Captured state is a tree of dicts, lists and objects such as mx.random.state, which offer
# __mlx_tree__ and __mlx_tree_set__.


def _holders(tree):
    """The objects of a tree that are neither containers nor arrays but hold one."""
    if isinstance(tree, dict):
        return [h for v in tree.values() for h in _holders(v)]
    if isinstance(tree, (list, tuple)):
        return [h for v in tree for h in _holders(v)]
    return [tree] if hasattr(tree, "__mlx_tree__") else []


def _snapshot(tree):
    """The containers of a tree with what they hold."""
    if isinstance(tree, dict):
        return (tree, dict(tree), [_snapshot(v) for v in tree.values()])
    if isinstance(tree, (list, tuple)):
        return (tree, list(tree), [_snapshot(v) for v in tree])
    if hasattr(tree, "__mlx_tree__"):
        return (tree, tree.__mlx_tree__(), ())
    return None


def _restore(saved):
    if saved is None:
        return
    tree, held, inner = saved
    if isinstance(tree, dict):
        if any(tree.get(k) is not v for k, v in held.items()) or len(tree) != len(held):
            # A Module is a dict whose update() means something else.
            dict.clear(tree)
            dict.update(tree, held)
    elif isinstance(tree, list):
        tree[:] = held
    elif not isinstance(tree, tuple):
        tree.__mlx_tree_set__(held)
    for s in inner:
        _restore(s)


def _assign(tree, like, values):
    """Put the next of ``values`` wherever ``like``, the tree as the traced run left it, has an array."""
    if isinstance(like, dict):
        for k, v in like.items():
            if type(v) is array:
                tree[k] = next(values)
            elif isinstance(v, (dict, list, tuple)) or hasattr(v, "__mlx_tree__"):
                if not isinstance(tree.get(k), type(v)):
                    tree[k] = _copy_containers(v)
                _assign(tree[k], v, values)
            else:
                tree[k] = v
    elif isinstance(like, (list, tuple)):
        for i, v in enumerate(like):
            if type(v) is array:
                value = next(values)
                if isinstance(tree, tuple):
                    _renode([tree[i]], [value])
                elif i < len(tree):
                    tree[i] = value
                else:
                    tree.append(value)
            elif isinstance(v, (dict, list, tuple)) or hasattr(v, "__mlx_tree__"):
                if i >= len(tree):
                    tree.append(_copy_containers(v))
                _assign(tree[i], v, values)
    elif hasattr(like, "__mlx_tree__"):
        tree.__mlx_tree_set__(next(values))


def _copy_containers(tree):
    return _tree_fill(tree, _tree_leaves(tree, 1), 1)


class _Entry:
    """One traced graph and what surrounds it."""

    __slots__ = ("count", "outputs", "result", "trace")

    def __init__(self, trace: Any, result: Any, count: int, outputs: Any) -> None:
        self.trace = trace
        self.result = result
        self.count = count
        self.outputs = outputs


class _Rehearsal:
    """The turn of a function that is traced with stand-ins in its captured state.

    One thread at a time has it, for whatever functions it traces, so that functions that call each other do not wait for
    each other. Another thread that reads captured state meanwhile would take stand-ins for it, and so looks at ``begun``.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner: int | None = None
        self.begun = 0

    def settled(self) -> int:
        """Wait until no other thread has the turn; how many turns there have been."""
        while self._owner not in (None, threading.get_ident()):
            with self._lock:
                pass
        return self.begun

    def disturbed(self, since: int) -> bool:
        """Whether another thread has had the turn since, or has it."""
        return self.begun != since and self._owner != threading.get_ident()

    def run(self, body: Callable, undo: Callable) -> Any:
        with self._lock:
            outer = self._owner

            def end():
                undo()
                self._owner = outer

            def begin():
                self._owner = threading.get_ident()
                self.begun += 1
                return body()

            return _undone(begin, end)


_rehearsal = _Rehearsal()


class _Compiled(Transformed):
    """A compiled function: a cache of graphs by the shapes, dtypes and constants of its arguments."""

    def __init__(self, make: Callable, fun: Callable, inputs: Any, outputs: Any, shapeless: bool) -> None:
        super().__init__(make, fun, inputs, outputs, shapeless)
        self._fun = fun
        self._inputs = inputs
        self._outputs = outputs
        self._cache: dict[Any, _Entry] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not _enabled:
            return self._fun(*args, **kwargs)
        stateless = self._inputs is None and self._outputs is None
        entry, outs = self._outs(args, kwargs) if stateless else self._outs_with_state(args, kwargs)
        if self._outputs is not None:
            state = outs[entry.count :]
            if not _tree_assign(self._outputs, entry.outputs, state):
                _assign(self._outputs, entry.outputs, iter(state))
            del outs[entry.count :]
        return _tree_fill(entry.result, outs, 1)

    def _key(self, args, kwargs, arrays):
        key = _tree_key((args, kwargs), arrays, False)
        return key if self._inputs is None else (key, _tree_key(self._inputs, arrays, True))

    def _outs(self, args, kwargs):
        """The entry for the arguments, and its results. Two threads that come first trace twice: no lock is held."""
        arrays: list[array] = []
        key = self._key(args, kwargs, arrays)
        entry = self._cache.get(key)
        if entry is None:
            placeholders = _placeholders(arrays)
            own_args, own_kwargs = _tree_fill((args, kwargs), _copies(placeholders), 1)
            result = self._fun(*own_args, **own_kwargs)
            leaves = _tree_leaves(result, 1)
            entry = self._keep(key, _Entry(_trace_new(placeholders, leaves), result, len(leaves), None))
        return entry, _trace_call(entry.trace, arrays)

    def _outs_with_state(self, args, kwargs):
        while True:
            begun = _rehearsal.settled()
            arrays: list[array] = []
            entry = self._cache.get(self._key(args, kwargs, arrays))
            if entry is None:
                return self._trace(args, kwargs)
            outs = _trace_call(entry.trace, arrays)
            if not _rehearsal.disturbed(begun):
                return entry, outs

    def _keep(self, key, entry):
        while len(self._cache) >= _MOST_TRACES:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[key] = entry
        return entry

    def _trace(self, args, kwargs):
        """A new entry and its results."""
        arrays: list[array] = []
        given = captured = own = saved = None

        def body():
            nonlocal given, captured, own, saved
            key = self._key(args, kwargs, arrays)
            given = len(_tree_leaves((args, kwargs), 1))
            saved = _snapshot(self._inputs), _snapshot(self._outputs)
            placeholders = _placeholders(arrays)
            stand_ins = _copies(placeholders)
            own_args, own_kwargs = _tree_fill((args, kwargs), stand_ins[:given], 1)
            own, captured = _copies(arrays[given:]), arrays[given:]
            # Whoever holds a captured array sees its stand-in during the run.
            _renode(captured, stand_ins[given:])
            # What was captured but is not in the tree itself came from holders, in their order.
            plain = {id(a) for a in _tree_leaves(self._inputs, 1)}
            for holder, stand_in in zip(_holders(self._inputs), [a for a in captured if id(a) not in plain]):
                holder.__mlx_tree_set__(stand_in)
            result = self._fun(*own_args, **own_kwargs)
            leaves = _tree_leaves(result, 1)
            outputs = _copy_containers(self._outputs)
            trace = _trace_new(placeholders, leaves + _tree_leaves(outputs, 2))
            return self._keep(key, _Entry(trace, result, len(leaves), outputs))

        def undo():
            if captured is not None:
                _renode(captured, own)
            for s in saved or ():
                _restore(s)

        entry = _rehearsal.run(body, undo)
        return entry, _trace_call(entry.trace, arrays)


def compile(fun: Callable, inputs: Any = None, outputs: Any = None, shapeless: bool = False) -> Callable:
    """A function that runs the Python of ``fun`` once per shape of its arguments, and its graph each time.

    Args:
        fun: A function of trees of arrays and constants.
        inputs: State that ``fun`` reads besides its arguments: a tree of lists and dicts of arrays, such as
            ``[model.state, optimizer.state, mx.random.state]``.
        outputs: State that ``fun`` changes.
        shapeless: Accepted for programs that ask not to be traced again for new shapes. Each shape has its
            own graph here: what ``fun`` computes in Python from shapes stays right, as do means and other
            functions that count elements. The graphs of the 512 latest signatures are kept.

    Returns:
        The compiled function.

    Example:
        >>> mx.compile(lambda x: x * 2)(mx.array([1, 2]))
        array([2, 4], dtype=int32)
    """
    return _Compiled(compile, fun, inputs, outputs, shapeless)
