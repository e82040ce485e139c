"""Every function and method that takes a stream, with arguments with which it can be called."""

from __future__ import annotations

import inspect
from typing import Any

from arguments import SPECIAL, USUAL, A, I, T
from oracle import mx


def functions() -> dict[str, Any]:
    """Every function and method that takes a stream, by its signature."""
    found = {}
    for owner, o in {"": mx, "random": mx.random, "fast": mx.fast, "linalg": mx.linalg, "array": mx.array}.items():
        for name in dir(o):
            f = getattr(o, name)
            try:
                parameters = inspect.signature(f).parameters if callable(f) and not name.startswith("__") else {}
            except ValueError:
                continue
            if "stream" in parameters and name not in ("synchronize", "set_default_stream", "precompiled_cuda_kernel"):
                found[f"{owner}.{name}".lstrip(".")] = f
    return found


def complexes(m: Any) -> Any:
    return A(m).astype(m.complex64)


# Where the usual arguments are not taken, or are the result themselves.
OTHER: dict[str, dict[str, Any]] = {
    "astype": {"dtype": lambda m: m.int32}, "conj": {"a": complexes, "self": complexes},
    "conjugate": {"a": complexes, "self": complexes}, "real": {"a": complexes, "val": complexes}, "contiguous": {"a": T},
    "arange": {"start": 0, "stop": 5, "step": 2}, "bitwise_left_shift": {"a": I, "b": I},
    "bitwise_right_shift": {"a": I, "b": I}, "einsum": {"subscripts": "ij,kj->ik", "operands": (A, A)},
    "array.reshape": {"shape": (3, 2)}, "array.squeeze": {"self": lambda m: A(m)[None]}, "array.transpose": {"axes": (1, 0)},
    "meshgrid": {"arrays": (A, A)}, "atleast_1d": {"arys": (1.0,)}, "atleast_2d": {"arys": (1.0,)},
    "broadcast_arrays": {"arrays": (lambda m: A(m)[:, None], lambda m: A(m)[None])}, "tensordot": {"axes": 1},
    **{f: {p: SPECIAL[f][p] for p in ("biases", "group_size")} for f in ("dequantize", "quantized_matmul", "gather_qmm")},
    "gather_qqmm": {p: SPECIAL["gather_qqmm"][p] for p in ("lhs_indices", "rhs_indices")},
}  # fmt: skip


def arguments(full: str, f: Any) -> tuple[list[Any], dict[str, Any]]:
    short = full.removeprefix("array.")
    values = USUAL | SPECIAL.get(full, {}) | SPECIAL.get(short, {}) | OTHER.get(short, {}) | OTHER.get(full, {})
    pos: list[Any] = []
    kw: dict[str, Any] = {}

    def value(v: Any) -> Any:
        return v(mx) if callable(v) else v

    for p in inspect.signature(f).parameters.values():
        wanted = p.default is p.empty or p.name == "axis" or p.name in OTHER.get(short, {})
        if p.name == "stream" or not wanted:
            continue
        if p.kind == p.VAR_POSITIONAL:
            pos += [value(v) for v in values.get(p.name, (A,))]
        elif p.kind == p.POSITIONAL_ONLY or (p.default is p.empty and p.kind != p.KEYWORD_ONLY):
            pos.append(value(values[p.name]))
        else:
            kw[p.name] = value(values[p.name])
    return pos, kw


def arrays(r: Any) -> list[Any]:
    return [a for x in r for a in arrays(x)] if isinstance(r, (tuple, list)) else [r]
