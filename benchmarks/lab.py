"""What the lab costs a person at a terminal: first paint, memory, reaction under load, coming back.

python -m benchmarks.lab [--rounds 7] [--json FILE]

Everything is measured from outside, under a pseudo-terminal. Where there is a peer, the two take turns, so that
a busy moment hits both alike. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.synchronize
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path

from core.records.events import Progress
from core.records.experiment import Experiment
from core.records.journal import JournalWriter, read_all
from core.records.state import read_state
from tests.fakes.experiments import make_experiment
from tests.fakes.terminal import PseudoTerminal

ROOT = Path(__file__).parents[1]
LAB = ("-m", "tui_aefit.shell.cli")
PEER = ("-m", "benchmarks.plain_app")
NARROW, WIDE = (80, 24), (140, 45)
EVENTS_A_SECOND = 2000
PRESSES = 20
WATCHED_SECONDS = 10.0
LONG_JOURNAL = 100_000
HEAVY = re.compile(r"/(torch|torchvision|scipy|sklearn|numpy|pandas|matplotlib)/")
"""Libraries that the lab must not have mapped into its memory."""

Stage = tuple[int, str, int]
"""A run at work, its stage, and how many steps that has."""


@dataclass(frozen=True)
class Figure:
    """One measurement: `peer` is the same of what it is compared with, `wanted` what we would be content with."""

    what: str
    unit: str
    measured: float
    peer: float | None = None
    wanted: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the peer's."""
        return self.measured / self.peer if self.peer else None


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lab")
    parser.add_argument("--rounds", type=int, default=7, help="starts of each program, whose median is shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements here too")
    options = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for part in (
            start_and_memory(home / "empty", options.rounds),
            help_text(options.rounds),
            under_load(home),
            coming_back(home, options.rounds),
        ):
            for figure in part:
                print(_line(figure), flush=True)
                figures.append(figure)
    if options.json is not None:
        rows = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def start_and_memory(home: Path, rounds: int) -> Iterator[Figure]:
    """First paint and resident memory of the lab's form beside an almost empty app."""
    seconds: dict[tuple[str, ...], list[float]] = {LAB: [], PEER: []}
    memory: dict[tuple[str, ...], list[dict[str, float]]] = {LAB: [], PEER: []}
    heavy: set[str] = set()
    for _ in range(rounds):
        for program in (LAB, PEER):
            with _terminal(program, home) as terminal:
                seconds[program].append(terminal.wait_for("Epsilon") - terminal.started)
                time.sleep(0.5)
                memory[program].append(_memory(terminal))
                if program is LAB:
                    heavy |= _heavy_libraries(terminal)
    paint = {program: statistics.median(times) for program, times in seconds.items()}
    yield Figure("first paint of the form", "s", paint[LAB], paint[PEER], "at most 1.5 times")
    for name, words in (("VmRSS", "memory with the form"), ("VmHWM", "memory, at most")):
        ours, theirs = (
            statistics.median(found[name] for found in memory[program]) for program in (LAB, PEER)
        )
        yield Figure(words, "MB", ours, theirs, "under 60")
    yield Figure(f"heavy libraries loaded: {', '.join(sorted(heavy)) or 'none'}", "", len(heavy), None, "0")


def help_text(rounds: int) -> Iterator[Figure]:
    """`--help` beside a Python that does nothing."""
    seconds: dict[tuple[str, ...], list[float]] = {(*LAB, "--help"): [], ("-c", "pass"): []}
    for _ in range(rounds):
        for words, times in seconds.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - start)
    ours, python = map(statistics.median, seconds.values())
    yield Figure("--help", "s", ours, python, "under 0.2")


