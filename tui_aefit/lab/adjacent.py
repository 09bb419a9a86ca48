"""Going from an experiment to the one beside it in the list, without the list."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import App

from core.errors import ExperimentError
from tui_aefit.lab.background import describe_error
from tui_aefit.lab.messages import OpenExperiment

if TYPE_CHECKING:
    from core.records.experiment import Experiment
    from tui_aefit.lab.browsing import Browsing


def beside(browsing: Browsing, id: str, steps: int) -> Experiment | str:
    """The experiment `steps` places after the one of this id, of those that can be read; or why there is none.

    The first of the list for an id that the list's filter leaves out. Raises ExperimentError.
    """
    found = [one.experiment for one in browsing.listed() if one.experiment is not None]
    ids = [experiment.id for experiment in found]
    place = ids.index(id) + steps if id in ids else 0
    if not found:
        return (
            "the list is empty with this filter" if browsing.words.strip() else "there is no other experiment"
        )
    if not 0 <= place < len(found):
        end = "first" if place < 0 else "last"
        return f"this is the {end} of {len(found)} in the list"
    return found[place]


def open_beside(app: App[None], browsing: Browsing, id: str, steps: int) -> None:
    """Have the app open the experiment that `beside` finds, or say why there is none; looks in a thread."""
    app.run_worker(partial(_open, app, browsing, id, steps), group="beside", exclusive=True, thread=True)


def _open(app: App[None], browsing: Browsing, id: str, steps: int) -> None:
    try:
        found = beside(browsing, id, steps)
    except ExperimentError as error:
        app.notify(describe_error(error), severity="error", markup=False)
        return
    if isinstance(found, str):
        app.notify(found, timeout=2, markup=False)
    else:
        browsing.chosen = found.id
        app.post_message(OpenExperiment(found))
