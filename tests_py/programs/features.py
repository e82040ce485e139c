"""Runs what mlx-lm offers around its models: ``features.py mlx|mlx_go FOLDER OUT [NAME ...]``.

FOLDER is made by folders.make_all. Each feature leaves OUT/NAME.npz, or OUT/NAME.txt with what it raised. Command
lines are those of ``python -m mlx_lm``, called in this process.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import re
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

if sys.argv[1] == "mlx_go":
    import mlx_go

    mlx_go.install_as_mlx()

import mlx.core as mx
import mlx_lm
import numpy as np
from mlx_lm.generate import generate_step, speculative_generate_step
from mlx_lm.models import cache as caches
from mlx_lm.sample_utils import make_logits_processors, make_sampler

SOURCE, OUT = Path(sys.argv[2]), Path(sys.argv[3])
PROMPT = "the small cat sees a red bird and the old dog hears it under the large green fish"
Result = dict[str, Any]
FEATURES: dict[str, Callable[[], Result]] = {}


def feature(f: Callable[[], Result]) -> Callable[[], Result]:
    FEATURES[f.__name__] = f
    return f


def loaded(name: str = "model") -> Any:
    model, tokenizer = mlx_lm.load(str(SOURCE / name))
    return model, tokenizer


def prompt(tokenizer: Any) -> Any:
    return mx.array(tokenizer.encode(PROMPT))


def steps(model: Any, tokens: Any, count: int = 40, **options: Any) -> Result:
    out = list(generate_step(tokens, model, max_tokens=count, **options))
    return {
        "tokens": [int(t) for t, _ in out],
        "scores": np.stack([np.array(s.astype(mx.float32)) for _, s in out]),
    }


def command(name: str, *arguments: object) -> str:
    """What a command line prints."""
    module, before, printed = importlib.import_module(f"mlx_lm.{name}"), sys.argv, io.StringIO()
    sys.argv = [f"mlx_lm.{name}", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(printed):
            module.main()
    finally:
        sys.argv = before
    return printed.getvalue()


def weights(folder: Path) -> Result:
    """The arrays of a folder's safetensors files, halves as float32."""
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, a in sorted(mx.load(str(file)).items()):
            found[name] = np.array(a.astype(mx.float32) if a.dtype in (mx.bfloat16, mx.float16) else a)
    return found


# ---- caches of prompts ----


@feature
def plain_cache() -> Result:
    """A second question to the cache of the first."""
    model, tokenizer = loaded()
    cache = caches.make_prompt_cache(model)
    first = steps(model, prompt(tokenizer), 10, prompt_cache=cache)
    second = steps(model, mx.array(tokenizer.encode(" and a new fish")), 20, prompt_cache=cache, prefill_step_size=2)
    trimmed = caches.trim_prompt_cache(cache, 5)
    third = steps(model, mx.array(tokenizer.encode(" but")), 10, prompt_cache=cache)
    return second | {"first": first["tokens"], "third": third["tokens"], "trimmed": trimmed, "offset": cache[0].offset}


@feature
def rotating_cache() -> Result:
    model, tokenizer = loaded()
    return steps(model, prompt(tokenizer), 60, max_kv_size=16, prefill_step_size=8)


@feature
def quantized_cache() -> Result:
    model, tokenizer = loaded()
    return steps(model, prompt(tokenizer), kv_bits=8, kv_group_size=32, quantized_kv_start=20)


@feature
def saved_cache() -> Result:
    """Saved and loaded in the middle of a generation, which goes on as if it had not been."""
    model, tokenizer = loaded()
    whole = steps(model, prompt(tokenizer), 30)
    cache = caches.make_prompt_cache(model)
    first = steps(model, prompt(tokenizer), 10, prompt_cache=cache)
    caches.trim_prompt_cache(cache, cache[0].offset - prompt(tokenizer).size - 9)  # a step may have run ahead
    caches.save_prompt_cache(str(OUT / "cache.safetensors"), cache, {"of": "the test"})
    again, metadata = caches.load_prompt_cache(str(OUT / "cache.safetensors"), return_metadata=True)
    second = steps(model, mx.array(first["tokens"][-1:]), 20, prompt_cache=again)
    assert first["tokens"] + second["tokens"] == whole["tokens"], f"a loaded cache gives {second}, not {whole}"
    return second | {"of": metadata["of"]} | {f"saved.{k}": v for k, v in saved_arrays().items()}


def saved_arrays() -> Result:
    return {k: np.array(v) for k, v in sorted(mx.load(str(OUT / "cache.safetensors")).items())}


