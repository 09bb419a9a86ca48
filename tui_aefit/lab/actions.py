"""What a screen can do with an experiment on disk; each gives the sentence that says what came of it."""

from __future__ import annotations

from dataclasses import replace

from core.records.annotations import read_annotations, write_annotations
from core.records.experiment import Experiment
from core.records.home import delete_experiment
from tui_aefit.following.stopping import request_stop


def stop(experiment: Experiment) -> str:
    """Ask the coordinator of an experiment to stop. Raises ExperimentError."""
    request_stop(experiment)
    return f"{experiment.id} was asked to stop"


def delete(experiment: Experiment) -> str:
    """Delete an experiment. Raises ExperimentError."""
    delete_experiment(experiment.folder)
    return f"deleted {experiment.id}"


def label(experiment: Experiment, text: str) -> str:
    """Label an experiment; tags and notes stay. Raises ExperimentError."""
    annotations = replace(read_annotations(experiment.folder)[0], label=text)
    write_annotations(experiment.folder, annotations)
    return (
        f"{experiment.id} is labelled {annotations.label}"
        if annotations.label
        else f"{experiment.id} has no label"
    )
