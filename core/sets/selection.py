"""What is selected of the candidates: D, the adversarial set, and the controls that are parts of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from core.protocol.candidates import Candidates
from core.sets.catalogue import SETS
from core.sets.sample import Members, Sample, joined, no_members
from core.sets.tally import Tally


class Part:
    """A part of the candidates: its accuracy at every level, and a sample of its images."""

    def __init__(self, levels: Sequence[int], sample: Sample) -> None:
        self.tally = Tally(levels)
        self.sample = sample

    def add(self, block: Candidates, places: NDArray[np.intp]) -> None:
        """Take those candidates of a block that are at these places."""
        self.tally.add(block.prediction[:, places], block.label[places])
        self.sample.add(block, places)


PARTS = ("unfiltered", "fooled", "one-per-source", "reverse")
"""The controls that are parts of the candidates."""


class Selection:
    """Takes the candidates of one attack block by block; keeps D if `kept`, of all others only counts and samples.

    parts: by the names of `core.sets.catalogue`. `selected` ("adversarial" unless it is told otherwise): D, those
    that the most general level does not classify as y (step 6). And of PARTS those in `also`: "unfiltered": all candidates.
    "fooled": the part of D that the surrogate does not classify as y either. "one-per-source": one member of D for
    each source that has any, drawn by `choice` with equal chances. "reverse": those that the most fitted level does
    not classify as y, of sources that it knows. count, rejected: of all candidates, and of those thrown away.
    """

    def __init__(
        self,
        levels: Sequence[int],
        shape: tuple[int, int, int],
        classes: int,
        choice: np.random.Generator,
        *,
        selected: str = "adversarial",
        also: Collection[str] = PARTS,
        kept: bool = True,
    ) -> None:
        self._choice = choice
        self._kept = kept
        self._selected = selected
        self.parts = {
            name: Part(levels, Sample(len(levels), shape, classes, SETS[name].shown))
            for name in (selected, *also)
        }
        self.count = self.rejected = 0
        self._surrogate_fooled = self._target_hit = self._targeted = 0
        self._linf_max = self._l2_sum = 0.0
        # An empty one, so that a D without members has its shape and dtypes too.
        self._members = [no_members(len(levels), shape)]
        self._margins = [np.empty(0, dtype=np.int64)]

    def add(self, block: Candidates) -> None:
        """Take one block; all candidates of a source must be in the same one."""
        adversarial = np.flatnonzero(block.prediction[0] != block.label)
        fooled = block.surrogate_prediction != block.label
        for name, part in self.parts.items():
            match name:
                case self._selected:
                    places = adversarial
                case "unfiltered":
                    places = np.arange(len(block.label))
                case "fooled":
                    places = adversarial[fooled[adversarial]]
                case "one-per-source":
                    places = adversarial[self._one_of_each(block.source[adversarial])]
                case "reverse":
                    places = np.flatnonzero((block.prediction[-1] != block.label) & block.source_known)
                case unknown:
                    raise AssertionError(f"{unknown} is no part of the candidates")
            part.add(block, places)
        if self._kept:
            self._members.append(block.taken(adversarial))
            self._margins.append(margin_of(block.support[adversarial], block.label[adversarial]))
        self.count += len(block.label)
        self.rejected += block.rejected
        self._surrogate_fooled += int(fooled.sum())
        self._target_hit += int((block.surrogate_prediction == block.target).sum())
        self._targeted += int((block.target >= 0).sum())
        self._linf_max = max(self._linf_max, float(block.linf.max(initial=0.0)))
        self._l2_sum += math.fsum(block.l2)

    def adversarial(self) -> Members:
        """D so far, in the order of its sources, then of its targets; empty where it was not to be kept."""
        whole = joined(self._members)
        self._members = [whole]  # not twice: it is most of what a run holds
        return whole

    def margins(self) -> NDArray[np.int64]:
        """(m,): `margin_of` of every member of D, in its order."""
        return np.concatenate(self._margins)

    def attack_figures(self) -> dict[str, float | None]:
        """How the attack did on the surrogate, over all candidates: null where there are none to count.

        surrogate_fooled: the share that the surrogate does not classify as y. target_hit: the share that it
        classifies as the target, of those with a target. linf_max, l2_mean: the largest and the mean norm
        of the perturbations, in pixel units.
        """
        count = self.count
        return {
            "surrogate_fooled": self._surrogate_fooled / count if count else None,
            "target_hit": self._target_hit / self._targeted if self._targeted else None,
            "linf_max": self._linf_max if count else None,
            "l2_mean": self._l2_sum / count if count else None,
        }

    def _one_of_each(self, source: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of one entry for each distinct value, each entry of a value equally likely."""
        order = self._choice.permutation(len(source))
        _, first = np.unique(source[order], return_index=True)
        return order[first]


def margin_of(support: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,): how much more the most general level speaks for its own answer than for the true label, 0 or more."""
    margin: NDArray[np.int64] = support.max(axis=1) - support[np.arange(len(label)), label]
    return margin


def matched(own: NDArray[np.int64], offered: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """For each margin in `own`, (m,), a place in `offered`, (n,), with the same margin; and for how many it is not.

    Those with one margin take turns, in the order in which they are offered, so that each is taken equally often
    but for one time. Where a margin is not offered the nearest one is taken, the smaller of two. Empty where
    nothing is offered.
    """
    if not len(offered):
        return np.empty(0, dtype=np.int64), 0
    margins = np.unique(offered)
    taken = np.empty(len(own), dtype=np.int64)
    others = 0
    for margin in np.unique(own):
        wanting = np.flatnonzero(own == margin)
        nearest = margins[np.abs(margins - margin).argmin()]
        places = np.flatnonzero(offered == nearest)
        taken[wanting] = places[np.arange(len(wanting)) % len(places)]
        others += len(wanting) if nearest != margin else 0
    return taken, others
