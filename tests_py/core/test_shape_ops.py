"""Reshaping, joining, splitting and other rearrangements: values as NumPy, shapes and errors as the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DTYPES, agree, array, assert_close, both, mlx, mx, name_of, needs_oracle, sample, to_numpy
from strategies import shapes, views


def ramp(lib: Any, *shape: int) -> Any:
    return lib.array(np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape))


@settings(max_examples=800)
@given(views(), st.data())
def test_reshape_of_views(view: Any, data: Any) -> None:
    x = view.numpy()
    n = x.size
    divisors = [d for d in range(1, n + 1) if n % d == 0] or [1]
    a = data.draw(st.sampled_from(divisors))
    shape = data.draw(st.sampled_from([(n,), (a, n // a), (-1, a), (1, n, 1), (a, -1)])) if n else (0, 3)
    got = mx.reshape(view.build(mx), shape)
    assert_close(got, x.reshape(shape))
    assert_close(view.build(mx).reshape(*shape), x.reshape(shape))
    assert_close(mx.flatten(view.build(mx)), x.ravel())


CALLS: dict[str, list[Any]] = {
    "reshape": [
        lambda m, a, s=s: m.reshape(a, s) for s in ((24,), (4, -1), (-1,), (2, 3, 4), (2, 3, 2, 2), (1, 24, 1))
    ],
    "reshape errors": [lambda m, a, s=s: m.reshape(a, s) for s in ((5, 5), (-1, -1), (-1, 7), (-2, 12), (0, -1), ())],
    "reshape methods": [
        lambda m, a: a.reshape(6, 4),
        lambda m, a: a.reshape((6, 4)),
        lambda m, a: a.reshape([6, 4]),
        lambda m, a: a.reshape(-1),
        lambda m, a: a.reshape(24, 1, 1),
    ],
    "flatten": [
        lambda m, a: m.flatten(a),
        lambda m, a: m.flatten(a, 1),
        lambda m, a: m.flatten(a, 0, 1),
        lambda m, a: m.flatten(a, -2, -1),
        lambda m, a: a.flatten(1, 1),
        lambda m, a: m.flatten(a, 2, 1),
        lambda m, a: m.flatten(a, 5),
        lambda m, a: m.flatten(a, 0, 9),
        lambda m, a: m.flatten(m.array(3.0)),
    ],
    "unflatten": [
        lambda m, a: m.unflatten(a, -1, (2, 2)),
        lambda m, a: m.unflatten(a, 0, (2, -1)),
        lambda m, a: m.unflatten(a, 1, (1, 3, 1)),
        lambda m, a: m.unflatten(a, 1, (2, 2)),
        lambda m, a: m.unflatten(a, 7, (2, 2)),
        lambda m, a: m.unflatten(a, 1, ()),
    ],
    "squeeze": [
        lambda m, a: m.squeeze(a[:, :1]),
        lambda m, a: m.squeeze(a[:, :1], 1),
        lambda m, a: m.squeeze(a[:1, :1], (0, 1)),
        lambda m, a: m.squeeze(a[:1, :1], [-2, 0]),
        lambda m, a: m.squeeze(a, 1),
        lambda m, a: m.squeeze(a[:1], (0, 0)),
        lambda m, a: m.squeeze(a, 5),
        lambda m, a: a[:1].squeeze(),
        lambda m, a: a[:1].squeeze(0),
    ],
    "expand_dims": [lambda m, a, x=x: m.expand_dims(a, x) for x in (0, 1, -1, 3, (0, 2), [0, -1], (0, 0), 5, -5, ())],
    "transpose": [
        lambda m, a: m.transpose(a),
        lambda m, a: a.T,
        lambda m, a: m.transpose(a, (2, 0, 1)),
        lambda m, a: m.transpose(a, (-1, 0, 1)),
        lambda m, a: a.transpose(1, 0, 2),
        lambda m, a: a.transpose((1, 0, 2)),
        lambda m, a: a.transpose(),
        lambda m, a: m.transpose(a, (0, 1)),
        lambda m, a: m.transpose(a, (0, 0, 1)),
        lambda m, a: m.transpose(a, (0, 1, 5)),
        lambda m, a: m.permute_dims(a, (2, 1, 0)),
        lambda m, a: a.mT,
        lambda m, a: m.matrix_transpose(a),
        lambda m, a: m.matrix_transpose(a[0, 0]),
        lambda m, a: a[0, 0].T,
    ],
    "moveaxis": [
        lambda m, a, s=s, d=d: m.moveaxis(a, s, d) for s, d in ((0, 2), (2, 0), (-1, 0), (1, 1), (0, 7), (-5, 0))
    ]
    + [lambda m, a: a.moveaxis(0, -1)],
    "swapaxes": [lambda m, a, s=s, d=d: m.swapaxes(a, s, d) for s, d in ((0, 2), (-1, 0), (1, 1), (0, 7))]
    + [lambda m, a: a.swapaxes(0, 1)],
    "flip": [
        lambda m, a: m.flip(a),
        lambda m, a: m.flip(a, 0),
        lambda m, a: m.flip(a, (0, -1)),
        lambda m, a: m.flip(a, 4),
        lambda m, a: m.flip(a, [1]),
    ],
    "broadcast_to": [
        lambda m, a: m.broadcast_to(a, (5, 2, 3, 4)),
        lambda m, a: m.broadcast_to(a, (2, 3, 4)),
        lambda m, a: m.broadcast_to(a, (2, 3)),
        lambda m, a: m.broadcast_to(a[:, :1], (2, 7, 4)),
        lambda m, a: m.broadcast_to(3, (2,)),
        lambda m, a: m.broadcast_to(a, (2, 3, 5)),
        lambda m, a: m.broadcast_to(a[:1], (0, 3, 4)),
        lambda m, a: m.broadcast_to(2.5, ()),
    ],
    "broadcast_arrays": [
        lambda m, a: m.broadcast_arrays(a, m.zeros((1, 4))),
        lambda m, a: m.broadcast_arrays(a),
        lambda m, a: m.broadcast_arrays(a, m.zeros(7)),
    ],
    "concatenate": [
        lambda m, a: m.concatenate([a, a]),
        lambda m, a: m.concatenate([a, a[:, :1]], 1),
        lambda m, a: m.concatenate([a, a], -1),
        lambda m, a: m.concatenate([a, a], None),
        lambda m, a: m.concatenate([a]),
        lambda m, a: m.concatenate([]),
        lambda m, a: m.concatenate([a, a[0]]),
        lambda m, a: m.concatenate([a, a[:, :1]]),
        lambda m, a: m.concatenate([a, a], 3),
        lambda m, a: m.concatenate([a, a.astype(m.int32)]),
        lambda m, a: m.concatenate([a[:0], a]),
        lambda m, a: m.concat([a, a]),
        lambda m, a: m.concatenate([m.array(1), m.array(2)]),
        lambda m, a: m.concatenate((a, a)),
    ],
    "stack": [
        lambda m, a: m.stack([a, a]),
        lambda m, a: m.stack([a, a], 1),
        lambda m, a: m.stack([a, a], -1),
        lambda m, a: m.stack([a, a], 3),
        lambda m, a: m.stack([]),
        lambda m, a: m.stack([a, a[0]]),
        lambda m, a: m.stack([a, a], 4),
        lambda m, a: m.stack([a, a], -5),
        lambda m, a: m.stack([a, a.astype(m.int32)]),
        lambda m, a: m.unstack(a),
        lambda m, a: m.unstack(a, axis=-1),
        lambda m, a: m.unstack(a, axis=3),
    ],
    "split": [
        lambda m, a: m.split(a, 2),
        lambda m, a: m.split(a, 3, 1),
        lambda m, a: m.split(a, [1, 3], -1),
        lambda m, a: m.split(a, 5, 1),
        lambda m, a: m.split(a, [1, 1, 2], 1),
        lambda m, a: m.split(a, [2, 1], 1),
        lambda m, a: m.split(a, [9], 1),
        lambda m, a: m.split(a, [-1], 1),
        lambda m, a: m.split(a, 0),
        lambda m, a: m.split(a, -1),
        lambda m, a: m.split(a, [], 1),
        lambda m, a: a.split(2),
        lambda m, a: m.split(a, 2, 4),
    ],
    "repeat": [
        lambda m, a: m.repeat(a, 2),
        lambda m, a: m.repeat(a, 3, 1),
        lambda m, a: m.repeat(a, 0, 1),
        lambda m, a: m.repeat(a, 1, -1),
        lambda m, a: m.repeat(a, -1, 0),
        lambda m, a: m.repeat(a, 2, 4),
        lambda m, a: m.repeat(m.array(3), 4),
    ],
    "tile": [lambda m, a, r=r: m.tile(a, r) for r in (2, (1, 2), (2, 1, 3), (2, 1, 1, 2), 0, (1, 0, 1), (), -1)],
    "pad": [
        lambda m, a, w=w: m.pad(a, w)
        for w in (
            1,
            (1, 2),
            ((0, 1), (2, 0), (1, 1)),
            (1,),
            [(0, 0), (0, 0), (3, 0)],
            -1,
            ((1, 1),),
            ((0, 1), (2, 0)),
            0,
        )
    ]
    + [
        lambda m, a, mode=mode: m.pad(a, ((0, 0), (1, 2), (3, 1)), mode)
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
    ]
    + [lambda m, a: m.pad(a, 1, constant_values=7), lambda m, a: m.pad(a, 1, constant_values=m.array(2.5))],
    "roll": [
        lambda m, a: m.roll(a, 1),
        lambda m, a: m.roll(a, -5),
        lambda m, a: m.roll(a, 2, 1),
        lambda m, a: m.roll(a, (1, 2), (0, 2)),
        lambda m, a: m.roll(a, 1, (0, 1)),
        lambda m, a: m.roll(a, (1, 2), 0),
        lambda m, a: m.roll(a, 100, -1),
        lambda m, a: m.roll(a, 1, 5),
        lambda m, a: m.roll(a, (1, 2), (0, 1, 2)),
        lambda m, a: m.roll(a[:0], 1, 0),
    ],
    "diagonal": [lambda m, a, k=k: m.diagonal(a, k) for k in (0, 1, -1, 5, -5)]
    + [
        lambda m, a: m.diagonal(a, 0, 1, 2),
        lambda m, a: m.diagonal(a, 0, -1, 0),
        lambda m, a: m.diagonal(a, 0, 1, 1),
        lambda m, a: m.diagonal(a, 0, 0, 7),
        lambda m, a: m.diagonal(a[0, 0]),
        lambda m, a: a.diagonal(),
    ],
    "diag": [lambda m, a, k=k: m.diag(a[0], k) for k in (0, 1, -1, 2, 3)]
    + [lambda m, a, k=k: m.diag(a[0, 0], k) for k in (0, 1, -2)]
    + [lambda m, a: m.diag(a), lambda m, a: m.diag(m.array(1.0)), lambda m, a: a[0].diag(1)],
    "trace": [lambda m, a, k=k: m.trace(a, k) for k in (0, 1, -1)]
    + [lambda m, a: m.trace(a, 0, 1, 2), lambda m, a: m.trace(a, dtype=m.int32), lambda m, a: m.trace(a[0, 0])],
    "tril": [lambda m, a, k=k, f=f: getattr(m, f)(a, k) for k in (0, 1, -1, 9) for f in ("tril", "triu")]
    + [lambda m, a: m.tril(a[0, 0])],
    "atleast": [
        lambda m, a, f=f, x=x: getattr(m, f)(x(m, a))
        for f in ("atleast_1d", "atleast_2d", "atleast_3d")
        for x in (lambda m, a: m.array(1), lambda m, a: a[0, 0], lambda m, a: a[0], lambda m, a: a)
    ]
    + [lambda m, a: m.atleast_2d(a, m.array(1))],
    "meshgrid": [
        lambda m, a: m.meshgrid(a[0, 0], a[0, :, 0]),
        lambda m, a: m.meshgrid(a[0, 0], a[0, :, 0], indexing="ij"),
        lambda m, a: m.meshgrid(a[0, 0], a[0, :, 0], sparse=True),
        lambda m, a: m.meshgrid(a[0, 0]),
        lambda m, a: m.meshgrid(a[0, 0], a[0, 0], a[:, 0, 0]),
        lambda m, a: m.meshgrid(a[0, 0], indexing="no"),
    ],
    "as_strided": [
        lambda m, a: m.as_strided(a, (3, 3), (1, 2), 1),
        lambda m, a: m.as_strided(a, (2, 2)),
        lambda m, a: m.as_strided(a, (4,), (-1,), 3),
    ],
    "view": [
        lambda m, a: m.view(a, m.int32),
        lambda m, a: m.view(a, m.uint8),
        lambda m, a: a.view(m.complex64),
        lambda m, a: m.view(a[0, :, :3], m.complex64),
        lambda m, a: m.view(m.array(1.0), m.int32),
    ],
    "contiguous": [lambda m, a: m.contiguous(a.T), lambda m, a: m.contiguous(a[::-1])],
    "slices": [
        lambda m, a: m.slice(a, m.array([1]), (0,), (1, 3, 4)),
        lambda m, a: m.slice_update(a, m.zeros((1, 3, 4)), m.array([1]), (0,)),
        lambda m, a: m.slice_update(a, m.array(5.0), m.array([1]), (1,)),
        lambda m, a: m.slice_update(a, m.array([[5.0], [6.0]]), m.array([1, 2]), (1, 2)),
        lambda m, a: m.slice_update(a, m.array([5.0, 6.0]), m.array([0, 2]), (0, 2)),
        lambda m, a: m.slice_update(a, m.array([5.0, 6.0]), m.array(1), (-1,)),
        lambda m, a: m.slice(a, m.array([0, 2]), (1, 2), (2, 2, 2)),
    ],
    "kron": [lambda m, a: m.kron(a[0], a[1, :2]), lambda m, a: m.kron(a[0, 0], a[0, 0]), lambda m, a: m.kron(a, a[0])],
    "broadcast_shapes": [
        lambda m, a: m.broadcast_shapes((2, 1), (1, 3)),
        lambda m, a: m.broadcast_shapes((2, 1), (3, 3)),
        lambda m, a: m.broadcast_shapes(()),
    ],
    "take": [
        lambda m, a: m.take(a, True, 1),
        lambda m, a: m.take(a, m.array([0, 2]), 1),
        lambda m, a: m.take(a, m.array([[0, -1]]), 2),
        lambda m, a: m.take(a, m.array([5, 23])),
        lambda m, a: m.take(a, 1, 0),
        lambda m, a: m.take(a, m.array([0.5]), 0),
        lambda m, a: m.take(a, m.array([0]), 7),
        lambda m, a: m.take(a, m.array([], dtype=m.int32), 1),
        lambda m, a: m.take(a, 3),
    ],
    "take_along_axis": [
        lambda m, a: m.take_along_axis(a, m.argsort(-a, axis=1), 1),
        lambda m, a: m.take_along_axis(a, m.array([[[0], [1], [-1]]]), 2),
        lambda m, a: m.take_along_axis(a, m.array([3, 1]), None),
        lambda m, a: m.take_along_axis(a, m.array([3, 1]), 0),
        lambda m, a: m.take_along_axis(a, m.zeros((2, 3, 1)), 2),
        lambda m, a: m.take_along_axis(a, m.zeros((2, 3, 1), dtype=m.uint8), 9),
    ],
    "put_along_axis": [
        lambda m, a: m.put_along_axis(a, m.array([[[0], [1], [2]]]), m.array(9.0), 2),
        lambda m, a: m.put_along_axis(a, m.array([3, 1]), m.array([7.0, 8.0]), None),
        lambda m, a: m.put_along_axis(a, m.array([[[1]]]), m.array([[[1, 2, 3, 4]]]), 1),
    ],
}
NUMBERED = [(name, i) for name, calls in CALLS.items() for i in range(len(calls))]


@needs_oracle
@pytest.mark.parametrize(("name", "i"), NUMBERED)
def test_like_the_oracle(name: str, i: int) -> None:
    agree(lambda lib: CALLS[name][i](lib, ramp(lib, 2, 3, 4)), ulps=2, what=f"{name} {i}")


@needs_oracle
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_moves(dtype: str) -> None:
    a = dict(zip((mx, mlx), both(sample(dtype, (3, 4), 1), dtype)))
    for call in (
        lambda m, x: m.concatenate([x.T, x.T[::-1]], 1),
        lambda m, x: m.pad(x, 2),
        lambda m, x: m.tile(x[:, ::-1], (2, 2)),
        lambda m, x: m.repeat(x.T, 2, 0),
        lambda m, x: m.roll(x, 1, 1),
        lambda m, x: m.stack([x, x], -1),
        lambda m, x: m.flip(x, 1).reshape(-1),
        lambda m, x: m.take(x, m.array([2, 0]), 0),
        lambda m, x: m.tril(x),
        lambda m, x: m.contiguous(x.T),
        lambda m, x: m.take_along_axis(x, m.array([[1], [0], [2]]), 1),
    ):
        agree(lambda lib: call(lib, a[lib]), what=dtype)


@settings(max_examples=600)
@given(st.data())
def test_concatenate_and_split_of_views(data: Any) -> None:
    first = data.draw(views(shape=data.draw(shapes(1, 3))))
    x = first.numpy()
    if x.ndim == 0:
        return
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    others = []
    for _ in range(data.draw(st.integers(0, 3))):
        shape = list(x.shape)
        shape[axis] = data.draw(st.integers(0, 4))
        others.append(data.draw(views(first.dtype, tuple(shape), steps=0)))
    parts = [first, *others]
    got = mx.concatenate([v.build(mx) for v in parts], axis)
    want = np.concatenate([v.numpy() for v in parts], axis)
    assert_close(got, want)
    cuts = sorted(data.draw(st.lists(st.integers(0, want.shape[axis]), max_size=3)))
    if cuts:
        pieces = mx.split(got, cuts, axis)
        assert len(pieces) == len(cuts) + 1
        for p, q in zip(pieces, np.split(want, cuts, axis)):
            assert_close(p, q)


@settings(max_examples=600)
@given(views(shape=shapes(1, 4)), st.data())
def test_pad_tile_roll_repeat_of_views(view: Any, data: Any) -> None:
    x, a = view.numpy(), view.build(mx)
    n = x.ndim
    if n == 0 or x.size > 400:
        return
    widths = tuple((data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in range(n))
    assert_close(mx.pad(a, widths), np.pad(x, widths))
    if x.size:
        assert_close(mx.pad(a, widths, "edge"), np.pad(x, widths, "edge"))
    axis = data.draw(st.integers(-n, n - 1))
    shift = data.draw(st.integers(-9, 9))
    assert_close(mx.roll(a, shift, axis), np.roll(x, shift, axis))
    assert_close(mx.roll(a, shift), np.roll(x, shift))
    assert_close(mx.repeat(a, 2, axis), np.repeat(x, 2, axis))
    assert_close(mx.flip(a, axis), np.flip(x, axis))
    reps = tuple(data.draw(st.integers(0, 2)) for _ in range(n))
    assert_close(mx.tile(a, reps), np.tile(x, reps))


@pytest.mark.parametrize("dtype", DTYPES)
def test_reinterpretation_keeps_the_bytes(dtype: str) -> None:
    x = sample(dtype, (2, 8), 2)
    a = array(mx, x, dtype)
    back = mx.view(mx.view(a, mx.uint8), a.dtype)
    assert name_of(back) == dtype
    assert_close(back, x)
    if dtype != "bfloat16":
        assert to_numpy(mx.view(a, mx.uint8)).tobytes() == x.tobytes()


def test_views_share_until_written() -> None:
    a = mx.arange(6).reshape(2, 3)
    b = a[0]
    a[0, 0] = 50
    assert b.tolist() == [0, 1, 2] and a.tolist() == [[50, 1, 2], [3, 4, 5]]
    c = mx.broadcast_to(mx.array([1, 2]), (3, 2))
    c[0] = 9
    assert c.tolist() == [[9, 9], [1, 2], [1, 2]]


def test_many_dimensions() -> None:
    a = mx.arange(2**10).reshape([2] * 10)
    assert_close(a.transpose(*reversed(range(10))), np.arange(2**10, dtype=np.int32).reshape([2] * 10).T)
    assert_close(
        mx.sum(a[(slice(None, None, -1),) * 10], axis=(0, 3, 7)),
        np.arange(2**10).reshape([2] * 10)[(slice(None, None, -1),) * 10].sum((0, 3, 7)).astype(np.int32),
    )
