"""Functions in files: what a function asks of the core, with the arrays that it captured, to be asked again elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from ._core import (
    _copies,
    _dtypes,
    _graph_text,
    _load,
    _node,
    _placeholders,
    _recorded,
    _save,
    _script_call,
    _script_inputs,
    _script_read,
    _script_text,
    _tree_leaves,
    array,
)
from ._io import _path

# A file is one in safetensors format: its tensors are the captured arrays, its metadata are these strings. "functions"
# is a JSON list with an entry for each exported signature, and "script.0", "script.1", ... are what core.Script.Text
# gives.
_FORMAT = "mlx_go.function"
_VERSION = 1


def _inputs(op: str, args: tuple, kwargs: dict[str, Any]) -> tuple[list[array], dict[str, array]]:
    """Arrays by position and by name: given as such, or as a tuple or list and a dict of them."""
    values, named = list(args), kwargs
    if not kwargs and values and not all(type(a) is array for a in values):
        if isinstance(values[-1], dict):
            named = values.pop()
        if len(values) == 1 and isinstance(values[0], (tuple, list)):
            values = list(values[0])
    if not all(type(a) is array for a in (*values, *named.values())) or not all(type(k) is str for k in named):
        raise ValueError(
            f"[{op}] inputs can either be a variable number of positional and keyword arrays, "
            "or a tuple and/or a dictionary of arrays"
        )
    return values, dict(sorted(named.items()))


def _outputs(result: Any) -> list[array]:
    if type(result) is array:
        return [result]
    if isinstance(result, (tuple, list)) and all(type(a) is array for a in result):
        return list(result)
    raise ValueError(
        f"[export_function] the function must return an array, or a tuple or list of arrays, not {type(result).__name__}"
    )


def _stand_ins(values: list[array], named: dict[str, array]) -> tuple[list[array], list[array], dict[str, array]]:
    """Placeholders for all arrays, and what the function gets for them."""
    placeholders = _placeholders([*values, *named.values()])
    own = _copies(placeholders)
    return placeholders, own[: len(values)], dict(zip(named, own[len(values) :]))


def _name_of(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


class _Signature:
    """What a function was exported for."""

    __slots__ = ("dtypes", "names", "shapeless", "shapes")

    def __init__(self, shapes: list[tuple], dtypes: list[str], names: list[str], shapeless: bool) -> None:
        self.shapes, self.dtypes, self.names, self.shapeless = shapes, dtypes, names, shapeless

    @staticmethod
    def of(values: list[array], named: dict[str, array], shapeless: bool = False) -> _Signature:
        arrays = [*values, *named.values()]
        return _Signature([a.shape for a in arrays], [_name_of(a.dtype) for a in arrays], list(named), shapeless)

    def takes(self, values: list[array], named: dict[str, array]) -> bool:
        arrays = [*values, *named.values()]
        if self.names != list(named) or len(self.shapes) != len(arrays):
            return False
        if any(d != _name_of(a.dtype) or len(s) != a.ndim for s, d, a in zip(self.shapes, self.dtypes, arrays)):
            return False
        # A function that is recorded itself sees no shapes that it need not see.
        return self.shapeless or all(s == a.shape for s, a in zip(self.shapes, arrays))

    def __str__(self) -> str:
        places = [str(i + 1) for i in range(len(self.shapes) - len(self.names))] + [f'"{n}"' for n in self.names]
        lines = [f"{p}: {s} {d}" for p, s, d in zip(places, self.shapes, self.dtypes)]
        what = " of any shape of these ranks" if self.shapeless else ""
        return f"{len(places) - len(self.names)} positional and {len(self.names)} keyword inputs{what}" + "".join(
            f"\n     {line}" for line in lines
        )


class FunctionExporter:
    """Writes a function to a file, once for each signature with which it is called: see :func:`exporter`.

    The file is there when the exporter is closed, which the end of a ``with`` does unless an exception left it.
    """

    def __init__(self, file: Any, fun: Callable, shapeless: bool, metadata: str | None, op: str = "exporter") -> None:
        if not callable(fun):
            raise TypeError(f"{op}(): argument 'fun' must be callable, not {type(fun).__name__}")
        if metadata is not None and not isinstance(metadata, str):
            raise TypeError(f"{op}(): argument 'metadata' must be str | None, not {type(metadata).__name__}")
        self._path, self._fun, self._shapeless, self._metadata = _path(file, op), fun, bool(shapeless), metadata
        self._functions: list[tuple[_Signature, Any]] = []
        self._open = True

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Export the function for arrays like these."""
        if not self._open:
            raise RuntimeError("[export_function] the exporter is closed")
        values, named = _inputs("export_function", args, kwargs)
        for signature, _ in self._functions:
            if signature.takes(values, named):
                raise RuntimeError(f"[export_function] the function was exported before for {signature}")
        placeholders, own, own_named = _stand_ins(values, named)
        _, script = _recorded(placeholders, lambda: (_outputs(self._fun(*own, **own_named)),))
        if script is None:
            raise RuntimeError(
                "[export_function] the function uses arrays that were computed of its arguments beside it, "
                "as on another thread, which no file can do again"
            )
        self._functions.append((_Signature.of(values, named, self._shapeless), script))

    def close(self) -> None:
        """Write the file, unless it is written."""
        if not self._open:
            return
        self._open = False
        arrays: dict[str, array] = {}
        names: dict[int, str] = {}
        texts: dict[str, str] = {"format": _FORMAT, "version": str(_VERSION)}
        functions = []
        for i, (signature, script) in enumerate(self._functions):
            texts[f"script.{i}"], constants = _script_text(script)
            for a in constants:
                name = names.setdefault(_node(a), str(len(names)))
                arrays[name] = a
            functions.append(
                {
                    "keywords": signature.names,
                    "shapeless": signature.shapeless,
                    "constants": [names[_node(a)] for a in constants],
                }
            )
        texts["functions"] = json.dumps(functions)
        if self._metadata is not None:
            texts["metadata"] = self._metadata
        _save(self._path, "safetensors", list(arrays), list(arrays.values()), [t for p in texts.items() for t in p], False)

    def __enter__(self) -> FunctionExporter:
        return self

    def __exit__(self, exc_type: Any = None, exc_value: Any = None, traceback: Any = None) -> None:
        if exc_type is None:
            self.close()
        self._open = False


