"""Writes files of experiments and studies while the lab goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from core.errors import AefitError
from core.report.formatting import counted
from tui_aefit.lab.background import complain

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from core.records.study import Study

GROUP = "publish"
"""The group of the workers that write; the lab is not left before they have ended."""


class Publishing:
    """Writes what the person chose, one choice after the other, and notifies of the outcome."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._writing = asyncio.Lock()

    def publish(self, experiments: Sequence[Experiment], choice: str) -> None:
        """Write files of experiments, one at least, in a worker. choice: one of `publications.CHOICES`."""
        self._app.run_worker(self._write(experiments, choice), group=GROUP)

    def publish_study(self, study: Study) -> None:
        """Write the files of a study, in a worker."""
        self._app.run_worker(self._write_study(study), group=GROUP)

    async def _write_study(self, study: Study) -> None:
        from tui_aefit.lab import exporting  # noqa: PLC0415  # as below

        await self._tell(partial(exporting.export_study, study))

    async def _write(self, experiments: Sequence[Experiment], choice: str) -> None:
        # A tenth of the time to the first picture.
        from tui_aefit.lab import exporting  # noqa: PLC0415
        from tui_aefit.lab.actions import with_each  # noqa: PLC0415

        first, *others = experiments
        if slow := exporting.title_if_slow(choice):
            of = counted(len(experiments), "experiment") if others else first.id
            told = "being written; you are told when it is done"
            self._app.notify(told, title=f"{slow} of {of}", markup=False)
        done = f"wrote files of {{}}, {exporting.title_of(choice)}, each into its own folder of exports"
        write = partial(with_each, experiments, partial(exporting.export, choice=choice), done)
        await self._tell(write)

    async def _tell(self, write: Callable[[], str]) -> None:
        """Call `write` in a thread, and notify of its outcome."""
        # One after the other, so that several figures do not start as many processes.
        async with self._writing:
            try:
                message = await asyncio.to_thread(write)
            except AefitError as error:
                complain(self._app, error)
            else:
                self._app.notify(message, timeout=10, markup=False)
