# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
from collections.abc import Sequence
from typing import Any, Literal

from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar

from ._custom_kernels import cuda_kernel as cuda_kernel, metal_kernel as metal_kernel
from ._custom_kernels import precompiled_cuda_kernel as precompiled_cuda_kernel

def layer_norm(x: array, weight: array | None, bias: array | None, eps: float, *, stream: StreamOrDevice = None) -> array:
    """Layer normalization over the last axis (Ba et al., 2016), in float32 for halves.

    Args:
        x: Input of shape (..., D).
        weight: Scale of shape (D,) or None.
        bias: Shift of shape (D,) or None.
        eps: Added to the variance.

    Returns:
        An array of the shape of ``x``.

    Example:
        >>> mx.fast.layer_norm(mx.array([1.0, 3.0]), None, None, 0.0)
        array([-1, 1], dtype=float32)
    """
def rms_norm(x: array, weight: array | None, eps: float, *, stream: StreamOrDevice = None) -> array:
    """Root-mean-square normalization over the last axis (Zhang and Sennrich, 2019), in float32 for halves.

    Args:
        x: Input of shape (..., D).
        weight: Scale of shape (D,) or None.
        eps: Added to the mean square.

    Returns:
        An array of the shape of ``x``.

    Example:
        >>> mx.fast.rms_norm(mx.array([1.0, 1.0]), None, 0.0)
        array([1, 1], dtype=float32)
    """
