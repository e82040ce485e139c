"""Derivatives of random functions: against finite differences, against each other, and against the oracle."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st
from oracle import mlx, name_of, needs_oracle, sample
from random_steps import make_index, put_indices, real_index, rngs

import mlx_go.core as mx

SMOOTH: dict[str, Any] = {
    "sin": lambda r, x: (lambda lib, x: lib.sin(x)),
    "tanh": lambda r, x: (lambda lib, x: lib.tanh(x)),
    "square": lambda r, x: (lambda lib, x: lib.square(x) * 0.3),
    "sigmoid": lambda r, x: (lambda lib, x: lib.sigmoid(x)),
    "exp": lambda r, x: (lambda lib, x: lib.exp(lib.sin(x))),
    "log1p": lambda r, x: (lambda lib, x: lib.log1p(lib.square(x))),
    "divide": lambda r, x: (lambda lib, x: x / (1 + lib.square(x))),
    "power": lambda r, x: (lambda lib, x: (2 + lib.sin(x)) ** 1.5),
    "selfmul": lambda r, x: (lambda lib, x: x * lib.cos(x) + x),
    "where": lambda r, x: (lambda lib, x: lib.where(x > 0.1, x * x, lib.sin(x))),
    "maximum": lambda r, x: (lambda lib, x: lib.maximum(x, 0.3) + lib.minimum(x, 0.7)),
    "clip": lambda r, x: (lambda lib, x: lib.clip(x, -0.9, 0.8)),
    "logaddexp": lambda r, x: (lambda lib, x: lib.logaddexp(x, 0.5 * x)),
    "abs": lambda r, x: (lambda lib, x: lib.abs(x)),
    "erf": lambda r, x: (lambda lib, x: lib.erf(x)),
}


def _pick(r: random.Random, x: Any) -> Any:
    """One op over an array of x's shape, as a function of (lib, array)."""
    n = x.ndim
    kinds = ["smooth"] * 4 + (["sum", "mean", "cumsum", "cumprod", "softmax", "sort", "max", "prod", "logsumexp", "index", "take", "scatter",
                              "concat", "pad", "roll", "var", "std", "topk", "cummax", "logcumsumexp", "min", "take_along"] if n else [])
    kinds += ["transpose", "reshape", "broadcast"] + (["matmul", "norm"] if n >= 2 else []) + (["conv"] if n == 3 else [])
    kind = r.choice(kinds)
    if kind == "smooth":
        return SMOOTH[r.choice(list(SMOOTH))](r, x)
    a = r.randrange(n) if n else 0
    size = x.shape[a] if n else 0
    keep, back = r.random() < 0.5, r.random() < 0.5
    if kind in ("sum", "mean", "max", "min", "prod", "logsumexp"):
        return lambda lib, x: getattr(lib, kind)(x, axis=a, keepdims=keep)
    if kind in ("var", "std"):
        return lambda lib, x: lib.var(lib.concatenate([x, 2 * x, lib.cos(x)], axis=a), axis=a, keepdims=keep)
    if kind in ("cumsum", "cumprod", "cummax", "logcumsumexp"):
        return lambda lib, x: getattr(lib, kind)(x, axis=a, reverse=back, inclusive=keep or kind in ("cummax", "logcumsumexp"))
    if kind == "softmax":
        return lambda lib, x: lib.softmax(x, axis=a)
    if kind == "sort":
        return lambda lib, x: lib.sort(x, axis=a)
    if kind == "topk":
        return lambda lib, x: lib.sort(lib.topk(x, max(size - 1, 1), axis=a), axis=a)
    if kind == "index":
        index = make_index(r, tuple(x.shape))
        return lambda lib, x: x[real_index(lib, index)]
    if kind == "take":
        where = [r.randrange(size) for _ in range(3)]
        return lambda lib, x: lib.take(x, lib.array(where), axis=a)
    if kind == "take_along":
        seed = r.randrange(99)
        return lambda lib, x: lib.take_along_axis(x, lib.array(put_indices(tuple(x.shape), a, seed)), axis=a)
    if kind == "scatter":
        where = [r.randrange(size) for _ in range(3)]
        op = r.choice(["add", "multiply", "maximum"])
        index = (slice(None),) * a
        return lambda lib, x: getattr(x.at[(*index, lib.array(where))], op)(0.3 * lib.sin(lib.take(x, lib.array(where), axis=a)) + 1)
    if kind == "concat":
        return lambda lib, x: lib.concatenate([x, lib.sin(x)], axis=a)
    if kind == "pad":
        return lambda lib, x: lib.pad(x, [(1, 0)] * n)
    if kind == "roll":
        return lambda lib, x: lib.roll(x, 1, a) * x
    if kind == "transpose":
        perm = r.sample(range(n), n)
        return lambda lib, x: lib.transpose(x, perm)
    if kind == "reshape":
        return lambda lib, x: lib.reshape(x, (-1,))
    if kind == "broadcast":
        return lambda lib, x: lib.broadcast_to(x, (2, *x.shape)) if x.ndim < 4 else x
    if kind == "matmul":
        return lambda lib, x: x @ lib.swapaxes(x, -1, -2) * 0.3
    if kind == "norm":
        return lambda lib, x: x / (1 + lib.sqrt(lib.sum(x * x, axis=-1, keepdims=True) + 1))
    assert kind == "conv"
    channels = x.shape[-1]
    w = sample("float64", (2, 2, channels), 5, -1, 1)
    return lambda lib, x: lib.conv1d(x, lib.array(w).astype(x.dtype), padding=1)


