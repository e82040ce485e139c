"""Linear algebra."""

from ._core import _functions

for _name, _f in _functions.items():
    if _name.startswith("linalg."):
        globals()[_name.partition(".")[2]] = _f
del _name, _f
