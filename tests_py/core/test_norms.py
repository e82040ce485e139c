"""linalg.norm and linalg.cross against MLX and NumPy, with gradients and batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from oracle import EPS, agree, array, assert_close, assert_error, mlx, mx, needs_oracle, outcome, sample, to_numpy, wide

INF = math.inf
VECTOR = [None, 0, 1, -1, 2, -2, 3, 0.5, 3.5, INF, -INF]
MATRIX = [None, "fro", "f", 1, -1, INF, -INF]
# MLX's sums of uint8 over strided arrays may never end: integers are compared in other dtypes.
DTYPES = ["bool", "int8", "int32", "uint32", "float16", "bfloat16", "float32", "float64"]


def views(lib: Any, name: str) -> list[Any]:
    """The same values contiguous, transposed, strided and broadcast."""
    a = array(lib, sample(name, (3, 4), seed=1), name)
    wide_one = array(lib, sample(name, (6, 8), seed=2), name)
    return [a, a.T, wide_one[::2, 1::2], lib.broadcast_to(a[:1], (3, 4))]


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("ord", VECTOR)
def test_norms_of_vectors(name: str, ord: Any) -> None:
    for view in range(4):
        for axis in (0, -1):
            tolerance = {"ulps": 8, "atol": 1e-6}
            agree(lambda lib: lib.linalg.norm(views(lib, name)[view], ord, axis, view > 1), **tolerance,
                  what=f"view {view} axis {axis}")


@needs_oracle
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("ord", MATRIX)
def test_norms_of_matrices(name: str, ord: Any) -> None:
    for view in range(4):
        for axis in (None, (0, 1), [1, 0]):
            agree(lambda lib: lib.linalg.norm(views(lib, name)[view], ord=ord, axis=axis, keepdims=view > 1), ulps=8,
                  what=f"view {view} axis {axis}")
    for axes in ((0, 1), (2, 0), (-1, 1)):
        agree(lambda lib: lib.linalg.norm(array(lib, sample(name, (2, 3, 4)), name), ord, axes), ulps=8)


@needs_oracle
def test_norm_of_everything() -> None:
    for shape in ((), (0,), (5,), (2, 3, 4)):
        agree(lambda lib: lib.linalg.norm(array(lib, sample("float32", shape), "float32")), ulps=8, what=str(shape))
        agree(lambda lib: lib.linalg.norm(array(lib, sample("float32", shape), "float32"), keepdims=True), ulps=8)
    agree(lambda lib: lib.linalg.norm(lib.zeros((0, 3)), axis=0))
    agree(lambda lib: lib.linalg.norm(lib.array([[-1.0, 2.0]]), axis=[]))
    agree(lambda lib: lib.matrix_norm(lib.ones((2, 3, 3))), ulps=8)


@pytest.mark.parametrize("ord", [None, 0, 1, -1, 2, 3, INF, -INF])
def test_norms_of_complex_numbers_are_real(ord: Any) -> None:
    a = sample("complex64", (3, 4))
    got = mx.linalg.norm(mx.array(a), ord, axis=1)
    assert got.dtype == mx.float32  # MLX: complex64 for some
    assert_close(got, np.linalg.norm(a, ord, axis=1), rtol=1e-5)


def test_halves_are_summed_in_float32() -> None:
    assert mx.linalg.norm(mx.full((10_000,), 100.0, mx.float16)).item() == 10_000  # MLX: infinity
    assert mx.linalg.norm(mx.array([300.0, 400.0], mx.float16)).item() == 500


@needs_oracle
@pytest.mark.parametrize(
    ("shape", "ord", "axis"),
    [((3, 4), 0, None), ((3, 4), 3, None), ((3, 4), "inf", None), ((3, 4), "fro", 1), ((3, 4), None, (0, 0)),
     ((2, 3, 4), 2, None), ((2, 3, 4), None, (0, 1, 2)), ((), 1, None), ((3,), None, 1), ((3, 4), "x", (0, 1))],
)  # fmt: skip
def test_what_has_no_norm(shape: tuple[int, ...], ord: Any, axis: Any) -> None:
    call = lambda lib: lambda: lib.linalg.norm(lib.ones(shape), ord, axis)
    assert_error(outcome(call(mx), mx), outcome(call(mlx), mlx))


@pytest.mark.parametrize("ord", ["nuc", 2, -2])
def test_norms_that_need_singular_values_say_so(ord: Any) -> None:
    with pytest.raises(ValueError, match=rf"\[linalg.norm\] ord '?{ord}'? of a matrix needs singular values"):
        mx.linalg.norm(mx.ones((3, 3)), ord)


@needs_oracle
def test_derivatives_and_batches_of_norms() -> None:
    a = sample("float32", (3, 4), lo=0.5)
    for ord in (None, 1, 3, INF):
        f = lambda lib: lambda x: lib.linalg.norm(x, ord, axis=-1).sum()
        agree(lambda lib: lib.grad(f(lib))(array(lib, a, "float32")), ulps=16, what=str(ord))
        got = mx.vmap(lambda x: mx.linalg.norm(x, ord))(mx.array(a))
        assert_close(got, mx.linalg.norm(mx.array(a), ord, axis=1), rtol=4 * EPS["float32"])


@needs_oracle
@pytest.mark.parametrize("name", ["int32", "float16", "bfloat16", "float32", "float64", "complex64"])
def test_cross(name: str) -> None:
    for s, t, axis in [((3,), (3,), -1), ((4, 3), (3,), -1), ((3, 4), (3, 4), 0), ((4, 2), (4, 2), -1), ((2,), (3,), -1),
                       ((5, 3), (1, 3), 1), ((2, 3), (4, 2, 3), -1), ((0, 3), (3,), -1)]:  # fmt: skip
        agree(lambda lib: lib.linalg.cross(array(lib, sample(name, s), name), array(lib, sample(name, t, 1), name), axis),
              ulps=2, atol=1e-2 if name == "bfloat16" else 2e-3 if name == "float16" else 1e-6, what=f"{s} {t}")


@needs_oracle
def test_cross_of_views_promotes_and_refuses() -> None:
    agree(lambda lib: lib.linalg.cross(lib.arange(3), lib.array([0.5, 1, 2])))
    agree(lambda lib: lib.linalg.cross(lib.array([True, False, True]), lib.array([True, True, False])))
    agree(lambda lib: lib.linalg.cross(lib.arange(12).reshape(3, 4).T, lib.arange(24).reshape(4, 6)[:, ::2]))
    for s, t, axis in [((4, 4), (4, 4), -1), ((), (3,), -1), ((3,), (3,), 2), ((2, 3), (4, 3), -1)]:
        call = lambda lib: lambda: lib.linalg.cross(lib.ones(s), lib.ones(t), axis)
        assert_error(outcome(call(mx), mx), outcome(call(mlx), mlx), f"{s} {t}")


def test_derivative_of_cross() -> None:
    a, b, c = (mx.array(sample("float32", 3, seed)) for seed in range(3))
    got = mx.grad(lambda x: (mx.linalg.cross(x, b) * c).sum())(a)
    assert_close(got, np.cross(to_numpy(b), to_numpy(c)), rtol=1e-5, atol=1e-6)
    pairs = [mx.array(sample("float32", (4, 3), seed)) for seed in (3, 4)]
    got = mx.vmap(mx.linalg.cross)(*pairs)
    assert_close(got, np.cross(wide(pairs[0]), wide(pairs[1])), rtol=1e-5, atol=1e-5)