def exporter(file: str, fun: Callable, *, shapeless: bool = False, metadata: str | None = None) -> FunctionExporter:
    """An object that writes a function to a file, once for each signature with which it is called.

    Args:
        file: The path.
        fun: The function, as for :func:`export_function`.
        shapeless: Whether the function may be called with arrays of other shapes of the same ranks.
        metadata: A string to keep in the file.

    Returns:
        A context manager to be called with example inputs. The file is written at its end.

    Example:
        >>> with mx.exporter("sum.mlxfn", lambda *args: sum(args)) as export:
        ...     export(mx.array(1))
        ...     export(mx.array(1), mx.array(2))
        >>> mx.import_function("sum.mlxfn")(mx.array(3), mx.array(4))
        (array(7, dtype=int32),)
    """
    return FunctionExporter(file, fun, shapeless, metadata)


def export_function(
    file_or_callback: str | Callable,
    fun: Callable,
    *args: Any,
    shapeless: bool = False,
    metadata: str | None = None,
    **kwargs: Any,
) -> None:
    """Write a function to a file, from which :func:`import_function` reads it in any process.

    The Python of ``fun`` runs once, on stand-ins for the arrays. What it asks of mlx_go is written down, and the
    arrays that it captures are stored. Derivatives of the function that is read are those of what was written: a rule
    of :class:`custom_function` is kept for the derivatives that ``fun`` takes itself.

    Args:
        file_or_callback: The path. Or a function that is called with dicts which describe the graph: one each of type
            ``"inputs"``, ``"keyword_inputs"``, ``"outputs"`` and ``"constants"``, and one of type ``"primitive"`` for
            each op, in an order in which inputs come first.
        fun: A function of arrays, by position or by name, that returns an array, or a tuple or list of arrays.
        args: Example inputs: arrays, or a tuple or list of them.
        shapeless: Whether the function may be called with arrays of other shapes of the same ranks. What functions make
            of shapes is made again then; where ``fun`` itself looks at a shape, the call with another one is a ValueError.
        metadata: A string to keep in the file.
        kwargs: Example inputs by name; a dict behind a tuple of arrays stands for them, too.

    Example:
        >>> mx.export_function("fun.mlxfn", lambda x, y: x + y, mx.array(1), y=mx.array([1, 2, 3]))
        >>> mx.import_function("fun.mlxfn")(mx.array(2), y=mx.array([1, 2, 3]))
        (array([3, 4, 5], dtype=int32),)
    """
    if callable(file_or_callback):
        if metadata is not None:
            raise ValueError("[export_function] metadata is kept in files, and not given to callbacks")
        _describe(file_or_callback, fun, args, kwargs)
        return
    export = FunctionExporter(file_or_callback, fun, shapeless, metadata, "export_function")
    export(*args, **kwargs)
    export.close()


