"""Arrays from Python values, NumPy and nothing: values, dtypes and errors as the oracle's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import DTYPES, agree, array, assert_close, dt, mx, name_of, needs_oracle, np_dtype, sample

pytestmark = pytest.mark.smoke

VALUES: list[Any] = [
    True,
    3,
    -3,
    2.5,
    1 + 2j,
    2**31,
    -(2**31),
    2**31 - 1,
    2**62,
    -(2**63),
    float("nan"),
    float("inf"),
    0.1,
    -0.0,
    [],
    [[]],
    [[], []],
    [1],
    [1, 2.5],
    [True, 2],
    [True, False],
    [1, 2j],
    [1.5, 2j],
    [[1, 2], [3, 4]],
    [[1, 2], [3]],
    [[1], 2],
    [[[1.5]]],
    (1, 2),
    [(1, 2), [3, 4]],
    [1, 2**40],
    "x",
    ["x"],
    None,
    [None],
    {},
    {1},
    object,
    b"ab",
    [1, [2]],
]


@needs_oracle
@pytest.mark.parametrize("i", range(len(VALUES)))
def test_from_python_values(i: int) -> None:
    agree(lambda m: m.array(VALUES[i]), what=repr(VALUES[i]))


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
def test_from_python_values_with_a_dtype(name: str) -> None:
    for value in (True, 1, [1, 0], [1.5, 2.5], 2.75, [[True, False]], [1 + 2j], -0.0, []):
        if isinstance(value, list) and any(isinstance(v, complex) for v in value) and name != "complex64":
            continue
        agree(lambda m: m.array(value, dtype=dt(m, name)), what=f"{value} as {name}")


@pytest.mark.parametrize("name", DTYPES)
def test_from_numpy(name: str) -> None:
    x = sample(name, (3, 4), 1)
    for v in (x, x.T, x[::2, ::-1], x[:0], x[0, 0], np.asfortranarray(x), x[None]):
        a = mx.array(np.asarray(v), dtype=dt(mx, name))
        assert a.dtype == dt(mx, name) and tuple(a.shape) == v.shape
        assert_close(a, v)
    if name not in ("bfloat16", "float64"):
        assert mx.array(x).dtype == dt(mx, name)
    y = x.copy()
    a = mx.array(y, dtype=dt(mx, name))
    y[...] = 0  # the array has its own copy
    assert_close(a, x)


@needs_oracle
@pytest.mark.parametrize("kind", ["float64", "complex128", ">f4", "<i2", ">i4", "S3", "U2", "O", "M8[s]", "longdouble"])
def test_other_numpy_dtypes(kind: str) -> None:
    x = np.zeros(3, np.longdouble if kind == "longdouble" else kind)
    got = want = None
    try:
        import mlx.core as mlx

        want = name_of(mlx.array(x))
    except Exception as e:
        want = e
    try:
        got = name_of(mx.array(x))
    except Exception as e:
        got = e
    if isinstance(want, str):
        assert got == want
    else:
        assert isinstance(got, str) or isinstance(got, (TypeError, ValueError)), got


def test_swapped_bytes_are_not_taken_for_native_ones() -> None:
    x = np.array([1.0, 2.0, 3.0], ">f4")
    try:
        a = mx.array(x)
    except (TypeError, ValueError):
        return
    assert a.tolist() == [1, 2, 3]


@needs_oracle
@pytest.mark.parametrize("name", [None, *DTYPES])
def test_filled(name: str | None) -> None:
    d = (lambda m: {}) if name is None else (lambda m: {"dtype": dt(m, name)})
    for shape in ((), (3,), (2, 0), (2, 3), 4, [2, 2]):
        agree(lambda m: m.zeros(shape, **d(m)))
        agree(lambda m: m.ones(shape, **d(m)))
    agree(lambda m: m.zeros_like(m.ones((2, 3)), **d(m)))
    agree(lambda m: m.ones_like(m.ones((2, 3), dtype=m.int8), **d(m)))
    agree(lambda m: m.eye(3, **d(m)))
    agree(lambda m: m.eye(3, 5, 1, **d(m)))
    agree(lambda m: m.eye(4, 3, -2, **d(m)))
    agree(lambda m: m.identity(2, **d(m)))
    agree(lambda m: m.tri(3, 4, 1, **d(m)))
    agree(lambda m: m.tri(4, **d(m)))


@needs_oracle
def test_full() -> None:
    agree(lambda m: m.full((2, 3), 7))
    agree(lambda m: m.full((2, 3), m.array([1, 2, 3])))
    agree(lambda m: m.full((2, 3), m.array([[1.5], [2.5]])))
    agree(lambda m: m.full((2, 3), m.array([1, 2])))
    agree(lambda m: m.full(4, True))
    agree(lambda m: m.full_like(m.zeros((2, 2), dtype=m.int8), 5))
    agree(lambda m: m.full_like(m.zeros((2, 2)), 5, m.int32))
    agree(lambda m: m.zeros((-1,)))
    agree(lambda m: m.zeros((2, -3)))
    agree(lambda m: m.zeros("ab"))
    agree(lambda m: m.zeros((1.5,)))


RANGES: list[tuple[Any, ...]] = [
    (5,),
    (0,),
    (-3,),
    (2, 7),
    (2, 7, 2),
    (7, 2, -2),
    (7, 2),
    (2, 7, -1),
    (0.5,),
    (3.7,),
    (1.0, 2.0, 0.25),
    (0, 1, 0.1),
    (1, 0, -0.3),
    (5.0, 1),
    (2, 2),
    (0, 10, 3),
    (-5, 5, 4),
    (0, 2**33, 2**31),
    (0, float("nan")),
    (0, float("inf")),
    (0, 5, 0),
    (0, 5, float("nan")),
    (0, 1, -0.1),
    (10, 0, -3),
    (True,),
]


@needs_oracle
@pytest.mark.parametrize("args", RANGES, ids=str)
def test_arange(args: tuple[Any, ...]) -> None:
    agree(lambda m: m.arange(*args), ulps=16, what=f"arange{args}")


@needs_oracle
@pytest.mark.parametrize("name", [d for d in DTYPES if d not in ("bool", "complex64")])
def test_arange_dtypes(name: str) -> None:
    for args in ((5,), (1, 6, 2), (0, 100, 7), (0.5, 4.5), (9, 1, -2)):
        agree(lambda m: m.arange(*args, dtype=dt(m, name)), ulps=2, what=f"arange{args} {name}")


@needs_oracle
@pytest.mark.parametrize(
    "args",
    [
        (0, 1),
        (0, 1, 5),
        (1, 0, 4),
        (2, 2, 3),
        (0, 10, 1),
        (0, 10, 0),
        (-1.5, 3.25, 7),
        (0, 1, 2),
        (0, 1, -1),
        (0, 5, 50),
    ],
)
def test_linspace(args: tuple[Any, ...]) -> None:
    agree(lambda m: m.linspace(*args), ulps=2, atol=1e-7, what=f"linspace{args}")
    agree(lambda m: m.linspace(*args, endpoint=False), ulps=2, atol=1e-7, what=f"linspace{args} open")
    for name in ("int32", "float16", "float64"):
        agree(lambda m: m.linspace(*args, dtype=dt(m, name)), ulps=2, atol=1e-7, what=f"linspace{args} {name}")


@needs_oracle
@pytest.mark.parametrize("window", ["bartlett", "hanning", "hamming", "blackman"])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 16, -1])
def test_windows(window: str, n: int) -> None:
    agree(lambda m: getattr(m, window)(n), ulps=4, atol=1e-6)


def test_asarray_shares_or_copies() -> None:
    a = mx.array([1.0, 2.0])
    assert mx.asarray(a).tolist() == [1, 2]
    assert mx.asarray([1, 2], dtype=mx.float32).dtype == mx.float32
    assert mx.asarray(np.arange(3, dtype=np.float32)).tolist() == [0, 1, 2]
    assert mx.array(a).tolist() == [1, 2] and mx.array(a, dtype=mx.int32).dtype == mx.int32
    assert mx.array([a, a]).tolist() == [[1, 2], [1, 2]]
    assert mx.array([mx.array(1), 2.5]).tolist() == [1, 2.5]


def test_scalars_come_back_as_python_values() -> None:
    assert mx.array(True).item() is True and type(mx.array(3).item()) is int and type(mx.array(2.5).item()) is float
    assert mx.array(1 + 2j).item() == 1 + 2j
    assert (
        int(mx.array(3.7)) == 3
        and float(mx.array(3)) == 3.0
        and bool(mx.array(0)) is False
        and complex(mx.array(2)) == 2
    )
    assert [1, 2, 3][mx.array(1)] == 2
    assert mx.array(2**63 + 5, dtype=mx.uint64).item() == 2**63 + 5 if np_dtype("uint64") else True
    with pytest.raises((ValueError, TypeError)):
        mx.array([1, 2]).item()
    with pytest.raises((ValueError, TypeError)):
        bool(mx.array([1, 2]))
    with pytest.raises(TypeError):
        [1, 2, 3][mx.array(1.0)]


@pytest.mark.parametrize("name", DTYPES)
def test_tolist_and_item_round_trip(name: str) -> None:
    x = sample(name, (2, 3), 2)
    a = array(mx, x, name)
    assert a.tolist() == x.tolist()
    assert a[1, 2].item() == x[1, 2].item()
    assert mx.array(a.tolist(), dtype=a.dtype).tolist() == x.tolist()


def test_attributes() -> None:
    a = mx.zeros((2, 3, 4), dtype=mx.float16)
    assert (a.shape, a.ndim, a.size, a.itemsize, a.nbytes) == ((2, 3, 4), 3, 24, 2, 48)
    assert type(a.shape) is tuple and hash(a) == hash(a) and a is not mx.array(a)
