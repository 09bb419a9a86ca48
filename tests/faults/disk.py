"""One fault at the k-th thing that a process does to the disk: it dies, stops, or meets an error."""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

How = Literal["before", "after", "torn", "stop", "error"]
WRITING = os.O_WRONLY | os.O_RDWR
KILLED = 137
"""The exit status of a process that dies of its fault, as a shell has it for SIGKILL."""
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class DiskFault:
    """At call number `call`, from 1. error, for_good: of "error", its number; whether later calls meet it too."""

    call: int
    how: How
    error: int = errno.ENOSPC
    for_good: bool = False


class Disk:
    """Counts what this process does to the files below a folder, from `install` on, and brings about a fault.

    For a process of its own: nothing is put back.
    """

    def __init__(self, below: Path, fault: DiskFault | None) -> None:
        self._below = f"{below}{os.sep}"
        self._fault = fault
        self.calls = 0

    def install(self) -> None:
        """From now on."""
        for name in ("rename", "replace", "link", "unlink", "mkdir", "rmdir"):
            setattr(os, name, self._counted(getattr(os, name), self._concerns))
        for name in ("write", "fsync"):
            setattr(os, name, self._counted(getattr(os, name), lambda *given, **named: given[0] > 2))
        os.open = self._counted(
            os.open, lambda path, flags, *_, **__: flags & WRITING and self._concerns(path)
        )
        io.open = builtins.open = self._counted(io.open, self._opens_to_write)

    def stops_nobody(self) -> None:
        """Of a fault that stops its process: not this one, which was forked from that."""
        if self._fault is not None and self._fault.how == "stop":
            self._fault = None

    def _concerns(self, path: Any, *_: object, **named: object) -> bool:
        # Of what is below an open folder only that is deleted.
        return named.get("dir_fd") is not None or os.fsdecode(os.fspath(path)).startswith(self._below)

    def _opens_to_write(self, file: Any, mode: str = "r", *_: object, **__: object) -> bool:
        return not isinstance(file, int) and not set(mode).isdisjoint("wxa+") and self._concerns(file)

    def _counted(self, call: Callable[..., Any], concerns: Callable[..., object]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            if not concerns(*given, **named):
                return call(*given, **named)
            self.calls += 1
            fault = self._fault
            if fault is None or not (
                self.calls == fault.call or (fault.for_good and self.calls > fault.call)
            ):
                return call(*given, **named)
            if fault.how == "error":
                raise OSError(fault.error, os.strerror(fault.error), given[0])
            if fault.how == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
                return call(*given, **named)
            if fault.how == "after":
                call(*given, **named)
            if fault.how == "torn" and isinstance(given[0], int):
                if len(given) > 1:
                    call(given[0], given[1][: len(given[1]) // 2])
                elif stat.S_ISREG(os.fstat(given[0]).st_mode):
                    os.truncate(f"/dev/fd/{given[0]}", os.fstat(given[0]).st_size // 2)
            os._exit(KILLED)

        return counted
