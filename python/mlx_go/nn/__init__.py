"""Neural networks: modules, layers, losses and initializers.

Example:
    >>> import mlx_go.core as mx
    >>> import mlx_go.nn as nn
    >>> model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    >>> def loss(x, y):
    ...     return nn.losses.cross_entropy(model(x), y, reduction="mean")
    >>> step = nn.value_and_grad(model, loss)
    >>> value, grads = step(mx.zeros((2, 4)), mx.array([0, 2]))
"""

from mlx_go.nn import init, layers, losses, utils
from mlx_go.nn.layers import *  # noqa: F403
from mlx_go.nn.layers import (  # noqa: F401
    activations,
    base,
    containers,
    convolution,
    convolution_transpose,
    distributed,
    dropout,
    embedding,
    linear,
    normalization,
    pooling,
    positional_encoding,
    recurrent,
    transformer,
    upsample,
)
from mlx_go.nn.utils import average_gradients, value_and_grad

__all__ = ["average_gradients", "init", "layers", "losses", "utils", "value_and_grad"]
__all__ += layers.__all__
