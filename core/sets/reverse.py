"""The control reverse: the same selection at the other end of the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart
from core.sets.measured_set import Counterpart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class Reverse(CandidatePart):
    """See `MeasuredSet`."""

    description = (
        "candidates selected by the errors at the most fitted level instead, from sources that are right there "
        "too; the knob is then turned back"
    )
    selected_at = "fitted"
    in_report = True
    counterpart = Counterpart(
        subject=(
            "Candidates selected by their errors at the most fitted level instead (the control reverse), as the "
            "knob is turned back,"
        ),
        conclusion="So being selected at one end is enough to rise towards the other",
    )

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero((block.prediction[-1] != block.label) & block.source_known)
