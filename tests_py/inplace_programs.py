"""Random programs with in-place updates, run in two ways: on arrays that are updated, and on cells whose arrays are not.

A program is a list of statements over variables. The arguments are ``a`` (an array), ``tree`` (a dict with arrays, a list and
a named tuple in it) and ``k`` (by keyword); ``state`` is captured. Updating an array moves every name of it. The second
way writes that down with cells, whose values are replaced, and with masks in place of indexed assignment.
"""

from __future__ import annotations

import operator
import random
from collections import namedtuple
from typing import Any

import numpy as np

import mlx_go.core as mx

Pair = namedtuple("Pair", "left right")

UNARY = [mx.sin, mx.tanh, mx.cos, lambda x: x * 0.5, lambda x: x * x * 0.3, mx.sigmoid, lambda x: x.T.T]
BINARY = [operator.add, operator.sub, operator.mul]
INPLACE = [operator.iadd, operator.isub, operator.imul]
NUMBERS = [0.5, -1.5, 2.0]
TRANSFORMS = ["checkpoint", "compile", "shapeless", "grad", "vmap", "jvp", "vjp"]


class Cell:
    def __init__(self, value: mx.array) -> None:
        self.value = value


def make_statement(r: random.Random, depth: int) -> tuple[Any, ...]:
    u, v = r.randrange(1 << 16), r.randrange(1 << 16)
    kind = r.choice(
        ["new", "new", "inplace", "inplace", "inplace", "set", "set", "update", "alias", "store", "number", "where"]
        + (["call"] * 2 if depth else [])
    )
    if kind == "call":
        return ("call", u, r.choice(TRANSFORMS), make_program(r, depth - 1, 4), r.randrange(1 << 16))
    return (kind, u, v, r.randrange(1 << 16), r.random())


def make_program(r: random.Random, depth: int, most: int) -> list[tuple[Any, ...]]:
    return [make_statement(r, depth) for _ in range(r.randint(1, most))]


def index_of(number: int, shape: tuple[int, ...]) -> Any:
    """One of the indices that fit the shape."""
    r = random.Random(number)
    if not shape or r.random() < 0.15:
        return Ellipsis
    n = shape[0]
    last = r.randrange(shape[-1])
    return r.choice(
        [
            r.randrange(-n, n),
            slice(r.randrange(n), None),
            slice(None, None, 2),
            slice(None, None, -1),
            r.sample(range(n), r.randint(1, n)),
            (Ellipsis, last),
            (Ellipsis, None, slice(0, last + 1)),
            np.array([r.random() < 0.5 for _ in range(int(np.prod(shape)))]).reshape(shape),
        ]
    )