def _describe(op: Any) -> str:
    """What the closure of _pick holds."""
    held = dict(zip(op.__code__.co_freevars, (c.cell_contents for c in op.__closure__ or ())))
    return f"{op.__code__.co_names} {({k: v for k, v in held.items() if k not in ('r', 'x')})}"


def scalar_program(r: random.Random, depth: int) -> tuple[Any, tuple[int, ...]]:
    """A function f(lib, x) with a scalar result, and the shape of x."""
    shape = tuple(r.choice([1, 2, 3, 4]) for _ in range(r.choice([0, 1, 1, 2, 2, 3])))
    ops: list[Any] = []
    x = mx.zeros(shape)
    for _ in range(depth):
        op = _pick(r, x)
        y = op(mx, x)
        if y.size > 200 or y.ndim > 4 or y.size == 0:
            continue
        note(f"{x.shape} {_describe(op)}")
        ops.append(op)
        x = y
    n = x.size
    weights = np.cos(np.arange(n) * 1.7 + 0.3)

    def f(lib: Any, x: Any) -> Any:
        for op in ops:
            x = op(lib, x)
        return lib.sum(lib.reshape(x, (-1,)) * lib.array(weights).astype(x.dtype))

    return f, shape


def _value(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def _slope(g: Any, x: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """The derivative of g along v at x by central differences, and what they say about their error."""
    slopes = []
    for h in (1e-4, 5e-5):
        a, b = g(x + h * v), g(x - h * v)
        slopes.append((a - b) / (2 * h))
    return slopes[1], abs(slopes[0] - slopes[1])


def _f64(x: np.ndarray) -> mx.array:
    return mx.array(x, dtype=mx.float64)


def _near(got: float, want: float, slack: float, what: str) -> None:
    """Kinks between the sample points make differences useless: their own disagreement is the slack."""
    if slack > 1e-3 * (1 + abs(want)):
        return
    assert abs(got - want) <= 1e-5 * (1 + abs(want)) + 20 * slack, f"{what}: {got}, not {want} ± {slack}"


@given(rngs, st.integers(1, 7), st.integers(0, 50))
def test_derivatives(r: random.Random, depth: int, seed: int) -> None:
    f, shape = scalar_program(r, depth)
    x, v, u = _value(seed, shape), _value(seed + 1, shape), _value(seed + 2, shape)

    def loss(a: Any) -> Any:
        return f(mx, a)

    def dot(a: Any, b: np.ndarray) -> float:
        return float(np.sum(np.asarray(a) * b))

    gradient = mx.grad(loss)
    g = gradient(_f64(x))
    assert g.shape == shape and g.dtype == mx.float64
    want, slack = _slope(lambda z: float(loss(_f64(z)).item()), x, v)
    _near(dot(g, v), want, slack, "grad")
    _, (t,) = mx.jvp(loss, [_f64(x)], [_f64(v)])
    assert abs(t.item() - dot(g, v)) <= 1e-8 * (1 + abs(t.item())), f"jvp {t.item()}, not {dot(g, v)}"

    # The second derivative along v and u: grad of grad, and jvp of vjp.
    second = mx.grad(lambda a: mx.sum(gradient(a) * _f64(v)))(_f64(x))
    want2, slack2 = _slope(lambda z: dot(gradient(_f64(z)), v), x, u)
    _near(dot(second, u), want2, slack2, "grad of grad")
    _, (h,) = mx.jvp(lambda a: mx.vjp(loss, [a], [mx.array(1.0, dtype=mx.float64)])[1][0], [_f64(x)], [_f64(u)])
    assert abs(dot(h, v) - dot(second, u)) <= 1e-7 * (1 + abs(dot(second, u))), f"jvp of vjp {dot(h, v)}, not {dot(second, u)}"

    # vmap against a loop, of values and gradients, and the gradient of a vmap.
    batch = np.stack([x, v, u])
    for name, fun in (("value", loss), ("grad", gradient)):
        got = np.asarray(mx.vmap(fun)(_f64(batch)))
        loop = np.stack([np.asarray(fun(_f64(b))) for b in batch])
        assert got.shape == loop.shape and np.allclose(got, loop, rtol=1e-9, atol=1e-9), f"vmap of {name}: {got}, not {loop}"
    through = mx.grad(lambda b: mx.sum(mx.vmap(loss)(b)))(_f64(batch))
    loop = np.stack([np.asarray(gradient(_f64(b))) for b in batch])
    assert np.allclose(np.asarray(through), loop, rtol=1e-9, atol=1e-9), f"grad of vmap: {through}, not {loop}"
    last = np.asarray(mx.vmap(loss, in_axes=-1)(_f64(np.moveaxis(batch, 0, -1))))
    assert np.allclose(last, [loss(_f64(b)).item() for b in batch], rtol=1e-9, atol=1e-9)
    # Compiled, and with an evaluation in the middle.
    assert np.allclose(np.asarray(mx.compile(gradient)(_f64(x))), np.asarray(g), rtol=1e-12, atol=1e-12)

    def evaluated(a: Any) -> Any:
        y = loss(a)
        mx.eval(y)
        return y * y

    e = mx.grad(evaluated)(_f64(x))
    assert np.allclose(np.asarray(e), 2 * loss(_f64(x)).item() * np.asarray(g), rtol=1e-9, atol=1e-9)


@needs_oracle
@given(rngs, st.integers(1, 6), st.integers(0, 50))
def test_gradients_against_oracle(r: random.Random, depth: int, seed: int) -> None:
    f, shape = scalar_program(r, depth)
    x = _value(seed, shape).astype(np.float32)
    try:
        want = mlx.grad(lambda a: f(mlx, a))(mlx.array(x))
        mlx.eval(want)
    except (ValueError, RuntimeError):
        return  # the oracle lacks some gradients
    got = mx.grad(lambda a: f(mx, a))(mx.array(x))
    assert name_of(got) == name_of(want) and tuple(got.shape) == tuple(want.shape)
    exact = np.asarray(mx.grad(lambda a: f(mx, a))(_f64(x)))
    g, w = np.asarray(got), np.array(want)
    scale = 1 + np.abs(exact).max(initial=0.0)
    bad = np.abs(g - w) > 1e-3 * scale
    # Where the two differ, the float64 gradient, which test_derivatives holds, decides.
    assert not (bad & (np.abs(g - exact) > 1e-3 * scale)).any(), f"{g} not {w}; in float64 {exact}"
