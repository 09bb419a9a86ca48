"""A process is told from every other one, a zombie or a later bearer of its number among them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import RecordError
from core.records.process import ProcessIdentity, identity
from core.records.types import parse, to_json

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_this_process_lives_here() -> None:
    me = identity()
    assert me.pid == os.getpid()
    assert me.on_this_host
    assert me.alive
    assert identity(os.getpid()) == me
    assert parse(to_json(me), ProcessIdentity, "a process") == me


@on_linux
def test_the_start_time_is_the_kernels_field_22(child: subprocess.Popen[bytes]) -> None:
    fields = Path(f"/proc/{child.pid}/stat").read_text().replace("(python3)", "python").split()
    assert identity(child.pid).start_time == fields[21]


def test_a_killed_process_is_dead_before_and_after_its_parent_knows(child: subprocess.Popen[bytes]) -> None:
    known = identity(child.pid)
    assert known.alive
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not known.alive, "a zombie computes nothing"
    child.wait()
    assert not known.alive


@on_linux
@pytest.mark.parametrize("change", [{"start_time": "1"}, {"boot_id": "another-boot"}, {"pid": 1}])
def test_the_same_number_in_another_life_is_another_process(change: dict[str, object]) -> None:
    assert not replace(identity(), **change).alive


def test_another_host_is_not_this_one() -> None:
    assert not replace(identity(), host="elsewhere").on_this_host


@on_linux
def test_a_process_that_the_system_hides_cannot_be_judged_by_its_pid(
    child: subprocess.Popen[bytes], hide: Callable[[int], None]
) -> None:
    theirs = identity(child.pid)
    assert theirs.on_this_host
    hide(child.pid)
    assert not theirs.on_this_host
    assert replace(theirs, boot_id="another-boot").on_this_host, "no process outlives a boot"
    child.kill()
    child.wait()
    assert theirs.on_this_host
    assert not theirs.alive


@on_linux
def test_another_user_s_process_that_the_system_shows_is_judged_by_its_pid(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = identity(child.pid)

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    with monkeypatch.context() as there:
        there.setattr(os, "kill", refuse)
        assert theirs.on_this_host
        assert theirs.alive


@on_linux
def test_a_process_may_have_any_name(child: subprocess.Popen[bytes]) -> None:
    """Names are bytes, cut at 15: a parenthesis, a space and half a character must not shift the fields."""
    before = identity(child.pid)
    naming = "open('/proc/self/comm', 'wb').write(b') S 1 \\xe6\\x97'); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", naming], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as named:
        assert named.stdout is not None
        named.stdout.readline()
        known = identity(named.pid)
        assert known.alive
        assert int(known.start_time) >= int(before.start_time)
        named.kill()


@pytest.mark.parametrize("pid", ["-1", "1e3", str(10**30)])
def test_a_number_that_no_process_has_is_refused(pid: str) -> None:
    text = f'{{"host":"h","pid":{pid},"start_time":"","boot_id":""}}'
    with pytest.raises(RecordError):
        parse(text.encode(), ProcessIdentity, "the lock")


def test_no_process_has_the_number_0() -> None:
    """The system would take it for the group of who asks, which is always there."""
    assert not replace(identity(), pid=0, start_time="").alive


def test_a_process_is_named_where_it_is_known() -> None:
    assert str(ProcessIdentity("node7", 12, "", "")) == "process 12 on node7"
    assert str(replace(identity(), pid=0)) == "a process that its lock does not name"