def under_load(home: Path) -> Iterator[Figure]:
    """From a key to the changed picture, and what goes over the line, while the journal grows fast.

    The peer is the same lab on a journal at rest.
    """
    make_experiment(home / "at-rest", state="running", now=time.time())
    for size, name in ((NARROW, "80x24"), (WIDE, "140x45")):
        busy = make_experiment(home / name, state="running", now=time.time())
        with (
            _growing(busy),
            _terminal(LAB, home / name, size) as ours,
            _terminal(LAB, home / "at-rest", size) as peer,
        ):
            for terminal in (ours, peer):
                terminal.wait_for("K=7")
            time.sleep(2.0)
            if size == NARROW:
                yield from _pressed(ours, peer)
            yield from _watched(ours, peer, name)


def coming_back(home: Path, rounds: int) -> Iterator[Figure]:
    """From the command to the accuracies of a finished experiment: a long journal beside an ordinary one."""
    long, ordinary = (make_experiment(home / name) for name in ("long", "ordinary"))
    lines = len(read_all(ordinary.journal))
    _fill(long, LONG_JOURNAL)
    seconds: list[list[float]] = [[], []]
    memory: list[list[float]] = [[], []]
    for _ in range(rounds):
        for experiment, times, megabytes in zip((long, ordinary), seconds, memory, strict=True):
            program = (*LAB, "attach", experiment.id)
            with _terminal(program, experiment.folder.parents[1], WIDE) as terminal:
                times.append(terminal.wait_for(_mean_accuracy(experiment)) - terminal.started)
                megabytes.append(_memory(terminal)["VmHWM"])
    what = f"coming back to {LONG_JOURNAL:,} events (peer: {lines:,})"
    ours, theirs = map(statistics.median, seconds)
    yield Figure(what, "s", ours, theirs, "under 1.5")
    ours, theirs = map(statistics.median, memory)
    yield Figure("memory, at most, coming back to them", "MB", ours, theirs)


# Terminals

PANES = ((b"4", "Accuracy, mean of"), (b"7", "progress or result"))
"""A key, and words that are seen only after it."""


def _terminal(program: Sequence[str], home: Path, size: tuple[int, int] = NARROW) -> PseudoTerminal:
    """The program at work in a terminal, with nothing that could leak in from the outside."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AEFIT_", "TEXTUAL"))}
    own = {"AEFIT_HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "TERM": "xterm-256color"}
    columns, rows = size
    return PseudoTerminal(
        [sys.executable, *program], environment={**clean, **own}, folder=ROOT, columns=columns, rows=rows
    )


def _pressed(ours: PseudoTerminal, peer: PseudoTerminal) -> Iterator[Figure]:
    """From a key to the changed pane, in two labs in turns."""
    waits: tuple[list[float], list[float]] = [], []
    for (key, words), _ in zip(cycle(PANES), range(PRESSES), strict=False):
        for terminal, milliseconds in zip((ours, peer), waits, strict=True):
            # At no fixed moment between two looks of the lab at the journal.
            time.sleep(random.uniform(0.3, 0.6))
            mark = terminal.mark()
            pressed = terminal.press(key)
            milliseconds.append(1000 * (terminal.wait_for(words, mark) - pressed))
    busy, at_rest = map(statistics.median, waits)
    yield Figure(f"key to changed pane, median of {PRESSES}", "ms", busy, at_rest, "under 100")
    yield Figure(
        f"key to changed pane, longest of {PRESSES}", "ms", max(waits[0]), max(waits[1]), "under 100"
    )


def _watched(ours: PseudoTerminal, peer: PseudoTerminal, size: str) -> Iterator[Figure]:
    """What two labs that nobody touches write and compute."""
    terminals = (ours, peer)
    marks = [terminal.mark() for terminal in terminals]
    before = [processor_seconds(terminal) for terminal in terminals]
    time.sleep(WATCHED_SECONDS)
    share = [processor_seconds(terminal) - then for terminal, then in zip(terminals, before, strict=True)]
    written = [
        sum(len(piece) for _, piece in terminal.arrivals(mark))
        for terminal, mark in zip(terminals, marks, strict=True)
    ]
    busy, at_rest = (length / 1000 / WATCHED_SECONDS for length in written)
    yield Figure(f"written to {size}", "kB/s", busy, at_rest, "under 30")
    busy, at_rest = (100 * seconds / WATCHED_SECONDS for seconds in share)
    yield Figure(f"processor, {size}", "%", busy, at_rest)
    busy, at_rest = (_memory(terminal)["VmRSS"] for terminal in terminals)
    yield Figure(f"memory, {size}", "MB", busy, at_rest)


# Journals


@contextmanager
def _growing(experiment: Experiment) -> Iterator[None]:
    """Within the block another process journals progress of the runs at work."""
    context = multiprocessing.get_context("spawn")
    enough = context.Event()
    path = experiment.journal / "0001-worker-9.jsonl"
    writer = context.Process(target=_write_progress, args=(path, _stages(experiment), enough))
    writer.start()
    try:
        yield
    finally:
        enough.set()
        writer.join()


def _write_progress(path: Path, stages: Sequence[Stage], enough: multiprocessing.synchronize.Event) -> None:
    journal = JournalWriter(path)
    began, written = time.monotonic(), 0
    while not enough.wait(0.005):
        due = int((time.monotonic() - began) * EVENTS_A_SECOND)
        for number in range(written, due):
            _report(journal, stages, number)
        written = due
    journal.close()


def _fill(experiment: Experiment, events: int) -> None:
    """Journal progress in between what a finished experiment's journal holds, up to so many events in all."""
    there = read_all(experiment.journal)
    stages = _stages(experiment)
    moments = (there[0].time + (there[-1].time - there[0].time) * part / events for part in range(events))
    journal = JournalWriter(experiment.journal / "0001-worker-9.jsonl", clock=lambda: next(moments))
    for number in range(events - len(there)):
        _report(journal, stages, number)
    journal.close()


