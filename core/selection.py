"""What is selected of the candidates: D, the adversarial set, and the controls that are parts of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.accuracy import Tally
from core.candidates import Candidates


@dataclass(frozen=True)
class AdversarialSet:
    """D, m images in the order of their sources, then of their targets; see `Candidates` for the arrays.

    margin: (m,), see `margin_of`.
    """

    image: NDArray[np.float32]
    source: NDArray[np.int64]
    label: NDArray[np.int64]
    target: NDArray[np.int64]
    prediction: NDArray[np.int64]
    margin: NDArray[np.int64]


class Selection:
    """Takes the candidates of one attack block by block; keeps D if `kept`, of all others only counts.

    unfiltered: all candidates. selected: D, those that the most general level does not classify as y
    (step 6). fooled: the part of D that the surrogate does not classify as y either. one_per_source: one
    member of D for each source that has any, drawn by `choice` with equal chances. reverse: those that the most
    fitted level does not classify as y, of sources that it knows.
    """

    def __init__(
        self,
        levels: Sequence[int],
        shape: tuple[int, int, int],
        choice: np.random.Generator,
        *,
        kept: bool = True,
    ) -> None:
        self._choice = choice
        self._kept = kept
        self.unfiltered, self.selected = Tally(levels), Tally(levels)
        self.fooled, self.one_per_source, self.reverse = Tally(levels), Tally(levels), Tally(levels)
        self.rejected = 0
        self._surrogate_fooled = self._target_hit = self._targeted = 0
        self._linf_max = self._l2_sum = 0.0
        # An empty part, so that a D without members has its shape and dtypes too.
        none = np.empty(0, dtype=np.int64)
        nothing = np.empty((0, *shape), dtype=np.float32)
        labels = np.empty((len(levels), 0), dtype=np.int64)
        self._parts = [AdversarialSet(nothing, none, none, none, labels, none)]

    def add(self, block: Candidates) -> None:
        """Take one block; all candidates of a source must be in the same one."""
        wrong = block.prediction[0] != block.label
        fooled = block.surrogate_prediction != block.label
        one_each = np.flatnonzero(wrong)[self._one_of_each(block.source[wrong])]
        self.unfiltered.add(block.prediction, block.label)
        for tally, chosen in (
            (self.selected, wrong),
            (self.fooled, wrong & fooled),
            (self.one_per_source, one_each),
            (self.reverse, (block.prediction[-1] != block.label) & block.source_known),
        ):
            tally.add(block.prediction[:, chosen], block.label[chosen])
        if self._kept:
            self._parts.append(
                AdversarialSet(
                    block.image[wrong],
                    block.source[wrong],
                    block.label[wrong],
                    block.target[wrong],
                    block.prediction[:, wrong],
                    margin_of(block.support[wrong], block.label[wrong]),
                )
            )
        self.rejected += block.rejected
        self._surrogate_fooled += int(fooled.sum())
        self._target_hit += int((block.surrogate_prediction == block.target).sum())
        self._targeted += int((block.target >= 0).sum())
        self._linf_max = max(self._linf_max, float(block.linf.max(initial=0.0)))
        self._l2_sum += math.fsum(block.l2)

    def adversarial(self) -> AdversarialSet:
        """D of all the blocks so far, empty where it was not to be kept."""
        whole = AdversarialSet(
            np.concatenate([part.image for part in self._parts]),
            np.concatenate([part.source for part in self._parts]),
            np.concatenate([part.label for part in self._parts]),
            np.concatenate([part.target for part in self._parts]),
            np.concatenate([part.prediction for part in self._parts], axis=1),
            np.concatenate([part.margin for part in self._parts]),
        )
        self._parts = [whole]  # not twice: it is most of what a run holds
        return whole

    def attack_figures(self) -> dict[str, float | None]:
        """How the attack did on the surrogate, over all candidates: null where there are none to count.

        surrogate_fooled: the share that the surrogate does not classify as y. target_hit: the share that it
        classifies as the target, of those with a target. linf_max, l2_mean: the largest and the mean norm
        of the perturbations, in pixel units.
        """
        count = self.unfiltered.count
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
