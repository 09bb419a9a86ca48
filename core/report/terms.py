"""What people call the tests, the quantities and the reasons, wherever results are shown."""

from __future__ import annotations

from core.statistics.slopes import REASONS

TEST_NAMES = {
    "welch": "Welch",
    "paired": "paired t",
    "nadeau_bengio": "Nadeau-Bengio",
    "wilcoxon": "Wilcoxon",
}
"""What people call the tests, by their name in the JSON result."""
SLOPES = {"ratio": "S_j = A_j / A_j+2", "difference": "A_j - A_j+2", "log_ratio": "log S_j"}
"""The quantities that are tested, in the paper's letters."""
SENTENCES: dict[str, str] = {str(code): sentence for code, sentence in REASONS.items()}
"""Why a number does not exist, by reason code; a newer version may have codes that are not here."""


def brief_reason(code: str | None) -> str:
    """A reason code as words: "by construction"."""
    return code.replace("_", " ") if code else "no reason given"
