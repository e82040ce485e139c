"""Calls of the table's functions: arguments, errors, signatures; and the small types."""

import inspect
import re

import pytest
from oracle import DTYPES, dt, mlx, mx, name_of, needs_oracle

A = mx.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: mx.sum(), "sum() missing required argument 'a' (pos 1)"),
        (lambda: mx.sum(A, 0, True, None), "sum() takes 3 positional arguments but 4 were given"),
        (lambda: mx.sum(A, axes=0), "sum() got an unexpected keyword argument 'axes'"),
        (lambda: mx.sum(a=A), "sum() got some positional-only arguments passed as keyword arguments: 'a'"),
        (lambda: mx.sum(A, 0, axis=0), "sum() got multiple values for argument 'axis'"),
        (lambda: mx.sum(A, axis="x"), "sum(): argument 'axis' must be None | int | Sequence[int], not str"),
        (lambda: mx.sum(A, axis=1.5), "sum(): argument 'axis' must be None | int | Sequence[int], not float"),
        (lambda: mx.sum(A, keepdims=2), "sum(): argument 'keepdims' must be bool, not int"),
        (lambda: mx.sum([1, 2]), "sum(): argument 'a' must be array, not list"),
        (lambda: mx.exp("a"), "exp(): argument 'a' must be scalar | array, not str"),
        (lambda: mx.exp(None), "exp(): argument 'a' must be scalar | array, not NoneType"),
        (lambda: mx.exp(), "exp() missing required argument 'a' (pos 1)"),
        (lambda: mx.add(A), "add() missing required argument 'b' (pos 2)"),
        (lambda: mx.add(A, A, stream=3), "stream"),
        (lambda: A.sum(1, 2, 3), "positional argument"),
        (lambda: A.astype("int32"), "Dtype"),
        (lambda: mx.zeros("a"), "zeros(): argument 'shape'"),
        (lambda: mx.zeros((2, "a")), "zeros(): argument 'shape'"),
        (lambda: mx.zeros(2.5), "zeros(): argument 'shape'"),
        (lambda: mx.concatenate(3), "[concatenate] expected a list of arrays"),
        (lambda: mx.concatenate([A, "x"]), "concatenate(): argument 'arrays'"),
    ],
)
def test_type_errors_read_like_pythons(call, text):
    with pytest.raises(TypeError, match=re.escape(text)):
        call()


def test_gpu_streams_are_refused():
    if mx.is_available(mx.gpu):
        pytest.skip("there is a GPU here")
    for call in (lambda: mx.add(A, A, stream=mx.gpu), lambda: mx.set_default_device(mx.gpu), lambda: mx.new_stream(mx.gpu), lambda: mx.default_stream(mx.gpu)):
        with pytest.raises(ValueError, match="not available"):
            call()
    for s in (None, mx.cpu, mx.Device(mx.cpu), mx.default_stream(mx.cpu), mx.new_stream(mx.cpu), mx.new_thread_local_stream(mx.cpu)):
        assert mx.add(A, 1, stream=s).tolist() == [2, 3, 4]
        assert mx.sum(A, stream=s).item() == 6


def test_axis_errors_are_both():
    for call in (lambda: mx.sum(A, axis=5), lambda: A.sum(-2), lambda: mx.softmax(A, axis=1)):
        with pytest.raises(mx.AxisError) as info:
            call()
        assert isinstance(info.value, ValueError) and isinstance(info.value, IndexError)


