"""Several small images, as large as fit, drawn from bytes, because the form loads no NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_aefit.lab.widgets.shades import BRIGHTNESS, LUMINANCE, UPPER_HALF, shows_colours

SMALLEST = 8
"""Pixels of a side, at least: smaller images cannot be recognised, so fewer are shown."""
CAPTION_ROWS = 1

Pixel = tuple[int, int, int]
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Thumbnail:
    """An image with a caption above it. pixels: of the shape (H, W, C), C 1 or 3, uint8 in C order.

    ramp: the characters from dark to bright to draw it with where there is no colour.
    """

    caption: str
    shape: Shape
    pixels: bytes
    ramp: str = BRIGHTNESS


@dataclass(frozen=True)
class Layout:
    """A layout of images: their number, the columns, and width x height of each in pixels."""

    images: int
    columns: int
    width: int
    height: int

    @property
    def rows_each(self) -> int:
        """The height of an image with its caption, in cells."""
        return CAPTION_ROWS + (self.height + 1) // 2


def layout(images: int, shape: Shape, width: int, height: int) -> Layout | None:
    """The layout with the largest images that fit into width x height cells, with a free column between two.

    Where they would be smaller than SMALLEST, half as many are laid out; None where not even one fits.
    """
    best = max(
        (_in_columns(images, columns, shape, width, height) for columns in range(1, images + 1)),
        key=lambda one: (one.width, -one.columns),
        default=None,
    )
    if best is None or min(best.width, best.height) >= SMALLEST:
        return best
    return layout(images // 2, shape, width, height) if images > 1 else None


def _in_columns(images: int, columns: int, shape: Shape, width: int, height: int) -> Layout:
    across = (width + 1) // columns - 1
    down = 2 * (height // -(-images // columns) - CAPTION_ROWS)
    if scale := max(0, min(across // shape[1], down // shape[0])):
        return Layout(images, columns, scale * shape[1], scale * shape[0])
    side = max(0, min(across, down * shape[1] // shape[0], shape[1]))
    return Layout(images, columns, side, side * shape[0] // shape[1])


@lru_cache(maxsize=256)
def resized(shape: Shape, pixels: bytes, width: int, height: int) -> tuple[tuple[Pixel, ...], ...]:
    """Rows of (red, green, blue): each new pixel is the mean of the area of old ones that it covers.

    pixels: as in `Thumbnail`. width, height: at least 1.
    """
    old_height, old_width, channels = shape
    across, down = _shares(old_width, width), _shares(old_height, height)
    planes = []
    for channel in range(channels):
        plane = pixels[channel::channels]
        rows = [plane[start : start + old_width] for start in range(0, len(plane), old_width)]
        narrow = [[sum(share * row[place] for place, share in shares) for shares in across] for row in rows]
        planes.append(
            [
                [
                    round(sum(share * narrow[place][column] for place, share in shares))
                    for column in range(width)
                ]
                for shares in down
            ]
        )
    first, second, third = planes if channels == 3 else planes * 3
    return tuple(tuple(zip(*lines, strict=True)) for lines in zip(first, second, third, strict=True))


def _shares(before: int, after: int) -> list[list[tuple[int, float]]]:
    """For each new pixel of a line the old ones that it covers, each with its share; shares sum to 1."""
    found = []
    for new in range(after):
        begin, end = new * before / after, (new + 1) * before / after
        covered = range(int(begin), min(before, int(end) + 1))
        shares = ((old, (min(end, old + 1) - max(begin, old)) * after / before) for old in covered)
        found.append([(old, share) for old, share in shares if share > 1e-9])
    return found


class Thumbnails(Widget):
    """Draws the images, left to right and row by row; those for which there is no room are left out."""

    DEFAULT_CSS = """
    Thumbnails { width: 1fr; height: 1fr; min-height: 5; }
    """

    images: reactive[Sequence[Thumbnail]] = reactive(())

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: list[Strip] | None = None

    def render_line(self, y: int) -> Strip:
        """One row of cells."""
        if self._drawn is None:
            self._drawn = self._draw()
        return self._drawn[y] if y < len(self._drawn) else Strip.blank(self.size.width, self.rich_style)

    def watch_images(self) -> None:
        """Draw other images."""
        self._drawn = None

    def on_resize(self) -> None:
        """Draw for another size."""
        self._drawn = None

    def notify_style_update(self) -> None:
        """Draw anew: the theme's colours around the images may have changed."""
        super().notify_style_update()
        self._drawn = None

    def _draw(self) -> list[Strip]:
        if not self.images or not self.size.area:
            return []
        found = layout(len(self.images), self.images[0].shape, *self.size)
        if found is None:
            return []
        shown = self.images[: found.images]
        strips: list[Strip] = []
        for start in range(0, len(shown), found.columns):
            strips += self._draw_row(shown[start : start + found.columns], found)
        return strips

    def _draw_row(self, images: Sequence[Thumbnail], found: Layout) -> list[Strip]:
        gap = Strip.blank(1, self.rich_style)
        columns = [self._draw_image(image, found) for image in images]
        return [
            Strip.join([part for strip in line for part in (strip, gap)]).adjust_cell_length(
                self.size.width, self.rich_style
            )
            for line in zip(*columns, strict=True)
        ]

    def _draw_image(self, image: Thumbnail, found: Layout) -> list[Strip]:
        around = self.rich_style
        rows = resized(image.shape, image.pixels, found.width, found.height)
        caption = set_cell_size(image.caption, min(found.width, cell_len(image.caption)))
        lines = [[Segment(caption, around + Style(bold=True))]]
        for upper, lower in _pairs(rows):
            if shows_colours(self.app):
                lines.append([Segment(UPPER_HALF, _style(*cell)) for cell in zip(upper, lower, strict=True)])
            else:
                lines.append([Segment(_characters(upper, lower, image.ramp), around)])
        return [Strip(line).adjust_cell_length(found.width, around) for line in lines]


def _pairs(rows: Sequence[Sequence[Pixel]]) -> list[tuple[Sequence[Pixel], Sequence[Pixel]]]:
    """Two rows of pixels for each row of cells; the last one twice where their number is odd."""
    return [(rows[at], rows[min(at + 1, len(rows) - 1)]) for at in range(0, len(rows), 2)]


@lru_cache(maxsize=1 << 12)
def _style(upper: Pixel, lower: Pixel) -> Style:
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))


def _characters(upper: Sequence[Pixel], lower: Sequence[Pixel], ramp: str) -> str:
    """One row of cells as characters of the ramp, by the mean brightness of their two pixels."""
    means = (
        sum(share * (a + b) / 2 for share, a, b in zip(LUMINANCE, one, two, strict=True))
        for one, two in zip(upper, lower, strict=True)
    )
    return "".join(ramp[min(int(mean * len(ramp) / 256), len(ramp) - 1)] for mean in means)
