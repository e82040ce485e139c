"""Cross entropy with class indices, in one pass, against MLX and against its composed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import FLOATS, array, assert_close, mlx, needs_oracle, sample, to_numpy

import mlx_go.core as mx

# MLX reduces halves in their own dtype.
CLOSE = {"float16": 1e-2, "bfloat16": 8e-2, "float32": 1e-5, "float64": 1e-5}


@needs_oracle
@given(
    st.lists(st.sampled_from([1, 2, 3, 5]), max_size=3).map(tuple), st.sampled_from([1, 2, 7, 33, 1000]),
    st.sampled_from(FLOATS), st.sampled_from(["int32", "uint8", "int64", "uint32"]), st.booleans(),
)  # fmt: skip
def test_cross_entropy(lead: tuple[int, ...], classes: int, dtype: str, integer: str, turned: bool) -> None:
    x = sample(dtype, (*lead, classes), 1)
    t = np.random.default_rng(3).integers(0, min(classes, 200), lead)

    def call(m: Any) -> Any:
        logits = array(m, x.T if turned else x, dtype)
        return m.fast.cross_entropy(logits.T if turned else logits, array(m, t, integer))

    got = call(mx)
    assert got.dtype == mx.float32
    assert_close(got, call(mlx), rtol=CLOSE[dtype], atol=CLOSE[dtype])


def exact(x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses and their gradients in float64."""
    x = x.astype(np.float64)
    e = np.exp(x - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    loss = np.log(e.sum(-1)) + x.max(-1) - np.take_along_axis(x, t[..., None], -1)[..., 0]
    np.put_along_axis(p, t[..., None], np.take_along_axis(p, t[..., None], -1) - 1, -1)
    return loss, p


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [3, 5000, 200_000])
def test_gradient(dtype: str, classes: int) -> None:
    x = sample(dtype, (4, classes), 1)
    t = np.array([0, classes - 1, 1, 2])
    weights = np.array([1.0, -2.0, 0.0, 0.5], np.float32)
    loss = lambda x: mx.fast.cross_entropy(x, mx.array(t))
    got = mx.grad(lambda x: (loss(x) * mx.array(weights)).sum())(array(mx, x, dtype))
    want, p = exact(x, t)
    assert str(got.dtype).endswith(dtype)
    eps = {"float16": 1e-3, "bfloat16": 8e-3}.get(dtype, 2e-6)
    assert_close(loss(array(mx, x, dtype)), want, rtol=1e-6, atol=1e-6)
    assert_close(got, p * weights[:, None], rtol=eps, atol=1e-7)


def test_derivatives_of_derivatives() -> None:
    x = mx.array(sample("float64", (2, 5), 2)).astype(mx.float64)
    v = mx.array(sample("float64", (2, 5), 3)).astype(mx.float64)
    t = mx.array([4, -3])
    loss = lambda x: mx.fast.cross_entropy(x, t).astype(mx.float64).sum()
    plain = lambda x: (mx.logsumexp(x, axis=-1) - mx.take_along_axis(x, mx.array([[4], [2]]), axis=-1)[:, 0]).sum()
    for f in (lambda f: (mx.grad(f)(x) * v).sum(), lambda f: mx.grad(lambda x: (mx.grad(f)(x) * v).sum())(x)):
        assert_close(f(loss), f(plain), rtol=1e-6, atol=1e-7)
    assert_close(mx.jvp(loss, [x], [v])[1][0], mx.jvp(plain, [x], [v])[1][0], rtol=1e-6, atol=1e-6)


def test_batches() -> None:
    x = mx.random.normal((3, 2, 7))
    t = mx.array([[0, 6], [-1, 2], [3, 3]])
    rows = lambda x, t: mx.fast.cross_entropy(x, t)
    assert_close(mx.vmap(rows)(x, t), rows(x, t), rtol=1e-6)
    assert_close(mx.vmap(rows, (0, None))(x, t[0]), mx.stack([rows(x[i], t[0]) for i in range(3)]), rtol=1e-6)
    grad = mx.grad(lambda x, t: rows(x, t).sum())
    assert_close(mx.vmap(grad)(x, t), mx.stack([grad(x[i], t[i]) for i in range(3)]), rtol=1e-6, atol=1e-7)


def test_far_logits_keep_their_digits() -> None:
    x = mx.array([[1e6, 1e6 + 1.0]])
    assert_close(mx.fast.cross_entropy(x, mx.array([0])), np.log1p(np.e, dtype=np.float32)[None], rtol=1e-6)
    inf = to_numpy(mx.fast.cross_entropy(mx.array([[-np.inf, 0.0, 1.0]] * 2), mx.array([0, 1])))
    assert inf[0] == np.inf and abs(inf[1] - np.log1p(np.e)) < 1e-6


@pytest.mark.parametrize("target", [5, -6, 2**31 - 1])
def test_targets_out_of_bounds(target: int) -> None:
    t = mx.array([0, target, 1])
    with pytest.raises(IndexError, match=rf"cross_entropy.*{target}"):
        mx.eval(mx.fast.cross_entropy(mx.zeros((3, 5)), t))
    with pytest.raises(IndexError, match="cross_entropy"):
        mx.eval(mx.grad(lambda x: mx.fast.cross_entropy(x, t).sum())(mx.zeros((3, 5))))


@pytest.mark.parametrize(
    ("message", "logits", "targets"),
    [
        ("floating point", mx.zeros((3, 5), mx.int32), mx.array([0, 1, 2])),
        ("integers", mx.zeros((3, 5)), mx.array([0.0, 1.0, 2.0])), ("without the last", mx.zeros((3, 5)), mx.array([0, 1])),
        ("without the last", mx.array(1.0), mx.array(0)), ("cross_entropy", mx.zeros((2, 0)), mx.array([0, 0])),
    ],
)  # fmt: skip
def test_errors(message: str, logits: Any, targets: Any) -> None:
    with pytest.raises((ValueError, IndexError), match=message):
        mx.eval(mx.fast.cross_entropy(logits, targets))
