"""Every function and method is called with each of its parameters by keyword, by position, and left out.

What MLX takes is taken here and gives the same shapes and dtypes; what its stubs promise, but
it refuses, may work here.
"""

from __future__ import annotations

import inspect
from inspect import Parameter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arguments import SPECIAL, USUAL, A, V
from oracle import mlx, mx, name_of, needs_oracle
from oracle_stubs import MODULES, SLOTS, ours, stubs

pytestmark = needs_oracle


# Called in LINES below, or not to be called.
ELSEWHERE = set(
    """set_default_device set_default_stream new_stream stream synchronize eval async_eval load save savez
    savez_compressed save_safetensors save_gguf grad vjp jvp value_and_grad vmap compile checkpoint
    export_function import_function exporter export_to_dot new_thread_local_stream new_thread_unsafe_stream
    clear_streams disable_compile enable_compile einsum arange set_memory_limit set_cache_limit
    set_wired_limit set_printoptions printoptions quantize segmented_mm random.seed array.reshape
    array.transpose array.item distributed.send distributed.recv distributed.recv_like fast.metal_kernel
    fast.cuda_kernel fast.precompiled_cuda_kernel einsum_path""".split()
)
# MLX reads behind the array.
RIGHT_HERE = {("as_strided", "offset")}
# MLX has no kernels for products of two quantized factors on the CPU.
NONE_THERE = ("asarray", "qqmm", "gather_qqmm")


def parameters() -> list[Any]:
    out = []
    for module in MODULES if mlx is not None else ():
        for name, overloads in stubs(module).items():
            owner, _, method = name.rpartition(".")
            full = f"{module}.{name}".lstrip(".")
            f: Any = getattr(mx, module, None) if module else mx
            for part in name.split("."):
                f = getattr(f, part, None)
            if f is None or method in SLOTS or owner not in ("", "array") or full in ELSEWHERE:
                continue
            ps = {p: (kind, d) for sig in [*reversed(overloads), ours(f)] for p, kind, d in sig}
            if not any(kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD) for kind, _ in ps.values()):
                order = list(dict.fromkeys(p for sig in [ours(f), *overloads] for p, _, _ in sig))
                out.append(pytest.param(full, order, [p for p in order if ps[p][1] == ""], id=full))
    return out


PARAMETERS = parameters()


def outcome(m: Any, name: str, pos: list[str], kw: list[str], values: dict[str, Any]) -> Any:
    def value(p: str) -> Any:
        v = values[p]
        return v(m) if callable(v) else v

    def kind(r: Any) -> Any:
        if isinstance(r, (tuple, list)):
            return tuple(kind(x) for x in r)
        return (tuple(r.shape), name_of(r)) if isinstance(r, m.array) else type(r).__name__

    f: Any = m
    for part in name.split("."):
        f = getattr(f, part)
    try:
        r = f(*[value(p) for p in pos], **{p: value(p) for p in kw})
        m.eval(r)
    except Exception as e:
        return e
    return kind(r)


@pytest.mark.parametrize(("name", "order", "required"), PARAMETERS)
def test_what_the_oracle_takes_is_taken(name: str, order: list[str], required: list[str]) -> None:
    values = USUAL | SPECIAL.get(name.removeprefix("array."), {})
    known = [p for p in order if p in values]
    assert set(required) <= set(known), "an example is missing"
    calls = [("required ones", required, [])]
    for p in (q for q in known if q != "self"):
        before = [q for q in required if q != p and order.index(q) < order.index(p)]
        calls.append((p, before, [p, *(q for q in required if q != p and q not in before)]))
    calls.append(("all by keyword", [p for p in known if p == "self"], [p for p in known if p != "self"]))
    calls += [
        (f"{n} by position", order[:n], [])
        for n in range(len(required), len(order) + 1)
        if set(order[:n]) <= set(known)
    ]
    worked = 0
    for what, pos, kw in calls:
        want = outcome(mlx, name, pos, kw, values)
        if isinstance(want, Exception) or (name, what) in RIGHT_HERE:
            continue
        worked += 1
        got = outcome(mx, name, pos, kw, values)
        assert got == want, f"{what}: {got!r}, not {want!r}"
    assert worked or name in NONE_THERE, "MLX took none of the calls"


def test_all_functions_were_called() -> None:
    assert len(PARAMETERS) > 230


