"""One experiment is computed by one living process; a dead one's lock is never in the way."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest
from msgspec.structs import replace

from core.files.atomic import write_atomically
from core.records import lock as lock_module
from core.records.lock import (
    GLANCE_SECONDS,
    HEARTBEAT_SECONDS,
    LOOKS,
    SILENCE_SECONDS,
    Lock,
    LockHeld,
    Watch,
)
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
    os.utime(tmp_path / "heartbeat", (1, 1))
    os.utime(tmp_path / "lock", (1, 1))
    with pytest.raises(LockHeld):
        Lock(tmp_path, wait=lambda seconds: pytest.fail("waited")).acquire()


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


ELSEWHERE = ProcessIdentity("elsewhere", os.getpid(), "1", "their-boot")
SKEWS = [-3600.0, -SILENCE_SECONDS - 1, 0.0, SILENCE_SECONDS + 1, 3600.0]
"""How far another host's clock may be ahead of ours, seconds."""


class Clocks:
    """Time that passes only while somebody waits, and another host whose clock is `skew` ahead of our wall clock.

    While it lives the other host's holder beats as holders do. jump: what our wall clock jumps by at the next wait.
    """

    def __init__(self, folder: Path, *, skew: float, alive: bool) -> None:
        self.folder, self.skew, self.alive = folder, skew, alive
        self.monotonic, self.wall, self.jump = 5.0, 1.8e9, 0.0
        self.beats = 0
        self.waited = 0.0
        (folder / "lock").write_text(json.dumps({**plain(ELSEWHERE), "token": "theirs"}))
        self.stamp("lock")
        self.beat()

    def stamp(self, name: str) -> None:
        os.utime(self.folder / name, (self.wall + self.skew,) * 2)

    def beat(self) -> None:
        self.beats += 1
        write_atomically(self.folder / "heartbeat", f"{self.beats}\n")
        self.stamp("heartbeat")

    def wait(self, seconds: float) -> None:
        before = self.monotonic
        self.monotonic, self.wall, self.jump = before + seconds, self.wall + seconds + self.jump, 0.0
        self.waited += seconds
        if self.alive and self.monotonic // HEARTBEAT_SECONDS > before // HEARTBEAT_SECONDS:
            self.beat()

    def lock(self, watch: Watch | None = None, give_up: Callable[[], bool] = lambda: False) -> Lock:
        return Lock(
            self.folder,
            lambda: self.monotonic,
            wall=lambda: self.wall,
            wait=self.wait,
            watch=watch or Watch(),
            give_up=give_up,
        )


@pytest.mark.parametrize("skew", SKEWS)
def test_a_living_holder_elsewhere_keeps_its_lock_whatever_its_clock_says(
    tmp_path: Path, skew: float
) -> None:
    clocks = Clocks(tmp_path, skew=skew, alive=True)
    with pytest.raises(LockHeld, match="on elsewhere"):
        clocks.lock().acquire()
    assert clocks.waited <= 2 * HEARTBEAT_SECONDS, "its next heartbeat proves that it lives"
    watch = Watch()
    for _ in range(int(3 * SILENCE_SECONDS)):
        clocks.wait(1.0)
        found = clocks.lock(watch).holding()
        assert found is not None
        assert found.alive
        assert found.life != "dead"
    assert files(tmp_path) == ["heartbeat", "lock"]


@pytest.mark.parametrize("skew", SKEWS)
def test_a_dead_holder_elsewhere_loses_its_lock_whatever_its_clock_said(tmp_path: Path, skew: float) -> None:
    clocks = Clocks(tmp_path, skew=skew, alive=False)
    if not skew:
        with pytest.raises(LockHeld):  # it gave a sign of life just now
            clocks.lock().acquire()
        clocks.wait(SILENCE_SECONDS)
    began = clocks.monotonic
    with clocks.lock() as lock:
        assert lock.taken_from == ELSEWHERE
    assert SILENCE_SECONDS <= clocks.monotonic - began < SILENCE_SECONDS + 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("alive", [True, False])
def test_a_holder_that_the_system_hides_is_watched_like_one_elsewhere(
    tmp_path: Path, child: subprocess.Popen[bytes], hide: Callable[[int], None], alive: bool
) -> None:
    """Its number may have gone to another user's process since."""
    clocks = Clocks(tmp_path, skew=600.0, alive=alive)
    theirs = identity(child.pid)
    (tmp_path / "lock").write_text(json.dumps({**plain(theirs), "token": "theirs"}))
    hide(child.pid)
    if alive:
        with pytest.raises(LockHeld, match=f"by process {child.pid} on "):
            clocks.lock().acquire()
    else:
        with clocks.lock() as lock:
            assert lock.taken_from == theirs
        assert SILENCE_SECONDS <= clocks.waited < SILENCE_SECONDS + 2


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
@pytest.mark.parametrize("alive", [True, False])
def test_a_clock_that_is_set_while_a_holder_is_watched_changes_nothing(
    tmp_path: Path, jump: float, alive: bool
) -> None:
    clocks = Clocks(tmp_path, skew=600.0, alive=alive)
    clocks.jump = jump
    if alive:
        with pytest.raises(LockHeld):
            clocks.lock().acquire()
    else:
        with clocks.lock() as lock:
            assert lock.taken_from == ELSEWHERE
        assert SILENCE_SECONDS <= clocks.waited < SILENCE_SECONDS + 2


