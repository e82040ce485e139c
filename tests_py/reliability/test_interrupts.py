"""Ctrl-C ends every kind of kernel and every long loop, and nothing is damaged by it.

How soon is counted, not timed: what is work without end only ends by giving up, kernels look at their flag often
(backends/cpu/cancel_test.go counts that), and so do loops that hold the GIL (test_conversions_give_up).
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX signals"),
]

# Arrays of one element stretched: work without end and without memory.
SETUP = """
import io, os, pickle, signal, sys, tempfile, threading, time
import mlx_go.core as mx
from mlx_go import _core

def wide(*shape, dtype=mx.float32):
    return mx.broadcast_to(mx.array(1, dtype), shape)

def interrupted(name, f, after=0.2, endless=True):
    begun, over = threading.Event(), threading.Event()

    def send():
        begun.wait()
        if not over.wait(after):
            os.kill(os.getpid(), signal.SIGINT)

    t = threading.Thread(target=send)
    t.start()
    try:
        begun.set()
        f()
        over.set()
        t.join()
        time.sleep(0.001)
        hit = False
    except KeyboardInterrupt:
        hit = True
    over.set()
    t.join()
    assert hit or not endless, f"{name}: no KeyboardInterrupt"
    assert (mx.arange(5) * 2).tolist() == [0, 2, 4, 6, 8]
    return hit

def again(f):
    def body():
        while True:
            f()
    return body
