"""What the experiments screen has read and how it is set, kept while other screens are shown."""

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
    """The list of experiments of a home, for as long as the lab is open.

    reader: reads the overviews. overviews: as last read, None before the first look. marked: ids. order, words: the
    list's order and its filter. chosen: the id under the cursor, "" for none. studies: reads the studies. members:
    id of an experiment -> the studies that have it, as last read.
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
        """Read `members` anew; to be called in a thread. Where the studies cannot be listed it stays as it was."""
        with suppress(StudyError):
            self.members = self.studies.members()

    def listed(self) -> tuple[Overview, ...]:
        """The experiments as the list shows them now: those that fit its filter, in its order.

        Reads the home if nobody has yet, so to be called in a thread. Raises ExperimentError.
        """
        if self.overviews is None:
            self.look_at_studies()
            self.overviews = self.reader.look()
        selection = select(self.overviews, self.words, self.members)
        return ordered(selection.overviews, self.order, self.marked)

    @classmethod
    def of(cls, home: Path) -> Browsing:
        """The list of a home that was not read yet."""
        reader = OverviewReader(home)
        return cls(reader, StudiesReader(home, reader))
