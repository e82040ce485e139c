"""In-place updates inside transformed functions: derivatives are those of the function without them."""

from __future__ import annotations

import signal
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import mlx_go.core as mx
from mlx_go import nn, optimizers

pytestmark = pytest.mark.smoke

Pair = namedtuple("Pair", "w b")


def vec(*values: float) -> mx.array:
    return mx.array([float(v) for v in values])


# ---- a function that updates its argument, and the same one without ----


def times(a):
    a *= 2
    return a.sum()


def assign(a):
    a[0] = 5
    return (a * a).sum()


def grow(a):
    a += mx.ones((2, 2))
    return (a * a).sum()


def residual(h):
    h += mx.sin(h)
    h += h * h
    return (h * h).sum()


def masked(a):
    a[a > 1.5] = 0.5
    return (a * a * a).sum()


def part(a):
    a[1:] *= a[:1]
    a[0] -= a[1]
    return (a * a).sum()


def accumulate(a):
    a = a.at[mx.array([0, 0])].add(a)
    a /= 3
    a **= 2
    return a.sum()


FUNCTIONS = [
    (times, lambda a: (a * 2).sum()),
    (assign, lambda a: 25 + a[1] * a[1]),
    (grow, lambda a: 2 * ((a + 1) * (a + 1)).sum()),
    (residual, lambda h: (lambda k: ((k + k * k) ** 2).sum())(h + mx.sin(h))),
    (masked, lambda a: (mx.where(a > 1.5, 0.5, a) ** 3).sum()),
    (part, lambda a: (a[0] - a[0] * a[1]) ** 2 + (a[0] * a[1]) ** 2),
    (accumulate, lambda a: ((2 * a[0] + a[1]) / 3) ** 2 + (a[1] / 3) ** 2),
]


def same(x: Any, y: Any) -> None:
    np.testing.assert_allclose(np.array(x), np.array(y), rtol=1e-5, atol=1e-6)


