"""The quantities that a study's words and tables begin with: those with which a verdict answers."""

from __future__ import annotations

LEADING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("crossfit_rise", ("adversarial", "misclassified")),
    ("selection_share", ("adversarial",)),
    ("bias_fall", ("adversarial", "misclassified")),
    ("attack_success", ("adversarial",)),
)
"""Name and sets of a claim."""
