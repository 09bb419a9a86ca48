"""Two experiments compared, quantity by quantity: run by run where their runs divide the images in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from core.records.findings import ADVERSARIAL
from core.report.quantities_by_run import ACCURACY, FOOLED, HIT, IMAGES, Key, Measured, quantities_by_run
from core.report.result import Result
from core.report.terms import LETTERS, title_of
from core.spec.grid import shared_splits
from core.spec.spec import Spec
from core.statistics.between import Difference, paired_difference, unpaired_difference

PAIRED = (
    "Paired by run, for the splits are shared: the corrected t-test of Nadeau and Bengio (2003) of the differences."
)  # fmt: skip
UNPAIRED = (
    "Not paired, for the splits are not shared: Welch's t-test, each side with the error of its own corrected "
    "interval."
)


@dataclass(frozen=True)
class Side:
    """One of two experiments: what was asked for, and what its complete runs measured."""

    spec: Spec
    measured: Measured


def share_splits(first: Side, second: Side) -> bool:
    """Whether the runs of both divide the same images in the same way, so that run can be compared with run."""
    ones, twos = first.measured, second.measured
    data = dict(zip(ones.runs, ones.data, strict=True))
    return (
        shared_splits(first.spec) == shared_splits(second.spec)
        and (ones.n_test, ones.n_train) == (twos.n_test, twos.n_train)
        # A data set of one's own may have changed since.
        and all(data.get(run, found) == found for run, found in zip(twos.runs, twos.data, strict=True))
    )


def difference(first: Side, second: Side, key: Key) -> Difference:
    """A quantity of the second less that of the first."""
    values = first.measured.by_run(key), second.measured.by_run(key)
    if share_splits(first, second):
        return paired_difference(*values, overlap=first.measured.overlap)
    return unpaired_difference(*values, overlaps=(first.measured.overlap, second.measured.overlap))


def key_title(key: Key, *, minus: str = "-") -> str:
    """What is measured, in few words: "cross-fit rise, D - M", "A, D at the fitted end"."""
    if key.name == ACCURACY:
        names = ", ".join(LETTERS.get(one, one) for one in key.sets)
        return f"A, {names} at {key.level or 'the fitted end'}"
    if key.name in (FOOLED, HIT):
        return {FOOLED: "fooled", HIT: "target hit"}[key.name]
    if key.name == IMAGES:
        return f"images, {', '.join(LETTERS.get(one, one) for one in key.sets)}"
    return title_of(key.name, key.sets, minus=minus)


def side_of(result: Result) -> Side | None:
    """An experiment as one of two; None without a complete run."""
    if not result.metrics:
        return None
    return Side(result.spec, quantities_by_run(result.metrics, result.ladder, result.spec.controls))


@dataclass(frozen=True)
class Between:
    """What a quantity of the second experiment is less that of the first, by their places among several."""

    first: int
    second: int
    key: Key
    difference: Difference


def differences(results: Sequence[Result], keys: Sequence[Key] | None = None) -> list[Between]:
    """Of every two experiments, the later less the earlier, each quantity that both measured.

    keys: by default every quantity that decides, then accuracy on the adversarial set at the most fitted level and
    the share of candidates that fool the surrogate.
    """
    sides = [side_of(result) for result in results]
    if keys is None:
        claims = dict.fromkeys(Key(claim.name, claim.sets) for result in results for claim in result.claims)
        keys = [*claims, Key(ACCURACY, (ADVERSARIAL,)), Key(FOOLED)]
    return [
        Between(first, second, key, difference(one, other, key))
        for (first, one), (second, other) in combinations(enumerate(sides), 2)
        if one is not None and other is not None
        for key in keys
        if one.measured.has(key) and other.measured.has(key)
    ]


def how_compared(found: Iterable[Difference]) -> str:
    """By which tests, in a sentence or two; "" where nothing was compared."""
    tests = {one.test for one in found}
    return " ".join(
        sentence for test, sentence in (("nadeau_bengio", PAIRED), ("welch", UNPAIRED)) if test in tests
    )
