"""Where a run hands every candidate of its attack, for uses beyond the experiment."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.sets.members import Candidates


class CandidateKeeper(Protocol):
    """Takes the candidates block by block."""

    def add(self, block: Candidates, source_index: NDArray[np.int64]) -> None:
        """Keep a block. source_index: (m,) each candidate's source in the pooled data set."""
        ...
