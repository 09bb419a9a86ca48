"""Step 6 of a run: what is selected of the candidates: D, the adversarial set, and other sets of candidates."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.deciding.decider import Decider, Halves
from core.protocol.candidates import AttackedImages, CandidateMaker
from core.protocol.keeping import CandidateKeeper
from core.protocol.work import Work
from core.records.metrics import AttackFigures
from core.records.stages import CANDIDATES
from core.sets.candidate_part import CandidatePart
from core.sets.margin import margin_of
from core.sets.measurement import CandidateTally
from core.sets.members import Candidates, Members, concatenate, no_members
from core.sets.registry import make_set


class AttackTally:
    """Counts how an attack does on the surrogate, over its candidates of C."""

    def __init__(self) -> None:
        self.count = self.rejected = 0
        self._surrogate_fooled = self._target_hit = self._targeted = 0
        self._linf_max = self._l2_sum = 0.0

    def add(self, block: Candidates) -> None:
        """Take one block."""
        self.count += len(block.label)
        self.rejected += block.rejected
        self._surrogate_fooled += int(block.surrogate_fooled.sum())
        self._target_hit += int((block.surrogate_prediction == block.target).sum())
        self._targeted += int((block.target >= 0).sum())
        self._linf_max = max(self._linf_max, float(block.linf.max(initial=0.0)))
        self._l2_sum += math.fsum(block.l2)

    def figures(self) -> AttackFigures:
        """What was counted so far."""
        count = self.count
        return AttackFigures(
            surrogate_fooled=self._surrogate_fooled / count if count else None,
            target_hit=self._target_hit / self._targeted if self._targeted else None,
            linf_max=self._linf_max if count else None,
            l2_mean=self._l2_sum / count if count else None,
        )


class Selection:
    """Takes the candidates of the attack block by block; keeps the members of D, of all others counts and samples.

    parts: set name -> its tally, for D and every other set that consists of candidates.
    """

    def __init__(
        self,
        sets: Mapping[str, CandidatePart],
        tallies: Mapping[str, CandidateTally],
        *,
        levels: int,
        shape: tuple[int, int, int],
        random: Mapping[str, np.random.Generator],
    ) -> None:
        """sets, tallies, random: of the same names, "adversarial" among them. random: what each set draws from."""
        self._sets = sets
        self._random = random
        self.parts = tallies
        self.attack = AttackTally()
        self._first = 0
        self._norms = [np.empty(0)]
        # An empty one, so that a D without members has its shape and dtypes too.
        self._members = [no_members(levels, shape)]
        self._margins = [np.empty(0, dtype=np.int64)]

    def add(self, block: Candidates) -> None:
        """Take one block; all candidates of a source must be in the same one."""
        for name, one in self._sets.items():
            places = one.choose(block, self._random[name])
            self.parts[name].add(block, places)
            if name == "adversarial":
                self._members.append(block.take(places))
                self._margins.append(margin_of(block.support[places], block.label[places]))
        if block.recognised:
            self.attack.add(block)
            norms = np.full(len(block.label) + block.rejected, np.nan)
            norms[block.place - self._first] = block.l2
            self._norms.append(norms)
            self._first += len(norms)

    def adversarial(self) -> Members:
        """D so far, in the order of its sources, then of its targets."""
        whole = concatenate(self._members)
        self._members = [whole]  # not twice: it is most of what a run holds
        return whole

    @property
    def norms(self) -> NDArray[np.float64]:
        """L2 norm of the change of every candidate of C in its place, NaN where the attack threw it away."""
        return np.concatenate(self._norms)

    def margins(self) -> NDArray[np.int64]:
        """(m,): `margin_of` of every member of D, in its order."""
        return np.concatenate(self._margins)


def begin_deciding(work: Work, sources: AttackedImages, halves: Halves | None) -> Decider:
    """What decides the claim is collected while the candidates come; so far, of the test images."""
    decider = Decider(
        work.ladder,
        work.pool.classes,
        label=sources.label,
        predictions=sources.predictions,
        half_prediction=sources.half_prediction,
        halves=halves,
        subsets=work.family.subsets,
    )
    with work.stages.part("subsets"):
        decider.add_test_images(sources.image)
    return decider


def select_adversarial(
    work: Work,
    maker: CandidateMaker,
    sources: AttackedImages,
    decider: Decider,
    keep: CandidateKeeper | None,
) -> Selection:
    """Step 6. Adversarial set: D, the candidates from C whose class the most general level does not see any more.

    So accuracy on D is 0 at that level by construction. The controls that are parts of the candidates are
    selected on the way.
    """
    made = [make_set(name) for name in work.spec.sets]
    parts = {one.name: one for one in made if isinstance(one, CandidatePart)}
    selection = Selection(
        parts,
        {name: work.tally_of(name) for name in parts},
        levels=len(work.ladder.levels),
        shape=work.pool.shape,
        # A plug-in's set that draws must not move what ours draw.
        random={name: work.streams.numpy_of_set(name) for name in parts},
    )
    with work.stages.stage(CANDIDATES, total=maker.count(len(sources))):
        for block in maker.make(sources, work.stages):
            selection.add(block)
            with work.stages.part("subsets"):
                decider.add("adversarial", block)
            if keep is not None:
                keep.add(block, sources.index[block.source])
    return selection
