"""mx.array over everything it takes: scalars, lists, buffers, and what is wrong with the rest."""

import array as pyarray
import bisect
import copy
import operator
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from oracle import DTYPES, dt, mlx, mx, name_of, needs_oracle

VALUES = [
    1, True, 1.5, 1j, [], [[]], [[], []], [True, False], [True, 1], [True, 1.5], [1, 1.5], [1, 1j], [1.5, 1j], [True, 1j],
    2**31, -(2**31), 2**31 - 1, [2**31, 1], [1.5, 2**40], (1, 2), [(1, 2), (3, 4)], [[[1], [2]]], [2**60 + 1, 1], -(2**63),
]


@needs_oracle
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_dtype_and_values_of_scalars_and_lists(value):
    ours, theirs = mx.array(value), mlx.array(value)
    assert name_of(ours) == name_of(theirs)
    assert ours.shape == theirs.shape
    assert ours.tolist() == theirs.tolist()
    assert repr(ours) == repr(theirs)


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("value", [0, 1, 300, -1, 2.75, True, 1 + 2j, [1, 2], [0.5, -3.25], [True, False]], ids=repr)
def test_explicit_dtype(value, name):
    if name.startswith("uint") and value in (-1, [0.5, -3.25]):
        expected = np.array(value).astype(np.int64).astype(name).tolist()  # C leaves negative floats to unsigned open
    else:
        expected = mlx.array(value, dt(mlx, name)).tolist()
    assert mx.array(value, dt(mx, name)).tolist() == expected
    assert mx.array(mx.array(value, dt(mx, name))).dtype == dt(mx, name)


@pytest.mark.parametrize(
    "value, error, text",
    [
        ([[1], [2, 3]], ValueError, r"\[array\] lists of different lengths .* axis 1 .* 1 and of 2 elements"),
        ([[1], 2], ValueError, r"\[array\] lists of different depths .* axis 0 "),
        ([1, [2]], ValueError, r"\[array\] lists of different depths .* axis 0 "),
        ([[1, 2], [3, [4]]], ValueError, r"\[array\] lists of different depths .* axis 1 "),
        ("abc", ValueError, "str"),
        (["a"], ValueError, "str"),
        ({}, ValueError, "dict"),
        (None, TypeError, "NoneType"),
        ([None], TypeError, "NoneType"),
        (2**64, OverflowError, "18446744073709551616"),
        ([-(2**63) - 1], OverflowError, "fits neither"),
        ([2**63, -1], OverflowError, "fits neither"),
    ],
    ids=repr,
)
def test_what_is_no_array(value, error, text):
    with pytest.raises(error, match=text):
        mx.array(value)


def test_more_than_the_oracle_takes():
    assert mx.array(2**63).dtype == mx.uint64
    assert mx.array([2**64 - 1, 1]).tolist() == [2**64 - 1, 1]
    assert mx.array(range(3)).tolist() == [0, 1, 2]
    assert mx.array([np.float32(1.5), np.int8(2)]).tolist() == [1.5, 2.0]
    assert mx.array([np.ones(2), [1, 2]]).tolist() == [[1, 1], [1, 2]]


@pytest.mark.parametrize("value", [np.datetime64("2020"), np.timedelta64(1, "D"), np.void(b"ab"), np.str_("a"), np.longdouble(1)], ids=repr)
def test_numpy_scalars_without_a_dtype_here(value):
    """Their buffers are bytes, some of unknown shape; MLX crashes on dates."""
    for make in (mx.array, mx.asarray, lambda v: mx.array([v]), lambda v: mx.array([1]) + v):
        with pytest.raises((TypeError, ValueError)):
            make(value)


def test_scalars_of_ml_dtypes():
    value = pytest.importorskip("ml_dtypes").bfloat16(1.5)
    assert mx.array(value).dtype == mx.array([value, value]).dtype == mx.bfloat16
    assert mx.array(value).item() == 1.5 and (mx.array([1.0]) + value).tolist() == [2.5]


def test_arguments_of_the_constructor():
    for call in (lambda: mx.array(), lambda: mx.array(1, 2, 3), lambda: mx.array(1, dtype="float32"), lambda: mx.array(1, dtype=float)):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(TypeError, match="base type"):
        type("Sub", (mx.array,), {})


