"""What is particular to CUDA devices."""

from ._core import is_available as _is_available
from ._device import gpu


def is_available() -> bool:
    """Whether a CUDA device can be used."""
    return _is_available(gpu)
