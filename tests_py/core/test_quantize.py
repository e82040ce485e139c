"""Quantized matrices beside the oracle: words, scales and biases bit for bit, values, products and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import EPS, array, assert_close, dt, mlx, mx, needs_oracle, to_numpy

DTYPES = ("float32", "float16", "bfloat16")
AFFINE = [("affine", group, bits) for group in (32, 64, 128) for bits in (1, 2, 3, 4, 5, 6, 8)]
SHARED = [("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)]
FORMATS = AFFINE + SHARED
FEW = [("affine", 32, 3), ("affine", 64, 4), ("affine", 128, 8), *SHARED]
named = pytest.mark.parametrize


def of(lib: Any, values: Any, name: str = "float32") -> Any:
    return lib.array(np.asarray(values, np.float32)).astype(dt(lib, name))


def how(form: tuple[str, int, int]) -> dict[str, Any]:
    return {"mode": form[0], "group_size": form[1], "bits": form[2]}


def bits_of(x: Any) -> np.ndarray:
    """The memory of an array, whose NaNs are all alike."""
    if np.issubdtype(np.dtype(np.float32), np.floating) and str(x.dtype).rpartition(".")[2].startswith(("float", "bf")):
        x = np.array(x.astype(type(x.dtype)(x.dtype) if False else _float32(x)))
        return np.where(np.isnan(x), np.float32(np.nan), x).view(np.uint32)
    return np.array(x)


def _float32(x: Any) -> Any:
    return mx.float32 if isinstance(x, mx.array) else mlx.float32


def same(got: Any, want: Any, what: str) -> None:
    assert len(got) == len(want), what
    for g, w, part in zip(got, want, ("words", "scales", "biases")):
        assert str(g.dtype).rpartition(".")[2] == str(w.dtype).rpartition(".")[2], what
        assert np.array_equal(bits_of(g), bits_of(w)), f"{part} of {what}"


def odd_groups(n: int) -> np.ndarray:
    """Rows of n elements: zeros, constants, extremes, infinities and NaNs at several places, tiny and huge numbers."""
    ramp, z = np.arange(n, dtype=np.float32), np.zeros(n, np.float32)
    rows = [z, -z, z + 1.5, z - 1.5, ramp, -ramp, ramp / n - 0.5, np.linspace(-1, 1, n), np.linspace(1, 1 + 3e-7, n)]
    rows += [s * ramp / n for s in (1e-8, 1e-30, 1e-40, 3e38, 60000, 1e-4)] + [z + 1e-40, z - 3e38]
    rows += [np.where(ramp % 2 > 0, -0.0, 0.0), np.where(ramp > 9, -0.0, 0.0), np.where(ramp == 11, 1.0, -0.0)]
    for special in (np.inf, -np.inf, np.nan):
        for at in (0, 5, n - 1):
            for rest in (z, z + 1, -ramp):
                row = rest.copy()
                row[at] = special
                rows.append(row)
    rows += [z + np.nan, np.r_[np.inf, -np.inf, z[2:] + 1]]
    return np.stack(rows).astype(np.float32)


@needs_oracle
@named("form", FORMATS, ids=str)
@named("name", DTYPES)
def test_words_scales_and_biases_are_the_oracles(form: tuple[str, int, int], name: str) -> None:
    rng = np.random.default_rng(form[2] + form[1])
    for scale in (1, 1e-3, 300, 1e-7):
        w = rng.standard_normal((24, 512)) * scale
        got, want = mx.quantize(of(mx, w, name), **how(form)), mlx.quantize(of(mlx, w, name), **how(form))
        same(got, want, f"{form} {name} times {scale}")


@needs_oracle
@named("form", FORMATS, ids=str)
@named("name", DTYPES)
def test_odd_groups(form: tuple[str, int, int], name: str) -> None:
    with np.errstate(all="ignore"):
        w = odd_groups(form[1])
        for i in range(len(w)):
            row = w[[i, i]]
            got, want = mx.quantize(of(mx, row, name), **how(form)), mlx.quantize(of(mlx, row, name), **how(form))
            same(got, want, f"{form} {name} row {i}: {row[0, :12]}")


@needs_oracle
@named("form", FORMATS, ids=str)
@named("name", DTYPES)
def test_values_are_the_oracles(form: tuple[str, int, int], name: str) -> None:
    w = np.random.default_rng(3).standard_normal((5, 3, 256))
    parts = mlx.quantize(of(mlx, w, name), **how(form))
    ours = [mx.array(bits_of(p)) if p.dtype != dt(mlx, name) else of(mx, np.array(p.astype(mlx.float32)), name) for p in parts]
    for to in (None, *DTYPES):
        dtypes = [None if to is None else dt(lib, to) for lib in (mx, mlx)]
        got, want = mx.dequantize(*ours, dtype=dtypes[0], **how(form)), mlx.dequantize(*parts, dtype=dtypes[1], **how(form))
        assert str(got.dtype).rpartition(".")[2] == str(want.dtype).rpartition(".")[2]
        assert np.array_equal(bits_of(got), bits_of(want)), f"{form} {name} to {to}"


def dense(lib: Any, parts: Any, form: tuple[str, int, int]) -> np.ndarray:
    """The values of a quantized matrix in float64."""
    return np.array(lib.dequantize(*[p.astype(lib.float32) if i else p for i, p in enumerate(parts)], **how(form))
                    if form[0] == "affine" else lib.dequantize(*parts, dtype=lib.float32, **how(form))).astype(np.float64)


def close(got: Any, want: np.ndarray, scale: np.ndarray, name: str, what: str) -> None:
    """got is want up to what sums of float32 lose, and the rounding to the dtype."""
    got = np.array(got.astype(mx.float32)).astype(np.float64)
    assert got.shape == want.shape, f"{what}: {got.shape} {want.shape}"
    room = scale * 3e-6 + np.abs(want) * (0 if name == "float32" else EPS[name]) + 1e-6
    assert np.all(np.abs(got - want) <= room), f"{what}: {np.max(np.abs(got - want) / room)}"


@named("form", FORMATS, ids=str)
@named("name", DTYPES)
@named("transpose", [True, False])
def test_products_are_those_of_the_values(form: tuple[str, int, int], name: str, transpose: bool) -> None:
    rng = np.random.default_rng(1)
    for m, k, n in [(1, 256, 19), (3, 128, 33), (8, 384, 5), (17, 128, 64), (70, 256, 40)]:
        rows, columns = (n, k) if transpose else (k, n * 128)
        parts = mx.quantize(of(mx, rng.standard_normal((rows, columns)), name), **how(form))
        x = of(mx, rng.standard_normal((m, k)), name)
        w, xs = dense(mx, parts, form), np.array(x.astype(mx.float32)).astype(np.float64)
        w = w.T if transpose else w
        y = mx.quantized_matmul(x, *parts, transpose=transpose, **how(form))
        assert y.dtype == x.dtype
        close(y, xs @ w, np.abs(xs) @ np.abs(w), name, f"{form} {name} {m} {k} {n}")


@needs_oracle
@named("form", FEW, ids=str)
@named("name", DTYPES)
def test_products_are_the_oracles(form: tuple[str, int, int], name: str) -> None:
    rng = np.random.default_rng(2)
    for xshape, wshape in [((4, 256), (9, 256)), ((256,), (9, 256)), ((2, 3, 256), (9, 256)), ((2, 3, 256), (2, 9, 256)),
                           ((2, 1, 5, 256), (3, 9, 256)), ((3, 2, 256), (1, 9, 256))]:
        w, x = rng.standard_normal(wshape), rng.standard_normal(xshape)
        got, want = (
            lib.quantized_matmul(of(lib, x, name), *lib.quantize(of(lib, w, name), **how(form)), **how(form)) for lib in (mx, mlx)
        )
        assert got.shape == tuple(want.shape) and str(got.dtype)[-7:] == str(want.dtype)[-7:]
        assert_close(to_numpy(got.astype(mx.float32)), to_numpy(want.astype(mlx.float32)), rtol=4 * EPS[name] + 1e-6,
                     atol=60 * EPS[name] + 1e-4, what=f"{form} {xshape} {wshape}")


@needs_oracle
@named("form", FEW, ids=str)
@named("transpose", [True, False])
def test_gathered_products_are_the_oracles(form: tuple[str, int, int], transpose: bool) -> None:
    rng = np.random.default_rng(4)
    w = rng.standard_normal((4, 128, 128))
    for xshape, left, right in [((6, 1, 128), None, [0, 3, 1, 1, 2, 0]), ((6, 5, 128), [5, 0], [[0], [3]]),
                                ((6, 2, 128), [1, 2, 3, 3], None), ((2, 1, 1, 1, 128), None, [[[0, 3]], [[2, 2]]]),
                                ((1, 1, 128), None, [0, 1, 1, 3]), ((4, 3, 128), None, None), ((6, 40, 128), None, [0, 0, 0, 1, 1, 3])]:

        def call(lib: Any) -> Any:
            x = of(lib, rng_x)
            parts = lib.quantize(of(lib, w), **how(form))
            index = lambda p: None if p is None else lib.array(p, dtype=lib.uint32)
            return lib.gather_qmm(x, *parts, lhs_indices=index(left), rhs_indices=index(right), transpose=transpose, **how(form))

        rng_x = rng.standard_normal(xshape)
        got, want = call(mx), call(mlx)
        assert got.shape == tuple(want.shape), f"{xshape} {left} {right}"
        assert_close(to_numpy(got), to_numpy(want), rtol=1e-5, atol=1e-3, what=f"{form} {xshape} {left} {right}")


@needs_oracle
@named("transpose", [True, False])
@named("gathered", [True, False])
def test_gradients_are_the_oracles(transpose: bool, gathered: bool) -> None:
    rng = np.random.default_rng(5)
    w, x = rng.standard_normal((3, 64, 64)), rng.standard_normal((5, 2, 64))
    c = rng.standard_normal((5, 2, 64))

    def gradients(lib: Any) -> Any:
        words, scales, biases = lib.quantize(of(lib, w if gathered else w[0]), group_size=32, bits=4)
        index = lib.array([2, 0, 2, 1, 0], dtype=lib.uint32)

        def f(x: Any, s: Any, b: Any) -> Any:
            kw = {"group_size": 32, "bits": 4, "transpose": transpose}
            if gathered:
                return (lib.gather_qmm(x, words, s, b, rhs_indices=index, **kw) * of(lib, c)).sum()
            return (lib.quantized_matmul(x, words, s, b, **kw) * of(lib, c)).sum()

        return lib.grad(f, argnums=(0, 1, 2))(of(lib, x), scales, biases)

    for got, want in zip(gradients(mx), gradients(mlx)):
        assert_close(to_numpy(got), to_numpy(want), rtol=1e-4, atol=2e-3)
    got, want = (
        lib.grad(lambda s, b: (lib.dequantize(parts[0], s, b) * of(lib, c[:, 0])).sum(), argnums=(0, 1))(*parts[1:])
        for lib in (mx, mlx) for parts in [lib.quantize(of(lib, w[0, :5]))]
    )
    for g, v in zip(got, want):
        assert_close(to_numpy(g), to_numpy(v), rtol=1e-5, atol=1e-4)


def test_derivatives_agree_with_each_other() -> None:
    """Forward mode, backward mode and finite differences of all real arguments."""
    rng = np.random.default_rng(6)
    words, scales, biases = mx.quantize(of(mx, rng.standard_normal((2, 6, 64))), group_size=32, bits=3)
    x, index = of(mx, rng.standard_normal((4, 3, 64))), mx.array([1, 0, 1, 1])
    one = lambda x, s, b: mx.quantized_matmul(x, words[1], s[1], b[1], group_size=32, bits=3)
    many = lambda x, s, b: mx.gather_qmm(x, words, s, b, rhs_indices=index, group_size=32, bits=3)
    values = lambda x, s, b: mx.dequantize(words, s, b, group_size=32, bits=3)
    for f in (one, many, values):
        at = [x, scales, biases]
        tangents = [of(mx, rng.standard_normal(a.shape)) for a in at]
        y, t = (v[0] for v in mx.jvp(f, at, tangents))
        c = of(mx, rng.standard_normal(y.shape))
        grads = mx.vjp(f, at, [c])[1]
        forward, backward = mx.sum(t * c).item(), sum(mx.sum(g * v).item() for g, v in zip(grads, tangents))
        assert abs(forward - backward) < 1e-3 * (1 + abs(forward))
        moved = lambda e: np.array(f(*[a + e * v for a, v in zip(at, tangents)])).astype(np.float64)
        slope = (moved(0.5) - moved(-0.5))  # each is bilinear, so that central differences are exact
        assert np.allclose(slope, np.array(t), atol=1e-3)
    for form in SHARED:
        parts = mx.quantize(of(mx, rng.standard_normal((6, 64))), **how(form))
        g = mx.grad(lambda x: (mx.quantized_matmul(x, *parts, **how(form)) ** 2).sum())(x)
        w = mx.dequantize(*parts, dtype=mx.float32, **how(form))
        assert np.allclose(np.array(g), np.array(2 * (x @ w.T) @ w), atol=1e-3)


def test_scales_and_biases_are_differentiated() -> None:
    """The extremes of a group, of which one is hit exactly, carry what there is."""
    w = of(mx, np.random.default_rng(7).standard_normal((3, 64)))
    c = mx.random.normal((3, 2))
    f = lambda w, part: (mx.quantize(w, group_size=32, bits=4)[part] * c).sum()
    for part in (1, 2):
        g = np.array(mx.grad(lambda w: f(w, part))(w))
        v = np.random.default_rng(8).standard_normal(w.shape).astype(np.float32)
        h = 1e-3
        slope = (f(w + h * mx.array(v), part).item() - f(w - h * mx.array(v), part).item()) / (2 * h)
        t = mx.jvp(lambda w: f(w, part), [w], [mx.array(v)])[1][0].item()
        assert abs((g * v).sum() - slope) < 1e-2 * (1 + abs(slope)) and abs(t - slope) < 1e-2 * (1 + abs(slope))
