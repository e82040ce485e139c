"""Scans, sorts, partitions and searches over any axis of any view."""

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
    INTEGERS,
    REALS,
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
    to_numpy,
    wide,
)
from strategies import shapes, steps_from, views

SCANS: dict[str, Any] = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "cummax": lambda x, axis: np.maximum.accumulate(x, axis),
    "cummin": lambda x, axis: np.minimum.accumulate(x, axis),
    "logcumsumexp": lambda x, axis: np.logaddexp.accumulate(x, axis),
}


def scan_reference(op: str, x: np.ndarray, name: str, result: str, axis: int | None, reverse: bool) -> np.ndarray:
    v = wide(x, name)
    if v.dtype.kind in "biu":
        v = v.astype(np.float64 if op == "logcumsumexp" else np.dtype(result))
    if axis is None:
        v, axis = v.ravel(), 0
    f = SCANS[op]
    with np.errstate(all="ignore"):
        if op in ("cumsum", "cumprod") and v.dtype.kind in "iu":
            f = lambda y, axis: SCANS[op](y, axis=axis, dtype=y.dtype)
        y = np.flip(f(np.flip(v, axis), axis=axis), axis) if reverse else f(v, axis=axis)
    return rounded(y, result)


def scan_tolerance(op: str, name: str, length: int) -> dict[str, float]:
    eps = EPS.get(name, EPS["float32"] if op == "logcumsumexp" else 0)
    if op in ("cummax", "cummin") or not eps:
        return {}
    return {"rtol": eps * (8 + 2 * length), "atol": eps * (8 + 4 * length)}


@pytest.mark.parametrize("name", REALS)
@pytest.mark.parametrize("op", SCANS)
def test_scan_every_dtype(op: str, name: str) -> None:
    x = sample(name, (3, 9, 4), 1, -1.5, 1.5)
    for axis in (None, 0, 1, 2, -2):
        for reverse in (False, True):
            got = getattr(mx, op)(array(mx, x, name), axis=axis, reverse=reverse)
            want = scan_reference(op, x, name, name_of(got), axis, reverse)
            assert_close(
                got,
                want,
                **scan_tolerance(op, name, 9 if axis is not None else 108),
                what=f"{op} {name} {axis} {reverse}",
            )


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("op", SCANS)
def test_scan_like_the_oracle(op: str, name: str) -> None:
    """The exclusive scan and its first element, too."""
    a = dict(zip((mx, mlx), both(sample(name, (3, 5), 2, -1.5, 1.5), name)))
    atol = {"float16": 1e-2, "bfloat16": 1e-1}.get(name, 1e-5)
    for axis in (None, 0, 1):
        for reverse in (False, True):
            for inclusive in (False, True):
                if name == "complex64" and op in ("cummax", "cummin", "logcumsumexp"):
                    continue
                agree(
                    lambda lib: getattr(lib, op)(a[lib], axis=axis, reverse=reverse, inclusive=inclusive),
                    ulps=8,
                    atol=atol,
                    what=f"{op} {name} {axis} {reverse} {inclusive}",
                )


@settings(max_examples=800)
@given(st.data())
def test_scans_of_views(data: Any) -> None:
    op = data.draw(st.sampled_from(sorted(SCANS)))
    view = data.draw(views(st.sampled_from(REALS), data.draw(shapes(1, 4)), lo=-1.5, hi=1.5))
    x = view.numpy()
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1)) if x.ndim else None
    reverse = data.draw(st.booleans())
    got = getattr(mx, op)(view.build(mx), axis=axis, reverse=reverse)
    if x.size == 0:
        assert to_numpy(got).size == 0
        return
    want = scan_reference(op, x, view.dtype, name_of(got), axis, reverse)
    assert_close(got, want, **scan_tolerance(op, view.dtype, x.size), what=f"{op} {view} {axis}")


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 1000, 70_001])
def test_long_scans(n: int) -> None:
    for name in ("int32", "float64", "uint8"):
        x = sample(name, n, 3, -5, 5)
        got = mx.cumsum(array(mx, x, name))
        assert_close(got, scan_reference("cumsum", x, name, name_of(got), None, False), rtol=1e-12, atol=1e-9)
    x = sample("float32", n, 4)
    assert_close(mx.cummax(mx.array(x)), np.maximum.accumulate(x))


@pytest.mark.parametrize("op", ["cummax", "cummin", "cumsum", "logcumsumexp"])
def test_nan_stays(op: str) -> None:
    x = np.array([1.0, np.nan, 3.0, 0.5])
    got = to_numpy(getattr(mx, op)(array(mx, x, "float32")))
    assert np.isnan(got).tolist() == [False, True, True, True]


