"""Which stream a node is on: of every function, operator and method, and of what transforms build from it."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from functions import arguments, arrays, functions
from oracle import mx

from mlx_go import _core

HERE = mx.default_device()  # where the suite runs: a test double may stand in for a gpu


def stream_of(a: Any) -> Any:
    return _core._stream_of(a)


def in_thread(f: Callable[[], Any]) -> Any:
    out: list[Any] = []

    def run() -> None:
        try:
            out.append(f())
        except BaseException as e:
            out.append(e)

    t = threading.Thread(target=run)
    t.start()
    t.join()
    if isinstance(out[0], BaseException):
        raise out[0]
    return out[0]


@pytest.fixture
def s() -> Any:
    return mx.new_stream(HERE)


# ---- functions ----

FUNCTIONS = functions()


def kinds(default: Any) -> list[Any]:
    """The device by its kind, and the host's."""
    return [(HERE.type, default), (mx.cpu, mx.default_stream(mx.cpu)), (mx.Device(mx.cpu), mx.default_stream(mx.cpu))]


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n not in ("load", "positive")])
def test_every_function_is_on_the_stream_that_it_is_given(name: str, s: Any) -> None:
    f, inputs = FUNCTIONS[name], mx.new_stream(HERE)
    with mx.stream(inputs):
        pos, kw = arguments(name, f)
    local = mx.new_thread_local_stream(HERE)
    with mx.stream(local):
        mine = mx.default_stream(HERE)
    default = mx.default_stream(HERE)
    for given, on in ((s, s), (local, mine), (HERE, default), (None, default), *kinds(default)):
        made = arrays(f(*pos, **kw, stream=given))
        assert made and all(stream_of(a) == on for a in made)
    with mx.stream(s):
        assert all(stream_of(a) == s for a in arrays(f(*pos, **kw)))
        assert all(stream_of(a) == inputs for a in arrays(f(*pos, **kw, stream=inputs)))


def test_there_are_many_functions() -> None:
    assert len(FUNCTIONS) > 240


def test_positive_is_its_argument(s: Any) -> None:
    assert stream_of(mx.positive(mx.array(1.0), stream=s)) == mx.default_stream(HERE)


def test_load_is_on_the_stream_that_it_is_given(s: Any, tmp_path: Path) -> None:
    mx.save(str(tmp_path / "a.npy"), mx.ones((3,)))
    mx.savez(str(tmp_path / "a.npz"), mx.ones((3,)))
    assert stream_of(mx.load(str(tmp_path / "a.npy"), stream=s)) == s
    assert stream_of(mx.load(str(tmp_path / "a.npz"), stream=s)["arr_0"]) == s
    with open(tmp_path / "a.npy", "rb") as f:
        assert stream_of(mx.load(f, stream=s, format="npy")) == s
    with pytest.raises(TypeError, match="stream"):
        mx.load(str(tmp_path / "a.npy"), stream=3)  # type: ignore[arg-type]


# ---- everything else that makes arrays ----

X, Y = mx.array([[4.0, 2.0], [1.0, 3.0]]), mx.array([[1.0, 5.0], [2.0, 2.0]])
J = mx.array([1, 0])


def inplace(op: Callable[[Any], Any]) -> Callable[[], Any]:
    def run() -> Any:
        x = mx.array(X)
        op(x)
        return x

    return run


def set_item(x: Any) -> None:
    x[0] = 5.0


def set_mask(x: Any) -> None:
    x[X > 2] = 5.0