def test_arguments_of_every_kind():
    import numpy as np

    m = mx.array([[1, 2], [3, 4]])
    assert mx.sum(m, axis=np.int64(0)).tolist() == [4, 6]
    assert mx.sum(m, axis=[0, 1]).item() == mx.sum(m, axis=np.array([0, 1])).item() == 10
    assert mx.zeros((2, mx.array(3))).shape == (2, 3)
    assert mx.zeros(np.array([2, 3])).shape == mx.zeros(range(2, 4)).shape == (2, 3)
    assert mx.add(1, 2).item() == 3 and mx.add(True, 2.5).item() == 3.5
    assert mx.add(a=1, b=A, stream=None).tolist() == [2, 3, 4]
    assert mx.sum(np.ones(3)).item() == 3 and mx.exp(0).item() == 1
    assert mx.concatenate([np.ones(1), A]).tolist() == [1, 1, 2, 3]
    assert m.reshape(4).shape == m.reshape((4,)).shape == m.reshape([-1]).shape == (4,)
    assert m.transpose(1, 0).tolist() == m.transpose((1, 0)).tolist() == m.T.tolist() == [[1, 3], [2, 4]]
    assert [x.shape for x in mx.split(m, 2)] == [(1, 2), (1, 2)]
    assert isinstance(mx.split(m, 2), list)
    assert mx.sort(m, axis=None).shape == (4,) and mx.sort(m).shape == (2, 2)


def test_every_function_has_signature_and_doc():
    for module in (mx, mx.random, mx.fast, mx.linalg):
        for name, f in vars(module).items():
            if callable(f) and not name.startswith("_") and not isinstance(f, type):
                inspect.signature(f)
                own = f.__name__
                alias = getattr(module, own, None) is f or getattr(mx.linalg, own, None) is f
                assert (f.__doc__ and (own.strip("_") == name.strip("_") or alias)) or own in ("Any", "conj"), name
    for name in dir(mx.array):
        if not name.startswith("_") and callable(getattr(mx.array, name)):
            assert list(inspect.signature(getattr(mx.array, name)).parameters)[0] == "self", name
    assert str(inspect.signature(mx.sum)) == "(a, /, axis=None, keepdims=False, *, stream=None)"
    assert str(inspect.signature(mx.array.reshape)) == "(self, /, *shape, stream=None)"


def test_every_name_of_the_api_is_in_the_stub():
    from pathlib import Path

    stub = (Path(mx.__file__).parent / "core.pyi").read_text()
    for name, f in vars(mx).items():
        if not name.startswith("_") and type(f).__name__ == "builtin_function_or_method":
            forms = f"\ndef {name}(", f"\n{name} = {f.__name__}\n", f" import {f.__name__} as {name}\n"
            assert any(form in stub for form in forms), f"{name}: run go generate ./..."


@needs_oracle
def test_dtypes():
    for name in DTYPES:
        ours, theirs = dt(mx, name), dt(mlx, name)
        assert repr(ours) == repr(theirs) and ours.size == theirs.size
        for other in DTYPES:
            assert (ours == dt(mx, other)) == (name == other)
            assert mx.can_cast(ours, dt(mx, other)) == mlx.can_cast(theirs, dt(mlx, other))
            assert repr(mx.result_type(ours, dt(mx, other))) == repr(mlx.result_type(theirs, dt(mlx, other)))
        for c in mx.DtypeCategory:
            assert mx.issubdtype(ours, c) == mlx.issubdtype(theirs, getattr(mlx, c.name))
        for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric"):
            assert mx.isdtype(ours, kind) == mlx.isdtype(theirs, kind)
        for info in ("finfo", "iinfo"):
            try:
                expected = getattr(mlx, info)(theirs)
            except ValueError:
                with pytest.raises(ValueError):
                    getattr(mx, info)(ours)
                continue
            got = getattr(mx, info)(ours)
            assert repr(got) == repr(expected) and (got.min, got.max) == (expected.min, expected.max)
            if info == "finfo":
                assert (got.eps, got.smallest_normal, got.bits) == (expected.eps, expected.smallest_normal, expected.bits)
            assert name_of(got) == name_of(expected)
    for c in mx.DtypeCategory:
        assert repr(c) == repr(getattr(mlx, c.name)) and c.value == getattr(mlx, c.name).value
        for d in mx.DtypeCategory:
            assert mx.issubdtype(c, d) == mlx.issubdtype(getattr(mlx, c.name), getattr(mlx, d.name))
    assert (mx.float32 == "float32") is False
    with pytest.raises(TypeError):
        mx.Dtype()


