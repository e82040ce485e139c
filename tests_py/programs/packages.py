"""Runs small uses of packages written for MLX: ``packages.py mlx|mlx_go OUT``; leaves OUT/NAME.npz, or OUT/NAME.txt."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

if sys.argv[1] == "mlx_go":
    import mlx_go

    mlx_go.install_as_mlx()

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten

USES: dict[str, Callable[[], dict[str, Any]]] = {}


def use(f: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    USES[f.__name__] = f
    return f


def random(*shape: int, seed: int = 0) -> mx.array:
    return mx.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def filled(model: nn.Module) -> nn.Module:
    """The model with random weights that are NumPy's."""
    rng = np.random.default_rng(1)
    found = []
    for name, a in sorted(tree_flatten(model.parameters())):
        values = rng.standard_normal(a.shape).astype(np.float32) / np.sqrt(max(a.size / max(a.shape[0], 1), 1))
        if "var" in name or "norm" in name:
            values = np.abs(values) + 0.5
        found.append((name, mx.array(values).astype(a.dtype)))
    model.load_weights(found)
    model.eval()
    return model


def numbers(a: mx.array) -> np.ndarray:
    return np.array(a.astype(mx.float32))


@use
def mlx_optimizers() -> dict[str, Any]:
    import mlx_optimizers as optimizers

    x, y = random(32, 8), random(32, 4, seed=2)
    found = {}
    for name in ("ADOPT", "DiffGrad", "Lamb", "MADGRAD", "MARS", "Muon", "QHAdam"):
        model = filled(nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 4)))
        optimizer = getattr(optimizers, name)(learning_rate=1e-2)
        step = nn.value_and_grad(model, lambda m, x, y: nn.losses.mse_loss(m(x), y))
        losses = []
        for _ in range(8):
            loss, grads = step(model, x, y)
            optimizer.update(model, grads)
            losses.append(loss.item())
        found[name] = np.array(losses)
    return found


@use
def mlx_image() -> dict[str, Any]:
    from mlxim.model import create_model

    return {
        name: numbers(filled(create_model(name, weights=False, num_classes=10))(random(1, 64, 64, 3)))
        for name in ("resnet18", "mobilenet_v3_small", "efficientnet_b0")
    }


@use
def mlx_graphs() -> dict[str, Any]:
    from mlx_graphs import nn as graphs

    rng = np.random.default_rng(3)
    edges, nodes = mx.array(rng.integers(0, 20, (2, 60))), random(20, 8)
    layers = {
        "gcn": graphs.GCNConv(8, 6), "gat": graphs.GATConv(8, 6, heads=2), "gatv2": graphs.GATv2Conv(8, 6, heads=2),
        "sage": graphs.SAGEConv(8, 6), "gin": graphs.GINConv(mlp=nn.Linear(8, 6)),
    }  # fmt: skip
    return {name: numbers(filled(layer)(edges, nodes)) for name, layer in layers.items()}


@use
def mlx_embeddings() -> dict[str, Any]:
    from mlx_embeddings.models import bert, xlm_roberta

    tokens, mask = mx.array([[3, 5, 7, 9, 11], [4, 6, 8, 0, 0]]), mx.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    found = {}
    for module in (bert, xlm_roberta):
        name = module.__name__.rpartition(".")[2]
        config = module.ModelArgs(
            model_type=name, hidden_size=32, num_hidden_layers=2, intermediate_size=64, num_attention_heads=4,
            max_position_embeddings=32, vocab_size=50,
        )  # fmt: skip
        found[name] = numbers(filled(module.Model(config))(tokens, attention_mask=mask).text_embeds)
    return found


@use
def mlx_transformers() -> dict[str, Any]:
    from mlx_transformers.models import BertModel
    from transformers import BertConfig

    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=32,
    )  # fmt: skip
    out = filled(BertModel(config))(mx.array([[3, 5, 7, 9]]), attention_mask=mx.ones((1, 4), mx.int32))
    return {"states": numbers(out.last_hidden_state)}


@use
def mlx_vlm() -> dict[str, Any]:
    """A vision-language model: an image's features take the place of its tokens."""
    from mlx_vlm.models import llava

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, "num_attention_heads": 4}
    text = llava.TextConfig("llama", vocab_size=60, num_key_value_heads=2, **sizes)
    vision = llava.VisionConfig("clip_vision_model", image_size=28, patch_size=14, **sizes)
    model = filled(llava.Model(llava.ModelConfig(text, vision, "llava", image_token_index=59, vocab_size=60)))
    tokens = mx.array([[3, 59, 59, 59, 59, 7, 9]])
    out = model(tokens, random(1, 3, 28, 28), mx.ones(tokens.shape, mx.int32))
    return {"logits": numbers(getattr(out, "logits", out))}


@use
def mlx_bessel() -> dict[str, Any]:
    from mlx_bessel import BesselTable

    table = BesselTable([2, 5, 10], x_max=200.0, verbose=False)
    x = mx.array(np.linspace(1, 150, 64).astype(np.float32))
    return {"values": np.stack([np.array(a) for a in table.eval_jl_jlp(x)])}


@use
def mlx_vis() -> dict[str, Any]:
    """Neighbors of points; its maps of them in the plane let rounding decide which neighbors pull first."""
    from mlx_vis import NNDescent

    points = np.random.default_rng(5).standard_normal((120, 8)).astype(np.float32)
    neighbors, distances = NNDescent(k=5, random_state=1).build(points)
    return {"neighbors": np.array(neighbors), "distances": np.array(distances)}


@use
def mlx_arsenal() -> dict[str, Any]:
    from mlx_arsenal import conv, ffn, norm, rope, spatial

    x, image = random(2, 6, 16), random(1, 8, 8, 4, seed=4)
    cos, sin = rope.rope_frequencies_1d(16, mx.arange(6))
    volume = random(1, 4, 6, 6, 3, seed=5)
    return {
        "swiglu": numbers(filled(ffn.SwiGLU(16))(x)), "norm": numbers(filled(norm.ScaleNorm(16))(x)),
        "rope": numbers(rope.apply_rotary_emb(x[:, :, None], cos, sin, seq_axis=1)),
        "shuffle": numbers(spatial.pixel_shuffle(image, 2)), "bilinear": numbers(spatial.upsample_bilinear(image, 2)),
        "patches": numbers(filled(spatial.PatchEmbed2d(4, 8, 4))(image)),
        "convolution": numbers(filled(conv.CausalConv3d(3, 5, 3, pad_mode="replicate"))(volume)),
    }  # fmt: skip


def main() -> None:
    out = Path(sys.argv[2])
    for name in sys.argv[3:] or USES:
        try:
            np.savez(out / f"{name}.npz", **USES[name]())
        except BaseException:
            (out / f"{name}.txt").write_text(traceback.format_exc())


if __name__ == "__main__":
    main()