def _report(journal: JournalWriter, stages: Sequence[Stage], number: int) -> None:
    run, stage, total = stages[number % len(stages)]
    journal.write(Progress(run=run, stage=stage, done=number % total + 1, total=total))


def _stages(experiment: Experiment) -> list[Stage]:
    """The stage that each unfinished run is in; of a finished experiment, the one its runs were in last."""
    stages: dict[int, Stage] = {}
    state = read_state(experiment)
    for event in state.events:
        if isinstance(event, Progress):
            stages[event.run] = (event.run, event.stage, event.total)
    at_work = [stage for run, stage in stages.items() if run not in state.results]
    return at_work or list(stages.values())


def _mean_accuracy(experiment: Experiment) -> str:
    """The mean accuracy of the most fitted level on the adversarial sets, as only the table shows it."""
    fitted = experiment.spec.ladder.fitted
    found = [metrics.accuracy["adversarial"][fitted] or 0.0 for metrics in experiment.results().values()]
    return " " + f"{statistics.mean(found):.3f}".lstrip("0")


# Processes


def _memory(terminal: PseudoTerminal) -> dict[str, float]:
    """VmRSS and VmHWM in megabytes."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text(encoding="ascii")
    return {name: int(kilobytes) / 1000 for name, kilobytes in re.findall(r"(Vm\w+):\s+(\d+) kB", status)}


def processor_seconds(terminal: PseudoTerminal) -> float:
    """Seconds in which a terminal's program had a processor."""
    fields = Path(f"/proc/{terminal.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _heavy_libraries(terminal: PseudoTerminal) -> set[str]:
    maps = Path(f"/proc/{terminal.process.pid}/maps").read_text(encoding="utf-8")
    return set(HEAVY.findall(maps))


def _line(figure: Figure) -> str:
    measured = f"{figure.measured:8.3g} {figure.unit:<4}"
    peer = "" if figure.peer is None else f"{figure.peer:8.3g} {figure.unit:<4} {figure.ratio:5.2f} times"
    wanted = f"  (wanted: {figure.wanted})" if figure.wanted else ""
    return f"{figure.what:<48} {measured} {peer:<26}{wanted}"


if __name__ == "__main__":
    main()
