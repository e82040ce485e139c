"""Trees: nested lists, tuples, dictionaries and registered types whose leaves are anything else.

Parameters, gradients and optimizer states are all trees, so these functions
are what a training loop uses to walk, rename, combine and save them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, overload

from ._core import _register_tree

__all__ = [
    "register_tree",
    "tree_flatten",
    "tree_map",
    "tree_map_with_path",
    "tree_merge",
    "tree_reduce",
    "tree_unflatten",
]

# A flat key like "layers.4000000000" comes from a file as easily as from a
# program; without a bound it would allocate that many placeholders.
_MAX_LIST_HOLES = 1 << 20


# type -> (flatten, unflatten); the core has its own copy for transforms and eval.
_registered: dict[type, tuple[Callable, Callable]] = {}


def register_tree(
    cls: type | None = None, *, flatten: Callable | None = None, unflatten: Callable | None = None
) -> Any:
    """Make objects of a class trees: for transforms, ``eval``, optimizers and the functions of this module.

    A dataclass needs no functions. Its fields are the children, but for those with ``metadata={"static": True}``, which
    are constants, as shapes and names are.

    Args:
        cls: The class; without it, a decorator.
        flatten: Called with an object. Returns ``(children, static)``: a tree, and a hashable constant.
        unflatten: Called with ``static`` and other children. Returns a new object.

    Returns:
        The class.

    Raises:
        TypeError: Neither a dataclass nor functions were given, or only one function.

    Example:
        >>> import dataclasses
        >>> import mlx_go.core as mx
        >>> @register_tree
        ... @dataclasses.dataclass
        ... class Line:
        ...     slope: mx.array
        ...     offset: mx.array
        >>> mx.grad(lambda line: line.slope * 2 + line.offset)(Line(mx.array(3.0), mx.array(1.0)))
        Line(slope=array(2, dtype=float32), offset=array(1, dtype=float32))
    """
    if cls is None:
        return lambda cls: register_tree(cls, flatten=flatten, unflatten=unflatten)
    if (flatten is None) != (unflatten is None):
        raise TypeError("[register_tree] flatten and unflatten come together")
    if flatten is None or unflatten is None:
        if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
            raise TypeError(f"[register_tree] {cls!r} is no dataclass: pass flatten and unflatten")
        flatten, unflatten = _dataclass_rules(cls)
    if not isinstance(cls, type) or issubclass(cls, (list, dict)) or cls in (tuple, int, float, str, bool, type(None)):
        raise TypeError(f"[register_tree] {cls!r} cannot be registered")
    _registered[cls] = (flatten, unflatten)
    _register_tree(cls, flatten, unflatten)
    return cls


def _dataclass_rules(cls: type) -> tuple[Callable, Callable]:
    fields = dataclasses.fields(cls)
    static = [f.name for f in fields if f.metadata.get("static")]
    names = [f.name for f in fields if not f.metadata.get("static")]

    def flatten(tree: Any) -> tuple[dict, tuple]:
        return {n: getattr(tree, n) for n in names}, tuple(getattr(tree, n) for n in static)

    def unflatten(constants: tuple, children: dict) -> Any:
        # Not cls(...): __init__ may convert and check what placeholders cannot answer.
        new: Any = object.__new__(cls)
        for name, value in [*zip(static, constants), *children.items()]:
            object.__setattr__(new, name, value)
        return new

    return flatten, unflatten


def _children(tree: Any) -> Any:
    """The tree that an object of a registered type stands for; None for others."""
    rules = _registered.get(type(tree))
    return None if rules is None else rules[0](tree)[0]


def _rebuild(like: Any, values: list) -> Any:
    """Return ``values`` as the same kind of sequence as ``like``."""
    kind = type(like)
    if kind is list:
        return values
    if hasattr(like, "_fields"):
        return kind(*values)
    return kind(values)


def tree_map(
    fn: Callable,
    tree: Any,
    *rest: Any,
    is_leaf: Callable | None = None,
) -> Any:
    """Apply ``fn`` to every leaf of ``tree`` and return a new tree.

    With ``rest``, each further tree must contain at least the structure of
    ``tree``; its matching leaves are passed to ``fn`` as extra arguments.

    Args:
        fn: Called with one leaf of ``tree`` and the leaves of ``rest``.
        tree: The tree that decides the structure of the result.
        rest: Trees that are supersets of ``tree``.
        is_leaf: Returns ``True`` for a node that is not to be entered.

    Returns:
        A tree of the structure of ``tree`` (dictionaries become plain ``dict``).

    Example:
        >>> tree_map(lambda x, y: x + y, {"a": [1, 2]}, {"a": [10, 20], "b": 0})
        {'a': [11, 22]}
    """
    if is_leaf is not None:
        return _map_until(fn, tree, rest, is_leaf)
    if rest:
        return _map_rest(fn, tree, rest)
    return _map_one(fn, tree)


def _map_one(fn: Callable, tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _map_one(fn, v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _rebuild(tree, [_map_one(fn, v) for v in tree])
    if type(tree) in _registered:
        return _map_registered(lambda t: _map_one(fn, t), tree)
    return fn(tree)


def _map_rest(fn: Callable, tree: Any, rest: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _map_rest(fn, v, [r[k] for r in rest]) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _rebuild(tree, [_map_rest(fn, v, [r[i] for r in rest]) for i, v in enumerate(tree)])
    if type(tree) in _registered:
        return _map_registered(lambda t, *r: _map_rest(fn, t, r), tree, *rest)
    return fn(tree, *rest)


def _map_until(fn: Callable, tree: Any, rest: Any, is_leaf: Callable) -> Any:
    if not is_leaf(tree):
        if isinstance(tree, dict):
            return {k: _map_until(fn, v, [r[k] for r in rest], is_leaf) for k, v in tree.items()}
        if isinstance(tree, (list, tuple)):
            return _rebuild(
                tree,
                [_map_until(fn, v, [r[i] for r in rest], is_leaf) for i, v in enumerate(tree)],
            )
        if type(tree) in _registered:
            return _map_registered(lambda t, *r: _map_until(fn, t, r, is_leaf), tree, *rest)
    return fn(tree, *rest)


def _map_registered(fn: Callable, tree: Any, *rest: Any) -> Any:
    """The object with ``fn`` applied to its children, and to those of the rest, which may be trees in their place."""
    flatten, unflatten = _registered[type(tree)]
    children, static = flatten(tree)
    return unflatten(static, fn(children, *(r if (c := _children(r)) is None else c for r in rest)))


def tree_map_with_path(
    fn: Callable,
    tree: Any,
    *rest: Any,
    is_leaf: Callable | None = None,
    path: Any | None = None,
) -> Any:
    """Like :func:`tree_map`, with the dotted path of the leaf as first argument of ``fn``.

    Args:
        fn: Called with the path, the leaf of ``tree`` and the leaves of ``rest``.
        tree: The tree that decides the structure of the result.
        rest: Trees that are supersets of ``tree``.
        is_leaf: Returns ``True`` for a node that is not to be entered.
        path: Put in front of every path.

    Returns:
        A tree of the structure of ``tree``.

    Example:
        >>> tree_map_with_path(lambda path, x: f"{path}={x}", {"model": [1, {"w": 2}]})
        {'model': ['model.0=1', {'w': 'model.1.w=2'}]}
    """
    if is_leaf is None or not is_leaf(tree):
        prefix = f"{path}." if path else ""
        if isinstance(tree, dict):
            return {
                k: tree_map_with_path(fn, v, *[r[k] for r in rest], is_leaf=is_leaf, path=f"{prefix}{k}")
                for k, v in tree.items()
            }
        if isinstance(tree, (list, tuple)):
            return _rebuild(
                tree,
                [
                    tree_map_with_path(fn, v, *[r[i] for r in rest], is_leaf=is_leaf, path=f"{prefix}{i}")
                    for i, v in enumerate(tree)
                ],
            )
        if type(tree) in _registered:
            return _map_registered(lambda t, *r: tree_map_with_path(fn, t, *r, is_leaf=is_leaf, path=path), tree, *rest)
    return fn(path, tree, *rest)


@overload
def tree_flatten(
    tree: Any,
    prefix: str = ...,
    is_leaf: Callable | None = ...,
    destination: list[tuple[str, Any]] | None = ...,
) -> list[tuple[str, Any]]: ...
@overload
def tree_flatten(
    tree: Any,
    prefix: str = ...,
    is_leaf: Callable | None = ...,
    *,
    destination: dict[str, Any],
) -> dict[str, Any]: ...
def tree_flatten(
    tree: Any,
    prefix: str = "",
    is_leaf: Callable | None = None,
    destination: list[tuple[str, Any]] | dict[str, Any] | None = None,
) -> list[tuple[str, Any]] | dict[str, Any]:
    """Flatten a tree to ``(dotted path, leaf)`` pairs.

    Args:
        tree: The tree.
        prefix: Put in front of every path; its first character is dropped, so
            that ``".model"`` gives ``"model.weight"``.
        is_leaf: Returns ``True`` for a node that is not to be entered.
        destination: A list or dictionary to add to. Default: a new list.

    Returns:
        ``destination``.

    Example:
        >>> tree_flatten({"a": [1, {"b": 2}]})
        [('a.0', 1), ('a.1.b', 2)]
        >>> tree_flatten({"a": {"b": 1}}, destination={})
        {'a.b': 1}
    """
    if destination is None:
        destination = []
    if isinstance(destination, list):
        append = destination.append
        if is_leaf is None:
            _flatten_all(append, prefix, tree)
        else:
            _flatten(append, prefix, tree, is_leaf)
        return destination
    if isinstance(destination, dict):
        pairs: list[tuple[str, Any]] = []
        _flatten(pairs.append, prefix, tree, is_leaf)
        destination.update(pairs)
        return destination
    raise ValueError(f"[tree_flatten] destination must be a list, a dict or None but is {type(destination).__name__}.")


def _flatten_all(append: Callable, prefix: str, tree: Any) -> None:
    if isinstance(tree, dict):
        for k, v in tree.items():
            _flatten_all(append, f"{prefix}.{k}", v)
    elif isinstance(tree, (list, tuple)):
        for i, v in enumerate(tree):
            _flatten_all(append, f"{prefix}.{i}", v)
    elif type(tree) in _registered:
        _flatten_all(append, prefix, _children(tree))
    else:
        append((prefix[1:], tree))


def _flatten(append: Callable, prefix: str, tree: Any, is_leaf: Callable | None) -> None:
    if is_leaf is None or not is_leaf(tree):
        if isinstance(tree, dict):
            for k, v in tree.items():
                _flatten(append, f"{prefix}.{k}", v, is_leaf)
            return
        if isinstance(tree, (list, tuple)):
            for i, v in enumerate(tree):
                _flatten(append, f"{prefix}.{i}", v, is_leaf)
            return
        if type(tree) in _registered:
            _flatten(append, prefix, _children(tree), is_leaf)
            return
    append((prefix[1:], tree))


def tree_unflatten(tree: list[tuple[str, Any]] | dict[str, Any]) -> Any:
    """Rebuild a tree from what :func:`tree_flatten` returns.

    A level whose keys are all list indices becomes a list; indices that are
    missing are filled with empty dictionaries.

    Args:
        tree: Pairs of dotted path and leaf, or a dictionary from path to leaf.

    Returns:
        The tree.

    Example:
        >>> tree_unflatten([("a.0", 1), ("a.1.b", 2)])
        {'a': [1, {'b': 2}]}
    """
    return _unflatten(list(tree.items() if isinstance(tree, dict) else tree))


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key[0] != "0" or key == "0")


def _unflatten(items: list[tuple[str, Any]]) -> Any:
    if len(items) == 1 and items[0][0] == "":
        return items[0][1]
    children: dict[str, list[tuple[str, Any]]] = {}
    for path, value in items:
        key, _, rest = path.partition(".")
        child = children.get(key)
        if child is None:
            children[key] = [(rest, value)]
        else:
            child.append((rest, value))
    if len(children) == 1 and "" in children and all(p == "" for p, _ in items):
        # The same path given several times.
        return items[0][1]
    if all(map(_is_index, children)):
        size = max(map(int, children), default=-1) + 1
        if size - len(children) > _MAX_LIST_HOLES:
            raise ValueError(
                f"[tree_unflatten] list index {size - 1} would leave "
                f"{size - len(children)} entries empty; use a dictionary for sparse keys."
            )
        result: list[Any] = [{} for _ in range(size)]
        for key, child in children.items():
            result[int(key)] = _unflatten(child)
        return result
    return {key: _unflatten(child) for key, child in children.items()}


def tree_reduce(
    fn: Callable,
    tree: Any,
    initializer: Any = None,
    is_leaf: Callable | None = None,
) -> Any:
    """Fold ``fn`` over the leaves of ``tree`` from left to right.

    Args:
        fn: Called with the accumulated value and the next leaf.
        tree: The tree.
        initializer: Where to start. Default: the first leaf.
        is_leaf: Returns ``True`` for a node that is not to be entered.

    Returns:
        The accumulated value.

    Example:
        >>> tree_reduce(lambda total, x: total + x, {"a": [1, 2, 3], "b": [4, 5]}, 0)
        15
    """
    if is_leaf is None or not is_leaf(tree):
        if isinstance(tree, dict):
            for v in tree.values():
                initializer = tree_reduce(fn, v, initializer, is_leaf)
            return initializer
        if isinstance(tree, (list, tuple)):
            for v in tree:
                initializer = tree_reduce(fn, v, initializer, is_leaf)
            return initializer
        if type(tree) in _registered:
            return tree_reduce(fn, _children(tree), initializer, is_leaf)
    return tree if initializer is None else fn(initializer, tree)


def _is_empty(tree: Any) -> bool:
    return tree is None or (isinstance(tree, (dict, list, tuple)) and not tree)


def tree_merge(tree_a: Any, tree_b: Any, merge_fn: Callable | None = None) -> Any:
    """Merge two trees into one that holds the leaves of both: a deep ``dict.update``.

    Args:
        tree_a: The first tree. ``None`` and empty containers stand for nothing.
        tree_b: The second tree.
        merge_fn: Called with both leaves where the trees overlap. Default: overlap
            is an error.

    Returns:
        The merged tree.

    Example:
        >>> tree_merge({"a": {"x": 1}}, {"a": {"y": 2}})
        {'a': {'x': 1, 'y': 2}}
    """
    if _is_empty(tree_a):
        if _is_empty(tree_b) and tree_a is not None and tree_b is not None:
            if isinstance(tree_a, dict) != isinstance(tree_b, dict):
                raise ValueError(f"[tree_merge] cannot merge {type(tree_a).__name__} with {type(tree_b).__name__}.")
        return tree_a if tree_b is None else tree_b
    if _is_empty(tree_b):
        return tree_a
    if isinstance(tree_a, dict) and isinstance(tree_b, dict):
        merged = {k: tree_merge(v, tree_b.get(k), merge_fn) if k in tree_b else v for k, v in tree_a.items()}
        for k, v in tree_b.items():
            if k not in tree_a:
                merged[k] = v
        return merged
    if isinstance(tree_a, (list, tuple)) and isinstance(tree_b, (list, tuple)):
        return _rebuild(tree_a, [tree_merge(a, b, merge_fn) for a, b in zip_longest(tree_a, tree_b)])
    if merge_fn is None:
        raise ValueError(
            "[tree_merge] the trees have leaves at the same place "
            f"({type(tree_a).__name__} and {type(tree_b).__name__}) and no merge_fn was given."
        )
    return merge_fn(tree_a, tree_b)
