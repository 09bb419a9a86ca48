"""gallery.npz: a small sample of D beside its originals, for looking at without the data set."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.images import ImageSet
from core.errors import DataError

MEMBERS = 600
"""Adversarial images that a gallery holds at most: 9 MB of 32x32 colour before compression."""
AMPLIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
DTYPES: dict[str, type[np.generic]] = {
    "original": np.uint8,
    "adversarial": np.float32,
    "label": np.int16,
    "target": np.int16,
    "source": np.int32,
    "prediction": np.int16,
    "k": np.int32,
}
"""The arrays of the file; with them goes `class_names`, of any unicode dtype."""
HINT = "no number depends on it: `aefit-tui resume` computes the run again where its checksum is wrong"
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile were seen to raise for damaged or forged bytes, and what they are documented to raise."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """g members of D, 0 to `MEMBERS`, in the order of `choose`.

    original: (g, H, W, C) uint8, the sources. adversarial: (g, H, W, C) float32 in [0, 1]. label: (g,) int16,
    the sources' true labels. target: (g,) int16, -1 where there is none. source: (g,) int32 into the pooled
    data set. prediction: (L, g) int16, one row a level of k. k: the L levels, the most general first.
    """

    original: NDArray[np.uint8]
    adversarial: NDArray[np.float32]
    label: NDArray[np.int16]
    target: NDArray[np.int16]
    source: NDArray[np.int32]
    prediction: NDArray[np.int16]
    k: tuple[int, ...]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)

    def members(self, label: int | None = None, target: int | None = None) -> list[int]:
        """Positions of the members of one true label, attacked toward one target; None stands for any."""
        passed = np.full(len(self), True)
        if label is not None:
            passed &= self.label == label
        if target is not None:
            passed &= self.target == target
        return [int(member) for member in np.flatnonzero(passed)]


def grey_levels(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pixels in [0, 1] as the nearest of the 256 grey levels, for looking at only."""
    return np.rint(image * 255).astype(np.uint8)


def amplified(original: NDArray[np.uint8], adversarial: NDArray[np.float32]) -> tuple[NDArray[np.uint8], int]:
    """The perturbation as a picture of the same shape, and how many times it is amplified there.

    Mid grey is no change, lighter is brighter than the original, darker is darker. The amplification is the
    largest of 1, 2, 5, 10, ... that clips no change (but for rounding), 1 where nothing has changed.
    """
    change = adversarial.astype(np.float64) - original / np.float64(255)
    largest = np.abs(change).max(initial=0.0)
    fitting = [gain for gain in AMPLIFICATIONS if gain * largest <= 1 + 1e-4]
    gain = fitting[-1] if largest else 1
    return np.clip(np.rint(127.5 * (1 + gain * change)), 0, 255).astype(np.uint8), gain


def choose(
    label: NDArray[np.integer[Any]], target: NDArray[np.integer[Any]], classes: int, most: int = MEMBERS
) -> NDArray[np.intp]:
    """Positions of at most `most` members, spread evenly over the (label, target) pairs; deterministic.

    label, target: (m,) with values below `classes`, target -1 where there is none. First comes the first
    member of every pair, then the second of every pair that has one, and so on. Within a round neighbours
    differ in both classes (0 to 1, 1 to 2, ..., then 0 to 2, 1 to 3, ...), so that a round cut short still
    covers every label.
    """
    by_pair = np.lexsort((target, label))
    pair = label[by_pair].astype(np.int64) * (classes + 1) + target[by_pair]
    _, start, size = np.unique(pair, return_index=True, return_counts=True)
    turn = np.empty(len(label), dtype=np.int64)
    turn[by_pair] = np.arange(len(label)) - np.repeat(start, size)
    step = np.where(target < 0, 0, (target - label) % classes)
    return np.lexsort((label, step, turn))[:most]


def gallery_of(arrays: Mapping[str, NDArray[Any]], pool: ImageSet, most: int = MEMBERS) -> Gallery:
    """The gallery of a run from its audit arrays (`core.records.audit`) and the pool it was computed on."""
    label, target = arrays["adversarial_label"], arrays["adversarial_target"]
    chosen = choose(label, target, pool.classes, most)
    source = arrays["adversarial_source"][chosen]
    return Gallery(
        original=pool.images[source],
        adversarial=arrays["adversarial_image"][chosen],
        label=label[chosen],
        target=target[chosen],
        source=source,
        prediction=arrays["adversarial_prediction"][:, chosen],
        k=tuple(int(k) for k in arrays["k"]),
        class_names=pool.class_names,
    )


def write_gallery(path: Path, gallery: Gallery) -> None:
    """Write a gallery; equal galleries give equal bytes."""
    arrays: dict[str, Any] = {
        name: np.asarray(getattr(gallery, name), dtype=dtype) for name, dtype in DTYPES.items()
    }
    np.savez_compressed(path, **arrays, class_names=np.array(gallery.class_names, dtype=np.str_))


def read_gallery(path: Path) -> Gallery | None:
    """The gallery in a file, None where there is no file (a result of an older version).

    Nothing in the file is executed. Raises DataError, and nothing else, for a file that cannot be read or
    does not hold what `Gallery` says.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            # Casting that allows nothing: another dtype is not what was written.
            arrays = {
                name: archive[name].astype(dtype, "K", "no", copy=False) for name, dtype in DTYPES.items()
            }
            names = archive["class_names"].astype(np.str_, "K", "same_kind").tolist()
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        # NumPy's own words are no help: for other bytes it proposes to load them unsafely.
        raise DataError(f"{path} cannot be read: it is damaged or not what a gallery holds", HINT) from error
    if wrong := _wrong_with(arrays, names):
        raise DataError(f"{path} is not a gallery: {wrong}", HINT)
    levels = tuple(int(k) for k in arrays.pop("k"))
    return Gallery(**arrays, k=levels, class_names=tuple(names))


def _wrong_with(arrays: Mapping[str, NDArray[Any]], names: object) -> str:
    """What contradicts the description of `Gallery`, "" where nothing does."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return "class_names is not a list of names"
    shape, members, classes = arrays["original"].shape, arrays["label"].size, len(names)
    if len(shape) != 4 or 0 in shape[1:] or shape[3] not in (1, 3):
        return f"original has the shape {shape}, expected (g, H, W, 1 or 3)"
    expected: dict[str, tuple[int, ...]] = {
        "original": (members, *shape[1:]),
        "adversarial": (members, *shape[1:]),
        "label": (members,),
        "target": (members,),
        "source": (members,),
        "k": (arrays["k"].size,),
        "prediction": (arrays["k"].size, members),
    }
    for name, wanted in expected.items():
        if arrays[name].shape != wanted:
            return f"{name} has the shape {arrays[name].shape}, expected {wanted}"
    for name, least in (("label", 0), ("target", -1), ("prediction", 0)):
        if ((arrays[name] < least) | (arrays[name] >= classes)).any():
            return f"{name} holds a number that is none of the {classes} classes"
    if not ((arrays["adversarial"] >= 0) & (arrays["adversarial"] <= 1)).all():
        return "adversarial has values outside of [0, 1]"
    return ""
