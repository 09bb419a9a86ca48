"""gallery.npz: a small sample of every set with its originals, to be looked at without the data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.data.images import ImageSet
from core.errors import DataError
from core.families.ladder import Ladder
from core.files.archives import UNREADABLE, TooLarge, check_sizes
from core.files.reading import open_plain
from core.records.nearest import (
    NearestImages,
    arrays_of_nearest,
    nearest_images,
    nearest_of,
    read_nearest,
    wrong_with_nearest,
)
from core.sets.first_version import NEW_NAMES, OLD_NAMES, new_name
from core.sets.members import Members
from core.sets.nearest import NearestToMembers
from core.sets.registry import SETS, is_known

AMPLIFICATIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
OF_A_SET: dict[str, type[np.generic]] = {
    "original": np.uint8,
    "image": np.float32,
    "label": np.int16,
    "target": np.int16,
    "source": np.int32,
    "prediction": np.int16,
}
"""The arrays of each set in the file, named SET.NAME; `level`, `knob` and `class_names` (unicode) are there once.

Files of the first version have `k` (int32, the levels of the knob "K") instead of `level` and `knob`, and older
names of two sets.
"""
OLDER = {**{name: name for name in OF_A_SET}, "image": "adversarial"}
"""Array -> its name in the oldest files, which hold the adversarial set only."""
LARGEST = 2**30
"""Bytes that a gallery takes in memory, at most; ours have some million."""
HINT = "no number depends on it: `aefit-tui resume` computes the run again where its checksum is wrong"

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Gallery:
    """g members of one set, in the order of `core.sets.sample.choose`.

    name: the set's. original: (g, H, W, C) uint8, the sources. image: (g, H, W, C) float32 in [0, 1], the images
    made of them, or the sources where the set is not perturbed. label: (g,) int16, the sources' true labels.
    target: (g,) int16, -1 where there is none. source: (g,) int32 into the pooled data set. prediction: (L, g)
    int16 of `image`, one row a level. knob, levels: the ladder of the L levels, the most general first. nearest:
    the training images nearest to the members; None where the classifier uses none, and in results of older
    versions.
    """

    name: str
    original: NDArray[np.uint8]
    image: NDArray[np.float32]
    label: NDArray[np.int16]
    target: NDArray[np.int16]
    source: NDArray[np.int32]
    prediction: NDArray[np.int16]
    knob: str
    levels: tuple[str, ...]
    class_names: tuple[str, ...]
    nearest: NearestImages | None = None

    @property
    def perturbed(self) -> bool:
        """Whether the images were made from the originals; else they are the originals.

        True for a set of a plug-in that is not installed.
        """
        return not is_known(self.name) or SETS[self.name].perturbed

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels in words: "K = 7"."""
        return tuple(f"{self.knob} = {level}" for level in self.levels)

    def __len__(self) -> int:
        return len(self.label)

    def members(self, label: int | None = None, target: int | None = None) -> list[int]:
        """The positions of the members with a true label and a target; None stands for any."""
        passed = np.full(len(self), True)
        if label is not None:
            passed &= self.label == label
        if target is not None:
            passed &= self.target == target
        return [int(member) for member in np.flatnonzero(passed)]


