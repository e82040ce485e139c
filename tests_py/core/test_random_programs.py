"""Random programs: one lazy graph, step by step, compiled, and by the oracle.

A program is a list of steps over numbered values. It runs four ways. Lazily it keeps only what later steps need, so
that evaluation fuses and donates; the results are the bits of the run that evaluates after each step. The
oracle gets the inputs of each step as they are here, so that differences do not add up.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DTYPES, FLOATS, INTEGERS, UNSIGNED, array, assert_error, close, mlx, name_of, sample, to_numpy
from random_steps import MOST, make_step, rngs, run_step

import mlx_go.core as mx


class Program:
    """Leaves and steps that mlx_go takes; those that raise are checked against the oracle and left out."""

    def __init__(self, r: random.Random, length: int) -> None:
        self.leaves = []
        for seed in range(r.randint(1, 3)):
            name = r.choice(DTYPES)
            shape = tuple(r.choice([1, 2, 3, 4, 5, 0, 7]) for _ in range(r.choice([0, 1, 2, 2, 3, 3, 4])))
            while int(np.prod(shape)) > MOST:
                shape = shape[:-1]
            self.leaves.append((sample(name, shape, seed), name))
        self.steps: list[Any] = []
        values = self.build(mx)
        for _ in range(length):
            step = make_step(r, values)
            if step is None:
                continue
            try:
                y = run_step(mx, step, [values[i] for i in step[1]])
            except (ValueError, TypeError, IndexError):
                y = values[-1]  # the oracle is asked about the error in test_programs
                if mlx is None:
                    continue
                step = (step[0], step[1], ("raises", step[2]))
                self.steps.append(step)
                values.append(y)
                continue
            if y.size > MOST or y.ndim > 5:
                continue
            self.steps.append(step)
            values.append(y)

    def build(self, lib: Any) -> list[Any]:
        return [array(lib, x, name) for x, name in self.leaves]

    def __repr__(self) -> str:
        lines = [f"  {k}: {name}{list(x.shape)}" for k, (x, name) in enumerate(self.leaves)]
        lines += [f"  {k}: {s}" for k, s in enumerate(self.steps, len(self.leaves))]
        return "program\n" + "\n".join(lines)

    def run(self, lib: Any, leaves: list[Any], each: Any = None) -> list[Any]:
        """The last value, and every third one; the others are dropped after their last use."""
        total = len(self.leaves) + len(self.steps)
        last = {}
        for k, (_, used, _) in enumerate(self.steps, len(self.leaves)):
            last.update(dict.fromkeys(used, k))
        kept = {total - 1} | set(range(0, total, 5))
        values: dict[int, Any] = dict(enumerate(leaves))
        del leaves
        for k, step in enumerate(self.steps, len(self.leaves)):
            raises = isinstance(step[2], tuple) and step[2] and step[2][0] == "raises"
            values[k] = values[k - 1] if raises else run_step(lib, step, [values[i] for i in step[1]])
            if raises:
                last[k - 1] = max(last.get(k - 1, k), k)
            if each:
                each(k, step, values)
            else:
                for i in [i for i in values if last.get(i, i) <= k and i not in kept and i < k]:
                    if i != k:
                        del values[i]
        return [values[k] for k in sorted(kept) if k in values]


def assert_bits(got: Any, want: Any, what: str) -> None:
    assert name_of(got) == name_of(want) and got.shape == want.shape, f"{what}: {got.dtype}{got.shape}, not {want.dtype}{want.shape}"
    g, w = to_numpy(got), to_numpy(want)
    ok = (g == w) | ((g != g) & (w != w))
    assert ok.all(), f"{what}: {g[~ok][:4]} not {w[~ok][:4]}"


# The oracle against which a step is not compared: where the order or the choice is free, or documented to differ.
def _free(step: Any, xs: list[Any]) -> bool:
    kind, _, p = step
    names = [name_of(x) for x in xs]
    if kind == "sort":
        return p[0] != "sort"
    finite = all(np.isfinite(to_numpy(x)).all() for x in xs if name_of(x) not in INTEGERS)
    if not finite and (kind in ("cast", "reduce", "scan", "sort", "matmul", "softmax", "conv", "update", "put_along", "clip") or "complex64" in names):
        return True
    if kind == "cast" and (p in INTEGERS or p == "bool"):
        v = to_numpy(xs[0])
        if names[0] == "complex64":
            return p != "bool"
        return bool(v.size) and (np.abs(v.astype(np.float64)).max() > 100 or (p in UNSIGNED and v.min() < 0))
    if kind == "unary" and p in ("round", "exp", "tanh") and names[0] == "complex64":
        return True
    if kind in ("binary", "binary2") and p in ("divide", "arctan2", "logaddexp") and "complex64" in names:
        return True
    if kind == "reduce" and p[0] in ("argmax", "argmin", "var", "logsumexp") and names[0] == "complex64":
        return True
    if kind == "update" and any(isinstance(i, tuple) for i in p[0]) and any(isinstance(i, int) for i in p[0]):
        return True  # the oracle writes to wrong places; test_indexing compares with NumPy
    if kind == "reduce" and p[0] in ("var", "mean") and np.abs(to_numpy(xs[0]).astype(np.complex128)).max() > 1e6:
        return True
    if kind == "reduce" and p[0] == "logsumexp" and names[0] not in FLOATS:
        return True
    if kind == "scan" and p[0] == "logcumsumexp" and names[0] == "complex64":
        return True
    return False


TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 3e-5, "float64": 3e-6, "complex64": 1e-4}


def against_oracle(step: Any, xs: list[Any], y: Any) -> None:
    theirs = [array(mlx, to_numpy(x), name_of(x)) for x in xs]
    raises = isinstance(step[2], tuple) and step[2] and step[2][0] == "raises"
    if raises:
        step = (step[0], step[1], step[2][1])
        mine: Any = None
        try:
            run_step(mx, step, xs)
        except Exception as e:
            mine = e
    try:
        want = run_step(mlx, step, theirs)
        if want.size and all(x.size for x in xs):  # the oracle stops the process in kernels over empty arrays
            mlx.eval(want)
    except Exception as e:
        if raises:
            assert_error(mine, e, repr(step))
        return  # where the oracle refuses, mlx_go may be more general
    if step[0] == "reduce" and xs[0].ndim == 0 and step[2][0] in ("sum", "prod"):
        return  # over no axes the oracle gives the array as it is, bools and small integers too
    if raises:
        if refused(step, xs):
            return
        raise AssertionError(f"{step}: raised {mine!r} for {[(name_of(x), x.shape) for x in xs]}; MLX gives {want.dtype}{want.shape}")
    assert name_of(y) == name_of(want), f"{step} of {[name_of(x) for x in xs]}: dtype {y.dtype}, not {want.dtype}"
    assert tuple(y.shape) == tuple(want.shape), f"{step}: shape {y.shape}, not {want.shape}"
    if not want.size or not all(x.size for x in xs) or _free(step, xs):
        return
    if step[0] == "unary" and any(name_of(x) == "float64" for x in xs):
        return  # MLX computes float64 functions in float32; test_elementwise.py compares ours with NumPy
    tol = TOLERANCE.get(name_of(y), 0)
    if any(name_of(x) in ("float16", "bfloat16") for x in xs):
        tol = max(tol, 3e-2 if any(name_of(x) == "bfloat16" for x in xs) else 4e-3)
    g, w = to_numpy(y), to_numpy(want)
    scale = 0.0
    if step[0] in ("reduce", "scan", "matmul", "conv", "softmax") and tol:
        mags = [np.abs(to_numpy(x).astype(np.complex128)) for x in xs if x.size]
        scale = tol * max([float(m.max()) * m.size for m in mags] + [0.0])
        if step[0] == "matmul" or (step[0] == "reduce" and step[2][0] == "var"):
            scale = tol * max([float(m.max()) ** 2 * m.size for m in mags] + [0.0])
    ok = close(g, w, rtol=tol, atol=tol + scale)
    assert ok.all(), f"{step} of {[(name_of(x), x.shape) for x in xs]}: {g[~ok][:4]} not {w[~ok][:4]}; inputs {[to_numpy(x).ravel()[:6] for x in xs]}"


def refused(step: Any, xs: list[Any]) -> bool:
    """What mlx_go refuses on purpose (docs/differences.md)."""
    names = [name_of(x) for x in xs]
    return step[0] == "conv" or (step[0] == "unary" and "complex64" in names) or (step[0] in ("unary", "binary", "binary2", "scalar") and "bool" in names)


@settings(max_examples=settings().max_examples * 20)
@given(rngs, st.integers(3, 25))
def test_programs(r: random.Random, length: int) -> None:
    program = Program(r, length)
    try:
        want = []

        def each(k: int, step: Any, values: dict[int, Any]) -> None:
            mx.eval(values[k])
            if mlx is not None:
                against_oracle(step, [values[i] for i in step[1]], values[k])

        leaves = program.build(mx)
        before = [to_numpy(x).copy() for x in leaves]
        want = program.run(mx, leaves, each)
        for x, b in zip(leaves, before):
            np.testing.assert_array_equal(to_numpy(x), b)
        del leaves
        got = program.run(mx, program.build(mx))
        mx.eval(got)
        for k, (g, w) in enumerate(zip(got, want)):
            assert_bits(g, w, f"lazily, result {k}")
        f = mx.compile(lambda *xs: program.run(mx, list(xs)), shapeless=bool(len(program.steps) % 2))
        for again in range(2):
            for k, (g, w) in enumerate(zip(f(*program.build(mx)), want)):
                assert_bits(g, w, f"compiled, call {again}, result {k}")
    except Exception as e:
        raise AssertionError(f"{e}\n{program!r}") from e


def other_shapes(r: random.Random, leaves: list[Any]) -> list[Any]:
    """The leaves with some places of an axis left out or repeated, all alike or each by itself."""

    def change(a: Any, axis: int, places: list[int]) -> Any:
        if a.ndim <= (axis if axis >= 0 else -axis - 1) or (places and a.shape[axis] <= max(places)):
            return a
        return mx.take(a, mx.array(places, dtype=mx.int32), axis=axis)

    how = lambda: (r.randrange(-3, 3), r.choice([[], [0], [0, 0, 0], [0, 1, 0, 1], [1, 0], [0, 1, 2]]))
    alike = how()
    each = r.random() < 0.5
    return [change(a, *(how() if each else alike)) for a in leaves]


@settings(max_examples=30)
@given(rngs)
def test_compiled_once_for_all_shapes(r: random.Random) -> None:
    """A program that was traced at one shape is at others what it is by itself, errors included."""
    program = Program(r, 12)

    def attempt(f: Any, leaves: list[Any]) -> Any:
        try:
            out = f(*leaves)
            mx.eval(out)
            return out
        except (ValueError, TypeError, IndexError, ZeroDivisionError) as e:
            return e

    plain = lambda *xs: program.run(mx, list(xs))
    compiled = mx.compile(plain, shapeless=True)
    first = program.build(mx)
    for leaves in [first, *(other_shapes(r, first) for _ in range(6)), first]:
        got, want = attempt(compiled, leaves), attempt(plain, leaves)
        shapes = [a.shape for a in leaves]
        if isinstance(want, Exception) or isinstance(got, Exception):
            assert str(got) == str(want), f"at {shapes}: {got!r}, not {want!r}, in {program}"
            continue
        for k, (g, w) in enumerate(zip(got, want)):
            assert_bits(g, w, f"at {shapes}, result {k} of {program}")
