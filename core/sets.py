"""The sets of images whose accuracy a run measures at every K: the paper's three, and the controls.

The adversarial set is selected to lie just across the classifier's boundary, and that alone could lift
accuracy at smaller K. A control is a set that shares something with it, but not the adversary.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MeasuredSet:
    """One set.

    description: what is in the set, in one line.
    wrong_by_construction: its images were selected because the most general level gets them wrong, so the
        accuracy there is 0 whatever the classifier, and a ratio over it says nothing.
    """

    description: str
    wrong_by_construction: bool


PAPER_SETS: dict[str, MeasuredSet] = {
    "test": MeasuredSet("the whole test set", wrong_by_construction=False),
    "misclassified": MeasuredSet("test images that the Z-NN gets wrong", wrong_by_construction=True),
    "adversarial": MeasuredSet(
        "candidates made from test images that the Z-NN gets right, which it then gets wrong",
        wrong_by_construction=True,
    ),
}
"""The sets that every run measures, in the order in which tables show them."""

CONTROLS: dict[str, MeasuredSet] = {
    "noise": MeasuredSet(
        "random sign noise of size epsilon, as many draws a source, selected as the adversarial set is",
        wrong_by_construction=True,
    ),
    "sources": MeasuredSet(
        "the unperturbed images from which the adversarial set was made", wrong_by_construction=False
    ),
    "unfiltered": MeasuredSet("every candidate, whatever the Z-NN says of it", wrong_by_construction=False),
    "fooled": MeasuredSet("adversarial images that also fool the surrogate", wrong_by_construction=True),
    "one-per-source": MeasuredSet(
        "one adversarial image of each source, drawn at random", wrong_by_construction=True
    ),
}
"""The sets that a spec may ask for besides, in the order in which tables show them."""

SETS: dict[str, MeasuredSet] = PAPER_SETS | CONTROLS
