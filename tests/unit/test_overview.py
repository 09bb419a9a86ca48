"""The overview agrees with the full reading of an experiment, survives whatever lies there, and is cheap."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import ExperimentError
from core.records import overview as overview_module
from core.records.annotations import Annotations, write_annotations
from core.records.events import SCHEMA_VERSION as JOURNAL_VERSION
from core.records.experiment import CREATED_FILE, Experiment
from core.records.home import create, delete_experiment
from core.records.overview import Overview, OverviewReader
from core.records.results import METRICS, parse_metrics, sealed
from core.records.state import read_state
from core.records.tail import BLOCK, newest_statistics
from core.spec.spec import SCHEMA_VERSION as SPEC_VERSION
from core.spec.spec import Spec
from tests.fakes.executor import put_result
from tests.fakes.experiments import State, make_experiment
from tui_aefit.following.savings import saved_seconds

SPEC = Spec(dataset="digits", attack="fgsm", runs=3)
Words = dict[str, object]
STARTED: Words = {"event": "coordinator_started", "host": "h", "pid": 1, "jobs": 1, "pending": [0, 1, 2]}


def finished(status: str, **fields: str) -> Words:
    return {"event": "finished", "status": status, **fields}


def failed(run: int, error: str, *, retry: bool = False) -> Words:
    return {"event": "run_failed", "run": run, "error": error, "hint": "", "retry": retry}


def journal(
    experiment: Experiment,
    session: int,
    *events: Words,
    version: int = JOURNAL_VERSION,
    tail: bytes = b"",
) -> None:
    experiment.journal.mkdir(exist_ok=True)
    lines = [
        json.dumps({"seq": n + 1, "time": 100.0 + n, "v": version, **event}).encode() + b"\n"
        for n, event in enumerate(events)
    ]
    (experiment.journal / f"{session:04d}-coordinator.jsonl").write_bytes(b"".join(lines) + tail)


def put_results(experiment: Experiment, *runs: int) -> None:
    for run in runs:
        put_result(experiment, run)


def only(home: Path) -> Overview:
    (found,) = OverviewReader(home).look()
    return found


TORN = b'{"seq": 9, "time": 200.0, "v": 1, "event": "finished", "status": "failed"}'
"""A whole event, but its line is not: it is not there yet."""
ENDINGS: list[Words] = [
    STARTED,
    *(finished(s) for s in ("complete", "failed", "cancelled", "refused")),
    failed(1, "x"),
]


@given(
    sessions=st.lists(st.lists(st.sampled_from(ENDINGS), max_size=4), max_size=3),
    runs=st.sets(st.integers(0, 2)),
    tail=st.sampled_from([b"", TORN, TORN[:-10], b"\x00broken\n", b"\n\n"]),
)
@example(sessions=[[STARTED, finished("complete")]], runs={0, 1}, tail=b"")
@example(sessions=[[STARTED]], runs=set(), tail=TORN)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_status_and_count_are_those_of_the_full_reading(
    tmp_path: Path, sessions: list[list[Words]], runs: set[int], tail: bytes
) -> None:
    shutil.rmtree(tmp_path / "experiments", ignore_errors=True)
    experiment, _ = create(tmp_path, SPEC)
    for number, events in enumerate(sessions):
        journal(experiment, number + 1, *events, tail=tail)
    put_results(experiment, *runs)
    found, state = only(tmp_path), read_state(experiment)
    assert (found.status, found.done) == (state.status, len(runs))


def test_a_long_journal_is_read_from_its_end(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    long: Words = {"event": "notice", "text": "x" * (BLOCK + 3)}
    journal(experiment, 1, STARTED, long, failed(1, "disk full"), long, long, finished("failed"))
    assert (only(tmp_path).status, only(tmp_path).reason) == ("failed", "a run failed: disk full")


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([STARTED, finished("refused", error="no such data", hint="")], "no such data"),
        ([STARTED, failed(0, "first"), failed(1, "second"), finished("failed")], "a run failed: second"),
        (
            [STARTED, failed(0, "first"), failed(1, "lost", retry=True), finished("failed")],
            "a run failed: first",
        ),
        ([STARTED, failed(0, "first"), finished("cancelled")], ""),
        ([STARTED], ""),
    ],
    ids=["refused", "failed", "failed after a retry", "cancelled", "interrupted"],
)
def test_the_reason_is_told(tmp_path: Path, events: list[Words], reason: str) -> None:
    experiment, _ = create(tmp_path, SPEC)
    journal(experiment, 1, failed(2, "of an earlier day"))
    journal(experiment, 2, *events)
    assert only(tmp_path).reason == reason


def test_a_living_holder_makes_it_running_until_it_leaves(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    journal(experiment, 1, STARTED)
    reader = OverviewReader(tmp_path)
    with experiment.lock:
        assert [(o.status, o.stopping) for o in reader.look()] == [("running", False)]
        experiment.cancel_file.touch()
        assert [(o.status, o.stopping) for o in reader.look()] == [("running", True)]
    assert [(o.status, o.stopping) for o in reader.look()] == [("interrupted", False)]


def test_what_changes_is_seen_by_the_same_reader(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    reader = OverviewReader(tmp_path)
    assert [(o.status, o.done) for o in reader.look()] == [("created", 0)]
    journal(experiment, 1, STARTED, finished("cancelled"))
    put_results(experiment, 1)
    write_annotations(experiment.folder, Annotations("mine"))
    assert [(o.status, o.done, o.annotations.label) for o in reader.look()] == [("cancelled", 1, "mine")]
    put_results(experiment, 0, 2)
    assert [(o.status, o.done) for o in reader.look()] == [("complete", 3)]
    (experiment.run_folder(2) / "result" / "arrays.npz").unlink()
    assert [(o.status, o.done) for o in reader.look()] == [("cancelled", 2)]
    delete_experiment(experiment.folder)
    assert reader.look() == ()


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, _ = create(tmp_path, SPEC)
    journal(experiment, 1, STARTED, finished("cancelled"))
    put_results(experiment, 0, 1)
    read: list[str] = []

    def count(owner: object, name: str) -> None:
        original = getattr(owner, name)

        def call(*arguments: object) -> object:
            read.append(name)
            return original(*arguments)

        monkeypatch.setattr(owner, name, call)

    count(Experiment, "result")
    for name in ("load", "read_annotations", "read_end", "read_statistics"):
        count(overview_module, name)
    reader = OverviewReader(tmp_path)
    first = reader.look()
    assert sorted(read) == ["load", "read_annotations", "read_end", "read_statistics", "result", "result"]
    read.clear()
    again = reader.look()
    assert [one is other for one, other in zip(again, first, strict=True)] == [True]
    assert read == []
    put_results(experiment, 2)
    reader.look()
    assert read == ["result"]


def test_of_a_complete_experiment_no_more_is_read_than_what_its_journal_ends_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_experiment(tmp_path, runs=3)

    def never(*arguments: object) -> object:
        raise AssertionError("the whole journal was read")

    monkeypatch.setattr(overview_module, "read_end", never)
    assert only(tmp_path).status == "complete"
    (experiment.run_folder(1) / "result" / "arrays.npz").unlink()
    with pytest.raises(AssertionError, match="whole journal"):
        only(tmp_path)


class TestFindings:
    @pytest.mark.parametrize("state", ["complete", "running", "interrupted"])
    def test_they_are_those_of_the_full_reading_and_of_the_runs(self, tmp_path: Path, state: State) -> None:
        experiment = make_experiment(tmp_path, state=state, runs=6, complete=3)
        full, found = read_state(experiment), only(tmp_path)
        assert full.statistics is not None
        assert found.findings is not None
        assert found.findings.runs == len(full.results) == found.done
        assert newest_statistics(experiment) == full.statistics
        assert found.findings.accuracy == full.statistics.summary.accuracy["adversarial"]["1"]
        (rise,) = (
            claim for claim in full.statistics.claims
            if (claim.name, claim.sets) == ("crossfit_rise", ("adversarial", "misclassified"))
        )  # fmt: skip
        assert found.findings.rise == rise
        runs = full.results.values()
        accuracies = [run.accuracy["adversarial"]["1"] for run in runs]
        assert found.findings.accuracy.mean == pytest.approx(np.mean(np.array(accuracies, float)))
        rises = {
            name: [
                [run.crossfit.accuracy[name][level] for level in ("7", "1")]
                for run in runs
                if run.crossfit is not None
            ]
            for name in ("adversarial", "misclassified")
        }
        ends = {name: np.mean(np.array(values, float), axis=0) for name, values in rises.items()}
        adversarial, misclassified = (ends[name][1] - ends[name][0] for name in rises)
        assert rise.estimate == pytest.approx(adversarial - misclassified)
        assert found.seconds == pytest.approx(sum(run.run_seconds for run in runs))

    def test_results_of_an_older_version_have_no_claim(self, tmp_path: Path) -> None:
        make_experiment(tmp_path, runs=3, deciding=False)
        findings = only(tmp_path).findings
        assert findings is not None
        assert findings.accuracy is not None
        assert findings.rise is None

    def test_without_statistics_there_are_none(self, tmp_path: Path) -> None:
        experiment, _ = create(tmp_path, SPEC)
        assert (only(tmp_path).findings, newest_statistics(experiment)) == (None, None)
        journal(experiment, 1, STARTED, finished("cancelled"))
        assert (only(tmp_path).findings, newest_statistics(experiment)) == (None, None)

    def test_a_later_coordinator_without_statistics_leaves_those_before(self, tmp_path: Path) -> None:
        experiment = make_experiment(tmp_path, runs=3)
        before = only(tmp_path).findings
        assert before is not None
        journal(experiment, 2, STARTED, finished("cancelled"))
        assert only(tmp_path).findings == before

    def test_statistics_that_cannot_be_read_or_are_of_other_levels_are_passed_over(
        self, tmp_path: Path
    ) -> None:
        experiment = make_experiment(tmp_path, runs=3)
        before = only(tmp_path).findings
        assert before is not None
        accuracy = {"mean": 0.5, "sd": None, "ci95": None, "n": 1}
        of_other_levels: Words = {
            "event": "statistics", "runs": [0], "tests": [],
            "summary": {"accuracy": {"adversarial": {"9": accuracy}}},
        }  # fmt: skip
        broken: Words = {"event": "statistics", "runs": "none"}
        named: Words = {"event": "notice", "text": "statistics"}
        journal(experiment, 2, STARTED, of_other_levels, broken, named)
        assert only(tmp_path).findings == before
        accuracy_here = {"adversarial": dict.fromkeys(experiment.spec.ladder.levels, accuracy)}
        journal(experiment, 2, {**of_other_levels, "summary": {"accuracy": accuracy_here}})
        found = only(tmp_path).findings
        assert found is not None
        assert found.accuracy is not None
        assert (found.runs, found.accuracy.mean, found.rise) == (1, 0.5, None)


def test_it_tells_whose_surrogates_were_trained_for_others_and_what_that_saved(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=4)
    paths = [experiment.run_folder(run) / "result" / METRICS for run in range(4)]
    for path in paths[1:3]:
        metrics = parse_metrics(path.read_bytes())
        path.write_bytes(sealed(msgspec.structs.replace(metrics, surrogate_reused=True)))
    trained = [json.loads(paths[run].read_bytes())["seconds"]["surrogate"] for run in (0, 3)]
    assert trained[0] != trained[1]
    for found in (only(tmp_path), only(tmp_path)):
        assert (found.reused, found.training) == (2, tuple(trained))
        saved = saved_seconds([found])
        assert (saved.runs, saved.of) == (2, 4)
        assert saved.seconds == pytest.approx(2 * np.median(trained))


def test_one_can_be_looked_at_alone(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, runs=3)
    make_experiment(tmp_path, runs=3, seed=1)
    reader = OverviewReader(tmp_path)
    alone = reader.look_at(experiment.folder)
    assert alone in reader.look()
    (experiment.run_folder(1) / "result" / "arrays.npz").unlink()
    assert (alone.done, reader.look_at(experiment.folder).done) == (3, 2)
    delete_experiment(experiment.folder)
    assert reader.look_at(experiment.folder).status == "unreadable"


def test_a_long_look_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [create(tmp_path, Spec(dataset="digits", seed=seed))[0] for seed in range(3)]
    for age, experiment in enumerate(made):
        (experiment.folder / CREATED_FILE).write_text(str(1000 - age))
    monkeypatch.setattr(overview_module, "TELL_SECONDS", -1.0)
    told: list[tuple[list[str], int]] = []
    whole = OverviewReader(tmp_path).look(lambda some, many: told.append(([one.id for one in some], many)))
    ids = [one.id for one in made]
    assert told == [(ids[:count], 3) for count in (1, 2, 3)]
    assert [one.id for one in whole] == ids


def test_the_newest_comes_first(tmp_path: Path) -> None:
    made = [create(tmp_path, Spec(dataset="digits", seed=seed))[0] for seed in range(3)]
    for age, experiment in zip((20, 30, 10), made, strict=True):
        (experiment.folder / CREATED_FILE).write_text(str(1000 - age))
    assert [o.id for o in OverviewReader(tmp_path).look()] == [made[2].id, made[0].id, made[1].id]
    assert [o.created for o in OverviewReader(tmp_path).look()] == [990, 980, 970]


def test_those_that_cannot_be_read_are_listed_by_date_too_with_the_reason(tmp_path: Path) -> None:
    made = [create(tmp_path, Spec(dataset="digits", seed=seed))[0] for seed in range(3)]
    for age, experiment in enumerate(made):
        (experiment.folder / CREATED_FILE).write_text(str(1e9 - age))
    spoilt = {
        "a-empty": None,
        "b-torn": b"z = [",
        "c-newer": b"schema_version = 99\n",
        "d-binary": b"\xff",
    }
    for age, (name, content) in enumerate(spoilt.items()):
        folder = tmp_path / "experiments" / name
        folder.mkdir()
        if content is not None:
            (folder / "spec.toml").write_bytes(content)
        os.utime(folder / "spec.toml" if content is not None else folder, (1e8 - age, 1e8 - age))
    (tmp_path / "experiments" / ".new.half").mkdir()
    (tmp_path / "experiments" / "notes.txt").write_text("a person's own")
    found = OverviewReader(tmp_path).look()
    assert [overview.experiment for overview in found] == [*made, *[None] * 4]
    reasons = {overview.id: overview.reason for overview in found[3:]}
    assert list(reasons) == list(spoilt)
    assert reasons["a-empty"] == "it holds no file spec.toml"
    assert "not valid TOML" in reasons["b-torn"]
    assert "written by a newer version" in reasons["c-newer"]
    assert "it holds no readable spec.toml" in reasons["d-binary"]


def test_a_spec_of_a_newer_version_is_named_as_such(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    path = experiment.folder / "spec.toml"
    path.write_text(
        path.read_text().replace(f"schema_version = {SPEC_VERSION}", "schema_version = 7\nsurprise = 1")
    )
    found = only(tmp_path)
    assert (found.status, found.experiment, found.read_only) == ("newer", None, True)
    assert found.reason == f"written by a newer version (spec version 7, this one reads up to {SPEC_VERSION})"


def test_a_journal_of_a_newer_version_makes_it_read_only(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    journal(experiment, 1, STARTED, finished("cancelled"), version=JOURNAL_VERSION + 1)
    found = only(tmp_path)
    assert (found.status, found.experiment, found.read_only) == ("cancelled", experiment, True)
    assert found.reason == "its journal was written by a newer version"
    put_results(experiment, 0, 1, 2)
    assert (only(tmp_path).status, only(tmp_path).read_only) == ("complete", True)


def rubbish_text(folder: Path) -> None:
    (folder / "spec.toml").write_text("runs = 'many'")


def rubbish_bytes(folder: Path) -> None:
    (folder / "spec.toml").write_bytes(b"\xff\x00")


def nested_without_end(folder: Path) -> None:
    (folder / "spec.toml").write_text("a = " + "[" * 5000)


def a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "spec.toml")


def a_folder_as_spec(folder: Path) -> None:
    (folder / "spec.toml").mkdir()


def no_spec(folder: Path) -> None:
    (folder / "holiday.jpg").write_bytes(b"")


def a_file_as_runs(folder: Path) -> None:
    (folder / "spec.toml").write_text(SPEC.to_toml())
    (folder / "runs").write_text("")


@pytest.mark.parametrize(
    "make",
    [
        rubbish_text,
        rubbish_bytes,
        nested_without_end,
        a_pipe,
        a_folder_as_spec,
        no_spec,
        a_file_as_runs,
    ],
)
def test_rubbish_is_shown_as_unreadable_beside_the_others(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    experiment, _ = create(tmp_path, SPEC)
    folder = tmp_path / "experiments" / "rubbish"
    folder.mkdir()
    make(folder)
    (tmp_path / "experiments" / "a file").write_text("not a folder")
    (tmp_path / "experiments" / ".new.123").mkdir()
    found = {o.id: o for o in OverviewReader(tmp_path).look()}
    assert set(found) == {experiment.id, "rubbish"}
    assert found[experiment.id].status == "created"
    assert (found["rubbish"].status, found["rubbish"].experiment) == ("unreadable", None)
    assert found["rubbish"].read_only
    assert found["rubbish"].reason


def test_broken_annotations_are_told_of(tmp_path: Path) -> None:
    experiment, _ = create(tmp_path, SPEC)
    (experiment.folder / "annotations.toml").write_text("label =")
    assert only(tmp_path).reason.startswith("annotations.toml cannot be read")


def test_a_home_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert OverviewReader(tmp_path / "nowhere").look() == ()


def test_a_file_in_the_homes_place_is_an_error_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "experiments").write_text("")
    with pytest.raises(ExperimentError, match="cannot list"):
        OverviewReader(tmp_path).look()
