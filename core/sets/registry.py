"""The measured sets in the order in which tables show them: the paper's three, then the controls.

A new one is a line here. A run measures the paper's sets always, and those of the setting `controls`.
"""

from __future__ import annotations

from core.declarations.registry import Registry
from core.errors import PluginError, SpecError
from core.sets.measured_set import MeasuredSet

PAPER_SETS = ("test", "misclassified", "adversarial")
"""The sets that every run measures."""

SETS: Registry[MeasuredSet] = Registry(
    "controls",
    "aefit.sets",
    MeasuredSet,  # type: ignore[type-abstract]
    {
        "test": "core.sets.whole_test_set:WholeTestSet",
        "misclassified": "core.sets.misclassified:Misclassified",
        "adversarial": "core.sets.adversarial:Adversarial",
        "noise": "core.sets.noise:Noise",
        "noise-matched": "core.sets.noise_matched:NoiseMatched",
        "matched": "core.sets.matched:Matched",
        "shuffled": "core.sets.shuffled:Shuffled",
        "misclassified-shuffled": "core.sets.shuffled:MisclassifiedShuffled",
        "reverse": "core.sets.reverse:Reverse",
        "adversarial-both-ends": "core.sets.both_ends:AdversarialBothEnds",
        "reverse-both-ends": "core.sets.both_ends:ReverseBothEnds",
        "sources": "core.sets.sources:Sources",
        "candidates": "core.sets.every_candidate:EveryCandidate",
        "fooled": "core.sets.fooled:Fooled",
        "one-per-source": "core.sets.one_per_source:OnePerSource",
    },
    noun="control",
)


def own_controls() -> tuple[str, ...]:
    """Those besides the paper's that come with this program: the default, but for what a family cannot fill."""
    return tuple(name for name in SETS.own if name not in PAPER_SETS)


def make_set(name: str) -> MeasuredSet:
    """A new object of a set, for one run. Raises as `SETS` does."""
    one = SETS[name]()
    one.name = name
    return one


def is_known(name: str) -> bool:
    """Whether `SETS` has the class: a result may hold a set of a plug-in that is not installed or does not load."""
    try:
        SETS[name]
    except (SpecError, PluginError):
        return False
    return True
