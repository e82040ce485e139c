"""What the namespace can do, in the words of the Python array API standard: ``mx.__array_namespace_info__()``."""

from __future__ import annotations

from typing import Any

from . import _core

_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_REAL = ("float32", "float64")
_COMPLEX = ("complex64",)

# The dtypes of each kind that the standard knows; halves are none of them.
_KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": _SIGNED,
    "unsigned integer": _UNSIGNED,
    "integral": _SIGNED + _UNSIGNED,
    "real floating": _REAL,
    "complex floating": _COMPLEX,
    "numeric": _SIGNED + _UNSIGNED + _REAL + _COMPLEX,
}


def _dtype(name: str) -> Any:
    return getattr(_core, "bool_" if name == "bool" else name)


class NamespaceInfo:
    """Capabilities, devices and dtypes of the namespace."""

    __slots__ = ()

    def capabilities(self) -> dict[str, Any]:
        """What the standard leaves open."""
        return {"boolean indexing": True, "data-dependent shapes": False, "max dimensions": 64}

    def default_device(self) -> Any:
        """The device on which arrays are made."""
        return _core.default_device()

    def devices(self) -> tuple[Any, ...]:
        """All devices."""
        from ._device import cpu, gpu

        return tuple(
            _core.Device(kind, index) for kind in (cpu, gpu) for index in range(_core.device_count(kind))
        )

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtype of each kind that functions choose."""
        return {
            "real floating": _core.float32,
            "complex floating": _core.complex64,
            "integral": _core.int32,
            "indexing": _core.int32,
        }

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, Any]:
        """The dtypes by their names.

        Args:
            device: Where they are to be; all devices have all.
            kind: ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``, ``"real floating"``,
                ``"complex floating"``, ``"numeric"``, or a tuple of these; all by default.

        Raises:
            ValueError: If there is no such kind.
        """
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        if unknown := [k for k in kinds if k not in _KINDS]:
            raise ValueError(f"[dtypes] there is no kind {unknown[0]!r}, but {', '.join(map(repr, _KINDS))}")
        return {name: _dtype(name) for k in kinds for name in _KINDS[k]}


def namespace_info() -> NamespaceInfo:
    """What the namespace can do, as the Python array API standard asks."""
    return NamespaceInfo()
