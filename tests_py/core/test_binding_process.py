"""The extension in a living process: threads, signals, fork, spawn, errors that come late."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import pytest
from oracle import mx


def run(code, timeout=900):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=timeout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_fork_raises_and_does_not_hang():
    r = run(
        """
        import os, sys, warnings
        warnings.simplefilter("ignore")
        import mlx_go.core as mx
        a = mx.array([1.0, 2.0]); b = a + 1; mx.eval(b)
        pid = os.fork()
        if pid == 0:
            failed = 0
            for f in (lambda: a + a, lambda: mx.exp(a), lambda: mx.array(1), lambda: a.tolist(), lambda: mx.eval(b), lambda: repr(a),
                      lambda: a.shape, lambda: a[0], lambda: mx.sum(a, axis=0), lambda: memoryview(a), lambda: mx.get_active_memory(),
                      lambda: mx.grad(mx.sum)(a), lambda: a.__setitem__(0, 1), lambda: mx.synchronize(), lambda: list(a), lambda: bytes(a)):
                try:
                    f(); failed += 1
                except RuntimeError as e:
                    failed += "spawn" not in str(e)
            del a, b
            os._exit(failed)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status
        assert (a + b).tolist() == [3.0, 5.0]
        print("parent fine")
        """
    )
    assert r.returncode == 0 and "parent fine" in r.stdout, r.stderr


def test_spawn_works(tmp_path):
    script = tmp_path / "main.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing as mp
            import mlx_go.core as mx

            def work(a):
                return (a * 2).tolist(), a

            if __name__ == "__main__":
                with mp.get_context("spawn").Pool(2) as pool:
                    out = pool.map(work, [mx.array([1.0, 2.0]), mx.array([3], mx.int8)])
                assert out[0][0] == [2.0, 4.0] and out[1][1].dtype == mx.int8, out
                print("fine")
            """
        )
    )
    r = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=900)
    assert "fine" in r.stdout, r.stderr


def test_keyboard_interrupt_during_a_long_eval():
    r = run(
        """
        import os, signal, threading, time
        import mlx_go.core as mx
        mx.set_default_device(mx.cpu)  # where a kernel is left half done; what a device was given has to end
        x = mx.random.normal((1500, 1500)); mx.eval(x)
        y = x
        for _ in range(400):
            y = mx.tanh(y @ x)
        y = y + mx.sum(mx.broadcast_to(mx.array(1.0), (1 << 45,)))  # which has no end
        def later():
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=later).start()
        try:
            mx.eval(y)
        except KeyboardInterrupt:
            print("interrupted")
        assert (mx.array([1.0]) + 1).item() == 2.0
        z = mx.sum(x @ x); mx.eval(z)
        print("alive")
        """,
        timeout=900,
    )
    assert r.stdout.split() == ["interrupted", "alive"], r.stdout + r.stderr


def test_threads_share_arrays():
    shared = mx.arange(1000).astype(mx.float32)
    expected = [(i * 2 + 1) for i in range(1000)]
    errors = []

    def work(seed):
        try:
            for k in range(60):
                a = shared * 2 + 1
                b = mx.sum(a) if k % 2 else a[seed : seed + 10]
                mx.eval(b)
                if k % 10 == 0:
                    assert a.tolist() == expected
                    assert mx.grad(lambda x: mx.sum(x * x))(mx.array([float(seed)])).item() == 2.0 * seed
                c = mx.array([float(k)] * 100)
                c[0] = seed
                c += 1
                assert c[0].item() == seed + 1 and c[1].item() == k + 1
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors


def test_arrays_cross_threads():
    made = []
    t = threading.Thread(target=lambda: made.append(mx.exp(mx.zeros((300, 300)))))
    t.start()
    t.join()
    assert mx.sum(made[0]).item() == 90000
    other = threading.Thread(target=made.clear)
    other.start()
    other.join()
    gc.collect()


def test_errors_of_async_eval_reach_the_caller():
    a = mx.zeros((1 << 10, 1 << 7))
    bad = mx.take(a, mx.array([1 << 20]), axis=0) + mx.ones((1 << 10, 1))
    mx.async_eval(bad)
    with pytest.raises(IndexError):
        mx.synchronize()
        mx.eval(bad)
    mx.synchronize()
    assert (mx.array([1.0]) + 1).item() == 2


