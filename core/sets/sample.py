"""A bounded, even sample of a set's images, taken while they come in blocks: for looking at, not for measuring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Members:
    """m images of a set, with what the classifier says of them.

    image: (m, H, W, C) float32 in [0, 1]. source: (m,) int64, what each was made from. label: (m,) int64, true
    labels. target: (m,) int64, -1 where there is none. prediction: (levels, m) int64, the most general level first.
    """

    image: NDArray[np.float32]
    source: NDArray[np.int64]
    label: NDArray[np.int64]
    target: NDArray[np.int64]
    prediction: NDArray[np.int64]

    def taken(self, places: NDArray[np.intp]) -> Members:
        """Those at these places, in their order."""
        return Members(
            self.image[places],
            self.source[places],
            self.label[places],
            self.target[places],
            self.prediction[:, places],
        )


def no_members(levels: int, shape: tuple[int, int, int]) -> Members:
    """Members of (H, W, C) images of which there are none."""
    none = np.empty(0, dtype=np.int64)
    return Members(
        np.empty((0, *shape), dtype=np.float32), none, none, none, np.empty((levels, 0), dtype=np.int64)
    )


def joined(parts: Sequence[Members]) -> Members:
    """The members of all the parts (at least one), one part after the other."""
    return Members(
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.prediction for part in parts], axis=1),
    )


def choose(
    label: NDArray[np.integer[Any]],
    target: NDArray[np.integer[Any]],
    classes: int,
    most: int,
    order: NDArray[np.float64] | None = None,
) -> NDArray[np.intp]:
    """Places of at most `most` members, spread evenly over the (label, target) pairs; deterministic.

    label, target: (m,) with values below `classes`, target -1 where there is none. order: (m,) who is first among
    the members of a pair, by default who comes first. First comes the first member of every pair, then the second
    of every pair that has one, and so on. Within a round neighbours differ in both classes (0 to 1, 1 to 2, ...,
    then 0 to 2, 1 to 3, ...), so that a round cut short still covers every label.
    """
    by_pair = np.lexsort((np.arange(len(label)) if order is None else order, target, label))
    pair = label[by_pair].astype(np.int64) * (classes + 1) + target[by_pair]
    _, start, size = np.unique(pair, return_index=True, return_counts=True)
    turn = np.empty(len(label), dtype=np.int64)
    turn[by_pair] = np.arange(len(label)) - np.repeat(start, size)
    step = np.where(target < 0, 0, (target - label) % classes)
    return np.lexsort((label, step, turn))[:most]


class Sample:
    """What `choose` chooses of a set whose members come in blocks; holds no more than that of their images.

    Within a pair the order is random, or candidates of the first sources alone would be seen: those of one source
    come side by side. The numbers are drawn member by member from a fixed seed, so blocks make no difference.
    """

    def __init__(self, levels: int, shape: tuple[int, int, int], classes: int, most: int) -> None:
        self._classes, self._most = classes, most
        # Who is left out cannot come back: a new member delays others of its pair, but only by coming before them,
        # so of those who are before somebody there are never fewer.
        self._kept = no_members(levels, shape)
        self._order = np.empty(0)
        self._random = np.random.default_rng(0)

    def add(self, block: Members, places: NDArray[np.intp]) -> None:
        """Take those members of a block that are at these places."""
        held = len(self._kept.label)
        label = np.concatenate([self._kept.label, block.label[places]])
        target = np.concatenate([self._kept.target, block.target[places]])
        order = np.concatenate([self._order, self._random.random(len(places))])
        chosen = np.sort(choose(label, target, self._classes, self._most, order))
        old, new = chosen[chosen < held], chosen[chosen >= held] - held
        if len(new):
            self._kept = joined([self._kept.taken(old), block.taken(places[new])])
            self._order = order[chosen]

    def members(self) -> Members:
        """The sample of what came so far, in the order of `choose`."""
        kept = self._kept
        return kept.taken(choose(kept.label, kept.target, self._classes, self._most, self._order))
