"""The quantities that decide the claim. An image is never a sample: a quantity has one value a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.families.ladder import Ladder
from core.records.deciding import DECIDING_SETS, DecidingSet, Robustness
from core.records.metrics import RunMetrics
from core.sets.registry import SETS, is_known

BOTH_ENDS = ("adversarial-both-ends", "reverse-both-ends")
"""Selected at either end of the ladder, from the same sources."""

Values = Callable[[RunMetrics], float | None]
"""A run's value, None where it has none."""


@dataclass(frozen=True)
class Quantity:
    """One quantity of a run. name, sets: as in `Claim`. of: its value in a run."""

    name: str
    sets: tuple[str, ...]
    of: Values


def quantities(ladder: Ladder, controls: Sequence[str]) -> tuple[Quantity, ...]:
    """What is decided, in the order in which a verdict speaks of it.

    crossfit_rise: accuracy at the most fitted level less that at the most general one, on a set that one half's
        classifier selected, by the other half's.
    selection_share: 1 - crossfit_rise / the same rise by the half that selected.
    crossfit_fitted_rise: the same the other way: selected at the most fitted level, accuracy at the most general
        level less that at the most fitted one.
    bias_fall: bias at the most general level less that at the most fitted one, as `crossfit_rise` selects.
    attack_success, worst_case: at the most fitted level less at the most general one, without selection.
    flips: of the candidates whose source both ends get right, the share that only the most fitted level gets right
        less the share that only the most general one does.
    rise: accuracy at the other end of the ladder less that where a set was selected, by the same classifier that
        selected: as the paper counts. On the adversarial set and on another, or on a set and on it shuffled.
    Two sets: the first's value less the second's.
    """
    return (
        *_of_sets("crossfit_rise", lambda name: lambda run: _crossfit_rise(run, name)),
        *(
            Quantity("selection_share", (name,), _share_of(name))
            for name in ("adversarial", "misclassified", "noise")
        ),
        *_of_sets("crossfit_fitted_rise", lambda name: lambda run: _crossfit_fitted_rise(run, name)),
        *_of_sets("bias_fall", lambda name: lambda run: _bias_fall(run, name)),
        *_of_candidates("attack_success", lambda found, ladder: _success(found, ladder), ladder),
        *_of_candidates("worst_case", lambda found, ladder: _worst_case(found, ladder), ladder),
        *_of_candidates("flips", lambda found, ladder: found.flips.net, ladder),
        *(
            _rise_against(SETS[other].shuffles or "adversarial", other)
            for other in ("test", "misclassified", *controls)
            if other == "test" or _rises(other)
        ),
        _rise_against(*BOTH_ENDS),
    )


def _of_sets(name: str, value: Callable[[DecidingSet], Values]) -> list[Quantity]:
    """A quantity of each deciding set but the whole test set, then of the adversarial set against the others."""
    others: tuple[DecidingSet, ...] = ("misclassified", "noise")
    own = [Quantity(name, (one,), value(one)) for one in ("adversarial", *others)]
    against = [
        Quantity(name, ("adversarial", other), _less(value("adversarial"), value(other))) for other in others
    ]
    return [*against, *own, Quantity(name, ("test",), value("test"))]


def _of_candidates(
    name: str, value: Callable[[Robustness, Ladder], float | None], ladder: Ladder
) -> list[Quantity]:
    """A quantity of the attack's candidates, of noise, and of the first against the second."""

    def of(find: Callable[[RunMetrics], Robustness | None]) -> Values:
        def measure(run: RunMetrics) -> float | None:
            found = find(run)
            return None if found is None else value(found, ladder)

        return measure

    attacked, noise = of(lambda run: run.attacked), of(lambda run: run.noise)
    return [
        Quantity(name, ("adversarial",), attacked),
        Quantity(name, ("noise",), noise),
        Quantity(name, ("adversarial", "noise"), _less(attacked, noise)),
    ]


def _less(first: Values, second: Values) -> Values:
    def measure(run: RunMetrics) -> float | None:
        return _difference(first(run), second(run))

    return measure


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _change(by_level: Mapping[str, float | None] | None, start: str, end: str) -> float | None:
    return None if by_level is None else _difference(by_level[end], by_level[start])


def _crossfit_rise(run: RunMetrics, name: DecidingSet) -> float | None:
    found = run.crossfit.accuracy.get(name) if run.crossfit is not None else None
    return _change(found, run.ladder.general, run.ladder.fitted)


def _crossfit_fitted_rise(run: RunMetrics, name: DecidingSet) -> float | None:
    found = run.crossfit_fitted.accuracy.get(name) if run.crossfit_fitted is not None else None
    return _change(found, run.ladder.fitted, run.ladder.general)


def _share_of(name: str) -> Values:
    def measure(run: RunMetrics) -> float | None:
        if run.crossfit is None or name not in DECIDING_SETS:
            return None
        own = _change(run.crossfit.own.get(name), run.ladder.general, run.ladder.fitted)
        other = _crossfit_rise(run, name)
        return None if not own or other is None else 1 - other / own

    return measure


def _bias_fall(run: RunMetrics, name: DecidingSet) -> float | None:
    found = run.bias_variance.sets.get(name) if run.bias_variance is not None else None
    return None if found is None else found[run.ladder.general].bias - found[run.ladder.fitted].bias


def _success(found: Robustness, ladder: Ladder) -> float | None:
    levels = found.robustness
    return _difference(levels[ladder.fitted].success, levels[ladder.general].success)


def _worst_case(found: Robustness, ladder: Ladder) -> float | None:
    levels = found.robustness
    return levels[ladder.fitted].worst_case - levels[ladder.general].worst_case


def _rises(name: str) -> bool:
    """Whether a set was selected by the errors at one end of the ladder."""
    return is_known(name) and SETS[name].begins_at_zero()


def _rise_against(first: str, second: str) -> Quantity:
    return Quantity("rise", (first, second), _less(_rise_of(first), _rise_of(second)))


def _rise_of(name: str) -> Values:
    def measure(run: RunMetrics) -> float | None:
        if name not in run.accuracy:
            return None
        ladder, end = run.ladder, SETS[name].rise_ends_at(run.ladder)
        start = ladder.general if end == ladder.fitted else ladder.fitted
        return _change(run.accuracy[name], start, end)

    return measure
