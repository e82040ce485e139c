"""Products of parts: gather_mm, segmented_mm and block_masked_mm beside the oracle, and beside what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import EPS, agree, array, assert_close, dt, mlx, mx, needs_oracle, sample, to_numpy

FLOATS = ("float16", "bfloat16", "float32", "float64")
INDICES = ("uint32", "int32", "int64", "uint8", "int8", "uint16", "int16", "uint64")


def like_float32(call: Any, name: str, what: str) -> None:
    """call(lib, dtype) agrees with the oracle's in float32, the one dtype in which it computes these."""
    got, want = call(mx, name), call(mlx, "float32")
    assert got.dtype == dt(mx, name), what
    rtol = 2 * EPS[name] if name in FLOATS[:2] else 1e-6
    assert_close(to_numpy(got.astype(mx.float32)), to_numpy(want), rtol=rtol, atol=3e-5, what=what)


def views(lib: Any, x: Any) -> list[Any]:
    """The array three times: as it is, as a transposed view, and as a slice of a larger one."""
    larger = lib.concatenate([x, x], axis=-1)[..., : x.shape[-1]]
    return [x, lib.contiguous(x.swapaxes(-1, -2)).swapaxes(-1, -2), larger]


@needs_oracle
@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("m", [1, 5])
def test_gather_mm(name: str, m: int) -> None:
    a, b = sample(name, (6, m, 17), 1), sample(name, (4, 17, 33), 2)
    picks: list[tuple[Any, Any]] = [
        (None, [0, 3, 1, 1, 2, 0]),
        ([5, 0], [[0], [3]]),
        ([1, 2, 3, 3], None),
        ([[0], [5]], [1, 2, 2]),
        (None, [0, 0, 0, 1, 3, 3]),
    ]
    for left, right in picks:
        for k in range(3):

            def call(lib: Any, dtype: str) -> Any:
                index = lambda p: None if p is None else lib.array(p, dtype=lib.uint32)
                x, w = views(lib, array(lib, a, dtype))[k], views(lib, array(lib, b, dtype))[k]
                said = right is not None and right == sorted(right)
                return lib.gather_mm(x, w, index(left), index(right), sorted_indices=said)

            like_float32(call, name, f"{left} {right} {k}")


@needs_oracle
@pytest.mark.parametrize("index", INDICES)
def test_gather_mm_takes_indices_of_every_integer_dtype(index: str) -> None:
    a, b = sample("float32", (3, 1, 4), 1), sample("float32", (5, 4, 2), 2)
    agree(
        lambda lib: lib.gather_mm(
            array(lib, a, "float32"), array(lib, b, "float32"), None, lib.array([4, 0, 2], dtype=dt(lib, index))
        ),
        atol=1e-6,
    )


@needs_oracle
def test_gather_mm_shapes_dtypes_and_errors() -> None:
    a, b, index = (5, 2, 3), (4, 3, 6), "uint32"

    def case(shapes: Any, left: Any = None, right: Any = None, dtypes: Any = ("float32", "float32"), **kw: Any) -> None:
        def call(lib: Any) -> Any:
            x, w = (lib.ones(s, dtype=dt(lib, d)) for s, d in zip(shapes, dtypes))
            pick = lambda p: lib.array(p, dtype=dt(lib, kw.get("index", index))) if p is not None else None
            return lib.gather_mm(x, w, pick(left), pick(right))

        agree(call, what=f"{shapes} {left} {right} {dtypes} {kw}")

    case((a, b))
    case(((1, 2, 3), b))
    case((a, b), [0, 1])
    case(((2, 3), b), None, 2)
    case(((2, 3), (3, 4)))
    case(((2, 3), (3, 4)), [0, 0])
    case(((3,), b), None, [1])
    case(((2, 4), b), None, [1])
    case(((4, 1, 1, 3), b), None, [[0, 1], [2, 3], [0, 0], [1, 1]])
    case(((4, 2, 2, 3), b), None, [[0], [1], [1], [1]])
    case(((4, 2, 2, 3), b), None, [0, 1, 2])
    case(((2, 2, 3), b), None, [True, False], index="bool")
    case(((2, 2, 3), b), None, [0.0, 1.0], index="float32")
    case(((2, 0, 3), b), None, [1, 2])
    case(((2, 1, 3), b), np.zeros(0), np.zeros(0))
    case(((2, 2, 0), (2, 0, 3)))
    for dtypes in [
        ("int32", "int32"),
        ("bool", "bool"),
        ("complex64", "complex64"),
        ("float16", "float32"),
        ("int32", "float32"),
    ]:
        case((a, b), [0, 1], [0, 1], dtypes)
    assert mx.gather_mm(mx.ones(a, dtype=mx.float16), mx.ones(b, dtype=mx.bfloat16), mx.array([0])).dtype == mx.float32


