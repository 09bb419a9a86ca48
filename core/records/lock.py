"""The lock of an experiment: one holder at a time, proof that it lives, and take-over of a dead one's lock.

No fcntl or SQLite locks: they fail on the network file systems that home folders of compute servers are on.

Whether a holder on this host lives is seen by its process. A holder on another host, or hidden from us, proves it
by its heartbeat, and is dead once that has not changed for SILENCE_SECONDS by the monotonic clock of the process
that watches it. No two clocks are compared to take a lock: a host whose clock is an hour off, a clock that is set,
a file server that stamps files by its own time, a lock dated in the future neither lose a living holder's lock nor
keep a dead one's. Any change of the heartbeat is a sign of life, whatever time it bears; time in which nobody
could look is no silence. Leader election in Kubernetes (client-go) follows the same rule. The `SoftFileLease` of
filelock 3.32 times its own beats on a monotonic clock too, but a process that wants its lock compares the wall
clock with the file's time, and takes a lock that looks old without having watched it.

The price is that a process must watch before it takes over. So the wall clock is used for two things that do little
harm where it is wrong: a holder whose last sign of life is less than SILENCE_SECONDS old at first sight is believed
alive until it has been silent for as long; and one look alone shows a holder as gone whose last sign is hours old.
"""

from __future__ import annotations

import errno
import math
import os
import re
import time
import uuid
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from core.declarations.lazy import hashlib, json
from core.errors import ExperimentError, RecordError
from core.files.atomic import write_atomically
from core.files.folders import set_broken_aside
from core.files.ownership import owned_name
from core.files.reading import read_plain
from core.records.folders import LOCK_FILE
from core.records.process import ProcessIdentity, identity
from core.records.types import parse, plain

HEARTBEAT_SECONDS = 5.0
"""How often a holder proves that it lives."""
SILENCE_SECONDS = 9 * HEARTBEAT_SECONDS
"""How long a holder on another host must be watched without any sign of life before it counts as dead."""
GLANCE_SECONDS = 7200.0
"""How far from now, by the wall clock, the last sign of life of a holder may be that one look shows as alive."""
LOOK_SECONDS = 0.25
"""How often a holder is looked at while it is watched."""
LOOKS = 6
"""How often in a row a lock must be missing to count as gone: a file server may hide a file for a moment."""
LARGEST = 2**16
"""Bytes of a lock file, at most; ours have some hundred."""
FULL = (errno.ENOSPC, errno.EDQUOT)
"""The errors of a full disk."""
CLAIM = re.compile(r"\.lock\.[0-9a-f]{64}")
"""The names of claims, see `Lock`."""
UNKNOWN_HOLDER = ProcessIdentity("an unknown host", 0, "", "")

Life = Literal["alive", "dead", "unknown"]
"""Whether a holder lives. unknown: only watching it can tell."""


class LockHeld(ExperimentError):
    """The experiment is being computed by a living process, `holder`."""

    def __init__(self, holder: ProcessIdentity) -> None:
        super().__init__(
            f"this experiment is being computed by {holder}",
            "follow it with `aefit-tui attach ID`, or stop it with `aefit-tui cancel ID`"
            if holder.pid
            else f"its heart beat just now; if nobody computes it, wait {SILENCE_SECONDS:.0f} s and try again",
        )
        self.holder = holder


@dataclass(frozen=True)
class Holding:
    """What a lock file says. holder: None where that cannot be read. life: our judgement of the holder.

    alive: whether to show the holder as alive; where its life is unknown, whether its last sign is less than
    GLANCE_SECONDS away. content: of the file.
    """

    holder: ProcessIdentity | None
    life: Life
    alive: bool
    content: bytes


@dataclass(frozen=True)
class _Sight:
    """The signs of life of one holder as they were last seen, and when (seen, seconds).

    silence: for how many seconds they were watched without a change. believed: whether the holder is believed alive
    until silence is SILENCE_SECONDS.
    """

    content: bytes
    signs: Hashable
    seen: float
    silence: float
    believed: bool


class Watch:
    """What this process has seen of holders on other hosts or hidden from it; safe between threads."""

    def __init__(self) -> None:
        self._sights: dict[Path, _Sight] = {}

    def look(
        self, path: Path, content: bytes, signs: Hashable, now: float, *, fresh: bool
    ) -> tuple[float, bool]:
        """Note a holder's signs; for how many seconds they have not changed, and whether it is believed alive.

        It is believed once its signs were seen to change, or where it was `fresh` at first sight. Of the time
        between two looks at most HEARTBEAT_SECONDS count: the file server may have been away for holder and
        watcher alike. path, content: of the lock file; another content is another holder. now: by the monotonic
        clock.
        """
        last = self._sights.get(path)
        if last is None or last.content != content:
            sight = _Sight(content, signs, now, 0.0, fresh)
        elif last.signs != signs:
            sight = _Sight(content, signs, now, 0.0, believed=True)
        else:
            # Two threads may come here in another order than they looked.
            silence = last.silence + min(max(0.0, now - last.seen), HEARTBEAT_SECONDS)
            sight = _Sight(content, signs, max(now, last.seen), silence, last.believed)
        self._sights[path] = sight
        return sight.silence, sight.believed


