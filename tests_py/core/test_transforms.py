"""grad, value_and_grad, vjp, jvp, vmap and compile: the oracle's values, trees and errors, and each other's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import agree, assert_close, assert_same, mlx, mx, needs_oracle, outcome, sample, to_numpy

X = sample("float32", (4, 5), 1, 0.2, 2)
Y = sample("float32", (4, 5), 2, 0.2, 2)
W = sample("float32", (5, 3), 3)

# Functions of one (4, 5) array, of every family that has a derivative.
FUNCTIONS: dict[str, Any] = {
    "arith": lambda m, x: x * x - 3 / x + x**2.5 - x % 0.7,
    "unary": lambda m, x: (
        m.exp(-x) + m.log(x) + m.sin(x) * m.cos(x) + m.tanh(x) + m.sqrt(x) + m.rsqrt(x) + m.sigmoid(x)
    ),
    "inverse": lambda m, x: (
        m.arctan(x) + m.arcsinh(x) + m.arccosh(x + 1) + m.arctanh(x / 3) + m.arcsin(x / 3) + m.arccos(x / 3)
    ),
    "special": lambda m, x: (
        m.erf(x) + m.erfinv(x / 3) + m.log1p(x) + m.expm1(x) + m.log2(x) + m.log10(x) + m.sinh(x) + m.cosh(x)
    ),
    "binary": lambda m, x: (
        m.logaddexp(x, x[::-1]) + m.arctan2(x, x[:, ::-1]) + m.maximum(x, 1.0) + m.minimum(x, x[:1]) + m.power(x, x)
    ),
    "where": lambda m, x: m.where(x > 1, x * x, -x) + m.clip(x, 0.5, 1.5) + m.abs(x - 1) + m.square(x),
    "broadcast": lambda m, x: x[:, None] * x[None] + m.broadcast_to(x[:1], (3, 4, 5)).sum(0),
    "sum": lambda m, x: x.sum(0) * x.sum(1, keepdims=True) + x.mean() + m.sum(x, axis=(0, 1)),
    "prod": lambda m, x: x.prod(0) + m.prod(x[:, :3], axis=1, keepdims=True),
    "extremes": lambda m, x: x.max(0) + x.min(1, keepdims=True) + m.max(x) - m.min(x),
    "moments": lambda m, x: m.var(x, 0) + m.std(x, 1, keepdims=True) + m.mean(x, 1, keepdims=True) + m.var(x, ddof=1),
    "softmax": lambda m, x: (
        m.softmax(x, -1) + m.softmax(x, 0) * m.logsumexp(x, 1, keepdims=True) + m.softmax(x, -1, precise=True)
    ),
    "scans": lambda m, x: m.cumsum(x, 0) + m.cumsum(x, 1, reverse=True) + m.cumsum(x, 1, inclusive=False),
    "cumprod": lambda m, x: m.cumprod(x, 1) + m.cumprod(x, 0, reverse=True),
    "cummax": lambda m, x: m.cummax(x, 1) * 2 + m.cummin(x, 0),
    "logcumsumexp": lambda m, x: m.logcumsumexp(x, 1),
    "sort": lambda m, x: m.sort(x, 0) * m.arange(4)[:, None] + m.sort(x, 1),
    "partition": lambda m, x: m.partition(x, 2, 1)[:, 2] * 2 + m.topk(x, 1, 1)[:, 0],
    "slices": lambda m, x: x[1:, ::2] * 2 + x[::-1][:3, 2:] + x[0, 1] + x[..., None, 0][:3],
    "gather": lambda m, x: (
        x[m.array([0, 2, 2])] + x[:3, m.array([4, 0, 0, 1, 3])] + x[m.array([1, 1]), m.array([2, 2])].sum()
    ),
    "take": lambda m, x: (
        m.take(x, m.array([3, 3, 0]), 1) + m.take_along_axis(x, m.argsort(m.stop_gradient(x), 1), 1)[:, :3]
    ),
    "put": lambda m, x: m.put_along_axis(x, m.array([[0], [1], [2], [0]]), x[:, 4:] * 2, 1),
    "at": lambda m, x: x.at[m.array([0, 0, 1])].add(x[1:] * 2) + x.at[1].multiply(x[2]) + x.at[:, 0].maximum(x[:, 1]),
    "joining": lambda m, x: (
        m.concatenate([x, x * 2], 1)[:, 3:8] + m.stack([x, x * x], 0).sum(0) + m.split(x, 2, 0)[1].sum()
    ),
    "shapes": lambda m, x: (
        x.T.reshape(4, 5) * x
        + m.flip(x, 0)
        + m.roll(x, 2, 1)
        + m.pad(x, 1)[1:-1, 2:]
        + m.tile(x, (1, 2))[:, 3:8]
        + m.repeat(x, 2, 0)[:4]
    ),
    "views": lambda m, x: (
        m.moveaxis(x[None], 0, 2)[..., 0]
        + m.expand_dims(x, 1).squeeze(1)
        + m.swapaxes(x, 0, 1).T
        + m.tril(x)
        + m.diagonal(x).sum()
    ),
    "matmul": lambda m, x: (x @ m.array(W)) @ m.array(W).T + m.array(W).T[None, :, :][0, 0] @ x.T[:, :4][:, :1].sum(1),
    "batched": lambda m, x: (x.reshape(2, 2, 5) @ m.array(W)[None]) + m.matmul(x[:2, :2], x.reshape(2, 2, 5)[:, :, :3]),
    "addmm": lambda m, x: m.addmm(x[:, :3], x, m.array(W), 0.5, 2.0) + m.inner(x, x[:3]) + m.outer(x[0], x[1]).sum(),
    "conv1d": lambda m, x: m.conv1d(x[None], m.array(W.T[:, None, :]) * x[0, 0], padding=1),
    "conv2d": lambda m, x: m.conv2d(x[None, :, :, None], x[None, :2, :3, None], stride=(1, 2), padding=1),
    "conv_transpose": lambda m, x: m.conv_transpose1d(x[None], m.array(W.T[:, None, :]) * x[1, 1], stride=2),
    "norms": lambda m, x: m.fast.layer_norm(x, x[0], x[1], 1e-3) + m.fast.rms_norm(x, x[2], 1e-3),
    "casts": lambda m, x: x.astype(m.float16).astype(m.float32) + (x > 1).astype(m.float32) * x,
    "stop": lambda m, x: m.stop_gradient(x) * x,
    "rounding": lambda m, x: m.floor(x) * x + m.round(x) + m.sign(x) * x,
}
STEPS = {"rounding", "casts", "stop", "arith"}


def scalar(name: str) -> Any:
    """sum(w * f(x)) with fixed weights, so that every element of the result counts differently."""
    f = FUNCTIONS[name]

    def g(m: Any) -> Any:
        def h(x: Any) -> Any:
            y = f(m, x)
            w = m.array(sample("float32", y.shape, 7, 0.5, 1.5))
            return (y * w).sum()

        return h

    return g


@needs_oracle
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_like_the_oracle(name: str) -> None:
    agree(lambda m: FUNCTIONS[name](m, m.array(X)), ulps=32, atol=1e-4, what=name)
    agree(
        lambda m: m.value_and_grad(scalar(name)(m))(m.array(X)),
        ulps=64,
        atol=3e-3 if name == "casts" else 3e-4,
        what=name,
    )


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in STEPS])
def test_gradients_by_finite_differences(name: str) -> None:
    f = scalar(name)(mx)
    x = mx.array(X)
    v = sample("float32", X.shape, 9, -1, 1)
    directional = float((mx.grad(f)(x) * mx.array(v)).sum().item())
    h = 2e-3
    up, down = (float(f(mx.array(X + s * h * v)).item()) for s in (1, -1))
    numeric = (up - down) / (2 * h)
    assert abs(directional - numeric) <= 2e-2 * (1 + abs(numeric)), (directional, numeric)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_mode_is_the_transpose_of_reverse_mode(name: str) -> None:
    f = lambda x: FUNCTIONS[name](mx, x)
    x, v = mx.array(X), mx.array(sample("float32", X.shape, 10, -1, 1))
    (y,), (jv,) = mx.jvp(f, [x], [v])
    u = mx.array(sample("float32", y.shape, 11, -1, 1))
    _, (vj,) = mx.vjp(f, [x], [u])
    assert_close(y, f(x), rtol=1e-5, atol=1e-5)
    a, b = float((u * jv).sum().item()), float((vj * v).sum().item())
    assert abs(a - b) <= 1e-3 * (1 + abs(a)), (a, b)


# MLX's forward derivative of addmm is not the transpose of its reverse derivative.
@needs_oracle
@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "addmm"])
def test_forward_mode_like_the_oracle(name: str) -> None:
    v = sample("float32", X.shape, 10, -1, 1)
    call = lambda m: m.jvp(lambda x: FUNCTIONS[name](m, x), [m.array(X)], [m.array(v)])
    want = outcome(lambda: call(mlx), mlx)
    if isinstance(want, Exception):
        pytest.skip(f"MLX has no forward derivative here: {want}")
    assert_same(outcome(lambda: call(mx), mx), want, ulps=64, atol=3e-3 if name == "casts" else 3e-4, what=name)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap_is_a_loop(name: str, axis: int) -> None:
    f = lambda x: FUNCTIONS[name](mx, x)
    batch = sample("float32", (3, 4, 5), 12, 0.2, 2)
    got = mx.vmap(f, in_axes=axis)(mx.array(np.ascontiguousarray(np.moveaxis(batch, 0, axis))))
    want = mx.stack([f(mx.array(b)) for b in batch])
    assert_close(got, want, rtol=2e-5, atol=2e-5, what=name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_of_vmap_and_vmap_of_gradient(name: str) -> None:
    f = scalar(name)(mx)
    batch = mx.array(sample("float32", (3, 4, 5), 13, 0.2, 2))
    each = mx.stack([mx.grad(f)(b) for b in batch])
    assert_close(mx.vmap(mx.grad(f))(batch), each, rtol=1e-4, atol=1e-4, what=name)
    assert_close(mx.grad(lambda b: mx.vmap(f)(b).sum())(batch), each, rtol=1e-4, atol=1e-4, what=name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_is_eager(name: str) -> None:
    f = lambda x: FUNCTIONS[name](mx, x)
    g = mx.compile(f)
    for seed in (1, 2):
        x = mx.array(sample("float32", (4, 5), seed, 0.2, 2))
        assert_close(g(x), f(x), rtol=2e-5, atol=2e-5, what=name)
    assert_close(
        mx.grad(mx.compile(scalar(name)(mx)))(mx.array(X)), mx.grad(scalar(name)(mx))(mx.array(X)), rtol=1e-4, atol=1e-4
    )
    assert_close(
        mx.compile(mx.grad(scalar(name)(mx)))(mx.array(X)), mx.grad(scalar(name)(mx))(mx.array(X)), rtol=1e-4, atol=1e-4
    )


SMOOTH = [
    "unary",
    "inverse",
    "broadcast",
    "sum",
    "prod",
    "moments",
    "softmax",
    "scans",
    "cumprod",
    "logcumsumexp",
    "slices",
    "gather",
    "take",
    "at",
    "joining",
    "shapes",
    "matmul",
    "batched",
    "addmm",
    "conv1d",
    "conv2d",
    "conv_transpose",
    "norms",
    "sort",
]


@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_by_differences_of_first_ones(name: str) -> None:
    g = mx.grad(scalar(name)(mx))
    v = mx.array(sample("float32", X.shape, 14, -1, 1))
    hv = mx.grad(lambda x: (g(x) * v).sum())(mx.array(X))
    h = 2e-3
    numeric = (g(mx.array(X) + h * v) - g(mx.array(X) - h * v)) / (2 * h)
    scale = 1 + float(mx.max(mx.abs(numeric)).item())
    assert_close(hv, numeric, atol=3e-2 * scale, what=name)


@needs_oracle
@pytest.mark.parametrize("name", ["unary", "inverse", "sum", "softmax", "matmul", "prod"])
def test_third_derivatives_like_the_oracle(name: str) -> None:
    def third(m: Any) -> Any:
        f = scalar(name)(m)
        d1 = lambda x: m.grad(f)(x).sum()
        d2 = lambda x: m.grad(d1)(x).sum()
        return m.grad(d2)(m.array(X))

    agree(third, ulps=1000, atol=5e-2, what=name)


def test_nesting_of_all_transforms() -> None:
    f = lambda x: mx.sin(x) * x
    x = mx.array([0.3, 1.1, 2.0])
    d2 = np.array(2 * np.cos(to_numpy(x)) - to_numpy(x) * np.sin(to_numpy(x)))
    d3 = np.array(-3 * np.sin(to_numpy(x)) - to_numpy(x) * np.cos(to_numpy(x)))
    assert_close(mx.vmap(mx.grad(mx.grad(f)))(x), d2, atol=1e-5)
    assert_close(mx.vmap(mx.grad(mx.grad(mx.grad(f))))(x), d3, atol=1e-5)
    assert_close(mx.jvp(lambda y: mx.vmap(mx.grad(f))(y), [x], [mx.ones(3)])[1][0], d2, atol=1e-5)
    assert_close(mx.grad(lambda y: mx.jvp(f, [y], [mx.ones(3)])[1][0].sum())(x), d2, atol=1e-5)
    assert_close(mx.vmap(lambda y: mx.jvp(mx.grad(f), [y], [mx.array(1.0)])[1][0])(x), d2, atol=1e-5)
    assert_close(mx.compile(mx.vmap(mx.grad(mx.compile(mx.grad(f)))))(x), d2, atol=1e-5)
    assert_close(
        mx.vmap(mx.vmap(lambda a, b: a * b, (None, 0)), (0, None))(x, x), np.outer(to_numpy(x), to_numpy(x)), atol=1e-6
    )
    hessian = lambda g: mx.vmap(lambda v: mx.jvp(mx.grad(g), [x], [v])[1][0])
    assert_close(
        hessian(lambda y: mx.prod(y))(mx.eye(3)), np.array([[0, 2, 1.1], [2, 0, 0.3], [1.1, 0.3, 0]]), atol=1e-5
    )


def test_perturbations_do_not_mix() -> None:
    """d/dx (x * d/dy (x + y)) is 1: the inner derivative is not with respect to x."""
    inner = lambda x: mx.grad(lambda y: x + y)(mx.array(1.0))
    assert mx.grad(lambda x: x * inner(x))(mx.array(1.0)).item() == 1
    forward = lambda x: mx.jvp(lambda y: x + y, [mx.array(1.0)], [mx.array(1.0)])[1][0]
    assert mx.jvp(lambda x: x * forward(x), [mx.array(1.0)], [mx.array(1.0)])[1][0].item() == 1
    assert mx.grad(lambda x: mx.stop_gradient(mx.grad(lambda z: z * x)(x)) * x)(mx.array(3.0)).item() == 3


# Trees, arguments and errors, as the oracle has them.
def dictionary(m: Any) -> Any:
    return {"w": m.array(W), "b": [m.array(X[0, :3]), (m.array(2.0), m.array(3.0))]}


def loss(m: Any) -> Any:
    return lambda p, x: ((x @ p["w"] + p["b"][0]) * p["b"][1][0] ** 2).sum() * p["b"][1][1]


ARGUMENTS: list[Any] = [
    lambda m: m.grad(loss(m))(dictionary(m), m.array(X)),
    lambda m: m.value_and_grad(loss(m), argnums=(0, 1))(dictionary(m), m.array(X)),
    lambda m: m.grad(loss(m), argnums=1)(dictionary(m), m.array(X)),
    lambda m: m.grad(loss(m), argnums=[0])(dictionary(m), m.array(X)),
    lambda m: m.grad(lambda x, y: (x * y).sum(), argnums=(1, 0))(m.array(X), m.array(Y)),
    lambda m: m.grad(lambda x, y: x * y, argnums=-1)(m.array(2.0), m.array(3.0)),
    lambda m: m.grad(lambda x, y: x * y, argnames="y")(m.array(2.0), y=m.array(3.0)),
    lambda m: m.grad(lambda x, y: x * y, argnames=["x", "y"])(x=m.array(2.0), y=m.array(3.0)),
    lambda m: m.grad(lambda x, y: x * y, argnums=0, argnames=("y",))(m.array(2.0), y=m.array(3.0)),
    lambda m: m.grad(lambda x, y: x * y, argnames="y")(m.array(2.0), m.array(3.0)),
    lambda m: m.value_and_grad(lambda x, y: (x * y).sum(), argnames="y")(m.array(X), y=m.array(Y)),
    lambda m: m.grad(lambda x: x, argnums=1)(m.array(1.0)),
    lambda m: m.value_and_grad(lambda x: (x.sum(), x * 2, {"a": x}))(m.array(X)),
    lambda m: m.value_and_grad(lambda x: [x.sum(), x])(m.array(X)),
    lambda m: m.grad(lambda x: (x.sum(), 5))(m.array(X)),
    lambda m: m.grad(lambda x: x)(m.array(X)),
    lambda m: m.grad(lambda x: 2.0)(m.array(1.0)),
    lambda m: m.grad(lambda x: (x, x))(m.array(X)),
    lambda m: m.grad(lambda x: None)(m.array(1.0)),
    lambda m: m.grad(lambda x: (1.0, x))(m.array(1.0)),
    lambda m: m.grad(lambda x: x * 2)(3.0),
    lambda m: m.grad(lambda x: x["a"])({"a": 1.0}),
    lambda m: m.grad(lambda x: x["a"].sum())({"a": m.array(X), "n": 3}),
    lambda m: m.grad(lambda x: x * 2)("s"),
    lambda m: m.grad(lambda x: m.array(1.0))(m.array(X)),
    lambda m: m.grad(lambda x, y: x * 1.0, argnums=(0, 1))(m.array(1.0), m.array(X)),
    lambda m: m.grad(lambda x: x.sum())(m.array(X).astype(m.float16)),
    lambda m: m.grad(lambda x: (x * m.array(2.0)).sum())(m.array(X).astype(m.float16)),
    lambda m: m.grad(lambda x: (x * 0.5).sum())(m.array([1, 2])),
    lambda m: m.grad(lambda x: m.abs(x).sum())(m.array([1 + 2j])),
    lambda m: m.grad(lambda x: (x * x.conj()).real.sum())(m.array([1 + 2j, 3 - 1j])),
    lambda m: m.vjp(lambda x, y: [x * y, x + y], [m.array(X), m.array(Y)], [m.array(Y), m.array(X)]),
    lambda m: m.vjp(lambda x: x, [m.array(X)], [m.array(Y[0])]),
    lambda m: m.vjp(lambda x: x, [m.array(X)], []),
    lambda m: m.vjp(lambda x: x.sum(), [m.array(X)], [m.array(1.0)]),
    lambda m: m.jvp(lambda x, y: [x * y, x], [m.array(X), m.array(Y)], [m.array(Y), m.array(X)]),
    lambda m: m.jvp(lambda x: x, [m.array(X)], []),
    lambda m: m.jvp(lambda x: x, [m.array(X)], [m.array(Y[0])]),
    lambda m: m.jvp(lambda x: 3.0, [m.array(X)], [m.array(Y)]),
    lambda m: m.vmap(lambda x, y: x + y, (0, None))(m.array(X), m.array(Y[0])),
    lambda m: m.vmap(lambda x, y: x @ y, (0, 1))(m.array(X), m.array(Y.T)),
    lambda m: m.vmap(lambda x: (x, x.sum()), out_axes=(1, 0))(m.array(X)),
    lambda m: m.vmap(lambda x: x, out_axes=1)(m.array(X)),
    lambda m: m.vmap(lambda x: x, 5)(m.array(X)),
    lambda m: m.vmap(lambda x, y: x + y)(m.array(X), m.array(W)),
    lambda m: m.vmap(lambda x: x, None)(m.array(X)),
    lambda m: m.vmap(lambda x: [x, {"s": x.sum()}])(m.array(X)),
    lambda m: m.vmap(lambda x: m.array(2.0))(m.array(X)),
    lambda m: m.vmap(lambda x: 3)(m.array(X)),
    lambda m: m.vmap(lambda x: x + 1)(m.array(1.0)),
    lambda m: m.vmap(lambda a, b: a[b], (0, 0))(m.array(X), m.array([0, 1, 2, 3])),
    lambda m: m.vmap(lambda a, i: a[i], (None, 0))(m.array(X), m.array([0, 3, 3])),
    lambda m: m.vmap(lambda a: a.reshape(-1, 1).T)(m.array(X)),
    lambda m: m.vmap(lambda a, b: m.where(a > 1, a, b), (0, None))(m.array(X), m.array(1.5)),
    lambda m: m.vmap(m.vmap(lambda x: m.sort(x * 2, 0)))(m.array(X)[None]),
    lambda m: m.compile(lambda x, k=2: {"r": x * k})(m.array(X), k=3),
    lambda m: m.compile(lambda p: p["w"] * 2)(dictionary(m)),
    lambda m: m.compile(lambda x: (x, 1))(m.array(X)),
    lambda m: m.checkpoint(lambda x: m.exp(x).sum())(m.array(X)),
    lambda m: m.grad(m.checkpoint(lambda x: m.exp(m.sin(x)).sum()))(m.array(X)),
    lambda m: m.grad(lambda x: m.argmax(x).astype(m.float32) * x.sum())(m.array(X)),
    lambda m: m.grad(lambda x: m.sort(x)[0])(m.array([1.0, 1.0])),
    lambda m: m.grad(lambda x: m.maximum(x, x).sum())(m.array([1.0, 1.0])),
    lambda m: m.grad(lambda x: x.max())(m.array([1.0, 1.0, 0.0])),
    lambda m: m.grad(lambda x: m.abs(x))(m.array(0.0)),
]


@needs_oracle
@pytest.mark.parametrize("i", range(len(ARGUMENTS)))
def test_arguments_trees_and_errors_like_the_oracle(i: int) -> None:
    agree(ARGUMENTS[i], ulps=64, atol=1e-3, what=f"arguments {i}")


def test_trees_of_axes_and_superfluous_cotangents() -> None:
    """Where MLX refuses a None inside a tree of axes, and ignores cotangents that belong to no result."""
    f = mx.vmap(lambda d: d["a"] + d["b"], ({"a": 0, "b": None},))
    assert_close(f({"a": mx.array(X), "b": mx.array(Y[0])}), X + Y[0])
    with pytest.raises(ValueError, match="cotangent"):
        mx.vjp(lambda x: x, [mx.array(X)], [mx.array(Y), mx.array(Y)])


def test_integers_have_no_derivative() -> None:
    """The gradient with respect to integers is zero, in their dtype; MLX computes with integers."""
    g = mx.grad(lambda x: (x * 2.5).sum())(mx.array([1, 2]))
    assert g.dtype == mx.int32 and g.tolist() == [0, 0]


def test_compile_traces_once_per_shape_and_dtype() -> None:
    traces = []

    @mx.compile
    def f(x: Any, k: int = 1) -> Any:
        traces.append(x.shape)
        return x * k + 1

    for x in (mx.zeros(3), mx.ones(3), mx.zeros(4), mx.zeros(3, dtype=mx.int32), mx.zeros((3, 1))):
        mx.eval(f(x))
    assert len(traces) == 4
    assert f(mx.zeros(3), k=5).tolist() == [1, 1, 1] and f(mx.ones(3), k=5).tolist() == [6, 6, 6]
    assert len(traces) == 5


def test_compile_with_state() -> None:
    state = [mx.array(0.0)]

    def step(x: Any) -> Any:
        state[0] = state[0] + x
        return state[0] * 2

    f = mx.compile(step, inputs=state, outputs=state)
    assert [f(mx.array(1.0)).item() for _ in range(3)] == [2, 4, 6]
    assert state[0].item() == 3


def test_the_function_sees_mutations_of_its_trees() -> None:
    """Gradients with respect to arrays changed in place inside the function."""

    def f(x: Any) -> Any:
        y = x * 1
        y[0] = y[1] * 3
        y[mx.array([2, 2])] = mx.array([7.0, 7.0])
        return (y * mx.arange(4)).sum() + y[0]

    assert mx.grad(f)(mx.array([1.0, 2.0, 3.0, 4.0])).tolist() == [0, 4, 0, 3]


def test_gradients_of_a_long_chain() -> None:
    def f(x: Any) -> Any:
        for _ in range(3000):
            x = x * 1.0005
        return x

    assert abs(mx.grad(f)(mx.array(1.0)).item() - 1.0005**3000) < 1e-2


def test_evaluation_inside_a_transform_is_possible() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(float(x.item()))
        return x * x if x.item() > 1 else x

    assert mx.grad(f)(mx.array(3.0)).item() == 6 and mx.grad(f)(mx.array(0.5)).item() == 1 and seen[0] == 3.0
