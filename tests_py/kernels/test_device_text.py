"""The elementwise kernels as CUDA C and Metal text.

CUDA text is compiled to PTX by NVRTC (no GPU takes part). Metal text is compiled as C++ under a shim and run on the CPU, where
its values are compared with the CPU backend's: a simulation, not a GPU.
"""

import ctypes
import importlib.util
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

import mlx_go.core as mx

ROOT = pathlib.Path(__file__).resolve().parents[2]


def emit(target: str) -> str:
    """The text of every kernel for a target."""
    if shutil.which("go") is None:
        pytest.skip("needs the Go toolchain to render the kernels")
    done = subprocess.run(
        ["go", "run", "./backends/internal/clike/emit", target], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def nvrtc() -> ctypes.CDLL:
    """NVRTC from the pip package."""
    spec = importlib.util.find_spec("nvidia.cuda_nvrtc") if importlib.util.find_spec("nvidia") else None
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("needs nvidia-cuda-nvrtc-cu12")
    folder = pathlib.Path(next(iter(spec.submodule_search_locations)))
    return ctypes.CDLL(str(next((folder / "lib").glob("libnvrtc.so.*"))))


def test_cuda_text_compiles_for_compute_70():
    lib, source = nvrtc(), emit("cuda")
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    assert lib.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"rows.cu", 0, None, None) == 0
    options = (ctypes.c_char_p * 3)(b"--gpu-architecture=compute_70", b"--std=c++17", b"-w")
    status = lib.nvrtcCompileProgram(program, len(options), options)
    lib.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    lib.nvrtcGetProgramLog(program, log)
    assert status == 0, log.value.decode()[:4000]
    lib.nvrtcGetPTXSize(program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    lib.nvrtcGetPTX(program, ptx)
    kernels = source.count("__global__")
    assert kernels > 500
    assert ptx.value.count(b".visible .entry") == kernels


SAMPLES = {
    "f32": np.array([-2.5, -1.0, -0.3, 0.0, 0.2, 0.7, 1.0, 1.9, 3.5, np.inf, -np.inf, np.nan], np.float32),
    "c64": np.array([0.5 + 0.25j, -0.4 + 0.6j, 0.7 - 0.9j, -0.2 - 0.1j, 1.5 + 0.5j], np.complex64),
    "b8": np.array([False, True]),
    **{f"i{n}": np.array([-7, -1, 0, 1, 3, 6], f"int{n}") for n in (8, 16, 32, 64)},
    **{f"u{n}": np.array([0, 1, 2, 3, 6, 7], f"uint{n}") for n in (8, 16, 32, 64)},
}


def close(got: np.ndarray, want: np.ndarray) -> bool:
    if got.dtype.kind in "fc":
        return np.allclose(got, want, rtol=3e-5, atol=3e-6, equal_nan=True)
    return np.array_equal(got, want)


def test_metal_text_gives_the_values_of_the_cpu(tmp_path):
    cxx = shutil.which("g++") or shutil.which("clang++")
    if cxx is None:
        pytest.skip("needs a C++ compiler")
    source = emit("metal")
    (tmp_path / "rows.cpp").write_text(source)
    subprocess.run(
        [cxx, "-std=c++17", "-O1", "-w", "-shared", "-fPIC", f"-I{ROOT}/backends/internal/clike/metalshim"]
        + ["-o", str(tmp_path / "rows.so"), str(tmp_path / "rows.cpp")],
        check=True,
    )
    lib = ctypes.CDLL(str(tmp_path / "rows.so"))
    checked, wrong = 0, []
    names = [line.split("(")[0].split()[-1] for line in source.splitlines() if line.startswith("kernel void ")]
    for name in names:
        op, dtype = name.rsplit("_", 1)
        function = getattr(mx, op, None)
        if function is None:  # a row that only derivatives use
            continue
        x = SAMPLES[dtype]
        count = next(n for n in (1, 2, 3) if f"[[buffer({n + 1})]], uint i" in source.split(f"void {name}(")[1].split("{")[0])
        args = np.meshgrid(*[x] * count, indexing="ij") if count > 1 else [x]
        args = [np.ascontiguousarray(a).ravel() for a in args]
        if op == "where":
            args[0] = np.resize([True, False], args[0].shape)
        want = np.array(function(*[mx.array(a) for a in args]))
        got = np.zeros_like(want)
        size = ctypes.c_uint64(want.size)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in [got, *args]]
        for i in range(want.size):
            getattr(lib, name)(*pointers, ctypes.byref(size), ctypes.c_uint(i))
        keep = np.ones(want.shape, bool)
        if want.dtype.kind == "c":  # branch cuts and infinities are the CPU's; here finite values
            keep = np.isfinite(want)
        if not close(got[keep], want[keep]):
            bad = [k for k in range(want.size) if keep[k] and not close(got[k : k + 1], want[k : k + 1])][:3]
            wrong.append(f"{name}: " + "; ".join(f"{[a[k] for a in args]} gives {got[k]}, the CPU {want[k]}" for k in bad))
        checked += 1
    assert not wrong, "\n".join(wrong)
    assert checked > 400
