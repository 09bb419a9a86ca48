"""What people call the tests, the quantities, the claims and the reasons, wherever results are shown."""

from __future__ import annotations

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
CLAIMS: dict[str, str] = {
    "crossfit_rise": "rise, cross-fitted",
    "selection_share": "share of the rise that is selection",
    "crossfit_fitted_rise": "rise, cross-fitted, selected at the fitted end",
    "bias_fall": "fall of bias",
    "attack_success": "change of the attack's success",
    "worst_case": "change of the worst case",
    "flips": "flips, gained less lost",
    "rise": "rise, as the paper counts",
}
"""The quantities that decide, by their name in the JSON result; `DEFINITIONS` says what each is."""
DEFINITIONS: dict[str, str] = {
    "crossfit_rise": (
        "Accuracy at the most fitted level less that at the most general one, on images that the classifier of one "
        "half of the training images selects by its errors at the most general level, by that of the other half."
    ),
    "selection_share": "1 - that rise / the same rise by the half that selects.",
    "crossfit_fitted_rise": (
        "The same the other way: selected at the most fitted level, accuracy at the most general level less "
        "that at the most fitted one."
    ),
    "bias_fall": (
        "Bias at the most general level less that at the most fitted one, selected as in the first rise and "
        "measured over random parts of the half that does not select."
    ),
    "attack_success": (
        "Without selection, over all candidates of all test images, the most fitted level less the most "
        "general one: the share that is misclassified, of those whose source is not."
    ),
    "worst_case": (
        "The most fitted level less the most general one: the share of test images that are right, and all their "
        "candidates too."
    ),
    "flips": (
        "Of the candidates whose source both ends of the ladder get right: the share that only the most fitted "
        "level gets right less the share that only the most general one does."
    ),
    "rise": (
        "Accuracy at the other end of the ladder less that where a set was selected, by the classifier that "
        "selected it: with the selection in it."
    ),
}
"""What each of `CLAIMS` is, in a sentence."""
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


def brief_reason(code: str | None) -> str:
    """A reason code as words: "by construction"."""
    return code.replace("_", " ") if code else "no reason given"


def claim_reason(claim: Claim) -> str:
    """Why a claim has no interval, as words: "exactly the same in every run"; "" where it has one."""
    if claim.reason is None:
        return ""
    return "exactly the same in every run" if claim.constant else brief_reason(claim.reason)


def claim_name(claim: Claim) -> str:
    """What a claim is of: "rise, cross-fitted"."""
    return CLAIMS.get(claim.name, claim.name.replace("_", " "))


def claim_title(claim: Claim) -> str:
    """The same with its sets: "rise, cross-fitted: adversarial - misclassified"."""
    return f"{claim_name(claim)}: {' - '.join(claim.sets)}"
