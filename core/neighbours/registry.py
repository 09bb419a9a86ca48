"""A neighbour search by the name that the family K-NN gives it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError, expected_names
from core.families.voting import SEARCHES
from core.neighbours.blocked import BlockedSearch
from core.neighbours.pruned import PrunedSearch
from core.neighbours.search import NeighbourSearch


def build_search(
    name: str, training: NDArray[np.uint8], *, device: str = "cpu", threads: int = 1
) -> NeighbourSearch:
    """The search called `name` over the (N, d) uint8 training images.

    device: a torch device name; the KD-tree computes on the CPU whatever it says. threads: of the pruned
    search, which is the CPU's own; on another device, where products are cheap, it gives way to the blocked one.
    Raises SpecError for an unknown name, ValueError for other training arrays.
    """
    match name:
        case "pruned" if device == "cpu":
            return PrunedSearch(training, threads=threads)
        case "pruned" | "blocked":
            return BlockedSearch(training, device=device)
        case "kd-tree":
            # scikit-learn takes as long to load as torch, and no other search needs it.
            from core.neighbours.kd_tree import KDTreeSearch  # noqa: PLC0415

            return KDTreeSearch(training)
    allowed, hint = expected_names(name, SEARCHES)
    raise SpecError("search", name, allowed, hint)
