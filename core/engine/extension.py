"""Notices that a person has asked for more runs of an experiment while it is computed."""

from __future__ import annotations

import os
from collections.abc import Callable

from core.errors import ExperimentError
from core.records.events import Event, Notice
from core.records.experiment import SPEC_FILE, Experiment


class Extension:
    """Looks whether an experiment's specification asks for more runs; reads it only when the file has changed.

    experiment: with the runs known so far. write: appends an event to the journal.
    """

    def __init__(self, experiment: Experiment, write: Callable[[Event], object]) -> None:
        self.experiment = experiment
        self._write = write
        self._stamp: tuple[int, int, int] | None = None
        self._said = ""

    def look(self) -> range:
        """The runs that were asked for since the last look, often none.

        A specification that cannot be read, or describes another experiment by now, adds none and is journaled,
        once. One that cannot be read is tried again at the next look: the file server may be away.
        """
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return range(0)
        known = self.experiment.spec
        try:
            found = self.experiment.reloaded()
        except ExperimentError as error:
            self._say(f"going on with what was asked for at first: {error}")
            return range(0)
        self._stamp = stamp
        if found.spec.identity != known.identity:
            self._say(
                f"{SPEC_FILE} describes another experiment by now: going on with what was asked for at first"
            )
            return range(0)
        if found.spec.runs <= known.runs:
            return range(0)
        self.experiment = found
        return range(known.runs, found.spec.runs)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._write(Notice(text=text))
            self._said = text

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self.experiment.folder / SPEC_FILE)
        except OSError:
            return self._stamp  # a file server that is away
        return status.st_mtime_ns, status.st_size, status.st_ino
