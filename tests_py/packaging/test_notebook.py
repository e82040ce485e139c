"""The notebook is the example, run to the end, with its pictures in it."""

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]


def load_tool():
    spec = importlib.util.spec_from_file_location("build_notebook", ROOT / "tools" / "build_notebook.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NOTEBOOK = ROOT / "examples" / "digits.ipynb"


def test_cells_are_those_of_the_script():
    expected = load_tool().cells((ROOT / "examples" / "digits.py").read_text())
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert [(c["cell_type"], "".join(c["source"])) for c in cells] == expected


def test_it_ran_to_the_end_without_errors():
    code = [c for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code"]
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
    outputs = [o for c in code for o in c["outputs"]]
    assert not [o for o in outputs if o["output_type"] == "error"]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 2
    text = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream")
    assert text.count("held-out digits are right") == 2
    assert text.count("predictions are the same after loading") == 2


def test_it_is_small():
    assert NOTEBOOK.stat().st_size < 500_000