def test_gather_mm_refuses_indices_out_of_bounds_and_counts_from_the_end() -> None:
    """MLX reads other memory there."""
    a, b = mx.random.normal((2, 1, 3)), mx.random.normal((4, 3, 2))
    want = mx.matmul(a, b[mx.array([3, 0])])
    assert mx.allclose(mx.gather_mm(a, b, None, mx.array([-1, -4])), want).item()
    assert mx.allclose(mx.gather_mm(a, b, mx.array([-2, -1]), mx.array([3, 0])), want).item()
    for bad in (4, -5, 1 << 30):
        with pytest.raises(IndexError, match=r"gather_mm.*out of bounds"):
            mx.eval(mx.gather_mm(a, b, None, mx.array([0, bad])))
        with pytest.raises(IndexError):
            mx.eval(mx.gather_mm(a, b, mx.array([0, bad]), mx.array([0, 1])))
        with pytest.raises(IndexError):  # the gradient needs no product, but it needs to know where it goes
            mx.eval(mx.grad(lambda w: mx.gather_mm(a, w, None, mx.array([0, bad])).sum())(b))
    with pytest.raises(IndexError):
        mx.eval(mx.gather_mm(mx.ones((1, 2)), mx.zeros((0, 2, 3)), None, mx.array([0])))


@needs_oracle
def test_gather_mm_gradients() -> None:
    a, b = sample("float32", (6, 2, 5), 1, -1, 1), sample("float32", (4, 5, 3), 2, -1, 1)
    picks = ((None, [0, 3, 1, 1, 3, 0]), ([5, 0], [[0], [3]]), ([1, 2, 3, 3], None), (None, [0, 0, 1, 1, 3, 3]))
    for left, right in picks:

        def call(lib: Any) -> Any:
            index = lambda p: None if p is None else lib.array(p, dtype=lib.uint32)

            def f(x: Any, w: Any) -> Any:
                return (lib.gather_mm(x, w, index(left), index(right)) ** 2).sum()

            return lib.grad(f, argnums=(0, 1))(array(lib, a, "float32"), array(lib, b, "float32"))

        agree(call, atol=1e-4, what=f"{left} {right}")


def test_gather_mm_gradient_of_many_rows_holds_one_matrix_each() -> None:
    """Rows are sorted by their index: no outer product per row is made."""
    tokens, experts, k, n = 4096, 4, 64, 64
    x, w = mx.random.normal((tokens, 1, k)), mx.random.normal((experts, k, n))
    index = mx.random.randint(0, experts, (tokens,))
    mx.eval(x, w, index)
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    grad = mx.grad(lambda w: mx.gather_mm(x, w, None, index).sum())(w)
    mx.eval(grad)
    assert mx.get_peak_memory() - before < 40 * tokens * k * 4 < tokens * k * n * 4
    hot = (np.array(index)[:, None] == np.arange(experts)).astype(np.float64)
    want = np.einsum("te,tk->ek", hot, np.array(x)[:, 0].astype(np.float64))[..., None]
    assert_close(grad, np.broadcast_to(want, (experts, k, n)).astype(np.float32), atol=1e-3)


