"""The gated delta rule against MLX, and its derivatives against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import array, assert_close, mlx, name_of, needs_oracle, to_numpy

import mlx_go.core as mx

CLOSE = {"float16": 3e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-6}


def values(sizes: tuple[int, ...], vector: bool, state: bool, mask: bool) -> dict[str, np.ndarray]:
    batch, steps, heads, group, depth, width = sizes
    rng = np.random.default_rng(1)
    lead = (batch, steps)
    x = {
        "q": rng.normal(size=(*lead, heads, depth)), "k": rng.normal(size=(*lead, heads, depth)) / depth**0.5,
        "v": rng.normal(size=(*lead, heads * group, width)),
        "gamma": rng.uniform(0.2, 1, (*lead, heads * group) + (depth,) * vector),
        "beta": rng.uniform(0, 1, (*lead, heads * group)),
    }  # fmt: skip
    if state:
        x["initial_state"] = rng.normal(size=(batch, heads * group, width, depth))
    if mask:
        x["mask"] = rng.random(lead) < 0.7
    return x


def given_to(m: Any, x: dict[str, np.ndarray], dtypes: dict[str, str]) -> dict[str, Any]:
    return {n: m.array(a) if n == "mask" else array(m, a, dtypes.get(n, "float32")) for n, a in x.items()}


sizes = st.tuples(
    st.integers(1, 2), st.sampled_from([1, 2, 5, 19]), st.integers(1, 2), st.integers(1, 3),
    st.sampled_from([1, 3, 8, 16, 33, 64]), st.sampled_from([1, 5, 32, 40]),
)  # fmt: skip


@needs_oracle
@given(sizes, st.booleans(), st.booleans(), st.booleans(), st.sampled_from(list(CLOSE)), st.booleans())
def test_update(sizes: Any, vector: bool, state: bool, mask: bool, dtype: str, mixed: bool) -> None:
    x = values(sizes, vector, state, mask)
    dtypes = dict.fromkeys(x, dtype)
    if mixed and dtype != "float64":
        dtypes |= {"gamma": "float32", "initial_state": "float32"}
    got = mx.fast.gated_delta_update(**given_to(mx, x, dtypes))
    want = mlx.fast.gated_delta_update(**given_to(mlx, x, dtypes))
    assert isinstance(got, list) and len(got) == 2
    for g, w in zip(got, want):
        assert name_of(g) == name_of(w)
        assert_close(g, w, rtol=CLOSE[dtype], atol=4 * CLOSE[dtype])


@needs_oracle
def test_strides_and_broadcasts() -> None:
    x = values((2, 5, 2, 2, 8, 6), False, True, True)

    def call(m: Any) -> Any:
        a = given_to(m, x, {})
        a["q"] = m.swapaxes(m.array(np.ascontiguousarray(x["q"].swapaxes(1, 2)).astype(np.float32)), 1, 2)
        a["v"] = m.array(np.repeat(x["v"], 2, axis=-1).astype(np.float32))[..., ::2]
        a["initial_state"] = m.array(0.5)
        a["gamma"] = a["gamma"][:, :, :1]
        return m.fast.gated_delta_update(**a)

    for g, w in zip(call(mx), call(mlx)):
        assert_close(g, w, rtol=1e-5, atol=1e-5)


NAMES = ("q", "k", "v", "gamma", "beta", "initial_state")


@pytest.mark.parametrize("steps", [1, 6, 21])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("vector", [False, True])
def test_derivatives(steps: int, mask: bool, vector: bool) -> None:
    """The gradient of many steps is found half by half; those of few, and tangents, in their composed form."""
    x = values((2, steps, 1, 2, 3, 2), vector, True, mask)
    a = given_to(mx, x, dict.fromkeys(x, "float64"))
    rng = np.random.default_rng(2)
    wy, ws = (array(mx, rng.normal(size=s), "float64") for s in ((2, steps, 2, 2), (2, 2, 2, 3)))

    def loss(*args: Any) -> Any:
        y, state = mx.fast.gated_delta_update(*args, mask=a.get("mask"))
        return (y * wy).sum() + (state * ws).sum()

    args = [a[n] for n in NAMES]
    directions = [array(mx, rng.normal(size=arg.shape), "float64") for arg in args]
    grads = mx.grad(loss, list(range(6)))(*args)
    for i, (g, d) in enumerate(zip(grads, directions)):
        assert g.shape == args[i].shape

        def at(h: float, i: int = i, d: Any = d) -> float:
            return loss(*[x + h * d if j == i else x for j, x in enumerate(args)]).item()

        slope = (at(1e-5) - at(-1e-5)) / 2e-5
        assert_close(np.float64((g * d).sum().item()), np.float64(slope), rtol=1e-6, atol=1e-7, what=NAMES[i])
        tangents = [d if j == i else mx.zeros_like(x) for j, x in enumerate(args)]
        assert_close(mx.jvp(loss, args, tangents)[1][0], np.float64(slope), rtol=1e-6, atol=1e-7, what=NAMES[i])


def test_gradient_of_one_result() -> None:
    x = values((1, 12, 1, 1, 4, 3), False, False, False)
    a = list(given_to(mx, x, {}).values())
    for which in (0, 1):
        grads = mx.grad(lambda *a, w=which: mx.fast.gated_delta_update(*a)[w].sum(), [0, 1, 2, 3, 4])(*a)
        assert all(np.isfinite(to_numpy(g)).all() for g in grads)
        if which == 1:
            assert (to_numpy(grads[0]) == 0).all()  # the state knows no queries


def test_batches() -> None:
    x = values((2, 5, 1, 2, 4, 3), False, True, True)
    a = given_to(mx, x, {})
    stacked = {n: mx.stack([v, v[::-1] if n == "mask" else v * 0.5]) for n, v in a.items()}
    call = lambda *xs: mx.fast.gated_delta_update(*xs)
    got = mx.vmap(call)(*stacked.values())
    want = [call(*[v[i] for v in stacked.values()]) for i in range(2)]
    for j in range(2):
        assert_close(got[j], mx.stack([w[j] for w in want]), rtol=1e-5, atol=1e-6)


def test_no_steps() -> None:
    x = values((1, 0, 1, 1, 4, 3), False, True, False)
    y, state = mx.fast.gated_delta_update(**given_to(mx, x, {}))
    assert y.shape == (1, 0, 1, 3)
    assert_close(state, x["initial_state"].astype(np.float32))


@pytest.mark.parametrize(
    ("message", "name", "shape"),
    [
        ("q has shape", "q", (1, 2, 4)), ("one shape", "k", (1, 3, 2, 4)), ("multiple", "v", (1, 2, 3, 5)),
        ("gamma", "gamma", (1, 2, 3)), ("beta", "beta", (1, 2, 2)), ("initial_state", "initial_state", (1, 2, 5, 4)),
        ("mask", "mask", (1, 3)), ("beta has shape", "beta", (1, 2, 4, 1)),
    ],
)  # fmt: skip
def test_errors(message: str, name: str, shape: tuple[int, ...]) -> None:
    a = given_to(mx, values((1, 2, 2, 2, 4, 5), False, True, True), {})
    a[name] = mx.ones(shape)
    with pytest.raises(ValueError, match=message):
        mx.fast.gated_delta_update(**a)
