"""The elementwise kernels as CUDA C and Metal text.

CUDA text is compiled to PTX by NVRTC, which takes no GPU, and run where there is an NVIDIA driver. Metal text is compiled as
C++ under a shim and run on the CPU: a simulation, not a GPU. Both must give the values of the CPU backend.
"""

import ctypes
import importlib.util
import pathlib
import re
import shutil
import subprocess

import cuda_driver
import numpy as np
import pytest
from oracle import array

import mlx_go.core as mx

ROOT = pathlib.Path(__file__).resolve().parents[2]


def emit(target: str) -> str:
    """The text of every kernel for a target."""
    if shutil.which("go") is None:
        pytest.skip("needs the Go toolchain to render the kernels")
    done = subprocess.run(
        ["go", "run", "./backends/internal/render/emit", target], cwd=ROOT, capture_output=True, text=True
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


def compile_ptx(source: str) -> bytes:
    """PTX for compute capability 7.0, the oldest that is served."""
    lib, program, size = nvrtc(), ctypes.c_void_p(), ctypes.c_size_t()
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
    return ptx.value


@pytest.fixture(scope="module")
def cuda_text() -> str:
    return emit("cuda")


@pytest.fixture(scope="module")
def ptx(cuda_text: str) -> bytes:
    return compile_ptx(cuda_text)


def test_cuda_text_compiles_for_compute_70(cuda_text, ptx):
    kernels = cuda_text.count("__global__")
    assert kernels > 500
    assert ptx.count(b".visible .entry") == kernels


SAMPLES = {
    "f32": np.array([-2.5, -1.0, -0.3, 0.0, 0.2, 0.7, 1.0, 1.9, 3.5, np.inf, -np.inf, np.nan], np.float32),
    "c64": np.array([0.5 + 0.25j, -0.4 + 0.6j, 0.7 - 0.9j, -0.2 - 0.1j, 1.5 + 0.5j], np.complex64),
    "b8": np.array([False, True]),
    **{f"i{n}": np.array([-7, -1, 0, 1, 3, 6], f"int{n}") for n in (8, 16, 32, 64)},
    **{f"u{n}": np.array([0, 1, 2, 3, 6, 7], f"uint{n}") for n in (8, 16, 32, 64)},
}
SAMPLES["f64"] = SAMPLES["f32"].astype(np.float64)

# Relative error. float64 functions are correct to a few units in the last place on every device, erfinv and the
# functions made of several to some hundred.
TOLERANCE = {"f": 3e-5, "d": 1e-12, "F": 3e-5}


def close(got: np.ndarray, want: np.ndarray) -> bool:
    if got.dtype.kind in "fc":
        rtol = TOLERANCE[got.dtype.char]
        return np.allclose(got, want, rtol=rtol, atol=rtol / 10, equal_nan=True)
    return np.array_equal(got, want)


def check_kernels(source: str, run) -> int:
    """Compares every kernel of a text with the op of its name on the CPU; run(name, out, args) computes out. Returns
    how many there were."""
    checked, wrong = 0, []
    for name, parameters in re.findall(r"^(?:extern \"C\" __global__|kernel) void (\w+)\((.*)\) \{$", source, re.M):
        op, dtype = name.rsplit("_", 1)
        function = getattr(mx, op, None)
        if function is None:  # a row that only derivatives use
            continue
        count = parameters.count("const ")
        args = [SAMPLES[dtype]] * count
        if count > 1:
            args = [np.ascontiguousarray(a).ravel() for a in np.meshgrid(*args, indexing="ij")]
        if op == "where":
            args[0] = np.resize([True, False], args[0].shape)
        want = np.array(function(*[array(mx, a, a.dtype.name) for a in args]))
        got = np.zeros_like(want)
        run(name, got, args)
        keep = np.ones(want.shape, bool)
        if want.dtype.kind == "c":  # branch cuts and infinities are the CPU's; here finite values
            keep = np.isfinite(want)
        if not close(got[keep], want[keep]):
            bad = [k for k in range(want.size) if keep[k] and not close(got[k : k + 1], want[k : k + 1])][:3]
            wrong.append(f"{name}: " + "; ".join(f"{[a[k] for a in args]} gives {got[k]}, the CPU {want[k]}" for k in bad))
        checked += 1
    assert not wrong, "\n".join(wrong)
    return checked


def test_cuda_text_gives_the_values_of_the_cpu(cuda_text, ptx):
    device = cuda_driver.open_device()
    if device is None:
        pytest.skip("needs an NVIDIA driver and a GPU")
    with device:
        module = device.load(ptx)
        assert check_kernels(cuda_text, lambda name, out, args: device.launch(module, name, out, args)) > 450


def test_metal_text_gives_the_values_of_the_cpu(tmp_path):
    cxx = shutil.which("g++") or shutil.which("clang++")
    if cxx is None:
        pytest.skip("needs a C++ compiler")
    source = emit("metal")
    (tmp_path / "rows.cpp").write_text(source)
    subprocess.run(
        [cxx, "-std=c++17", "-O1", "-w", "-shared", "-fPIC", f"-I{ROOT}/backends/internal/render/metalshim"]
        + ["-o", str(tmp_path / "rows.so"), str(tmp_path / "rows.cpp")],
        check=True,
    )
    lib = ctypes.CDLL(str(tmp_path / "rows.so"))

    def run(name, out, args):
        size = ctypes.c_uint64(out.size)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in [out, *args]]
        for i in range(out.size):
            getattr(lib, name)(*pointers, ctypes.byref(size), ctypes.c_uint(i))

    assert check_kernels(source, run) > 400
