"""Studies of made-up experiments, and the queue of a home as processes would have left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.records.process import identity
from core.records.queue import Ticket, new_name, write_ticket
from core.records.study import Study, save_study
from core.spec.grid import specs_of
from tests.fakes.experiments import NOW, State, make_experiment_of

GRID: Mapping[str, Sequence[object]] = {"attack": ["fgsm", "pgd"], "epsilon": [0.05, 0.1, 0.2]}


def make_study(
    home: Path,
    grid: Mapping[str, Sequence[object]] = GRID,
    states: Sequence[State | None] = ("complete",),
    *,
    name: str = "paper",
    runs: int = 3,
    now: float = NOW,
    **base: Any,
) -> Study:
    """Write a study and its experiments, looked at `now`.

    states: of its experiments in their order, over and over; None for one of which nothing is there yet. base:
    settings of all of them.
    """
    study = save_study(home, name, specs_of({"dataset": "mnist", "runs": runs, **base}, grid))
    for place, cell in enumerate(study.cells):
        state = states[place % len(states)]
        assert cell.spec is not None
        if state is not None:
            make_experiment_of(home, cell.spec, state=state, now=now)
    return study


def queue_up(home: Path, experiment: str, since: float, *, using: int = 0, study: str = "") -> None:
    """Have this very process stand in a queue for an experiment, waiting, or with `using` processors at work."""
    ticket = Ticket(
        process=identity(), experiment=experiment, since=since, using=using, wanted=2, study=study
    )
    write_ticket(home, new_name(), ticket)
