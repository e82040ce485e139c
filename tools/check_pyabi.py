"""Checks capi/pyabi.h against CPython 3.10's own headers and against the list of the stable ABI.

    python tools/check_pyabi.py [INCLUDE_DIR]

Python.h (Py_LIMITED_API=0x030A0000) and pyabi.h go into one C file, where a prototype that differs is a conflicting
declaration. Constants are asserted, and struct sizes and offsets printed and compared, against the same headers
without the limit, because 3.10 hides Py_buffer and its constants under it. The abi3info package, which abi3audit is
built on, says whether each declared name belongs to the stable ABI of 3.10.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = Path(__file__).resolve().parent.parent / "capi" / "pyabi.h"


def find_include() -> Path | None:
    """The directory with the Python.h of a CPython 3.10, or None."""
    named = os.environ.get("MLX_GO_PYTHON310_INCLUDE")
    roots = [Path(named)] if named else []
    roots += sorted(Path.home().glob(".pyenv/versions/3.10*/include/python3.10"), reverse=True)
    roots += [Path("/usr/include/python3.10"), Path("/usr/local/include/python3.10")]
    if exe := shutil.which("python3.10"):
        roots.append(Path(exe).resolve().parent.parent / "include" / "python3.10")
    return next((r for r in roots if (r / "Python.h").is_file()), None)


def code(text: str) -> str:
    """The header without comments and with continued lines joined."""
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")


def names(text: str) -> tuple[list[str], list[str], list[str], dict[str, list[str]]]:
    """Functions, data, object-like numeric macros, and the fields of each struct that has a tag or typedef name."""
    text = code(text)
    flat = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    functions = re.findall(r"^[\w ]+?[ *]((?:_?Py)\w+)\((?!\*).*?\);", flat, flags=re.M)
    data: list[str] = []
    for decl in re.findall(r"^extern ([^;]*);", flat, flags=re.M):
        data += re.findall(r"_?Py\w+(?=\s*(?:,|$))", decl)
    macros = re.findall(r"^#define (\w+) [^\n{]*?[\d|][^\n{]*$", text, flags=re.M)
    macros = [m for m in macros if not m.startswith("PYABI_")]
    structs: dict[str, list[str]] = {}
    for body, name in re.findall(r"typedef struct \w*\s*\{([^}]*)\} (\w+);", flat):
        fields = re.findall(r"(?:\(\*(\w+)\)\(|(\w+)(?=;))", re.sub(r"\s+", " ", body))
        structs[name] = [a or b for a, b in fields]
    return functions, data, macros, structs


def compile_c(source: str, flags: list[str], *, run: bool = False) -> str:
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp) / "check.c"
        path.write_text(source)
        out = ["-o", f"{tmp}/check"] if run else ["-c", "-o", f"{tmp}/check.o"]
        cc = os.environ.get("CC", "cc").split()
        done = subprocess.run([*cc, "-Wall", "-Werror", *flags, str(path), *out], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"check_pyabi: pyabi.h and the headers disagree\n{done.stderr}")
        return subprocess.run([f"{tmp}/check"], check=True, capture_output=True, text=True).stdout if run else ""


def main() -> None:
    include = Path(sys.argv[1]) if len(sys.argv) > 1 else find_include()
    if include is None:
        raise SystemExit(
            "check_pyabi: no headers of CPython 3.10 found; name their directory or set MLX_GO_PYTHON310_INCLUDE"
        )
    text = HEADER.read_text()
    functions, data, macros, structs = names(text)
    python = [f"-I{include}", "-Wno-deprecated-declarations"]
    real = "#include <Python.h>\n#include <structmember.h>\n"
    ours = f'#include "{HEADER}"\n'

    # Python.h hides some functions behind macros of the same name; the functions are what a library links to.
    undef = "".join(f"#undef {f}\n" for f in functions)
    compile_c(real + undef + ours, [*python, "-DPy_LIMITED_API=0x030A0000"])

    values = re.compile(r"^#define (\w+) ([^\n]*)$", re.M)
    ours_values = {n: v for n, v in values.findall(code(text)) if n in macros}
    asserts = ""
    for name in macros:
        value = re.sub(r"\b(Py\w+|PY_\w+)\b", lambda m: ours_values.get(m[1], m[1]), ours_values[name])
        asserts += f'_Static_assert(({name}) == ({value}), "{name}");\n'
    compile_c(real + asserts, python)

    rows = "".join(
        f'P("{s} size", sizeof({s}), 0)'
        + "".join(f'P("{s}.{f}", offsetof({s}, {f}), sizeof((({s} *)0)->{f}))' for f in fields)
        for s, fields in structs.items()
    )
    body = (
        '#include <stdio.h>\n#define P(n, at, size) printf("%s %zu %zu\\n", n, (size_t)(at), (size_t)(size));\nint main(void) { '
        + rows
        + "return 0; }\n"
    )
    theirs, mine = compile_c(real + body, python, run=True), compile_c(ours + body, [], run=True)
    if theirs != mine:
        diff = [f"{a} | {b}" for a, b in zip(theirs.splitlines(), mine.splitlines()) if a != b]
        raise SystemExit("check_pyabi: struct layouts differ (Python.h | pyabi.h):\n" + "\n".join(diff))

    from abi3info import DATAS, FUNCTIONS
    from abi3info.models import PyVersion, Symbol

    def outside(listed: list[str], known: dict) -> list[str]:
        found = {n: known.get(Symbol(n)) for n in listed}
        return [n for n, s in found.items() if s is None or s.added > PyVersion(3, 10)]

    if foreign := outside(functions, FUNCTIONS) + outside(data, DATAS):
        raise SystemExit(f"check_pyabi: not in the stable ABI of 3.10: {', '.join(foreign)}")
    print(
        f"check_pyabi: {len(functions)} functions, {len(data)} data, {len(macros)} constants and "
        f"{len(structs)} structs agree with {include} and the stable ABI"
    )


if __name__ == "__main__":
    main()
