"""What people call the tests, the quantities and the reasons, wherever results are shown."""

from __future__ import annotations

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
SENTENCES: dict[str, str] = {str(code): sentence for code, sentence in REASONS.items()}
"""Why a number does not exist, by reason code."""


def brief_reason(code: str | None) -> str:
    """A reason code as words: "by construction"."""
    return code.replace("_", " ") if code else "no reason given"
