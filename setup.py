"""Builds mlx_go/_core.abi3.so with `go build -buildmode=c-shared`: the Go library is itself the extension module.

Needs Go and a C compiler, and no Python headers (see capi/pyabi.h). Environment variables, for cross builds:
    MLX_GO_TARGET    GOOS/GOARCH to build for, e.g. darwin/arm64; CC must then be a compiler for it
    MLX_GO_PLATFORM  platform tag of the wheel, e.g. manylinux_2_28_x86_64
    MLX_GO_GO        the go command, if not the one on PATH
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).resolve().parent
GO_MIN = tuple(int(n) for n in re.search(r"^go (\d+)\.(\d+)", (ROOT / "go.mod").read_text(), re.M).groups())


def stop(sentence):
    """One sentence on stderr and no traceback: what is missing is on the user's machine, not in this file."""
    sys.stdout.flush()
    print(f"\nmlx_go: {sentence}\n", file=sys.stderr, flush=True)
    sys.exit(1)


def find_go():
    need = "Go {}.{} or newer".format(*GO_MIN)
    go = os.environ.get("MLX_GO_GO", "go")
    path = shutil.which(go)
    if not path:
        stop(f"building from source needs {need} (https://go.dev/dl), and there is no `{go}` on PATH.")

    def version(cwd):
        done = subprocess.run([path, "env", "GOVERSION"], cwd=cwd, capture_output=True, text=True)
        found = re.match(r"go(\d+)\.(\d+)", done.stdout)
        return tuple(int(n) for n in found.groups()) if found else (0, 0)

    # In the module, an older Go fetches the toolchain that go.mod asks for, if it may; elsewhere it says its own version.
    if version(ROOT) < GO_MIN:
        with tempfile.TemporaryDirectory() as outside:
            own = "{}.{}".format(*version(outside))
        stop(f"building from source needs {need} (https://go.dev/dl), and {path} is Go {own}.")
    return path


def find_tools():
    """The go command, once it is known that it and a C compiler can do the build."""
    go = find_go()
    cc = subprocess.run([go, "env", "CC"], capture_output=True, text=True, check=True).stdout.strip()
    if not shutil.which(shlex.split(cc)[0]):
        stop(
            f"building from source needs a C compiler, and there is no `{cc}` on PATH: install gcc or clang, or set CC."
        )
    return go


class GoBuildExt(build_ext):
    def get_ext_filename(self, fullname):
        return os.path.join(*fullname.split(".")) + ".abi3.so"  # the suffix is the same on macOS

    def build_extension(self, ext):
        go = find_tools()
        out = Path(self.get_ext_fullpath(ext.name)).resolve()
        out.parent.mkdir(parents=True, exist_ok=True)

        env = {**os.environ, "CGO_ENABLED": "1"}
        # The kernels need NaN and infinity but neither errno nor traps. gcc is told so by their pragma, which clang ignores.
        env["CGO_CFLAGS"] = env.get("CGO_CFLAGS", "-O2 -g0") + " -fno-math-errno -fno-trapping-math -ffp-contract=fast"
        env.setdefault("CGO_CFLAGS_ALLOW", "-[fm].*")  # cgo admits only listed flags in #cgo lines
        if target := os.environ.get("MLX_GO_TARGET"):
            env["GOOS"], env["GOARCH"] = target.split("/")
        if env.get("GOOS", sys.platform) == "darwin":
            # The Python API is found in the interpreter at load time, as on Linux.
            extld = "-Wl,-undefined,dynamic_lookup -Wl,-install_name,@rpath/_core.abi3.so"
        else:
            extld = "-s"  # zig's linker keeps the symbol table for Go's own -s
        command = [go, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false"]
        command += [f"-ldflags=-s -w '-extldflags={extld}'", "-o", str(out), "./capi/extension"]
        print("mlx_go:", shlex.join(command), flush=True)
        if subprocess.run(command, cwd=ROOT, env=env).returncode:
            stop("`go build` failed; its own message is above.")
        out.with_suffix(".h").unlink(missing_ok=True)  # cgo's header: nobody links to the library from C


class Abi3Wheel(bdist_wheel):
    def run(self):
        find_tools()  # before pages of build output, so that the sentence is all there is to read
        # setuptools only adds to build/lib: modules that were deleted since, and other systems' libraries, would be shipped.
        shutil.rmtree(self.get_finalized_command("build").build_lib, ignore_errors=True)
        super().run()

    def get_tag(self):
        platform = os.environ.get("MLX_GO_PLATFORM") or super().get_tag()[2]
        return "cp310", "abi3", platform


class EditableWheel(editable_wheel):
    def run(self):
        find_tools()
        super().run()


if sysconfig.get_config_var("Py_GIL_DISABLED"):
    stop("free-threaded CPython has no stable ABI yet; use a standard CPython 3.10 or newer.")

setup(
    ext_modules=[Extension("mlx_go._core", sources=[], py_limited_api=True)],
    cmdclass={"build_ext": GoBuildExt, "bdist_wheel": Abi3Wheel, "editable_wheel": EditableWheel},
)
