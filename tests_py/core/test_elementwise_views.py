"""Elementwise functions give on a view what they give on its copy, whatever the strides, and broadcast like the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
from elementwise_table import BINARY, UNARY
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DTYPES, FLOATS, array, assert_close, mlx, mx, name_of, needs_oracle, to_numpy
from strategies import View, broadcastable, dtypes, shapes, steps_from, views

LAST_BIT = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1.2e-7, "float64": 2.3e-16, "complex64": 3e-7}


def same(got: Any, want: Any, what: str) -> None:
    tol = LAST_BIT.get(name_of(got), 0.0)
    assert_close(got, want, rtol=2 * tol, atol=2 * tol, what=what)


@st.composite
def unary_case(draw: Any) -> tuple[str, View]:
    op = draw(st.sampled_from(sorted(UNARY)))
    _, names, _, lo, hi = UNARY[op]
    return op, draw(views(draw(st.sampled_from(names)), lo=lo, hi=hi))


@settings(max_examples=1500)
@given(unary_case())
def test_unary_on_views(case: tuple[str, View]) -> None:
    op, view = case
    got = getattr(mx, op)(view.build(mx))
    assert tuple(got.shape) == view.shape
    same(got, getattr(mx, op)(array(mx, view.numpy(), view.dtype)), op)


@st.composite
def binary_case(draw: Any) -> tuple[str, View, View]:
    op = draw(st.sampled_from(sorted(BINARY)))
    _, names, _, first, second = BINARY[op]
    name = draw(st.sampled_from(names))
    a = draw(views(name, lo=first[0], hi=first[1]))
    b = draw(views(name, draw(broadcastable(a.shape)), lo=second[0], hi=second[1], steps=0))
    flipped = [("slice", tuple(slice(None, None, draw(st.sampled_from([1, -1]))) for _ in b.shape))]
    return op, a, View(b.base, name, flipped)


@settings(max_examples=1500)
@given(binary_case())
def test_binary_on_views(case: tuple[str, View, View]) -> None:
    op, a, b = case
    got = getattr(mx, op)(a.build(mx), b.build(mx))
    full = np.broadcast_arrays(a.numpy(), b.numpy())
    assert tuple(got.shape) == full[0].shape
    same(got, getattr(mx, op)(*[array(mx, x, a.dtype) for x in full]), op)
    swapped = (
        getattr(mx, op)(b.build(mx), a.build(mx)) if op in ("add", "multiply", "minimum", "maximum", "equal") else got
    )
    same(swapped, got, op)


@settings(max_examples=600)
@given(st.data())
def test_where_and_clip_on_views(data: Any) -> None:
    x = data.draw(views())
    c = data.draw(views("bool", data.draw(broadcastable(x.shape))))
    y = data.draw(views(x.dtype, data.draw(broadcastable(x.shape))))
    try:
        shape = np.broadcast_shapes(x.shape, c.shape, y.shape)
    except ValueError:
        shape = None
    if shape is not None:
        got = mx.where(c.build(mx), x.build(mx), y.build(mx))
        assert tuple(got.shape) == shape
        assert_close(got, np.where(c.numpy(), x.numpy(), y.numpy()))


@settings(max_examples=600)
@given(views(), dtypes)
def test_views_and_casts_copy_what_they_show(view: View, other: str) -> None:
    a = view.build(mx)
    assert tuple(a.shape) == view.shape
    assert_close(a, view.numpy(), what=repr(view))
    cast = a.astype(getattr(mx, "bool_" if other == "bool" else other))
    same(cast, array(mx, view.numpy(), view.dtype).astype(cast.dtype), f"astype {other}")
    assert a.tolist() == to_numpy(a).tolist()


@needs_oracle
@settings(max_examples=1000)
@given(shapes(), shapes(), st.sampled_from(["add", "less", "logaddexp", "where", "clip", "broadcast_arrays"]))
def test_broadcasting_agrees_with_the_oracle(s: tuple[int, ...], t: tuple[int, ...], op: str) -> None:
    def shape(lib: Any) -> Any:
        a, b = lib.zeros(s), lib.ones(t)
        args = {"where": (a, b, b), "clip": (a, b, None)}.get(op, (a, b))
        try:
            r = getattr(lib, op)(*args)
        except Exception as e:
            return type(e)
        return [tuple(x.shape) for x in r] if isinstance(r, (list, tuple)) else tuple(r.shape)

    assert shape(mx) == shape(mlx)


@settings(max_examples=400)
@given(st.data())
def test_chains_fuse_to_the_same_values(data: Any) -> None:
    """A graph of several operations over shared views gives what its operations give one at a time."""
    name = data.draw(st.sampled_from(FLOATS))
    v = data.draw(views(name, data.draw(shapes(1, 3)), lo=0.5, hi=2))
    ops = data.draw(
        st.lists(st.sampled_from(["add", "multiply", "exp", "tanh", "sub", "max", "where"]), min_size=1, max_size=8)
    )

    def run(eager: bool) -> Any:
        x = v.build(mx)
        y = x
        for op in ops:
            y = {
                "add": lambda: y + x,
                "multiply": lambda: y * x,
                "exp": lambda: mx.exp(-mx.abs(y)),
                "tanh": lambda: mx.tanh(y),
                "sub": lambda: x - y,
                "max": lambda: mx.maximum(x, y),
                "where": lambda: mx.where(y > x, x, y),
            }[op]()
            if eager:
                mx.eval(y)
        return y

    got, want = run(False), run(True)
    tol = 16 * LAST_BIT[name]
    assert_close(got, want, rtol=tol, atol=tol, what=str(ops))


@settings(max_examples=200)
@given(views(steps=3), st.data())
def test_views_of_evaluated_arrays(view: View, data: Any) -> None:
    """Evaluating between view operations changes nothing."""
    a = array(mx, view.base, view.dtype)
    from strategies import take_step

    for s in view.steps:
        mx.eval(a)
        a = take_step(a, s, mx)
    more = data.draw(steps_from(view.shape))
    expect = view.numpy()
    for s in more:
        a, expect = take_step(a, s, mx), take_step(expect, s)
    assert_close(a, expect)


def test_all_dtypes_are_covered() -> None:
    covered = {d for row in UNARY.values() for d in row[1]}
    assert covered == set(DTYPES)
