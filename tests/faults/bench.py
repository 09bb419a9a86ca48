"""All kinds of faults, which of them a seed brings about, and how."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from core.records.metrics import RunMetrics
from tests.faults.kinds import KINDS as OF_EXPERIMENTS
from tests.faults.kinds import after
from tests.faults.lab import Lab
from tests.faults.study_kinds import KINDS as OF_STUDIES
from tests.faults.study_kinds import after_study
from tests.faults.study_lab import StudyLab

Numbers = Mapping[str, dict[int, RunMetrics]]
"""Experiment -> run -> what it found."""
SHARES = {name: share for name, (_, share) in [*OF_EXPERIMENTS.items(), *OF_STUDIES.items()]}
"""Name -> how many of 500."""


def undisturbed(root: Path) -> Numbers:
    """The numbers of computations that nothing happens to."""
    lab, study = Lab(root / "experiment"), StudyLab(root / "study")
    for process in (lab.begin(), study.begin()):
        ended = process.wait()
        assert ended.status == 0, ended
    return {lab.experiment.id: lab.numbers(), **study.results()}


def chosen(seed: int, count: int) -> list[tuple[str, str]]:
    """The faults of a seed: kind and what seeds it. Of each kind its share of `count`, one at least."""
    total = sum(SHARES.values())
    numbers = {kind: max(1, count * share // total) for kind, share in SHARES.items()}
    # Those whose shares lost most by rounding have the rest.
    lost = sorted(SHARES, key=lambda kind: numbers[kind] - count * SHARES[kind] / total)
    for kind in lost[: max(0, count - sum(numbers.values()))]:
        numbers[kind] += 1
    return [(kind, f"{seed}:{kind}:{number}") for kind in SHARES for number in range(numbers[kind])]


def bring_about(kind: str, seed: str, root: Path, expected: Numbers) -> str:
    """One fault in a lab of its own, and what must be so after it; what it was. Raises AssertionError."""
    rng = random.Random(seed)
    told = "nothing yet"
    try:
        if kind in OF_EXPERIMENTS:
            lab = Lab(root)
            told = OF_EXPERIMENTS[kind][0](lab, rng)
            after(lab, expected)
        else:
            study = StudyLab(root)
            told = OF_STUDIES[kind][0](study, rng)
            after_study(study, expected)
    except AssertionError as error:
        raise AssertionError(f"{kind}, seed {seed!r}, {told}: {error}") from error
    return told
