"""Streams as programs see them: defaults per thread, contexts, waiting, errors; against the oracle."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from oracle import mlx, mx, needs_oracle


def in_thread(f: Any) -> Any:
    out: list[Any] = []
    t = threading.Thread(target=lambda: out.append(f()))
    t.start()
    t.join()
    return out[0]


def behaviour(m: Any) -> list[Any]:
    """What the default stream is in every situation, as comparisons."""
    seen: list[Any] = []
    cpu, first = m.cpu, m.default_stream(m.cpu)
    s, local = m.new_stream(cpu), m.new_thread_local_stream(cpu)

    def look() -> None:
        now = m.default_stream(cpu)
        seen.append((now == s, now == first, now == m.default_stream(m.Device(cpu)), type(now).__name__))

    look()
    with m.stream(s):
        look()
        with m.stream(cpu):
            look()
        look()
        in_thread(look)
        seen.append(in_thread(lambda: m.default_stream(cpu) == m.default_stream(cpu)))
    for where in (s, local):
        with pytest.raises(KeyError), m.stream(where):
            look()
            raise KeyError
        look()
    in_thread(lambda: m.set_default_stream(s))
    look()
    m.set_default_stream(s)
    look()
    in_thread(look)
    m.set_default_stream(first)
    look()
    a = m.array([1.0])
    for where in (s, local, cpu, m.Device(cpu)):
        seen.append((m.add(a, a, stream=where).item(), m.synchronize(where)))
    return seen


@needs_oracle
def test_defaults_and_contexts_like_the_oracle() -> None:
    assert behaviour(mx) == behaviour(mlx)


def test_synchronize_waits_and_tells() -> None:
    a, b = mx.new_stream(mx.cpu), mx.new_stream(mx.cpu)
    x = mx.random.uniform(shape=(300_000,))
    with mx.stream(a):
        y = mx.sort(x)
    z = mx.cumsum(y, stream=b)  # waits for the other stream's result
    mx.async_eval(z)
    mx.synchronize(b)
    assert z[-1].item() == pytest.approx(x.sum().item(), rel=1e-3)
    bad = mx.add(mx.sort(x)[mx.array([1 << 30])], 1, stream=a)
    mx.async_eval(bad)
    with pytest.raises(IndexError):
        mx.synchronize(a)
    mx.synchronize(a)  # told once
    mx.async_eval(mx.add(bad, 1))
    with pytest.raises(IndexError):
        mx.eval(bad)
    mx.synchronize()


def test_errors_stay_with_the_thread_that_asked() -> None:
    x = mx.random.uniform(shape=(200_000,))
    bad = mx.array([1 << 30])
    wrong: list[Any] = []

    def work(t: int) -> None:
        for _ in range(12):
            try:
                mx.eval(mx.sort(x + t)[bad] if t % 2 else mx.sort(x + t))
                if t % 2:
                    wrong.append("no error")
            except IndexError as e:
                if t % 2 == 0:
                    wrong.append(e)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    mx.synchronize()
