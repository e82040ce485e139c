"""Bool masks as indices, alone and among others: NumPy is the reference, and `where` the reference under transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import array, assert_close, mx, sample
from strategies import View, broadcastable, shapes, views

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
M2, M3, M4 = np.array([False, True]), np.array([True, False, True]), np.array([True, True, False, False])
M34 = X[0] % 3 == 0
KEYS = [
    True, False, np.True_, np.False_, (True,), (True, 0), (0, True), (slice(None), True), (True, slice(None), [0, 1]),
    (None, True), (True, True), (True, False), (False, True), (..., False), np.array(True), np.array(False),
    (np.array(True), M2),
    (0, np.array(True), slice(None), 0), M2, [False, True], ([True, False],), (slice(None), M3), (slice(None), M34),
    (..., M4), (M2, 0),
    (0, M3), (0, slice(None), M4), (0, None, M3), (M2, slice(None), M4), (M2, M34[:, 0]), (np.array([0, 1]), M3),
    (M2, ..., 1),
    (slice(None), M3, np.array([0, 3])), (M2, np.array([[0], [1], [2]])), X % 5 == 1, X < 0,
    (slice(None, None, -1), M34), (1, M34),
]  # fmt: skip


def ours(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(ours(i) for i in index)
    return mx.array(index) if isinstance(index, np.ndarray) else index


def outcome(f: Callable[[], Any]) -> Any:
    try:
        return f()
    except (IndexError, ValueError) as e:
        return e


def numpy_write(x: Any, key: Any, value: Any) -> Any:
    x = x.copy()
    x[key] = value
    return x


def written(a: Any, key: Any, value: Any) -> Any:
    a[key] = value
    mx.eval(a)
    return a


def agree(got: Any, want: Any, what: str) -> None:
    if isinstance(want, Exception):
        assert isinstance(got, Exception), what
    else:
        assert not isinstance(got, Exception), f"{what}: {got!r}"
        assert_close(got, want, what=what)


@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("transposed", [False, True])
def test_reads_and_writes_like_numpy(key: Any, transposed: bool) -> None:
    def a() -> Any:
        return mx.array(X.T.copy()).T if transposed else mx.array(X)

    want = outcome(lambda: X[key])
    agree(outcome(lambda: a()[ours(key)]), want, "read")
    if isinstance(want, Exception):
        return
    full = np.arange(want.size, dtype=np.float32).reshape(want.shape) + 100
    values = [5.0, full, np.ones((5, *want.shape[1:]), np.float32)]
    if want.ndim and len(want):
        values += [full[:1], full[0]]
    for v in values:
        got = outcome(lambda v=v: written(a(), ours(key), ours(v)))
        agree(got, outcome(lambda v=v: numpy_write(X, key, v)), f"write of {np.shape(v)}")
    for op in ("add", "multiply"):
        got = getattr(a().at[ours(key)], op)(mx.array(full))
        assert_close(got, numpy_write(X, key, getattr(np, op)(X[key], full)), what=op)


@st.composite
def strided_masks(draw: Any, shape: tuple[int, ...]) -> View:
    """Stretched, transposed and turned round."""
    base = tuple(draw(st.sampled_from([1, n])) for n in shape)
    order = tuple(draw(st.permutations(range(len(shape)))))
    turned = [("slice", tuple(slice(None, None, draw(st.sampled_from([1, -1]))) for _ in shape))]
    steps = [("transpose", tuple(np.argsort(order))), ("broadcast", shape), *(turned if shape else [])]
    return View(sample("bool", tuple(base[i] for i in order), draw(st.integers(0, 9))), "bool", steps)


@settings(max_examples=400)
@given(views(shape=shapes(0, 4)), st.data())
def test_masks_of_views(view: Any, data: Any) -> None:
    """A mask over some adjacent axes, behind slices or integers, of strided arrays and strided masks."""
    x = np.array(view.numpy())
    first = data.draw(st.integers(0, x.ndim))
    last = data.draw(st.integers(first, x.ndim))
    mask = data.draw(strided_masks(x.shape[first:last]))
    before = [
        data.draw(st.sampled_from([slice(None), slice(None, None, -1), 0] if n else [slice(None)]))
        for n in x.shape[:first]
    ]
    key, own = (*before, mask.numpy()), (*before, mask.build(mx))
    want = x[key]
    assert_close(view.build(mx)[own], want, what=str(key))
    value = sample(view.dtype, data.draw(broadcastable(want.shape)), 5)
    if value.size == 0 and want.size:
        return
    a = view.build(mx)
    a[own] = array(mx, value, view.dtype)
    x[key] = value
    assert_close(a, x, what=str(key))


@pytest.mark.parametrize(("places", "values"), [(3, 2), (2, 3), (0, 2), (3, 0), (1, 2)])
@pytest.mark.parametrize(
    "where", [lambda f: f, mx.compile, lambda f: lambda a, m, v: mx.vmap(f)(a[None], m[None], v[None])]
)
def test_another_number_of_values_is_an_error(places: int, values: int, where: Any) -> None:
    """Also where it is known only when the mask is: the array stays what it was."""

    def assign(a: Any, m: Any, v: Any) -> Any:
        a = a * 1
        a[m] = v
        return a

    mask = mx.arange(4) < places
    with pytest.raises(ValueError, match="values cannot be assigned"):
        mx.eval(where(assign)(mx.zeros(4), mask, mx.ones(values)))


def test_more_values_than_the_mask_has_elements() -> None:
    with pytest.raises(ValueError, match="5 values cannot be assigned by a bool mask of 4 elements"):
        mx.compile(lambda a, m: a.at[m].add(mx.ones(5)))(mx.zeros(4), mx.ones(4, mx.bool_))


def test_wrong_shapes() -> None:
    a = mx.zeros((2, 3))
    for key in (
        mx.ones(3, mx.bool_),
        mx.ones((2, 2), mx.bool_),
        (0, mx.ones(2, mx.bool_)),
        mx.ones((2, 3, 1), mx.bool_),
    ):
        with pytest.raises(IndexError):
            a[key]
        with pytest.raises(IndexError):
            a[key] = 1
    with pytest.raises(ValueError, match="broadcast"):
        a[mx.ones(2, mx.bool_)] = mx.ones((2, 2))


# ---- transforms ----


def put(y: Any, mask: Any, v: Any) -> Any:
    y = y * 1
    y[mask] = v
    return y


def put_in_place(y: Any, mask: Any, v: Any) -> Any:
    y[mask] = v
    return y


def put_by_where(y: Any, mask: Any, v: Any) -> Any:
    """The same by cumulative counts: value number k goes to the place with k places before it."""
    m = mx.broadcast_to(mask.reshape(mask.shape + (1,) * (y.ndim - mask.ndim)), y.shape)
    if v.ndim <= y.ndim - mask.ndim or v.shape[0] == 1:
        return mx.where(m, v, y)
    number = mx.maximum(mx.cumsum(mask.reshape(-1).astype(mx.int32)) - 1, 0).reshape(mask.shape)
    return mx.where(m, mx.take(v, number, axis=0), y)


MASKS = {
    "constant": lambda y, v: mx.array([[True, False, True], [False, True, False]]),
    "of values": lambda y, v: y > mx.mean(y, axis=1, keepdims=True),
    "of the row": lambda y, v: mx.max(y, axis=1) > 0.5,
    "of all": lambda y, v: mx.ones((2, 3), mx.bool_),
    "of none": lambda y, v: y > 9,
    "0-d": lambda y, v: mx.sum(y) < 100,
}
Y, V = mx.array([[0.5, 0.2, 0.8], [0.1, 0.9, 0.3]]), mx.array([1.5, -2.0, 0.7])
VALUES = {
    "scalar": lambda m: mx.array(1.5),
    "one": lambda m: mx.array([1.5]),
    "each": lambda m: (
        mx.arange(1, 1 + int(m.sum()), dtype=mx.float32)
        if m.ndim == 2
        else mx.arange(3.0 * int(m.sum())).reshape(-1, 3)
    ),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("assign", [put, put_in_place])
def test_masked_assignment_under_transforms(assign: Any, mask: str, value: str) -> None:
    """Of a copy and of the argument itself, which the caller keeps as it was."""
    v = VALUES[value](MASKS[mask](Y, None))
    if value == "each" and v.size == 0:
        v = mx.zeros((0,) + v.shape[1:])

    def by(assign: Any) -> Any:
        def f(y: Any, v: Any) -> Any:
            z = assign(y, MASKS[mask](y, v), v)
            return (mx.sin(z) * mx.arange(6.0).reshape(2, 3)).sum() + (z[0] * z[1]).sum()

        return f

    got, want = by(assign), by(put_by_where)
    before = Y.tolist()
    batch = (mx.stack([Y, Y + 1e-3, Y * 0.99]), mx.stack([v, v + 1, v * 2]))
    vs = [mx.ones_like(Y), mx.ones_like(v)]
    if v.size == 0 and value == "each":  # the reference takes from no values
        want = lambda y, v: by(lambda y, m, v: y)(y, v)
    programs: dict[str, Callable[[Any], Any]] = {
        "value": lambda f: f(Y * 1, v),
        "compile": lambda f: mx.compile(f)(Y, v),
        "grad": lambda f: mx.grad(f, argnums=(0, 1))(Y, v),
        "compile of grad": lambda f: mx.compile(mx.grad(f, argnums=(0, 1)))(Y, v),
        "grad of compile": lambda f: mx.grad(mx.compile(f), argnums=(0, 1))(Y, v),
        "jvp": lambda f: mx.jvp(f, [Y, v], vs)[1],
        "vmap": lambda f: mx.vmap(f)(*batch),
        "vmap of y": lambda f: mx.vmap(f, in_axes=(0, None))(batch[0], v),
        "vmap of v": lambda f: mx.vmap(f, in_axes=(None, 0))(Y, batch[1]),
        "vmap of grad": lambda f: mx.vmap(mx.grad(f, argnums=(0, 1)))(*batch),
        "grad of vmap": lambda f: mx.grad(lambda y, v: mx.vmap(f)(y, v).sum(), argnums=(0, 1))(*batch),
        "compile of vmap": lambda f: mx.compile(mx.vmap(f))(*batch),
        "second": lambda f: mx.grad(lambda y, v: mx.grad(f)(y, v).sum(), argnums=(0, 1))(Y, v),
        "checkpoint": lambda f: mx.grad(mx.checkpoint(f), argnums=(0, 1))(Y, v),
    }
    for name, program in programs.items():
        a, b = program(got), program(want)
        for p, q in zip(
            a if isinstance(a, (tuple, list)) else [a], b if isinstance(b, (tuple, list)) else [b], strict=True
        ):
            assert_close(p, np.array(q), rtol=1e-5, atol=1e-6, what=name)
        assert Y.tolist() == before, name


def test_a_mask_that_is_captured() -> None:
    m = mx.array([True, False, True])
    w = mx.array([1.0, 2.0, 3.0])
    for f in (mx.grad, lambda f: mx.compile(mx.grad(f)), lambda f: mx.grad(mx.compile(f))):
        assert f(lambda w: (put(w, m, mx.array([5.0, 7.0])) * mx.array([1.0, 2.0, 3.0])).sum())(w).tolist() == [0, 2, 0]
        assert f(lambda v: (put(w, m, v) * mx.array([1.0, 2.0, 3.0])).sum())(mx.array([5.0, 7.0])).tolist() == [1, 3]
    assert mx.vmap(lambda w: put(w, m, w[:2]))(mx.stack([w, w * 2])).tolist() == [[1, 2, 2], [2, 4, 4]]


def test_reads_in_grad() -> None:
    g = mx.grad(lambda x: (x[x > 1] ** 2).sum() + x[True].sum() + x[mx.array(False)].sum())
    assert g(mx.array([1.0, 2.0, 3.0])).tolist() == [1, 5, 7]


def test_reads_without_a_value_say_so() -> None:
    for f in (mx.compile, lambda f: mx.vmap(f)):
        with pytest.raises(ValueError, match="has no value"):
            f(lambda x: x[x > 0])(mx.ones((2, 3)))


# ---- memory ----


def test_positions_count_against_the_memory_limit() -> None:
    n = 1 << 20
    x, mask = mx.zeros(n), mx.ones(n, mx.bool_)
    mx.eval(x, mask)
    mx.clear_cache()
    old = mx.set_memory_limit(mx.get_active_memory() + n)  # positions are 4n
    try:
        with pytest.raises(MemoryError):
            mx.eval(x[mask])
        with pytest.raises(MemoryError):
            mx.eval(x.at[mask].add(mx.broadcast_to(mx.array(1.0), (n,))))
    finally:
        mx.set_memory_limit(old)
    assert x[mask].shape == (n,)


def test_masked_assignment_to_a_parameter() -> None:
    """In the forward pass of a module: gradients are those of the array that the module had before."""
    import mlx_go.nn as nn

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.v = mx.array([1.0, 2.0, 3.0]), mx.array([5.0, 7.0])

        def __call__(self, x: Any) -> Any:
            self.w[mx.array([True, False, True])] = self.v
            self.w[self.w > 6] = 0.0
            return (self.w * x).sum()

    x = mx.array([1.0, 2.0, 3.0])
    for transform in (
        lambda m: nn.value_and_grad(m, m),
        lambda m: mx.compile(nn.value_and_grad(m, m), inputs=m.state),
        lambda m: nn.value_and_grad(m, nn.utils.checkpoint(m)),
    ):
        model = Layer()
        value, grads = transform(model)(x)
        assert value.item() == 9
        assert grads["w"].tolist() == [0, 2, 0] and grads["v"].tolist() == [1, 0]
