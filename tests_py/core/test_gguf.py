"""GGUF files: what MLX writes is read, and what is written here MLX reads; quantized tensors and metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import array, assert_same, both, dt, mlx, mx, name_of, needs_oracle, sample, to_numpy

METADATA = {"text": "wörds", "list": ["a", "", "c\n"], "none": []}


def metadata(lib: Any) -> dict[str, Any]:
    numbers = {
        name: lib.array([1, 2, 3]).astype(dt(lib, name))
        for name in ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32")
    }
    return METADATA | numbers | {"number": lib.array(7), "flag": lib.array(True), "half": lib.array(0.5)}


def arrays(lib: Any) -> dict[str, Any]:
    names = ("float32", "float16", "int8", "int16", "int32")
    found = {name: array(lib, sample(name, (3, 5)), name) for name in names}
    return found | {"scalar": lib.array(3.0), "transposed": found["float32"].T, "deep": lib.ones((1, 2, 1, 3))}


def same(got: Any, want: Any) -> None:
    assert set(got) == set(want)
    for key, w in want.items():
        if isinstance(w, (str, list)):
            assert got[key] == w, key
        else:
            assert (name_of(got[key]), got[key].shape) == (name_of(w), tuple(w.shape)), key
            assert to_numpy(got[key]).tolist() == to_numpy(w).tolist(), key


@needs_oracle
def test_both_read_what_either_writes(tmp_path: Path) -> None:
    for writer in (mx, mlx):
        file = str(tmp_path / f"{writer.__name__}.gguf")
        writer.save_gguf(file, arrays(writer), metadata(writer))
        for reader in (mx, mlx):
            found, pairs = reader.load(file, return_metadata=True)
            same(found, arrays(mx))
            same(pairs, metadata(mx))
            same(reader.load(file), arrays(mx))


def test_what_only_this_library_writes(tmp_path: Path) -> None:
    file = tmp_path / "more"
    more = {name: array(mx, sample(name, (2, 3)), name) for name in ("bfloat16", "float64", "int64")}
    mx.save_gguf(file, more | {"empty": mx.zeros((0, 3))})
    same(mx.load(tmp_path / "more.gguf"), more | {"empty": mx.zeros((0, 3))})
    assert mx.load(tmp_path / "more.gguf", return_metadata=True)[1] == {}
    mx.save_gguf(file, {}, {})
    assert mx.load(tmp_path / "more.gguf", "gguf") == {}


def blocks(kind: str, rng: np.random.Generator, count: int) -> bytes:
    """Random blocks of 32 elements."""
    out = b""
    for _ in range(count):
        scales = rng.uniform(0.01, 1, 1 + (kind == "Q4_1")).astype(np.float16)
        out += scales.tobytes() + rng.bytes(32 if kind == "Q8_0" else 16)
    return out


def quantized_file(path: Path, kind: str, rows: int, columns: int) -> None:
    number = {"Q4_0": 2, "Q4_1": 3, "Q8_0": 8}[kind]
    u32, u64 = (lambda n: n.to_bytes(4, "little")), (lambda n: n.to_bytes(8, "little"))
    name = b"blk.0.ffn.weight"
    head = b"GGUF" + u32(3) + u64(1) + u64(0)
    head += u64(len(name)) + name + u32(2) + u64(columns) + u64(rows) + u32(number) + u64(0)
    data = blocks(kind, np.random.default_rng(1), rows * columns // 32)
    path.write_bytes(head + bytes(-len(head) % 32) + data)


@needs_oracle
@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
@pytest.mark.parametrize("shape", [(1, 32), (3, 64), (130, 1024)])
def test_quantized_tensors(tmp_path: Path, kind: str, shape: tuple[int, int]) -> None:
    quantized_file(tmp_path / "q.gguf", kind, *shape)
    got, want = mx.load(tmp_path / "q.gguf"), mlx.load(str(tmp_path / "q.gguf"))
    assert set(got) == set(want) == {"blk.0.ffn.weight", "blk.0.ffn.scales", "blk.0.ffn.biases"}
    for key, w in want.items():
        assert_same(got[key], w, what=key)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ValueError, lambda p: mx.save_gguf(p, {"a": mx.ones(3, mx.uint8)})),
        (ValueError, lambda p: mx.save_gguf(p, {"a": mx.ones(3, mx.complex64)})),
        (ValueError, lambda p: mx.save_gguf(p, {"\0a": mx.ones(3)})),
        (ValueError, lambda p: mx.save_gguf(p, {}, {"k": mx.ones((2, 2))})),
        (ValueError, lambda p: mx.save_gguf(p, {}, {"k": mx.array([])})),
        (ValueError, lambda p: mx.save_gguf(p, {}, {"k": mx.ones(2, mx.float16)})),
        (TypeError, lambda p: mx.save_gguf(p, {}, {"k": 3})),
        (TypeError, lambda p: mx.save_gguf(p, {}, {"k": ["a", 3]})),
        (TypeError, lambda p: mx.save_gguf(p, {}, {3: "a"})),
        (TypeError, lambda p: mx.save_gguf(p, {"a": 3})),
        (TypeError, lambda p: mx.save_gguf(p, [mx.ones(3)])),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, error: type[Exception], call: Any) -> None:
    with pytest.raises(error) as raised:
        call(tmp_path / "bad.gguf")
    assert str(raised.value) and not (tmp_path / "bad.gguf").exists()


def test_file_objects_and_malformed_files(tmp_path: Path) -> None:
    with (tmp_path / "a.gguf").open("wb") as file, pytest.raises(TypeError, match="must be a path"):
        mx.save_gguf(file, {"a": mx.ones(3)})
    mx.save_gguf(tmp_path / "a.gguf", {"a": mx.ones(3)})
    with (tmp_path / "a.gguf").open("rb") as file, pytest.raises(ValueError, match="from a path"):
        mx.load(file)
    whole = (tmp_path / "a.gguf").read_bytes()
    for n in range(len(whole)):
        (tmp_path / "cut.gguf").write_bytes(whole[:n])
        with pytest.raises(ValueError, match=r"\[load\] .*cut.gguf"):
            mx.load(tmp_path / "cut.gguf")
    with pytest.raises(FileNotFoundError):
        mx.load(tmp_path / "none.gguf")


@needs_oracle
def test_arguments_by_name(tmp_path: Path) -> None:
    for lib in (mx, mlx):
        a = both([1.0], "float32")[lib is mlx]
        lib.save_gguf(file=str(tmp_path / "n.gguf"), arrays={"a": a}, metadata={"k": "v"})
        assert lib.load(str(tmp_path / "n.gguf"), return_metadata=True)[1] == {"k": "v"}
