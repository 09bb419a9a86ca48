"""One experiment is computed by one living process; a dead one's lock is never in the way."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.records import lock as lock_module
from core.records.lock import SILENCE_SECONDS, Lock, LockHeld
from core.records.process import ProcessIdentity, identity
from core.records.types import plain

HOLDER = """
import sys
from pathlib import Path
from core.records.lock import Lock

lock = Lock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""

CONTENDER = """
import random, sys, time
from pathlib import Path
from core.records.lock import Lock, LockHeld

def slow_clock():
    # Asked for between look and deed: what was seen gets old.
    time.sleep(random.random() * 0.002)
    return time.time()

print("ready", flush=True)
for line in sys.stdin:
    folder, begin = line.rsplit(maxsplit=1)
    lock = Lock(Path(folder), slow_clock)
    while time.monotonic() < float(begin):
        pass
    try:
        lock.acquire()
        print("won", flush=True)
    except LockHeld:
        print("lost", flush=True)
"""

CLAIMANT_KILLED_AT_WORK = """
import os, pathlib, signal, sys
from core.records.lock import Lock

remove = pathlib.Path.unlink

def unlink(path, missing_ok=False):
    if path.name == "lock":
        os.kill(os.getpid(), signal.SIGKILL)
    remove(path, missing_ok)

pathlib.Path.unlink = unlink
Lock(pathlib.Path(sys.argv[1])).acquire()
"""


def start(script: str, *arguments: Path) -> subprocess.Popen[str]:
    """A process that has said its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A living process that holds the lock of tmp_path."""
    with start(HOLDER, tmp_path) as process:
        yield process
        process.kill()


def written_by(folder: Path, owner: ProcessIdentity, age: float = 0.0, beat_age: float | None = None) -> str:
    """A lock file as `owner` would have left it `age` seconds ago, its last heartbeat `beat_age` ago."""
    text = json.dumps({**plain(owner), "token": "theirs"})
    for name, seconds in (("lock", age), ("heartbeat", beat_age)):
        if seconds is not None:
            (folder / name).write_text(text if name == "lock" else "")
            os.utime(folder / name, (time.time() - seconds,) * 2)
    return text


def dead_process() -> ProcessIdentity:
    with start("import sys; print(flush=True); sys.stdin.read()") as process:
        known = identity(process.pid)
        process.kill()
    return known


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_lock_is_free_held_and_free_again(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    assert lock.holding() is None
    with lock:
        holding = Lock(tmp_path).holding()
        assert holding is not None
        assert holding.holder == identity()
        assert holding.alive
        assert files(tmp_path) == ["heartbeat", "lock"]
    assert lock.holding() is None
    assert files(tmp_path) == ["heartbeat"]


def test_a_lock_is_given_back_when_its_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lock(tmp_path):
        raise ZeroDivisionError
    assert Lock(tmp_path).holding() is None


def test_a_living_process_keeps_its_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockHeld, match=f"by process {holder.pid} on ") as refused:
        Lock(tmp_path).acquire()
    assert refused.value.holder == identity(holder.pid)
    assert "aefit-tui cancel" in refused.value.hint
    # However long it was silent: on its own host we can see that it lives.
    with pytest.raises(LockHeld):
        Lock(tmp_path, clock=lambda: time.time() + 10 * SILENCE_SECONDS).acquire()


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with Lock(tmp_path) as lock, pytest.raises(LockHeld):
        Lock(tmp_path).acquire()
    with lock:
        lock.beat()


