"""Writing an experiment's files from the lab. Loads what makes the texts, which the first picture does not need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from core.errors import AefitError, ExperimentError
from core.files.output import write_output
from core.records.experiment import Experiment
from core.records.state import read_state
from core.report.formats import TEXTS
from core.report.result import Result, result_of
from tui_aefit.shell.publications import (
    CHOICES,
    EXPORTS,
    Publication,
    default_path,
    file_name,
    publish,
    text_of,
)


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
