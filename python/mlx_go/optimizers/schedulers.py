"""Learning-rate schedules: functions from the number of steps taken to a value.

A schedule can be given to an optimizer wherever it takes a learning rate. The step
may be an int or an integer array.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mlx_go.core as mx

Schedule = Callable[[Any], Any]


def _check_positive(value: int, name: str) -> None:
    if value <= 0:
        raise ValueError(f"{name} must be greater than 0, but got {value}.")


def exponential_decay(init: float, decay_rate: float) -> Schedule:
    """Multiply by ``decay_rate`` every step: ``init * decay_rate ** step``.

    Args:
        init: The initial value.
        decay_rate: The factor.

    Example:
        >>> optim.exponential_decay(0.5, 0.5)(mx.array(2))
        array(0.125, dtype=float32)
    """

    def schedule(step: Any) -> Any:
        return init * decay_rate**step

    return schedule


def step_decay(init: float, decay_rate: float, step_size: int) -> Schedule:
    """Multiply by ``decay_rate`` every ``step_size`` steps.

    Args:
        init: The initial value.
        decay_rate: The factor.
        step_size: The number of steps between two changes.

    Example:
        >>> optim.step_decay(0.5, 0.5, 10)(mx.array(19))
        array(0.25, dtype=float32)
    """
    _check_positive(step_size, "step_size")

    def schedule(step: Any) -> Any:
        return init * decay_rate ** (step // step_size)

    return schedule


def cosine_decay(init: float, decay_steps: int, end: float = 0.0) -> Schedule:
    """Fall from ``init`` to ``end`` along half a cosine (arXiv:1608.03983), then stay.

    Args:
        init: The initial value.
        decay_steps: The number of steps of the fall.
        end: The final value.

    Example:
        >>> optim.cosine_decay(0.5, 10)(mx.array(5))
        array(0.25, dtype=float32)
    """
    _check_positive(decay_steps, "decay_steps")

    def schedule(step: Any) -> mx.array:
        done = mx.minimum(step, decay_steps)
        share = 0.5 * (1.0 + mx.cos((math.pi / decay_steps) * done))
        return end + share * (init - end)

    return schedule


def linear_schedule(init: float, end: float, steps: int) -> Schedule:
    """Go from ``init`` to ``end`` in ``steps`` equal steps, then stay: e.g. a warm-up.

    Args:
        init: The initial value.
        end: The final value.
        steps: The number of steps.

    Example:
        >>> optim.linear_schedule(0.0, 1.0, 10)(mx.array(5))
        array(0.5, dtype=float32)
    """
    _check_positive(steps, "steps")

    def schedule(step: Any) -> mx.array:
        return mx.minimum(step, steps) * ((end - init) / steps) + init

    return schedule


def join_schedules(schedules: list[Schedule], boundaries: list[int]) -> Schedule:
    """Run schedules one after the other, each counting its steps from its own start.

    Args:
        schedules: The schedules, at least one.
        boundaries: The steps at which the second, third, ... schedule takes over.

    Example:
        >>> warmup = optim.linear_schedule(0.0, 1.0, 10)
        >>> schedule = optim.join_schedules([warmup, optim.cosine_decay(1.0, 100)], [10])
        >>> schedule(mx.array(10))
        array(1, dtype=float32)
    """
    if not schedules:
        raise ValueError("Must provide at least 1 schedule to join.")
    if len(schedules) != len(boundaries) + 1:
        raise ValueError(f"Received {len(boundaries)} boundaries but expected {len(schedules) - 1}.")

    def schedule(step: Any) -> Any:
        value = schedules[0](step)
        for boundary, following in zip(boundaries, schedules[1:]):
            # The count of a schedule that has not begun is 0: step is unsigned.
            begun = mx.maximum(step, boundary) - boundary
            value = mx.where(step < boundary, value, following(begun))
        return value

    return schedule
