"""Runs small models of mlx-lm with MLX or with mlx_go in its place: ``models.py mlx|mlx_go FOLDER KIND,... NAME ...``.

Leaves FOLDER/NAME-KIND.npz, or FOLDER/NAME-KIND.txt with what it raised. The kind is ``greedy``, the tokens and
log-probabilities of a generation in float32, or a dtype with or without bits for the weights (``bfloat16``,
``4bit-float32``): the logits along a given text. Weights are NumPy's and the same for both libraries.
"""

from __future__ import annotations

import math
import sys
import traceback
from pathlib import Path
from typing import Any

LIBRARY = sys.argv[1] if __name__ == "__main__" else "mlx_go"
if LIBRARY == "mlx_go":
    import mlx_go

    mlx_go.install_as_mlx()

sys.path.insert(0, str(Path(__file__).parent))

import mlx.core as mx
import numpy as np
from architectures import ARCHITECTURES, VOCABULARY
from mlx.utils import tree_flatten
from mlx_lm.utils import _get_classes, quantize_model

PROMPT, GENERATED, FORCED = 24, 64, 12


def weight(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Random weights of the size that trained ones have, so that nothing saturates."""
    leaf = name.rpartition(".")[2]
    normal = rng.standard_normal(shape).astype(np.float32)
    if leaf == "A_log":
        return np.log(rng.uniform(1, 8, shape)).astype(np.float32)
    if leaf in ("dt_bias", "D"):
        return rng.uniform(0.1, 1, shape).astype(np.float32)
    if "embed" in name or "wte" in name or "wpe" in name:
        return normal * np.float32(0.1)  # with tied heads, larger ones give the token before again
    if len(shape) < 2:
        return (0.1 * normal + ("norm" in name or "ln" in name) * (leaf == "weight")).astype(np.float32)
    fan_in = math.prod(shape[1:]) if "conv" in name else shape[-1]
    return normal / np.float32(math.sqrt(fan_in))


def build(name: str) -> tuple[Any, dict[str, Any]]:
    config = ARCHITECTURES[name]
    model_class, args_class = _get_classes(config)
    model = model_class(args_class.from_dict(config))
    rng = np.random.default_rng(sum(name.encode()))
    parameters = sorted(tree_flatten(model.parameters()))
    model.load_weights([(k, mx.array(weight(k, tuple(v.shape), rng)).astype(v.dtype)) for k, v in parameters])
    model.eval()
    return model, config


def text(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, VOCABULARY, count)


def greedy(model: Any) -> dict[str, np.ndarray]:
    from mlx_lm.generate import generate_step

    tokens, scores = [], []
    for token, logprobs in generate_step(mx.array(text(PROMPT)), model, max_tokens=GENERATED, prefill_step_size=10):
        tokens.append(int(token))
        scores.append(np.array(logprobs.astype(mx.float32)))
    return {"tokens": np.array(tokens), "scores": np.stack(scores)}


def forced(model: Any) -> dict[str, np.ndarray]:
    """Logits along a given text: whatever rounding does, both libraries read the same tokens."""
    cache = model.make_cache() if hasattr(model, "make_cache") else None
    if cache is None:
        from mlx_lm.models.cache import make_prompt_cache

        cache = make_prompt_cache(model)
    ids = text(PROMPT + FORCED, seed=1)
    pieces = [ids[:PROMPT], *([i] for i in ids[PROMPT:])]
    logits = [model(mx.array([list(map(int, piece))]), cache=cache)[0, -1] for piece in pieces]
    return {"scores": np.stack([np.array(row.astype(mx.float32)) for row in logits])}


def run(name: str, kind: str) -> dict[str, np.ndarray]:
    model, config = build(name)
    if kind == "greedy":
        return greedy(model)
    bits, _, dtype = kind.rpartition("bit-")
    if bits:  # quantized from bfloat16 always, so that the packed weights are the same for all dtypes
        model.set_dtype(mx.bfloat16)
        model, _ = quantize_model(model, config, 32, int(bits))
    model.set_dtype(getattr(mx, dtype))
    return forced(model)


def main() -> None:
    out, kinds, names = Path(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:]
    for kind in kinds:
        for name in names:
            try:
                np.savez(out / f"{name}-{kind}.npz", **run(name, kind))
            except Exception:
                (out / f"{name}-{kind}.txt").write_text(traceback.format_exc())


if __name__ == "__main__":
    main()
