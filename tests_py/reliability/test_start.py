"""Importing mlx_go starts a runtime inside of the process: what that needs, what it may not read, and what it leaves as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc, and sets limits as Linux has them"),
]
WORKS = "import mlx_go.core as mx\nassert (mx.array([1.0, 2.0]) + 1).tolist() == [2.0, 3.0]\nprint('works')"


def run(program: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=900, env={**os.environ, **env}
    )


@pytest.mark.parametrize(
    "setting",
    ["GOMEMLIMIT=nonsense", "GODEBUG=cgocheck=2", "GODEBUG=fips140=x", "GODEBUG=gctrace=1,inittrace=1", "GOGC=-nonsense",
     "GOMAXPROCS=0x", "GOTRACEBACK=nonsense", "GOMEMLIMIT=1"],
)
def test_variables_for_go_programs_do_not_reach_the_extension(setting: str) -> None:
    name, value = setting.split("=", 1)
    out = run(
        f"""
        {WORKS.replace(chr(10), chr(10) + " " * 8)}
        import ctypes, os, subprocess
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        assert getenv({name!r}.encode()).decode() == os.environ[{name!r}] == {value!r}
        assert {setting!r} in subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.split("\\n")
        """,
        **{name: value},
    )
    assert (out.returncode, out.stdout, out.stderr) == (0, "works\n", "")


def test_import_with_an_empty_environment() -> None:
    path = "import sys\nsys.path[:] = " + repr(sys.path) + "\n"
    out = subprocess.run([sys.executable, "-c", path + WORKS], capture_output=True, text=True, timeout=900, env={})
    assert (out.returncode, out.stdout) == (0, "works\n"), out.stderr


LIMITED = """
    import resource
    {limit}
    for _ in range(2):
        try:
            import mlx_go.core as mx
        except (ImportError, MemoryError) as e:
            print(type(e).__name__, e)
    """


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("resource.setrlimit(resource.RLIMIT_AS, (400 << 20, -1))", "address space"),
        ("resource.setrlimit(resource.RLIMIT_AS, (1200 << 20, -1))", "address space"),
        ("resource.setrlimit(resource.RLIMIT_DATA, (120 << 20, -1))", "memory"),
        ("resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7))", "file descriptors"),
        # A limit on processes does not bind the user 0: another one, who may still read files.
        (
            "import os, ctypes; os.geteuid() or (os.setresuid(54321, 54321, 0), ctypes.CDLL(None).setfsuid(0)); "
            "resource.setrlimit(resource.RLIMIT_NPROC, (2, 2))",
            "threads",
        ),
    ],
)
def test_import_without_what_it_needs_is_an_error(limit: str, words: str) -> None:
    out = run(LIMITED.format(limit=limit))
    lines = out.stdout.splitlines()
    assert out.returncode == 0 and len(lines) == 2, out.stdout + out.stderr
    assert all(line.startswith("ImportError mlx_go: the process may not have enough") and words in line for line in lines)


@pytest.mark.parametrize("mib", range(1300, 2400, 100))
def test_import_works_or_raises_whatever_the_address_space(mib: int) -> None:
    out = run(f"import resource\nresource.setrlimit(resource.RLIMIT_AS, ({mib} << 20, -1))\n" + WORKS)
    assert out.stdout == "works\n" or "ImportError" in out.stderr, out.stdout + out.stderr
    assert out.returncode in (0, 1)


def test_arrays_leave_address_space_to_go() -> None:
    """A process whose arrays fill the limit still makes small ones: Go's heap, which grows, ends the process where it cannot."""
    out = run(
        """
        import os, resource
        threads = 3 * os.cpu_count() + 10
        with open("/proc/self/statm") as f:
            used = int(f.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1536 + 8 * threads + 500 << 20), -1))
        import mlx_go.core as mx
        mx.set_cache_limit(0)
        held = []
        try:
            while True:
                held.append(mx.random.uniform(shape=(1 << 20,)))
                mx.eval(held[-1])
        except MemoryError:
            print(len(held) * 4 > 100)
        held.pop()
        x = mx.zeros((3,))
        for _ in range(100_000):
            x = x + 1
        print(x.tolist() == [100_000] * 3)
        """
    )
    assert out.stdout == "True\nTrue\n" and out.returncode == 0, out.stdout + out.stderr


