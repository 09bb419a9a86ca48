"""The quantities by which experiments of a study are compared, and their values. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.records.findings import ADVERSARIAL, RISE, TESTED, Findings
from core.records.overview import Overview
from core.records.statistics import Decision
from core.report.terms import LETTERS, TEST_NAMES, title_of
from tui_aefit.following.listing import DECISIONS, share

Kind = Literal["claim", "accuracy", "images", "fooled", "p"]
GENERAL, FITTED = 0, -1
"""The two ends of every ladder, as places in its levels."""
GROUPS = {
    "claim": "What decides",
    "accuracy": "Accuracy",
    "images": "The attack",
    "fooled": "The attack",
    "p": "p-values",
}
"""Kind -> the heading above its quantities in a list."""


@dataclass(frozen=True)
class Quantity:
    """A kind of number that an experiment has. name: of the claim or the test.

    sets: those of the claim, or the one of the accuracy. level: of an accuracy: GENERAL, FITTED, or the label of a
    level between them.
    """

    kind: Kind
    name: str = ""
    sets: tuple[str, ...] = ()
    level: int | str = FITTED

    @property
    def title(self) -> str:
        """The quantity in few words: "A on adversarial, fitted end"."""
        match self.kind:
            case "claim":
                return title_of(self.name, self.sets, minus="−")
            case "accuracy":
                return f"A on {self.sets[0]}, {_level_words(self.level)}"
            case "images":
                return "|D|, adversarial images a run"
            case "fooled":
                return "share of candidates that fool the surrogate"
            case "p":
                return f"p of S at the fitted end, D against M, {TEST_NAMES.get(self.name, self.name)}"

    @property
    def series(self) -> str:
        """The name of its curve, which differs among quantities of its kind and level."""
        return self.sets[0] if self.kind == "accuracy" else self.title

    @property
    def signed(self) -> bool:
        """Whether it may be negative, so that a scale has 0 in its middle."""
        return self.kind == "claim"


RISE_OF_CLAIM = Quantity("claim", *RISE)
"""What is shown first: the quantity that decides."""
FITTED_ACCURACY = Quantity("accuracy", sets=(ADVERSARIAL,), level=FITTED)
"""The quantity that is shown first where results have no claims."""


@dataclass(frozen=True)
class Value:
    """The value of a quantity: usually a mean over `n` runs, with its 95 % interval where it has one.

    decision: of a claim, else None.
    """

    number: float
    interval: tuple[float, float] | None
    n: int
    decision: Decision | None = None


def value_of(overview: Overview, quantity: Quantity) -> Value | None:
    """An experiment's value of a quantity; None where it has none."""
    match quantity.kind:
        case "images":
            return _mean(overview.adversarial)
        case "fooled":
            return _mean(overview.fooled)
    found = overview.findings
    if found is None or overview.experiment is None:
        return None
    match quantity.kind:
        case "accuracy":
            return _accuracy(found, quantity, overview.experiment.spec.ladder.levels)
        case "claim":
            return _claim(found, quantity)
        case "p":
            tests = [test for test in found.tests if test.test == quantity.name and test.p is not None]
            return Value(tests[0].p, None, tests[0].n) if tests and tests[0].p is not None else None
    return None


def words_of(value: Value | None, quantity: Quantity) -> str:
    """A value as the text of a cell: ".114", "▲ +.114", "812", "0.013"; "" for none."""
    if value is None:
        return ""
    match quantity.kind:
        case "images":
            return f"{value.number:,.0f}" if value.number >= 99.5 else f"{value.number:.3g}"
        case "p":
            return f"{value.number:.2g}"
        case "claim":
            sign = f"{DECISIONS[value.decision]} " if value.decision is not None else ""
            return f"{sign}{share(value.number, signed=True)}"
    return share(value.number)


def interval_words(value: Value, quantity: Quantity) -> str:
    """The 95 % interval of a value after a space, " [.101, .127]"; "" where it has none."""
    if value.interval is None:
        return ""
    low, high = (share(end) for end in value.interval)
    return f" [{low}, {high}]"


def first_quantity(overviews: Iterable[Overview]) -> Quantity:
    """The quantity to show first: RISE_OF_CLAIM, or FITTED_ACCURACY where some results have no claims."""
    found = (one.findings for one in overviews if one.findings is not None)
    return FITTED_ACCURACY if any(one.rise is None for one in found) else RISE_OF_CLAIM


def quantities_of(overviews: Iterable[Overview]) -> list[Quantity]:
    """All quantities that some experiment has, claims first.

    Accuracies are at the ends of the ladders, and at the levels between them that all ladders have.
    """
    found = [one for one in overviews if one.findings is not None and one.experiment is not None]
    claims: dict[Quantity, None] = {}
    sets: dict[str, None] = {}
    tests: dict[str, None] = {}
    levels: dict[str, int] = {}
    for one in found:
        assert one.findings is not None
        assert one.experiment is not None
        claims |= {Quantity("claim", claim.name, claim.sets): None for claim in one.findings.claims}
        sets |= dict.fromkeys(one.findings.accuracies)
        tests |= {test.test: None for test in one.findings.tests if test.sets == TESTED[1]}
        for level in one.experiment.spec.ladder.levels[1:-1]:
            levels[level] = levels.get(level, 0) + 1
    places: list[int | str] = [
        FITTED,
        GENERAL,
        *(level for level, many in levels.items() if many == len(found)),
    ]
    first = dict.fromkeys(name for name in LETTERS if name in sets)
    return [
        *claims,
        *(Quantity("accuracy", sets=(name,), level=level) for level in places for name in {**first, **sets}),
        *([Quantity("images"), Quantity("fooled")] if found else []),
        *(Quantity("p", name) for name in tests),
    ]


def alike(quantity: Quantity, others: Iterable[Quantity]) -> list[Quantity]:
    """Those of `others` that can share an axis with `quantity`: of its kind and level."""
    return [one for one in others if (one.kind, one.level) == (quantity.kind, quantity.level)]


def _accuracy(found: Findings, quantity: Quantity, levels: tuple[str, ...]) -> Value | None:
    if (quantity.sets[0], quantity.level) == (ADVERSARIAL, FITTED):
        summary = found.accuracy  # known without reading the others
    else:
        level = levels[quantity.level] if isinstance(quantity.level, int) else quantity.level
        summary = found.accuracies.get(quantity.sets[0], {}).get(level)
    if summary is None or summary.mean is None:
        return None
    return Value(summary.mean, summary.ci95, summary.n)


def _claim(found: Findings, quantity: Quantity) -> Value | None:
    key = quantity.name, quantity.sets
    # What decides is known without reading the others.
    claim = found.rise if key == RISE else next((c for c in found.claims if (c.name, c.sets) == key), None)
    return Value(claim.estimate, claim.ci95, claim.n, claim.decision) if claim is not None else None


def _mean(values: tuple[float, ...]) -> Value | None:
    return Value(sum(values) / len(values), None, len(values)) if values else None


def _level_words(level: int | str) -> str:
    return (
        {GENERAL: "general end", FITTED: "fitted end"}[level] if isinstance(level, int) else f"level {level}"
    )
