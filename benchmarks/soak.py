"""What an hour of looking around leaves in the lab's memory.

python -m benchmarks.soak [--minutes 60] [--pause 1.0] [--experiments 50] [--csv FILE]

One lab on a pseudo-terminal opens every experiment of a home and leaves it again, one after the other, with its
panes and its gallery, and in between a comparison, a study and the form. Its memory is read from outside, once a
minute, or at every tenth of a shorter time. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TextIO

from core.records.study import save_study
from tests.fakes.arrays import add_gallery
from tests.fakes.experiments import make_experiment
from tests.fakes.terminal import PseudoTerminal

ROOT = Path(__file__).parents[1]
COLUMNS, ROWS = 140, 45
RUNS = 3
COMPARED_EVERY, STUDY_EVERY, FORM_EVERY = 5, 7, 3
"""After how many experiments the other screens are looked at."""
LISTED = "space Mark"
"""What only the footer of the list says, and only when it has rows."""
ENTER, ESCAPE, UP, DOWN, HOME = b"\r", b"\x1b", b"\x1b[A", b"\x1b[B", b"\x1b[H"


@dataclass(frozen=True)
class Memory:
    """Megabytes: resident, its share of what is shared, what is its own alone."""

    rss: float
    pss: float
    uss: float


def main() -> None:
    """Look around and print a line a minute."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds that every screen is looked at")
    parser.add_argument("--experiments", type=int, default=50, help="how many the home holds, 10 or more")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the measurements here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_home(home, options.experiments)
        with _lab(home) as terminal, closing(_file(options.csv)) as file:
            rows = csv.writer(file)
            rows.writerow(["minutes", "opened", "rss_mb", "pss_mb", "uss_mb"])
            print(f"{'minutes':>7} {'opened':>7} {'RSS':>7} {'PSS':>7} {'USS':>7} MB")
            every = min(60.0, 6.0 * options.minutes)
            visits = look_around(terminal, options.experiments, options.pause)
            for minutes, opened, memory in watch(terminal, visits, options.minutes, every):
                rows.writerow([f"{minutes:.2f}", opened, memory.rss, memory.pss, memory.uss])
                file.flush()
                measured = " ".join(f"{value:7.1f}" for value in (memory.rss, memory.pss, memory.uss))
                print(f"{minutes:7.1f} {opened:7} {measured}", flush=True)


def make_home(home: Path, experiments: int) -> None:
    """So many finished experiments, each with pictures in its gallery, and a study of the first ten."""
    made = [
        make_experiment(home, runs=RUNS, attack=("fgsm", "pgd")[place % 2], epsilon=(1 + place // 2) / 100)
        for place in range(experiments)
    ]
    for experiment in made:
        add_gallery(experiment, 0, names=tuple("0123456789"))
    save_study(home, "epsilon", [experiment.spec for experiment in made[:10]])


def look_around(terminal: PseudoTerminal, experiments: int, pause: float) -> Iterator[int]:
    """Open the experiments of the list in turn, for ever; how many have been opened so far."""
    for opened in count():
        _go(terminal, b"e", LISTED, pause)
        if opened % experiments == 0:
            terminal.press(HOME)
        else:
            terminal.press(DOWN)
        time.sleep(pause)
        if opened % COMPARED_EVERY == 1:
            terminal.press(b"u  ")
            _go(terminal, b"=", "What differs", pause)
            _go(terminal, b"z", "Accuracy on", pause)
            _go(terminal, ESCAPE, LISTED, pause)
            terminal.press(b"u" + 2 * UP)  # each mark went a row down
        _go(terminal, ENTER, "9 Verdict", pause)
        for pane in (b"3", b"6", b"7", b"4"):
            terminal.press(pane)
            time.sleep(pause / 4)
        _go(terminal, b"g", "Thumbnails", pause)
        terminal.press(b"\x1b[C")
        time.sleep(pause)
        _go(terminal, ESCAPE, "9 Verdict", pause)
        if opened % STUDY_EVERY == 2:
            _go(terminal, b"E", "Studies: ", pause)
            _go(terminal, ENTER, "Study epsilon", pause)
        if opened % FORM_EVERY == 2:
            _go(terminal, b"e", LISTED, pause)
            _go(terminal, b"n", "Epsilon", pause)
        yield opened + 1


def watch(
    terminal: PseudoTerminal, visits: Iterator[int], minutes: float, every: float
) -> Iterator[tuple[float, int, Memory]]:
    """Minutes since the start, experiments opened, memory; about every so many seconds, as long as is asked for."""
    terminal.wait_for("Epsilon")
    begun, due, opened = time.monotonic(), 0.0, 0
    while (passed := time.monotonic() - begun) < 60 * minutes:
        opened = next(visits)
        if passed >= due:
            due += every
            yield passed / 60, opened, memory_of(terminal.process.pid)
    yield passed / 60, opened, memory_of(terminal.process.pid)


def memory_of(pid: int) -> Memory:
    """The memory of a process now."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = {name: int(kilobytes) / 1000 for name, kilobytes in re.findall(r"(\w+):\s+(\d+) kB", text)}
    return Memory(found["Rss"], found["Pss"], found["Private_Clean"] + found["Private_Dirty"])


def _go(terminal: PseudoTerminal, key: bytes, words: str, pause: float) -> None:
    """Press a key, wait for what it brings, look at that."""
    mark = terminal.mark()
    terminal.press(key)
    terminal.wait_for(words, mark)
    time.sleep(pause)


def _lab(home: Path) -> PseudoTerminal:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AEFIT_", "TEXTUAL"))}
    own = {"AEFIT_HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "TERM": "xterm-256color"}
    return PseudoTerminal(
        [sys.executable, "-m", "tui_aefit.shell.cli"],
        environment={**clean, **own},
        folder=ROOT,
        columns=COLUMNS,
        rows=ROWS,
    )


def _file(path: Path | None) -> TextIO:
    return (path or Path(os.devnull)).open("w", encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
