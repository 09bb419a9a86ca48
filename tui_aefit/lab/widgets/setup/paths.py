"""A field for a path, completed while it is typed from the entries of the folder that it names so far."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

MOST = 500
"""Entries of a folder that are looked at, at most: with more, a person types the next letter."""


def completions(text: str, suffixes: Sequence[str]) -> list[str]:
    """The existing paths that begin with a text, as they would be typed, in alphabetical order.

    These are folders, ending in the separator, and files with one of the suffixes (in small letters). Hidden ones
    only where their dot is typed. Empty for an empty text, or where nothing can be listed.
    """
    if not text:
        return []
    folder, _, begun = text.rpartition(os.sep)
    where = os.path.expanduser(folder + os.sep if os.sep in text else ".")
    try:
        with os.scandir(where) as entries:
            found = [
                entry.name + os.sep * entry.is_dir()
                for entry, _ in zip(
                    (one for one in entries if one.name.startswith(begun)), range(MOST), strict=False
                )
                if (begun or not entry.name.startswith("."))
                and (entry.is_dir() or entry.name.lower().endswith(tuple(suffixes)))
            ]
    except (OSError, ValueError):  # a NUL in the text
        return []
    return sorted(text[: len(text) - len(begun)] + name for name in found)


class PathSuggester(Suggester):
    """Suggests the first of the completions. suggested: the last text completed, and its suggestion."""

    def __init__(self, suffixes: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffixes = suffixes
        self.suggested: tuple[str, str | None] = ("", None)

    async def get_suggestion(self, value: str) -> str | None:
        """See `Suggester.get_suggestion`; looks in a thread, since a file server may not answer."""
        found = await asyncio.to_thread(completions, value, self._suffixes)
        self.suggested = value, next((one for one in found if one != value), None)
        return self.suggested[1]


class PathInput(Input):
    """A field for a path. Tab takes the suggestion; without one it goes to the next field, as everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="setup.complete", tooltip="Complete the path", show=False),
    ]

    def __init__(self, value: str, *, suffixes: Sequence[str], placeholder: str, id: str) -> None:
        """suffixes: of the files to complete, in small letters; folders are always completed."""
        self._paths = PathSuggester(suffixes)
        super().__init__(value, placeholder=placeholder, suggester=self._paths, compact=True, id=id)

    def action_complete(self) -> None:
        """Take the suggestion, else go to the next field."""
        text, suggested = self._paths.suggested
        if text == self.value and suggested is not None:
            self.value = suggested
            self.cursor_position = len(suggested)
        else:
            self.screen.focus_next()
