"""NumPy's arrays, scalars and functions beside arrays of ours: whose operator runs, and what becomes of gradients."""

import operator
import threading

import numpy as np
import pytest
from oracle import mx

LEFT = {
    "array": np.array([3.0, 5.0]), "float32 array": np.array([3, 5], np.float32), "matrix": np.array([[3.0, 5.0], [2.0, 4.0]]),
    "0-d": np.array(3.0), "float64": np.float64(3), "float32": np.float32(3), "int64": np.int64(3), "bool": np.bool_(True),
}
ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
COMPARISONS = ["lt", "le", "eq", "ne", "gt", "ge"]


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISONS)
@pytest.mark.parametrize("left", LEFT)
def test_operators_with_numpy_on_the_left(left, name):
    """They are ours, with the values that NumPy's have, and in the dtype of the same operator the other way around."""
    f, n, x = getattr(operator, name), LEFT[left], mx.array([2.0, 7.0])
    r = f(n, x)
    assert type(r) is mx.array
    expected = f(n, np.array([2.0, 7.0]))
    assert np.allclose(np.asarray(r), expected, rtol=1e-6) and r.shape == expected.shape
    assert r.dtype == f(x, n).dtype == (mx.bool_ if name in COMPARISONS else mx.float32)


def test_other_operators_with_numpy_on_the_left():
    m, x = np.array([[3.0, 5.0], [2.0, 4.0]]), mx.array([2.0, 7.0])
    assert type(m @ x) is mx.array and (m @ x).tolist() == [41, 32]
    i = mx.array([6, 3])
    for f in (operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift):
        for n in (np.array([1, 2], np.int32), np.int32(1)):
            r = f(n, i)
            assert type(r) is mx.array and r.dtype == mx.int32 and r.tolist() == f(n, np.array([6, 3])).tolist()
    assert all(type(r) is mx.array for r in divmod(np.array([7, 8]), i))
    assert (np.float64(2) * mx.array([1.0], mx.float16)).dtype == mx.float16  # scalars are weak
    assert (np.float64(2) * mx.array([1])).dtype == mx.float32
    n = np.array([1.0, 2.0])
    n += x
    assert type(n) is np.ndarray and n.tolist() == [3, 9]
    n[:] = x
    assert n.tolist() == [2, 7]