def test_lists_of_arrays_are_stacked():
    a = mx.array([1.0, 2.0])
    assert mx.array([a, [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert mx.array([mx.array(1), mx.array(2.5)]).dtype == mx.float32
    assert mx.array([a, a], mx.float16).dtype == mx.float16
    with pytest.raises(ValueError, match=r"\[array\] arrays of shapes \(2\) and \(1\)"):
        mx.array([a, mx.array([1.0])])


def test_a_list_that_changes_while_it_is_read():
    items = [1.0, 2.0]

    class Evil(float):
        def __float__(self):
            items.clear()
            return 1.0

    items[0] = Evil(1)
    try:
        assert mx.array(items).shape == (2,)
    except RuntimeError:
        pass


def test_deep_and_recursive_lists():
    deep = 1
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ValueError, match="deeper"):
        mx.array(deep)
    loop = []
    loop.append(loop)
    with pytest.raises((ValueError, RecursionError)):
        mx.array(loop)
    with pytest.raises(RecursionError):
        mx.eval(loop)


@pytest.mark.parametrize(
    "data, dtype",
    [(b"abc", "uint8"), (bytearray(b"abc"), "uint8"), (memoryview(b"abcd").cast("I"), "uint32"),
     (pyarray.array("f", [1, 2]), "float32"), (pyarray.array("d", [1, 2]), "float32"), (pyarray.array("q", [1, 2]), "int64"),
     (pyarray.array("b", [1, 2]), "int8"), (memoryview(b"ab").cast("?"), "bool")],
    ids=str,
)
def test_buffers(data, dtype):
    a = mx.array(data)
    assert name_of(a) == dtype
    assert a.tolist() == list(data)


@pytest.mark.parametrize("name", DTYPES)
def test_pickle_and_copy(name):
    for shape in ((), (0, 3), (2, 3)):
        a = mx.array(np.arange(int(np.prod(shape))).reshape(shape)).astype(dt(mx, name))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            b = pickle.loads(pickle.dumps(a, protocol))
            assert b.dtype == a.dtype and b.shape == a.shape and b.tolist() == a.tolist()
        for b in (copy.copy(a), copy.deepcopy(a)):
            assert b is not a and b.tolist() == a.tolist()
    d = dt(mx, name)
    assert pickle.loads(pickle.dumps(d)) is d and copy.deepcopy(d) is d
    assert hash(d) == hash(pickle.loads(pickle.dumps(d)))


def test_pickle_of_views_and_of_bad_state():
    a = mx.array([[1, 2], [3, 4]]).T[::-1]
    assert pickle.loads(pickle.dumps(a)).tolist() == a.tolist()
    b = mx.array(1)
    bad = [(b"", (2,), mx.int32), (b"1234", (-1,), mx.int32), (1, 2, 3), (b"1234", (1,)), None]
    for state in (*bad, (np.ones(2), 12), (np.ones(2), 99), (np.ones(2), -1), (np.ones(2), None), (None, 1)):
        with pytest.raises((TypeError, ValueError)):
            b.__setstate__(state)
    assert b.item() == 1


def test_no_arguments() -> None:
    with pytest.raises(TypeError, match="val"):
        mx.array()
    assert mx.array.__new__(mx.array).shape == (0,)


@needs_oracle
def test_arrays_that_mlx_pickled(tmp_path) -> None:
    arrays = [mlx.array(v).astype(dt(mlx, name)) for name in DTYPES for v in (1, [], [[1, 0], [2, 3]])]
    for protocol in (2, 5):
        (tmp_path / "arrays").write_bytes(pickle.dumps(arrays, protocol))
        program = """
            import pickle, sys, mlx_go
            mlx_go.install_as_mlx()
            for a in pickle.load(open(sys.argv[1], "rb")):
                print(type(a).__module__, str(a.dtype).split(".")[-1], a.shape, a.tolist())
        """
        command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "arrays")]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert out.splitlines() == [f"mlx_go.core {str(a.dtype).split('.')[-1]} {a.shape} {a.tolist()}" for a in arrays]


@needs_oracle
@pytest.mark.parametrize("value", [3, True, 1.5, 1 + 2j, [3.7]], ids=repr)
def test_conversion_to_scalars(value):
    ours, theirs = mx.array(value), mlx.array(value)
    assert ours.item() == theirs.item() and type(ours.item()) is type(theirs.item())
    assert bool(ours) == bool(theirs)
    assert bytes(ours) == bytes(theirs)
    if not isinstance(value, complex):
        assert int(ours) == int(theirs) and float(ours) == float(theirs)
    assert complex(mx.array(2)) == 2 and complex(mx.array(3j)) == 3j


def test_conversions_that_fail():
    a = mx.array([1.0, 2.0])
    for f in (int, float, bool, complex):
        with pytest.raises(ValueError, match=r"one element.*\(2,\)"):
            f(a)
    with pytest.raises(ValueError):
        a.item()
    with pytest.raises(TypeError):
        len(mx.array(1))
    with pytest.raises(TypeError):
        iter(mx.array(1))
    with pytest.raises(TypeError):
        [1, 2][mx.array(1.0)]
    with pytest.raises(TypeError):
        float(mx.array(1j))
    assert [1, 2, 3][mx.array(1)] == 2
    assert list(range(mx.array(2))) == [0, 1]


def test_format_hash_and_weakref():
    import weakref

    a = mx.array(3.14159)
    assert f"{a:.2f}" == "3.14" and f"{a}" == str(a.item()) and f"{mx.array([a])}" == repr(mx.array([a]))
    with pytest.raises(TypeError):
        format(mx.array([1.0]), ".2f")
    assert hash(a) == hash(a) and a in {a}
    r = weakref.ref(a)
    assert r() is a
    del a
    assert r() is None


def test_iteration():
    a = mx.array([[1, 2], [3, 4]])
    it = iter(a)
    a[0] = 9
    assert [row.tolist() for row in it] == [[1, 2], [3, 4]]
    assert 9 in a and 7 not in a
    assert len(a) == 2


def test_arrays_are_sequences():
    """To functions that ask for one, as any class with `__getitem__` and `__len__` is."""
    a = mx.array([1, 2, 5])
    assert [x.item() for x in reversed(a)] == [5, 2, 1]
    assert bisect.bisect(a, 3) == 2 and operator.indexOf(a, 5) == 2
    with pytest.raises(TypeError):
        reversed(mx.array(1))


def test_numpy_is_not_imported_unless_used():

    code = "import mlx_go.core as mx, sys; a = mx.array([1.0]) + mx.array([2]); a.tolist(); repr(a); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
