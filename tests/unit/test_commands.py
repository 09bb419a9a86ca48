"""The sub-commands on experiments that lie on disk: what they print, change and refuse, in this process."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.data.catalogue import CATALOGUE
from core.files.exit_status import ExitStatus
from core.records.annotations import Annotations, read_annotations, write_annotations
from core.records.events import CoordinatorStarted, Ending, Event, Finished
from core.records.experiment import Experiment
from core.records.journal import JournalReader
from core.records.process import ProcessIdentity, identity
from core.records.starting import How
from core.records.state import read_state
from core.records.types import to_json
from core.report.result import result_of
from core.report.tables.latex import latex
from core.report.tables.long import long_csv
from core.report.tables.text import tables
from core.sets.registry import own_controls
from core.spec.call import CALL
from core.spec.settings import COMMON
from core.spec.spec import Spec
from tests.fakes import plugins
from tests.fakes.commands import Command
from tests.fakes.executor import put_result
from tests.fakes.experiments import (
    append_events,
    make_experiment,
    make_experiment_from_answers,
    set_created,
)
from tui_aefit.shell.follow import from_last_start

SPEC = Spec(dataset="digits", options={"z": 5}, runs=3, controls=("noise",))


@pytest.fixture
def finished(home: Path) -> Experiment:
    """A complete experiment, an hour older than whatever a test makes."""
    experiment = make_experiment_from_answers(home, SPEC).experiment
    _age(experiment, 3600)
    return experiment


def json_of(experiment: Experiment) -> dict[str, Any]:
    """The JSON result as a reader of it gets it."""
    found: dict[str, Any] = json.loads(result_of(read_state(experiment)).to_text())
    return found


def _age(experiment: Experiment, seconds: float) -> None:
    set_created(experiment, experiment.created - seconds)


def _half_done(home: Path) -> Experiment:
    spec = Spec(dataset="mnist-5k", attack="deepfool", epsilon=0.25, runs=4)
    return make_experiment_from_answers(
        home, spec, complete=[0], failures={2: ("it broke", "mend it")}
    ).experiment


# list


def test_an_empty_home_is_said_to_be_empty_and_is_an_empty_list(command: Command, home: Path) -> None:
    told = command("list")
    assert (told.status, told.out) == (0, "")
    assert str(home) in told.err
    assert json.loads(command("list", "--json").out) == []


def test_list_shows_every_experiment_with_its_state_the_newest_first(
    command: Command, home: Path, finished: Experiment
) -> None:
    half = _half_done(home)
    told = command("list")
    assert told.status == 0
    header, *rows = [re.split(r" {2,}", line) for line in told.out.splitlines()]
    assert header == [
        "id", "status", "runs", "dataset", "attack", "epsilon", "ladder", "created", "label", "settings",
    ]  # fmt: skip
    made = [f"{datetime.fromtimestamp(experiment.created):%Y-%m-%d %H:%M}" for experiment in (half, finished)]
    assert rows == [
        [half.id, "failed", "1/4", "mnist-5k", "deepfool", "0.25", "K 7 to 1", made[0], "epochs=3"],
        [
            finished.id,
            "complete",
            "3/3",
            "digits",
            "fgsm",
            "0.1",
            "K 5 to 1",
            made[1],
            "epochs=3 controls=noise",
        ],
    ]
    first, second = json.loads(command("list", "--json").out)
    assert datetime.fromisoformat(second.pop("created")).timestamp() == pytest.approx(finished.created, abs=1)
    assert second == {
        "id": finished.id, "status": "complete", "complete": 3, "runs": 3, "dataset": "digits",
        "attack": "fgsm", "epsilon": 0.1, "z": 5, "ladder": {"knob": "K", "levels": ["5", "3", "1"]},
        "settings": {"epochs": 3, "controls": ["noise"]},
    }  # fmt: skip
    assert (first["id"], first["status"], first["complete"], first["runs"]) == (half.id, "failed", 1, 4)
    assert first["reason"] == "a run failed: it broke"


def test_list_tells_experiments_apart_by_label_and_by_what_is_not_usual(command: Command, home: Path) -> None:
    spec = Spec(dataset="digits", runs=2, epochs=40)
    usual = make_experiment_from_answers(home, spec).experiment
    other = spec.changed(seed=7, controls=(), attack="pgd", steps=3, test_size=99)
    unusual = make_experiment_from_answers(home, other).experiment
    write_annotations(usual.folder, Annotations(label="the first try"))
    records = {record["id"]: record for record in json.loads(command("list", "--json").out)}
    assert records[usual.id]["settings"] == {}
    assert records[usual.id]["label"] == "the first try"
    assert records[unusual.id]["settings"] == {
        "seed": 7, "controls": [], "test_size": 99, "steps": 3,
    }  # fmt: skip
    assert "label" not in records[unusual.id]
    lines = {line.split()[0]: line for line in command("list").out.splitlines()}
    assert lines[usual.id].endswith("  the first try")
    assert lines[unusual.id].endswith(" " * 17 + "seed=7 controls=none test_size=99 steps=3")


def test_list_names_the_main_options_of_a_plug_in(
    command: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.install(tmp_path / "site", monkeypatch)
    monkeypatch.setattr(plugins.Shift, "options", (replace(plugins.STRENGTH, main=True),))
    spec = Spec(dataset="digits", runs=2, epochs=40, attack="shift", options={"strength": 0.5})
    make_experiment_from_answers(home, spec, complete=[])
    (record,) = json.loads(command("list", "--json").out)
    assert (record["strength"], record["z"]) == (0.5, 7)
    assert record["settings"] == {}
    assert record["ladder"] == {"knob": "K", "levels": ["7", "5", "3", "1"]}
    assert command("list").out.rstrip().endswith("strength=0.5"), "no column tells it"


@pytest.mark.parametrize("inside", ["", "experiments"])
def test_a_home_that_is_a_file_is_said_to_be_one(
    command: Command, home: Path, tmp_path: Path, inside: str
) -> None:
    (home / inside).parent.mkdir(exist_ok=True)
    (home / inside).write_text("")
    for words in (("list",), ("show", "latest"), ("delete", "latest")):
        told = command(*words)
        assert (told.status, told.out) == (2, "")
        assert "--home DIR" in told.err
        assert "there is no experiment" not in told.err


def test_an_experiment_that_cannot_be_read_does_not_hide_the_others(
    command: Command, home: Path, finished: Experiment
) -> None:
    broken = home / "experiments" / "broken"
    broken.mkdir()
    (broken / "spec.toml").write_text("runs = 'many'")
    told = command("list")
    assert told.status == 0
    assert "unreadable" in told.out
    assert finished.id in told.out
    (entry,) = (row for row in json.loads(command("list", "--json").out) if row["id"] == "broken")
    assert "runs = 'many' is not possible" in entry["reason"]


# show


@pytest.mark.parametrize("name", ["whole", "prefix", "digest", "latest"])
def test_show_finds_an_experiment_by_any_of_its_names(
    command: Command, home: Path, finished: Experiment, name: str
) -> None:
    _age(_half_done(home), 7200)
    words = {"whole": finished.id, "prefix": "digits", "digest": SPEC.digest[:5], "latest": "latest"}
    told = command("show", words[name])
    assert (told.status, told.err) == (0, "")
    assert told.out == tables(result_of(read_state(finished))) + "\n"


def test_at_a_narrow_terminal_the_tables_are_laid_out_to_its_width(
    command: Command, finished: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for columns in (60, 80, 140):
        monkeypatch.setenv("COLUMNS", str(columns))
        told = command("show", "latest")
        assert told.out == tables(result_of(read_state(finished)), columns) + "\n"
        assert max(map(len, told.out.splitlines())) <= columns
    assert (
        command("show", "latest", "--width", "72").out == tables(result_of(read_state(finished)), 72) + "\n"
    )


@pytest.mark.parametrize("width", ["39", "wide", "-80", "8.5"])
def test_a_width_that_no_table_fits_in_is_refused(command: Command, finished: Experiment, width: str) -> None:
    told = command("show", "latest", f"--width={width}")
    assert (told.status, told.out) == (2, "")
    assert f"{width!r} is not possible: expected a whole number from 40" in told.err


def test_show_says_which_results_are_lost_and_what_computes_them_again(
    command: Command, finished: Experiment
) -> None:
    for index in range(3):
        (finished.run_folder(index) / "result" / "arrays.npz").unlink()
    told = command("show", "latest")
    assert "3 runs were complete, and their files are missing or damaged" in told.out
    assert f"To compute them again: aefit-tui resume {finished.id}\n" in told.out
    assert "runs 1 to 3: its arrays.npz is missing" in told.out
    assert "run  surrogate" not in told.out


def test_show_json_is_the_result_and_nothing_else(command: Command, finished: Experiment) -> None:
    told = command("show", "latest", "--json")
    assert (told.status, told.err) == (0, "")
    assert json.loads(told.out) == json_of(finished)


def test_show_of_an_unfinished_experiment_tells_of_its_failures(command: Command, home: Path) -> None:
    half = _half_done(home)
    told = command("show", half.id)
    assert told.status == 1
    assert "1 of 4 runs" in told.out
    assert "run 3 failed: it broke\n  mend it\n" in told.err
    assert f"aefit-tui resume {half.id}\n" in told.err
    typed = command("show", half.id, "--home", str(home))
    assert f"aefit-tui resume {half.id} --home {home}\n" in typed.err
    assert json.loads(command("show", half.id, "--json").out)["runs"][2]["error"] == "it broke"


def test_show_of_a_refused_experiment_says_why_and_what_would_be_right(command: Command, home: Path) -> None:
    experiment = make_experiment_from_answers(home, SPEC, complete=[]).experiment
    append_events(
        experiment,
        CoordinatorStarted(host="h", pid=1, jobs=1, pending=(0, 1, 2)),
        Finished(status="refused", error="images is a float32 array", hint="round it"),
    )
    for words in (("show", "latest"), ("show", "latest", "--quiet"), ("show", "latest", "--json")):
        told = command(*words)
        assert told.status == 2
        assert told.err == "aefit-tui: images is a float32 array\n  round it\n"
        assert "refused" in told.out
    assert "refused" in command("list").out


def test_show_of_what_is_not_computed_yet_is_no_failure(command: Command, home: Path) -> None:
    make_experiment_from_answers(home, SPEC, complete=[0])
    assert command("show", "latest").status == 0


@pytest.mark.parametrize(
    "verb",
    [
        "show",
        "attach",
        "resume",
        "extend",
        "cancel",
        "delete",
        "label",
        "tag",
        "note",
        "command",
        "export",
        "report",
    ],
)
def test_an_experiment_that_is_not_there_is_refused_by_every_command(
    command: Command, finished: Experiment, verb: str
) -> None:
    told = command(verb, "nosuch", *(["--runs", "4"] if verb == "extend" else []))
    assert (told.status, told.out) == (2, "")
    assert "there is no experiment 'nosuch'" in told.err
    assert "aefit-tui list" in told.err


def test_an_id_that_may_mean_several_is_answered_with_all_of_them(
    command: Command, home: Path, finished: Experiment
) -> None:
    other = make_experiment_from_answers(home, Spec(dataset="digits", runs=2, seed=1)).experiment
    told = command("show", "digits")
    assert (told.status, told.out) == (2, "")
    assert finished.id in told.err
    assert other.id in told.err
    assert "give more of it" in told.err


def test_nothing_runs_that_could_be_cancelled(command: Command, finished: Experiment) -> None:
    told = command("cancel", finished.id)
    assert told.status == 2
    assert "not being computed" in told.err
    assert not finished.cancel_file.exists()


# resume, extend, and asking for an experiment again


def test_an_experiment_is_extended_by_more_runs_only(command: Command, finished: Experiment) -> None:
    for runs, reason in (
        ("3", "has 3 runs already"),
        ("2", "has 3 runs already"),
        ("0", "runs = 0"),
        ("1e3", "1e3"),
    ):
        told = command("extend", "latest", "--runs", runs)
        assert (told.status, told.out) == (2, "")
        assert reason in told.err
    assert command("extend", "latest").status == 2
    assert command("extend", "latest", "--runs", "4", "--jobs", "0").status == 2
    assert finished.reloaded().spec.runs == 3


def test_an_experiment_that_is_being_computed_is_extended_for_whoever_computes_it(
    command: Command, finished: Experiment
) -> None:
    asked = ("--batch", "--dataset", "digits", "--z", "5", "--epochs", "3", "--controls", "noise")
    append_events(finished, CoordinatorStarted(host="h", pid=1, jobs=1, pending=()))
    with finished.lock:
        told = command("extend", "latest", "--runs", "4", "--detach", "--json")
        assert told.status == 0
        assert "is being computed already" in told.err
        result = json.loads(told.out)
        assert (result["status"], [run["status"] for run in result["runs"]]) == (
            "running",
            ["complete"] * 3 + ["pending"],
        )
        assert (result["done"], result["computed"]) == ("joined", [])
        assert command("extend", "latest", "--runs", "5", "--detach").out == f"{finished.id}\n"
        told = command(*asked, "--runs", "6", "--detach")
        assert (told.status, told.out) == (0, f"{finished.id}\n")
    assert finished.reloaded().spec.runs == 6


@dataclass
class Coordinators:
    """In the place of `start_coordinator`: each computes or refuses at once, and is written down.

    breaks_off: the status that it ends with instead, having done nothing.
    """

    refuses: bool = False
    breaks_off: int = 0
    started: list[dict[str, object]] = field(default_factory=list)

    def __call__(self, experiment: Experiment, how: How, **besides: object) -> Coordinators:
        self.started.append({**asdict(how), **besides})
        if self.breaks_off:
            return self
        lacking = [run for run in range(experiment.spec.runs) if experiment.result(run, verify=True) is None]
        begun = CoordinatorStarted(host="h", pid=1, jobs=1, pending=tuple(lacking))
        end = Finished(status="complete")
        if self.refuses:
            end = Finished(status="refused", error="other images", hint="bring them back")
        else:
            for run in lacking:
                put_result(experiment, run)
        append_events(experiment, begun, end, writer=f"{len(self.started) + 10:04d}-coordinator")
        return self

    def poll(self) -> int:
        return self.wait()

    def wait(self) -> int:
        return self.breaks_off or (2 if self.refuses else 0)


@pytest.fixture
def coordinators(monkeypatch: pytest.MonkeyPatch) -> Coordinators:
    started = Coordinators()
    monkeypatch.setattr("tui_aefit.shell.batch.start_coordinator", started)
    monkeypatch.setattr("tui_aefit.shell.parallelism.processors", lambda: 4)
    return started


ASKED = ("--batch", "--dataset", "digits", "--z", "5", "--epochs", "3", "--controls", "noise")


@pytest.mark.parametrize("words", [("extend", "latest", "--runs", "5"), (*ASKED, "--runs", "5")])
def test_a_refused_extension_leaves_the_runs_that_there_were(
    command: Command, finished: Experiment, coordinators: Coordinators, words: tuple[str, ...]
) -> None:
    before = (finished.folder / "spec.toml").read_text()
    coordinators.refuses = True
    told = command(*words)
    assert (told.status, told.out) == (2, "")
    assert "other images\n  bring them back" in told.err
    assert len(coordinators.started) == 1
    assert (finished.folder / "spec.toml").read_text() == before
    coordinators.refuses = False
    assert command(*words).status == 0
    assert len(finished.reloaded().results()) == 5


@pytest.mark.parametrize("words", [(), ("--detach",)])
def test_a_coordinator_that_is_killed_is_told_of_and_how_to_go_on(
    command: Command, finished: Experiment, coordinators: Coordinators, words: tuple[str, ...]
) -> None:
    """Also as soon as it was started, before it could hear of any signal."""
    coordinators.breaks_off = -signal.SIGHUP
    told = command("extend", "latest", "--runs", "5", *words)
    assert told.status == 130
    assert f"the coordinator was killed by signal {int(signal.SIGHUP)}" in told.err
    assert f"aefit-tui resume {finished.id}" in told.err


def test_who_waits_for_one_that_is_killed_goes_on_with_what_is_lacking(
    command: Command,
    finished: Experiment,
    coordinators: Coordinators,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finished.extend(5)
    killed = msgspec.structs.replace(identity(), start_time="0")
    (finished.folder / "lock").write_bytes(to_json(killed))
    lived = iter([True])  # when it was looked at first
    monkeypatch.setattr("tui_aefit.shell.batch.is_at_work", lambda one: next(lived, False))
    told = command("resume", finished.id)
    assert told.status == 0
    assert "is being computed already" in told.err
    assert len(coordinators.started) == 1
    assert len(finished.reloaded().results()) == 5


def test_who_takes_over_from_another_host_is_told_what_is_waited_for(
    command: Command, finished: Experiment, coordinators: Coordinators
) -> None:
    finished.extend(4)
    lock = finished.folder / "lock"
    lock.write_bytes(to_json(ProcessIdentity("node7", 12, "", "")))
    os.utime(lock, (time.time() + 3600,) * 2)
    told = command("resume", finished.id)
    assert told.status == 0
    assert "process 12 on node7 may be computing" in told.err
    assert len(coordinators.started) == 1


def test_a_disk_without_room_is_the_reason_that_is_given(
    command: Command, finished: Experiment, coordinators: Coordinators, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coordinator that crashes for want of room leaves an empty log."""
    finished.extend(4)
    finished.log.touch()
    full = errno.ENOSPC
    checks = iter([None, OSError(full, os.strerror(full))])
    write = Path.write_bytes

    def fill(path: Path, content: bytes) -> int:
        if path.name.startswith(".room") and (problem := next(checks)) is not None:
            raise problem
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    monkeypatch.setattr(Coordinators, "__call__", lambda coordinators, *_, **__: coordinators)
    monkeypatch.setattr(Coordinators, "wait", lambda coordinators: ExitStatus.CRASHED)
    told = command("resume", finished.id)
    assert told.status == 2
    assert "No space left on device" in told.err