GRADIENTS = {
    "scalar * x": lambda x: (np.sqrt(2.0) * x).sum(),
    "array - x": lambda x: (np.array([1.0, 2.0]) - x).sum(),
    "array @ x": lambda x: (np.array([[1.0, 2.0], [3.0, 4.0]]) @ x).sum(),
    "array / x": lambda x: (np.ones(2) / x).sum(),
    "scalar ** x": lambda x: (np.float64(2) ** x).sum(),
    "ufuncs of operators": lambda x: np.multiply(np.subtract(np.ones(2), x), x).sum(),
    "masks by NumPy": lambda x: mx.where(np.array([1.5, 1.5]) < x, x * x, x).sum(),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_flow_through_operators_with_numpy_on_the_left(name):
    f, at = GRADIENTS[name], np.array([1.0, 2.0], np.float32)
    g = mx.grad(f)(mx.array(at))
    for k in range(2):
        step = np.eye(2, dtype=np.float32)[k] * 1e-2
        slope = (f(mx.array(at + step)) - f(mx.array(at - step))).item() / 2e-2
        assert abs(g[k].item() - slope) < 1e-2 * max(1, abs(slope))
    forward = mx.jvp(f, [mx.array(at)], [mx.array([1.0, 1.0])])[1][0]
    assert abs(forward.item() - g.sum().item()) < 1e-5
    batch = mx.vmap(f)(mx.array(np.stack([at, at + 1])))
    assert np.allclose(np.asarray(batch), [f(mx.array(at)).item(), f(mx.array(at + 1)).item()], rtol=1e-6)
    assert abs(mx.compile(f)(mx.array(at)).item() - f(mx.array(at)).item()) < 1e-6


TO_NUMPY = {
    "asarray": np.asarray, "array": np.array, "sin": np.sin, "maximum": lambda x: np.maximum(x, 2), "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack([x, 2 * x]), "buffer": memoryview, "__array__": lambda x: x.__array__(), "float64": lambda x: np.asarray(x, np.float64),
    "from_dlpack": np.from_dlpack, "in place": lambda x: operator.iadd(np.ones(2), x), "assigned": lambda x: operator.setitem(np.ones((2, 2)), 0, x),
    "a list": lambda x: np.array([x[0], x[1]]), "bfloat16": lambda x: np.asarray(x.astype(mx.bfloat16)), "a copy": lambda x: np.asarray(mx.array(x)),
}


@pytest.mark.parametrize("name", TO_NUMPY)
def test_numpy_does_not_take_what_is_being_differentiated(name):
    """The gradient would be lost without a word."""
    convert, x = TO_NUMPY[name], mx.array([1.0, 2.0])
    loss = lambda x: mx.array(convert(x * 2)).sum()
    for run in (
        lambda: mx.grad(loss)(x), lambda: mx.value_and_grad(loss)(x), lambda: mx.vjp(loss, [x], [mx.array(1.0)]), lambda: mx.jvp(loss, [x], [x]),
        lambda: mx.grad(lambda x: mx.grad(lambda y: loss(x) * y)(mx.array(1.0)))(x), lambda: mx.grad(mx.checkpoint(loss))(x),
        lambda: mx.grad(lambda x: (mx.eval(x), loss(x))[1])(x),
    ):
        with pytest.raises((ValueError, BufferError), match="gradient would be lost"):
            run()
    for run in (lambda: mx.vmap(loss)(mx.ones((3, 2))), lambda: mx.compile(loss)(x)):
        with pytest.raises((ValueError, BufferError), match="no value there"):
            run()


@pytest.mark.parametrize("name", [n for n in TO_NUMPY if n != "bfloat16"])
def test_numpy_takes_what_no_gradient_flows_through(name):
    convert, x, seen = TO_NUMPY[name], mx.array([1.0, 2.0]), []
    once = mx.grad(lambda x: (x**2).sum())

    def loss(x):
        for a in (mx.stop_gradient(x), mx.array([1.0, 2.0]), once(mx.array([1.0, 2.0])), mx.array([1.0, 2.0]) * mx.stop_gradient(x)):
            convert(a)
            seen.append(1)
        seen.extend([np.asarray(x > 1), np.asarray(mx.argmax(x)), x.tolist(), x[0].item(), float(x[1]), repr(x)])
        return (x * x).sum()

    value, gradient = mx.value_and_grad(loss)(x)
    assert gradient.tolist() == [2, 4] and np.asarray(gradient).tolist() == [2, 4] and np.asarray(value) == 5
    assert len(seen) == 10
    convert(gradient)
    convert(once(x))


def test_other_threads_may_convert_their_results_meanwhile():
    """Whatever transform runs elsewhere."""
    begun, done, results = threading.Event(), threading.Event(), []

    def loss(x):
        begun.set()
        assert done.wait(900)
        return (x * x).sum()

    thread = threading.Thread(target=lambda: results.append(np.asarray(mx.grad(loss)(mx.array([3.0])))))
    thread.start()
    assert begun.wait(900)
    try:
        g = mx.grad(lambda x: (x**3).sum())(mx.array([2.0]))
        assert np.asarray(g).tolist() == [12]
    finally:
        done.set()
        thread.join()
    assert results[0].tolist() == [6]


def test_what_evaluation_raises_reaches_who_converts():
    """NumPy drops what the buffer slot raises and asks `__array__` next, which does not compute again what has just failed."""
    bad = mx.take(mx.arange(4), mx.array([9]))
    for convert in (np.asarray, np.array, np.sin, memoryview, lambda a: a.__array__(), lambda a: np.stack([a, a]), np.from_dlpack):
        with pytest.raises(IndexError, match="out of bounds"):
            convert(bad)
    with pytest.raises(IndexError):
        memoryview(bad)
    assert mx.array([1.0]).__array__().tolist() == [1]  # what was raised does not linger


REDUCTIONS = ["sum", "prod", "mean", "var", "std", "min", "max", "all", "any"]
WITH_DTYPE = REDUCTIONS[:5]


@pytest.mark.parametrize("keywords", [{}, {"axis": 0}, {"axis": (0, 1)}, {"axis": -1, "keepdims": True}, {"keepdims": False}], ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_numpy_are_methods(name, keywords):
    f, n = getattr(np, name), np.array([[1, 2, 0], [3, 5, 7]], np.float32)
    r = f(mx.array(n), **keywords)
    assert type(r) is mx.array and r.shape == f(n, **keywords).shape
    assert np.allclose(np.asarray(r), f(n, **keywords), rtol=1e-6)
    with pytest.raises(TypeError, match="out"):
        f(mx.array(n), out=np.zeros(()), **keywords)
    with pytest.raises(TypeError, match="where"):
        f(mx.array(n), where=n > 1, **keywords)


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("float16"), "float64", float, int, np.int8, mx.float64, mx.int32, np.complex64], ids=str)
@pytest.mark.parametrize("name", WITH_DTYPE)
def test_reductions_of_numpy_in_a_dtype(name, dtype):
    f, n = getattr(np, name), np.array([[1, 2, 0], [3, 5, 7]], np.float32)
    plain = {mx.float64: np.float64, mx.int32: np.int32}.get(dtype, dtype) if type(dtype) is mx.Dtype else dtype
    r = f(mx.array(n), axis=1, dtype=dtype)
    assert str(r.dtype).split(".")[-1] == np.dtype(plain).name
    whole = np.dtype(plain).kind == "i"  # of which NumPy has no std
    expected = f(n, axis=1).astype(plain) if whole else f(n, axis=1, dtype=plain)
    assert np.allclose(np.asarray(r), expected, rtol=1e-2 if np.dtype(plain).itemsize == 2 else 1e-6)
    assert mx.array_equal(getattr(mx.array(n), name)(axis=1, dtype=dtype, out=None), r)
    with pytest.raises(TypeError, match="dtype"):
        f(mx.array(n), dtype=np.complex128)


