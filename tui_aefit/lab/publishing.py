"""Having files of experiments written while the lab goes on."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App

from core.errors import AefitError
from core.records.experiment import Experiment
from tui_aefit.lab.background import complain

GROUP = "publish"
"""Of the workers that write: the lab is not left before they have ended."""


class Publishing:
    """Writes what the person chose, one choice after the other, and says where it is or why it is not."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._writing = asyncio.Lock()

    def publish(self, experiment: Experiment, choice: str) -> None:
        """Have files written beside the screen. choice: one of `publications.CHOICES`."""
        self._app.run_worker(self._write(experiment, choice), group=GROUP)

    async def _write(self, experiment: Experiment, choice: str) -> None:
        from tui_aefit.lab import exporting  # noqa: PLC0415  # a tenth of the time to the first picture

        if slow := exporting.title_if_slow(choice):
            title = f"{slow} of {experiment.id}"
            self._app.notify("being written; you are told when it is done", title=title, markup=False)
        # One after the other, so that several figures do not start as many processes.
        async with self._writing:
            try:
                message = await asyncio.to_thread(exporting.export, experiment, choice)
            except AefitError as error:
                complain(self._app, error)
            else:
                self._app.notify(message, timeout=10, markup=False)
