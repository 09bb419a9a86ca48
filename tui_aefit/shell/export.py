"""The sub-commands `export` and `report`, which write files on an experiment."""

from __future__ import annotations

import sys
from pathlib import Path

from core.errors import AefitError
from core.files.exit_status import ExitStatus
from core.files.output import is_standard_output, write_output
from core.records.experiment import Experiment
from core.records.home import find
from core.records.state import read_state
from core.report.formats import FIGURE_FORMATS, FIGURES, SET_FORMATS, TABLE_FORMATS, TEXTS
from core.report.result import result_of
from core.report.selection import names_in
from tui_aefit.shell.console import Console
from tui_aefit.shell.publications import default_path, publish, text_of
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options


def export(options: Options, settings: Settings, console: Console) -> int:
    """Write the result of an experiment, or a figure of it. Raises AefitError."""
    form, table, figure = options["format"], options.get("table"), options.get("figure")
    if options.get("as_json") and form != "json":
        raise AefitError(f"--json and --format {form} exclude each other", "leave one of them out")
    _check_export(form, table, figure, options.get("sets"))
    experiment = find(settings.home, options["id"])
    if form in TEXTS:
        text = text_of(result_of(read_state(experiment)), form, table, names_in(options.get("sets", "")))
        output = options.get("output", "-")
        if output == "-":
            console.result(text)
        else:
            write_output(Path(output), text.encode())
            console.narrate(f"wrote {output}")
        return ExitStatus.COMPLETE
    chosen = {"table": table, "figure": figure, "sets": options.get("sets")}
    given = {name: value for name, value in chosen.items() if value is not None}
    return _publish(
        experiment, form, options.get("output"), console, part=figure or table or "accuracy", **given
    )


def _check_export(form: str, table: str | None, figure: str | None, sets: str | None) -> None:
    """Raises AefitError where the options do not belong together."""
    if form in FIGURE_FORMATS and figure is None:
        raise AefitError("which figure?", f"--format {form} --figure with one of {', '.join(FIGURES)}")
    if figure is not None and form not in FIGURE_FORMATS:
        raise AefitError(
            f"--format {form} has no --figure", f"choose one of {', '.join(FIGURE_FORMATS)} with --format"
        )
    if sets is not None and form not in SET_FORMATS:
        raise AefitError(
            f"--format {form} has no --sets", f"choose one of {', '.join(SET_FORMATS)} with --format"
        )
    if table is not None and form not in TABLE_FORMATS:
        raise AefitError(
            f"--format {form} has no --table",
            f"choose one of {', '.join(TABLE_FORMATS)} with --format",
        )


def report(options: Options, settings: Settings, console: Console) -> int:
    """Write the HTML page on an experiment. Raises AefitError."""
    told = {"paths": "absolute"} if options.get("paths") else {}
    return _publish(find(settings.home, options["id"]), "html", options.get("output"), console, **told)


def _publish(
    experiment: Experiment, form: str, output: str | None, console: Console, *, part: str = "", **chosen: str
) -> int:
    """Write a publication that no terminal can show, and print its path, unless it is an export to a given path."""
    if is_standard_output(output):
        if sys.stdout.isatty():
            raise AefitError(f"a terminal cannot show {form}", "give a file to --output, or a pipe")
        publish(experiment, form, None, **chosen)
        return ExitStatus.COMPLETE
    path = default_path(experiment, form, part) if output is None else Path(output).absolute()
    publish(experiment, form, path, **chosen)
    if output is None or form == "html":
        console.result(str(path))
    else:
        console.narrate(f"wrote {output}")
    return ExitStatus.COMPLETE
