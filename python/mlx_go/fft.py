"""Fourier transforms: frequencies and orders."""

from ._core import _functions

for _name, _f in _functions.items():
    if _name.startswith("fft."):
        globals()[_name.partition(".")[2]] = _f
del _name, _f
