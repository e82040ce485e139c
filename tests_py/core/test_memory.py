"""Counters and limits of memory, and donation as it shows in them."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from oracle import assert_close, mx, to_numpy

pytestmark = pytest.mark.smoke
MIB = 1 << 20


@pytest.fixture(autouse=True)
def _limits():
    gc.collect()
    mx.synchronize()
    mx.clear_cache()
    cache, memory = mx.set_cache_limit(1 << 30), mx.get_memory_limit()
    yield
    mx.set_cache_limit(cache)
    mx.set_memory_limit(memory)


def fresh(n: int = MIB) -> mx.array:
    a = mx.random.uniform(shape=(n,), key=mx.random.key(1))
    mx.eval(a)
    return a


def test_active_follows_arrays() -> None:
    start = mx.get_active_memory()
    a = fresh()
    mx.clear_cache()
    assert mx.get_active_memory() - start == pytest.approx(4 * MIB, rel=0.01)
    b = a.reshape(1024, 1024).T[::2]  # a view owns nothing
    mx.eval(b)
    assert mx.get_active_memory() - start == pytest.approx(4 * MIB, rel=0.01)
    del a
    assert mx.get_active_memory() - start == pytest.approx(4 * MIB, rel=0.01)
    del b
    mx.eval(mx.array(0))
    assert mx.get_active_memory() - start < MIB


def test_lazy_arrays_own_nothing() -> None:
    start = mx.get_active_memory()
    a = mx.zeros((1 << 26,)) + 1
    assert mx.get_active_memory() - start < MIB and a.size == 1 << 26


def test_cache_keeps_and_gives_back() -> None:
    a = fresh()
    del a
    mx.eval(mx.array(0))
    assert mx.get_cache_memory() >= 4 * MIB
    mx.clear_cache()
    assert mx.get_cache_memory() == 0
    mx.set_cache_limit(0)
    a = fresh()
    del a
    mx.eval(mx.array(0))
    assert mx.get_cache_memory() == 0


def test_idle_memory_follows_arrays_that_grow() -> None:
    """As a cache of keys that every token lengthens: nobody asks for the sizes it had before."""
    start = mx.get_active_memory()
    step = mx.zeros((1, 8, 64, 128))
    keys = step
    for _ in range(160):
        keys = mx.concatenate([keys, step], axis=2)
        mx.eval(keys)
        # The memory that it had before is idle, and of other sizes no more than a little.
        assert mx.get_cache_memory() <= mx.get_active_memory() - start + 40 * MIB


def test_limits_return_the_previous_one() -> None:
    before = mx.set_cache_limit(123456)
    assert mx.set_cache_limit(before) == 123456
    before = mx.get_memory_limit()
    assert mx.set_memory_limit(1 << 40) == before and mx.get_memory_limit() == 1 << 40


def test_peak() -> None:
    mx.reset_peak_memory()
    start = mx.get_peak_memory()
    a = fresh()
    del a
    peak = mx.get_peak_memory()
    assert peak - start >= 4 * MIB
    mx.reset_peak_memory()
    assert mx.get_peak_memory() <= peak


def test_a_chain_of_elementwise_operations_needs_no_second_buffer() -> None:
    a = fresh()
    mx.clear_cache()
    mx.reset_peak_memory()
    start = mx.get_active_memory()
    for _ in range(20):
        a = mx.sin(a) * 2 + 1
    mx.eval(a)
    assert mx.get_peak_memory() - start <= 4 * MIB + MIB


def test_updates_in_a_loop_reuse_their_memory() -> None:
    p, g = fresh(), fresh()
    mx.clear_cache()
    mx.reset_peak_memory()
    start = mx.get_active_memory()
    for _ in range(10):
        p = p - 0.1 * g
        mx.eval(p)
    assert mx.get_peak_memory() - start <= 4 * MIB + MIB


def test_intermediates_die_with_their_last_consumer() -> None:
    """Ten products of matrices held one after the other, not all at once."""
    a = fresh().reshape(1024, 1024)
    mx.eval(a)
    mx.clear_cache()
    mx.reset_peak_memory()
    start = mx.get_active_memory()
    x = a
    for _ in range(10):
        x = x @ a
    mx.eval(x)
    assert mx.get_peak_memory() - start <= 3 * 4 * MIB + MIB


def test_steps_beside_a_transform_that_takes_long() -> None:
    """A thread in the middle of a transform keeps its own graph, and nobody else's."""
    begun, over = threading.Event(), threading.Event()

    def waits(a: mx.array) -> mx.array:
        begun.set()
        over.wait(900)
        return (a * a).sum()

    grads: list[mx.array] = []
    thread = threading.Thread(target=lambda: grads.append(mx.grad(waits)(mx.array([3.0]))))
    thread.start()
    try:
        assert begun.wait(900)

        def loss(p: mx.array) -> mx.array:
            h = mx.sin(p @ p)
            mx.eval(h)  # kept until the transform is over
            return mx.sum(h * h)

        p = mx.zeros((256, 256)) + 0.001
        mx.eval(p)
        start = mx.get_active_memory()
        for _ in range(20):
            p = p - 0.1 * mx.grad(loss)(p)
            mx.eval(p)
            assert mx.get_active_memory() - start < MIB
    finally:
        over.set()
        thread.join()
    assert grads[0].item() == 6


def test_donation_never_takes_what_is_still_held() -> None:
    a = mx.arange(1000, dtype=mx.float32)
    mx.eval(a)
    views = [a, a[::2], a.reshape(10, 100), a[5:]]
    b = a
    for _ in range(3):
        b = b + 1
    c = mx.exp(a * 0) + b
    mx.eval(b, c)
    want = np.arange(1000, dtype=np.float32)
    for v, w in zip(views, (want, want[::2], want.reshape(10, 100), want[5:])):
        assert_close(v, w)
    assert_close(b, want + 3)
    assert_close(c, want + 4)


def test_donation_of_aliases_inside_one_graph() -> None:
    x = fresh(1000)
    host = to_numpy(x)
    y = x + 1
    z = y * 2
    w = y - z
    y[0] = 100.0
    mx.eval(x, y, z, w)
    assert_close(x, host)
    assert_close(z, (host + 1) * 2)
    assert_close(w, (host + 1) - (host + 1) * 2)
    changed = host + 1
    changed[0] = 100
    assert_close(y, changed)


def test_views_of_numpy_memory_are_not_written() -> None:
    host = np.ones(MIB, np.float32)
    a = mx.asarray(host)
    b = a + 1
    b = b * 3
    del a
    mx.eval(b)
    assert (host == 1).all() and b[0].item() == 6


def test_sizes() -> None:
    a = mx.zeros((3, 5), dtype=mx.float16)
    assert a.nbytes == 30 and a.itemsize == 2
    assert (
        isinstance(mx.get_active_memory(), int)
        and isinstance(mx.get_peak_memory(), int)
        and isinstance(mx.get_cache_memory(), int)
    )


def test_memory_error_names_bytes_and_shape_and_the_process_goes_on() -> None:
    with pytest.raises(MemoryError, match="1099511627776"):
        mx.eval(mx.ones((1 << 40,)) * mx.random.uniform(shape=(1 << 40,)))
    assert mx.eval(mx.ones(3) + 1) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: mx.zeros((1 << 62, 8)),
        lambda: mx.broadcast_to(mx.zeros((1,)), (1 << 40, 1 << 40)),
        lambda: mx.ones((1 << 31, 1 << 31, 4)),
    ],
)
def test_shapes_beyond_all_memory(call) -> None:
    with pytest.raises((ValueError, MemoryError, OverflowError)):
        mx.eval(call() + 1)
