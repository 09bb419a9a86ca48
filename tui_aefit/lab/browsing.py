"""What the experiments screen knows while another screen is in front of it, or in its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.records.overview import Overview, OverviewReader
from tui_aefit.following.ordering import NEWEST_FIRST, Order


@dataclass
class Browsing:
    """One look at a home, for as long as the lab is open.

    reader, overviews: what was read, None before the first look. marked: ids. order, words: how the list is sorted,
    and its filter. chosen: the id under the cursor, "" for none.
    """

    reader: OverviewReader
    overviews: tuple[Overview, ...] | None = None
    marked: frozenset[str] = field(default_factory=frozenset)
    order: Order = NEWEST_FIRST
    words: str = ""
    chosen: str = ""

    @classmethod
    def of(cls, home: Path) -> Browsing:
        """A first look at a home."""
        return cls(OverviewReader(home))
