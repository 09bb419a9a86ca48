"""The control reverse: the same selection at the other end of the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class Reverse(CandidatePart):
    """See `MeasuredSet`. Selected at its own end, sources and all, as the adversarial set is at the other."""

    description = (
        "candidates from test images that the most fitted level gets right, which it then gets wrong; the knob is "
        "then turned back"
    )
    selected_at = "fitted"
    in_report = True

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(block.source_right[-1] & block.wrong[-1])
