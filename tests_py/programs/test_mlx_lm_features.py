"""What mlx-lm offers around its models, with mlx_go in the place of MLX: the same tokens, texts, losses and files.

Caches of prompts, batches, drafts, samplers, converting, fine-tuning and fusing; features.py runs them.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from mlx_lm_runs import HERE, LIBRARIES, programs, result, run_both

pytestmark = programs

FEATURES = re.findall(r"(?m)^@feature\ndef (\w+)\(", (HERE / "features.py").read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from folders import make_all

    root = tmp_path_factory.mktemp("features")
    make_all(root / "source")
    run_both("features.py", *([str(root / "source"), str(root / library)] for library in LIBRARIES))
    return {library: root / library for library in LIBRARIES}


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_gives_what_it_gives_with_the_oracle(runs: dict[str, Path], name: str) -> None:
    ours, theirs = (result(runs[library], name) for library in reversed(LIBRARIES))
    assert not isinstance(theirs, str), f"MLX: {theirs}"
    assert not isinstance(ours, str), ours
    assert list(ours) == list(theirs)
    for key, want in theirs.items():
        got = ours[key]
        assert got.shape == want.shape and got.dtype.kind == want.dtype.kind, key
        if want.dtype.kind != "f":
            assert got.tolist() == want.tolist(), key
            continue
        tolerance = 2e-4 * want.std()
        if key in ("losses", "validation", "test"):  # three digits of them are printed
            tolerance = 5e-3
        elif key == "scores.plain":  # in bfloat16
            tolerance = 0.1 * want.std()
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=tolerance, err_msg=key)


def test_all_features_are_known() -> None:
    assert len(FEATURES) > 12
