"""What people call the tests, the quantities, the claims and the reasons, wherever results are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.records.statistics import Claim
from core.statistics.slopes import REASONS

TEST_NAMES: dict[str, str] = {
    "welch": "Welch",
    "paired": "paired t",
    "nadeau_bengio": "Nadeau-Bengio",
    "wilcoxon": "Wilcoxon",
}
"""What people call the tests, by their name in the JSON result."""
SLOPES: dict[str, str] = {"ratio": "S_j = A_j / A_i", "difference": "A_j - A_i", "log_ratio": "log S_j"}
"""The quantities that are tested, in the paper's letters; what i is, says `STEP`."""
STEP = "i is the level before j"


@dataclass(frozen=True)
class Term:
    """What people call a quantity that decides.

    name, short: in a table, and in a narrow one. line: what it is, in a line, to be formatted with the ends of the
    ladder, `general` and `fitted`. definition: the same in full.
    """

    name: str
    short: str
    line: str
    definition: str


CLAIMS: dict[str, Term] = {
    "crossfit_rise": Term(
        name="rise, cross-fitted",
        short="cross-fit rise",
        line="rise from {general} to {fitted} by the half that did not select",
        definition=(
            "Accuracy at the most fitted level less that at the most general one, on images that the "
            "classifier of one half of the training images selects by its errors at the most general level, "
            "by that of the other half."
        ),
    ),
    "selection_share": Term(
        name="share of the rise that is selection",
        short="selected share",
        line="part of the rise that only the classifier that selected sees",
        definition="1 - that rise / the same rise by the half that selects.",
    ),
    "crossfit_fitted_rise": Term(
        name="rise, cross-fitted, selected at the fitted end",
        short="cross-fit back",
        line="rise back to {general} by the half that did not select at {fitted}",
        definition=(
            "The same the other way: selected at the most fitted level, accuracy at the most general level "
            "less that at the most fitted one."
        ),
    ),
    "bias_fall": Term(
        name="fall of bias",
        short="bias fall",
        line="fall of bias from {general} to {fitted}, by the half that did not select",
        definition=(
            "Bias at the most general level less that at the most fitted one, selected as in the first rise "
            "and measured over random parts of the half that does not select."
        ),
    ),
    "attack_success": Term(
        name="change of the attack's success",
        short="attack success",
        line="success at {fitted} less that at {general}, over all candidates",
        definition=(
            "Without selection, over all candidates of all test images, the most fitted level less the most "
            "general one: the share that is misclassified, of those whose source is not."
        ),
    ),
    "worst_case": Term(
        name="change of the worst case",
        short="worst case",
        line="right with all candidates: share at {fitted} less at {general}",
        definition=(
            "The most fitted level less the most general one: the share of test images that are right, and "
            "all their candidates too."
        ),
    ),
    "flips": Term(
        name="flips, gained less lost",
        short="flips",
        line="share of candidates right only at {fitted} less only at {general}",
        definition=(
            "Of the candidates whose source both ends of the ladder get right: the share that only the most "
            "fitted level gets right less the share that only the most general one does."
        ),
    ),
    "rise": Term(
        name="rise, as the paper counts",
        short="paper's rise",
        line="rise from the selecting end to the other, by the same classifier",
        definition=(
            "Accuracy at the other end of the ladder less that where a set was selected, by the classifier "
            "that selected it: with the selection in it."
        ),
    ),
}
"""The quantities that decide, by their name in the JSON result."""
DECIDING = (
    "Decision: same where the whole interval lies within the margin of 0; else higher or lower where it lies "
    "on one side of 0; else undecided."
)
MEASURES: dict[str, str] = {
    "accuracy": "accuracy",
    "success": "success",
    "worst_case": "worst case",
    "bias": "bias",
    "variance": "variance",
    "error": "error",
}
"""What is measured at a level, by its name in the JSON result."""
OVERLAP = "The intervals allow for splits that overlap (Nadeau and Bengio, 2003)."
"""Of those of means and claims; not of results of version 1, which have no claims."""
INTERVALS = "Of the tests' intervals only Nadeau-Bengio's allows for splits that overlap."
"""Of the tests between two sets."""
SENTENCES: dict[str, str] = {str(code): sentence for code, sentence in REASONS.items()}
"""Why a number does not exist, by reason code."""


LETTERS = {"adversarial": "D", "misclassified": "M"}
"""The paper's letters for its two sets."""


def title_of(name: str, sets: Sequence[str], *, minus: str = "-") -> str:
    """What a claim of that name is of, in few words: "cross-fit rise, D - M"."""
    short = CLAIMS[name].short if name in CLAIMS else name.replace("_", " ")
    return f"{short}, {f' {minus} '.join(LETTERS.get(one, one) for one in sets)}"


def brief_reason(code: str | None) -> str:
    """A reason code as words: "by construction"."""
    return code.replace("_", " ") if code else "no reason given"


def claim_reason(claim: Claim) -> str:
    """Why a claim has no interval, as words: "exactly the same in every run"; "" where it has one."""
    if claim.reason is None:
        return ""
    return "exactly the same in every run" if claim.constant else brief_reason(claim.reason)


def term_of(claim: Claim) -> Term:
    """What people call what a claim is of; a quantity of a newer version by its name alone."""
    name = claim.name.replace("_", " ")
    line = name.replace("{", "{{").replace("}", "}}")
    return CLAIMS.get(claim.name, Term(name, name, line, name))
