"""Opening the lab: Textual and the screens are loaded only once it is sure that they can be shown."""

from __future__ import annotations

import os

from core.errors import ExperimentError
from core.files.exit_status import ExitStatus
from core.records.home import find
from tui_aefit.following.home import at_work
from tui_aefit.shell.console import Console
from tui_aefit.shell.loading import loading
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.terminal import leave_with_terminal, require_terminal


def open_lab(settings: Settings, console: Console, first: str | None = None) -> int:
    """Show the lab until it is left, then say what goes on without it; the exit status.

    first: the id, as a person types it, of the experiment to open with. Raises AefitError where there is no
    such experiment or no terminal.
    """
    require_terminal()
    experiment = None if first is None else find(settings.home, first)
    # Read when Textual is imported. Moving lines cost a slow connection more than all that they underline.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    with loading():
        from tui_aefit.lab.app import Lab  # noqa: PLC0415  # Textual, which a refusal need not wait for

    leave_with_terminal()
    lab = Lab(settings, experiment)
    lab.run()
    _name_those_at_work(settings, console)
    return lab.return_code or ExitStatus.COMPLETE


def _name_those_at_work(settings: Settings, console: Console) -> None:
    """Say how to come back to each experiment that is being computed."""
    try:
        running = at_work(settings.home)
    except ExperimentError as error:
        console.problem(str(error), error.hint)
        return
    for experiment in running:
        what, command = "goes on without you; see it again with", "attach"
        if os.path.lexists(experiment.cancel_file):
            what, command = "is being stopped; compute what is missing with", "resume"
        console.narrate(f"{experiment.id} {what}: aefit-tui {command} {experiment.id}")
