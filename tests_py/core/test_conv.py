"""Convolutions in one to three dimensions, against a direct sum in float64, with the oracle's shapes and errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from convolution import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import EPS, FLOATS, agree, array, assert_close, mx, needs_oracle, sample


def check(
    name: str,
    x: np.ndarray,
    w: np.ndarray,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    inside: Any = 1,
    groups: int = 1,
    flip: bool = False,
    view: Any = lambda a: a,
) -> None:
    n = x.ndim - 2
    many = lambda v: tuple(v) if isinstance(v, (tuple, list)) else (v,) * n
    low, high = (
        (many(p) for p in padding)
        if isinstance(padding, tuple) and isinstance(padding[0], tuple)
        else (many(padding), many(padding))
    )
    want = reference(x, w, many(stride), low, high, many(dilation), many(inside), groups, flip)
    got = mx.conv_general(
        view(array(mx, x, name)),
        view(array(mx, w, name)),
        stride,
        (list(low), list(high)),
        dilation,
        inside,
        groups,
        flip,
    )
    count = w[0].size
    assert_close(
        got,
        want,
        rtol=8 * EPS[name],
        atol=EPS[name] * 4 + EPS["float32" if name != "float64" else name] * 20 * count**0.5,
        what=f"{name} {x.shape} {w.shape}",
    )


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize(("space", "kernel"), [((9,), (3,)), ((8, 7), (3, 2)), ((5, 6, 4), (2, 3, 2))])
def test_every_dtype(name: str, space: tuple[int, ...], kernel: tuple[int, ...]) -> None:
    x, w = sample(name, (2, *space, 3), 1, -1, 1), sample(name, (5, *kernel, 3), 2, -1, 1)
    check(name, x, w)
    check(name, x, w, padding=1)
    check(name, x, w, stride=2, padding=2)
    check(name, x, w, dilation=2, padding=2)
    check(name, x, w, inside=2)
    check(name, x, w, flip=True)


@settings(max_examples=400)
@given(st.data())
def test_any_geometry(data: Any) -> None:
    n = data.draw(st.integers(1, 3))
    groups = data.draw(st.sampled_from([1, 1, 2, 3]))
    channels, outputs = groups * data.draw(st.integers(1, 3)), groups * data.draw(st.integers(1, 3))
    each = lambda lo, hi: tuple(data.draw(st.integers(lo, hi)) for _ in range(n))
    kernel, stride, dilation, inside, low, high = each(1, 3), each(1, 3), each(1, 2), each(1, 2), each(0, 2), each(0, 2)
    space = tuple(-(-d * (k - 1) // i) + 1 + data.draw(st.integers(0, 4)) for k, d, i in zip(kernel, dilation, inside))
    x = sample("float32", (data.draw(st.integers(1, 2)), *space, channels), 3, -1, 1)
    w = sample("float32", (outputs, *kernel, channels // groups), 4, -1, 1)
    check("float32", x, w, stride, (low, high), dilation, inside, groups, data.draw(st.booleans()))


@pytest.mark.parametrize(
    ("n", "size", "channels", "outputs", "kernel", "stride", "padding"),
    [
        (2, 28, 1, 16, 3, 1, 1),
        (2, 14, 16, 32, 3, 2, 1),
        (2, 16, 32, 64, 3, 1, 1),
        (2, 16, 3, 8, 7, 2, 3),
        (2, 9, 64, 64, 1, 1, 0),
        (1, 200, 16, 24, 5, 1, 2),
        (3, 8, 4, 8, 3, 1, 1),
        (2, 12, 5, 7, 5, 3, 2),
    ],
)
def test_sizes_of_real_networks(
    n: int, size: int, channels: int, outputs: int, kernel: int, stride: int, padding: int
) -> None:
    x, w = (
        sample("float32", (4, *(size,) * n, channels), 5, -1, 1),
        sample("float32", (outputs, *(kernel,) * n, channels), 6, -1, 1),
    )
    check("float32", x, w, stride, padding)


def test_depthwise_and_strided_inputs() -> None:
    x, w = sample("float32", (2, 10, 11, 8), 7, -1, 1), sample("float32", (16, 3, 3, 1), 8, -1, 1)
    check("float32", x, w, groups=8, padding=1)
    w = sample("float32", (5, 3, 3, 8), 9, -1, 1)
    turned = mx.array(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).transpose(0, 2, 3, 1)
    backwards = mx.array(np.ascontiguousarray(w[:, ::-1]))[:, ::-1]
    want = reference(x, w, (1, 1), (0, 0), (0, 0), (1, 1), (1, 1), 1, False)
    assert_close(mx.conv2d(turned, backwards), want, rtol=1e-5, atol=1e-4)


@needs_oracle
@pytest.mark.parametrize("n", [1, 2, 3])
def test_conv_and_transposed_conv_like_the_oracle(n: int) -> None:
    x, w = (
        sample("float32", (2, 7, 6, 5)[: n + 1] + (4,), 10, -1, 1),
        sample("float32", (6, 3, 2, 3)[: n + 1] + (4,), 11, -1, 1),
    )
    half = sample("float32", (6, 3, 2, 3)[: n + 1] + (2,), 12, -1, 1)
    run = lambda f, second=w, **k: agree(
        lambda m: getattr(m, f"{f}{n}d")(m.array(x), m.array(second), **k), ulps=16, atol=1e-4, what=f"{f}{n}d {k}"
    )
    for stride, padding, dilation in itertools.product((1, 2), (0, 1), (1, 2)):
        run("conv", stride=stride, padding=padding, dilation=dilation)
        run("conv_transpose", stride=stride, padding=padding, dilation=dilation)
    if n < 3:  # MLX has no groups in three dimensions
        run("conv", half, groups=2)
        run("conv_transpose", half, groups=2)
    run("conv_transpose", stride=2, output_padding=1)
    if n > 1:
        run("conv", stride=(1, 2, 1)[:n], padding=(1, 0, 1)[:n], dilation=(1, 1, 2)[:n])
        run("conv_transpose", stride=(1, 2, 1)[:n], padding=(1, 0, 1)[:n])


@needs_oracle
@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.conv2d(m.zeros((1, 5, 5, 3)), m.zeros((2, 3, 3, 4))),
        lambda m: m.conv2d(m.zeros((5, 5, 3)), m.zeros((2, 3, 3, 3))),
        lambda m: m.conv1d(m.zeros((1, 5, 5, 3)), m.zeros((2, 3, 3))),
        lambda m: m.conv2d(m.zeros((1, 2, 2, 3)), m.zeros((2, 3, 3, 3))),
        lambda m: m.conv2d(m.zeros((1, 5, 5, 3)), m.zeros((2, 3, 3, 3)), groups=2),
        lambda m: m.conv2d(m.zeros((1, 5, 5, 4)), m.zeros((3, 3, 3, 2)), groups=2),
        lambda m: m.conv1d(m.zeros((1, 5, 3)), m.zeros((2, 3, 3)), padding=-1),
        lambda m: m.conv2d(m.zeros((1, 5, 5, 3)), m.zeros((2, 3, 3, 3)), stride=(1, 1, 1)),
        lambda m: m.conv2d(m.zeros((0, 5, 5, 3)), m.zeros((2, 3, 3, 3))),
    ],
)
def test_errors_like_the_oracle(call: Any) -> None:
    agree(call)


@pytest.mark.parametrize("stride", [1, 2, 9])
def test_kernel_longer_than_the_input(stride: int) -> None:
    # With a long stride, MLX multiplies with the next example or foreign memory (docs/differences.md).
    with pytest.raises(ValueError, match=r"kernel of shape \(2,7,3\) does not fit the padded input"):
        mx.conv1d(mx.ones((2, 3, 3)), mx.ones((2, 7, 3)), stride=stride, padding=1)
    with pytest.raises(ValueError, match="spatial axis 1"):
        mx.conv2d(mx.ones((1, 7, 3, 1)), mx.ones((1, 5, 5, 1)), stride=stride)


@needs_oracle
@pytest.mark.parametrize("mode", ["full", "same", "valid", "other"])
@pytest.mark.parametrize(("n", "k"), [(9, 3), (9, 4), (3, 9), (1, 1), (5, 5)])
def test_convolve(mode: str, n: int, k: int) -> None:
    x, v = sample("float32", n, 13), sample("float32", k, 14)
    agree(lambda m: m.convolve(m.array(x), m.array(v), mode=mode), ulps=16, atol=1e-4)
