"""Turns an example into an executed notebook: python tools/build_notebook.py examples/digits.py examples/digits.ipynb

The example is a script in cells: `# %%` starts code, `# %% [markdown]` starts text, and `# %% script` starts code that only
the script needs. The notebook is run from top to bottom and saved with its outputs, pictures included.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def cells(source: str) -> list[tuple[str, str]]:
    """(kind, text) for each cell, where kind is "code" or "markdown"."""
    found = []
    for part in re.split(r"^# %%", source, flags=re.M)[1:]:
        head, _, body = part.partition("\n")
        if head.strip() == "[markdown]":
            found.append(("markdown", re.sub(r"^# ?", "", body.strip(), flags=re.M)))
        elif head.strip() != "script":
            found.append(("code", body.strip()))
    return found


def last_writes(text: str) -> str:
    """What a terminal would still show of a progress bar that rewrites its line."""
    return re.sub(r"[^\r\n]*\r(?=[^\r\n])", "", text)


def build(source: Path, target: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    notebook = nbformat.v4.new_notebook(
        cells=[make[kind](text, id=f"cell-{i}") for i, (kind, text) in enumerate(cells(source.read_text()))],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    resources = {"metadata": {"path": str(source.parent)}}
    NotebookClient(notebook, timeout=900, coalesce_streams=True, record_timing=False, resources=resources).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = last_writes(output.text)
    nbformat.write(notebook, target)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
