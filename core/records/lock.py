"""Who computes an experiment: one holder at a time, proof of life, and the take-over of a dead one's lock.

No fcntl or SQLite locks: they fail on the network file systems that home folders of compute servers are on.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from core.declarations.lazy import hashlib, json
from core.errors import ExperimentError, RecordError
from core.files.atomic import write_atomically
from core.records.process import ProcessIdentity, identity
from core.records.types import parse, plain

HEARTBEAT_SECONDS = 5.0
"""How often a holder proves that it lives."""
SILENCE_SECONDS = 36 * HEARTBEAT_SECONDS
"""How long a holder on another host may be silent before it counts as dead; NFS shows times up to a minute late."""


class LockHeld(ExperimentError):
    """The experiment is being computed by a living process, `holder`."""

    def __init__(self, holder: ProcessIdentity) -> None:
        super().__init__(
            f"this experiment is being computed by process {holder.pid} on {holder.host}",
            "follow it with `aefit-tui attach ID`, or stop it with `aefit-tui cancel ID`",
        )
        self.holder = holder


@dataclass(frozen=True)
class Holding:
    """What a lock file says. `holder` is None where it cannot be read; `alive` is our judgement of it."""

    holder: ProcessIdentity | None
    alive: bool
    text: str


class Lock:
    """The lock of one experiment folder: the files `lock` and `heartbeat` in it.

    A lock left by a process of this host that is gone is taken over silently; one from another host only
    when its heartbeat has been silent for SILENCE_SECONDS by this host's clock, and `taken_from` then says so.
    As a context manager it is held within the block. Raises LockHeld where a living process has it.

    Of several that find the same holder dead, a slow one must not remove the lock that a fast one has made in
    the meantime, not even for a moment. So a lock file is only ever removed by the owner of a claim, a file of
    the same kind that is named after the content it is about: removed is what was judged, or nothing.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / "lock"
        self._heartbeat = folder / "heartbeat"
        self._clock = clock
        self._text = ""
        self.taken_from: ProcessIdentity | None = None

    def holding(self) -> Holding | None:
        """Who holds the lock, or None where it is free."""
        return self._holding(self._path)

    def acquire(self) -> None:
        """Take the lock, from a dead holder if need be. Raises LockHeld."""
        self._text = json.dumps({**plain(identity()), "token": uuid.uuid4().hex})
        dead = self._take(self._path)
        self.taken_from = dead if dead is not None and not dead.on_this_host else None
        try:
            self.beat()
        except OSError:
            self.release()
            raise

    @property
    def held(self) -> bool:
        """Whether it is still ours: nobody has taken it over. Raises OSError where it cannot be read."""
        return bool(self._text) and _text_of(self._path) == self._text

    def beat(self) -> None:
        """Prove that the holder lives. Raises LockHeld where the lock was taken over in the meantime."""
        found = self.holding()
        if found is None or found.text != self._text:
            raise LockHeld((found and found.holder) or ProcessIdentity("an unknown host", 0, "", ""))
        write_atomically(self._heartbeat, f"{self._clock():.3f}\n")

    def release(self) -> None:
        """Give the lock back, if it is still ours.

        Where the disk is full or gone it stays, until this process ends: a dead holder's lock is nobody's.
        """
        # LockHeld: somebody takes it over at this very moment.
        with suppress(LockHeld, OSError):
            if self.held:
                self._remove(self._path, self._text)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _holding(self, path: Path) -> Holding | None:
        text = _text_of(path)
        try:
            age = self._clock() - path.stat().st_mtime
        except FileNotFoundError:
            return None
        if text is None:
            return None
        try:
            holder = parse(text.encode("utf-8", "replace"), ProcessIdentity, "the lock")
        except RecordError:
            # Left torn by a crash: age decides.
            return Holding(None, age < SILENCE_SECONDS, text)
        alive = holder.alive if holder.on_this_host else self._silence(age) < SILENCE_SECONDS
        return Holding(holder, alive, text)

    def _silence(self, lock_age: float) -> float:
        """Seconds since the last heartbeat, or since the lock was made where there was none yet."""
        try:
            return min(lock_age, self._clock() - self._heartbeat.stat().st_mtime)
        except FileNotFoundError:
            return lock_age

    def _take(self, path: Path) -> ProcessIdentity | None:
        """Make `path` ours; the dead holder whom it was taken from, if any. Raises LockHeld."""
        dead = None
        while not self._create(path):
            found = self._holding(path)
            if found is None:
                continue
            if found.alive:
                raise LockHeld(found.holder or ProcessIdentity("an unknown host", 0, "", ""))
            if self._remove(path, found.text):
                dead = found.holder
        return dead

    def _create(self, path: Path) -> bool:
        """Put our file at `path`, whole, unless there is one."""
        temporary = self._path.with_name(f".lock.{uuid.uuid4().hex}")
        try:
            temporary.write_text(self._text, encoding="utf-8")
            # A hard link appears with its content and fails where the name exists, on NFS too.
            os.link(temporary, path)
        except FileExistsError:
            # On NFS the reply to a link that was made may be lost, and its repetition finds the name taken.
            return temporary.stat().st_nlink == 2
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _remove(self, path: Path, text: str) -> bool:
        """Remove the file at `path` if it still has this text. Raises LockHeld while another one is at it."""
        claim = self._path.with_name(f".lock.{hashlib.sha256(text.encode()).hexdigest()}")
        self._take(claim)
        try:
            if _text_of(path) != text:
                return False
            path.unlink()
        finally:
            claim.unlink(missing_ok=True)  # the folder may have been deleted with it
        return True


def _text_of(path: Path) -> str | None:
    """What a lock file holds, whatever its bytes; None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