# ---- ways to generate ----


@feature
def batch() -> Result:
    model, tokenizer = loaded()
    prompts = [tokenizer.encode(PROMPT[:n]) for n in (20, 60, 40, 81)]
    out = mlx_lm.batch_generate(model, tokenizer, prompts, max_tokens=[20, 12, 30, 16])
    single = [mlx_lm.generate(model, tokenizer, p, max_tokens=n) for p, n in zip(prompts, (20, 12, 30, 16))]
    assert out.texts == single, f"a batch gives other texts than its examples one by one: {out.texts}, {single}"
    return {"texts": out.texts}


@feature
def batch_with_rotating_caches() -> Result:
    model, tokenizer = loaded()
    prompts = [tokenizer.encode(PROMPT[:n]) for n in (20, 60)]
    found = [caches.make_prompt_cache(model, max_kv_size=24) for _ in prompts]
    out = mlx_lm.batch_generate(model, tokenizer, prompts, prompt_caches=found, max_tokens=40)
    return {"texts": out.texts}


@feature
def speculative() -> Result:
    model, tokenizer = loaded()
    draft, _ = loaded("draft")
    out = list(speculative_generate_step(prompt(tokenizer), model, draft, num_draft_tokens=3, max_tokens=40))
    plain = steps(model, prompt(tokenizer))
    assert [int(t) for t, _, _ in out] == plain["tokens"], "a draft changes the tokens"
    return plain | {"drafted": [bool(d) for _, _, d in out]}


@feature
def samplers() -> Result:
    model, tokenizer = loaded()
    found: Result = {}
    for name, options in {
        "temperature": {"temp": 0.8}, "top_p": {"temp": 1.0, "top_p": 0.7}, "min_p": {"temp": 1.2, "min_p": 0.1},
        "top_k": {"temp": 1.0, "top_k": 5}, "xtc": {"temp": 1.0, "xtc_probability": 0.5, "xtc_threshold": 0.05},
    }.items():  # fmt: skip
        mx.random.seed(7)
        found[name] = steps(model, prompt(tokenizer), sampler=make_sampler(**options))["tokens"]
    return found


@feature
def processors() -> Result:
    model, tokenizer = loaded()
    processors = make_logits_processors(
        logit_bias={5: 4.0, 77: -3.0}, repetition_penalty=1.3, presence_penalty=0.4, frequency_penalty=0.3
    )
    return steps(model, prompt(tokenizer), logits_processors=processors)


@feature
def chat() -> Result:
    """The command line, with a chat template and a sampler."""
    printed = command("generate", "--model", SOURCE / "model", "--prompt", PROMPT, "--max-tokens", 30, "--temp", 0.7,
                      "--top-p", 0.9, "--seed", 3)  # fmt: skip
    return {"text": printed.split("==========")[1].strip()}


@feature
def cached_prompt() -> Result:
    """A prompt's cache made by one command and used by the next."""
    file = OUT / "prompt.safetensors"
    command("cache_prompt", "--model", SOURCE / "model", "--prompt", PROMPT, "--prompt-cache-file", file)
    printed = command("generate", "--model", SOURCE / "model", "--prompt", "and the bird", "--prompt-cache-file", file,
                      "--max-tokens", 20)  # fmt: skip
    return {"text": printed.split("==========")[1].strip()}


# ---- making models ----


@feature
def convert() -> Result:
    found: Result = {}
    for name, options in {
        "plain": ["--dtype", "bfloat16"], "q4": ["-q", "--q-group-size", "32"], "q8": ["-q", "--q-bits", "8"],
        "mxfp4": ["-q", "--q-mode", "mxfp4"], "mixed": ["-q", "--q-group-size", "32", "--quant-predicate", "mixed_3_6"],
    }.items():  # fmt: skip
        target = OUT / f"converted-{name}"
        command("convert", "--hf-path", SOURCE / "model", "--mlx-path", target, *options)
        found |= {f"{name}.{k}": v for k, v in weights(target).items()}
        model, tokenizer = mlx_lm.load(str(target))
        logits = model(prompt(tokenizer)[None])[0]
        found[f"scores.{name}"] = np.array(logits.astype(mx.float32))
    return found


