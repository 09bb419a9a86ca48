"""Kills what computes an experiment at random moments, and compares every number with an undisturbed one.

`python -m tests.cluster.chaos --moments 10 --seed 0` for each of: the coordinator, a worker, the daemon of a Slurm
step, a Dask worker. After each kill the experiment goes on by itself or by `resume`; then its numbers must be those
of an experiment that nobody disturbed, and every result that was there when the kill came must be the same file.
Says what it found for each kind of victim; the exit status is 1 where anything was not so. Needs Slurm and Dask as
`make test-cluster` does; what is not installed is left out, and that is said.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from core.records.events import RunFailed, RunStarted
from core.records.experiment import Experiment
from core.records.journal import read_all
from tests.cluster.dask_processes import DaskProcesses
from tests.cluster.slurm import kill, lacking, parent_of, slurm_cluster
from tests.end_to_end.conftest import Shell, numbers
from tests.fakes.images import write_npz

RUNS = 4
BATCH = ("--runs", str(RUNS), "--json", "--no-cache")
PATIENCE = 600.0
SHARE = 0.7
"""Of the undisturbed time, which begins before the first run does, within which the kills come."""
TRIES = 5
"""How often `resume` may be needed: each kill needs it once at most."""


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
    parser.add_argument("--victims", default="coordinator,worker,step,dask-worker")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        data = write_npz(folder / "made-up.npz")
        undisturbed = _shell(folder / "undisturbed", data)
        start = time.monotonic()
        expected = numbers(json.loads(undisturbed.batch(*BATCH, "--jobs", "2").stdout))
        length = time.monotonic() - start
        print(
            f"undisturbed, on this machine: {RUNS} runs in {length:.0f} s; kills within that time", flush=True
        )
        places = _places(stack, folder)
        wrong = 0
        for victim in options.victims.split(","):
            found = Found()
            for moment in range(options.moments):
                if not (fitting := _fitting(victim, places)):
                    continue
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
    expected: str,
    found: Found,
    name: str,
) -> None:
    """One experiment with one kill."""
    found.moments += 1
    process = shell.start_batch(*BATCH, *place.options, ignored=None, **place.environment)
    start = time.monotonic()
    while not _begun(shell) and process.poll() is None:
        time.sleep(0.02)
    time.sleep(seconds)
    pids = _victims(victim, shell)
    before = _results(shell)
    if pids:
        kill(draw.choice(pids))
        found.killed += 1
        if victim == "dask-worker":
            place.replace()
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=PATIENCE)
    tries = 0
    while len(shell.only_experiment().results(verify=True)) < RUNS and tries < TRIES:
        tries += 1
        shell.run("resume", "latest", "--json", *place.options, **place.environment)
    found.resumed += bool(tries)
    place.clean()
    result = shell.run("show", "latest", "--json")
    if numbers(json.loads(result.stdout)) != expected:
        found.wrong.append(f"{name}: other numbers")
    after = _results(shell)
    if {run: after[run] for run in before} != before:
        found.wrong.append(f"{name}: a complete run was computed again")
    experiment = shell.only_experiment()
    events = read_all(experiment.journal)
    begun = [event.run for event in events if isinstance(event, RunStarted)]
    found.complete += len(before)
    found.begun_again += len(begun) - len(set(begun))
    retried = sum(isinstance(event, RunFailed) for event in events)
    print(
        f"{name}: after {seconds:.1f} s, {len(before)} complete, {'killed' if pids else 'nothing to kill'}, "
        f"{len(begun) - len(set(begun))} begun again ({retried} told as retried), {tries} resumed, "
        f"{time.monotonic() - start:.0f} s",
        flush=True,
    )


def _begun(shell: Shell) -> bool:
    with suppress(ValueError, OSError):
        return any(isinstance(event, RunStarted) for event in read_all(shell.only_experiment().journal))
    return False


def _victims(victim: str, shell: Shell) -> list[int]:
    """The processes of that kind which are at work on the only experiment of a home."""
    experiment = shell.only_experiment()
    if victim == "coordinator":
        holding = experiment.lock.holding()
        return [holding.holder.pid] if holding is not None and holding.holder is not None else []
    workers = [pid for pid, words in _commands() if _is_worker(words, experiment)]
    if victim == "worker":
        return workers
    return sorted({parent_of(pid) for pid in workers} - {0, 1})


def _is_worker(words: list[str], experiment: Experiment) -> bool:
    # Of a launcher's command a process for each word of it bears the same words: the last one is Python.
    return (
        "core.engine.worker" in words and "python" in Path(words[0]).name and str(experiment.folder) in words
    )


def _commands() -> Iterator[tuple[int, list[str]]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield int(path.parent.name), path.read_bytes().decode(errors="replace").split("\0")


def _results(shell: Shell) -> dict[int, tuple[int, int]]:
    """Run -> inode and time of its metrics, of every complete run."""
    experiment = shell.only_experiment()
    found = {}
    for run in experiment.results(verify=True):
        status = (experiment.run_folder(run) / "result" / "metrics.json").stat()
        found[run] = (status.st_ino, status.st_mtime_ns)
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
