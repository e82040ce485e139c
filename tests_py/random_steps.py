"""Steps of random programs.

Each maker takes (rng, values) and gives a step, or None where it does not fit. A step is the name of a case
of run_step, the numbers of the values it takes, and its parameters.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import strategies as st
from oracle import DTYPES, FLOATS, array, dt, name_of, sample

MOST = 600  # elements of a value

rngs = st.randoms(use_true_random=False)


def _reals(name: str) -> bool:
    return name != "complex64"


def _axis(r: random.Random, x: Any) -> int:
    return r.randrange(-x.ndim, x.ndim)


def _axes(r: random.Random, x: Any) -> Any:
    if x.ndim == 0 or r.random() < 0.3:
        return None
    if r.random() < 0.5:
        return _axis(r, x)
    return tuple(r.sample(range(x.ndim), r.randint(1, x.ndim)))


UNARY = ["abs", "negative", "square", "sin", "cos", "tanh", "exp", "sigmoid", "floor", "ceil", "logical_not", "erf",
         "isnan", "sqrt", "log1p", "round", "reciprocal", "arctan", "rsqrt", "isinf"]
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "divide", "less", "equal", "greater_equal", "not_equal",
          "logical_and", "logical_or", "logaddexp", "arctan2"]
REDUCTIONS = ["sum", "prod", "min", "max", "mean", "var", "all", "any", "logsumexp", "argmax", "argmin"]
SCANS = ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"]
SORTS = ["sort", "argsort", "partition", "topk"]


def make_index(r: random.Random, shape: tuple[int, ...], arrays: bool = True) -> tuple[Any, ...]:
    """Slices, ints, None, Ellipsis, and ("array", list) for index arrays."""
    out: list[Any] = []
    dims = list(shape[: r.randint(0, len(shape))])
    for n in dims:
        kind = r.random()
        if kind < 0.45:
            lo, hi = (r.choice([None, r.randint(-n - 1, n + 1)]) for _ in range(2))
            out.append(slice(lo, hi, r.choice([None, 1, 2, -1, -2])))
        elif kind < 0.65 and n:
            out.append(r.randrange(-n, n))
        elif kind < 0.85 and n and arrays:
            out.append(("array", [r.randrange(-n, n) for _ in range(3)], r.choice(["int32", "int64", "int8"])))
        else:
            out.append(slice(None))
    if r.random() < 0.15:
        out.insert(r.randint(0, len(out)), None)
    if len(dims) < len(shape) and r.random() < 0.2:
        out.append(Ellipsis)
    return tuple(out)


def real_index(lib: Any, index: tuple[Any, ...]) -> Any:
    return tuple(array(lib, np.array(i[1]), i[2]) if isinstance(i, tuple) else i for i in index)


def _probe(shape: tuple[int, ...], index: tuple[Any, ...]) -> tuple[int, ...]:
    basic = tuple(np.array(i[1]) if isinstance(i, tuple) else i for i in index)
    return np.broadcast_to(np.int8(0), shape)[basic].shape


def make_step(r: random.Random, values: list[Any]) -> tuple[str, tuple[int, ...], Any] | None:
    """A step over mlx_go arrays, of which only shapes and dtypes are looked at."""
    i = r.randrange(len(values)) if r.random() < 0.4 else len(values) - 1
    j = r.randrange(len(values))
    x, y = values[i], values[j]
    kind = r.choice(list(MAKERS))
    made = MAKERS[kind](r, x, y)
    if made is None:
        return None
    used, params = made
    return kind, (i, j)[:used], params


def _both_fit(x: Any, y: Any) -> bool:
    try:
        return int(np.prod(np.broadcast_shapes(x.shape, y.shape))) <= MOST
    except ValueError:
        return False


def _where(r: random.Random, x: Any, y: Any) -> Any:
    return (2, r.random()) if _both_fit(x, y) else None


def _reshape(r: random.Random, x: Any, y: Any) -> Any:
    n, shape = x.size, []
    while n > 1 and len(shape) < 3:
        d = r.choice([d for d in range(1, n + 1) if n % d == 0][:6])
        shape.append(d)
        n //= d
    shape.append(n)
    r.shuffle(shape)
    return 1, tuple(shape)


def _matmul(r: random.Random, x: Any, y: Any) -> Any:
    if x.ndim == 0 or name_of(x) not in (*FLOATS, "complex64") or x.size > 200:
        return None
    return 1, None


def _take(r: random.Random, x: Any, y: Any) -> Any:
    if x.ndim == 0:
        return None
    a = _axis(r, x)
    n = x.shape[a]
    return (1, (tuple(r.randrange(-n, n) for _ in range(r.randint(1, 4))), a)) if n else None


def _along(r: random.Random, x: Any, y: Any) -> Any:
    if x.ndim == 0:
        return None
    a = _axis(r, x)
    n = x.shape[a]
    return (1, (a, r.randrange(1 << 30))) if n and x.size else None


def _update(r: random.Random, x: Any, y: Any) -> Any:
    index = make_index(r, x.shape)
    shape = _probe(x.shape, index)
    op = r.choice(["set", "add", "multiply", "maximum", "minimum"])
    if 0 in shape:
        return None  # the oracle stops the process
    if op == "set" and len([k for k in index if isinstance(k, tuple)]) and shape:
        # The order of writes to one place is anyone's: distinct places only.
        index = tuple(("array", sorted({k % n for k in i[1]}), i[2]) if isinstance(i, tuple) else i
                      for i, n in _with_extent(index, x.shape))
        try:
            shape = _probe(x.shape, index)
        except (IndexError, ValueError):
            return None
    if name_of(x) == "complex64" and op in ("maximum", "minimum"):
        return None
    value = tuple(1 if r.random() < 0.3 else d for d in shape[r.randint(0, len(shape)):])
    return 1, (index, op, value, r.randrange(100))


def _with_extent(index: tuple[Any, ...], shape: tuple[int, ...]) -> list[tuple[Any, int]]:
    out, k = [], 0
    for i in index:
        if i is None or i is Ellipsis:
            out.append((i, 0))
        else:
            out.append((i, shape[k]))
            k += 1
    return out


def _conv(r: random.Random, x: Any, y: Any) -> Any:
    if x.ndim != 3 or not x.size or name_of(x) != "float32":
        return None
    return 1, (r.randint(1, 3), r.randint(1, 3), r.randint(0, 2), r.randint(1, 2), r.randint(1, 2))


MAKERS: dict[str, Any] = {
    "unary": lambda r, x, y: (1, r.choice(UNARY)),
    "binary": lambda r, x, y: (2, r.choice(BINARY)) if _both_fit(x, y) else None,
    "binary2": lambda r, x, y: (2, r.choice(BINARY)) if _both_fit(x, y) else None,
    "scalar": lambda r, x, y: (1, (r.choice(["add", "subtract", "multiply", "maximum", "divide"]), r.choice([2, 0.5, True, 3, 1.25, 0]), r.random() < 0.3)),
    "where": _where,
    "clip": lambda r, x, y: (1, (r.choice([0, 1]), 2)) if _reals(name_of(x)) else None,
    "reduce": lambda r, x, y: (1, (r.choice(REDUCTIONS), _axes(r, x), r.random() < 0.4)),
    "scan": lambda r, x, y: (1, (r.choice(SCANS), _axis(r, x), r.random() < 0.4, r.random() < 0.7)) if x.ndim else None,
    "sort": lambda r, x, y: (1, (r.choice(SORTS), _axis(r, x), r.random())) if x.ndim and _reals(name_of(x)) else None,
    "cast": lambda r, x, y: (1, r.choice(DTYPES)),
    "transpose": lambda r, x, y: (1, tuple(r.sample(range(x.ndim), x.ndim))),
    "reshape": _reshape,
    "index": lambda r, x, y: (1, make_index(r, x.shape)),
    "update": _update,
    "concatenate": lambda r, x, y: (2, _axis(r, x)) if x.ndim and x.shape == y.shape and 2 * x.size <= MOST else None,
    "stack": lambda r, x, y: (2, r.randint(0, x.ndim)) if x.ndim < 4 and x.shape == y.shape and 2 * x.size <= MOST else None,
    "pad": lambda r, x, y: (1, (tuple((r.randint(0, 2), r.randint(0, 2)) for _ in range(x.ndim)), r.choice([0, 1]))) if 0 < x.ndim and x.size < 60 else None,
    "take": _take,
    "take_along": _along,
    "put_along": _along,
    "softmax": lambda r, x, y: (1, _axes(r, x)) if x.ndim and name_of(x) in FLOATS else None,
    "broadcast": lambda r, x, y: (1, (r.randint(1, 3), *x.shape)) if x.ndim < 4 and 3 * x.size <= MOST else None,
    "flip": lambda r, x, y: (1, _axis(r, x)) if x.ndim else None,
    "roll": lambda r, x, y: (1, (r.randint(-5, 5), _axis(r, x))) if x.ndim else None,
    "repeat": lambda r, x, y: (1, (r.randint(0, 3), _axis(r, x))) if x.ndim and 3 * x.size <= MOST else None,
    "tile": lambda r, x, y: (1, tuple(r.randint(1, 2) for _ in range(x.ndim))) if 4 * x.size <= MOST and x.ndim < 3 else None,
    "expand": lambda r, x, y: (1, r.randint(0, x.ndim)) if x.ndim < 4 else None,
    "squeeze": lambda r, x, y: (1, None),
    "triangle": lambda r, x, y: (1, (r.choice(["tril", "triu"]), r.randint(-2, 2))) if x.ndim >= 2 else None,
    "split": lambda r, x, y: (1, ((r.randint(0, 3), r.randint(0, 5)), _axis(r, x))) if x.ndim else None,
    "matmul": _matmul,
    "conv": _conv,
    "contiguous": lambda r, x, y: (1, None),
    "inplace": lambda r, x, y: (1, r.choice(["+=", "*="])),
}


def put_indices(shape: tuple[int, ...], axis: int, seed: int) -> np.ndarray:
    """A permutation along the axis, so that no place is written twice."""
    order = np.random.default_rng(seed).random(shape).argsort(axis)
    return order.astype(np.int32)


def run_step(lib: Any, step: tuple[str, tuple[int, ...], Any], xs: list[Any]) -> Any:
    kind, _, p = step
    x = xs[0]
    if kind == "unary":
        return getattr(lib, p)(x)
    if kind in ("binary", "binary2"):
        return getattr(lib, p)(x, xs[1])
    if kind == "scalar":
        f = getattr(lib, p[0])
        return f(p[1], x) if p[2] else f(x, p[1])
    if kind == "where":
        return lib.where(x > 0.5 if name_of(x) != "complex64" else x == 0, x, xs[1])
    if kind == "clip":
        return lib.clip(x, *p)
    if kind == "reduce":
        f, axes, keep = p
        if f.startswith("arg") and isinstance(axes, tuple):
            axes = axes[0]
        return getattr(lib, f)(x, axis=axes, keepdims=keep)
    if kind == "scan":
        return getattr(lib, p[0])(x, axis=p[1], reverse=p[2], inclusive=p[3])
    if kind == "sort":
        f, axis, at = p
        n = x.shape[axis]
        if f in ("partition", "topk") and n:
            return getattr(lib, f)(x, min(int(at * n) + (f == "topk"), n - (f != "topk")), axis=axis)
        return (lib.argsort if f == "argsort" else lib.sort)(x, axis=axis)
    if kind == "cast":
        return x.astype(dt(lib, p))
    if kind == "transpose":
        return lib.transpose(x, p)
    if kind == "reshape":
        return lib.reshape(x, p)
    if kind == "index":
        return x[real_index(lib, p)]
    if kind == "update":
        index, op, shape, seed = p
        index, value = real_index(lib, index), array(lib, sample("int8", shape, seed, 0, 3), name_of(x))
        if op == "set":
            z = lib.array(x)
            z[index] = value
            return z
        return getattr(x.at[index], op)(value)
    if kind == "concatenate":
        return lib.concatenate([x, xs[1], x][: 2], axis=p)
    if kind == "stack":
        return lib.stack(xs, axis=p)
    if kind == "pad":
        return lib.pad(x, p[0], constant_values=lib.array(p[1]).astype(x.dtype))
    if kind == "take":
        return lib.take(x, lib.array(p[0]), axis=p[1])
    if kind in ("take_along", "put_along"):
        order = lib.array(put_indices(tuple(x.shape), *p))
        if kind == "take_along":
            return lib.take_along_axis(x, order, axis=p[0])
        return lib.put_along_axis(x, order, x.reshape(x.shape), axis=p[0])
    if kind == "softmax":
        return lib.softmax(x, axis=p)
    if kind == "broadcast":
        return lib.broadcast_to(x, p)
    if kind == "flip":
        return x[(slice(None),) * (p % x.ndim) + (slice(None, None, -1),)]
    if kind == "roll":
        return lib.roll(x, *p)
    if kind == "repeat":
        return lib.repeat(x, p[0], axis=p[1])
    if kind == "tile":
        return lib.tile(x, p)
    if kind == "expand":
        return lib.expand_dims(x, p)
    if kind == "squeeze":
        return lib.squeeze(x)
    if kind == "triangle":
        return getattr(lib, p[0])(x, p[1])
    if kind == "split":
        at = sorted(min(k, x.shape[p[1]]) for k in p[0])
        return lib.split(x, at, axis=p[1])[1]
    if kind == "matmul":
        return x @ (lib.swapaxes(x, -1, -2) if x.ndim > 1 else x)
    if kind == "conv":
        out, width, padding, stride, dilation = p
        w = lib.array(sample("float32", (out, width, x.shape[-1]), 1, -1, 1))
        return lib.conv1d(x, w, stride, padding, dilation)
    if kind == "contiguous":
        return lib.contiguous(x)
    assert kind == "inplace"
    z = x[...] if x.ndim else x + 0
    other = z
    if p == "+=":
        z += True
    else:
        z *= True
    return z if other is z else None
