"""Reading, writing and `.at` with every kind of index; NumPy is the reference, the oracle where NumPy has no such thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DTYPES, agree, array, assert_close, dt, mlx, mx, needs_oracle, outcome, sample, to_numpy
from strategies import axis_slices, broadcastable, shapes, views


@st.composite
def basic(draw: Any, shape: tuple[int, ...]) -> Any:
    """An index of integers, slices, None and Ellipsis."""
    n = draw(st.integers(0, len(shape)))
    dots = draw(st.none() | st.integers(0, n))
    items: list[Any] = []
    for i in range(n):
        axis = i if dots is None or i < dots else len(shape) - n + i
        k = shape[axis]
        whole = axis_slices(k)
        items.append(draw(st.integers(-k, k - 1) | whole) if k else draw(whole))
    if dots is not None:
        items.insert(dots, Ellipsis)
    for _ in range(draw(st.integers(0, 2))):
        items.insert(draw(st.integers(0, len(items))), None)
    return items[0] if len(items) == 1 and draw(st.booleans()) else tuple(items)


@st.composite
def mixed(draw: Any, shape: tuple[int, ...], slices: bool = True) -> Any:
    """An index with at least one integer array, broadcast with the others, among integers, slices and None."""
    n = draw(st.integers(1, len(shape)))
    common = draw(shapes(0, 2))
    items: list[Any] = []
    for i in range(n):
        k = shape[i]
        kind = (
            "array"
            if i == 0 and n == 1
            else draw(st.sampled_from(["array", "int", "slice"] if slices else ["array", "int"]))
        )
        s = draw(broadcastable(common)) if common else ()
        if kind == "array" and (k or 0 in s):
            top = max(k - 1, 0)
            values = draw(
                st.lists(st.integers(-k if k else 0, top), min_size=int(np.prod(s)), max_size=int(np.prod(s)))
            )
            items.append(np.array(values, draw(st.sampled_from([np.int32, np.int64, np.int8 if k < 128 else np.int16]))).reshape(s))
        elif kind == "int" and k:
            items.append(draw(st.integers(-k, k - 1)))
        else:
            items.append(draw(axis_slices(k)))
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), None)
    if len(items) < len(shape) and draw(st.booleans()):
        items.append(Ellipsis)
    return tuple(items)


def into(lib: Any, index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(into(lib, i) for i in index)
    return lib.array(index) if isinstance(index, np.ndarray) else index


@settings(max_examples=1500)
@given(views(shape=shapes(0, 4)), st.data())
def test_basic_reads(view: Any, data: Any) -> None:
    x = view.numpy()
    index = data.draw(basic(x.shape))
    assert_close(view.build(mx)[index], x[index], what=str(index))


@settings(max_examples=1500)
@given(views(shape=shapes(1, 4)), st.data())
def test_array_reads(view: Any, data: Any) -> None:
    x = view.numpy()
    if x.ndim == 0:
        return
    index = data.draw(mixed(x.shape))
    assert_close(view.build(mx)[into(mx, index)], x[index], what=str(index))


@settings(max_examples=1000)
@given(views(shape=shapes(0, 3)), st.data())
def test_writes(view: Any, data: Any) -> None:
    """Basic indices: every element is written once, so the result is NumPy's, and a view taken before keeps its values."""
    x = np.array(view.numpy())
    index = data.draw(basic(x.shape))
    target = x[index].shape
    value = sample(view.dtype, data.draw(broadcastable(target)), 5)
    a = view.build(mx)
    before, old = a[...], x.copy()
    if data.draw(st.booleans()):
        mx.eval(a)
    a[index] = array(mx, value, view.dtype)
    x[index] = value
    assert_close(a, x, what=str(index))
    assert_close(before, old)


