"""The pane beside the form: a title, a text, images."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

from tui_aefit.lab.widgets.setup.notes import Note
from tui_aefit.lab.widgets.setup.thumbnails import Thumbnails


class Beside(VerticalScroll, can_focus=False):
    """Shows a note."""

    note: reactive[Note] = reactive(Note)

    def __init__(self) -> None:
        super().__init__(id="beside")
        self._title = Static("", id="note-title", markup=False)
        self._text = Static("", id="note-text")
        self._images = Thumbnails(id="note-images")

    def compose(self) -> ComposeResult:
        """Empty at first."""
        yield self._title
        yield self._text
        yield self._images

    def watch_note(self, note: Note) -> None:
        """Show another note."""
        self._title.update(note.title)
        self._text.update(note.text)
        self._images.images = tuple(note.images)
        self._images.display = bool(note.images)