# ---- reading ----


def _malformed(file: Any, what: str) -> ValueError:
    return ValueError(f"[import_function] {os.fsdecode(file)} is no file with a function: {what}")


def _strings(entry: Any, key: str, path: bytes) -> list[str]:
    values = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(values, list) or not all(type(v) is str for v in values):
        raise _malformed(path, f"'{key}' is no list of strings")
    return values


def _read(path: bytes) -> tuple[list[tuple[_Signature, Any]], str]:
    arrays, texts = _load(path, "safetensors")
    if texts.get("format") != _FORMAT:
        raise _malformed(path, "its format is another one")
    if texts.get("version") != str(_VERSION):
        raise _malformed(path, f"its version is {texts.get('version')!r}, and this is for version {_VERSION}")
    try:
        entries = json.loads(texts.get("functions", ""))
    except (ValueError, RecursionError) as e:
        raise _malformed(path, str(e)) from None
    if not isinstance(entries, list):
        raise _malformed(path, "'functions' is no list")
    functions = []
    for i, entry in enumerate(entries):
        constants, names = (_strings(entry, key, path) for key in ("constants", "keywords"))
        text, shapeless = texts.get(f"script.{i}"), entry.get("shapeless")
        if text is None or type(shapeless) is not bool or set(constants) - set(arrays):
            raise _malformed(path, f"function {i + 1} is incomplete")
        script = _script_read(text, [arrays[name] for name in constants])
        inputs = json.loads(_script_inputs(script))
        if len(set(names)) != len(names) or len(names) > len(inputs) or names != sorted(names):
            raise _malformed(path, f"function {i + 1} has the keyword inputs {names}")
        shapes, dtypes = [tuple(x["shape"]) for x in inputs], [x["dtype"] for x in inputs]
        functions.append((_Signature(shapes, dtypes, names, shapeless), script))
    return functions, texts.get("metadata", "")


class _Imported:
    """A function that was read from a file."""

    def __init__(self, path: bytes, functions: list[tuple[_Signature, Any]]) -> None:
        self._path, self._functions = path, functions

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[array, ...]:
        values, named = _inputs("import_function::call", args, kwargs)
        for signature, script in self._functions:
            if signature.takes(values, named):
                return tuple(_script_call(script, [*values, *named.values()]))
        functions = "".join(f"\n  {i + 1}. {s}" for i, (s, _) in enumerate(self._functions))
        raise ValueError(
            "[import_function::call] no imported function matches the given arguments. "
            f"The file has functions of{functions}\nCalled with {_Signature.of(values, named)}"
        )

    def __reduce__(self) -> Any:
        return import_function, (os.fsdecode(self._path),)

    def __repr__(self) -> str:
        return f"<imported function of {os.fsdecode(self._path)!r}>"


def import_function(file: str, return_metadata: bool = False) -> Callable | tuple[Callable, str]:
    """Read a function that :func:`export_function` or :func:`exporter` wrote.

    Args:
        file: The path.
        return_metadata: Also return the string that was kept with the function, which is empty if there was none.

    Returns:
        A function that takes arrays by position and by name, or a tuple and a dict of them, and returns a tuple of arrays;
        or a pair of it and the metadata. It can be transformed as any other function.
    """
    path = _path(file, "import_function")
    functions, metadata = _read(path)
    imported = _Imported(path, functions)
    return (imported, metadata) if return_metadata else imported


