"""As much of the CUDA driver API as running a kernel takes, over ctypes. No toolkit is needed."""

from __future__ import annotations

import ctypes

import numpy as np

THREADS = 128  # per block


class Device:
    """The first GPU, with a context that is current while the device is entered."""

    def __init__(self, lib: ctypes.CDLL):
        self.lib = lib
        self.ordinal = ctypes.c_int()
        self.context = ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(self.ordinal), 0)

    def call(self, function: str, *args) -> None:
        status = getattr(self.lib, function)(*args)
        if status != 0:
            text = ctypes.c_char_p()
            self.lib.cuGetErrorString(status, ctypes.byref(text))
            raise RuntimeError(f"{function}: {(text.value or b'unknown error').decode()}")

    def __enter__(self) -> Device:
        self.call("cuCtxCreate_v2", ctypes.byref(self.context), 0, self.ordinal)
        return self

    def __exit__(self, *error) -> None:
        self.call("cuCtxDestroy_v2", self.context)

    def load(self, ptx: bytes) -> ctypes.c_void_p:
        module = ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), ptx)
        return module

    def launch(self, module: ctypes.c_void_p, name: str, out: np.ndarray, args: list[np.ndarray]) -> None:
        """Runs name(out, args..., out.size) with one thread per element and copies out back."""
        arrays = [out, *args]
        pointers = [ctypes.c_uint64() for _ in arrays]
        for pointer, array in zip(pointers, arrays):
            self.call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(array.nbytes))
            self.call("cuMemcpyHtoD_v2", pointer, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes))
        function, size = ctypes.c_void_p(), ctypes.c_uint64(out.size)
        self.call("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
        slots = [ctypes.cast(ctypes.byref(p), ctypes.c_void_p) for p in [*pointers, size]]
        blocks = -(-out.size // THREADS)
        self.call("cuLaunchKernel", function, blocks, 1, 1, THREADS, 1, 1, 0, None, (ctypes.c_void_p * len(slots))(*slots), None)
        self.call("cuCtxSynchronize")
        self.call("cuMemcpyDtoH_v2", ctypes.c_void_p(out.ctypes.data), pointers[0], ctypes.c_size_t(out.nbytes))
        for pointer in pointers:
            self.call("cuMemFree_v2", pointer)


def open_device() -> Device | None:
    """The first GPU, or None where there is no driver or it finds none."""
    try:
        lib = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count = ctypes.c_int()
    if lib.cuInit(0) != 0 or lib.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return None
    return Device(lib)
