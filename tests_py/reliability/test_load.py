"""Long chains, many threads, many small arrays, long loops, failed allocations: memory stays flat and results right."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import mlx_go.core as mx

pytestmark = pytest.mark.smoke
MIB = 1 << 20


def resident() -> int:
    try:
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pytest.skip("resident memory is read from /proc")


def test_a_chain_of_100_000_operations() -> None:
    x = mx.zeros((3,))
    for _ in range(100_000):
        x = x + 1
    mx.eval(x)
    assert x.tolist() == [100_000] * 3
    for _ in range(100_000):
        x = x - 1
    del x  # never evaluated: freed without a recursion


def test_a_chain_of_views() -> None:
    x = mx.arange(6).reshape(2, 3)
    for _ in range(20_000):
        x = x.T[::-1]
    assert x.shape == (2, 3) and sorted(v for row in x.tolist() for v in row) == [0, 1, 2, 3, 4, 5]


def test_a_wide_graph_with_shared_parts() -> None:
    """2^40 paths through 40 levels: nodes are visited once."""
    x = mx.ones((2,))
    for _ in range(40):
        x = (x + x) * 0.5
    assert mx.eval(x) is None and x.tolist() == [1, 1]
    g = mx.ones((2,))
    f = lambda a: sum([a * float(i) for i in range(200)]).sum()
    assert mx.grad(f)(g).tolist() == [19900, 19900]


def test_a_million_small_arrays() -> None:
    for _ in range(20_000):
        mx.array(1.0) + 1
    gc.collect()
    active, rss = mx.get_active_memory(), resident()
    for _ in range(500_000):
        mx.array(1.0) + 1
    mx.eval(mx.array(0))
    assert mx.get_active_memory() - active < MIB
    assert resident() - rss < 32 * MIB
    for _ in range(20):
        held = [mx.zeros(4) for _ in range(25_000)]
        del held
    mx.eval(mx.array(0))
    assert mx.get_active_memory() - active < MIB
    assert resident() - rss < 64 * MIB


TRAINING = """
import gc, os
import numpy as np
import mlx_go.core as mx

def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

rng = np.random.default_rng(0)
draw = lambda *shape: mx.array(rng.standard_normal(shape).astype(np.float32))
data, target = draw(32, 16), draw(32, 1)
p = {"w": draw(16, 8) * 0.1, "v": draw(8, 1) * 0.1}
step = mx.value_and_grad(lambda p: mx.mean(mx.square(mx.tanh(data @ p["w"]) @ p["v"] - target)))

def train(n):
    global p
    for _ in range(n):
        loss, g = step(p)
        p = {k: v - 0.05 * g[k] for k, v in p.items()}
        mx.eval(p, loss)
    gc.collect()
    return loss.item(), mx.get_active_memory(), resident()

