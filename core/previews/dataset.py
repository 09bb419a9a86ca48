"""The preview of a data set: how large it is, and some images of each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import image_tree, packaged, user_data
from core.data.catalogue import Entry, package_folder, resolve
from core.data.images import ImageSet
from core.data.split import one_seventh
from core.declarations.printable import printable
from core.errors import DataError
from core.files.cache import Cache
from core.previews.cached import cached_or_made
from core.previews.records import DataPreview

SHOWN = 20
"""Images of a preview, at most."""


def preview_dataset(dataset: str, *, data_dir: Path, cache: Cache | None) -> DataPreview:
    """The preview of a data set as `core.data.load.load` reads it; that of a named set is kept in the cache.

    Of a folder or `.zip` only the images that are shown are decoded, so that another may turn out to be broken
    later. Raises DataError for what `load` refuses, but for such images.
    """
    source = resolve(dataset)
    try:
        if isinstance(source, Entry):
            return cached_or_made(
                cache,
                ("data", source.name, _stamps(source, data_dir)),
                DataPreview,
                lambda: _named(source, data_dir),
            )
        return _own(source)
    except OSError as error:
        raise DataError(
            f"{dataset} cannot be read: {error}", "look at the folder and its permissions"
        ) from error


def _stamps(entry: Entry, data_dir: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of the files of a named set."""
    folder = package_folder(entry.package) if entry.origin == "packaged" else data_dir
    paths = [folder / name for name in entry.files] if folder is not None else []
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths]


def _named(entry: Entry, data_dir: Path) -> DataPreview:
    if entry.origin == "packaged":
        return _of_pool(packaged.read(entry))
    # Loads torch: seconds that no other set takes.
    from core.data import torchvision_sets  # noqa: PLC0415

    return _of_pool(torchvision_sets.read(entry, data_dir))


def _own(path: Path) -> DataPreview:
    if path.suffix.lower() == ".npz" and path.is_file():
        return _of_pool(user_data.read(path, Cache(path.parent), lambda text: None))
    sample = image_tree.sample(path, choose)
    user_data.refuse_small_classes(path, sample.labels, sample.class_names)
    test_size = one_seventh(len(sample.labels), len(sample.class_names))
    return _preview(sample.labels, sample.class_names, test_size, sample.chosen, sample.images)


def _of_pool(pool: ImageSet) -> DataPreview:
    chosen = choose(pool.labels)
    return _preview(pool.labels, pool.class_names, pool.test_size, chosen, pool.images[chosen], pool.notices)


def choose(labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """The places of the images to show, SHOWN at most: the first of each class, then its middle one if all fit.

    labels: (N,), 0 or more; a class's images are taken in the order of the data set.
    """
    members = [
        np.flatnonzero(labels == label) for label in range(min(int(labels.max(initial=-1)) + 1, SHOWN))
    ]
    members = [places for places in members if len(places)]
    firsts = [places[0] for places in members]
    seconds = [places[len(places) // 2] for places in members if len(places) > 1]
    chosen = firsts + seconds if len(firsts) + len(seconds) <= SHOWN else firsts
    return np.array(chosen, dtype=np.intp)


def _preview(
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    test_size: int,
    chosen: NDArray[np.intp],
    images: NDArray[np.uint8],
    notices: Sequence[str] = (),
) -> DataPreview:
    counts = np.bincount(labels, minlength=len(class_names))[:SHOWN].tolist()
    height, width, channels = images.shape[1:]
    return DataPreview(
        images=len(labels),
        classes=len(class_names),
        test_size=test_size,
        shape=(height, width, channels),
        class_names=tuple(map(_shown, class_names[:SHOWN])),
        counts=tuple(counts),
        labels=tuple(labels[chosen].tolist()),
        pixels=np.ascontiguousarray(images).tobytes(),
        notices=tuple(map(_shown, notices)),
    )


def _shown(text: str) -> str:
    """A text made fit for a terminal and for JSON: a folder's name may have any characters."""
    return printable(text)[:500]
