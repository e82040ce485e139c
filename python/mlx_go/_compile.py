"""compile: run a function's Python once per shape, or per rank, then its graph."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ._core import (
    _ONLY_ARRAYS,
    _STATE,
    _copies,
    _placeholders,
    _recorded,
    _renode,
    _script_play,
    _script_trace,
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
_MOST_SCRIPTS = 16  # of one signature without shapes: the function looked at shapes, each fits some


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
    return _tree_fill(tree, _tree_leaves(tree, _ONLY_ARRAYS), _ONLY_ARRAYS)


class _Entry:
    """What a traced run gave, and how it is built again: by a trace at given shapes, by a script at others."""

    __slots__ = ("count", "outputs", "result", "script", "trace")

    def __init__(self, result: Any, count: int, outputs: Any, script: Any = None, trace: Any = None) -> None:
        self.trace = trace
        self.script = script
        self.result = result
        self.count = count
        self.outputs = outputs

    def at_other_shapes(self) -> _Entry:
        return _Entry(self.result, self.count, self.outputs, self.script)


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
        self._shapeless = shapeless
        self._cache: dict[Any, _Entry] = {}
        self._scripts: dict[Any, list[_Entry]] = {}  # by a key without shapes, the latest first

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
        return _tree_fill(entry.result, outs, _ONLY_ARRAYS)

    def _key(self, args, kwargs, arrays, ranks=False):
        """None in a function that is recorded, which goes on into this one."""
        key = _tree_key((args, kwargs), arrays, False, ranks)
        return key if self._inputs is None else key and (key, _tree_key(self._inputs, arrays, True, ranks))

    def _outs(self, args, kwargs):
        """The entry for the arguments, and its results. Two threads that come first trace twice: no lock is held."""
        arrays: list[array] = []
        key = self._key(args, kwargs, arrays)
        entry = self._cache.get(key)
        if entry is not None and entry.trace is not None:
            return entry, _trace_call(entry.trace, arrays)
        return self._built(key, args, kwargs, arrays) or self._run(args, kwargs, key is None)

    def _outs_with_state(self, args, kwargs):
        while True:
            begun = _rehearsal.settled()
            arrays: list[array] = []
            key = self._key(args, kwargs, arrays)
            entry = self._cache.get(key)
            if entry is not None and entry.trace is not None:
                built = entry, _trace_call(entry.trace, arrays)
            else:
                built = self._built(key, args, kwargs, arrays)
            if built is None:
                return self._run(args, kwargs, key is None)
            if not _rehearsal.disturbed(begun):
                return built

    def _built(self, key, args, kwargs, arrays):
        """An entry and its results by a script. Only shapes that come back are worth a trace."""
        if not self._shapeless or key is None:
            return None
        entry = self._cache.get(key)
        if entry is not None:
            entry.trace = _script_trace(entry.script, arrays)
            return entry.trace and (entry, _trace_call(entry.trace, arrays))
        for like in self._scripts.get(self._key(args, kwargs, [], True), ()):
            outs = _script_play(like.script, arrays)
            if outs is not None:
                return self._keep(self._cache, key, like.at_other_shapes()), outs
        return None

    def _keep(self, cache, key, value):
        while len(cache) >= _MOST_TRACES:
            cache.pop(next(iter(cache)), None)
        cache[key] = value
        return value

    def _keep_script(self, key, entry):
        kept = self._scripts.get(key)
        if kept is None:
            kept = self._keep(self._scripts, key, [])
        kept.insert(0, entry)
        del kept[_MOST_SCRIPTS:]

    # ---- running the function ----

    def _run(self, args, kwargs, inline):
        """An entry and its results by the function. Inline it sees the arrays themselves, which somebody traces."""
        arrays: list[array] = []
        outs = None

        def body(stand_ins_for):
            nonlocal outs
            key = self._key(args, kwargs, arrays)
            ranks = self._key(args, kwargs, [], True) if self._shapeless else None  # before fun changes its state
            placeholders = arrays if inline else _placeholders(arrays)
            call = stand_ins_for(_copies(placeholders))
            if inline:
                outs, *entry = call()
                return _Entry(*entry)
            if not self._shapeless:
                leaves, *entry = call()
                return self._keep(self._cache, key, _Entry(*entry, None, _trace_new(placeholders, leaves)))
            (leaves, *entry), script = _recorded(placeholders, call)
            trace = script and _script_trace(script, arrays)
            if trace is None:  # something was done that cannot be played: the graph is for these shapes
                trace, script = _trace_new(placeholders, leaves), None
            kept = self._keep(self._cache, key, _Entry(*entry, script, trace))
            if script is not None:
                self._keep_script(ranks, kept)
            return kept

        if self._inputs is None and self._outputs is None:
            entry = body(lambda stand_ins: self._call_on(args, kwargs, stand_ins))
        else:
            entry = self._rehearse(body, args, kwargs, arrays)
        return entry, _trace_call(entry.trace, arrays) if outs is None else outs

    def _call_on(self, args, kwargs, stand_ins):
        """The function on stand-ins, to be called: what it gives are the leaves of an entry, and its parts."""
        own_args, own_kwargs = _tree_fill((args, kwargs), stand_ins, _ONLY_ARRAYS)

        def call():
            result = self._fun(*own_args, **own_kwargs)
            leaves = _tree_leaves(result, _ONLY_ARRAYS)
            outputs = _copy_containers(self._outputs)
            return leaves + _tree_leaves(outputs, _STATE), result, len(leaves), outputs

        return call

    def _rehearse(self, body, args, kwargs, arrays):
        """Run body with stand-ins in the captured state, which is then what it was."""
        captured = own = saved = None

        def stand_ins_for(stand_ins):
            nonlocal captured, own, saved
            given = len(_tree_leaves((args, kwargs), _ONLY_ARRAYS))
            saved = _snapshot(self._inputs), _snapshot(self._outputs)
            call = self._call_on(args, kwargs, stand_ins[:given])
            own, captured = _copies(arrays[given:]), arrays[given:]
            # Whoever holds a captured array sees its stand-in during the run.
            _renode(captured, stand_ins[given:])
            # What was captured but is not in the tree itself came from holders, in their order.
            plain = {id(a) for a in _tree_leaves(self._inputs, _ONLY_ARRAYS)}
            for holder, stand_in in zip(_holders(self._inputs), [a for a in captured if id(a) not in plain]):
                holder.__mlx_tree_set__(stand_in)
            return call

        def undo():
            if captured is not None:
                _renode(captured, own)
            for s in saved or ():
                _restore(s)

        return _rehearsal.run(lambda: body(stand_ins_for), undo)


def compile(fun: Callable, inputs: Any = None, outputs: Any = None, shapeless: bool = False) -> Callable:
    """A function that runs the Python of ``fun`` once per shape of its arguments, and its graph each time.

    The graphs of the 512 latest signatures are kept.

    Args:
        fun: A function of trees of arrays and constants.
        inputs: State that ``fun`` reads besides its arguments: a tree of lists and dicts of arrays, such as
            ``[model.state, optimizer.state, mx.random.state]``.
        outputs: State that ``fun`` changes.
        shapeless: Run the Python of ``fun`` once for all shapes of a rank. What functions make of shapes, as
            means do and reshapes with -1, is made again at other shapes. Where ``fun`` itself looks at a shape,
            a size, a length or at values, its Python runs again for shapes at which it would see others.

    Returns:
        The compiled function.

    Example:
        >>> mx.compile(lambda x: x * 2)(mx.array([1, 2]))
        array([2, 4], dtype=int32)
    """
    return _Compiled(compile, fun, inputs, outputs, shapeless)
