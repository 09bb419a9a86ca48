"""The pane of the training images nearest to an image, before and after it was changed."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from core.declarations.printable import printable
from core.records.gallery import Gallery, grey_levels
from tui_aefit.lab.gallery_words import HOW_TO_READ, NO_NEAREST, line_of_nearest, name_of, nearest_panels
from tui_aefit.lab.widgets.picture import Panel, Pictures

LEAST = 10
"""Columns of a picture, at least: of more images than there is room for, the farthest are left out."""
SIDES = ("before", "after")
ROOMY = 110
"""The width from which a heading uses full words."""


@dataclass(frozen=True, eq=False)
class OfMember:
    """One member of a gallery."""

    gallery: Gallery
    member: int


class NearestPane(Vertical):
    """The nearest to a member's original and, below them, to the image made of it, with labels and distances.

    of: the member. as_text: draw with characters instead of colours.
    """

    DEFAULT_CSS = """
    NearestPane {
        width: 1fr;
        height: 1fr;
        padding: 0 1;
        .heading { height: auto; max-height: 2; text-style: bold; }
        &.-roomy .heading { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        Pictures { height: 1fr; }
        #how-to-read { height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        #no-nearest { height: auto; display: none; color: $text-muted; }
        &.-none .side, &.-none #how-to-read, &.-told #how-to-read { display: none; }
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
        for side, heading, row in zip(SIDES, self._headings, self._rows, strict=True):
            with Vertical(id=side, classes="side"):
                yield heading
                yield row
        yield Static(HOW_TO_READ, id="how-to-read", markup=False)
        yield Static(NO_NEAREST, id="no-nearest", markup=False)

    def watch_of(self) -> None:
        """Show another member's neighbours."""
        self._fill()

    def watch_as_text(self) -> None:
        """Draw in the other way."""
        for row in self._rows:
            row.as_text = self.as_text

    def on_resize(self) -> None:
        """Show as many neighbours as fit now."""
        self._fill()

    def _fill(self) -> None:
        if self.of is None or not self.size.width:
            return
        gallery, member = self.of.gallery, self.of.member
        self.set_class(gallery.nearest is None, "-none")
        self.set_class(not gallery.perturbed, "-unperturbed")
        self.set_class(self.size.width >= ROOMY, "-roomy")
        if gallery.nearest is None:
            return
        for side, (heading, row) in enumerate(zip(self._headings, self._rows, strict=True)):
            found = nearest_panels(gallery, gallery.nearest, member, side)
            room = max(1, (self.content_size.width + 1) // (LEAST + 1))
            shown = found[:room]
            if len(found) < room:
                shown = (_itself(gallery, member, side), *shown)
            row.rows = (shown,)
            text = self._heading(gallery, member, side, min(room, len(found)), len(found))
            heading.update(text if side else self._with_how_to_read(text))

    def _heading(self, gallery: Gallery, member: int, side: int, shown: int, there: int) -> Content:
        """Whose nearest images these are, how many of them are shown, and the labels that every level counts."""
        true, said = int(gallery.label[member]), int(gallery.prediction[0, member])
        roomy = self.size.width >= ROOMY
        if not gallery.perturbed:
            text = f"Nearest to the image, true label {name_of(gallery, true)}"
        elif side == 0:
            text = f"{'Nearest to the original' if roomy else 'before'}, true {name_of(gallery, true)}"
        else:
            text = f"{'Nearest to the image made of it' if roomy else 'after'}, says {name_of(gallery, said)}"
        left_out = f" ({shown} of {there} shown)" if shown < there else ""
        labels = line_of_nearest(gallery, member, side)
        return Content("   ").join([Content(text + left_out), Content.styled(labels, "not bold")])

    def _with_how_to_read(self, heading: Content) -> Content:
        """The first heading, with the legend where it fits; else the legend gets a line of its own at the end."""
        told = Content("   ").join([heading, Content.styled(HOW_TO_READ, "not bold $text-muted")])
        fits = told.cell_length <= self.content_size.width
        self.set_class(fits, "-told")
        return told if fits else heading


def _itself(gallery: Gallery, member: int, side: int) -> Panel:
    """The image beside which its nearest training images stand."""
    if side == 0:
        word = "original" if gallery.perturbed else printable(gallery.name)
        return Panel(f"{word}\ntrue {name_of(gallery, int(gallery.label[member]))}", gallery.original[member])
    said = name_of(gallery, int(gallery.prediction[0, member]))
    return Panel(f"{printable(gallery.name)}\nsays {said}", grey_levels(gallery.image[member]))
