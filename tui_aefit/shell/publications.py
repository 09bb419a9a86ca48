"""Publishes results: texts are made here, all else by a child process that may load the heavy libraries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from core.errors import ExperimentError
from core.files.exit_status import ExitStatus
from core.files.folders import own_file
from core.files.output import handed_on
from core.records.experiment import Experiment
from core.report.formats import FIGURE_FORMATS, TABLES, FigureName, TableName
from core.report.refusal import refusal_in
from core.report.result import Result
from core.report.tables.latex import latex
from core.report.tables.long import long_csv
from tui_aefit.shell.console import OutputError

EXPORTS = "exports"
"""The folder for exports, in the folder of an experiment or a study."""
LONGEST_SECONDS = 600
"""After how many seconds a publishing process is given up; usually it takes a few."""
SUFFIXES = {"latex": "tex"}
"""Format -> suffix of its files, where that is not the format's name."""


@dataclass(frozen=True)
class Publication:
    """One file to publish. form: its format. table, figure: what is in it, where the format leaves a choice."""

    form: str
    table: TableName | None = None
    figure: FigureName | None = None

    @property
    def part(self) -> str:
        """The figure or table, for the file's name; "" where the file has the whole result."""
        return self.figure or self.table or ""


@dataclass(frozen=True)
class Choice:
    """One entry of the export screen, which makes one file or several. about: what it is, in a few words."""

    name: str
    about: str
    files: tuple[Publication, ...]


def _drawn(figure: FigureName) -> tuple[Publication, ...]:
    return tuple(Publication(form, figure=figure) for form in FIGURE_FORMATS)


_SINGLE = {
    "json": Choice("JSON", "the whole result", (Publication("json"),)),
    "csv": Choice("CSV", f"{len(TABLES)} tables, a file each", tuple(Publication("csv", t) for t in TABLES)),
    "parquet": Choice("Parquet", "the same tables", tuple(Publication("parquet", t) for t in TABLES)),
    "latex": Choice("LaTeX", "tables for a paper", (Publication("latex"),)),
    "accuracy": Choice("Accuracy figure", "PDF, SVG, PNG; the paper's Figures 5, 6", _drawn("accuracy")),
    "p-values": Choice("p-value figure", "PDF, SVG, PNG; the paper's Figures 7, 8", _drawn("p-values")),
    "gallery": Choice("Gallery figure", "PDF, SVG, PNG; the paper's Figure 4", _drawn("gallery")),
    "crossfit": Choice("Cross-fit figure", "PDF, SVG, PNG; what decides", _drawn("crossfit")),
    "report": Choice("HTML report", "one page to read and print", (Publication("html"),)),
}
_ALL = tuple(chain.from_iterable(choice.files for choice in _SINGLE.values()))
CHOICES = {
    **{name: choice for name, choice in _SINGLE.items() if name != "crossfit"},
    "everything": Choice("Everything", f"{len(_ALL)} files", _ALL),
    "crossfit": _SINGLE["crossfit"],
}
"""Name -> entry of the export screen; its key is the digit of its place, 0 for the tenth."""


def text_of(
    result: Result, form: str, table: TableName | None = None, sets: Collection[str] | None = None
) -> str:
    """A result as json, csv or latex.

    table: for csv by default "accuracy", for latex by default all. sets: for latex, by default all.
    Raises ExperimentError for a table or set that latex does not have.
    """
    if form == "csv":
        return long_csv(result, table or "accuracy")
    if form == "latex":
        return latex(result, table, sets)
    return result.to_text()


def file_name(experiment: Experiment, form: str, part: str = "") -> str:
    """The default name of a publication's file. part: the figure or table in it, "" for the whole result."""
    return f"{experiment.id}{'-' * bool(part)}{part}.{SUFFIXES.get(form, form)}"


def default_path(experiment: Experiment, form: str, part: str = "") -> Path:
    """The default path of a publication, in the experiment's exports; their folder is made.

    part: as `file_name` takes it. Raises ExperimentError where the folder cannot be made or is a link, or where a
    pipe or a device has the path.
    """
    return own_export(experiment.folder, file_name(experiment, form, part))


def own_export(folder: Path, name: str) -> Path:
    """The path of a file in the exports of an experiment's or a study's folder; the exports' folder is made.

    Raises ExperimentError as `default_path` does.
    """
    exports = folder / EXPORTS
    try:
        return own_file(exports, name)
    except OSError as error:
        raise ExperimentError(
            f"cannot export {folder.name} into {exports}: {error.strerror}",
            "on the command line, --output FILE writes elsewhere",
        ) from error


def publish(experiment: Experiment, form: str, output: Path | None, **options: str) -> None:
    """`publish_folder` for an experiment."""
    publish_folder(experiment.folder, form, output, **options)


def publish_folder(folder: Path, form: str, output: Path | None, **options: str) -> None:
    """Have `python -m core.report` make a publication and write it to `output`, None for standard output.

    folder: of an experiment or a study. form: html, parquet, or the format of a figure. options: `table`, `figure`,
    `sets`, `paths`, and for a study `quantity` and `axis`, as that module takes them.
    Raises ExperimentError where it cannot be made or written, OutputError where standard output is closed or full,
    BrokenPipeError where its reader has left.
    """
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-P", "-m", "core.report", str(folder), "--format", form, *words, "--"]
    try:
        with handed_on(output) if output is not None else nullcontext(("-", ())) as (target, passed):
            done = subprocess.run(
                [*command, str(target)],
                stdin=subprocess.DEVNULL,
                stdout=None if output is None else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                text=True,
                errors="replace",
                check=False,
                timeout=LONGEST_SECONDS,
                # A notebook's MPLBACKEND may name a library that is not installed here.
                env={**os.environ, "MPLBACKEND": "agg"},
            )
    except OSError as error:
        raise ExperimentError(
            f"cannot publish {folder.name}: no process can be started: {error.strerror or error}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ExperimentError(
            f"cannot publish {folder.name}: the process that should took more than {LONGEST_SECONDS} seconds",
            "see whether the machine or its disk is overloaded, and try again",
        ) from error
    refusal = refusal_in(done.stderr)
    if done.returncode == ExitStatus.REFUSED and refusal is not None:
        raise ExperimentError(refusal.error, refusal.hint)
    if done.returncode == ExitStatus.FAILED and refusal is not None:
        raise OutputError(refusal.error)
    if done.returncode == 128 + signal.SIGPIPE:
        raise BrokenPipeError
    if done.returncode != 0:
        raise ExperimentError(
            f"cannot publish {folder.name}: the process that should ended with status {done.returncode}",
            done.stderr.strip()[-2000:],
        )
