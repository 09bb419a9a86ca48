"""What a screen can do with an experiment on disk; each deed gives the sentence that tells what came of it."""

from __future__ import annotations

from dataclasses import replace

from core.errors import AefitError, ExperimentError
from core.records.annotations import read_annotations, write_annotations
from core.records.experiment import Experiment
from core.report.output import write_output
from core.report.result import result_of
from tui_aefit.publications import default_path, publish, text_of


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


def export(experiment: Experiment) -> str:
    """Write `ID.json` and `ID.csv` into the experiment's exports; what to tell. Raises ExperimentError."""
    try:
        result = result_of(experiment.state())
        texts = {form: text_of(result, form) for form in ("json", "csv")}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Its files are JSON, but not what this version writes.
        raise ExperimentError(f"cannot export {experiment.id}: its results lack {error}") from error
    for form, text in texts.items():
        path = default_path(experiment, form)
        write_output(path, text.encode())
    return f"wrote {experiment.id}.json and .csv to {path.parent}"


def report(experiment: Experiment) -> str:
    """Write `ID.html` into the experiment's exports; what to tell. Raises ExperimentError."""
    path = default_path(experiment, "html")
    publish(experiment, "html", path)
    return f"wrote {path}"
