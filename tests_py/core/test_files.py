"""What saving leaves on disk: names, links, owners and attributes, failures half way, kills, pipes and devices."""

from __future__ import annotations

import errno
import os
import resource
import stat
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlx_go.core as mx

pytestmark = [pytest.mark.smoke, pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="files as POSIX has them")]
linux = pytest.mark.skipif(sys.platform != "linux", reason="extended attributes and /proc as Linux has them")
SAVES: dict[str, Callable[[Any, mx.array], None]] = {
    "npy": mx.save,
    "npz": lambda file, a: mx.savez(file, a=a),
    "safetensors": lambda file, a: mx.save_safetensors(file, {"a": a}),
}


def one(loaded: Any) -> list[Any]:
    return (loaded["a"] if isinstance(loaded, dict) else loaded).tolist()


def run(program: str, *args: str, encoding: dict[str, str] | None = None, **options: Any) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "import mlx_go.core as mx, os, sys\n" + textwrap.dedent(program), *args],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, **(encoding or {})},
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


INTERRUPT = """
import signal, threading, time
def interrupted(f):
    def send():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=send).start()
    try: f()
    except KeyboardInterrupt: pass
    else: raise AssertionError("no KeyboardInterrupt")
    assert (mx.arange(3) + 1).tolist() == [1, 2, 3]
"""


# ---- names ----


@pytest.mark.parametrize("kind", SAVES)
def test_a_zero_byte_in_a_path_is_refused(tmp_path: Path, kind: str) -> None:
    for path in (f"{tmp_path}/x\0y.{kind}", os.fsencode(f"{tmp_path}/x.{kind}\0")):
        with pytest.raises(ValueError, match="null byte"):
            SAVES[kind](path, mx.arange(3))
        with pytest.raises(ValueError, match="null byte"):
            mx.load(path, format=kind)
    assert os.listdir(tmp_path) == []


@linux
@pytest.mark.parametrize("kind", SAVES)
def test_paths_that_are_not_utf8(tmp_path: Path, kind: str) -> None:
    name = os.fsencode(tmp_path) + b"/w\xe9\xff." + kind.encode()
    SAVES[kind](os.fsdecode(name), mx.arange(3))
    assert os.listdir(os.fsencode(tmp_path)) == [os.path.basename(name)]
    for path in (name, os.fsdecode(name), Path(os.fsdecode(name))):
        assert one(mx.load(path)) == [0, 1, 2]
    os.remove(name)
    with pytest.raises(FileNotFoundError) as e:
        mx.load(name)
    assert e.value.filename == os.fsdecode(name)


