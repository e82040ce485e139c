"""Saving and loading arrays: npy, npz, safetensors and GGUF files."""

from __future__ import annotations

import errno
import io
import json
import os
from typing import Any

from ._core import (
    Device,
    Stream,
    StreamContext,
    ThreadLocalStream,
    _extent,
    _load,
    _load_bytes,
    _save,
    array,
)
from ._device import DeviceType

_FORMATS = ("npy", "npz", "safetensors", "gguf")
_PIECE = 64 << 20  # what is read of a file object at once
_SMALL = 1 << 20  # shorter pieces are put together


def _is_file(file):
    return not isinstance(file, (str, bytes, os.PathLike))


def _path(file, op):
    """The path as the system takes it, whatever its encoding."""
    try:
        return os.fsencode(file)
    except TypeError:
        raise TypeError(f"[{op}] file must be a path or a file object, not {type(file).__name__}") from None


def _named(arrays, op):
    for name, a in arrays.items():
        if not isinstance(name, str):
            raise TypeError(f"[{op}] names must be strings, not {type(name).__name__}")
        if type(a) is not array:
            raise TypeError(f"[{op}] '{name}' must be an array, not {type(a).__name__}")
    return list(arrays), list(arrays.values())


def _blocks(file):
    """Whether None says that a file object cannot be read or written now, as with raw ones and what wraps them."""
    if isinstance(file, io.RawIOBase):
        return True
    try:
        return not os.get_blocking(file.fileno())
    except (AttributeError, OSError, TypeError, ValueError):
        return False


def _write_all(file, op, piece):
    """Write bytes to a file object; raw ones may take less than they are given."""
    data = memoryview(piece)
    while data.nbytes:
        written = file.write(data)
        if written is None:
            if _blocks(file):
                raise BlockingIOError(errno.EAGAIN, f"[{op}] the file object takes no more without blocking")
            return  # a writer that does not count
        if not isinstance(written, int):
            return
        if not 0 < written <= data.nbytes:
            raise OSError(f"[{op}] write() returned {written} for {data.nbytes} bytes")
        data = data[written:]


def _read_piece(file, size):
    """Read some bytes of a file object, none at its end."""
    piece = file.read(size)
    if piece is None and _blocks(file):
        raise BlockingIOError(errno.EAGAIN, "[load] the file object has no more without blocking")
    if not isinstance(piece, (bytes, bytearray, memoryview)):
        raise TypeError(f"[load] file must be opened for binary reading: read() returned {type(piece).__name__}")
    if len(piece) > size:
        raise OSError(f"[load] read({size}) returned {len(piece)} bytes")
    return bytes(piece)


def _read(file, kind):
    """Read one file of that kind and nothing of what follows it, in parts; an archive ends where the stream does.

    What is missing, if anything, is for the reader of the parts to say.
    """
    if type(file) is io.BytesIO:  # its bytes need no copy
        rest = memoryview(file.getvalue())[file.tell() :]
        end = -1 if kind == "npz" else _extent(rest, kind)
        size = rest.nbytes if end < 0 else min(end, rest.nbytes)
        file.seek(size, io.SEEK_CUR)
        return [rest[:size]]
    head, left = bytearray(), None
    if kind != "npz":
        while (end := _extent(head, kind)) < 0:  # the header goes to there
            piece = _read_piece(file, min(-end - len(head), _PIECE))
            if not piece:
                return [head]
            head += piece
        left = end - len(head)
    parts = [head]
    while left is None or left > 0:
        piece = _read_piece(file, _PIECE if left is None else min(left, _PIECE))
        if not piece:
            break
        if left is not None:
            left -= len(piece)
        if len(piece) >= _SMALL:
            parts.append(piece)
        elif isinstance(parts[-1], bytearray):
            parts[-1] += piece
        else:
            parts.append(bytearray(piece))
    return parts


def _write(file, op, kind, names, arrays, metadata=None, compress=False):
    pairs = [text for pair in (metadata or {}).items() for text in pair]
    if _is_file(file):
        if not hasattr(file, "write"):
            raise TypeError(f"[{op}] file must be a path or an object with a write method, not {type(file).__name__}")
        pieces = _save(None, kind, names, arrays, pairs, compress)
        for i, piece in enumerate(pieces):
            pieces[i] = None  # memory goes back as it is written
            _write_all(file, op, piece)
        return
    path, extension = _path(file, op), b"." + kind.encode()
    if not path.endswith(extension):
        path += extension
    _save(path, kind, names, arrays, pairs, compress)


def save(file, arr: array) -> None:
    """Write one array to a npy file.

    Args:
        file: A path, to which ``.npy`` is added if missing, or a file opened for binary writing.
        arr: The array.
    """
    if type(arr) is not array:
        raise TypeError(f"[save] arr must be an array, not {type(arr).__name__}")
    _write(file, "save", "npy", [""], [arr])


