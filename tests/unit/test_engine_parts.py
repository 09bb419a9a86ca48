"""The coordinator's collaborators, each without a process: extension, statistics, heartbeat, stops, event log."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from core.engine.event_log import EventLog
from core.engine.extension import Extension
from core.engine.lock_keeping import heartbeat
from core.engine.statistics import experiment_statistics
from core.engine.statistics_journal import STATISTICS_SECONDS, StatisticsJournal
from core.engine.stopping import SIGNALS, ProcessStops, stop_requested
from core.records.events import EpochFinished, Event, Notice, StatisticsComputed
from core.records.experiment import Experiment
from core.records.home import create
from core.records.journal import read_all
from core.records.lock import Lock
from core.spec.spec import Spec
from tests.fakes.numbers import draw_answers, metrics_from_answers

SPEC = Spec(dataset="digits", runs=4, options={"z": 5}, controls=())
PATIENCE = 120.0


def fail(*arguments: object, **named: object) -> object:
    """As a call does while a file server is away."""
    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))


class Journal:
    """What is written, as long as there is room."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.full = False

    def write(self, event: Event) -> bool:
        if not self.full:
            self.events.append(event)
        return not self.full

    def runs(self) -> list[tuple[int, ...]]:
        return [event.runs for event in self.events if isinstance(event, StatisticsComputed)]


@pytest.fixture
def journal() -> Journal:
    return Journal()


