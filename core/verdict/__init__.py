"""What an experiment's numbers say, in plain sentences, each made by one rule that claims no more than they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.records.metrics import RunMetrics
from core.records.statistics import Claim, StatisticalTest
from core.spec.spec import Spec
from core.verdict.attack import describe_attack, warn_of_weak_attack
from core.verdict.controls import describe_controls
from core.verdict.deciding import describe_bias, describe_crossfit, describe_robustness
from core.verdict.in_short import answer_in_short
from core.verdict.numbers import Numbers
from core.verdict.paper import describe_reproduction, describe_rise, describe_slopes, describe_untested
from core.verdict.scope import describe_comparison, describe_sizes
from core.verdict.undecided import describe_what_would_decide

RULES: tuple[Callable[[Numbers], list[str]], ...] = (
    warn_of_weak_attack,
    answer_in_short,
    describe_comparison,
    describe_attack,
    describe_sizes,
    describe_rise,
    describe_reproduction,
    describe_slopes,
    describe_crossfit,
    describe_bias,
    describe_robustness,
    describe_controls,
    describe_untested,
    describe_what_would_decide,
)
"""Each gives its paragraphs, none where it has nothing to say; numbered from 0 in `verdict`."""


def verdict(
    spec: Spec, runs: Sequence[RunMetrics], tests: Sequence[StatisticalTest], claims: Sequence[Claim]
) -> tuple[str, ...]:
    """A few paragraphs on the metrics of the complete runs, their tests and claims; none where there are no runs.

    Of two sets it says "higher", "lower" or "the same" only where the interval of a claim lies so (see
    `core.records.statistics.Claim`) or, for slopes, where the corrected test is significant; else "undecided".
    With fewer than 3 runs it decides nothing and gives means only. By the rules in this order:

    0. where the attack fools its own target with under 10 % of its candidates, or reaches the class that it aims at
       with under 10 %, or the target is a poor classifier: that, before all else;
    1. in short: whether accuracy, by the classifier that did not select, rises further on the adversarial images
       than on ordinary mistakes, whether bias falls further on them, whether fitting helps without selection, and
       how much of the rise is selection;
    2. what was compared, over how many runs, and why the others are left out;
    3. how the attack did on its own target, where rule 0 has not said it;
    4. how many images the adversarial and the misclassified set have in a run, from how many sources, with a
       caution where one of them has fewer than 30 in a run that is compared;
    5. the rise that the paper counts, by the classifier that selected, on the adversarial images, the misclassified
       ones and the whole test set;
    6. whether the paper's results are met, by its own test (Welch's): slopes that differ from those on the
       misclassified images, and slopes higher than those on the whole test set;
    7. the same slopes by the cautious test (Nadeau-Bengio corrected, Holm-adjusted); A_j - A_i, i the level before
       j, where no ratio exists, or where it points the other way than a ratio that differs by either test;
    8. cross-fitted selection; 9. bias and variance; 10. robustness without selection;
    11. the controls: those that have no adversary (see `core.sets.measured_set.Counterpart`), of which alone it can
        say that a rise needs none; those in random order; those selected at the other end; the rest by their means;
        which of them are empty or small;
    12. which slopes could not be tested, and why;
    13. what would decide what is undecided.
    """
    if not runs:
        return ()
    numbers = Numbers(spec, runs, tests, claims)
    return tuple(paragraph for rule in RULES for paragraph in rule(numbers))
