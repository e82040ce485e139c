"""A convolution by its definition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np


def reference(
    x: np.ndarray, w: np.ndarray, stride: Any, low: Any, high: Any, dilation: Any, inside: Any, groups: int, flip: bool
) -> np.ndarray:
    """The definition, one kernel position at a time. x: (N, *space, C), w: (O, *kernel, C / groups)."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    n = x.ndim - 2
    if flip:
        w = np.flip(w, tuple(range(1, n + 1)))
    spread = np.zeros((x.shape[0], *[(s - 1) * d + 1 for s, d in zip(x.shape[1:-1], inside)], x.shape[-1]))
    spread[(slice(None), *[slice(None, None, d) for d in inside])] = x
    padded = np.pad(spread, [(0, 0), *zip(low, high), (0, 0)])
    out = [(p - d * (k - 1) - 1) // s + 1 for p, k, s, d in zip(padded.shape[1:-1], w.shape[1:-1], stride, dilation)]
    y = np.zeros((x.shape[0], *out, w.shape[0]))
    per_in, per_out = x.shape[-1] // groups, w.shape[0] // groups
    for at in itertools.product(*[range(k) for k in w.shape[1:-1]]):
        window = tuple(slice(p * d, p * d + (o - 1) * s + 1, s) for p, d, o, s in zip(at, dilation, out, stride))
        for g in range(groups):
            part = padded[(slice(None), *window, slice(g * per_in, (g + 1) * per_in))]
            y[..., g * per_out : (g + 1) * per_out] += part @ w[(slice(g * per_out, (g + 1) * per_out), *at)].T
    return y
