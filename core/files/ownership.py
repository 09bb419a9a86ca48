"""Names of temporary files and folders, by which any process can tell whether the one that made them still lives.

A process that is killed leaves what it was writing. A process that works in the same place later removes it, but
nothing of a living process, and nothing with a name of another form: that is somebody else's.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

from core.declarations.lazy import hashlib

ABANDONED_SECONDS = 86_400.0
"""After so long without a change the temporary files of processes that we cannot see count as abandoned."""
_DIGITS = 12
"""Hex digits of the digest of a start time or a process namespace, which are only compared."""
_OWNED = re.compile(
    rf"(?P<prefix>\..+)\.(?P<host>[A-Za-z0-9_-]*)"
    rf"\.(?P<pid>[0-9]{{1,9}})-(?P<start>[0-9a-f]{{{_DIGITS}}})-(?P<namespace>[0-9a-f]{{{_DIGITS}}})\.[0-9a-f]{{32}}",
    re.DOTALL,
)


def owned_name(prefix: str) -> str:
    """A new name for something temporary of this process. prefix: begins with a dot, at most 100 characters."""
    return f"{prefix}.{_owner(socket.gethostname(), os.getpid())}.{uuid.uuid4().hex}"


def is_abandoned(path: Path) -> bool:
    """Whether what lies under an `owned_name` is abandoned: its process is gone.

    What belongs to a process of another host or container, or one hidden from us, counts as abandoned once it has
    not changed for ABANDONED_SECONDS. False for a name of another form.
    """
    found = _OWNED.fullmatch(path.name)
    if found is None:
        return False
    pid = int(found["pid"])
    here = _short_host(socket.gethostname()), _short(pid_namespace())
    if (found["host"], found["namespace"]) == here and not is_hidden(pid):
        return _short(start_time(pid)) != found["start"]
    try:
        return time.time() - path.lstat().st_mtime > ABANDONED_SECONDS
    except OSError:
        return False


def sweep(folder: Path, prefixes: str) -> None:
    """Remove what dead processes left in a folder under an `owned_name`; never raises.

    prefixes: a regular expression that matches the prefixes to sweep. A folder that is a link is left alone: what
    it leads to may be anybody's.
    """
    with suppress(OSError):  # it cannot be listed: whoever works in it will say so
        if folder.is_symlink():
            return
        for name in os.listdir(folder):
            found = _OWNED.fullmatch(name)
            if found is None or re.fullmatch(prefixes, found["prefix"]) is None:
                continue
            leftover = folder / name
            if is_abandoned(leftover):
                remove(leftover)


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to) or a folder with all in it, as far as it goes; never raises."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def start_time(pid: int) -> str:
    """When a process of this machine began, as the system writes it; "" where there is none, or it is a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else output_of("ps", "-o", "lstart=", "-p", str(pid))
    # The command name, in parentheses, may hold spaces and any bytes; the fields after it do not.
    fields = stat.rpartition(b")")[2].decode().split()
    state, began = fields[0], fields[19]
    return "" if state in "ZX" else began


def is_hidden(pid: int) -> bool:
    """Whether a process runs whose start time the system does not tell us: another user's, under `hidepid`."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not start_time(pid)
    except ProcessLookupError:
        pass
    return False


def pid_namespace() -> str:
    """The PID namespace of this process, "" where there is none: each container numbers its processes anew."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def output_of(*command: str) -> str:
    """What a system command prints, stripped; "" where there is no such command, or it takes over 10 seconds."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


@cache
def _owner(host: str, pid: int) -> str:
    """The part of an `owned_name` that identifies the calling process; asks the system once."""
    return f"{_short_host(host)}.{pid}-{_short(start_time(pid))}-{_short(pid_namespace())}"


def _short_host(host: str) -> str:
    # A file's name takes 255 bytes, and the owner stands between dots.
    return re.sub(r"[^A-Za-z0-9_-]", "_", host)[:60]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]
