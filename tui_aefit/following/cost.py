"""What an experiment will cost, said before it is started: images, neighbours, and a rough time from past runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.attacks.catalogue import ATTACKS
from core.data.catalogue import CATALOGUE
from core.spec.spec import Spec
from tui_aefit.following.sound import sound_seconds


@dataclass(frozen=True)
class PastRun:
    """A complete run of some experiment: its spec and how long it took."""

    spec: Spec
    seconds: float


@dataclass(frozen=True)
class Cost:
    """What is known of an experiment before it runs.

    train, test: images of a run; None for a user's own set, whose size is not known without reading it.
    candidates: at most so many a run, all test images being sources. queries: exact neighbour searches a
    run, at most. seconds: rough time for all runs, None without a past run to go by; basis says which.
    """

    train: int | None
    test: int | None
    candidates: int | None
    queries: int | None
    seconds: float | None
    basis: str


def cost_of(spec: Spec, jobs: int, past: Iterable[PastRun]) -> Cost:
    """The cost of an experiment. past: complete runs of any experiments, the newest first."""
    seconds, basis = _seconds(spec, jobs, list(past))
    if spec.dataset not in CATALOGUE:
        return Cost(None, None, None, None, seconds, basis)
    entry = CATALOGUE[spec.dataset]
    images = entry.train_size + entry.test_size
    test = spec.test_size or entry.test_size
    candidates = test * (entry.classes - 1 if ATTACKS[spec.attack].per_target else 1)
    # The noise control draws as often as the attack does.
    draws = candidates if "noise" in spec.controls else 0
    return Cost(images - test, test, candidates, test + candidates + draws, seconds, basis)


def _seconds(spec: Spec, jobs: int, past: list[PastRun]) -> tuple[float | None, str]:
    """The median duration of the most similar past runs, times the rounds in which the runs are computed."""
    for names, basis in (
        (
            ("dataset", "attack", "epochs", "controls", "threads", "search", "test_size"),
            "runs of the same kind",
        ),
        (("dataset", "attack"), "runs of this data set and attack with other settings"),
        (("dataset",), "runs of this data set with another attack"),
    ):
        alike = [run for run in past if all(getattr(run.spec, n) == getattr(spec, n) for n in names)]
        if alike:
            rounds = math.ceil(spec.runs / jobs)
            return rounds * statistics.median(run.seconds for run in alike), basis
    return None, "no past run of this data set to go by"


def run_seconds(metrics: Mapping[str, object]) -> float | None:
    """How long a run took: the sum of its stages ("attack" and "filter" are parts of stages).

    None where its metrics hold no durations, or those of a run that took its surrogate from the cache.
    """
    seconds = sound_seconds(metrics)
    if seconds is None or metrics.get("surrogate_reused") is True:
        return None
    return math.fsum(s for stage, s in seconds.items() if stage not in ("attack", "filter"))


def said(cost: Cost) -> str:
    """The cost in two or three short lines."""
    lines = ["images: those of your own data set; how many is known once it is read"]
    if cost.train is not None:
        lines = [
            f"images: {cost.train:,} for training and {cost.test:,} for testing, in each run",
            f"work: up to {cost.candidates:,} candidates and {cost.queries:,} neighbour searches a run",
        ]
    about = "" if cost.seconds is None else f"about {duration(cost.seconds)}, from "
    return "\n".join([*lines, f"time: {about}{cost.basis}"])


def duration(seconds: float) -> str:
    """Seconds as a person says them: 42 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