"""


def run(program: str, timeout: float = 900) -> None:
    r = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(program)], capture_output=True, text=True, timeout=timeout
    )
    assert r.returncode == 0, r.stdout + r.stderr


@pytest.mark.parametrize(
    "expressions",
    [
        [
            "mx.sum(wide(1 << 40))",
            "mx.prod(wide(1 << 40, dtype=mx.float16))",
            "mx.max(wide(50, 1 << 36, dtype=mx.int32), axis=1)",
            "mx.all(wide(1 << 36, 50), axis=0)",
            "mx.var(wide(1 << 38))",
            "mx.argmax(wide(15, (1 << 32) - 1), axis=1)",
            "mx.argmin(wide(1 << 31, 64), axis=0)",
            "mx.logsumexp(wide(100, 1 << 36), axis=1)",
        ],
        [
            "wide(1 << 40) @ wide(1 << 40)",
            "wide(48, 1 << 36) @ wide(1 << 36, 80)",
            "wide(600, 1 << 32) @ wide(1 << 32, 600)",
            "wide(8, 1 << 36, dtype=mx.complex64) @ wide(1 << 36, 8, dtype=mx.complex64)",
            "mx.conv1d(wide(4096, 1 << 13, 8), wide(8, 1 << 12, 8))",
            "mx.conv1d(wide(512, 1 << 16, 64), wide(64, 1 << 10, 1), groups=64)",
            "mx.zeros((100,)).at[wide(1 << 40, dtype=mx.int32)].add(1)",
            "mx.put_along_axis(mx.zeros((4, 9)), wide(4, 1 << 38, dtype=mx.int32), wide(4, 1 << 38), axis=1)",
        ],
        [
            "mx.cumprod(wide(1 << 29))",
            "mx.logcumsumexp(wide(1 << 28))",
            "mx.cumsum(wide(1 << 28, 2), axis=0)",
            "mx.softmax(wide(1 << 29))",
            "mx.random.normal(shape=(1 << 29,))",
            "mx.sort(mx.random.uniform(shape=(1 << 27,)))",
            "mx.argsort(wide(1 << 28, dtype=mx.uint16))",
            "mx.power(wide(1 << 28, dtype=mx.float64), 0.3)",
        ],
    ],
    ids=["reductions", "products and scatters", "the rest"],
)
def test_every_kernel_gives_up(expressions: list[str]) -> None:
    run("\n".join(f"interrupted({e!r}, again(lambda: mx.eval({e})))" for e in expressions))


def test_kernels_in_place_go_on_where_they_stopped() -> None:
    """What such a kernel has done is neither lost nor done twice, however often it is interrupted."""
    run(
        """
        def chain(n):
            x = mx.arange(n) * mx.array(1e-6)
            for k in range(30):  # three programs of ten steps, the later ones in place
                x = mx.sin(x) + 0.5
            return x
        def scattered(n):
            return (mx.zeros((1000,)) + 1).at[mx.arange(n) % 1000].add(mx.array(1.0))
        for make in (chain, scattered):
            want = make(1 << 24)
            mx.eval(want)
            times = 0
            while times < 3:  # how soon is the machine's affair
                for after in (0.001, 0.002, 0.005, 0.005, 0.01, 0.01, 0.02, 0.05, 0.1):
                    x = make(1 << 24)
                    for _ in range(50):
                        if not interrupted(make.__name__, lambda: mx.eval(x), after, endless=False):
                            break
                        times += 1
                    assert mx.array_equal(x, want).item(), (make.__name__, after)
        """
    )


def test_large_evaluations_are_never_run_with_the_gil() -> None:
    """Whose cost is not that of their result: another thread goes on meanwhile, and only then interrupts."""
    run(
        """
        for f in (lambda: mx.sum(wide(1 << 40)), lambda: mx.zeros((3,)).at[wide(1 << 40, dtype=mx.int32)].add(1)):
            begun, steps = threading.Event(), []
            def other():
                begun.wait()
                for k in range(50):
                    steps.append(k)
                    time.sleep(0.001)
                os.kill(os.getpid(), signal.SIGINT)
            t = threading.Thread(target=other)
            t.start()
            x = f()
            try:
                begun.set()
                mx.eval(x)
                sys.exit("the evaluation had an end")
            except KeyboardInterrupt:
                assert len(steps) == 50
            t.join()
        """
    )


def test_reads_whose_size_is_a_value_wait_as_eval_does() -> None:
    """Other threads go on, to their end, and Ctrl-C ends the wait."""
    run(
        """
        endless = wide(1 << 40).sum() > mx.zeros((2, 3))
        x = mx.zeros((2, 3))
        class Other(threading.Thread):
            def run(self):
                for k in range(50):
                    assert mx.array([1, 2])[mx.array([True, False])].tolist() == [1]
                    time.sleep(0.001)
        for f in (lambda: x[endless], lambda: x[endless, None], lambda: x.at[endless[:, 0], mx.array([0])].add(1)):
            other = Other()
            other.start()
            interrupted("mask", f, after=0.05)
            other.join()
        def put(key):
            x[key] = mx.zeros(1)
        interrupted("assignment", lambda: put((endless[:, 0], mx.array([0]))))
        assert x.tolist() == [[0] * 3] * 2
        """
    )


def test_conversions_give_up() -> None:
    """They look for signals once in so many elements, at least."""
    run(
        """
        import numpy as np
        n = 1 << 25
        zeros = [0.5] * (n // 4)
        x = mx.zeros((n,))
        short = x[: n // 4]
        mx.eval(x, short)

        wide64, columns = np.zeros(n), np.zeros((n // 2, 2), np.float32).T
        for name, elements, f in (
            ("array of a list", 1 << 16, lambda: mx.array(zeros)),
            ("array of lists", 1 << 16, lambda: mx.array([zeros[: n // 16]] * 4)),
            ("tolist", 1 << 16, lambda: short.tolist()),
            ("array of float64", 1 << 23, lambda: mx.array(wide64)),
            ("array of columns", 1 << 23, lambda: mx.array(columns)),
            ("bytes", 1 << 24, lambda: bytes(x)),
            ("pickle", 1 << 24, lambda: pickle.loads(pickle.dumps(x))),
            ("copy", n, lambda: mx.asarray(x, copy=True)),
        ):
            before = _core._looks_for_signals()
            f()
            looks, least = _core._looks_for_signals() - before, (n // 4 if elements == 1 << 16 else n) // elements - 1  # a copy is a kernel
            assert looks >= least, f"{name}: {looks} looks for signals, {least} wanted"
            interrupted(name, again(f))
        """
    )


def test_long_headers_give_up() -> None:
    run(
        """
        a = mx.array(1, mx.uint8)
        many = dict.fromkeys((f"a{i}" for i in range(100_000)), a)
        texts = {f"key {i}": "value" for i in range(200_000)}
        with tempfile.TemporaryDirectory() as d:
            path = lambda name: os.path.join(d, name)
            mx.save_safetensors(path("a.safetensors"), many)
            mx.save_safetensors(path("b.safetensors"), {"a": a}, texts)
            mx.savez(path("a.npz"), **many)
            long = b'{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"more":[' + b"1," * 40_000_000 + b"1]}}"
            with open(path("d.safetensors"), "wb") as f:
                f.write(len(long).to_bytes(8, "little") + long + b"7")
            for name in os.listdir(d):
                data = open(path(name), "rb").read()
                interrupted(name, again(lambda: mx.load(path(name))))
                interrupted(f"{name} from a stream", again(lambda: mx.load(io.BytesIO(data), format=name[2:])))
            interrupted("save names", again(lambda: mx.save_safetensors(path("c.safetensors"), many)))
            interrupted("save texts", again(lambda: mx.save_safetensors(path("c.safetensors"), {"a": a}, texts)))
            interrupted("save members", again(lambda: mx.savez(path("c.npz"), **many)))
        """
    )


def test_files_give_up() -> None:
    """An interrupted save leaves the old file; nothing stays allocated."""
    run(
        """
        x = mx.random.uniform(shape=(1 << 25,))
        mx.eval(x)
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "a.npy")
            mx.save(path, mx.arange(3))
            interrupted("savez_compressed", again(lambda: mx.savez_compressed(os.path.join(d, "a.npz"), x)))
            interrupted("savez_compressed to a file object", again(lambda: mx.savez_compressed(io.BytesIO(), x)))
            assert os.listdir(d) == ["a.npy"], os.listdir(d)
            for _ in range(3):
                interrupted("save", again(lambda: mx.save(path, x)))
                assert mx.load(path).size in (3, x.size)
                mx.save(path, x)
                before = mx.get_active_memory()
                interrupted("load", again(lambda: mx.load(path)))
                mx.eval(mx.array(0))
                assert mx.get_active_memory() - before < 1 << 20
        """
    )


def test_what_numpy_converts_gives_up() -> None:
    """NumPy drops what the buffer slot raises, and asks another way."""
    pytest.importorskip("numpy", reason="converts to its arrays")
    run(
        """
        import numpy as np

        def endless():
            return mx.sum(wide(1 << 40))

        def stopped(convert, number, error):
            timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), number))
            a = endless()
            timer.start()
            try:
                convert(a)
            except error:
                timer.join()
                return True

        for name, convert in {
            "asarray": np.asarray, "array": np.array, "a ufunc": np.sin, "a list": lambda a: np.array([a, a]), "stack": lambda a: np.stack([a, a]),
            "bfloat16": lambda a: a.astype(mx.bfloat16).__array__(), "from_dlpack": np.from_dlpack, "buffer": memoryview, "bytes": bytes,
            "float": float, "item": lambda a: a.item(), "tolist": lambda a: a.tolist(), "repr": repr, "format": lambda a: f"{a:.2f}", "bool": bool,
            "norm": np.linalg.norm, "assigned": lambda a: np.zeros((3, 1)).__setitem__(0, a[None]), "pickle": pickle.dumps, "numpy in place": lambda a: np.add(np.zeros(()), a, out=np.zeros(())),
            "float64": lambda a: np.asarray(a, np.float64), "full": lambda a: np.full(3, a[None]),
        }.items():
            assert stopped(convert, signal.SIGINT, KeyboardInterrupt), name

        # So does what any signal handler raises.
        class Stop(Exception):
            pass

        def handler(*unused):
            raise Stop

        signal.signal(signal.SIGUSR1, handler)
        assert stopped(np.asarray, signal.SIGUSR1, Stop)
        assert np.asarray(mx.array([1.0]) + 1).tolist() == [2]
        """
    )


def test_synchronize_gives_up_all_of_it() -> None:
    run(
        """
        ys = [mx.sum(wide(1 << 40)) for _ in range(3)]
        mx.async_eval(ys[0]), mx.async_eval(ys[1]), mx.async_eval(ys[2])
        interrupted("synchronize", mx.synchronize)
        mx.synchronize()  # nothing is left to wait for
        """
    )


def test_long_texts_give_up() -> None:
    run(
        """
        interrupted("repr", lambda: repr(wide(*[9] * 17)))
        interrupted("str of an empty array", lambda: str(wide(*[9] * 17, 0)))
        mx.set_printoptions(2**31 - 1)
        interrupted("zeros", again(lambda: repr(mx.full((1000,) * 2, 1.5))))
        """
    )


def test_other_threads_go_on_during_long_texts() -> None:
    """Nobody waits for the lock of the graph: another thread finishes while the text is being made."""
    run(
        """
        done = threading.Event()

        def other():
            for i in range(2000):
                assert (mx.ones(3) * i).sum().item() == 3 * i
            done.set()
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=other)
        try:
            thread.start()
            repr(wide(*[9] * 17))
        except KeyboardInterrupt:
            assert done.is_set()
        thread.join()
        """
    )
