"""What an elementwise function gives for an element depends on nothing but the element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from elementwise_table import BINARY, UNARY
from oracle import array, edges, mx, to_numpy

HUGE = [1e5, -123456.7, 3e8, -1e20, 9.9e4, 1.1e5]
NAMES = ["float16", "bfloat16", "float32", "float64", "complex64"]


def arguments(name: str, lo: float, hi: float, seed: int) -> Any:
    """(8, 67) ordinary values, the first row without the huge ones and the edges that are spread over the others."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(lo, hi, (8, 67)).astype(np.complex128 if name == "complex64" else np.float64)
    if name == "complex64":
        x += 1j * rng.uniform(-2, 2, x.shape)
    odd = np.concatenate([np.asarray(HUGE), edges(name).astype(x.dtype)])
    where = rng.random(x.shape) < 0.2
    where[0] = False
    x[where] = rng.choice(odd, int(where.sum()))
    with np.errstate(all="ignore"):
        return array(mx, x, name)


def bits(a: Any) -> np.ndarray:
    """The bytes of each element; all NaNs are one."""
    x = to_numpy(a)
    if x.dtype.kind in "fc":
        x = np.where(np.isnan(x), np.full_like(x, np.nan), x)
    return np.ascontiguousarray(x).view(np.uint8).reshape(*x.shape, x.itemsize)


CASES = {name: (table[1], [table[3:5]]) for name, table in UNARY.items()}
CASES |= {name: (table[1], [table[3], table[4]]) for name, table in BINARY.items()}


@pytest.mark.smoke
@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("name", CASES)
def test_an_element_alone_in_batches_and_fused(name: str, dtype: str) -> None:
    dtypes, ranges = CASES[name]
    if dtype not in dtypes:
        return
    f = getattr(mx, name)
    xs = [arguments(dtype, lo, hi, seed) for seed, (lo, hi) in enumerate(ranges)]
    want = bits(f(*xs))
    for i in range(8):
        assert (bits(f(*[x[i] for x in xs])) == want[i]).all(), f"row {i} of 8 alone"
    rng = np.random.default_rng(9)
    for i, j in zip(rng.integers(0, 8, 20), rng.integers(0, 67, 20)):
        at = (int(i), int(j))
        assert (bits(f(*[x[at] for x in xs])) == want[at]).all(), f"{[x[at] for x in xs]} alone"
    for start in (1, 3, 8, 50):
        flat = [mx.flatten(x)[start:] for x in xs]
        assert (bits(f(*flat)) == want.reshape(-1, want.shape[-1])[start:]).all(), f"from {start} on"
    fused = mx.stack([f(*[mx.where(x == x, x, x) for x in xs])])  # between two others, whatever the tiles are
    assert (bits(fused)[0] == want).all(), "fused"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("n", [7, 1000, 9000, 200_000])
@pytest.mark.parametrize("name", ["softmax", "logsumexp", "layer_norm", "rms_norm"])
def test_a_row_alone_and_in_batches(name: str, n: int, dtype: str) -> None:
    x = array(mx, np.random.default_rng(n).normal(size=(17, n)), dtype)
    f = {
        "softmax": lambda x: mx.softmax(x, axis=-1),
        "logsumexp": lambda x: mx.logsumexp(x, axis=-1),
        "layer_norm": lambda x: mx.fast.layer_norm(x, None, None, 1e-5),
        "rms_norm": lambda x: mx.fast.rms_norm(x, None, 1e-5),
    }[name]
    want = bits(f(x))
    for rows in (1, 2, 8):
        assert (bits(f(x[:rows])) == want[:rows]).all(), f"{rows} of 17 rows"
