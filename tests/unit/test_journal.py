"""A journal that is being written, torn, broken or of a newer version gives every whole event, once, in order."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records.events import (
    SCHEMA_VERSION,
    EpochFinished,
    Event,
    Notice,
    Progress,
    RunCompleted,
    StatisticsComputed,
)
from core.records.journal import JournalReader, JournalWriter, Problem, read_all
from core.records.statistics import SummaryTable

texts = st.text(st.characters(codec="utf-8") | st.sampled_from('\n\r\u2028\x85"'), max_size=12)
"""Among them all that some reader takes for the end of a line."""


def line(sequence: int, text: str = "", **changes: object) -> bytes:
    """A journal line written by hand."""
    record = {"seq": sequence, "time": float(sequence), "v": SCHEMA_VERSION, "event": "notice", "text": text}
    return json.dumps(record | changes, ensure_ascii=False).encode() + b"\n"


def texts_of(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


@settings(max_examples=80)
@given(st.lists(texts, min_size=1, max_size=5), st.data())
def test_a_reader_sees_exactly_the_whole_lines_and_later_the_rest(
    tmp_path_factory: pytest.TempPathFactory, sent: list[str], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    writer = JournalWriter(folder / "w.jsonl", clock=lambda: 1.0)
    for text in sent:
        writer.write(Notice(text=text))
    writer.close()
    content = (folder / "w.jsonl").read_bytes()
    cut = data.draw(st.integers(0, len(content)), label="cut")
    (folder / "w.jsonl").write_bytes(content[:cut])
    reader = JournalReader(folder)
    whole = content[:cut].count(b"\n")
    first = reader.poll()
    assert texts_of(first) == sent[:whole]
    assert reader.poll() == []
    with (folder / "w.jsonl").open("ab") as file:
        file.write(content[cut:])
    then = reader.poll()
    assert texts_of(then) == sent[whole:]
    assert [event.seq for event in first + then] == list(range(1, len(sent) + 1))
    assert reader.problems == []
    assert not reader.newer


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"{nonsense\n", id="torn"),
        pytest.param(b"half\rof two\n", id="carriage return"),
        pytest.param(b"\xff\n", id="not UTF-8"),
        pytest.param(b"[]\n", id="a list"),
        pytest.param(b"\n", id="empty"),
        pytest.param(line(2, time=10**400), id="endless time"),
    ],
)
def test_a_broken_middle_line_is_set_aside_and_stops_nobody(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "w.jsonl"
    path.write_bytes(line(1, "a") + broken + line(3, "b"))
    (tmp_path / "x.jsonl").write_bytes(line(2, "other writer"))
    reader = JournalReader(tmp_path)
    assert texts_of(reader.poll()) == ["a", "other writer", "b"]
    (problem,) = reader.problems
    assert (problem.writer, problem.offset) == ("w", len(line(1, "a")))
    with path.open("ab") as file:
        file.write(line(4, "c"))
    assert texts_of(reader.poll()) == ["c"]
    assert reader.problems == [problem]


def test_several_writers_are_merged_by_time_then_writer_then_sequence(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(line(1, "b1", time=1) + line(2, "b2", time=5) + line(3, "b3", time=5))
    (tmp_path / "a.jsonl").write_bytes(line(1, "a1", time=2) + line(2, "a2", time=5))
    (tmp_path / "notes.txt").write_bytes(b"no journal")
    assert texts_of(read_all(tmp_path)) == ["b1", "a1", "a2", "b2", "b3"]


def test_a_journal_that_appears_later_is_followed_too(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "journal")
    assert reader.poll() == []
    JournalWriter(tmp_path / "journal" / "a.jsonl").write(Notice(text="first"))
    assert texts_of(reader.poll()) == ["first"]
    JournalWriter(tmp_path / "journal" / "b.jsonl").write(Notice(text="second"))
    assert texts_of(reader.poll()) == ["second"]
    assert reader.problems == []


def test_a_clock_set_back_does_not_turn_a_writers_events_round(tmp_path: Path) -> None:
    times = iter([100.0, 40.0, 41.0, 150.0])
    writer = JournalWriter(tmp_path / "w.jsonl", clock=lambda: next(times))
    for text in "abcd":
        writer.write(Notice(text=text))
    events = read_all(tmp_path)
    assert texts_of(events) == list("abcd")
    assert [event.time for event in events] == [100.0, 100.0, 100.0, 150.0]


def test_the_clock_orders_a_sessions_events_and_never_those_of_two_sessions(tmp_path: Path) -> None:
    in_order = [
        ("0001-coordinator", 100.0, 1),
        ("0001-worker-1", 101.0, 1),
        ("0001-worker-1", 101.0, 2),
        ("0001-coordinator", 102.0, 2),
        ("0002-coordinator", 50.0, 1),  # resumed where the clock is behind
        ("0002-worker-1", 51.0, 1),
        ("0010-coordinator", 51.0, 1),
    ]
    for place, (writer, time, sequence) in enumerate(in_order):
        with (tmp_path / f"{writer}.jsonl").open("ab") as file:
            file.write(line(sequence, str(place), time=time))
    assert texts_of(read_all(tmp_path)) == list("0123456")


def test_unknown_kinds_are_passed_over_and_newer_versions_flagged(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path)
    (tmp_path / "w.jsonl").write_bytes(line(1, event="teleported", where="mars") + line(2, "known", more=1))
    assert texts_of(reader.poll()) == ["known"]
    assert not reader.newer
    with (tmp_path / "w.jsonl").open("ab") as file:
        file.write(line(3, "later", v=SCHEMA_VERSION + 1))
    (event,) = reader.poll()
    assert (event.v, texts_of([event])) == (SCHEMA_VERSION + 1, ["later"])
    assert reader.newer
    assert reader.problems == []


def test_an_unknown_kind_of_a_newer_version_is_flagged_too(tmp_path: Path) -> None:
    (tmp_path / "w.jsonl").write_bytes(line(1, event="teleported", v=SCHEMA_VERSION + 1))
    reader = JournalReader(tmp_path)
    assert reader.poll() == []
    assert reader.newer
    assert reader.problems == []


def test_a_refused_event_leaves_no_line_and_no_gap(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "w.jsonl")
    writer.write(Notice(text="a"))
    with pytest.raises(ValueError, match="JSON"):
        writer.write(EpochFinished(run=0, epoch=1, epochs=3, loss=float("nan")))
    writer.write(Notice(text="b"))
    events = read_all(tmp_path)
    assert [(event.seq, text) for event, text in zip(events, texts_of(events), strict=True)] == [
        (1, "a"),
        (2, "b"),
    ]


def test_threads_that_share_a_writer_write_whole_lines(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "w.jsonl")
    together = threading.Barrier(6)

    def write(thread: int) -> None:
        together.wait()
        for number in range(40):
            writer.write(Notice(text=f"{thread} {number} " + "x" * 300))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = JournalReader(tmp_path)
    events = reader.poll()
    assert reader.problems == []
    assert [event.seq for event in events] == list(range(1, 241))
    for number in range(6):
        own = [str(text).split()[1] for text in texts_of(events) if str(text).startswith(f"{number} ")]
        assert own == list(map(str, range(40)))


def test_two_writers_cannot_share_a_file(tmp_path: Path) -> None:
    JournalWriter(tmp_path / "w.jsonl").write(Notice(text="mine"))
    with pytest.raises(FileExistsError):
        JournalWriter(tmp_path / "w.jsonl")
    assert texts_of(read_all(tmp_path)) == ["mine"]


def test_a_full_disk_costs_the_torn_event_and_none_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter(tmp_path / "w.jsonl")
    writer.write(Notice(text="before"))
    write = os.write
    room = 10

    def write_until_full(descriptor: int, content: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, content[:room])
        room -= written
        return written

    with monkeypatch.context() as full:
        full.setattr("os.write", write_until_full)
        with pytest.raises(OSError, match="No space"):
            writer.write(Notice(text="lost"))
    writer.write(Notice(text="after"))
    reader = JournalReader(tmp_path)
    assert texts_of(reader.poll()) == ["before", "after"]
    assert len(reader.problems) == 1


def test_a_journal_that_does_not_reach_the_disk_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    writer = JournalWriter(tmp_path / "w.jsonl")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="quota"):
        writer.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        writer.write(Notice(text="late"))


def test_a_journal_that_cannot_be_read_is_reported_once_and_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "w.jsonl").write_bytes(line(1, "a"))
    reader = JournalReader(tmp_path)
    assert texts_of(reader.poll()) == ["a"]
    assert reader.poll() == []
    assert reader.problems == [Problem("folder", 0, "cannot be read: it is not a plain file")]


def test_a_folder_that_cannot_be_listed_is_reported_not_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def glob(folder: Path, pattern: str) -> list[Path]:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(Path, "glob", glob)
    reader = JournalReader(tmp_path)
    assert reader.poll() == reader.poll() == []
    (problem,) = reader.problems
    assert "Stale file handle" in problem.reason


@pytest.mark.parametrize("newest", [False, True])
def test_superseded_progress_is_passed_over_on_request_and_nothing_else_is(
    tmp_path: Path, newest: bool
) -> None:
    writer = JournalWriter(tmp_path / "w.jsonl", clock=lambda: 1.0)

    def progress(done: int) -> None:
        writer.write(Progress(run=0, stage="surrogate", done=done, total=9))

    for done in (1, 2, 3):
        progress(done)
    writer.write(Notice(text='it says "event":"progress"'))
    writer.write(Notice(text="and another"))
    progress(4)
    reader = JournalReader(tmp_path, newest_only=newest)
    first = reader.poll()
    progress(5)
    progress(6)
    second = reader.poll()
    writer.close()
    found = [[event.done for event in events if isinstance(event, Progress)] for events in (first, second)]
    assert found == ([[3, 4], [6]] if newest else [[1, 2, 3, 4], [5, 6]])
    assert [event.seq for event in first if isinstance(event, Notice)] == [4, 5]
    assert reader.poll() == []
    assert reader.problems == []


def test_of_superseded_statistics_only_the_last_is_decoded_on_request(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "w.jsonl", clock=lambda: 1.0)

    def statistics(run: int) -> None:
        writer.write(StatisticsComputed(runs=tuple(range(run)), summary=SummaryTable(accuracy={}), tests=()))
        writer.write(RunCompleted(run=run))

    reader, whole = JournalReader(tmp_path, newest_only=True), JournalReader(tmp_path)
    for runs in (range(1, 5), range(5, 7)):
        for run in runs:
            statistics(run)
        seen = reader.poll()
        assert [event.runs for event in seen if isinstance(event, StatisticsComputed)] == [
            tuple(range(runs[-1]))
        ]
        assert [event.run for event in seen if isinstance(event, RunCompleted)] == list(runs)
        # In its own place among the others.
        assert [event.seq for event in seen] == sorted(event.seq for event in seen)
        assert len(whole.poll()) == 2 * len(runs)
    writer.close()


def test_a_line_without_end_is_set_aside_and_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.records.journal.LONGEST_LINE", 1000)
    monkeypatch.setattr("core.records.journal.BUFFER", 64)
    writer = JournalWriter(tmp_path / "0001-coordinator.jsonl")
    writer.write(Notice(text="before"))
    reader = JournalReader(tmp_path)
    with (tmp_path / "0001-coordinator.jsonl").open("ab") as file:
        file.write(b"x" * 5000)
        file.flush()
        assert texts_of(reader.poll()) == ["before"]
        assert reader.poll() == [], "it may get an end yet"
        file.write(b"x" * 5000 + b"\n")
    writer.write(Notice(text="after"))
    assert texts_of(reader.poll()) == ["after"]
    assert [problem.reason for problem in reader.problems] == ["a line of more than 1,000 bytes"]
    assert reader.poll() == []
    writer.close()


@pytest.mark.parametrize("kind", ["pipe", "endless", "folder", "nowhere"])
def test_what_is_no_file_is_no_journal_and_keeps_nobody_waiting(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "0002-coordinator.jsonl"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero" if kind == "endless" else "nowhere")
    writer = JournalWriter(tmp_path / "0001-coordinator.jsonl")
    writer.write(Notice(text="here"))
    writer.close()
    reader = JournalReader(tmp_path)
    assert texts_of(reader.poll()) == ["here"]
    assert [problem.writer for problem in reader.problems] == ["0002-coordinator"]


def test_no_journal_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "journal").symlink_to("elsewhere")
    with pytest.raises(OSError, match="it is a link"):
        JournalWriter(tmp_path / "journal" / "0001-coordinator.jsonl")
    assert list((tmp_path / "elsewhere").iterdir()) == []
