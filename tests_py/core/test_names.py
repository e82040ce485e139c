"""Every public name of MLX, from the list in data/names.txt: those that are there, those that are missing, and why.

``python tests_py/core/test_names.py`` prints how many of each module are there.
"""

from __future__ import annotations

import ast
import collections
import importlib
import inspect
from pathlib import Path
from typing import Any, NamedTuple

import pytest

LAPACK = "needs LAPACK, by dlopen"
TRANSFORM = "no kernel of Fourier transforms yet"
BUILDS = "builds extensions in C++ and Metal against MLX's own headers, which mlx_go has not"

# What is missing, with the reason. A name that is not here is there, and one that is here is not.
MISSING = {
    **dict.fromkeys(
        [f"mlx.core.linalg {f}" for f in """cholesky cholesky_inv det eig eigh eigvals eigvalsh inv lu lu_factor pinv qr
         slogdet solve solve_triangular svd tri_inv""".split()], LAPACK),
    "mlx.core.random multivariate_normal": LAPACK,
    **dict.fromkeys(
        [f"mlx.core.fft {f}" for f in """fft fft2 fftn ifft ifft2 ifftn rfft rfft2 rfftn irfft irfft2 irfftn stft
         istft""".split()], TRANSFORM),
    **dict.fromkeys(
        [f"mlx.extension {f}" for f in "BuildExtension CMakeBuild CMakeExtension MetalExtension MetalLibrary".split()],
        BUILDS),
}  # fmt: skip

# Parameters that MLX's documents put otherwise than they are: arange has several forms.
FORMS = {"mlx.core arange"}
# MLX takes its metadata, too, for optional, which its signature does not say.
OPTIONAL = {"mlx.core save_gguf"}


class Name(NamedTuple):
    module: str
    path: str
    parameters: list[tuple[str, str]] | None  # names and defaults as text

    @property
    def full(self) -> str:
        return f"{self.module} {self.path}"


def parsed(text: str) -> list[tuple[str, str]]:
    a = ast.parse(f"def f{text}: pass").body[0].args  # type: ignore[attr-defined]
    plain = [*a.posonlyargs, *a.args]
    defaults = [None] * (len(plain) - len(a.defaults)) + a.defaults
    pairs = [*zip(plain, defaults), *zip(a.kwonlyargs, a.kw_defaults)]
    return [(p.arg, "" if d is None else ast.unparse(d)) for p, d in pairs]


def names() -> list[Name]:
    found = []
    for line in (Path(__file__).parent.parent / "data" / "names.txt").read_text().splitlines()[1:]:
        module, _, rest = line.partition(" ")
        path, _, parameters = rest.partition("(")
        found.append(Name(module, path, parsed("(" + parameters) if parameters else None))
    return found


NAMES = names()
ABSENT = object()


def value(name: Name) -> Any:
    """What mlx_go has by this name, or ABSENT."""
    parts = name.module.split(".")[1:]
    try:  # mlx.core's parts are attributes, the others modules
        found = importlib.import_module(".".join(["mlx_go", *parts]))
    except ModuleNotFoundError:
        return ABSENT
    for part in name.path.split("."):
        found = inspect.getattr_static(found, part, ABSENT) if inspect.isclass(found) else getattr(found, part, ABSENT)
        if found is ABSENT and part == "__init__":
            return None
    return found


def missing() -> list[str]:
    return [name.full for name in NAMES if value(name) is ABSENT]


def test_all_names_are_there_but_those_that_say_why() -> None:
    assert len(NAMES) > 900
    found = set(missing())
    assert not found - set(MISSING), "these are missing"
    assert not set(MISSING) - found, "these are there now: take them out of MISSING"


def signature(f: Any) -> list[tuple[str, str]] | None:
    f = f.__func__ if isinstance(f, staticmethod | classmethod) else f
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    named = [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [(p.name, "" if p.default is p.empty else repr(p.default)) for p in named]


CALLED = [
    name for name in NAMES if name.parameters is not None and name.full not in FORMS and value(name) is not ABSENT
]
SLOTS = {name for name in dir(object) if name.startswith("__")}


def same_default(mine: str, theirs: str) -> bool:
    if mine == theirs or "..." in (mine, theirs) or "Ellipsis" in (mine, theirs):
        return True  # a dtype or a function
    try:
        a, b = ast.literal_eval(mine), ast.literal_eval(theirs)
        return list(a) == list(b) if isinstance(a, tuple) and isinstance(b, list) else a == b  # () for MLX's []
    except (ValueError, SyntaxError):
        return False


@pytest.mark.parametrize("name", CALLED, ids=lambda name: name.full)
def test_parameters_and_defaults(name: Name) -> None:
    f = value(name)
    got = signature(f)
    leaf = name.path.rpartition(".")[2]
    if got is None or (leaf.startswith("__") and leaf.endswith("__") and leaf != "__call__"):
        return  # Python's own slots name their arguments themselves
    want = [p for p in name.parameters or () if p[0] not in ("self", "_")]
    kept = [p for p in got if p[0] not in ("self", "_")]
    extra = [p for p in kept if p[0] not in dict(want)]
    assert [p for p, _ in kept if p in dict(want)] == [p for p, _ in want]
    assert all(default for _, default in extra), f"{extra} have no default"
    for p, default in want:
        if default == "" and name.full in OPTIONAL:
            continue
        assert same_default(dict(kept)[p], default), f"{p}={dict(kept)[p]}, not {default}"


def test_most_signatures_were_compared() -> None:
    assert sum(signature(value(name)) is not None for name in CALLED) > 600


def counts() -> dict[str, tuple[int, int]]:
    """Names that are there, and all, by module."""
    total = collections.Counter(name.module for name in NAMES)
    gone = collections.Counter(name.split()[0] for name in missing())
    return {module: (n - gone[module], n) for module, n in total.items()}


if __name__ == "__main__":
    for module, (there, total) in counts().items():
        print(f"{module:28} {there:4} of {total}")
    there, total = (sum(column) for column in zip(*counts().values()))
    print(f"{'together':28} {there:4} of {total}")
