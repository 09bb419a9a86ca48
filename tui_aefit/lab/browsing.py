"""What the experiments screen knows while another screen is in front of it, or in its place."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import StudyError
from core.records.overview import Overview, OverviewReader
from tui_aefit.following.filtering import select
from tui_aefit.following.ordering import NEWEST_FIRST, Order, ordered
from tui_aefit.following.studies import StudiesReader


@dataclass
class Browsing:
    """One look at a home, for as long as the lab is open.

    reader, overviews: what was read, None before the first look. marked: ids. order, words: how the list is sorted,
    and its filter. chosen: the id under the cursor, "" for none. studies: reads the studies. members: id -> the
    studies that an experiment is of, as was last seen.
    """

    reader: OverviewReader
    studies: StudiesReader
    overviews: tuple[Overview, ...] | None = None
    marked: frozenset[str] = field(default_factory=frozenset)
    order: Order = NEWEST_FIRST
    words: str = ""
    chosen: str = ""
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def look_at_studies(self) -> None:
        """See which experiments are of which studies; in a thread. What cannot be read leaves all as it was."""
        with suppress(StudyError):
            self.members = self.studies.members()

    def listed(self) -> tuple[Overview, ...]:
        """The experiments as the list shows them now: those that its filter leaves, in its order.

        Looks at the home where nobody has yet: not on the screen's time. Raises ExperimentError.
        """
        if self.overviews is None:
            self.look_at_studies()
            self.overviews = self.reader.look()
        selection = select(self.overviews, self.words, self.members)
        return ordered(selection.overviews, self.order, self.marked)

    @classmethod
    def of(cls, home: Path) -> Browsing:
        """A first look at a home."""
        reader = OverviewReader(home)
        return cls(reader, StudiesReader(home, reader))
