"""How the oracle says that its functions are called, and how ours are."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from inspect import Parameter
from pathlib import Path
from typing import Any

from oracle import mx

MODULES = ("", "random", "fast", "linalg", "fft", "distributed")
Parsed = tuple[str, Any, str]  # name, kind, default as text

# Python's own slots name and bind their arguments: __add__(self, value, /).
SLOTS = {name for name in dir(mx.array) if name.startswith("__")}


def parameters(a: ast.arguments) -> list[Parsed]:
    text = lambda node: "" if node is None else ast.unparse(node)
    plain = [(p, Parameter.POSITIONAL_ONLY) for p in a.posonlyargs] + [
        (p, Parameter.POSITIONAL_OR_KEYWORD) for p in a.args
    ]
    defaults = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    out = [(p.arg, kind, text(d)) for (p, kind), d in zip(plain, defaults)]
    if a.vararg:
        out.append((a.vararg.arg, Parameter.VAR_POSITIONAL, ""))
    out += [(p.arg, Parameter.KEYWORD_ONLY, text(d)) for p, d in zip(a.kwonlyargs, a.kw_defaults)]
    if a.kwarg:
        out.append((a.kwarg.arg, Parameter.VAR_KEYWORD, ""))
    return out


def stubs(module: str) -> dict[str, list[list[Parsed]]]:
    """Functions and methods of a stub file, each with its overloads."""
    spec = importlib.util.find_spec("mlx.core")
    assert spec and spec.origin
    path = Path(spec.origin).parent / "core" / f"{module or '__init__'}.pyi"
    found: dict[str, list[list[Parsed]]] = {}
    for node in ast.parse(path.read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for f in inner:
            if not isinstance(f, ast.FunctionDef) or any(
                "property" in ast.unparse(d) or ".setter" in ast.unparse(d) for d in f.decorator_list
            ):
                continue
            name = f.name if f is node else f"{node.name}.{f.name}"  # type: ignore[attr-defined]
            found.setdefault(name, []).append(parameters(f.args))
    return found


def ours(f: Any) -> list[Parsed]:
    """The signature; a dtype as a default shows as ``...`` because __text_signature__ has no words for it."""
    out = []
    for p in inspect.signature(f).parameters.values():
        out.append((p.name, p.kind, "" if p.default is Parameter.empty else repr(p.default).replace("Ellipsis", "...")))
    return out
