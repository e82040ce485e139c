"""Quantized matrices beside the oracle: words, scales and biases bit for bit, values, products and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import EPS, assert_close, dt, mlx, mx, needs_oracle, to_numpy

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
    """The memory of an array, in which NaNs are all alike."""
    if "float" not in str(x.dtype):
        return np.array(x)
    numbers = np.array(x.astype(mx.float32 if isinstance(x, mx.array) else mlx.float32))
    return np.where(np.isnan(numbers), np.float32(np.nan), numbers).view(np.uint32)


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
    """Of halves, only the shapes: the oracle adds them up in halves."""
    rng = np.random.default_rng(2)
    for xshape, wshape in [((4, 256), (9, 256)), ((256,), (9, 256)), ((2, 3, 256), (9, 256)), ((2, 3, 256), (2, 9, 256)),
                           ((2, 1, 5, 256), (3, 9, 256)), ((3, 2, 256), (1, 9, 256))]:
        w, x = rng.standard_normal(wshape), rng.standard_normal(xshape)
        got, want = (
            lib.quantized_matmul(of(lib, x, name), *lib.quantize(of(lib, w, name), **how(form)), **how(form)) for lib in (mx, mlx)
        )
        assert got.shape == tuple(want.shape) and str(got.dtype)[-7:] == str(want.dtype)[-7:]
        if name == "float32":
            assert_close(to_numpy(got), to_numpy(want), rtol=1e-5, atol=1e-4, what=f"{form} {xshape} {wshape}")


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
    """The oracle's for scales of gathered matrices that are not transposed are none: its own differences say so."""
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

    for got, want in list(zip(gradients(mx), gradients(mlx)))[: 1 if gathered and not transpose else 3]:
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
    across = lambda x, s, b: mx.gather_qmm(x[:, :, :6], words, s, b, None, index, False, group_size=32, bits=3)
    values = lambda x, s, b: mx.dequantize(words, s, b, group_size=32, bits=3)
    for f in (one, many, across, values):
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


@needs_oracle
def test_scales_and_biases_are_differentiated() -> None:
    """The extreme that is hit exactly carries what there is; rounding has no derivative."""
    w = np.random.default_rng(7).standard_normal((3, 64)).astype(np.float32)
    v = mx.array(np.random.default_rng(8).standard_normal(w.shape).astype(np.float32))
    for part in (1, 2):
        for bits in (1, 4):
            f = lambda lib, w: (lib.quantize(w, group_size=32, bits=bits)[part] ** 2).sum()
            got, want = (np.array(lib.grad(lambda w: f(lib, w))(lib.array(w))) for lib in (mx, mlx))
            assert np.allclose(got, want, atol=1e-5)
            t = mx.jvp(lambda w: f(mx, w), [mx.array(w)], [v])[1][0].item()
            assert abs(t - (got * np.array(v)).sum()) < 1e-4


@named("form", FORMATS, ids=str)
def test_views_and_empty_matrices(form: tuple[str, int, int]) -> None:
    rng = np.random.default_rng(9)
    base = of(mx, rng.standard_normal((6, 4, 256)))
    parts = mx.quantize(base, **how(form))
    turned = mx.quantize(base.swapaxes(0, 1), **how(form))
    for a, b in zip(turned, parts):
        assert mx.array_equal(a, b.swapaxes(0, 1)).item()
    for a, b in zip(mx.quantize(base[::2, 1:3], **how(form)), parts):
        assert mx.array_equal(a, b[::2, 1:3]).item()
    some = [p.swapaxes(0, 1)[1:3] for p in parts]
    assert mx.array_equal(mx.dequantize(*some, **how(form)), mx.dequantize(*parts, **how(form)).swapaxes(0, 1)[1:3]).item()
    x = of(mx, rng.standard_normal((256, 3))).T
    y = mx.quantized_matmul(x, *some, **how(form))
    w = mx.dequantize(*some, dtype=mx.float32, **how(form))
    assert mx.allclose(y, x @ w.swapaxes(-1, -2), atol=1e-3).item()
    for shape in ((0, 256), (3, 0), (0, 3, 128)):
        empty = mx.quantize(mx.zeros(shape), **how(form))
        assert mx.dequantize(*empty, **how(form)).shape == shape
    none = mx.quantize(mx.zeros((4, 0)), **how(form))
    assert mx.array_equal(mx.quantized_matmul(mx.zeros((2, 0)), *none, **how(form)), mx.zeros((2, 4))).item()
    two = [p[0] for p in parts]
    assert mx.quantized_matmul(mx.zeros((0, 256)), *two, **how(form)).shape == (0, 4)
    assert mx.quantized_matmul(mx.zeros((2, 256)), *[p[:0] for p in two], **how(form)).shape == (2, 0)