EXPRESSIONS: dict[str, Callable[[], Any]] = {
    "a+b": lambda: X + Y, "a+1": lambda: X + 1, "1+a": lambda: 1 + X, "a-np": lambda: X - np.ones((2, 2), np.float32),
    "np*a": lambda: np.ones((2, 2), np.float32) * X, "a@b": lambda: X @ Y, "a/b": lambda: X / Y, "a//b": lambda: X // Y,
    "a%b": lambda: X % Y, "a**b": lambda: X**Y, "a**2": lambda: X**2, "-a": lambda: -X, "abs": lambda: abs(X),
    "a<b": lambda: X < Y, "a==b": lambda: X == Y, "divmod": lambda: divmod(X, Y), "a&b": lambda: J & J, "~a": lambda: ~J,
    "a<<b": lambda: J << J, "a[0]": lambda: X[0], "a[0, 1]": lambda: X[0, 1], "a[:, 1]": lambda: X[:, 1], "a[None]": lambda: X[None],
    "a[J]": lambda: X[J], "a[[1]]": lambda: X[[1]], "a[mask]": lambda: X[X > 2], "iteration": lambda: list(X),
    "a.T": lambda: X.T, "a.mT": lambda: X.mT, "a.real": lambda: (X + 1j).real, "a.imag": lambda: (X + 1j).imag,
    "at add": lambda: X.at[J].add(1.0), "at get": lambda: X.at[0].multiply(2.0), "astype": lambda: X.astype(mx.float16),
    "array([a, b])": lambda: mx.array([X, Y]), "array(a, dtype)": lambda: mx.array(X, mx.float16), "array(1)": lambda: mx.array(1),
    "array([1, 2])": lambda: mx.array([1, 2]), "array(np)": lambda: mx.array(np.ones(3)), "asarray": lambda: mx.asarray([1.0]),
    "a+=b": inplace(lambda x: x.__iadd__(Y)), "a@=b": inplace(lambda x: x.__imatmul__(Y)), "a**=2": inplace(lambda x: x.__ipow__(2)),
    "a[0]=": inplace(set_item), "a[mask]=": inplace(set_mask), "sum": lambda: X.sum(), "exp": lambda: mx.exp(X),
    "random": lambda: mx.random.normal((3,)), "copy": lambda: copy.copy(X), "deepcopy": lambda: copy.deepcopy(X),
    "pickle": lambda: pickle.loads(pickle.dumps(X)), "fft of nothing": lambda: mx.zeros((2,)), "ufunc": lambda: np.add(np.ones((2, 2)), X),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_are_on_the_stream_of_the_context(name: str, s: Any) -> None:
    make = EXPRESSIONS[name]
    default = mx.default_stream(HERE)
    assert all(stream_of(a) == default for a in arrays(make()))
    with mx.stream(s):
        assert all(stream_of(a) == s for a in arrays(make()))
    assert all(stream_of(a) == default for a in arrays(make()))


# ---- contexts, threads ----


def test_contexts_nest_and_end(s: Any) -> None:
    outer, default = mx.new_stream(HERE), mx.default_stream(HERE)

    def now() -> Any:
        on = stream_of(X + Y)
        assert mx.default_stream(HERE) == on
        return on

    with mx.stream(outer):
        assert now() == outer
        with pytest.raises(KeyError), mx.stream(s):
            assert now() == s
            raise KeyError
        assert now() == outer
        with mx.stream(HERE):  # the device's default, which the outer context chose
            assert now() == outer
        context = mx.stream(s)
        with context, context:  # may be entered twice
            assert now() == s
        assert now() == outer
        with pytest.raises(TypeError):
            mx.add(X, Y, stream=3)  # type: ignore[call-overload, arg-type]
        with pytest.raises(ValueError, match="broadcast"):
            mx.add(X, mx.ones((3,)), stream=s)
        assert now() == outer
    assert now() == default
    with pytest.raises(RuntimeError, match="not entered"):
        context.__exit__(None, None, None)


def test_contexts_of_coroutines_end_in_any_order(s: Any) -> None:
    other, default = mx.new_stream(HERE), mx.default_stream(HERE)

    def run(where: Any) -> Any:
        with mx.stream(where):
            yield stream_of(X + Y)

    a, b = run(s), run(other)
    assert (next(a), next(b)) == (s, other)
    a.close()
    assert stream_of(X + Y) == other
    b.close()
    assert stream_of(X + Y) == default


def test_choosing_inside_of_a_context_ends_with_it(s: Any) -> None:
    other, default = mx.new_stream(HERE), mx.default_stream(HERE)
    for where in (s, HERE):
        with mx.stream(where):
            mx.set_default_stream(other)
            mx.set_default_device(HERE)
            assert stream_of(X + Y) == mx.default_stream(HERE) == other
        assert stream_of(X + Y) == mx.default_stream(HERE) == default
    mx.set_default_stream(other)
    assert stream_of(X + Y) == mx.default_stream(HERE) == other
    mx.set_default_stream(default)
    assert stream_of(X + Y) == mx.default_stream(HERE) == default


def test_each_thread_is_on_a_stream_of_its_own(s: Any) -> None:
    def look() -> Any:
        return stream_of(X + Y), stream_of(mx.add(X, Y, stream=HERE)), mx.default_stream(HERE)

    with mx.stream(s):
        first = in_thread(look)
    second = in_thread(look)
    assert len(set(first)) == len(set(second)) == 1
    assert len({*first, *second, s, mx.default_stream(HERE)}) == 4
    local = mx.new_thread_local_stream(HERE)

    def mine() -> Any:
        with mx.stream(local):
            return stream_of(X + Y), mx.default_stream(HERE), stream_of(mx.add(X, Y, stream=local))

    assert len({*mine(), *mine()}) == 1
    assert len({*mine(), *in_thread(mine)}) == 2


def test_arrays_cross_threads(s: Any) -> None:
    made = in_thread(lambda: (X + 1, mx.add(X, 1, stream=mx.new_stream(HERE))))  # the thread and its streams are gone
    y = made[0] * made[1] + mx.add(X, 1, stream=s)
    want = (np.array(X) + 1) ** 2 + np.array(X) + 1
    assert in_thread(lambda: np.array(y)).tolist() == want.tolist() == np.array(y).tolist()


def test_streams_that_nobody_knows_make_room_for_others() -> None:
    names = set()
    for _ in range(70_000):
        names.add(repr(mx.new_stream(HERE)))
    assert len(names) == 70_000  # each is another one
    code = """
import threading
import mlx_go.core as mx
here, x, streams = mx.default_device(), mx.array([1.0, 2.0]), []
def refused(f):
    try:
        f()
    except RuntimeError as e:
        assert str(e).startswith("[new_stream]"), e
        return True
try:
    while True:
        streams.append(mx.new_stream(here))
except RuntimeError as e:
    assert str(e).startswith("[new_stream]"), e
assert len(set(streams)) == len(streams) > 65_000
assert refused(lambda: mx.new_stream(here))
out = []
t = threading.Thread(target=lambda: out.extend([(x + x).tolist(), refused(lambda: mx.default_stream(here))]))
t.start(); t.join()
assert out == [[2, 4], True], out  # such a thread shares the stream of the first one
del streams
assert mx.new_stream(here) != mx.new_stream(here)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=900)


def test_threads_come_and_go() -> None:
    before = repr(mx.new_stream(HERE))
    for _ in range(300):
        in_thread(lambda: X + Y)
    assert before != repr(mx.new_stream(HERE))


# ---- objects ----


def test_streams_are_values(s: Any) -> None:
    local, other = mx.new_thread_local_stream(HERE), mx.new_stream(HERE)
    for x in (s, local, mx.default_stream(HERE), HERE, mx.Device(mx.cpu), mx.Device(mx.gpu, 3)):
        for same in (copy.copy(x), copy.deepcopy(x), *(pickle.loads(pickle.dumps(x, p)) for p in range(2, 6))):
            assert same == x and hash(same) == hash(x) and repr(same) == repr(x) and type(same) is type(x)
        assert x not in (other, 0, None, "cpu")
    assert s.device == HERE == HERE.type and s.device != mx.Device(mx.gpu, 3) and mx.cpu != mx.gpu
    assert hash(mx.Device(mx.cpu)) == hash(mx.cpu) and mx.Device(mx.cpu) == mx.cpu == mx.Device(mx.cpu, 0)
    gone = pickle.dumps(mx.new_stream(HERE))
    gc.collect()
    assert pickle.loads(gone).device == HERE  # of a process that has none of that name: a new one
    for type_ in (mx.Stream, mx.ThreadLocalStream):
        with pytest.raises(TypeError, match="new_stream"):
            type_()
    with pytest.raises(AttributeError):
        s.device = HERE  # type: ignore[misc]


# ---- transforms ----


def test_derivatives_are_on_the_streams_of_their_nodes(s: Any) -> None:
    x, v = mx.array([1.0, 2.0]), mx.array([1.0, 1.0])

    def f(x: Any) -> Any:
        return mx.sin(x, stream=s)

    assert stream_of(mx.grad(lambda x: mx.sum(f(x), stream=s))(x)) == s
    assert stream_of(mx.vjp(f, [x], [v])[1][0]) == s
    assert stream_of(mx.jvp(f, [x], [v])[1][0]) == s
    assert stream_of(mx.vmap(f)(x)) == s
    assert stream_of(mx.vmap(mx.grad(f))(x)) == s
    assert stream_of(mx.grad(mx.grad(f))(mx.array(1.0))) == s
    assert stream_of(mx.checkpoint(f)(x)) == s
    assert stream_of(mx.grad(lambda x: mx.checkpoint(f)(x).sum(stream=s))(x)) == s
    with mx.stream(s):
        g = mx.grad(lambda x: (x * x).sum())(x)
    assert stream_of(g) == s
    assert g.tolist() == [2, 4]


def test_compiled_functions_keep_explicit_streams(s: Any) -> None:
    calls: list[int] = []
    other, default = mx.new_stream(HERE), mx.default_stream(HERE)

    @mx.compile
    def f(x: Any) -> Any:
        calls.append(1)
        return x + 1, mx.add(x, 1, stream=s), mx.sum(mx.sin(x, stream=s))

    for _ in range(2):
        assert [stream_of(y) for y in f(X)] == [default, s, default]
    assert len(calls) == 1
    for _ in range(2):
        with mx.stream(other):
            assert [stream_of(y) for y in f(X)] == [other, s, other]
    assert len(calls) == 2  # another stream is another graph
    for _ in range(3):  # threads run one graph, each on its own stream
        own, outs = in_thread(lambda: (mx.default_stream(HERE), f(X)))
        assert [stream_of(y) for y in outs] == [own, s, own]
    assert len(calls) == 2
    with mx.stream(s):
        assert [stream_of(y) for y in f(X)] == [s, s, s]
    assert [stream_of(y) for y in f(X)] == [default, s, default]
    assert len(calls) == 3
    assert in_thread(lambda: stream_of(f(mx.ones((3,)))[1])) == s  # traced on a thread that is gone
    assert [stream_of(y) for y in f(mx.ones((3,)))] == [default, s, default]
    assert len(calls) == 4


def test_compiled_functions_with_state_follow_the_stream(s: Any) -> None:
    state = [mx.array(0.0)]

    def step(x: Any) -> Any:
        state[0] = state[0] + x
        return state[0] * 2

    f = mx.compile(step, inputs=state, outputs=state)
    assert stream_of(f(mx.array(1.0))) == mx.default_stream(HERE)
    with mx.stream(s):
        assert stream_of(f(mx.array(1.0))) == s
        assert stream_of(state[0]) == s
    assert f(mx.array(1.0)).item() == 6


# ---- devices ----


def test_devices_are_asked_of_the_core() -> None:
    assert mx.device_count(mx.cpu) == 1
    assert mx.is_available(mx.cpu) and not mx.is_available(mx.Device(mx.cpu, 1))
    assert mx.device_info(mx.cpu)["device_name"] and mx.device_info(mx.Device(mx.cpu, 7)) == {}
    assert mx.is_available(mx.gpu) == (mx.device_count(mx.gpu) > 0) == bool(mx.device_info(mx.gpu))
    assert mx.default_device() == HERE == (mx.gpu if mx.is_available(mx.gpu) else mx.cpu)
    for wrong in (3, None, mx.default_stream(mx.cpu)):
        for f in (mx.is_available, mx.device_count, mx.set_default_device, mx.new_stream, mx.default_stream):
            with pytest.raises(TypeError, match="argument 'device"):
                f(wrong)  # type: ignore[operator]
    with pytest.raises(OverflowError):
        mx.Device(mx.cpu, 1 << 70)
    context = mx.stream(mx.Device(mx.gpu, 7))  # resolved when it is entered
    with pytest.raises(ValueError, match="not available"), context:
        pass
    assert mx.default_device() == HERE


@pytest.mark.skipif(not mx.is_available(mx.gpu), reason="one device")
def test_several_devices() -> None:
    cpu, gpu = mx.default_stream(mx.cpu), mx.default_stream(mx.gpu)

    def now() -> Any:
        on = stream_of(X + Y)
        assert mx.default_device() == on.device and mx.default_stream(on.device) == on
        return on

    assert cpu != gpu and now() == gpu
    with mx.stream(mx.cpu):
        assert now() == cpu
        assert in_thread(now).device == mx.gpu  # a context is the thread's own
        with mx.stream(mx.new_stream(mx.gpu)) as _:
            assert now() not in (cpu, gpu)
            mx.set_default_device(mx.cpu)
            assert now() == cpu
        assert now() == cpu
    assert now() == gpu
    mx.set_default_device(mx.cpu)
    assert now() == cpu and in_thread(now).device == mx.cpu  # of all threads
    waits, told = threading.Event(), []

    def thread() -> None:
        told.append(now())
        waits.set()
        going.wait()
        told.append(now())

    going = threading.Event()
    t = threading.Thread(target=thread)
    t.start()
    waits.wait()
    mx.set_default_device(mx.gpu)
    going.set()
    t.join()
    assert [s.device for s in told] == [mx.cpu, mx.gpu]
    y = mx.add(X, Y, stream=mx.cpu) @ mx.exp(X, stream=mx.gpu)
    assert stream_of(y) == gpu
    np.testing.assert_allclose(np.array(y), np.array(X + Y) @ np.exp(np.array(X)), rtol=1e-6)
    g = mx.grad(lambda x: mx.sum(mx.sin(x, stream=mx.cpu)))(X)
    assert stream_of(g) == cpu
    calls = []

    @mx.compile
    def f(x: Any) -> Any:
        calls.append(1)
        return x * 2

    assert stream_of(f(X)) == gpu
    with mx.stream(mx.cpu):
        assert stream_of(f(X)) == cpu
    assert stream_of(f(X)) == gpu and len(calls) == 2
    for d in (mx.cpu, mx.gpu):
        mx.async_eval(mx.add(X, Y, stream=d))
        mx.synchronize(d)
