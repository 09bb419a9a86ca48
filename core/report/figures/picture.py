"""Images of a gallery as a PNG, like the paper's Figure 4: original, perturbation, perturbed image in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.errors import ExperimentError
from core.files.folders import own_file
from core.files.output import write_output
from core.records.gallery import Gallery, amplified, grey_levels

LEAST_SIDE = 190
"""Each pixel becomes the smallest square that makes a picture at least this many pixels wide."""
MARGIN = 12
FONT_SIZE = 11
LINE = 14
"""Pixels between two lines of a caption."""
PAPER, INK = "white", "black"


@dataclass(frozen=True)
class Geometry:
    """Where things are in a figure. All in pixels: a picture's width and height, and a caption's height."""

    scale: int
    width: int
    height: int
    caption: int

    def place(self, row: int, column: int) -> tuple[int, int]:
        """The left and upper edge of a picture. column: 0 original, 1 perturbation, 2 perturbed."""
        down = row * (self.height + self.caption + MARGIN)
        return MARGIN + column * (self.width + MARGIN), MARGIN + down

    def size(self, rows: int) -> tuple[int, int]:
        """Width and height of the whole figure."""
        return self.place(rows, 3)


def geometry(gallery: Gallery) -> Geometry:
    """The geometry of every figure of a gallery."""
    _, height, width, _ = gallery.original.shape
    scale = -(-LEAST_SIDE // width)
    # The longest caption: the target, then one line a level.
    return Geometry(scale, width * scale, height * scale, LINE * (1 + len(gallery.levels)) + MARGIN // 2)


def figure(gallery: Gallery, members: Sequence[int]) -> Image.Image:
    """One row for each of the members (at least one), which are positions in the gallery."""
    places = geometry(gallery)
    canvas = Image.new("RGB", places.size(len(members)), PAPER)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(FONT_SIZE)
    for row, member in enumerate(members):
        pictures, captions = row_of(gallery, member)
        for column, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            left, top = places.place(row, column)
            canvas.paste(enlarged(picture, places.scale), (left, top))
            # A white picture would have no edge on white paper.
            draw.rectangle((left - 1, top - 1, left + places.width, top + places.height), outline="grey")
            for line, text in enumerate(caption):
                below = top + places.height + MARGIN // 2 + line * LINE
                draw.text((left, below), _shortened(text, places.width, font), fill=INK, font=font)
    return canvas


def write_figure(path: Path, gallery: Gallery, members: Sequence[int]) -> None:
    """Write `figure` as a PNG, replacing an older one at once, into a folder of our own, which is made.

    Raises ExperimentError where that fails.
    """
    image = figure(gallery, members)
    try:
        place = own_file(path.parent, path.name)
    except OSError as error:
        raise ExperimentError(
            f"cannot write {path}: {error.strerror or error}",
            "free some space, or allow writing to the folder",
        ) from error
    write_output(place, lambda file: image.save(file, format="PNG"))


def row_of(gallery: Gallery, member: int) -> tuple[list[NDArray[np.uint8]], list[list[str]]]:
    """The three pictures of a member, (H, W, 1 or 3) each, and the lines of their captions."""
    original, image = gallery.original[member], gallery.image[member]
    label, target = int(gallery.label[member]), int(gallery.target[member])
    perturbation, gain = amplified(original, image)
    names = gallery.class_names
    answers = [
        f"{level}: {names[predicted]}" + (", right" if predicted == label else ", wrong")
        for level, predicted in zip(gallery.level_names, gallery.prediction[:, member].tolist(), strict=True)
    ]
    change = [f"perturbation x{gain}", "mid grey: no change", "lighter: added, darker: removed"]
    return [original, perturbation, grey_levels(image)], [
        ["original", f"true label: {names[label]}", f"image {gallery.source[member]} of the data set"],
        change if gallery.perturbed else ["no perturbation"],
        [gallery.name + (f", target: {names[target]}" if target >= 0 else ""), *answers],
    ]


def enlarged(picture: NDArray[np.uint8], scale: int) -> Image.Image:
    """Every pixel of an (H, W, 1 or 3) picture as a square."""
    colour = np.broadcast_to(picture, (*picture.shape[:2], 3))
    return Image.fromarray(colour.repeat(scale, axis=0).repeat(scale, axis=1))


def _shortened(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """What fits into `width`; letters that the default font may lack become question marks."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
