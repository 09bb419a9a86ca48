"""The actions of screens on experiments on disk; each returns a sentence on its outcome for the person."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence

from core.errors import AefitError, ExperimentError
from core.records import annotations as kept
from core.records.experiment import Experiment
from core.records.home import delete_experiment
from core.records.stopping import stop_experiment
from core.report.formatting import counted


def stop(experiment: Experiment) -> str:
    """Ask the coordinator of an experiment to stop. Raises ExperimentError."""
    stop_experiment(experiment)
    return f"{experiment.id} was asked to stop"


def delete(experiment: Experiment) -> str:
    """Delete an experiment. Raises ExperimentError."""
    delete_experiment(experiment.folder)
    return f"deleted {experiment.id}"


def label(experiment: Experiment, text: str) -> str:
    """Label an experiment; tags and note stay. Raises ExperimentError."""
    words = kept.label(experiment.folder, text).label
    return f"{experiment.id} is labelled {words}" if words else f"{experiment.id} has no label"


def tag(experiment: Experiment, add: Collection[str], remove: Collection[str]) -> str:
    """Add tags and take others away. Raises ExperimentError."""
    tags = kept.tags(experiment.folder, add=add, remove=remove).tags
    return f"{experiment.id} is tagged {' '.join(tags)}" if tags else f"{experiment.id} has no tags"


def note(experiment: Experiment, text: str) -> str:
    """Write the note of an experiment anew. Raises ExperimentError."""
    has = kept.note(experiment.folder, text).notes.strip()
    return f"{experiment.id}: the note is kept" if has else f"{experiment.id} has no note"


def read_tags(text: str) -> tuple[list[str], list[str]]:
    """The tags to add (NAME or +NAME) and to remove (-NAME) in a line as it is typed.

    Quotation marks hold a tag of several words together; where a tag is named twice the last word counts.
    Raises ExperimentError for a line that cannot be understood.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ExperimentError(
            f"tags cannot be read: {error}", 'close the quotation mark, as in +"two words"'
        ) from error
    wanted: dict[str, bool] = {}
    for word in words:
        name = (word[1:] if word[:1] in ("+", "-") else word).strip()
        if not name:
            raise ExperimentError(
                f"{word!r} names no tag", "type NAME or +NAME to add a tag, -NAME to take it away"
            )
        wanted.pop(name, None)
        wanted[name] = not word.startswith("-")
    return [name for name in wanted if wanted[name]], [name for name in wanted if not wanted[name]]


def with_each(experiments: Sequence[Experiment], act: Callable[[Experiment], str], done: str) -> str:
    """Call `act` for each experiment, going on after one that fails; the sentence on the outcome.

    act: returns the sentence for a single experiment. done: the sentence for several, such as "deleted {}", where
    {} stands for how many. Raises ExperimentError where any failed, which says how many did not, too.
    """
    if len(experiments) == 1:
        return act(experiments[0])
    failed: dict[str, AefitError] = {}
    for experiment in experiments:
        try:
            act(experiment)
        except AefitError as error:
            failed[experiment.id] = error
    well = len(experiments) - len(failed)
    if not failed:
        return done.format(counted(well, "experiment"))
    (first, reason), *others = failed.items()
    why = f"{first}: {reason}{f' (and {len(others)} more)' if others else ''}"
    if not well:
        raise ExperimentError(f"of {len(experiments)} experiments none could be: {why}", reason.hint)
    raise ExperimentError(
        f"{done.format(f'{well} of {len(experiments)} experiments')}, but not {why}", reason.hint
    )
