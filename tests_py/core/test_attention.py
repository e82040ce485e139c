"""Attention and rotary positions against MLX, and their derivatives against composed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import FLOATS, agree, array, assert_close, mlx, needs_oracle, sample, to_numpy

import mlx_go.core as mx

# MLX computes softmax and angles in float32 for float64, too, and rounds halves after every step.
CLOSE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 3e-5, "float64": 1e-6}


def views(lib: Any, x: np.ndarray, dtype: str, view: str) -> Any:
    """x (B, heads, T, D) as it comes out of a projection, or out of a cache with room for more."""
    if view == "transposed":
        return array(lib, x.transpose(0, 2, 1, 3), dtype).transpose(0, 2, 1, 3)
    if view == "cache":
        return array(lib, np.pad(x, ((0, 0), (0, 0), (0, 5), (0, 0))), dtype)[:, :, : x.shape[2]]
    if view == "columns":
        return array(lib, x.transpose(0, 1, 3, 2), dtype).transpose(0, 1, 3, 2)
    return array(lib, x, dtype)


layouts = st.sampled_from(["plain", "transposed", "cache", "columns"])


@st.composite
def attentions(draw: Any) -> tuple[Any, ...]:
    batch, heads, group = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 4))
    queries = draw(st.sampled_from([0, 1, 2, 5, 17, 40]))
    keys = draw(st.sampled_from([0, 1, 3, 31, 33, 97, 130, 530]))
    depth, width = draw(st.sampled_from([(1, 1), (8, 8), (7, 5), (24, 24), (33, 16), (64, 80)]))
    return batch, heads, group, queries, keys, depth, width


def mask_of(kind: str, shape: tuple[int, ...], dtype: str) -> Any:
    batch, heads, queries, keys = shape
    rng = np.random.default_rng(5)
    if kind in ("none", "causal"):
        return None if kind == "none" else kind
    part = {
        "keys": (batch, 1, 1, keys), "square": (queries, keys), "all": shape, "queries": (heads, queries, 1),
    }[kind.split()[1]]  # fmt: skip
    if kind.startswith("bool"):
        return lambda m: m.array(rng.random(part) < 0.5)
    return lambda m: array(m, rng.uniform(-2, 2, part), dtype)


KINDS = ["none", "causal"] + [f"{t} {p}" for t in ("bool", "additive") for p in ("keys", "square", "all", "queries")]


@needs_oracle
@given(attentions(), st.sampled_from(KINDS), st.booleans(), st.sampled_from(FLOATS), layouts, layouts)
def test_attention(sizes: tuple[int, ...], kind: str, sinks: bool, dtype: str, qview: str, kview: str) -> None:
    batch, heads, group, queries, keys, depth, width = sizes
    q = sample(dtype, (batch, heads * group, queries, depth), 1)
    k, v = sample(dtype, (batch, heads, keys, depth), 2), sample(dtype, (batch, heads, keys, width), 3)
    made = mask_of(kind, (batch, heads * group, queries, keys), dtype)
    mask = np.asarray(to_numpy(made(mx))) if callable(made) else made
    name = "bool" if kind.startswith("bool") else dtype
    s = sample(dtype, heads * group, 4) if sinks else None

    def call(m: Any) -> Any:
        return m.fast.scaled_dot_product_attention(
            views(m, q, dtype, qview), views(m, k, dtype, kview), views(m, v, dtype, kview), scale=depth**-0.5,
            mask=array(m, mask, name) if isinstance(mask, np.ndarray) else mask,
            sinks=None if s is None else array(m, s, dtype),
        )  # fmt: skip

    got, want = call(mx), call(mlx)
    assert str(got.dtype).endswith(dtype)
    assert_close(got, want, rtol=CLOSE[dtype], atol=3 * CLOSE[dtype], what=f"{sizes} {kind}")


def naive(q: Any, k: Any, v: Any, scale: float, mask: Any = None, sinks: Any = None) -> Any:
    """Attention as other functions compute it."""
    group = q.shape[1] // k.shape[1]
    k, v = mx.repeat(k, group, axis=1), mx.repeat(v, group, axis=1)
    scores = (q * scale) @ k.swapaxes(-1, -2)
    if isinstance(mask, str):
        mask = mx.tri(q.shape[2], k.shape[2], k.shape[2] - q.shape[2]).astype(mx.bool_)
    if mask is not None:
        scores = mx.where(mask, scores, -1e30) if mask.dtype == mx.bool_ else scores + mask
    if sinks is not None:
        shape = (*scores.shape[:-1], 1)
        scores = mx.concatenate([scores, mx.broadcast_to(sinks[None, :, None, None], shape)], axis=-1)
        return mx.softmax(scores, axis=-1)[..., :-1] @ v
    return mx.softmax(scores, axis=-1) @ v


@pytest.mark.parametrize("kind", ["none", "causal", "bool", "additive"])
@pytest.mark.parametrize("queries", [1, 7, 40])
def test_derivatives(kind: str, queries: int) -> None:
    q, k, v = (
        mx.array(sample("float64", s, i)) for i, s in enumerate([(2, 4, queries, 5), (2, 2, 50, 5), (2, 2, 50, 3)])
    )
    q, k, v = (x.astype(mx.float64) for x in (q, k, v))
    sinks = mx.array([0.5, -1.0, 2.0, 0.0], dtype=mx.float64)
    mask: Any = {"none": None, "causal": "causal"}.get(kind)
    if kind == "bool":
        mask = mx.array(sample("bool", (queries, 50), 9))
    bias = mx.array(sample("float64", (4, queries, 50), 8)).astype(mx.float64)
    ct = mx.array(sample("float64", (2, 4, queries, 3), 7)).astype(mx.float64)

    def loss(f: Any) -> Any:
        if kind == "additive":
            return lambda q, k, v, s, m: (f(q, k, v, scale=0.4, mask=m, sinks=s) * ct).sum()
        return lambda q, k, v, s: (f(q, k, v, scale=0.4, mask=mask, sinks=s) * ct).sum()

    args = [q, k, v, sinks] + [bias] * (kind == "additive")
    which = list(range(len(args)))
    got, want = (mx.grad(loss(f), which)(*args) for f in (mx.fast.scaled_dot_product_attention, naive))
    for g, w in zip(got, want):
        assert_close(g, w, rtol=1e-6, atol=1e-6)
    tangents = [mx.array(sample("float64", x.shape, 20 + i)).astype(mx.float64) for i, x in enumerate(args)]
    got, want = (mx.jvp(loss(f), args, tangents)[1][0] for f in (mx.fast.scaled_dot_product_attention, naive))
    assert_close(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_gradients_of_halves_have_their_dtype(dtype: str) -> None:
    q = array(mx, sample(dtype, (1, 2, 3, 4)), dtype)
    grads = mx.grad(lambda *a: mx.fast.scaled_dot_product_attention(*a, scale=0.5).sum(), (0, 1, 2))(q, q, q)
    for g in grads:
        assert g.dtype == q.dtype and np.isfinite(to_numpy(g)).all()


@needs_oracle
@pytest.mark.parametrize("queries", [2, 40])
def test_rows_that_see_nothing(queries: int) -> None:
    q, k = sample("float32", (1, 1, queries, 4)), sample("float32", (1, 1, 3, 4), 1)

    def call(m: Any, **kw: Any) -> Any:
        return m.fast.scaled_dot_product_attention(m.array(q), m.array(k), m.array(k), scale=1.0, **kw)

    seen = np.arange(queries * 3).reshape(queries, 3) >= 3
    agree(lambda m: call(m, mask=m.array(seen)), ulps=8, what="bool", atol=1e-6)
    agree(lambda m: call(m, mask=m.array(seen), sinks=m.zeros((1,))), ulps=8, what="sinks", atol=1e-6)
    agree(lambda m: call(m, mask="causal"), ulps=8, what="causal", atol=1e-6)
    agree(
        lambda m: call(m, mask=m.array(np.where(seen, 0, -np.inf).astype(np.float32))),
        ulps=8,
        what="infinite",
        atol=1e-6,
    )


def test_infinite_scores_stay_in_their_rows() -> None:
    for queries in (4, 64):
        q = np.ones((1, 1, queries, 2), np.float32)
        q[0, 0, 1] = np.nan
        k = np.ones((1, 1, 700, 2), np.float32)
        bias = np.zeros((queries, 700), np.float32)
        bias[2, 5], bias[3, :600] = np.inf, -np.inf
        out = to_numpy(mx.fast.scaled_dot_product_attention(*map(mx.array, (q, k, k)), scale=1.0, mask=mx.array(bias)))
        assert np.isnan(out[0, 0, 1:3]).all() and (out[0, 0, [0, 3]] == 1).all()


def test_split_keys_give_what_whole_ones_do() -> None:
    """One query's keys are shared out to the cores; many queries' are not."""
    q, k = mx.random.normal((1, 8, 1, 64)), mx.random.normal((1, 2, 4099, 64))
    one = mx.fast.scaled_dot_product_attention(q, k, k, scale=0.125)
    many = mx.fast.scaled_dot_product_attention(mx.repeat(q, 40, axis=2), k, k, scale=0.125)
    assert_close(one, many[:, :, 7:8], rtol=1e-4, atol=1e-6)


ERRORS: list[tuple[str, Any]] = [
    ("4 axes", lambda f, x: f(x[0], x, x, scale=1.0)),
    ("differ in their batch", lambda f, x: f(mx.zeros((2, 2, 3, 4)), x, x, scale=1.0)),
    ("last axis", lambda f, x: f(mx.zeros((1, 2, 3, 5)), x, x, scale=1.0)),
    ("multiple", lambda f, x: f(mx.zeros((1, 3, 3, 4)), x, x, scale=1.0)),
    ("heads or length", lambda f, x: f(x, x, mx.zeros((1, 2, 4, 4)), scale=1.0)),
    ("floating point", lambda f, x: f(*[x.astype(mx.int32)] * 3, scale=1.0)),
    ("causal", lambda f, x: f(x, x, x, scale=1.0, mask="full")),
    ("cannot be broadcast", lambda f, x: f(x, x, x, scale=1.0, mask=mx.zeros((2, 3)))),
    ("promote", lambda f, x: f(x, x, x, scale=1.0, mask=mx.zeros((3, 3), mx.complex64))),
    ("promote", lambda f, x: f(*[x.astype(mx.float16)] * 3, scale=1.0, mask=mx.zeros((3, 3)))),
    ("sinks", lambda f, x: f(x, x, x, scale=1.0, sinks=mx.zeros((3,)))),
]


@pytest.mark.parametrize(("message", "call"), ERRORS)
def test_attention_errors(message: str, call: Any) -> None:
    with pytest.raises(ValueError, match=message):
        call(mx.fast.scaled_dot_product_attention, mx.zeros((1, 2, 3, 4)))


@st.composite
def ropes(draw: Any) -> tuple[Any, ...]:
    lead = draw(st.sampled_from([(1,), (3,), (2, 3), (1, 8), (2, 2, 3)]))
    dims = draw(st.sampled_from([2, 4, 6, 8, 16, 34, 64]))
    shape = (*lead, draw(st.sampled_from([1, 2, 7, 9])), dims + draw(st.sampled_from([0, 1, 8])))
    offset = draw(st.sampled_from([0, 3, -2, 900, "scalar", "vector"]))
    return shape, dims, offset, draw(st.booleans()), draw(st.booleans()), draw(st.sampled_from([1.0, 0.25]))


@needs_oracle
@given(ropes(), st.sampled_from(FLOATS), st.sampled_from(["int32", "uint8", "int64"]), layouts)
def test_rope(how: tuple[Any, ...], dtype: str, integer: str, view: str) -> None:
    shape, dims, offset, traditional, freqs, scale = how
    x = sample(dtype, shape, 1)
    f = np.random.default_rng(2).uniform(0.5, 60, dims // 2).astype(np.float32)

    def call(m: Any) -> Any:
        o = offset
        if isinstance(o, str):
            o = array(m, np.arange(5, 5 + shape[0]) if o == "vector" else 7, integer)
        return m.fast.rope(
            views(m, x, dtype, view) if len(shape) == 4 else array(m, x, dtype), dims, traditional=traditional,
            base=None if freqs else 1e4, scale=scale, offset=o, freqs=m.array(f) if freqs else None,
        )  # fmt: skip

    got, want = call(mx), call(mlx)
    assert got.dtype == dt_of(dtype) and got.shape == shape
    far = 1e-4 if offset == 900 else 1e-6  # MLX rounds angles to float32
    assert_close(got, want, rtol=CLOSE[dtype], atol=3 * (CLOSE[dtype] + 3 * far), what=f"{how}")


def dt_of(dtype: str) -> Any:
    return getattr(mx, dtype)


def test_rope_keeps_far_positions() -> None:
    """At a position in the millions the first pair has turned as often, and its fraction of a turn is still right."""
    x = mx.array([[[1.0, 0.0]]])
    for at in (10**6 + 3, 2**31 + 5):
        got = to_numpy(mx.fast.rope(x, 2, traditional=True, base=1e4, scale=1.0, offset=at))
        assert_close(got[0, 0], np.array([np.cos(np.float64(at)), np.sin(np.float64(at))]), atol=1e-6)


@pytest.mark.parametrize("traditional", [True, False])
@pytest.mark.parametrize("offset", [3, [1, 2]])
def test_rope_derivatives(traditional: bool, offset: Any) -> None:
    x = mx.array(sample("float64", (2, 3, 5, 10))).astype(mx.float64)
    f = mx.array([1.5, 4.0, 9.0, 30.0], dtype=mx.float64)
    at = mx.array(offset) if isinstance(offset, list) else offset

    def turned(x: Any, f: Any) -> Any:
        return mx.fast.rope(x, 8, traditional=traditional, base=None, scale=0.7, offset=at, freqs=f)

    weights = mx.array(sample("float64", x.shape, 3)).astype(mx.float64)
    for argument in (0, 1):
        grads = mx.grad(lambda x, f: (turned(x, f) * weights).sum(), argument)(x, f)
        direction = mx.array(sample("float64", (x, f)[argument].shape, 4)).astype(mx.float64)
        tangents = [mx.zeros_like(x), mx.zeros_like(f)]
        tangents[argument] = direction
        moved = mx.jvp(turned, [x, f], tangents)[1][0]
        h = 1e-5
        ends = [turned(*[a + s * h * t for a, t in zip((x, f), tangents)]) for s in (1, -1)]
        assert_close(moved, (ends[0] - ends[1]) / (2 * h), rtol=1e-6, atol=1e-7)
        assert_close((moved * weights).sum(), (grads * direction).sum(), rtol=1e-9)


ROPE: dict[str, Any] = {"traditional": False, "base": 1e4, "scale": 1.0, "offset": 0}


@pytest.mark.parametrize(
    ("message", "shape", "dims", "change"),
    [
        ("at least 3 axes", (3, 4), 4, {}), ("dims", (1, 3, 4), 6, {}), ("dims", (1, 3, 4), 3, {}),
        ("dims", (1, 3, 4), 0, {}), ("exactly one", (1, 3, 4), 4, {"base": None}),
        ("exactly one", (1, 3, 4), 4, {"freqs": [1.0, 2.0]}), ("freqs must have", (1, 3, 4), 4, {"base": None, "freqs": [1.0]}),
        ("offset", (1, 3, 4), 4, {"offset": 1.5}), ("offset", (2, 3, 4), 4, {"offset": [1, 2, 3]}),
        ("offset", (2, 3, 4), 4, {"offset": [[1, 2]]}), ("offset", (2, 3, 4), 4, {"offset": [1.0, 2.0]}),
    ],
)  # fmt: skip
def test_rope_errors(message: str, shape: tuple[int, ...], dims: int, change: dict[str, Any]) -> None:
    change = {k: mx.array(v) if isinstance(v, list) else v for k, v in change.items()}
    with pytest.raises(ValueError, match=message):
        mx.fast.rope(mx.zeros(shape), dims, **{**ROPE, **change})
    with pytest.raises(ValueError, match="floating point"):
        mx.fast.rope(mx.zeros((1, 3, 4), mx.int32), 4, **ROPE)


def test_batches_of_attention_and_rope() -> None:
    q = mx.random.normal((3, 1, 2, 5, 8))
    f = lambda q, k: mx.fast.scaled_dot_product_attention(q, k, k, scale=0.3, mask="causal")
    got = mx.vmap(f, (0, None))(q, q[0])
    assert_close(got, mx.stack([f(q[i], q[0]) for i in range(3)]), rtol=1e-6, atol=1e-6)
    at = mx.array([[4], [5], [9]])
    g = lambda x, o: mx.fast.rope(x, 8, **{**ROPE, "offset": o})
    assert_close(mx.vmap(g)(q, at), mx.stack([g(q[i], at[i]) for i in range(3)]), rtol=1e-6, atol=1e-6)
