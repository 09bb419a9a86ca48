"""One call from what `--dataset` says to the pool in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.data import packaged, torchvision_sets, user_data
from core.data.catalogue import resolve
from core.data.images import ImageSet
from core.data.split import check_test_size
from core.errors import DataError
from core.files.cache import Cache


def load(
    dataset: str,
    *,
    data_dir: Path,
    cache_dir: Path,
    test_size: int | None = None,
    note: Callable[[str], None],
) -> ImageSet:
    """Read a data set; never downloads.

    dataset: a catalogue name, or the path of a user's own set (`core.data.catalogue.resolve`).
    data_dir: where torchvision's files lie. cache_dir: where decoded image folders are kept.
    test_size: how many images a run holds out, between the number of classes and N minus it, and so few that
    a stratified split leaves every class a training image; None for the set's own (the published test part;
    one seventh for packaged sets and a user's own).
    note: told of steps that take long and of trouble with the cache.
    Raises DataError where anything is missing, broken or not possible.
    """
    source = resolve(dataset)
    try:
        if isinstance(source, Path):
            pool = user_data.read(source, Cache(cache_dir), note)
        elif source.origin == "packaged":
            pool = packaged.read(source)
        else:
            pool = torchvision_sets.read(source, data_dir)
    except OSError as error:
        raise DataError(
            f"{dataset} cannot be read: {error}", "look at the folder and its permissions"
        ) from error
    if test_size is not None:
        pool = replace(pool, test_size=test_size)
    largest = len(pool.labels) - pool.classes
    if not pool.classes <= pool.test_size <= largest:
        raise DataError(
            f"{pool.name}: a test part of {pool.test_size} images is not possible: expected {pool.classes} "
            f"(one a class) to {largest} of the {len(pool.labels)} images"
        )
    check_test_size(pool.labels, pool.test_size)
    return pool
