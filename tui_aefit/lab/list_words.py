"""The words around the list of experiments: how many there are, how it is sorted, why it is empty."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from core.declarations.printable import printable
from core.records.overview import Overview
from core.records.status import ExperimentStatus
from tui_aefit.following.listing import COLUMNS
from tui_aefit.following.ordering import NEWEST_FIRST
from tui_aefit.lab.action_targets import MOST_COMPARED
from tui_aefit.lab.browsing import Browsing


def list_title(
    everything: Sequence[Overview],
    many: int | None,
    shown: int,
    browsing: Browsing,
    columns: Collection[str],
    *,
    compare: str,
) -> str:
    """The line above the list.

    everything: the experiments that were read so far, of `many` (None if not known yet). shown: how many fit the
    filter. columns: the visible ones. compare: the key that compares.
    """
    if not everything:
        return "Experiments"
    running = sum(one.status is ExperimentStatus.RUNNING for one in everything)
    counts = [f"{len(everything):,}", f"{running} running" if running else ""]
    if many is not None and many > len(everything):
        counts[0] = f"{len(everything):,} of {many:,} read"
    if browsing.marked:
        compares = f" ({compare} compares them)" if 1 < len(browsing.marked) <= MOST_COMPARED else ""
        counts.append(f"{len(browsing.marked)} marked{compares}")
    counts.append(f"{shown:,} shown" if browsing.words.strip() else "")
    if browsing.order != NEWEST_FIRST and browsing.order.column not in columns:
        counts.append(f"by {COLUMNS[browsing.order.column].about} {browsing.order.arrow}")
    return f"Experiments: {', '.join(filter(None, counts))}"


def why_empty(home: Path, everything: Sequence[Overview] | None, problem: str, *, new: str, back: str) -> str:
    """Why no experiment is listed, and what to do. everything: None before the first look. new, back: keys."""
    if everything is None:
        return "Looking ..."
    if problem:
        return problem
    if not everything:
        return f"No experiments yet under {printable(str(home))}\n\n{new}  sets up a new one"
    return f"No experiment matches the filter\n\n{back}  shows all again"