@pytest.mark.parametrize("name", REALS)
@pytest.mark.parametrize("op", ["cumsum", "cumprod"])
def test_scan_dtype(op: str, name: str) -> None:
    got = getattr(mx, op)(array(mx, sample(name, 6, 5, 0, 3), name), dtype=mx.float32)
    assert name_of(got) == "float32"


@pytest.mark.parametrize("n", [1, 2])
def test_diff(n: int) -> None:
    for name in ("int32", "float32"):
        x = sample(name, (4, 5), 6, -9, 9)
        for axis in (0, 1, -1):
            assert_close(mx.diff(array(mx, x, name), n=n, axis=axis), np.diff(x, n=n, axis=axis), atol=1e-5)


@pytest.mark.parametrize("name", REALS)
def test_sort_every_dtype(name: str) -> None:
    for n in (1, 2, 5, 16, 17, 64, 300):
        x = sample(name, (3, n, 2), 7, -50, 50)
        for axis in (0, 1, 2, -1, None):
            a = array(mx, x, name)
            assert_close(mx.sort(a, axis=axis), np.sort(x, axis=axis), what=f"sort {name} {n} {axis}")
            order = mx.argsort(a, axis=axis)
            assert name_of(order) == "uint32"
            want = np.argsort(x, axis=axis, kind="stable")
            assert_close(order, want.astype(np.uint32), what=f"argsort {name} {n} {axis}")


@pytest.mark.parametrize("name", FLOATS)
def test_sort_puts_nan_last_and_negative_zero_with_zero(name: str) -> None:
    x = np.array([np.nan, 1, -np.inf, 0.0, -0.0, np.inf, -np.nan, -1])
    got = to_numpy(mx.sort(array(mx, x, name)))
    assert_close(got, rounded(np.sort(x), name))
    order = to_numpy(mx.argsort(array(mx, x, name)))
    assert sorted(order.tolist()) == list(range(8)) and set(order[-2:].tolist()) == {0, 6}


