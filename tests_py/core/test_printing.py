"""An array prints as the oracle prints it: the same digits, widths and dots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DTYPES, FLOATS, array, edges, mlx, mx, needs_oracle, sample
from strategies import views

pytestmark = needs_oracle


def plain(text: str) -> str:
    """As Python writes it: a NaN has no sign, and a negative zero follows "-", not "+-"."""
    return text.replace("-nan", "nan").replace("+-", "-")


def same_text(a: Any, b: Any) -> None:
    assert repr(a) == plain(repr(b))
    assert str(a) == plain(str(b))


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [
        (),
        (1,),
        (3,),
        (0,),
        (2, 0),
        (2, 3),
        (2, 2, 2),
        (6,),
        (7,),
        (8,),
        (30,),
        (7, 2),
        (2, 7),
        (8, 9),
        (1, 1, 1, 1),
        (7, 7, 7),
    ],
    ids=str,
)
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    x = sample(name, shape, 1, -99, 99)
    same_text(array(mx, x, name), array(mlx, x, name))


@pytest.mark.parametrize("name", DTYPES)
def test_edges(name: str) -> None:
    for v in edges(name):
        same_text(array(mx, v, name), array(mlx, v, name))
    for i in range(0, len(edges(name)), 5):
        same_text(array(mx, edges(name)[i : i + 5], name), array(mlx, edges(name)[i : i + 5], name))


NUMBERS = [
    0.1,
    1 / 3,
    1e-5,
    1e-4,
    123456.0,
    1234567.0,
    0.00012345678,
    1e10,
    1e16,
    123456789.0,
    1e-10,
    5e-324,
    0.5,
    100000.0,
    1e5 + 0.5,
    99999.95,
    2.0**24,
    1e38,
    3.14159265,
]


@pytest.mark.parametrize("name", FLOATS)
def test_numbers(name: str) -> None:
    for v in NUMBERS:
        for x in (v, -v, [v, 1.0], [v, -v, 0.0]):
            with np.errstate(all="ignore"):
                same_text(array(mx, x, name), array(mlx, x, name))


@pytest.mark.parametrize(
    "value", [1 + 2j, -1j, 0.1 + 0.25j, complex(float("nan"), 1), complex(1, float("inf")), 1e10 - 1e-10j, -0.0 - 0.0j]
)
def test_complex(value: complex) -> None:
    same_text(mx.array(value), mlx.array(value))
    same_text(mx.array([value, value]), mlx.array([value, value]))


@settings(max_examples=1000)
@given(st.lists(st.floats(width=32), min_size=1, max_size=4))
def test_any_float32(values: list[float]) -> None:
    same_text(array(mx, values, "float32"), array(mlx, values, "float32"))


@settings(max_examples=800)
@given(st.lists(st.floats(), min_size=1, max_size=4))
def test_any_float64(values: list[float]) -> None:
    same_text(array(mx, values, "float64"), array(mlx, values, "float64"))


@settings(max_examples=400)
@given(views())
def test_views(view: Any) -> None:
    same_text(view.build(mx), view.build(mlx))


@pytest.mark.parametrize("precision", [1, 3, 6, 10, 17])
def test_precision(precision: int) -> None:
    x = sample("float32", (2, 3), 2)
    with mx.printoptions(precision=precision), mlx.printoptions(precision=precision):
        same_text(mx.array(x), mlx.array(x))
        same_text(mx.array(x + 1j), mlx.array(x + 1j))
        assert mx.get_printoptions().precision == precision
    mx.set_printoptions(precision=precision)
    mlx.set_printoptions(precision=precision)
    same_text(mx.array(x), mlx.array(x))
    mlx.set_printoptions(precision=-1)
    mx.set_printoptions(precision=-1)
    same_text(mx.array(x), mlx.array(x))


def test_other_reprs() -> None:
    mx.set_default_device(mx.cpu)  # the oracle's
    for f in (
        lambda m: m.float32,
        lambda m: m.bool_,
        lambda m: m.cpu,
        lambda m: m.default_device(),
        lambda m: m.Device(m.cpu),
        lambda m: m.finfo(m.float32),
    ):
        assert repr(f(mx)).replace("mlx_go", "mlx") == repr(f(mlx))


@pytest.mark.parametrize("value", [2.5, 3, True, 1 + 2j, [1.0, 2.0]])
def test_format(value: Any) -> None:
    for text in ("{}", "{:>8}", "{:.2f}", "{!r}", "{!s}"):
        got, want = (answer(lambda: text.format(m.array(value))) for m in (mx, mlx))
        assert got == want, text


def answer(f: Any) -> Any:
    try:
        return f()
    except (TypeError, ValueError) as e:
        return type(e)


@pytest.mark.parametrize("precision", [0, 1, 50, 1074, 1075, 1200, 70_000])
def test_precisions(precision: int) -> None:
    """Beyond 1074 digits all are zeros, which the text has as well."""
    x = np.array([1.5, 5e-324, -1 / 3, np.nan, np.inf])
    with mx.printoptions(precision=precision), mlx.printoptions(precision=precision):
        assert repr(mx.array(x, mx.float64)) == "array([" + ", ".join(f"{v:.{precision}f}" for v in x) + "], dtype=float64)"
        same_text(array(mx, x[:3], "float32"), array(mlx, x[:3], "float32"))
        assert repr(mx.array([1.5 - 2j])) == f"array([{1.5:.{precision}f}{-2.0:.{precision}f}j], dtype=complex64)"


@pytest.mark.parametrize("precision", [2**31, -(2**31) - 1, 2**40, 1.0, None])
def test_precisions_that_are_none(precision: Any) -> None:
    before = mx.get_printoptions().precision
    for m in (mx, mlx):
        with pytest.raises(TypeError):
            m.set_printoptions(precision=precision)
    assert mx.get_printoptions().precision == before


def test_shapes_with_dots_at_every_level() -> None:
    for shape in ((7, 1, 8), (8, 7, 0), (7, 0, 7), (0, 7), (1, 9, 1, 9), (3, 7, 2)):
        x = np.arange(np.prod(shape)).reshape(shape)
        same_text(array(mx, x, "int32"), array(mlx, x, "int32"))
        same_text(array(mx, x, "int32").swapaxes(0, -1), array(mlx, x, "int32").swapaxes(0, -1))