def test_a_refused_extension_of_which_a_run_is_there_stands(
    command: Command, finished: Experiment, coordinators: Coordinators
) -> None:
    coordinators.refuses = True
    put_result(Experiment(finished.folder, SPEC.changed(runs=5)), 4)
    assert command("extend", "latest", "--runs", "5").status == 2
    assert finished.reloaded().spec.runs == 5


def refuse_once_it_has_computed(monkeypatch: pytest.MonkeyPatch, run: int) -> None:
    """A coordinator that computes a run and is then refused; from there on the disk gives no result to be read."""
    begin, opened = Coordinators.__call__, os.open

    def fail(path: Any, *options: Any, **named: Any) -> int:
        if Path(path).name == "metrics.json":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *options, **named)

    def compute(coordinators: Coordinators, experiment: Experiment, how: How, **besides: object) -> object:
        put_result(experiment, run)
        monkeypatch.setattr("core.files.reading.os.open", fail)
        return begin(coordinators, experiment, how, **besides)

    monkeypatch.setattr(Coordinators, "__call__", compute)


@pytest.mark.parametrize("computed", [False, True])
def test_a_new_experiment_that_is_refused_goes_unless_it_may_have_a_result(
    command: Command, home: Path, coordinators: Coordinators, monkeypatch: pytest.MonkeyPatch, computed: bool
) -> None:
    coordinators.refuses = True
    if computed:
        refuse_once_it_has_computed(monkeypatch, 0)
    assert command(*ASKED, "--runs", "2").status == 2
    assert len(coordinators.started) == 1
    assert [path.name for path in home.glob("experiments/*/runs/*/result")] == ["result"] * computed
    assert len(list(home.glob("experiments/*"))) == computed


