"""fft.fftfreq and its kin against MLX and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import agree, assert_close, assert_error, mlx, mx, needs_oracle, outcome


@needs_oracle
@pytest.mark.parametrize("f", ["fftfreq", "rfftfreq"])
@pytest.mark.parametrize("n", [1, 2, 5, 6, 1000, 1001])
def test_frequencies(f: str, n: int) -> None:
    for d in (1.0, 0.1, -2.0, 3):
        agree(lambda lib: getattr(lib.fft, f)(n, d), ulps=1, what=str(d))
        assert_close(getattr(mx.fft, f)(n, d), getattr(np.fft, f)(n, d).astype(np.float32), rtol=2e-7)


@needs_oracle
@pytest.mark.parametrize("f", ["fftfreq", "rfftfreq"])
@pytest.mark.parametrize("arguments", [(0,), (-1,), (4, 0.0), (1.5,), ("3",)])
def test_no_frequencies(f: str, arguments: tuple) -> None:
    call = lambda lib: lambda: getattr(lib.fft, f)(*arguments)
    assert_error(outcome(call(mx), mx), outcome(call(mlx), mlx))


@needs_oracle
@pytest.mark.parametrize("f", ["fftshift", "ifftshift"])
def test_shifts(f: str) -> None:
    for shape in ((5,), (6,), (2, 3), (4, 0, 2), (), (3, 4, 5)):
        axes = [None, (), *range(-len(shape), len(shape)), tuple(range(len(shape)))]
        for a in axes:
            agree(lambda lib: getattr(lib.fft, f)(lib.arange(int(np.prod(shape))).reshape(shape), a), what=f"{shape} {a}")
    agree(lambda lib: getattr(lib.fft, f)(lib.arange(6).reshape(2, 3).T, (1, 1)))
    call = lambda lib: lambda: getattr(lib.fft, f)(lib.ones((2, 3)), 2)
    assert_error(outcome(call(mx), mx), outcome(call(mlx), mlx))
    x = mx.arange(7.0)
    assert mx.array_equal(mx.fft.ifftshift(mx.fft.fftshift(x)), x)
    weights = mx.arange(7.0)
    assert mx.array_equal(mx.grad(lambda x: (getattr(mx.fft, f)(x) * weights).sum())(x),
                          getattr(mx.fft, "fftshift" if f == "ifftshift" else "ifftshift")(weights))
