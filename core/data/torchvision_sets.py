"""MNIST and its kin, CIFAR-10 and SVHN, read from the files that torchvision lays out in the data folder."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.data.catalogue import Entry, fetch_command, missing_files, package_folder
from core.data.idx import checked_shape
from core.data.images import ImageSet
from core.errors import DataError

CLASSES = {
    "mnist": "MNIST",
    "fashion-mnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "svhn": "SVHN",
}
"""The class in `torchvision.datasets` behind each catalogue name."""

_declarations: list[torch.library.Library] = []
"""Kept for the life of the process: torch withdraws a library's operators when the library is collected."""


def import_torchvision_datasets() -> ModuleType:
    """`torchvision.datasets`, also where torchvision's compiled part does not fit this torch.

    torchvision registers shape rules for its compiled operators `nms` and `qnms` while it is imported. In a
    build for another torch (a CUDA wheel beside a CPU-only torch, say) the compiled part does not load, and
    the import fails with "operator torchvision::nms does not exist". The data sets need no such operator, so
    declaring the two, without any implementation, is enough. It has to come before the import, and must not
    happen where the compiled part does load: defining them twice ends the process. An import that failed
    earlier does no harm.
    """
    if "torchvision" not in sys.modules:
        _load_compiled_operators()
        _declare_missing_operators()
    try:
        return importlib.import_module("torchvision.datasets")
    except (ImportError, RuntimeError) as error:
        raise DataError(
            f"torchvision cannot be imported beside torch {torch.__version__}: {error}",
            "install the torchvision that belongs to this torch (https://pytorch.org/get-started)",
        ) from error


def _load_compiled_operators() -> None:
    """Load torchvision's `_C` as torchvision will: harmless twice, without effect where it does not fit."""
    folder = package_folder("torchvision")
    if folder is None:
        raise DataError("torchvision is not installed", "python -m pip install torchvision")
    compiled = PathFinder.find_spec("_C", [str(folder)])
    if compiled is None or compiled.origin is None:
        return
    try:
        torch.ops.load_library(compiled.origin)  # type: ignore[no-untyped-call]
    except OSError:
        return


def _declare_missing_operators() -> None:
    missing = [name for name in ("nms", "qnms") if not hasattr(torch.ops.torchvision, name)]
    if not missing:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in missing:
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    _declarations.append(library)


def read(entry: Entry, data_dir: Path) -> ImageSet:
    """A set of torchvision's from its files under `data_dir`, train file first, then test; never downloads.

    The test size is the test file's. DataError where files are missing, packed, truncated or not what they
    should be, with the file's name.
    """
    _refuse_missing(entry, data_dir)
    reader = {"cifar10": _cifar10, "svhn": _svhn}.get(entry.name, _idx_pair)
    parts = [reader(entry, data_dir, train) for train in (True, False)]
    images = np.concatenate([images for images, _ in parts])
    labels = np.concatenate([labels for _, labels in parts])
    return ImageSet(entry.name, images, labels, entry.class_names, test_size=len(parts[1][1]))


def _refuse_missing(entry: Entry, data_dir: Path) -> None:
    missing = missing_files(entry, data_dir)
    if not missing:
        return
    packed = [name for name in missing if (data_dir / f"{name}.gz").is_file()]
    message = f"{entry.name} needs {', '.join(missing)} under {data_dir}: not there"
    if packed:
        message += f", only packed ({packed[0]}.gz)"
    elsewhere = "or say with --data-dir where the files are"
    raise DataError(
        message, f"{fetch_command(entry, data_dir)}   (about {entry.download_mb} MB), {elsewhere}"
    )


def _delete_and_fetch(entry: Entry, data_dir: Path) -> str:
    return f"delete it and type: {fetch_command(entry, data_dir)}"


def _idx_pair(entry: Entry, data_dir: Path, train: bool) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """One part of a set in MNIST's format; torchvision reads each file once its size is known to be right."""
    image_path, label_path = (data_dir / name for name in (entry.files[:2] if train else entry.files[2:]))
    hint = _delete_and_fetch(entry, data_dir)
    shape, (count,) = checked_shape(image_path, 3, hint), checked_shape(label_path, 1, hint)
    if shape[1:] != entry.shape[:2]:
        raise DataError(f"{image_path} holds images of {shape[1]}x{shape[2]} pixels: expected 28x28", hint)
    if shape[0] != count:
        raise DataError(f"{image_path} holds {shape[0]} images, but {label_path} holds {count} labels", hint)
    # File by file, and not by the data set's class: that one prefers a `processed` folder of old torchvision
    # versions over the files that were just checked.
    reader = import_torchvision_datasets().mnist
    images = reader.read_image_file(str(image_path)).numpy()[:, :, :, np.newaxis]
    labels = reader.read_label_file(str(label_path)).numpy().astype(np.int64)
    if count and labels.max() >= entry.classes:
        raise DataError(
            f"{label_path} holds the label {labels.max()}: expected 0 to {entry.classes - 1}", hint
        )
    return images, labels


def _cifar10(entry: Entry, data_dir: Path, train: bool) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    datasets = import_torchvision_datasets()
    kind = datasets.CIFAR10
    checksums = [*kind.train_list, *kind.test_list, (kind.meta["filename"], kind.meta["md5"])]
    part = _checked(
        entry, data_dir, [(f"{kind.base_folder}/{name}", md5) for name, md5 in checksums], train=train
    )
    return np.ascontiguousarray(part.data), np.asarray(part.targets, dtype=np.int64)


def _svhn(entry: Entry, data_dir: Path, train: bool) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    split = "train" if train else "test"
    _, name, md5 = import_torchvision_datasets().SVHN.split_list[split]
    part = _checked(entry, data_dir, [(name, md5)], split=split)
    return np.ascontiguousarray(part.data.transpose(0, 2, 3, 1)), np.asarray(part.labels, dtype=np.int64)


def _checked(entry: Entry, data_dir: Path, checksums: list[tuple[str, str]], **part: object) -> Any:
    """torchvision's own reading of one part, its complaint about a checksum turned into the file's name."""
    datasets = import_torchvision_datasets()
    try:
        return getattr(datasets, CLASSES[entry.name])(str(data_dir), download=False, **part)
    except RuntimeError as error:
        broken = [
            str(data_dir / name)
            for name, md5 in checksums
            if not datasets.utils.check_integrity(str(data_dir / name), md5)
        ]
        raise DataError(
            f"{', '.join(broken) or entry.name} is damaged, or another file of that name: "
            "its MD5 checksum is not that of the published file",
            _delete_and_fetch(entry, data_dir),
        ) from error
