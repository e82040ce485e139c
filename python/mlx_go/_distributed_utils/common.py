"""The hosts that run a distributed program, and the file that names them."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Host:
    """A machine: its rank, how ssh finds it, and the addresses and devices by which it communicates."""

    rank: int
    ssh_hostname: str
    ips: list[str]
    rdma: list[str | list[str] | None]


@dataclass
class Hostfile:
    """Hosts, with the backend between them and the environment variables of their processes."""

    hosts: list[Host]
    backend: str = ""
    envs: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_file` reads."""
        hosts = [{"ssh": h.ssh_hostname, "ips": h.ips, "rdma": h.rdma} for h in self.hosts]
        return {"backend": self.backend, "envs": self.envs, "hosts": hosts}

    @classmethod
    def from_file(cls, hostfile: str) -> Hostfile:
        """Read a JSON file: a list of hosts, or an object with ``hosts``, ``backend`` and ``envs``.

        Args:
            hostfile: The path. A host has ``ssh``, and optionally ``ips`` and ``rdma``.
        """
        path = Path(hostfile)
        if not path.exists():
            raise ValueError(f"Hostfile {path} does not exist")
        try:
            data = json.loads(path.read_text())
            data = {"hosts": data} if isinstance(data, list) else data
            hosts = [
                Host(rank, h["ssh"], h.get("ips", []), h.get("rdma", [])) for rank, h in enumerate(data["hosts"])
            ]
            return cls(hosts, data.get("backend", ""), data.get("envs", []))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"Hostfile {path} is not a list of hosts in JSON: {error!r}") from error

    @classmethod
    def from_list(cls, hostlist: str, repeats: int = 1) -> Hostfile:
        """Make hosts of names or addresses between commas, each of which runs ``repeats`` processes."""
        names = [name for name in hostlist.split(",") for _ in range(repeats)]
        return cls([Host(rank, name, [name] if _is_address(name) else [], []) for rank, name in enumerate(names)])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