@settings(max_examples=1000)
@given(views(shape=shapes(1, 3)), st.data())
def test_array_writes(view: Any, data: Any) -> None:
    x = np.array(view.numpy())
    if x.ndim == 0:
        return
    index = data.draw(mixed(x.shape))
    places = np.arange(x.size).reshape(x.shape)[index]
    value = sample(view.dtype, places.shape, 6)
    if len(np.unique(places)) < places.size:
        value = np.broadcast_to(
            value.ravel()[:1].reshape(()) if value.size else value, places.shape
        )  # equal: any order will do
    a = view.build(mx)
    a[into(mx, index)] = array(mx, value, view.dtype)
    x[index] = value
    assert_close(a, x, what=str(index))


UFUNCS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


@settings(max_examples=1500)
@given(views(st.sampled_from(["float32", "float64", "int32", "uint8", "int64"]), shapes(1, 3)), st.data())
def test_at(view: Any, data: Any) -> None:
    """Repeated positions add up, unlike with `a[i] += v`."""
    op = data.draw(st.sampled_from(sorted(UFUNCS)))
    x = np.array(view.numpy())
    if x.ndim == 0 or (op == "divide" and x.dtype.kind != "f"):
        return
    index = data.draw(mixed(x.shape) | basic(x.shape))
    shape = x[index].shape
    value = np.broadcast_to(sample(view.dtype, data.draw(broadcastable(shape)), 7, 1, 3), shape)
    got = getattr(view.build(mx).at[into(mx, index)], op)(array(mx, value, view.dtype))
    UFUNCS[op].at(x, index, value)
    assert_close(got, x, rtol=1e-5, atol=1e-5, what=f"{op} {index}")


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_reads_and_writes(name: str) -> None:
    x = sample(name, (4, 5), 1)
    rows, columns = np.array([3, 0, -1]), np.array([[1], [4]])
    a = array(mx, x, name)
    assert_close(a[mx.array(rows)], x[rows])
    assert_close(a[mx.array(rows), mx.array(columns)], x[rows, columns])
    assert_close(a[:, mx.array(columns)], x[:, columns])
    a[mx.array(rows[:2])] = array(mx, x[1:3], name)
    x[rows[:2]] = x[1:3].copy()
    assert_close(a, x)
    a[1, ::2] = array(mx, x[0, 0], name)
    x[1, ::2] = x[0, 0]
    assert_close(a, x)


