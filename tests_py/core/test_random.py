"""The same key gives the oracle's bits, and its numbers up to the last places of the functions they pass through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import DTYPES, FLOATS, INTEGERS, agree, assert_same, dt, mlx, mx, name_of, needs_oracle, to_numpy

SHAPES = [(), (1,), (2,), (3,), (7,), (8,), (1025,), (3, 5), (2, 3, 4), (0,), (2, 0), (1, 1, 1), (33, 31)]
SEEDS = [0, 1, 42, 2**31, 2**32 + 5, 2**63 + 11]
REAL = ["float32", "float16", "bfloat16"]


def same(call: Any, **tolerance: float) -> None:
    agree(call, **tolerance)


@needs_oracle
@pytest.mark.parametrize("seed", SEEDS)
def test_keys_and_splits(seed: int) -> None:
    same(lambda m: m.random.key(seed))
    for n in (0, 1, 2, 3, 5, 64, 101):
        same(lambda m: m.random.split(m.random.key(seed), n))
    same(lambda m: m.random.split(m.random.key(seed)))


@needs_oracle
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", SEEDS[:3])
def test_uniform(shape: tuple[int, ...], seed: int) -> None:
    for name in REAL:
        same(lambda m: m.random.uniform(shape=shape, dtype=dt(m, name), key=m.random.key(seed)))
        same(lambda m: m.random.uniform(-2.5, 3.25, shape, dt(m, name), m.random.key(seed)))


@needs_oracle
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_other_distributions(shape: tuple[int, ...]) -> None:
    key = lambda m: m.random.key(7)
    same(lambda m: m.random.bernoulli(0.3, shape, key(m)))
    same(lambda m: m.random.randint(-5, 1000, shape, key=key(m)))
    for name in REAL:
        same(lambda m: m.random.normal(shape, dt(m, name), key=key(m)))
        same(lambda m: m.random.normal(shape, dt(m, name), 2.0, 0.5, key(m)))
        # logarithms may differ in the last place, and MLX's erf, which scales the third, is a rough one
        same(lambda m: m.random.gumbel(shape, dt(m, name), key(m)), ulps=8, atol=1e-6)
        same(lambda m: m.random.laplace(shape, dt(m, name), key=key(m)), ulps=8, atol=1e-6)
        same(lambda m: m.random.truncated_normal(-1.0, 2.0, shape, dt(m, name), key(m)), ulps=64, atol=1e-5)


@needs_oracle
@pytest.mark.parametrize("name", [*INTEGERS])
def test_randint_dtypes(name: str) -> None:
    for low, high in ((0, 10), (0, 100), (3, 4), (-3, 4)):
        if low < 0 and name.startswith("u"):
            continue
        same(lambda m: m.random.randint(low, high, (101,), dt(m, name), m.random.key(3)))
        same(
            lambda m: m.random.randint(
                m.array([low, low]), m.array([high, high]), (50, 2), dt(m, name), m.random.key(3)
            )
        )


@needs_oracle
@pytest.mark.parametrize("seed", [0, 5])
def test_permutation_and_categorical(seed: int) -> None:
    key = lambda m: m.random.key(seed)
    logits = np.log(np.random.default_rng(seed).uniform(0.1, 1, (3, 4, 5))).astype(np.float32)
    for n in (0, 1, 2, 17, 1000):
        same(lambda m: m.random.permutation(n, key=key(m)))
    for axis in (0, 1, -1):
        same(lambda m: m.random.permutation(m.array(logits), axis, key(m)))
        same(lambda m: m.random.categorical(m.array(logits), axis, key=key(m)))
        same(lambda m: m.random.categorical(m.array(logits), axis, num_samples=7, key=key(m)))
    same(lambda m: m.random.categorical(m.array(logits), shape=(2, 3, 4), key=key(m)))
    for one in (logits[0, 0], logits[:1, :1], logits[0, :1].T):  # a single distribution
        axis = 0 if one.ndim == 2 else -1
        same(lambda m: m.random.categorical(m.array(one), axis, key=key(m)))
        same(lambda m: m.random.categorical(m.array(one), axis, num_samples=100, key=key(m)))
    same(lambda m: m.random.categorical(m.array(logits[0, 0]), shape=(6,), key=key(m)))
    same(lambda m: m.random.categorical(m.array(logits[0, 0]), shape=(200, 3), key=key(m)))


@needs_oracle
@pytest.mark.parametrize("seed", [0, 9])
def test_the_global_state_advances_alike(seed: int) -> None:
    for m in (mx, mlx):
        m.random.seed(seed)
    for _ in range(3):
        assert_same(mx.random.uniform(shape=(5,)), mlx.random.uniform(shape=(5,)))
        assert_same(mx.random.randint(0, 100, (3,)), mlx.random.randint(0, 100, (3,)))
        assert_same(mx.random.normal((4,)), mlx.random.normal((4,)))
        assert_same(mx.random.permutation(9), mlx.random.permutation(9))
    assert_same(mx.random.state[0], mlx.random.state[0])


@needs_oracle
@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.random.uniform(shape=(2,), dtype=m.int32),
        lambda m: m.random.uniform(0, m.zeros((3,)), (2,)),
        lambda m: m.random.normal((-1,)),
        lambda m: m.random.randint(0, 5, (2,), m.float32),
        lambda m: m.random.normal((2,), m.int32),
        lambda m: m.random.split(m.random.key(0), -1),
        lambda m: m.random.uniform(key=m.array([1, 2, 3], dtype=m.uint32)),
        lambda m: m.random.uniform(key=m.array([1.0, 2.0])),
        lambda m: m.random.categorical(m.zeros((2, 3)), shape=(2,), num_samples=2),
        lambda m: m.random.categorical(m.zeros((2, 3)), 5),
        lambda m: m.random.categorical(m.zeros((2, 3)), shape=(5,)),
        lambda m: m.random.bernoulli(m.zeros((3,)), (2,)),
        lambda m: m.random.key("a"),
        lambda m: m.random.bernoulli(m.array([0.0, 1.0])),
        lambda m: m.random.bernoulli(),
        lambda m: m.random.uniform(0, m.ones((3,)), key=m.random.key(0)),
        lambda m: m.random.uniform(m.zeros((2, 1)), m.ones((3,)), (4, 2, 3), key=m.random.key(0)),
        lambda m: m.random.key(True),
    ],
)
def test_errors_and_corners_like_the_oracle(call: Any) -> None:
    for m in (mx, mlx):
        m.random.seed(0)
    agree(call)


@needs_oracle
@pytest.mark.parametrize("name", [*FLOATS, "complex64"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (0,), (2, 1)], ids=str)
def test_location_and_scale_broadcast_with_the_shape(shape: tuple[int, ...], name: str) -> None:
    for loc in (None, 1.5, [[1.0], [2.0]]):
        for scale in (None, 2.0, [[3.0], [0.5]]):
            arrays = lambda m: (x if x is None else m.array(x) for x in (loc, scale))
            same(lambda m: m.random.normal(shape, dt(m, name), *arrays(m), m.random.key(5)))


@needs_oracle
def test_normal_has_the_bits_of_the_oracle() -> None:
    same(lambda m: m.random.normal((300_001,), key=m.random.key(12)))


@needs_oracle
@pytest.mark.parametrize("name", REAL)
def test_bounds_in_the_wrong_order(name: str) -> None:
    for low, high in ((2.5, -3.0), (1.0, 1.0), (0.0, -0.5)):
        same(lambda m: m.random.truncated_normal(low, high, (50,), dt(m, name), m.random.key(1)), ulps=64, atol=1e-5)


@pytest.mark.parametrize("name", FLOATS)
def test_moments(name: str) -> None:
    key = mx.random.key(11)
    x = to_numpy(mx.random.normal((20_000,), dt(mx, name), key=key)).astype(np.float64)
    assert abs(x.mean()) < 0.03 and abs(x.std() - 1) < 0.03 and name_of(mx.random.normal((2,), dt(mx, name))) == name
    u = to_numpy(mx.random.uniform(2, 5, (20_000,), dt(mx, name), key)).astype(np.float64)
    assert u.min() >= 2 and u.max() <= 5 and abs(u.mean() - 3.5) < 0.03
    assert name == "bfloat16" or len(np.unique(u)) > 1000


def test_complex_normal() -> None:
    x = to_numpy(mx.random.normal((20_000,), mx.complex64, key=mx.random.key(1)))
    assert x.dtype == np.complex64 and abs(x.real.var() - 0.5) < 0.03 and abs(x.imag.var() - 0.5) < 0.03


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize(
    ("name", "bound"),
    [("float16", 60000.0), ("float32", 3e38), ("bfloat16", 3e38), ("float64", 1.5e308), ("float16", 65504.0)],
)
def test_uniform_of_bounds_that_are_far_apart(name: str, bound: float, arrays: bool) -> None:
    """Their distance is more than the dtype holds; MLX gives infinity."""
    low, high = (mx.array(v, dt(mx, name)) for v in (-bound, bound)) if arrays else (-bound, bound)
    x = to_numpy(mx.random.uniform(low, high, (4000,), dt(mx, name), mx.random.key(2))).astype(np.float64) / bound
    assert np.abs(x).max() <= 1.002 and x.min() < -0.99 and x.max() > 0.99 and abs(x.mean()) < 0.03


def test_bounds_are_numbers_of_the_dtype() -> None:
    """A Python number keeps its digits in float64."""
    for x in (mx.random.uniform(0.1, 0.1, (3,), mx.float64), mx.random.truncated_normal(0.1, 0.1, (3,), mx.float64)):
        assert x.tolist() == [0.1] * 3


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize(
    "bounds", [(2.0, np.inf), (4.0, np.inf), (-np.inf, -4.0), (-np.inf, np.inf), (8.0, 9.0), (-9.0, -8.0)]
)
def test_truncated_normal_far_out(name: str, bounds: tuple[float, float]) -> None:
    """Finite numbers between the bounds, and not those at the far end: in MLX the latter, or infinite ones."""
    x = to_numpy(mx.random.truncated_normal(*bounds, (5000,), dt(mx, name), mx.random.key(1))).astype(np.float64)
    assert np.isfinite(x).all() and x.min() >= bounds[0] and x.max() <= bounds[1]
    if abs(bounds[0]) == 8 or abs(bounds[1]) == 8:
        assert np.abs(np.abs(x).mean() - 8.12) < 0.2


def test_categorical_of_infinite_logits() -> None:
    """Positions exist, whatever the logits: the infinite ones share, and all where nothing else is left."""
    inf = float("inf")
    for logits, among in (
        ([-inf] * 3, {0, 1, 2}),
        ([0.0, inf, inf], {1, 2}),
        ([-inf, 0.0, -inf], {1}),
        ([float("nan"), 0.0], {0, 1}),
    ):
        x = mx.random.categorical(mx.array(logits), num_samples=200, key=mx.random.key(1))
        assert set(x.tolist()) == among


def test_randint_stays_in_range_and_reaches_both_ends() -> None:
    x = to_numpy(mx.random.randint(-3, 4, (10_000,), key=mx.random.key(2)))
    assert set(np.unique(x)) == set(range(-3, 4))


WIDE_RANGES = [
    ("int32", 2**25, 2**25 + 5), ("int64", 2**40, 2**40 + 7), ("int32", 0, 2**31 - 1), ("int32", -(2**31), 2**31),
    ("uint32", 0, 2**32),
    ("int64", -(2**63), 2**63 - 1), ("int64", 2**62, 2**63), ("uint64", 0, 2**64 - 1), ("int64", -(2**62), 2**63 - 1),
    ("int32", 0, 3 << 22), ("uint64", 2**63, 3 * 2**62),
]  # fmt: skip


@pytest.mark.parametrize(("name", "low", "high"), WIDE_RANGES)
@pytest.mark.parametrize("arrays", [False, True])
def test_randint_of_wide_ranges(name: str, low: int, high: int, arrays: bool) -> None:
    """All integers are as likely, also where a float32 cannot tell them apart: in MLX most never come."""
    n = 40_000
    bounds: Any = (low, high)
    if arrays and high != 2**63:
        kind = mx.uint64 if high >= 2**63 else mx.int64
        bounds = (mx.array(low, kind), mx.array(high, kind))
    x = mx.random.randint(*bounds, (n,), dt(mx, name), mx.random.key(5))
    assert name_of(x) == name
    values = x.tolist()
    assert min(values) >= low and max(values) < high
    for parts in (5, 3) if high - low < 10 else (16, 7):  # of the range, and of the last digits
        digits = [(v - low) % min(parts, high - low) for v in values]
        for numbers in ([(v - low) * parts // (high - low) for v in values], digits):
            counts = np.bincount(numbers)
            if high - low >= 100 or parts == high - low:
                assert len(counts) == min(parts, high - low)
                assert np.abs(counts - n / len(counts)).max() < 6 * np.sqrt(n / len(counts)), counts


def test_randint_of_unknown_ranges() -> None:
    """Narrow and wide ones side by side; one without integers gives its lower bound."""
    low, high = mx.array([0, -3, 2**30, 5, 2**30]), mx.array([10, 4, 2**30 + 3, 5, 2**29])
    x = np.array(mx.random.randint(low, high, (2000, 5), key=mx.random.key(0)))
    for i, values in enumerate((range(10), range(-3, 4), range(2**30, 2**30 + 3), [5], [2**30])):
        assert set(x[:, i].tolist()) == set(values)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("uint8", 0, 300),
        ("uint8", -1, 3),
        ("int32", 0, 2**40),
        ("int8", -129, 5),
        ("bool", 0, 3),
        ("bool", -1, 1),
        ("int64", 0, 2**63 + 5),
    ],
)
def test_randint_bounds_of_the_dtype(name: str, low: int, high: int) -> None:
    with pytest.raises(ValueError, match="bound"):
        mx.random.randint(low, high, (3,), dt(mx, name))


def test_randint_up_to_the_end_of_the_dtype() -> None:
    for name, low, high in (("uint8", 0, 256), ("int8", -128, 128), ("int16", 32767, 32768)):
        x = mx.random.randint(low, high, (20_000,), dt(mx, name), mx.random.key(1))
        assert {x.min().item(), x.max().item()} == {low, high - 1}


@needs_oracle
def test_randint_of_bools() -> None:
    for low, high in ((0, 2), (0, 1), (1, 2), (False, True)):
        same(lambda m: m.random.randint(low, high, (50,), m.bool_, m.random.key(3)))


def test_seeds_differ_and_repeat() -> None:
    draws = []
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        draws.append(mx.random.uniform(shape=(4,)).tolist())
    assert draws[0] == draws[1] != draws[2]
    assert mx.random.uniform(shape=(4,)).tolist() != mx.random.uniform(shape=(4,)).tolist()


def test_all_dtypes_are_named() -> None:
    assert set(REAL) | set(INTEGERS) < set(DTYPES)
