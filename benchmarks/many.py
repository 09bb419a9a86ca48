"""What a home of 1,000 experiments costs beside one of 10: lists, a study, the lab's start, its list and screens.

python -m benchmarks.many [--cells 10,1000] [--rounds 7] [--json FILE]

All experiments are finished ones of one study, MNIST with all controls, whose numbers are made up once and copied.
The homes take turns, so that a busy moment hits both alike; everything is measured from outside, in the lab under a
pseudo-terminal. "First rows": the first experiment can be seen. "All": the title says that every one was read.
Shown are seconds, and those of them in which the program had a processor: on a busy machine only these tell the two
homes apart. What is measured first, from nothing kept, is told by itself; all else after both homes were read once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.lab import LAB, ROOT, WIDE, processor_seconds
from core.records.home import create
from core.records.results import METRICS, parse_metrics, sealed
from core.records.study import save_study
from core.spec.grid import specs_of
from core.spec.spec import Spec
from tests.fakes.experiments import NOW, make_experiment_of, set_created
from tests.fakes.terminal import PseudoTerminal

RUNS = 3
STUDY = "many"
ATTACKS = ("fgsm", "pgd")
SMALLEST = 0.0002
"""The step of epsilon: as many values as there must be experiments of each attack."""


@dataclass(frozen=True)
class Cost:
    """Seconds, and those of a processor."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Home:
    """A home of `count` experiments. newest: the id of the one that a list shows first."""

    folder: Path
    count: int
    newest: str

    @property
    def environment(self) -> Mapping[str, str]:
        """With nothing that could leak in from the outside."""
        outside = {
            name: value for name, value in os.environ.items() if not name.startswith(("AEFIT_", "TEXTUAL"))
        }
        own = {"AEFIT_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "config")}
        return {**outside, **own, "TERM": "xterm-256color"}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.many",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cells", default="10,1000", help="experiments of each home")
    parser.add_argument("--rounds", type=int, default=7, help="of which the medians are shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        homes = [make_home(Path(folder) / count, int(count)) for count in options.cells.split(",")]
        rows = [
            _row(
                f"aefit-tui {' '.join(words[:2])}, nothing kept", [[_command(home, *words)] for home in homes]
            )
            for words in (("list",), ("study", "show", STUDY))
        ]
        turns = [[measure(home) for home in homes] for _ in range(options.rounds)]
        rows += [
            _row(what, [[turn[place][what] for turn in turns] for place in range(len(homes))])
            for what in turns[0][0]
        ]
    print(f"medians of {options.rounds} turns, the first two rows but once")
    for row in rows:
        print(row["line"])
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _row(what: str, costs: Sequence[Sequence[Cost]]) -> dict[str, object]:
    """The medians of each home, and how many times the first one's the last one's are."""
    seconds = [statistics.median(cost.seconds for cost in found) for found in costs]
    processor = [statistics.median(cost.processor for cost in found) for found in costs]
    times = seconds[-1] / seconds[0], processor[-1] / processor[0]
    line = f"{what:<32}"
    for words, found, ratio in zip(("", "processor "), (seconds, processor), times, strict=True):
        line += f"  {words}{' '.join(f'{one:7.2f} s' for one in found)} {ratio:6.2f} times"
    return {"what": what, "seconds": seconds, "processor": processor, "times": times, "line": line}


def make_home(folder: Path, count: int) -> Home:
    """Write a home: one experiment of each attack as the fakes make it, and copies of it with other epsilons."""
    values = [round(SMALLEST * step, 6) for step in range(1, count // len(ATTACKS) + 1)]
    base = {"dataset": "mnist", "runs": RUNS}
    specs = specs_of(base, {"attack": list(ATTACKS), "epsilon": values})
    save_study(folder, STUDY, specs)
    originals = {
        attack: make_experiment_of(folder.with_name(f"{folder.name}-originals"), spec).folder
        for attack in ATTACKS
        for spec in [Spec.from_mapping({**base, "attack": attack})]
    }
    for number, spec in enumerate(specs):
        _copy(originals[spec.attack], folder, spec, NOW - number)
    assert len(specs) == count, "expected an even number of experiments"
    return Home(folder, count, create(folder, specs[0])[0].id)


def _copy(original: Path, home: Path, spec: Spec, made: float) -> None:
    """An experiment with the results and journals of another, as its own."""
    experiment, _ = create(home, spec)
    shutil.copytree(original / "journal", experiment.journal)
    for run in range(spec.runs):
        result = experiment.run_folder(run) / "result"
        shutil.copytree(original / "runs" / result.parent.name / "result", result)
        metrics = parse_metrics((result / METRICS).read_bytes())
        (result / METRICS).write_bytes(sealed(msgspec.structs.replace(metrics, experiment=spec.digest)))
    set_created(experiment, made)


def measure(home: Home) -> dict[str, Cost]:
    """Everything, once."""
    return {
        "aefit-tui list": _command(home, "list"),
        "aefit-tui study show": _command(home, "study", "show", STUDY),
        **_lab(home),
    }


def _command(home: Home, *words: str) -> Cost:
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *LAB, *words], cwd=ROOT, env=home.environment, stdout=subprocess.DEVNULL, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(time.perf_counter() - start, processor)


def _lab(home: Home) -> dict[str, Cost]:
    """Of one visit to the lab: its start, the list and the study screen, each seen for the first time and again."""
    all_listed, all_of_study = f"Experiments: {home.count:,}", f"{home.count}/{home.count} experiments"
    with _terminal(home) as terminal:
        painted = terminal.wait_for("Epsilon") - terminal.started
        found = {"the lab's start": Cost(painted, processor_seconds(terminal))}
        found |= _seen(terminal, b"e", {"the list, first rows": home.newest, "the list, all": all_listed})
        terminal.press(b"\x1b")
        found |= _seen(terminal, b"e", {"the list again, all": all_listed})
    with _terminal(home) as terminal:
        terminal.wait_for("Epsilon")
        found |= _seen(terminal, b"E", {"the studies, all": f"{home.count}/{home.count}"})
        found |= _seen(terminal, b"\r", {"the study screen, all": all_of_study})
    return found


def _terminal(home: Home) -> PseudoTerminal:
    columns, rows = WIDE
    return PseudoTerminal(
        [sys.executable, *LAB], environment=home.environment, folder=ROOT, columns=columns, rows=rows
    )


def _seen(terminal: PseudoTerminal, key: bytes, words: Mapping[str, str]) -> dict[str, Cost]:
    """From a key until each of the words are seen."""
    time.sleep(1.0)
    mark, before = terminal.mark(), processor_seconds(terminal)
    pressed = terminal.press(key)
    found = {}
    for what, text in words.items():
        seen = terminal.wait_for(text, mark) - pressed
        found[what] = Cost(seen, processor_seconds(terminal) - before)
    return found


if __name__ == "__main__":
    main()
