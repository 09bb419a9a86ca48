"""The sets of images whose accuracy a run measures at every K: the paper's three, and the controls.

The adversarial set is selected to lie just across the classifier's boundary, and that alone could lift
accuracy at smaller K. A control is a set that shares something with it, but not the adversary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MeasuredSet:
    """One set.

    description: what is in the set, in one line.
    wrong_by_construction: its images were selected because the most general level gets them wrong, so the
        accuracy there is 0 whatever the classifier, and a ratio over it says nothing.
    from_fitted: the same at the most fitted level instead. Its slopes are counted from there, so that they are
        compared with steps equally far from where another set was selected.
    perturbed: whether its images were made from others; else they are images of the data set.
    shown: how many of its images a run's gallery holds at most.
    """

    description: str
    wrong_by_construction: bool
    from_fitted: bool = False
    perturbed: bool = True
    shown: int = 100

    @property
    def begins_at_zero(self) -> bool:
        """Whether the accuracy at the level that slopes are counted from is 0 by construction."""
        return self.wrong_by_construction or self.from_fitted

    def as_counted(
        self, accuracy: Mapping[int, float | None], levels: Sequence[int]
    ) -> dict[int, float | None]:
        """The accuracies by the level that stands as far from where slopes are counted from."""
        ladder = list(reversed(levels)) if self.from_fitted else list(levels)
        return {level: accuracy[own] for level, own in zip(levels, ladder, strict=True)}


PAPER_SETS: dict[str, MeasuredSet] = {
    "test": MeasuredSet("the whole test set", wrong_by_construction=False, perturbed=False),
    "misclassified": MeasuredSet(
        "test images that the Z-NN gets wrong", wrong_by_construction=True, perturbed=False
    ),
    "adversarial": MeasuredSet(
        "candidates made from test images that the Z-NN gets right, which it then gets wrong",
        wrong_by_construction=True,
        shown=600,
    ),
}
"""The sets that every run measures, in the order in which tables show them."""

CONTROLS: dict[str, MeasuredSet] = {
    "noise": MeasuredSet(
        "random sign noise of size epsilon, as many draws a source, selected as the adversarial set is",
        wrong_by_construction=True,
    ),
    "matched": MeasuredSet(
        "for each adversarial image a misclassified test image that the Z-NN gets wrong by as many votes",
        wrong_by_construction=True,
        perturbed=False,
    ),
    "reverse": MeasuredSet(
        "candidates selected by the errors at K = 1 instead, from sources that are right there too; K then rises",
        wrong_by_construction=False,
        from_fitted=True,
    ),
    "sources": MeasuredSet(
        "the unperturbed images from which the adversarial set was made",
        wrong_by_construction=False,
        perturbed=False,
    ),
    "unfiltered": MeasuredSet("every candidate, whatever the Z-NN says of it", wrong_by_construction=False),
    "fooled": MeasuredSet("adversarial images that also fool the surrogate", wrong_by_construction=True),
    "one-per-source": MeasuredSet(
        "one adversarial image of each source, drawn at random", wrong_by_construction=True
    ),
}
"""The sets that a spec may ask for besides, in the order in which tables show them."""

SETS: dict[str, MeasuredSet] = PAPER_SETS | CONTROLS
