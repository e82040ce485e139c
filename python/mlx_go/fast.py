"""Fused functions of neural networks."""

from ._core import _functions
from ._custom_kernels import cuda_kernel as cuda_kernel
from ._custom_kernels import metal_kernel as metal_kernel
from ._custom_kernels import precompiled_cuda_kernel as precompiled_cuda_kernel

for _name, _f in _functions.items():
    if _name.startswith("fast."):
        globals()[_name.partition(".")[2]] = _f
del _name, _f
