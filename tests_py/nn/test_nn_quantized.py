"""Quantized layers beside the oracle's: parameters, what may be trained, representations, results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mlx_go.core as mx
import mlx_go.nn as nn
from mlx_go.utils import tree_flatten

mlx_nn = pytest.importorskip("mlx.nn", reason="compares with MLX, whose wheel is not installed")
import mlx.core as mlx
from mlx.utils import tree_flatten as mlx_tree_flatten

LAYERS = [
    "QuantizedLinear(128, 64)",
    "QuantizedLinear(128, 64, False, 32, 8)",
    "QuantizedLinear(128, 64, mode='mxfp4')",
    "QuantizedLinear(128, 64, mode='nvfp4')",
    "QuantizedEmbedding(10, 128)",
    "QuantizedEmbedding(10, 128, bits=8)",
    "QuantizedEmbedding(10, 128, mode='mxfp8')",
    "QQLinear(128, 64)",
    "QQLinear(128, 64, mode='mxfp8')",
    "QQLinear(128, 64).eval()",
    "QuantizedAllToShardedLinear(128, 64)",
    "QuantizedShardedToAllLinear(128, 64, bias=False)",
    "Linear(128, 64).to_quantized()",
    "Linear(128, 64, bias=False).to_quantized(32, 8)",
    "Linear(128, 64).to_quantized(mode='mxfp8')",
    "Linear(128, 64, bias=False).to_quantized(mode='nvfp4', quantize_input=True)",
    "Embedding(10, 128).to_quantized()",
    "QuantizedLinear(128, 64).unfreeze()",
    "QuantizedLinear(128, 64).unfreeze(keys=['bias'])",
    "layers.distributed.shard_linear(nn.QuantizedLinear(128, 64), 'all-to-sharded')",
    "layers.distributed.shard_linear(nn.QuantizedLinear(128, 64, mode='mxfp4'), 'sharded-to-all')",
]


def facts(module: Any, flatten: Any) -> Any:
    name = lambda d: str(d).rpartition(".")[2]
    parameters = [(k, tuple(v.shape), name(v.dtype)) for k, v in flatten(module.parameters())]
    trainable = sorted(k for k, _ in flatten(module.trainable_parameters()))
    how = [getattr(module, a) for a in ("group_size", "bits", "mode", "training")]
    return sorted(parameters), trainable, how, repr(module)


@pytest.mark.parametrize("text", LAYERS)
def test_layers_are_the_oracles(text: str) -> None:
    got, want = (eval(f"nn.{text}", {"nn": lib}) for lib in (nn, mlx_nn))
    assert facts(got, tree_flatten) == facts(want, mlx_tree_flatten)


def test_shared_out_layers_stay_frozen() -> None:
    for lib in (nn, mlx_nn):
        layer = lib.QuantizedAllToShardedLinear(128, 64)
        layer.unfreeze()
        assert not layer.trainable_parameters()


def mapped(f: Any, tree: Any) -> Any:
    return {k: mapped(f, v) if isinstance(v, dict) else f(v) for k, v in tree.items()}


@pytest.mark.parametrize("mode", ["affine", "mxfp4", "mxfp8", "nvfp4"])
def test_results_are_the_oracles(mode: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 128)).astype(np.float32)
    for make in (lambda n: n.Linear(128, 9), lambda n: n.Embedding(9, 128)):
        theirs = make(mlx_nn)
        ours = make(nn)
        ours.update(mapped(lambda v: mx.array(np.array(v)), theirs.parameters()))
        theirs, ours = theirs.to_quantized(mode=mode), ours.to_quantized(mode=mode)
        for (k, a), (l, b) in zip(sorted(tree_flatten(ours.parameters())), sorted(mlx_tree_flatten(theirs.parameters()))):
            assert k == l and np.array_equal(np.array(a), np.array(b)), k
        if isinstance(ours, nn.QuantizedEmbedding):
            ids = [[0, 8], [3, 3]]
            got, want = ours(mx.array(ids)), theirs(mlx.array(ids))
            assert np.array_equal(np.array(got.astype(mx.float32)), np.array(want.astype(mlx.float32)))
            assert str(got.dtype).rpartition(".")[2] == str(want.dtype).rpartition(".")[2]
            got, want = ours.as_linear(mx.array(x)), theirs.as_linear(mlx.array(x))
        else:
            got, want = ours(mx.array(x)), theirs(mlx.array(x))
        assert np.allclose(np.array(got), np.array(want), rtol=1e-5, atol=1e-5)


def test_quantize_replaces_layers() -> None:
    def model(n: Any) -> Any:
        return n.Sequential(n.Linear(64, 128), n.ReLU(), n.Embedding(4, 64), n.Linear(128, 60, bias=False), n.LayerNorm(64))

    linear = lambda n: lambda path, m: isinstance(m, n.Linear)
    for how in [
        lambda n: {},
        lambda n: {"group_size": 32, "bits": 8},
        lambda n: {"mode": "mxfp4"},
        lambda n: {"class_predicate": linear(n)},
        lambda n: {"class_predicate": lambda path, m: path == "layers.3"},
        lambda n: {"class_predicate": lambda path, m: linear(n)(path, m) and {"bits": 8, "group_size": 32}, "bits": 2},
        lambda n: {"mode": "nvfp4", "quantize_input": True, "class_predicate": lambda path, m: path == "layers.3"},
        lambda n: {"class_predicate": lambda path, m: None},
    ]:
        pair = []
        for lib in (nn, mlx_nn):
            m = model(lib)
            assert lib.quantize(m, **how(lib)) is None
            pair.append(repr(m))
        assert pair[0] == pair[1]
    for how in [
        {"class_predicate": lambda path, m: True},
        {"class_predicate": lambda path, m: "yes"},
        {"quantize_input": True, "mode": "affine"},
        {"bits": 7},
        {"group_size": 128},
    ]:
        for lib in (nn, mlx_nn):
            with pytest.raises(ValueError):
                lib.quantize(model(lib), **how)
    for lib in (nn, mlx_nn):
        with pytest.raises(NotImplementedError):
            lib.Linear(64, 64).to_quantized(mode="nvfp4", quantize_input=True)


def test_a_linear_map_of_quantized_factors_is_trained_and_evaluated() -> None:
    layer, x = nn.QQLinear(64, 8, mode="mxfp8"), mx.random.normal((4, 64))
    y = layer(x)
    loss = lambda m: (m(x) ** 2).mean()
    before, grads = nn.value_and_grad(layer, loss)(layer)
    assert mx.abs(grads["weight"]).max().item() > 0
    layer.eval()
    assert mx.allclose(layer(x), y, atol=1e-4).item() and layer.weight.dtype == mx.uint32
    layer.eval().train()
    assert layer.weight.dtype == mx.float32 and mx.allclose(layer(x), y, atol=1e-4).item()
    layer.weight = layer.weight - 0.3 * grads["weight"]
    assert loss(layer).item() < before.item()


def test_biases_and_low_rank_updates_of_quantized_layers_are_trained() -> None:
    """Gradients go through the product to what stands before it, as LoRA needs, compiled or not."""
    base = nn.QuantizedLinear(64, 16)
    down, up = mx.random.normal((64, 2)) * 0.1, mx.zeros((2, 16))
    x, target = mx.random.normal((8, 64)), mx.random.normal((8, 16))

    def loss(down: Any, up: Any) -> Any:
        return ((base(x + 0.1 * (x @ down) @ down.T) + (x @ down) @ up - target) ** 2).mean()

    step = mx.compile(mx.value_and_grad(loss, argnums=(0, 1)))
    first = loss(down, up).item()
    for _ in range(20):
        _, (gd, gu) = step(down, up)
        down, up = down - 0.05 * gd, up - 0.05 * gu
    assert loss(down, up).item() < first