def test_products_with_infinities_and_long_rows() -> None:
    rng = np.random.default_rng(10)
    parts = mx.quantize(of(mx, rng.standard_normal((7, 128)) + 3))
    x = np.abs(rng.standard_normal((2, 128))).astype(np.float32)
    x[1, 5] = np.inf
    w = np.array(mx.dequantize(*parts))
    assert np.allclose(np.array(mx.quantized_matmul(mx.array(x), *parts)), x @ w.T, rtol=1e-4)
    long = mx.random.normal((3, (1 << 17) + 64))
    parts, x = mx.quantize(long, bits=8), mx.random.normal((2, long.shape[1]))
    want = x @ mx.dequantize(*parts, bits=8).T
    assert mx.allclose(mx.quantized_matmul(x, *parts, bits=8), want, rtol=1e-3, atol=1e-2).item()


def test_gathered_indices_count_from_the_end_and_have_bounds() -> None:
    w, x = mx.random.normal((3, 8, 64)), mx.random.normal((2, 1, 64))
    parts = mx.quantize(w)
    got = mx.gather_qmm(x, *parts, rhs_indices=mx.array([-1, -3]))
    assert mx.allclose(got, mx.gather_qmm(x, *parts, rhs_indices=mx.array([2, 0]))).item()
    for bad in (3, -4):
        with pytest.raises(IndexError, match=r"gather_qmm.*out of bounds"):
            mx.eval(mx.gather_qmm(x, *parts, rhs_indices=mx.array([0, bad])))


@needs_oracle
def test_what_does_not_fit_is_refused_at_the_call() -> None:
    w, x = np.ones((8, 128)), np.ones((4, 128))

    def both(call: Any, what: str) -> None:
        for lib in (mx, mlx):
            with pytest.raises(ValueError):
                call(lib, of(lib, w), of(lib, x), lib.quantize(of(lib, w)))

    calls: dict[str, Any] = {
        "group size": lambda m, w, x, q: m.quantize(w, group_size=16),
        "bits": lambda m, w, x, q: m.quantize(w, bits=7),
        "mode": lambda m, w, x, q: m.quantize(w, mode="fp4"),
        "bits of a mode": lambda m, w, x, q: m.quantize(w, bits=8, mode="mxfp4"),
        "group of a mode": lambda m, w, x, q: m.quantize(w, group_size=64, mode="mxfp8"),
        "global scale": lambda m, w, x, q: m.quantize(w, global_scale=m.array(1.0)),
        "vector": lambda m, w, x, q: m.quantize(w[0]),
        "integers": lambda m, w, x, q: m.quantize(w.astype(m.int32)),
        "length": lambda m, w, x, q: m.quantize(w[:, :100]),
        "no biases": lambda m, w, x, q: m.dequantize(*q[:2]),
        "words": lambda m, w, x, q: m.dequantize(q[0].astype(m.int32), *q[1:]),
        "other group": lambda m, w, x, q: m.dequantize(*q, group_size=32),
        "other bits": lambda m, w, x, q: m.quantized_matmul(x, *q, bits=8),
        "biases": lambda m, w, x, q: m.quantized_matmul(x, q[0], q[1], q[2][:4]),
        "inner": lambda m, w, x, q: m.quantized_matmul(x[:, :64], *q),
        "inner not transposed": lambda m, w, x, q: m.quantized_matmul(x, *q, transpose=False),
        "biases of a mode": lambda m, w, x, q: m.quantized_matmul(x, *q, mode="mxfp4"),
        "batch": lambda m, w, x, q: m.quantized_matmul(m.ones((3, 1, 128)), *[m.stack([p, p]) for p in q]),
        "complex": lambda m, w, x, q: m.quantized_matmul(x.astype(m.complex64), *q),
        "integer result": lambda m, w, x, q: m.dequantize(*q, dtype=m.int32),
        "float indices": lambda m, w, x, q: m.gather_qmm(x, *q, rhs_indices=m.array([0.0])),
        "codes": lambda m, w, x, q: m.from_fp8(x),
        "integers to fp8": lambda m, w, x, q: m.to_fp8(x.astype(m.int32)),
    }
    for what, call in calls.items():
        both(call, what)
    q = mx.quantize(of(mx, w))
    few = lambda w: mx.quantized_matmul(w, q[0], q[1][:4], q[2][:4])  # MLX reads behind the scales
    for call in (few, lambda w: mx.quantize(w.astype(mx.float64)), lambda w: mx.qqmm(w, w, mode="affine")):
        with pytest.raises(ValueError):
            call(of(mx, w))


