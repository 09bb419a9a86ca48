"""Asking whoever computes an experiment to stop."""

from __future__ import annotations

from contextlib import suppress

from core.errors import ExperimentError
from core.records.experiment import Experiment


def request_stop(experiment: Experiment) -> None:
    """Ask the coordinator of an experiment to stop; it does so a little later. Raises ExperimentError."""
    try:
        if not experiment.running:
            raise ExperimentError(
                f"{experiment.id} is not being computed", f"aefit-tui show {experiment.word} tells its state"
            )
        if not experiment.cancel_file.exists():
            experiment.clear_cancel()  # a link that leads nowhere, and may lead anywhere
            with suppress(FileExistsError):
                experiment.cancel_file.open("x").close()
    except OSError as error:
        raise ExperimentError(f"cannot ask {experiment.id} to stop: {error.strerror}") from error