@linux
@pytest.mark.parametrize(
    "encoding",
    [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONUTF8": "1"}],
    ids=["C", "UTF-8"],
)
def test_names_in_other_locales(tmp_path: Path, encoding: dict[str, str]) -> None:
    run(
        """
        import numpy as np
        name = b"caf\\xc3\\xa9".decode(sys.getfilesystemencoding(), "surrogateescape")
        mx.save(name + ".npy", mx.arange(3))
        np.save(name + "2.npy", np.arange(3))
        assert mx.load(name + ".npy").tolist() == mx.load(name + "2.npy").tolist() == [0, 1, 2]
        """,
        encoding=encoding,
        cwd=tmp_path,
    )
    assert sorted(os.listdir(tmp_path)) == ["café.npy", "café2.npy"]


# ---- what an old file keeps ----


def attributes(path: Path) -> dict[str, bytes]:
    return {n: os.getxattr(path, n) for n in os.listxattr(path)} if hasattr(os, "listxattr") else {}


def set_attribute(path: Path) -> None:
    try:
        os.setxattr(path, "user.origin", b"experiment 7")
    except (AttributeError, OSError):
        pytest.skip("the file system has no extended attributes")


@linux
def test_a_save_keeps_mode_owner_and_attributes(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(2))
    os.chmod(path, 0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    set_attribute(path)
    before, inode = path.stat(), path.stat().st_ino
    mx.save(path, mx.arange(3))
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert attributes(path) == {"user.origin": b"experiment 7"} and mx.load(path).tolist() == [0, 1, 2]
    assert after.st_ino != inode  # whoever had the old file open still reads it
    assert os.listdir(tmp_path) == ["x.npy"]


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        mx.save(tmp_path / "x.npy", mx.arange(3))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x.npy").stat().st_mode) == 0o640


@pytest.mark.parametrize("kind", SAVES)
def test_hard_and_symbolic_links_stay(tmp_path: Path, kind: str) -> None:
    (tmp_path / "real").mkdir()
    path, other = tmp_path / "real" / f"x.{kind}", tmp_path / f"hard.{kind}"
    SAVES[kind](path, mx.arange(1000))
    os.link(path, other)
    SAVES[kind](path, mx.arange(3))
    assert path.stat().st_ino == other.stat().st_ino
    assert one(mx.load(other)) == [0, 1, 2]

    os.symlink("real", tmp_path / "folder")
    os.symlink(f"folder/../real/x.{kind}", tmp_path / f"link.{kind}")
    os.symlink(f"link.{kind}", tmp_path / f"far.{kind}")
    other.unlink()
    SAVES[kind](tmp_path / f"far.{kind}", mx.arange(4))
    assert os.path.islink(tmp_path / f"far.{kind}") and os.path.islink(tmp_path / f"link.{kind}")
    assert one(mx.load(path)) == [0, 1, 2, 3]

    os.symlink(f"folder/new.{kind}", tmp_path / f"dangling.{kind}")
    SAVES[kind](tmp_path / f"dangling.{kind}", mx.arange(5))
    assert one(mx.load(tmp_path / "real" / f"new.{kind}")) == [0, 1, 2, 3, 4]
    assert sorted(os.listdir(tmp_path / "real")) == [f"new.{kind}", f"x.{kind}"]


def test_files_that_may_not_be_written_or_replaced(tmp_path: Path) -> None:
    """A file without write permission is refused, and one in a folder without it written in place, as by NumPy."""
    os.chmod(tmp_path, 0o755)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("fixed", "free"):
        mx.save(folder / f"{name}.npy", mx.arange(2))
    os.chmod(folder / "fixed.npy", 0o444)
    os.chmod(folder / "free.npy", 0o666)
    os.chmod(folder, 0o555)
    inode = (folder / "free.npy").stat().st_ino
    program = """
    os.chdir(sys.argv[1])
    if os.geteuid() == 0: os.setgroups([]), os.setgid(65534), os.setuid(65534)
    mx.save("free.npy", mx.arange(5))
    assert mx.load("free.npy").tolist() == [0, 1, 2, 3, 4]
    try: mx.save("fixed.npy", mx.arange(5))
    except PermissionError as e: assert e.filename == "fixed.npy", e
    else: raise AssertionError("a file without write permission was written")
    """
    try:
        run(program, str(folder))
        assert (folder / "free.npy").stat().st_ino == inode and sorted(os.listdir(folder)) == ["fixed.npy", "free.npy"]
        assert mx.load(folder / "fixed.npy").tolist() == [0, 1]
    finally:
        os.chmod(folder, 0o755)


@linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes files of others")
def test_a_file_of_somebody_else_stays_theirs(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o777)
    path = tmp_path / "x.npy"
    mx.save(path, mx.arange(2))
    os.chmod(path, 0o666)
    os.chown(path, 1234, 4321)
    inode = path.stat().st_ino
    run(
        """
        os.chdir(sys.argv[1])
        os.setgroups([]), os.setgid(65534), os.setuid(65534)
        mx.save("x.npy", mx.arange(5))
        """,
        str(tmp_path),
    )
    after = path.stat()
    assert (after.st_ino, after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (inode, 1234, 4321, 0o666)
    assert mx.load(path).tolist() == [0, 1, 2, 3, 4]


@linux
def test_access_lists_are_those_of_the_old_file(tmp_path: Path) -> None:
    """A default list of the folder is for new files only."""
    rule = struct.Struct("<HHI")
    rules = [(1, 7, -1), (2, 6, 1000), (4, 0, -1), (16, 6, -1), (32, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(rule.pack(tag, may, who % 2**32) for tag, may, who in rules)
    plain, listed = tmp_path / "plain.npy", tmp_path / "listed.npy"
    mx.save(plain, mx.arange(2))
    mx.save(listed, mx.arange(2))
    try:
        os.setxattr(listed, "system.posix_acl_access", acl)
        os.setxattr(tmp_path, "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("the file system has no access lists")
    before = [(attributes(p), p.stat().st_mode) for p in (plain, listed)]
    for p in (plain, listed, tmp_path / "new.npy"):
        mx.save(p, mx.arange(3))
        assert mx.load(p).tolist() == [0, 1, 2]
    np.save(tmp_path / "numpy.npy", np.arange(3))
    assert [(attributes(p), p.stat().st_mode) for p in (plain, listed)] == before
    assert attributes(tmp_path / "new.npy") == attributes(tmp_path / "numpy.npy") != {}


# ---- failures ----


def limited(program: str, *args: str) -> None:
    """Runs with files of at most a MiB."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    run(program, *args, preexec_fn=limit)


@pytest.mark.parametrize("kind", SAVES)
@pytest.mark.parametrize("linked", [False, True], ids=["replaced", "in place"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, kind: str, linked: bool) -> None:
    path = tmp_path / f"x.{kind}"
    SAVES[kind](path, mx.arange(100))
    if linked:
        os.link(path, tmp_path / "y")
    before = path.read_bytes()
    limited(
        f"""
        path = sys.argv[1]
        tensors = lambda p, a: mx.save_safetensors(p, {{"a": a}})
        save = {{"npy": mx.save, "npz": lambda p, a: mx.savez(p, a=a), "safetensors": tensors}}
        for name in (path, path.replace("x.", "new.")):
            try: save["{kind}"](name, mx.zeros((1 << 20,)))
            except OSError as e: assert e.errno == {errno.EFBIG} and e.filename == name, (e.errno, e)
            else: raise AssertionError("no error")
        """,
        str(path),
    )
    assert path.read_bytes() == before and sorted(os.listdir(tmp_path)) == [path.name, "y"][: 1 + linked]


def test_a_name_that_is_refused_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    mx.savez(path, a=mx.arange(3))
    for linked in (False, True):
        if linked:
            os.link(path, tmp_path / "y")
        for name in ("a\0b", "x" * 70000):
            with pytest.raises(ValueError, match="name"):
                mx.savez(path, **{"first": mx.zeros((1 << 20,)), name: mx.zeros(1)})
        assert one(mx.load(path)) == [0, 1, 2]


@pytest.mark.parametrize("kind", SAVES)
def test_errors_name_the_file_of_the_user(tmp_path: Path, kind: str) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        SAVES[kind](tmp_path / "none" / "x", mx.zeros(1))
    assert missing.value.filename == str(tmp_path / "none" / f"x.{kind}")
    (tmp_path / f"folder.{kind}").mkdir()
    with pytest.raises(IsADirectoryError) as folder:
        SAVES[kind](tmp_path / "folder", mx.zeros(1))
    assert folder.value.filename == str(tmp_path / f"folder.{kind}")
    os.symlink("/dev/full", tmp_path / f"full.{kind}")
    if os.path.exists("/dev/full"):
        with pytest.raises(OSError) as e:
            SAVES[kind](tmp_path / f"full.{kind}", mx.zeros((1 << 20,)))
        assert e.value.errno == errno.ENOSPC and e.value.filename == str(tmp_path / f"full.{kind}")


@pytest.mark.parametrize("linked", [False, True], ids=["replaced", "in place"])
def test_ctrl_c_leaves_one_of_both_files(tmp_path: Path, linked: bool) -> None:
    run(
        INTERRUPT
        + textwrap.dedent("""
        path, both = "x.npy", [mx.zeros((1 << 24,)), mx.ones((1 << 24,))]
        mx.eval(both)
        mx.save(path, both[0])
        if sys.argv[1] == "True": os.link(path, "y.npy")
        for _ in range(4):
            interrupted(lambda: [mx.save(path, both[k % 2]) for k in range(1000)])
            assert os.path.getsize(path) == 128 + 4 * (1 << 24)
            assert float(mx.load(path).sum().item()) in (0, 1 << 24)
        """),
        str(linked),
        cwd=tmp_path,
    )
    assert sorted(os.listdir(tmp_path)) == ["x.npy", "y.npy"][: 1 + linked]


@linux
def test_a_killed_save_leaves_nothing(tmp_path: Path) -> None:
    """Nothing but the old file; where the file system has no files without a name, one that the name tells is ours."""
    mx.save(tmp_path / "x.npy", mx.arange(3))
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import mlx_go.core as mx, sys\nx = mx.zeros((1 << 26,)); mx.eval(x); print(flush=True)\n"
            "while True: mx.savez_compressed(sys.argv[1] + '/z.npz', x)",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    child.stdout.readline()
    while not open_temporary(child.pid, tmp_path):
        assert child.poll() is None
        time.sleep(0.001)
    child.kill()
    child.wait()
    names = set(os.listdir(tmp_path)) - {"z.npz"}
    assert names == {"x.npy"} or not unnamed(tmp_path), names


def open_temporary(pid: int, folder: Path) -> bool:
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith(f"{folder}/"):
            return True
    return False


def unnamed(folder: Path) -> bool:
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except OSError:
        return False
    return True


@linux
@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_headers_without_room_are_a_memory_error(tmp_path: Path, kind: str) -> None:
    """Names and shapes lie on the Go heap, and the Go runtime ends the process where that cannot grow."""
    path, n = tmp_path / f"x.{kind}", 20_000 if kind == "npz" else 60_000
    arrays = dict.fromkeys((f"a{i}" for i in range(n)), mx.array(1, mx.uint8))
    mx.savez(path, **arrays) if kind == "npz" else mx.save_safetensors(path, arrays)
    run(
        """
        import resource
        path, n, extra, loaded = sys.argv[1], int(sys.argv[2]), 20, 0
        mx.eval(mx.arange(10) + 1)
        while not loaded:
            now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + (extra << 20), resource.RLIM_INFINITY))
            try: loaded = len(mx.load(path))
            except MemoryError: extra += 60
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert loaded == n and 20 < extra < 1000, (loaded, extra)
        """,
        str(path),
        str(n),
    )


# ---- pipes and devices ----


@pytest.mark.parametrize("kind", SAVES)
def test_a_save_to_a_pipe(tmp_path: Path, kind: str) -> None:
    path, got = tmp_path / f"pipe.{kind}", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    a = mx.arange(1 << 18)
    SAVES[kind](path, a)
    reader.join()
    SAVES[kind](tmp_path / f"file.{kind}", a)
    assert got == [(tmp_path / f"file.{kind}").read_bytes()] and stat.S_ISFIFO(path.stat().st_mode)
    with pytest.raises(OSError, match="regular file"):
        mx.load(path)


def test_a_pipe_that_nobody_reads_is_left_by_ctrl_c(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npy")
    run(
        INTERRUPT
        + textwrap.dedent("""
        path = sys.argv[1]
        interrupted(lambda: mx.save(path, mx.zeros((1 << 20,))))          # nobody opens it
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        interrupted(lambda: mx.save(path, mx.zeros((1 << 20,))))          # nobody reads
        r, w = os.pipe()
        with open(w, "wb", buffering=0) as f:
            interrupted(lambda: mx.save(f, mx.zeros((1 << 20,))))
        """),
        str(tmp_path / "pipe.npy"),
    )


LEASE = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, lambda *a: None)
fd = os.open(sys.argv[1], os.O_RDWR)
try: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError: print("none", flush=True)
else: print("held", flush=True)
sys.stdin.read(1)
"""


@linux
def test_a_file_that_stalls_is_left_by_ctrl_c(tmp_path: Path) -> None:
    """A lease keeps opening waiting in the kernel as a server that is gone does, until its holder gives it up."""
    path = str(tmp_path / "x.npy")
    mx.save(path, mx.ones((1 << 20,)))
    holder = subprocess.Popen(
        [sys.executable, "-c", LEASE, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin and holder.stdout
    try:
        if holder.stdout.readline() != "held\n":
            pytest.skip("the file system has no leases")
        run(
            INTERRUPT
            + textwrap.dedent("""
            path, holder = sys.argv[1], int(sys.argv[2])
            before = mx.get_active_memory()
            interrupted(lambda: mx.load(path))
            interrupted(lambda: mx.save(path, mx.zeros((3,))))
            os.kill(holder, signal.SIGKILL)
            assert mx.load(path).size == 1 << 20
            mx.save(path, mx.arange(3))
            assert mx.load(path).tolist() == [0, 1, 2]
            mx.eval(mx.array(0))
            while mx.get_active_memory() - before > 1 << 20: time.sleep(0.01)  # what was left to itself has ended, too
            """),
            path,
            str(holder.pid),
        )
    finally:
        holder.kill()
        holder.wait()


def test_a_reader_that_leaves_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pipe.npy"
    os.mkfifo(path)

    def read() -> None:
        fd = os.open(path, os.O_RDONLY)
        os.read(fd, 100)
        os.close(fd)

    reader = threading.Thread(target=read)
    reader.start()
    with pytest.raises(BrokenPipeError) as e:
        mx.save(path, mx.zeros((1 << 20,)))
    assert e.value.filename == str(path)
    reader.join()
