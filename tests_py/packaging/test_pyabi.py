"""capi/pyabi.h declares what CPython 3.10 declares."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_pyabi.py"


def load():
    spec = importlib.util.spec_from_file_location("check_pyabi", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_pyabi = load()
needs_headers = pytest.mark.skipif(
    check_pyabi.find_include() is None or shutil.which("cc") is None,
    reason="no headers of CPython 3.10 or no C compiler on this machine",
)


def run(tool: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(tool)], capture_output=True, text=True)


@needs_headers
def test_declarations_agree_with_the_headers():
    done = run(TOOL)
    assert done.returncode == 0, done.stderr
    assert "agree with" in done.stdout


@needs_headers
@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("#define Py_nb_or 31", "#define Py_nb_or 30", "Py_nb_or"),
        ("#define PyBUF_FORMAT 0x0004", "#define PyBUF_FORMAT 0x0002", "PyBUF_FORMAT"),
        ("int PyIter_Check(PyObject *);", "long PyIter_Check(PyObject *);", "conflicting types"),
        ("	int ml_flags;", "	long ml_flags;", "ml_flags"),
        ("void Py_IncRef(", "int PyObject_CheckBuffer(PyObject *);\nvoid Py_IncRef(", "PyObject_CheckBuffer"),
    ],
)
def test_a_wrong_declaration_is_caught(tmp_path, right, wrong, complaint):
    header = check_pyabi.HEADER.read_text()
    assert right in header
    (tmp_path / "capi").mkdir()
    (tmp_path / "tools").mkdir()
    (tmp_path / "capi" / "pyabi.h").write_text(header.replace(right, wrong))
    tool = shutil.copy(TOOL, tmp_path / "tools")
    done = run(Path(tool))
    assert done.returncode != 0
    assert complaint in done.stderr
