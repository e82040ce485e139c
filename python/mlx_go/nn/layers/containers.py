"""Containers of modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlx_go.nn.layers.base import Module


class Sequential(Module):
    """Calls modules, or plain functions, one after the other.

    Args:
        modules: What to call, in order; kept in the list ``layers``.

    Example:
        >>> nn.Sequential(nn.Linear(2, 3), nn.relu)(mx.zeros((1, 2))).shape
        (1, 3)
    """

    def __init__(self, *modules: Callable) -> None:
        super().__init__()
        self.layers = list(modules)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x
