"""The preview beside the list of experiments: read from an experiment's folder, then put into a few words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.declarations.printable import printable, printable_lines
from core.records.events import StatisticsComputed
from core.records.findings import RISE
from core.records.metrics import RunMetrics
from core.records.overview import Overview
from core.records.statistics import Claim
from core.records.tail import newest_statistics
from core.report.formatting import ABSENT, counted, duration, mean_count
from core.report.terms import brief_reason
from core.spec.command import format_value
from tui_aefit.following.listing import SHOWN, age_of, date_of, share, state_words, unusual

SETS = ("test", "misclassified", "adversarial", "noise")
"""The sets whose accuracies are shown."""
_SENTENCE = re.compile(r".*?\.(?=\s|$)", re.DOTALL)
_IN_SHORT = "In short: "


@dataclass(frozen=True)
class Preview:
    """One experiment with its results. statistics: the newest, None before the first.

    runs: the metrics of its complete runs. problem: why the results could not be read, "" if they could.
    """

    overview: Overview
    statistics: StatisticsComputed | None = None
    runs: tuple[RunMetrics, ...] = ()
    problem: str = ""


def read_preview(overview: Overview) -> Preview:
    """Read the preview of an experiment. Never raises for what its folder holds."""
    experiment = overview.experiment
    if experiment is None:
        return Preview(overview)
    try:
        return Preview(overview, newest_statistics(experiment), tuple(experiment.results().values()))
    except OSError as error:
        return Preview(overview, problem=f"its results cannot be read: {error.strerror or error}")


def answer(preview: Preview) -> str:
    """The first clause of the experiment's verdict; without a verdict, its state and why."""
    verdict = preview.statistics.verdict if preview.statistics is not None else ()
    if not verdict:
        reason = preview.problem or preview.overview.reason
        return printable(reason) or f"{state_words(preview.overview)[1]}: no run is complete yet"
    first = next((text for text in verdict if text.startswith(_IN_SHORT)), verdict[0])
    sentence = found[0] if (found := _SENTENCE.match(first)) is not None else first
    clause = sentence.removeprefix(_IN_SHORT).partition("; ")[0].rstrip(".")
    return f"{printable(clause[:1].upper() + clause[1:])}."


def facts(preview: Preview, now: float) -> list[tuple[str, str]]:
    """Heading words with their texts, in the order of display; those without a text are left out.

    now: seconds since 1970.
    """
    overview = preview.overview
    experiment, noted = overview.experiment, overview.annotations
    found = [
        ("state", f"{' '.join(state_words(overview)[:2])}{f': {overview.reason}' if overview.reason else ''}")
    ]
    if experiment is not None:
        spec = experiment.spec
        found += [
            ("decides", _decided(preview)),
            ("settings", _settings(preview)),
            ("data", spec.dataset if spec.dataset != spec.dataset_title else ""),
            ("images", _counts(preview.runs)),
            ("runs", _runs(preview)),
        ]
    found += [
        ("created", f"{date_of(overview)}, {_ago(overview, now)}"),
        ("tags", " ".join(f"#{tag}" for tag in noted.tags)),
        ("note", noted.notes.strip()),
        ("folder", str(overview.folder)),
    ]
    return [(word, printable_lines(text)) for word, text in found if text]


def accuracies(preview: Preview) -> list[list[str]]:
    """A small table of mean accuracies: a heading with the levels, a row a set; empty before any statistics."""
    statistics, experiment = preview.statistics, preview.overview.experiment
    if statistics is None or experiment is None:
        return []
    ladder = experiment.spec.ladder
    rows = [
        [name, *(share(one.mean) if one is not None and one.mean is not None else ABSENT for one in by_level)]
        for name in SETS
        if (found := statistics.summary.accuracy.get(name)) is not None
        for by_level in [[found.get(level) for level in ladder.levels]]
    ]
    return [[ladder.knob, *ladder.levels], *rows] if rows else []


def estimate(claim: Claim) -> str:
    """A decision with its number and interval: "lower -.081 [-.130, -.031]"."""
    if claim.ci95 is None:
        return f"{claim.decision} {share(claim.estimate, signed=True)} ({brief_reason(claim.reason)})"
    low, high = claim.ci95
    return f"{claim.decision} {share(claim.estimate, signed=True)} [{share(low)}, {share(high)}]"


def _decided(preview: Preview) -> str:
    claims = preview.statistics.claims if preview.statistics is not None else ()
    rise = next((claim for claim in claims if (claim.name, claim.sets) == RISE), None)
    return f"rise D − M {estimate(rise)}" if rise is not None else ""


def _settings(preview: Preview) -> str:
    """The settings that the list shows, then those that differ from their defaults."""
    assert preview.overview.experiment is not None
    spec = preview.overview.experiment.spec
    words = [spec.dataset_title, spec.attack, f"epsilon {spec.epsilon:g}", spec.ladder.span]
    others = [f"{name} {format_value(value)}" for name, value in unusual(spec, SHOWN).items()]
    return f"{', '.join(words)}; {'; '.join(others) or 'the others are the defaults'}"


def _counts(runs: Sequence[RunMetrics]) -> str:
    """The sizes of the sets D and M and of what they are taken from, means over the runs."""
    if not runs:
        return ""

    def mean(name: str) -> str:
        return mean_count([getattr(run.counts, name) for run in runs])

    return (
        f"D {mean('adversarial')} of {mean('candidates')} candidates, "
        f"M {mean('misclassified')} of {mean('test')} test images"
    )


def _runs(preview: Preview) -> str:
    overview, statistics = preview.overview, preview.statistics
    assert overview.experiment is not None
    words = f"{overview.done} of {counted(overview.experiment.spec.runs, 'run')}"
    if overview.done:
        words += f", {duration(overview.seconds / overview.done)} each, {duration(overview.seconds)} together"
    if statistics is not None and len(statistics.runs) != overview.done:
        words += f"; the numbers are over {len(statistics.runs)}"
    return words


def _ago(overview: Overview, now: float) -> str:
    age = age_of(overview, now)
    return {"now": "just now", ABSENT: "its age is not known"}.get(age, f"{age} ago")
