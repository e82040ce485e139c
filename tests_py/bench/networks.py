"""The same small network on the same digits in each library: 64-256-256-10, ReLU, AdamW, batches of 64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

DESCRIPTION = "MLP 64-256-256-10, AdamW, batches of 64"
BATCH, RATE, HIDDEN = 64, 1e-3, 256


def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.data / 16).astype(np.float32), data.target.astype(np.int32)


def batches(n: int) -> list[slice]:
    return [slice(i, min(i + BATCH, n)) for i in range(0, n, BATCH)]


def arrays_and_layers(core: Any, nn: Any, optim: Any, x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    """mlx_go and MLX, which share one interface."""
    core.random.seed(0)
    model = nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    optimizer = optim.AdamW(RATE)
    step = nn.value_and_grad(model, lambda m, a, b: nn.losses.cross_entropy(m(a), b, reduction="mean"))
    data, target, parts = core.array(x), core.array(y), batches(len(x))

    def epoch() -> Any:
        for part in parts:
            loss, gradients = step(model, data[part], target[part])
            optimizer.update(model, gradients)
            core.eval(model.parameters(), optimizer.state, loss)
        return loss.item()

    return epoch


def in_mlx_go(x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    import mlx_go.core as core
    import mlx_go.nn as nn
    import mlx_go.optimizers as optim

    return arrays_and_layers(core, nn, optim, x, y)


def in_mlx(x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    import mlx.core as core
    import mlx.nn as nn
    import mlx.optimizers as optim

    return arrays_and_layers(core, nn, optim, x, y)


def in_torch(x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    optimizer = torch.optim.AdamW(model.parameters(), RATE)
    data, target, parts = torch.from_numpy(x), torch.from_numpy(y).long(), batches(len(x))

    def epoch() -> Any:
        for part in parts:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(data[part]), target[part])
            loss.backward()
            optimizer.step()
        return loss.item()

    return epoch


EPOCHS = {"mlx_go": in_mlx_go, "MLX": in_mlx, "PyTorch": in_torch}
