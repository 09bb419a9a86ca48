"""A home with a study; its supervisor and the coordinators that it starts are processes forked from this one."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import tui_aefit.shell.queueing
import tui_aefit.shell.stopping
from core.engine import coordinator, supervisor, turn
from core.engine.event_log import EventLog
from core.engine.executor import Done, Failed, Report, Task
from core.engine.run_computer import set_aside
from core.errors import AefitError
from core.records import study as studies
from core.records.experiment import Experiment, load
from core.records.home import experiment_id
from core.records.metrics import RunMetrics
from core.records.results import publish
from core.records.starting import How
from core.records.study import Study, save_study
from core.spec.grid import specs_of
from tests.fakes.executor import put_result, write_no_arrays
from tests.fakes.numbers import draw_answers, metrics_from_answers
from tests.faults.lab import COORDINATOR, PATIENCE, SUPERVISOR, Coordinator, Lab, Process
from tui_aefit.shell import study_batch

NAME = "mine"
RUNS = 2
FIXED = (
    "--batch",
    "--dataset",
    "digits",
    "--runs",
    str(RUNS),
    "--z",
    "3",
    "--controls",
    "none",
    "--jobs",
    "1",
)
ASKED = (*FIXED, "--epsilon", "0.2,0.3", "--name", NAME)
"""What computes the study."""
FURTHER = (*FIXED, "--epsilon", "0.3,0.4", "--name", NAME)
"""What gives it another experiment."""
SPECS = specs_of({"dataset": "digits", "runs": RUNS, "z": 3, "controls": ()}, {"epsilon": [0.2, 0.3]})
IDS = tuple(map(experiment_id, SPECS))
GONE = "gone-elsewhere"
"""The host of who comes back from the dead."""


class StudyLab(Lab):
    """A home below `root` with a study of two experiments of two runs; `experiment` is the first of them."""

    program = SUPERVISOR
    leaves_with = (0, 1)
    """1: one of its experiments is not complete, for its coordinator was the one that died."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, SPECS[0])
        self.study = save_study(self.home, NAME, SPECS)
        self._is_late: Callable[[Task], bool] = lambda task: False
        self._differs = False

    @property
    def main_words(self) -> list[str]:
        """See `Lab.main_words`: of a supervisor of the study."""
        return self.coordinator_words(self.study.folder)

    def work(self, words: Sequence[str]) -> int:
        """See `Lab.work`."""
        return supervisor.main(list(words))

    def coordinate(self, folder: Path) -> Process:
        """A coordinator of the experiment in a folder."""

        def work() -> int:
            self.prepare()
            return coordinator.main(self.coordinator_words(folder))

        return Process(COORDINATOR, work, self.new_file())

    def prepare(self) -> None:
        """See `Lab.prepare`; supervisors are forked as well."""
        super().prepare()
        for place, name, value in (
            (supervisor, "start_coordinator", self.start_for_study),
            (study_batch, "start_supervisor", self.start_supervisor),
            (supervisor, "LOOK_SECONDS", 0.01),
            (supervisor, "AGAIN_SECONDS", 0.05),
            (supervisor, "PATIENCE", 0.5),
            (study_batch, "LOOK_SECONDS", 0.02),
            (tui_aefit.shell.stopping, "LOOK_SECONDS", 0.01),
            (studies, "LOOK_SECONDS", 0.01),
            (studies, "PATIENCE", 2.0),
            (turn, "LOOK_SECONDS", 0.01),
        ):
            setattr(place, name, value)

    def start_for_study(
        self, experiment: Experiment, how: How, *, tied: bool, since: float | None = None, study: str = ""
    ) -> Coordinator:
        """See `core.records.starting.start_coordinator`."""
        words = [*self.coordinator_words(experiment.folder), "--study", study, "--since", repr(since)]
        return self._fork(COORDINATOR, lambda: coordinator.main(words), experiment.log)

    def start_supervisor(self, study: Study, how: How, *, tied: bool) -> Coordinator:
        """See `core.records.starting.start_supervisor`."""
        words = [*self.coordinator_words(study.folder), *(["--foreground"] if tied else [])]
        return self._fork(SUPERVISOR, lambda: supervisor.main(words), study.log)

    def _fork(self, words: tuple[str, ...], work: Callable[[], int], log: Path) -> Coordinator:
        def named() -> int:
            with (self.root / "forked").open("a") as file:
                file.write(f"{os.getpid()}\n")
            return work()

        return self.fork(words, named, log)

    def rest(self) -> None:
        """See `Lab.rest`: coordinators go on without their supervisor."""
        deadline = time.monotonic() + PATIENCE
        while any(map(_is_at_work, self._forked())) and time.monotonic() < deadline:
            time.sleep(0.005)

    def _forked(self) -> list[str]:
        file = self.root / "forked"
        return file.read_text().split() if file.exists() else []

    def late(self, run: int, *, differs: bool) -> Process:
        """A coordinator of another host, which stops when it has computed a run, and then publishes it.

        differs: whether its numbers are others, as those of a machine of another kind may be.
        """

        def work() -> int:
            self.prepare()
            socket.gethostname = lambda: GONE
            self._is_late, self._differs = (lambda task: task.run == run), differs
            return coordinator.main(self.coordinator_words(self.experiment.folder))

        return Process(COORDINATOR, work, self.new_file())

    def compute(self, task: Task) -> Sequence[Report]:
        """See `Lab.compute`; of any experiment, and by who comes back from the dead."""
        experiment = load(task.folder)
        try:
            if self._is_late(task):
                self._publish_late(experiment, task.run)
            else:
                put_result(experiment, task.run, stands=experiment.stands)
        except (OSError, AefitError) as error:
            return [Failed(task, f"its result cannot be written: {error}", "")]
        return [Done(task)]

    def _publish_late(self, experiment: Experiment, run: int) -> None:
        metrics = metrics_from_answers(experiment.spec, run, draw_answers(experiment.spec, run))
        if self._differs:
            metrics = msgspec.structs.replace(metrics, surrogate_accuracy=metrics.surrogate_accuracy / 2)
        os.kill(os.getpid(), signal.SIGSTOP)
        journal = EventLog(experiment.journal / "0001-worker-1.jsonl")
        publish(
            experiment.run_folder(run),
            metrics,
            write_no_arrays,
            stands=lambda: experiment.stands(run),
            differs=lambda aside: journal.write(set_aside(run, aside)),
        )

    def results(self) -> dict[str, dict[int, RunMetrics]]:
        """The numbers of the study's experiments."""
        return {name: load(self.home / "experiments" / name).results(verify=True) for name in IDS}


def _is_at_work(pid: str) -> bool:
    try:
        status = Path("/proc", pid, "stat").read_bytes()
    except OSError:
        return False
    return status.rpartition(b")")[2].split()[0] not in (b"Z", b"X", b"T")
