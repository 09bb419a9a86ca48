"""How the lab has experiments computed: checked first, extended next, then a coordinator unless one is at work."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from core.errors import AefitError, DataError, ExperimentError, SpecError
from core.records.events import CoordinatorStarted
from core.records.experiment import Experiment
from core.spec.spec import Spec
from tests.fakes.experiments import append_events, make_experiment, make_experiment_from_answers
from tui_aefit.lab.coordinators import Coordinators
from tui_aefit.shell.settings import Settings

SPEC = Spec(dataset="digits", options={"z": 5}, runs=2, controls=())
Ask = Callable[..., Coordinators]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """How coordinators were started; none is."""
    calls: list[dict[str, object]] = []
    monkeypatch.setattr(
        "tui_aefit.lab.coordinators.start_coordinator",
        lambda experiment, how, **besides: calls.append({**asdict(how), **besides}),
    )
    monkeypatch.setattr("tui_aefit.shell.parallelism.processors", lambda: 4)
    return calls


@pytest.fixture
def coordinators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr("tui_aefit.shell.settings.user_config", lambda: tmp_path / "none.toml")
    return lambda **options: Coordinators(
        Settings({"home": str(tmp_path), **options}, environment={}, folder=tmp_path)
    )


@pytest.fixture
def complete(tmp_path: Path) -> Experiment:
    return make_experiment_from_answers(tmp_path, SPEC).experiment


def test_further_runs_are_asked_for_and_computed(
    coordinators: Ask, complete: Experiment, started: list[dict[str, object]]
) -> None:
    extended = coordinators().extend(complete, 4)
    assert extended.spec.runs == complete.reloaded().spec.runs == 4
    assert [(how["jobs"], how["threads"]) for how in started] == [(2, 2)], "two are lacking"


@pytest.mark.parametrize(
    ("in_settings", "in_form", "limit"),
    [({}, None, 4), ({"jobs": "1"}, None, 2), ({"jobs": "3"}, None, 6), ({}, 2, 4), ({}, 1, 2), ({}, 3, 6)],
)
def test_a_home_may_use_all_processors_unless_jobs_are_asked_for(
    coordinators: Ask,
    tmp_path: Path,
    started: list[dict[str, object]],
    in_settings: dict[str, str],
    in_form: int | None,
    limit: int,
) -> None:
    """There are 4, which suit 2 runs of 2 threads each at a time."""
    experiment = make_experiment(tmp_path, state="created", dataset="digits", runs=5)
    threads = None if in_form is None else 2
    assert coordinators(threads="2", **in_settings).start(experiment, in_form, threads)
    assert [how["limit"] for how in started] == [limit]


def test_other_machines_compute_what_the_settings_take_there(
    coordinators: Ask, complete: Experiment, started: list[dict[str, object]]
) -> None:
    coordinators(launcher="ssh node2").extend(complete, 3)
    coordinators().extend(complete, 4)
    assert [how["elsewhere"] for how in started] == [("--launcher", "ssh node2"), ()]


def test_who_computes_it_goes_on_with_further_runs(
    coordinators: Ask, complete: Experiment, started: list[dict[str, object]]
) -> None:
    append_events(complete, CoordinatorStarted(host="h", pid=1, jobs=1, pending=()))
    with complete.lock:
        assert coordinators().extend(complete, 4).spec.runs == 4
    assert started == []


@pytest.mark.parametrize(
    ("options", "spec", "runs", "error"),
    [
        ({"jobs": "0"}, SPEC, 4, SpecError),
        ({"threads": "0"}, SPEC, 4, SpecError),
        ({"launcher": "ssh {host}"}, SPEC, 4, SpecError),
        ({}, SPEC, 2, ExperimentError),
        ({}, SPEC, 0, AefitError),
        ({}, SPEC.changed(dataset="mnist"), 4, DataError),
    ],
)
def test_nothing_changes_where_it_cannot_be(
    coordinators: Ask,
    tmp_path: Path,
    started: list[dict[str, object]],
    options: dict[str, str],
    spec: Spec,
    runs: int,
    error: type[AefitError],
) -> None:
    experiment = make_experiment_from_answers(tmp_path, spec).experiment
    with pytest.raises(error):
        coordinators(**options).extend(experiment, runs)
    assert experiment.reloaded().spec == spec
    assert started == []


def test_one_that_a_newer_version_went_on_with_is_left_alone(
    coordinators: Ask, tmp_path: Path, started: list[dict[str, object]]
) -> None:
    newer = make_experiment(tmp_path, state="newer", dataset="digits", runs=3)
    with pytest.raises(ExperimentError, match="was written by a newer version"):
        coordinators().extend(newer, 4)
    assert newer.reloaded().spec.runs == 3
    assert not coordinators().start(newer), "its results are there to be shown"
    assert started == []


def test_an_extension_is_taken_back_where_nothing_can_be_started(
    coordinators: Ask, complete: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> subprocess.Popen[bytes]:
        raise ExperimentError("cannot write its log")

    monkeypatch.setattr("tui_aefit.lab.coordinators.start_coordinator", fail)
    with pytest.raises(ExperimentError, match="cannot write its log"):
        coordinators().extend(complete, 4)
    assert complete.reloaded().spec.runs == 2
