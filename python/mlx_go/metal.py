"""What is particular to Metal devices, of which there are none here yet."""

from ._core import (
    clear_cache,
    device_info,
    get_active_memory,
    get_cache_memory,
    get_peak_memory,
    reset_peak_memory,
    set_cache_limit,
    set_memory_limit,
)


def is_available() -> bool:
    """Whether a Metal device can be used."""
    return False


def set_wired_limit(limit: int) -> int:
    """Bound the memory that is kept resident: an older name of :func:`mlx_go.core.set_wired_limit`."""
    from .core import set_wired_limit

    return set_wired_limit(limit)


def start_capture(path: str) -> None:
    """Record what Metal devices do in a file; without such a device there is nothing to record, and no file is made."""
    if not isinstance(path, str):
        raise TypeError(f"start_capture(): argument 'path' must be a str, not {type(path).__name__}")


def stop_capture() -> None:
    """End what :func:`start_capture` began."""


__all__ = [
    "clear_cache",
    "device_info",
    "get_active_memory",
    "get_cache_memory",
    "get_peak_memory",
    "is_available",
    "reset_peak_memory",
    "set_cache_limit",
    "set_memory_limit",
    "set_wired_limit",
    "start_capture",
    "stop_capture",
]
