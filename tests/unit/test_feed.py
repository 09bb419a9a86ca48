"""A feed tells what is new on disk, once, in one snapshot, and nothing on disk stops it."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import shutil
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import IO

import pytest
from textual.app import App
from textual.worker import WorkerState

from core.files.reading import open_plain
from core.records.annotations import Annotations, write_annotations
from core.records.events import CoordinatorStarted, RunStarted, StageStarted
from core.records.experiment import SPEC_FILE, Experiment
from core.records.home import create, delete_experiment
from core.records.journal import JournalReader, JournalWriter
from core.records.results import read_result
from core.records.stages import stages_of
from core.sets.registry import SETS, is_known
from core.spec.spec import Spec
from tests.fakes.damage import change_metrics
from tests.fakes.experiments import NOW, lock_of_the_dead, make_experiment, snapshot_of
from tests.fakes.lab import PATIENCE
from tui_aefit.following.feed import PROBLEMS, Feed
from tui_aefit.following.fold import Fold
from tui_aefit.following.past_runs import PastRun
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.feeds import SnapshotArrived, start_feed

SPEC = Spec(dataset="mnist", runs=2)


@pytest.fixture
def finished(tmp_path: Path) -> Experiment:
    return make_experiment(tmp_path, runs=3)


@pytest.fixture
def running(tmp_path: Path) -> Experiment:
    return make_experiment(tmp_path, state="running", runs=3, complete=1)


def _replaced_by_a_file(result: Path) -> None:
    shutil.rmtree(result)
    result.touch()


def _of_another_specification(result: Path) -> None:
    change_metrics(result, lambda record: [record["accuracy"].pop("noise"), record["slopes"].pop("noise")])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "another shape": (
        lambda result: (result / "metrics.json").write_text('{"counts": {"test": "many"}}'),
        "its metrics.json is damaged: ",
    ),
    "no metrics": (
        lambda result: (result / "metrics.json").unlink(),
        "its metrics.json cannot be read: No such file",
    ),
    "no arrays": (lambda result: (result / "arrays.npz").unlink(), "its arrays.npz is missing"),
    "arrays that nobody vouches for": (
        lambda result: change_metrics(result, lambda record: record.update(sha256={})),
        "its metrics.json is damaged: it has no checksum of arrays.npz",
    ),
    "a file with an impossible name": (
        lambda result: change_metrics(result, lambda record: record["sha256"].update({"a\0b": "0"})),
        "its ",
    ),
    "a file in its place": (
        _replaced_by_a_file,
        "its metrics.json cannot be read: Not a directory",
    ),
    "too few sets": (_of_another_specification, "its numbers are of another specification"),
}
"""What is wrong with a result -> what brings it about, and how it is named."""


def seen(snapshot: Snapshot | None) -> Snapshot:
    assert snapshot is not None
    return snapshot


def append(experiment: Experiment, text: str, writer: str = "0009-coordinator") -> None:
    with (experiment.journal / f"{writer}.jsonl").open("a", encoding="utf-8") as file:
        file.write(text)


def notice(text: str) -> str:
    return json.dumps({"seq": 1, "time": NOW, "v": 1, "event": "notice", "text": text}) + "\n"


def test_the_first_look_shows_all_there_is(finished: Experiment) -> None:
    assert Feed(finished).look(NOW) == snapshot_of(finished, NOW)


def test_a_folder_without_a_journal_is_an_experiment_that_was_never_begun(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    snapshot = seen(Feed(experiment).look(NOW))
    assert (snapshot.status, snapshot.metrics, snapshot.log, snapshot.problems) == ("created", {}, (), ())


def test_nothing_new_is_nothing_to_tell(finished: Experiment) -> None:
    feed = Feed(finished)
    feed.look(NOW)
    assert [feed.look(NOW + later) for later in (0.25, 5, 5000)] == [None, None, None]


def test_time_alone_is_told_once_a_second_while_it_runs(running: Experiment) -> None:
    feed = Feed(running)
    times = [NOW + quarter / 4 for quarter in range(10)]
    moments = [snapshot.now for time in times if (snapshot := feed.look(time))]
    assert moments == [NOW, NOW + 1, NOW + 2]


def test_a_clock_set_back_does_not_silence_a_feed(running: Experiment) -> None:
    feed = Feed(running)
    feed.look(NOW)
    assert seen(feed.look(NOW - 3600)).now == NOW - 3600


def test_all_that_is_new_comes_in_one_snapshot_whatever_the_time(running: Experiment) -> None:
    feed = Feed(running)
    before = seen(feed.look(NOW))
    append(running, notice("a") + notice("b"))
    after = seen(feed.look(NOW + 0.25))
    assert [line.text for line in after.log] == [*(line.text for line in before.log), "a", "b"]
    assert feed.look(NOW + 0.5) is None


def test_a_stage_is_never_read_before_the_start_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator = JournalWriter(tmp_path / "0001-coordinator.jsonl", clock=lambda: NOW)
    worker = JournalWriter(tmp_path / "0001-worker-1.jsonl", clock=lambda: NOW)
    runs = itertools.count()

    def open_while_work_goes_on(path: Path, buffering: int) -> IO[bytes]:
        with open_plain(path, buffering=buffering) as file:
            content = io.BytesIO(file.read())
        run = next(runs)
        coordinator.write(RunStarted(run=run, worker=1, attempt=1))
        worker.write(StageStarted(run=run, stage="split", total=1))
        return content

    monkeypatch.setattr("core.records.journal.open_plain", open_while_work_goes_on)
    reader = JournalReader(tmp_path)
    begun: set[int] = set()
    stages = 0
    for _ in range(3):
        events = reader.poll()
        begun |= {event.run for event in events if isinstance(event, RunStarted)}
        at_stage = [event.run for event in events if isinstance(event, StageStarted)]
        assert begun.issuperset(at_stage)
        stages += len(at_stage)
    assert stages


def test_half_a_line_is_not_there_yet(finished: Experiment) -> None:
    feed = Feed(finished)
    feed.look(NOW)
    line = notice("whole")
    append(finished, line[:20])
    assert feed.look(NOW) is None
    append(finished, line[20:])
    assert seen(feed.look(NOW)).log[-1].text == "whole"


def test_a_completed_run_brings_its_result(tmp_path: Path, running: Experiment) -> None:
    feed = Feed(running)
    before = seen(feed.look(NOW))
    other = make_experiment(tmp_path / "other", runs=3)
    shutil.copytree(other.run_folder(1), running.run_folder(1))
    assert feed.look(NOW) is None
    line = {"seq": 1, "time": NOW, "v": 1, "event": "run_completed", "run": 1}
    append(running, json.dumps(line) + "\n")
    after = seen(feed.look(NOW))
    assert sorted(before.metrics) == [0]
    assert sorted(after.metrics) == [0, 1]
    assert after.metrics[1] == read_result(other.run_folder(1) / "result")
    assert after.runs[1].status == "complete"


def test_a_result_that_is_seen_later_than_its_line_is_not_forgotten(
    tmp_path: Path, running: Experiment
) -> None:
    feed = Feed(running)
    feed.look(NOW)
    append(running, json.dumps({"seq": 1, "time": NOW, "v": 1, "event": "run_completed", "run": 1}) + "\n")
    assert sorted(seen(feed.look(NOW)).metrics) == [0]
    other = make_experiment(tmp_path / "other", runs=3)
    shutil.copytree(other.run_folder(1), running.run_folder(1))
    assert sorted(seen(feed.look(NOW + 0.25)).metrics) == [0, 1]
    assert feed.look(NOW + 0.5) is None


def test_a_death_and_a_resumption_are_told_at_once(running: Experiment) -> None:
    feed = Feed(running)
    assert seen(feed.look(NOW)).status == "running"
    lock_of_the_dead(running)
    assert seen(feed.look(NOW + 0.25)).status == "interrupted"
    assert feed.look(NOW + 0.5) is None
    running.lock.acquire()
    writer = JournalWriter(running.journal / "0002-coordinator.jsonl", clock=lambda: NOW)
    writer.write(CoordinatorStarted(host="node1", pid=1, jobs=1, pending=(1, 2)))
    writer.close()
    resumed = seen(feed.look(NOW + 0.75))
    assert (resumed.status, resumed.jobs) == ("running", 1)


def test_broken_lines_are_named_and_counted_and_stop_nothing(finished: Experiment) -> None:
    feed = Feed(finished)
    feed.look(NOW)
    append(finished, "nonsense\n")
    one = seen(feed.look(NOW))
    assert len(one.problems) == 1
    assert one.problems[0].startswith("0009-coordinator: ")
    assert feed.look(NOW) is None
    append(finished, "nonsense\n" * (PROBLEMS + 5))
    many = seen(feed.look(NOW)).problems
    assert len(many) == PROBLEMS + 1
    assert many[-1] == "and 6 more"
    assert feed.look(NOW) is None
    append(finished, "nonsense\n" + notice("after"))
    last = seen(feed.look(NOW))
    assert last.problems[-1] == "and 7 more"
    assert last.log[-1].text == "after"


def test_further_runs_are_seen_when_they_are_asked_for(tmp_path: Path, running: Experiment) -> None:
    feed = Feed(running)
    assert len(seen(feed.look(NOW)).runs) == 3
    running.extend(5)
    extended = seen(feed.look(NOW + 0.25))
    assert (len(extended.runs), extended.spec.runs) == (5, 5)
    assert feed.look(NOW + 0.5) is None
    other = make_experiment(tmp_path / "other", runs=5)
    shutil.copytree(other.run_folder(4), running.run_folder(4))
    line = {"seq": 1, "time": NOW, "v": 2, "event": "run_completed", "run": 4}
    append(running, json.dumps(line) + "\n")
    assert sorted(seen(feed.look(NOW + 0.75)).metrics) == [0, 4]


def test_a_specification_that_cannot_be_read_any_more_changes_nothing(finished: Experiment) -> None:
    feed = Feed(finished)
    before = seen(feed.look(NOW))
    (finished.folder / SPEC_FILE).write_text("runs = [")
    assert feed.look(NOW + 1) is None
    append(finished, notice("news"))
    assert seen(feed.look(NOW + 2)).spec == before.spec


def test_further_runs_that_the_caller_knows_nothing_of_are_seen_at_the_first_look(
    tmp_path: Path, finished: Experiment
) -> None:
    finished.extend(5)
    feed = Feed(finished)
    assert finished.spec.runs == 3
    first = seen(feed.look(NOW))
    assert (len(first.runs), first.spec.runs, first.status) == (5, 5, "interrupted")
    assert feed.look(NOW + 0.25) is None


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_a_result_that_cannot_be_read_costs_its_run_alone_and_is_named(
    finished: Experiment, damage: str
) -> None:
    spoil, reason = DAMAGES[damage]
    spoil(finished.run_folder(1) / "result")
    feed = Feed(finished)
    snapshot = seen(feed.look(NOW))
    assert sorted(snapshot.metrics) == [0, 2]
    assert [run.status for run in snapshot.runs] == ["complete", "pending", "complete"]
    assert snapshot.damaged == {1}
    (problem,) = snapshot.problems
    assert problem.startswith(f"run 2: {reason}")
    assert feed.look(NOW + 5) is None
    append(finished, "nonsense\n")
    assert [one.partition(":")[0] for one in seen(feed.look(NOW + 6)).problems] == [
        "run 2",
        "0009-coordinator",
    ]


def test_a_damaged_result_that_was_computed_anew_is_no_problem_any_more(
    tmp_path: Path, running: Experiment
) -> None:
    other = make_experiment(tmp_path / "other", runs=3)
    shutil.copytree(other.run_folder(1), running.run_folder(1))
    (running.run_folder(1) / "result" / "arrays.npz").unlink()
    feed = Feed(running)
    assert seen(feed.look(NOW)).problems == ("run 2: its arrays.npz is missing",)
    shutil.copytree(other.run_folder(1), running.run_folder(1), dirs_exist_ok=True)
    line = {"seq": 1, "time": NOW, "v": 2, "event": "run_completed", "run": 1}
    append(running, json.dumps(line) + "\n")
    whole = seen(feed.look(NOW + 0.25))
    assert (whole.problems, whole.damaged, sorted(whole.metrics)) == ((), frozenset(), [0, 1])


def test_a_control_whose_plug_in_does_not_load_any_more_hides_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_experiment(tmp_path, runs=2, complete=1, state="running", controls=("noise", "reverse"))

    # As if "reverse" were a plug-in's.
    entry = EntryPoint("reverse", "tests.fakes.nowhere:Reverse", SETS.group)
    monkeypatch.setattr(SETS, "_own", {name: where for name, where in SETS._own.items() if name != "reverse"})
    monkeypatch.setitem(vars(SETS), "_plugins", {"reverse": entry})
    monkeypatch.delitem(SETS._loaded, "reverse", raising=False)
    assert "reverse" in SETS
    assert not is_known("reverse")
    snapshot = seen(Feed(experiment).look(NOW))
    assert (sorted(snapshot.metrics), snapshot.damaged, snapshot.status) == ([0], frozenset(), "running")
    assert set(snapshot.metrics[0].accuracy) == {"test", "misclassified", "adversarial", "noise", "reverse"}


def test_a_run_without_a_result_is_no_problem(running: Experiment) -> None:
    running.run_folder(2).mkdir(parents=True, exist_ok=True)
    snapshot = seen(Feed(running).look(NOW))
    assert (snapshot.problems, snapshot.damaged) == ((), frozenset())


def test_a_deleted_folder_is_told_once_with_what_was_known(finished: Experiment) -> None:
    feed = Feed(finished)
    before = seen(feed.look(NOW))
    delete_experiment(finished.folder)
    after = seen(feed.look(NOW + 1))
    assert "is gone" in after.error
    assert after.hint
    assert after.metrics == before.metrics
    assert feed.look(NOW + 2) is None


def test_a_lock_that_cannot_be_read_leaves_the_last_answer(
    running: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(running)
    feed.look(NOW)

    def refuse(*_: object) -> bytes:
        raise PermissionError("no")

    monkeypatch.setattr("core.records.lock.read_plain", refuse)
    assert seen(feed.look(NOW + 1)).status == "running"


def test_of_several_snapshots_that_wait_only_the_newest_of_an_experiment_matters() -> None:
    first, second, other = (SnapshotArrived(Snapshot(name, SPEC, SPEC.ladder)) for name in ("a", "a", "b"))
    assert first.can_replace(second)
    assert not first.can_replace(other)


class Watching(App[None]):
    """Notes what it is told."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment
        self.seen: list[Snapshot] = []

    def on_mount(self) -> None:
        start_feed(self, self.experiment, clock=lambda: NOW)

    def on_snapshot_arrived(self, message: SnapshotArrived) -> None:
        self.seen.append(message.snapshot)


