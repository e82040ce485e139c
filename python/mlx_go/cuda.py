"""What is particular to CUDA devices."""

from ._device import gpu
from ._device import is_available as _is_available


def is_available() -> bool:
    """Whether a CUDA device can be used."""
    return _is_available(gpu)
