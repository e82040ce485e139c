"""Small uses of packages from PyPI that are written for MLX, unchanged, with MLX and with mlx_go in its place."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from mlx_lm_runs import HERE, LIBRARIES, result, run_both

PACKAGES = re.findall(r"(?m)^@use\ndef (\w+)\(", (HERE / "packages.py").read_text())

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(
        any(find_spec(name.replace("mlx_image", "mlxim")) is None for name in ["mlx", *PACKAGES]),
        reason="the packages are not installed: pip install --no-deps -r <(python tools/extra.py packages)",
    ),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {library: tmp_path_factory.mktemp(library) for library in LIBRARIES}
    run_both("packages.py", *([str(folder)] for folder in folders.values()))
    return folders


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_gives_what_it_gives_with_the_oracle(runs: dict[str, Path], name: str) -> None:
    ours, theirs = (result(runs[library], name) for library in reversed(LIBRARIES))
    assert not isinstance(theirs, str), f"MLX: {theirs}"
    assert not isinstance(ours, str), ours
    assert list(ours) == list(theirs)
    for key, want in theirs.items():
        tolerance = 1e-2 if key == "Muon" else 2e-4  # Muon iterates in bfloat16
        np.testing.assert_allclose(ours[key], want, rtol=1e-4, atol=tolerance * want.std(), err_msg=key)


def test_there_are_some() -> None:
    assert len(PACKAGES) >= 9
