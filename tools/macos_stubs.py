"""Writes the text stubs (.tbd) against which a macOS library links on Linux: python tools/macos_stubs.py DIR

zig brings libSystem. What else the Go runtime and standard library load on macOS is stated in Go's own sources, as
`//go:cgo_import_dynamic local symbol "library"`; the stubs hold exactly those names. Nothing comes from Apple's SDK.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

IMPORT = re.compile(r'^//go:cgo_import_dynamic \w+ (\w+) "(/[^"]+)"', re.M)
# Linked by the cgo flags of runtime/cgo, net and os/user even when no symbol of theirs ends up being used.
ALWAYS = (
    "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation",
    "/System/Library/Frameworks/Security.framework/Versions/A/Security",
    "/usr/lib/libresolv.9.dylib",
)


def go_imports() -> dict[str, set[str]]:
    """Symbols by library, as Go's standard library imports them."""
    goroot = subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip()
    found: dict[str, set[str]] = defaultdict(set)
    for package in ("crypto", "net", "os", "runtime", "internal", "syscall"):
        for path in (Path(goroot) / "src" / package).rglob("*.go"):
            for symbol, library in IMPORT.findall(path.read_text(encoding="utf-8")):
                found[library].add(symbol)
    return found


def stub_path(library: str) -> str:
    """Where the linker looks for it: -framework NAME in Frameworks/, -lNAME in lib/."""
    if ".framework/" in library:
        name = Path(library).name
        return f"Frameworks/{name}.framework/{name}.tbd"
    return f"lib/{Path(library).name.split('.')[0]}.tbd"


def write(root: Path, library: str, symbols: set[str]) -> None:
    path = root / stub_path(library)
    path.parent.mkdir(parents=True, exist_ok=True)
    exports = ""
    if symbols:
        names = ", ".join(f"_{s}" for s in sorted(symbols))
        exports = f"exports:\n  - targets: [ arm64-macos ]\n    symbols: [ {names} ]\n"
    path.write_text(
        f"--- !tapi-tbd\ntbd-version: 4\ntargets: [ arm64-macos ]\ninstall-name: '{library}'\n"
        f"current-version: 1.0\ncompatibility-version: 1.0\n{exports}...\n"
    )


def main() -> None:
    root, found = Path(sys.argv[1]), go_imports()
    for library in sorted({*found, *ALWAYS}):
        if "libSystem" not in library:
            write(root, library, found.get(library, set()))


if __name__ == "__main__":
    main()
