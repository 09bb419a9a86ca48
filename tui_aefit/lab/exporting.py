"""Writing an experiment's files from the lab. Loads what makes the texts, which the first picture does not need."""

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
"""The folder, in a home, that comparisons are written to."""
COMPARED_TABLES: tuple[TableName, ...] = ("summary", "claims")
"""The long tables of a comparison."""
STUDY_CSV: tuple[StudyTable, ...] = ("cells", "changes", "claims", "summary", "tests", "accuracy")
"""The tables that a study is written as."""


def title_of(choice: str) -> str:
    """The title of one of CHOICES."""
    return CHOICES[choice].name


def title_if_slow(choice: str) -> str:
    """The title of one of CHOICES that needs a process which loads the heavy libraries; "" of the others."""
    chosen = CHOICES[choice]
    return "" if all(file.form in TEXTS for file in chosen.files) else chosen.name


def export(experiment: Experiment, choice: str) -> str:
    """Write the files of one of CHOICES into the experiment's exports; what to say of it.

    A file that cannot be made keeps no other from being written. Raises ExperimentError that says both.
    """
    # Read once for the texts. A process that draws reads for itself: while runs go on, it may know one more.
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
        # What concerns all has one reason; where every file has its own, they are much the same.
        raise ExperimentError(first if len(missing) == 1 else f"nothing was written: {first}", hint)
    lacks = "; not ".join(f"{_list(experiment, names)}: {reason}" for (reason, _), names in missing.items())
    raise ExperimentError(f"{done}, but not {lacks}", hint)


def export_comparison(home: Path, compared: Sequence[Compared]) -> str:
    """Write a comparison of experiments of a home as CSV and LaTeX; what to say of it. Raises ExperimentError."""
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
    """Write the tables of a study, a figure and a page on it into its folder; what to say of it.

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
    """File names in one line: after the first, only what differs."""
    return ", ".join([*names[:1], *(name.removeprefix(experiment.id) for name in names[1:])])