def test_a_refused_extension_of_which_a_run_cannot_be_read_now_stands(
    command: Command, finished: Experiment, coordinators: Coordinators, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinators.refuses = True
    refuse_once_it_has_computed(monkeypatch, 4)
    assert command("extend", "latest", "--runs", "5").status == 2
    assert finished.reloaded().spec.runs == 5


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [(("--jobs", "0"), "jobs = 0"), (("--threads", "0"), "threads = 0"), (("--jobs", "10001"), "1 to 10000")],
)
def test_an_extension_is_checked_before_anything_changes(
    command: Command, finished: Experiment, coordinators: Coordinators, wrong: tuple[str, str], reason: str
) -> None:
    for words in (("extend", "latest", "--runs", "5", *wrong), (*ASKED, "--runs", "5", *wrong)):
        told = command(*words)
        assert (told.status, told.out) == (2, "")
        assert reason in told.err
    assert finished.reloaded().spec.runs == 3
    assert coordinators.started == []


def test_an_extension_needs_its_data(command: Command, home: Path, coordinators: Coordinators) -> None:
    experiment = make_experiment_from_answers(home, Spec(dataset="mnist", runs=2, controls=())).experiment
    told = command("extend", "latest", "--runs", "3")
    assert (told.status, told.out) == (2, "")
    assert "aefit-tui data fetch mnist" in told.err
    assert experiment.reloaded().spec.runs == 2
    assert coordinators.started == []


