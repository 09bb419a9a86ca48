"""Requests to the process that makes previews, and its answers; light enough for the terminal program to import."""

from __future__ import annotations

from core.records.types import Count, Finite, Name, Record, Share

Options = dict[str, str | int | float | list[str] | None]
Shape = tuple[Count, Count, Count]
"""Height, width, channels (1 or 3) of an image."""


class DataRequest(Record, frozen=True, kw_only=True, tag="data"):
    """Asks for a preview of a data set. dataset: as `core.data.load.load` takes it. cache_dir: "" for no cache."""

    dataset: str
    data_dir: str
    cache_dir: str


class AttackRequest(Record, frozen=True, kw_only=True, tag="attack"):
    """Asks for a preview of an attack. options: the attack's own. cache_dir: "" for no cache."""

    attack: str
    epsilon: float
    options: Options
    cache_dir: str


class Request(Record, frozen=True, kw_only=True):
    """The message to the process. of: what it asks for."""

    of: DataRequest | AttackRequest


class DataPreview(Record, frozen=True, kw_only=True):
    """A data set and some of its images, each class in turn.

    class_names, counts: the first classes, and how many images each has. classes, images: how many there are in
    all. labels: of the images shown, as places in class_names. pixels: of the images shown, (len(labels), *shape)
    uint8 in C order.
    """

    images: Count
    classes: Count
    test_size: Count
    shape: Shape
    class_names: tuple[Name, ...]
    counts: tuple[Count, ...]
    labels: tuple[Count, ...]
    pixels: bytes
    notices: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.class_names) or any(n >= len(self.counts) for n in self.labels):
            raise ValueError("counts and labels do not fit the class names")
        if len(self.pixels) != len(self.labels) * _size(self.shape):
            raise ValueError("the pixels are not those of its images")

    def image(self, place: int) -> bytes:
        """The pixels of one of the images, (H, W, C) uint8 in C order."""
        size = _size(self.shape)
        return self.pixels[place * size : (place + 1) * size]


class AttackPreview(Record, frozen=True, kw_only=True):
    """An image before and after an attack, and what the attacked network says of both.

    original, change, changed: shape `shape`, uint8 in C order. change: the perturbation amplified `gain` times, mid
    grey for none. label: the image's class. target: the class that it was moved toward, "" for none. said, says:
    the network's answer before and after. sure: the softmax of the answer after. kept: whether the attack keeps the
    image. largest: the largest change of a pixel, in [0, 1].
    """

    shape: Shape
    original: bytes
    change: bytes
    changed: bytes
    gain: Count
    label: Name
    target: Name
    said: Name
    says: Name
    sure: Share
    kept: bool
    largest: Finite

    def __post_init__(self) -> None:
        if any(len(one) != _size(self.shape) for one in (self.original, self.change, self.changed)):
            raise ValueError("the pixels are not those of its images")


def _size(shape: Shape) -> int:
    height, width, channels = shape
    if channels not in (1, 3) or not height or not width:
        raise ValueError(f"an image of the shape {shape}: expected (height, width, 1 or 3)")
    return height * width * channels
