"""mx.distributed on one process, beside the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from oracle import DTYPES, agree, array, mlx, mx, needs_oracle, sample

COLLECTIVES = ("all_sum", "all_max", "all_min", "all_gather", "sum_scatter")
GROUP_OF_ONE = {"split": RuntimeError, "send": ValueError, "recv": ValueError, "recv_like": ValueError}


@needs_oracle
@pytest.mark.parametrize("name", COLLECTIVES)
def test_collectives_of_one_process_are_the_identity(name: str) -> None:
    for dtype in DTYPES:
        for shape in ((), (3,), (2, 0), (4, 2)):
            x = sample(dtype, shape)
            agree(lambda lib: getattr(lib.distributed, name)(array(lib, x, dtype)), what=f"{name} {dtype} {shape}")
    for scalar in (3, 2.5, True):
        agree(lambda lib: getattr(lib.distributed, name)(scalar))
    agree(lambda lib: getattr(lib.distributed, name)(lib.arange(4), group=lib.distributed.init(), stream=lib.cpu))
    agree(lambda lib: lib.grad(lambda x: getattr(lib.distributed, name)(x).square().sum())(lib.arange(4.0)))
    agree(lambda lib: lib.vmap(getattr(lib.distributed, name))(lib.ones((2, 3))))
    agree(lambda lib: getattr(lib.distributed, name)("text"))
    agree(lambda lib: getattr(lib.distributed, name)(lib.arange(4), group=3))


def test_results_are_arrays_of_their_own() -> None:
    x = mx.arange(3)
    y = mx.distributed.all_sum(x)
    y += 1
    assert x.tolist() == [0, 1, 2] and y.tolist() == [1, 2, 3]


@needs_oracle
@pytest.mark.parametrize("backend", ["any", "ring", "mpi", "nccl", "jaccl", "carrier pigeon", ""])
def test_backends(backend: str) -> None:
    agree(lambda lib: lib.distributed.is_available(backend))
    agree(lambda lib: lib.distributed.init(backend=backend).size())


def test_a_group_of_one() -> None:
    group = mx.distributed.init()
    assert (group.rank(), group.size()) == (0, 1) and mx.distributed.init() is group
    assert isinstance(group, mx.distributed.Group)
    x = mx.arange(3.0)
    calls: dict[str, Any] = {
        "split": lambda: group.split(0),
        "send": lambda: mx.distributed.send(x, 0),
        "recv": lambda: mx.distributed.recv((3,), mx.float32, 0),
        "recv_like": lambda: mx.distributed.recv_like(x, 0),
    }
    for name, call in calls.items():
        with pytest.raises(GROUP_OF_ONE[name], match="group of one"):
            call()
    for backend in ("any", "ring"):
        with pytest.raises(RuntimeError, match="no other process"):
            mx.distributed.init(strict=True, backend=backend)
    with pytest.raises(TypeError, match=r"distributed\.init"):
        mx.distributed.Group()
    with pytest.raises(ValueError, match="all_gather_factory"):
        mx.distributed.init(all_gather_factory=lambda rank, size: None)


@needs_oracle
def test_the_oracle_refuses_the_same() -> None:
    group = mlx.distributed.init()
    x = mlx.arange(3.0)
    for name, call in {
        "split": lambda: group.split(0),
        "send": lambda: mlx.distributed.send(x, 0),
        "recv": lambda: mlx.distributed.recv((3,), mlx.float32, 0),
        "recv_like": lambda: mlx.distributed.recv_like(x, 0),
    }.items():
        with pytest.raises(GROUP_OF_ONE[name]):
            call()
