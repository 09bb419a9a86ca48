"""`--dask`: which Dask cluster computes: one that is there, or one to start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from core.declarations.setting import Unfit

EXPECTED = (
    "expected the address of a scheduler such as tcp://node1:8786, "
    "its .json file, slurm, ssh:HOST,HOST or local"
)
INSTALL = "python -m pip install 'aefit-tui[dask]'"
_ADDRESS = re.compile(r"([a-z]+://)?[^\s/:]+:[0-9]{1,5}/?")

How = Literal["address", "file", "slurm", "ssh", "local"]


@dataclass(frozen=True)
class Cluster:
    """how: by the address or the file of a scheduler, or what is to be started. where: the address, the file's
    path, or the hosts; empty for "slurm" and "local".
    """

    how: How
    where: tuple[str, ...] = ()


def parse_cluster(text: str) -> Cluster:
    """Raises Unfit for what names no cluster."""
    if text in ("slurm", "local"):
        return Cluster("slurm" if text == "slurm" else "local")
    if text.startswith("ssh:"):
        hosts = tuple(host.strip() for host in text.removeprefix("ssh:").split(","))
        if "" in hosts:
            raise Unfit("expected hosts with commas between them, such as ssh:node1,node2")
        return Cluster("ssh", hosts)
    if text.endswith(".json"):
        return Cluster("file", (text,))
    if _ADDRESS.fullmatch(text):
        return Cluster("address", (text,))
    raise Unfit(EXPECTED)


@dataclass(frozen=True)
class DaskKind:
    """The type of the setting: see `core.declarations.setting.PathKind`."""

    expected: ClassVar[str] = "a Dask cluster"

    def read(self, word: str) -> str:
        """See `Kind.read`."""
        return word

    def check(self, value: object) -> str:
        """See `Kind.check`."""
        if not isinstance(value, str):
            raise Unfit(EXPECTED)
        parse_cluster(value)
        return value

    def choices(self) -> Mapping[str, str]:
        """None are listed."""
        return {}

    def beside(self, value: str, folder: Path) -> str:
        """See `PathKind.beside`: a scheduler's file lies beside the settings file."""
        return str(folder / value) if value.endswith(".json") else value
