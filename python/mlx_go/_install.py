"""Running programs written for MLX: ``import mlx.core`` finds mlx_go."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_ALIAS = "mlx"
_REAL = __name__.rpartition(".")[0]


def _real_name(alias: str) -> str:
    return _REAL + alias[len(_ALIAS) :]


def _find(name: str) -> ModuleType | None:
    """Return the module of this package called ``name``, importing it if need be."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    parent_name, _, attribute = name.rpartition(".")
    parent = _find(parent_name) if parent_name else None
    if parent is not None:
        # Submodules of the extension are attributes, not files.
        value = getattr(parent, attribute, None)
        if isinstance(value, ModuleType):
            return value
        if not hasattr(parent, "__path__"):
            return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise  # it exists and misses something else
        return None


def _register_children(alias: str, module: ModuleType) -> None:
    """Make the namespaces of a module importable: without ``__path__`` no finder is asked."""
    for name, value in vars(module).items():
        # By their own names only: a module's "mx" is an abbreviation, not a namespace.
        own = (f"{_REAL}.{name}", f"{module.__name__}.{name}")
        if isinstance(value, ModuleType) and name[0] != "_" and value.__name__ in own:
            sys.modules.setdefault(f"{alias}.{name}", value)


class _AliasLoader:
    """Hands out a module that exists, and leaves it as it is."""

    def __init__(self, alias: str, module: ModuleType) -> None:
        self._alias = alias
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has put the spec of the alias on the module; with it, reload
        # and relative imports would look for the module under the wrong name.
        module.__spec__ = self._spec
        if not hasattr(module, "__path__"):
            _register_children(self._alias, module)


class _AliasFinder:
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: object = None,
    ) -> ModuleSpec | None:
        if not fullname.startswith(_ALIAS + "."):
            return None
        module = _find(_real_name(fullname))
        if module is None:
            return None
        # Duck-typed: importlib.abc would be imported for nothing else.
        return ModuleSpec(fullname, _AliasLoader(fullname, module))  # type: ignore[arg-type]


def install_as_mlx() -> None:
    """Make ``import mlx.core``, ``mlx.nn``, ``mlx.optimizers`` and ``mlx.utils`` mean mlx_go.

    The modules are the very same objects as those of mlx_go, and are imported when they
    are first asked for. Calling this again does nothing.

    Raises:
        RuntimeError: If the real mlx has been imported already.

    Example:
        >>> import mlx_go
        >>> mlx_go.install_as_mlx()  # doctest: +SKIP
        >>> import mlx.core as mx  # doctest: +SKIP
    """
    package = sys.modules[_REAL]
    for name, module in list(sys.modules.items()):
        if name != _ALIAS and not name.startswith(_ALIAS + "."):
            continue
        if module is None or module is package or module is sys.modules.get(_real_name(name)):
            continue
        if module is _attribute(package, name):
            continue
        raise RuntimeError(
            f"[install_as_mlx] mlx is already imported from {_origin(name, module)}. "
            "Call mlx_go.install_as_mlx() before anything imports mlx."
        )
    sys.modules[_ALIAS] = package
    if not any(isinstance(finder, _AliasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AliasFinder())


def _attribute(package: ModuleType, alias: str) -> object:
    value: object = package
    for part in alias.split(".")[1:]:
        value = getattr(value, part, None)
    return value


def _origin(name: str, module: ModuleType) -> str:
    # The package itself has no file when it is a namespace; its core always has one.
    for found in (sys.modules.get(f"{_ALIAS}.core"), module):
        file = getattr(found, "__file__", None)
        if file:
            return str(file)
    return next(iter(getattr(module, "__path__", [])), name)
