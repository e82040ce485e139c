"""Names beside the op table: what the array API standard calls ops, einsum_path, kernels that programs bring along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import agree, mlx, mx, needs_oracle, outcome


def test_names_of_the_standard_are_the_same_functions() -> None:
    assert mx.cumulative_sum is mx.cumsum and mx.cumulative_prod is mx.cumprod
    assert mx.empty is mx.zeros and mx.empty_like is mx.zeros_like
    assert mx.matrix_norm is mx.linalg.norm


@needs_oracle
@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [("ij->j", [(2, 3)]), ("ij,jk", [(2, 3), (3, 4)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
     ("ij,jk,kl,lm->im", [(10, 200), (200, 3), (3, 100), (100, 10)]), ("i,j,k->ijk", [(3,), (3,), (3,)])],
)  # fmt: skip
def test_einsum_path(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    path, report = mx.einsum_path(subscripts, *(mx.ones(s) for s in shapes))
    want, text = mlx.einsum_path(subscripts, *(mlx.ones(s) for s in shapes))
    assert path == want and report == text
    for f in (mx.einsum_path, lambda *a: mlx.einsum_path(*(mlx.array(x) if isinstance(x, np.ndarray) else x for x in a))):
        assert f(subscripts, *(np.ones(s, np.float32) for s in shapes))[0] == want


@pytest.mark.parametrize("arguments", [("ij,jk", 1), ("ij->k", 1), ("ij",), (3, 1)])
def test_einsum_path_refuses(arguments: tuple[Any, ...]) -> None:
    subscripts, *count = arguments
    with pytest.raises((ValueError, TypeError)) as error:
        mx.einsum_path(subscripts, *(mx.ones((2, 3)) for _ in count))
    assert str(error.value)


def test_a_metal_kernel_is_made_anywhere_and_refuses_calls() -> None:
    kernel = mx.fast.metal_kernel(name="k", input_names=["x"], output_names=["y"], source="y[0] = x[0];")
    arguments = {"inputs": [mx.ones(3)], "output_shapes": [(3,)], "output_dtypes": [mx.float32], "grid": (3, 1, 1)}
    with pytest.raises(RuntimeError, match="kernel 'k' needs a Metal device"):
        kernel(**arguments, threadgroup=(3, 1, 1), template=[("T", mx.float32)], init_value=0, stream=mx.cpu)
    with pytest.raises(TypeError):
        kernel(**arguments)
    with pytest.raises(ValueError, match="at least one output"):
        mx.fast.metal_kernel("k", ["x"], [], "")
    for bad in ((3, ["x"], ["y"], ""), ("k", "x", ["y"], ""), ("k", ["x"], [3], ""), ("k", ["x"], ["y"], None)):
        with pytest.raises(TypeError):
            mx.fast.metal_kernel(*bad)


def test_cuda_kernels_say_at_once_that_there_is_no_device() -> None:
    with pytest.raises(RuntimeError, match="needs a CUDA device"):
        mx.fast.cuda_kernel("k", ["x"], ["y"], "int i;")
    with pytest.raises(RuntimeError, match="needs a CUDA device"):
        mx.fast.precompiled_cuda_kernel(
            name="k", compiled_source=b"", inputs=[], output_shapes=[], output_dtypes=[], scalars=[], grid=(1, 1, 1),
            threadgroup=(1, 1, 1),
        )


def test_metal_has_nothing_to_capture() -> None:
    assert mx.metal.start_capture("/tmp/nothing.gputrace") is None and mx.metal.stop_capture() is None
    before = mx.metal.set_wired_limit(5)
    assert mx.set_wired_limit(before) == 5
    with pytest.raises(TypeError):
        mx.metal.start_capture(3)  # type: ignore[arg-type]


def test_what_the_namespace_says_of_itself() -> None:
    info = mx.__array_namespace_info__()
    assert info.default_device() in info.devices() and mx.Device(mx.cpu, 0) in info.devices()
    assert info.default_dtypes() == {
        "real floating": mx.float32, "complex floating": mx.complex64, "integral": mx.int32, "indexing": mx.int32,
    }  # fmt: skip
    assert set(info.capabilities()) == {"boolean indexing", "data-dependent shapes", "max dimensions"}
    kinds = ["bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric"]
    for kind in kinds:
        assert all(mx.isdtype(d, kind) for d in info.dtypes(kind=kind).values()), kind
    assert info.dtypes() == info.dtypes(kind=("bool", "numeric"), device=mx.Device(mx.cpu, 0))
    with pytest.raises(ValueError, match="no kind 'float'"):
        info.dtypes(kind="float")
    with pytest.raises(ValueError, match="no kind 'float'"):
        info.dtypes(kind=("bool", "float"))


@needs_oracle
@pytest.mark.parametrize("kind", [None, "bool", "integral", "real floating", ("bool", "numeric")])
def test_dtypes_as_the_oracle_lists_them(kind: Any) -> None:
    theirs = outcome(lambda: mlx.__array_namespace_info__().dtypes(kind=kind), mlx)
    assert set(mx.__array_namespace_info__().dtypes(kind=kind)) == set(theirs)
    agree(lambda lib: sorted(lib.__array_namespace_info__().default_dtypes()))