def test_signals_stay_as_they_were() -> None:
    out = run(
        """
        import os, signal, threading

        def caught():
            with open("/proc/self/status") as f:
                fields = dict(line.split(":\\t") for line in f if ":\\t" in line)
            return {s for s in range(1, 65) if int(fields["SigCgt"], 16) >> (s - 1) & 1}

        every = signal.valid_signals()
        signal.pthread_sigmask(signal.SIG_BLOCK, every)
        before, before_caught = signal.pthread_sigmask(signal.SIG_BLOCK, []), caught()
        import mlx_go.core as mx
        x = mx.random.normal((600, 600))
        mx.eval(x @ x)
        lost = [before - signal.pthread_sigmask(signal.SIG_BLOCK, [])]

        def other():
            (mx.ones(3) + 1).tolist()
            lost.append(before - signal.pthread_sigmask(signal.SIG_BLOCK, []))

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        print(lost == [set(), set()])
        # Faults, by which Go tells its own from others', one that makes its threads deaf, and one that glibc needs.
        print(caught() - before_caught <= {signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, 16, 33})

        faults = {int(getattr(signal, "SIG" + s)) for s in ("ILL", "TRAP", "ABRT", "BUS", "FPE", "SEGV", "SYS", "KILL", "STOP")}
        for thread in set(os.listdir("/proc/self/task")) - {str(threading.get_native_id())}:
            with open(f"/proc/self/task/{thread}/status") as f:
                mask = next(int(line.split()[1], 16) for line in f if line.startswith("SigBlk"))
            heard = {s for s in range(1, 65) if not mask >> (s - 1) & 1} - {32, 33}
            if not heard <= faults:
                print(thread, sorted(heard - faults))
        """
    )
    assert out.stdout == "True\nTrue\n" and out.returncode == 0, out.stdout + out.stderr


def test_a_handler_of_sigurg_is_called_by_nobody_else() -> None:
    """Go's scheduler sends that signal to threads that it wants to stop, unless told not to."""
    out = run(
        """
        import signal, threading
        import mlx_go.core as mx
        calls = []
        signal.signal(signal.SIGURG, lambda *_: calls.append(1))

        def churn():
            for _ in range(6):
                x = mx.zeros((2, 3, 4))
                mx.eval([x[:, i % 3] + mx.ones((2, 4)) for i in range(20_000)])

        threads = [threading.Thread(target=churn) for _ in range(2)]
        [t.start() for t in threads]
        churn()
        [t.join() for t in threads]
        before = len(calls)
        signal.raise_signal(signal.SIGURG)
        print(before, len(calls) - before)
        """
    )
    assert out.stdout == "0 1\n", out.stdout + out.stderr


HANDLER = r"""
#include <signal.h>
#include <string.h>
#include <sys/time.h>
static volatile long calls;
static void handler(int s) { volatile char room[12000]; memset((void *)room, 0xA5, sizeof room); calls += s > 0; }
long count(void) { return calls; }
void start(int s, int timer) {
	struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct itimerval t = {{0, 300}, {0, 300}};
	sigaction(s, &a, 0);
	setitimer(timer, &t, 0);
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="compiles a handler in C")
@pytest.mark.parametrize("timer", ["PROF", "REAL"])
def test_handlers_that_ask_for_no_stack_of_their_own(tmp_path, timer: str) -> None:
    """As profilers in C set them: on a goroutine's stack there must be room, or no signal."""
    (tmp_path / "handler.c").write_text(HANDLER)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "handler.so", tmp_path / "handler.c"], check=True)
    out = run(
        f"""
        import ctypes, signal
        import mlx_go.core as mx
        handler = ctypes.CDLL({str(tmp_path / "handler.so")!r})
        handler.start(signal.SIG{"PROF" if timer == "PROF" else "ALRM"}, signal.ITIMER_{timer})
        rounds = 0
        while rounds < 1500 or handler.count() < 300:
            a = [mx.zeros((2, 3, 4))[:, i % 3] + mx.array([1.0, 2, 3, 4]) for i in range(200)]
            mx.eval(a)
            assert mx.grad(lambda x: mx.sum(x * x))(a[0]).tolist() == [[2.0, 4.0, 6.0, 8.0]] * 2
            rounds += 1
        print("fine")
        """
    )
    assert out.stdout == "fine\n" and out.returncode == 0, out.stderr[:2000]


USES = """
import mlx_go.core as mx
y = mx.array([3.0, 4.0])
assert mx.add(y, y, stream=mx.cpu).tolist() == [6, 8]
assert y.at[0].add(1.0).tolist() == [4, 4]
assert mx.grad(lambda a: mx.sum(a * a, stream=mx.cpu))(y).tolist() == [6, 8]
assert mx.compile(lambda a: a + 1)([y][0]).tolist() == [4, 5]
try:
    mx.add(y, y, stream=3)
except TypeError:
    pass
else:
    raise AssertionError
mx.synchronize(mx.cpu)
"""


@pytest.mark.parametrize("first", ["the main one", "a sub-interpreter"])
def test_interpreters_that_are_gone_leave_nothing_behind(first: str) -> None:
    """Each has functions and classes of its own, of which the extension must call no other's."""
    out = run(
        f"""
        import gc, sys
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        uses = {USES!r}
        if {first!r} == "the main one":
            exec(uses)
        for _ in range(2):
            other = interpreters.create("legacy") if sys.version_info >= (3, 13) else interpreters.create(isolated=False)
            failed = interpreters.run_string(other, uses)
            assert not failed, failed
            interpreters.destroy(other)
            gc.collect()
        exec(uses)
        print("fine")
        """
    )
    assert out.stdout == "fine\n" and out.returncode == 0, out.stdout + out.stderr
