"""npy, npz and safetensors files: byte for byte with NumPy, the safetensors package and the oracle, in both directions."""

from __future__ import annotations

import errno
import io
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import DTYPES, array, assert_close, mlx, mx, name_of, needs_oracle, sample, to_numpy

try:
    import safetensors
    import safetensors.numpy
except ImportError:
    safetensors = None

pytestmark = pytest.mark.smoke
needs_safetensors = pytest.mark.skipif(
    safetensors is None, reason="compares with the safetensors package, which is not installed"
)
NUMPY = [d for d in DTYPES if d != "bfloat16"]
SHAPES = [(), (1,), (5,), (2, 3), (0,), (2, 0, 3), (2, 3, 4)]


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_npy_both_ways(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    x = sample(name, shape, 1)
    mx.save(str(tmp_path / "ours.npy"), array(mx, x, name))
    np.save(tmp_path / "numpy.npy", x)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()
    a = mx.load(str(tmp_path / "numpy.npy"))
    assert name_of(a) == name and tuple(a.shape) == shape
    assert_close(a, x)


@pytest.mark.parametrize("name", NUMPY)
def test_npy_fortran_order_and_views(tmp_path: Path, name: str) -> None:
    x = sample(name, (3, 4, 2), 2)
    np.save(tmp_path / "f.npy", np.asfortranarray(x))
    assert_close(mx.load(str(tmp_path / "f.npy")), x)
    mx.save(str(tmp_path / "v.npy"), array(mx, x, name).transpose(2, 0, 1)[:, ::-1])
    assert_close(np.load(tmp_path / "v.npy"), x.transpose(2, 0, 1)[:, ::-1])


def test_npy_from_paths_and_open_files(tmp_path: Path) -> None:
    a = mx.arange(6).reshape(2, 3)
    mx.save(tmp_path / "path.npy", a)
    with open(tmp_path / "file.npy", "wb") as f:
        mx.save(f, a)
    buffer = io.BytesIO()
    mx.save(buffer, a)
    assert buffer.getvalue() == (tmp_path / "path.npy").read_bytes() == (tmp_path / "file.npy").read_bytes()
    with open(tmp_path / "path.npy", "rb") as f:
        assert mx.load(f).tolist() == a.tolist()
    buffer.seek(0)
    assert mx.load(buffer, format="npy").tolist() == a.tolist()
    mx.save(str(tmp_path / "bare"), a)  # the extension is added
    assert mx.load(str(tmp_path / "bare.npy")).tolist() == a.tolist()


@pytest.mark.parametrize("compressed", [False, True])
def test_npz_both_ways(tmp_path: Path, compressed: bool) -> None:
    arrays = {f"a_{d}": sample(d, (3, 2), 3) for d in NUMPY}
    ours, theirs = tmp_path / "ours.npz", tmp_path / "numpy.npz"
    (mx.savez_compressed if compressed else mx.savez)(
        str(ours), mx.array([7.0]), **{k: array(mx, v, k[2:]) for k, v in arrays.items()}
    )
    (np.savez_compressed if compressed else np.savez)(theirs, np.array([7.0], np.float32), **arrays)
    with np.load(ours) as z:
        assert set(z.files) == {"arr_0", *arrays}
        for k, v in arrays.items():
            assert z[k].dtype == v.dtype
            assert_close(z[k], v)
    got = mx.load(str(theirs))
    assert isinstance(got, dict) and set(got) == {"arr_0", *arrays}
    for k, v in arrays.items():
        assert name_of(got[k]) == k[2:]
        assert_close(got[k], v)


@needs_safetensors
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_safetensors_both_ways(tmp_path: Path, shape: tuple[int, ...]) -> None:
    names = [d for d in NUMPY if d != "complex64"]
    arrays = {d: sample(d, shape, 4) for d in names}
    mx.save_safetensors(
        str(tmp_path / "ours.safetensors"), {k: array(mx, v, k) for k, v in arrays.items()}, {"made": "here"}
    )
    read = safetensors.numpy.load_file(tmp_path / "ours.safetensors")
    assert set(read) == set(arrays)
    for k, v in arrays.items():
        assert read[k].dtype == v.dtype and read[k].shape == shape
        assert_close(read[k], v)
    with safetensors.safe_open(tmp_path / "ours.safetensors", "np") as f:
        assert f.metadata() == {"made": "here"}
    safetensors.numpy.save_file(arrays, tmp_path / "theirs.safetensors", {"by": "them", "ünï": 'cødé "q"'})
    got, metadata = mx.load(str(tmp_path / "theirs.safetensors"), return_metadata=True)
    assert metadata == {"by": "them", "ünï": 'cødé "q"'}
    for k, v in arrays.items():
        assert name_of(got[k]) == k
        assert_close(got[k], v)


def test_safetensors_bfloat16_and_complex(tmp_path: Path) -> None:
    arrays = {d: array(mx, sample(d, (2, 3), 5), d) for d in ("bfloat16", "float16", "bool", "uint64", "complex64")}
    path = str(tmp_path / "b.safetensors")
    mx.save_safetensors(path, arrays)
    got = mx.load(path)
    for k, v in arrays.items():
        assert name_of(got[k]) == k and tuple(got[k].shape) == (2, 3)
        assert_close(got[k], to_numpy(v))


FLOAT8 = ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ")


@pytest.mark.parametrize("name", FLOAT8)
def test_safetensors_float8_are_their_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.safetensors").write_bytes(tensors({"a": entry(name, (16,))}, bytes(range(240, 256))))
    a = mx.load(tmp_path / "x.safetensors")["a"]
    assert name_of(a) == "uint8" and a.tolist() == list(range(240, 256))
    if mlx is not None and name in ("F8_E4M3", "F8_E8M0"):
        assert mlx.load(str(tmp_path / "x.safetensors"))["a"].tolist() == a.tolist()


@pytest.mark.parametrize("name", ["F4", "F6_E2M3", "F6_E3M2", "F128", "C128"])
def test_safetensors_types_that_have_no_dtype(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(tensors({"ok": entry(), "bad": entry(name, (32,), (16, 32))}, bytes(32)))
    with pytest.raises(ValueError, match=rf"x\.safetensors.*bad.*{name}"):
        mx.load(path)


NAMES = ["a\0b", "a\0c", "\0", "a", "", "\0\0", "é\0", 'q"\\\n\x1f', "\U0001f600"]


def test_safetensors_names_stay_themselves(tmp_path: Path) -> None:
    path = str(tmp_path / "x.safetensors")
    arrays = {k: mx.array([i, -i]) for i, k in enumerate(NAMES)}
    metadata = {k: f"\0{k}\0" for k in NAMES}
    mx.save_safetensors(path, arrays, metadata)
    got, info = mx.load(path, return_metadata=True)
    assert {k: a.tolist() for k, a in got.items()} == {k: a.tolist() for k, a in arrays.items()} and info == metadata
    if mlx is not None:
        theirs, info = mlx.load(path, return_metadata=True)
        assert {k: a.tolist() for k, a in theirs.items()} == {
            k: a.tolist() for k, a in arrays.items()
        } and info == metadata
        mlx.save_safetensors(path, theirs, metadata)
        assert set(mx.load(path)) == set(NAMES)
    if safetensors is not None:
        assert set(safetensors.numpy.load_file(path)) == set(NAMES)
    with pytest.raises(ValueError, match="surrogates"):
        mx.save_safetensors(path, {"\ud800": mx.zeros(1)})
    assert set(mx.load(path)) == set(NAMES)


def test_npz_names_stay_themselves_or_are_refused(tmp_path: Path) -> None:
    """A zip reader sees no more of a name than stands before a zero byte."""
    path = str(tmp_path / "x.npz")
    names = [k for k in NAMES if "\0" not in k] + ["dir/../x", "x.npy", "é" * 1000]
    mx.savez(path, **{k: mx.array([i]) for i, k in enumerate(names)})
    assert {k: a.item() for k, a in mx.load(path).items()} == {k: i for i, k in enumerate(names)}
    with pytest.raises(ValueError, match="null"):
        mx.savez(path, **{"a\0b": mx.zeros(1)})


def test_many_names(tmp_path: Path) -> None:
    names = [f"layer.{i}\0" for i in range(20_000)]
    path = str(tmp_path / "x.safetensors")
    mx.save_safetensors(path, dict.fromkeys(names, mx.array(7, mx.uint8)), dict.fromkeys(names, "value"))
    got, metadata = mx.load(path, return_metadata=True)
    assert sorted(got) == sorted(names) and metadata == dict.fromkeys(names, "value")


@pytest.mark.parametrize("kind", ["npy", "npz", "npz deflated", "safetensors"])
def test_bools_of_other_bytes_are_true(tmp_path: Path, kind: str) -> None:
    """Files may hold any byte but 0 for true; kernels add and compare bools as bytes."""
    n = 3_000_000  # more than is read at once
    odd = np.resize(np.array([0, 1, 2, 255, 128], np.uint8), n)
    path = tmp_path / f"x.{kind.split()[0]}"
    if kind == "safetensors":
        path.write_bytes(tensors({"a": entry("BOOL", (n,), (0, n))}, odd.tobytes()))
    elif kind == "npy":
        np.save(path, odd.view(np.bool_))
    else:
        (np.savez_compressed if "deflated" in kind else np.savez)(path, a=odd.view(np.bool_))
    for file in (path, io.BytesIO(path.read_bytes())):
        a = mx.load(file, format=path.suffix[1:])
        a = a["a"] if isinstance(a, dict) else a
        assert int(a.sum().item()) == np.count_nonzero(odd) and bool((a == mx.array(odd != 0)).all())
        assert bytes(a.astype(mx.uint8)) == bytes(a.view(mx.uint8)) == (odd != 0).tobytes()


@needs_oracle
@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors"])
def test_files_of_the_oracle(tmp_path: Path, kind: str) -> None:
    names = [
        d
        for d in DTYPES
        if (d != "bfloat16" or kind == "safetensors") and not (kind == "safetensors" and d == "float64")
    ]
    for lib, other in ((mx, mlx), (mlx, mx)):
        arrays = {d: array(lib, sample(d, (3, 4), 6), d) for d in names}
        path = str(tmp_path / f"{lib.__name__}.{kind}")
        if kind == "npy":
            for d, a in arrays.items():
                lib.save(path, a)
                got = other.load(path)
                assert name_of(got) == d
                assert_close(got, to_numpy(a))
            continue
        lib.savez(path, **arrays) if kind == "npz" else lib.save_safetensors(path, arrays, {"k": "v"})
        got = other.load(path)
        assert set(got) == set(arrays)
        for d, a in arrays.items():
            assert name_of(got[d]) == d
            assert_close(got[d], to_numpy(a))


def npy(header: str, data: bytes = b"\0" * 64, version: bytes = b"\x01\x00", magic: bytes = b"\x93NUMPY") -> bytes:
    text = header.encode() + b"\n"
    return magic + version + struct.pack("<H" if version == b"\x01\x00" else "<I", len(text)) + text + data


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
BAD_NPY = {
    "empty": b"",
    "magic": npy(GOOD, magic=b"\x93NUMPX"),
    "version": npy(GOOD, version=b"\x09\x00"),
    "truncated header": npy(GOOD)[:20],
    "truncated data": npy(GOOD, b"\0" * 8),
    "no shape": npy("{'descr': '<f4', 'fortran_order': False, }"),
    "text": npy("hello"),
    "negative": npy(GOOD.replace("(2, 3)", "(2, -3)")),
    "huge": npy(GOOD.replace("(2, 3)", "(4294967296, 4294967296, 4294967296)")),
    "large": npy(GOOD.replace("(2, 3)", "(1099511627776,)")),
    "objects": npy(GOOD.replace("<f4", "|O")),
    "strings": npy(GOOD.replace("<f4", "<U5")),
    "swapped": npy(GOOD.replace("<f4", "<f9")),
    "not a tuple": npy(GOOD.replace("(2, 3)", "'ab'")),
    "header length": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    "nested": npy("(" * 5000 + ")" * 5000),
}


@pytest.mark.parametrize("what", BAD_NPY)
def test_malformed_npy(tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.npy"
    path.write_bytes(BAD_NPY[what])
    with pytest.raises(ValueError, match=r"\[load\]"):
        mx.eval(mx.load(str(path)))
    with pytest.raises(ValueError):
        mx.eval(mx.load(io.BytesIO(BAD_NPY[what]), format="npy"))


def tensors(header: Any, data: bytes = b"\0" * 16) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: Any = "F32", shape: Any = (4,), at: Any = (0, 16)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": at}


BAD_SAFETENSORS = {
    "empty": b"",
    "short": b"\1\2\3",
    "length": struct.pack("<Q", 2**62) + b"{}",
    "length 2": struct.pack("<Q", 100) + b"{}",
    "json": tensors(b"{nope"),
    "list": tensors(b"[]"),
    "dtype": tensors({"a": entry("F33")}),
    "shape": tensors({"a": entry(shape=(3,))}),
    "negative": tensors({"a": entry(shape=(-4,))}),
    "fraction": tensors({"a": entry(shape=(4.5,))}),
    "huge": tensors({"a": entry(shape=(2**40, 2**40))}),
    "beyond": tensors({"a": entry(at=(0, 32), shape=(8,))}),
    "backwards": tensors({"a": entry(at=(16, 0))}),
    "one offset": tensors({"a": entry(at=(0,))}),
    "no dtype": tensors({"a": {"shape": [4], "data_offsets": [0, 16]}}),
    "text": tensors({"a": "hello"}),
    "overlap": tensors({"a": entry(), "b": entry()}),
    "gap": tensors({"a": entry(shape=(2,), at=(8, 16))}),
    "twice": tensors(
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    ),
    "deep": tensors(b'{"a":' * 20000),
    "metadata": tensors({"__metadata__": {"a": 1}, "a": entry()}),
    "utf": tensors(b'{"\xff\xfe": 1}'),
}


@pytest.mark.parametrize("what", BAD_SAFETENSORS)
def test_malformed_safetensors(tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(BAD_SAFETENSORS[what])
    with pytest.raises(ValueError, match=r"bad\.safetensors"):
        mx.eval(mx.load(str(path)))


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


BAD_NPZ = {
    "empty": b"",
    "no zip": b"PK\3\4 nothing else",
    "bad member": archive(**{"a.npy": BAD_NPY["magic"]}),
    "truncated": archive(**{"a.npy": npy(GOOD)})[:-30],
    "short member": archive(**{"a.npy": BAD_NPY["truncated data"]}),
}


@pytest.mark.parametrize("what", BAD_NPZ)
def test_malformed_npz(tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(BAD_NPZ[what])
    with pytest.raises(ValueError):
        mx.eval(mx.load(str(path)))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path, use in (("none.npy", mx.load), ("no/such/folder.npy", lambda p: mx.save(p, mx.zeros(1)))):
        with pytest.raises(FileNotFoundError) as e:
            use(str(tmp_path / path))
        assert e.value.errno == errno.ENOENT and os.fspath(tmp_path) in e.value.filename
    with pytest.raises(ValueError, match="format"):
        mx.load(str(tmp_path / "x.unknown"))
    with pytest.raises(TypeError):
        mx.save(str(tmp_path / "x.npy"), "not an array")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises((OSError, ValueError)):
        mx.load(str(tmp_path / "folder.npy"))


def test_a_failed_save_keeps_the_old_file(tmp_path: Path) -> None:
    path = str(tmp_path / "kept.safetensors")
    mx.save_safetensors(path, {"a": mx.arange(3)})
    with pytest.raises((IndexError, ValueError)):
        mx.save_safetensors(path, {"a": mx.zeros(3)[mx.array([99])]})
    assert mx.load(path)["a"].tolist() == [0, 1, 2] and os.listdir(tmp_path) == ["kept.safetensors"]


def test_loading_and_saving_over_the_same_file(tmp_path: Path) -> None:
    path = str(tmp_path / "same.safetensors")
    mx.save_safetensors(path, {"a": mx.arange(100_000)})
    again = mx.load(path)
    mx.save_safetensors(path, {"a": again["a"] * 2})
    assert mx.load(path)["a"][-1].item() == 2 * 99_999 and again["a"][-1].item() == 99_999


def test_loading_does_not_double_the_memory(tmp_path: Path) -> None:
    path = str(tmp_path / "big.safetensors")
    mx.save_safetensors(path, {f"w{i}": mx.ones((1 << 20,)) for i in range(8)})
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    arrays = mx.load(path)
    mx.eval(arrays)
    assert mx.get_peak_memory() - before <= 8 * (4 << 20) + (1 << 20)
    assert sum(float(a.sum().item()) for a in arrays.values()) == 8 * (1 << 20)
