"""How nearest neighbours are found and vote: what the family K-NN and the rooms that compute it share."""

from __future__ import annotations

from dataclasses import dataclass

SEARCHES: dict[str, str] = {
    "pruned": "lower bounds exclude nearly all, float64 decides (the default); on a GPU the same as blocked",
    "blocked": "matrix products with all training images choose, float64 decides; runs on a GPU too",
    "kd-tree": "scikit-learn's KD-tree, the search of the paper; slow for images, a second opinion",
}
"""Every search finds the same neighbours in the same order; they differ in time and memory only."""
TIE_RULES: dict[str, str] = {
    "lowest": "a tied vote goes to the lowest label (scikit-learn's rule, the default)",
    "nearest": "a tied vote goes to the tied label whose closest neighbour comes first",
}
SUBSETS = 40
"""Random parts of each half of the training images on which bias and variance are measured."""


@dataclass(frozen=True)
class Voting:
    """The vote at every odd K from z, odd, to 1. tie_rule: a name of TIE_RULES."""

    z: int
    tie_rule: str = "lowest"

    @property
    def every_k(self) -> range:
        """K from z to 1."""
        return range(self.z, 0, -2)