def test_a_heartbeat_counts_though_its_time_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file servers stamp to the second, and a clock may stand."""
    clocks = Clocks(tmp_path, skew=-3600.0, alive=True)
    monkeypatch.setattr(clocks, "stamp", lambda name: os.utime(tmp_path / name, (1e9, 1e9)))
    with pytest.raises(LockHeld):
        clocks.lock().acquire()


def test_who_looks_again_and_again_learns_that_a_holder_is_gone(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path, skew=600.0, alive=False)
    watch = Watch()
    seen = []
    for _ in range(int(SILENCE_SECONDS) + 2):
        found = clocks.lock(watch).holding()
        assert found is not None
        seen.append(found.alive)
        clocks.wait(1.0)
    assert seen == [True] * int(SILENCE_SECONDS) + [False, False]


def test_time_in_which_nobody_could_look_is_not_silence(tmp_path: Path) -> None:
    """The file server is away for both: who looks before the holder's next heartbeat must not take it for dead."""
    clocks = Clocks(tmp_path, skew=600.0, alive=False)
    watch = Watch()
    judged = []
    for away in (SILENCE_SECONDS + 15, 86_400.0, HEARTBEAT_SECONDS, HEARTBEAT_SECONDS):
        clocks.lock(watch).holding()
        clocks.wait(away)
        found = clocks.lock(watch).holding()
        assert found is not None
        judged.append(found.life)
    assert judged == ["unknown"] * 4
    clocks.beat()
    found = clocks.lock(watch).holding()
    assert found is not None
    assert found.life == "alive"


def test_who_looks_as_often_as_a_heart_beats_learns_in_time_that_it_has_stopped(tmp_path: Path) -> None:
    """So workers elsewhere look."""
    clocks = Clocks(tmp_path, skew=600.0, alive=False)
    watch = Watch()
    began = clocks.monotonic
    while (found := clocks.lock(watch).holding()) is not None and found.life != "dead":
        clocks.wait(HEARTBEAT_SECONDS)
    assert clocks.monotonic - began == SILENCE_SECONDS


@pytest.mark.parametrize(
    ("age", "shown"), [(0.0, True), (GLANCE_SECONDS - 9, True), (-600.0, True), (GLANCE_SECONDS + 9, False)]
)
def test_who_looks_once_takes_a_holder_for_gone_whose_last_sign_is_hours_away(
    tmp_path: Path, age: float, shown: bool
) -> None:
    found = Clocks(tmp_path, skew=-age, alive=False).lock().holding()
    assert found is not None
    assert found.alive == shown


def test_who_is_told_to_stop_watching_takes_nothing(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path, skew=3600.0, alive=False)
    with pytest.raises(LockHeld, match="on elsewhere"):
        clocks.lock(give_up=lambda: clocks.waited > 3).acquire()
    assert clocks.waited < 5


def test_waiting_until_it_is_free_takes_nothing(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path, skew=3600.0, alive=False)
    clocks.lock().wait_until_free()
    assert clocks.waited >= SILENCE_SECONDS
    assert files(tmp_path) == ["heartbeat", "lock"]
    with pytest.raises(LockHeld):
        Clocks(tmp_path, skew=3600.0, alive=True).lock().wait_until_free()
    (tmp_path / "lock").unlink()
    clocks.lock().wait_until_free()


@pytest.mark.parametrize("dated", [-1e6, 0.0, 1e6, 4e9])
@pytest.mark.parametrize(
    "torn",
    [b'{"host": "a', b"\xff\x00", b"null", b'{"host": "a"}', pytest.param(b"[" * 60_000, id="deep")],
)
def test_a_lock_that_cannot_be_read_is_nobodys_once_it_was_watched(
    tmp_path: Path, torn: bytes, dated: float
) -> None:
    """A later version may write another form, and its holder beats like any other."""
    clocks = Clocks(tmp_path, skew=dated, alive=True)
    (tmp_path / "lock").write_bytes(torn)
    clocks.stamp("lock")
    with pytest.raises(LockHeld, match="a process that its lock does not name") as refused:
        clocks.lock().acquire()
    assert refused.value.hint.endswith("wait 45 s and try again")  # nothing that takes an id would help
    clocks.alive = False
    clocks.wait(2 * SILENCE_SECONDS)
    began = clocks.monotonic
    with clocks.lock() as lock:
        assert lock.taken_from is None
    assert clocks.monotonic - began < SILENCE_SECONDS + 2
    assert files(tmp_path) == ["heartbeat"]


