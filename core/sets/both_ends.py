"""The adversarial set and its reverse from the same sources: those that both ends of the ladder get right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class AdversarialBothEnds(CandidatePart):
    """See `MeasuredSet`."""

    description = "adversarial images whose source the most fitted level gets right too"
    selected_at = "general"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(block.adversarial & block.source_right[-1])


class ReverseBothEnds(CandidatePart):
    """See `MeasuredSet`."""

    description = (
        "candidates from test images that both ends of the ladder get right, which the most fitted level then gets "
        "wrong; the knob is then turned back"
    )
    selected_at = "fitted"

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(block.source_right[0] & block.source_right[-1] & block.wrong[-1])
