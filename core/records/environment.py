"""What a result was computed with."""

from __future__ import annotations

import msgspec

from core.records.types import Name, Record


class Environment(Record, frozen=True, kw_only=True):
    """versions: package -> version. device: torch's name. cpu: the processor's model as the system calls it.

    plugins: a part that a plug-in supplied, such as "attack swirl" -> distribution and version.
    threads: of a run, in results of version 1, whose last bits depended on it; None in later ones.
    """

    versions: dict[Name, Name]
    device: Name
    cpu: Name
    plugins: dict[Name, Name] = msgspec.field(default_factory=dict)
    threads: int | None = None

    @property
    def maker(self) -> tuple[str, str, str]:
        """What may change the last bits of a result: device, processor, version of torch."""
        return self.device, self.cpu, self.versions.get("torch", "")
