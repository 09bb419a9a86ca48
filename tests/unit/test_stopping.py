"""A request to stop reaches whoever is at work, and is never written through a link."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from core.engine.supervisor import Supervision
from core.errors import ExperimentError, StudyError
from core.records.experiment import Experiment
from core.records.home import create
from core.records.stopping import stop_experiment, stop_study
from core.records.study import Study, save_study
from core.records.study_state import read_study_state
from core.spec.grid import specs_of


class ThisProcess:
    """Stands for a coordinator that was started; who holds a lock in this process is it."""

    pid = os.getpid()

    def poll(self) -> int | None:
        return None

    def terminate(self) -> None:
        raise AssertionError("it holds the lock: a request in the folder reaches it")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    base = {"dataset": "digits", "runs": 2, "controls": ("noise",), "z": 5}
    return save_study(tmp_path, "a", specs_of(base, {"epsilon": [0.1, 0.2]}))


def first_of(study: Study) -> Experiment:
    spec = study.cells[0].spec
    assert spec is not None
    return create(study.home, spec)[0]


def stop_one(study: Study) -> None:
    with first_of(study).lock:
        stop_experiment(first_of(study))


def stop_with_supervisor(study: Study) -> None:
    with study.lock, first_of(study).lock:
        stop_study(read_study_state(study))


def stop_without_supervisor(study: Study) -> None:
    with first_of(study).lock:
        stop_study(read_study_state(study))


def stop_as_supervisor(study: Study) -> None:
    supervision = Supervision(study, lambda _: ThisProcess(), lambda _: None, list)
    supervision.step()
    with first_of(study).lock:
        assert supervision.stop(for_good=True)


def itself(study: Study) -> Study:
    return study


WAYS = pytest.mark.parametrize(
    ("ask", "asked"),
    [
        (stop_one, first_of),
        (stop_with_supervisor, itself),
        (stop_without_supervisor, first_of),
        (stop_as_supervisor, first_of),
    ],
)
"""ask: asks for a stop while somebody is at work. asked: in whose folder the request is to appear."""


@WAYS
@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_leads_to_is_neither_made_nor_changed_nor_removed(
    study: Study,
    tmp_path: Path,
    ask: Callable[[Study], None],
    asked: Callable[[Study], Experiment | Study],
    there: bool,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    if there:
        elsewhere.touch()
        os.utime(elsewhere, (1, 1))
    record = asked(study)
    record.cancel_file.symlink_to(elsewhere)
    ask(study)
    assert record.cancel_file.exists()
    assert elsewhere.exists() is there
    if there:
        assert elsewhere.stat().st_mtime == 1
    record.clear_cancel()
    assert not os.path.lexists(record.cancel_file)
    assert elsewhere.exists() is there


@WAYS
def test_who_asked_already_may_ask_again(
    study: Study, ask: Callable[[Study], None], asked: Callable[[Study], Experiment | Study]
) -> None:
    for _ in range(2):
        ask(study)
        assert asked(study).cancel_file.exists()


def test_a_supervisor_is_told_alone(study: Study) -> None:
    stop_with_supervisor(study)
    assert not first_of(study).cancel_file.exists()


def test_what_nobody_computes_is_refused(study: Study) -> None:
    first = first_of(study)
    with pytest.raises(ExperimentError, match="is not being computed") as of_one:
        stop_experiment(first)
    assert f"aefit-tui show {first.id}" in of_one.value.hint
    with pytest.raises(StudyError, match="is not being computed") as of_all:
        stop_study(read_study_state(study))
    assert "aefit-tui study show a" in of_all.value.hint
    assert not first.cancel_file.exists()
    assert not study.cancel_file.exists()


def test_a_request_that_cannot_be_written_is_told(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def full(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> IO[Any]:
        if "r" not in mode:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, mode, *arguments, **named)

    first = first_of(study)
    with first.lock, monkeypatch.context() as disk:
        disk.setattr(Path, "open", full)
        with pytest.raises(ExperimentError, match=f"cannot ask {first.id} to stop: No space left on device"):
            stop_experiment(first)
        with pytest.raises(StudyError, match="cannot ask a to stop: No space left on device"):
            stop_study(read_study_state(study))