def test_a_killed_holders_lock_is_taken_over_silently(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with Lock(tmp_path) as lock:
        assert lock.taken_from is None
        holding = lock.holding()
        assert holding is not None
        assert holding.holder == identity()
    assert files(tmp_path) == ["heartbeat"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs start times from /proc")
@pytest.mark.parametrize("change", [{"start_time": "1"}, {"boot_id": "another-boot"}])
def test_a_reused_process_number_does_not_keep_a_lock(tmp_path: Path, change: dict[str, str]) -> None:
    written_by(tmp_path, identity())
    with pytest.raises(LockHeld):
        Lock(tmp_path).acquire()
    written_by(tmp_path, replace(identity(), **change))
    with Lock(tmp_path) as lock:
        assert lock.taken_from is None


@pytest.mark.parametrize(
    ("age", "beat_age", "alive"),
    [
        (0, None, True),
        (SILENCE_SECONDS - 5, None, True),
        (SILENCE_SECONDS + 5, None, False),
        (SILENCE_SECONDS + 5, SILENCE_SECONDS - 5, True),
        (10_000, SILENCE_SECONDS + 5, False),
        (0, 10_000, True),  # just taken; the heartbeat is an earlier holder's
        (-3600, -3600, True),  # its clock is ahead of ours
    ],
)
def test_another_hosts_lock_is_taken_over_only_after_silence_and_said_so(
    tmp_path: Path, age: float, beat_age: float | None, alive: bool
) -> None:
    elsewhere = ProcessIdentity("elsewhere", os.getpid(), "1", "their-boot")
    written_by(tmp_path, elsewhere, age, beat_age)
    lock = Lock(tmp_path)
    if alive:
        with pytest.raises(LockHeld, match="on elsewhere"):
            lock.acquire()
        assert lock.taken_from is None
    else:
        with lock:
            assert lock.taken_from == elsewhere


def test_silence_is_judged_by_the_clock_that_is_given(tmp_path: Path) -> None:
    written_by(tmp_path, ProcessIdentity("elsewhere", 1, "", ""), beat_age=0.0)
    now = time.time()
    with pytest.raises(LockHeld):
        Lock(tmp_path, clock=lambda: now + SILENCE_SECONDS - 5).acquire()
    with Lock(tmp_path, clock=lambda: now + SILENCE_SECONDS + 5) as lock:
        assert lock.taken_from is not None


@pytest.mark.parametrize(
    "torn",
    [b"", b'{"host": "a', b"\xff\x00", b"null", b'{"host": "a"}', pytest.param(b"[" * 100_000, id="deep")],
)
def test_a_torn_lock_is_nobodys_after_a_while(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "lock").write_bytes(torn)
    with pytest.raises(LockHeld):
        Lock(tmp_path).acquire()
    written = time.time() - SILENCE_SECONDS - 5
    os.utime(tmp_path / "lock", (written, written))
    with Lock(tmp_path) as lock:
        assert lock.taken_from is None
    assert files(tmp_path) == ["heartbeat"]


def test_a_holder_learns_that_it_was_taken_over_and_leaves_the_new_lock_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = Lock(tmp_path)
    with monkeypatch.context() as there:
        there.setattr("core.records.process.socket.gethostname", lambda: "elsewhere")
        asleep.acquire()
        asleep.beat()
    with Lock(tmp_path, clock=lambda: time.time() + SILENCE_SECONDS + 5) as heir:
        assert heir.taken_from is not None
        assert heir.taken_from.host == "elsewhere"
        with pytest.raises(LockHeld) as refused:
            asleep.beat()
        assert refused.value.holder == identity()
        asleep.release()
        heir.beat()
        holding = heir.holding()
        assert holding is not None
        assert holding.holder == identity()


def test_a_heartbeat_without_a_lock_is_refused(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    with pytest.raises(LockHeld):
        lock.beat()
    assert files(tmp_path) == []
    lock.release()


def test_a_slow_contender_does_not_even_touch_the_lock_of_a_fast_one(tmp_path: Path) -> None:
    """It looked while the dead holder's lock was there, and acts when the next one's is."""
    written_by(tmp_path, dead_process())
    fast = Lock(tmp_path)
    changed: list[int] = []

    def clock() -> float:
        """Runs within the look: the file has been read, and is not judged yet."""
        if not changed:
            changed.append(0)
            fast.acquire()
            time.sleep(0.02)  # beyond the resolution of file times
            changed[0] = (tmp_path / "lock").stat().st_ctime_ns
        return time.time()

    with pytest.raises(LockHeld):
        Lock(tmp_path, clock).acquire()
    assert (tmp_path / "lock").stat().st_ctime_ns == changed[0]
    fast.beat()
    fast.release()
    assert files(tmp_path) == ["heartbeat"]


def test_of_many_processes_that_find_a_dead_holder_exactly_one_wins(tmp_path: Path) -> None:
    dead = dead_process()
    with ExitStack() as stack:
        contenders = [stack.enter_context(start(CONTENDER)) for _ in range(5)]
        for contender in contenders:
            stack.callback(contender.kill)
        for number in range(50):
            folder = tmp_path / f"{number}"
            folder.mkdir()
            written_by(folder, dead)
            begin = time.monotonic() + 0.005
            for contender in contenders:
                assert contender.stdin is not None
                contender.stdin.write(f"{folder} {begin}\n")
                contender.stdin.flush()
            answers = [contender.stdout.readline().strip() for contender in contenders if contender.stdout]
            assert sorted(answers) == ["lost"] * 4 + ["won"]
            holding = Lock(folder).holding()
            assert holding is not None
            assert holding.holder == identity(contenders[answers.index("won")].pid)
            assert files(folder) == ["heartbeat", "lock"]


def test_a_contender_killed_while_it_takes_over_is_in_nobodys_way(tmp_path: Path) -> None:
    written_by(tmp_path, dead_process())
    killed = subprocess.run([sys.executable, "-c", CLAIMANT_KILLED_AT_WORK, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert len(files(tmp_path)) == 2, "the dead holder's lock and the claim on it"
    with Lock(tmp_path) as lock:
        lock.beat()
    assert files(tmp_path) == ["heartbeat"]


def test_a_lock_whose_first_heartbeat_cannot_be_written_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(lock_module, "write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        Lock(tmp_path).acquire()
    assert files(tmp_path) == []


def full_disk(path: Path, *arguments: object, **named: object) -> None:
    path.touch()
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_does_not_turn_the_end_into_a_failure_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full, Lock(tmp_path) as lock:
        assert lock.held
        full.setattr(Path, "write_text", full_disk)
    assert files(tmp_path) == ["heartbeat", "lock"]
    assert lock.held, "it stays ours until we end"


def test_a_lock_that_cannot_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space"):
        Lock(tmp_path).acquire()
    assert files(tmp_path) == []


def test_a_lock_is_held_from_its_taking_until_its_giving_back_or_loss(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    assert not lock.held
    lock.acquire()
    assert lock.held
    assert not Lock(tmp_path).held
    lock.release()
    assert not lock.held
    lock.acquire()
    written_by(tmp_path, ProcessIdentity("elsewhere", 1, "", ""))
    assert not lock.held


def test_a_link_whose_confirmation_was_lost_on_nfs_is_still_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_twice(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr("os.link", link_twice)
    with Lock(tmp_path) as lock:
        lock.beat()


def test_releasing_in_a_folder_that_was_renamed_away_disturbs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    with Lock(folder):
        folder.rename(tmp_path / "trash")
        folder.mkdir()
        (folder / "lock").write_text("another's")
    assert (folder / "lock").read_text() == "another's"
