"""Identities of processes, by which others can tell whether a process still lives, even where its pid is reused."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import msgspec

from core.files.ownership import is_hidden, output_of, pid_namespace, start_time
from core.records.types import Name


class ProcessIdentity(msgspec.Struct, frozen=True):
    """A process among all machines: host name, pid, its start time and the machine's boot.

    start_time, boot_id, pid_namespace: opaque texts, "" where the system does not tell.
    """

    host: Name
    pid: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    start_time: Name
    boot_id: Name
    pid_namespace: Name = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "a process that its lock does not name"

    @property
    def on_this_host(self) -> bool:
        """Whether we can judge the process by its pid: it is, or was, among the processes that we see.

        Two containers of one machine may share a host name and yet not see each other's processes, and a system
        may hide those of other users.
        """
        if self.host != socket.gethostname():
            return False
        if self.boot_id != _boot_id():
            return True
        return self.pid_namespace == pid_namespace() and not is_hidden(self.pid)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; only meaningful `on_this_host`."""
        return self.boot_id == _boot_id() and self.start_time == start_time(self.pid) and _exists(self.pid)


def identity(pid: int | None = None) -> ProcessIdentity:
    """The identity of a process of this machine, by default the calling one."""
    number = os.getpid() if pid is None else pid
    return ProcessIdentity(socket.gethostname(), number, start_time(number), _boot_id(), pid_namespace())


def _exists(pid: int) -> bool:
    if pid == 0:
        return False  # no process, which the system would take for our own group
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return output_of("sysctl", "-n", "kern.bootsessionuuid")
