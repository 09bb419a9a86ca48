"""Writes files of experiments, comparisons and studies from the lab. Imported on demand, for it loads much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from core.declarations.lazy import hashlib
from core.errors import AefitError, ExperimentError, StudyError
from core.files.folders import own_file
from core.files.output import write_output
from core.records.experiment import Experiment
from core.records.state import read_state
from core.records.study import Study
from core.report.comparison import Compared
from core.report.formats import STUDY_QUANTITY, TEXTS, StudyTable, TableName
from core.report.result import Result, result_of
from core.report.study.latex import study_latex
from core.report.study.result import study_result
from core.report.study.tables import study_csv
from core.report.tables.comparison import comparison_latex, long_csv_of, settings_csv
from tui_aefit.shell.publications import (
    CHOICES,
    EXPORTS,
    Publication,
    default_path,
    file_name,
    own_export,
    publish,
    publish_folder,
    text_of,
)

COMPARISONS = "comparisons"
"""The folder, in a home, for exports of comparisons."""
COMPARED_TABLES: tuple[TableName, ...] = ("summary", "claims")
"""The long tables of a comparison."""
STUDY_CSV: tuple[StudyTable, ...] = ("cells", "changes", "claims", "summary", "tests", "accuracy")
"""The tables that an export of a study has as CSV."""


def title_of(choice: str) -> str:
    """The title of one of CHOICES."""
    return CHOICES[choice].name


def title_if_slow(choice: str) -> str:
    """The title of one of CHOICES if it needs a process that loads the heavy libraries, else ""."""
    chosen = CHOICES[choice]
    return "" if all(file.form in TEXTS for file in chosen.files) else chosen.name


def export(experiment: Experiment, choice: str) -> str:
    """Write the files of one of CHOICES into the experiment's exports; a sentence on what was written where.

    Goes on after a file that cannot be made. Raises ExperimentError then, which says what was written, too.
    """
    # Read once for the texts. A process that draws reads again: while runs go on, it may find one more.
    result = cache(lambda: _read(experiment))
    written: list[str] = []
    missing: dict[tuple[str, str], list[str]] = {}
    for file in CHOICES[choice].files:
        name = file_name(experiment, file.form, file.part)
        try:
            _write(experiment, file, result)
            written.append(name)
        except AefitError as error:
            missing.setdefault((str(error), error.hint), []).append(name)
    done = f"wrote {_list(experiment, written)} to {experiment.folder / EXPORTS}"
    if not missing:
        return done
    (first, hint), *_ = missing
    if not written:
        # One reason may hold for all files; where each has its own, they are much the same.
        raise ExperimentError(first if len(missing) == 1 else f"nothing was written: {first}", hint)
    lacks = "; not ".join(f"{_list(experiment, names)}: {reason}" for (reason, _), names in missing.items())
    raise ExperimentError(f"{done}, but not {lacks}", hint)


def export_comparison(home: Path, compared: Sequence[Compared]) -> str:
    """Write a comparison as CSV and LaTeX; a sentence on what was written where. Raises ExperimentError."""
    ids = sorted(one.result.id for one in compared)
    name = f"compare-{hashlib.sha256(' '.join(ids).encode()).hexdigest()[:8]}"
    texts = {
        f"{name}.tex": comparison_latex(compared, name),
        f"{name}-settings.csv": settings_csv(compared),
        **{f"{name}-{table}.csv": long_csv_of(compared, table) for table in COMPARED_TABLES},
    }
    folder = home / COMPARISONS
    try:
        places = {own_file(folder, file): text for file, text in texts.items()}
    except OSError as error:
        raise ExperimentError(
            f"cannot export a comparison into {folder}: {error.strerror}", "make the home writable"
        ) from error
    for place, text in places.items():
        write_output(place, text.encode())
    first, *others = texts
    return f"wrote {', '.join([first, *(one.removeprefix(name) for one in others)])} to {folder}"


def export_study(study: Study) -> str:
    """Write tables, a figure and a page of a study into its exports; a sentence on what was written where.

    Raises AefitError.
    """
    try:
        result = study_result(study)
        texts = {f"{table}.csv": study_csv(study, result, table) for table in STUDY_CSV}
        texts["tables.tex"] = study_latex(study, result, None)
    except OSError as error:
        raise StudyError(f"cannot read {study.name}: {error.strerror or error}") from error
    if not any(cell.complete for cell in result.cells):
        raise StudyError(f"nothing of {study.name} is there yet", "have it computed: r")
    for name, text in texts.items():
        write_output(own_export(study.folder, f"{study.name}-{name}"), text.encode())
    figure, page = f"{study.name}-{STUDY_QUANTITY}.svg", f"{study.name}.html"
    publish_folder(study.folder, "svg", own_export(study.folder, figure), figure="curve")
    publish_folder(study.folder, "html", own_export(study.folder, page))
    names = ", ".join(f"-{name}" for name in texts)
    return f"wrote {page}, {figure}, {names} to {study.folder / EXPORTS}"


def _read(experiment: Experiment) -> Result:
    try:
        return result_of(read_state(experiment))
    except OSError as error:
        raise ExperimentError(f"cannot read {experiment.id}: {error.strerror or error}") from error


def _write(experiment: Experiment, file: Publication, result: Callable[[], Result]) -> None:
    path = default_path(experiment, file.form, file.part)
    if file.form in TEXTS:
        write_output(path, text_of(result(), file.form, file.table).encode())
        return
    chosen = {"table": file.table, "figure": file.figure}
    publish(experiment, file.form, path, **{name: value for name, value in chosen.items() if value})


def _list(experiment: Experiment, names: Sequence[str]) -> str:
    """File names in one line: after the first, without the id that they begin with."""
    return ", ".join([*names[:1], *(name.removeprefix(experiment.id) for name in names[1:])])
