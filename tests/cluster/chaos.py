"""Kills what computes a study at random moments, and compares every number with an undisturbed one.

`python -m tests.cluster.chaos --moments 10 --seed 0` for each of: the study's supervisor, the coordinator of one of
its experiments, a worker, the daemon of a Slurm step, a Dask worker. After each kill the study goes on by itself or
by `study resume`; then its numbers must be those of a study that nobody disturbed, every result that was there when
the kill came must be the same file, and no run that had one may have been begun again. Says what it found for each
kind of victim; the exit status is 1 where anything was not so. Needs Slurm and Dask as `make test-cluster` does; of
what is not installed is said, and left out.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from core.records.events import RunFailed, RunStarted
from core.records.experiment import Experiment, load
from core.records.folders import experiment_folders
from core.records.journal import read_all
from core.records.lock import Lock
from core.records.study import Study, find_study
from core.records.study_state import StudyStatus, read_study_state
from tests.cluster.dask_processes import DaskProcesses
from tests.cluster.slurm import kill, lacking, parent_of, slurm_cluster
from tests.end_to_end.conftest import Shell, numbers
from tests.fakes.images import write_npz

NAME = "chaos"
EPSILONS = ("0.2", "0.3")
RUNS = 2
"""Of each experiment."""
STUDY = ("--epsilon", ",".join(EPSILONS), "--runs", str(RUNS), "--epochs", "2", "--name", NAME)
PATIENCE = 600.0
SHARE = 0.9
"""Of the undisturbed time from the first run's beginning, within which the kills come."""
TRIES = 5
"""How often `study resume` may be needed: each kill needs it once at most."""
LOOK_SECONDS = 0.1
TRIES_A_KILL = 3
"""Moments for each kill, at most."""

Result = tuple[str, int]
"""An experiment's id and one of its runs."""


@dataclass
class Place:
    """Where runs are computed. options, environment: of the command.

    replace: starts what was killed anew. clean: done after an experiment.
    """

    options: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    replace: Callable[[], object] = lambda: None
    clean: Callable[[], object] = lambda: None


@dataclass
class Found:
    """What was seen over all moments of a kind of victim."""

    moments: int = 0
    killed: int = 0
    complete: int = 0
    begun_again: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Kill, resume, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--moments", type=int, default=10, help="kills of each kind (default: 10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--victims", default="supervisor,coordinator,worker,step,dask-worker")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        data = write_npz(folder / "made-up.npz")
        undisturbed = _shell(folder / "undisturbed", data)
        process = undisturbed.start_batch(*STUDY, "--jobs", "2")
        length = _wait_for_beginning(undisturbed, process)
        process.communicate(timeout=PATIENCE)
        length = time.monotonic() - length
        expected = _numbers(undisturbed)
        runs = len(EPSILONS) * RUNS
        print(
            f"undisturbed, on this machine: {runs} runs in {length:.0f} s; kills within that time", flush=True
        )
        places = _places(stack, folder)
        wrong = 0
        for victim in options.victims.split(","):
            found = Found()
            # At some moments there is nobody to kill any more.
            for moment in range(TRIES_A_KILL * options.moments):
                if found.killed == options.moments or not (fitting := _fitting(victim, places)):
                    break
                # Of its own, so that a moment can be tried again without those before it.
                draw = random.Random(f"{options.seed} {victim} {moment}")
                name, place = draw.choice(fitting)
                seconds = draw.uniform(0.0, SHARE * length)
                shell = _shell(folder / f"{victim}-{moment}", data)
                _disturb(shell, place, victim, seconds, draw, expected, found, f"{victim} {moment} ({name})")
            _report(victim, found)
            wrong += len(found.wrong)
        return 1 if wrong else 0


def _places(stack: ExitStack, folder: Path) -> dict[str, Place]:
    places = {"here": Place(("--jobs", "2"))}
    if reason := lacking():
        print(f"no Slurm: {reason}")
    else:
        (folder / "slurm").mkdir()
        slurm = stack.enter_context(slurm_cluster(folder / "slurm"))
        places["srun"] = Place(
            ("--launcher", "srun -n1 -c1", "--jobs", "2"),
            {"SLURM_CONF": slurm.environment["SLURM_CONF"]},
            # Slurm itself keeps the processors of a step whose daemon was killed, for a long while.
            clean=slurm.cancel_all,
        )
    if find_spec("distributed") is None:
        print("no Dask: pip install 'aefit-tui[dask]'")
    else:
        (folder / "dask").mkdir()
        cluster = DaskProcesses(folder / "dask")
        stack.callback(cluster.end)
        cluster.start_worker()
        cluster.start_worker()
        places["dask"] = Place(("--dask", str(cluster.file), "--jobs", "2"), replace=cluster.start_worker)
    return places


def _fitting(victim: str, places: dict[str, Place]) -> list[tuple[str, Place]]:
    """The places in which there is such a victim."""
    allowed = {"step": ("srun",), "dask-worker": ("dask",)}.get(victim, tuple(places))
    return [(name, place) for name, place in places.items() if name in allowed]


def _disturb(
    shell: Shell,
    place: Place,
    victim: str,
    seconds: float,
    draw: random.Random,
    expected: dict[float, str],
    found: Found,
    name: str,
) -> None:
    """One study with one kill."""
    found.moments += 1
    process = shell.start_batch(*STUDY, *place.options, ignored=None, **place.environment)
    start = _wait_for_beginning(shell, process)
    time.sleep(seconds)
    before = _results(shell)
    begun_before = _begun(shell)
    pids = _victims(victim, shell)
    if pids:
        kill(draw.choice(pids))
        found.killed += 1
        if victim == "dask-worker":
            place.replace()
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=PATIENCE)
    tries = 0
    while _state(shell) is not StudyStatus.COMPLETE and tries < TRIES:
        tries += 1
        again = shell.run("study", "resume", NAME, *place.options, **place.environment)
        if again.returncode != 0:
            print(f"{name}: resume {tries} ended with {again.returncode}: {again.stderr[-600:]}", flush=True)
    found.resumed += bool(tries)
    place.clean()
    if _numbers(shell) != expected:
        found.wrong.append(f"{name}: other numbers")
    after, begun = _results(shell), _begun(shell)
    if {result: after.get(result) for result in before} != before:
        found.wrong.append(f"{name}: a result that was there is another file now")
    if any(begun[result] > begun_before[result] for result in before):
        found.wrong.append(f"{name}: a run was begun again that was complete")
    again_begun = begun.total() - len(begun)
    found.complete += len(before)
    found.begun_again += again_begun
    print(
        f"{name}: after {seconds:.1f} s, {len(before)} complete, {'killed' if pids else 'nothing to kill'}, "
        f"{again_begun} begun again ({_retried(shell)} told as retried), {tries} resumed, "
        f"{time.monotonic() - start:.0f} s",
        flush=True,
    )


