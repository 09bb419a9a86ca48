"""Adversarial examples as a figure for print, like the paper's Figure 4: the rows of `core.report.picture`."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from core.errors import DataError, ExperimentError
from core.gallery import Gallery, read_gallery
from core.records.experiment import Experiment
from core.records.results import GALLERY
from core.report.figures import style
from core.report.picture import enlarged, row_of

ROWS = 6
"""Members that a figure shows at most."""
SIDE, GAP, LINE = 1.7, 0.12, 0.13
"""Inches: the width of a picture, the space between two, from one line of a caption to the next."""
LETTERS = 34
"""Of a caption's line, at most: as many as fit below a picture."""
_SCALE = 8
"""A pixel becomes a square of so many, so that a viewer that smooths images leaves edges between pixels."""


def first_gallery(experiment: Experiment) -> tuple[int, Gallery]:
    """The gallery of the first complete run that has one with a member, and the run, from 0.

    Raises ExperimentError where there is none, DataError where one is damaged and no other will do.
    """
    damage: DataError | None = None
    for run in sorted(experiment.results()):
        try:
            gallery = read_gallery(experiment.run_folder(run) / "result" / GALLERY)
        except DataError as error:
            damage = damage or error
            continue
        if gallery is not None and len(gallery):
            return run, gallery
    if damage is not None:
        raise damage
    raise ExperimentError(
        f"{experiment.id} has no images to show: no complete run has any in its gallery",
        "the first complete run that finds adversarial images brings them",
    )


def gallery_figure(gallery: Gallery, members: Sequence[int]) -> Figure:
    """One row for each of the members (at least one), which are positions in the gallery."""
    _, height, width, _ = gallery.original.shape
    tall = SIDE * height / width
    below = LINE * (1 + len(gallery.k)) + 0.08
    row_height = tall + below + GAP
    size = 3 * SIDE + 4 * GAP, GAP + row_height * len(members)
    with style():
        figure = Figure(figsize=size)
        for row, member in enumerate(members):
            bottom = size[1] - GAP - row * row_height - tall
            for column, (picture, caption) in enumerate(zip(*row_of(gallery, member), strict=True)):
                left = GAP + column * (SIDE + GAP)
                axes = figure.add_axes((left / size[0], bottom / size[1], SIDE / size[0], tall / size[1]))
                axes.imshow(enlarged(picture, _SCALE), interpolation="none", aspect="auto")
                axes.set_xticks([])
                axes.set_yticks([])
                for spine in axes.spines.values():
                    spine.set(visible=True, linewidth=0.5)
                for line, text in enumerate(caption):
                    down = bottom - 0.06 - line * LINE
                    figure.text(left / size[0], down / size[1], _shortened(text), fontsize=6.5, va="top")
    return figure


def _shortened(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