def test_a_dtype_is_that_of_the_sum():
    """Elements are converted before they are reduced, not after."""
    big = mx.array([10000.0] * 100, mx.float16)
    assert np.sum(big, dtype=np.float32).item() == 1e6
    assert np.sum(mx.array([100, 100], mx.int8), dtype=np.int8).item() == -56
    assert np.mean(mx.array([2**24 + 1, 2**24 + 3]), dtype=np.float64).item() == 2**24 + 2
    assert np.std(mx.array([1, 3]), ddof=1).item() == np.std(np.array([1, 3], np.float32), ddof=1)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "min", "max"])
def test_reductions_of_numpy_keep_the_gradient(name):
    x, f = mx.array([1.0, 2.0, 4.0]), getattr(np, name)
    assert mx.grad(lambda x: f(x))(x).tolist() == mx.grad(lambda x: getattr(mx, name)(x))(x).tolist()
    assert any(mx.grad(lambda x: f(x))(x).tolist())
    if name in WITH_DTYPE:
        assert mx.grad(lambda x: f(x, dtype=np.float32))(x).tolist() == mx.grad(lambda x: f(x))(x).tolist()


def test_operands_that_only_numpy_has():
    x = mx.array([1.0, 2.0])
    assert (np.array(["a", "b"]) == x).tolist() == [False, False]
    objects = np.array([1, None], dtype=object) == x
    assert type(objects) is np.ndarray and objects.tolist() == [True, False]
    assert (np.array([2, 3], np.longdouble) * x).dtype == np.longdouble
    with pytest.raises(TypeError):
        np.array(["2020"], "M8[D]") - x
    masked = np.ma.array([1.0, 2.0], mask=[False, True]) * x
    assert type(masked) is np.ma.MaskedArray and masked.mask.tolist() == [False, True] and masked[0] == 1

    class Theirs:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return "theirs"

    assert np.multiply(x, Theirs()) == np.multiply(Theirs(), x) == "theirs"
    with pytest.raises(TypeError, match="out"):
        np.add(np.ones(2), 1, out=x)


@pytest.mark.parametrize("name", ["bool_", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"])
def test_dtypes_are_dtypes_to_numpy(name):
    d, n = getattr(mx, name), np.dtype(name.rstrip("_"))
    assert np.dtype(d) == n and np.zeros(2, d).dtype == n and np.ones(2).astype(d).dtype == n
    assert np.asarray(mx.array([1, 2]), dtype=d).dtype == n and np.zeros(2, mx.zeros(2, d).dtype).dtype == n


def test_bfloat16_as_a_dtype_of_numpy(monkeypatch):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="NumPy has bfloat16 only through it")
    assert np.dtype(mx.bfloat16) == np.dtype(ml_dtypes.bfloat16)
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises((TypeError, AttributeError)):
        np.dtype(mx.bfloat16)