async def until(app: Watching, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(app.seen) < count:
            await asyncio.sleep(0.01)


async def test_a_screen_is_told_of_every_change_until_it_closes(finished: Experiment) -> None:
    app = Watching(finished)
    async with app.run_test():
        await until(app, 1)
        append(finished, notice("news"))
        await until(app, 2)
        (worker,) = app.workers
        assert worker.state is WorkerState.RUNNING
    assert [snapshot.log[-1].text for snapshot in app.seen] == ["all runs are complete", "news"]
    assert worker.is_cancelled


async def test_following_another_experiment_ends_following_the_first(
    tmp_path: Path, finished: Experiment
) -> None:
    other = make_experiment(tmp_path, runs=2, seed=1)
    app = Watching(finished)
    async with app.run_test():
        await until(app, 1)
        (first,) = app.workers
        start_feed(app, other)
        await until(app, 2)
        assert first.is_cancelled
    assert [snapshot.id for snapshot in app.seen] == [finished.id, other.id]


def test_the_label_is_that_of_the_moment(running: Experiment) -> None:
    feed = Feed(running)
    assert seen(feed.look(NOW)).label == ""
    write_annotations(running.folder, Annotations("as in the paper"))
    assert seen(feed.look(NOW + 0.25)).label == "as in the paper"
    assert feed.look(NOW + 0.5) is None


def test_an_experiment_of_which_no_run_is_complete_is_judged_by_those_of_its_home(tmp_path: Path) -> None:
    past = make_experiment(tmp_path, runs=1, seed=3)
    first = make_experiment(tmp_path, state="running", runs=4, complete=0)
    feed = Feed(first)
    seen(feed.look(NOW))
    append(first, notice("a"))
    metrics = past.result(0)
    assert metrics is not None
    expected = {stage: metrics.seconds[stage] for stage in stages_of(past.spec)}
    snapshot = seen(feed.look(NOW))
    fold = Fold(first.id, first.spec)
    fold.add(JournalReader(first.journal).poll())
    fold.take_past([PastRun(past.spec, 0.0, stages=expected)])
    told = fold.snapshot(now=NOW, alive=True, metrics={}, problems=(), newer=False)
    assert snapshot.remaining == pytest.approx(told.remaining)
    assert snapshot.remaining is not None
