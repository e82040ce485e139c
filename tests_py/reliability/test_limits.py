"""Where memory cannot be had there is a MemoryError, from every op and conversion, and the process goes on."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import mlx_go.core as mx

pytestmark = pytest.mark.smoke
resource = pytest.importorskip("resource")


def run(program: str, timeout: float = 900) -> str:
    r = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=timeout)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit counts address space on Linux only")
def test_ops_without_memory_raise() -> None:
    out = run(
        """
        import io, pickle, resource
        import mlx_go.core as mx

        MIB = 1 << 20
        n = 16 * MIB  # 64 MiB each
        x = mx.random.uniform(shape=(n,))
        h = x.astype(mx.float16)
        mx.eval(x, h, mx.sort(x[:1000]), mx.zeros((300, 300)) @ mx.zeros((300, 300)))
        mx.clear_cache()
        with open("/proc/self/statm") as f:
            used = int(f.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 100 * MIB, -1))

        raised = 0
        for name, f in {
            "sort": lambda: mx.sort(x),
            "argsort": lambda: mx.argsort(x),
            "partition": lambda: mx.partition(h, 9),
            "cumsum": lambda: mx.cumsum(h.astype(mx.float32)),
            "layer_norm": lambda: mx.fast.layer_norm(x, x, x, 1e-5),
            "softmax": lambda: mx.softmax(x[::2].astype(mx.int32)),
            "sum": lambda: mx.sum(x.reshape(-1, 3 * 2**6, 2), axis=1) if n % 384 == 0 else mx.sum(x.reshape(-1, 64, 2), axis=1),
            "matmul": lambda: h.reshape(-1, 4) @ mx.zeros((4, 9), mx.float16),
            "conv1d": lambda: mx.conv1d(x.reshape(1, -1, 1), mx.zeros((4, 3, 1))),
            "astype": lambda: x.astype(mx.float64),
            "concatenate": lambda: mx.concatenate([x, x]),
            "mask": lambda: x[x > 0.1],
            "assignment by a mask": lambda: x.at[x > 2].add(x),
            "normal": lambda: mx.random.normal(shape=(2 * n,)),
            "tolist": lambda: x.tolist(),
            "pickle": lambda: pickle.dumps([x, h, x]),
            "save": lambda: mx.savez(io.BytesIO(), x, h, x),
        }.items():
            try:
                y = f()
                if isinstance(y, mx.array):
                    mx.eval(y)
            except MemoryError as e:
                raised += 1
                assert not str(e) or name in str(e) or "cannot allocate" in str(e), (name, e)
            y = None
            assert (mx.ones((1000,)) * 2).sum().item() == 2000, name
        print(raised)
        """
    )
    assert int(out) >= 9, out


def test_limits_of_the_process_are_seen() -> None:
    """Address space here; control groups, which tests cannot enter, in backends/cpu/limits_test.go."""
    out = run(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, -1))
        import mlx_go.core as mx
        print(mx.device_info()["memory_size"], mx.get_memory_limit())
        """
    )
    size, limit = map(int, out.split())
    assert size <= 3 << 30 and size // 2 < limit < size
    assert mx.get_memory_limit() < mx.device_info()["memory_size"]


def test_working_space_counts_against_the_limit() -> None:
    x = mx.random.uniform(shape=(1 << 20,))
    mx.eval(x)
    before = mx.set_memory_limit(mx.get_active_memory() + (6 << 20))
    try:
        with pytest.raises(MemoryError, match=r"\[sort\] cannot allocate \d+ bytes of working space"):
            mx.eval(mx.sort(x))
    finally:
        mx.set_memory_limit(before)
    assert mx.sort(x)[0].item() <= mx.sort(x)[-1].item()
