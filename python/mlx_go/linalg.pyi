# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
from collections.abc import Sequence
from typing import Any, Literal

from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar

def cross(a: array, b: array, axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """Vector product of vectors of two or three elements.

    Args:
        a: Input array.
        b: Input array; the axes beside ``axis`` broadcast.
        axis: Axis of both along which the vectors lie.

    Returns:
        The products, of three elements: a vector of two has 0 for the third.

    Example:
        >>> mx.linalg.cross(mx.array([1, 0, 0]), mx.array([0, 1, 0]))
        array([0, 0, 1], dtype=int32)
    """
def norm(a: array, /, ord: None | int | float | str = None, axis: None | int | Sequence[int] = None, keepdims: bool = False, *, stream: StreamOrDevice = None) -> array:
    """Norm of vectors or matrices.

    Args:
        a: Input array.
        ord: Order of the norm, as in the table; None is the 2-norm of all elements along ``axis``.
        axis: One axis gives the norms of the vectors along it, two those of the matrices with their rows along the first and their columns along the second; None takes a 1-D or 2-D array, or one of any rank if ``ord`` is None, as a whole.
        keepdims: Keep the axes with extent 1.

        ======== =========================== ===================
        ord      of matrices                 of vectors
        ======== =========================== ===================
        ``fro``  Frobenius norm              --
        inf      largest sum of a row        largest size
        -inf     smallest sum of a row       smallest size
        1        largest sum of a column     sum of sizes
        -1       smallest sum of a column    as below
        0        --                          number of elements other than 0
        2        needs singular values       Euclidean norm
        other    --                          ``sum(abs(a)**ord)**(1/ord)``
        ======== =========================== ===================

    Returns:
        The norms, in a real floating dtype. Halves are summed in float32.

    Raises:
        ValueError: If ``ord`` does not fit the number of axes, there are more than two, or singular values are needed (``nuc``, 2 and -2 of matrices).

    Example:
        >>> mx.linalg.norm(mx.array([3., 4.]))
        array(5, dtype=float32)
    """
