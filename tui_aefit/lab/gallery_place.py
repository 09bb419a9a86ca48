"""The place in a gallery: which members pass the filters, and which of them is shown."""

from __future__ import annotations

from collections.abc import Iterable

from core.records.gallery import Gallery


class Place:
    """A place among the members of a gallery that pass two filters.

    gallery: None where there is none to show. label, target: the filters, None for any. members: those that pass,
    by their places in the gallery. position: of the shown one, among `members`.
    """

    def __init__(self) -> None:
        self.gallery: Gallery | None = None
        self.label: int | None = None
        self.target: int | None = None
        self.members: list[int] = []
        self.position = 0

    @property
    def member(self) -> int:
        """The place in the gallery of the shown member; only where `members` has any."""
        return self.members[self.position]

    def enter(self, gallery: Gallery | None, *, afresh: bool) -> None:
        """Go to a gallery, keeping the filters. afresh: to its first member, else to the present position."""
        self.gallery = gallery
        if afresh:
            self.position = 0
        self._find()

    def browse(self, step: int) -> None:
        """Go `step` members on; a single step beyond the last leads to the first, larger ones stop at the ends."""
        last = len(self.members) - 1
        if abs(step) == 1:
            self.position = (self.position + step) % (last + 1)
        else:
            self.position = min(max(self.position + step, 0), last)

    def go_to(self, position: int) -> None:
        """Go to a member by its place among those that pass; -1 for the last."""
        self.position = position % len(self.members)

    def cycle_label(self, step: int) -> None:
        """Pass only the next true class that has members, then all again."""
        if self.gallery is not None:
            self.label = _next(self.label, self.gallery.label.tolist(), step)
            self.enter(self.gallery, afresh=True)

    def cycle_target(self, step: int) -> None:
        """Pass only the next target that has members of the true class that passes, then all again."""
        if self.gallery is not None:
            there = self.gallery.target[self.gallery.members(self.label)].tolist()
            self.target = _next(self.target, (target for target in there if target >= 0), step)
            self.enter(self.gallery, afresh=True)

    def on(self, count: int) -> list[int]:
        """The shown member and those after it, `count` at most."""
        return self.members[self.position : self.position + count]

    def following(self, count: int) -> list[int]:
        """The members after the shown one, the first again after the last, `count` at most."""
        return (self.members[self.position + 1 :] + self.members[: self.position])[:count]

    def _find(self) -> None:
        """Find the members that pass; a filter that none passes is removed first."""
        self.members = []
        if (gallery := self.gallery) is not None:
            if not gallery.members(self.label):
                self.label = None
            if not gallery.members(self.label, self.target):
                self.target = None
            self.members = gallery.members(self.label, self.target)
        self.position = min(self.position, max(0, len(self.members) - 1))


def _next(now: int | None, there: Iterable[int], step: int) -> int | None:
    """The value `step` after `now` in the cycle of None (all) and the distinct values of `there`, ascending."""
    choices = [None, *sorted(set(there))]
    return choices[(choices.index(now) + step) % len(choices)]
