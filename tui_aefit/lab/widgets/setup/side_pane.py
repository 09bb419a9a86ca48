"""The pane beside the form: a title, a text, images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

if TYPE_CHECKING:
    from tui_aefit.lab.widgets.setup.notes import Note
    from tui_aefit.lab.widgets.setup.thumbnails import Thumbnails


class Beside(VerticalScroll, can_focus=False):
    """Shows a note; nothing at first."""

    note: reactive[Note | None] = reactive(None)

    def __init__(self) -> None:
        super().__init__(id="beside")
        self._title = Static("", id="note-title", markup=False)
        self._text = Static("", id="note-text")
        self._images: Thumbnails | None = None

    def compose(self) -> ComposeResult:
        """Title and text."""
        yield self._title
        yield self._text

    def watch_note(self, note: Note | None) -> None:
        """Show another note."""
        if note is None:
            return
        self._title.update(note.title)
        self._text.update(note.text)
        if self._images is None and note.images:
            # Not before there is one: the first picture of the lab has none.
            from tui_aefit.lab.widgets.setup.thumbnails import Thumbnails  # noqa: PLC0415

            self._images = Thumbnails(id="note-images")
            self.mount(self._images)
        if self._images is not None:
            self._images.images = tuple(note.images)
            self._images.display = bool(note.images)