@pytest.mark.parametrize("index", ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"])
def test_every_index_dtype(index: str) -> None:
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    i = np.array([3, 0, 1, 3], index)
    assert_close(mx.array(x)[mx.array(i)], x[i])
    assert_close(mx.take(mx.array(x), mx.array(i), 0), x[i])
    a = mx.array(x)
    a[mx.array(i)] = 7.0
    x[i] = 7
    assert_close(a, x)


@pytest.mark.parametrize(
    "call",
    [
        lambda a, i: a[i],
        lambda a, i: a[0, i],
        lambda a, i: a[i, i],
        lambda a, i: mx.take(a, i, 0),
        lambda a, i: mx.take(a, i),
        lambda a, i: mx.take_along_axis(a, i[:, None], 0),
        lambda a, i: a.at[i].add(1.0),
        lambda a, i: mx.put_along_axis(a, i[:, None], mx.array(1.0), 0),
    ],
)
@pytest.mark.parametrize("bad", [1000, -1000, 2**31 - 1, -(2**31)])
def test_out_of_bounds_raises_at_eval(call: Any, bad: int) -> None:
    a = mx.ones((4, 4))
    with pytest.raises(IndexError):
        mx.eval(call(a, mx.array([0, bad])))
    mx.eval(call(a, mx.array([0, 3])))  # and the next one is fine


def test_out_of_bounds_of_large_unsigned_indices() -> None:
    with pytest.raises(IndexError):
        mx.eval(mx.ones(4)[mx.array([2**64 - 1], dtype=mx.uint64)])
    with pytest.raises(IndexError):
        mx.eval(mx.ones(4)[mx.array([2**32 - 1], dtype=mx.uint32)])


@pytest.mark.parametrize("index", [4, -5, (0, 9), (Ellipsis, 3), (slice(None), 3)])
def test_integers_out_of_bounds_raise_at_once(index: Any) -> None:
    a = mx.zeros((4, 3))
    with pytest.raises(IndexError):
        a[index]
    with pytest.raises(IndexError):
        a[index] = 1


def test_a_slice_step_of_zero_is_an_error() -> None:
    with pytest.raises(ValueError):
        mx.zeros(3)[::0]


def test_iteration_ends() -> None:
    assert [x.item() for x in mx.arange(4)] == [0, 1, 2, 3]
    assert len(mx.zeros((3, 2))) == 3
    assert [list(x.shape) for x in mx.zeros((2, 0))] == [[0], [0]]
    with pytest.raises(TypeError):
        len(mx.array(1))
    with pytest.raises((TypeError, ValueError)):
        list(mx.array(1))


READS: list[Any] = [
    lambda m, a: a[0],
    lambda m, a: a[-1, -1],
    lambda m, a: a[None],
    lambda m, a: a[...],
    lambda m, a: a[()],
    lambda m, a: a[..., None, 0],
    lambda m, a: a[1:, ::2],
    lambda m, a: a[::-1, ::-2],
    lambda m, a: a[5:1],
    lambda m, a: a[m.array(1)],
    lambda m, a: a[m.array([0, 2])],
    lambda m, a: a[m.array([[0, 1], [2, 0]])],
    lambda m, a: a[:, m.array([0, 1])],
    lambda m, a: a[m.array([0, 1]), m.array([1, 2])],
    lambda m, a: a[m.array([0, 1]), :, m.array([1, 2])],
    lambda m, a: a[m.array([0]), None, m.array([1])],
    lambda m, a: a[None, m.array([0, 1])],
    lambda m, a: a[m.array([0, 1]), None],
    lambda m, a: a[0, :, m.array([1, 0])],
    lambda m, a: a[m.array([1, 0]), ..., 0],
    lambda m, a: a[m.array([0, 1]), 1:3, m.array([[1], [2]])],
    lambda m, a: a[1, m.array([0, 1]), 0],
    lambda m, a: a[..., m.array([0, 3])],
    lambda m, a: a[np.int64(1)],
    lambda m, a: a[m.array([], dtype=m.int32)],
    lambda m, a: a[0, 0, 0, 0],
    lambda m, a: a["x"],
    lambda m, a: a[1.5],
    lambda m, a: a[m.array([0.0])],
    lambda m, a: a[..., ...],
    lambda m, a: a[m.array([0, 1]), m.array([0, 1, 2])],
    lambda m, a: a[{}],
    lambda m, a: a[0:2, None, 1, ..., None],
    lambda m, a: a[m.array(0), m.array(1)],
    lambda m, a: a[m.array([1, 0]), :, None, 0],
    lambda m, a: a[:, m.array([0, 1]), m.array([0, 1])],
    lambda m, a: a[:, 0, m.array([0, 1])],
    lambda m, a: a[0, :, None, m.array([0, 1])],
]


@needs_oracle
@pytest.mark.parametrize("i", range(len(READS)))
def test_reads_like_the_oracle(i: int) -> None:
    agree(lambda m: READS[i](m, m.array(np.arange(36, dtype=np.int32).reshape(3, 3, 4))), what=f"read {i}")


def test_numpy_arrays_and_scalars_index() -> None:
    """MLX refuses NumPy arrays, and arrays as the ends of slices."""
    x = np.arange(36, dtype=np.int32).reshape(3, 3, 4)
    a = mx.array(x)
    assert_close(a[np.array([0, 1])], x[[0, 1]])
    assert_close(a[np.array([0, 1]), np.array([2, 2])], x[[0, 1], [2, 2]])
    assert_close(a[mx.array(1) : mx.array(2)], x[1:2])
    a[np.array([0, 2])] = np.zeros((3, 4))
    a[0, 1] = [1, 2, 3, 4]
    x[[0, 2]] = 0
    x[0, 1] = [1, 2, 3, 4]
    assert_close(a, x)


def put(index: Any, value: Any) -> Any:
    def call(m: Any, a: Any) -> Any:
        a[index(m) if callable(index) else index] = value(m) if callable(value) else value
        return a

    return call


WRITES = [
    put(0, 1),
    put((0, 0), 1.5),
    put(slice(None), 7),
    put(slice(1, None), lambda m: m.ones((3, 4))),
    put(slice(None, None, -2), 3),
    put(None, 9),
    put(Ellipsis, 5),
    put((), 5),
    put((slice(None), 0), lambda m: m.array([1, 2, 3])),
    put((0, 0, 0), 2**40),
    put((0,), lambda m: m.ones((2, 2))),
    put(lambda m: m.array([0, 2]), 1),
    put(lambda m: m.array([0, 2]), lambda m: m.zeros((2, 3, 4))),
    put(lambda m: m.array([0, 0]), 3),
    put(lambda m: (m.array([0, 1]), m.array([1, 2])), lambda m: m.arange(4)),
    put(lambda m: (slice(None), m.array([0, 1])), 4),
    put(lambda m: (m.array([0, 1]), slice(None), m.array([1, 2])), lambda m: m.ones((2, 3))),
    put(lambda m: (0, m.array([0, 1]), slice(1, 3)), 6),
    put(lambda m: m.array([0.5]), 1),
    put("x", 1),
    put(0, "x"),
    put(0, None),
    put((0, 0, 0, 0), 1),
    put(0, np.ones((3, 4))),
    put(0, lambda m: m.array(True)),
    put(0, lambda m: m.array(1j)),
    put(0, 1j),
    put((None, 0), lambda m: m.ones((1, 3, 4))),
    put(slice(5, 9), 1),
    put(lambda m: m.array(1), lambda m: m.zeros(4)),
    put(lambda m: (Ellipsis, m.array([0, 3])), lambda m: m.zeros(2)),
    put(0, lambda m: m.ones((1, 1, 3, 4))),
]


@needs_oracle
@pytest.mark.parametrize("i", range(len(WRITES)))
def test_writes_like_the_oracle(i: int) -> None:
    agree(lambda m: WRITES[i](m, m.array(np.arange(36, dtype=np.int32).reshape(3, 3, 4))), what=f"write {i}")


@pytest.mark.parametrize("shape", [(3,), (3, 4)])
def test_boolean_masks_write(shape: tuple[int, ...]) -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    mask = sample("bool", shape, 3)
    a = mx.array(x)
    a[mx.array(mask)] = 0.0
    x[mask] = 0
    assert_close(a, x)


@needs_oracle
def test_boolean_masks_with_values() -> None:
    x, mask = np.arange(12, dtype=np.float32).reshape(3, 4), np.arange(12).reshape(3, 4) % 3 == 0
    for value in (
        lambda m: m.array([9.0, 8.0, 7.0, 6.0]),
        lambda m: m.array(2.0),
        lambda m: m.ones((3, 4)),
        lambda m: m.ones((4,)),
    ):
        agree(lambda m: put(m.array(mask), value(m))(m, m.array(x)), what="mask")


def test_augmented_assignment_writes_through() -> None:
    a = mx.zeros((2, 3))
    a[0] += 1
    a[:, 1] *= 5
    a[mx.array([0, 0]), mx.array([0, 0])] += 1
    assert a.tolist() == [[2, 5, 1], [0, 0, 0]]


@needs_oracle
@pytest.mark.parametrize("op", [*UFUNCS])
def test_at_like_the_oracle(op: str) -> None:
    x = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    for index in (
        0,
        (slice(None), 1),
        np.array([0, 0, 2]),
        (np.array([0, 0]), np.array([1, 1])),
        slice(None, None, 2),
        Ellipsis,
        (None, 0),
    ):
        for value in (2, 0.5, np.arange(1, 5, dtype=np.float32)):

            def call(m: Any) -> Any:
                v = m.array(value) if isinstance(value, np.ndarray) else value
                return getattr(m.array(x).at[into(m, index)], op)(v)

            agree(call, ulps=4, what=f"{op} {index} {value}")


def test_writing_casts_to_the_array() -> None:
    a = mx.zeros(3, dtype=mx.int32)
    a[0] = 2.75
    a[1] = mx.array(3.9)
    assert a.dtype == mx.int32 and a.tolist() == [2, 3, 0]


def test_large_gather_and_scatter() -> None:
    rng = np.random.default_rng(0)
    x, i = rng.standard_normal((1000, 64)).astype(np.float32), rng.integers(-1000, 1000, 20_000)
    assert_close(mx.array(x)[mx.array(i)], x[i])
    flat = x[:, 0].copy()
    got = mx.array(flat).at[mx.array(i)].add(mx.ones(20_000))
    np.add.at(flat, i, np.ones(20_000, np.float32))
    assert_close(got, flat, rtol=1e-5, atol=1e-4)


def test_dtype_of_reads() -> None:
    for name in DTYPES:
        assert mx.zeros((2, 2), dtype=dt(mx, name))[mx.array([0])].dtype == dt(mx, name)
    if mlx is not None:
        assert not isinstance(outcome(lambda: to_numpy(mx.ones(3)[1]), mx), Exception)


@pytest.mark.parametrize(
    ("name", "value"),
    [("uint8", -1), ("uint8", 256), ("int8", 128), ("int32", 2**31), ("uint64", -1), ("uint64", 2**64), ("int64", 2**63)],
)
def test_integers_that_do_not_fit_are_not_cut(name: str, value: int) -> None:
    a = mx.zeros(2, dtype=dt(mx, name))
    for write in (lambda: a.__setitem__(0, value), lambda: a.at[0].add(value)):
        with pytest.raises((ValueError, OverflowError)):
            write()
    a[0] = 127 if name != "uint64" else 2**64 - 1
    assert a.tolist() == [127 if name != "uint64" else 2**64 - 1, 0]


@pytest.mark.parametrize(
    "call",
    [
        lambda a, i: a[i],
        lambda a, i: mx.take(a, i, axis=0),
        lambda a, i: mx.take(a, i),
        lambda a, i: mx.take(a, 0, axis=0),
        lambda a, i: mx.take_along_axis(a, i[:, None], axis=0),
        lambda a, i: mx.put_along_axis(a, i[:, None], mx.array(1.0), axis=0),
        lambda a, i: a.at[i].add(1),
    ],
)
def test_indices_along_an_empty_axis_are_refused_at_the_call(call: Any) -> None:
    a = mx.zeros((0, 3))
    with pytest.raises(IndexError, match=r"axis 0.*(is empty|with size 0)"):
        call(a, mx.array([0]))
    with pytest.raises(IndexError):
        mx.compile(call)(a, mx.array([0]))
    none = mx.zeros(0, mx.int32)
    assert mx.take(a, none, axis=0).shape == mx.take_along_axis(a, none[:, None], axis=0).shape == (0, 3)
    assert mx.put_along_axis(a, none[:, None], mx.array(1.0), axis=0).shape == a.at[none].add(1).shape == (0, 3)


def test_values_that_do_not_fit_the_indices_say_so() -> None:
    with pytest.raises(ValueError, match=r"\[put_along_axis\] values of shape \(1,2\) do not broadcast"):
        mx.put_along_axis(mx.zeros((2, 3)), mx.array([[0]]), mx.ones((1, 2)), axis=0)
