"""Launchers of several processes, which say that there is one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import NoReturn

from .common import Host


def _refuse(backend: str, hosts: Sequence[Host]) -> NoReturn:
    raise RuntimeError(f"[distributed] mlx_go runs on one process; it cannot launch {len(hosts)} by {backend!r}")


def launch_ring(parser: ArgumentParser | None, hosts: list[Host], args: Namespace, command: list[str]) -> NoReturn:
    """Run a command on all hosts, with the ring backend between them; raises RuntimeError."""
    _refuse("ring", hosts)


def launch_jaccl(parser: ArgumentParser | None, hosts: list[Host], args: Namespace, command: list[str]) -> NoReturn:
    """Run a command on all hosts, with the jaccl backend between them; raises RuntimeError."""
    _refuse("jaccl", hosts)


def launch_nccl(parser: ArgumentParser | None, hosts: list[Host], args: Namespace, command: list[str]) -> NoReturn:
    """Run a command on all hosts, with the nccl backend between them; raises RuntimeError."""
    _refuse("nccl", hosts)


def launch_mpi(parser: ArgumentParser | None, hosts: list[Host], args: Namespace, command: list[str]) -> NoReturn:
    """Run a command on all hosts, with the mpi backend between them; raises RuntimeError."""
    _refuse("mpi", hosts)
