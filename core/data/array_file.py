"""Reading a user's `.npz` of images and labels, with a reason for whatever is wrong with it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.memory_limit import HINT, data_limit, limit_words
from core.errors import DataError
from core.files.archives import UNREADABLE, TooLarge, check_sizes
from core.files.reading import open_plain

_MAKE = "make it so: np.savez('mine.npz', images=images, labels=labels)"


def read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """Images (N, H, W, C) uint8 with C 1 or 3, labels (N,) from 0 in order of the classes, class names.

    The file holds `images` (N, H, W) or (N, H, W, C) uint8 and `labels` (N,) integers or strings. It is read
    without unpickling, so arrays of Python objects are refused. DataError for anything else.
    """
    arrays = _arrays(path)
    images = _checked_images(path, arrays["images"])
    labels = arrays["labels"]
    if labels.dtype.kind not in "iuU" or labels.ndim != 1:
        raise DataError(
            f"{path}: labels is a {_described(labels)} array: expected one integer or string for each image",
            _MAKE,
        )
    if len(labels) != len(images):
        raise DataError(f"{path} has {len(images)} images but {len(labels)} labels: expected as many")
    classes, numbered = np.unique(labels, return_inverse=True)
    return images, numbered.astype(np.int64), tuple(str(name) for name in classes)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not an .npz file", _MAKE)
    try:
        with open_plain(path) as opened:
            check_sizes(opened, data_limit())
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in ("images", "labels") if key not in file.files]
            if missing:
                found = ", ".join(file.files) or "nothing"
                raise DataError(
                    f"{path} has no array called {' or '.join(missing)}: found {found}",
                    _MAKE,
                )
            return {key: np.asarray(file[key]) for key in ("images", "labels")}
    except TooLarge as error:
        raise DataError(
            f"{path} is too large: {error}: expected {limit_words(data_limit())}", HINT
        ) from error
    except UNREADABLE as error:
        raise DataError(
            f"{path} cannot be read as .npz arrays without Python objects: {error}", _MAKE
        ) from error


def _checked_images(path: Path, images: NDArray[Any]) -> NDArray[np.uint8]:
    if images.dtype != np.uint8:
        raise DataError(
            f"{path}: images is a {_described(images)} array: expected uint8, 0 to 255",
            "for values in 0..1: images = (images * 255).round().astype('uint8')",
        )
    if 0 in images.shape:
        missing = "no images" if len(images) == 0 else "images without pixels"
        raise DataError(f"{path} holds {missing}: images is a {_described(images)} array", _MAKE)
    if images.ndim == 3:
        images = images[:, :, :, np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        channels_first = images.ndim == 4 and images.shape[1] in (1, 3)
        raise DataError(
            f"{path}: images is a {_described(images)} array: expected (N, H, W) or (N, H, W, C), C 1 or 3",
            "for channels first: images = images.transpose(0, 2, 3, 1)" if channels_first else "",
        )
    return np.ascontiguousarray(images)


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape}"
