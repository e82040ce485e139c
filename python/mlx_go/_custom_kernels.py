"""Kernels that a program brings along in Metal or CUDA text: ``mx.fast.metal_kernel`` and its kin.

No device here runs them yet. Programs make Metal kernels when they are imported and choose another way when there
is no Metal device, so making one works anywhere, and calling it says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def _names(op: str, what: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{op}(): argument '{what}' must be a sequence of str, not {names!r}")
    return tuple(names)


class _MetalKernel:
    """A kernel of :func:`metal_kernel`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(
        self,
        *,
        inputs: Sequence[Any],
        output_shapes: Sequence[Sequence[int]],
        output_dtypes: Sequence[Any],
        grid: tuple[int, int, int],
        threadgroup: tuple[int, int, int],
        template: Sequence[tuple[str, Any]] | None = None,
        init_value: float | None = None,
        verbose: bool = False,
        stream: Any = None,
    ) -> list[Any]:
        raise RuntimeError(f"[metal_kernel] kernel '{self._name}' needs a Metal device, and there is none")


def metal_kernel(
    name: str,
    input_names: Sequence[str],
    output_names: Sequence[str],
    source: str,
    header: str = "",
    ensure_row_contiguous: bool = True,
    atomic_outputs: bool = False,
    compile_options: object | None = None,
) -> _MetalKernel:
    """Make a kernel from the body of a function in the Metal Shading Language.

    Args:
        name: Name of the kernel.
        input_names: What the text calls the inputs.
        output_names: What the text calls the outputs, of which there is at least one.
        source: Body of the function.
        header: Text before the function.
        ensure_row_contiguous: Copy inputs that are not contiguous.
        atomic_outputs: Declare the outputs as atomic.
        compile_options: Options of the compiler, as ``{"math_mode": "fast"}``.

    Returns:
        A callable. Without a Metal device it raises RuntimeError when it is called.

    Example:
        >>> kernel = mx.fast.metal_kernel("copy", ["x"], ["y"], "y[0] = x[0];")
    """
    for what, text in (("name", name), ("source", source), ("header", header)):
        if not isinstance(text, str):
            raise TypeError(f"metal_kernel(): argument '{what}' must be a str, not {type(text).__name__}")
    _names("metal_kernel", "input_names", input_names)
    if not _names("metal_kernel", "output_names", output_names):
        raise ValueError("[metal_kernel] at least one output is required")
    return _MetalKernel(name)


def cuda_kernel(
    name: str,
    input_names: Sequence[str],
    output_names: Sequence[str],
    source: str,
    header: str = "",
    ensure_row_contiguous: bool = True,
    shared_memory: int = 0,
) -> Any:
    """Make a kernel from the body of a function in CUDA C.

    Args:
        name: Name of the kernel.
        input_names: What the text calls the inputs.
        output_names: What the text calls the outputs.
        source: Body of the function.
        header: Text before the function.
        ensure_row_contiguous: Copy inputs that are not contiguous.
        shared_memory: Bytes of shared memory of a block.

    Raises:
        RuntimeError: There is no CUDA device.
    """
    raise RuntimeError(f"[cuda_kernel] kernel '{name}' needs a CUDA device, and there is none")


def precompiled_cuda_kernel(
    *,
    name: str,
    compiled_source: bytes,
    inputs: Sequence[Any],
    output_shapes: Sequence[tuple[int, ...]],
    output_dtypes: Sequence[Any],
    scalars: Sequence[object],
    grid: tuple[int, int, int],
    threadgroup: tuple[int, int, int],
    shared_memory: int = 0,
    init_value: float | None = None,
    ensure_row_contiguous: bool = False,
    stream: Any = None,
) -> list[Any]:
    """Run a CUDA kernel that was compiled to PTX or cubin.

    Args:
        name: Name of the kernel.
        compiled_source: The compiled kernel.
        inputs: Arrays that it reads.
        output_shapes: The shape of each output.
        output_dtypes: The dtype of each output.
        scalars: Numbers that it gets.
        grid: How many threads run, in three directions.
        threadgroup: How many of them make a block.
        shared_memory: Bytes of shared memory of a block.
        init_value: What outputs hold before.
        ensure_row_contiguous: Copy inputs that are not contiguous.
        stream: Where it runs.

    Raises:
        RuntimeError: There is no CUDA device.
    """
    raise RuntimeError(f"[precompiled_cuda_kernel] kernel '{name}' needs a CUDA device, and there is none")
