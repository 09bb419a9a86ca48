"""Publications that need heavy libraries: `python -P -m core.report FOLDER OUTPUT --format ...` writes one file.

The light terminal program starts it as a process of its own. OUTPUT "-" is standard output. A person's mistake is
told on standard error as one JSON object with `error` and `hint`, and the exit status is 2.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from core.errors import AefitError, ExperimentError
from core.files.output import write_output
from core.files.streams import EXIT_REFUSED
from core.records.experiment import Experiment, load
from core.report.chosen import names_in
from core.report.figures.curves import accuracy_figure, p_value_figure, render
from core.report.figures.images import first_galleries, galleries_or_reasons, gallery_figure, rows_of
from core.report.formats import FIGURE_FORMATS, FIGURES, TABLES
from core.report.page.document import PICTURED, report_html
from core.report.result import result_of
from core.report.tables.parquet import long_parquet


def publication(experiment: Experiment, options: argparse.Namespace) -> bytes:
    """The file that the options ask for. Raises AefitError."""
    try:
        if options.format not in FIGURE_FORMATS or options.figure != "gallery":
            result = result_of(experiment.state())
        if options.format == "html":
            return report_html(result, galleries_or_reasons(experiment, PICTURED)).encode()
        if options.format == "parquet":
            return long_parquet(result, options.table)
        sets = names_in(options.sets)
        if options.figure == "gallery":
            drawn = gallery_figure(rows_of(first_galleries(experiment, sets or ["adversarial"])))
        else:
            drawn = (accuracy_figure if options.figure == "accuracy" else p_value_figure)(result, sets)
        return render(drawn, options.format)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # Its files are JSON, but not what this version writes.
        raise ExperimentError(f"cannot publish {experiment.id}: its results lack {error}") from error


def main(words: list[str]) -> int:
    """Write one file; the exit status."""
    parser = argparse.ArgumentParser(prog="python -P -m core.report")
    parser.add_argument("folder", type=Path)
    parser.add_argument("output")
    parser.add_argument("--format", choices=("html", "parquet", *FIGURE_FORMATS), required=True)
    parser.add_argument("--table", choices=TABLES, default="accuracy")
    parser.add_argument("--figure", choices=FIGURES, default="accuracy")
    parser.add_argument("--sets", default="")
    options = parser.parse_args(words)
    try:
        content = publication(load(options.folder), options)
        if options.output == "-":
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        else:
            write_output(Path(options.output), content)
    except BrokenPipeError:
        # Whoever read it has left; Python would try to write the rest when it leaves.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except AefitError as error:
        sys.stderr.write(json.dumps({"error": str(error), "hint": error.hint}) + "\n")
        return EXIT_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
