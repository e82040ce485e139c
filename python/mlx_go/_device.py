"""Devices and streams.

There is one device so far, the CPU, and it runs evaluations one after the other; streams of it are
names that keep their place in programs written for several.
"""

from __future__ import annotations

import operator
import threading
from enum import Enum

from ._core import _device_info, _synchronize


class DeviceType(Enum):
    """Kinds of devices."""

    cpu = 0
    gpu = 1

    def __repr__(self) -> str:
        return f"DeviceType.{self.name}"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Device):
            return other.type is self and other._index == 0
        return self is other

    __hash__ = Enum.__hash__


cpu = DeviceType.cpu
gpu = DeviceType.gpu


class Device:
    """A device, by kind and number."""

    __slots__ = ("_index", "_type")

    def __init__(self, type: DeviceType, index: int = 0) -> None:
        if not isinstance(type, DeviceType):
            raise TypeError(f"Device(): argument 'type' must be a DeviceType, not {type.__class__.__name__}")
        self._type = type
        self._index = operator.index(index)

    @property
    def type(self) -> DeviceType:
        return self._type

    def __repr__(self) -> str:
        return f"Device({self._type.name}, {self._index})"

    def __eq__(self, arg: object, /) -> bool:
        if isinstance(arg, DeviceType):
            return self._type is arg and self._index == 0
        return isinstance(arg, Device) and (self._type, self._index) == (arg._type, arg._index)

    def __hash__(self) -> int:
        return hash(self._type) if self._index == 0 else hash((self._type, self._index))


class _AnyStream:
    __slots__ = ("_device", "_index")
    _device: Device
    _index: int

    def __init__(self) -> None:
        raise TypeError(f"mlx.core.{type(self).__name__}: use new_stream or default_stream")

    @property
    def device(self) -> Device:
        return self._device

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._device!r}, {self._index})"

    def __eq__(self, arg: object, /) -> bool:
        return isinstance(arg, _AnyStream) and self._key() == arg._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, Device, int]:
        return type(self).__name__, self._device, self._index


class Stream(_AnyStream):
    """An order of execution on a device. Made by :func:`new_stream`."""

    __slots__ = ()


class ThreadLocalStream(_AnyStream):
    """A stream of which each thread has its own. Made by :func:`new_thread_local_stream`."""

    __slots__ = ()


_HAVE = {"cpu": True, "gpu": bool(_device_info("gpu"))}


def _as_device(device, op) -> Device:
    if isinstance(device, DeviceType):
        device = Device(device)
    if not isinstance(device, Device):
        raise TypeError(f"{op}(): expected a Device or a DeviceType, not {type(device).__name__}")
    return device


def _usable(device, op) -> Device:
    device = _as_device(device, op)
    if not is_available(device):
        raise ValueError(f"[{op}] {device!r} is not available: there is no backend for it")
    return device


def _make(cls, device, index):
    s = object.__new__(cls)
    s._device, s._index = device, index
    return s


class _Local(threading.local):
    """What every thread has of its own."""

    def __init__(self) -> None:
        self.stack: list[Stream | ThreadLocalStream] = []  # of the contexts the thread is in
        self.streams: dict[Device | ThreadLocalStream, Stream] = {}


_local = _Local()
_lock = threading.Lock()
_default_device = Device(cpu)
_counts = {"stream": 1, "local": 0}


def is_available(device: Device | DeviceType) -> bool:
    """Whether the device can be used."""
    d = _as_device(device, "is_available")
    return _HAVE[d.type.name] and d._index == 0


def device_count(device_type: DeviceType) -> int:
    """How many devices of the kind there are."""
    return int(_HAVE[_as_device(device_type, "device_count").type.name])


def device_info(d: Device | DeviceType | None = None) -> dict[str, str | int]:
    """What is known of a device, the default one if none is given."""
    return _device_info(_as_device(default_device() if d is None else d, "device_info").type.name)


def default_device() -> Device:
    """The device that operations run on."""
    return _local.stack[-1].device if _local.stack else _default_device


def set_default_device(device: Device | DeviceType) -> None:
    """Choose the device that operations run on."""
    global _default_device
    _default_device = _usable(device, "set_default_device")


def default_stream(device: Device | DeviceType) -> Stream:
    """The stream that operations on the device run on; each thread has its own."""
    d = _usable(device, "default_stream")
    key: Device | ThreadLocalStream = d
    if _local.stack and _local.stack[-1].device == d:
        current = _local.stack[-1]
        if isinstance(current, Stream):
            return current
        key = current
    if key not in _local.streams:
        first = key is d and threading.current_thread() is threading.main_thread()
        _local.streams[key] = _make(Stream, d, 0 if first else _next("stream"))
    return _local.streams[key]


def set_default_stream(stream: Stream) -> None:
    """Choose the stream that this thread's operations on its device run on."""
    if not isinstance(stream, Stream):
        raise TypeError(f"set_default_stream(): argument 'stream' must be a Stream, not {type(stream).__name__}")
    _local.streams[stream.device] = stream


def _next(kind):
    with _lock:
        index = _counts[kind]
        _counts[kind] = index + 1
        return index


def new_stream(device: Device | DeviceType) -> Stream:
    """Make a stream on the device."""
    return _make(Stream, _usable(device, "new_stream"), _next("stream"))


def new_thread_unsafe_stream(device: Device | DeviceType) -> Stream:
    """Make a stream that one thread at a time may use; here every stream may be shared."""
    return _make(Stream, _usable(device, "new_thread_unsafe_stream"), _next("stream"))


def new_thread_local_stream(device: Device | DeviceType) -> ThreadLocalStream:
    """Make a stream of which each thread has its own."""
    return _make(ThreadLocalStream, _usable(device, "new_thread_local_stream"), _next("local"))


def clear_streams() -> None:
    """Forget all streams but the default ones."""
    with _lock:
        _counts["stream"] = 1
        _counts["local"] = 0


def _as_stream(s, op):
    if isinstance(s, (Stream, ThreadLocalStream)):
        return s
    return default_stream(_usable(s, op))


class StreamContext:
    """A context in which operations run on a stream or device."""

    __slots__ = ("_stream",)

    def __init__(self, s: Stream | ThreadLocalStream | Device | DeviceType) -> None:
        self._stream = _as_stream(s, "stream")

    def __enter__(self) -> None:
        _local.stack.append(self._stream)

    def __exit__(self, exc_type=None, exc_value=None, traceback=None) -> None:
        _local.stack.pop()


def stream(s: Stream | ThreadLocalStream | Device | DeviceType) -> StreamContext:
    """A context in which operations run on a stream or device."""
    return StreamContext(s)


def check_stream(s) -> None:
    """Raise unless ``s`` may be the ``stream`` argument of a function."""
    if s is None or isinstance(s, (Stream, ThreadLocalStream)):
        return
    if not isinstance(s, (Device, DeviceType)):
        raise TypeError(f"argument 'stream' must be a Stream, a Device, a DeviceType or None, not {type(s).__name__}")
    _usable(s, "default_stream")


def synchronize(stream: Stream | ThreadLocalStream | Device | DeviceType | None = None) -> None:
    """Wait until everything that was started is in memory, and raise what went wrong."""
    check_stream(stream)
    _synchronize()
