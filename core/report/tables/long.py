"""The long tables for other programs to read: a row a number of a run, a test, a claim, a mean over the runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.records.deciding import Robustness
from core.records.metrics import RunMetrics
from core.records.types import plain
from core.report.attack_figures import rates
from core.report.formats import TableName
from core.report.result import Result
from core.report.tables.csv_text import csv_text

Cell = str | int | float | None

_SETTINGS = (
    "id", "dataset", "attack", "surrogate_fooled", "target_hit", "epsilon", "family", "knob", "seed",
)  # fmt: skip
"""surrogate_fooled, target_hit: of the experiment's attack, as in `core.records.metrics.AttackFigures`; in a row of
one run those of that run, else means over the complete runs."""
COLUMNS = (*_SETTINGS, "run", "set", "size", "level", "accuracy", "slope", "status")
"""Of the table "accuracy": the complete runs; run counts from 0, size is the number of images in the set, slope
is S_level = A_level / A_(the level before), status the experiment's: only where it is "complete" are the numbers
final."""
TEST_COLUMNS = (
    *_SETTINGS, "quantity", "j", "first_set", "second_set", "test", "n", "statistic", "df", "p", "p_holm",
    "mean_difference", "ci95_low", "ci95_high", "effect_size", "direction", "reason",
    "status",
)  # fmt: skip
"""Of the table "tests": what they hold is said in `core.records.statistics.StatisticalTest`; mean_difference is its
`tested_difference`, which the ranks of Wilcoxon's test have not."""
SUMMARY_COLUMNS = (*_SETTINGS, "set", "level", "mean", "sd", "ci95_low", "ci95_high", "n", "status")
"""Of the table "summary": accuracy over the n runs in which it is defined, as in
`core.records.statistics.Summary`; sd is None below two of them, and so are the ends of the 95 % interval."""
CLAIM_COLUMNS = (
    *_SETTINGS, "quantity", "first_set", "second_set", "estimate", "ci95_low", "ci95_high", "margin", "decision",
    "n", "reason", "status",
)  # fmt: skip
"""Of the table "claims": as in `core.records.statistics.Claim`; second_set is None where there is one set."""
DECIDING_COLUMNS = (*_SETTINGS, "run", "part", "rule", "set", "level", "measure", "value", "status")
"""Of the table "deciding": what a run measured, a row a number.

part: "crossfit", "crossfit_fitted", "bias_variance" or "robustness", as in `core.records.metrics.RunMetrics`, whose
robustness is of the set "adversarial" here, and that on noise of the set "noise". rule: "" for the family's own,
else the other one that its numbers are by. measure: of cross-fitted accuracy "accuracy" by the half that did not
select, "own_accuracy" by the one that did, and "images_1", "images_2" in the two orders; of all else the name of
the field. level: None for what is not of a level."""
ATTACK_COLUMNS = (
    "id", "dataset", "attack", "epsilon", "family", "knob", "seed", "run", "set", "surrogate_fooled", "target_hit",
    "linf_max", "l2_mean", "status",
)  # fmt: skip
"""Of the table "attacks": as in `core.records.metrics.AttackFigures`, of every attack in every run. set:
"adversarial" for the experiment's attack, else the one that an attack of its own made."""
COLUMNS_OF: dict[TableName, tuple[str, ...]] = {
    "accuracy": COLUMNS,
    "tests": TEST_COLUMNS,
    "summary": SUMMARY_COLUMNS,
    "claims": CLAIM_COLUMNS,
    "deciding": DECIDING_COLUMNS,
    "attacks": ATTACK_COLUMNS,
}
"""The columns of each table."""


def long_rows(result: Result, table: TableName = "accuracy") -> Iterator[list[Cell]]:
    """The rows of a table of a result, in the order of `COLUMNS_OF`; what is undefined is None."""
    rows = {
        "accuracy": _accuracies,
        "tests": _tests,
        "summary": _summaries,
        "claims": _claims,
        "deciding": _deciding,
        "attacks": _attacks,
    }[table]
    for row in rows(result):
        yield [*row, result.status.value]


def long_csv(result: Result, table: TableName = "accuracy") -> str:
    """A table as CSV with a header; what is undefined is an empty field."""
    return csv_text(COLUMNS_OF[table], long_rows(result, table))