def _savez(op, file, args, kwargs, compress):
    arrays = dict(kwargs)
    for i, a in enumerate(args):
        if f"arr_{i}" in arrays:
            raise ValueError(f"[{op}] the keyword 'arr_{i}' is the name of positional array {i}")
        arrays[f"arr_{i}"] = a
    names, values = _named(arrays, op)
    _write(file, op, "npz", names, values, compress=compress)


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
    _write(file, "save_safetensors", "safetensors", names, values, metadata)


_PAIR = "\0"  # begins the names of arrays that are metadata of a GGUF file


def save_gguf(
    file, arrays: dict[str, array], metadata: dict[str, array | str | list[str]] | None = None
) -> None:
    """Write arrays to a GGUF file.

    Args:
        file: A path, to which ``.gguf`` is added if missing.
        arrays: The arrays by name: floats, int8, int16, int32 and int64.
        metadata: Numbers, lists of numbers (as arrays), texts and lists of texts by key.
    """
    if _is_file(file):
        raise TypeError(f"[save_gguf] file must be a path, not {type(file).__name__}")
    if not isinstance(arrays, dict):
        raise TypeError(f"[save_gguf] arrays must be a dict, not {type(arrays).__name__}")
    names, values = _named(arrays, "save_gguf")
    if bad := [name for name in names if name.startswith(_PAIR)]:
        raise ValueError(f"[save_gguf] the name {bad[0]!r} begins with a zero byte")
    texts = {}
    for key, value in (metadata or {}).items():
        if not isinstance(key, str):
            raise TypeError(f"[save_gguf] keys of the metadata must be strings, not {type(key).__name__}")
        if type(value) is array:
            names.append(_PAIR + key)
            values.append(value)
        elif isinstance(value, str) or (isinstance(value, (list, tuple)) and all(isinstance(s, str) for s in value)):
            texts[key] = json.dumps(value, ensure_ascii=False)
        else:
            raise TypeError(f"[save_gguf] metadata {key!r} must be an array, a string or a list of strings")
    _write(file, "save_gguf", "gguf", names, values, texts)


def _pairs_of(arrays, texts):
    """Take the numbers of a GGUF file's metadata out of its arrays, and put them to the texts."""
    metadata = {key: json.loads(text, strict=False) for key, text in texts.items()}
    for name in [name for name in arrays if name.startswith(_PAIR)]:
        metadata[name[1:]] = arrays.pop(name)
    return metadata


def load(file, /, format: str | None = None, return_metadata: bool = False, *, stream: Any = None):
    """Read arrays from a file.

    Args:
        file: A path, or a file opened for binary reading (then ``format`` is required). It is read up to the end of what
            was saved, so that several arrays saved one after the other load again in that order; an npz file ends where
            the file does.
        format: ``"npy"``, ``"npz"``, ``"safetensors"`` or ``"gguf"``; by default the extension tells. GGUF files have
            paths. Their quantized tensors (Q4_0, Q4_1, Q8_0) load as what :func:`quantize` gives with groups of 32:
            ``a.weight``, ``a.scales`` and ``a.biases``.
        return_metadata: Also return the metadata of a safetensors or GGUF file.

    Returns:
        The array of a npy file, else a dict of arrays, or a pair of it and a dict of metadata.
    """
    if stream is not None:
        if not isinstance(stream, (Stream, ThreadLocalStream, Device, DeviceType)):
            want = "a Stream, a Device, a DeviceType or None"
            raise TypeError(f"load(): argument 'stream' must be {want}, not {type(stream).__name__}")
        with StreamContext(stream):
            return load(file, format, return_metadata)
    if _is_file(file):
        if not hasattr(file, "read"):
            raise TypeError(f"[load] file must be a path or an object with a read method, not {type(file).__name__}")
        if format is None:
            format = os.path.splitext(str(getattr(file, "name", "")))[1][1:] or None
        if format is None:
            raise ValueError("[load] a file object needs format='npy', 'npz' or 'safetensors'")
        if format == "gguf":
            raise ValueError("[load] a GGUF file is loaded from a path, not from a file object")
        path = None
    else:
        path = _path(file, "load")
        if format is None:
            format = os.path.splitext(os.fsdecode(path))[1][1:]
    if format not in _FORMATS:
        of = f" of {os.fsdecode(path)}" if path is not None else ""
        raise ValueError(f"[load] unknown format '{format}'{of}: expected one of {', '.join(_FORMATS)}")
    result, metadata = _load(path, format) if path is not None else _load_bytes(_read(file, format), format)
    if format == "gguf":
        metadata = _pairs_of(result, metadata)
    if not return_metadata:
        return result
    if format not in ("safetensors", "gguf"):
        raise ValueError(f"[load] {format} files have no metadata")
    return result, metadata
