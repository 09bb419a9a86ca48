"""What words and tables on several experiments begin with: what a verdict answers with, and how the attack did."""

from __future__ import annotations

from core.records.findings import ADVERSARIAL, RISE
from core.report.quantities_by_run import ACCURACY, FOOLED, Key

LEADING_CLAIMS = (
    Key(*RISE),
    Key("selection_share", (ADVERSARIAL,)),
    Key("bias_fall", (ADVERSARIAL, "misclassified")),
    Key("attack_success", (ADVERSARIAL,)),
)
LEADING = (*LEADING_CLAIMS, Key(ACCURACY, (ADVERSARIAL,)), Key(FOOLED))