def test_jobs_and_threads_follow_the_runs_that_are_lacking(
    command: Command, finished: Experiment, coordinators: Coordinators
) -> None:
    # Four processors: one run has all of them, two share them.
    assert command("extend", "latest", "--runs", "4").status == 0
    assert command("extend", "latest", "--runs", "6").status == 0
    shutil.rmtree(finished.run_folder(0))
    assert command("resume", "latest").status == 0
    found = [(how["jobs"], how["threads"]) for how in coordinators.started]
    assert found == [(1, 4), (2, 2), (1, 4)]


def test_who_extends_while_a_coordinator_leaves_has_another_one_started(
    command: Command, finished: Experiment, coordinators: Coordinators
) -> None:
    lock = finished.lock
    lock.acquire()
    leaves = threading.Timer(0.2, lock.release)
    leaves.start()
    told = command("extend", "latest", "--runs", "4")
    leaves.join()
    assert told.status == 0
    assert len(coordinators.started) == 1
    assert len(finished.reloaded().results()) == 4


@pytest.mark.parametrize(("ending", "further"), [("complete", 1), ("failed", 1), ("cancelled", 0)])
def test_another_coordinator_computes_what_the_one_at_work_did_not_hear_of(
    command: Command,
    finished: Experiment,
    coordinators: Coordinators,
    monkeypatch: pytest.MonkeyPatch,
    ending: Ending,
    further: int,
) -> None:
    followed = threading.Event()

    def look_back(reader: JournalReader) -> list[Event]:
        followed.set()
        return from_last_start(reader)

    monkeypatch.setattr("tui_aefit.shell.batch.from_last_start", look_back)
    append_events(finished, CoordinatorStarted(host="h", pid=1, jobs=1, pending=()))
    lock = finished.lock
    lock.acquire()

    def end_unheard() -> None:
        followed.wait(60)
        append_events(finished, Finished(status=ending), writer="0003-coordinator")
        lock.release()

    thread = threading.Thread(target=end_unheard)
    thread.start()
    told = command("extend", "latest", "--runs", "4")
    thread.join()
    assert len(coordinators.started) == further
    assert len(finished.reloaded().results()) == 3 + further
    assert told.status == (0 if further else 1)


