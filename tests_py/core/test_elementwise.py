"""Every elementwise function over every dtype, against NumPy in a wider precision, at ordinary and at edge values."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_table import ABSOLUTE, BINARY, BOOL_INTS, UNARY, reference, tolerance
from oracle import (
    DTYPES,
    EPS,
    FLOATS,
    INTEGERS,
    REALS,
    agree,
    array,
    assert_close,
    dt,
    edges,
    mx,
    name_of,
    needs_oracle,
    rounded,
    sample,
    to_numpy,
)

pytestmark = pytest.mark.smoke

CASES = [(name, d) for name, row in UNARY.items() for d in row[1]]


@pytest.mark.parametrize(("op", "name"), CASES, ids=lambda v: v)
def test_unary(op: str, name: str) -> None:
    f, _, integers, lo, hi = UNARY[op]
    x = sample(name, 203, 1, lo, hi)
    got = getattr(mx, op)(array(mx, x, name))
    want = reference(f, [x], [name], integers, name_of(got))
    assert_close(got, want, **tolerance(name_of(got), op in ABSOLUTE or name == "complex64"), what=f"{op} {name}")


@pytest.mark.parametrize(("op", "name"), [c for c in CASES if c[1] != "complex64"], ids=lambda v: v)
def test_unary_edges(op: str, name: str) -> None:
    f, _, integers, _, _ = UNARY[op]
    x = edges(name)
    got = getattr(mx, op)(array(mx, x, name))
    want = reference(f, [x], [name], integers, name_of(got))
    assert_close(got, want, **tolerance(name_of(got), op in ABSOLUTE), what=f"{op} {name} of {x}")


@pytest.mark.parametrize(
    "op",
    [
        "positive",
        "sqrt",
        "sin",
        "tan",
        "arcsin",
        "arctan",
        "sinh",
        "tanh",
        "arcsinh",
        "arctanh",
        "expm1",
        "log1p",
        "trunc",
        "ceil",
        "floor",
        "round",
        "erf",
        "erfinv",
    ],
)
@pytest.mark.parametrize("name", FLOATS)
def test_odd_functions_keep_the_sign_of_zero(op: str, name: str) -> None:
    got = to_numpy(getattr(mx, op)(array(mx, [0.0, -0.0], name)))
    assert (got == 0).all() and np.signbit(got).tolist() == [False, True]


@pytest.mark.parametrize("name", [*FLOATS, "complex64"])
def test_negative_and_abs_of_zero(name: str) -> None:
    x = array(mx, [0.0, -0.0], name)
    assert np.signbit(to_numpy(mx.negative(x)).real).tolist() == [True, False]
    assert np.signbit(to_numpy(mx.abs(x))).tolist() == [False, False]


PAIRED = [(name, d) for name, row in BINARY.items() for d in row[1]]


def check_binary(op: str, name: str, a: np.ndarray, b: np.ndarray, ulps: float = 1) -> None:
    f, _, integers, _, _ = BINARY[op]
    got = getattr(mx, op)(array(mx, a, name), array(mx, b, name))
    want = reference(f, [a, b], [name, name], integers, name_of(got))
    tol = tolerance(name_of(got), op in ABSOLUTE or name == "complex64")
    if op == "floor_divide" and name in FLOATS:  # a quotient within rounding of an integer may fall to either side
        tol["atol"] = 1
    if op == "remainder" and name in FLOATS:
        with np.errstate(all="ignore"):
            wrapped = np.abs(np.abs(to_numpy(got) - want) - np.abs(b)) <= 4 * EPS[name] * np.abs(a)
        want = np.where(wrapped, to_numpy(got), want)
        tol["atol"] = float(4 * EPS[name] * np.max(np.abs(a), where=np.isfinite(a), initial=0))
    assert_close(got, want, **{k: v * ulps for k, v in tol.items()}, what=f"{op} {name}")


@pytest.mark.parametrize(("op", "name"), PAIRED, ids=lambda v: v)
def test_binary(op: str, name: str) -> None:
    row = BINARY[op]
    check_binary(op, name, sample(name, 203, 2, *row[3]), sample(name, 203, 3, *row[4]), 4 if op == "power" else 1)


NOT_AT_EDGES = {"power", "left_shift", "right_shift", "floor_divide", "remainder"}  # tested one by one below


@pytest.mark.parametrize(
    ("op", "name"), [c for c in PAIRED if c[1] != "complex64" and c[0] not in NOT_AT_EDGES], ids=lambda v: v
)
def test_binary_edges(op: str, name: str) -> None:
    x = edges(name)
    a, b = (v.ravel() for v in np.meshgrid(x, x))
    check_binary(op, name, a, b)


@pytest.mark.parametrize("name", BOOL_INTS)
@pytest.mark.parametrize("op", ["floor_divide", "remainder"])
def test_integer_division_edges(op: str, name: str) -> None:
    """Division by zero gives 0, the smallest integer by -1 wraps; neither traps."""
    x = edges(name)
    a, b = (v.ravel() for v in np.meshgrid(x, x))
    check_binary(op, name, a, b)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("op", ["floor_divide", "remainder", "power"])
def test_float_division_and_power_edges(op: str, name: str) -> None:
    x = rounded([0.0, -0.0, 1, -1, 0.5, 2, 3, -2, np.inf, -np.inf, np.nan], name)
    a, b = (v.ravel() for v in np.meshgrid(x, x))
    got = to_numpy(getattr(mx, op)(array(mx, a, name), array(mx, b, name)))
    with np.errstate(all="ignore"):
        want = {
            "floor_divide": lambda: np.floor(a / b),
            "remainder": lambda: np.remainder(a, b),
            "power": lambda: np.power(a, b),
        }[op]()
    assert_close(
        got, want.astype(got.dtype), rtol=1e-2 if name in ("float16", "bfloat16") else 1e-6, what=f"{op} of {a}, {b}"
    )


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_power_wraps(name: str) -> None:
    a, b = (v.ravel() for v in np.meshgrid(edges(name), np.arange(0, 70)))
    with np.errstate(all="ignore"):
        want = np.ones_like(a)
        for k in range(70):
            want = np.where(b > k, want * a, want)
    got = mx.power(array(mx, a, name), array(mx, b, name))
    assert_close(got, want, what=f"power {name}")


@pytest.mark.parametrize("name", INTEGERS)
def test_shifts_by_any_count(name: str) -> None:
    bits = np.dtype(name).itemsize * 8
    x = edges(name)
    for n in (0, 1, bits - 1, bits, bits + 1, 100):
        count = array(mx, np.full(x.shape, n), name)
        left, right = mx.left_shift(array(mx, x, name), count), mx.right_shift(array(mx, x, name), count)
        want = np.array([int(v) << n for v in x.tolist()], dtype=object)
        wrapped = np.array(
            [
                (int(v) + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1) if name.startswith("i") else int(v) % 2**bits
                for v in want
            ],
            dtype=name,
        )
        assert_close(left, wrapped if n < bits else np.zeros_like(x), what=f"{name} << {n}")
        assert_close(right, np.array([int(v) >> n for v in x.tolist()], dtype=name), what=f"{name} >> {n}")


@pytest.mark.parametrize("name", REALS)
def test_divmod(name: str) -> None:
    a, b = sample(name, 50, 4, -20, 20), sample(name, 50, 5, 1, 7)
    q, r = mx.divmod(array(mx, a, name), array(mx, b, name))
    assert_close(q, mx.floor_divide(array(mx, a, name), array(mx, b, name)))
    assert_close(r, mx.remainder(array(mx, a, name), array(mx, b, name)))


@pytest.mark.parametrize("name", DTYPES)
def test_where(name: str) -> None:
    c, x, y = sample("bool", (4, 1, 5), 6), sample(name, (3, 1), 7), sample(name, (4, 3, 5), 8)
    got = mx.where(mx.array(c), array(mx, x, name), array(mx, y, name))
    assert name_of(got) == name
    assert_close(got, np.where(c, x, y))


def test_complex_numbers_divided_by_zero() -> None:
    """Each part is divided, so that what is not zero becomes infinite, as in NumPy and MLX."""
    parts = [0.0, 1.0, -2.5, np.inf, -np.inf, np.nan]
    x = np.array([complex(a, b) for a in parts for b in parts], np.complex64)
    with np.errstate(all="ignore"):
        want = x / np.complex64(0)
    for got in (mx.array(x) / mx.array(0j), mx.divide(mx.array(x), mx.zeros(x.shape))):
        assert_close(to_numpy(got).real, want.real)
        assert_close(to_numpy(got).imag, want.imag)


@pytest.mark.parametrize("name", REALS)
def test_clip(name: str) -> None:
    x, low, high = sample(name, (3, 5), 9, -9, 9), sample(name, (5,), 10, 0, 2), sample(name, (3, 1), 11, 3, 5)
    a = array(mx, x, name)
    assert_close(mx.clip(a, array(mx, low, name), array(mx, high, name)), np.clip(x, low, high))
    assert_close(mx.clip(a, array(mx, low, name), None), np.maximum(x, low))
    assert_close(mx.clip(a, None, array(mx, high, name)), np.minimum(x, high))


@needs_oracle
@pytest.mark.parametrize("name", REALS)
def test_scalar_bounds_of_clip_are_weak_beside_the_array(name: str) -> None:
    x = sample(name, (6,), 12, 0, 9)
    for low in (None, 1, 1.5, "float16", "uint8", "int64"):
        for high in (None, 3, 2.5, "float16", "bfloat16", "int8", "uint32"):
            bound = lambda m, v: array(m, [2], v) if isinstance(v, str) else v
            agree(lambda m: m.clip(array(m, x, name), bound(m, low), bound(m, high)), what=f"{low} {high}")


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3])
def test_round(name: str, decimals: int) -> None:
    step = 10.0**-decimals
    whole = np.arange(-20, 20) * step
    x = rounded(whole + step * np.random.default_rng(12).uniform(-0.2, 0.2, whole.shape), name)
    got = mx.round(array(mx, x, name), decimals)
    assert_close(got, rounded(whole, name), rtol=4 * EPS[name], what=f"round to {decimals}")


@pytest.mark.parametrize("name", FLOATS)
def test_nan_to_num(name: str) -> None:
    x = array(mx, [np.nan, np.inf, -np.inf, 1.5], name)
    big = mx.finfo(dt(mx, name)).max
    assert_close(mx.nan_to_num(x), rounded([0, big, -big, 1.5], name))
    assert_close(mx.nan_to_num(x, 7.0, 8.0, 9.0), rounded([7, 8, 9, 1.5], name))


def test_closeness() -> None:
    a, b = mx.array([1.0, 2.0, np.nan, np.inf, -np.inf]), mx.array([1.0 + 1e-6, 2.1, np.nan, np.inf, np.inf])
    assert mx.isclose(a, b).tolist() == [True, False, False, True, False]
    assert mx.isclose(a, b, rtol=0.1).tolist() == [True, True, False, True, False]
    assert mx.isclose(a, b, equal_nan=True).tolist() == [True, False, True, True, False]
    assert mx.allclose(a[:1], b[:1]).item() is True and mx.allclose(a, b).item() is False
    assert mx.array_equal(a, a).item() is False and mx.array_equal(a, a, equal_nan=True).item() is True
    assert mx.array_equal(mx.zeros((2, 1)), mx.zeros((1, 2))).item() is False


@pytest.mark.parametrize("n", [1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000, 100_003])
def test_lengths_around_vector_widths(n: int) -> None:
    x = np.linspace(0.5, 2, n, dtype=np.float32)
    for op, f in (("exp", np.exp), ("tanh", np.tanh), ("sqrt", np.sqrt), ("log", np.log)):
        assert_close(getattr(mx, op)(mx.array(x)), f(x.astype(np.float64)), rtol=1e-6, atol=1e-6, what=op)
    for name in ("int8", "uint16", "int32", "float64", "complex64", "bool", "float16"):
        v = sample(name, n, 13)
        assert_close(mx.add(array(mx, v, name), array(mx, v, name)), v + v, what=name)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_cast(name: str, other: str) -> None:
    x = sample(name, 40, 14, 0, 100)
    got = array(mx, x, name).astype(dt(mx, other))
    with np.errstate(all="ignore"):
        value = x.real if name == "complex64" and other != "complex64" else x
        want = (x != 0) if other == "bool" else rounded(value, other)
    assert name_of(got) == other
    assert_close(got, want, what=f"{name} to {other}")


@pytest.mark.parametrize("op", ["logical_and", "add", "equal", "exp", "where"])
def test_empty_arrays(op: str) -> None:
    e = mx.zeros((2, 0, 3))
    args = {"exp": [e], "where": [e, e, e]}.get(op, [e, mx.zeros((2, 1, 3))])
    assert getattr(mx, op)(*args).shape == (2, 0, 3)
    assert to_numpy(getattr(mx, op)(*args)).size == 0
