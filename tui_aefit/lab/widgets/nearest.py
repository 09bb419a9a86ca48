"""What a classifier sees of an image: the training images nearest to it, before and after it was changed."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from core.records.gallery import Gallery, grey_levels
from tui_aefit.following.printable import printable
from tui_aefit.lab.gallery_words import NO_NEAREST, SHORT_SIDES, SIDES, name_of, nearest_panels, votes_line
from tui_aefit.lab.widgets.picture import Panel, Pictures

LEAST = 10
"""Columns of a picture, at least: of more neighbours than there is room for, the farthest are left out."""
ROOMY = 110
"""Columns from which a heading has words to spare."""


@dataclass(frozen=True, eq=False)
class OfMember:
    """One member of a gallery."""

    gallery: Gallery
    member: int


class NearestPane(Vertical):
    """The neighbours of a member's original and, below them, of the image made of it, with labels and distances.

    of: the member. as_text: characters instead of colours.
    """

    DEFAULT_CSS = """
    NearestPane {
        width: 1fr;
        height: 1fr;
        padding: 0 1;
        .heading { height: 1; text-wrap: nowrap; text-overflow: ellipsis; text-style: bold; }
        Pictures { height: 1fr; }
        #no-nearest { height: auto; display: none; color: $text-muted; }
        &.-none .side { display: none; }
        &.-none #no-nearest { display: block; }
        &.-unperturbed #after { display: none; }
    }
    """

    of: reactive[OfMember | None] = reactive(None)
    as_text: reactive[bool] = reactive(False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._headings = [Static(classes="heading", markup=False) for _ in SIDES]
        self._rows = [Pictures(is_bold=False) for _ in SIDES]

    def compose(self) -> ComposeResult:
        """One part for each side, or why there is nothing."""
        for side, heading, row in zip(SHORT_SIDES, self._headings, self._rows, strict=True):
            with Vertical(id=side, classes="side"):
                yield heading
                yield row
        yield Static(NO_NEAREST, id="no-nearest", markup=False)

    def watch_of(self) -> None:
        """Another member."""
        self._fill()

    def watch_as_text(self) -> None:
        """Another way to draw them."""
        for row in self._rows:
            row.as_text = self.as_text

    def on_resize(self) -> None:
        """There may be room for more of them."""
        self._fill()

    def _fill(self) -> None:
        if self.of is None or not self.size.width:
            return
        gallery, member = self.of.gallery, self.of.member
        self.set_class(gallery.nearest is None, "-none")
        self.set_class(not gallery.perturbed, "-unperturbed")
        if gallery.nearest is None:
            return
        for side, (heading, row) in enumerate(zip(self._headings, self._rows, strict=True)):
            found = nearest_panels(gallery, gallery.nearest, member, side)
            room = max(1, (self.content_size.width + 1) // (LEAST + 1))
            shown = found[:room]
            if len(found) < room:
                shown = (_itself(gallery, member, side), *shown)
            row.rows = (shown,)
            heading.update(self._heading(gallery, member, side, min(room, len(found)), len(found)))

    def _heading(self, gallery: Gallery, member: int, side: int, shown: int, there: int) -> Content:
        """Whose neighbours, how many of them where that is not all, and what they vote for at every level."""
        text = SHORT_SIDES[side]
        if self.size.width >= ROOMY:
            text = f"Nearest to {SIDES[side]}"
        if not gallery.perturbed:
            text = "nearest"
        left_out = f" ({shown} of {there} shown)" if shown < there else ""
        return Content.assemble(text, left_out, "   ", (votes_line(gallery, member, side), "not bold"))


def _itself(gallery: Gallery, member: int, side: int) -> Panel:
    """The image whose neighbours stand beside it."""
    if side == 0:
        word = "original" if gallery.perturbed else printable(gallery.name)
        return Panel(f"{word}\ntrue {name_of(gallery, int(gallery.label[member]))}", gallery.original[member])
    said = name_of(gallery, int(gallery.prediction[0, member]))
    return Panel(f"{printable(gallery.name)}\nsays {said}", grey_levels(gallery.image[member]))
