"""Optimizers and learning-rate schedules.

Example:
    >>> import mlx_go.optimizers as optim
    >>> optimizer = optim.AdamW(learning_rate=optim.cosine_decay(1e-3, 1000))
"""

from mlx_go.nn.layers.base import Module  # noqa: F401
from mlx_go.optimizers import optimizers, schedulers
from mlx_go.optimizers.base import MultiOptimizer, Optimizer, clip_grad_norm
from mlx_go.optimizers.optimizers import (
    SGD,
    AdaDelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Muon,
    RMSprop,
)
from mlx_go.optimizers.schedulers import (
    cosine_decay,
    exponential_decay,
    join_schedules,
    linear_schedule,
    step_decay,
)
from mlx_go.utils import tree_flatten, tree_map, tree_merge, tree_reduce, tree_unflatten  # noqa: F401

__all__ = [
    "SGD",
    "AdaDelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "MultiOptimizer",
    "Muon",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
    "cosine_decay",
    "exponential_decay",
    "join_schedules",
    "linear_schedule",
    "optimizers",
    "schedulers",
    "step_decay",
]