def _wait_for_beginning(shell: Shell, process: subprocess.Popen[str]) -> float:
    """The moment at which the first run is seen to have begun, or all to have ended."""
    while not _begun(shell) and process.poll() is None:
        time.sleep(0.02)
    return time.monotonic()


def _experiments(shell: Shell) -> list[Experiment]:
    return [load(folder) for folder in experiment_folders(shell.home)]


def _study(shell: Shell) -> Study:
    return find_study(shell.home, NAME)


def _state(shell: Shell) -> StudyStatus:
    """How the study stands once nobody computes anything of it, or sees to it, any more."""
    deadline = time.monotonic() + PATIENCE
    while (state := read_study_state(_study(shell)).status) is StudyStatus.RUNNING:
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_SECONDS)
    return state


def _begun(shell: Shell) -> Counter[Result]:
    """How often each run has been begun."""
    return Counter(
        (experiment.id, event.run)
        for experiment in _experiments(shell)
        for event in read_all(experiment.journal)
        if isinstance(event, RunStarted)
    )


def _retried(shell: Shell) -> int:
    """How many times a journal says that a run is tried again."""
    return sum(
        isinstance(event, RunFailed) and event.retry
        for experiment in _experiments(shell)
        for event in read_all(experiment.journal)
    )


def _numbers(shell: Shell) -> dict[float, str]:
    """All numbers of each experiment, by epsilon."""
    shown = [json.loads(shell.run("show", one.id, "--json").stdout) for one in _experiments(shell)]
    return {one["spec"]["epsilon"]: numbers(one) for one in shown}


def _victims(victim: str, shell: Shell) -> list[int]:
    """The processes of that kind which are at work on the study of a home."""
    if victim == "supervisor":
        return _holders(_study(shell).lock)
    experiments = _experiments(shell)
    if victim == "coordinator":
        return [pid for experiment in experiments for pid in _holders(experiment.lock)]
    workers = [pid for pid, words in _commands() if any(_is_worker(words, one) for one in experiments)]
    if victim == "worker":
        return workers
    return sorted({parent_of(pid) for pid in workers} - {0, 1})


def _holders(lock: Lock) -> list[int]:
    """The process that holds a lock, if one does."""
    holding = lock.holding()
    if holding is None or holding.holder is None or not holding.alive:
        return []
    return [holding.holder.pid]


def _is_worker(words: list[str], experiment: Experiment) -> bool:
    # Of a launcher's command a process for each word of it bears the same words: the last one is Python.
    return (
        "core.engine.worker" in words and "python" in Path(words[0]).name and str(experiment.folder) in words
    )


def _commands() -> Iterator[tuple[int, list[str]]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield int(path.parent.name), path.read_bytes().decode(errors="replace").split("\0")


def _results(shell: Shell) -> dict[Result, tuple[int, int]]:
    """Inode and time of the metrics of every complete run."""
    found = {}
    for experiment in _experiments(shell):
        for run in experiment.results(verify=True):
            status = (experiment.run_folder(run) / "result" / "metrics.json").stat()
            found[experiment.id, run] = status.st_ino, status.st_mtime_ns
    return found


def _report(victim: str, found: Found) -> None:
    print(
        f"== {victim}: {found.moments} moments, {found.killed} kills, {found.complete} runs complete by then, "
        f"{found.begun_again} runs begun again, {found.resumed} times resumed, {len(found.wrong)} wrong",
        flush=True,
    )
    for line in found.wrong:
        print(f"   {line}", flush=True)


def _shell(folder: Path, data: Path) -> Shell:
    folder.mkdir()
    return Shell(folder / "home", data)


if __name__ == "__main__":
    sys.exit(main())
