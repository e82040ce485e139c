"""compile: run a function's Python once per shape, then its graph."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ._core import (
    _placeholders,
    _swap,
    _trace_call,
    _trace_free,
    _trace_new,
    _tree_assign,
    _tree_fill,
    _tree_key,
    _tree_leaves,
    array,
)

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


def _state_arrays(tree):
    """The distinct arrays of captured state."""
    return list(dict.fromkeys(_tree_leaves(tree, 2)))


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
                    _swap([tree[i]], [value])
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
    if isinstance(tree, dict):
        return {k: _copy_containers(v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(_copy_containers(v) for v in tree)
    return tree


class _Entry:
    """One traced graph and what surrounds it."""

    __slots__ = ("count", "outputs", "result", "trace")

    def __init__(self, trace: int, result: Any, count: int, outputs: Any) -> None:
        self.trace = trace
        self.result = result
        self.count = count
        self.outputs = outputs

    def __del__(self) -> None:
        _trace_free(self.trace)


class _Compiled:
    """A compiled function: a cache of graphs by the shapes, dtypes and constants of its arguments."""

    def __init__(self, fun: Callable, inputs: Any, outputs: Any) -> None:
        self._fun = fun
        self._inputs = inputs
        self._outputs = outputs
        self._cache: dict[Any, _Entry] = {}
        self._lock = threading.RLock()  # reentrant, as the function may call itself
        try:
            functools.update_wrapper(self, fun, updated=())  # not the attributes: fun may be compiled itself
        except (AttributeError, TypeError):
            pass

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not _enabled:
            return self._fun(*args, **kwargs)
        arrays: list[array] = []
        key = _tree_key((args, kwargs), arrays)
        if self._inputs is not None:
            state = _state_arrays(self._inputs)
            key = (key, _tree_key(state, arrays))
        entry = self._cache.get(key)
        if entry is None:
            with self._lock:
                entry = self._cache.get(key) or self._trace(args, kwargs, arrays)
                while len(self._cache) >= _MOST_TRACES:
                    del self._cache[next(iter(self._cache))]
                self._cache[key] = entry
        outs = _trace_call(entry.trace, arrays)
        if self._outputs is not None:
            state = outs[entry.count :]
            if not _tree_assign(self._outputs, entry.outputs, state):
                _assign(self._outputs, entry.outputs, iter(state))
            del outs[entry.count :]
        return _tree_fill(entry.result, outs, 1)

    def _trace(self, args, kwargs, arrays):
        placeholders = _placeholders(arrays)
        given = len(_tree_leaves((args, kwargs), 1))
        args, kwargs = _tree_fill((args, kwargs), placeholders[:given], 1)
        captured, stand_ins = arrays[given:], placeholders[given:]
        saved = _snapshot(self._inputs), _snapshot(self._outputs)
        # Whoever holds a captured array sees its stand-in during the run: the objects trade nodes.
        _swap(captured, stand_ins)
        try:
            # What was captured but is not in the tree itself came from holders, in their order.
            plain = {id(a) for a in _tree_leaves(self._inputs, 1)}
            for holder, stand_in in zip(_holders(self._inputs), [a for a in captured if id(a) not in plain]):
                holder.__mlx_tree_set__(stand_in)
            result = self._fun(*args, **kwargs)
            leaves = _tree_leaves(result, 1)
            outputs = _copy_containers(self._outputs)
            trace = _trace_new(placeholders[:given] + captured, leaves + _tree_leaves(outputs, 2))
        finally:
            _swap(captured, stand_ins)
            for s in saved:
                _restore(s)
        return _Entry(trace, result, len(leaves), outputs)


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
    if not callable(fun):
        raise TypeError(f"compile(): argument 'fun' must be callable, not {type(fun).__name__}")
    return _Compiled(fun, inputs, outputs)
