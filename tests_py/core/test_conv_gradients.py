"""Derivatives of convolutions of every geometry: against the linear maps they are adjoint to, and the oracle's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from convolution import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import agree, mlx, mx, needs_oracle, sample

GROUPED = [
    # space, kernel, channels, outputs, groups
    ((5,), (3,), 2, 2, 2),
    ((5, 6), (3, 2), 2, 2, 2),
    ((5, 4), (1, 3), 3, 3, 3),
    ((5, 4), (3, 3), 3, 6, 3),
    ((4, 3, 5), (2, 3, 1), 2, 2, 2),
    ((6, 5), (3, 3), 4, 4, 2),
    ((7,), (3,), 1, 3, 1),
    ((6, 5), (2, 2), 4, 6, 1),
]


def random(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def check(x: Any, w: Any, stride: Any, low: Any, high: Any, dilation: Any, inside: Any, groups: int, flip: bool) -> None:
    """A convolution is linear in each argument, so its gradient g along any v is the cotangent along conv(v)."""

    def ours(a: Any, b: Any) -> Any:
        return mx.conv_general(a, b, stride, (list(low), list(high)), dilation, inside, groups, flip)

    def exact(a: Any, b: Any) -> np.ndarray:
        return reference(a, b, stride, low, high, dilation, inside, groups, flip)

    f64 = lambda a: mx.array(a, dtype=mx.float64)
    y = exact(x, w)
    ct, dx, dw = random(y.shape, 3), random(x.shape, 4), random(w.shape, 5)
    _, (gx, gw) = mx.vjp(ours, [f64(x), f64(w)], [f64(ct)])
    assert gx.shape == x.shape and gw.shape == w.shape, f"{gx.shape} of {x.shape}, {gw.shape} of {w.shape}"
    assert gx.dtype == gw.dtype == mx.float64
    along_x, along_w = exact(dx, w), exact(x, dw)
    near = lambda got, want: np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)
    near(np.sum(np.asarray(gx) * dx), np.sum(ct * along_x))
    near(np.sum(np.asarray(gw) * dw), np.sum(ct * along_w))
    _, (t,) = mx.jvp(ours, [f64(x), f64(w)], [f64(dx), f64(dw)])
    near(np.asarray(t), along_x + along_w)
    # The gradient by one argument is linear in the other one: the second derivative has a closed form, too.
    mixed = mx.grad(lambda b: (mx.vjp(lambda a: ours(a, b), [f64(x)], [f64(ct)])[1][0] * f64(dx)).sum())(f64(w))
    assert mixed.shape == w.shape
    near(np.sum(np.asarray(mixed) * dw), np.sum(ct * exact(dx, dw)))
    mixed = mx.grad(lambda a: (mx.vjp(lambda b: ours(a, b), [f64(w)], [f64(ct)])[1][0] * f64(dw)).sum())(f64(x))
    assert mixed.shape == x.shape
    near(np.sum(np.asarray(mixed) * dx), np.sum(ct * exact(dx, dw)))
    each = mx.vmap(lambda a, c: mx.vjp(lambda b: ours(a, b), [f64(w)], [c])[1][0])(f64(np.stack([x, dx])), f64(np.stack([ct, ct])))
    assert each.shape == (2, *w.shape)
    near(np.asarray(each[0]), np.asarray(gw))


@settings(max_examples=150)
@given(st.data())
def test_any_geometry(data: Any) -> None:
    n = data.draw(st.integers(1, 3))
    groups = data.draw(st.sampled_from([1, 2, 3]))
    channels = groups * data.draw(st.sampled_from([1, 1, 2]))
    outputs = groups * data.draw(st.sampled_from([1, 1, 2]))
    each = lambda lo, hi: tuple(data.draw(st.integers(lo, hi)) for _ in range(n))
    kernel, stride, dilation, inside, low, high = each(1, 3), each(1, 3), each(1, 2), each(1, 2), each(0, 2), each(0, 2)
    space = tuple(-(-d * (k - 1) // i) + 1 + data.draw(st.integers(0, 3)) for k, d, i in zip(kernel, dilation, inside))
    x = random((data.draw(st.integers(1, 2)), *space, channels), 1)
    w = random((outputs, *kernel, channels // groups), 2)
    check(x, w, stride, low, high, dilation, inside, groups, data.draw(st.booleans()))


@pytest.mark.parametrize(("space", "kernel", "channels", "outputs", "groups"), GROUPED)
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("stride", "padding", "dilation", "inside"), [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2)])
def test_groups(
    space: Any, kernel: Any, channels: int, outputs: int, groups: int, flip: bool, stride: int, padding: int, dilation: int, inside: int
) -> None:
    n = len(space)
    space = tuple(s + 4 for s in space)
    x, w = random((2, *space, channels), 1), random((outputs, *kernel, channels // groups), 2)
    check(x, w, (stride,) * n, (padding,) * n, (padding,) * n, (dilation,) * n, (inside,) * n, groups, flip)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64", "complex64"])
@pytest.mark.parametrize(("space", "kernel", "channels", "outputs", "groups"), GROUPED)
@pytest.mark.parametrize("transposed", [False, True])
def test_gradients_have_the_shape_and_dtype_of_their_arguments(
    name: str, space: Any, kernel: Any, channels: int, outputs: int, groups: int, transposed: bool
) -> None:
    f = getattr(mx, f"conv{'_transpose' if transposed else ''}{len(space)}d")
    dtype = getattr(mx, name)
    x = mx.array(random((2, *space, channels), 1)).astype(dtype)
    w = mx.array(random((outputs, *kernel, channels // groups), 2)).astype(dtype)
    gx, gw = mx.grad(lambda x, w: mx.abs(f(x, w, groups=groups, padding=1)).sum().astype(mx.float32), [0, 1])(x, w)
    assert (gx.shape, gx.dtype, gw.shape, gw.dtype) == (x.shape, dtype, w.shape, dtype)


@needs_oracle
@pytest.mark.parametrize(("space", "kernel", "channels", "outputs", "groups"), [g for g in GROUPED if len(g[0]) < 3])
@pytest.mark.parametrize("transposed", [False, True])
def test_gradients_like_the_oracle(space: Any, kernel: Any, channels: int, outputs: int, groups: int, transposed: bool) -> None:
    x, w = sample("float32", (2, *space, channels), 1, -1, 1), sample("float32", (outputs, *kernel, channels // groups), 2, -1, 1)
    name = f"conv{'_transpose' if transposed else ''}{len(space)}d"
    for stride, padding in itertools.product((1, 2), (0, 1)):

        def gradients(lib: Any, stride: int = stride, padding: int = padding) -> Any:
            f = lambda x, w: lib.sin(getattr(lib, name)(x, w, groups=groups, stride=stride, padding=padding)).sum()
            return lib.grad(f, [0, 1])(lib.array(x), lib.array(w))

        try:
            mlx.eval(gradients(mlx))
        except (ValueError, RuntimeError):
            continue  # MLX differentiates no grouped transposed convolutions
        agree(gradients, ulps=16, atol=1e-4, what=f"{name} {stride} {padding}")


def test_one_step_keeps_the_shape_of_a_depthwise_weight() -> None:
    w = mx.ones((2, 3, 3, 1))
    loss = lambda w: mx.square(mx.conv2d(mx.ones((1, 5, 5, 2)), w, groups=2)).sum()
    w = w - 0.001 * mx.grad(loss)(w)
    assert w.shape == (2, 3, 3, 1)
    np.testing.assert_allclose(np.asarray(w), 1 - 0.001 * 2 * 9 * 9, rtol=1e-6)