WATCH = Watch()
"""The watch of all locks of this process: what a screen has seen in repeated looks counts for who waits later."""


class Lock:
    """The lock of one experiment folder: the files `lock` and `heartbeat` in it.

    The lock of a dead process of this host is taken over silently; one of another host, or one that cannot be read,
    only once it was watched without a sign of life. `taken_from` then names the holder on the other host.
    As a context manager it is held within the block. Raises LockHeld where a living process has it.

    Where several processes find the same holder dead, a slow one must not remove the lock that a fast one has made
    meanwhile, not even for a moment. So a lock file is removed only by the owner of a claim: a file of the same
    kind, named after the path and content of the lock file that it is to remove. A lock file with another content
    is not removed.

    clock: monotonic seconds. wall: seconds since 1970. wait: lets so many seconds pass. watch: what was seen of
    holders. give_up: called while a holder is watched; where it returns True the holder counts as alive.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        *,
        wall: Callable[[], float] = time.time,
        wait: Callable[[float], None] = time.sleep,
        watch: Watch = WATCH,
        give_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path = folder / LOCK_FILE
        self._heartbeat = folder / "heartbeat"
        self._clock = clock
        self._wall = wall
        self._wait = wait
        self._watch = watch
        self._give_up = give_up
        self._content = b""
        self._beats = 0
        self._missed = 0
        self.taken_from: ProcessIdentity | None = None

    def holding(self) -> Holding | None:
        """Who holds the lock as far as one look tells, or None where it is free. Raises OSError."""
        return self._holding(self._path)

    def acquire(self) -> None:
        """Take the lock, from a dead holder if need be. Raises LockHeld, OSError.

        Takes up to SILENCE_SECONDS where only watching can tell whether the holder lives.
        """
        self._content = json.dumps({**plain(identity()), "token": uuid.uuid4().hex}).encode()
        self._missed = 0
        dead = self._take(self._path)
        self.taken_from = dead if dead is not None and not dead.on_this_host else None
        try:
            self.beat()
        except OSError:
            self.release()
            raise

    def sweep(self) -> None:
        """Remove the claims that dead processes left; only the holder of the lock may call it. Raises OSError.

        A claim to a content that the lock no longer has is harmless.
        """
        for name in os.listdir(self._path.parent):
            if CLAIM.fullmatch(name):
                claim = self._path.with_name(name)
                found = self._holding(claim)
                if found is not None and found.life == "dead":
                    _clear(claim)

    def wait_until_free(self) -> None:
        """Wait until it is clear that nobody alive holds the lock, as `acquire` does. Raises LockHeld, OSError."""
        while (found := self.holding()) is not None and found.life != "dead":
            self._refuse_or_wait(found)

    @property
    def held(self) -> bool:
        """Whether the lock is still ours. Raises OSError where it cannot be read."""
        return bool(self._content) and _content_of(self._path) == self._content

    def beat(self) -> None:
        """Write a new heartbeat, which proves that the holder lives.

        Raises LockHeld where the lock was taken over, or is missing for the LOOKS-th time in a row. Raises OSError
        where the heartbeat cannot be written; on a full disk its file's time is set, which is a sign of life too.
        """
        found = self.holding()
        if found is None and self._content and self._missed < LOOKS - 1:
            self._missed += 1
            return
        if found is None or found.content != self._content:
            raise LockHeld((found and found.holder) or UNKNOWN_HOLDER)
        self._missed = 0
        self._beats += 1
        if self._heartbeat.is_dir() and not self._heartbeat.is_symlink():
            _clear(self._heartbeat)
        try:
            write_atomically(self._heartbeat, f"{self._beats} {self._wall():.3f}\n")
        except OSError:
            with suppress(OSError):  # a full disk has room for this, and the file's time is a sign of life
                os.utime(self._heartbeat, follow_symlinks=False)
            raise

    def release(self) -> None:
        """Give the lock back, if it is still ours. Never raises.

        On a full disk the file is emptied instead of removed: an empty lock is nobody's. Where the disk is gone it
        stays, and is a dead holder's once this process has ended.
        """
        # LockHeld: somebody takes it over at this very moment.
        with suppress(LockHeld, OSError):
            if self.held:
                try:
                    self._remove(self._path, self._content)
                except OSError as error:
                    if error.errno not in FULL:
                        raise
                    self._empty()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _holding(self, path: Path) -> Holding | None:
        content = _content_of(path)
        if content is None:
            return None
        now = self._clock()
        if not content:
            # A lock file appears with its content: this one was emptied, or not made by taking the lock.
            return Holding(None, "dead", alive=False, content=content)
        try:
            holder = parse(content, ProcessIdentity, "the lock")
        except RecordError:
            holder = None
        if holder is not None and holder.on_this_host:
            alive = holder.alive
            return Holding(holder, "alive" if alive else "dead", alive, content)
        return self._from_afar(path, holder, content, now)

    def _from_afar(self, path: Path, holder: ProcessIdentity | None, content: bytes, now: float) -> Holding:
        """Judge a holder whose process cannot be seen by its signs of life. now: when they are looked at."""
        own = path == self._path  # else a claim, for which no heart beats
        signs = [_sign_of(path), *([_sign_of(self._heartbeat)] if own else [])]
        distance = min((abs(self._wall() - sign[0]) for sign in signs if sign is not None), default=math.inf)
        fresh = own and distance < SILENCE_SECONDS
        silence, believed = self._watch.look(path, content, tuple(signs), now, fresh=fresh)
        if silence >= SILENCE_SECONDS:
            return Holding(holder, "dead", alive=False, content=content)
        if believed:
            return Holding(holder, "alive", alive=True, content=content)
        return Holding(holder, "unknown", alive=distance < GLANCE_SECONDS, content=content)

    def _take(self, path: Path) -> ProcessIdentity | None:
        """Make `path`, a lock or a claim, ours; the dead holder it was taken from, if any. Raises LockHeld."""
        dead = None
        while not self._create(path):
            found = self._holding(path)
            if found is None:
                continue
            if found.life != "dead":
                self._refuse_or_wait(found)
            elif self._remove(path, found.content):
                dead = found.holder
        return dead

    def _refuse_or_wait(self, found: Holding) -> None:
        """Wait LOOK_SECONDS for a sign of life of a holder. Raises LockHeld where it is known to live."""
        if found.life == "alive" or self._give_up():
            raise LockHeld(found.holder or UNKNOWN_HOLDER)
        self._wait(LOOK_SECONDS)

    def _create(self, path: Path) -> bool:
        """Put our file at `path`, whole, unless there is one; whether ours is there now."""
        temporary = self._path.with_name(owned_name(".lock"))
        try:
            with temporary.open("xb") as file:
                file.write(self._content)
                file.flush()
                os.fsync(file.fileno())
            # A hard link appears with its content and fails where the name exists, on NFS too.
            os.link(temporary, path)
        except FileExistsError:
            # On NFS the reply to a link that was made may be lost, and its repetition finds the name taken: by us,
            # as its content tells, which nobody else has. The number of links may be one that NFS knew before.
            return _content_of(path) == self._content
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def _remove(self, path: Path, content: bytes) -> bool:
        """Remove the file at `path` if it still has this content; whether it had. Raises LockHeld, OSError."""
        # The claim's name includes the path's: a holder that dies in `release` leaves two files of one content.
        about = path.name.encode() + b"\n" + content
        claim = self._path.with_name(f".lock.{hashlib.sha256(about).hexdigest()}")
        self._take(claim)
        try:
            if _content_of(path) != content:
                return False
            _clear(path)
        finally:
            claim.unlink(missing_ok=True)  # the folder may have been deleted with it
        return True

    def _empty(self) -> None:
        """Empty our lock file without a claim, for which a full disk has no room. Raises OSError.

        An open file that has our content is ours, even where another file has its name by now.
        """
        with self._path.open("r+b") as file:
            if file.read(LARGEST) == self._content:
                file.truncate(0)


def _content_of(path: Path) -> bytes | None:
    """What a lock file holds; None where there is none, b"" for what can be no lock, such as a folder.

    Raises OSError where it cannot be read.
    """
    try:
        return read_plain(path, LARGEST)
    except FileNotFoundError:
        return b"" if path.is_symlink() else None  # a link that leads nowhere
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EFBIG, errno.ELOOP, errno.ENXIO):
            return b""
        raise


def _clear(path: Path) -> None:
    """Remove a lock file; what can be no lock was put there by somebody, and is only set aside. Raises OSError."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
        set_broken_aside(path)
    else:
        path.unlink()


def _sign_of(path: Path) -> tuple[float, int, bytes] | None:
    """Time, inode and content of a file: one changes when it is written anew. None where it cannot be read."""
    try:
        status = path.stat()
        return status.st_mtime, status.st_ino, read_plain(path, LARGEST)
    except OSError:
        return None
