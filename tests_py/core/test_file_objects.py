"""File objects: raw and buffered ones, pipes, sockets, and what merely has a read or a write method."""

from __future__ import annotations

import errno
import gc
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlx_go._io as files
import mlx_go.core as mx

pytestmark = pytest.mark.smoke
SAVES: dict[str, Callable[[Any, mx.array], None]] = {
    "npy": mx.save,
    "npz": lambda file, a: mx.savez(file, a=a),
    "safetensors": lambda file, a: mx.save_safetensors(file, {"a": a}),
}


def one(loaded: Any) -> list[Any]:
    return (loaded["a"] if isinstance(loaded, dict) else loaded).tolist()


# ---- file objects that write ----


def test_a_full_nonblocking_pipe_is_an_error() -> None:
    """Its raw file returns None for what it did not take."""
    for wrap in (lambda f: f, Wrapper):
        r, w = os.pipe()
        os.set_blocking(w, False)
        with open(r, "rb", buffering=0), open(w, "wb", buffering=0) as f:
            with pytest.raises(BlockingIOError) as e:
                mx.save(wrap(f), mx.zeros((1 << 20,)))
            assert e.value.errno == errno.EAGAIN


class Wrapper:
    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: Any) -> Any:
        return self.file.write(data)

    def fileno(self) -> int:
        return self.file.fileno()


def test_writers_that_take_little_or_do_not_count() -> None:
    class Little:
        def __init__(self, most: int, counts: bool) -> None:
            self.data, self.most, self.counts = b"", most, counts

        def write(self, data: Any) -> Any:
            self.data += bytes(data[: self.most])
            return min(len(data), self.most) if self.counts else None

    a = mx.arange(1000)
    little, uncounted = Little(97, True), Little(1 << 30, False)
    mx.save(little, a)
    mx.save(uncounted, a)
    assert little.data == uncounted.data and len(little.data) == 128 + 4000
    for count in (0, -1, 1 << 40):

        class Wrong:
            def write(self, data: Any, count: int = count) -> int:
                return count

        with pytest.raises(OSError, match="write"):
            mx.save(Wrong(), a)


@pytest.mark.parametrize("kind", SAVES)
def test_a_write_that_raises_half_way(kind: str) -> None:
    class Breaks:
        calls = 0

        def write(self, data: Any) -> int:
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError("the disk caught fire")
            return 1

    gc.collect()  # arrays in the tracebacks of other tests
    before = mx.get_active_memory()
    with pytest.raises(RuntimeError, match="caught fire"):
        SAVES[kind](Breaks(), mx.ones((1000,)))
    assert mx.get_active_memory() == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_as_a_file_object() -> None:
    with open("/dev/full", "wb", buffering=0) as f, pytest.raises(OSError) as e:
        mx.save(f, mx.zeros(1000))
    assert e.value.errno == errno.ENOSPC


# ---- file objects that read ----


def stream(kind: str, *arrays: mx.array) -> bytes:

    out = io.BytesIO()
    for a in arrays:
        SAVES[kind](out, a)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["npy", "safetensors"])
def test_what_was_saved_one_after_the_other_loads_again_so(tmp_path: Path, kind: str) -> None:

    arrays = [mx.arange(3), mx.array([1.5, 2.5]), mx.zeros((0, 2)), mx.array(True), mx.ones((1 << 10, 1 << 10))]
    data = stream(kind, *arrays) + b"what follows"
    (tmp_path / "file").write_bytes(data)
    r, w = os.pipe()
    writer = threading.Thread(target=lambda: open(w, "wb").write(data))
    writer.start()
    with (
        open(tmp_path / "file", "rb") as buffered,
        open(tmp_path / "file", "rb", buffering=0) as raw,
        open(r, "rb") as pipe,
    ):
        for file in (io.BytesIO(data), buffered, raw, pipe):
            for a in arrays:
                assert one(mx.load(file, format=kind)) == a.tolist()
            assert file.read(20) == b"what follows"
    writer.join()


