"""The source distribution is complete, and a machine that cannot build it is told so in one sentence."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("setuptools", minversion="77", reason="building needs setuptools 77")


def build(hook: str, out: Path, root: Path = ROOT, **env: str) -> subprocess.CompletedProcess:
    code = f"from setuptools import build_meta; build_meta.{hook}({str(out)!r})"
    environment = {**os.environ, **env}
    return subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)


def test_sdist_holds_every_source(tmp_path):
    done = build("build_sdist", tmp_path)
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {"go.mod", "setup.py", "pyproject.toml", "LICENSE", "python/mlx_go/py.typed"}
    for folder in ("core", "backends", "capi"):
        wanted |= {
            str(p.relative_to(ROOT))
            for p in (ROOT / folder).rglob("*.[ghcms]*")
            if p.suffix in {".go", ".c", ".h", ".s"}
        }
    wanted |= {str(p.relative_to(ROOT)) for p in (ROOT / "python").rglob("*.py*") if p.suffix in {".py", ".pyi"}}
    assert wanted - held == set()
    assert not [name for name in held if name.endswith((".so", ".a", ".o"))]


def fake_go(folder: Path, version: str) -> str:
    path = folder / "go"
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


COMPILES = """#!/bin/sh
case "$1 $2" in
"env GOVERSION") echo go1.99.0 ;;
"env CC") echo sh ;;
*) while [ "$1" != -o ]; do shift; done; echo library > "$2" ;;
esac
"""


def test_a_wheel_holds_what_the_folder_holds(tmp_path):
    """Below a folder with a space, built again after a module was deleted: setuptools keeps what it copied before."""
    root = tmp_path / "a folder"
    go = root / "the go"
    shutil.copytree(ROOT / "python", root / "python", ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info"))
    for name in ("setup.py", "pyproject.toml", "go.mod", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, root)
    go.write_text(COMPILES)
    go.chmod(0o755)
    (root / "python/mlx_go/deleted.py").touch()
    for deleted in (False, True):
        out = tmp_path / str(deleted)
        done = build("build_wheel", out, root, MLX_GO_GO=str(go))
        assert done.returncode == 0, done.stderr
        (wheel,) = out.glob("*.whl")
        held = set(zipfile.ZipFile(wheel).namelist())
        assert {"mlx_go/core.py", "mlx_go/py.typed", "mlx_go/_core.abi3.so"} <= held
        assert ("mlx_go/deleted.py" in held) != deleted
        (root / "python/mlx_go/deleted.py").unlink(missing_ok=True)


def told(done: subprocess.CompletedProcess) -> str:
    """The one sentence, after making sure that there is no noise around it."""
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line]
    assert len(done.stdout.splitlines()) < 5
    return sentence


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable"])
def test_without_go(tmp_path, hook):
    sentence = told(build(hook, tmp_path, MLX_GO_GO="no-such-go"))
    assert re.fullmatch(
        r"mlx_go: building from source needs Go 1\.\d+ or newer \(https://go\.dev/dl\), and there is no `no-such-go` on PATH\.",
        sentence,
    )


def test_with_an_old_go(tmp_path):
    go = fake_go(tmp_path, "go1.21.3")
    assert told(build("build_wheel", tmp_path, MLX_GO_GO=go)).endswith(f"and {go} is Go 1.21.")


def test_without_a_c_compiler(tmp_path):
    assert "needs a C compiler" in told(build("build_wheel", tmp_path, CC="no-such-cc"))
