"""Fused functions of neural networks."""

from ._core import _functions

for _name, _f in _functions.items():
    if _name.startswith("fast."):
        globals()[_name.partition(".")[2]] = _f
del _name, _f
