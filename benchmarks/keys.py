"""What a key in a list of thousands of experiments costs: processor time from the key until all of it is drawn.

python -m benchmarks.keys [--experiments 2001] [--json FILE]

The experiments are made up and lie nowhere: what reading a home costs, `benchmarks.many` tells. The list is drawn
without a terminal, in this process, which does nothing else; shown are the median and the most of each kind of key.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
from textual.pilot import Pilot

from core.records.experiment import Experiment
from core.records.findings import Findings
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from core.spec.spec import Spec
from tests.fakes.screens import ScreenApp
from tui_aefit.following.listing import COLUMNS
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.opening import FULL_COLLECTIONS_EVERY
from tui_aefit.lab.screens import experiments as list_screen
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable

HOME = Path("/nonexistent")
NOW = 1.8e9
SIZES = ((140, 45), (80, 24))
ATTACKS = ("fgsm", "pgd", "deepfool")
STATES = (
    ExperimentStatus.COMPLETE,
    ExperimentStatus.COMPLETE,
    ExperimentStatus.FAILED,
    ExperimentStatus.INTERRUPTED,
)
WORD = "fgs"
"""Typed into the filter: it leaves a third."""
KEYS: Sequence[tuple[str, Sequence[str]]] = (
    ("sort", ["greater_than_sign"] * 2 * len(COLUMNS)),
    ("page down", ["pagedown"] * 6),
    ("down", ["down"] * 6),
    ("mark", ["space"] * 6),
    ("unmark all", ["u"]),
    ("end, home", ["end", "home"] * 2),
    ("filter, a letter", ["slash", *WORD]),
    ("filter, a letter less", ["backspace"] * len(WORD)),
    ("filter away", [*WORD, "escape"]),
)
"""What is done -> its keys, one after the other."""


class MadeUp:
    """Reads a home that is none, and studies that are none."""

    def __init__(self, overviews: tuple[Overview, ...]) -> None:
        self._overviews = overviews

    def look(self, tell: object = None) -> tuple[Overview, ...]:
        """All experiments."""
        return self._overviews

    def members(self) -> dict[str, tuple[str, ...]]:
        """No study has any."""
        return {}


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor that each press of a kind took, at a size of the screen."""

    size: str
    what: str
    milliseconds: list[float]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keys")
    parser.add_argument("--experiments", type=int, default=2001, help="in the list")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurements here too")
    options = parser.parse_args()
    gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTIONS_EVERY)  # as the lab does
    overviews = made_up(options.experiments)
    costs = [cost for size in SIZES for cost in asyncio.run(measure(overviews, size))]
    for cost in costs:
        median, most = statistics.median(cost.milliseconds), max(cost.milliseconds)
        print(f"{cost.size:>7}  {cost.what:<22} {median:6.0f} ms  at most {most:6.0f} ms")
    if options.json is not None:
        rows = [{"size": one.size, "what": one.what, "milliseconds": one.milliseconds} for one in costs]
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def made_up(count: int) -> tuple[Overview, ...]:
    """So many experiments of every state, no two alike; always the same."""
    rng = random.Random(0)
    return tuple(_overview(number, rng) for number in range(count))


def _overview(number: int, rng: random.Random) -> Overview:
    attack = ATTACKS[number % len(ATTACKS)]
    spec = Spec(dataset="mnist", attack=attack, epsilon=round(0.0002 * (1 + number // 3), 4), seed=number % 5)
    folder = HOME / "experiments" / f"mnist-{attack}-{number:08x}"
    status = STATES[number % len(STATES)]
    found = _findings(rng) if status is ExperimentStatus.COMPLETE else None
    return Overview(
        folder,
        status,
        Experiment(folder, spec),
        done=number % 4,
        created=NOW - rng.random() * 1e7,
        seconds=rng.random() * 1e4,
        findings=found,
    )


def _findings(rng: random.Random) -> Findings:
    summary = {"mean": rng.random(), "sd": 0.1, "ci95": [0.0, 1.0], "n": 3}
    claim = {
        "name": "crossfit_rise",
        "sets": ["adversarial", "misclassified"],
        "ci95": [-1.0, 1.0],
        "margin": 0.01,
    }
    claim |= {"estimate": rng.uniform(-0.3, 0.3), "decision": "undecided", "n": 3}
    found = {"runs": 3, "accuracy": summary, "rise": claim}
    return msgspec.convert(found, Findings)


async def measure(overviews: tuple[Overview, ...], size: tuple[int, int]) -> list[Cost]:
    """What the keys cost on a screen of this size."""
    list_screen.clock = lambda: NOW
    reader = cast("Any", MadeUp(overviews))
    app = ScreenApp()
    async with app.run_test(size=size) as pilot:
        screen = ExperimentsScreen(HOME, Browsing(reader, reader))
        await app.push_screen(screen)
        while screen.query_one(ExperimentsTable).row_count < len(overviews):
            await pilot.pause(0.05)
        await _settle(pilot)
        costs = []
        for what, keys in KEYS:
            milliseconds = []
            for key in keys:
                began = time.process_time()
                await pilot.press(key)
                await _settle(pilot)
                milliseconds.append(1000 * (time.process_time() - began))
            costs.append(Cost(f"{size[0]}x{size[1]}", what, milliseconds))
        return costs


async def _settle(pilot: Pilot[None]) -> None:
    """Wait until the filter has waited for another letter, and all is drawn."""
    await pilot.pause(list_screen.TYPING_SECONDS + 0.05)
    await pilot.pause()


if __name__ == "__main__":
    main()
