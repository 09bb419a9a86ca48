"""The control unfiltered: what the attack makes, before anything is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class Unfiltered(CandidatePart):
    """See `MeasuredSet`."""

    description = "every candidate, whatever the classifier says of it"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.arange(len(block.label))
