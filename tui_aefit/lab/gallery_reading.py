"""Reads what the gallery screen shows of a run, or why there is nothing; loads NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from core.declarations.printable import printable
from core.errors import DataError
from core.records.experiment import Experiment
from core.records.gallery import Gallery, read_gallery, sets_in
from core.records.results import GALLERY
from core.sets.registry import SETS, is_known


@dataclass(frozen=True)
class Reading:
    """What the gallery screen shows: a run, None where none is complete, and its gallery of a set.

    name: the set's. sets: those of which the run has a gallery, and that can have images. size: images of the set,
    of which the gallery is a sample. distinct: how many different ones, where the set may have an image more than
    once. problem: why gallery is None.
    """

    run: int | None = None
    name: str = "adversarial"
    gallery: Gallery | None = None
    sets: tuple[str, ...] = ()
    size: int = 0
    distinct: int | None = None
    problem: str = ""


def read(experiment: Experiment, run: int | None, step: int, name: str, *, next_set: str) -> Reading:
    """Read a set's gallery of the complete run `step` after `run`, the first again after the last. Never raises.

    Where `run` is not complete, the first complete run is read. next_set: the key that shows another set.
    """
    results = experiment.results()
    if not results:
        return Reading(problem="No run is complete yet\n\nits pictures come with the first that is")
    runs = sorted(results)
    run = runs[(runs.index(run) + step) % len(runs)] if run in runs else runs[0]
    path = experiment.run_folder(run) / "result" / GALLERY
    reading = partial(Reading, run, name)
    try:
        sets = tuple(filter(_has_images, sets_in(path)))
        reading = partial(reading, sets=sets)  # where this one is damaged, others may be whole
        gallery = read_gallery(path, name)
    except DataError as error:
        return reading(problem=f"{printable(str(error))}\n\n{error.hint}")
    if not sets:
        return reading(
            problem=f"Run {run + 1} has no gallery: an older version computed it\n\n"
            "its numbers are whole, and its arrays.npz holds the adversarial images"
        )
    if gallery is None:
        return reading(
            problem=f"Run {run + 1} has no images of the set {name}: an older version computed it\n\n"
            f"{next_set} shows the next set that it has images of"
        )
    if len(gallery):
        counts = results[run].counts
        return reading(
            gallery=gallery, size=counts.sets.get(name, len(gallery)), distinct=counts.distinct.get(name)
        )
    if name == "adversarial":
        return reading(
            problem=f"Run {run + 1} found no adversarial image\n\n"
            f"every candidate is still classified correctly at {printable(gallery.level_names[0])}; "
            "a larger epsilon may find some"
        )
    described = f": {SETS[name].description}" if is_known(name) else ""
    return reading(problem=f"Run {run + 1} has no image in the set {printable(name)}{described}")


def _has_images(name: str) -> bool:
    """Whether a run keeps images of a set; it keeps none of a set that judges another's images by other rules."""
    return not is_known(name) or SETS[name].shown > 0
