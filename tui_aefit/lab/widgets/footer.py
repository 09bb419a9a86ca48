"""The footer: the keys of the screen whose bindings are to be shown."""

from __future__ import annotations

from typing import Any

from textual.widgets import Footer


class KeysFooter(Footer):
    """Textual's footer, recomposed only when there are other keys to show, and freeing those it showed before.

    Textual recomposes it whenever the focus moves, and keeps each key that it ever showed in memory, to tell it of
    a change of `compact`.

    palette: whether to show the palette's key; a screen may need its place, and help tells of it anyway.
    """

    def __init__(self, *, palette: bool = True) -> None:
        super().__init__(show_command_palette=palette)
        self._shown: list[tuple[Any, ...]] | None = None

    async def recompose(self) -> None:
        """Show the keys as they are now."""
        if not self.is_attached:
            return
        active = self.screen.active_bindings.values()
        shown = [(one.binding, one.enabled, one.tooltip) for one in active if one.binding.show]
        if shown != self._shown:
            self._shown = shown
            await super().recompose()
            # When a change of `compact` is told, Textual drops the keys that are gone.
            self.mutate_reactive(Footer.compact)
