# Written by core/opgen from the op table and core/opgen/core.pyi.tmpl. DO NOT EDIT.
from collections.abc import Sequence
from typing import Any, Literal

from .core import Dtype, StreamOrDevice, array, bfloat16, float32, int32, scalar

def fftfreq(n: int, d: float = 1.0, stream: StreamOrDevice = None) -> array:
    """Frequencies of the results of a discrete Fourier transform.

    Args:
        n: Length of the signal.
        d: Time between samples.

    Returns:
        A float32 array of shape (n,): the positive frequencies in ascending order behind 0, then the negative ones.

    Example:
        >>> mx.fft.fftfreq(4, 0.5)
        array([0, 0.5, -1, -0.5], dtype=float32)
    """
def fftshift(a: array, axes: int | Sequence[int] | None = None, stream: StreamOrDevice = None) -> array:
    """Array with the frequency 0 in the middle of every axis.

    Args:
        a: Input array, in the order of :func:`fftfreq`.
        axes: Axes to shift; all by default.

    Returns:
        An array of the same shape.

    Example:
        >>> mx.fft.fftshift(mx.array([0, 1, 2, -2, -1]))
        array([-2, -1, 0, 1, 2], dtype=int32)
    """
def ifftshift(a: array, axes: int | Sequence[int] | None = None, stream: StreamOrDevice = None) -> array:
    """Array with the frequency 0 in front on every axis, which undoes :func:`fftshift`.

    Args:
        a: Input array.
        axes: Axes to shift; all by default.

    Returns:
        An array of the same shape.

    Example:
        >>> mx.fft.ifftshift(mx.array([-2, -1, 0, 1, 2]))
        array([0, 1, 2, -2, -1], dtype=int32)
    """
def rfftfreq(n: int, d: float = 1.0, stream: StreamOrDevice = None) -> array:
    """Frequencies of the results of a discrete Fourier transform of real numbers.

    Args:
        n: Length of the signal.
        d: Time between samples.

    Returns:
        A float32 array of shape (n // 2 + 1,), ascending from 0.

    Example:
        >>> mx.fft.rfftfreq(4, 0.5)
        array([0, 0.5, 1], dtype=float32)
    """