first, last = train(6000), train(10_000)  # Go's heap takes some thousand steps to find its size
assert last[0] < first[0], (first, last)
print(last[1] - first[1], last[2] - first[2])
"""


def test_training_steps_keep_memory_flat() -> None:
    """In a process of its own: resident memory beside other libraries also moves with what they do."""
    resident()  # or skip
    out = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, timeout=900)
    assert out.returncode == 0, out.stderr
    active, rss = map(int, out.stdout.split())
    assert active < 64 * 1024 and rss < 8 * MIB, (active, rss)


def test_a_loop_that_never_evaluates_its_state_early() -> None:
    """The usual mistake: the loss is printed, the accumulated sum is not; the graph grows, then evaluates at once."""
    total = mx.array(0.0)
    for i in range(5000):
        total = total + mx.array(float(i)) * 2
    assert total.item() == 5000 * 4999


def hammer(work, threads: int = 8) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(threads)

    def body(i: int) -> None:
        try:
            start.wait()
            work(i)
        except BaseException as e:
            errors.append(e)

    pool = [threading.Thread(target=body, args=(i,)) for i in range(threads)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    if errors:
        raise errors[0]


def test_eight_threads_over_shared_arrays() -> None:
    shared = [mx.array(np.full((64, 64), i, np.float32)) for i in range(8)]
    lazy = [a * 2 + 1 for a in shared]  # evaluated by whoever comes first

    def work(i: int) -> None:
        for k in range(300):
            a, b = shared[(i + k) % 8], lazy[(i * k) % 8]
            assert (a + b).sum().item() == 64 * 64 * ((i + k) % 8 + 2 * ((i * k) % 8) + 1)
            c = mx.concatenate([a, b])[::2].T
            assert c.shape == (64, 64)
            if k % 10 == 0:
                assert np.array(b)[0, 0] == 2 * ((i * k) % 8) + 1

    hammer(work)


def test_eight_threads_evaluate_one_large_graph() -> None:
    x = mx.ones((256, 256))
    parts = []
    for i in range(200):
        x = x + 1
        parts.append(x * i)

    def work(i: int) -> None:
        for k in range(i, 200, 8):
            assert parts[k][0, 0].item() == (k + 2) * k
        mx.eval(parts)

    hammer(work)


def test_threads_that_create_and_free() -> None:
    def work(i: int) -> None:
        kept = []
        for k in range(3000):
            kept.append(mx.array([i, k]) + 1)
            if len(kept) > 50:
                assert kept.pop(0).tolist()[0] == i + 1
            if k % 500 == 0:
                mx.clear_cache()
                mx.get_active_memory()

    hammer(work)


def test_transforms_in_threads() -> None:
    f = mx.grad(lambda x: (mx.sin(x) * x).sum())
    v = mx.vmap(lambda a, b: a @ b)
    c = mx.compile(lambda x: mx.exp(-x) * 2)

    def work(i: int) -> None:
        for k in range(100):
            x = mx.array([0.5 * i, 0.1 * k])
            want = np.cos(np.array(x)) * np.array(x) + np.sin(np.array(x))
            assert np.allclose(np.array(f(x)), want, atol=1e-5)
            assert np.allclose(np.array(c(x)), 2 * np.exp(-np.array(x)), atol=1e-5)
            assert v(mx.ones((3, 2, 2)), mx.ones((3, 2, 2))).tolist()[0][0] == [2, 2]

    hammer(work)


def test_arrays_made_on_one_thread_evaluate_on_another_and_outlive_both() -> None:
    made: list[mx.array] = []
    hammer(lambda i: made.append(mx.full((100,), i) * 2), 8)
    got: list[float] = []
    hammer(lambda i: got.append(made[i].sum().item()), 8)
    assert sorted(got) == [200 * i for i in range(8)] and sum(a[0].item() for a in made) == 56


def test_failed_allocations_leave_everything_working() -> None:
    a = mx.ones((1000,))
    for _ in range(20):
        with pytest.raises(MemoryError):
            mx.eval(mx.random.uniform(shape=(1 << 42,)) + 1)
        assert (a * 2).sum().item() == 2000
    before = mx.set_memory_limit(1 << 20)
    mx.set_memory_limit(before)


def test_an_error_in_the_middle_of_a_graph_leaves_the_rest_usable() -> None:
    good = mx.arange(1000) * 2
    bad = good[mx.array([5000])]
    both = mx.concatenate([good, bad])
    with pytest.raises(IndexError):
        mx.eval(good, both)
    assert good.sum().item() == 999_000
    with pytest.raises(IndexError):
        both.tolist()
    with pytest.raises(IndexError):
        (both + 1).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "a + b",
        "a[0]",
        "a.sum()",
        "repr(a)",
        "a.tolist()",
        "mx.grad(lambda x: x.sum())(a)",
        "a + 'x'",
        "mx.vmap(lambda x: x * 2)(a)",
        "mx.matmul(a, a)",
        "a.reshape(7)",
        "mx.zeros((2, 3), dtype='x')",
        "mx.compile(lambda x: x + 1)(a)",
        "a[99]",
        "mx.sum(a, axis=9)",
    ],
)
def test_nothing_leaks_objects(text: str) -> None:
    """Each call a thousand times: no Python object and no array is left behind, whether it succeeds or fails."""
    space = {"a": mx.ones((4, 4)), "b": mx.ones((4, 4)), "mx": mx}
    code = compile(text, "<leak>", "eval")

    def once() -> None:
        try:
            eval(code, space)
        except Exception:
            pass

    for _ in range(50):
        once()
    gc.collect()
    blocks, active = sys.getallocatedblocks(), mx.get_active_memory()
    for _ in range(1000):
        once()
    gc.collect()
    mx.eval(mx.array(0))
    assert sys.getallocatedblocks() - blocks < 300
    assert mx.get_active_memory() - active < 64 * 1024
