"""Hypothesis strategies: dtypes, shapes, and views that are built alike in every library."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from oracle import DTYPES, array, sample

dtypes = st.sampled_from(DTYPES)
extents = st.sampled_from([1, 2, 3, 4, 5, 0, 7])


def shapes(min_dims: int = 0, max_dims: int = 4, empty: bool = True) -> st.SearchStrategy[tuple[int, ...]]:
    sizes = extents if empty else extents.filter(bool)
    return st.lists(sizes, min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def axis_slices(draw: Any, n: int) -> slice:
    bound = st.none() | st.integers(-n - 2, n + 2)
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3, -1, -2, -3])))


@st.composite
def steps_from(draw: Any, shape: tuple[int, ...], most: int = 3) -> list[tuple[str, Any]]:
    """Up to `most` view operations that apply one after the other to an array of the shape."""
    steps: list[tuple[str, Any]] = []
    probe = np.broadcast_to(np.int8(0), shape)
    for _ in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(["transpose", "slice", "broadcast", "reshape", "squeeze"]))
        n = probe.ndim
        if kind == "transpose":
            step = (kind, tuple(draw(st.permutations(range(n)))))
        elif kind == "slice":
            step = (kind, tuple(draw(axis_slices(k)) for k in probe.shape))
        elif kind == "broadcast" and n < 4 and probe.size < 200:
            grown = tuple(draw(st.sampled_from([1, 3])) if k == 1 else k for k in probe.shape)
            step = (kind, (draw(st.sampled_from([1, 2])), *grown))
        elif kind == "reshape" and n > 0:
            i = draw(st.integers(0, n - 1))
            if i + 1 < n:
                step = (kind, (*probe.shape[:i], probe.shape[i] * probe.shape[i + 1], *probe.shape[i + 2 :]))
            else:
                step = (kind, (*probe.shape, 1) if n < 4 else (probe.size,))
        else:
            step = ("reshape", tuple(k for k in probe.shape if k != 1))
        probe = take_step(probe, step)
        steps.append(step)
    return steps


def take_step(a: Any, step: tuple[str, Any], lib: Any = np) -> Any:
    kind, arg = step
    if kind == "slice":
        return a[arg]
    if kind == "reshape":
        return lib.reshape(a, arg)
    return {"transpose": lib.transpose, "broadcast": lib.broadcast_to}[kind](a, arg)


class View:
    """An array described by its base values and view operations, to be built in any library."""

    def __init__(self, base: np.ndarray, dtype: str, steps: list[tuple[str, Any]]) -> None:
        self.base, self.dtype, self.steps = base, dtype, steps

    def __repr__(self) -> str:
        return f"View({self.dtype}, {self.base.shape}, {self.steps})"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numpy().shape

    def numpy(self) -> np.ndarray:
        a = self.base
        for s in self.steps:
            a = take_step(a, s)
        return a

    def build(self, lib: Any) -> Any:
        a = array(lib, self.base, self.dtype)
        for s in self.steps:
            a = take_step(a, s, lib)
        return a


@st.composite
def views(draw: Any, dtype: Any = dtypes, shape: Any = None, lo: float = -3.0, hi: float = 3.0, steps: int = 3) -> View:
    d = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    s = draw(shapes() if shape is None else shape) if not isinstance(shape, tuple) else shape
    base = sample(d, s, draw(st.integers(0, 9)), lo, hi)
    return View(base, d, draw(steps_from(s, steps)))


@st.composite
def broadcastable(draw: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts with the given one, without making it larger."""
    kept = shape[draw(st.integers(0, len(shape))) :]
    return tuple(1 if draw(st.booleans()) else k for k in kept)


def axes_of(n: int) -> st.SearchStrategy[Any]:
    """None, one axis or several, negative ones too."""
    if n == 0:
        return st.none()
    one = st.integers(-n, n - 1)
    many = st.sets(st.integers(0, n - 1), min_size=1).flatmap(lambda s: st.permutations(sorted(s))).map(tuple)
    return st.none() | one | many
