"""What a screen can do with an experiment on disk; each deed gives the sentence that tells what came of it."""

from __future__ import annotations

import json
from dataclasses import replace

from core.errors import AefitError, ExperimentError
from core.records.annotations import read_annotations, write_annotations
from core.records.experiment import Experiment
from core.records.files import write_atomically
from core.report.long_table import long_csv
from core.report.result import result_of

EXPORTS = "exports"
"""The folder, in an experiment's own, that exports are written to."""


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
    folder = experiment.folder / EXPORTS
    try:
        result = result_of(experiment.state())
        texts = {"json": json.dumps(result, indent=2, allow_nan=False) + "\n", "csv": long_csv(result)}
        folder.mkdir(exist_ok=True)
        for suffix, text in texts.items():
            write_atomically(folder / f"{experiment.id}.{suffix}", text)
    except OSError as error:
        raise ExperimentError(f"cannot export {experiment.id}: {error.strerror}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Its files are JSON, but not what this version writes.
        raise ExperimentError(f"cannot export {experiment.id}: its results lack {error}") from error
    return f"wrote {experiment.id}.json and .csv to {folder}"
