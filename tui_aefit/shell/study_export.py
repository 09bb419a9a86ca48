"""The sub-commands `study export` and `study report`, which write files on a study."""

from __future__ import annotations

import sys
from pathlib import Path

from core.errors import AefitError, StudyError
from core.files.exit_status import ExitStatus
from core.files.output import is_standard_output, write_output
from core.records.study import Study, find_study
from core.report.formats import FIGURE_FORMATS, STUDY_FIGURES, TABLE_FORMATS, TEXTS, StudyTable
from core.report.study.latex import study_latex
from core.report.study.result import study_result
from core.report.study.tables import study_csv
from tui_aefit.shell.console import Console
from tui_aefit.shell.publications import SUFFIXES, own_export, publish_folder
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options

OF_FIGURES = ("figure", "quantity", "axis", "sets")


def export(options: Options, settings: Settings, console: Console) -> int:
    """Write a study's results, or a figure of them. Raises AefitError."""
    form, table, figure = options.get("format", "json"), options.get("table"), options.get("figure")
    if options.get("as_json") and form != "json":
        raise AefitError(f"--json and --format {form} exclude each other", "leave one of them out")
    _check(form, options)
    study = find_study(settings.home, options["name"])
    if form in TEXTS:
        text = _text(study, form, table)
        output = options.get("output", "-")
        if output == "-":
            console.result(text)
        else:
            write_output(Path(output), text.encode())
            console.narrate(f"wrote {output}")
        return ExitStatus.COMPLETE
    given = {name: options[name] for name in ("table", *OF_FIGURES) if options.get(name) is not None}
    part = "-".join(filter(None, (options.get("quantity"), figure or table or "cells"))).replace("@", "-")
    return _publish(study, form, options.get("output"), console, part, **given)


def report(options: Options, settings: Settings, console: Console) -> int:
    """Write the HTML page on a study. Raises AefitError."""
    study = find_study(settings.home, options["name"])
    return _publish(study, "html", options.get("output"), console, "")


def _check(form: str, options: Options) -> None:
    """Raises AefitError where the options do not belong together."""
    if form in FIGURE_FORMATS and options.get("figure") is None:
        raise AefitError("which figure?", f"--format {form} --figure with one of {', '.join(STUDY_FIGURES)}")
    for name in OF_FIGURES:
        if form not in FIGURE_FORMATS and options.get(name) is not None:
            raise AefitError(
                f"--format {form} has no --{name}", f"choose one of {', '.join(FIGURE_FORMATS)} with --format"
            )
    if options.get("table") is not None and form not in TABLE_FORMATS:
        raise AefitError(
            f"--format {form} has no --table", f"choose one of {', '.join(TABLE_FORMATS)} with --format"
        )


def _text(study: Study, form: str, table: StudyTable | None) -> str:
    try:
        result = study_result(study)
        if form == "csv":
            return study_csv(study, result, table or "cells")
        return study_latex(study, result, table) if form == "latex" else result.to_text()
    except OSError as error:
        raise StudyError(f"cannot read {study.name}: {error.strerror or error}") from error


def _publish(study: Study, form: str, output: str | None, console: Console, part: str, **chosen: str) -> int:
    """Write a publication that no terminal can show, and print its path, unless it is an export to a given path."""
    if is_standard_output(output):
        if sys.stdout.isatty():
            raise AefitError(f"a terminal cannot show {form}", "give a file to --output, or a pipe")
        publish_folder(study.folder, form, None, **chosen)
        return ExitStatus.COMPLETE
    if output is None:
        name = f"{study.name}{'-' * bool(part)}{part}.{SUFFIXES.get(form, form)}"
        path = own_export(study.folder, name)
    else:
        path = Path(output).absolute()
    publish_folder(study.folder, form, path, **chosen)
    if output is None or form == "html":
        console.result(str(path))
    else:
        console.narrate(f"wrote {output}")
    return ExitStatus.COMPLETE
