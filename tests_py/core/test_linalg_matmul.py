"""Matrix products of any shapes, strides and dtypes, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import (
    DTYPES,
    EPS,
    FLOATS,
    agree,
    array,
    assert_close,
    both,
    mlx,
    mx,
    name_of,
    needs_oracle,
    rounded,
    sample,
    wide,
)
from strategies import shapes

INEXACT = [*FLOATS, "complex64"]


def tolerance(name: str, k: int) -> dict[str, float]:
    return {
        "rtol": 4 * EPS[name],
        "atol": (4 * EPS[name] + EPS["float32" if name != "float64" else "float64"] * k**0.5) * 9 * max(k, 1) ** 0.5,
    }


def check(a: Any, b: Any, x: np.ndarray, y: np.ndarray, name: str) -> None:
    got = mx.matmul(a, b)
    assert name_of(got) == name
    assert_close(
        got,
        rounded(wide(x, name) @ wide(y, name), name),
        **tolerance(name, x.shape[-1]),
        what=f"{name} {x.shape} @ {y.shape}",
    )


SHAPES = [
    ((1, 1), (1, 1)),
    ((3, 4), (4, 5)),
    ((5,), (5,)),
    ((3, 5), (5,)),
    ((5,), (5, 3)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((7, 2, 3), (7, 3, 2)),
    ((4,), (3, 4, 2)),
    ((2, 3, 4), (4,)),
    ((0, 4), (4, 3)),
    ((3, 0), (0, 3)),
    ((2, 3, 0), (0, 2)),
    ((3, 4), (4, 0)),
    ((17, 33), (33, 65)),
    ((64, 64), (64, 64)),
    ((1, 300), (300, 1)),
    ((300, 1), (1, 300)),
    ((129, 70), (70, 131)),
    ((1, 257), (257, 130)),
    ((130, 257), (257, 1)),
    ((6, 16, 8), (1, 8, 16)),
    ((255, 384), (384, 1)),
]


@pytest.mark.parametrize("name", INEXACT)
@pytest.mark.parametrize(("s", "t"), SHAPES)
def test_matmul(s: tuple[int, ...], t: tuple[int, ...], name: str) -> None:
    x, y = sample(name, s, 1), sample(name, t, 2)
    check(array(mx, x, name), array(mx, y, name), x, y, name)


@pytest.mark.parametrize("name", INEXACT)
def test_strided_operands(name: str) -> None:
    """Transposed, reversed, stepped, broadcast: no layout needs a copy by the caller."""
    x, y = sample(name, (40, 60), 3), sample(name, (40, 60), 4)
    a, b = array(mx, x, name), array(mx, y, name)
    check(a.T, b, x.T, y, name)
    check(a, b.T, x, y.T, name)
    check(a.T, b[:, :7], x.T, y[:, :7], name)
    check(a[::-1], b.T[:, ::-1], x[::-1], y.T[:, ::-1], name)
    check(a[:, ::3], b[:20, ::2], x[:, ::3], y[:20, ::2], name)
    check(a[:, :1].T, b, x[:, :1].T, y, name)
    wide_a, wide_b = mx.broadcast_to(a[:, None, :], (40, 3, 60)), mx.broadcast_to(b.T[None], (40, 60, 40))
    check(wide_a, wide_b, np.broadcast_to(x[:, None, :], (40, 3, 60)), np.broadcast_to(y.T[None], (40, 60, 40)), name)
    check(mx.broadcast_to(a[:1], (40, 60)), b.T, np.broadcast_to(x[:1], (40, 60)), y.T, name)
    four = array(mx, x, name).reshape(4, 10, 6, 10).transpose(0, 2, 1, 3)  # heads of attention
    f = x.reshape(4, 10, 6, 10).transpose(0, 2, 1, 3)
    check(four, four.swapaxes(-1, -2), f, f.swapaxes(-1, -2), name)


@settings(max_examples=600)
@given(st.data())
def test_batched_views(data: Any) -> None:
    name = data.draw(st.sampled_from(INEXACT))
    m, k, n = (data.draw(st.integers(1, 9)) for _ in range(3))
    batch = data.draw(shapes(0, 2))
    x, y = (
        sample(name, (*batch, m, k), 5),
        sample(name, (*[1 if data.draw(st.booleans()) else s for s in batch], k, n), 6),
    )
    a, b = array(mx, x, name), array(mx, y, name)
    if data.draw(st.booleans()):
        a, x = mx.swapaxes(array(mx, np.swapaxes(x, -1, -2), name), -1, -2), x
    if data.draw(st.booleans()):
        b, y = b[..., ::-1], y[..., ::-1]
    check(a, b, x, y, name)


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
def test_products_like_the_oracle(name: str) -> None:
    pair = {
        lib: (p, q)
        for lib, p, q in zip((mx, mlx), both(sample(name, (3, 4), 7), name), both(sample(name, (4, 4), 8), name))
    }
    loose = 0.3 if name == "bfloat16" else 0.05 if name == "float16" else 1e-4
    for call in (
        lambda m, a, b: m.inner(a, b),
        lambda m, a, b: m.outer(a, b),
        lambda m, a, b: m.tensordot(a, b, axes=1),
        lambda m, a, b: m.tensordot(a, b, axes=[[1], [0]]),
        lambda m, a, b: m.tensordot(a, b, axes=0),
        lambda m, a, b: m.kron(a, b),
        lambda m, a, b: m.matmul(a, b),
        lambda m, a, b: a @ b,
        lambda m, a, b: m.vecdot(a[0], b[0]),
        lambda m, a, b: m.vecdot(a, b[:3], axis=0),
        lambda m, a, b: m.addmm(a[:, :4], a, b),
        lambda m, a, b: m.addmm(b[0], a, b, alpha=0.5, beta=2.0),
    ):
        agree(lambda lib: call(lib, *pair[lib]), ulps=16, atol=loose, what=name)


@needs_oracle
@pytest.mark.parametrize(
    ("s", "t"),
    [
        ((2, 3), (2, 3)),
        ((), (2, 3)),
        ((2, 3), ()),
        ((2, 3, 4), (3, 4, 5)),
        ((3,), (4,)),
        ((2, 3), (4,)),
        ((4,), (3, 2)),
    ],
)
def test_shapes_that_do_not_fit(s: tuple[int, ...], t: tuple[int, ...]) -> None:
    agree(lambda m: m.matmul(m.ones(s), m.ones(t)), what=f"{s} @ {t}")
    agree(lambda m: m.addmm(m.zeros(()), m.ones(s), m.ones(t)), what=f"addmm {s} @ {t}")
    agree(lambda m: m.inner(m.ones(s), m.ones(t)), what=f"inner {s} {t}")
    agree(lambda m: m.tensordot(m.ones(s), m.ones(t)), what=f"tensordot {s} {t}")


def test_error_names_the_shapes() -> None:
    with pytest.raises(ValueError, match=r"\[matmul\].*2, ?3.*4, ?5"):
        mx.ones((2, 3)) @ mx.ones((4, 5))


@pytest.mark.parametrize("name", INEXACT)
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, -2.0), (2.0, 0.0), (0.0, 1.0)])
def test_addmm(name: str, alpha: float, beta: float) -> None:
    x, y = sample(name, (9, 20), 9), sample(name, (20, 11), 10)
    for shape in ((9, 11), (11,), (1, 11), (9, 1), ()):
        c = sample(name, shape, 11)
        got = mx.addmm(array(mx, c, name), array(mx, x, name), array(mx, y, name), alpha, beta)
        want = alpha * (wide(x, name) @ wide(y, name)) + beta * wide(c, name)
        assert_close(got, rounded(want, name), **tolerance(name, 20), what=f"{name} {shape}")


def test_nan_and_infinity_travel() -> None:
    a = mx.ones((70, 70))
    a[3, 5] = float("nan")
    a[10, 2] = float("inf")
    y = np.array(a @ mx.ones((70, 33)))
    assert np.isnan(y[3]).all() and np.isinf(y[10]).all() and np.isfinite(np.delete(y, [3, 10], 0)).all()


@needs_oracle
@pytest.mark.parametrize(
    "spec",
    [
        "ij,jk->ik",
        "ij,jk",
        "ij->ji",
        "ii->i",
        "ii",
        "ij->",
        "ij,ij->ij",
        "i,j->ij",
        "bij,bjk->bik",
        "bij,bkj->bik",
        "ij,j",
        "ij,jk,kl->il",
        "abc->cab",
        "...ij,...jk->...ik",
    ],
)
def test_einsum(spec: str) -> None:
    if not hasattr(mx, "einsum"):
        pytest.skip("einsum is not there yet")
    sizes = dict(zip("abcijkl", (2, 3, 4, 5, 5, 6, 7)))
    operands = [
        sample("float32", [sizes[c] for c in term if c != "."], i)
        for i, term in enumerate(spec.partition("->")[0].split(","))
    ]
    assert_close(mx.einsum(spec, *map(mx.array, operands)), np.einsum(spec, *operands), rtol=1e-5, atol=1e-4)


@needs_oracle
@pytest.mark.parametrize("scale", [None, 2.0, 1])
@pytest.mark.parametrize("value", [3.0, 3, True, [3.0], [1.0, 2.0]])
def test_hadamard_transform_of_numbers_and_vectors(value: Any, scale: Any) -> None:
    agree(lambda m: m.hadamard_transform(m.array(value), scale=scale), ulps=4)
