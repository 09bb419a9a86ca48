"""The training images nearest to a gallery's, in its file: labels and distances of all, pictures of most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.images import ImageSet
from core.sets.nearest import NearestToMembers

PICTURES_BYTES = 2**24
"""Bytes of the pictures in one file before it is compressed, at most. The nearest images come first."""
PICTURES: dict[str, type[np.generic]] = {"near_picture": np.uint8, "near_picture_source": np.int32}
"""The arrays common to all sets: (u, H, W, C) and (u,), in ascending order of source; u: different pictures."""
OF_A_SET: dict[str, type[np.generic]] = {
    "near_label": np.int16,
    "near_distance": np.float64,
    "near_source": np.int32,
    "near_counted": np.int32,
}
"""The arrays of each set, named SET.NAME in the file."""


@dataclass(frozen=True, eq=False)
class NearestImages:
    """For each of g members the k training images nearest to its original and to the image made of it.

    label: (g, 2, k) int16, the nearest first; [:, 0] of the original, [:, 1] of the image. distance: (g, 2, k)
    float64, Euclidean, pixels in [0, 1]. source: (g, 2, k) int32 into the pooled data set. counted: how many of the
    nearest each level counts, the most general first; k may be less. pictures: by source, (H, W, C) uint8; the
    farther ones may be missing.
    """

    label: NDArray[np.int16]
    distance: NDArray[np.float64]
    source: NDArray[np.int32]
    counted: tuple[int, ...]
    pictures: Mapping[int, NDArray[np.uint8]]


def nearest_images(
    found: Mapping[str, NearestToMembers], pool: ImageSet, most_bytes: int = PICTURES_BYTES
) -> dict[str, NearestImages]:
    """Set -> what was found for it, with labels and pictures from `pool`, all pictures within most_bytes."""
    pictures = {
        source: pool.images[source]
        for source in _nearest_first([one.source for one in found.values()])[
            : most_bytes // max(1, pool.images[0].nbytes)
        ].tolist()
    }
    return {
        name: NearestImages(
            label=pool.labels[one.source].astype(np.int16),
            distance=one.distance,
            source=one.source.astype(np.int32),
            counted=one.counted,
            pictures={
                source: pictures[source] for source in np.unique(one.source).tolist() if source in pictures
            },
        )
        for name, one in found.items()
    }


def _nearest_first(sources: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Every source once: first the nearest of every image, then the second of every image, and so on."""
    ranks = max((source.shape[2] for source in sources), default=0)
    every = [
        source[:, :, rank].ravel() for rank in range(ranks) for source in sources if rank < source.shape[2]
    ]
    if not every:
        return np.empty(0, dtype=np.int64)
    distinct, first = np.unique(np.concatenate(every), return_index=True)
    return distinct[np.argsort(first)]


def arrays_of_nearest(
    nearest: Mapping[str, NearestImages], shape: tuple[int, ...]
) -> dict[str, NDArray[Any]]:
    """The arrays of the file for set -> its nearest images; {} for no sets. shape: (H, W, C) of every picture."""
    if not nearest:
        return {}
    pictures = {source: picture for one in nearest.values() for source, picture in one.pictures.items()}
    sources = sorted(pictures)
    arrays: dict[str, NDArray[Any]] = {
        "near_picture": np.array([pictures[source] for source in sources], np.uint8).reshape(-1, *shape),
        "near_picture_source": np.array(sources, np.int32),
    }
    for name, one in nearest.items():
        for own, dtype in OF_A_SET.items():
            arrays[f"{name}.{own}"] = np.asarray(getattr(one, own.removeprefix("near_")), dtype=dtype)
    return arrays


def read_nearest(archive: Mapping[str, NDArray[Any]], name: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of one set and the pictures of all; None where the file has none of the set.

    Raises KeyError where one is missing, TypeError for another dtype than was written.
    """
    if f"{name}.near_label" not in archive:
        return None
    types = {own: (f"{name}.{own}", dtype) for own, dtype in OF_A_SET.items()}
    types |= {own: (own, dtype) for own, dtype in PICTURES.items()}
    return {own: archive[of].astype(dtype, "K", "no", copy=False) for own, (of, dtype) in types.items()}


def nearest_of(arrays: Mapping[str, NDArray[Any]]) -> NearestImages:
    """The nearest images in arrays of `read_nearest` that `wrong_with_nearest` has found nothing wrong with."""
    kept = arrays["near_picture_source"]
    rows = np.flatnonzero(np.isin(kept, arrays["near_source"]))
    return NearestImages(
        label=arrays["near_label"],
        distance=arrays["near_distance"],
        source=arrays["near_source"],
        counted=tuple(arrays["near_counted"].tolist()),
        # Copies, so that the pictures of other sets are let go of.
        pictures={int(kept[row]): arrays["near_picture"][row].copy() for row in rows},
    )


def wrong_with_nearest(
    arrays: Mapping[str, NDArray[Any]], members: int, shape: tuple[int, ...], levels: int, classes: int
) -> str:
    """What contradicts the description of `NearestImages`, "" where nothing does."""
    label, distance, source = (arrays[f"near_{name}"] for name in ("label", "distance", "source"))
    if label.ndim != 3 or label.shape[:2] != (members, 2) or not label.shape[2]:
        return f"near_label has the shape {label.shape}, expected ({members}, 2, 1 or more)"
    pictures = arrays["near_picture"]
    expected = {
        "near_distance": label.shape,
        "near_source": label.shape,
        "near_counted": (levels,),
        "near_picture": (len(pictures), *shape),
        "near_picture_source": (len(pictures),),
    }
    for name, wanted in expected.items():
        if arrays[name].shape != wanted:
            return f"{name} has the shape {arrays[name].shape}, expected {wanted}"
    if ((label < 0) | (label >= classes)).any():
        return f"near_label holds a number that is none of the {classes} classes"
    if not (np.isfinite(distance) & (distance >= 0)).all() or (np.diff(distance, axis=2) < 0).any():
        return "near_distance holds what are no distances in ascending order"
    if (source < 0).any() or (arrays["near_counted"] < 1).any():
        return "near_source or near_counted holds a number that is too small"
    return ""
