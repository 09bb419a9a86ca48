"""What a screen can do with an experiment on disk; each deed gives the sentence that tells what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from core.errors import AefitError, ExperimentError
from core.files.output import write_output
from core.records.annotations import read_annotations, write_annotations
from core.records.experiment import Experiment
from core.report.formats import TEXTS
from core.report.result import result_of
from tui_aefit.shell.publications import (
    CHOICES,
    EXPORTS,
    Publication,
    default_path,
    file_name,
    publish,
    text_of,
)


def told(error: AefitError) -> str:
    """An error with what to do about it."""
    return f"{error}; {error.hint}" if error.hint else str(error)


def stop(experiment: Experiment) -> str:
    """Ask the coordinator of an experiment to stop; what to tell. Raises ExperimentError."""
    try:
        if not experiment.running:
            raise ExperimentError(f"{experiment.id} is not running any more")
        experiment.cancel_file.touch()
    except OSError as error:
        raise ExperimentError(f"cannot ask {experiment.id} to stop: {error.strerror}") from error
    return f"{experiment.id} was asked to stop"


def delete(experiment: Experiment) -> str:
    """Delete an experiment; what to tell. Raises ExperimentError."""
    experiment.delete()
    return f"deleted {experiment.id}"


def label(experiment: Experiment, text: str) -> str:
    """Label an experiment, tags and notes stay; what to tell. Raises ExperimentError."""
    annotations = replace(read_annotations(experiment.folder)[0], label=text)
    write_annotations(experiment.folder, annotations)
    return (
        f"{experiment.id} is labelled {annotations.label}"
        if annotations.label
        else f"{experiment.id} has no label"
    )


def export(experiment: Experiment, choice: str) -> str:
    """Write the files of one of CHOICES into the experiment's exports; what to tell.

    A file that cannot be made keeps no other from being written. Raises ExperimentError that tells of both.
    """
    # Read once for the texts. A process that draws reads for itself: while runs go on, it may know one more.
    result = cache(lambda: result_of(experiment.state()))
    written: list[str] = []
    missing: dict[tuple[str, str], list[str]] = {}
    for file in CHOICES[choice].files:
        name = file_name(experiment, file.form, file.part)
        try:
            _write(experiment, file, result)
            written.append(name)
        except AefitError as error:
            missing.setdefault((str(error), error.hint), []).append(name)
    done = f"wrote {_listed(experiment, written)} to {experiment.folder / EXPORTS}"
    if not missing:
        return done
    (first, hint), *_ = missing
    if not written:
        # What concerns all has one reason; where every file has its own, they are much the same.
        raise ExperimentError(first if len(missing) == 1 else f"nothing was written: {first}", hint)
    lacks = "; not ".join(f"{_listed(experiment, names)}: {reason}" for (reason, _), names in missing.items())
    raise ExperimentError(f"{done}, but not {lacks}", hint)


def _write(experiment: Experiment, file: Publication, result: Callable[[], dict[str, Any]]) -> None:
    path = default_path(experiment, file.form, file.part)
    if file.form not in TEXTS:
        chosen = {"table": file.table, "figure": file.figure}
        publish(experiment, file.form, path, **{name: value for name, value in chosen.items() if value})
        return
    try:
        text = text_of(result(), file.form, file.table)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Its files are JSON, but not what this version writes.
        raise ExperimentError(f"cannot export {experiment.id}: its results lack {error}") from error
    except OSError as error:
        raise ExperimentError(f"cannot read {experiment.id}: {error.strerror or error}") from error
    write_output(path, text.encode())


def _listed(experiment: Experiment, names: Sequence[str]) -> str:
    """File names in one line: after the first, only what differs."""
    return ", ".join([*names[:1], *(name.removeprefix(experiment.id) for name in names[1:])])