def _settings(result: Result, rates: Iterable[float | None] = ()) -> list[Cell]:
    """What was asked for, with RATES of the attack behind its name."""
    spec = result.spec
    return [
        result.id, spec.dataset, spec.attack, *rates, spec.epsilon, spec.family, result.ladder.knob, spec.seed,
    ]  # fmt: skip


def _settings_of(result: Result, metrics: RunMetrics) -> list[Cell]:
    """The cells of `_settings` with the attack's rates in one run."""
    return _settings(result, [metrics.attack.surrogate_fooled, metrics.attack.target_hit])


def _accuracies(result: Result) -> Iterator[list[Cell]]:
    for run, metrics in result.metrics.items():
        settings = _settings_of(result, metrics)
        for name, accuracy in metrics.accuracy.items():
            size, slopes = metrics.counts.sets[name], metrics.slopes.get(name, {})
            for level in metrics.ladder.levels:
                yield [*settings, run, name, size, level, accuracy[level], slopes.get(level)]


def _tests(result: Result) -> Iterator[list[Cell]]:
    settings = _settings(result, rates(result))
    for test in result.tests:
        low, high = test.ci95 or (None, None)
        yield [
            *settings, test.quantity, test.j, *test.sets, test.test, test.n, test.statistic, test.df, test.p,
            test.p_holm, test.tested_difference, low, high, test.effect_size, test.direction, test.reason,
        ]  # fmt: skip


def _summaries(result: Result) -> Iterator[list[Cell]]:
    if result.summary is None:
        return
    settings = _settings(result, rates(result))
    for name, by_level in result.summary.accuracy.items():
        for level in result.ladder.levels:
            summary = by_level[level]
            low, high = summary.ci95 or (None, None)
            yield [*settings, name, level, summary.mean, summary.sd, low, high, summary.n]


def _claims(result: Result) -> Iterator[list[Cell]]:
    settings = _settings(result, rates(result))
    for claim in result.claims:
        low, high = claim.ci95 or (None, None)
        first, second = (*claim.sets, None)[:2]
        yield [
            *settings, claim.name, first, second, claim.estimate, low, high, claim.margin, claim.decision, claim.n,
            claim.reason,
        ]  # fmt: skip


def _deciding(result: Result) -> Iterator[list[Cell]]:
    for run, metrics in result.metrics.items():
        settings = _settings_of(result, metrics)
        for row in (*_crossfit(metrics), *_bias_variance(metrics), *_robustness(metrics)):
            yield [*settings, run, *row]


def _crossfit(metrics: RunMetrics) -> Iterator[list[Cell]]:
    for part, found in (("crossfit", metrics.crossfit), ("crossfit_fitted", metrics.crossfit_fitted)):
        if found is None:
            continue
        for name, accuracy in found.accuracy.items():
            for order, images in enumerate(found.counts[name], start=1):
                yield [part, "", name, None, f"images_{order}", float(images)]
            for level in metrics.ladder.levels:
                yield [part, "", name, level, "accuracy", accuracy[level]]
                yield [part, "", name, level, "own_accuracy", found.own[name][level]]


def _bias_variance(metrics: RunMetrics) -> Iterator[list[Cell]]:
    if metrics.bias_variance is None:
        return
    for name, by_level in metrics.bias_variance.sets.items():
        for level in metrics.ladder.levels:
            for measure, value in plain(by_level[level]).items():
                yield ["bias_variance", "", name, level, measure, value]


def _robustness(metrics: RunMetrics) -> Iterator[list[Cell]]:
    found: list[tuple[str, str, Robustness]] = []
    if metrics.robustness is not None and metrics.flips is not None:
        found.append(("", "adversarial", Robustness(robustness=metrics.robustness, flips=metrics.flips)))
    if metrics.noise is not None:
        found.append(("", "noise", metrics.noise))
    found += [(rule, "adversarial", one) for rule, one in metrics.variants.items()]
    for rule, name, one in found:
        for level in metrics.ladder.levels:
            for measure, value in plain(one.robustness[level]).items():
                yield ["robustness", rule, name, level, measure, value]
        for measure, count in plain(one.flips).items():
            yield ["robustness", rule, name, None, measure, float(count)]


def _attacks(result: Result) -> Iterator[list[Cell]]:
    settings = _settings(result)
    for run, metrics in result.metrics.items():
        for name, one in {"adversarial": metrics.attack, **metrics.sets}.items():
            yield [*settings, run, name, one.surrogate_fooled, one.target_hit, one.linf_max, one.l2_mean]
