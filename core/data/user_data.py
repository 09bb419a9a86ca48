"""A user's own data set: an `.npz` of arrays, or images in one folder a class, packed as a `.zip` or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import array_file, decoded_cache, image_tree
from core.data.fitting_size import fit
from core.data.images import ImageSet
from core.data.split import one_seventh
from core.errors import DataError
from core.files.cache import Cache

LAYOUT = (
    "expected an .npz with images (N,H,W or N,H,W,C uint8) and labels (N), or a folder or .zip with one "
    "sub-folder of images a class"
)


def read(path: Path, cache: Cache, note: Callable[[str], None]) -> ImageSet:
    """The pool of an own set, named after its file or folder, at a size that the surrogate takes.

    Classes are numbered in sorted order of their names (or of the integer labels). A folder or zip is decoded
    once and kept in `cache`; an `.npz` is quick to read as it is. DataError, naming the file, where one
    cannot be used.
    """
    if path.suffix.lower() == ".npz" and path.is_file():
        images, labels, class_names = array_file.read(path)
        images, notices = fit(images)
    else:
        images, labels, class_names, notices = decoded_cache.read(path, cache, note, image_tree.decode)
    refuse_small_classes(path, labels, class_names)
    test_size = one_seventh(len(labels), len(class_names))
    return ImageSet(path.name, images, labels, class_names, test_size, notices)


def refuse_small_classes(path: Path, labels: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    """Raises DataError for fewer than two classes, or a class with fewer than two images.

    labels: (N,) places in class_names.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if len(class_names) < 2:
        found = f"one class ({class_names[0]}, {counts[0]} images)" if class_names else "no class"
        raise DataError(f"{path} has {found}: expected at least two", LAYOUT)
    small = [f"{name} ({count})" for name, count in zip(class_names, counts, strict=True) if count < 2]
    if small:
        raise DataError(
            f"{path} has too few images of {', '.join(small)}: expected at least 2 a class, one to train on "
            "and one to test",
            "add images to these classes or leave the classes out",
        )
