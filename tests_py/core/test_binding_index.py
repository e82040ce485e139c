"""Indices as Python writes them; what they select is compared with NumPy."""

import numpy as np
import pytest
from oracle import mx


class Index:
    def __init__(self, i):
        self.i = i

    def __index__(self):
        return self.i


N = np.arange(60, dtype=np.int32).reshape(3, 4, 5)
KEYS = [
    0, -1, Index(1), np.int64(2), slice(None), slice(1, None), slice(None, None, -1), slice(10, 0, -2), slice(-2, None), None,
    Ellipsis, (), (0, 1), (0, ..., 1), (..., -1), (None, 0, ..., None), (slice(None), 1), (slice(None), None, slice(1, 3)),
    [0, 2], [[0, 1], [2, 0]], ([0, 1], [1, 2]), (slice(None), [0, 1]), ([0, 1], slice(None), [1, 2]), (0, [1, 2]), np.array([0, 2]),
    np.array([[True, False, True, True]] * 3), np.array([True, False, True]), (slice(None), np.array([True, False, True, True])),
    [], (Index(2), Index(-1), Index(0)), slice(Index(0), Index(2)), (..., [0, 4], None), ([[0], [1]], [0, 1, 2]), slice(2**70), slice(5, 5),
    [True, False, True],
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_read(key):
    a = mx.array(N)
    expected = N[key] if not (isinstance(key, list) and not key) else N[np.array([], int)]
    got = a[key]
    assert got.shape == expected.shape
    assert got.tolist() == expected.tolist()


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_write(key):
    a, n = mx.array(N), N.copy()
    a[key] = -1
    n[key if not (isinstance(key, list) and not key) else np.array([], int)] = -1
    assert a.tolist() == n.tolist()
    assert mx.array(N).tolist() == N.tolist()


def test_array_indices():
    a = mx.array(N)
    i = mx.array([2, 0])
    assert a[i].tolist() == N[[2, 0]].tolist()
    assert a[mx.array(1)].tolist() == N[1].tolist()
    assert a[:, i, mx.array([0, 1])].tolist() == N[:, [2, 0], [0, 1]].tolist()
    assert a[a > 30].tolist() == N[N > 30].tolist()
    b = mx.array([1.0, 2.0, 3.0])
    assert b.at[mx.array([0, 0])].add(1).tolist() == [3, 2, 3]
    assert b.at[0].subtract(1).at[1].multiply(4).at[2].divide(2).tolist() == [0, 8, 1.5]
    assert b.at[:].maximum(2).tolist() == [2, 2, 3] and b.at[:].minimum(2).tolist() == [1, 2, 2]
    assert b.tolist() == [1, 2, 3]


def test_values_of_assignments():
    a = mx.array([1.0, 2.0, 3.0])
    for value in ([7, 8, 9], (7, 8, 9), np.array([7, 8, 9]), mx.array([7, 8, 9]), range(7, 10)):
        a[:] = 0
        a[:] = value
        assert a.tolist() == [7, 8, 9]
    b = a
    a[0] = 1
    assert b.tolist() == [1, 8, 9]  # the same object, as with lists
    d = mx.array([0.0, 0.0], mx.float64)
    d[0] = 1.1
    assert d.tolist() == [1.1, 0]
    i = mx.array([[1, 2], [3, 4]])
    i[0] = 1.7
    assert i.tolist() == [[1, 1], [3, 4]]


@pytest.mark.parametrize(
    "key, error",
    [(1.5, ValueError), ("x", ValueError), ({}, ValueError), ((0, "x"), ValueError), (slice(0, 1.5), ValueError),
     (slice(None, None, 0), ValueError), (3, IndexError), (-4, IndexError), (2**70, IndexError), ((..., ...), (ValueError, IndexError)),
     ((0,) * 9, (ValueError, IndexError)), (mx.array([0.5]), (ValueError, TypeError, IndexError))],
    ids=repr,
)
def test_bad_indices(key, error):
    a = mx.array(N)
    with pytest.raises(error):
        a[key]
    with pytest.raises(error):
        a[key] = 0
    with pytest.raises(error):
        a.at[key].add(1)


def test_array_indices_out_of_bounds_raise_at_eval():
    a = mx.array([1.0, 2.0])
    with pytest.raises(IndexError):
        mx.eval(a[mx.array([0, 5])])
    with pytest.raises(IndexError):
        mx.eval(mx.take(a, mx.array([-3])))
    assert a.tolist() == [1, 2]


def test_no_deletion_and_no_attributes():
    a = mx.array([1.0, 2.0])
    with pytest.raises(TypeError):
        del a[0]
    with pytest.raises(AttributeError):
        a.shape = (2, 1)
    with pytest.raises(AttributeError):
        a.nothing = 1
    with pytest.raises(ValueError):
        a.at.add(1)