class TestExtension:
    @pytest.fixture
    def experiment(self, tmp_path: Path) -> Experiment:
        return create(tmp_path, SPEC)[0]

    def test_further_runs_are_noticed_once(self, experiment: Experiment, journal: Journal) -> None:
        extension = Extension(experiment, journal.write)
        assert extension.look() == range(0)
        longer = experiment.extend(6)
        assert extension.look() == range(4, 6)
        assert extension.look() == range(0)
        longer.extend(7)
        assert extension.look() == range(6, 7)
        assert extension.experiment.spec.runs == 7
        assert journal.events == []

    def test_what_was_asked_for_before_the_first_look_is_noticed(
        self, experiment: Experiment, journal: Journal
    ) -> None:
        extension = Extension(experiment, journal.write)
        experiment.extend(5)
        assert extension.look() == range(4, 5)

    def test_an_unchanged_file_is_not_read_again(
        self, experiment: Experiment, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        extension = Extension(experiment, journal.write)
        extension.look()
        monkeypatch.setattr(Experiment, "reloaded", lambda _: pytest.fail("read again"))
        assert extension.look() == range(0)

    @pytest.mark.parametrize(
        ("text", "notice"),
        [
            ("runs = ", "going on with what was asked for at first"),
            (SPEC.changed(seed=9, runs=8).to_toml(), "is not the one that it was made from"),
        ],
    )
    def test_a_specification_that_is_not_this_ones_changes_nothing_and_is_said_once(
        self, experiment: Experiment, journal: Journal, text: str, notice: str
    ) -> None:
        extension = Extension(experiment, journal.write)
        (experiment.folder / "spec.toml").write_text(text)
        assert [extension.look(), extension.look()] == [range(0), range(0)]
        assert extension.experiment == experiment
        (event,) = journal.events
        assert isinstance(event, Notice)
        assert notice in event.text

    def test_a_file_that_cannot_be_read_for_a_moment_is_read_at_the_next_look(
        self, experiment: Experiment, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        extension = Extension(experiment, journal.write)
        extension.look()
        experiment.extend(6)

        def fail(*_: object) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as away:
            away.setattr("core.records.experiment.read_plain", fail)
            assert [extension.look(), extension.look()] == [range(0), range(0)]
        assert extension.look() == range(4, 6)
        (event,) = journal.events
        assert isinstance(event, Notice)
        assert "Input/output error" in event.text

    def test_a_file_that_is_away_for_a_moment_changes_nothing(
        self, experiment: Experiment, journal: Journal
    ) -> None:
        extension = Extension(experiment, journal.write)
        extension.look()
        path = experiment.folder / "spec.toml"
        path.rename(path.with_name("away"))
        assert extension.look() == range(0)
        path.with_name("away").rename(path)
        assert extension.look() == range(0)
        assert journal.events == []


class TestStatistics:
    RESULTS: ClassVar = {run: metrics_from_answers(SPEC, run, draw_answers(SPEC, run)) for run in range(4)}

    def test_they_are_those_of_all_complete_runs(self, journal: Journal) -> None:
        statistics = StatisticsJournal(SPEC, {3: self.RESULTS[3]}, journal.write)
        statistics.add(1, self.RESULTS[1])
        statistics.publish()
        (event,) = journal.events
        expected = experiment_statistics(SPEC, {run: self.RESULTS[run] for run in (1, 3)})
        assert isinstance(event, StatisticsComputed)
        assert (event.runs, event.summary, event.tests, event.verdict) == (
            (1, 3),
            expected.summary,
            expected.tests,
            expected.verdict,
        )

    def test_without_runs_there_are_none(self, journal: Journal) -> None:
        statistics = StatisticsJournal(SPEC, {}, journal.write)
        statistics.publish_if_due()
        statistics.publish()
        assert journal.events == []

    def test_they_are_journaled_once_and_at_most_every_few_seconds(self, journal: Journal) -> None:
        now = 50.0
        statistics = StatisticsJournal(SPEC, {0: self.RESULTS[0]}, journal.write, lambda: now)
        statistics.publish_if_due()
        statistics.publish_if_due()
        statistics.add(1, self.RESULTS[1])
        now += STATISTICS_SECONDS - 0.1
        statistics.publish_if_due()
        assert journal.runs() == [(0,)]
        now += 0.2
        statistics.publish_if_due()
        assert journal.runs() == [(0,), (0, 1)]
        statistics.publish()
        assert len(journal.runs()) == 2

    def test_their_verdict_counts_the_runs_that_are_asked_for_now(self, journal: Journal) -> None:
        statistics = StatisticsJournal(SPEC, self.RESULTS, journal.write)
        statistics.publish()
        statistics.extend(SPEC.changed(runs=6))
        statistics.publish()
        first, second = journal.events
        assert isinstance(first, StatisticsComputed)
        assert isinstance(second, StatisticsComputed)
        assert any("4 complete runs of 6" in sentence for sentence in second.verdict)
        assert not any("4 complete runs of 6" in sentence for sentence in first.verdict)

    def test_those_that_found_the_disk_full_are_journaled_later(self, journal: Journal) -> None:
        now = 0.0
        statistics = StatisticsJournal(SPEC, {0: self.RESULTS[0]}, journal.write, lambda: now)
        journal.full = True
        statistics.publish_if_due()
        journal.full = False
        statistics.publish_if_due()
        assert journal.runs() == []
        now = STATISTICS_SECONDS
        statistics.publish_if_due()
        assert journal.runs() == [(0,)]


class TestHeartbeat:
    def test_it_beats_while_the_block_lasts_and_not_after(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        beats, thrice = [], threading.Event()

        def beat(lock: Lock) -> None:
            beats.append(lock)
            if len(beats) == 3:
                thrice.set()

        monkeypatch.setattr(Lock, "beat", beat)
        with heartbeat(Lock(tmp_path), seconds=0.0) as lost:
            assert thrice.wait(PATIENCE)
            assert not lost()
        assert not any(thread.name.endswith("(beat)") for thread in threading.enumerate())

    def test_a_full_disk_is_no_loss_and_another_holder_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter([OSError(errno.ENOSPC, "full"), None])
        beaten = threading.Event()
        real = Lock.beat

        def beat(lock: Lock) -> None:
            problem = next(answers, None)
            if problem is not None:
                raise problem
            beaten.set()
            real(lock)

        lock = Lock(tmp_path)
        lock.acquire()
        monkeypatch.setattr(Lock, "beat", beat)
        with heartbeat(lock, seconds=0.0) as lost:
            assert beaten.wait(PATIENCE)
            (tmp_path / "lock").write_text("somebody else's")
            for thread in threading.enumerate():
                if thread.name.endswith("(beat)"):
                    thread.join(PATIENCE)  # it ends by itself once the lock is lost
            assert lost()


class TestStops:
    @pytest.fixture
    def handlers(self) -> Iterator[None]:
        before = {number: signal.getsignal(number) for number in SIGNALS}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    @pytest.mark.usefixtures("handlers")
    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_asks_for_a_stop(self, number: signal.Signals) -> None:
        stops = ProcessStops()
        stops.watch_signals()
        assert not stops()
        signal.raise_signal(number)
        assert stops()

    @pytest.mark.usefixtures("handlers")
    def test_a_signal_that_is_ignored_stays_so(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stops = ProcessStops()
        stops.watch_signals()
        signal.raise_signal(signal.SIGHUP)
        assert not stops()

    def test_a_lost_parent_asks_for_a_stop(self) -> None:
        parent_is_gone, waited = threading.Event(), threading.Event()
        stops = ProcessStops()

        def wait() -> None:
            waited.set()
            parent_is_gone.wait(PATIENCE)

        stops.watch_parent(wait)
        assert waited.wait(PATIENCE)
        assert not stops()
        parent_is_gone.set()
        for thread in threading.enumerate():
            if thread.name.endswith("(watch)"):
                thread.join(PATIENCE)
        assert stops()

    def test_a_cancel_file_cancels_and_all_else_interrupts(self, tmp_path: Path) -> None:
        stopped, lost = [False], [False]
        look = stop_requested(tmp_path / "cancel", lambda: stopped[0], lambda: lost[0])
        assert look() is None
        for reason in (stopped, lost):
            reason[0] = True
            assert look() == "interrupted"
            reason[0] = False
        stopped[0] = True
        (tmp_path / "cancel").touch()
        assert look() == "cancelled"

    def test_a_file_server_that_is_away_asks_for_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is looked before every wait: one look that fails must not end the work."""
        look = stop_requested(tmp_path / "cancel", lambda: False, lambda: False)
        (tmp_path / "cancel").touch()
        with monkeypatch.context() as away:
            away.setattr("os.stat", fail)
            assert look() is None
        assert look() == "cancelled"


class TestEventLog:
    def test_a_full_disk_costs_events_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = EventLog(tmp_path / "0001-coordinator.jsonl")
        assert log.write(Notice(text="before"))

        def full(*arguments: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as disk:
            disk.setattr("os.write", full)
            assert not log.write(Notice(text="lost"))
        assert log.write(Notice(text="after"))
        with monkeypatch.context() as disk:
            disk.setattr("os.fsync", full)
            log.close()
        texts = [event.text for event in read_all(tmp_path) if isinstance(event, Notice)]
        assert texts == ["before", "after"]

    def test_a_number_that_json_has_not_is_a_defect(self, tmp_path: Path) -> None:
        log = EventLog(tmp_path / "w.jsonl")
        with pytest.raises(ValueError, match="JSON"):
            log.write(EpochFinished(run=0, epoch=1, epochs=1, loss=float("nan")))
