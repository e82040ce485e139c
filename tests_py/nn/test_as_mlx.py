"""``python -m mlx_go.as_mlx``: what a program sees there is what it sees under python itself."""

import os
import subprocess
import sys
import textwrap
import zipfile

import pytest

SHOWS = """
import sys
import __main__
import helper
names = sorted(n for n in vars(__main__) if n not in ("__annotations__", "sys", "helper"))
spec = __spec__ and __spec__.name
print(__name__, sys.argv, sys.path[0], helper.here, vars(__main__) is globals(), __package__, spec, __file__, names)
class Mine: pass
import pickle
print(type(pickle.loads(pickle.dumps(Mine()))) is Mine)
"""


def run(*arguments, cwd, flags=()):
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *flags, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, env=env, check=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    for path in (tmp_path, tmp_path / "sub"):
        (path / "helper.py").write_text(f"here = {path.name!r}")
        (path / "shows.py").write_text(SHOWS)
        (path / "__init__.py").write_text("")
        (path / "__main__.py").write_text(SHOWS)
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SHOWS)
        archive.writestr("helper.py", "here = 'zip'")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["shows.py", "a", "-m", "--b=1"],
        ["sub/shows.py"],
        ["-m", "shows", "-x", "y"],
        ["-m", "sub.shows"],
        ["-m", "sub", "z"],
        ["sub"],
        ["app.zip", "1"],
    ],
)
def test_a_program_sees_what_python_shows_it(folder, arguments):
    plain, ours = run(*arguments, cwd=folder), run("-m", "mlx_go.as_mlx", *arguments, cwd=folder)
    assert plain.returncode == 0, plain.stderr
    assert (ours.returncode, ours.stdout) == (0, plain.stdout), ours.stderr


def test_mlx_is_mlx_go(folder):
    (folder / "program.py").write_text(
        textwrap.dedent(
            """
            import mlx.core as mx, mlx.nn as nn, mlx_go, sys
            assert mx is mlx_go.core and nn is mlx_go.nn
            print(mx.array([1, 2]).sum().item())
            sys.exit(3)
            """
        )
    )
    for arguments in (["program.py"], ["-m", "program"]):
        result = run("-m", "mlx_go.as_mlx", *arguments, cwd=folder)
        assert (result.returncode, result.stdout) == (3, "3\n"), result.stderr


def test_errors_and_usage(folder):
    (folder / "fails.py").write_text("def f():\n    raise ValueError('mine')\nf()\n")
    result = run("-m", "mlx_go.as_mlx", "fails.py", cwd=folder)
    assert result.returncode == 1 and "ValueError: mine" in result.stderr and 'fails.py", line 2, in f' in result.stderr
    for arguments, words in (
        (["nowhere.py"], "can't open file"),
        (["-m", "nowhere"], "No module named nowhere"),
        (["-m"], "name of a module"),
        (["--what"], "unknown option"),
        ([], "usage:"),
    ):
        result = run("-m", "mlx_go.as_mlx", *arguments, cwd=folder)
        assert result.returncode != 0 and words in result.stderr, arguments
    result = run("-m", "mlx_go.as_mlx", "--help", cwd=folder)
    assert result.returncode == 0 and "usage:" in result.stdout
