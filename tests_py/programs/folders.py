"""Makes the folder of a model as Hugging Face has it, from nothing: configuration, weights, tokenizer, texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from architectures import ARCHITECTURES

WORDS = "the a small large red green old new cat dog bird fish sees hears finds likes under over and but".split()
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}</s>{% endfor %}<assistant>"


def sentences(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(6, 14))) for _ in range(count)]


def make_tokenizer(folder: Path) -> int:
    """Train a byte-level BPE on a few sentences; gives the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences(50, 0), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
        "chat_template": TEMPLATE,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer.get_vocab_size()


def make_model(folder: Path, name: str = "llama", seed: int = 0, **changes: Any) -> None:
    """Weights in float32, the head tied to the embeddings, as mlx-lm's own llama has them."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    size = make_tokenizer(folder)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    tied = {"vocab_size": size, "tie_word_embeddings": True, "eos_token_id": 1}
    config = ARCHITECTURES[name] | heads | tied | changes
    (folder / "config.json").write_text(json.dumps(config))
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    keys = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, scale: float = 1.0) -> np.ndarray:
        return (rng.standard_normal((rows, columns)) * scale / np.sqrt(columns)).astype(np.float32)

    weights = {"model.embed_tokens.weight": matrix(size, hidden), "model.norm.weight": np.ones(hidden, np.float32)}
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        for part, rows, columns in (
            ("self_attn.q_proj", hidden, hidden), ("self_attn.k_proj", keys, hidden),
            ("self_attn.v_proj", keys, hidden), ("self_attn.o_proj", hidden, hidden),
            ("mlp.gate_proj", inner, hidden), ("mlp.up_proj", inner, hidden), ("mlp.down_proj", hidden, inner),
        ):  # fmt: skip
            weights[f"{at}{part}.weight"] = matrix(rows, columns)
        for part in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{at}{part}.weight"] = rng.uniform(0.8, 1.2, hidden).astype(np.float32)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def make_texts(folder: Path) -> None:
    """Training, validation and test texts for fine-tuning."""
    folder.mkdir(parents=True)
    for name, count, seed in (("train", 32, 1), ("valid", 8, 2), ("test", 8, 3)):
        lines = [json.dumps({"text": s}) for s in sentences(count, seed)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def make_all(folder: Path) -> None:
    make_model(folder / "model")
    make_model(folder / "draft", seed=0, num_hidden_layers=1)
    make_texts(folder / "texts")