@pytest.mark.parametrize("words", [("extend", "latest", "--runs", "5"), ("resume", "latest")])
def test_an_experiment_that_a_newer_version_went_on_with_is_left_alone(
    command: Command, home: Path, coordinators: Coordinators, words: tuple[str, ...]
) -> None:
    experiment = make_experiment(home, state="newer", dataset="digits", runs=3)
    shutil.rmtree(experiment.run_folder(2))
    told = command(*words)
    assert (told.status, told.out) == (2, "")
    assert "was written by a newer version" in told.err
    assert experiment.reloaded().spec.runs == 3
    assert coordinators.started == []


def test_asking_for_fewer_runs_than_there_are_gives_the_result_of_all(
    command: Command, finished: Experiment
) -> None:
    asked = ("--batch", "--dataset", "digits", "--z", "5", "--epochs", "3", "--controls", "noise")
    told = command(*asked, "--runs", "2", "--json")
    assert told.status == 0
    assert f"{finished.id} has 3 runs already, more than 2" in told.err
    assert json.loads(told.out) == json_of(finished)
    assert finished.reloaded().spec.runs == 3


def test_resuming_what_is_complete_prints_its_result(command: Command, finished: Experiment) -> None:
    told = command("resume", "latest", "--json")
    assert told.status == 0
    assert "is complete already" in told.err
    assert json.loads(told.out) == {**json_of(finished), "done": "nothing", "computed": []}


def test_resume_and_extend_json_say_which_runs_they_computed(
    command: Command, finished: Experiment, coordinators: Coordinators
) -> None:
    damage = finished.run_folder(1) / "result" / "arrays.npz"
    damage.write_bytes(damage.read_bytes() + b"x")
    for words, computed in (
        (("resume", "latest"), [1]),
        (("extend", "latest", "--runs", "5"), [3, 4]),
        (("resume", "latest"), []),
    ):
        told = command(*words, "--json")
        assert told.status == 0
        done = "computed" if computed else "nothing"
        assert json.loads(told.out) == {**json_of(finished.reloaded()), "done": done, "computed": computed}


@pytest.mark.parametrize(("status", "done"), [(130, "interrupted"), (70, "failed")])
def test_resume_json_is_an_object_also_where_the_computation_breaks_off(
    command: Command, home: Path, coordinators: Coordinators, status: int, done: str
) -> None:
    half = make_experiment_from_answers(home, SPEC, complete=[0]).experiment
    half.log.write_text("it broke off")
    coordinators.breaks_off = status
    told = command("resume", half.id, "--json")
    assert told.status == (130 if status == 130 else 1)
    assert json.loads(told.out) == {**json_of(half), "done": done, "computed": []}
    assert command("resume", half.id).out == ""


# Experiments of the first version


