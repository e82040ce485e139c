"""checkpoint: the values and gradients of the function under every transform, in less memory."""

from __future__ import annotations

from typing import Any

import pytest

import mlx_go.core as mx
from mlx_go import nn

X = [[0.3, -0.2, 0.7], [0.1, 0.4, -0.5]]


def block(x: Any, w: Any = 1.5) -> Any:
    return mx.tanh(mx.sin(x) * w) + x


def both(f: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """What ``f`` gives for a plain function and for the checkpointed one."""
    return f(lambda fun: fun)(*args, **kwargs), f(mx.checkpoint)(*args, **kwargs)


def flat(x: Any) -> list[float]:
    if isinstance(x, (list, tuple)):
        return [v for part in x for v in flat(part)]
    return flat(x.tolist()) if isinstance(x, mx.array) else [x]


CASES: dict[str, Any] = {
    "value": lambda ck: ck(block),
    "grad": lambda ck: mx.grad(lambda x: ck(block)(x).sum()),
    "value_and_grad": lambda ck: mx.value_and_grad(lambda x: (ck(block)(x, w=x) * x).sum()),
    "grad twice": lambda ck: mx.grad(lambda x: mx.grad(lambda y: ck(block)(y).sum())(x).sum()),
    "checkpointed grad": lambda ck: mx.grad(lambda x: ck(mx.grad(lambda y: block(y).sum()))(x).sum()),
    "vjp": lambda ck: lambda x: mx.vjp(lambda a: ck(block)(a), [x], [x]),
    "jvp": lambda ck: lambda x: mx.jvp(lambda a: ck(block)(a), [x], [x * 2]),
    "jvp of grad": lambda ck: lambda x: mx.jvp(mx.grad(lambda a: ck(block)(a).sum()), [x], [x * 2]),
    "vmap": lambda ck: mx.vmap(lambda x: ck(block)(x), in_axes=1),
    "vmap of grad": lambda ck: mx.vmap(mx.grad(lambda x: ck(block)(x).sum())),
    "grad of vmap": lambda ck: mx.grad(lambda x: mx.vmap(ck(block))(x).sum()),
    "grad of vmap with a shared argument": lambda ck: mx.grad(
        lambda x: mx.vmap(ck(lambda a, w: (block(a, w), w * 2)), in_axes=(0, None))(x, x[0])[1].sum()
    ),
    "nested": lambda ck: mx.grad(lambda x: ck(lambda a: ck(block)(ck(block)(a)) * a)(x).sum()),
    "compile of grad": lambda ck: mx.compile(mx.grad(lambda x: ck(block)(x).sum())),
    "grad of compile": lambda ck: mx.grad(lambda x: mx.compile(lambda a: ck(block)(a))(x).sum()),
    "checkpoint of compile": lambda ck: mx.grad(lambda x: ck(mx.compile(block))(x).sum()),
    "trees": lambda ck: mx.grad(
        lambda x: (lambda r: (r["s"][0] * r["s"][1]).sum() + r["n"])(
            ck(lambda t, n: {"s": [mx.exp(t["a"]), t["b"][0] * t["a"]], "n": n, "u": t["b"][0] * 3})(
                {"a": x, "b": (x * x,)}, 2
            )
        )
    ),
    "closure": lambda ck: mx.grad(lambda x: ck(lambda a: block(a) * mx.sin(x))(mx.ones(3)).sum()),
    "argument returned": lambda ck: mx.grad(lambda x: (lambda r: (r[0] * r[1]).sum())(ck(lambda a: (a, block(a)))(x))),
    "some results unused": lambda ck: mx.grad(lambda x: ck(lambda a: (block(a), a * 2, a.sum()))(x)[2]),
    "integers": lambda ck: mx.grad(lambda x: (ck(lambda a: (a > 0, mx.argsort(a, -1), a * a))(x)[2]).sum()),
    "stopped": lambda ck: mx.grad(lambda x: ck(lambda a: mx.stop_gradient(block(a)) * a)(x).sum()),
    "in place": lambda ck: mx.grad(lambda x: ck(overwrite)(x).sum()),
    "evaluated inside": lambda ck: mx.grad(lambda x: ck(lambda a: block(a) * block(a).sum().item())(x).sum()),
}


def overwrite(a: Any) -> Any:
    a = a * 1
    a[0] = a[1] * 3
    return a * a


@pytest.mark.parametrize("name", CASES)
def test_changes_nothing(name: str) -> None:
    want, got = both(CASES[name], mx.array(X))
    assert flat(got) == pytest.approx(flat(want), rel=1e-5, abs=1e-6)  # cotangents add up in another order


def test_random_numbers_are_drawn_once() -> None:
    """The gradient sees the mask of the forward pass, and the state moves on once."""
    x = mx.ones(1000)

    def drop(a: Any) -> Any:
        return a * mx.random.bernoulli(0.5, a.shape)

    mx.random.seed(4)
    y, g = mx.vjp(mx.checkpoint(drop), [x], [x])
    assert (y[0] == g[0]).all() and 300 < y[0].sum() < 700
    after = mx.random.uniform()
    mx.random.seed(4)
    drop(x)
    assert mx.random.uniform().item() == after.item()


def peak(f: Any) -> int:
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    mx.eval(f())
    return mx.get_peak_memory() - before


@pytest.mark.parametrize("update", [False, True])
def test_memory_of_a_deep_network(update: bool) -> None:
    """Without checkpoints all values are kept, 8 a block; with them, one a block and those of one block."""
    n, blocks, inner = 1 << 16, 12, 8
    ws = [mx.full((n,), 1 + 0.01 * i) for i in range(blocks)]
    mx.eval(ws)

    def layers(x: Any, w: Any) -> Any:
        for _ in range(inner):
            x = mx.tanh(x * w)[::-1]
        return x

    def step(fun: Any) -> Any:
        def loss(ws: Any) -> Any:
            x = mx.full((n,), 0.3)
            for w in ws:
                x = fun(x, w)
            return x.sum()

        value, grads = mx.value_and_grad(loss)(ws)
        return value, [w - d for w, d in zip(ws, grads)] if update else grads

    size = 4 * n
    kept, used = peak(lambda: step(layers)), peak(lambda: step(mx.checkpoint(layers)))
    assert kept > blocks * inner * size
    assert used < (2 * blocks + 2 * inner + 6) * size  # boundaries, gradients, and one block with its cotangents


def test_memory_of_nested_checkpoints() -> None:
    """Checkpoints in checkpoints: about the cube root of the depth in each of the three levels."""
    n, k = 1 << 14, 6

    def segment(x: Any) -> Any:
        for _ in range(k):
            x = mx.tanh(x)[::-1]
        return x

    def outer(fun: Any) -> Any:
        def run(x: Any) -> Any:
            for _ in range(k):
                x = fun(x)
            return x

        return run

    def loss(fun: Any) -> Any:
        return mx.grad(lambda x: outer(fun)(x).sum())(mx.full((n,), 0.3))

    size = 4 * n
    plain_peak = peak(lambda: loss(outer(segment)))
    once = peak(lambda: loss(outer(mx.checkpoint(segment))))
    twice = peak(lambda: loss(mx.checkpoint(outer(mx.checkpoint(segment)))))
    assert plain_peak > k**3 * size and once < (k * k + 4 * k) * size and twice < (6 * k) * size


def test_modules() -> None:
    """nn.utils.checkpoint differentiates by the parameters that the module has at the call."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    x = mx.random.normal((5, 4))
    wrapped = nn.utils.checkpoint(model)

    def gradient(f: Any) -> Any:
        return nn.value_and_grad(model, lambda x: f(x).square().mean())(x)

    for _ in range(2):
        (a, g), (b, h) = gradient(model), gradient(wrapped)
        assert a.item() == b.item()
        for i in (0, 2):
            for key in ("weight", "bias"):
                assert mx.array_equal(g["layers"][i][key], h["layers"][i][key])
        model.update(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).parameters())


def test_errors() -> None:
    with pytest.raises(TypeError, match="callable"):
        mx.checkpoint(3)
    with pytest.raises(ZeroDivisionError):
        mx.grad(lambda x: mx.checkpoint(lambda a: a * (1 // 0))(x).sum())(mx.ones(2))
    assert mx.checkpoint(lambda: None)() is None and mx.checkpoint(lambda: mx.array(2))().item() == 2
