"""A bounded, even sample of a set's images, taken while they come in blocks: for looking at, not for measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.members import Members, concatenate, no_members

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray


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
        # What is left out once would be left out at the end too: a new member can only come before others of its
        # pair, so the number of members that come before a given one never falls.
        self._chosen = no_members(levels, shape)
        self._order = np.empty(0)
        self._random = np.random.default_rng(0)

    def add(self, block: Members, places: NDArray[np.intp]) -> None:
        """Take those members of a block that are at these places."""
        held = len(self._chosen.label)
        label = np.concatenate([self._chosen.label, block.label[places]])
        target = np.concatenate([self._chosen.target, block.target[places]])
        order = np.concatenate([self._order, self._random.random(len(places))])
        chosen = np.sort(choose(label, target, self._classes, self._most, order))
        old, new = chosen[chosen < held], chosen[chosen >= held] - held
        if len(new):
            self._chosen = concatenate([self._chosen.take(old), block.take(places[new])])
            self._order = order[chosen]

    def members(self) -> Members:
        """The sample of what came so far, in the order of `choose`."""
        found = self._chosen
        return found.take(choose(found.label, found.target, self._classes, self._most, self._order))
