"""Images of galleries as a figure for print, like the paper's Figure 4: the rows of `picture`."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from core.errors import DataError, ExperimentError
from core.records.experiment import Experiment
from core.records.gallery import Gallery, read_gallery
from core.records.results import GALLERY
from core.report.figures.curves import style
from core.report.figures.picture import enlarged, row_of
from core.report.selection import check_sets

ROWS = 4
"""Images that a figure shows, as many as fit on a printed page (A4); of more sets it shows one of each."""
SIDE, GAP, LINE = 1.7, 0.12, 0.13
"""Inches: the width of a picture, the space between two, from one line of a caption to the next."""
LETTERS = 34
"""Of a caption's line, at most: as many as fit below a picture."""
_SCALE = 8
"""A pixel becomes a square of so many, so that a viewer that smooths images leaves edges between pixels."""


def first_gallery(experiment: Experiment, name: str) -> tuple[int, Gallery]:
    """The gallery of a set from the first complete run that has one with a member, and the run, from 0.

    Raises ExperimentError where there is none, DataError where one is damaged and no other will do.
    """
    damage: DataError | None = None
    for run in sorted(experiment.results()):
        try:
            gallery = read_gallery(experiment.run_folder(run) / "result" / GALLERY, name)
        except DataError as error:
            damage = damage or error
            continue
        if gallery is not None and len(gallery):
            return run, gallery
    if damage is not None:
        raise damage
    raise ExperimentError(
        f"{experiment.id} has no {name} images to show: no complete run has any in its gallery",
        "the first complete run that has some brings them; runs of older versions keep the adversarial set only",
    )


def first_galleries(experiment: Experiment, names: Sequence[str]) -> list[Gallery]:
    """`first_gallery` of each of these sets. Raises ExperimentError for one that the experiment has not, too."""
    check_sets(experiment.spec, experiment.id, names)
    return [first_gallery(experiment, name)[1] for name in names]


def galleries_or_reasons(
    experiment: Experiment, names: Sequence[str]
) -> dict[str, tuple[int, Gallery] | str]:
    """`first_gallery` of each of these sets, or why there is none, by set."""
    found: dict[str, tuple[int, Gallery] | str] = {}
    for name in names:
        try:
            found[name] = first_gallery(experiment, name)
        except (DataError, ExperimentError) as error:
            found[name] = str(error)
    return found


def rows_of(galleries: Sequence[Gallery], rows: int = ROWS) -> list[tuple[Gallery, int]]:
    """Members of each gallery, as many of each as fit into so many rows, one at least.

    Each set goes on where the one before has stopped: the same place often has the same label, and in a part of
    another set the same image.
    """
    each = max(1, rows // len(galleries))
    return [
        (gallery, (place * each + turn) % len(gallery))
        for place, gallery in enumerate(galleries)
        for turn in range(min(each, len(gallery)))
    ]


def gallery_figure(rows: Sequence[tuple[Gallery, int]]) -> Figure:
    """One row for each member of a gallery, by its position there; one at least, all images of one size."""
    _, height, width, _ = rows[0][0].original.shape
    tall = SIDE * height / width
    below = LINE * (1 + len(rows[0][0].levels)) + 0.08
    row_height = tall + below + GAP
    size = 3 * SIDE + 4 * GAP, GAP + row_height * len(rows)
    with style():
        figure = Figure(figsize=size)
        for row, (gallery, member) in enumerate(rows):
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
