"""The sub-command `compare`: experiments side by side, and by how much every two of them differ."""

from __future__ import annotations

from pathlib import Path

from core.errors import AefitError, ExperimentError
from core.files.exit_status import ExitStatus
from core.files.output import write_output
from core.records.annotations import read_annotations
from core.records.experiment import Experiment
from core.records.home import find
from core.records.state import read_state
from core.report.comparison import Compared, names
from core.report.formats import WIDTH, TableName
from core.report.result import result_of
from core.report.tables.compared import comparison_json, comparison_text
from core.report.tables.comparison import comparison_latex, differences_csv, long_csv_of, settings_csv
from tui_aefit.shell.console import Console
from tui_aefit.shell.settings import Settings
from tui_aefit.shell.subcommands import Options

LABEL = "comparison"
"""The prefix of the LaTeX tables' labels: `tab:comparison-claims`."""


def compare(options: Options, settings: Settings, console: Console) -> int:
    """Print a comparison of experiments, or write it to a file. Raises AefitError."""
    form, table = options.get("format"), options.get("table")
    if options.get("as_json") and form is not None:
        raise AefitError(f"--json and --format {form} exclude each other", "leave one of them out")
    if table is not None and form != "csv":
        raise AefitError(
            f"--table is of --format csv, not of {form or 'text'}", f"--format csv --table {table}"
        )
    experiments = list(
        {found.id: found for found in (find(settings.home, name) for name in options.get("ids", []))}.values()
    )
    if len(experiments) < 2:
        alone = f", not {experiments[0].id} alone" if experiments else ""
        raise AefitError(
            f"a comparison takes two experiments or more{alone}",
            "aefit-tui compare ID ID, with ids that `aefit-tui list` shows",
        )
    compared = _read(experiments)
    if options.get("as_json"):
        text = comparison_json(compared)
    elif form == "latex":
        text = comparison_latex(compared, LABEL)
    elif form == "csv":
        text = _csv(compared, table or "claims")
    else:
        text = comparison_text(compared, options.get("width") or console.width or WIDTH)
    output = options.get("output", "-")
    if output == "-":
        console.result(text)
    else:
        write_output(Path(output), text.encode())
        console.narrate(f"wrote {output}")
    return ExitStatus.COMPLETE


def _csv(compared: list[Compared], table: str) -> str:
    if table == "settings":
        return settings_csv(compared)
    if table == "differences":
        return differences_csv(compared)
    long: TableName = table  # type: ignore[assignment]  # the grammar offers no other
    return long_csv_of(compared, long)


def _read(experiments: list[Experiment]) -> list[Compared]:
    try:
        results = [result_of(read_state(one)) for one in experiments]
    except OSError as error:
        raise ExperimentError(f"cannot be compared: {error.strerror or error}") from error
    labels = [read_annotations(one.folder)[0].label for one in experiments]
    called = names([one.id for one in experiments], labels, [one.spec for one in experiments])
    return [Compared(name, result) for name, result in zip(called, results, strict=True)]