# ---- graphs ----


class _Graph:
    """A graph, with a name for every array: given ones, and letters for the others."""

    def __init__(self, outs: list[array], named: dict[str, array]) -> None:
        text, self.sources = _graph_text(outs, list(named.values()))
        graph = json.loads(text)
        self.nodes, self.arrays, self.outs, self.source_places = (
            graph[key] for key in ("nodes", "arrays", "outs", "sources")
        )
        self.named = graph["named"]
        self.names: dict[int, str] = {p: name for name, p in zip(named, self.named) if p >= 0}
        taken, count = set(named), 0
        for p in range(len(self.arrays)):
            while p not in self.names:
                name, count = _letters(count), count + 1
                if name not in taken:
                    self.names[p] = name

    def described(self, p: int) -> tuple[str, tuple[int, ...], Any]:
        a = self.arrays[p]
        return self.names[p], tuple(a["shape"]), next(d for d in _dtypes if _name_of(d) == a["dtype"])


def _letters(n: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    name = ""
    while n >= 0:
        name, n = chr(ord("A") + n % 26) + name, n // 26 - 1
    return name


def _describe(callback: Callable, fun: Callable, args: tuple, kwargs: dict[str, Any]) -> None:
    if not callable(fun):
        raise TypeError(f"export_function(): argument 'fun' must be callable, not {type(fun).__name__}")
    values, named = _inputs("export_function", args, kwargs)
    placeholders, own, own_named = _stand_ins(values, named)
    outs = _outputs(fun(*own, **own_named))
    letters = [_letters(i) for i in range(len(placeholders))]
    graph = _Graph(outs, dict(zip(letters, placeholders)))
    inputs = [(name, a.shape, a.dtype) for name, a in zip(letters, placeholders)]
    constants = [(graph.names[p], a) for p, a in zip(graph.source_places, graph.sources) if p not in graph.named]
    callback({"type": "inputs", "inputs": inputs})
    callback({"type": "keyword_inputs", "keywords": list(zip(named, letters[len(values) :]))})
    callback({"type": "outputs", "outputs": [graph.described(p) for p in graph.outs]})
    callback({"type": "constants", "constants": constants})
    for node in graph.nodes:
        callback(
            {
                "type": "primitive",
                "name": node["name"],
                "arguments": node["arguments"],
                "inputs": [graph.described(p) for p in node["inputs"]],
                "outputs": [graph.described(p) for p in node["outputs"]],
            }
        )


def export_to_dot(file: object, *args: Any, **kwargs: Any) -> None:
    """Write the graph of arrays that are not evaluated in the DOT language of Graphviz.

    Args:
        file: A path, or a file opened for writing text.
        args: The arrays, or trees of them.
        kwargs: Arrays with the names that they shall have.

    Example:
        >>> x, y = mx.array(1), mx.array(2)
        >>> mx.export_to_dot("graph.dot", x + y, x=x, y=y)
    """
    named = {}
    for name, a in kwargs.items():
        if type(a) is not array:
            raise TypeError(f"[export_to_dot] '{name}' must be an array, not {type(a).__name__}")
        named[name] = a
    graph = _Graph([*_tree_leaves(args, "export_to_dot"), *named.values()], named)
    quoted = {p: '"' + n.replace("\\", "\\\\").replace('"', '\\"') + '"' for p, n in graph.names.items()}
    inner = {p for node in graph.nodes for p in node["inputs"]}
    lines = [f"{{ rank=source; {quoted[p]}; }}" for p in graph.source_places]
    for i, node in enumerate(graph.nodes):
        lines.append(f'{{ {i} [label ="{node["name"]}", shape=rectangle]; }}')
        lines += [f"{quoted[p]} -> {i}" for p in node["inputs"]]
        for p in node["outputs"]:
            lines.append(f"{{ {'' if p in inner else 'rank=sink; '}{quoted[p]}; }}")
            lines.append(f"{i} -> {quoted[p]}")
    text = "\n".join(["digraph {", *lines, "}", ""])
    write = getattr(file, "write", None)
    if write is not None:
        write(text)
        return
    with open(_path(file, "export_to_dot"), "w", encoding="utf-8") as f:
        f.write(text)
