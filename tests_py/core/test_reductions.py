"""Reductions over any axes of any view, against NumPy, with the oracle's dtypes, shapes and errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import (
    DTYPES,
    EPS,
    FLOATS,
    INTEGERS,
    REALS,
    agree,
    array,
    assert_close,
    assert_error,
    both,
    dt,
    edges,
    mlx,
    mx,
    name_of,
    needs_oracle,
    outcome,
    rounded,
    sample,
    to_numpy,
    wide,
)
from strategies import axes_of, shapes, steps_from, views

FOLDS = {"sum": np.sum, "prod": np.prod, "min": np.min, "max": np.max, "all": np.all, "any": np.any}
MEANS = {"mean": np.mean, "var": np.var, "std": np.std, "median": np.median}
SUMMED = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


def reference(op: str, x: np.ndarray, name: str, axis: Any, keepdims: bool, **more: Any) -> np.ndarray:
    f = {**FOLDS, **MEANS}[op]
    v = wide(x, name)
    if op in ("sum", "prod") and name in REALS[:9]:
        v = v.astype(np.dtype(SUMMED.get(name, name)))
        with np.errstate(all="ignore"):
            return f(v, axis=axis, keepdims=keepdims, dtype=v.dtype)
    with np.errstate(all="ignore"):
        return np.asarray(f(v, axis=axis, keepdims=keepdims, **more))


def tolerance(op: str, x: np.ndarray, name: str, count: int) -> dict[str, float]:
    eps = EPS.get(name, EPS["float32"] if op in MEANS else 0)
    if not eps or op in ("min", "max", "all", "any"):
        return {}
    scale = float(np.max(np.abs(wide(x, name)), initial=0)) if x.size else 0.0
    return {
        "rtol": 8 * eps + eps * count / 4 if op == "prod" else 8 * eps,
        "atol": eps * scale * (2 + count**0.5) * (scale + 1),
    }


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("op", [*FOLDS, "mean", "var", "std"])
def test_every_axis_of_every_dtype(op: str, name: str) -> None:
    if op in ("var", "std") and name == "complex64":
        pytest.skip("the variance of complex numbers is compared in test_agrees_with_the_oracle")
    x = sample(name, (3, 4, 5), 1, -2, 2)
    for axis in (None, 0, 1, 2, -1, (0, 1), (0, 2), (1, 2), (2, 0, 1)):
        if op in ("min", "max") and name == "complex64":
            continue
        got = getattr(mx, op)(array(mx, x, name), axis=axis)
        count = 60 if axis is None else int(np.prod([x.shape[i] for i in np.atleast_1d(axis)]))
        want = reference(op, x, name, axis, False)
        assert_close(got, rounded(want, name_of(got)), **tolerance(op, x, name, count), what=f"{op} {name} axis {axis}")


@st.composite
def cases(draw: Any) -> tuple[str, Any, Any, bool]:
    op = draw(st.sampled_from([*FOLDS, *MEANS]))
    names = [n for n in DTYPES if n != "complex64" or op in ("sum", "prod", "all", "any", "mean")]
    view = draw(
        views(draw(st.sampled_from(names)), draw(shapes(0, 4, empty=op in ("sum", "prod", "all", "any"))), lo=-2, hi=2)
    )
    return op, view, draw(axes_of(len(view.shape))), draw(st.booleans())


@settings(max_examples=1500)
@given(cases())
def test_views(case: tuple[str, Any, Any, bool]) -> None:
    op, view, axis, keepdims = case
    x = view.numpy()
    counted = [x.shape[i] for i in np.atleast_1d(range(x.ndim) if axis is None else axis)]
    if 0 in x.shape and op not in ("sum", "prod", "all", "any"):
        return  # the empty mean is NaN or an error, tested below
    got = getattr(mx, op)(view.build(mx), axis=axis, keepdims=keepdims)
    want = reference(op, x, view.dtype, axis, keepdims)
    assert tuple(got.shape) == want.shape
    assert_close(
        got,
        rounded(want, name_of(got)),
        **tolerance(op, x, view.dtype, int(np.prod(counted))),
        what=f"{op} {view} {axis}",
    )


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("op", [*FOLDS, *MEANS, "count_nonzero", "logsumexp", "minmax"])
def test_agrees_with_the_oracle(op: str, name: str) -> None:
    if (op, name) == ("logsumexp", "bool"):
        pytest.skip("MLX reads bools as something else: its logsumexp of 24 of them is over log(24 e)")
    x = sample(name, (4, 3, 2), 2, -2, 2)
    a = dict(zip((mx, mlx), both(x, name)))
    for axis in (None, 0, -1, (0, 2), [1]):
        for keepdims in (False, True):
            agree(
                lambda lib: getattr(lib, op)(a[lib], axis=axis, keepdims=keepdims),
                ulps=8,
                atol=2e-2 if name == "bfloat16" else 4e-3 if name == "float16" else 1e-6,
                what=f"{op} {name} {axis} {keepdims}",
            )


@needs_oracle
@pytest.mark.parametrize("op", [*FOLDS, *MEANS, "logsumexp", "argmin", "argmax", "softmax"])
@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2), "0", 1.5, (0, 5), ()])
def test_bad_axes(op: str, axis: Any) -> None:
    got, want = (outcome(lambda: getattr(lib, op)(lib.ones((2, 3)), axis=axis), lib) for lib in (mx, mlx))
    if isinstance(want, Exception) and (op, axis) != ("median", ()):  # which we take as the others do
        assert_error(got, want, f"{op} axis {axis}")
    else:
        assert not isinstance(got, Exception) and (op == "median" or tuple(got.shape) == tuple(want.shape)), (got, want)


def test_a_bad_axis_is_both_value_and_index_error() -> None:
    for kind in (ValueError, IndexError):
        with pytest.raises(kind, match=r"\[sum\]"):
            mx.sum(mx.ones((2, 3)), axis=2)


@pytest.mark.parametrize("name", DTYPES)
def test_empty_sums(name: str) -> None:
    x = array(mx, np.zeros((0, 3)), name)
    assert to_numpy(mx.sum(x, axis=0)).tolist() == [0, 0, 0]
    assert to_numpy(mx.prod(x, axis=0)).tolist() == [1, 1, 1]
    assert mx.all(x).item() is True and mx.any(x).item() is False
    assert mx.sum(x, axis=1).shape == (0,)


@pytest.mark.parametrize("op", ["min", "max", "argmin", "argmax"])
def test_an_empty_axis_has_no_extreme(op: str) -> None:
    with pytest.raises(ValueError, match=rf"\[{op}\]"):
        mx.eval(getattr(mx, op)(mx.zeros((2, 0)), axis=1))
    assert getattr(mx, op)(mx.zeros((2, 0)), axis=0).shape == (0,)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("op", ["sum", "prod", "min", "max", "mean", "all", "any"])
def test_edges(op: str, name: str) -> None:
    """NaN wins over everything, infinities over numbers, wherever in a row they stand."""
    for n in (1, 3, 17, 64, 1000):
        for where in {0, n // 2, n - 1}:
            for value in (np.nan, np.inf, -np.inf, 0.0):
                x = np.ones(n)
                x[where] = value
                with np.errstate(all="ignore"):
                    want = FOLDS.get(op, np.mean)(x)
                got = to_numpy(getattr(mx, op)(array(mx, x, name)))
                assert close_scalar(got, want, name), (op, n, where, value, got, want)


def close_scalar(got: Any, want: Any, name: str) -> bool:
    return bool(
        got == want
        or (got != got and want != want)
        or abs(float(got) - float(want)) <= 8 * EPS[name] * abs(float(want))
    )


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_extremes_and_wrapping(name: str) -> None:
    x = edges(name)
    a = array(mx, x, name)
    assert mx.min(a).item() == x.min() and mx.max(a).item() == x.max()
    assert mx.argmin(a).item() == x.argmin() and mx.argmax(a).item() == x.argmax()
    total = np.dtype(SUMMED.get(name, name))
    assert mx.sum(a).item() == x.astype(total).sum(dtype=total)
    assert mx.prod(a[:2]).item() == x[:2].astype(total).prod(dtype=total)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 31, 32, 33, 127, 1025, 100_003])
@pytest.mark.parametrize("name", ["float32", "float64", "int32", "uint8", "bool", "float16", "bfloat16", "complex64"])
def test_lengths(n: int, name: str) -> None:
    x = sample(name, (2, n), 3, 0, 1)
    for view, v in ((array(mx, x, name), x), (array(mx, x, name).T, x.T), (array(mx, x, name)[:, ::-2], x[:, ::-2])):
        for axis in (None, 0, 1):
            got = mx.sum(view, axis=axis)
            want = reference("sum", v, name, axis, False)
            assert_close(
                got,
                rounded(want, name_of(got)),
                rtol=8 * EPS.get(name, 0) * (1 + n**0.5 / 16),
                what=f"{name} {n} {axis}",
            )
            if name != "complex64":
                assert_close(mx.max(view, axis=axis), v.max(axis=axis), what=f"max {name} {n} {axis}")


@pytest.mark.parametrize("name", FLOATS)
def test_long_sums_are_exact_enough(name: str) -> None:
    """Summing 0.1 over and over drifts if a single half or float accumulates."""
    n = 300_000 if name in ("float32", "float64") else 3000
    x = array(mx, np.full(n, 0.1), name)
    want = float(to_numpy(x)[0]) * n
    assert abs(float(mx.sum(x).item()) - want) <= 16 * EPS[name] * want
    assert abs(float(mx.mean(x).item()) - want / n) <= 16 * EPS[name] * want / n


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_statistics_of_halves_that_fit_are_right(name: str) -> None:
    """The sum of 10,000 tens, the variance of +-512 and the count of 100,000 equals do not fit float16."""
    dtype = getattr(mx, name)
    tens = mx.full((10_000,), 10, dtype=dtype)
    assert (mx.mean(tens).item(), mx.var(tens).item(), mx.std(tens).item()) == (10, 0, 0)
    assert mx.mean(mx.full((3, 100, 100), 30, dtype=dtype), axis=(1, 2)).tolist() == [30] * 3
    x = mx.where(mx.arange(4096) % 2 == 0, -512, 512).astype(dtype)
    for axis in (None, 0):
        assert (mx.mean(x, axis=axis).item(), mx.std(x, axis=axis).item()) == (0, 512)
    assert mx.std(x[:2], ddof=1).astype(mx.float32).item() == pytest.approx(512 * 2**0.5, rel=0.01)
    big = mx.array([60000.0, 60000.0]).astype(dtype)
    assert mx.median(big).item() == big[0].item() and mx.median(big).dtype == dtype
    assert mx.vecdot(mx.array([300.0, 300.0]).astype(dtype), mx.array([300.0, -300.0]).astype(dtype)).item() == 0
    assert mx.einsum("i,j->", x + 512, mx.full((2,), 1e-4, dtype=dtype)).astype(mx.float32).item() == pytest.approx(419.4, rel=0.01)
    for f in (mx.mean, mx.var, mx.std):
        y, (t,) = mx.jvp(f, [x], [x])
        g = mx.grad(f)(x)
        assert y[0].dtype == t.dtype == g.dtype == f(x).dtype == dtype and g.shape == x.shape
        assert mx.vmap(f)(mx.stack([x, x])).tolist() == [f(x).item()] * 2
    ties = mx.grad(lambda a: mx.max(a))(mx.ones((100_000,), dtype=dtype))
    assert ties.astype(mx.float32)[0].item() == pytest.approx(1e-5, rel=0.01)
    product = mx.grad(lambda a: mx.prod(a))(mx.array([1e4, 1e4, 1e-4, 1e-4]).astype(dtype))
    np.testing.assert_allclose(product.astype(mx.float32), [1e-4, 1e-4, 1e4, 1e4], rtol=0.02)


def test_means_of_equal_numbers_are_the_number() -> None:
    for n in (3, 7, 10, 10_000):
        assert mx.mean(mx.full((n,), 10.0)).item() == 10
        assert mx.var(mx.full((n,), 10.0)).item() == 0


LAYOUTS = {
    "flat": lambda a: mx.sum(a),
    "strided": lambda a: mx.sum(mx.repeat(a, 2)[::2]),
    "column": lambda a: mx.sum(mx.tile(a[:, None], (1, 3)), axis=0)[1],
    "columns": lambda a: mx.sum(mx.tile(a[:20000, None], (1, 40)), axis=0)[1] + mx.sum(a[20000:]),
    "short runs": lambda a: mx.sum(mx.repeat(a[: a.size // 16 * 16].reshape(-1, 16), 2, axis=0)[::2]) + mx.sum(a[a.size // 16 * 16 :]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["float32", "float64", "complex64"])
def test_sums_are_exact_to_some_ulps_in_every_layout(name: str, layout: str) -> None:
    eps = EPS[name]
    for n in (1, 5, 17, 63, 64, 500, 4097, 300_000):
        for x in (np.full(n, 0.1), np.random.default_rng(n).uniform(0, 1, n)):
            x = x.astype("float32" if name == "complex64" else name)
            want = math.fsum(x.tolist())
            a = mx.array(x, dtype=mx.float64) if name == "float64" else mx.array(x)
            if name == "complex64":
                got = LAYOUTS[layout](a + 1j * a).item()
                parts = [got.real, got.imag]
            else:
                parts = [LAYOUTS[layout](a).item()]
            for part in parts:
                assert abs(part - want) <= 8 * eps * want, f"{n}: {(part - want) / want / eps} units"


def test_sums_of_infinite_numbers() -> None:
    cases = ([np.inf, 1.0] * 40, [-np.inf] + [1.0] * 99, [1.0] * 300 + [np.inf], [np.nan] + [1.0] * 200, [np.inf, -np.inf] * 50, [1e308] * 40)
    for x in cases:
        with np.errstate(all="ignore"):
            want = np.sum(np.array(x))
        a = mx.array(x, dtype=mx.float64)
        for got in (mx.sum(a), mx.sum(mx.repeat(a, 2)[::2]), mx.sum(mx.tile(a[:, None], (1, 20)), axis=0)[3]):
            np.testing.assert_equal(got.item(), want)


@pytest.mark.parametrize("op", ["argmin", "argmax"])
@settings(max_examples=600)
@given(st.data())
def test_arg_reductions(op: str, data: Any) -> None:
    view = data.draw(views(st.sampled_from(REALS), data.draw(shapes(0, 4, empty=False)), lo=-2, hi=2, steps=0))
    view.steps = data.draw(steps_from(view.shape))
    x = view.numpy()
    if x.size == 0:
        return
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    keepdims = data.draw(st.booleans())
    got = getattr(mx, op)(view.build(mx), axis=axis, keepdims=keepdims)
    assert name_of(got) == "uint32"
    assert_close(got, getattr(np, op)(x, axis=axis, keepdims=keepdims).astype(np.uint32), what=f"{op} {view} {axis}")


@pytest.mark.parametrize("op", ["min", "max", "argmin", "argmax"])
def test_complex_extremes_compare_by_real_then_imaginary_part(op: str) -> None:
    x = np.array([[1 + 2j, 1 - 1j, 0 + 9j, 1 - 1j], [3, 3 + 1j, 3 + 1j, -1], [1, complex(np.nan, 0), 2, complex(0, np.nan)]], np.complex64)
    for axis in (0, 1, None):
        got = to_numpy(getattr(mx, op)(mx.array(x), axis=axis))
        assert_close(got, getattr(np, op)(x, axis=axis).astype(got.dtype), what=f"{op} {axis}")


@pytest.mark.parametrize("name", FLOATS)
def test_arg_reductions_find_the_first_of_equals(name: str) -> None:
    for n in (2, 16, 33, 1000):
        x = np.zeros((3, n))
        x[:, n // 2] = x[:, n - 1] = 5
        assert mx.argmax(array(mx, x, name), axis=1).tolist() == [n // 2] * 3
        assert mx.argmin(array(mx, -x, name), axis=1).tolist() == [n // 2] * 3


@pytest.mark.parametrize("ddof", [0, 1, 2])
@pytest.mark.parametrize("op", ["var", "std"])
def test_degrees_of_freedom(op: str, ddof: int) -> None:
    x = sample("float64", (5, 6), 4)
    for axis in (None, 0, 1):
        want = getattr(np, op)(x, axis=axis, ddof=ddof)
        assert_close(getattr(mx, op)(array(mx, x, "float64"), axis=axis, ddof=ddof), want, rtol=1e-13)
        assert_close(getattr(mx, op)(array(mx, x + 1000, "float32"), axis=axis, ddof=ddof), want, rtol=1e-3)


@pytest.mark.parametrize("name", FLOATS)
def test_logsumexp_and_softmax(name: str) -> None:
    x = sample(name, (4, 37), 5, -8, 8)
    v = x.astype(np.float64)
    tol = {"rtol": 8 * EPS[name], "atol": 8 * EPS[name]}
    for axis in (0, 1, -1, (0, 1), None):
        m = v.max(axis=axis, keepdims=True)
        lse = np.log(np.exp(v - m).sum(axis=axis, keepdims=True)) + m
        assert_close(mx.logsumexp(array(mx, x, name), axis=axis, keepdims=True), lse, **tol)
        assert_close(mx.softmax(array(mx, x, name), axis=axis), np.exp(v - lse), **tol)
        assert_close(mx.softmax(array(mx, x, name), axis=axis, precise=True), np.exp(v - lse), **tol)
    wild = np.array([[1e4, 0, -1e4], [-np.inf, 0, 1], [np.inf, 0, 0], [-np.inf, -np.inf, -np.inf], [np.nan, 1, 2]])
    with np.errstate(all="ignore"):
        m = wild.max(axis=1, keepdims=True)
        finite = np.where(np.isinf(m), 0, m)
        want = np.log(np.exp(wild - finite).sum(axis=1)) + finite[:, 0]
    assert_close(mx.logsumexp(array(mx, wild, name), axis=1), rounded(want, name), rtol=8 * EPS[name])
    got = to_numpy(mx.softmax(array(mx, wild, name), axis=1))
    assert got[0].tolist() == [1, 0, 0] and got[1, 0] == 0 and np.isnan(got[4]).all()


@needs_oracle
@settings(max_examples=300)
@given(st.data())
def test_softmax_and_logsumexp_on_views(data: Any) -> None:
    view = data.draw(views(st.sampled_from(["float32", "float64", "float16"]), data.draw(shapes(1, 4, empty=False))))
    x = view.numpy().astype(np.float64)
    axis = data.draw(axes_of(x.ndim))
    if x.size == 0:
        return
    lse = np.log(np.exp(x).sum(axis=axis, keepdims=True))
    tol = {"rtol": 16 * EPS[view.dtype], "atol": 16 * EPS[view.dtype]}
    assert_close(mx.logsumexp(view.build(mx), axis=axis, keepdims=True), lse, **tol)
    assert_close(mx.softmax(view.build(mx), axis=axis), np.exp(x - lse), **tol)


@pytest.mark.parametrize("name", FLOATS)
def test_norms(name: str) -> None:
    x, w, b = sample(name, (3, 5, 33), 6), sample(name, 33, 7), sample(name, 33, 8)
    v = x.astype(np.float64)
    tol = {"rtol": 16 * EPS[name], "atol": 16 * EPS[name] * 3}
    A, W, B = array(mx, x, name), array(mx, w, name), array(mx, b, name)
    normed = (v - v.mean(-1, keepdims=True)) / np.sqrt(v.var(-1, keepdims=True) + 1e-3)
    assert_close(mx.fast.layer_norm(A, W, B, 1e-3), normed * w + b, **tol)
    assert_close(mx.fast.layer_norm(A, None, None, 1e-3), normed, **tol)
    rms = v / np.sqrt((v * v).mean(-1, keepdims=True) + 1e-3)
    assert_close(mx.fast.rms_norm(A, W, 1e-3), rms * w, **tol)
    assert_close(mx.fast.rms_norm(A, None, 1e-3), rms, **tol)
    assert_close(mx.fast.rms_norm(A.transpose(1, 0, 2)[:, ::-1], W, 1e-3), (rms * w).transpose(1, 0, 2)[:, ::-1], **tol)


@needs_oracle
@pytest.mark.parametrize("name", FLOATS)
def test_dtypes_of_norms(name: str) -> None:
    """A weight widens the result; a bias alone does not."""
    for weight in (None, *FLOATS):
        for bias in (None, *FLOATS):
            parts = lambda m: [None if n is None else array(m, sample(n, 4, 7), n) for n in (weight, bias)]
            x = sample(name, (3, 4), 6)
            agree(lambda m: m.fast.layer_norm(array(m, x, name), *parts(m), 1e-3), ulps=32, atol=0.1, what=f"{weight} {bias}")
        agree(lambda m: m.fast.rms_norm(array(m, x, name), parts(m)[0], 1e-3), ulps=32, atol=0.1, what=str(weight))


@needs_oracle
def test_methods_and_functions_are_the_same() -> None:
    a = mx.array(sample("float32", (3, 4), 9))
    for op in (*FOLDS, "mean", "var", "std", "argmin", "argmax", "logsumexp", "cumsum", "cumprod", "cummax", "cummin"):
        assert mx.array_equal(getattr(a, op)(axis=1), getattr(mx, op)(a, axis=1)).item(), op
        assert getattr(mlx.ones((2, 2)), op)(axis=1).shape == getattr(mx.ones((2, 2)), op)(axis=1).shape
    assert dt(mx, "int32") == a.astype(mx.int32).sum().dtype
