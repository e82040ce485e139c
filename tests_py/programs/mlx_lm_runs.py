"""Starts what the tests of mlx-lm compare: one process with MLX and one with mlx_go in its place, side by side."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
LIBRARIES = ("mlx", "mlx_go")

needs_mlx_lm = pytest.mark.skipif(
    importlib.util.find_spec("mlx_lm") is None or importlib.util.find_spec("mlx") is None,
    reason="mlx-lm and MLX are not installed: pip install -r <(python tools/extra.py test programs)",
)
programs = [pytest.mark.programs, needs_mlx_lm]


def environment() -> dict[str, str]:
    """Nothing is looked up in the network, and nothing is drawn for a terminal."""
    return os.environ | {
        "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "NO_COLOR": "1",
    }  # fmt: skip


def run_both(script: str, *arguments: list[str]) -> None:
    """Run a script once for each library with its arguments, both at the same time."""
    processes = [
        subprocess.Popen([sys.executable, str(HERE / script), library, *given], env=environment(),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for library, given in zip(LIBRARIES, arguments)
    ]  # fmt: skip
    for library, process in zip(LIBRARIES, processes):
        output, _ = process.communicate(timeout=1800)  # a hang, not a slow machine
        assert process.returncode == 0, f"{script} with {library} ended with {process.returncode}:\n{output[-4000:]}"


def result(folder: Path, name: str) -> dict[str, Any] | str:
    """What a run left: its arrays, or the text of what it raised."""
    if (error := folder / f"{name}.txt").exists():
        return error.read_text()
    with np.load(folder / f"{name}.npz") as arrays:
        return dict(arrays)
