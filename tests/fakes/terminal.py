"""A program under a real pseudo-terminal: its keys, what it wrote and when, and the terminal going away."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 600.0
"""Seconds after which something that real processes should do counts as not done, on the busiest machine."""
ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences
    rb"|\x1b[]P^_X].*?(?:\x07|\x1b\\)"  # strings: titles, clipboard, device control
    rb"|\x1b[ -/]*[0-~]",  # the short ones
    re.DOTALL,
)


class PseudoTerminal:
    """A child process whose controlling terminal is this one. Leaving the `with` block kills it.

    hangup_ignored: started as by `nohup`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        columns: int = 80,
        rows: int = 24,
        hangup_ignored: bool = False,
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if hangup_ignored:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(slave)
        self._arrivals: list[tuple[float, bytes]] = []
        self._closed = False
        self._wake_reader, self._wake = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        if not self._closed:
            self.close()

    def press(self, keys: bytes) -> float:
        """Type keys, as the bytes that a terminal sends for them; when, by `time.perf_counter`."""
        moment = time.perf_counter()
        os.write(self._master, keys)
        return moment

    def mark(self) -> int:
        """A place in what was written, to look only at what comes after it."""
        return len(self._arrivals)

    def arrivals(self, mark: int = 0) -> list[tuple[float, bytes]]:
        """What was written since a mark, in pieces with the moments at which they arrived."""
        return self._arrivals[mark:]

    def text(self, mark: int = 0) -> str:
        """What was written since a mark, without escape codes; not what the screen looks like."""
        written = b"".join(piece for _, piece in self.arrivals(mark))
        return ESCAPES.sub(b"", written).decode(errors="replace")

    def wait_for(self, words: str, mark: int = 0) -> float:
        """The moment at which the words had arrived. They must stand in one line and be drawn in one go."""
        deadline = time.monotonic() + PATIENCE
        seen = -1
        while time.monotonic() < deadline:
            pieces = self.arrivals(mark)
            if len(pieces) != seen and words in self.text(mark):
                return self._moment(words, pieces)
            seen = len(pieces)
            time.sleep(0.002)
        raise AssertionError(f"{words!r} did not appear; the end of what did:\n{self.text(mark)[-3000:]}")

    def close(self) -> None:
        """Take the terminal away."""
        self._closed = True
        os.write(self._wake, b"!")
        self._reader.join()
        for end in (self._master, self._wake, self._wake_reader):
            os.close(end)

    def _moment(self, words: str, pieces: list[tuple[float, bytes]]) -> float:
        """When the piece arrived that made the words complete."""
        written = b""
        for moment, piece in pieces:
            written += piece
            if words in ESCAPES.sub(b"", written).decode(errors="replace"):
                return moment
        raise AssertionError("the words are there, but in no piece")

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._wake_reader], [], [])
            if self._wake_reader in ready:
                return
            try:
                piece = os.read(self._master, 65536)
            except OSError:
                return  # nobody has the other end open any more
            self._arrivals.append((time.perf_counter(), piece))
