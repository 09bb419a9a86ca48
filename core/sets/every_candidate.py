"""The control candidates: what the attack makes of images that the classifier knows, before more is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class EveryCandidate(CandidatePart):
    """See `MeasuredSet`."""

    description = "every candidate from test images that the most general level gets right"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(block.source_right[0])
