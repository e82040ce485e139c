"""Signals, fork, spawn and errors on other threads: nothing hangs, nothing dies, everything is a Python exception."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.smoke
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and POSIX signals")


def run(program: str, timeout: float = 900, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=timeout, **more
    )


LONG = """
import os, signal, sys, threading, time
import mlx_go.core as mx
x = mx.ones((1500, 1500)) / 1500
mx.eval(x)
def late():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=late).start()
y = x
for _ in range(STEPS):
    y = y @ x
y = y + mx.sum(mx.broadcast_to(mx.array(1.0), (1 << 45,)))  # which has no end
try:
    WAIT
    sys.exit("no KeyboardInterrupt")
except KeyboardInterrupt:
    pass
z = x.sum()
assert abs(z.item() - 1500) < 1, z
print("interrupted")
"""


@POSIX
@pytest.mark.parametrize("wait", ["mx.eval(y)", "y[0, 0].item()", "mx.async_eval(y); mx.synchronize()", "y.tolist()"])
def test_ctrl_c_ends_a_long_evaluation(wait: str) -> None:
    r = run(LONG.replace("STEPS", "4000").replace("WAIT", wait))
    assert r.returncode == 0 and "interrupted" in r.stdout, r.stderr


@POSIX
def test_ctrl_c_inside_one_large_kernel() -> None:
    r = run(LONG.replace("1500", "6000").replace("STEPS", "40").replace("WAIT", "mx.eval(y)"))
    assert r.returncode == 0 and "interrupted" in r.stdout, r.stderr


@POSIX
def test_fork_raises_in_the_child_and_leaves_the_parent_alone() -> None:
    r = run(
        """
        import os, sys
        import mlx_go.core as mx
        a = mx.arange(4)
        mx.eval(a)
        pid = os.fork()
        if pid == 0:
            failures = 0
            for f in (lambda: a + 1, lambda: mx.eval(a), lambda: a.tolist(), lambda: mx.zeros(3), lambda: mx.random.uniform(), lambda: repr(a)):
                try:
                    f()
                except RuntimeError as e:
                    failures += "spawn" in str(e)
            del a
            os._exit(failures)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 6, status
        assert (a + 1).tolist() == [1, 2, 3, 4]
        print("fine")
    """,
        timeout=900,
    )
    assert r.returncode == 0 and "fine" in r.stdout, r.stderr


@POSIX
def test_multiprocessing_with_fork_raises_and_with_spawn_works(tmp_path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(
        textwrap.dedent("""
        import multiprocessing, sys
        import mlx_go.core as mx

        def work(n):
            return mx.arange(n).sum().item()

        if __name__ == "__main__":
            mx.eval(mx.ones(3))
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print("spawn", pool.map(work, [3, 4, 5]))
            with multiprocessing.get_context("fork").Pool(1) as pool:
                try:
                    pool.map(work, [3])
                except RuntimeError as e:
                    print("fork", "spawn" in str(e))
    """)
    )
    r = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=900)
    assert "spawn [3, 6, 10]" in r.stdout and "fork True" in r.stdout, r.stdout + r.stderr


@POSIX
def test_fork_before_first_use_of_a_thread_is_detected_too() -> None:
    r = run(
        """
        import os
        import mlx_go.core as mx
        pid = os.fork()
        if pid == 0:
            try:
                mx.zeros(3) + 1
            except RuntimeError:
                os._exit(7)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status))
    """,
        timeout=900,
    )
    assert r.stdout.strip() == "7", r.stdout + r.stderr


def test_exit_with_work_under_way() -> None:
    """The interpreter ends while the scheduler still computes, with arrays alive in module globals."""
    r = run("""
        import mlx_go.core as mx
        x = mx.ones((1000, 1000))
        for _ in range(2000):
            x = x @ x
        mx.async_eval(x, mx.sum(mx.broadcast_to(x, (1 << 30, 1000, 1000))))  # without end
        keep = [mx.zeros(10) for _ in range(1000)]
    """)
    assert r.returncode == 0, r.stderr


def test_errors_of_asynchronous_work_reach_the_caller() -> None:
    r = run("""
        import mlx_go.core as mx
        bad = mx.zeros(3)[mx.array([5])]
        big = mx.ones((512, 512))
        for _ in range(20):
            big = big @ big * 1e-3
        def error(f):
            try:
                f()
            except IndexError as e:
                return "bounds" in str(e)
            return None
        assert error(lambda: mx.eval(bad))
        mx.async_eval(big, bad + 1)
        assert error(mx.synchronize) or error(lambda: (bad + 1).item())
        late = mx.zeros(3)[mx.array([7])]
        assert error(lambda: (mx.async_eval(late), late.tolist()))
        assert error(lambda: mx.eval(late * 2))
        assert mx.ones(3).sum().item() == 3
        print("reported")
    """)
    assert r.returncode == 0 and "reported" in r.stdout, r.stderr


def test_import_in_a_thread_and_signal_handlers_stay() -> None:
    r = run("""
        import signal, threading
        before = signal.getsignal(signal.SIGINT)
        t = threading.Thread(target=lambda: __import__("mlx_go.core"))
        t.start(); t.join()
        import mlx_go.core as mx
        assert signal.getsignal(signal.SIGINT) is before
        assert mx.ones(2).tolist() == [1, 1]
        print("fine")
    """)
    assert r.returncode == 0 and "fine" in r.stdout, r.stderr


@POSIX
def test_sigterm_and_sigsegv_still_end_the_process() -> None:
    for number in (signal.SIGTERM, signal.SIGSEGV):
        r = run(f"""
            import os
            import mlx_go.core as mx
            mx.eval(mx.ones(3))
            os.kill(os.getpid(), {int(number)})
            import time; time.sleep(5)
        """)
        assert r.returncode != 0
