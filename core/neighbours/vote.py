"""The vote of the nearest neighbours: one list of z neighbours gives the prediction at every k <= z."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError, expected_names
from core.families.knn import TIE_RULES


def vote_counts(neighbour_labels: NDArray[np.int64], k: int, classes: int) -> NDArray[np.int64]:
    """How many of the first k neighbours have each label: (n, classes) int64, rows sum to k.

    neighbour_labels: (n, z) int64 from 0 to classes - 1, nearest first.
    Raises ValueError unless 1 <= k <= z, and for labels out of range.
    """
    n, z = neighbour_labels.shape
    if not 1 <= k <= z:
        raise ValueError(f"k = {k} votes asked of {z} neighbours")
    voters = neighbour_labels[:, :k]
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
