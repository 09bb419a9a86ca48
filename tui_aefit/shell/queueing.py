"""The sub-command `queue`: who computes in a home or waits to, and in which order."""

from __future__ import annotations

from core.errors import AefitError, ExperimentError
from core.files.exit_status import ExitStatus
from core.records.home import find_folder
from core.records.queue import Queued, hurry, move, read_queue
from core.report.formatting import moment
from core.report.tables.text import align
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options

NOW = "now"
STEPS = {"up": -1, "down": 1, "first": -10_000, "last": 10_000}


def queue(options: Options, settings: Settings, console: Console) -> int:
    """Change the queue as asked for, then print it. Raises AefitError."""
    action, word = options["action"], options.get("id")
    home = settings.certain_home()
    if action == "list":
        if word is not None:
            raise AefitError(f"`queue list` takes no id, and {word!r} was given", "aefit-tui queue list")
    elif word is None:
        raise AefitError(f"`queue {action}` of which experiment?", f"aefit-tui queue {action} ID")
    else:
        identity = find_folder(home, word).name
        try:
            moved = hurry(home, identity) if action == NOW else move(home, identity, STEPS[action])
        except OSError as error:
            raise ExperimentError(f"cannot change the queue: {error.strerror}") from error
        if not moved:
            raise ExperimentError(
                f"{identity} is not in the queue of this machine", "`aefit-tui queue list` shows who is"
            )
    _print(settings, console, as_json=options.get("as_json", False))
    return ExitStatus.COMPLETE


def _print(settings: Settings, console: Console, *, as_json: bool) -> None:
    found = read_queue(settings.certain_home())
    if as_json:
        console.result_json(
            [
                {
                    "id": one.ticket.experiment,
                    "study": one.ticket.study or None,
                    "waiting": one.waiting,
                    "processors": one.ticket.using,
                    "wanted": one.ticket.wanted,
                    "now": one.ticket.at_once,
                }
                for one in found
            ]
        )
        return
    if not found:
        console.narrate("nothing is computed here, and nothing waits")
        return
    rows = [
        [
            str(place), one.ticket.experiment, _doing(one), str(one.ticket.using),
            str(one.ticket.wanted), moment(one.ticket.since, "%H:%M"), one.ticket.study,
        ]
        for place, one in enumerate(found, start=1)
    ]  # fmt: skip
    header = ["", "id", "", "processors", "wanted", "since", "study"]
    console.result(align([header, *rows], console.width, left=(1, 2, 6)))


def _doing(one: Queued) -> str:
    """What an experiment in the queue does, in words: "waits", "computes (now)"."""
    return ("waits" if one.waiting else "computes") + (" (now)" if one.ticket.at_once else "")
