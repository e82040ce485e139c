"""Communication between processes, of which there is one so far: a group of one, whose collectives give back what they get."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._core import Device, Dtype, Stream, ThreadLocalStream, array
from ._device import DeviceType

StreamOrDevice = Stream | ThreadLocalStream | Device | DeviceType | None

_BACKENDS = ("any", "mpi", "nccl", "jaccl", "ring")


class Group:
    """The processes that communicate; :func:`init` makes it."""

    __slots__ = ("__weakref__",)

    def __new__(cls) -> Group:
        raise TypeError("mlx_go.core.distributed.Group: a group is made by mx.distributed.init()")

    def rank(self) -> int:
        """The number of this process in the group.

        Example:
            >>> mx.distributed.init().rank()
            0
        """
        return 0

    def size(self) -> int:
        """How many processes the group has.

        Example:
            >>> mx.distributed.init().size()
            1
        """
        return 1

    def split(self, color: int, key: int = -1) -> Group:
        """Split the group by color, which a group of one cannot be.

        Args:
            color: Processes with the same color share a group.
            key: Orders the processes of a new group; negative: by their rank.

        Raises:
            RuntimeError: Always, as there is one process.

        Example:
            >>> mx.distributed.init().split(0)
            Traceback (most recent call last):
            RuntimeError: [distributed] a group of one process cannot be split further
        """
        raise RuntimeError("[distributed] a group of one process cannot be split further")


_alone: Group = object.__new__(Group)


def is_available(backend: str = "any") -> bool:
    """Whether processes can communicate by the backend.

    Args:
        backend: ``"any"``, ``"ring"``, ``"mpi"``, ``"nccl"`` or ``"jaccl"``.

    Example:
        >>> mx.distributed.is_available()
        True
    """
    if not isinstance(backend, str):
        raise TypeError(f"[is_available] backend must be a string, not {type(backend).__name__}")
    return backend in ("any", "ring")


def init(
    strict: bool = False,
    backend: str = "any",
    *,
    all_gather_factory: Callable[[int, int], Callable[[bytes, int], bytes]] | None = None,
) -> Group:
    """Return the group of all processes.

    Args:
        strict: Raise where there is no other process to communicate with.
        backend: ``"any"``, ``"ring"``, ``"mpi"``, ``"nccl"`` or ``"jaccl"``.
        all_gather_factory: A side channel of the backend ``"jaccl"``.

    Raises:
        RuntimeError: If ``strict``, as there is one process.

    Example:
        >>> group = mx.distributed.init()
        >>> group.rank(), group.size()
        (0, 1)
    """
    if not isinstance(backend, str):
        raise TypeError(f"[distributed] backend must be a string, not {type(backend).__name__}")
    if backend not in _BACKENDS:
        raise ValueError(f"[distributed] backend must be one of {', '.join(map(repr, _BACKENDS))}, not {backend!r}")
    if all_gather_factory is not None and backend != "jaccl":
        raise ValueError(f"[distributed] all_gather_factory is for the backend 'jaccl', not {backend!r}")
    if strict:
        raise RuntimeError(f"[distributed] no other process can be reached by the backend {backend!r}")
    return _alone


def _operand(name: str, x: object, group: Group | None) -> array:
    """An array of its own over the elements of ``x``: what is done in place to one is not done to the other."""
    if group is not None and not isinstance(group, Group):
        raise TypeError(f"[{name}] group must be a Group or None, not {type(group).__name__}")
    return array(x)


def all_sum(x: array, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Sum arrays over the processes of a group, each of which gets the result.

    Args:
        x: This process's array.
        group: The processes; None is all of them.

    Example:
        >>> mx.distributed.all_sum(mx.array([1, 2]))
        array([1, 2], dtype=int32)
    """
    return _operand("all_sum", x, group)


def all_max(x: array, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Element-wise maximum over the processes of a group, each of which gets the result.

    Args:
        x: This process's array.
        group: The processes; None is all of them.

    Example:
        >>> mx.distributed.all_max(mx.array([1, 2]))
        array([1, 2], dtype=int32)
    """
    return _operand("all_max", x, group)


def all_min(x: array, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Element-wise minimum over the processes of a group, each of which gets the result.

    Args:
        x: This process's array.
        group: The processes; None is all of them.

    Example:
        >>> mx.distributed.all_min(mx.array([1, 2]))
        array([1, 2], dtype=int32)
    """
    return _operand("all_min", x, group)


def all_gather(x: array, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Concatenate the arrays of the processes of a group along the first axis, each of which gets the result.

    Args:
        x: This process's array.
        group: The processes; None is all of them.

    Example:
        >>> mx.distributed.all_gather(mx.array([1, 2]))
        array([1, 2], dtype=int32)
    """
    return _operand("all_gather", x, group)


def sum_scatter(x: array, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Sum arrays over the processes of a group, each of which gets its part of the first axis.

    Args:
        x: This process's array.
        group: The processes; None is all of them.

    Example:
        >>> mx.distributed.sum_scatter(mx.array([1, 2]))
        array([1, 2], dtype=int32)
    """
    return _operand("sum_scatter", x, group)


def send(x: array, dst: int, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Send an array to another process of the group.

    Args:
        x: The array.
        dst: The rank of the process that gets it.
        group: The processes; None is all of them.

    Raises:
        ValueError: Always, as there is one process.

    Example:
        >>> mx.distributed.send(mx.array([1, 2]), 0)
        Traceback (most recent call last):
        ValueError: [send] a group of one process has nobody to send to
    """
    _operand("send", x, group)
    raise ValueError("[send] a group of one process has nobody to send to")


def recv(
    shape: Sequence[int], dtype: Dtype, src: int, *, group: Group | None = None, stream: StreamOrDevice = None
) -> array:
    """Receive an array from another process of the group.

    Args:
        shape: The array's shape.
        dtype: Its dtype.
        src: The rank of the process that sends it.
        group: The processes; None is all of them.

    Raises:
        ValueError: Always, as there is one process.

    Example:
        >>> mx.distributed.recv((2,), mx.float32, 0)
        Traceback (most recent call last):
        ValueError: [recv] a group of one process has nobody to receive from
    """
    raise ValueError("[recv] a group of one process has nobody to receive from")


def recv_like(x: array, src: int, *, group: Group | None = None, stream: StreamOrDevice = None) -> array:
    """Receive an array of the shape and dtype of another from another process of the group.

    Args:
        x: An array of that shape and dtype.
        src: The rank of the process that sends it.
        group: The processes; None is all of them.

    Raises:
        ValueError: Always, as there is one process.

    Example:
        >>> mx.distributed.recv_like(mx.array([1, 2]), 0)
        Traceback (most recent call last):
        ValueError: [recv] a group of one process has nobody to receive from
    """
    operand = _operand("recv_like", x, group)
    return recv(operand.shape, operand.dtype, src)


__all__ = [
    "Group",
    "all_gather",
    "all_max",
    "all_min",
    "all_sum",
    "init",
    "is_available",
    "recv",
    "recv_like",
    "send",
    "sum_scatter",
]
