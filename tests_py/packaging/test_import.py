"""What holds of the installed package in every CPython, with nothing else installed but pytest."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import mlx_go

pytestmark = pytest.mark.smoke


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_one_abi3_library():
    package = Path(mlx_go.__file__).parent
    assert [p.name for p in package.rglob("*.so")] == ["_core.abi3.so"]


def test_typing_files_are_installed():
    package = Path(mlx_go.__file__).parent
    assert (package / "py.typed").is_file()
    assert (package / "core.pyi").stat().st_size > 0


def test_version_is_the_package_metadata():
    assert mlx_go.__version__ == metadata.version("mlx-go")


def test_import_loads_neither_numpy_nor_heavy_modules():
    loaded = python("import sys, mlx_go.core; print(*sorted({m.split('.')[0] for m in sys.modules}))").split()
    assert not {"numpy", "ml_dtypes", "scipy", "torch", "mlx", "importlib_metadata", "asyncio"} & set(loaded)


def test_import_and_compute_in_a_fresh_process():
    assert python("import mlx_go.core as mx; print((mx.array([1.0, 2.0]) * 2).sum().item())") == "6.0"


def test_all_public_modules_import():
    python("import mlx_go.core, mlx_go.nn, mlx_go.optimizers, mlx_go.utils")