def test_numpy_reads_and_writes_the_same_streams() -> None:

    f = io.BytesIO()
    np.save(f, np.arange(3))
    mx.save(f, mx.arange(4))
    np.save(f, np.asfortranarray(np.ones((2, 3))))
    f.seek(0)
    assert mx.load(f, format="npy").tolist() == [0, 1, 2]
    assert np.load(f).tolist() == [0, 1, 2, 3]
    assert mx.load(f, format="npy").shape == (2, 3) and f.read() == b""


class Dribble:
    """A stream that gives a few bytes at a time and cannot seek."""

    def __init__(self, data: bytes, most: int = 7) -> None:
        self.data, self.at, self.most = data, 0, most

    def read(self, n: int) -> bytes:
        piece = self.data[self.at : self.at + min(n, self.most)]
        self.at += len(piece)
        return piece


@pytest.mark.parametrize("kind", SAVES)
def test_streams_that_read_little(kind: str) -> None:
    assert one(mx.load(Dribble(stream(kind, mx.arange(100))), format=kind)) == list(range(100))


@pytest.mark.parametrize("kind", SAVES)
@pytest.mark.parametrize("most", [1, 99, 100, 333])
def test_streams_read_in_parts(monkeypatch: pytest.MonkeyPatch, kind: str, most: int) -> None:

    monkeypatch.setattr(files, "_PIECE", 100)
    monkeypatch.setattr(files, "_SMALL", 50)
    assert one(mx.load(Dribble(stream(kind, mx.arange(300)), most), format=kind)) == list(range(300))


@pytest.mark.parametrize("kind", SAVES)
def test_streams_that_end_early_or_lie(kind: str) -> None:

    data = stream(kind, mx.arange(100))
    for n in (0, 1, 7, 11, 40, len(data) - 1):
        with pytest.raises(ValueError):
            mx.load(io.BytesIO(data[:n]), format=kind)
    for wrong, error in ((None, TypeError), ("text", TypeError), (b"x" * 100_000_000, OSError)):

        class Wrong:
            def read(self, n: int, wrong: Any = wrong) -> Any:
                return wrong

        with pytest.raises(error, match="read"):
            mx.load(Wrong(), format=kind)
    with pytest.raises(ValueError, match="unknown format"):
        mx.load(io.BytesIO(data), format="gif")


def test_streams_without_an_end_take_what_the_header_says() -> None:
    """A header that promises too much costs no memory of that size, and a socket that stays open is not waited for."""

    huge = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976,), }".ljust(117)
        + b"\n"
    )
    with pytest.raises(ValueError, match="bytes"):
        mx.load(io.BytesIO(huge + b"\0" * 100), format="npy")
    a, b = socket.socketpair()
    with a, b:
        a.sendall(stream("npy", mx.arange(5)) + stream("safetensors", mx.arange(6)))
        with b.makefile("rb") as f:
            assert mx.load(f, format="npy").tolist() == [0, 1, 2, 3, 4]
            assert one(mx.load(f, format="safetensors")) == [0, 1, 2, 3, 4, 5]


def test_a_nonblocking_stream_that_is_empty_is_an_error() -> None:
    r, w = os.pipe()
    os.set_blocking(r, False)
    with open(w, "wb"), open(r, "rb", buffering=0) as f, pytest.raises(BlockingIOError):
        mx.load(f, format="npy")


def test_standard_streams() -> None:
    save = "import mlx_go.core as mx, sys; f = sys.stdout.buffer; mx.save(f, mx.arange(5)); mx.save(f, mx.ones(2))"
    load = (
        "import mlx_go.core as mx, sys; f = sys.stdin.buffer\n"
        "assert mx.load(f, format='npy').tolist() == [0, 1, 2, 3, 4] and mx.load(f, format='npy').tolist() == [1, 1]"
    )
    a = subprocess.Popen([sys.executable, "-c", save], stdout=subprocess.PIPE)
    b = subprocess.run([sys.executable, "-c", load], stdin=a.stdout, timeout=900)
    assert a.wait() == 0 and b.returncode == 0