@needs_oracle
def test_devices_and_streams():
    mx.set_default_device(mx.cpu)  # the oracle's
    for e in ("cpu", "Device(cpu)", "Device(cpu, 1)", "default_device()", "default_stream(cpu)", "gpu", "Device(cpu).type", "default_stream(cpu).device"):
        ours, theirs = eval(f"m.{e}".replace("(cpu", "(m.cpu"), {"m": mx}), eval(f"m.{e}".replace("(cpu", "(m.cpu"), {"m": mlx})
        assert repr(ours) == repr(theirs)
    assert mx.Device(mx.cpu) == mx.cpu and mx.cpu == mx.Device(mx.cpu) and mx.Device(mx.cpu) != mx.Device(mx.cpu, 1)
    assert hash(mx.Device(mx.cpu)) == hash(mx.cpu)
    s = mx.new_stream(mx.cpu)
    assert s == s and s != mx.default_stream(mx.cpu) and s.device == mx.cpu
    with mx.stream(s):
        assert mx.default_stream(mx.cpu) == s
        with mx.stream(mx.cpu):
            assert mx.default_device() == mx.cpu
    assert mx.default_stream(mx.cpu) != s
    with pytest.raises(TypeError):
        mx.Stream()
    for bad in ((3,), (mx.cpu, "1"), (mx.cpu, 1.0)):
        with pytest.raises(TypeError):
            mx.Device(*bad)
    mx.synchronize()
    mx.synchronize(mx.cpu)


@needs_oracle
def test_broadcast_shapes_and_constants():
    for shapes in (((1, 3), (2, 1)), ((1,), [3]), ((), (2,)), ((2, 3), (3,), (1, 1, 1)), ((0,), (1,))):
        assert mx.broadcast_shapes(*shapes) == mlx.broadcast_shapes(*shapes)
    for shapes in ((), ((2, 3), (2, 1, 4))):
        with pytest.raises(ValueError):
            mx.broadcast_shapes(*shapes)
    for name in ("e", "pi", "inf", "euler_gamma", "newaxis"):
        assert getattr(mx, name) == getattr(mlx, name)


@needs_oracle
def test_print_options():
    a, b = mx.array([1.23456789, 100.0]), mlx.array([1.23456789, 100.0])
    for p in (0, 2, 5, -1):
        with mx.printoptions(precision=p), mlx.printoptions(precision=p):
            assert repr(a) == repr(b)
            assert mx.get_printoptions().precision == p
    assert mx.get_printoptions().precision == -1


def test_memory_functions():
    mx.synchronize()
    before = mx.get_active_memory()
    a = mx.zeros((1 << 18,), mx.float32) + 1
    mx.eval(a)
    assert mx.get_active_memory() >= before + (1 << 20)
    assert mx.get_peak_memory() >= mx.get_active_memory()
    del a
    assert mx.get_active_memory() < before + (1 << 20)
    mx.clear_cache()
    assert mx.get_cache_memory() == 0
    old = mx.set_memory_limit(mx.get_active_memory() + (1 << 20))
    try:
        with pytest.raises(MemoryError, match=r"bytes.*shape"):
            mx.eval(mx.zeros((1 << 20,)) + 1)
        assert (mx.array([1.0]) + 1).item() == 2
    finally:
        mx.set_memory_limit(old)
    assert mx.get_memory_limit() == old
    for bad in (-1, 1.5, "x"):
        with pytest.raises((TypeError, ValueError)):
            mx.set_memory_limit(bad)
    assert mx.get_array_buffer_size(A, [A]) == 12


def test_in_place_operators():
    a = mx.array([1, 2])
    b = a
    a += 1
    assert b is a and b.tolist() == [2, 3]
    a += 0.5
    assert a.dtype == mx.float32
    i = mx.array([1, 2])
    with pytest.raises(ValueError, match="in-place division"):
        i /= 2
    with pytest.raises(TypeError):
        i += "x"
    m = mx.array([[1.0, 2.0], [3.0, 4.0]])
    m @= mx.array([[0.0, 1.0], [1.0, 0.0]])
    assert m.tolist() == [[2, 1], [4, 3]]
    assert [x.tolist() for x in divmod(mx.array([5, 7]), 3)] == [[1, 2], [2, 1]]
    assert (1 << mx.array([1, 2])).tolist() == [2, 4] and (6 & mx.array([3])).tolist() == [2]
