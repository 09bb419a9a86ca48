"""The control one-per-source: no source counts more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class OnePerSource(CandidatePart):
    """See `MeasuredSet`."""

    description = "one adversarial image of each source, drawn at random"
    selected_at = "general"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """One of each source's adversarial candidates, each of them with the same chance."""
        adversarial = np.flatnonzero(block.adversarial)
        order = random.permutation(len(adversarial))
        _, first = np.unique(block.source[adversarial][order], return_index=True)
        return adversarial[order[first]]