@needs_oracle
@named("name", (*DTYPES, "float64"))
def test_fp8_is_the_oracles(name: str) -> None:
    """Of float64 the oracle reads other bytes; it is as float32 here."""
    rng = np.random.default_rng(11)
    x = np.r_[rng.standard_normal(4000) * np.exp2(rng.integers(-14, 12, 4000)), np.arange(-500, 500) / 2, 0.0, -0.0, np.inf,
              -np.inf, np.nan, 1e-30, 448, 464, 465, 2.0**-6, 2.0**-10, 3 * 2.0**-10]
    assert np.array_equal(np.array(mx.to_fp8(of(mx, x, name))), np.array(mlx.to_fp8(of(mlx, x, name.replace("64", "32")))))
    codes = np.arange(256, dtype=np.uint8)
    got = np.array(mx.from_fp8(mx.array(codes), dt(mx, name)).astype(mx.float32))
    want = np.array(mlx.from_fp8(mlx.array(codes), dt(mlx, name.replace("64", "32"))).astype(mlx.float32))
    assert np.array_equal(got, want, equal_nan=True)


@named("form", SHARED, ids=str)
@named("name", DTYPES)
def test_products_of_two_quantized_factors(form: tuple[str, int, int], name: str) -> None:
    """The oracle has none on the CPU; the values of both are multiplied."""
    rng = np.random.default_rng(12)
    x, w = of(mx, rng.standard_normal((5, 3, 64)), name), of(mx, rng.standard_normal((4, 7, 64)), name)
    there = lambda a: mx.dequantize(*mx.quantize(a, **how(form)), dtype=mx.float32, **how(form))
    want = (there(x) @ there(w[0]).T).astype(x.dtype)
    codes = mx.quantize(w[0], **how(form))
    for got in (mx.qqmm(x, w[0], **how(form)), mx.qqmm(x, *codes, **how(form))):
        assert got.dtype == x.dtype and mx.allclose(got, want, rtol=2 * EPS[name] + 1e-5, atol=1e-4).item()
    index = mx.array([3, 0, 0, 1, 2])
    want = mx.gather_mm(there(x), there(w).swapaxes(-1, -2), None, index).astype(x.dtype)
    for got in (mx.gather_qqmm(x, w, rhs_indices=index, **how(form)),
                mx.gather_qqmm(x, *mx.quantize(w, **how(form)), rhs_indices=index, **how(form))):
        assert got.dtype == x.dtype and mx.allclose(got, want, rtol=2 * EPS[name] + 1e-5, atol=1e-4).item()
    f = lambda x, w: mx.qqmm(x, w, **how(form)).sum()
    gx, gw = mx.grad(f, argnums=(0, 1))(x.astype(mx.float32), w[0].astype(mx.float32))
    assert mx.allclose(gx, mx.broadcast_to(there(w[0]).sum(0), x.shape), atol=1e-3).item()
    assert mx.allclose(gw, mx.broadcast_to(there(x).sum((0, 1)), w[0].shape), atol=1e-3).item()


def test_a_global_scale_keeps_products_and_values_together() -> None:
    w, x = mx.random.normal((2, 6, 64)) * 1e-3, mx.random.normal((3, 1, 64))
    g = mx.abs(w).max()
    parts = mx.quantize(w, mode="nvfp4", global_scale=g)
    values = mx.dequantize(*parts, mode="nvfp4", global_scale=g)
    assert values.dtype == mx.float32 and mx.abs(values - w).max().item() < 6e-4
    got = mx.gather_qmm(x, *parts, rhs_indices=mx.array([1, 0, 1]), mode="nvfp4", global_scale=g)
    want = mx.gather_mm(x, values.swapaxes(-1, -2), None, mx.array([1, 0, 1]))
    assert mx.allclose(got, want, rtol=1e-4, atol=1e-6).item()
    s = mx.abs(x).max()
    got = mx.qqmm(x, *(p[0] for p in parts), mode="nvfp4", global_scale_x=s, global_scale_w=g)
    there = mx.dequantize(*mx.quantize(x, mode="nvfp4", global_scale=s), mode="nvfp4", global_scale=s)
    assert mx.allclose(got, there @ values[0].T, rtol=1e-4, atol=1e-6).item()
    with pytest.raises(ValueError, match="together"):
        mx.qqmm(x, *(p[0] for p in parts), mode="nvfp4", global_scale_x=s)


@needs_oracle
@named("scale", [1.0, 0.1, 4.5, 77.0])
def test_a_global_scale_is_the_oracles(scale: float) -> None:
    w = np.random.default_rng(13).standard_normal((64, 512))
    parts = [lib.quantize(of(lib, w), mode="nvfp4", global_scale=lib.array(scale)) for lib in (mx, mlx)]
    same(*parts, what=f"global scale {scale}")
    got, want = (
        lib.dequantize(*p, mode="nvfp4", global_scale=lib.array(scale), dtype=lib.float32) for lib, p in zip((mx, mlx), parts)
    )
    assert np.array_equal(np.array(got), np.array(want))
