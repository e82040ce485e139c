"""Checks a built wheel and prints the facts: python tools/check_wheel.py WHEEL

Both systems: abi3 tag, one extension, typing files, size, only stable-ABI symbols (abi3audit).
Linux: the glibc it needs is no newer than its tag says (auditwheel), it needs no library outside glibc, it is stripped.
macOS: arm64, loads each system library once, takes Python's symbols from the interpreter, has a valid ad hoc signature.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import macho

MAX_BYTES = 12 << 20
EXTENSION = "mlx_go/_core.abi3.so"
GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "libresolv.so.2", "librt.so.1"}


def must(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"check_wheel: {what}")


def run(*command: str) -> str:
    done = subprocess.run([str(Path(sys.executable).parent / command[0]), *command[1:]], capture_output=True, text=True)
    must(done.returncode == 0, f"{' '.join(command)} failed\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check_elf(wheel: Path, library: bytes) -> str:
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(io.BytesIO(library))
    needed = {tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")}
    must(needed <= GLIBC, f"needs libraries outside glibc: {sorted(needed - GLIBC)}")
    must(elf.get_section_by_name(".symtab") is None, "is not stripped")
    flags = {tag.entry.d_tag: tag.entry.d_val for tag in elf.get_section_by_name(".dynamic").iter_tags()}
    # A symbol that the interpreter lacks is an ImportError then, and no crash when it is first called.
    must(bool(flags.get("DT_FLAGS", 0) & 8 or flags.get("DT_FLAGS_1", 0) & 1), "is not linked with -z now")
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", library)
    floor = max((int(a), int(b)) for a, b in versions)
    if tag := re.search(r"manylinux_(\d+)_(\d+)", wheel.name):
        promised = int(tag[1]), int(tag[2])
        must(floor <= promised, f"needs glibc {floor}, its tag promises {promised}")
        shown = " ".join(run("auditwheel", "show", str(wheel)).split())
        audited = re.search(r'platform tag: "manylinux_(\d+)_(\d+)', shown)
        must(audited is not None, f"auditwheel does not call it manylinux: {shown}")
        assert audited is not None
        must((int(audited[1]), int(audited[2])) <= promised, f"auditwheel says {audited[0]}")
    return f"glibc {floor[0]}.{floor[1]}, needs {' '.join(sorted(needed))}"


def check_macho(wheel: Path, library: bytes) -> str:
    lib = macho.read(library)
    tag = re.search(r"macosx_(\d+)_(\d+)_arm64", wheel.name)
    must(tag is not None, "macOS wheel without a macosx_*_arm64 tag")
    assert tag is not None
    must((lib.cpu, lib.file_type) == (macho.CPU_ARM64, macho.MH_DYLIB), "is not an arm64 dynamic library")
    must(lib.minos <= (int(tag[1]), int(tag[2])), f"needs macOS {lib.minos}, its tag promises {tag[0]}")
    must(len(set(lib.loads)) == len(lib.loads), f"loads a library twice, which dyld refuses: {lib.loads}")
    outside = [name for name in lib.loads if not name.startswith(("/usr/lib/", "/System/Library/Frameworks/"))]
    must(not outside, f"loads libraries that are not the system's: {outside}")
    must("_PyInit__core" in lib.exports, "does not export PyInit__core")
    flat = {name for name, ordinal in lib.imports.items() if ordinal == macho.DYNAMIC_LOOKUP}
    python = {name for name in lib.imports if re.match("__?Py", name)}
    must(
        bool(python) and flat == python,
        f"not only Python's symbols are looked up at load time: {sorted(flat ^ python)}",
    )
    must(not lib.signed, f"code signature: {lib.signed}")
    return f"macOS {lib.minos[0]}.{lib.minos[1]}, loads {' '.join(Path(name).name for name in lib.loads)}"


def main() -> None:
    wheel = Path(sys.argv[1])
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        library = archive.read(EXTENSION)
    must("-cp310-abi3-" in wheel.name, "tag is not cp310-abi3")
    must([n for n in names if n.endswith((".so", ".dylib", ".a", ".h"))] == [EXTENSION], f"stray binaries in {names}")
    for name in ("mlx_go/py.typed", "mlx_go/core.pyi"):
        must(name in names, f"{name} is missing")
    size = wheel.stat().st_size
    must(size <= MAX_BYTES, f"{size} bytes; the limit is {MAX_BYTES}")
    run("abi3audit", "--strict", str(wheel))
    facts = check_elf(wheel, library) if library.startswith(b"\x7fELF") else check_macho(wheel, library)
    print(f"check_wheel: {wheel.name}: {size / 1e6:.2f} MB, {facts}, abi3audit clean")


if __name__ == "__main__":
    main()