def test_gather_mm_under_transforms() -> None:
    """MLX has neither its jvp nor its vmap."""
    x, w = mx.random.normal((4, 1, 5)), mx.random.normal((3, 5, 2))
    index = mx.array([2, 0, 1, 2])
    f = lambda x, w, i: mx.gather_mm(x, w, None, i)
    batch = lambda z: mx.stack([z, z * 2])
    got = mx.vmap(f)(batch(x), batch(w), mx.stack([index, index[::-1]]))
    want = mx.stack([f(x, w, index), f(x * 2, w * 2, index[::-1])])
    assert mx.allclose(got, want, atol=1e-5).item()
    assert mx.allclose(mx.vmap(f, in_axes=(None, None, 0))(x, w, mx.stack([index, index])), f(x, w, index)).item()
    (_,), (tangent,) = mx.jvp(lambda x: f(x, w, index), [x], [x])
    assert mx.allclose(tangent, f(x, w, index), atol=1e-5).item()
    assert mx.allclose(mx.compile(f)(x, w, index), f(x, w, index)).item()
    loss = lambda w: (f(x, w, index) ** 2).sum()
    second = mx.grad(lambda w: (mx.grad(loss)(w) ** 2).sum())(w)
    dense = lambda w: (mx.matmul(x, w[index]) ** 2).sum()
    want = mx.grad(lambda w: (mx.grad(dense)(w) ** 2).sum())(w)
    assert mx.allclose(second, want, rtol=1e-4, atol=1e-3).item()


@needs_oracle
@pytest.mark.parametrize("name", FLOATS)
def test_segmented_mm(name: str) -> None:
    a, b = sample(name, (7, 40), 1), sample(name, (40, 9), 2)
    cases = ([[0, 7], [7, 8], [8, 40]], [0, 40], [[[0, 6], [3, 9]], [[5, 2], [4, 4]]], np.zeros((0, 2)))
    for segments in cases:
        for k in range(3):

            def call(lib: Any, dtype: str) -> Any:
                x, w = views(lib, array(lib, a, dtype))[k], views(lib, array(lib, b, dtype))[k]
                return lib.segmented_mm(x, w, lib.array(segments, dtype=lib.uint32))

            like_float32(call, name, f"{segments} {k}")


@needs_oracle
def test_segmented_mm_shapes_dtypes_and_errors() -> None:
    for shapes, dtypes, segments in [
        (((2, 4, 10), (2, 10, 3)), ("float32", "float32"), "uint32"),
        (((10,), (10, 3)), ("float32", "float32"), "uint32"),
        (((4, 10), (10, 3)), ("int32", "int32"), "uint32"),
        (((4, 10), (10, 3)), ("complex64", "float32"), "uint32"),
        (((4, 10), (10, 3)), ("float16", "float32"), "int64"),
        (((4, 10), (10, 3)), ("float32", "int32"), "uint8"),
        (((4, 10), (10, 3)), ("float32", "float32"), "float32"),
    ]:
        agree(
            lambda lib: lib.segmented_mm(
                *(lib.ones(s, dtype=dt(lib, d)) for s, d in zip(shapes, dtypes)),
                lib.array([[0, 2]], dtype=dt(lib, segments)),
            ),
            what=f"{shapes} {dtypes} {segments}",
        )
    with pytest.raises(ValueError, match="segmented_mm"):  # MLX reads beyond the factors
        mx.segmented_mm(mx.ones((4, 10)), mx.ones((9, 3)), mx.array([[0, 2]]))
    for shape in ((2, 3), ()):
        agree(lambda lib: lib.segmented_mm(lib.ones((4, 5)), lib.ones((5, 3)), lib.zeros(shape, dtype=lib.uint32)))
    for bad in ([0, 11], [-1, 3], [11, 0]):
        with pytest.raises(IndexError, match="segmented_mm"):
            mx.eval(mx.segmented_mm(mx.ones((4, 10)), mx.ones((10, 3)), mx.array([bad])))


def test_segmented_mm_gradients_are_those_of_slices() -> None:
    """MLX has none. Segments may overlap, and leave positions out."""
    a, b = mx.random.normal((3, 12)), mx.random.normal((12, 4))
    segments = [[0, 4], [3, 9], [9, 9]]
    loss = lambda a, b: (mx.segmented_mm(a, b, mx.array(segments)) ** 2).sum()
    slices = lambda a, b: sum((mx.matmul(a[:, i:j], b[i:j]) ** 2).sum() for i, j in segments if i < j)
    for got, want in zip(mx.grad(loss, argnums=(0, 1))(a, b), mx.grad(slices, argnums=(0, 1))(a, b)):
        assert mx.allclose(got, want, rtol=1e-4, atol=1e-4).item()


