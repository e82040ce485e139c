"""Every function and method is called as the oracle's is: the stubs in MLX's wheel say how.

Names, order, kinds and defaults of parameters agree. What exists only here stays behind what MLX has: further
keyword-only parameters, and parameters that may be given by position here and only by keyword there. The stubs do not say
all that MLX takes: test_keywords calls it.
"""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import Any

import pytest
from oracle import mlx, mx, needs_oracle
from oracle_stubs import MODULES, SLOTS, Parsed, ours, stubs

pytestmark = needs_oracle

def cases() -> list[Any]:
    if mlx is None:
        return []
    out = []
    for module in MODULES:
        lib = getattr(mx, module, None) if module else mx
        for name, overloads in stubs(module).items():
            owner, _, method = name.rpartition(".")
            if method in SLOTS or owner.startswith("_"):
                continue
            f: Any = lib
            for part in name.split("."):
                f = getattr(f, part, None)
            if f is not None:
                out.append(pytest.param(f, bool(owner), overloads, id=f"{module}.{name}".lstrip(".")))
    return out


CASES = cases()

# What MLX takes without, though its stub gives no default.
OPTIONAL = {"save_gguf": {"metadata"}}
# What the stub calls positional-only, while MLX takes it by keyword.
BY_KEYWORD = {"roll": {"shift", "axis"}, "astype": {"dtype"}}


@pytest.mark.parametrize(("f", "method", "overloads"), CASES)
def test_signature_like_the_oracle(f: Any, method: bool, overloads: list[list[Parsed]]) -> None:
    got = ours(f)[method:]
    if len(overloads) > 1:  # no one signature says it: see test_arange
        return
    want = overloads[0][method:]
    keyword_only = {name for name, kind, _ in want if kind == Parameter.KEYWORD_ONLY}
    names = {name for name, _, _ in want}
    kept = [
        (name, Parameter.KEYWORD_ONLY if name in keyword_only and kind == Parameter.POSITIONAL_OR_KEYWORD else kind, default)
        for name, kind, default in got
        if name in names or kind != Parameter.KEYWORD_ONLY
    ]
    more = BY_KEYWORD.get(f.__name__, ())
    want = [(name, Parameter.POSITIONAL_OR_KEYWORD if name in more else kind, default) for name, kind, default in want]
    assert [p[:2] for p in kept] == [p[:2] for p in want]
    for (name, _, mine), (_, _, theirs) in zip(kept, want):
        if name in OPTIONAL.get(f.__name__, ()):
            continue
        assert mine == theirs or (mine == "..." and theirs in ("float32", "int32", "bfloat16")), name


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("zeros", "float32"), ("ones", "float32"), ("eye", "float32"), ("identity", "float32"), ("linspace", "float32")],
)
def test_defaults_that_are_dtypes(name: str, dtype: str) -> None:
    stub = (Path(mx.__file__).parent / "core.pyi").read_text()
    line = next(line for line in stub.splitlines() if line.startswith(f"def {name}("))
    assert f"dtype: Dtype | None = {dtype}" in line
    assert getattr(mx, name)(*(0, 1) if name == "linspace" else (2,)).dtype == getattr(mx, dtype)


def test_arange() -> None:
    """Its overloads: start, stop and step, or stop and step; by position and by name."""
    assert mx.arange(3).tolist() == mx.arange(stop=3).tolist() == mx.arange(0, 3).tolist() == [0, 1, 2]
    assert mx.arange(start=1, stop=7, step=2).tolist() == mx.arange(1, 7, 2).tolist() == [1, 3, 5]
    assert mx.arange(stop=5, step=2).tolist() == [0, 2, 4]
    assert mx.arange(3, dtype=mx.int8).dtype == mx.arange(0, 3, 1, mx.int8).dtype == mx.int8


def test_most_of_the_oracle_was_compared() -> None:
    assert len(CASES) > 250


@pytest.mark.parametrize("name", ["left_shift", "right_shift"])
def test_other_names_take_the_same_arguments(name: str) -> None:
    """MLX's stubs leave these out; it documents what it takes under one name only."""
    f, alias = getattr(mx, name), getattr(mx, "bitwise_" + name)
    want = f(a=mx.array(8), b=mx.array(1)).item()
    assert alias(a=mx.array(8), b=mx.array(1)).item() == alias(mx.array(8), 1, mx.cpu).item() == want
