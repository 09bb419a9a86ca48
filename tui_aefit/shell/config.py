"""The sub-command `config`: every setting with its value and where it came from; the keys of the lab."""

from __future__ import annotations

from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.report.tables.text import align
from tui_aefit.lab.opening import print_keys
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import KEYS, Settings
from tui_aefit.shell.subcommands import Options


def config(options: Options, settings: Settings, console: Console) -> int:
    """Print the settings or the keys; the exit status. Raises AefitError for a key that is not possible."""
    if options["action"] == "keys":
        return print_keys(settings, console, as_json=options.get("as_json", False))
    return show_settings(options, settings, console)


def show_settings(options: Options, settings: Settings, console: Console) -> int:
    """Print all settings, even where one is wrong: the exit status is then REFUSED."""
    status: int = ExitStatus.COMPLETE
    try:
        shown = settings.shown()
    except AefitError as error:
        # To mend it, a person needs to know where each value is from.
        shown, status = settings.as_set(), console.refuse(error)
    keys = {f"{KEYS}.{name}": found for name, found in settings.keys.items()}
    if options.get("as_json"):
        console.result_json(
            {
                name: {"value": found.value, "source": found.source}
                for name, found in {**shown, **keys}.items()
            }
        )
    else:
        rows = [
            (name, _describe_value(found.value, settings.declared[name].default_text), found.source)
            for name, found in shown.items()
        ]
        rows += [(name, str(found.value), found.source) for name, found in keys.items()]
        console.result(align([("setting", "value", "source"), *rows], left=(0, 1, 2)))
    return status


def _describe_value(value: object, default: str) -> str:
    """A setting's value in words. default: the words for None."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return default if value is None else str(value)
