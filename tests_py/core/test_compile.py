"""compile: what is cached, captured state, failures, nesting and threads."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from typing import Any

import pytest
from oracle import mlx, needs_oracle

import mlx_go.core as mx
from mlx_go import nn, optimizers


def test_training_step_with_modules() -> None:
    """Modules and optimizers as captured state: the compiled step trains as the plain one does."""

    def train(wrap: Any) -> list[float]:
        mx.random.seed(7)
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
        opt = optimizers.AdamW(1e-2)
        opt.init(model.trainable_parameters())
        x, y = mx.random.normal((16, 4)), mx.random.normal((16, 1))
        state = [model.state, opt.state, mx.random.state]
        loss = nn.value_and_grad(model, lambda: (model(x) - y).square().mean())

        def step() -> Any:
            value, grads = loss()
            opt.update(model, grads)
            return value

        run = wrap(step, state)
        losses = []
        for _ in range(6):
            losses.append(run())
            mx.eval(state)
        return [v.item() for v in losses]

    want = train(lambda step, _: step)
    got = train(lambda step, state: mx.compile(step, inputs=state, outputs=state))
    assert got == pytest.approx(want, rel=1e-4) and want[0] != want[5]


def test_constants_are_told_apart() -> None:
    f = mx.compile(lambda x, k: x / k)
    one = mx.array(1.0)
    assert f(one, 0.0).item() == math.inf and f(one, -0.0).item() == -math.inf
    assert f(one, 2).item() == f(one, 2.0).item() == 0.5 and f(one, True).item() == 1
    runs = []
    g = mx.compile(lambda x, k: runs.append(k) or x)
    for _ in range(3):
        g(one, float("nan"))
        g(one, complex(math.nan, 1))
    assert len(runs) == 2
    h = mx.compile(lambda t, **kw: sum(kw.values()) + (t[0] if isinstance(t, list) else t["a"]))
    assert h([one]).item() == 1 and h({"a": one * 2}).item() == 2 and h([one], a=one, b=one).item() == 3


def test_traces_are_bounded_and_die_with_the_function() -> None:
    class Weight:
        pass

    held = Weight()
    gone = weakref.ref(held)
    before = mx.get_active_memory()

    def f(x: Any, k: int, held: Any = held) -> Any:
        return x + mx.full((64,), k)

    compiled = mx.compile(f)
    big = mx.zeros(64)
    for k in range(3000):
        compiled(big, k)
    assert mx.get_active_memory() - before < 1 << 20
    assert compiled(big, 1)[0].item() == 1
    del f, held, compiled
    gc.collect()
    assert gone() is None


def test_failures_leave_state_as_it_was() -> None:
    state = {"n": mx.array(1.0), "list": [mx.array(2.0)]}
    fail = [True]

    @mx.compile
    def plain(x: Any) -> Any:
        if fail[0]:
            raise KeyError("no")
        return x

    def step(x: Any) -> Any:
        state["n"] = state["n"] + x
        state["new"] = x
        state["list"].append(x)
        if fail[0]:
            raise ZeroDivisionError
        return state["n"]

    f = mx.compile(step, inputs=state, outputs=state)
    with pytest.raises(KeyError):
        plain(mx.array(1.0))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            f(mx.array(1.0))
        assert list(state) == ["n", "list"] and state["n"].item() == 1 and [a.item() for a in state["list"]] == [2]
    fail[0] = False
    assert f(mx.array(3.0)).item() == 4 and state["new"].item() == 3 and plain(mx.array(1.0)).item() == 1


@pytest.mark.parametrize("use", [lambda x: x.item(), print, lambda x: float(x), lambda x: mx.eval(x + 1), bool])
def test_values_are_missing_inside(use: Any) -> None:
    with pytest.raises(ValueError, match=r"\[eval\].*vmapped or compiled"):
        mx.compile(lambda x: use(x * 2) and x)(mx.array(1.0))
    with pytest.raises(ValueError, match=r"\[eval\].*vmapped or compiled"):
        mx.vmap(lambda x: use(x * 2) and x)(mx.array([1.0]))
    assert mx.compile(lambda x: x + 1)(mx.array(1.0)).item() == 2


def test_nesting() -> None:
    inner = mx.compile(lambda x, n=3: x if n == 0 else inner(x * 2, n - 1))
    outer = mx.compile(lambda x: inner(x) + mx.grad(inner)(x))
    x = mx.array(2.0)
    assert inner(x).item() == 16 and outer(x).item() == 24
    square = mx.compile(lambda x: x * x)
    assert mx.grad(square)(x).item() == 4 and mx.compile(mx.grad(square))(x).item() == 4
    assert mx.vmap(square)(mx.array([1.0, 3.0])).tolist() == [1, 9]
    assert mx.compile(mx.vmap(mx.grad(square)))(mx.array([1.0, 3.0])).tolist() == [2, 6]
    assert mx.grad(lambda w: mx.compile(lambda a: a * w)(x))(x).item() == 2
    with_state = mx.compile(lambda a: square(a) + mx.random.uniform(), inputs=mx.random.state, outputs=mx.random.state)
    assert with_state(x).item() != with_state(x).item()


def test_disable_and_enable() -> None:
    runs = []
    f = mx.compile(lambda x: runs.append(1) or x)
    x = mx.array(1.0)
    try:
        mx.disable_compile()
        for _ in range(3):
            f(x)
    finally:
        mx.enable_compile()
    for _ in range(3):
        f(x)
    assert len(runs) == 4


def test_shapeless_follows_shapes() -> None:
    f = mx.compile(lambda x: x.mean() + x.shape[0] + x.reshape(x.size)[-1], shapeless=True)
    for n in (2, 3, 5):
        assert f(mx.arange(n, dtype=mx.float32)).item() == (n - 1) / 2 + n + n - 1


def test_threads() -> None:
    """Threads that meet a new signature at once each get their own values."""
    f = mx.compile(lambda x, k: (x * k).sum() + mx.exp(x * 0).mean())
    wrong = []

    def work(t: int) -> None:
        for i in range(40):
            x = mx.full((1 + i % 7,), t)
            if f(x, i % 5).item() != t * (1 + i % 7) * (i % 5) + 1:
                wrong.append((t, i))

    threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_gradients_in_threads_let_go_of_their_graphs() -> None:
    """Training loops on several threads do not keep each other's graphs."""
    sizes = []

    def work() -> None:
        w = mx.ones(1 << 12)
        step = mx.value_and_grad(lambda w: (mx.tanh(w) * w).sum())
        for i in range(120):
            loss, g = step(w)
            w = w - 0.001 * g
            mx.eval(loss, w)
            if i in (20, 119):
                sizes.append(mx.get_active_memory())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert max(sizes) < min(sizes) + (4 << 20)


@needs_oracle
@pytest.mark.parametrize(
    "expression",
    [
        "m.compile(lambda x: {'a': [x, 3, 'b'], 'c': (x + 1, None)})(a)",
        "m.compile(lambda x, *r, k=2: sum(r, x * k))(a, a, a, k=3)",
        "m.compile(lambda: m.array([1.0]))()",
        "m.compile(lambda x: x)(a)",
        "m.compile(lambda d: d['x'] @ d['y'][0])({'x': b, 'y': [b]})",
        "m.compile(m.value_and_grad(lambda x: (x * x).sum()))(a)",
    ],
)
def test_results_like_the_oracle(expression: str) -> None:
    def run(m: Any) -> str:
        return repr(eval(expression, {"m": m, "a": m.array([1.0, 2.0]), "b": m.array([[1.0, 2.0], [3.0, 4.0]])}))

    assert run(mx) == run(mlx)
