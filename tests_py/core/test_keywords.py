"""Every function and method is called with each of its parameters by keyword, by position, and left out.

What MLX takes is taken here and gives the same shapes and dtypes; what its stubs promise, but
it refuses, may work here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import mlx, mx, name_of, needs_oracle
from oracle_stubs import MODULES, SLOTS, ours, stubs

pytestmark = needs_oracle


def of(values: Any, dtype: Any = np.float32) -> Callable[[Any], Any]:
    return lambda m: m.array(np.array(values, dtype))


def ones(*shape: int) -> Callable[[Any], Any]:
    return lambda m: m.ones(shape)


A = of([[0.5, 0.25, 0.75], [0.125, 1.0, 0.375]])
I = of([[1, 2, 3], [4, 5, 6]], np.int32)
V = of([1, 2, 3])


def T(m: Any) -> Any:
    return A(m).T


# Arguments by the name of the parameter; functions are called with the library.
USUAL: dict[str, Any] = {
    "a": A, "b": A, "c": A, "x": A, "y": A, "array": A, "logits": A, "condition": lambda m: I(m) > 2, "self": A,
    "axis": 0, "axis1": 0, "axis2": 1, "axes": (1, 0), "source": 0, "destination": 1, "start_axis": 0, "end_axis": 1,
    "keepdims": True, "ddof": 1, "reverse": True, "inclusive": False, "precise": True, "stream": lambda m: m.cpu,
    "dtype": lambda m: m.float32, "shape": (2, 3), "indices": lambda m: m.array([0, 1]), "values": 9.0, "vals": 2.0,
    "n": 2, "m": 3, "k": 1, "M": 4, "start": 0, "stop": 5, "num": 3, "endpoint": False, "repeats": 2, "reps": 2,
    "rtol": 1e-3, "atol": 1e-3, "equal_nan": True, "nan": 0.0, "posinf": 1.0, "neginf": -1.0, "decimals": 1,
    "kth": 1, "side": "right", "size": 4, "return_index": True, "return_inverse": True, "return_counts": True,
    "fill_value": 0, "a_min": 0.3, "a_max": 0.6, "shift": 1, "offset": 0, "allow_col_major": True, "mode": "same",
    "alpha": 2.0, "beta": 3.0, "start_indices": lambda m: m.array([0]), "slice_size": (1, 3), "eps": 1e-3,
    "stride": 1, "padding": 1, "dilation": 1, "groups": 1, "output_padding": 0, "kernel_dilation": 1,
    "input_dilation": 1,
    "flip": True, "key": lambda m: m.random.key(3), "seed": 3, "low": 0, "high": 5, "loc": 1.0, "scale": 2.0, "p": 0.5,
    "lower": -1.0, "upper": 1.0, "num_samples": 2, "from_": lambda m: m.float32, "to": lambda m: m.float64,
    "kind": "integral", "arg1": lambda m: m.float32, "arg2": lambda m: m.floating, "copy": True, "precision": 3,
    "device": lambda m: m.cpu, "device_type": lambda m: m.cpu, "d": lambda m: m.cpu,
}  # fmt: skip
SPECIAL: dict[str, dict[str, Any]] = {
    "matmul": {"b": T}, "addmm": {"c": of(np.eye(2)), "b": T}, "tensordot": {"b": T, "axes": 1}, "vecdot": {"axis": -1},
    "take": {"axis": 1}, "take_along_axis": {"indices": lambda m: m.array([[0, 1, 0]])},
    "put_along_axis": {"indices": lambda m: m.array([[0, 1, 0]]), "values": lambda m: m.array([[9.0, 8.0, 7.0]])},
    "unflatten": {"shape": (1, 2)}, "as_strided": {"shape": (2, 2), "strides": (1, 1)},
    "split": {"indices_or_sections": 2},
    "broadcast_to": {"shape": (2, 2, 3)}, "reshape": {"shape": (3, 2)}, "squeeze": {"a": lambda m: A(m)[None]},
    "pad": {"pad_width": 1, "mode": "constant", "constant_values": 3.0}, "convolve": {"a": V, "v": V},
    **{
        f"conv{t}{n}d": {"input": ones(1, *(5,) * n, 2), "weight": ones(4, *(3,) * n, 2)}
        for n in (1, 2, 3) for t in ("", "_transpose")
    },
    "conv_general": {"input": ones(1, 5, 2), "weight": ones(4, 3, 2)},
    "hadamard_transform": {"a": ones(2, 4), "scale": 0.5},
    **{f"bitwise_{op}": {"a": I, "b": I} for op in ("and", "or", "xor", "invert")}, "left_shift": {"a": I, "b": 1},
    "right_shift": {"a": I, "b": 1}, "view": {"dtype": lambda m: m.int32}, "unique": {"a": I},
    "searchsorted": {"sorted_sequence": V, "values": V},
    **{f: {"arrays": lambda m: [A(m), A(m)]} for f in ("concatenate", "concat", "stack")},
    "linspace": {"stop": 1}, "slice": {"axes": (0,)}, "slice_update": {"update": ones(1, 3), "axes": (0,)},
    "depends": {"inputs": A, "dependencies": A}, "asarray": {"a": [1.0, 2.0]},
    "from_dlpack": {"x": np.ones(3, np.float32)},
    "fast.rms_norm": {"x": A, "weight": V}, "fast.layer_norm": {"x": A, "weight": V, "bias": V},
    "random.categorical": {"axis": -1, "shape": (5, 2), "num_samples": None}, "random.laplace": {"loc": 0.0},
    "random.multivariate_normal": {"mean": of([0, 0]), "cov": of(np.eye(2)), "shape": (3,)},
    "random.randint": {"dtype": lambda m: m.int32},
}  # fmt: skip
# Called in LINES below, or not to be called.
ELSEWHERE = set(
    """set_default_device set_default_stream new_stream stream synchronize eval async_eval load save savez
    savez_compressed save_safetensors save_gguf grad vjp jvp value_and_grad vmap compile checkpoint
    export_function import_function exporter export_to_dot new_thread_local_stream new_thread_unsafe_stream
    clear_streams disable_compile enable_compile einsum arange set_memory_limit set_cache_limit
    set_wired_limit set_printoptions printoptions quantize segmented_mm random.seed array.reshape
    array.transpose array.item""".split()
)
# MLX reads behind the array.
RIGHT_HERE = {("as_strided", "offset")}


def parameters() -> list[Any]:
    out = []
    for module in MODULES if mlx is not None else ():
        for name, overloads in stubs(module).items():
            owner, _, method = name.rpartition(".")
            full = f"{module}.{name}".lstrip(".")
            f: Any = getattr(mx, module) if module else mx
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
    assert worked or name in ("asarray",), "MLX took none of the calls"


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
