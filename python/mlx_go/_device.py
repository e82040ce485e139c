"""Kinds of devices; devices and streams themselves are of the extension."""

from __future__ import annotations

from enum import Enum

from ._core import _set_device_types


class DeviceType(Enum):
    """Kinds of devices."""

    cpu = 0
    gpu = 1

    def __repr__(self) -> str:
        return f"DeviceType.{self.name}"

    __str__ = __repr__


cpu = DeviceType.cpu
gpu = DeviceType.gpu
_set_device_types(cpu, gpu)
