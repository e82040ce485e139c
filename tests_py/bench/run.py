"""Speed of mlx_go beside MLX, NumPy, PyTorch and JAX, whichever are installed, in one run and one table.

    python tests_py/bench/run.py [lazy] [elementwise] [matmul] [reduce] [quantized] [attention] [digits] [import]

The libraries take turns, so that a slow moment of the machine hits all of them; a figure is the median of its
turns. The ratio after a time is that time over mlx_go's: above 1, mlx_go is faster.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import networks
import quantized

LIBRARIES = {"mlx_go": "mlx_go.core", "MLX": "mlx.core", "NumPy": "numpy", "PyTorch": "torch", "JAX": "jax"}
Task = Callable[[], Any]

# Before a turn. OpenMP's threads spin for 0.2 s after their work, on the cores that the next library counts on.
REST = 0.25


def load(names: Sequence[str]) -> dict[str, Any]:
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(LIBRARIES[name])
        except ImportError:
            print(f"{name} is not installed: its column is left out", file=sys.stderr)
    return found


def seconds(task: Task, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        task()
    return (time.perf_counter() - start) / calls


def calls_for(task: Task, at_least: float) -> int:
    """How many calls make a turn long enough for the clock."""
    task()  # first use: threads, compilation, page faults
    return max(1, min(100_000, int(at_least / max(seconds(task, 1), 1e-7))))


def measure(tasks: dict[str, Task], turns: int = 9, at_least: float = 0.03) -> dict[str, float]:
    calls = {name: calls_for(task, at_least) for name, task in tasks.items()}
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    gc.collect()
    gc.disable()
    try:
        for turn in range(turns):
            names = list(tasks)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                time.sleep(REST)
                tasks[name]()  # wakes the library's own threads
                taken[name].append(seconds(tasks[name], calls[name]))
    finally:
        gc.enable()
    return {name: statistics.median(t) for name, t in taken.items()}


def ready(name: str, lib: Any) -> Callable[[Any], Any]:
    """What makes a library finish a result."""
    if name in ("mlx_go", "MLX"):
        return lib.eval
    if name == "JAX":
        return lambda y: y.block_until_ready()
    return lambda y: y


def arrays(name: str, lib: Any, *hosts: Any) -> list[Any]:
    if name == "NumPy":
        return [h.copy() for h in hosts]
    if name == "PyTorch":
        return [lib.from_numpy(h.copy()) for h in hosts]
    made = [(lib.numpy if name == "JAX" else lib).array(h) for h in hosts]
    for a in made:
        ready(name, lib)(a)
    return made


def per_library(
    libs: dict[str, Any], hosts: Sequence[Any], build: Callable[[str, Any, list[Any]], Task | None]
) -> dict[str, Task]:
    """build gives a function of no arguments whose result is then made to be finished."""
    tasks = {}
    for name, lib in libs.items():
        compute, finish = build(name, lib, arrays(name, lib, *hosts)), ready(name, lib)
        if compute is not None:
            tasks[name] = lambda compute=compute, finish=finish: finish(compute())
    return tasks


def lazy(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    one = np.ones(1, np.float32)
    made = {name: arrays(name, lib, one, one) for name, lib in libs.items()}
    graph = {name: (lambda a=a, b=b: a + b) for name, (a, b) in made.items()}
    whole = {name: (lambda a=a, b=b, done=ready(name, libs[name]): done(a + b)) for name, (a, b) in made.items()}
    return {
        "a + b, 1 element, create and free": measure(graph, 15),
        "a + b, 1 element, with eval": measure(whole, 15),
    }


def function(name: str, lib: Any, op: str) -> Any:
    return getattr(lib.numpy if name == "JAX" else lib, op)


def elementwise(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    x = np.random.default_rng(0).uniform(-3, 3, 10_000_000).astype(np.float32)
    rows = {}
    for op in ("add", "exp", "tanh"):

        def build(name: str, lib: Any, a: list[Any]) -> Task:
            f = function(name, lib, op)
            return (lambda: f(a[0], a[1])) if op == "add" else (lambda: f(a[0]))

        rows[f"{op}, 1e7 float32"] = measure(per_library(libs, (x, x) if op == "add" else (x,), build), 7)
    return rows


def matmul(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    x = np.random.default_rng(0).standard_normal((1024, 1024)).astype(np.float32)
    return {"matmul, 1024 x 1024 float32": measure(per_library(libs, (x, x), lambda name, lib, a: lambda: a[0] @ a[1]))}


def numpy_softmax(np: Any, x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def reduce(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng(0)
    square, flat, unsorted = (rng.standard_normal(s).astype(np.float32) for s in ((1024, 1024), 10_000_000, 1_000_000))

    def softmax(name: str, lib: Any, a: list[Any]) -> Task:
        if name == "NumPy":
            return lambda: numpy_softmax(lib, a[0])
        f = lib.nn.softmax if name == "JAX" else lib.softmax
        return lambda: f(a[0], -1)

    def order(name: str, lib: Any, a: list[Any]) -> Task:
        f = function(name, lib, "sort")
        return lambda: f(a[0])[0] if name == "PyTorch" else f(a[0])

    return {
        "softmax, 1024 x 1024 float32": measure(per_library(libs, (square,), softmax)),
        "sum, 1e7 float32": measure(
            per_library(libs, (flat,), lambda name, lib, a: lambda: function(name, lib, "sum")(a[0]))
        ),
        "sort, 1e6 float32": measure(per_library(libs, (unsorted,), order), 5),
    }


def attention(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    """Fused attention and rotary positions, where a library has them."""
    rng = np.random.default_rng(0)
    rows = {}

    def fused(causal: bool) -> Callable[[str, Any, list[Any]], Task | None]:
        def build(name: str, lib: Any, a: list[Any]) -> Task | None:
            q, k, v = a
            if name in ("mlx_go", "MLX"):
                f, mask, scale = lib.fast.scaled_dot_product_attention, "causal" if causal else None, q.shape[-1] ** -0.5
                return lambda: f(q, k, v, scale=scale, mask=mask)
            if name == "PyTorch":
                shared = q.shape[1] != k.shape[1]
                f = lib.nn.functional.scaled_dot_product_attention
                return lambda: f(q, k, v, is_causal=causal, enable_gqa=shared)
            return None

        return build

    for title, q, k, causal in [
        ("attention, 1024 queries and keys, 8 heads of 64", (1, 8, 1024, 64), (1, 8, 1024, 64), False),
        ("attention, causal, 1024 queries and keys, 8 heads of 128", (1, 8, 1024, 128), (1, 8, 1024, 128), True),
        ("attention, one query, 4096 keys, 32 heads over 8 of 128", (1, 32, 1, 128), (1, 8, 4096, 128), False),
    ]:
        hosts = [rng.standard_normal(s).astype(np.float32) for s in (q, k, k)]
        rows[f"{title} float32"] = measure(per_library(libs, hosts, fused(causal)))

    def turned(name: str, lib: Any, a: list[Any]) -> Task | None:
        if name not in ("mlx_go", "MLX"):
            return None
        return lambda: lib.fast.rope(a[0], 128, traditional=False, base=1e4, scale=1.0, offset=100)

    for shape in ((1, 32, 1024, 128), (1, 32, 1, 128)):
        hosts = [rng.standard_normal(shape).astype(np.float32)]
        rows[f"rope, {' x '.join(map(str, shape[1:]))} float32"] = measure(per_library(libs, hosts, turned))

    def loss(name: str, lib: Any, a: list[Any]) -> Task | None:
        logits, targets = a
        if name in ("mlx_go", "MLX"):
            return lambda: lib.fast.cross_entropy(logits, targets)
        if name == "PyTorch":
            return lambda: lib.nn.functional.cross_entropy(logits, targets.long(), reduction="none")
        return None

    hosts = [rng.standard_normal((256, 32000)).astype(np.float32), rng.integers(0, 32000, 256).astype(np.int32)]
    rows["cross_entropy, 256 x 32000 float32"] = measure(per_library(libs, hosts, loss))
    return rows


def digits(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    epochs = {name: networks.EPOCHS[name] for name in libs if name in networks.EPOCHS}
    try:
        tasks = {name: make(*networks.digits()) for name, make in epochs.items()}
    except ImportError as e:
        print(f"digits is left out: {e}", file=sys.stderr)
        return {}
    return {f"digits, {networks.DESCRIPTION}, one epoch": measure(tasks, 7, 0.2)}


def imports(libs: dict[str, Any], np: Any) -> dict[str, dict[str, float]]:
    program = (
        "import sys, time; t = time.perf_counter(); import {}; print(time.perf_counter() - t, 'numpy' in sys.modules)"
    )
    taken: dict[str, list[float]] = {name: [] for name in libs}
    for _ in range(7):
        for name in libs:
            out = subprocess.run(
                [sys.executable, "-c", program.format(LIBRARIES[name])], capture_output=True, text=True, check=True
            ).stdout.split()
            taken[name].append(float(out[0]))
            if name == "mlx_go" and out[1] == "True":
                print("importing mlx_go loaded NumPy", file=sys.stderr)
    return {"import": {name: statistics.median(t) for name, t in taken.items()}}


SECTIONS = {
    "lazy": lazy,
    "elementwise": elementwise,
    "matmul": matmul,
    "reduce": reduce,
    "quantized": lambda libs, np: quantized.products(libs, np, measure),
    "attention": attention,
    "digits": digits,
    "import": imports,
}


def scaled(t: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if t * factor >= 1:
            return f"{t * factor:.3g} {unit}"
    return f"{t * 1e9:.3g} ns"


def table(rows: dict[str, dict[str, float]], names: list[str]) -> str:
    lines = [["", *names]]
    for title, times in rows.items():
        cells = [title]
        for name in names:
            if name not in times:
                cells.append("-")
            elif name == "mlx_go":
                cells.append(scaled(times[name]))
            else:
                cells.append(f"{scaled(times[name])} ({times[name] / times['mlx_go']:.2f}x)")
        lines.append(cells)
    widths = [max(len(line[i]) for line in lines) for i in range(len(names) + 1)]
    return "\n".join(
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))) for line in lines
    )


def processor() -> str:
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.partition(":")[2].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", help="what to measure; everything by default")
    parser.add_argument(
        "--only", nargs="*", choices=list(LIBRARIES), default=list(LIBRARIES), help="libraries to compare"
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.sections) - set(SECTIONS):
        parser.error(f"no section named {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    libs = load(dict.fromkeys(["mlx_go", *chosen.only]))
    if "mlx_go" not in libs:
        sys.exit("mlx_go is not installed: nothing to measure")
    import numpy as np

    rows: dict[str, dict[str, float]] = {}
    for name in chosen.sections or SECTIONS:
        rows.update(SECTIONS[name](libs, np))
    print(
        f"{processor()}, {os.cpu_count()} CPUs, Python {platform.python_version()}; medians, times over mlx_go's in brackets"
    )
    print(table(rows, list(libs)))


if __name__ == "__main__":
    main()
