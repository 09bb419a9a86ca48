"""A set that is a part of the attack's candidates."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from core.sets.measured_set import MeasuredSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.sets.measurement import Measured
    from core.sets.members import Candidates
    from core.sets.run_so_far import RunSoFar


class CandidatePart(MeasuredSet):
    """Its images are chosen while the candidates come in blocks, all candidates of one source in one block.

    The candidates are those of every test image: a set whose sources the classifier must know says so itself.
    """

    adversarial_itself = True

    @abstractmethod
    def choose(self, block: Candidates, random: np.random.Generator) -> NDArray[np.intp]:
        """The places in a block of those candidates that belong to the set.

        random: a stream of the run, which no set of another author draws from.
        """

    def measure(self, run: RunSoFar) -> Measured:
        """See `MeasuredSet.measure`."""
        return run.parts[self.name].measured(run.source_index)
