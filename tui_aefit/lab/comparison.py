"""The data of the comparison screen: curves, numbers and words of several experiments. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.records.statistics import Claim, Summary
from core.report.comparison import Compared, accuracies, measured_on, merge_levels
from core.report.formatting import ABSENT
from core.report.terms import brief_reason, title_of
from tui_aefit.following.listing import DECISIONS, share
from tui_aefit.lab.charts.data import AccuracyData, curve_of


def curves(
    compared: Sequence[Compared], name: str, *, fit: bool = False, cursor: str | None = None
) -> AccuracyData | None:
    """Mean accuracy on set `name` against the levels, a curve for each that has any; None where none has.

    Experiments with another knob than the first have no curve. fit, cursor: as in AccuracyData; a cursor that is no
    level of the curves is left out.
    """
    drawn = measured_on(compared, name)
    if not drawn:
        return None
    places = {one.name: place for place, one in enumerate(compared)}
    levels = merge_levels(one.ladder for one in drawn)
    return AccuracyData(
        drawn[0].ladder.knob,
        levels,
        {one.name: curve_of(one.summary, name, one.ladder) for one in drawn},
        fit,
        places,
        corrected=all(one.corrected for one in drawn),
        cursor=cursor if cursor in levels else None,
    )


def numbers(compared: Sequence[Compared], name: str) -> list[tuple[str, list[str]]]:
    """The levels of `curves`, and every experiment's mean accuracy on set `name` there.

    Half the width of the 95 % interval follows a mean that has one; ABSENT stands for no mean.
    """
    return [(level, list(map(_mean, found))) for level, found in accuracies(compared, name)]


def with_another_knob(compared: Sequence[Compared], data: AccuracyData) -> list[str]:
    """The names of the experiments that have no curve in `data`, since their ladder has another knob."""
    return [one.name for one in compared if one.ladder.knob != data.knob]


def claim_title(claim: Claim) -> str:
    """The name of a claim in few words: "cross-fit rise, D − M"."""
    return title_of(claim.name, claim.sets, minus="−")


def claim_words(claim: Claim | None) -> str:
    """A decision with its estimate and interval: "▼ -.081 [-.130, -.031]"; ABSENT for none."""
    if claim is None:
        return ABSENT
    found = f"{DECISIONS[claim.decision]} {share(claim.estimate, signed=True)}"
    if claim.ci95 is None:
        return f"{found} ({brief_reason(claim.reason)})"
    low, high = claim.ci95
    return f"{found} [{share(low)}, {share(high)}]"


def _mean(found: Summary | None) -> str:
    if found is None or found.mean is None:
        return ABSENT
    if found.ci95 is None:
        return f"{found.mean:.4f}"
    low, high = found.ci95
    return f"{found.mean:.4f} ± {(high - low) / 2:.4f}"
