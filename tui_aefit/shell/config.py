"""The sub-command `config show`: every setting, its value and where it came from."""

from __future__ import annotations

from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.report.tables.text import align
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options


def show_settings(options: Options, settings: Settings, console: Console) -> int:
    """Print all settings, also where one is wrong; the exit status then says so."""
    status: int = ExitStatus.COMPLETE
    try:
        shown = settings.shown()
    except AefitError as error:
        # Where each value is from is what a person needs now.
        shown, status = settings.as_set(), console.refuse(error)
    if options.get("as_json"):
        console.result_json(
            {name: {"value": found.value, "source": found.source} for name, found in shown.items()}
        )
    else:
        rows = [
            (name, _describe_value(found.value, settings.declared[name].default_text), found.source)
            for name, found in shown.items()
        ]
        console.result(align([("setting", "value", "source"), *rows]))
    return status


def _describe_value(value: object, default: str) -> str:
    """A setting's value for a person. default: what stands for none, in words."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return default if value is None else str(value)