def trained(kind: str, *options: object, model: Path | None = None) -> Result:
    adapter = OUT / f"adapter-{kind}"
    printed = command(
        "lora", "--model", model or SOURCE / "model", "--train", "--data", SOURCE / "texts", "--iters", 30,
        "--batch-size", 4, "--steps-per-report", 5, "--steps-per-eval", 15, "--val-batches", 2, "--num-layers", -1,
        "--learning-rate", 5e-4, "--adapter-path", adapter, "--save-every", 30, "--test", "--test-batches", 2,
        "--max-seq-length", 64, "--seed", 0, *options,
    )  # fmt: skip
    printed = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    losses = [float(x) for x in re.findall(r"(?m)^ +[0-9]+ +([0-9]+\.[0-9]+)", printed)]
    validation = [float(x) for x in re.findall(r"(?m)^ +[0-9]+ +val ([0-9.]+)", printed)]
    test = [float(x) for x in re.findall(r"Test loss ([0-9]+\.[0-9]+)", printed)]
    assert len(losses) > 3 and len(validation) > 1 and test, printed
    assert losses[-1] < losses[0] - 0.2 and validation[-1] < validation[0], f"the loss does not fall:\n{printed}"
    return {"losses": losses, "validation": validation, "test": test}


@feature
def lora() -> Result:
    found = trained("lora")
    fused = OUT / "fused"
    command("fuse", "--model", SOURCE / "model", "--adapter-path", OUT / "adapter-lora", "--save-path", fused)
    model, tokenizer = mlx_lm.load(str(SOURCE / "model"), adapter_path=str(OUT / "adapter-lora"))
    whole, _ = mlx_lm.load(str(fused))
    a, b = model(prompt(tokenizer)[None]), whole(prompt(tokenizer)[None])
    assert mx.abs(a - b).max().item() < 1e-4, "fused weights give other logits than the adapter"
    return found | {"scores": np.array(b[0])}


@feature
def dora() -> Result:
    return trained("dora", "--fine-tune-type", "dora", "--grad-checkpoint")


@feature
def full() -> Result:
    return trained("full", "--fine-tune-type", "full", "--optimizer", "adamw", "--grad-accumulation-steps", 2)


@feature
def lora_on_quantized() -> Result:
    target = OUT / "converted-for-lora"
    command("convert", "--hf-path", SOURCE / "model", "--mlx-path", target, "-q", "--q-group-size", 32)
    return trained("qlora", model=target)


def harness() -> None:
    """Stand in for lm_eval, half a gigabyte with what it requires, of which mlx_lm.evaluate's model takes two names."""
    if importlib.util.find_spec("lm_eval") is None:
        for name in ("lm_eval", "lm_eval.api", "lm_eval.api.model", "lm_eval.api.registry"):
            sys.modules[name] = types.ModuleType(name)
        sys.modules["lm_eval.api.model"].LM = type("LM", (), {})  # type: ignore[attr-defined]
        sys.modules["lm_eval.api.registry"].register_model = lambda name: lambda f: f  # type: ignore[attr-defined]


@feature
def evaluate() -> Result:
    harness()
    from mlx_lm.evaluate import MLXLM

    def requests(*arguments: tuple[Any, ...]) -> list[Any]:
        return [types.SimpleNamespace(args=a, arguments=a, idx=i, doc={}) for i, a in enumerate(arguments)]

    model = MLXLM(str(SOURCE / "model"), max_tokens=12, batch_size=3, use_chat_template=False)
    pairs = [(PROMPT, " and"), ("the cat", " sees"), ("the cat", " likes the dog"), ("a", "b")]
    likely = model.loglikelihood(requests(*pairs))
    rolling = model.loglikelihood_rolling(requests((PROMPT,), ("a small fish",)))
    texts = model.generate_until(requests(("the cat", {"until": ["\n"]}), (PROMPT, {"until": [" "]})))
    return {
        "likely": np.array([score for score, _ in likely], np.float32), "best": [bool(best) for _, best in likely],
        "rolling": np.array(rolling, np.float32).ravel(), "texts": texts,
    }  # fmt: skip


@feature
def gguf() -> Result:
    command("fuse", "--model", SOURCE / "model", "--adapter-path", OUT / "adapter-lora",
            "--save-path", OUT / "for-gguf", "--export-gguf", "--gguf-path", "model.gguf")  # fmt: skip
    arrays = mx.load(str(OUT / "for-gguf" / "model.gguf"))
    return {k: np.array(v.astype(mx.float32)) for k, v in sorted(arrays.items())}


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for name in sys.argv[4:] or FEATURES:
        try:
            np.savez(OUT / f"{name}.npz", **FEATURES[name]())
        except BaseException:
            (OUT / f"{name}.txt").write_text(traceback.format_exc())


if __name__ == "__main__":
    main()
