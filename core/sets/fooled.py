"""The control fooled: adversarial images whose attack has reached its own aim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class Fooled(CandidatePart):
    """See `MeasuredSet`."""

    description = "adversarial images that also fool the surrogate"
    selected_at = "general"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(block.adversarial & block.surrogate_fooled)
