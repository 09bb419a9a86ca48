"""Which sets a person wants published, and which pairs of them were compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.errors import ExperimentError
from core.report.result import Result
from core.spec.spec import Spec


def names_in(text: str) -> list[str] | None:
    """The sets in a text such as "adversarial, noise", each once, in the text's order; None for an empty one."""
    return list(dict.fromkeys(name.strip() for name in text.split(","))) if text.strip() else None


def check_sets(spec: Spec, identity: str, sets: Iterable[str]) -> None:
    """Raises ExperimentError for a set that an experiment of this spec does not measure."""
    for name in sets:
        if name not in spec.sets:
            raise ExperimentError(
                f"{identity} has no set {name!r}: expected one of {', '.join(spec.sets)}",
                "name sets with commas between them, such as --sets adversarial,noise",
            )


def pairs_among(result: Result, sets: Collection[str] | None) -> list[tuple[str, str]]:
    """The pairs that a result compares, of which both are among these sets; all of them for None."""
    pairs = dict.fromkeys(test.sets for test in result.tests)
    return [pair for pair in pairs if sets is None or set(sets).issuperset(pair)]


def some_pairs_among(result: Result, sets: Collection[str] | None) -> list[tuple[str, str]]:
    """As `pairs_among`, but raises ExperimentError where there is no such pair."""
    if pairs := pairs_among(result, sets):
        return pairs
    raise ExperimentError(
        f"{result.id} compares no pair of these sets",
        "name two sets that it compares, or leave --sets out",
    )