@needs_oracle
@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("block", [32, 64])
@pytest.mark.parametrize("mask", ["bool", "float32"])
def test_block_masked_mm(name: str, block: int, mask: str) -> None:
    m, k, n = 70, 40, 33
    a, b = sample(name, (m, k), 1, -1, 1), sample(name, (k, n), 2, -1, 1)
    blocks = lambda rows, columns, seed: sample(mask, (-(-rows // block), -(-columns // block)), seed)
    masks = {"mask_out": blocks(m, n, 3), "mask_lhs": blocks(m, k, 4), "mask_rhs": blocks(k, n, 5)}
    for names in [(), ("mask_out",), ("mask_lhs",), ("mask_lhs", "mask_rhs"), tuple(masks)]:

        def call(lib: Any, dtype: str) -> Any:
            given = {p: array(lib, masks[p], mask) for p in names}
            return lib.block_masked_mm(array(lib, a, dtype), array(lib, b, dtype), block, **given)

        if not names or mask == "bool" or name in FLOATS[2:]:  # a half is rounded where a mask scales it
            like_float32(call, name, f"{names}")


@needs_oracle
def test_block_masked_mm_shapes_and_errors() -> None:
    def case(a: Any, b: Any, mask: Any, dtype: str = "float32") -> None:
        def call(lib: Any) -> Any:
            out = None if mask is None else lib.ones(mask, dtype=lib.bool_)
            return lib.block_masked_mm(lib.ones(a, dtype=dt(lib, dtype)), lib.ones(b, dtype=dt(lib, dtype)), 32, out)

        agree(call, what=f"{a} {b} {mask} {dtype}")

    case((2, 70, 40), (40, 33), (3, 2))
    case((2, 70, 40), (40, 33), (2, 3, 2))
    case((70, 40), (40, 33), (2, 3, 2))
    case((70, 40), (40, 33), (1, 1))
    case((70, 40), (40, 33), (2, 2))
    case((70, 41), (40, 33), None)
    case((40,), (40, 33), None)
    for dtype in ("int32", "bool", "complex64"):
        case((70, 40), (40, 33), None, dtype)


def test_block_masked_mm_drops_what_is_not_a_number() -> None:
    nan = mx.full((4, 4), float("nan"))
    mask = mx.array([[False, False], [False, False]])
    assert mx.block_masked_mm(nan, nan, 2, mask).tolist() == [[0.0] * 4] * 4
    assert mx.block_masked_mm(nan, mx.ones((4, 4)), 2, mask_lhs=mask).tolist() == [[0.0] * 4] * 4
    with pytest.raises(ValueError, match="block_masked_mm"):
        mx.block_masked_mm(nan, nan, 0)


def test_block_masked_mm_gradients() -> None:
    """Those of the masks, too; MLX's of the product's mask is not the derivative."""
    m, k, n, block = 7, 5, 6, 3
    a, b = mx.random.normal((m, k)), mx.random.normal((k, n))
    out, left, right = mx.random.normal((3, 2)), mx.random.normal((3, 2)), mx.random.normal((2, 2))

    def spread(mask: mx.array, rows: int, columns: int) -> mx.array:
        return mx.repeat(mx.repeat(mask, block, 0), block, 1)[:rows, :columns]

    def dense(a: Any, b: Any, out: Any, left: Any, right: Any) -> mx.array:
        product = (a * spread(left, m, k)) @ (b * spread(right, k, n))
        return ((product * spread(out, m, n)) ** 2).sum()

    def masked(a: Any, b: Any, out: Any, left: Any, right: Any) -> mx.array:
        return (mx.block_masked_mm(a, b, block, out, left, right) ** 2).sum()

    args = (a, b, out, left, right)
    got, want = (mx.grad(f, argnums=tuple(range(5)))(*args) for f in (masked, dense))
    for g, w in zip(got, want):
        assert_close(to_numpy(g), to_numpy(w), rtol=1e-3, atol=1e-3)


