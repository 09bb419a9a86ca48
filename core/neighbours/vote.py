"""The vote of the nearest neighbours: one list of z neighbours gives the prediction at every k <= z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError, expected_names
from core.families.voting import TIE_RULES


def vote_counts(neighbour_labels: NDArray[np.int64], k: int, classes: int) -> NDArray[np.int64]:
    """How many of the first k neighbours have each label: (n, classes) int64, rows sum to k.

    neighbour_labels: (n, z) int64 from 0 to classes - 1, nearest first.
    Raises ValueError unless 1 <= k <= z, and for labels out of range.
    """
    return _between(neighbour_labels, 0, k, classes)


def _between(neighbour_labels: NDArray[np.int64], first: int, k: int, classes: int) -> NDArray[np.int64]:
    """The votes of the neighbours from number `first`, counted from 0, to below `k`."""
    n, z = neighbour_labels.shape
    if not 1 <= k <= z:
        raise ValueError(f"k = {k} votes asked of {z} neighbours")
    voters = neighbour_labels[:, first:k]
    if voters.size and not (voters.min() >= 0 and voters.max() < classes):
        raise ValueError(f"neighbour labels must lie in 0 to {classes - 1}")
    cells = np.arange(n)[:, None] * classes + voters
    return np.bincount(cells.ravel(), minlength=n * classes).reshape(n, classes)


def vote(
    neighbour_labels: NDArray[np.int64], k: int, classes: int, tie_rule: str = "lowest"
) -> NDArray[np.int64]:
    """The label with most votes among the first k neighbours, one vote each: (n,) int64.

    neighbour_labels: (n, z) int64 from 0 to classes - 1, nearest first.
    tie_rule: a name of TIE_RULES; who wins when several labels have most votes.
    Raises ValueError as `vote_counts` does, SpecError for an unknown tie rule.
    """
    if tie_rule not in TIE_RULES:
        allowed, hint = expected_names(tie_rule, TIE_RULES)
        raise SpecError("tie_rule", tie_rule, allowed, hint)
    counts = vote_counts(neighbour_labels, k, classes)
    if tie_rule == "lowest":
        lowest: NDArray[np.int64] = counts.argmax(axis=1)
        return lowest
    voters = neighbour_labels[:, :k]
    votes_of_voter = np.take_along_axis(counts, voters, axis=1)
    # argmax is the first place of the maximum: the closest neighbour that voted for a winner.
    winner = votes_of_voter.argmax(axis=1)
    nearest: NDArray[np.int64] = voters[np.arange(len(voters)), winner]
    return nearest


def vote_at_each(
    every_k: Sequence[int],
    neighbour_labels: NDArray[np.int64],
    classes: int,
    tie_rule: str = "lowest",
) -> NDArray[np.int64]:
    """`vote` at several k, in their order: (number of k, n) int64. Raises as `vote` does."""
    if tie_rule != "lowest":
        return np.stack([vote(neighbour_labels, k, classes, tie_rule) for k in every_k])
    # The votes at a larger k are those at a smaller one and a few more.
    counts = np.zeros((len(neighbour_labels), classes), dtype=np.int64)
    found, counted = {}, 0
    for k in sorted(every_k):
        counts += _between(neighbour_labels, counted, k, classes)
        found[k], counted = counts.argmax(axis=1), k
    return np.stack([found[k] for k in every_k])