TRANSFORMS = {
    "value": lambda f, x: f(x * 1),
    "grad": lambda f, x: mx.grad(f)(x),
    "vjp": lambda f, x: mx.vjp(f, [x], [mx.array(2.0)])[1][0],
    "jvp": lambda f, x: mx.jvp(f, [x], [mx.ones(x.shape)])[1][0],
    "vmap": lambda f, x: mx.vmap(f)(mx.stack([x, x + 1])),
    "compile": lambda f, x: mx.compile(f)(x),
    "checkpoint": lambda f, x: mx.checkpoint(f)(x),
    "grad of checkpoint": lambda f, x: mx.grad(mx.checkpoint(f))(x),
    "grad of compile": lambda f, x: mx.grad(mx.compile(f))(x),
    "compile of grad": lambda f, x: mx.compile(mx.grad(f))(x),
    "vmap of grad": lambda f, x: mx.vmap(mx.grad(f))(mx.stack([x, x + 1])),
    "grad of vmap": lambda f, x: mx.grad(lambda y: mx.vmap(f)(y).sum())(mx.stack([x, x + 1])),
    "grad of grad": lambda f, x: mx.grad(lambda y: (mx.grad(f)(y) * y).sum())(x),
    "jvp of grad": lambda f, x: mx.jvp(mx.grad(f), [x], [mx.ones(x.shape)])[1][0],
    "compile of vmap of grad of checkpoint": lambda f, x: mx.compile(mx.vmap(mx.grad(mx.checkpoint(f))))(
        mx.stack([x, x + 1])
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("inplace,pure", FUNCTIONS, ids=[f.__name__ for f, _ in FUNCTIONS])
def test_as_without_updates(name: str, inplace: Any, pure: Any) -> None:
    x = vec(1, 2)
    same(TRANSFORMS[name](inplace, x), TRANSFORMS[name](pure, x))
    assert x.tolist() == [1, 2]


def test_the_values_themselves() -> None:
    assert mx.grad(times)(vec(1, 2)).tolist() == [2, 2]
    assert mx.vjp(times, [vec(1, 2)], [mx.array(1.0)])[1][0].tolist() == [2, 2]
    assert mx.jvp(times, [vec(1, 2)], [vec(1, 1)])[1][0].item() == 4
    assert mx.compile(times)(vec(1, 2)).item() == 6
    assert mx.vmap(times)(mx.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [6, 14]
    assert mx.grad(mx.checkpoint(times))(vec(1, 2)).tolist() == [2, 2]
    assert mx.grad(assign)(vec(1, 2)).tolist() == [0, 4]
    assert mx.grad(grow)(vec(1, 2)).shape == (2,)

    def rows(a):
        a += mx.ones((2, 3))
        return (a * a).sum()

    assert mx.vmap(rows)(mx.ones((2, 3))).tolist() == [24, 24]


# ---- the caller's arrays ----


def test_arguments_stay_as_they_were() -> None:
    w, x = vec(1, 2), vec(255, 510)

    def loss(w, x, scale=None, more=None):
        x /= 255.0
        if scale is not None:
            scale *= 2
        if more is not None:
            more["x"] -= 1
            more["deep"][0] += 1
        return (w * x).sum()

    for _ in range(3):
        value, gradient = mx.value_and_grad(loss)(w, x)
        assert value.item() == 5 and gradient.tolist() == [1, 2] and x.tolist() == [255, 510]
    k, d = vec(3), {"x": vec(7), "deep": [vec(8)]}
    inner = d["deep"][0]
    mx.grad(loss)(w, x, scale=k, more=d)
    mx.grad(loss, argnames=["w"], argnums=())(w=w, x=x, scale=k, more=d)
    assert (k.item(), d["x"].item(), d["deep"][0].item()) == (3, 7, 8) and d["deep"][0] is inner
    for transform in (mx.checkpoint, mx.compile):
        transform(loss)(w, x, k, d)
        assert (x.tolist(), k.item(), d["x"].item()) == ([255, 510], 3, 7)

    model = nn.Linear(2, 1)
    nn.value_and_grad(model, lambda m, x, d: loss(m(x), x, None, d))(model, x, d)
    assert x.tolist() == [255, 510] and d["x"].item() == 7


def test_what_is_returned_leaves_the_function() -> None:
    x = vec(2)

    def loss(w, x):
        x *= 10
        return (w * x).sum(), x

    (value, returned), gradient = mx.value_and_grad(loss)(vec(3), x)
    assert (value.item(), returned.item(), gradient.item(), x.item()) == (60, 20, 20, 2)


def test_an_array_given_twice_is_one_array() -> None:
    def loss(w, x, y):
        x += 1
        return (w * y).sum()

    x = vec(1)
    assert mx.grad(loss)(vec(1), x, x).item() == 2 and x.item() == 1


def test_mutated_containers() -> None:
    """As in MLX: what the function stores in the caller's list or dict stays there, and the other originals come back."""
    m = [vec(1, 2), vec(3, 4)]
    first = m[0]

    def store(m):
        m[1] = m[0] * 2
        return (m[0] * m[1]).sum()

    gradients = mx.grad(store)(m)
    assert [g.tolist() for g in gradients] == [[4, 8], [0, 0]]
    assert m[0] is first and m[1].tolist() == [2, 4]

    def move(m):
        m.insert(0, m.pop())
        m.append(m[0] + m[1])
        return (m[0] * m[2]).sum()

    m = [vec(1), vec(2)]
    before = list(m)
    assert [g.item() for g in mx.grad(move)(m)] == [2, 5]
    assert m[0] is before[1] and m[1] is before[0] and m[2].item() == 3

    d = {"a": vec(1), "b": {"c": vec(2)}}
    kept = d["a"], d["b"]["c"]

    def change(x, d):
        d["new"] = x * 3
        del d["b"]["c"]
        return (x * d["a"]).sum()

    mx.grad(change)(vec(5), d)
    assert d["a"] is kept[0] and d["b"] == {} and d["new"].item() == 15

    log: list[Any] = []
    mx.grad(lambda w, log: log.append(w.shape) or w.sum())(vec(1, 2), log)
    assert log == [(2,)]

    def fails(m):
        m[0] = m[0] * 2
        m[1] += 1
        raise RuntimeError("half way")

    m = [vec(1), vec(2)]
    second = m[1]
    with pytest.raises(RuntimeError, match="half way"):
        mx.grad(fails)(m)
    assert m[1] is second and second.item() == 2 and m[0].item() == 2


def test_a_container_given_twice() -> None:
    p = {"w": vec(3)}
    assert [g["w"].item() for g in mx.grad(lambda p, q: (p["w"] * q["w"]).sum(), argnums=(0, 1))(p, p)] == [3, 3]
    assert mx.grad(lambda p, old: (p["w"] * old["w"]).sum())(p, p)["w"].item() == 3
    assert p["w"].item() == 3 and list(p) == ["w"]


# ---- captured state ----


def test_state_of_a_compiled_function() -> None:
    s = [mx.array(0.0)]

    def step(v):
        s[0] += v
        return s[0]

    run = mx.compile(step, inputs=s, outputs=s)
    assert [run(mx.array(1.0)).item() for _ in range(3)] == [1, 2, 3] and s[0].item() == 3


def test_named_tuples_in_captured_state() -> None:
    s = {"p": Pair(mx.array(1.0), mx.array(2.0))}

    def step(v):
        s["p"] = Pair(s["p"].w + v, s["p"].b)
        return s["p"].w

    run = mx.compile(step, inputs=s, outputs=s)
    assert [run(mx.array(1.0)).item() for _ in range(3)] == [2, 3, 4]
    assert type(s["p"]) is Pair and (s["p"].w.item(), s["p"].b.item()) == (4, 2)


def test_a_cache_written_in_a_compiled_function() -> None:
    def make():
        cache = {"keys": mx.zeros((4, 2)), "length": 0, "total": mx.zeros(2)}

        def step(k):
            n = cache["length"]
            cache["keys"][n : n + 1] = k
            cache["length"] = n + 1
            cache["total"] += cache["keys"].sum(0)
            return cache["total"] * n

        return cache, step

    want, eager = make()
    got, step = make()
    run = mx.compile(step, inputs=got, outputs=got)
    for i in range(4):
        k = mx.full((1, 2), float(i + 1))
        assert run(k).tolist() == eager(k).tolist()
        assert got["length"] == want["length"] == i + 1
        assert got["keys"].tolist() == want["keys"].tolist()


def test_constants_in_captured_state_are_seen() -> None:
    state = {"w": vec(2), "scale": 3}
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2))
    run = mx.compile(lambda x: x * state["w"] * state["scale"], inputs=state)
    assert run(vec(1)).item() == 6
    state["scale"] = 5
    assert run(vec(1)).item() == 10
    forward = mx.compile(lambda x: model(x), inputs=model.state)
    model.eval()
    same(forward(mx.ones((3, 2))), model(mx.ones((3, 2))))
    model.train()
    rows = forward(mx.ones((30, 2)))
    assert not mx.array_equal(rows[:15], rows[15:])
    model.eval()
    same(forward(mx.ones((3, 2))), model(mx.ones((3, 2))))


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = vec(1, 2)
        self.calls = mx.array(0.0)
        self.freeze(keys="calls")

    def __call__(self, x):
        self.w *= 2
        self.calls += 1
        return (self.w * x).sum()


def test_parameters_updated_in_the_forward_pass() -> None:
    """Modules are state: what a forward pass does to them stays, as it does without the transform."""
    plain, model, w = Scaled(), Scaled(), vec(1, 2)
    model.w = w
    for i in range(3):
        x = vec(1, 3)
        value, gradients = nn.value_and_grad(model, lambda x: model(x))(x)
        assert gradients["w"].tolist() == [2, 6] and "calls" not in gradients
        assert value.item() == plain(x).item() and model.w.tolist() == plain.w.tolist()
        assert model.calls.item() == i + 1
    assert w.tolist() == [1, 2]


def test_masked_assignment_to_a_parameter() -> None:
    class Clipped(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = vec(1, -2, 3)

        def __call__(self, x):
            w = self.w * 1
            w[w < 0] = 0.0
            self.w[self.w < 0] *= 0.5
            return (w * x).sum() + self.w.sum()

    model = Clipped()
    _, gradients = nn.value_and_grad(model, lambda x: model(x))(vec(1, 1, 1))
    assert gradients["w"].tolist() == [2, 0.5, 2]


def test_a_compiled_training_step_with_updates() -> None:
    def train(wrap: Any) -> list[float]:
        mx.random.seed(3)
        model = Scaled()
        opt = optimizers.SGD(1e-2)
        state = [model.state, opt.state]

        def step(x):
            value, gradients = nn.value_and_grad(model, lambda x: (model(x) - 1) ** 2)(x)
            x += 1
            opt.update(model, gradients)
            return value

        run = wrap(step, state)
        return [run(vec(0.1, 0.2)).item() for _ in range(4)] + [model.calls.item(), *model.w.tolist()]

    assert train(lambda f, s: mx.compile(f, inputs=s, outputs=s)) == pytest.approx(train(lambda f, s: f), rel=1e-5)


def test_nested_functions_share_captured_state() -> None:
    s = [vec(1)]

    def inner(x):
        s[0] *= x
        return (s[0] * x).sum()

    def outer(x):
        value, g = mx.value_and_grad(inner)(x)
        s[0] += g
        return value + s[0].sum()

    run = mx.compile(outer, inputs=s, outputs=s)
    got = [run(vec(2)).item() for _ in range(2)]
    s[0] = vec(1)
    assert got == [outer(vec(2)).item() for _ in range(2)]


# ---- giving up half way ----


class Stop(BaseException):
    pass


def test_a_signal_at_any_moment_leaves_the_state_usable() -> None:
    """A handler that raises at the n-th line of Python, for every n: the model is as it was before or after a step."""
    import sys

    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    opt = optimizers.SGD(0.0)
    opt.init(model.trainable_parameters())
    state = [model.state, opt.state, mx.random.state]
    own = [p for layer in model.layers for p in layer.values()]
    values = [p.tolist() for p in own]
    x = mx.ones((1, 2))

    def step(x):
        value, gradients = nn.value_and_grad(model, lambda x: model(x).sum())(x)
        opt.update(model, gradients)
        return value

    lines = 0
    limit = 0

    def tracer(frame, event, arg):
        nonlocal lines
        lines += 1
        if lines == limit:
            raise Stop
        return tracer

    reached = 0
    for limit in [*range(1, 60), *range(60, 4000, 29)]:
        run = mx.compile(step, inputs=state, outputs=state)
        lines = 0
        sys.settrace(tracer)
        try:
            run(x)
        except Stop:
            reached += 1
        finally:
            sys.settrace(None)
        mx.eval(state)  # would raise for a stand-in
        assert [p.tolist() for layer in model.layers for p in layer.values()] == values
        if lines < limit:
            break
    assert reached > 60


def test_ctrl_c_in_the_traced_step() -> None:
    state = [vec(1)]

    def step(x):
        state[0] += x
        signal.raise_signal(signal.SIGINT)
        return state[0]

    run = mx.compile(step, inputs=state, outputs=state)
    with pytest.raises(KeyboardInterrupt):
        run(vec(1))
    assert state[0].item() == 1
