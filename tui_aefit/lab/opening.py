"""Opens the lab. Textual and the screens are imported only once it is clear that they can be shown."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ExperimentError
from core.files.exit_status import ExitStatus
from tui_aefit.shell.console import Console
from tui_aefit.shell.loading import loading
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.terminal import leave_with_terminal, require_terminal

if TYPE_CHECKING:
    from core.records.experiment import Experiment

FULL_COLLECTIONS_EVERY = 100
"""After how many collections of younger objects Python makes a full garbage collection; by default 10.

In a home of thousands of experiments one takes as long as drawing several screens, and nothing is drawn meanwhile.
"""


def open_lab(
    settings: Settings,
    console: Console,
    first: str | None = None,
    *,
    study: str = "",
    paired: bool = False,
) -> int:
    """Show the lab until it is left, then say what goes on without it; the exit status.

    first: the experiment to open with, as `find` takes it. study, paired: see `Lab`. Raises AefitError where there
    is no such experiment or no terminal, or a settings file has a key that is not possible.
    """
    require_terminal()
    experiment = None if first is None else _found(settings.home, first)
    # Read when Textual is imported. On a slow connection animated lines cost more than the texts they underline.
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    with loading():
        from tui_aefit.lab.app import Lab  # noqa: PLC0415  # Textual, which a refusal need not wait for

    changed: dict[str, str] = {}
    if settings.keys:
        from tui_aefit.lab.keys import keymap  # noqa: PLC0415  # every screen, for those who change keys

        changed = keymap(settings.keys, Lab)
    leave_with_terminal()
    lab = Lab(settings, experiment, keymap=changed, study=study, paired=paired)
    gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTIONS_EVERY)
    lab.run()
    _name_those_at_work(settings, console)
    return lab.return_code or ExitStatus.COMPLETE


def print_keys(settings: Settings, console: Console, *, as_json: bool) -> int:
    """Print every binding of the lab: its id, its present keys, what it does; the exit status.

    Raises AefitError where a settings file has a key that is not possible.
    """
    with loading():
        from core.report.tables.text import align  # noqa: PLC0415
        from tui_aefit.lab.app import Lab  # noqa: PLC0415  # as above
        from tui_aefit.lab.keys import every_binding, keymap  # noqa: PLC0415

    changed = keymap(settings.keys, Lab)
    bindings = every_binding(Lab)
    keys = {name: changed.get(name) or ",".join(bound.keys) for name, bound in bindings.items()}
    if as_json:
        console.result_json(
            {
                name: {
                    "key": keys[name],
                    "source": settings.keys[name].source if name in changed else "default",
                    "about": bound.binding.tooltip,
                }
                for name, bound in bindings.items()
            }
        )
        return ExitStatus.COMPLETE
    rows = [(name, keys[name], bound.binding.tooltip) for name, bound in bindings.items()]
    console.result(align([("name", "key", "what it does"), *rows], left=(0, 1, 2)))
    return ExitStatus.COMPLETE


def _found(home: Path, name: str) -> Experiment:
    """The experiment that `name` means, see `core.records.home.find`. Raises ExperimentError."""
    with loading():
        from core.records.home import find  # noqa: PLC0415  # reads records: the form waits for none of it

    return find(home, name)


def _name_those_at_work(settings: Settings, console: Console) -> None:
    """Say how to come back to each experiment that is being computed."""
    with loading():
        from tui_aefit.following.home import at_work  # noqa: PLC0415  # as below

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
