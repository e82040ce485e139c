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


def behavior(m: Any) -> list[Any]:
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
    for where in (cpu, s, local):
        with m.stream(where):  # what is chosen inside ends with it
            m.set_default_stream(first)
            look()
            m.set_default_device(cpu)
            seen.append(m.default_device() == cpu)
        look()
    twice = m.stream(s)
    with twice, twice:
        look()
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
    assert behavior(mx) == behavior(mlx)


CALLS: dict[str, Any] = {
    "Stream": lambda m: m.Stream(), "Stream of": lambda m: m.Stream(m.Device(m.cpu), 3), "context": lambda m: m.StreamContext(3),
    "stream": lambda m: m.stream(3), "stream None": lambda m: m.stream(None), "add": lambda m: m.add(1, 2, stream=3),
    "add gpu": lambda m: m.add(1, 2, stream=m.gpu), "synchronize": lambda m: m.synchronize(3), "synchronize gpu": lambda m: m.synchronize(m.gpu),
    "default": lambda m: m.default_stream(3), "default gpu": lambda m: m.default_stream(m.gpu),
    "default of": lambda m: m.default_stream(m.new_stream(m.cpu)), "new gpu": lambda m: m.new_stream(m.gpu),
    "new": lambda m: m.new_stream(None), "local gpu": lambda m: m.new_thread_local_stream(m.gpu),
    "set default": lambda m: m.set_default_stream(3), "set local": lambda m: m.set_default_stream(m.new_thread_local_stream(m.cpu)),
    "device None": lambda m: m.set_default_device(None), "device": lambda m: m.set_default_device(3),
    "device gpu": lambda m: m.set_default_device(m.gpu), "count": lambda m: m.device_count(m.Device(m.cpu)),
    "enter gpu": lambda m: m.stream(m.gpu).__enter__(), "Device": lambda m: m.Device(3),
    "attribute": lambda m: m.default_stream(m.cpu).index, "no error": lambda m: (m.stream(m.gpu), m.Device(m.gpu, 3), m.Device(m.cpu, -1)),
    "device of": lambda m: m.default_stream(m.cpu).device == m.cpu, "info": lambda m: m.device_info(m.gpu),
    "available": lambda m: m.is_available(m.Device(m.cpu, 1)), "reprs": lambda m: repr((m.cpu, m.Device(m.gpu, 2))),
    "first": lambda m: repr(m.new_stream(m.cpu)).rpartition(", ")[0], "enter": lambda m: m.stream(m.cpu).__exit__(),
    "equal": lambda m: (m.new_stream(m.cpu) == m.cpu, m.new_stream(m.cpu) == 1, m.new_thread_local_stream(m.cpu) == m.new_stream(m.cpu)),
}  # fmt: skip


@needs_oracle
@pytest.mark.skipif(mx.is_available(mx.gpu), reason="the oracle has no gpu")
@pytest.mark.parametrize("call", CALLS)
def test_errors_and_answers_like_the_oracle(call: str) -> None:
    def outcome(m: Any) -> Any:
        try:
            r = CALLS[call](m)
        except Exception as e:
            return type(e)
        return r if isinstance(r, (bool, str, tuple, dict)) and call != "no error" else None

    told_here = {"enter": RuntimeError, "local gpu": ValueError}  # where the oracle says nothing yet
    assert outcome(mx) == told_here.get(call, outcome(mlx))


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