def grey_levels(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pixels in [0, 1] rounded to the 256 grey levels, for looking at only."""
    return np.rint(image * 255).astype(np.uint8)


def amplified(original: NDArray[np.uint8], image: NDArray[np.float32]) -> tuple[NDArray[np.uint8], int]:
    """The perturbation as a picture of the same shape, and how many times it is amplified there.

    Mid grey is no change, lighter is brighter than the original, darker is darker. The amplification is the
    largest of 1, 2, 5, 10, ... that clips no change (but for rounding), 1 where nothing has changed.
    """
    change = image.astype(np.float64) - original / np.float64(255)
    largest = np.abs(change).max(initial=0.0)
    fitting = [gain for gain in AMPLIFICATIONS if gain * largest <= 1 + 1e-4]
    gain = fitting[-1] if largest else 1
    return np.clip(np.rint(127.5 * (1 + gain * change)), 0, 255).astype(np.uint8), gain


def galleries_of(
    samples: Mapping[str, Members],
    pool: ImageSet,
    ladder: Ladder,
    nearest: Mapping[str, NearestToMembers] = MappingProxyType({}),
) -> tuple[Gallery, ...]:
    """A gallery for each set of `samples`, in their order.

    samples, nearest: set -> its sample and the training images nearest to that, with `source` into `pool`.
    """
    near = nearest_images(nearest, pool)
    return tuple(
        Gallery(
            name=name,
            original=pool.images[members.source],
            image=members.image,
            label=members.label.astype(np.int16),
            target=members.target.astype(np.int16),
            source=members.source.astype(np.int32),
            prediction=members.prediction.astype(np.int16),
            knob=ladder.knob,
            levels=ladder.levels,
            class_names=pool.class_names,
            nearest=near.get(name),
        )
        for name, members in samples.items()
    )


def write_galleries(path: Path, galleries: Sequence[Gallery]) -> None:
    """Write the galleries of one run, one at least; equal galleries give equal bytes."""
    arrays: dict[str, Any] = {
        f"{gallery.name}.{name}": np.asarray(getattr(gallery, name), dtype=dtype)
        for gallery in galleries
        for name, dtype in OF_A_SET.items()
    }
    nearest = {gallery.name: gallery.nearest for gallery in galleries if gallery.nearest is not None}
    arrays |= arrays_of_nearest(nearest, galleries[0].original.shape[1:])
    arrays["knob"] = np.array(galleries[0].knob, dtype=np.str_)
    arrays["level"] = np.array(galleries[0].levels, dtype=np.str_)
    arrays["class_names"] = np.array(galleries[0].class_names, dtype=np.str_)
    np.savez_compressed(path, **arrays)


def sets_in(path: Path) -> tuple[str, ...]:
    """The sets of which a file has a gallery, in the order of tables; empty where there is no file.

    Sets that are not registered, of a plug-in that is not installed, come last. Raises DataError for a file that
    cannot be read.
    """
    names = _from_file(path, lambda archive: [*archive]) or []
    found = [name.removesuffix(".label") for name in names if name.endswith(".label")]
    if "level" not in names:
        found = list(map(new_name, found))
    if OLDER["label"] in names:
        found.append("adversarial")
    known = [name for name in SETS if name in found]
    return *known, *(name for name in found if name not in known)


def read_gallery(path: Path, name: str = "adversarial") -> Gallery | None:
    """The gallery of one set, None where there is none, or no file (a result of an older version).

    Nothing in the file is executed. Raises DataError, and nothing else, for a file that cannot be read or
    does not hold what `Gallery` says.
    """
    found = _from_file(path, lambda archive: (_arrays_of(archive, name), read_nearest(archive, name)))
    if found is None or (arrays := found[0]) is None:
        return None
    near = found[1]
    class_names, knob, levels = (arrays.pop(name).tolist() for name in ("class_names", "knob", "level"))
    wrong = _wrong_with(arrays, class_names, knob, levels)
    if near is not None and not wrong:
        shape = arrays["original"].shape
        wrong = wrong_with_nearest(near, shape[0], shape[1:], len(levels), len(class_names))
    if wrong:
        raise DataError(f"{path} is not a gallery: of the {name} set, {wrong}", HINT)
    return Gallery(
        name,
        **arrays,
        knob=knob,
        levels=tuple(levels),
        class_names=tuple(class_names),
        nearest=None if near is None else nearest_of(near),
    )


Archive = Mapping[str, NDArray[Any]]
"""The arrays of a file by their names there; each is read when it is asked for."""


def _from_file(path: Path, take: Callable[[Archive], T]) -> T | None:
    """What `take` returns for a file's arrays; None where there is no file. Raises DataError for a broken one."""
    try:
        with open_plain(path) as file:
            check_sizes(file, LARGEST)
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return take(archive)
    except FileNotFoundError:
        return None
    except (TooLarge, *UNREADABLE) as error:
        # NumPy's own words are no help: for other bytes it proposes to load them unsafely.
        raise DataError(f"{path} cannot be read: it is damaged or not what a gallery holds", HINT) from error


def _arrays_of(archive: Archive, name: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of one set, and `knob`, `level`, `class_names`; None where the set is not there."""
    if not (names := _names_of(archive, name)):
        return None
    # The casting "no" refuses another dtype than was written.
    return {
        **{own: archive[names[own]].astype(dtype, "K", "no", copy=False) for own, dtype in OF_A_SET.items()},
        **_ladder_arrays(archive),
        "class_names": archive["class_names"].astype(np.str_, "K", "same_kind"),
    }


def _ladder_arrays(archive: Archive) -> dict[str, NDArray[Any]]:
    """The arrays `level` and `knob`. Raises TypeError where they are not text."""
    if "level" not in archive:
        k = archive["k"].astype(np.int32, "K", "no", copy=False)
        return {"knob": np.array("K"), "level": k.astype(np.str_)}
    found = {name: archive[name] for name in ("knob", "level")}
    if any(array.dtype.kind != "U" for array in found.values()):
        raise TypeError("levels are text")
    return found


def _names_of(archive: Archive, name: str) -> dict[str, str]:
    """Array of a set -> its name in the file; empty where the set is not there."""
    if f"{name}.label" in archive and ("level" in archive or name not in NEW_NAMES):
        return {own: f"{name}.{own}" for own in OF_A_SET}
    if "level" not in archive and name in OLD_NAMES and f"{OLD_NAMES[name]}.label" in archive:
        return {own: f"{OLD_NAMES[name]}.{own}" for own in OF_A_SET}
    return OLDER if name == "adversarial" and "label" in archive else {}


def _wrong_with(arrays: Mapping[str, NDArray[Any]], names: object, knob: object, levels: object) -> str:
    """What contradicts the description of `Gallery`, "" where nothing does."""
    if not _is_list_of_text(names):
        return "class_names is not a list of names"
    if not isinstance(knob, str):
        return "knob is not a name"
    if not _is_list_of_text(levels):
        return "level is not a list of names"
    if not levels:
        return "level is empty"
    shape, members, classes = arrays["original"].shape, arrays["label"].size, len(names)
    if len(shape) != 4 or 0 in shape[1:] or shape[3] not in (1, 3):
        return f"original has the shape {shape}, expected (g, H, W, 1 or 3)"
    expected: dict[str, tuple[int, ...]] = {
        "original": (members, *shape[1:]),
        "image": (members, *shape[1:]),
        "label": (members,),
        "target": (members,),
        "source": (members,),
        "prediction": (len(levels), members),
    }
    for name, wanted in expected.items():
        if arrays[name].shape != wanted:
            return f"{name} has the shape {arrays[name].shape}, expected {wanted}"
    for name, least in (("label", 0), ("target", -1), ("prediction", 0)):
        if ((arrays[name] < least) | (arrays[name] >= classes)).any():
            return f"{name} holds a number that is none of the {classes} classes"
    if not ((arrays["image"] >= 0) & (arrays["image"] <= 1)).all():
        return "image has values outside of [0, 1]"
    return ""


def _is_list_of_text(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
