"""Describes whether an experiment that is being set up exists already. Pure."""

from __future__ import annotations

from core.records.overview import Overview
from core.records.status import ExperimentStatus
from tui_aefit.following.listing import state_words

NEW = "+ new: nothing of it is computed yet"


def describe_standing(runs: int, overview: Overview | None, *, start: str, show: str) -> str:
    """A line on an experiment that is being set up with `runs` runs: its state, and which keys do what.

    overview: of the existing experiment, None for none. start, show: the keys that compute it and that open it.
    """
    if overview is None:
        return NEW
    glyph, word, _ = state_words(overview)
    if overview.experiment is None:
        return f"{glyph} exists, {word}: {overview.reason}"
    there = overview.experiment.spec.runs
    done = f"{glyph} exists, {word}, {overview.done} of {there} runs"
    if overview.status is ExperimentStatus.RUNNING:
        return f"{done}: {show} opens it"
    if overview.status is ExperimentStatus.COMPLETE and runs <= there:
        return f"{done}: {show} opens it"
    lacking = max(runs, there) - overview.done
    return f"{done}: {start} computes the other {lacking}, {show} opens it"
