"""The words and pictures of the gallery screen for an image and those nearest to it; loads NumPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from textual.content import Content

from core.declarations.printable import printable
from core.records.gallery import Gallery, amplified, grey_levels
from core.records.nearest import NearestImages
from core.sets.registry import SETS
from tui_aefit.lab.gallery_place import Place
from tui_aefit.lab.gallery_reading import Reading
from tui_aefit.lab.widgets.picture import Panel
from tui_aefit.lab.widgets.shades import SIGNED

NO_NEAREST = (
    "This result holds no nearest training images: an older version computed it, "
    "or its classifier judges by none"
)
HOW_TO_READ = "✗ not the true label; below it the Euclidean distance, pixels from 0 to 1"


def name_of(gallery: Gallery, label: int | None, otherwise: str = "") -> str:
    """The name of a class; `otherwise` for None."""
    return otherwise if label is None else printable(gallery.class_names[label])


def target_of(gallery: Gallery, member: int) -> str:
    """The name of the class that a member was attacked toward, "none" for none."""
    target = int(gallery.target[member])
    return name_of(gallery, target) if target >= 0 else "none"


def where(run: int, runs: int, reading: Reading, place: Place, width: int) -> Content:
    """A line: the run, the place among its images and the filters; in shorter words where it exceeds `width`."""
    shown = Content.from_markup("run [b]$run[/] of $runs", run=run + 1, runs=runs)
    name, gallery = printable(reading.name), reading.gallery
    if gallery is None or not place.members:
        return Content("   ").join([shown, _filter("set: ", "set", name)] if reading.sets else [shown])
    at = Content.from_markup("[b]$at[/] of $all", at=place.position + 1, all=len(place.members))
    chosen = name, name_of(gallery, place.label, "all"), name_of(gallery, place.target, "all")
    long, short = (
        Content("   ").join([shown, at, *map(_filter, words, ("set", "class", "target"), chosen)])
        for words in (("set: ", "class: ", "target: "), ("set ", "of ", "to "))
    )
    return long if long.cell_length <= width else short


def _filter(word: str, action: str, chosen: str) -> Content:
    return Content.from_markup(
        f"[@click=screen.cycle_{action}(1)]$word[b]$chosen[/b][/]", word=word, chosen=chosen
    )


def facts(gallery: Gallery, member: int, reading: Reading, epsilon: float, *, reduced: bool) -> Content:
    """What is known of a member besides the predictions. reduced: whether not every pixel is shown."""
    height, width, _ = gallery.original[member].shape
    found = {"true label": name_of(gallery, int(gallery.label[member]))}
    if gallery.perturbed:
        found["target"] = target_of(gallery, member)
        found["change"] = f"at most {change_of(gallery, member):.3f}, epsilon {epsilon:g}"
    found |= {
        "source": f"image {gallery.source[member]} of the data set",
        "sample": _sample(gallery, reading),
        "pixels": f"{height} x {width}{', shown reduced' if reduced else ''}",
    }
    return Content("\n").join(
        Content.assemble((f"{name:<11}", "$foreground-muted"), value) for name, value in found.items()
    )


def _sample(gallery: Gallery, reading: Reading) -> str:
    if reading.distinct is None:
        return f"{len(gallery):,} of {reading.size:,} {printable(gallery.name)}"
    return f"{len(gallery):,} of {reading.distinct:,}, counted {reading.size:,} times"


def legend(gallery: Gallery, *, as_text: bool) -> str:
    """How to read the pictures, in a sentence."""
    if not gallery.perturbed:
        return SETS[gallery.name].description
    if as_text:
        return "perturbation: + # is added, - = is removed; images: denser is brighter"
    return "perturbation: mid grey is no change, lighter is added, darker is removed"


def rows_of(gallery: Gallery, member: int, following: Sequence[int]) -> tuple[tuple[Panel, ...], ...]:
    """Rows of pictures: those of a member, then those of the members in `following`."""
    name = printable(gallery.name)
    rows = [panels(gallery, member, "original" if gallery.perturbed else name, name)]
    for other in following:
        label, target = name_of(gallery, int(gallery.label[other])), target_of(gallery, other)
        rows.append(panels(gallery, other, f"next: true label {label}", f"target {target}"))
    return tuple(rows)


def panels(gallery: Gallery, member: int, before: str, after: str) -> tuple[Panel, ...]:
    """A member's original (caption `before`), perturbation and perturbed image (caption `after`).

    For a member that is an unchanged image of the data set only that, with the caption `before`.
    """
    original = gallery.original[member]
    if not gallery.perturbed:
        return (Panel(before, original),)
    perturbation, gain = amplified(original, gallery.image[member])
    return (
        Panel(before, original),
        Panel(f"perturbation ×{gain}", perturbation, SIGNED),
        Panel(after, grey_levels(gallery.image[member])),
    )


def change_of(gallery: Gallery, member: int) -> float:
    """The largest change of a pixel of a member, in [0, 1]."""
    change = gallery.image[member] - gallery.original[member] / np.float64(255)
    return float(np.abs(change).max())


def answers(gallery: Gallery, member: int, width: int | None = None, counted_as: str = "") -> Content:
    """A line for each level: its prediction for the image, whether that is right, and the labels of the nearest.

    width: cells of a line; labels that do not fit are left out; None leaves all of them out.
    counted_as: what the family calls these labels, see `core.families.family.Family`.
    """
    label, target = int(gallery.label[member]), int(gallery.target[member])
    predictions = gallery.prediction[:, member].tolist()
    wide = max(Content(name_of(gallery, predicted)).cell_length for predicted in predictions)
    wide = max(wide, len("classified as"))
    knob, *levels = [Content(printable(word)) for word in (gallery.knob, *gallery.levels)]
    column = max(3, *(word.cell_length for word in (knob, *levels)))
    lines = [Content.styled(f"{_at_right(knob, column)}  {'classified as':<{wide}}", "$foreground-muted")]
    for level, predicted in zip(levels, predictions, strict=True):
        mark, style = ("✓ right", "bold $text-success") if predicted == label else ("✗ wrong", "$text-error")
        name = Content(name_of(gallery, predicted))
        lines.append(
            Content.assemble(
                f"{_at_right(level, column)}  ",
                name.pad_right(wide - name.cell_length),
                "  ",
                (mark, style),
                ", the target" if predicted == target else "",
            )
        )
    said = [*map(Content, labels_of_nearest(gallery, member, 1))] if width is not None else []
    full = max(line.cell_length for line in lines) + 2
    if said and full + max(one.cell_length for one in said) <= (width or 0):
        heads = [Content.styled(printable(counted_as), "$foreground-muted"), *said]
        heads += [Content("")] * (len(lines) - len(heads))
        lines = [
            line.pad_right(full - line.cell_length) + head for line, head in zip(lines, heads, strict=True)
        ]
    return Content("\n").join(lines)


def labels_of_nearest(gallery: Gallery, member: int, side: int) -> list[str]:
    """Level by level the labels of the nearest that it counts, "8 ×4, 3 ×3", the most frequent first.

    "" for levels that count more of them than the result holds. side: 0 for the nearest of the original, 1 for
    those of the image. Empty where the gallery has none.
    """
    near = gallery.nearest
    if near is None:
        return []
    labels, found = near.label[member, side].tolist(), []
    for count in near.counted:
        counts = Counter(labels[:count]).most_common() if count <= len(labels) else []
        found.append(", ".join(f"{name_of(gallery, label)} ×{times}" for label, times in counts))
    return found


def line_of_nearest(gallery: Gallery, member: int, side: int) -> str:
    """The `labels_of_nearest` of all levels in one line: "K = 7: 8 ×4, 3 ×3  5: 8 ×3, 3 ×2"."""
    found = zip(gallery.levels, labels_of_nearest(gallery, member, side), strict=True)
    shown = [f"{printable(level)}: {said}" for level, said in found if said]
    return f"{printable(gallery.knob)} = {'  '.join(shown)}" if shown else ""


def nearest_panels(gallery: Gallery, near: NearestImages, member: int, side: int) -> tuple[Panel, ...]:
    """Pictures of the nearest training images, the nearest first; those of another class are marked."""
    true, found = int(gallery.label[member]), []
    labels, distances = near.label[member, side].tolist(), near.distance[member, side].tolist()
    for label, distance, source in zip(labels, distances, near.source[member, side].tolist(), strict=True):
        picture = near.pictures.get(source)
        wrong = label != true
        found.append(
            Panel(
                f"{'✗ ' if wrong else ''}{name_of(gallery, label)}\n{distance:.2f}",
                np.zeros_like(gallery.original[member]) if picture is None else picture,
                marked=wrong,
                is_kept=picture is not None,
            )
        )
    return tuple(found)


def _at_right(word: Content, width: int) -> str:
    return " " * (width - word.cell_length) + word.plain