@pytest.mark.parametrize("dated", [1.0, None, 4e9])
def test_an_empty_lock_is_nobodys_at_once(tmp_path: Path, dated: float | None) -> None:
    """A lock appears with its content, which is on the disk by then."""
    (tmp_path / "lock").touch()
    if dated is not None:
        os.utime(tmp_path / "lock", (dated, dated))
    with Lock(tmp_path, wait=lambda seconds: pytest.fail("waited")) as lock:
        assert lock.taken_from is None
        assert lock.held
    assert files(tmp_path) == ["heartbeat"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "endless", "huge"])
def test_what_no_lock_can_be_is_set_aside(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lock"
    if kind == "folder":
        path.mkdir()
        (path / "precious").touch()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge":
        path.write_bytes(b"x" * 100_000)
    else:
        path.symlink_to({"link": "/nowhere/at/all", "endless": "/dev/zero"}[kind])
    with Lock(tmp_path, wait=lambda seconds: pytest.fail("waited")) as lock:
        assert lock.held
    aside, *others = files(tmp_path)
    assert aside.startswith(".broken.")
    assert others == ["heartbeat"]
    if kind == "folder":
        assert (tmp_path / aside / "precious").exists()


def test_a_folder_in_the_heartbeat_s_place_is_set_aside_whole(tmp_path: Path) -> None:
    (tmp_path / "heartbeat" / "precious").mkdir(parents=True)
    with Lock(tmp_path):
        assert (tmp_path / "heartbeat").is_file()
    assert len(list(tmp_path.glob(".broken.*/precious"))) == 1


def claim_about(place: str, content: str) -> str:
    """The name of the claim of who removes what has this content."""
    return f".lock.{hashlib.sha256(f'{place}{chr(10)}{content}'.encode()).hexdigest()}"


def test_who_died_while_he_gave_his_lock_back_is_in_nobodys_way(tmp_path: Path) -> None:
    """His claim has the content of his lock."""
    text = written_by(tmp_path, dead_process())
    claim = claim_about("lock", text)
    (tmp_path / claim).write_text(text)
    with Lock(tmp_path, wait=lambda seconds: pytest.fail("waited")) as lock:
        assert lock.held
    assert files(tmp_path) == ["heartbeat"]
    (tmp_path / claim).write_text(text)
    (tmp_path / claim_about(claim, text)).write_text(text)
    written_by(tmp_path, dead_process())
    with Lock(tmp_path) as lock:
        assert lock.held


def test_claims_of_the_dead_are_swept_and_those_of_the_living_stay(tmp_path: Path) -> None:
    text = written_by(tmp_path, dead_process())
    (tmp_path / "lock").unlink()
    dead, torn, living = (claim_about(place, text) for place in ("dead", "torn", "living"))
    (tmp_path / dead).write_text(text)
    (tmp_path / torn).touch()
    (tmp_path / living).write_bytes(json.dumps(plain(identity())).encode())
    with Lock(tmp_path) as lock:
        lock.sweep()
        assert files(tmp_path) == sorted([living, "heartbeat", "lock"])


def test_a_torn_claim_is_in_nobodys_way(tmp_path: Path) -> None:
    text = written_by(tmp_path, dead_process())
    (tmp_path / claim_about("lock", text)).touch()
    with Lock(tmp_path, wait=lambda seconds: pytest.fail("waited")) as lock:
        assert lock.held
    assert files(tmp_path) == ["heartbeat"]


def test_a_lock_is_on_the_disk_before_it_can_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut could leave one without content."""
    done: list[str] = []
    link, sync = os.link, os.fsync

    def linked(source: Path, target: Path) -> None:
        done.append("link")
        link(source, target)

    def synced(descriptor: int) -> None:
        done.append("fsync")
        sync(descriptor)

    monkeypatch.setattr("os.link", linked)
    monkeypatch.setattr("os.fsync", synced)
    Lock(tmp_path).acquire()
    assert done[:2] == ["fsync", "link"]


def test_a_holder_learns_that_it_was_taken_over_and_leaves_the_new_lock_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = Lock(tmp_path)
    with monkeypatch.context() as there:
        there.setattr("core.records.process.socket.gethostname", lambda: "elsewhere")
        asleep.acquire()
        asleep.beat()
    passed = [0.0]

    def wait(seconds: float) -> None:
        passed[0] += seconds

    heir = Lock(tmp_path, lambda: passed[0], wall=lambda: time.time() + 9000, wait=wait, watch=Watch())
    with heir:
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


def test_a_lock_that_is_out_of_sight_for_a_moment_is_not_lost(tmp_path: Path) -> None:
    with Lock(tmp_path) as lock:
        for _ in range(2):  # whatever it missed before
            (tmp_path / "lock").rename(tmp_path / "hidden")
            for _ in range(LOOKS - 1):
                lock.beat()
            (tmp_path / "hidden").rename(tmp_path / "lock")
            lock.beat()


def test_a_lock_that_stays_away_is_lost_and_one_of_another_s_at_once(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    lock.acquire()
    (tmp_path / "lock").unlink()
    for _ in range(LOOKS - 1):
        lock.beat()
    with pytest.raises(LockHeld, match="a process that its lock does not name"):
        lock.beat()
    lock.acquire()
    (tmp_path / "lock").unlink()
    lock.beat()
    with Lock(tmp_path), pytest.raises(LockHeld):
        lock.beat()


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


@pytest.mark.slow
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


def full_disk(path: Path, mode: str, *arguments: object, **named: object) -> IO[bytes]:
    """Has no room for a new file's content; what is there can be opened."""
    if "x" not in mode:
        return open(path, mode)
    path.touch()
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_lock_is_given_back_on_a_full_disk_and_leaves_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder, such as a lab, may live for days."""
    with monkeypatch.context() as full, Lock(tmp_path) as lock:
        assert lock.held
        full.setattr(Path, "open", full_disk)
    assert files(tmp_path) == ["heartbeat", "lock"]
    assert not lock.held
    with Lock(tmp_path, wait=lambda seconds: pytest.fail("waited")) as heir:
        assert heir.taken_from is None
    assert files(tmp_path) == ["heartbeat"]


def test_on_a_full_disk_another_s_lock_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_over(path: Path, mode: str, *arguments: object, **named: object) -> IO[bytes]:
        if "x" in mode:
            written_by(tmp_path, ELSEWHERE)
        return full_disk(path, mode)

    with monkeypatch.context() as full, Lock(tmp_path) as lock:
        full.setattr(Path, "open", taken_over)
        lock.release()
    assert json.loads((tmp_path / "lock").read_text())["host"] == "elsewhere"


def test_a_disk_that_is_away_does_not_turn_the_end_into_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(path: Path, *arguments: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as gone, Lock(tmp_path) as lock:
        gone.setattr(Path, "open", away)
    assert lock.held, "it stays ours until we end"


def test_a_holder_on_a_full_disk_is_seen_to_live_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as there:
        there.setattr("core.records.process.socket.gethostname", lambda: "elsewhere")
        holder = Lock(tmp_path)
        holder.acquire()
    os.utime(tmp_path / "heartbeat", (1, 1))
    watcher = Lock(tmp_path, lambda: 0.0, wall=lambda: 1e6, watch=Watch())
    before = watcher.holding()
    assert before is not None
    assert before.life == "unknown"
    with monkeypatch.context() as full:
        full.setattr(Path, "open", full_disk)
        with pytest.raises(OSError, match="No space"):
            holder.beat()
    after = watcher.holding()
    assert after is not None
    assert after.life == "alive"


def test_a_full_disk_touches_nothing_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    os.utime(outside, (1, 1))
    folder = tmp_path / "experiment"
    folder.mkdir()
    with Lock(folder) as lock:
        (folder / "heartbeat").unlink()
        (folder / "heartbeat").symlink_to(outside)
        with monkeypatch.context() as full:
            full.setattr(Path, "open", full_disk)
            with pytest.raises(OSError, match="No space"):
                lock.beat()
    assert outside.stat().st_mtime == 1


def test_a_lock_that_cannot_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", full_disk)
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
    link, status = os.link, Path.stat

    def link_twice(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    def known_before(path: Path, **how: bool) -> os.stat_result:
        """NFS answers for a while with what it knew of a file before: that it has one name."""
        mode, inode, device, _, *others = status(path, **how)
        return os.stat_result((mode, inode, device, 1, *others))

    monkeypatch.setattr("os.link", link_twice)
    monkeypatch.setattr(Path, "stat", known_before)
    with Lock(tmp_path) as lock:
        lock.beat()
    assert lock.holding() is None


def test_releasing_in_a_folder_that_was_renamed_away_disturbs_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    with Lock(folder):
        folder.rename(tmp_path / "trash")
        folder.mkdir()
        (folder / "lock").write_text("another's")
    assert (folder / "lock").read_text() == "another's"