def complex_with_nan(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Few distinct parts, so that keys repeat, and a NaN in either."""
    parts = np.array([0, 1, 2, -1, np.nan, np.inf], np.float32)
    re, im = np.random.default_rng(seed).integers(0, len(parts), (2, *shape))
    x = np.empty(shape, np.complex64)
    x.real, x.imag = parts[re], parts[im]
    return x


@pytest.mark.parametrize("shape", [(40,), (7, 5), (2, 9, 3)], ids=str)
def test_sort_of_complex_numbers(shape: tuple[int, ...]) -> None:
    """By real, then imaginary part; a NaN in either part puts the number last."""
    x = complex_with_nan(shape, 1)
    for axis in range(len(shape)):
        order = to_numpy(mx.argsort(mx.array(x), axis=axis)).astype(np.int64)
        for got in (to_numpy(mx.sort(mx.array(x), axis=axis)), np.take_along_axis(x, order, axis)):
            want = np.sort(x, axis=axis)
            assert_close(got.real, want.real)
            assert_close(got.imag, want.imag)


@pytest.mark.parametrize("name", INTEGERS)
def test_sort_of_extremes(name: str) -> None:
    info = np.iinfo(name)
    x = np.array([info.max, 0, info.min, 1, info.max - 1, info.min + 1] * 40, name)
    assert_close(mx.sort(array(mx, x, name)), np.sort(x))
    assert_close(mx.argsort(array(mx, x, name)), np.argsort(x, kind="stable").astype(np.uint32))


@pytest.mark.parametrize("n", [1000, 100_001])
@pytest.mark.parametrize("name", ["float32", "int32", "uint8", "float64", "int64", "float16"])
def test_large_sorts(n: int, name: str) -> None:
    x = sample(name, n, 8, -1000, 1000)
    assert_close(mx.sort(array(mx, x, name)), np.sort(x))
    assert_close(mx.argsort(array(mx, x, name)), np.argsort(x, kind="stable").astype(np.uint32))


@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("argsort", lambda x: mx.argsort(x, axis=1)),
        ("argsort", lambda x: mx.argsort(x, axis=None)),
        ("argpartition", lambda x: mx.argpartition(x, 7)),
        ("searchsorted", lambda x: mx.searchsorted(x[0], x[:, 0])),
        ("searchsorted", lambda x: mx.searchsorted(x[0].astype(mx.complex64), x[:, 0].astype(mx.complex64))),
        ("sort", lambda x: mx.sort(x.astype(mx.complex64))),
        ("partition", lambda x: mx.partition(x.astype(mx.complex64), 7)),
        ("unique", lambda x: mx.unique(x, 3)),
        ("argmax", lambda x: mx.argmax(x, axis=1)),
        ("argmin", lambda x: mx.argmin(x.astype(mx.complex64), axis=None)),
    ],
)
def test_positions_must_fit_uint32(name: str, f: Any) -> None:
    n = 1 << 32
    for length in (n, n + 3):
        with pytest.raises(
            ValueError, match=rf"^\[{name}\] positions are uint32, but axis . of shape .* has \d+ elements"
        ):
            f(mx.broadcast_to(mx.array(1, mx.uint8), (2, length)))
    f(mx.broadcast_to(mx.array(1, mx.uint8), (2, n // 2 - 2)))  # is not evaluated


@settings(max_examples=800)
@given(st.data())
def test_sorts_of_views(data: Any) -> None:
    view = data.draw(views(st.sampled_from(REALS), data.draw(shapes(1, 4)), steps=0))
    view.steps = data.draw(steps_from(view.shape))
    x = view.numpy()
    if x.ndim == 0:
        return
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    a = view.build(mx)
    assert_close(mx.sort(a, axis=axis), np.sort(x, axis=axis))
    assert_close(mx.argsort(a, axis=axis), np.argsort(x, axis=axis, kind="stable").astype(np.uint32))
    n = x.size if axis is None else x.shape[axis]
    if n == 0 or x.size == 0:
        return
    kth = data.draw(st.integers(-n, n - 1))
    part, where = to_numpy(mx.partition(a, kth, axis=axis)), mx.argpartition(a, kth, axis=axis)
    flat = x.ravel() if axis is None else x
    ax = 0 if axis is None else axis
    assert_close(np.sort(part, axis=ax), np.sort(flat, axis=ax))
    assert_close(np.take(part, kth, axis=ax), np.take(np.sort(flat, axis=ax), kth, axis=ax))
    picked = np.take_along_axis(flat, to_numpy(where).astype(np.int64), axis=ax)
    assert_close(np.take(picked, kth, axis=ax), np.take(np.sort(flat, axis=ax), kth, axis=ax))
    low, high = np.split(part, [kth % n], axis=ax)
    if low.shape[ax]:
        assert (low.max(axis=ax) <= high.min(axis=ax)).all()
    k = data.draw(st.integers(1, n))
    top = to_numpy(mx.topk(a, k, axis=axis))
    assert_close(np.sort(top, axis=ax), np.take(np.sort(flat, axis=ax), range(n - k, n), axis=ax))


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(name: str, side: str) -> None:
    base, values = np.sort(sample(name, 50, 9, -20, 20)), sample(name, (4, 5), 10, -25, 25)
    if name == "complex64":
        base, values = np.sort(complex_with_nan((50,), 2)), complex_with_nan((4, 5), 3)
        base, values = base[~np.isnan(base)], np.where(np.isnan(values), 1, values)
        values[0, :2] = base[[3, 3]]
    got = mx.searchsorted(array(mx, base, name), array(mx, values, name), side=side)
    assert name_of(got) == "uint32"
    assert_close(got, np.searchsorted(base, values, side=side).astype(np.uint32))


@needs_oracle
@pytest.mark.parametrize(
    "call",
    [
        lambda lib, a: lib.sort(a, axis=3),
        lambda lib, a: lib.argsort(a, axis=-4),
        lambda lib, a: lib.partition(a, 9),
        lambda lib, a: lib.partition(a, -9),
        lambda lib, a: lib.topk(a, 9),
        lambda lib, a: lib.topk(a, -1),
        lambda lib, a: lib.cumsum(a, axis=3),
        lambda lib, a: lib.sort(a, axis="x"),
        lambda lib, a: lib.topk(a, 0),
        lambda lib, a: lib.sort(lib.array(3.0)),
        lambda lib, a: lib.cumsum(lib.array(3.0)),
        lambda lib, a: lib.sort(lib.zeros((2, 0))),
        lambda lib, a: lib.argsort(lib.zeros((0, 2)), axis=0),
        lambda lib, a: lib.diff(a, n=-1),
        lambda lib, a: lib.diff(a, n=7),
    ],
)
def test_errors_and_corners_like_the_oracle(call: Any) -> None:
    agree(lambda lib: call(lib, lib.array(np.arange(6, dtype=np.float32).reshape(2, 3))))
