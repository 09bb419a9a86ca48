"""The commands on studies and the queue: what they print, change and refuse, in this process."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.files.exit_status import ExitStatus
from core.files.locations import experiments_dir
from core.records.process import identity
from core.records.queue import Ticket, new_name, read_queue, write_ticket
from core.records.starting import How
from core.records.study import Study, find_study, save_study, study_folders
from core.spec.grid import specs_of
from tests.fakes.commands import Command
from tests.fakes.experiments import make_experiment_from_answers, make_experiment_of

ASKED = ("--batch", "--dataset", "digits", "--z", "5", "--controls", "noise", "--runs", "2")


@dataclass
class Supervisors:
    """In the place of `start_supervisor`: each leaves every experiment complete at once, or breaks off."""

    breaks_off: int = 0
    started: list[tuple[str, How]] = field(default_factory=list)
    stdin = None

    def __call__(self, study: Study, how: How, *, tied: bool) -> Supervisors:
        self.started.append((study.name, how))
        for cell in study.cells if not self.breaks_off else ():
            if cell.spec is not None and not study.folder_of(cell).exists():
                make_experiment_from_answers(study.home, cell.spec)
        return self

    def poll(self) -> int:
        return self.breaks_off

    def wait(self) -> int:
        return self.breaks_off


@pytest.fixture(autouse=True)
def supervisors(monkeypatch: pytest.MonkeyPatch) -> Supervisors:
    started = Supervisors()
    monkeypatch.setattr("tui_aefit.shell.study_batch.start_supervisor", started)
    monkeypatch.setattr("tui_aefit.shell.parallelism.processors", lambda: 4)
    return started


@pytest.fixture
def study(home: Path) -> Study:
    base = {"dataset": "digits", "z": 5, "controls": ("noise",), "runs": 2}
    return save_study(home, "mine", specs_of(base, {"epsilon": [0.1, 0.2]}))


def test_several_values_are_computed_as_a_study_and_printed(
    command: Command, supervisors: Supervisors
) -> None:
    told = command(*ASKED, "--epsilon", "0.1,0.2", "--name", "mine")
    assert told.status == ExitStatus.COMPLETE
    ((name, how),) = supervisors.started
    assert (name, how.jobs, how.threads, how.limit) == ("mine", 4, 1, 4)
    assert "mine: 2 experiments, 4 runs: epsilon 0.1 0.2" in told.err
    assert "its 4 runs share 2 splits and 2 surrogates" in told.err
    assert told.out.startswith("mine  complete")
    again = command(*ASKED, "--epsilon", "0.1,0.2", "--name", "mine", "--json")
    assert len(supervisors.started) == 1, "nothing is lacking"
    result = json.loads(again.out)
    assert (result["study"]["name"], result["study"]["axes"]) == ("mine", {"epsilon": [0.1, 0.2]})
    assert [(cell["settings"], cell["complete"]) for cell in result["cells"]] == [
        ({"epsilon": 0.1}, 2), ({"epsilon": 0.2}, 2),
    ]  # fmt: skip


def test_a_further_value_computes_what_is_lacking(
    command: Command, supervisors: Supervisors, home: Path
) -> None:
    command(*ASKED, "--epsilon", "0.1,0.2", "--name", "mine")
    command(*ASKED, "--epsilon", "0.3", "--name", "mine")
    assert len(find_study(home, "mine").cells) == 3
    assert len(list(experiments_dir(home).iterdir())) == 3
    assert len(supervisors.started) == 2


def test_a_wrong_value_leaves_nothing_behind(command: Command, home: Path) -> None:
    for words in (("--epsilon", "0.1,3"), ("--attack", "fgsm,foo"), ("--epsilon", "0.1,0.2", "--name", "A")):
        assert command(*ASKED, *words).status == ExitStatus.REFUSED
    assert not home.exists()


def test_a_supervisor_that_breaks_off_is_told_with_its_log(
    command: Command, supervisors: Supervisors, study: Study
) -> None:
    supervisors.breaks_off = ExitStatus.CRASHED
    study.log.write_text("Traceback: the end")
    told = command("study", "resume", "mine")
    assert told.status == ExitStatus.FAILED
    assert "the end" in told.err
    supervisors.breaks_off = ExitStatus.INTERRUPTED
    told = command("study", "resume", "mine")
    assert told.status == ExitStatus.INTERRUPTED
    assert "aefit-tui study resume mine" in told.err


def test_resume_computes_what_is_lacking(command: Command, supervisors: Supervisors, study: Study) -> None:
    first = study.cells[0].spec
    assert first is not None
    make_experiment_from_answers(study.home, first)
    assert command("study", "resume", "mine", "--now").status == ExitStatus.COMPLETE
    ((_, how),) = supervisors.started
    assert (how.jobs, how.threads, how.now) == (2, 2, True), "two runs are lacking"


def test_studies_are_listed_with_how_they_stand(command: Command, study: Study) -> None:
    assert command("study", "list").out.splitlines()[1].split()[:4] == ["mine", "created", "0/2", "0/4"]
    first = study.cells[0].spec
    assert first is not None
    make_experiment_from_answers(study.home, first)
    (record,) = json.loads(command("study", "list", "--json").out)
    assert record == {
        "name": "mine", "status": "interrupted", "experiments": 2, "complete": 1, "runs": 4, "runs_complete": 2,
        "axes": {"epsilon": [0.1, 0.2]},
    }  # fmt: skip
    (study.folder / "study.toml").write_text("[[[")
    assert command("study", "list").out.splitlines()[1].split() == ["mine", "unreadable"]


def test_an_experiment_that_failed_is_named_with_its_reason(command: Command, study: Study) -> None:
    for cell, state in zip(study.cells, ("complete", "refused"), strict=True):
        assert cell.spec is not None
        make_experiment_of(study.home, cell.spec, state=state)  # type: ignore[arg-type]
    told = command("study", "show", "mine")
    assert told.status == ExitStatus.FAILED
    assert f"{study.cells[1].id} is refused: " in told.err


def test_cancel_asks_who_sees_to_it(command: Command, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("study", "cancel", "mine").status == ExitStatus.REFUSED
    monkeypatch.setattr("tui_aefit.shell.stopping.CANCEL_SECONDS", 0.0)
    with study.lock:
        told = command("study", "cancel", "mine")
    assert told.status == ExitStatus.FAILED
    assert "was asked to stop and has not yet" in told.err
    assert study.cancel_file.exists()


def test_who_is_not_asked_is_told_why_a_study_cannot_be_read_and_what_deletes_it(
    command: Command, study: Study
) -> None:
    asked = command("study", "delete", "mine", "--experiments")
    assert "aefit-tui study delete mine --experiments --yes" in asked.err
    (study.folder / "study.toml").write_text("[[[")
    asked = command("study", "delete", "mine")
    assert (asked.status, "study.toml is damaged" in asked.err) == (ExitStatus.REFUSED, True)
    assert "aefit-tui study delete mine --yes" in asked.err
    assert study.folder.is_dir()


def test_delete_forgets_a_study_and_only_if_asked_its_experiments(command: Command, study: Study) -> None:
    for cell in study.cells:
        assert cell.spec is not None
        make_experiment_from_answers(study.home, cell.spec)
    assert command("study", "delete", "mine").status == ExitStatus.REFUSED, "nobody said yes"
    assert study.folder.exists()
    assert command("study", "delete", "mine", "--yes").status == ExitStatus.COMPLETE
    assert not study.folder.exists()
    assert len(list(experiments_dir(study.home).iterdir())) == 2
    again = save_study(study.home, "mine", [cell.spec for cell in study.cells if cell.spec is not None])
    told = command("study", "delete", "mine", "--yes", "--experiments", "--json")
    assert json.loads(told.out) == {"name": "mine", "deleted": True, "experiments": True, "left": []}
    assert not again.folder.exists()
    assert list(experiments_dir(study.home).iterdir()) == []
    assert study_folders(study.home) == []


def test_what_is_left_of_a_study_is_told_and_keeps_none_of_its_experiments(
    command: Command, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cell in study.cells:
        assert cell.spec is not None
        make_experiment_from_answers(study.home, cell.spec)
    unlink = os.unlink

    def fail(path: Any, **named: Any) -> None:
        if Path(os.fspath(path)).name == "study.toml":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        unlink(path, **named)

    with monkeypatch.context() as disk:
        disk.setattr("os.unlink", fail)
        told = command("study", "delete", "mine", "--yes", "--experiments")
    assert told.status == ExitStatus.FAILED
    assert "Permission denied; what is left of it is in" in told.err
    assert list(experiments_dir(study.home).iterdir()) == []
    assert study_folders(study.home) == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("study", "show"), "`study show` of which study?"),
        (("study", "list", "x"), "takes no name"),
        (("study", "show", "min"), "there is no study under"),
        (("queue", "up"), "`queue up` of which experiment?"),
        (("queue", "list", "x"), "takes no id"),
        (("--batch", "--study", "nowhere.toml"), "cannot be read"),
    ],
)
def test_what_lacks_a_word_is_refused_in_words(command: Command, words: tuple[str, ...], hint: str) -> None:
    told = command(*words)
    assert told.status == ExitStatus.REFUSED
    assert hint in told.err


def test_a_studys_name_in_the_place_of_an_id_is_pointed_out(command: Command, study: Study) -> None:
    first = study.cells[0].spec
    assert first is not None
    make_experiment_from_answers(study.home, first)
    told = command("show", "mine")
    assert (told.status, "aefit-tui study show mine" in told.err) == (ExitStatus.REFUSED, True)


def test_the_queue_is_printed_and_changed(command: Command, study: Study) -> None:
    assert "nothing is computed here" in command("queue", "list").err
    for since, cell in enumerate(study.cells):
        assert cell.spec is not None
        make_experiment_of(study.home, cell.spec, state="created")
        wanted = Ticket(process=identity(), experiment=cell.id, since=since, study="mine", wanted=2)
        write_ticket(study.home, new_name(), wanted)
    first, second = (cell.id for cell in study.cells)
    found = json.loads(command("queue", "first", second, "--json").out)
    assert [one["id"] for one in found] == [second, first]
    assert [one.ticket.experiment for one in read_queue(study.home)] == [second, first]
    assert found[0] == {
        "id": second, "study": "mine", "waiting": True, "processors": 0, "wanted": 2, "now": False,
    }  # fmt: skip
    assert second in command("queue", "list").out
    (hurried, other) = json.loads(command("queue", "now", second, "--json").out)
    assert (hurried["id"], hurried["now"], other["now"]) == (second, True, False)
    assert f"{second}  waits (now)" in command("queue", "list").out


def test_a_shell_completes_the_names_of_studies(command: Command, study: Study) -> None:
    assert command("completion", "studies").out.split() == ["latest", "mine"]
    script = command("completion", "bash").out
    assert "aefit-tui completion studies" in script


def test_only_what_is_lacking_needs_its_data(command: Command, home: Path, supervisors: Supervisors) -> None:
    specs = specs_of({"z": 5, "controls": ("noise",), "runs": 2}, {"dataset": ["digits", "mnist"]})
    study = save_study(home, "both", specs)
    (elsewhere,) = (spec for spec in specs if spec.dataset == "mnist")
    assert command("study", "resume", "both").status == ExitStatus.REFUSED, "MNIST is not here"
    make_experiment_from_answers(home, elsewhere)
    assert command("study", "resume", "both").status == ExitStatus.COMPLETE
    assert [name for name, _ in supervisors.started] == [study.name]
