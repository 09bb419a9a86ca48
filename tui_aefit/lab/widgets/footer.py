"""The footer: the keys of the screen that are worth a place in it."""

from __future__ import annotations

from typing import Any

from textual.widgets import Footer


class KeysFooter(Footer):
    """Textual's footer, made anew only when there are other keys to show, and forgetting those it showed before.

    Textual makes it anew whenever the focus moves, and each key that it ever showed waits in memory to be told of
    a change of `compact`.

    palette: the palette's key has a place in it, which a screen may need for one of its own; help tells of it.
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
            # What is gone is told nothing any more, and let go of, when a change is told.
            self.mutate_reactive(Footer.compact)
