"""What an experiment's numbers say, in plain sentences, each made by one rule that claims no more than they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.records.metrics import RunMetrics
from core.records.statistics import StatisticalTest
from core.spec.spec import Spec
from core.verdict.controls import answer_in_short, describe_controls
from core.verdict.numbers import Numbers
from core.verdict.rise import describe_comparison, describe_rise, describe_sizes
from core.verdict.slopes import describe_slopes, describe_untested

RULES: tuple[Callable[[Numbers], list[str]], ...] = (
    answer_in_short,
    describe_comparison,
    describe_sizes,
    describe_rise,
    describe_slopes,
    describe_controls,
    describe_untested,
)
"""Each gives its sentences, none where it has nothing to say; numbered from 0 in `verdict`."""


def verdict(spec: Spec, runs: Sequence[RunMetrics], tests: Sequence[StatisticalTest]) -> tuple[str, ...]:
    """A few sentences on the metrics of the complete runs, and on their tests; none where there are no runs.

    Two sets are always compared over the same runs: those in which both have images. A control with a counterpart
    (see `core.sets.measured_set.Counterpart`) could account for the rise on the adversarial images. By the rules
    in this order, each where there is something to say:
    0. in short: whether mean accuracy at the most fitted level is higher on the adversarial than on the
       misclassified images; if so, which of the controls with a counterpart rise as far (by rule 5), else which
       of them do not account for all of it, or were not measured;
    1. what was compared, over how many runs, and why the others are left out;
    2. how many images the adversarial and the misclassified set have in a run, from how many sources; a caution
       where one of them, in a run that is compared, has fewer than 30;
    3. how far mean accuracy rises from the most general to the most fitted level on the adversarial and on the
       misclassified images, and on which of them it is higher at which level;
    4. for each slope S_j that can be tested, on which set it is higher, by how much, and how surely: by the
       Nadeau-Bengio corrected test, Holm-adjusted (the cautious reading), and by Welch's unadjusted one (the
       paper's). "Significantly" is the cautious one's word, below 0.05. Where A_j - A_i, i the level before j,
       points the other way than S_j, that is said. Where S_j divides by 0, the same of A_j - A_i;
    5. for each control, whether it rises as well, and in how many runs it rises as far: where the mean of one with
       a counterpart rises as far as the adversarial set does, or no step of the rise is significantly larger on
       the latter, the effect is not particular to it; steps and slopes that are significantly larger on it are
       named; where one that was selected at the most fitted level rises as far, only that is concluded;
    6. what could not be tested, and why.
    """
    if not runs:
        return ()
    numbers = Numbers(spec, runs, tests)
    return tuple(sentence for rule in RULES for sentence in rule(numbers))
