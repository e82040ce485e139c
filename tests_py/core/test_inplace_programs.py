"""Random programs with in-place updates under nested transforms, against the same programs without, and finite differences."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st
from inplace_programs import Pair, make_program, run_program

import mlx_go.core as mx

rngs = st.randoms(use_true_random=False)
OUTER = ["value", "grad", "value_and_grad of all", "compile", "shapeless", "checkpoint", "vmap", "jvp", "vjp"]
WRAPS = ["plain", "compile", "shapeless", "checkpoint", "vmap", "grad"]


def double(x: Any) -> mx.array:
    return mx.array(np.asarray(x), dtype=mx.float64)


def make_arguments(r: random.Random) -> dict[str, Any]:
    rng = np.random.default_rng(r.randrange(1 << 32))
    shapes = [(2, 3), (3,), ()]

    def one() -> mx.array:
        return double(rng.uniform(-1, 1, r.choice(shapes)))

    return {
        "a": double(rng.uniform(-1, 1, (2, 3))),
        "k": one(),
        "tree": {"w": one(), "list": [one(), one()], "pair": Pair(one(), one())},
    }


def copied(x: Any) -> Any:
    """Other containers and arrays of the same values."""
    if isinstance(x, dict):
        return {k: copied(v) for k, v in x.items()}
    if isinstance(x, Pair):
        return Pair(*map(copied, x))
    return [copied(v) for v in x] if isinstance(x, list) else x * 1


def leaves(x: Any) -> list[Any]:
    if isinstance(x, mx.array):
        return [x]
    return [v for part in (x.values() if isinstance(x, dict) else x) if part is not None for v in leaves(part)]


def agree(got: Any, want: Any) -> None:
    got, want = leaves(got), leaves(want)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert g.shape == w.shape
        np.testing.assert_allclose(np.array(g), np.array(w), rtol=1e-7, atol=1e-9)


def wrapped(how: str, f: Any) -> Any:
    """A function of the same arguments that runs f inside another transform."""
    if how in ("compile", "shapeless"):
        return mx.compile(f, shapeless=how == "shapeless")
    if how == "checkpoint":
        return mx.checkpoint(f)
    if how == "vmap":
        return lambda a, tree, k: mx.vmap(f, in_axes=(0, None, None))(mx.stack([a, a * 0.5]), tree, k).sum()
    if how == "grad":
        return lambda a, tree, k: mx.sin(mx.grad(f)(a, tree, k)).sum()
    return f


def outer(how: str, f: Any, args: dict[str, Any]) -> Any:
    a, tree, k = args["a"], args["tree"], args["k"]
    one = double(1.0)
    if how == "grad":
        return mx.grad(f, argnums=1)(a, tree, k)
    if how == "value_and_grad of all":
        return mx.value_and_grad(lambda a, tree, k: f(a, tree, k), argnums=(0, 1), argnames="k")(a, tree, k=k)
    if how == "vmap":
        return mx.vmap(f, in_axes=(0, None, None))(mx.stack([a, a + 1]), tree, k)
    if how == "jvp":
        return mx.jvp(lambda a, k: f(a, copied(tree), k), [a, k], [a * 0 + 1, k * 0 + 0.5])[1]
    if how == "vjp":
        return mx.vjp(lambda a, k: f(a, copied(tree), k), [a, k], [one])[1]
    if how in ("compile", "shapeless"):
        g = mx.compile(f, shapeless=how == "shapeless")
        return [g(a, tree, k), g(a * 0.5, tree, k)]
    return mx.checkpoint(f)(a, tree, k) if how == "checkpoint" else f(copied(a), copied(tree), copied(k))


@given(rngs)
def test_as_without_updates(r: random.Random) -> None:
    program, args = make_program(r, 2, 7), make_arguments(r)
    inner, how = r.choice(WRAPS), r.choice(OUTER)
    note(f"{how} of {inner} of {program} at {args}")

    def run(cells: bool) -> tuple[Any, Any]:
        given = copied(args)
        own = leaves(given)
        state = double(0.3)
        f = wrapped(inner, lambda a, tree, k: run_program(program, cells, a, tree, k, {"s": state * 1}))
        out = outer(how, f, given)
        return out, sum(x.tolist() != before.tolist() for x, before in zip(own, leaves(args)))

    got, changed = run(cells=False)
    want, _ = run(cells=True)
    agree(got, want)
    assert changed == 0


@given(rngs)
def test_captured_state(r: random.Random) -> None:
    """A compiled function called three times leaves the state as three plain calls do."""
    program, args, shapeless = make_program(r, 1, 6), make_arguments(r), r.random() < 0.5
    note(f"{program} at {args}, shapeless: {shapeless}")
    results = []
    for compiled in (True, False):
        state = {"s": double([0.1, -0.2, 0.3])}

        def step(a, tree, k, state=state, compiled=compiled):
            value, g = mx.value_and_grad(lambda a: run_program(program, not compiled, a, tree, k, state))(a)
            return value + mx.sin(g).sum()

        f = mx.compile(step, inputs=state, outputs=state, shapeless=shapeless) if compiled else step
        out = [f(copied(args["a"]) * scale, copied(args["tree"]), copied(args["k"])) for scale in (1.0, 0.5, 2.0)]
        results.append([*out, state["s"]])
    agree(*results)


@given(rngs)
def test_against_finite_differences(r: random.Random) -> None:
    program, args = make_program(r, 0, 6), make_arguments(r)
    program = [s for s in program if s[0] != "where"]  # which jumps
    note(f"{program} at {args}")

    def f(a, k):
        return run_program(program, False, a, copied(args["tree"]), k, {"s": double(0.2)})

    a, k = args["a"], args["k"]
    rng = np.random.default_rng(r.randrange(1 << 32))
    ta, tk = double(rng.uniform(-1, 1, a.shape)), double(rng.uniform(-1, 1, k.shape))
    h = 1e-5
    slope = (f(a + h * ta, k + h * tk) - f(a - h * ta, k - h * tk)) / (2 * h)
    gradient = mx.grad(f, argnums=(0, 1))(a, k)
    product = (gradient[0] * ta).sum() + (gradient[1] * tk).sum()
    tangent = mx.jvp(f, [a, k], [ta, tk])[1][0]
    scale = 1 + abs(slope.item())
    assert abs(product.item() - slope.item()) < 1e-4 * scale and abs(tangent.item() - slope.item()) < 1e-4 * scale
