"""Prints what the named extras of pyproject.toml require, so that tools can be installed before the package is built.

pip install -r <(python tools/extra.py lint wheels)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # CPython 3.10
    from pip._vendor import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())["project"]


def expand(extra: str) -> list[str]:
    found = []
    for requirement in PROJECT["optional-dependencies"][extra]:
        if own := re.fullmatch(rf"{PROJECT['name']}\[(.*)\]", requirement):
            found += [r for name in own[1].split(",") for r in expand(name)]
        else:
            found.append(requirement)
    return found


if __name__ == "__main__":
    print("\n".join(dict.fromkeys(r for name in sys.argv[1:] for r in expand(name))))