# What has *args, overloads or effects; `d` is a folder.
LINES = """
m.einsum("ij,kj->ik", A(m), A(m)); m.einsum("ij->j", A(m), stream=m.cpu); m.random.seed(seed=3); m.random.key(seed=3)
m.arange(start=1, stop=4); m.arange(1, stop=4); m.arange(1, 4, step=2); m.arange(stop=4, step=2, dtype=m.int8)
m.arange(1, 5, None, m.int8)
m.arange(start=0, stop=3, step=None); m.arange(0, 3, 1, m.float32, stream=m.cpu); m.arange(3, dtype=None)
m.meshgrid(V(m), V(m), sparse=True, indexing="ij", stream=m.cpu); m.atleast_2d(m.array(1), stream=m.cpu)
m.broadcast_arrays(V(m), A(m), stream=m.cpu)
m.save(file=d + "/a.npy", arr=A(m)); m.load(d + "/a.npy"); m.load(d + "/a.npy", format="npy")
m.load(d + "/a.npy", "npy", False)
m.load(d + "/a.npy", stream=m.cpu); m.savez(d + "/b.npz", A(m), x=A(m)); m.savez(file=d + "/b.npz", x=A(m))
m.savez_compressed(d + "/b.npz", x=A(m))
m.save_safetensors(file=d + "/c.safetensors", arrays={"a": A(m)}, metadata={"k": "v"})
m.load(d + "/c.safetensors", return_metadata=True)
m.grad(fun=lambda x: x.sum(), argnums=0, argnames=[])(A(m)); m.grad(lambda x: x.sum(), 0, [])(A(m))
m.value_and_grad(fun=lambda x, y: (x * y).sum(), argnums=(0,), argnames="y")(A(m), y=A(m))
m.vjp(fun=lambda x: x * 2, primals=[A(m)], cotangents=[A(m)])
m.jvp(fun=lambda x: x * 2, primals=[A(m)], tangents=[A(m)])
m.vmap(fun=lambda x: x * 2, in_axes=1, out_axes=0)(A(m)); m.checkpoint(fun=lambda x: x * 2)(A(m))
m.compile(fun=lambda x: x * 2, inputs=None, outputs=None, shapeless=False)(A(m))
m.compile(lambda x: x * 2, None, None, True)(A(m))
m.export_function(d + m.__name__, lambda x, y: x + y, x=A(m), y=A(m), shapeless=True, metadata="k")
m.export_function(d + m.__name__, lambda x, y: x + y, A(m), y=A(m), shapeless=False, metadata=None)
m.import_function(file=d + m.__name__, return_metadata=False)(A(m), y=A(m)); m.import_function(d + m.__name__, True)[1]
m.exporter(file=d + m.__name__, fun=lambda x: x, shapeless=True, metadata="k").close()
m.exporter(d + m.__name__, lambda x: x).close()
m.export_to_dot(file=d + "/g", x=A(m) + 1); m.export_to_dot(d + "/g", A(m) + 1)
m.default_stream(device=m.cpu); m.set_default_device(device=m.cpu); m.stream(s=m.cpu); m.synchronize(stream=None)
m.Device(type=m.cpu, index=0)
m.new_stream(device=m.cpu); m.set_default_stream(stream=m.default_stream(m.cpu)); m.StreamContext(s=m.cpu)
m.new_thread_local_stream(device=m.cpu)
m.set_printoptions(precision=-1); m.printoptions(precision=3); m.PrintOptions(precision=3); m.array(val=[1, 2])
m.array(val=[1, 2], dtype=m.float32)
m.array([1, 2], m.float32); m.asarray([1.0], m.float16, copy=True); m.asarray([1.0], dtype=m.float16)
m.set_memory_limit(limit=m.set_memory_limit(1 << 34))
m.set_cache_limit(limit=m.set_cache_limit(1 << 34)); m.set_wired_limit(limit=0); m.depends([A(m)], [A(m)])
m.broadcast_shapes((1, 2), (3, 1))
A(m).reshape(3, 2, stream=m.cpu); A(m).reshape([3, 2]); A(m).transpose(1, 0, stream=m.cpu); A(m).transpose([1, 0])
A(m).__array__(dtype=None)
A(m).__array__(copy=True); A(m).at[0].add(value=1); A(m).at[0].add(1); A(m).__getitem__(0)
""".strip().replace("\n", "; ").split("; ")  # fmt: skip


def described(m: Any, r: Any) -> Any:
    if isinstance(r, (tuple, list)):
        return tuple(described(m, x) for x in r)
    if isinstance(r, dict):
        return {k: described(m, v) for k, v in r.items()}
    return (name_of(r), r.tolist()) if isinstance(r, (m.array, np.ndarray)) else type(r).__name__


def test_lines(tmp_path: Path) -> None:
    names = {"A": A, "V": V, "d": str(tmp_path)}
    for line in LINES:
        want = described(mlx, eval(line, names | {"m": mlx}))
        assert described(mx, eval(line, names | {"m": mx})) == want, line


PYTHON = ["nn", "nn.init", "nn.losses", "nn.utils", "optimizers", "utils"]


@pytest.mark.parametrize("module", PYTHON)
def test_signatures_in_python(module: str) -> None:
    """What both have in Python: the names of parameters, their order, and which have defaults."""
    import importlib

    here, there = importlib.import_module(f"mlx_go.{module}"), importlib.import_module(f"mlx.{module}")

    def shape(f: Any) -> Any:
        if f is None or getattr(f, "__name__", "") == "unfreeze":
            return None
        try:
            ps = list(inspect.signature(f).parameters.values())
        except (TypeError, ValueError):
            return None
        return [(p.name if p.name != "_" else "self", p.kind, p.default is Parameter.empty) for p in ps]

    compared = 0
    for name, theirs in vars(there).items():
        mine = getattr(here, name, None)
        if name.startswith("_") or mine is None or not getattr(theirs, "__module__", "").startswith("mlx."):
            continue
        pairs = [(name, mine, theirs)]
        if inspect.isclass(theirs):
            pairs = [
                (f"{name}.{k}", getattr(mine, k, None), v)
                for k, v in inspect.getmembers(theirs, callable)
                if k[0] != "_" or k in ("__init__", "__call__")
            ]
        for what, a, b in pairs:
            if (want := shape(b)) is not None and (got := shape(a)) is not None:
                assert got[: len(want)] == want, what
                compared += 1
    assert compared > 2
