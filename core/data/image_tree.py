"""Decoding a folder or `.zip` with one sub-folder of images a class."""

from __future__ import annotations

import contextlib
import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.data.fitting_size import fitting_shape, resize
from core.data.memory_limit import HINT, data_limit, image_limit, limit_words
from core.errors import DataError
from core.files.reading import open_plain

SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm")
)
BLOCK = 2**18
"""Bytes of a file that are read at a time; most images have fewer."""
CHANNELS = 4
"""Bytes that a pixel takes while it is decoded, at most."""
_GREY_MODES = frozenset(("1", "L", "LA", "La"))
_DEEP_MODES = frozenset(("I", "F", "I;16", "I;16L", "I;16B", "I;16N"))
_UNREADABLE = (
    OSError,  # of which Pillow's UnidentifiedImageError is one
    EOFError,
    SyntaxError,  # Pillow's word for a broken PNG chunk
    ValueError,
    RuntimeError,  # zipfile's for an encrypted member
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    Image.DecompressionBombError,
)


_T = TypeVar("_T")


class Decoded(NamedTuple):
    """Images (N, H, W, C) uint8 of a fitting size, labels (N,) int64, class names, notices."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    notices: tuple[str, ...]


class Sample(NamedTuple):
    """What `decode` would give, but for the images that were not chosen.

    labels: (N,) int64 of all images. chosen: (n,) places of some of them, whose images (n, H, W, C) uint8 are.
    """

    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    chosen: NDArray[np.intp]
    images: NDArray[np.uint8]


@dataclass(frozen=True)
class _Tree:
    """Every file below `root` by its relative name with forward slashes, and how to open one.

    sizes: of a zip's members as they are declared, more than which is never unpacked; none are known of a folder.
    """

    root: Path
    names: tuple[str, ...]
    open: Callable[[str], IO[bytes]]
    sizes: Mapping[str, int] = field(default_factory=dict)


def decode(path: Path) -> Decoded:
    """Read every image: class folders by name, then file name; a class is numbered by its place among them.

    A tree that lies as a whole inside a further folder (as zips often do) is taken from where its class
    folders begin. Hidden files, `__MACOSX`, files without an image's suffix and files outside a class folder
    are skipped with a notice. All images become grey 28x28 if all are stored as grey, else colour 32x32: grey
    ones among them too, and an image stored as RGB counts as colour even where its channels are equal.
    Transparent parts are laid over white; orientation tags are ignored; of several frames the first is taken.
    DataError, naming the file, for an image that cannot be decoded or has more than 8 bits a channel, and for
    images deeper than their class folder.
    """
    with _opened(path) as tree:
        members, skipped = _members(tree)
        images, heads = _images_of(tree, members)
    class_names, labels = _classes_of(members)
    channels = 1 if all(head.grey for head in heads) else 3
    return Decoded(images, labels, class_names, (*_about(heads, channels), *_about_skipped(skipped)))


def sample(path: Path, choose: Callable[[NDArray[np.int64]], NDArray[np.intp]]) -> Sample:
    """Decode some of the images only. choose: gives the places of those, from the labels of all.

    They are grey if all of them are. Raises DataError as `decode`, for the images that are decoded.
    """
    with _opened(path) as tree:
        members, _ = _members(tree)
        class_names, labels = _classes_of(members)
        chosen = choose(labels)
        images, _ = _images_of(tree, [members[place] for place in chosen])
    return Sample(labels, class_names, chosen, images)


def _images_of(tree: _Tree, members: list[tuple[str, str, str]]) -> tuple[NDArray[np.uint8], list[_Head]]:
    """The images of these members, all of one shape, and their heads."""
    heads = [_decoded(tree, name, _head) for _, _, name in members]
    channels = 1 if all(head.grey for head in heads) else 3
    size = len(members) * math.prod(fitting_shape(channels))
    if size > data_limit():
        raise DataError(
            f"{tree.root} is too large: its images take {size:,} bytes: expected {limit_words(data_limit())}",
            HINT,
        )
    images = np.empty((len(members), *fitting_shape(channels)), dtype=np.uint8)
    for index, (_, _, name) in enumerate(members):
        images[index] = _decoded(tree, name, lambda image: resize(_flat(image, channels), channels))
    return images, heads


def _classes_of(members: list[tuple[str, str, str]]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names of the classes in their order, and each member's place among them, (N,)."""
    class_names = tuple(sorted({class_name for class_name, _, _ in members}))
    number = {name: label for label, name in enumerate(class_names)}
    return class_names, np.array([number[class_name] for class_name, _, _ in members], dtype=np.int64)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Tree]:
    if path.is_dir():
        names = tuple(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
        yield _Tree(path, names, lambda name: open_plain(path / name))
        return
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise DataError(f"{path} cannot be read as a zip: {error}", "pack it again") from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        sizes = {member.filename: member.file_size for member in members}
        yield _Tree(path, tuple(member.filename for member in members), archive.open, sizes)


def _members(tree: _Tree) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Sorted (class name, file name, name in the tree) of the images, and the names that were passed over."""
    images: list[str] = []
    skipped: list[str] = []
    for name in sorted(tree.names):
        parts = PurePosixPath(name).parts
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
        wanted = not hidden and PurePosixPath(name).suffix.lower() in SUFFIXES
        (images if wanted else skipped).append(name)
    places = {name: PurePosixPath(name).parts for name in images}
    while len({parts[0] for parts in places.values()}) == 1 and all(
        len(parts) > 2 for parts in places.values()
    ):
        places = {name: parts[1:] for name, parts in places.items()}
    too_deep = [name for name, parts in places.items() if len(parts) > 2]
    if too_deep:
        raise DataError(
            f"{tree.root}: {too_deep[0]} lies deeper than a class folder ({len(too_deep)} such images)",
            "put every image directly into the folder of its class: CLASS/IMAGE",
        )
    skipped += [name for name, parts in places.items() if len(parts) == 1]
    return sorted((parts[0], parts[1], name) for name, parts in places.items() if len(parts) == 2), skipped


class _Head(NamedTuple):
    grey: bool
    transparent: bool
    size: tuple[int, int]


def _head(image: Image.Image) -> _Head:
    if image.mode in _DEEP_MODES:
        raise ValueError(f"more than 8 bits a channel (mode {image.mode}): expected 8-bit grey or colour")
    return _Head(image.mode in _GREY_MODES, image.has_transparency_data, image.size)


def _flat(image: Image.Image, channels: int) -> Image.Image:
    """The image in mode L or RGB, transparency laid over white."""
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        image = Image.alpha_composite(white, layered)
    return image.convert("L" if channels == 1 else "RGB")


def _read(file: IO[bytes], limit: int) -> bytes:
    """All of a file, without room made for what it may hold. Raises ValueError where that is above the limit."""
    blocks, size = [], 0
    while block := file.read(BLOCK):
        blocks.append(block)
        size += len(block)
        if size > limit:
            raise ValueError(f"it has more than {limit:,} bytes: expected {limit_words(limit)}")
    return b"".join(blocks)


def _decoded(tree: _Tree, name: str, reading: Callable[[Image.Image], _T]) -> _T:
    limit = image_limit()
    try:
        if tree.sizes.get(name, 0) > limit:
            raise ValueError(f"it unpacks to {tree.sizes[name]:,} bytes: expected {limit_words(limit)}")
        with tree.open(name) as file:
            content = _read(file, limit)  # Pillow seeks, and a zip's members are slow at that
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height * CHANNELS > limit:
                raise ValueError(
                    f"it has {image.width:,} x {image.height:,} pixels: expected {limit_words(limit)}"
                )
            return reading(image)
    except _UNREADABLE as error:
        # Pillow names the object that it read from.
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "it is no image of a known format, whatever its suffix" if unknown else error
        raise DataError(
            f"{tree.root}: the image {name} cannot be read: {reason}",
            "mend it, or take it out of the data set",
        ) from error


def _about(heads: list[_Head], channels: int) -> Iterator[str]:
    height, width, _ = fitting_shape(channels)
    resized = [head.size for head in heads if head.size != (width, height)]
    if resized:
        (least_width, least_height), (most_width, most_height) = (
            tuple(pick(sizes) for sizes in zip(*resized, strict=True)) for pick in (min, max)
        )
        sizes = f"{least_width}x{least_height}"
        if (least_width, least_height) != (most_width, most_height):
            sizes = f"{sizes} to {most_width}x{most_height}"
        yield f"{len(resized):,} of {len(heads):,} images ({sizes} pixels) resized to {width}x{height}"
    grey = sum(head.grey for head in heads)
    if grey and channels == 3:
        yield f"{grey:,} grey images among {len(heads) - grey:,} colour images read as colour"
    transparent = sum(head.transparent for head in heads)
    if transparent:
        yield f"{transparent:,} images with transparent parts laid over white"


def _about_skipped(skipped: list[str]) -> Iterator[str]:
    if skipped:
        reasons = "hidden, not images or outside a class folder"
        yield f"{len(skipped):,} files skipped as {reasons} (e.g. {skipped[0]})"
