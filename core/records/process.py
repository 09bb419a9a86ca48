"""Which process is this, and is that one still alive: identities that a reused pid cannot fake."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Annotated

import msgspec

from core.records.types import Name

ABANDONED_SECONDS = 86_400.0
"""After so long without a change the temporary files of another host's process count as nobody's."""


class ProcessIdentity(msgspec.Struct, frozen=True):
    """A process among all machines: host name, pid, its start time and the machine's boot.

    start_time, boot_id, pid_namespace: opaque texts, "" where the system does not tell.
    """

    host: Name
    pid: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    start_time: Name
    boot_id: Name
    pid_namespace: Name = ""

    @property
    def on_this_host(self) -> bool:
        """Whether the asking process can judge it by its pid: it is, or was, among the processes that we see.

        Two containers of one machine may share a host name and yet not see each other's processes.
        """
        if self.host != socket.gethostname():
            return False
        return self.boot_id != _boot_id() or self.pid_namespace == _pid_namespace()

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; only meaningful on its own host."""
        return self.boot_id == _boot_id() and self.start_time == _start_time(self.pid) and _exists(self.pid)


def owned_name(prefix: str) -> str:
    """A new name for something temporary of this process, by which `is_abandoned` judges it."""
    pid = os.getpid()
    return f"{prefix}.{socket.gethostname()}.{pid}-{_start_time(pid)}.{uuid.uuid4().hex}"


def is_abandoned(path: Path) -> bool:
    """Whether nobody will finish what lies under an `owned_name`: its process is gone.

    What another host's process owns counts as abandoned when it was not touched for a day; a name of another form
    does at once.
    """
    *before, owner, _ = path.name.rsplit(".", 2)
    pid, _, start_time = owner.partition("-")
    if not (before and pid.isdecimal() and len(pid) < 10 and start_time):
        return True
    if not before[0].endswith(f".{socket.gethostname()}"):
        try:
            return time.time() - path.stat().st_mtime > ABANDONED_SECONDS
        except OSError:
            return False
    return _start_time(int(pid)) != start_time


def identity(pid: int | None = None) -> ProcessIdentity:
    """The identity of a process of this machine, by default the calling one."""
    number = os.getpid() if pid is None else pid
    return ProcessIdentity(socket.gethostname(), number, _start_time(number), _boot_id(), _pid_namespace())


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start_time(pid: int) -> str:
    """The kernel's start time of a process, "" where there is no such process (or it is a zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _output_of("ps", "-o", "lstart=", "-p", str(pid))
    # The command name, in parentheses, may hold spaces and any bytes; the fields after it do not.
    fields = stat.rpartition(b")")[2].decode().split()
    state, start_time = fields[0], fields[19]
    return "" if state in "ZX" else start_time


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _output_of("sysctl", "-n", "kern.bootsessionuuid")


def _output_of(*command: str) -> str:
    """What a small system command prints, "" where there is no such command or it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
