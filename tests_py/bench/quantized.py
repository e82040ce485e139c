"""Products with quantized matrices: few rows, as when tokens are generated one by one, and many, as in a prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DEPTH, COLUMNS = 4096, 11008
FORMATS = (("affine", 64, 4), ("affine", 64, 8), ("affine", 64, 3), ("mxfp4", 32, 4), ("nvfp4", 16, 4))


def bandwidth(np: Any, lib: Any, measure: Callable) -> float:
    """Bytes a second of reading memory: of the sum of an array that no cache holds."""
    x = lib.array(np.ones(64 << 20, np.float32))
    lib.eval(x)
    return x.nbytes / measure({"mlx_go": lambda: lib.eval(x.sum())}, 5)["mlx_go"]


def products(libs: dict[str, Any], np: Any, measure: Callable) -> dict[str, dict[str, float]]:
    """Seconds by title and library; titles tell what part of the bandwidth of memory mlx_go reads weights with."""
    mlxs = {name: lib for name, lib in libs.items() if name in ("mlx_go", "MLX")}
    rng = np.random.default_rng(0)
    weights, x = rng.standard_normal((COLUMNS, DEPTH)).astype(np.float32), rng.standard_normal((512, DEPTH)).astype(np.float32)
    fastest = bandwidth(np, mlxs["mlx_go"], measure)
    rows = {}
    for mode, group, bits in FORMATS:
        how = {"mode": mode, "group_size": group, "bits": bits}
        for rows_of_x in (1, 8, 512):
            tasks = {}
            for name, lib in mlxs.items():
                parts = lib.quantize(lib.array(weights).astype(lib.bfloat16), **how)
                a = lib.array(x[:rows_of_x]).astype(lib.bfloat16)
                lib.eval(parts, a)
                tasks[name] = lambda lib=lib, a=a, parts=parts: lib.eval(lib.quantized_matmul(a, *parts, **how))
            times = measure(tasks, 5)
            title = f"{mode}, {bits} bits, {rows_of_x} x {DEPTH} x {COLUMNS} bfloat16"
            if rows_of_x == 1:
                size = sum(p.nbytes for p in mlxs["mlx_go"].quantize(mlxs["mlx_go"].array(weights), **how))
                title += f" ({size / times['mlx_go'] / fastest:.0%} of {fastest / 1e9:.1f} GB/s)"
            rows[title] = times
    rows[f"matmul, 512 x {DEPTH} x {COLUMNS} float32"] = measure(
        {
            name: (lambda lib=lib, a=lib.array(x), w=lib.array(weights): lib.eval(a @ w.T))
            for name, lib in mlxs.items()
        },
        5,
    )
    return rows
