"""Saving and loading arrays: npy, npz and safetensors files."""

from __future__ import annotations

import os
from typing import Any

from ._core import _load, _load_bytes, _save, _save_bytes, array

_FORMATS = ("npy", "npz", "safetensors")


def _is_file(file):
    return not isinstance(file, (str, bytes, os.PathLike))


def _path(file, op):
    try:
        return os.fsdecode(file)
    except TypeError:
        raise TypeError(f"[{op}] file must be a path or a file object, not {type(file).__name__}") from None


def _named(arrays, op):
    for name, a in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"[{op}] names must be strings, not {type(name).__name__}")
        if type(a) is not array:
            raise TypeError(f"[{op}] '{name}' must be an array, not {type(a).__name__}")
    return list(arrays), list(arrays.values())


def _write(file, op, kind, extension, names, arrays, metadata=None, compress=False):
    keys = list(metadata) if metadata else []
    values = [metadata[k] for k in keys] if metadata else []
    if _is_file(file):
        if not hasattr(file, "write"):
            raise TypeError(f"[{op}] file must be a path or an object with a write method, not {type(file).__name__}")
        pieces = _save_bytes(kind, names, arrays, keys, values, compress)
        for i, piece in enumerate(pieces):
            pieces[i] = None  # memory goes back as it is written
            data = memoryview(piece)
            while data.nbytes:  # raw files may take less than they are given
                written = file.write(data)
                data = data[written:] if isinstance(written, int) else data[data.nbytes :]
        return
    path = _path(file, op)
    if not path.endswith(extension):
        path += extension
    _save(path, kind, names, arrays, keys, values, compress)


def save(file, arr: array) -> None:
    """Write one array to a npy file.

    Args:
        file: A path, to which ``.npy`` is added if missing, or a file opened for binary writing.
        arr: The array.
    """
    if type(arr) is not array:
        raise TypeError(f"[save] arr must be an array, not {type(arr).__name__}")
    _write(file, "save", "npy", ".npy", [""], [arr])


def _savez(op, file, args, kwargs, compress):
    arrays = dict(kwargs)
    for i, a in enumerate(args):
        if f"arr_{i}" in arrays:
            raise ValueError(f"[{op}] the keyword 'arr_{i}' is the name of positional array {i}")
        arrays[f"arr_{i}"] = a
    names, values = _named(arrays, op)
    _write(file, op, "npz", ".npz", names, values, compress=compress)


def savez(file, *args: array, **kwargs: array) -> None:
    """Write arrays to an npz file.

    Args:
        file: A path, to which ``.npz`` is added if missing, or a file opened for binary writing.
        args: Arrays named ``arr_0``, ``arr_1``, ...
        kwargs: Arrays under their names.
    """
    _savez("savez", file, args, kwargs, False)


def savez_compressed(file, *args: array, **kwargs: array) -> None:
    """Write arrays to a compressed npz file; arguments as for :func:`savez`."""
    _savez("savez_compressed", file, args, kwargs, True)


def save_safetensors(file, arrays: dict[str, array], metadata: dict[str, str] | None = None) -> None:
    """Write arrays to a safetensors file.

    Args:
        file: A path, to which ``.safetensors`` is added if missing, or a file opened for binary writing.
        arrays: The arrays by name.
        metadata: Strings to keep with them.
    """
    if not isinstance(arrays, dict):
        raise TypeError(f"[save_safetensors] arrays must be a dict, not {type(arrays).__name__}")
    names, values = _named(arrays, "save_safetensors")
    for k, v in (metadata or {}).items():
        if not isinstance(k, str) or not isinstance(v, str):
            raise TypeError("[save_safetensors] metadata must be a dict of strings")
    _write(file, "save_safetensors", "safetensors", ".safetensors", names, values, metadata)


def load(file, /, format: str | None = None, return_metadata: bool = False, *, stream: Any = None):
    """Read arrays from a file.

    Args:
        file: A path, or a file opened for binary reading (then ``format`` is required).
        format: ``"npy"``, ``"npz"`` or ``"safetensors"``; by default the extension tells.
        return_metadata: Also return the metadata of a safetensors file.

    Returns:
        The array of a npy file, else a dict of arrays, or a pair of it and a dict of metadata.
    """
    if stream is not None:
        from ._device import check_stream

        check_stream(stream)
    if _is_file(file):
        if not hasattr(file, "read"):
            raise TypeError(f"[load] file must be a path or an object with a read method, not {type(file).__name__}")
        if format is None:
            format = os.path.splitext(str(getattr(file, "name", "")))[1][1:] or None
        if format is None:
            raise ValueError("[load] a file object needs format='npy', 'npz' or 'safetensors'")
        single, names, arrays, metadata = _load_bytes(file.read(), format)
    else:
        path = _path(file, "load")
        if format is None:
            format = os.path.splitext(path)[1][1:]
        if format not in _FORMATS:
            raise ValueError(f"[load] unknown format '{format}' of {path}: expected one of {', '.join(_FORMATS)}")
        single, names, arrays, metadata = _load(path, format)
    result = single if single is not None else dict(zip(names, arrays))
    if not return_metadata:
        return result
    if format != "safetensors":
        raise ValueError(f"[load] {format} files have no metadata")
    return result, metadata
