"""mlx-lm as it is, with mlx_go in the place of MLX: small random models of many architectures.

Greedy tokens and log-probabilities in float32 are those of MLX. Logits along a given text agree within a tolerance:
weights in 4 and 8 bits in float32 within rounding, and bfloat16 is as near to float32 as MLX's bfloat16.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from architectures import ARCHITECTURES
from mlx_lm_runs import LIBRARIES, programs, result, run_both

pytestmark = programs

KINDS = ("greedy", "float32", "bfloat16", "4bit-float32", "8bit-float32", "4bit-bfloat16")
# MLX multiplies by a mixture's experts in float32 only.
MIXTURES = ("deepseek_v3", "gpt_oss", "jamba", "kimi_linear", "mixtral", "qwen3_moe", "qwen3_next")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {library: tmp_path_factory.mktemp(library) for library in LIBRARIES}
    run_both("models.py", *([str(f), ",".join(KINDS), *ARCHITECTURES] for f in folders.values()))
    return folders


def scores(runs: dict[str, Path], name: str, kind: str) -> list[dict[str, np.ndarray]]:
    found = []
    for library in reversed(LIBRARIES):
        r = result(runs[library], f"{name}-{kind}")
        assert not isinstance(r, str), f"{library}: {r}"
        assert np.isfinite(r["scores"]).all()
        found.append(r)
    return found


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The root of the mean square difference of logits, relative to how they spread."""
    return float(np.sqrt(np.mean((a - b) ** 2)) / b.std())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_greedy_tokens_are_the_oracles(runs: dict[str, Path], name: str) -> None:
    ours, theirs = scores(runs, name, "greedy")
    assert len(theirs["tokens"]) == 64
    top = np.sort(theirs["scores"], axis=-1)
    assert (top[:, -1] - top[:, -2]).min() > 2e-4 * theirs["scores"].std(), "a tie: choose other weights"
    assert ours["tokens"].tolist() == theirs["tokens"].tolist()
    np.testing.assert_allclose(ours["scores"], theirs["scores"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["float32", "4bit-float32", "8bit-float32"])
def test_logits_agree(runs: dict[str, Path], name: str, kind: str) -> None:
    ours, theirs = (r["scores"] for r in scores(runs, name, kind))
    assert np.abs(ours - theirs).max() < 1e-4 * theirs.std()
    assert (ours.argmax(-1) == theirs.argmax(-1)).all()


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["bfloat16", "4bit-bfloat16"])
def test_halves_are_as_exact_as_the_oracles(runs: dict[str, Path], name: str, kind: str) -> None:
    exact = scores(runs, name, kind.replace("bfloat16", "float32"))[1]["scores"]
    ours = result(runs["mlx_go"], f"{name}-{kind}")
    assert not isinstance(ours, str), ours
    got = distance(ours["scores"], exact)
    if name in MIXTURES:
        theirs = result(runs["mlx"], f"{name}-{kind}")
        want = 0.04 if isinstance(theirs, str) else distance(theirs["scores"], exact)
    else:
        want = distance(scores(runs, name, kind)[1]["scores"], exact)
    assert got < 1.25 * want + 0.002, f"{got:.4f} of the spread from float32, MLX {want:.4f}"
    top = np.sort(exact, axis=-1)
    clear = top[:, -1] - top[:, -2] > 0.2 * exact.std()  # what rounding does not decide
    assert (ours["scores"].argmax(-1) == exact.argmax(-1))[clear].all()