def test_small_arrays_come_and_go_without_growth():
    a = mx.array([1.0])
    mx.synchronize()
    gc.collect()
    before = mx.get_active_memory()
    for _ in range(200_000):
        a + a
    assert mx.get_active_memory() <= before + 4096
    for _ in range(2000):
        b = a
        for _ in range(10):
            b = b + a
        mx.eval(b)
    del b
    assert mx.get_active_memory() <= before + 4096


def test_large_arrays_are_freed_at_once():
    before = mx.get_active_memory()
    a = mx.array([0.0] * (1 << 20))
    assert mx.get_active_memory() >= before + (4 << 20)
    del a
    assert mx.get_active_memory() < before + (1 << 20)
    a = mx.full((1 << 20,), 1.0)
    b = mx.split(mx.concatenate([a, a]), 2)
    mx.eval(a, b)
    del a, b
    assert mx.get_active_memory() < before + (1 << 20)


def test_long_chains():
    a = mx.array([0.0])
    for _ in range(100_000):
        a = a + 1
    assert a.item() == 100_000
    b = mx.array([0.0])
    for _ in range(300_000):
        b = b + 1
    del b


def test_exceptions_inside_transforms_leave_no_trace_behind():
    def bad(x):
        raise KeyError("mine")

    for f in (lambda: mx.grad(bad)(mx.array(1.0)), lambda: mx.vmap(bad)(mx.array([1.0])), lambda: mx.compile(bad)(mx.array(1.0)),
              lambda: mx.jvp(bad, [mx.array(1.0)], [mx.array(1.0)])):
        for _ in range(3):
            with pytest.raises(KeyError):
                f()
    x = mx.array([1.0, 2.0])
    for _ in range(100):
        x = x * 1.0
        mx.eval(x)
    before = mx.get_active_memory()
    for _ in range(1000):
        x = x * 1.0
        mx.eval(x)
    assert mx.get_active_memory() <= before + 4096


def test_signal_handlers_run_between_operations():
    if not hasattr(signal, "setitimer"):
        pytest.skip("the platform has no interval timers")
    hits = []
    old = signal.signal(signal.SIGALRM, lambda *_: hits.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        while len(hits) < 5:
            mx.eval(mx.array([1.0]) + 1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_exit_with_pending_work():
    r = run("import mlx_go.core as mx\na = mx.random.normal((1000, 1000))\nfor _ in range(20): a = a @ a\nmx.async_eval(a)\nprint('bye')")
    assert r.returncode == 0 and "bye" in r.stdout, r.stderr


warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)


def test_eval_of_arrays_that_nobody_else_holds():
    """__mlx_tree__ may make arrays, and drop or replace others that were collected before it ran."""
    held = {}

    class Fresh:
        def __mlx_tree__(self):
            return mx.ones((5,)) + 1

    class Dropping:
        def __mlx_tree__(self):
            held.clear()
            return [mx.zeros((3, 2)) for _ in range(200)]

    for _ in range(100):
        held["v"] = mx.ones((7,)) + 1
        mx.eval(held["v"], Fresh(), Dropping(), Fresh())
        mx.async_eval(Fresh(), Dropping())
    mx.synchronize()


def test_arrays_replaced_while_a_call_reads_its_arguments():
    a, b, stop = mx.ones((7,)), mx.ones((7,)), []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def replace():
        while not stop:
            a[0] = 1.0
            [mx.zeros((3, 2)) for _ in range(70)]

    threads = [threading.Thread(target=replace) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(20_000):  # the check of the stream is Python code between arguments and call
            assert mx.add(a, b, stream=mx.cpu).shape == (7,)
    finally:
        stop.append(1)
        sys.setswitchinterval(interval)
        for t in threads:
            t.join()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the platform has no timers that signal")
def test_lists_that_change_while_they_are_read():
    """Signal handlers run in the middle of long conversions, where Ctrl-C is looked for."""
    before = signal.signal(signal.SIGALRM, lambda *_: [part.clear() for part in lists] and lists.clear())
    try:
        for delay in (0.001, 0.005, 0.02, 0.05):
            lists = [[0.5] * (1 << 20) for _ in range(4)]
            signal.setitimer(signal.ITIMER_REAL, delay)
            try:
                assert mx.array(lists).shape == (4, 1 << 20)
            except (RuntimeError, ValueError) as e:
                assert "changed" in str(e) or "length" in str(e)
            while lists:
                time.sleep(0.001)
    finally:
        signal.signal(signal.SIGALRM, before)
