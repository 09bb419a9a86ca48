"""Publications that need heavy libraries: `python -P -m core.report FOLDER OUTPUT --format ...` writes one file.

FOLDER is an experiment's or a study's. The light terminal program starts it as a process of its own. OUTPUT "-" is
standard output. A person's mistake is told on standard error as one JSON object, see `core.report.refusal`, and the
exit status is 2; so is an output that is closed or full, with status 1.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from core.errors import AefitError, StudyError
from core.files.channels import forget
from core.files.exit_status import ExitStatus
from core.files.output import write_output
from core.records.experiment import Experiment, load
from core.records.state import read_state
from core.records.study import STUDY_FILE, Study, load_study
from core.report.columnar.parquet import long_parquet, study_parquet
from core.report.figures.curves import accuracy_figure, crossfit_figure, p_value_figure, render
from core.report.figures.images import first_galleries, galleries_or_reasons, gallery_figure, rows_of
from core.report.figures.study import curve_figure, heatmap_figure
from core.report.formats import FIGURE_FORMATS, FIGURES, STUDY_FIGURES, STUDY_QUANTITY, STUDY_TABLES
from core.report.page.document import pictured_sets, report_html
from core.report.page.study import study_html
from core.report.places import without_folders, without_places
from core.report.refusal import refusal_line
from core.report.result import result_of
from core.report.selection import names_in
from core.report.study.measures import chosen_keys
from core.report.study.result import study_result
from core.report.study.tables import study_long


def publication(experiment: Experiment, options: argparse.Namespace) -> bytes:
    """The file that the options ask for. Raises AefitError."""
    sets = names_in(options.sets)
    if options.format in FIGURE_FORMATS and options.figure == "gallery":
        galleries = first_galleries(experiment, sets or ["adversarial"])
        return render(gallery_figure(rows_of(galleries)), options.format)
    result = result_of(read_state(experiment))
    if options.format == "html":
        images = galleries_or_reasons(experiment, pictured_sets(result.spec))
        if not options.paths:
            result = without_places(result)
            images = {
                name: without_folders(found) if isinstance(found, str) else found
                for name, found in images.items()
            }
        return report_html(result, images).encode()
    if options.format == "parquet":
        return long_parquet(result, options.table or "accuracy")
    draw = {"accuracy": accuracy_figure, "p-values": p_value_figure, "crossfit": crossfit_figure}
    return render(draw[options.figure](result, sets), options.format)


def study_publication(study: Study, options: argparse.Namespace) -> bytes:
    """The file of a study that the options ask for. Raises AefitError."""
    try:
        result = study_result(study)
        if options.format == "html":
            return study_html(study, result).encode()
        if options.format == "parquet":
            return study_parquet(study_long(study, result, options.table or "cells"), result.axes)
    except OSError as error:
        raise StudyError(f"cannot read {study.name}: {error.strerror or error}") from error
    keys = chosen_keys(options.quantity, names_in(options.sets), result)
    if options.figure == "curve":
        return render(curve_figure(result, keys, options.axis or None), options.format)
    if len(keys) > 1:
        raise StudyError("a heat map has one set", "name one with --sets, or choose --figure curve")
    return render(heatmap_figure(result, keys[0], options.axis or None), options.format)


def main(words: list[str]) -> int:
    """Write one file; the exit status."""
    parser = argparse.ArgumentParser(prog="python -P -m core.report")
    parser.add_argument("folder", type=Path)
    parser.add_argument("output")
    parser.add_argument("--format", choices=("html", "parquet", *FIGURE_FORMATS), required=True)
    parser.add_argument("--table", choices=STUDY_TABLES)
    parser.add_argument("--figure", choices=(*FIGURES, *STUDY_FIGURES), default="accuracy")
    parser.add_argument("--sets", default="")
    parser.add_argument("--quantity", default=STUDY_QUANTITY)
    parser.add_argument("--axis", default="")
    parser.add_argument(
        "--paths", choices=("", "absolute"), default="", help="what a page may tell of folders"
    )
    options = parser.parse_args(words)
    try:
        if (options.folder / STUDY_FILE).is_file():
            content = study_publication(load_study(options.folder), options)
        else:
            content = publication(load(options.folder), options)
        if options.output != "-":
            write_output(Path(options.output), content)
            return ExitStatus.COMPLETE
    except AefitError as error:
        sys.stderr.write(refusal_line(error))
        return ExitStatus.REFUSED
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read it has left; Python would try to write the rest when it leaves.
        forget(1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        sys.stderr.write(refusal_line(AefitError(f"the output cannot be written: {error.strerror}")))
        forget(1)
        return ExitStatus.FAILED
    return ExitStatus.COMPLETE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
