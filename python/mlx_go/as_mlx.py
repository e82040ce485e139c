"""Runs a program written for MLX, as it is: ``python -m mlx_go.as_mlx script.py ...`` or ``... -m module ...``.

The program finds ``sys.argv``, ``sys.path`` and ``__main__`` as Python itself would have made them. Processes that
it starts are on their own.
"""

from __future__ import annotations

import io
import os
import runpy
import sys
import zipfile
from importlib.machinery import SourceFileLoader
from types import ModuleType

_USAGE = """usage: python -m mlx_go.as_mlx script.py [argument ...]
       python -m mlx_go.as_mlx -m module [argument ...]

Run a program written for MLX with mlx_go in the place of mlx."""


def _main() -> None:
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE, file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else 2)
    by_name = arguments[0] == "-m"
    if (by_name and len(arguments) == 1) or (arguments[0].startswith("-") and not by_name):
        sys.exit(f"as_mlx: {'-m needs the name of a module' if by_name else 'unknown option ' + arguments[0]}\n{_USAGE}")

    from mlx_go import install_as_mlx

    install_as_mlx()
    main = sys.modules["__main__"] = ModuleType("__main__")  # the program's own, without what is in this one
    if by_name:
        # sys.path begins with the current directory, as this module was named with -m, too.
        sys.argv[:] = arguments[1:]
        runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined]
    else:
        sys.argv[:] = arguments
        _run_script(arguments[0], main)


def _run_script(name: str, main: ModuleType) -> None:
    path = os.path.abspath(name)
    package = os.path.isdir(path) or zipfile.is_zipfile(path)
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = path if package else os.path.dirname(os.path.realpath(path))
    if package:  # a directory or an archive with a __main__.py
        if getattr(sys.flags, "safe_path", False):
            sys.path.insert(0, path)
        runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
        return
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        sys.exit(f"as_mlx: can't open file {name!r}: {error.strerror}")
    loader = SourceFileLoader("__main__", path)
    vars(main).update(__file__=path, __cached__=None, __builtins__=__builtins__, __loader__=loader)
    exec(compile(source, path, "exec", dont_inherit=True), vars(main))


if __name__ == "__main__":
    _main()