@pytest.fixture
def first_version(first_version_home: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    monkeypatch.setenv("AEFIT_HOME", str(first_version_home))
    return "digits-fgsm-6b3a1b16"


def test_an_experiment_of_the_first_version_is_shown_exported_and_deleted(
    command: Command, first_version: str
) -> None:
    (record,) = json.loads(command("list", "--json").out)
    assert (record["id"], record["status"]) == (first_version, "complete")
    assert record["z"]
    shown = command("show", first_version)
    assert (shown.status, shown.err) == (0, "")
    assert first_version in shown.out
    result = json.loads(command("export", first_version).out)
    assert [run["status"] for run in result["runs"]] == ["complete"] * record["runs"]
    assert command("export", first_version, "--format", "csv").status == 0
    assert command("delete", first_version, "--yes").status == 0


def test_a_complete_experiment_of_the_first_version_is_resumed_to_its_stored_result(
    command: Command, first_version: str
) -> None:
    told = command("resume", first_version)
    assert told.status == 0
    assert "complete already" in told.err
    assert told.out == command("show", first_version).out


def test_no_run_is_added_to_an_experiment_of_the_first_version(command: Command, first_version: str) -> None:
    told = command("extend", first_version, "--runs", "20")
    assert (told.status, told.out) == (2, "")
    assert "computed by an earlier version" in told.err
    assert "aefit-tui --batch" in told.err


# cancel


@contextmanager
def computed_until_asked_to_stop(experiment: Experiment) -> Iterator[None]:
    """Within the block somebody computes an experiment, and ends when asked to stop."""

    given_up = threading.Event()

    def obey() -> None:
        while not experiment.cancel_file.exists() and not given_up.wait(0.01):
            pass
        append_events(
            experiment,
            CoordinatorStarted(host="h", pid=1, jobs=1, pending=(1, 2)),
            Finished(status="cancelled"),
        )
        lock.release()

    lock = experiment.lock
    lock.acquire()
    thread = threading.Thread(target=obey)
    thread.start()
    try:
        yield
    finally:
        given_up.set()
        thread.join()


def test_cancel_stops_what_is_being_computed(command: Command, home: Path) -> None:
    experiment = make_experiment_from_answers(home, SPEC, complete=[0]).experiment
    with computed_until_asked_to_stop(experiment):
        told = command("cancel", "latest", "--json")
    assert told.status == 0
    assert json.loads(told.out) == {
        "id": experiment.id, "status": "cancelled", "done": "stopped", "complete": 1, "runs": 3,
    }  # fmt: skip
    assert f"aefit-tui resume {experiment.id}" in told.err


def test_cancel_of_what_does_not_stop_says_so(
    command: Command, finished: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_aefit.shell.stopping.CANCEL_SECONDS", 0.0)
    with finished.lock:
        told = command("cancel", "latest", "--json")
    assert told.status == 1
    answer = json.loads(told.out)
    assert (answer["status"], answer["done"]) == ("running", "asked")
    assert "has not yet" in told.err


# delete


def test_delete_removes_this_experiment_only_and_only_with_a_yes(
    command: Command, home: Path, finished: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = _half_done(home)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # not a terminal: nobody was asked
    told = command("delete", finished.id)
    assert told.status == 2
    assert f"aefit-tui delete {finished.id} --yes" in told.err
    assert finished.folder.is_dir()
    told = command("delete", finished.id, "--yes")
    assert (told.status, told.out) == (0, "")
    assert "3 complete runs" in told.err
    assert [path.name for path in (home / "experiments").iterdir()] == [half.id]


def test_delete_json_says_what_was_deleted(
    command: Command, finished: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n")
    told = command("delete", "latest", "--json")
    assert told.status == 130
    assert json.loads(told.out) == {
        "id": finished.id, "status": "complete", "done": "nothing", "deleted": False, "complete": 3,
    }  # fmt: skip
    told = command("delete", "latest", "--yes", "--json")
    assert told.status == 0
    assert json.loads(told.out) == {
        "id": finished.id, "status": "deleted", "done": "deleted", "deleted": True, "complete": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "status"), [("y", 0), ("YES", 0), ("", 130), ("n", 130), ("yes please", 130)]
)
def test_at_a_terminal_delete_asks(
    command: Command, finished: Experiment, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer + "\n"))
    told = command("delete", finished.id)
    assert told.status == status
    assert f"delete {finished.id}, with 3 complete runs? [y/N]" in told.err
    assert finished.folder.exists() == (status != 0)


def test_an_experiment_that_is_being_computed_is_not_deleted(command: Command, finished: Experiment) -> None:
    with finished.lock:
        told = command("delete", finished.id, "--yes")
        assert told.status == 2
        assert "is being computed by process" in told.err
        assert f"`aefit-tui attach {finished.id}`" in told.err
    assert json.loads(command("show", finished.id, "--json").out)["status"] == "complete"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [("schema_version = 99\n", "99"), ("runs = 'many'", "runs = 'many'"), (None, "spec.toml")],
)
def test_an_experiment_that_cannot_be_read_is_deleted_all_the_same(
    command: Command, home: Path, finished: Experiment, spec: str | None, reason: str
) -> None:
    (finished.folder / "spec.toml").unlink()
    if spec is not None:
        (finished.folder / "spec.toml").write_text(spec)
    assert f"aefit-tui delete {finished.id}" in command("show", finished.id).err
    asked = command("delete", finished.id)
    assert asked.status == 2
    assert reason in asked.err
    assert f"aefit-tui delete {finished.id} --yes" in asked.err
    with finished.lock:
        assert "is being computed" in command("delete", finished.id, "--yes").err
        assert finished.folder.is_dir()
    told = command("delete", finished.id, "--yes")
    assert told.status == 0
    assert "which cannot be read" in told.err
    assert list((home / "experiments").iterdir()) == []


# label, tag, note, command


def test_what_is_written_of_an_experiment_is_kept_printed_and_taken_away(
    command: Command, finished: Experiment
) -> None:
    for words, said in (
        (("label", "latest"), ""),
        (("label", "latest", "the first", "try"), "is labelled the first try"),
        (("tag", "latest", "+paper", "+hard"), "is tagged paper, hard"),
        (("tag", "latest", "-hard", "-easy", "+figure"), "is tagged paper, figure"),
        (("note", "latest", "epsilon was", "0.2 before"), "noted"),
    ):
        told = command(*words)
        assert (told.status, told.out) == (0, "")
        assert said in told.err
    expected = Annotations(label="the first try", tags=("paper", "figure"), notes="epsilon was 0.2 before")
    assert read_annotations(finished.folder) == (expected, "")
    written = {
        "id": finished.id, "label": "the first try", "tags": ["paper", "figure"], "note": "epsilon was 0.2 before",
    }  # fmt: skip
    for verb, printed in (
        ("label", "the first try\n"),
        ("tag", "paper\nfigure\n"),
        ("note", "epsilon was 0.2 before\n"),
    ):
        assert command(verb, "latest").out == printed
        assert json.loads(command(verb, "latest", "--json").out) == written
    (record,) = json.loads(command("list", "--json").out)
    assert {name: record[name] for name in ("label", "tags", "note")} == {
        name: written[name] for name in ("label", "tags", "note")
    }
    for verb, *empty in (("label", ""), ("tag", "-paper", "-figure"), ("note", "")):
        assert command(verb, "latest", *empty).status == 0
    assert read_annotations(finished.folder) == (Annotations(), "")


@pytest.mark.parametrize("change", ["paper", "+", "-", "+ "])
def test_a_tag_without_a_sign_or_a_name_is_refused_with_what_to_type(
    command: Command, finished: Experiment, change: str
) -> None:
    told = command("tag", "latest", "+good", change)
    assert (told.status, told.out) == (2, "")
    assert f"aefit-tui tag {finished.id} +{change.strip('+- ') or 'NAME'}\n" in told.err
    assert read_annotations(finished.folder) == (Annotations(), "")


def test_words_that_cannot_be_read_are_not_written_over(command: Command, finished: Experiment) -> None:
    (finished.folder / "annotations.toml").write_text("label = ")
    for words in (
        ("label", "latest", "a"),
        ("tag", "latest", "+a"),
        ("note", "latest", "a"),
        ("label", "latest"),
    ):
        told = command(*words)
        assert (told.status, told.out) == (2, "")
        assert f"mend or remove {finished.folder / 'annotations.toml'}" in told.err
    assert (finished.folder / "annotations.toml").read_text() == "label = "


def test_the_command_of_an_experiment_is_understood_as_the_same_experiment(
    command: Command, home: Path, finished: Experiment, coordinators: Coordinators
) -> None:
    line = command("command", "latest").out
    assert json.loads(command("command", "latest", "--json").out) == {
        "id": finished.id, "command": line.strip(),
    }  # fmt: skip
    program, *words = shlex.split(line)
    assert program == "aefit-tui"
    told = command(*words, "--json")
    assert (told.status, json.loads(told.out)) == (0, json_of(finished))
    assert coordinators.started == []


# export


def test_export_writes_the_result_as_json_or_csv(
    command: Command, finished: Experiment, tmp_path: Path
) -> None:
    result = result_of(read_state(finished))
    assert json.loads(command("export", "latest").out) == json_of(finished)
    assert command("export", "latest", "--format", "csv").out == long_csv(result)
    for form, content in (("json", result.to_text()), ("csv", long_csv(result))):
        path = tmp_path / f"table.{form}"
        told = command("export", "latest", "--format", form, "--output", str(path))
        assert (told.status, told.out) == (0, "")
        assert str(path) in told.err
        assert path.read_text(encoding="utf-8") == content
    with (tmp_path / "table.csv").open(newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == 1 + 3 * 4 * 3  # runs, sets, levels
    assert command("export", "latest", "--format", "csv", "--table", "tests").out == long_csv(result, "tests")
    assert command("export", "latest", "--format", "latex").out == latex(result)
    assert command("export", "latest", "--format", "latex", "--table", "tests").out == latex(result, "tests")


def test_an_export_writes_into_what_is_there_and_never_replaces_it(
    command: Command, finished: Experiment, tmp_path: Path
) -> None:
    target, link, pipe = tmp_path / "kept.json", tmp_path / "link.json", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    command("export", "latest", "--output", str(link))
    assert link.is_symlink()
    assert json.loads(target.read_text()) == json_of(finished)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    told = command("export", "latest", "--format", "csv", "--output", str(pipe))
    assert told.status == 0
    assert os.read(reader, 10_000_000).decode() == long_csv(result_of(read_state(finished)))
    os.close(reader)
    folder = command("export", "latest", "--output", str(tmp_path))
    assert folder.status == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_an_export_that_cannot_be_written_is_refused(
    command: Command, finished: Experiment, tmp_path: Path
) -> None:
    told = command("export", "latest", "--output", str(tmp_path / "absent" / "table.json"))
    assert (told.status, told.out) == (2, "")
    assert "cannot write" in told.err
    assert "--output" in told.err


def test_a_json_export_as_csv_is_refused(command: Command, finished: Experiment) -> None:
    for words in (
        ("export", "latest", "--json", "--format", "csv"),
        ("--json", "export", "latest", "--format=csv"),
    ):
        told = command(*words)
        assert (told.status, told.out) == (2, "")
        assert "--json and --format csv" in told.err
    assert json.loads(command("export", "latest", "--json").out) == json_of(finished)


# data, config, mistakes


def test_data_list_says_of_every_set_whether_it_is_here(command: Command, tmp_path: Path) -> None:
    for name in (*CATALOGUE["kmnist"].files, *CATALOGUE["mnist"].files):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        header = bytes((0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28))
        whole = header + bytes(784) if "images" in name else bytes((0, 0, 8, 1, 0, 0, 0, 1, 7))
        (tmp_path / name).write_bytes(whole if "KMNIST" in name else b"")
    lines = command("data", "list", "--data-dir", str(tmp_path)).out.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE)
    ready = {name: there["ready"] for name, there in json.loads(
        command("data", "list", "--data-dir", str(tmp_path), "--json").out).items()}  # fmt: skip
    assert ready == {name: name in ("mnist-5k", "digits", "kmnist") for name in CATALOGUE}
    for line in lines:
        assert ("  ready  " in line) == ready[line.split()[0]]
        assert ("  damaged  " in line) == line.startswith("mnist  ")
    assert "70,000 images of 28 x 28 x 1" in lines[list(CATALOGUE).index("kmnist")]


def test_data_fetch_without_a_name_says_what_to_type(command: Command) -> None:
    told = command("data", "fetch")
    assert told.status == 2
    assert "aefit-tui data fetch NAME" in told.err


@pytest.mark.slow
def test_doctor_tries_whether_folders_can_be_made(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    elsewhere = [Path("/proc/home")] if Path("/proc").is_dir() else []
    for folder in (tmp_path / "file" / "below", *elsewhere):
        told = command(
            "doctor", "--home", str(folder), "--data-dir", str(tmp_path / "new" / "data"), "--json"
        )
        assert told.status == 2
        examined = json.loads(told.out)
        assert examined["folders"]["experiments home"] == {"path": str(folder), "writable": False}
        assert examined["folders"]["data folder"]["writable"]
        assert not examined["works"]
        broken = [check for check in examined["checks"] if check["state"] == "broken"]
        assert [check["what"] for check in broken] == ["home"]
        assert "--home DIR" in broken[0]["remedy"]
    assert sorted(tmp_path.iterdir()) == before


def test_config_show_tells_every_setting_its_value_and_where_it_is_from(
    command: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aefit.toml").write_text("runs = 3\nseed = 4\n")
    monkeypatch.setenv("AEFIT_SEED", "5")
    words = ("config", "show", "--epsilon", "0.2")
    rows = {row[0]: row[1:] for row in (line.split(maxsplit=2) for line in command(*words).out.splitlines())}
    assert list(rows) == ["setting", *COMMON, "z", "tie_rule", "search", *CALL]
    expected = {
        "epsilon": ("0.2", "option"),
        "seed": ("5", "AEFIT_SEED"),
        "runs": ("3", str(tmp_path / "aefit.toml")),
        "home": (str(home), "AEFIT_HOME"),
        "z": ("7", "default"),
    }
    shown = json.loads(command(*words, "--json").out)
    assert list(shown) == [*COMMON, "z", "tie_rule", "search", *CALL]
    for name, (value, source) in expected.items():
        assert rows[name] == [value, source]
        assert (str(shown[name]["value"]), shown[name]["source"]) == (value, source)
    assert (shown["epsilon"]["value"], shown["runs"]["value"]) == (0.2, 3)
    assert shown["controls"]["value"] == list(own_controls())


def test_config_tells_the_keys_of_a_settings_file_and_those_of_the_lab(
    command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "aefit.toml"
    path.write_text('[keys]\n"live.stop" = "K"\n')
    shown = json.loads(command("config", "show", "--json").out)
    assert shown["keys.live.stop"] == {"value": "K", "source": str(path)}
    last = command("config", "show").out.splitlines()[-1]
    assert last.split() == ["keys.live.stop", "K", str(path)]
    keys = json.loads(command("config", "keys", "--json").out)
    assert (keys["live.stop"]["key"], keys["live.stop"]["source"]) == ("K", str(path))
    assert (keys["app.help"]["key"], keys["app.help"]["source"]) == ("question_mark", "default")
    assert [line.split()[:2] for line in command("config", "keys").out.splitlines()[1:]] == [
        [name, one["key"]] for name, one in keys.items()
    ]
    path.write_text('[keys]\n"live.stop" = "r"\n')
    told = command("config", "keys")
    assert (told.status, told.out) == (2, "")
    assert "live.stop and live.resume (Resume) would both have the key 'r'" in told.err


@pytest.mark.parametrize("taken", ["quiet", "jobs"])
def test_config_show_says_what_is_wrong_with_a_plug_in_whose_option_has_a_taken_name(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    plugins.install(tmp_path / "site", monkeypatch)
    monkeypatch.setattr(plugins.Shift, "options", (replace(plugins.STRENGTH, name=taken),))
    (tmp_path / "aefit.toml").write_text('attack = "shift"\n')
    told = command("config", "show", "--json")
    assert told.status == 2
    assert f"the option {taken} of the attack shift has the name of an option of the command" in told.err
    assert json.loads(told.out)["attack"] == {"value": "shift", "source": str(tmp_path / "aefit.toml")}
    refused = command("--batch", "--attack", "shift", "--dataset", "digits")
    assert (refused.status, refused.out) == (2, "")
    assert "rename it in the plug-in" in refused.err


@pytest.mark.parametrize("content", ["epsilom = 0.3\n", "epsilon = "])
def test_a_broken_settings_file_stops_only_what_would_compute(
    command: Command, finished: Experiment, tmp_path: Path, content: str
) -> None:
    (tmp_path / "aefit.toml").write_text(content)
    for words in (("list",), ("show", "latest"), ("config", "show")):
        told = command(*words)
        assert told.status == 0, told.err
        assert told.out
        assert str(tmp_path / "aefit.toml") in told.err
    assert command("--batch", "--dataset", "digits").status == 2
    assert command("resume", "latest").status == 2
    assert command("cancel", "latest").err.endswith(f"aefit-tui show {finished.id} tells its state\n")
    assert command("delete", "latest", "--yes").status == 0


def test_config_show_tells_every_value_and_its_source_also_where_one_is_wrong(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "aefit.toml").write_text("epsilon = 2\n")
    told = command("config", "show", "--json")
    assert told.status == 2
    assert "epsilon = 2 is not possible" in told.err
    shown = json.loads(told.out)
    assert list(shown) == [*COMMON, "z", "tie_rule", "search", *CALL]
    assert shown["epsilon"] == {"value": 2, "source": str(tmp_path / "aefit.toml")}
    assert shown["jobs"] == {"value": "processors / threads", "source": "default"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lst"], "did you mean `aefit-tui list`?"),
        (
            ["--batch", "--epsilon", "2"],
            "epsilon = 2.0 is not possible: expected a number above 0 and at most 1",
        ),
        (["--batch", "--dataset", "mnist"], "aefit-tui data fetch mnist"),
        (["--batch", "--dataset", "nothing"], "there is no data set, file or folder called 'nothing'"),
        (["--batch", "--jobs", "0"], "jobs = 0 is not possible"),
        (["--batch", "--config", "absent.toml"], "there is no settings file absent.toml"),
        (["list", "--home", ""], "home = '' is not possible: expected the path of a folder"),
    ],
)
def test_a_wrong_request_ends_with_2_says_what_would_be_right_and_leaves_no_trace(
    command: Command, home: Path, words: list[str], told: str
) -> None:
    answer = command(*words, "--json") if words != ["lst"] else command(*words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("aefit-tui: ")
    assert told in answer.err
    assert not home.exists()


def test_quiet_silences_narration_and_never_errors(command: Command, home: Path) -> None:
    assert command("list").err
    assert command("list", "--quiet").err == ""
    assert "there is no experiment" in command("show", "latest", "--quiet").err