class Run:
    """One run of a program; ``cells`` says which way."""

    def __init__(self, cells: bool) -> None:
        self.cells = cells
        self.names: list[Any] = []

    def value(self, x: Any) -> mx.array:
        return x.value if isinstance(x, Cell) else x

    def wrap(self, x: mx.array) -> Any:
        return Cell(x) if self.cells else x

    def pick(self, number: int) -> Any:
        return self.names[number % len(self.names)]

    def update(self, x: Any, op: Any, other: mx.array) -> Any:
        """``x op= other``; where the result would not have x's shape, the other is summed first."""
        have = self.value(x)
        if np.broadcast_shapes(have.shape, other.shape) != have.shape:
            other = other.sum()
        if not self.cells:
            return op(x, other)
        x.value = {operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul}[op](
            have, other
        )
        return x

    def assign(self, x: Any, index: Any, value: Any) -> None:
        """``x[index] = value``, where the value is a number or an array that is summed if it does not fit."""
        have = self.value(x)
        places = np.arange(have.size).reshape(have.shape)[index]
        if isinstance(value, mx.array):
            try:
                fits = np.broadcast_shapes(places.shape, value.shape) == places.shape and not isinstance(
                    index, np.ndarray
                )
            except ValueError:
                fits = False
            value = value if fits else value.sum()
        if not self.cells:
            x[mx.array(index) if isinstance(index, (np.ndarray, list)) else index] = value
            return
        mask, source = np.zeros(have.size, bool), np.zeros(have.size, np.int32)
        mask[places.reshape(-1)] = True
        source[places.reshape(-1)] = np.arange(places.size)
        if places.size == 0:
            return
        full = mx.broadcast_to(mx.array(value, have.dtype) if isinstance(value, float) else value, places.shape)
        full = mx.take(full.reshape(-1), mx.array(source)).reshape(have.shape)
        x.value = mx.where(mx.array(mask).reshape(have.shape), full, have)

    def step(self, statement: tuple[Any, ...], box: dict) -> None:
        kind, u = statement[0], self.pick(statement[1])
        if kind == "call":
            _, _, name, body, seed = statement
            self.names.append(self.wrap(self.call(name, body, self.value(u), seed)))
            return
        _, _, v, number, real = statement
        other = self.pick(v)
        if kind == "new":
            out = UNARY[number % len(UNARY)](self.value(u))
            self.names.append(self.wrap(mx.tanh(BINARY[v % 3](out, self.value(other))) if real < 0.5 else out))
        elif kind == "alias":
            self.names.append(u)
        elif kind == "inplace":
            self.update(u, INPLACE[number % 3], mx.sin(self.value(other)) if real < 0.5 else self.value(other))
        elif kind == "number":
            self.update(u, INPLACE[number % 3], mx.array(NUMBERS[v % 3], self.value(u).dtype))
        elif kind == "set":
            index = index_of(number, self.value(u).shape)
            self.assign(u, index, NUMBERS[v % 3] if real < 0.4 else self.value(other) * 1)
        elif kind == "update":
            self.part(u, index_of(number, self.value(u).shape), INPLACE[number % 3], real)
        elif kind == "where":
            self.threshold(u, NUMBERS[v % 3], real)
        elif kind == "store":
            self.store(box, u, other, number)

    def part(self, x: Any, index: Any, op: Any, number: float) -> None:
        """``x[index] op= number``."""
        if not self.cells:
            index = mx.array(index) if isinstance(index, (np.ndarray, list)) else index
            if isinstance(index, mx.array) and index.dtype == mx.bool_:
                x[index] = number
            elif op is operator.iadd:
                x[index] += number
            elif op is operator.isub:
                x[index] -= number
            else:
                x[index] *= number
            return
        have = self.value(x)
        places = np.arange(have.size).reshape(have.shape)[index]
        if isinstance(index, np.ndarray):
            return self.assign(x, index, number)
        plain = {operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul}[op]
        self.assign(x, index, plain(mx.take(have.reshape(-1), mx.array(places.astype(np.int32))), number))

    def threshold(self, x: Any, number: float, real: float) -> None:
        """Assignment where a condition on the values holds."""
        have = self.value(x)
        limit = mx.sin(have * 7) > real
        if self.cells:
            x.value = mx.where(limit, mx.array(number, have.dtype), have)
        else:
            x[limit] = number

    def store(self, box: dict, u: Any, other: Any, number: int) -> None:
        if number % 4 == 0:
            box["w"] = u
        elif number % 4 == 1:
            box["list"].append(u)
        elif number % 4 == 2:
            box["list"][0] = other
        else:
            box["list"][-1] = self.update(box["list"][-1], INPLACE[number % 3], self.value(u))
        self.names.append(box["w"])

    def call(self, name: str, body: list, x: mx.array, seed: int) -> mx.array:
        """A nested transform of another program of one array, which may update its argument."""

        def inner(y):
            run = Run(self.cells)
            run.names = [run.wrap(y)]
            for s in body:
                run.step(s, {"w": run.names[0], "list": [run.names[0]]})
            return mx.tanh(sum(run.value(n).sum() for n in run.names)) + 0 * run.value(run.names[0]).sum()

        ones = mx.ones(x.shape, x.dtype)
        if name == "checkpoint":
            return mx.checkpoint(inner)(x)
        if name in ("compile", "shapeless"):
            f = mx.compile(inner, shapeless=name == "shapeless")
            return f(x) + f(x * 0.5)
        if name == "grad":
            return mx.grad(inner)(x)
        if name == "jvp":
            return mx.jvp(inner, [x], [ones * 0.7])[1][0]
        if name == "vjp":
            return mx.vjp(inner, [x], [mx.array(1.5, x.dtype)])[1][0]
        return mx.vmap(inner)(mx.stack([x, x * 0.5])).sum() if seed % 2 or not x.ndim else mx.vmap(inner)(x).sum()


def run_program(program: list, cells: bool, a: Any, tree: dict, k: Any, state: dict) -> mx.array:
    """A scalar that depends on all that the program computed and left in the tree and the state."""
    run = Run(cells)
    if cells:
        tree = {
            "w": Cell(tree["w"]),
            "list": [Cell(x) for x in tree["list"]],
            "pair": Pair(*map(Cell, tree["pair"])),
        }
        held = {"s": Cell(state["s"])}
        a, k = Cell(a), Cell(k)
    else:
        held = state
    run.names = [a, k, tree["w"], *tree["list"], *tree["pair"], held["s"]]
    for s in program:
        run.step(s, tree)
    if cells:
        state["s"] = held["s"].value
    everything = [*run.names, tree["w"], *tree["list"], *tree["pair"]]
    weights = [np.cos(i + 1.0) for i in range(len(everything))]
    return sum(mx.sin(run.value(x)).sum() * float(w) for x, w in zip(everything, weights))
