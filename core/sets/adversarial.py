"""D, the third of the paper's sets: candidates that the most general level does not classify as their source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.declarations.lazy import np
from core.sets.candidate_part import CandidatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.sets.members import Candidates


class Adversarial(CandidatePart):
    """See `MeasuredSet`."""

    description = (
        "candidates from test images that the most general level gets right, which it then gets wrong"
    )
    selected_at = "general"
    shown = 600
    in_charts = True
    in_report = True
    decides = True

    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """See `CandidatePart.choose`."""
        return np.flatnonzero(block.adversarial)
