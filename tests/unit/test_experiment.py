"""An experiment's folder: made once, found again by any part of its name, and its state read from files alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import ExperimentError, PluginError
from core.files.ownership import owned_name
from core.records.events import (
    CoordinatorStarted,
    Ending,
    Event,
    Finished,
    RunFailed,
    RunStarted,
    StatisticsComputed,
    encode,
)
from core.records.experiment import CREATED_FILE, Experiment, UnreadableError, load
from core.records.folders import experiment_folders
from core.records.home import (
    create,
    delete_experiment,
    existing,
    experiment_id,
    find,
    find_folder,
)
from core.records.lock import LockHeld
from core.records.overview import OverviewReader
from core.records.process import ProcessIdentity, identity
from core.records.state import read_state
from core.records.statistics import SummaryTable
from core.records.status import ExperimentStatus
from core.records.types import to_json
from core.spec.spec import Spec
from tests.fakes.executor import put_result as publish_result

SPEC = Spec(dataset="digits", attack="fgsm", runs=3)
STARTED = CoordinatorStarted(host="h", pid=1, jobs=1, pending=(0, 1, 2))


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return create(tmp_path, SPEC)[0]


def journal(
    experiment: Experiment, *events: Event, writer: str = "0001-coordinator", at: float = 100
) -> None:
    """A journal with one event a second."""
    experiment.journal.mkdir(exist_ok=True)
    lines = [encode(event, seq=n + 1, time=at + n) for n, event in enumerate(events)]
    (experiment.journal / f"{writer}.jsonl").write_bytes(b"".join(lines))


def finished(status: Ending) -> Event:
    return Finished(status=status)


def run_started(run: int, attempt: int = 1) -> Event:
    return RunStarted(run=run, worker=1, attempt=attempt)


def run_failed(run: int, error: str, *, retry: bool) -> Event:
    return RunFailed(run=run, error=error, hint="", retry=retry)


def put_result(experiment: Experiment, run: int) -> Path:
    """A made-up result; its folder."""
    publish_result(experiment, run)
    return experiment.run_folder(run) / "result"


def left_by_the_dead(prefix: str) -> str:
    """A name that a process gave which is gone."""
    naming = f"from core.files.ownership import owned_name; print(owned_name({prefix!r}))"
    done = subprocess.run([sys.executable, "-c", naming], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def set_created(experiment: Experiment, moment: float) -> None:
    (experiment.folder / CREATED_FILE).write_text(str(moment))


class TestCreating:
    def test_one_spec_has_one_folder(self, tmp_path: Path) -> None:
        first, new = create(tmp_path / "home", SPEC)
        again, new_again = create(tmp_path / "home", SPEC)
        assert (new, new_again) == (True, False)
        assert first == again == load(first.folder) == Experiment(first.folder, SPEC)
        assert [path.name for path in (tmp_path / "home" / "experiments").iterdir()] == [first.id]
        assert sorted(path.name for path in first.folder.iterdir()) == ["created", "spec.toml"]

    def test_of_creators_at_the_same_time_one_makes_it(self, tmp_path: Path) -> None:
        together = threading.Barrier(6)
        made: list[tuple[Experiment, bool]] = []

        def make() -> None:
            together.wait()
            made.append(create(tmp_path, SPEC))

        threads = [threading.Thread(target=make) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(new for _, new in made) == [False] * 5 + [True]
        assert {found for found, _ in made} == {load(tmp_path / "experiments" / experiment_id(SPEC))}
        assert len(list((tmp_path / "experiments").iterdir())) == 1

    def test_who_is_overtaken_between_look_and_rename_takes_what_is_there(
        self, tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter([False, True])
        monkeypatch.setattr("os.path.isdir", lambda path: next(answers))
        assert create(tmp_path, SPEC) == (experiment, False)
        assert [path.name for path in (tmp_path / "experiments").iterdir()] == [experiment.id]

    @pytest.mark.parametrize(
        ("dataset", "title"),
        [
            ("digits", "digits"),
            ("/data/My Set (2).zip", "my-set-2"),
            ("/data/日本.npz", "own"),
            (f"/data/{'long name ' * 25}.npz", "long-name-" * 3 + "long-name"),
        ],
    )
    def test_an_id_is_data_set_attack_and_the_specs_digest(
        self, tmp_path: Path, dataset: str, title: str
    ) -> None:
        spec = Spec(dataset=dataset, attack="deepfool")
        canonical = json.dumps(spec.identity, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        assert experiment_id(spec) == f"{title}-deepfool-{digest[:8]}"
        assert find(tmp_path, create(tmp_path, spec)[0].id).spec == spec

    @pytest.mark.parametrize("in_the_way", ["home", "home/experiments"])
    def test_a_home_that_cannot_be_written_is_said_with_the_way_out(
        self, tmp_path: Path, in_the_way: str
    ) -> None:
        (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
        (tmp_path / in_the_way).write_text("a file")
        with pytest.raises(ExperimentError, match="cannot write an experiment under") as refused:
            create(tmp_path / "home", SPEC)
        assert "--home DIR" in refused.value.hint
        assert (tmp_path / in_the_way).read_text() == "a file"

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    @pytest.mark.parametrize("mode", [0o500, 0o000])
    def test_a_home_without_permission_is_said_with_the_way_out(self, tmp_path: Path, mode: int) -> None:
        tmp_path.chmod(mode)
        try:
            with pytest.raises(ExperimentError, match="cannot write an experiment under"):
                create(tmp_path, SPEC)
        finally:
            tmp_path.chmod(0o700)


class TestFinding:
    def test_an_experiment_is_found_by_its_id_a_prefix_or_its_digest(self, tmp_path: Path) -> None:
        made = [create(tmp_path, Spec(dataset="digits", attack=attack))[0] for attack in ("fgsm", "deepfool")]
        for one in made:
            attack, digest = one.spec.attack, one.spec.digest[:8]
            for name in (one.id, f"digits-{attack}", f"digits-{attack[:1]}", digest, digest[:7], "latest"):
                if name == "latest":
                    set_created(one, 2e9 + made.index(one))
                assert find(tmp_path, name) == one

    def test_a_name_that_means_several_or_none_is_answered_with_what_there_is(self, tmp_path: Path) -> None:
        made = [create(tmp_path, Spec(dataset="digits", seed=seed))[0] for seed in range(2)]
        with pytest.raises(ExperimentError) as ambiguous:
            find(tmp_path, "digits-fgsm")
        assert all(one.id in str(ambiguous.value) for one in made)
        with pytest.raises(ExperimentError, match="no experiment 'mnist'"):
            find(tmp_path, "mnist")

    def test_a_whole_id_wins_over_a_longer_one_that_begins_with_it(
        self, tmp_path: Path, experiment: Experiment
    ) -> None:
        experiment.folder.with_name(f"{experiment.id}-copy").mkdir()
        assert find_folder(tmp_path, experiment.id) == experiment.folder
        assert find(tmp_path, experiment.id) == experiment

    def test_an_empty_name_is_not_the_only_experiment(self, tmp_path: Path, experiment: Experiment) -> None:
        assert find(tmp_path, "d") == experiment
        with pytest.raises(ExperimentError, match="no experiment ''"):
            find(tmp_path, "")

    def test_an_empty_home_says_how_to_begin(self, tmp_path: Path) -> None:
        assert experiment_folders(tmp_path / "nowhere") == []
        with pytest.raises(ExperimentError, match="there is no experiment under") as refused:
            find(tmp_path / "nowhere", "latest")
        assert "aefit-tui" in refused.value.hint

    def test_one_that_cannot_be_read_is_found_and_said(self, tmp_path: Path, experiment: Experiment) -> None:
        (experiment.folder / "spec.toml").unlink()
        assert find_folder(tmp_path, experiment.id) == experiment.folder
        with pytest.raises(ExperimentError, match=r"it holds no file spec\.toml") as refused:
            find(tmp_path, experiment.id)
        assert refused.value.hint == f"to remove it: aefit-tui delete {experiment.id}"

    def test_a_home_that_cannot_be_listed_is_said_with_the_way_out(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("a file")
        with pytest.raises(ExperimentError, match="cannot list") as refused:
            find(tmp_path / "home", "latest")
        assert "--home DIR" in refused.value.hint


class TestStatus:
    def test_a_new_experiment_is_created(self, experiment: Experiment) -> None:
        assert read_state(experiment).status == "created"
        assert [read_state(experiment).run_status(run) for run in range(3)] == ["pending"] * 3

    def test_a_held_lock_is_running_whatever_else_is_there(self, experiment: Experiment) -> None:
        journal(experiment, STARTED, finished("failed"))
        for run in range(3):
            put_result(experiment, run)
        with experiment.lock:
            assert experiment.running
            assert read_state(experiment).status == "running"
        assert not experiment.running
        assert read_state(experiment).status == "complete"

    @pytest.mark.parametrize("status", ["failed", "cancelled", "interrupted", "refused"])
    def test_an_ended_computation_is_what_it_said_at_last(
        self, experiment: Experiment, status: Ending
    ) -> None:
        journal(experiment, STARTED, finished(status))
        assert read_state(experiment).status == status

    def test_a_coordinator_that_never_said_how_it_ended_was_interrupted(self, experiment: Experiment) -> None:
        journal(experiment, STARTED, run_started(0))
        assert read_state(experiment).status == "interrupted"
        journal(experiment, STARTED, finished("cancelled"))
        journal(experiment, STARTED, writer="0002-coordinator", at=200)
        assert read_state(experiment).status == "interrupted"

    def test_a_clock_set_back_between_two_sessions_does_not_bring_the_older_one_back(
        self, experiment: Experiment
    ) -> None:
        journal(experiment, STARTED, finished("failed"), at=1000)
        journal(experiment, STARTED, finished("cancelled"), writer="0002-coordinator", at=10)
        assert read_state(experiment).status == "cancelled"

    def test_all_results_are_complete_even_without_a_journal(self, experiment: Experiment) -> None:
        for run in range(3):
            put_result(experiment, run)
        put_result(experiment, 7)  # beyond the spec's runs
        state = read_state(experiment)
        assert state.status == "complete"
        assert list(state.results) == [0, 1, 2]

    def test_a_complete_experiment_that_lost_a_result_is_not_complete(self, experiment: Experiment) -> None:
        journal(experiment, STARTED, finished("complete"))
        for run in range(2):
            put_result(experiment, run)
        assert read_state(experiment).status == "interrupted"

    def test_a_state_is_of_one_moment(self, experiment: Experiment) -> None:
        with experiment.lock:
            state = read_state(experiment)
        assert state.status == "running"

    def test_damaged_arrays_are_only_found_when_asked(self, experiment: Experiment) -> None:
        (put_result(experiment, 1) / "arrays.npz").write_bytes(b"damage")
        assert list(experiment.results()) == [1]
        assert experiment.results(verify=True) == {}

    def test_every_run_is_complete_failed_running_or_pending(self, tmp_path: Path) -> None:
        experiment, _ = create(tmp_path, Spec(dataset="digits", runs=6))
        put_result(experiment, 0)
        journal(
            experiment,
            STARTED,
            run_started(0),
            run_failed(0, "its result came all the same", retry=False),
            run_started(1),
            run_failed(1, "first", retry=True),
            run_started(1, 2),
            run_failed(1, "for good", retry=False),
            run_started(2),
            run_started(3),
            run_failed(3, "once", retry=True),
            run_started(4),
            run_failed(4, "earlier", retry=False),
            run_started(4, 2),
        )
        with experiment.lock:
            state = read_state(experiment)
        expected = ["complete", "failed", "running", "pending", "running", "pending"]
        assert [state.run_status(run) for run in range(6)] == expected
        assert {run: event.error for run, event in state.failures.items()} == {1: "for good"}
        state = read_state(experiment)
        assert [state.run_status(run) for run in range(6)] == ["complete", "failed"] + ["pending"] * 4

    def test_what_a_killed_coordinator_had_begun_is_not_running_under_the_next(
        self, experiment: Experiment
    ) -> None:
        journal(experiment, STARTED, run_started(0), run_started(1), at=1000)
        journal(experiment, STARTED, run_started(1), writer="0002-coordinator", at=10)
        with experiment.lock:
            state = read_state(experiment)
        assert [state.run_status(run) for run in range(3)] == ["pending", "running", "pending"]

    def test_statistics_are_summarised_while_they_are_over_all_results(self, experiment: Experiment) -> None:
        def statistics(*runs: int) -> Event:
            return StatisticsComputed(runs=runs, summary=SummaryTable(accuracy={}), tests=())

        assert read_state(experiment).statistics is None
        put_result(experiment, 0)
        journal(experiment, STARTED, statistics(0))
        assert read_state(experiment).summarised
        put_result(experiment, 1)
        assert not read_state(experiment).summarised
        journal(experiment, STARTED, statistics(0), statistics(0, 1))
        state = read_state(experiment)
        assert state.summarised
        assert state.statistics is not None
        assert state.statistics.runs == (0, 1)

    def test_its_ladder_is_that_of_its_results(self, experiment: Experiment) -> None:
        assert read_state(experiment).ladder == SPEC.ladder
        put_result(experiment, 0)
        assert read_state(experiment).ladder == SPEC.ladder


class TestExtending:
    def test_more_runs_are_asked_for_and_those_there_are_stay(
        self, tmp_path: Path, experiment: Experiment
    ) -> None:
        put_result(experiment, 0)
        set_created(experiment, 1e9)
        longer = experiment.extend(5)
        assert (longer.id, longer.spec) == (experiment.id, SPEC.changed(runs=5))
        assert experiment.reloaded() == load(experiment.folder) == longer
        assert longer.created == 1e9
        assert list(longer.results()) == [0]
        assert find(tmp_path, experiment.id) == longer

    def test_not_more_is_refused_with_the_way(self, experiment: Experiment) -> None:
        for runs in (3, 2):
            with pytest.raises(ExperimentError, match="has 3 runs already") as refused:
                experiment.extend(runs)
            assert refused.value.hint == f"aefit-tui extend {experiment.id} --runs 4"

    def test_creating_it_with_more_runs_extends_it_and_with_fewer_keeps_them(
        self, tmp_path: Path, experiment: Experiment
    ) -> None:
        longer, new = create(tmp_path, SPEC.changed(runs=7))
        assert (longer.folder, longer.spec.runs, new) == (experiment.folder, 7, False)
        assert create(tmp_path, SPEC) == (longer, False)

    def test_of_two_who_extend_it_at_once_the_larger_number_stands(
        self, tmp_path: Path, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other has written between our reading and our writing."""
        experiment.extend(7)
        mine = experiment.extend(5)
        assert experiment.reloaded().spec.runs == 7
        mine.take_back(3)
        assert experiment.reloaded().spec.runs == 7, "what the other asked for is not mine to take back"
        monkeypatch.setattr("core.records.home.load", lambda folder: experiment)
        create(tmp_path, SPEC.changed(runs=6))
        assert experiment.reloaded().spec.runs == 7
        create(tmp_path, SPEC.changed(runs=9))
        assert experiment.reloaded().spec.runs == 9

    def test_a_complete_experiment_that_is_extended_is_not_complete(self, experiment: Experiment) -> None:
        for run in range(3):
            put_result(experiment, run)
        journal(experiment, STARTED, finished("complete"))
        assert read_state(experiment).status == "complete"
        assert read_state(experiment.extend(4)).status == "interrupted"

    def test_one_that_cannot_be_written_is_said(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(path: Path, content: str) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("core.records.experiment.write_atomically", full)
        with pytest.raises(ExperimentError, match="No space left"):
            experiment.extend(4)


class TestComputable:
    def test_one_of_this_version_is(self, experiment: Experiment) -> None:
        experiment.check_computable()

    def test_one_of_the_first_version_is_not(self, first_version_home: Path) -> None:
        found = find(first_version_home, "latest")
        for refuse in (found.check_computable, lambda: found.extend(99)):
            with pytest.raises(ExperimentError, match="was computed by an earlier version") as refused:
                refuse()
            assert "compute it anew: aefit-tui --batch" in refused.value.hint

    def test_one_whose_specification_is_not_what_its_name_says_is_not(
        self, tmp_path: Path, experiment: Experiment
    ) -> None:
        changed = SPEC.changed(epsilon=0.3)
        (experiment.folder / "spec.toml").write_text(changed.to_toml())
        for deed in (
            lambda: load(experiment.folder),
            lambda: find(tmp_path, experiment.id),
            lambda: create(tmp_path, SPEC),
            lambda: existing(tmp_path, SPEC),
        ):
            with pytest.raises(
                UnreadableError, match=r"spec\.toml is not the one that it was made from"
            ) as no:
                deed()
            assert "put the former spec.toml back" in no.value.hint
            assert "--epsilon 0.3" in no.value.hint
            assert f"aefit-tui delete {experiment.id}" in no.value.hint
        (listed,) = OverviewReader(tmp_path).look()
        assert listed.status is ExperimentStatus.UNREADABLE
        assert "is not the one that it was made from" in listed.reason

    def test_more_runs_are_no_other_experiment(self, experiment: Experiment) -> None:
        (experiment.folder / "spec.toml").write_text(SPEC.changed(runs=9).to_toml())
        load(experiment.folder).check_computable()

    @pytest.mark.parametrize("name", ["", "my favourite"])
    def test_an_emptied_specification_is_not_that_of_the_defaults(
        self, experiment: Experiment, name: str
    ) -> None:
        folder = experiment.folder.rename(experiment.folder.with_name(name)) if name else experiment.folder
        (folder / "spec.toml").write_text("\n")
        with pytest.raises(UnreadableError, match=r"its spec\.toml is empty"):
            load(folder)

    @pytest.mark.parametrize("name", ["my favourite", "{}-jpeg", "2026"])
    def test_one_that_a_person_has_given_a_name_is(self, experiment: Experiment, name: str) -> None:
        put_result(experiment, 1)
        named = experiment.folder.rename(experiment.folder.with_name(name.format(experiment.id)))
        load(named).check_computable()
        (named / "spec.toml").write_text(SPEC.changed(epsilon=0.3).to_toml())
        with pytest.raises(ExperimentError, match=r"spec\.toml is not the one that it was made from"):
            load(named).check_computable()

    def test_one_that_cannot_be_written_to_is_not_and_the_reason_is_said(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A full disk would take neither log nor journal, and so no reason."""

        def full(path: Path, content: bytes) -> int:
            path.touch()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        before = sorted(experiment.folder.iterdir())
        with monkeypatch.context() as disk:
            disk.setattr(Path, "write_bytes", full)
            with pytest.raises(ExperimentError, match="No space left on device") as refused:
                experiment.check_computable()
        assert f"aefit-tui resume {experiment.id}" in refused.value.hint
        assert sorted(experiment.folder.iterdir()) == before
        experiment.check_computable()
        assert sorted(experiment.folder.iterdir()) == before

    @pytest.mark.parametrize("place", ["runs", "runs/0001"])
    @pytest.mark.parametrize("is_link", [False, True])
    def test_one_is_not_where_something_is_in_the_place_of_a_runs_folder(
        self, experiment: Experiment, tmp_path: Path, place: str, is_link: bool
    ) -> None:
        """It would be said when the run is computed, minutes or hours later."""
        experiment.check_computable()
        path = experiment.folder / place
        path.parent.mkdir(exist_ok=True)
        if is_link:
            path.symlink_to(tmp_path)
        else:
            path.write_bytes(b"somebody's")
        with pytest.raises(ExperimentError, match=rf"{path.name} is in its way, for it is") as refused:
            experiment.check_computable()
        assert refused.value.hint == f"move it away, then: aefit-tui resume {experiment.id}"
        assert path.is_symlink() if is_link else path.read_bytes() == b"somebody's"

    def test_one_whose_plug_in_has_changed_is_not(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def changed(spec: Spec) -> None:
            raise PluginError("it was made with swirl 1, and installed is swirl 2", "install swirl 1")

        monkeypatch.setattr(Spec, "check_plugins", changed)
        with pytest.raises(ExperimentError, match="cannot be computed: it was made with swirl 1") as refused:
            experiment.check_computable()
        assert refused.value.hint == "install swirl 1"


class TestWhatCannotBeRead:
    """A result that cannot be read now may be whole: it is neither set aside nor computed again."""

    @pytest.fixture(params=["metrics.json", "arrays.npz"])
    def unreadable(
        self, request: pytest.FixtureRequest, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> Experiment:
        result = put_result(experiment, 1)
        opened = os.open

        def refuse(path: Any, *options: Any, **named: Any) -> int:
            if Path(path) == result / request.param:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return opened(path, *options, **named)

        monkeypatch.setattr("core.files.reading.os.open", refuse)
        return experiment

    def test_it_is_refused_in_words_and_stays(self, unreadable: Experiment) -> None:
        for refuse in (unreadable.check_computable, lambda: unreadable.stands(1)):
            with pytest.raises(
                ExperimentError, match=r"has a result, but its .* cannot be read: Permission denied"
            ):
                refuse()
        with pytest.raises(ExperimentError, match="cannot be read"):
            publish_result(unreadable, 1, stands=unreadable.stands)
        assert sorted(os.listdir(unreadable.run_folder(1))) == ["result"]

    def test_it_counts_as_none_where_it_is_only_shown(self, unreadable: Experiment) -> None:
        assert unreadable.results() == {}
        assert "cannot be read: Permission denied" in unreadable.result_problem(1)

    def test_one_that_cannot_be_looked_for_may_be_there(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not experiment.may_have_results()
        (experiment.folder / "runs").mkdir()
        experiment.run_folder(1).mkdir()
        assert not experiment.may_have_results()

        def fail(*_: object) -> object:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        for place in ("core.records.experiment.os.listdir", "core.records.experiment.Path.lstat"):
            with monkeypatch.context() as broken:
                broken.setattr(place, fail)
                assert experiment.may_have_results(), place
        result = put_result(experiment, 1)
        (result / "metrics.json").write_text("damaged")
        assert experiment.may_have_results(1)
        assert not experiment.may_have_results(2)

    @pytest.mark.parametrize("name", ["metrics.json", "arrays.npz"])
    def test_a_folder_in_a_file_s_place_is_damage_and_set_aside(
        self, experiment: Experiment, name: str
    ) -> None:
        result = put_result(experiment, 1)
        (result / name).unlink()
        (result / name).mkdir()
        assert not experiment.stands(1)
        experiment.check_computable()
        put_result(experiment, 1)
        assert experiment.stands(1)


class TestCreated:
    def test_it_is_the_moment_of_its_making_however_often_its_specification_is_written(
        self, experiment: Experiment
    ) -> None:
        before = experiment.created
        assert time.time() - 3600 < before <= time.time() + 1
        os.utime(experiment.folder / "spec.toml", (1e9, 1e9))
        assert experiment.created == before

    @pytest.mark.parametrize("content", [None, b"yesterday", b"\xff", b"-5", b"1e400", b"nan"])
    def test_without_it_the_specification_tells(self, experiment: Experiment, content: bytes | None) -> None:
        path = experiment.folder / CREATED_FILE
        path.unlink() if content is None else path.write_bytes(content)
        os.utime(experiment.folder / "spec.toml", (1e9, 1e9))
        assert experiment.created == 1e9


class TestLeftovers:
    def test_what_was_half_written_goes_and_a_broken_result_is_kept_for_a_look(
        self, experiment: Experiment
    ) -> None:
        result = put_result(experiment, 0)
        for name in (left_by_the_dead(".result"), ".broken.2b", ".result.precious"):
            (result.parent / name).mkdir()
            (result.parent / name / "arrays.npz").write_bytes(b"arrays")
        experiment.clear_leftovers()
        kept = [".broken.2b", ".result.precious", "result"]
        assert sorted(path.name for path in result.parent.iterdir()) == kept
        assert (result.parent / ".broken.2b" / "arrays.npz").read_bytes() == b"arrays"

    @pytest.mark.parametrize("call", ["os.listdir", "os.stat"])
    def test_what_cannot_be_listed_now_stays(
        self, experiment: Experiment, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        left = experiment.run_folder(0) / left_by_the_dead(".result")
        left.mkdir(parents=True)

        def fail(*arguments: object, **named: object) -> object:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        with monkeypatch.context() as away:
            away.setattr(call, fail)
            experiment.clear_leftovers()
        assert left.exists()
        experiment.clear_leftovers()
        assert not left.exists()

    def test_what_a_link_leads_to_is_not_swept(self, tmp_path: Path, experiment: Experiment) -> None:
        outside = tmp_path / "outside"
        left = outside / left_by_the_dead(".result")
        left.mkdir(parents=True)
        experiment.run_folder(0).parent.mkdir()
        experiment.run_folder(0).symlink_to(outside)
        experiment.clear_leftovers()
        assert left.exists()

    @pytest.mark.parametrize("deed", ["delete", "create"])
    def test_what_a_killed_delete_or_create_left_goes_with_the_next_one(
        self, tmp_path: Path, experiment: Experiment, deed: str
    ) -> None:
        folder = tmp_path / "experiments"
        kept = {owned_name(".new"), owned_name(".deleted"), ".other", ".new.mine"}
        for name in (left_by_the_dead(".deleted"), left_by_the_dead(".new"), *kept):
            (folder / name / "runs").mkdir(parents=True)
            (folder / name / "spec.toml").write_text("runs = 3")
            os.utime(folder / name, (1, 1))
        if deed == "delete":
            delete_experiment(experiment.folder)
        else:
            kept |= {experiment.id, create(tmp_path, Spec(dataset="digits", seed=9))[0].id}
        assert {path.name for path in folder.iterdir()} == kept


class TestDeleting:
    def test_a_running_experiment_is_not_deleted(self, experiment: Experiment) -> None:
        result = put_result(experiment, 0)
        with experiment.lock as lock:
            with pytest.raises(LockHeld):
                delete_experiment(experiment.folder)
            lock.beat()
        assert (result / "arrays.npz").exists()

    def test_deleting_removes_one_folder_and_no_other(self, tmp_path: Path, experiment: Experiment) -> None:
        other, _ = create(tmp_path, Spec(dataset="digits", seed=9))
        put_result(experiment, 0)
        delete_experiment(experiment.folder)
        assert list((tmp_path / "experiments").iterdir()) == [other.folder]
        with pytest.raises(ExperimentError, match="cannot delete"):
            delete_experiment(experiment.folder)
        assert create(tmp_path, SPEC) == (experiment, True)
        assert experiment.results() == {}


class TestWhoComputes:
    """What one look at the lock tells."""

    def test_nobody(self, experiment: Experiment) -> None:
        assert (experiment.running, experiment.held, experiment.abandoned, experiment.doubt) == (
            False,
            False,
            False,
            "",
        )

    def test_this_process(self, experiment: Experiment) -> None:
        with experiment.lock:
            assert (experiment.running, experiment.held, experiment.abandoned) == (True, True, False)
            assert experiment.doubt == ""

    def test_one_that_is_gone(self, experiment: Experiment) -> None:
        gone = msgspec.structs.replace(identity(), start_time="0")
        (experiment.folder / "lock").write_bytes(to_json(gone))
        assert (experiment.running, experiment.held, experiment.abandoned) == (False, False, True)
        assert experiment.doubt == ""

    def test_one_elsewhere_of_which_only_watching_can_tell(self, experiment: Experiment) -> None:
        lock = experiment.folder / "lock"
        lock.write_bytes(to_json(ProcessIdentity("node7", 12, "", "")))
        os.utime(lock, (time.time() + 3600,) * 2)
        assert (experiment.running, experiment.held, experiment.abandoned) == (True, False, False)
        assert experiment.doubt.startswith(f"process 12 on node7 may be computing {experiment.id}")


class TestWhatNobodyExpects:
    """A specification that anybody wrote is refused in words, and costs no other experiment."""

    @pytest.mark.parametrize(
        "text",
        ["runs = 0x" + "f" * 4000, "a = " + "[" * 3000, "a" + ".a" * 30_000 + " = 1",
         "dataset = '/" + "a" * 5000 + "'", "attack = '" + "a" * 5000 + "'",
         "controls = [[['noise']]]", "z = 1e400", "family = {a = 1}"],
    )  # fmt: skip
    def test_the_list_says_so_and_goes_on(self, tmp_path: Path, experiment: Experiment, text: str) -> None:
        other = experiment.folder.with_name("other")
        other.mkdir()
        (other / "spec.toml").write_text(text, encoding="utf-8")
        found = {overview.id: overview for overview in OverviewReader(tmp_path).look()}
        assert found[experiment.id].status == ExperimentStatus.CREATED
        assert found["other"].experiment is not None or found["other"].reason
        assert len(found["other"].reason) < 2000
